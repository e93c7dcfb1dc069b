//! Comparing: what differs between two schemas, object by object, in words.

use super::guard::told;
use super::{Key, POSITION, Properties, Schema, spelling};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
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
    /// What the later of the two schemas was held against.
    pub against: Against,
}

/// What a schema was held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Against {
    /// An earlier one: what differs was changed since.
    #[default]
    Earlier,
    /// The one that it should be, as migrations make it: nobody need have changed anything.
    Wanted,
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It is only in the later schema. What is part of it is not told besides.
    Added(Properties),
    /// It is only in the earlier schema. What was part of it is not told besides.
    Removed(Properties),
    /// Some of its properties differ: their names, as they were and as they are. Where both say that they are not shown, they
    /// differ nevertheless.
    Changed(Vec<(String, Option<String>, Option<String>)>),
    /// The same, of what the database works out when the object is made: it is another in each replay, and nobody did
    /// anything.
    WorkedOut(Vec<(String, Option<String>, Option<String>)>),
    /// Neither schema has it: a statement made it after the earlier one was kept, and it is gone.
    Gone {
        /// The migration.
        migration: String,
        /// The number of its statement, from 1.
        statement: u32,
    },
}

impl Difference {
    /// Whether it makes the two schemas different ones, rather than the same that was made twice.
    pub fn counts(&self) -> bool {
        !matches!(self.change, Change::WorkedOut(_))
    }

    /// Whether it is of this object. Of what is gone, the schema is not known.
    pub(crate) fn is_of(&self, key: &Key) -> bool {
        let is_in_any = matches!(self.change, Change::Gone { .. });
        (is_in_any || self.key.schema == key.schema)
            && (&self.key.kind, &self.key.table, &self.key.name) == (&key.kind, &key.table, &key.name)
    }
}

/// What differs from the earlier schema to the later one, in the order of the names. What may hold a secret is not in it.
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
    let earlier = &*spelling::as_in(earlier, later);
    let all = side_by_side(earlier, later);
    let all = all.filter(|(_, before, now)| before != now).map(|(key, before, now)| {
        let change = match (before, now) {
            (Some(before), Some(now)) => Change::Changed(changed(key, before, now)),
            (None, now) => Change::Added(now.map(|now| compared(key, now)).unwrap_or_default()),
            (Some(before), None) => Change::Removed(compared(key, before)),
        };
        (key, change)
    });
    let is_one = |change: &Change| !matches!(change, Change::Changed(properties) if properties.is_empty());
    let all: Vec<_> = all.filter(|(_, change)| is_one(change)).collect();
    let (mut whole, mut columns) = (HashSet::new(), HashMap::<_, Vec<&Key>>::new());
    for (key, change) in &all {
        if key.table.is_empty() && !matches!(change, Change::Changed(_)) {
            whole.insert((&*key.schema, &*key.name));
        }
        if key.kind == "column" {
            columns.entry((&*key.schema, &*key.table)).or_default().push(key);
        }
    }
    let is_part = |key: &Key| !key.table.is_empty() && whole.contains(&(&*key.schema, &*key.table));
    let is_told_by_parts = |key: &Key| {
        let columns = columns.get(&(&*key.schema, &*key.name)).filter(|_| key.kind == "table");
        columns.is_some_and(|columns| earlier.is_told_by_columns(later, key, columns))
    };
    let needless: Vec<bool> = all.iter().map(|(key, _)| is_part(key) || is_told_by_parts(key)).collect();
    let told = all.into_iter().zip(needless).filter(|(_, needless)| !needless).map(|(one, _)| one);
    told.map(|(key, change)| {
        let whole = !matches!(change, Change::Changed(_));
        let [before, now] = [earlier, later].map(|schema| schema.fragment(key, whole));
        Difference { key: key.clone(), change, before, now, against: Against::default() }
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
fn compared(key: &Key, properties: &Properties) -> Properties {
    let compared = properties.iter().filter(|(name, _)| *name != POSITION);
    compared.map(|(name, value)| (name.clone(), told(key, properties, name, value))).collect()
}

fn changed(
    key: &Key,
    before: &Properties,
    now: &Properties,
) -> Vec<(String, Option<String>, Option<String>)> {
    let gone = before.keys().filter(|name| !now.contains_key(*name));
    let mut names: Vec<&String> = gone.chain(now.keys()).collect();
    names.sort();
    names
        .into_iter()
        .filter(|name| before.get(*name) != now.get(*name) && *name != POSITION)
        .map(|name| {
            let [before, now] =
                [before, now].map(|all| all.get(name).map(|value| told(key, all, name, value)));
            (name.clone(), before, now)
        })
        .collect()
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.against == Against::Earlier;
        let told: Vec<String> = match &self.change {
            Change::Added(_) if since => return write!(f, "{} was added", self.key),
            Change::Removed(_) if since => return write!(f, "{} was removed", self.key),
            Change::Added(_) => return write!(f, "{} is there, and should not be", self.key),
            Change::Removed(_) => return write!(f, "{} is not there, and should be", self.key),
            Change::Gone { migration, statement } => {
                return write!(f, "{} is gone, which statement {statement} of `{migration}` made", self.key);
            }
            Change::Changed(properties) => {
                let one = |(name, before, now): &(String, Option<String>, Option<String>)| {
                    let (before, now) = (before.as_deref(), now.as_deref());
                    if since { changed_since(name, before, now) } else { not_as_wanted(name, before, now) }
                };
                properties.iter().map(one).collect()
            }
            Change::WorkedOut(properties) => {
                let one = |(name, before, now): &(String, Option<String>, Option<String>)| {
                    let [before, now] = [before, now].map(|value| value.as_deref().unwrap_or_default());
                    let when = "is worked out when it is made, to";
                    format!("{name} {when} {before} in the replay and {now} here")
                };
                properties.iter().map(one).collect()
            }
        };
        write!(f, "{}: {}", self.key, told.join("; "))
    }
}

/// What became of a property.
fn changed_since(name: &str, before: Option<&str>, now: Option<&str>) -> String {
    match (before, now) {
        (Some(before), Some(now)) if before == now => {
            format!("{name} was changed, where it is not shown: it may hold a secret")
        }
        (Some(before), Some(now)) => format!("{name} was {before}, is {now}"),
        (None, Some("yes")) => format!("is {name} now"),
        (None, Some(now)) => format!("{name} is {now} now"),
        (Some("yes"), None) => format!("is no longer {name}"),
        (before, None) => format!("{name} was {}, is none", before.unwrap_or_default()),
    }
}

/// In what a property is not what migrations make it.
fn not_as_wanted(name: &str, before: Option<&str>, now: Option<&str>) -> String {
    match (before, now) {
        (Some(before), Some(now)) if before == now => {
            format!("{name} is not what it should be, where it is not shown: it may hold a secret")
        }
        (Some(before), Some(now)) => format!("{name} is {now}, and should be {before}"),
        (None, Some("yes")) => format!("should not be {name}"),
        (None, Some(now)) => format!("{name} is {now}, and should be none"),
        (Some("yes"), None) => format!("should be {name}"),
        (before, None) => format!("{name} is none, and should be {}", before.unwrap_or_default()),
    }
}
