//! Fingerprint: a digest of all that a server said of a schema. Where it is the same, so is the schema; where it is another,
//! nothing is known yet.

use super::text::{escaped, unescaped, unmarked};
use crate::migration::hex;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
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

/// How many hexadecimal digits of a part's digest are kept.
const OF_A_PART: usize = 16;

/// The fingerprint of a schema and those of its [parts](super::Key::part), so that where it is another, what is the same
/// need not be put together to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprints {
    whole: String,
    parts: BTreeMap<String, String>,
}

impl Fingerprints {
    /// Of the parts, each of which began as this one.
    ///
    /// ```
    /// use windlass_core::schema::{Fingerprint, Fingerprints, Schema};
    ///
    /// let schema = Schema::parse("1 SQLite 3\ntable\t\t\tport\ntable\t\t\tship")?;
    /// let begun = Fingerprint::new(&schema.origin);
    /// let of = |length: &str| {
    ///     let [mut ship, mut port] = [begun.clone(), begun.clone()];
    ///     ship.add([Some(length)]);
    ///     port.add([Some("int")]);
    ///     Fingerprints::new(&begun, [("ship", ship), ("port", port)])
    /// };
    /// let (before, now) = (of("int"), of("text"));
    /// assert_ne!(before.whole(), now.whole());
    /// let kept = schema.to_text_with(&before);
    /// assert_eq!(now.unlike(&kept, "1 SQLite 3"), Some(["ship".to_owned()].into()));
    /// assert_eq!(now.unlike(&kept, "2 SQLite 3"), None);
    /// # Ok::<(), windlass_core::schema::TextError>(())
    /// ```
    pub fn new<'p>(begun: &Fingerprint, parts: impl IntoIterator<Item = (&'p str, Fingerprint)>) -> Self {
        let digest = |of: Fingerprint| of.end()[..OF_A_PART].to_owned();
        let parts: BTreeMap<_, _> =
            parts.into_iter().map(|(part, of)| (part.to_owned(), digest(of))).collect();
        let mut whole = begun.clone();
        parts.iter().for_each(|(part, digest)| whole.add([Some(&**part), Some(&**digest)]));
        Self { whole: whole.end(), parts }
    }

    /// That of all.
    pub fn whole(&self) -> &str {
        &self.whole
    }

    /// The parts that are not the same as when a text was kept, or were or are not there. Nothing where another looked then,
    /// or they were not written down.
    pub fn unlike(&self, kept: &str, origin: &str) -> Option<BTreeSet<String>> {
        let kept = Self::of_kept(kept).filter(|_| unmarked(kept).0 == origin)?;
        let without = |one: &Self, other: &Self| {
            let parts = one.parts.iter().filter(|(part, digest)| other.parts.get(*part) != Some(*digest));
            parts.map(|(part, _)| part.clone()).collect::<Vec<_>>()
        };
        Some(without(self, &kept).into_iter().chain(without(&kept, self)).collect())
    }

    /// Those that were kept with a schema's text.
    fn of_kept(text: &str) -> Option<Self> {
        let head = text.split('\n').next().unwrap_or_default();
        let mut told = head.split('\t').skip(1);
        let whole = told.next()?.to_owned();
        let part = |told: &str| {
            let (digest, part) = told.split_at_checked(OF_A_PART)?;
            Some((unescaped(part)?.into_owned(), digest.to_owned()))
        };
        let parts: BTreeMap<_, _> = told.map(part).collect::<Option<_>>()?;
        (!parts.is_empty()).then_some(Self { whole, parts })
    }

    /// As they stand in the first line, behind who looked.
    pub(super) fn write(&self, head: &mut String) {
        head.push('\t');
        head.push_str(&self.whole);
        for (part, digest) in &self.parts {
            head.extend(["\t", digest]);
            escaped(head, part);
        }
    }

    pub(super) fn has(&self, part: &str) -> bool {
        self.parts.contains_key(part)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint")
    }
}
