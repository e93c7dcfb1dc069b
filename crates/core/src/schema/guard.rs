//! Guard: what of a schema may hold a secret is kept as a digest, for comparing alone, and never shown, not even as that: from
//! the digest of a short text the text can be guessed.

use super::{Key, Properties, Schema};
use crate::migration::hex;
use crate::sql::Dialect;
use crate::sql::classify::{DIGEST, NOT_SHOWN, is_called_like_a_secret, may_hold_secret};
use crate::sql::lexer::{Token, TokenKind, tokens};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;

impl Schema {
    /// The same with digests in place of texts that may hold a secret.
    #[must_use]
    pub fn guarded(mut self) -> Self {
        let dialect = self.dialect();
        // Most values stand there again and again.
        let mut judged: HashMap<&str, bool> = HashMap::new();
        let mut suspect: Vec<(Key, String)> = Vec::new();
        for (key, properties) in &self.objects {
            for (name, value) in properties {
                let is_suspect = *judged.entry(value).or_insert_with(|| may_hold_secret(value));
                if is_suspect
                    || is_secret_by_name(key, properties, name, value)
                    || self.is_part_by_secret(key, name, value)
                {
                    suspect.push((key.clone(), name.clone()));
                }
            }
        }
        for (key, name) in suspect {
            if let Some(value) = self.objects.get_mut(&key).and_then(|properties| properties.get_mut(&name)) {
                *value = digested(dialect, &name, value);
            }
        }
        self
    }

    /// Whether it is what a column called like a secret holds in a partition.
    fn is_part_by_secret(&self, key: &Key, name: &str, value: &str) -> bool {
        key.kind == "partition" && name == "values" && {
            let table = Key {
                kind: "table".to_owned(),
                schema: key.schema.clone(),
                name: key.table.clone(),
                ..Key::default()
            };
            let by = self.objects.get(&table).and_then(|table| table.get("partitioned by"));
            by.is_some_and(|by| {
                may_hold_secret(&format!("PARTITION BY {by} (PARTITION p VALUES IN ({value}))"))
            })
        }
    }
}

/// Whether it is a secret by what it is of: what is put into a column that is called like one, or whose type is, or said of
/// it. A comment is read as the string that it is written as.
fn is_secret_by_name(key: &Key, properties: &Properties, name: &str, value: &str) -> bool {
    if !["comment", "default", "type", "generated", "checks"].contains(&name) {
        return false;
    }
    // A routine's name is told with its parameters, and a type with its length or its values.
    let begin = |text| str::split(text, '(').next().unwrap_or_default();
    let of_type = properties.get("type").map(|text| begin(text).trim_end_matches("[]"));
    [Some(begin(&key.name)), of_type].into_iter().flatten().any(|of| {
        let declared = match name {
            "comment" => format!("{of} COMMENT '{}'", value.replace('\'', "''")),
            _ if !is_called_like_a_secret(of) => return false,
            "default" => format!("{of} DEFAULT {value}"),
            "generated" => format!("{of} GENERATED ALWAYS AS ({value})"),
            "checks" => format!("DOMAIN \"{of}\" {value}"),
            // MySQL's `enum('…')`.
            _ => format!("{of} {value}"),
        };
        may_hold_secret(&declared)
    })
}

/// A value with digests in place of the strings in it that make it suspect, or of all of it where they are not all that does.
fn digested(dialect: Option<Dialect>, name: &str, value: &str) -> String {
    let harmless = |text: String| (!may_hold_secret(&text)).then_some(text);
    let of_strings = dialect.and_then(|dialect| {
        let of_parts = if name == "definition" { of_suspect_parts(dialect, value) } else { None };
        of_parts.and_then(harmless).or_else(|| harmless(of_all_strings(dialect, value)))
    });
    of_strings.filter(|text| text != value).unwrap_or_else(|| digest(value))
}

/// Of a table's definition, only the columns and constraints that are suspect.
fn of_suspect_parts(dialect: Dialect, definition: &str) -> Option<String> {
    let (mut text, mut begin, mut depth) = (String::with_capacity(definition.len()), 0, 0_usize);
    let mut ends = Vec::new();
    for Token { text, offset, .. } in tokens(dialect, definition) {
        match text {
            "(" => {
                depth += 1;
                ends.extend((depth == 1).then_some(offset + 1));
            }
            ")" => depth = depth.saturating_sub(1),
            "," if depth == 1 => ends.push(offset + 1),
            _ => {}
        }
    }
    ends.push(definition.len());
    for end in ends {
        let part = definition.get(begin..end)?;
        text.push_str(&if may_hold_secret(part) {
            of_all_strings(dialect, part).into()
        } else {
            Cow::Borrowed(part)
        });
        begin = end;
    }
    Some(text)
}

fn of_all_strings(dialect: Dialect, text: &str) -> String {
    tokens(dialect, text)
        .map(|token| match token.kind {
            TokenKind::String => Cow::Owned(format!("'{}'", digest(token.text))),
            _ => Cow::Borrowed(token.text),
        })
        .collect()
}

