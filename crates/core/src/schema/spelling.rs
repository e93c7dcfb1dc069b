//! Spelling: how SQLite's objects were written down says nothing where only the letters' case or the quotes of names differ.
//!
//! SQLite keeps a definition as it was typed, and `ALTER TABLE … RENAME` writes the names in it anew, in quotes.

use super::{Key, Properties, Schema};
use crate::sql::Dialect;
use crate::sql::lexer::{Token, TokenKind, tokens};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// The earlier schema with the spelling of the later one, wherever both say the same.
pub(super) fn as_in<'s>(earlier: &'s Schema, later: &Schema) -> Cow<'s, Schema> {
    let differs = |(key, properties): &(&Key, &Properties)| later.objects.get(*key) != Some(*properties);
    if later.dialect() != Some(Dialect::Sqlite) || !earlier.objects.iter().any(|one| differs(&one)) {
        return Cow::Borrowed(earlier);
    }
    let spelled: HashMap<Key, &Key> = later.objects.keys().map(|key| (without_case(key), key)).collect();
    let objects = earlier.objects.iter().map(|(key, properties)| {
        let Some(key) = spelled.get(&without_case(key)) else { return (key.clone(), properties.clone()) };
        let now = later.objects.get(*key);
        let properties = properties.iter().map(|(name, value)| {
            let now = now.and_then(|now| now.get(name));
            let now = now.filter(|now| *now != value && property_says_the_same(name, value, now));
            (name.clone(), now.unwrap_or(value).clone())
        });
        ((*key).clone(), properties.collect())
    });
    Cow::Owned(Schema { origin: earlier.origin.clone(), objects: objects.collect() })
}

fn without_case(key: &Key) -> Key {
    let [schema, table, name] = [&key.schema, &key.table, &key.name].map(|part| part.to_ascii_lowercase());
    Key { schema, table, kind: key.kind.clone(), name }
}

fn property_says_the_same(name: &str, one: &str, other: &str) -> bool {
    match name {
        "default" => says_the_same(&format!("DEFAULT {one}"), &format!("DEFAULT {other}")),
        _ => says_the_same(one, other),
    }
}

/// Whether SQLite reads two texts alike: keywords in any case, names in any case and whatever quotes, all else as it is.
/// What is in double quotes where no name must stand may be a string, and is then not the same as a name.
fn says_the_same(one: &str, other: &str) -> bool {
    let (one, other) = (Text::new(one), Text::new(other));
    one.tokens.len() == other.tokens.len() && (0..one.tokens.len()).all(|at| one.is_like(&other, at))
}

struct Text<'t> {
    tokens: Vec<Token<'t>>,
    /// The names of the columns that it declares.
    columns: HashSet<String>,
    /// Where the name of the table stands that an index or a trigger is on.
    on: Option<usize>,
    /// Which tokens are of a default: a word there is a string, and no column is known.
    defaults: HashSet<usize>,
    /// Behind this, everything is a module's to read.
    module: usize,
}

impl<'t> Text<'t> {
    fn new(text: &'t str) -> Self {
        let tokens: Vec<_> =
            tokens(Dialect::Sqlite, text).filter(|token| token.kind.is_significant()).collect();
        let is = |at: usize, words: &[&str]| tokens.get(at).is_some_and(|token| is_one_of(token, words));
        let first = |words: &[&str]| (0..tokens.len()).find(|at| is(*at, words)).map(|at| at + 1);
        let is_made = is(0, &["CREATE"]);
        let module = if is_made && is(1, &["VIRTUAL"]) { first(&["USING"]) } else { None };
        let on = if is_made && !is(1, &["TABLE", "VIEW", "VIRTUAL"]) { first(&["ON"]) } else { None };
        let columns = if is_made && is(1, &["TABLE"]) { columns(&tokens) } else { HashSet::new() };
        let (defaults, module) = (defaults(&tokens), module.unwrap_or(usize::MAX));
        Self { tokens, columns, on, defaults, module }
    }

    fn is_like(&self, other: &Self, at: usize) -> bool {
        let [one, another] = [&self.tokens[at], &other.tokens[at]];
        if one.text == another.text {
            // Which of the two a text in double quotes is depends on the columns.
            return !one.text.starts_with('"') || self.is_name(at) == other.is_name(at);
        }
        let is_like = |one: &str, another: &str| one.eq_ignore_ascii_case(another);
        // A default of one word is a string, but for these.
        const VALUES: [&str; 7] =
            ["NULL", "TRUE", "FALSE", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "("];
        let is_default =
            at.checked_sub(1).is_some_and(|before| is_one_of(&self.tokens[before], &["DEFAULT"]));
        if at >= self.module || is_default && !is_one_of(one, &VALUES) {
            return false;
        }
        match (one.kind, another.kind) {
            (TokenKind::Word, TokenKind::Word) | (TokenKind::Number, TokenKind::Number) => {
                is_like(one.text, another.text)
            }
            _ => self.is_name(at) && other.is_name(at) && is_like(&name(one.text), &name(another.text)),
        }
    }

