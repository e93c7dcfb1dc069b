//! A schema as text: a line an object, its parts between tabs, in any order.
//!
//! The first line tells who looked, and behind tabs the fingerprint of what the server said and those of its parts, where
//! there are any. What would end a part or a line is written behind a backslash.

use super::{Fingerprints, Key, Properties, Schema};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A line that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the kept schema is not one of windlass's")]
pub struct TextError {
    /// Which, from 1.
    pub line: usize,
}

impl Schema {
    /// Reads the form that is kept.
    ///
    /// # Errors
    /// Names the first line that cannot be one.
    ///
    /// ```
    /// use windlass_core::schema::Schema;
    ///
    /// let text = "1 SQLite 3\ntable\t\t\tship\ncolumn\t\tship\tlength\ttype=int";
    /// let schema = Schema::parse(text)?;
    /// assert_eq!(schema.objects.len(), 2);
    /// assert_eq!(schema.to_text(), text);
    /// # Ok::<(), windlass_core::schema::TextError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, TextError> {
        Self::parse_parts(text, None)
    }

    /// The same, of these [parts](Key::part) alone.
    ///
    /// # Errors
    /// Names the first line that cannot be one.
    ///
    /// ```
    /// use windlass_core::schema::Schema;
    ///
    /// let text = "1 SQLite 3\ntable\t\t\tport\ntable\t\t\tship\ncolumn\t\tship\tlength\ttype=int";
    /// let schema = Schema::parse_parts(text, Some(&["ship".to_owned()].into()))?;
    /// assert_eq!(schema.objects.keys().map(ToString::to_string).collect::<Vec<_>>(), ["table ship", "column ship.length"]);
    /// # Ok::<(), windlass_core::schema::TextError>(())
    /// ```
    pub fn parse_parts(text: &str, only: Option<&BTreeSet<String>>) -> Result<Self, TextError> {
        let (origin, lines) = unmarked(text);
        let lines = (2..).zip(lines.split('\n')).filter(|(_, line)| !line.is_empty());
        // A line that is none is told of below.
        let is_asked_for =
            |line: &str| only.is_none_or(|parts| part(line).is_none_or(|part| parts.contains(&*part)));
        let lines = lines.filter(|(_, line)| is_asked_for(line));
        let objects = lines.map(|(number, line)| object(line).ok_or(TextError { line: number }));
        // All at once: sorted already, they need not be looked for one by one.
        Ok(Self { origin: origin.to_owned(), objects: objects.collect::<Result<_, _>>()? })
    }

    /// The form that is kept.
    pub fn to_text(&self) -> String {
        self.written(self.origin.clone())
    }

    /// The form that is kept, with the fingerprints of what the server said of it.
    ///
    /// ```
    /// use windlass_core::schema::{Fingerprint, Fingerprints, Schema, fingerprint};
    ///
    /// let schema = Schema::parse("1 SQLite 3\ntable\t\t\tship")?;
    /// let begun = Fingerprint::new(&schema.origin);
    /// let fingerprints = Fingerprints::new(&begun, [("ship", begun.clone())]);
    /// let text = schema.to_text_with(&fingerprints);
    /// assert_eq!(fingerprint(&text), Some(fingerprints.whole()));
    /// assert_eq!(Schema::parse(&text)?, schema);
    /// # Ok::<(), windlass_core::schema::TextError>(())
    /// ```
    pub fn to_text_with(&self, fingerprints: &Fingerprints) -> String {
        debug_assert!(
            self.objects.keys().all(|key| fingerprints.has(key.part())),
            "a part has no fingerprint"
        );
        let mut head = self.origin.clone();
        fingerprints.write(&mut head);
        self.written(head)
    }

    fn written(&self, head: String) -> String {
        let mut text = head;
        for (Key { kind, schema, table, name }, properties) in &self.objects {
            for (part, before) in [kind, schema, table, name].into_iter().zip("\n\t\t\t".chars()) {
                text.push(before);
                escaped(&mut text, part);
            }
            for (name, value) in properties {
                text.extend(["\t", name, "="]);
                escaped(&mut text, value);
            }
        }
        text
    }
}

/// The fingerprint with which a schema was kept, of its text or of no more than the first line.
pub fn fingerprint(text: &str) -> Option<&str> {
    parted(text).1
}

/// All of a schema's text but the fingerprint: who looked, and the lines.
pub fn unmarked(text: &str) -> (&str, &str) {
    let (origin, _, lines) = parted(text);
    (origin, lines)
}

