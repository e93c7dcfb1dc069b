//! Looking: the SQL that tells how named objects look, and what two looks at them tell.
//!
//! The server itself makes a digest of all that `information_schema` tells of the objects' definitions.
//! It is made just before a statement is sent and kept with the note of it; made again after a crash, it
//! tells whether the statement was done. Nothing that rows, `ANALYZE` or `TRUNCATE` change is in it.
//!
//! Names go one by one into conditions of equality: MariaDB would open every table for anything else.

use crate::dialect::numbers;
use crate::history::identifier;
use std::fmt::Write as _;
use windlass_core::driver::Product;
use windlass_core::history::Sight;
use windlass_core::sql::classify::ObjectName;

mod sources;

use sources::{Cost, Source, sources, standing, standing_now};

/// Objects of one statement that are looked at. What a statement changes it names first, what it only
/// refers to behind that.
const MOST: usize = 16;

/// Who looks, and where: another account may see less of the same objects, unqualified names mean others
/// in another database, and some fields come in the connection's character set, which may be a wide one.
const PLACE: &str = "CONCAT_WS('.', HEX(CURRENT_USER()), HEX(IFNULL(CURRENT_ROLE(), '')), \
                     HEX(IFNULL(DATABASE(), '')), \
                     @@character_set_connection IN ('ucs2', 'utf16', 'utf16le', 'utf32'))";

/// How this server's objects are looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eyes<'d> {
    product: Product,
    database: &'d str,
}

/// How far a look reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All that can be looked up by a name.
    All,
    /// All but that which MariaDB finds only by going through every table.
    Quick,
    /// Which tables stand, and no more: enough for one that a statement creates. Before the statement, which
    /// every migration that creates a table waits for, that is asked in the cheapest way there is.
    Tables,
}

impl Scope {
    fn as_str(self) -> &'static str {
        match self {
            Self::All => "l1",
            Self::Quick => "q1",
            Self::Tables => "t2",
        }
    }

    /// That of an earlier look; `None` where a newer windlass took it.
    pub(crate) fn of(look: &str) -> Option<Self> {
        let word = look.split(':').next()?;
        [Self::All, Self::Quick, Self::Tables].into_iter().find(|scope| scope.as_str() == word)
    }
}

impl<'d> Eyes<'d> {
    /// `None` where the server is too old: a statement may be done in part there.
    pub(crate) fn of(product: Product, version: &str, database: &'d str) -> Option<Self> {
        let whole = if product == Product::MariaDb { (10, 6, 0) } else { (8, 0, 21) };
        (numbers(version) >= whole).then_some(Self { product, database })
    }

    /// A statement that puts the look into a variable of the session.
    pub(crate) fn into_variable(self, objects: &[ObjectName], scope: Scope, variable: &str) -> String {
        let rows = self.rows(objects, &self.reached(scope, standing(self.product)));
        self.select(&rows, scope, &format!("INTO {variable} "))
    }

    /// A query for the look, after a crash.
    pub(crate) fn query(self, objects: &[ObjectName], scope: Scope) -> String {
        let rows = self.rows(objects, &self.reached(scope, standing_now(self.product)));
        self.select(&rows, scope, "")
    }

