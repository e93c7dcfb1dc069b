//! Left: what gives a lent connection back, kept for its next use where a future was dropped and nothing could be sent.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whose connection was closed instead, as it should be, never comes to take what is kept for it.
const MOST: usize = 256;

/// What is kept, by the sessions that it is for.
#[derive(Debug)]
pub(crate) struct Left<T>(Mutex<VecDeque<(String, T)>>);

impl<T: Clone> Left<T> {
    /// Nothing is.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    /// Whether nothing is kept for any session: then none has to be asked who it is.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept().is_empty()
    }

    /// Keeps it instead of what was kept for the session.
    pub(crate) fn keep(&self, session: &str, left: T) {
        let mut kept = self.kept();
        kept.retain(|(name, _)| name != session);
        if kept.len() == MOST {
            kept.pop_front();
        }
        kept.push_back((session.to_owned(), left));
    }

    /// What is kept for the session, and stays until it is [forgotten](Self::forget): a future may be dropped again.
    pub(crate) fn of(&self, session: &str) -> Option<T> {
        self.kept().iter().find(|(name, _)| name == session).map(|(_, left)| left.clone())
    }

    /// The session is as it was.
    pub(crate) fn forget(&self, session: &str) {
        self.kept().retain(|(name, _)| name != session);
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(String, T)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_of_one_session_and_of_the_newest_ones() {
        let left = Left::new();
        assert!(left.is_empty());
        left.keep("a", 1);
        left.keep("a", 2);
        assert_eq!((left.of("a"), left.of("b")), (Some(2), None));
        for number in 0..MOST {
            left.keep(&number.to_string(), 3);
        }
        assert_eq!((left.of("a"), left.of("0")), (None, Some(3)));
        left.forget("0");
        assert_eq!(left.of("0"), None);
    }
}
