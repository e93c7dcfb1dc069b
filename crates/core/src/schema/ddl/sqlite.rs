//! SQLite's DDL: what is kept of an object is the statement itself, and columns follow from their tables.

use super::{DdlError, Made, property};
use crate::schema::{Key, Properties, Schema};
use crate::sql::{Dialect, lexer};

/// The kinds, each behind what it names.
const ORDER: [&str; 5] = ["table", "virtual table", "index", "view", "trigger"];

/// All statements.
pub(super) fn made(schema: &Schema) -> Result<Vec<Made>, DdlError> {
    let mut made = Vec::with_capacity(schema.objects.len());
    for kind in ORDER {
        for (key, properties) in schema.objects.iter().filter(|(key, _)| key.kind == kind) {
            let definition = property(properties, "definition")
                .ok_or_else(|| DdlError::Unwritable(key.clone(), "its definition is not known"))?;
            made.push(Made::new(key, as_written(schema, key, definition)));
        }
    }
    let is_unknown = |key: &&Key| key.kind != "column" && !ORDER.contains(&key.kind.as_str());
    match schema.objects.keys().find(is_unknown) {
        Some(key) => Err(DdlError::Unwritable(key.clone(), "nothing is known of such a kind")),
        None => Ok(made),
    }
}

/// In a definition words and signs stand apart, and SQLite tells a type and a default as the statement has them: the text
/// of a column's is put in their place.
fn as_written(schema: &Schema, key: &Key, definition: &str) -> String {
    let first = Key { table: key.name.clone(), kind: "column".to_owned(), ..Key::default() };
    let columns = schema.objects.range(first..);
    let columns = columns.take_while(|(column, _)| column.table == key.name && column.kind == "column");
    let texts = columns.flat_map(|(column, properties)| {
        let texts = ["type", "default"].into_iter().filter_map(|name| property(properties, name));
        texts.map(|text| (column.name.as_str(), words(text), text))
    });
    let texts: Vec<_> = texts.filter(|(_, words, text)| words.join(" ") != *text).collect();
    if texts.is_empty() {
        return definition.to_owned();
    }
    let mut depth = 0_usize;
    let all = words(definition);
    let parts = all.split(|word| {
        depth = match *word {
            "(" => depth + 1,
            ")" => depth.saturating_sub(1),
            _ => depth,
        };
        depth == 1 && matches!(*word, "(" | ",")
    });
    let mut at = 0;
    let mut written: Vec<&str> = Vec::with_capacity(all.len());
    for part in parts {
        let mut place = 0;
        while let Some(word) = part.get(place) {
            let text = texts.iter().find(|(column, words, _)| {
                place > 0 && is_name(part[0], column) && part[place..].starts_with(words)
            });
            written.push(text.map_or(word, |(_, _, text)| text));
            place += text.map_or(1, |(_, words, _)| words.len().max(1));
        }
        at += part.len();
        written.extend(all.get(at));
        at += 1;
    }
    written.join(" ")
}

/// Whether the columns that differ tell of all in which two definitions of a table do.
pub(super) fn is_told_by_columns(earlier: &Schema, later: &Schema, key: &Key, columns: &[&Key]) -> bool {
    let rest = |schema: &'_ Schema| -> Option<Vec<String>> {
        let all = words(property(schema.objects.get(key)?, "definition")?);
        let mut depth = 0_usize;
        let parts = all.split(|word| {
            depth = match *word {
                "(" => depth + 1,
                ")" => depth.saturating_sub(1),
                _ => depth,
            };
            matches!((*word, depth), ("(" | ",", 1) | (")", 0))
        });
        let is_column = |part: &[&str]| {
            let is_one = |column: &&&Key| {
                let properties = schema.objects.get(*column)?;
                let told = fragment(column, properties)?;
                Some(
                    is_name(part.first()?, &column.name)
                        && of_one_kind(&words(&told)[1..]) == of_one_kind(&part[1..]),
                )
            };
            columns.iter().any(|column| is_one(&column).unwrap_or_default())
        };
        Some(parts.filter(|part| !is_column(part)).map(|part| part.join(" ")).collect())
    };
    let [before, now] = [earlier, later].map(rest);
    before.is_some() && before == now
}