    /// What is asked; `standing` where it is only which tables stand.
    fn reached(self, scope: Scope, standing: &'static Source) -> Vec<&'static Source> {
        let all = sources(self.product).iter();
        match scope {
            Scope::All => all.collect(),
            Scope::Quick => all.filter(|source| source.cost == Cost::OneObject).collect(),
            Scope::Tables => vec![standing],
        }
    }

    fn select(self, rows: &str, scope: Scope, into: &str) -> String {
        let look = self.expression(scope);
        format!("{}{look} {into}FROM ({rows}) AS seen", pinned_select(self.product))
    }

    /// `scope:place:version:engines:definitions:times`, see [`sight`].
    fn expression(self, scope: Scope) -> String {
        // Whole, because MariaDB stores more of a LEFT than it shows where the argument is constant.
        let digest = |what: &str| format!("SHA2(CONVERT({what} USING utf8mb4), 256)");
        format!(
            "CONCAT_WS(':', '{}', {}, {}, SUM(engine), {}, {})",
            scope.as_str(),
            digest(PLACE),
            digest("HEX(VERSION())"),
            digest("CONCAT_WS('.', COUNT(*), SUM(definition))"),
            digest("CONCAT_WS('.', COUNT(*), SUM(moment))"),
        )
    }

    /// A row for everything there is to see, in any order, and one more, so that nothing seen is a look as well.
    fn rows(self, objects: &[ObjectName], sources: &[&Source]) -> String {
        let mut rows = "SELECT 0 AS definition, 0 AS moment, 0 AS engine".to_owned();
        // A statement that swaps two names has each of them several times.
        let mut names: Vec<String> = Vec::new();
        for object in objects.iter().map(|object| name(&object.name)) {
            if names.len() < MOST && !names.contains(&object) {
                names.push(object);
            }
        }
        for source in sources {
            for name in &names {
                self.branch(&mut rows, source, name);
            }
        }
        rows
    }

    fn branch(self, rows: &mut String, source: &Source, object: &str) {
        let mut definition: Vec<String> = source.short.iter().map(|field| format!("HEX({field})")).collect();
        definition.extend(source.long.iter().map(|field| format!("SHA2({field}, 256)")));
        let moment = if source.moments.is_empty() {
            "0".to_owned()
        } else {
            let keys = definition.iter().take(source.keys).cloned();
            let moments = source.moments.iter().map(|field| (*field).to_owned());
            hash(source.tag, &keys.chain(moments).collect::<Vec<_>>())
        };
        let _ = write!(
            rows,
            " UNION ALL SELECT {}, {moment}, {} FROM {} WHERE {} = {} AND {} = {object}{}",
            hash(source.tag, &definition),
            source.engine,
            source.from,
            source.schema,
            name(self.database),
            source.name,
            source.besides,
        );
    }
}

/// The head of a query that means the same whatever a migration, or a server, has set.
pub(crate) fn pinned_select(product: Product) -> &'static str {
    match product {
        Product::MariaDb => {
            "SET STATEMENT sql_mode = '', sql_quote_show_create = 1, time_zone = _latin1'+00:00', \
             sql_select_limit = 18446744073709551615, sql_big_selects = 1, max_statement_time = 0 FOR SELECT "
        }
        // A hint that it cannot read takes those behind it along: an empty text is one, a number none.
        _ => {
            "SELECT /*+ SET_VAR(sql_mode = 0) SET_VAR(time_zone = '+00:00') \
             SET_VAR(sql_select_limit = 18446744073709551615) SET_VAR(sql_big_selects = 1) \
             SET_VAR(max_execution_time = 0) */ "
        }
    }
}

/// The head of a query that is refused for no number of rows that it reads.
pub(crate) fn unlimited_select(product: Product) -> &'static str {
    match product {
        Product::MariaDb => "SET STATEMENT sql_big_selects = 1 FOR SELECT ",
        _ => "SELECT /*+ SET_VAR(sql_big_selects = 1) */ ",
    }
}

/// What a later look at the same objects tells.
///
/// Equal definitions made at another time may be a restored backup, a `TRUNCATE`, or the very statement:
/// that is not told. Other definitions under another version of the server may only be told otherwise.
/// Where an engine's changes can be cut short by a crash of the server, a look after one tells nothing.
pub(crate) fn sight(before: &str, now: &str, server_restarted: bool) -> Sight {
    let (Some(before), Some(now)) = (Look::parse(before), Look::parse(now)) else { return Sight::Unknown };
    let torn = server_restarted && (before.engines != "0" || now.engines != "0");
    if before.scope != now.scope || before.place != now.place || torn {
        return Sight::Unknown;
    }
    match (before.definitions == now.definitions, before.times == now.times, before.version == now.version) {
        (true, true, _) => Sight::Untouched,
        (false, _, true) => Sight::Changed,
        _ => Sight::Unknown,
    }
}

struct Look<'t> {
    scope: Scope,
    place: &'t str,
    version: &'t str,
    /// How many of the tables are of an engine whose changes are not whole or nothing.
    engines: &'t str,
    definitions: &'t str,
    times: &'t str,
}