    /// Whether nothing but a name can be meant.
    fn is_name(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        match (token.kind, token.text.as_bytes().first()) {
            (TokenKind::Word, _) => !is_keyword(token.text),
            _ if self.defaults.contains(&at) => false,
            (TokenKind::QuotedIdentifier, Some(b'"')) => {
                self.must_be_name(at) || self.columns.contains(&name(token.text).to_ascii_lowercase())
            }
            (TokenKind::QuotedIdentifier, _) => true,
            (TokenKind::String, Some(b'\'')) => self.must_be_name(at),
            _ => false,
        }
    }

    /// Whether it stands where SQLite takes nothing but a name.
    fn must_be_name(&self, at: usize) -> bool {
        const BEFORE: [&str; 10] =
            ["TABLE", "INDEX", "VIEW", "TRIGGER", "INTO", "UPDATE", "JOIN", "REFERENCES", "CONSTRAINT", "."];
        let before = |words: &[&str]| at.checked_sub(1).is_some_and(|at| is_one_of(&self.tokens[at], words));
        let behind = self.tokens.get(at + 1);
        let is_from = || {
            before(&["FROM"])
                && !at.checked_sub(2).is_some_and(|at| is_one_of(&self.tokens[at], &["DISTINCT"]))
        };
        before(&BEFORE) || is_from() || self.on == Some(at) || behind.is_some_and(|token| token.text == ".")
    }
}

/// The names that stand first in a table's brackets, or behind a comma in them.
fn columns(tokens: &[Token<'_>]) -> HashSet<String> {
    let (mut columns, mut depth, mut begins) = (HashSet::new(), 0_usize, false);
    for token in tokens {
        let is_constraint = is_one_of(token, &["CONSTRAINT", "CHECK", "PRIMARY", "UNIQUE", "FOREIGN"]);
        if begins && token.kind != TokenKind::String && !is_constraint {
            columns.insert(name(token.text).to_ascii_lowercase());
        }
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        begins = depth == 1 && matches!(token.text, "(" | ",");
    }
    columns
}

/// What stands behind a `DEFAULT`: one token, or all in brackets.
fn defaults(tokens: &[Token<'_>]) -> HashSet<usize> {
    let (mut defaults, mut depth, mut begins) = (HashSet::new(), 0_usize, false);
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" if begins || depth > 0 => depth += 1,
            ")" if depth > 0 => depth -= 1,
            _ => {}
        }
        if begins || depth > 0 {
            defaults.insert(at);
        }
        begins = is_one_of(token, &["DEFAULT"]);
    }
    defaults
}

/// An unquoted word or a sign.
fn is_one_of(token: &Token<'_>, words: &[&str]) -> bool {
    matches!(token.kind, TokenKind::Word | TokenKind::Punctuation)
        && words.iter().any(|word| token.text.eq_ignore_ascii_case(word))
}

/// A name without its quotes.
fn name(text: &str) -> Cow<'_, str> {
    let mut letters = text.chars();
    let (Some(first), Some(last)) = (letters.next(), letters.next_back()) else { return text.into() };
    match (first, last) {
        ('[', ']') => letters.as_str().into(),
        ('"', '"') | ('`', '`') | ('\'', '\'') => {
            letters.as_str().replace(&format!("{first}{first}"), &first.to_string()).into()
        }
        _ => text.into(),
    }
}

