//! A schema as text: a line an object, its parts between tabs, in any order.
//!
//! The first line tells who looked, and behind a tab the fingerprint of what the server said, where there is one. What
//! would end a part or a line is written behind a backslash.

use super::{Key, Properties, Schema};

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
        let (origin, lines) = unmarked(text);
        let lines = (2..).zip(lines.split('\n')).filter(|(_, line)| !line.is_empty());
        let objects = lines.map(|(number, line)| object(line).ok_or(TextError { line: number }));
        // All at once: sorted already, they need not be looked for one by one.
        Ok(Self { origin: origin.to_owned(), objects: objects.collect::<Result<_, _>>()? })
    }

    /// The form that is kept.
    pub fn to_text(&self) -> String {
        self.written(self.origin.clone())
    }

    /// The form that is kept, with the fingerprint of what the server said of it.
    ///
    /// ```
    /// use windlass_core::schema::{Schema, fingerprint};
    ///
    /// let schema = Schema::parse("1 SQLite 3\ntable\t\t\tship")?;
    /// let text = schema.to_text_with("f7a0");
    /// assert_eq!(fingerprint(&text), Some("f7a0"));
    /// assert_eq!(Schema::parse(&text)?, schema);
    /// # Ok::<(), windlass_core::schema::TextError>(())
    /// ```
    pub fn to_text_with(&self, fingerprint: &str) -> String {
        self.written(format!("{}\t{fingerprint}", self.origin))
    }

    fn written(&self, head: String) -> String {
        let mut text = head;
        for (Key { kind, schema, table, name }, properties) in &self.objects {
            for (part, before) in [kind, schema, table, name].into_iter().zip("\n\t\t\t".chars()) {
                text.push(before);
                write_escaped(&mut text, part);
            }
            for (name, value) in properties {
                text.extend(["\t", name, "="]);
                write_escaped(&mut text, value);
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
    match head.split_once('\t') {
        Some((origin, fingerprint)) => (origin, Some(fingerprint), lines),
        None => (head, None, lines),
    }
}

fn object(line: &str) -> Option<(Key, Properties)> {
    let mut parts = line.split('\t');
    let [kind, schema, table, name] = [(); 4].map(|()| parts.next().and_then(unescaped));
    let key = Key { schema: schema?, table: table?, kind: kind?, name: name? };
    let property = |part: &str| {
        let (name, value) = part.split_once('=')?;
        Some((name.to_owned(), unescaped(value)?))
    };
    Some((key, parts.map(property).collect::<Option<_>>()?))
}

/// What would end a part or a line.
const ESCAPES: [(char, char); 4] = [('\\', '\\'), ('\t', 't'), ('\n', 'n'), ('\r', 'r')];

/// Writes a part as it stands in a line.
fn write_escaped(line: &mut String, mut part: &str) {
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

fn unescaped(text: &str) -> Option<String> {
    if !text.contains('\\') {
        return Some(text.to_owned());
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
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
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