impl<'t> Look<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let [_, place, version, engines, definitions, times] = parts[..] else { return None };
        Some(Self { scope: Scope::of(text)?, place, version, engines, definitions, times })
    }
}

/// Sixty bits of a row's digest. Fields are in hexadecimal with points between: no two rows read alike.
fn hash(tag: char, fields: &[String]) -> String {
    let fields: Vec<String> = fields.iter().map(|field| format!("IFNULL({field}, '-')")).collect();
    format!(
        "CAST(CONV(LEFT(SHA2(CONVERT(CONCAT_WS('.', '{tag}', {}) USING utf8mb4), 256), 15), 16, 10) AS UNSIGNED)",
        fields.join(", ")
    )
}

/// A name as `information_schema` holds it: in any other character set MariaDB would compare with every table.
pub(crate) fn name(name: &str) -> String {
    let mut literal = "_utf8mb3 x'".to_owned();
    for byte in name.bytes() {
        let _ = write!(literal, "{byte:02x}");
    }
    literal.push('\'');
    literal
}

/// The names, as the history keeps them.
pub(crate) fn names_to_text(objects: &[ObjectName]) -> String {
    objects.iter().map(|object| identifier(&object.name)).collect::<Vec<_>>().join(",")
}

/// Reads what [`names_to_text`] wrote.
pub(crate) fn names_from_text(text: &str) -> Option<Vec<ObjectName>> {
    let mut objects = Vec::new();
    let mut rest = text;
    loop {
        let mut name = String::new();
        rest = rest.strip_prefix('`')?;
        loop {
            let (before, after) = rest.split_once('`')?;
            name.push_str(before);
            rest = after;
            match rest.strip_prefix('`') {
                Some(after) => {
                    name.push('`');
                    rest = after;
                }
                None => break,
            }
        }
        objects.push(ObjectName { schema: None, name });
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => return rest.is_empty().then_some(objects),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str) -> ObjectName {
        ObjectName { schema: None, name: name.to_owned() }
    }

    #[test]
    fn names_are_kept_whatever_is_in_them() {
        for names in [vec!["users"], vec!["a`b", "`", "a,`b`,", "ö\n'\""], vec!["``,``"]] {
            let objects: Vec<ObjectName> = names.into_iter().map(object).collect();
            assert_eq!(names_from_text(&names_to_text(&objects)), Some(objects));
        }
        for text in ["", "a", "`a", "`a`b", "`a`,", "`a`,b"] {
            assert_eq!(names_from_text(text), None, "{text}");
        }
    }

    #[test]
    fn only_what_is_certain_is_told() {
        let before = "l1:p:v:0:d:t";
        for (now, told) in [
            ("l1:p:v:0:d:t", Sight::Untouched),
            ("l1:p:w:0:d:t", Sight::Untouched),
            ("l1:p:v:0:e:t", Sight::Changed),
            ("l1:p:v:0:e:u", Sight::Changed),
            ("l1:p:v:0:d:u", Sight::Unknown),
            ("l1:p:w:0:e:u", Sight::Unknown),
            ("l1:q:v:0:d:t", Sight::Unknown),
            ("q1:p:v:0:d:t", Sight::Unknown),
            ("l2:p:v:0:d:t", Sight::Unknown),
            ("", Sight::Unknown),
        ] {
            assert_eq!(sight(before, now, false), told, "{now}");
        }
        assert_eq!(sight(before, "l1:p:v:1:e:t", false), Sight::Changed);
        assert_eq!(sight(before, "l1:p:v:1:e:t", true), Sight::Unknown);
        assert_eq!(sight(before, "l1:p:v:0:e:t", true), Sight::Changed);
    }

    #[test]
    fn servers_that_change_in_part_are_not_looked_at() {
        let sees = |product, version| Eyes::of(product, version, "d").is_some();
        assert!(sees(Product::MariaDb, "10.11.6-MariaDB") && sees(Product::MySql, "9.7.0"));
        assert!(sees(Product::MySql, "8.0.21-log") && !sees(Product::MySql, "8.0.20"));
        assert!(!sees(Product::MariaDb, "10.5.9-MariaDB") && !sees(Product::MySql, "5.7.44"));
    }
}
