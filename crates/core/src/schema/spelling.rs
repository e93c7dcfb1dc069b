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
    let [before, after] = [earlier, later].map(Tables::of);
    let objects = earlier.objects.iter().map(|(key, properties)| {
        let Some(key) = spelled.get(&without_case(key)) else { return (key.clone(), properties.clone()) };
        let now = later.objects.get(*key);
        let properties = properties.iter().map(|(name, value)| {
            let now = now.and_then(|now| now.get(name));
            let now = now.filter(|now| {
                *now != value && property_says_the_same(name, [(value, &before), (now, &after)])
            });
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

/// The tables of a schema, by their names without case.
struct Tables<'s>(HashMap<String, &'s str>);

impl<'s> Tables<'s> {
    fn of(schema: &'s Schema) -> Self {
        let tables = schema.objects.iter().filter(|(key, _)| key.kind == "table");
        let tables = tables.filter_map(|(key, properties)| {
            Some((key.name.to_ascii_lowercase(), properties.get("definition")?.as_str()))
        });
        Self(tables.collect())
    }

    /// The names of a table's columns, as far as they are known.
    fn columns(&self, table: &str) -> HashSet<String> {
        let definition = self.0.get(&table.to_ascii_lowercase()).copied().unwrap_or_default();
        columns(&significant(definition))
    }
}

fn property_says_the_same(name: &str, texts: [(&String, &Tables<'_>); 2]) -> bool {
    let [one, other] = texts.map(|(text, tables)| match name {
        "default" => (format!("DEFAULT {text}"), tables),
        _ => (text.clone(), tables),
    });
    says_the_same((&one.0, one.1), (&other.0, other.1))
}

/// Whether SQLite reads two texts alike: keywords in any case, names in any case and whatever quotes, the options of a table
/// in any order, all else as it is. What is in double quotes where no name must stand may be a string, and is then not the
/// same as a name.
fn says_the_same(one: (&str, &Tables<'_>), other: (&str, &Tables<'_>)) -> bool {
    let [one, other] = [one, other].map(|(text, tables)| Text::new(text, tables));
    one.tokens.len() == other.tokens.len() && (0..one.tokens.len()).all(|at| one.is_like(&other, at))
}

fn significant(text: &str) -> Vec<Token<'_>> {
    tokens(Dialect::Sqlite, text).filter(|token| token.kind.is_significant()).collect()
}

struct Text<'t> {
    tokens: Vec<Token<'t>>,
    /// The names of the columns that a word in double quotes may be, wherever it stands.
    columns: HashSet<String>,
    /// Whether there are no others: such a word that is none of them is a string.
    are_all_known: bool,
    /// Where the name of the table stands that an index or a trigger is on.
    on: Option<usize>,
    /// Where else SQLite takes nothing but a name.
    places: Places,
    /// Which tokens are of a default: a word there is a string, and no column is known.
    defaults: HashSet<usize>,
    /// Behind this, everything is a module's to read.
    module: usize,
}

impl<'t> Text<'t> {
    fn new(text: &'t str, tables: &Tables<'_>) -> Self {
        let tokens = in_order(significant(text));
        let is = |at: usize, words: &[&str]| tokens.get(at).is_some_and(|token| is_one_of(token, words));
        let first = |words: &[&str]| (0..tokens.len()).find(|at| is(*at, words)).map(|at| at + 1);
        let is_made = is(0, &["CREATE"]);
        let is_table = is_made && is(1, &["TABLE"]);
        let module = if is_made && is(1, &["VIRTUAL"]) { first(&["USING"]) } else { None };
        let on = if is_made && !is(1, &["TABLE", "VIEW", "VIRTUAL"]) { first(&["ON"]) } else { None };
        let is_index = is_made && is(1, &["INDEX", "UNIQUE"]);
        let places = Places::of(&tokens, on.filter(|_| is_index));
        let named = |at: &usize| tokens.get(*at).map(|token| tables.columns(&name(token.text)));
        let columns = match on {
            _ if is_table => columns(&tokens),
            Some(table) if is_index => named(&table).unwrap_or_default(),
            None if places.selects == 1 => places.tables.iter().filter_map(named).flatten().collect(),
            _ => HashSet::new(),
        };
        // A default knows of none.
        let are_all_known = (is_table || is_index) && !columns.is_empty() || is(0, &["DEFAULT"]);
        let (defaults, module) = (defaults(&tokens), module.unwrap_or(usize::MAX));
        Self { tokens, columns, are_all_known, on, places, defaults, module }
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
        if at >= self.module {
            return false;
        }
        if self.is_string(at) && other.is_string(at) {
            return name(one.text) == name(another.text);
        }
        if is_default && !is_one_of(one, &VALUES) {
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

    /// Whether nothing but a string can be meant: SQLite takes a word in double quotes for one where no column is called so,
    /// and puts it into single ones when a column is renamed.
    fn is_string(&self, at: usize) -> bool {
        const OF_ROWS: [&str; 3] = ["rowid", "oid", "_rowid_"];
        let token = &self.tokens[at];
        let is_quoted = match token.text.as_bytes().first() {
            Some(b'\'') => true,
            Some(b'"') => {
                self.are_all_known && !OF_ROWS.iter().any(|row| name(token.text).eq_ignore_ascii_case(row))
            }
            _ => false,
        };
        is_quoted && !self.is_name(at) && !self.must_be_name(at)
    }

    /// Whether it stands where SQLite takes nothing but a name.
    fn must_be_name(&self, at: usize) -> bool {
        const BEFORE: [&str; 8] =
            ["TABLE", "INDEX", "VIEW", "TRIGGER", "INTO", "UPDATE", "REFERENCES", "CONSTRAINT"];
        let before = at.checked_sub(1).map(|at| &self.tokens[at]);
        before.is_some_and(|token| is_one_of(token, &BEFORE) || token.text == ".")
            || self.on == Some(at)
            || self.tokens.get(at + 1).is_some_and(|token| token.text == ".")
            || self.places.tables.contains(&at)
            || self.places.names.contains(&at)
    }
}

/// Places in lists where nothing but a name can stand.
#[derive(Default)]
struct Places {
    /// Of a table that is read.
    tables: HashSet<usize>,
    /// Of a column, mostly.
    names: HashSet<usize>,
    /// How often something is selected.
    selects: usize,
}

/// What the parts of a list begin with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Tables,
    Names,
    /// Of an index: a name, or an expression.
    Keys,
    Other,
}

impl Places {
    /// Those of a text, of which the table of an index stands at this place.
    fn of(tokens: &[Token<'_>], of_index: Option<usize>) -> Self {
        const ENDS: [&str; 14] = [
            ";",
            "SELECT",
            "VALUES",
            "WITH",
            "WHERE",
            "GROUP",
            "HAVING",
            "WINDOW",
            "ORDER",
            "LIMIT",
            "UNION",
            "EXCEPT",
            "INTERSECT",
            "RETURNING",
        ];
        let is = |at: Option<usize>, words: &[&str]| {
            at.and_then(|at| tokens.get(at)).is_some_and(|token| is_one_of(token, words))
        };
        let is_table = is(Some(1), &["TABLE"]);
        let mut places = Self::default();
        let (mut lists, mut begins) = (vec![List::Other], false);
        for (at, token) in tokens.iter().enumerate() {
            let before = at.checked_sub(1);
            let depth = lists.len();
            let list = &mut lists[depth - 1];
            match token.text {
                "(" => {
                    let inside = match *list {
                        List::Tables if begins => List::Tables,
                        // `SET (a, b) = …`.
                        List::Names if begins => List::Names,
                        _ if is_table && depth == 1 => List::Names,
                        _ if depth == 1 && of_index.is_some_and(|table| table + 1 == at) => List::Keys,
                        _ if is(before, &["KEY", "UNIQUE", "USING"]) || is_behind_name(tokens, at) => {
                            List::Names
                        }
                        _ => List::Other,
                    };
                    lists.push(inside);
                    begins = inside != List::Other;
                }
                ")" => {
                    begins = false;
                    if depth > 1 {
                        lists.pop();
                    }
                }
                "," => begins = *list != List::Other,
                _ if is_one_of(token, &ENDS) => {
                    places.selects += usize::from(is_one_of(token, &["SELECT"]));
                    (*list, begins) = (List::Other, false);
                }
                _ if is_one_of(token, &["FROM"]) && !is(before, &["DISTINCT"]) => {
                    (*list, begins) = (List::Tables, true);
                }
                _ if is_one_of(token, &["JOIN"]) => begins = *list == List::Tables,
                _ if !is_table && is_one_of(token, &["SET"])
                    || is_one_of(token, &["OF"]) && is(before, &["UPDATE"]) =>
                {
                    (*list, begins) = (List::Names, true);
                }
                _ if *list == List::Names && is_one_of(token, &["ON"]) && !is_table => {
                    (*list, begins) = (List::Other, false);
                }
                _ if begins => {
                    begins = false;
                    let ends = is(Some(at + 1), &[",", ")", "COLLATE", "ASC", "DESC"]);
                    match list {
                        List::Tables => places.tables.insert(at),
                        List::Names => places.names.insert(at),
                        List::Keys if ends && token.kind == TokenKind::String => places.names.insert(at),
                        List::Keys | List::Other => false,
                    };
                }
                _ => {}
            }
        }
        places
    }
}

/// Whether a bracket is behind a name behind which it lists names: `INTO t (`, `REFERENCES t (`.
fn is_behind_name(tokens: &[Token<'_>], bracket: usize) -> bool {
    let Some(mut name) = bracket.checked_sub(1) else { return false };
    while name >= 2 && tokens[name - 1].text == "." {
        name -= 2;
    }
    name >= 1 && is_one_of(&tokens[name - 1], &["INTO", "REFERENCES", "VIEW"])
}

/// `WITHOUT ROWID, STRICT` is `STRICT, WITHOUT ROWID`.
fn in_order(mut tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let is_table = matches!(&*tokens, [create, table, ..] if is_one_of(create, &["CREATE"]) && is_one_of(table, &["TABLE"]));
    let Some(end) = tokens.iter().rposition(|token| token.text == ")").filter(|_| is_table) else {
        return tokens;
    };
    let options = tokens.split_off(end + 1);
    let (commas, mut options): (Vec<_>, Vec<_>) = options
        .split_inclusive(|token| token.text == ",")
        .map(|option| match option {
            [option @ .., comma] if comma.text == "," => (Some(*comma), option.to_vec()),
            option => (None, option.to_vec()),
        })
        .unzip();
    options.sort_by_cached_key(|option| {
        option.iter().map(|token| token.text.to_ascii_uppercase()).collect::<Vec<_>>()
    });
    for (option, comma) in options.into_iter().zip(commas) {
        tokens.extend(option.into_iter().chain(comma));
    }
    tokens
}

/// The names that stand first in a table's brackets, or behind a comma in them.
fn columns(tokens: &[Token<'_>]) -> HashSet<String> {
    let (mut columns, mut depth, mut begins) = (HashSet::new(), 0_usize, false);
    for token in tokens {
        let is_constraint = is_one_of(token, &["CONSTRAINT", "CHECK", "PRIMARY", "UNIQUE", "FOREIGN"]);
        if begins && !is_constraint {
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

    /// Of texts beside which this table stands.
    fn same(one: &str, other: &str) -> bool {
        let tables = Tables(HashMap::from([("k".to_owned(), "CREATE TABLE k ( 'a' int , b text )")]));
        says_the_same((one, &tables), (other, &tables))
    }

    #[test]
    fn only_case_and_quotes_of_names_say_nothing() {
        for (one, other) in [
            ("CREATE INDEX i ON t (a)", "create index i on \"t\" (a)"),
            ("CREATE TABLE t (a int REFERENCES s)", "CREATE TABLE \"t\" ([a] INT references \"S\")"),
            ("CREATE TABLE t (a text CHECK (\"a\" <> 'X'))", "CREATE TABLE 'T' (a text CHECK (A <> 'X'))"),
            ("CREATE TABLE t (a DEFAULT current_date)", "CREATE TABLE t (a DEFAULT CURRENT_DATE)"),
            ("CREATE VIRTUAL TABLE t USING fts5(a)", "CREATE VIRTUAL TABLE \"t\" using fts5(a)"),
            ("CREATE VIEW v AS SELECT t.a FROM t", "CREATE VIEW v AS SELECT \"t\".a FROM \"T\""),
            ("CREATE TABLE t (a) WITHOUT ROWID, STRICT", "CREATE TABLE t (a) strict, without rowid"),
            (
                "CREATE TABLE t (a CHECK (a <> \"x\"), b DEFAULT \"y\")",
                "CREATE TABLE t (a CHECK (a <> 'x'), b DEFAULT 'y')",
            ),
            ("CREATE TABLE t ('a' int, UNIQUE ('a'))", "CREATE TABLE t (\"a\" int, UNIQUE (A))"),
            ("CREATE INDEX i ON k ('a', b)", "CREATE INDEX i ON k (a, \"b\")"),
            ("CREATE VIEW v AS SELECT 1 FROM s, 't'", "CREATE VIEW v AS SELECT 1 FROM s, \"t\""),
            (
                "CREATE VIEW v AS SELECT 1 FROM (s, t), u",
                "CREATE VIEW v AS SELECT 1 FROM ('s', \"t\"), \"u\"",
            ),
            ("CREATE VIEW v AS SELECT a FROM s, k", "CREATE VIEW v AS SELECT \"a\" FROM s, k"),
            (
                "CREATE TRIGGER r AFTER UPDATE OF a, b ON t BEGIN UPDATE t SET a = 1, b = 2; END",
                "CREATE TRIGGER r AFTER UPDATE OF a, 'b' ON t BEGIN UPDATE t SET \"a\" = 1, 'b' = 2; END",
            ),
            (
                "CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET a = new.a; END",
                "CREATE TRIGGER \"r\" AFTER INSERT ON \"t\" BEGIN UPDATE \"t\" SET a = NEW.\"a\"; END",
            ),
        ] {
            assert!(same(one, other) && same(other, one), "{one} / {other}");
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
            ("CREATE TABLE t (a) STRICT", "CREATE TABLE t (a) WITHOUT ROWID"),
            ("CREATE TABLE t (a) STRICT", "CREATE TABLE t (a) STRICT, WITHOUT ROWID"),
            ("CREATE TABLE t (a CHECK (a <> \"rowid\"))", "CREATE TABLE t (a CHECK (a <> 'rowid'))"),
            ("CREATE VIEW v AS SELECT \"x\" FROM s", "CREATE VIEW v AS SELECT 'x' FROM s"),
            ("CREATE INDEX i ON s (a) WHERE \"x\"", "CREATE INDEX i ON s (a) WHERE 'x'"),
            ("CREATE INDEX i ON k ('a' || b)", "CREATE INDEX i ON k (a || b)"),
            ("CREATE INDEX i ON k (c)", "CREATE INDEX i ON k (\"c\")"),
            ("CREATE VIEW v AS SELECT 's', 't' FROM u", "CREATE VIEW v AS SELECT 's', t FROM u"),
            ("CREATE VIEW v AS SELECT 1 FROM f(1, 't')", "CREATE VIEW v AS SELECT 1 FROM f(1, \"t\")"),
            ("CREATE VIEW v AS SELECT 1 FROM s LIMIT 1, 't'", "CREATE VIEW v AS SELECT 1 FROM s LIMIT 1, t"),
            (
                "CREATE VIEW v AS SELECT a UNION SELECT a FROM k",
                "CREATE VIEW v AS SELECT \"a\" UNION SELECT a FROM k",
            ),
            (
                "CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET a = 'b', b = 'a'; END",
                "CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET a = \"b\", b = 'a'; END",
            ),
            ("CREATE TABLE t (ä int)", "CREATE TABLE t (Ä int)"),
            ("CREATE TABLE t (a)", "CREATE TABLE t (a, b)"),
        ] {
            assert!(!same(one, other) && !same(other, one), "{one} / {other}");
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