fn digest(text: &str) -> String {
    format!("{DIGEST}{})", hex(&Sha256::digest(text)[..16]))
}

/// Whether a value that was kept with digests in place of its strings is this one.
///
/// ```
/// use windlass_core::schema::{Schema, stands_for};
/// use windlass_core::sql::Dialect;
///
/// let schema = Schema::parse("1 SQLite 3\ncolumn\t\tt\tapi_token\tdefault='hunter2'")?.guarded();
/// let kept = schema.objects.values().next().expect("a column")["default"].as_str();
/// assert!(!kept.contains("hunter2"));
/// assert!(stands_for(Dialect::Sqlite, kept, "'hunter2'") && !stands_for(Dialect::Sqlite, kept, "'hunter3'"));
/// # Ok::<(), windlass_core::schema::TextError>(())
/// ```
pub fn stands_for(dialect: Dialect, kept: &str, value: &str) -> bool {
    is_digested(kept) && of_all_strings(dialect, value) == kept
}

/// Whether a digest stands in it.
pub(super) fn is_digested(value: &str) -> bool {
    value.contains(DIGEST)
}

/// Whether it is nothing but one.
pub(super) fn is_wholly_digested(value: &str) -> bool {
    value.starts_with(DIGEST)
}

/// What an object has, as it may be told.
pub(super) fn told(key: &Key, properties: &Properties, name: &str, value: &str) -> String {
    let value = without_digests(value);
    let is_secret = may_hold_secret(&value) || is_secret_by_name(key, properties, name, &value);
    if is_secret { NOT_SHOWN.to_owned() } else { value }
}

/// A text of several lines, without those that may hold a secret.
pub(super) fn told_by_lines(text: &str) -> String {
    let text = without_digests(text);
    if !may_hold_secret(&text) {
        return text;
    }
    let line = |line: &str| {
        let indent = &line[..line.len() - line.trim_start().len()];
        if may_hold_secret(line) { format!("{indent}{NOT_SHOWN}") } else { line.to_owned() }
    };
    let lines = text.lines().map(line).collect::<Vec<_>>().join("\n");
    // What no line holds by itself, several may hold together.
    if may_hold_secret(&lines) { NOT_SHOWN.to_owned() } else { lines }
}

