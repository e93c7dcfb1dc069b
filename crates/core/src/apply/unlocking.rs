//! Unlocking: the session that holds the lock is ended, as a person asked.

use crate::driver::{Driver, DriverError, Ending, Holder};
use std::time::{Duration, Instant};

/// How long a session may take to go: it undoes what it was at before it does.
const ENDING: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// Why the lock is still held.
///
/// ```
/// # use windlass_core::application::{Database, Holder, UnlockError, end_lock_holder};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, holder: &Holder) -> Result<(), UnlockError> {
/// match end_lock_holder(connection, holder).await {
///     Err(UnlockError::StillThere { waited, .. }) => println!("it undoes what it was at, for {waited:?} now"),
///     ended => println!("ended: {}", ended?),
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnlockError {
    /// The database refused, as it does where the user may not end that session.
    #[error("the session that holds the lock could not be ended")]
    Driver(#[from] DriverError),
    /// There is no way to end a session there.
    #[error("{why}")]
    Impossible {
        /// Who holds the lock.
        holder: Holder,
        /// Why.
        why: String,
    },
    /// It was told to end, and has not.
    #[error("the session that holds the lock was told to end, and is still there after {waited:?}")]
    StillThere {
        /// Who holds the lock.
        holder: Holder,
        /// How long was waited.
        waited: Duration,
    },
}

/// Ends the session that holds the lock, as [`Driver::lock_holder`] told it, and waits until it is gone; `false` where
/// it had given the lock back by itself.
///
/// # Errors
/// When the session cannot be ended, or does not end.
pub async fn end_lock_holder(driver: &mut dyn Driver, holder: &Holder) -> Result<bool, UnlockError> {
    let session = holder.session.as_deref().unwrap_or_default();
    match driver.end_lock_holder(session).await? {
        Ending::Asked => {}
        Ending::HoldsNothing => return Ok(false),
        Ending::Impossible(why) => return Err(UnlockError::Impossible { holder: holder.clone(), why }),
    }
    let began = Instant::now();
    // Another deployer may have got it at once.
    while let Some(still) = driver.lock_holder().await?.filter(|still| still.session == holder.session) {
        let waited = began.elapsed();
        if waited >= ENDING {
            return Err(UnlockError::StillThere { holder: still, waited });
        }
        driver.sleep(PAUSE).await;
    }
    Ok(true)
}
