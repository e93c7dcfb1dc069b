//! Cells: one row of a catalog, and what is read out of a single field. Pure.

use super::catalog::Catalog;
use crate::history::identifier;
use crate::transport::Row;
use windlass_core::schema::Properties;

/// One row of a query, its values by the columns' names.
#[derive(Clone, Copy)]
pub(super) struct Cells<'r> {
    pub(super) catalog: &'static Catalog,
    pub(super) row: &'r Row,
}

impl<'r> Cells<'r> {
    pub(super) fn get(&self, name: &str) -> Option<&'r str> {
        let columns = self.catalog.columns;
        // A joined table's name goes before some.
        let behind_a_table =
            |column: &&str| column.strip_suffix(name).is_some_and(|table| table.ends_with('.'));
        let at = columns.iter().position(|column| *column == name);
        let at = at.or_else(|| columns.iter().position(behind_a_table))?;
        self.row.get(at)?.as_deref()
    }

    pub(super) fn text(&self, name: &str) -> &'r str {
        self.get(name).unwrap_or_default()
    }

    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == Some(value)
    }

    pub(super) fn number(&self, name: &str) -> u32 {
        self.text(name).parse().unwrap_or(0)
    }

    /// The character set and the collations that literals in a stored text are of.
    pub(super) fn letters(&self) -> String {
        let parts = ["character_set_client", "collation_connection", "database_collation"];
        parts.iter().filter_map(|part| self.get(part)).collect::<Vec<_>>().join(", ")
    }
}

/// Rows by what stands in a column, in its order. Most servers give them together already.
pub(super) fn by<'r>(rows: Vec<Cells<'r>>, column: &str) -> Vec<(&'r str, Vec<Cells<'r>>)> {
    let mut rows: Vec<(&str, Cells<'r>)> = rows.into_iter().map(|row| (row.text(column), row)).collect();
    rows.sort_by_key(|(value, _)| *value);
    let groups = rows.chunk_by(|(one, _), (next, _)| one == next);
    groups.map(|group| (group[0].0, group.iter().map(|(_, row)| *row).collect())).collect()
}

/// The properties that have a value.
pub(super) fn told<const N: usize>(properties: [(&str, &str); N]) -> Properties {
    let told = properties.into_iter().filter(|(_, value)| !value.is_empty());
    told.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(super) fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "" }
}

/// A column of an index with how much of it, and in which order. A spatial one's length is always the same.
pub(super) fn index_column(row: &Cells<'_>) -> String {
    let what = match row.get("expression") {
        Some(expression) => format!("({expression})"),
        None => identifier(row.text("column_name")),
    };
    let length = row.get("sub_part").filter(|_| !row.is("index_type", "SPATIAL"));
    let length = length.map(|length| format!("({length})")).unwrap_or_default();
    let order = if row.is("collation", "D") { " DESC" } else { "" };
    format!("{what}{length}{order}")
}

/// A table's options in one way of writing: one server quotes what another does not, and a dump writes down what
/// Aria does anyway.
pub(super) fn options(written: &str) -> String {
    let plain = written.to_lowercase().replace(['`', '\''], "");
    let is_usual = |option: &&str| ["partitioned", "page_checksum=1"].contains(option);
    let mut options: Vec<&str> = plain.split_whitespace().filter(|option| !is_usual(option)).collect();
    options.sort_unstable();
    options.join(" ")
}

/// MySQL's default, which it tells without quotes: of bytes their number, and nothing where there is none.
pub(super) fn literal(default: &str, kind: &str, is_expression: bool) -> String {
    let is_written_out = ["bit", "binary", "varbinary"].iter().any(|bytes| kind.starts_with(bytes));
    match is_expression || (is_written_out && !default.is_empty()) {
        true => default.to_owned(),
        false => format!("'{}'", default.replace('\'', "''")),
    }
}

/// What the server says of a column in one field.
pub(super) struct Extra(String);

impl Extra {
    pub(super) fn of(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    pub(super) fn takes(&mut self, words: &str) -> bool {
        // Of most columns nothing is said.
        let at = if self.0.is_empty() { None } else { self.0.find(words) };
        if let Some(at) = at {
            self.0.replace_range(at..at + words.len(), "");
        }
        at.is_some()
    }

    /// The word that stands behind these.
    pub(super) fn takes_behind(&mut self, words: &str) -> String {
        let Some(at) = self.0.find(words) else { return String::new() };
        let from = at + words.len();
        let end = self.0[from..].find([' ', ',']).map_or(self.0.len(), |length| from + length);
        let word = self.0[from..end].to_owned();
        self.0.replace_range(at..end, "");
        word
    }

    /// What no question was asked about.
    pub(super) fn rest(&self) -> String {
        self.0.split([' ', ',']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_field_holds_many_things() {
        let mut extra = Extra::of("DEFAULT_GENERATED on update CURRENT_TIMESTAMP(3)");
        assert!(extra.takes("default_generated") && !extra.takes("invisible"));
        assert_eq!((&*extra.takes_behind("on update "), &*extra.rest()), ("current_timestamp(3)", ""));
        let mut extra = Extra::of("on update current_timestamp(), INVISIBLE, WITHOUT SYSTEM VERSIONING");
        assert_eq!(extra.takes_behind("on update "), "current_timestamp()");
        assert!(extra.takes("invisible"));
        assert_eq!(extra.rest(), "without system versioning");
    }

    #[test]
    fn options_are_written_in_one_way() {
        assert_eq!(options("`PAGE_COMPRESSED`=1 partitioned"), options("`PAGE_COMPRESSED`='1'"));
        assert_eq!(
            options("stats_persistent=1 row_format=COMPRESSED"),
            "row_format=compressed stats_persistent=1"
        );
    }

    #[test]
    fn a_literal_is_no_expression() {
        assert_eq!(literal("it's", "varchar(9)", false), "'it''s'");
        assert_eq!(literal("CURRENT_TIMESTAMP", "varchar(30)", false), "'CURRENT_TIMESTAMP'");
        assert_eq!(literal("CURRENT_TIMESTAMP", "datetime", true), "CURRENT_TIMESTAMP");
        assert_eq!(literal("b'101'", "bit(3)", false), "b'101'");
        assert_eq!(literal("", "varbinary(3)", false), "''");
    }
}