/// Who looked, the fingerprint, and the lines.
fn parted(text: &str) -> (&str, Option<&str>, &str) {
    let (head, lines) = text.split_once('\n').unwrap_or((text, ""));
    let mut told = head.split('\t');
    (told.next().unwrap_or_default(), told.next(), lines)
}

/// What the object of a line is, or is part of, as [`Key::part`] tells it.
fn part(line: &str) -> Option<Cow<'_, str>> {
    let mut parts = line.split('\t').skip(2);
    let (table, name) = (parts.next()?, parts.next()?);
    unescaped(if table.is_empty() { name } else { table })
}

fn object(line: &str) -> Option<(Key, Properties)> {
    let mut parts = line.split('\t');
    let [kind, schema, table, name] = [(); 4].map(|()| parts.next().and_then(unescaped).map(Cow::into_owned));
    let key = Key { schema: schema?, table: table?, kind: kind?, name: name? };
    let property = |part: &str| {
        let (name, value) = part.split_once('=')?;
        Some((name.to_owned(), unescaped(value)?.into_owned()))
    };
    Some((key, parts.map(property).collect::<Option<_>>()?))
}

/// What would end a part or a line.
const ESCAPES: [(char, char); 4] = [('\\', '\\'), ('\t', 't'), ('\n', 'n'), ('\r', 'r')];

/// Writes a part as it stands in a line.
pub(super) fn escaped(line: &mut String, mut part: &str) {
    while let Some(at) = part.find(ESCAPES.map(|(plain, _)| plain)) {
        let (plain, rest) = part.split_at(at);
        let letter =
            ESCAPES.iter().find(|(escaped, _)| rest.starts_with(*escaped)).map(|(_, letter)| *letter);
        line.push_str(plain);
        line.push('\\');
        line.extend(letter);
        part = &rest[1..];
    }
    line.push_str(part);
}

pub(super) fn unescaped(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('\\') {
        return Some(Cow::Borrowed(text));
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => {
                let letter = chars.next()?;
                ESCAPES.iter().find(|(_, escape)| *escape == letter)?.0
            }
            c => c,
        });
    }
    Some(Cow::Owned(plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Fingerprint;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_names_and_values_are_read_as_they_were_written(
            objects in prop::collection::btree_map(
                (any::<String>(), any::<String>(), "[a-z ]{1,9}", any::<String>()),
                prop::collection::btree_map("[a-z ]{1,9}", any::<String>(), 0..4),
                0..6,
            )
        ) {
            let objects = objects.into_iter().map(|((schema, table, kind, name), properties)| {
                (Key { schema, table, kind, name }, properties)
            });
            let schema = Schema { origin: "1 SQLite 3".to_owned(), objects: objects.collect() };
            prop_assert_eq!(Schema::parse(&schema.to_text()), Ok(schema));
        }

        #[test]
        fn parts_are_read_as_they_stand_in_the_whole(
            names in prop::collection::btree_set(("[a\\t\\\\]{0,2}", "[a-c\\n\\\\=]{1,2}"), 1..9),
            asked_for in prop::collection::btree_set("[a-c\\t\\n\\\\=]{1,2}", 0..9),
        ) {
            let objects = names.into_iter().map(|(table, name)| {
                (Key { table, kind: "column".to_owned(), name, ..Key::default() }, Properties::new())
            });
            let mut schema = Schema { origin: "1 SQLite 3".to_owned(), objects: objects.collect() };
            let begun = Fingerprint::new(&schema.origin);
            let parts = schema.objects.keys().map(|key| (key.part(), begun.clone()));
            let fingerprints = Fingerprints::new(&begun, parts);
            let text = schema.to_text_with(&fingerprints);
            let asked_for_now = asked_for.iter().map(|part| (&**part, Fingerprint::new("another")));
            let now = Fingerprints::new(&begun, asked_for_now);
            let all = schema.objects.keys().map(|key| key.part().to_owned()).chain(asked_for.iter().cloned());
            let unlike = all.collect();
            prop_assert_eq!(now.unlike(&text, &schema.origin), Some(unlike));
            prop_assert_eq!(fingerprints.unlike(&text, &schema.origin), Some(BTreeSet::new()));
            schema.objects.retain(|key, _| asked_for.contains(key.part()));
            prop_assert_eq!(Schema::parse_parts(&text, Some(&asked_for)), Ok(schema));
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = Schema::parse(&text);
        }
    }

    #[test]
    fn what_is_no_line_is_named() {
        let error = Schema::parse("1 SQLite 3\ntable\t\t\ta\ntable\ta").unwrap_err();
        assert_eq!(error.to_string(), "line 3 of the kept schema is not one of windlass's");
    }
}
