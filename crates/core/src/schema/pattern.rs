//! Patterns: objects that are not to be looked at, by kind and name.

use super::{DEFAULT_GRANT, GRANT, HISTORY, Key};
use crate::directive::nearest;
use std::fmt;
use std::str::FromStr;

/// Names of objects, `*` for any part: `audit_*`, `table:audit_*`, `partman.*`, `event trigger:*`.
///
/// A name without a dot is that of an object, or of what the object is part of, in any schema; with one it is
/// that of a schema and such a name in it. With a table go its columns, indexes and all that is part of it.
///
/// ```
/// use windlass_core::schema::Pattern;
///
/// let ours = ["audit_*", "table:tmp_*", "partman.*"].map(str::parse::<Pattern>);
/// assert!(ours.iter().all(Result::is_ok));
/// assert!("".parse::<Pattern>().is_err());
/// let unknown = "tabel:tmp_*".parse::<Pattern>().unwrap_err().to_string();
/// assert!(unknown.starts_with("there is no kind of object `tabel` as in `tabel:tmp_*`; did you mean `table`?"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    kind: Option<String>,
    schema: Option<String>,
    name: String,
}

/// The kinds of objects that there are, on whatever database.
const KINDS: [&str; 42] = [
    "aggregate",
    "cast",
    "check",
    "collation",
    "column",
    "composite type",
    "database",
    DEFAULT_GRANT,
    "domain",
    "enum",
    "event",
    "event trigger",
    "exclusion",
    "extension",
    "foreign key",
    "foreign server",
    "foreign table",
    "function",
    GRANT,
    HISTORY,
    "index",
    "library",
    "materialized view",
    "package",
    "package body",
    "partition",
    "policy",
    "primary key",
    "procedure",
    "publication",
    "range",
    "rule",
    "schema",
    "sequence",
    "statistics",
    "subpartition",
    "table",
    "trigger",
    "type",
    "unique",
    "view",
    "virtual table",
];

/// A pattern that matches nothing that there can be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// A part of it is empty.
    #[error("`{0}` is no pattern: write it like `audit_*`, `table:audit_*` or `partman.*`")]
    Empty(String),
    /// No database has objects of that kind.
    #[error("there is no kind of object `{kind}` as in `{pattern}`; did you mean `{nearest}`? There are {}", KINDS.join(", "))]
    UnknownKind {
        /// The whole pattern.
        pattern: String,
        /// What stands before the colon.
        kind: String,
        /// The kind that is nearest.
        nearest: &'static str,
    },
}

impl Pattern {
    /// Whether it is about this object.
    ///
    /// ```
    /// use windlass_core::schema::{Key, Pattern};
    ///
    /// let column = Key {
    ///     kind: "column".to_owned(),
    ///     schema: "public".to_owned(),
    ///     table: "audit_2026".to_owned(),
    ///     name: "id".to_owned(),
    /// };
    /// assert!("audit_*".parse::<Pattern>()?.matches(&column));
    /// assert!("table:audit_*".parse::<Pattern>()?.matches(&column));
    /// assert!(!"partman.*".parse::<Pattern>()?.matches(&column));
    /// # Ok::<(), windlass_core::schema::PatternError>(())
    /// ```
    pub fn matches(&self, key: &Key) -> bool {
        if self.schema.as_ref().is_some_and(|schema| !is_like(schema, &key.schema)) {
            return false;
        }
        let is_of_kind = |kind: &str| self.kind.as_ref().is_none_or(|wanted| is_like(wanted, kind));
        let itself = is_of_kind(&key.kind) && is_like(&self.name, &key.name);
        let what_it_is_part_of =
            !key.table.is_empty() && is_of_kind("table") && is_like(&self.name, &key.table);
        itself || what_it_is_part_of
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) => (Some(kind.trim().to_lowercase()), rest.trim()),
            None => (None, text.trim()),
        };
        let (schema, name) = match rest.split_once('.') {
            Some((schema, name)) => (Some(schema.to_owned()), name.to_owned()),
            None => (None, rest.to_owned()),
        };
        let is_empty = |part: &Option<String>| part.as_ref().is_some_and(String::is_empty);
        if name.is_empty() || is_empty(&kind) || is_empty(&schema) {
            return Err(PatternError::Empty(text.to_owned()));
        }
        if let Some(kind) = kind.as_ref().filter(|wanted| !KINDS.iter().any(|kind| is_like(wanted, kind))) {
            let nearest = nearest(kind, KINDS).map_or("table", |(nearest, _)| nearest);
            let (pattern, kind) = (text.to_owned(), kind.clone());
            return Err(PatternError::UnknownKind { pattern, kind, nearest });
        }
        Ok(Self { kind, schema, name })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = &self.kind {
            write!(f, "{kind}:")?;
        }
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.name)
    }
}

/// Whether a name fits, with `*` for anything.
fn is_like(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, fits) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "a", true),
            ("a*b", "ab", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("*é*", "caféte", true),
            ("*b", "abc", false),
        ] {
            assert_eq!(is_like(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn what_names_nothing_is_no_pattern() {
        for text in ["", ":", "table:", ".a", "a.", "  "] {
            assert!(text.parse::<Pattern>().is_err(), "{text}");
        }
        let written = ["audit_*", "table:audit_*", "partman.*", "event trigger:x"];
        assert!(written.iter().all(|text| text.parse::<Pattern>().unwrap().to_string() == *text));
    }
}