fn without_digests(value: &str) -> String {
    let mut parts = value.split(DIGEST);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(NOT_SHOWN);
        text.push_str(part.split_once(')').map_or("", |(_, behind)| behind));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::differences;

    fn kept(product: &str, line: &str) -> Schema {
        Schema::parse(&format!("3 {product}\n{line}")).expect("a schema").guarded()
    }

    /// What is told of the one that becomes the other, in words and in SQL.
    fn told(product: &str, before: &str, now: &str) -> String {
        let differences = differences(&kept(product, before), &kept(product, now));
        let one =
            |it: &crate::schema::Difference| format!("{it}\n{:?}\n{:?}\n{:?}", it.change, it.before, it.now);
        differences.iter().map(one).collect()
    }

    #[test]
    fn nothing_that_can_be_guessed_from_is_told() {
        for product in ["PostgreSQL 18", "MySQL 8.4", "MariaDB 11.8", "SQLite 3"] {
            for [before, now] in [
                [
                    "column\tpublic\tt\tnote\tdefault='password=hunter2'",
                    "column\tpublic\tt\tnote\tdefault='password=hunter3'",
                ],
                [
                    "column\tpublic\tt\tapi_token\tdefault='hunter2'",
                    "column\tpublic\tt\tapi_token\tdefault='hunter3'",
                ],
                [
                    "column\tpublic\tt\tapi_token\tcomment=hunter2secret",
                    "column\tpublic\tt\tapi_token\tcomment=hunter3secret",
                ],
                [
                    "column\tpublic\tt\tapi_token\tgenerated=('hunter2'::text || id)",
                    "column\tpublic\tt\tapi_token\tgenerated=('hunter3'::text || id)",
                ],
                [
                    "check\tpublic\tt\tc\tdefinition=CHECK (((api_token)::text <> 'hunter2'::text))",
                    "check\tpublic\tt\tc\tdefinition=CHECK (((api_token)::text <> 'hunter3'::text))",
                ],
                [
                    "domain\tpublic\t\tapi_token\tchecks=c CHECK ((VALUE <> 'hunter2'::text))",
                    "domain\tpublic\t\tapi_token\tchecks=c CHECK ((VALUE <> 'hunter3'::text))",
                ],
                ["event\t\t\te\tcomment=token: hunter2secret", "event\t\t\te\tcomment=token: hunter3secret"],
                [
                    "function\tpublic\t\tnew_token(integer)\tcomment=hunter2secret",
                    "function\tpublic\t\tnew_token(integer)\tcomment=hunter3secret",
                ],
                ["index\t\tt\ti\tcomment=token=hunter2", "index\t\tt\ti\tcomment=token=hunter3"],
                [
                    "view\tpublic\t\tv\tdefinition=SELECT 'ftp://a:hunter2@b'",
                    "view\tpublic\t\tv\tdefinition=SELECT 'ftp://a:hunter3@b'",
                ],
            ] {
                for line in [before, now] {
                    let text = kept(product, line).to_text();
                    assert!(text.contains(DIGEST) && !text.contains("hunter"), "{text}");
                }
                for told in [told(product, before, now), told(product, "", now), told(product, before, "")] {
                    assert!(
                        told.contains(NOT_SHOWN) || told.contains("was changed, where it is not shown"),
                        "{told}"
                    );
                    assert!(!told.contains("hunter") && !told.contains(DIGEST), "{told}");
                }
            }
        }
        for plain in ["default=''", "comment=the API's token", "generated=((data ->> 'token'::text))"] {
            let text = kept("PostgreSQL 18", &format!("column\tpublic\tt\tapi_token\t{plain}")).to_text();
            assert!(!text.contains(DIGEST), "{text}");
        }
    }

    #[test]
    fn what_a_type_that_is_called_like_a_secret_holds_is_not_told() {
        let column =
            |kind: &str, default: &str| format!("column\tpublic\tt\tv\ttype={kind}\tdefault={default}");
        for kind in ["api_token", "vault.api_token", "\"Api_Token\"", "vault.\"Api Token\"[]", "api_token[]"]
        {
            for value in ["'hunter2'::text", "ARRAY['hunter2'::text]", "(ROW('hunter2'::text))"] {
                let [before, now] =
                    [value, &value.replace("hunter2", "hunter3")].map(|value| column(kind, value));
                for text in [
                    kept("PostgreSQL 18", &now).to_text(),
                    told("PostgreSQL 18", &before, &now),
                    told("PostgreSQL 18", &before, ""),
                ] {
                    assert!(!text.contains("hunter"), "{text}");
                }
            }
        }
        let domain = "domain\tpublic\t\tplain\ttype=api_token\tdefault='hunter2'::text";
        assert!(!kept("PostgreSQL 18", domain).to_text().contains("hunter"));
        for (product, kind) in [("PostgreSQL 18", "token_kind"), ("MySQL 8.4", "enum('plain','token')")] {
            let text = kept(product, &column(kind, "'plain'")).to_text();
            assert!(text.contains("default='plain'"), "{text}");
        }
    }

    #[test]
    fn what_a_secret_holds_in_a_partition_is_not_told() {
        let table = |by: &str, value: &str| {
            format!("table\t\t\tt\tpartitioned by=LIST COLUMNS (`{by}`)\npartition\t\tt\tp\tvalues='{value}'")
        };
        for product in ["MySQL 8.4", "MariaDB 11.8"] {
            let [before, now] = ["hunter2", "hunter3"].map(|value| table("token", value));
            for text in [kept(product, &now).to_text(), told(product, &before, &now)] {
                assert!(text.contains(DIGEST) || text.contains(NOT_SHOWN), "{text}");
                assert!(!text.contains("hunter"), "{text}");
            }
            let region = told(product, &table("region", "north"), &table("region", "south"));
            assert!(region.contains("north") && region.contains("south"), "{region}");
        }
    }

    #[test]
    fn what_the_type_of_a_secret_s_column_lists_is_not_told() {
        for (product, line) in [
            ("MySQL 8.4", "column\t\tt\ttoken\ttype=enum('hunter2')"),
            ("MariaDB 11.8", "column\t\tt\ttoken\ttype=enum('a','hunter2')"),
        ] {
            let now = line.replace("hunter2", "hunter3");
            for text in [kept(product, line).to_text(), told(product, line, &now), told(product, "", line)] {
                assert!(!text.contains("hunter"), "{text}");
            }
        }
        assert!(kept("MySQL 8.4", "column\t\tt\tkind\ttype=enum('plain')").to_text().contains("plain"));
    }

    #[test]
    fn the_rest_of_a_table_is_told() {
        let table = "table\t\t\tt\tdefinition=CREATE TABLE t ( a int DEFAULT 'plain' , api_token text DEFAULT 'hunter2' , b int )";
        let told = told("SQLite 3", "", table);
        assert!(
            told.contains("a int DEFAULT 'plain'") && told.contains("b int") && !told.contains("hunter"),
            "{told}"
        );
        assert!(told.contains("api_token text DEFAULT '(not shown: it may hold a secret)'"), "{told}");
        let column =
            |name: &str, default: &str| format!("\ncolumn\tpublic\tt\t{name}\ttype=text\tdefault={default}");
        let table =
            format!("table\tpublic\t\tt{}{}", column("a", "'plain'"), column("api_token", "'hunter2'"));
        for product in ["PostgreSQL 18", "MariaDB 11.8"] {
            let table = if product == "PostgreSQL 18" { table.clone() } else { table.replace("public", "") };
            let told = self::told(product, "", &table);
            assert!(
                told.contains("'plain'") && told.contains(NOT_SHOWN) && !told.contains("hunter"),
                "{told}"
            );
        }
    }
}
