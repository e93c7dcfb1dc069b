//! Comparing: what differs between two schemas, object by object, in words.

use super::{Key, POSITION, Properties, Schema};
use crate::migration::hex;
use crate::sql::classify::may_hold_secret;
use sha2::{Digest, Sha256};
use std::cmp::Ordering;
use std::fmt;

/// An object that is not the same in two schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The object.
    pub key: Key,
    /// What became of it.
    pub change: Change,
    /// As it was, in SQL, where that is known and may be shown. Of a table that is gone, all of it.
    pub before: Option<String>,
    /// As it is, in SQL. Of a table that was added, all of it.
    pub now: Option<String>,
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It is only in the later schema. What is part of it is not told besides.
    Added(Properties),
    /// It is only in the earlier schema. What was part of it is not told besides.
    Removed(Properties),
    /// Some of its properties differ: their names, as they were and as they are.
    Changed(Vec<(String, Option<String>, Option<String>)>),
    /// The same, of what the database works out when the object is made: it is another in each replay, and nobody did
    /// anything.
    WorkedOut(Vec<(String, Option<String>, Option<String>)>),
}

impl Difference {
    /// Whether it makes the two schemas different ones, rather than the same that was made twice.
    pub fn counts(&self) -> bool {
        !matches!(self.change, Change::WorkedOut(_))
    }
}

/// What differs from the earlier schema to the later one, in the order of the names.
///
/// ```
/// use windlass_core::schema::{Schema, differences};
///
/// let earlier = Schema::parse("\ntable\t\t\tship\ncolumn\t\tship\tlength\ttype=int")?;
/// let later = Schema::parse("\ntable\t\t\tship\ncolumn\t\tship\tlength\ttype=bigint\ntable\t\t\tport")?;
/// let told: Vec<_> = differences(&earlier, &later).iter().map(ToString::to_string).collect();
/// assert_eq!(told, ["table port was added", "column ship.length: type was int, is bigint"]);
/// let elsewhere = Schema::parse("\ntable\t\t\tship\ncolumn\t\tship\tlength\ttype=int\tposition=2")?;
/// assert!(differences(&earlier, &elsewhere).is_empty());
/// # Ok::<(), windlass_core::schema::TextError>(())
/// ```
pub fn differences(earlier: &Schema, later: &Schema) -> Vec<Difference> {
    let all = side_by_side(earlier, later);
    let all = all.filter(|(_, before, now)| before != now).map(|(key, before, now)| {
        let change = match (before, now) {
            (Some(before), Some(now)) => Change::Changed(changed(before, now)),
            (None, now) => Change::Added(now.map(compared).unwrap_or_default()),
            (Some(before), None) => Change::Removed(compared(before)),
        };
        (key, change)
    });
    let is_one = |change: &Change| !matches!(change, Change::Changed(properties) if properties.is_empty());
    let all: Vec<_> = all.filter(|(_, change)| is_one(change)).collect();
    let whole: Vec<Key> = all
        .iter()
        .filter(|(key, change)| key.table.is_empty() && !matches!(change, Change::Changed(_)))
        .map(|(key, _)| (*key).clone())
        .collect();
    let is_part = |key: &Key| {
        !key.table.is_empty()
            && whole.iter().any(|whole| whole.name == key.table && whole.schema == key.schema)
    };
    let told = all.into_iter().filter(|(key, _)| !is_part(key));
    told.map(|(key, change)| {
        let whole = !matches!(change, Change::Changed(_));
        let [before, now] = [earlier, later].map(|schema| schema.fragment(key, whole));
        Difference { key: key.clone(), change, before, now }
    })
    .collect()
}

/// Every object of both, in the order of the names, with what it has in each: one walk through them, for looking each up would
/// take most of the time.
fn side_by_side<'s>(
    earlier: &'s Schema,
    later: &'s Schema,
) -> impl Iterator<Item = (&'s Key, Option<&'s Properties>, Option<&'s Properties>)> {
    let (mut earlier, mut later) = (earlier.objects.iter().peekable(), later.objects.iter().peekable());
    std::iter::from_fn(move || {
        let order = match (earlier.peek(), later.peek()) {
            (Some((before, _)), Some((now, _))) => before.cmp(now),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        let before = if order.is_le() { earlier.next() } else { None };
        let now = if order.is_ge() { later.next() } else { None };
        let (key, _) = before.or(now)?;
        Some((key, before.map(|(_, properties)| properties), now.map(|(_, properties)| properties)))
    })
}

/// What of an object is compared.
fn compared(properties: &Properties) -> Properties {
    let mut compared = properties.clone();
    compared.remove(POSITION);
    compared
}

fn changed(before: &Properties, now: &Properties) -> Vec<(String, Option<String>, Option<String>)> {
    let gone = before.keys().filter(|name| !now.contains_key(*name));
    let mut names: Vec<&String> = gone.chain(now.keys()).collect();
    names.sort();
    let pairs = names.into_iter().map(|name| (name, before.get(name), now.get(name)));
    pairs
        .filter(|(name, before, now)| before != now && *name != POSITION)
        .map(|(name, before, now)| (name.clone(), before.cloned(), now.cloned()))
        .collect()
}

/// A value as it may be kept: of one that may hold a secret, a digest, which is another for another value.
///
/// ```
/// use windlass_core::schema::guarded;
///
/// assert_eq!(guarded("now()".to_owned()), "now()");
/// assert!(!guarded("'password=hunter2'".to_owned()).contains("hunter2"));
/// ```
pub fn guarded(value: String) -> String {
    if !may_hold_secret(&value) {
        return value;
    }
    let digest = hex(&Sha256::digest(&value)[..16]);
    format!("{MAY_HOLD_A_SECRET}{digest})")
}

/// How a digest begins that stands in place of a text.
pub(super) const MAY_HOLD_A_SECRET: &str = "(may hold a secret: ";

/// A value as it may be shown.
pub fn shown(value: &str) -> &str {
    if may_hold_secret(value) { "(not shown: it may hold a secret)" } else { value }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.change {
            Change::Added(_) => write!(f, "{} was added", self.key),
            Change::Removed(_) => write!(f, "{} was removed", self.key),
            Change::Changed(properties) => {
                write!(f, "{}: ", self.key)?;
                for (index, (name, before, now)) in properties.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "; " };
                    match (before, now) {
                        (Some(before), Some(now)) => {
                            write!(f, "{comma}{name} was {}, is {}", shown(before), shown(now))?;
                        }
                        (None, Some(now)) if now == "yes" => write!(f, "{comma}is {name} now")?,
                        (None, Some(now)) => write!(f, "{comma}{name} is {} now", shown(now))?,
                        (Some(before), None) if before == "yes" => write!(f, "{comma}is no longer {name}")?,
                        (Some(before), _) => write!(f, "{comma}{name} was {}, is none", shown(before))?,
                        (None, None) => {}
                    }
                }
                Ok(())
            }
            Change::WorkedOut(properties) => {
                write!(f, "{}: ", self.key)?;
                for (index, (name, before, now)) in properties.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "; " };
                    let [before, now] =
                        [before, now].map(|value| shown(value.as_deref().unwrap_or_default()));
                    let when = "is worked out when it is made, to";
                    write!(f, "{comma}{name} {when} {before} in the replay and {now} here")?;
                }
                Ok(())
            }
        }
    }
}