/// Whether a word without quotes is more than a name: one of SQLite's keywords, or what it takes for a value.
fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &str = " abort action add after all alter always analyze and as asc attach autoincrement before begin \
        between by cascade case cast check collate column commit conflict constraint create cross current current_date \
        current_time current_timestamp database default deferrable deferred delete desc detach distinct do drop each else \
        end escape except exclude exclusive exists explain fail false filter first following for foreign from full generated \
        glob group groups having if ignore immediate in index indexed initially inner insert instead intersect into is \
        isnull join key last left like limit match materialized natural no not nothing notnull null nulls of offset on or \
        order others outer over partition plan pragma preceding primary query raise range recursive references regexp \
        reindex release rename replace restrict returning right rollback row rows savepoint select set strict table temp \
        temporary then ties to transaction trigger true unbounded union unique update using vacuum values view virtual \
        when where window with within without ";
    KEYWORDS.contains(&format!(" {} ", word.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::differences;

    #[test]
    fn only_case_and_quotes_of_names_say_nothing() {
        for (one, other) in [
            ("CREATE INDEX i ON t (a)", "create index i on \"t\" (a)"),
            ("CREATE TABLE t (a int REFERENCES s)", "CREATE TABLE \"t\" ([a] INT references \"S\")"),
            ("CREATE TABLE t (a text CHECK (\"a\" <> 'X'))", "CREATE TABLE 'T' (a text CHECK (A <> 'X'))"),
            ("CREATE TABLE t (a DEFAULT current_date)", "CREATE TABLE t (a DEFAULT CURRENT_DATE)"),
            ("CREATE VIRTUAL TABLE t USING fts5(a)", "CREATE VIRTUAL TABLE \"t\" using fts5(a)"),
            ("CREATE VIEW v AS SELECT t.a FROM t", "CREATE VIEW v AS SELECT \"t\".a FROM \"T\""),
            (
                "CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET a = new.a; END",
                "CREATE TRIGGER \"r\" AFTER INSERT ON \"t\" BEGIN UPDATE \"t\" SET a = NEW.\"a\"; END",
            ),
        ] {
            assert!(says_the_same(one, other) && says_the_same(other, one), "{one} / {other}");
        }
        for (one, other) in [
            ("CREATE TABLE t (a CHECK (a <> 'x'))", "CREATE TABLE t (a CHECK (a <> 'X'))"),
            ("CREATE TABLE t (a CHECK (a <> \"x\"))", "CREATE TABLE t (a CHECK (a <> \"X\"))"),
            ("CREATE TABLE t (a CHECK (a <> 'a'))", "CREATE TABLE t (a CHECK (a <> \"a\"))"),
            ("CREATE TABLE t (a DEFAULT current_date)", "CREATE TABLE t (a DEFAULT \"current_date\")"),
            ("CREATE TABLE t (a DEFAULT true)", "CREATE TABLE t (a DEFAULT \"true\")"),
            ("CREATE VIEW v AS SELECT 't' FROM t", "CREATE VIEW v AS SELECT \"t\" FROM t"),
            (
                "CREATE VIEW v AS SELECT a IS DISTINCT FROM 'x' FROM t",
                "CREATE VIEW v AS SELECT a IS DISTINCT FROM 'X' FROM t",
            ),
            (
                "CREATE VIEW v AS SELECT a FROM t JOIN s ON 'x'",
                "CREATE VIEW v AS SELECT a FROM t JOIN s ON \"x\"",
            ),
            ("CREATE TABLE t (a, b DEFAULT Ab)", "CREATE TABLE t (a, b DEFAULT ab)"),
            ("CREATE TABLE t (a, b DEFAULT (\"A\"))", "CREATE TABLE t (a, b DEFAULT (\"a\"))"),
            ("CREATE TABLE t (a CHECK (a <> \"check\"))", "CREATE TABLE t (a CHECK (a <> \"CHECK\"))"),
            ("CREATE VIRTUAL TABLE t USING fts5(a, x=Y)", "CREATE VIRTUAL TABLE t USING fts5(a, x=y)"),
            ("CREATE TABLE t (ä int)", "CREATE TABLE t (Ä int)"),
            ("CREATE TABLE t (a)", "CREATE TABLE t (a, b)"),
        ] {
            assert!(!says_the_same(one, other) && !says_the_same(other, one), "{one} / {other}");
        }
    }

    #[test]
    fn an_object_made_anew_under_another_spelling_is_the_same() {
        let schema = |text: &str| Schema::parse(&format!("4 SQLite 3\n{text}")).expect("a schema");
        let earlier =
            schema("table\t\t\tShip\tdefinition=CREATE TABLE Ship (a)\ncolumn\t\tShip\tA\ttype=INT");
        let later =
            schema("table\t\t\tship\tdefinition=CREATE TABLE \"ship\" ( a )\ncolumn\t\tship\ta\ttype=int");
        assert!(differences(&earlier, &later).is_empty(), "{:?}", differences(&earlier, &later));
        let other = schema(
            "table\t\t\tship\tdefinition=CREATE TABLE ship (a, b)\ncolumn\t\tship\ta\ttype=int\ncolumn\t\tship\tb",
        );
        let told: Vec<_> = differences(&earlier, &other).iter().map(ToString::to_string).collect();
        assert!(told.contains(&"column ship.b was added".to_owned()) && told.len() == 2, "{told:?}");
    }
}
