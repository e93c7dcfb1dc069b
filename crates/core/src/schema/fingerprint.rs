//! Fingerprint: a digest of all that a server said of a schema. Where it is the same, so is the schema; where it is another,
//! nothing is known yet.

use crate::migration::hex;
use sha2::{Digest, Sha256};
use std::fmt;

/// A digest that is being put together.
///
/// ```
/// use windlass_core::schema::Fingerprint;
///
/// let of = |values: [Option<&str>; 2]| {
///     let mut fingerprint = Fingerprint::new("1 SQLite 3");
///     fingerprint.add(values);
///     fingerprint.end()
/// };
/// assert_eq!(of([Some("ship"), None]), of([Some("ship"), None]));
/// assert_ne!(of([Some("ship"), None]), of([Some("ship"), Some("")]));
/// assert_ne!(of([Some("ship"), Some("s")]), of([Some("ships"), Some("")]));
/// ```
#[derive(Clone)]
pub struct Fingerprint {
    digest: Sha256,
    /// What is added next, in one piece: a row has many short values.
    next: Vec<u8>,
}

impl Fingerprint {
    /// Begins with who looked.
    pub fn new(origin: &str) -> Self {
        let mut begun = Self { digest: Sha256::new(), next: Vec::new() };
        begun.add([Some(origin)]);
        begun
    }

    /// Goes on with these values: each is told from its neighbours, and none from an empty one.
    pub fn add<'v>(&mut self, values: impl IntoIterator<Item = Option<&'v str>>) {
        self.next.clear();
        for value in values {
            // No text is as long as what stands for none.
            let length = value.map_or(u64::MAX, |value| value.len() as u64);
            self.next.extend(length.to_le_bytes());
            self.next.extend(value.unwrap_or_default().as_bytes());
        }
        self.digest.update(&self.next);
    }

    /// The digest of all that was added, in hexadecimal digits: half of it, which is kept with each schema.
    pub fn end(self) -> String {
        hex(&self.digest.finalize()[..16])
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint")
    }
}