/// Words in whatever order and case: so `NOT NULL` may stand before a default or behind it.
fn of_one_kind(words: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    words.sort_unstable();
    words
}

fn words(text: &str) -> Vec<&str> {
    let tokens = lexer::tokens(Dialect::Sqlite, text).filter(|token| token.kind.is_significant());
    tokens.map(|token| token.text).collect()
}

fn is_name(word: &str, name: &str) -> bool {
    let quotes = ['"', '`', '[', ']', '\''];
    let inside = word.trim_matches(quotes).replace("\"\"", "\"").replace("``", "`");
    word == name || inside == name
}

/// What is written of an object. Nothing of a column of which the table's definition alone tells enough.
pub(super) fn fragment(key: &Key, properties: &Properties) -> Option<String> {
    if let Some(definition) = property(properties, "definition") {
        return Some(laid_out(definition));
    }
    if key.kind != "column"
        || ["primary key", "hidden", "generated"].iter().any(|name| properties.contains_key(*name))
    {
        return None;
    }
    let mut text = format!("\"{}\"", key.name.replace('"', "\"\""));
    text.extend(property(properties, "type").into_iter().flat_map(|kind| [" ", kind]));
    text.push_str(if properties.contains_key("not null") { " NOT NULL" } else { "" });
    text.extend(property(properties, "default").into_iter().flat_map(|default| [" DEFAULT ", default]));
    Some(text)
}

/// The definition of a table with a line for each column and constraint; of anything else as it is.
fn laid_out(definition: &str) -> String {
    let is_table = ["CREATE TABLE ", "CREATE VIRTUAL TABLE "]
        .iter()
        .any(|begin| definition.get(..begin.len()).is_some_and(|words| words.eq_ignore_ascii_case(begin)));
    if !is_table {
        return definition.to_owned();
    }
    let (mut text, mut depth) = (String::with_capacity(definition.len() + 64), 0_usize);
    for token in lexer::tokens(Dialect::Sqlite, definition) {
        let begins_line = text.ends_with("\n  ");
        match token.text {
            _ if begins_line && token.text.trim().is_empty() => {}
            "(" => {
                depth += 1;
                text.push_str(if depth == 1 { "(\n  " } else { "(" });
            }
            "," if depth == 1 => {
                text.truncate(text.trim_end_matches(' ').len());
                text.push_str(",\n  ");
            }
            ")" => {
                if depth == 1 {
                    text.truncate(text.trim_end().len());
                    text.push('\n');
                }
                depth = depth.saturating_sub(1);
                text.push(')');
            }
            other => text.push_str(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_line_by_line() {
        let definition =
            "CREATE TABLE ship ( id INTEGER PRIMARY KEY , name varchar ( 9 , 2 ) DEFAULT ',(' ) STRICT";
        let lines =
            "CREATE TABLE ship (\n  id INTEGER PRIMARY KEY,\n  name varchar ( 9 , 2 ) DEFAULT ',('\n) STRICT";
        assert_eq!(laid_out(definition), lines);
    }

    #[test]
    fn types_and_defaults_are_written_as_they_were() {
        let text = "1 SQLite 3\ntable\t\t\tship\tdefinition=CREATE TABLE ship ( [a b] decimal ( 9 , 2 ) DEFAULT ( 1 + 2 ) , \
                    CHECK ( 1 + 2 ) )\ncolumn\t\tship\ta b\ttype=decimal(9, 2)\tdefault=1+2";
        let schema = Schema::parse(text).expect("a schema");
        let made = made(&schema).expect("statements");
        let as_it_was = "CREATE TABLE ship ( [a b] decimal(9, 2) DEFAULT ( 1+2 ) , CHECK ( 1 + 2 ) )";
        assert_eq!(made.iter().map(|made| made.sql.as_str()).collect::<Vec<_>>(), [as_it_was]);
    }

    #[test]
    fn what_is_not_known_is_named() {
        let schema = Schema::parse("1 SQLite 3\nsequence\t\t\ts").expect("a schema");
        let told = made(&schema).expect_err("unknown").to_string();
        assert_eq!(told, "sequence s cannot be written as SQL: nothing is known of such a kind");
    }
}
