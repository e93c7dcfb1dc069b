//! Reach: what a statement does outside its own database, which a replay on a shadow database must not do.

use super::{Effect, Facts, tables};
use crate::sql::Dialect;
use crate::sql::lexer::{Token, TokenKind, tokens};

/// Words that follow each other, a quoted body's as well, and what they do. A word that ends with `*` begins so.
const SEQUENCES: &[(&[&str], &str)] = &[
    (&["GRANT", "*", "TO"], MEMBERSHIP),
    (&["ON", "DATABASE"], BY_NAME),
    (&["COMMENT", "ON", "ROLE"], BY_NAME),
    (&["COMMENT", "ON", "TABLESPACE"], BY_NAME),
    (&["DROP", "OWNED"], BY_NAME),
    (&["REASSIGN", "OWNED"], BY_NAME),
    (&["SET", "GLOBAL"], SERVER),
    (&["SET", "PERSIST"], SERVER),
    (&["INTO", "OUTFILE"], FILE),
    (&["INTO", "DUMPFILE"], FILE),
    (&["VACUUM", "INTO"], FILE),
    (&["WRITEFILE", "("], FILE),
    (&["LOAD", "DATA"], FILE),
    (&["LOAD", "XML"], FILE),
    (&["LOAD_FILE", "("], FILE),
    (&["DATA", "DIRECTORY"], FILE),
    (&["INDEX", "DIRECTORY"], FILE),
    (&["SONAME"], CODE),
    (&["LOAD", "'"], CODE),
    (&["LANGUAGE", "C"], CODE),
    (&["LANGUAGE", "'", "C"], CODE),
    (&["LANGUAGE", "\"c\""], CODE),
    (&["LANGUAGE", "INTERNAL"], CODE),
    (&["LANGUAGE", "'", "INTERNAL"], CODE),
    (&["LANGUAGE", "\"internal\""], CODE),
    (&["LANGUAGE", "PLPYTHON*"], CODE),
    (&["LANGUAGE", "PLPERLU"], CODE),
    (&["LANGUAGE", "PLTCLU"], CODE),
    (&["LANGUAGE", "PLSH"], CODE),
    (&["LOAD_EXTENSION", "("], CODE),
    (&["DBLINK*"], ELSEWHERE),
    (&["FEDERATED"], ELSEWHERE),
    (&["PROGRAM", "'"], "it runs a program"),
    (&["PG_TERMINATE_BACKEND", "("], SESSIONS),
    (&["PG_CANCEL_BACKEND", "("], SESSIONS),
    (&["PG_RELOAD_CONF", "("], SERVER),
    (&["PG_SWITCH_WAL", "("], SERVER),
    (&["PG_CREATE_PHYSICAL_REPLICATION_SLOT", "("], SERVER),
    (&["PG_CREATE_LOGICAL_REPLICATION_SLOT", "("], SERVER),
    (&["PG_DROP_REPLICATION_SLOT", "("], SERVER),
    (&["CRON", "."], "it plans work, which may be another database's"),
];

/// PostgreSQL's functions, however they are written and wherever they are named: an operator or a cast may be made of one. A
/// word that ends with `*` begins so.
const FUNCTIONS: &[(&str, &str)] = &[
    ("LO_EXPORT", FILE),
    ("LO_IMPORT*", FILE),
    ("BE_LO_*", FILE),
    ("PG_FILE_*", FILE),
    ("PG_READ_*FILE*", FILE),
    ("PG_STAT_FILE*", FILE),
    ("PG_LS_*", FILE),
    ("PG_LOGDIR_*", FILE),
    ("PG_ROTATE_LOGFILE*", SERVER),
    ("PG_BACKUP_*", SERVER),
    ("PG_PROMOTE", SERVER),
    ("PG_WAL_REPLAY_*", SERVER),
    ("PG_CREATE_RESTORE_POINT", SERVER),
    ("QUERY_TO_XML*", DYNAMIC),
    ("TS_STAT", DYNAMIC),
    ("TS_REWRITE", DYNAMIC),
];

/// What `CREATE`, `ALTER`, `DROP` and `RENAME` make or change that is not one database's.
const SHARED: [&str; 9] =
    ["ROLE", "USER", "GROUP", "DATABASE", "TABLESPACE", "SUBSCRIPTION", "SYSTEM", "SERVER", "INSTANCE"];

const SERVER: &str = "it changes what the whole server has";
const MEMBERSHIP: &str = "it changes what roles may do on the whole server";
const BY_NAME: &str = "it changes a database or a role by its name";
const FILE: &str = "it reads or writes a file of the server's";
const CODE: &str = "it loads code";
const A_DATABASE: &str = "it names a database";
const ELSEWHERE: &str = "it connects elsewhere";
const SESSIONS: &str = "it ends what other sessions do";
const DYNAMIC: &str = "it runs text that is put together only then";

/// So deep are bodies in bodies read.
const DEPTH: usize = 4;

/// What the statement does outside its own database, in words; `None` where nothing of that is seen.
///
/// ```
/// use windlass_core::sql::{Dialect, classify::reach};
///
/// assert_eq!(reach(Dialect::Postgres, "CREATE TABLE role (id int)"), None);
/// assert!(reach(Dialect::Postgres, "DO $$ BEGIN CREATE ROLE app; END $$").is_some());
/// ```
pub fn reach(dialect: Dialect, statement: &str) -> Option<&'static str> {
    let facts = super::classify(dialect, statement);
    if let Some(why) = of_facts(dialect, statement, &facts) {
        return Some(why);
    }
    // A string in a row is not run.
    let depth = if facts.effect == Effect::Data { 0 } else { DEPTH };
    let mut words = Vec::new();
    if !read(dialect, statement, depth, &mut words) {
        return Some("it cannot be seen through");
    }
    of_words(dialect, &words)
}

fn of_facts(dialect: Dialect, statement: &str, facts: &Facts) -> Option<&'static str> {
    match dialect {
        // Its PRAGMAs and VACUUM are about the file that is open; another one is named by `ATTACH`.
        Dialect::Sqlite => None,
        Dialect::Postgres => {
            (facts.effect == Effect::Server && !is_upkeep(dialect, statement, facts)).then_some(SERVER)
        }
        Dialect::MySql => {
            let names = match &facts.objects {
                super::Objects::Known(names) => names.clone(),
                super::Objects::Unknown => Vec::new(),
            };
            let mut names = names.into_iter().chain(tables(dialect, statement));
            if names.any(|name| name.schema.is_some()) {
                return Some(A_DATABASE);
            }
            (facts.effect == Effect::Server && !is_upkeep(dialect, statement, facts)).then_some(SERVER)
        }
    }
}

/// Whether a statement only tends the server or what is there, and changes neither rows nor definitions.
pub(crate) fn is_upkeep(dialect: Dialect, statement: &str, facts: &Facts) -> bool {
    let words: &[&str] = match dialect {
        Dialect::Postgres => &["VACUUM", "ANALYZE", "ANALYSE", "CHECKPOINT"],
        Dialect::MySql => &["ANALYZE", "OPTIMIZE", "CHECK", "CHECKSUM", "REPAIR"],
        Dialect::Sqlite => &["VACUUM", "PRAGMA"],
    };
    facts.effect == Effect::Server && words.contains(&first_word(dialect, statement).as_str())
}

fn first_word(dialect: Dialect, statement: &str) -> String {
    let first = tokens(dialect, statement).find(|token| token.kind == TokenKind::Word);
    first.map(|token| token.text.to_ascii_uppercase()).unwrap_or_default()
}

/// The words, and what is in strings that may be run; whether all was read.
fn read(dialect: Dialect, text: &str, depth: usize, words: &mut Vec<String>) -> bool {
    tokens(dialect, text).filter(|token| token.kind.is_significant()).all(|token| match token.kind {
        TokenKind::Word => {
            words.push(token.text.to_ascii_uppercase());
            true
        }
        TokenKind::String => {
            words.push("'".to_owned());
            // What is written by numbers may be any word.
            depth == 0
                || !(dialect == Dialect::Postgres && is_by_numbers(token.text))
                    && read(dialect, &content(&token), depth - 1, words)
        }
        TokenKind::ExecutableComment => {
            let inner = token.text.trim_start_matches(['/', '*', '!', 'M']).trim_end_matches(['*', '/']);
            depth == 0
                || read(dialect, inner.trim_start_matches(|c: char| c.is_ascii_digit()), depth - 1, words)
        }
        TokenKind::Unterminated => true,
        _ => {
            words.push(token.text.to_owned());
            true
        }
    })
}

/// Whether a string of PostgreSQL's may hold letters that are written by their numbers: `E'\x41'`, `U&'\0041'`.
fn is_by_numbers(string: &str) -> bool {
    let Some((prefix, rest)) = string.split_once('\'') else { return false };
    match prefix {
        "E" | "e" => {
            let mut letters = rest.chars();
            while let Some(letter) = letters.next() {
                let behind = if letter == '\\' { letters.next() } else { None };
                if behind.is_some_and(|behind| "xuU01234567".contains(behind)) {
                    return true;
                }
            }
            false
        }
        prefix => prefix.ends_with('&'),
    }
}

/// What is between the quotes, with doubled ones as they are read.
fn content(token: &Token<'_>) -> String {
    let text = token.text;
    if let Some(tag) =
        text.strip_prefix('$').and_then(|rest| rest.split_once('$')).map(|(tag, _)| tag.len() + 2)
        && text.len() >= 2 * tag
    {
        return text[tag..text.len() - tag].to_owned();
    }
    let start = text.find(['\'', '"']).map_or(0, |at| at + 1);
    let end = text.len().saturating_sub(1).max(start);
    text[start..end].replace("''", "'").replace("\\'", "'")
}

fn of_words(dialect: Dialect, words: &[String]) -> Option<&'static str> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    (0..words.len()).find_map(|at| {
        let (this, next) = (word(at), word(at + 1));
        let is_definition = ["CREATE", "ALTER", "DROP", "RENAME", "REPLACE"].contains(&this);
        if is_definition && SHARED.contains(&next) {
            return Some(SERVER);
        }
        let is_right = ["FUNCTION", "PROCEDURE", "ON", ",", "TO"].contains(&next);
        if dialect != Dialect::Sqlite && this == "EXECUTE" && !is_right {
            return Some(DYNAMIC);
        }
        match dialect {
            // `USE INDEX` is none; a routine of another database stands as `other.f(`.
            Dialect::MySql => {
                let is_other = this == "USE" && !["INDEX", "KEY"].contains(&next)
                    || this == "HANDLER" && word(at + 2) == "."
                    || next == "." && word(at + 3) == "(" && !["@", "."].contains(&this);
                if is_other {
                    return Some(A_DATABASE);
                }
            }
            Dialect::Postgres => {
                let bare = this.trim_matches('"').to_ascii_uppercase();
                if this.starts_with("U&\"") || this.starts_with("u&\"") {
                    return Some(DYNAMIC);
                }
                if this == "COPY" && copies_file(&words[at..]) {
                    return Some(FILE);
                }
                if let Some((_, why)) = FUNCTIONS.iter().find(|(name, _)| is_like(&bare, name)) {
                    return Some(why);
                }
            }
            Dialect::Sqlite => {
                if this == "ATTACH" && (at == 0 || word(at - 1) == ";") {
                    return Some("it opens another file");
                }
            }
        }
        SEQUENCES.iter().find(|(sequence, _)| follows(words, at, sequence)).map(|(_, why)| *why)
    })
}

/// Whether a `COPY` names a file.
fn copies_file(words: &[String]) -> bool {
    let own = words.iter().take_while(|word| *word != ";").collect::<Vec<_>>();
    own.windows(2).any(|pair| ["FROM", "TO"].contains(&pair[0].as_str()) && pair[1] == "'")
}

/// Whether a name is this one, in which each `*` stands for anything.
fn is_like(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|behind| {
            rest.is_empty()
                || (0..=behind.len()).any(|at| behind.get(at..).is_some_and(|end| is_like(end, rest)))
        }),
    }
}

/// Whether these words stand at this place. `GRANT * TO` is a grant of no right on an object.
fn follows(words: &[String], at: usize, sequence: &[&str]) -> bool {
    if let ["GRANT", "*", "TO"] = sequence {
        let rest = words[at + 1..].iter().take_while(|word| *word != ";");
        let kinds: Vec<_> = rest.filter(|word| ["ON", "TO"].contains(&word.as_str())).take(1).collect();
        return words[at] == "GRANT" && kinds.first().is_some_and(|word| *word == "TO");
    }
    sequence
        .iter()
        .enumerate()
        .all(|(offset, wanted)| is_like(words.get(at + offset).map_or("", String::as_str), wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_database_is_seen() {
        let postgres = [
            "CREATE ROLE app",
            "alter /* so */ user app PASSWORD 'x'",
            "GRANT admin TO app",
            "GRANT CONNECT ON DATABASE shop TO app",
            "ALTER DATABASE shop SET work_mem = '1MB'",
            "ALTER SYSTEM SET fsync = off",
            "CREATE SUBSCRIPTION s CONNECTION 'host=h' PUBLICATION p",
            "DO $$ BEGIN CREATE ROLE app; END $$",
            "DO 'BEGIN EXECUTE ''CREATE DATABASE x''; END'",
            "DO $a$ BEGIN EXECUTE $b$DROP /* */ ROLE app$b$; END $a$",
            "DO $$ BEGIN EXECUTE 'DROP' || ' TABLE t'; END $$",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT dblink_exec('h', 'DELETE FROM t') $$",
            "SELECT pg_terminate_backend(1)",
            "COPY t TO PROGRAM 'rm x'",
            "COMMENT ON DATABASE shop IS 'x'",
            "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw",
            "SELECT cron.schedule('x', '* * * * *', 'DELETE FROM t')",
            "COPY t TO '/tmp/x'",
            "COPY t (a) FROM '/etc/passwd' CSV",
            "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ COPY t TO '/tmp/x' $$",
            "SELECT pg_read_file('/etc/passwd')",
            "SELECT pg_catalog.\"pg_read_binary_file\"('x')",
            "CREATE TABLE t (a text DEFAULT pg_read_file('x'))",
            "SELECT pg_stat_file('x')",
            "SELECT lo_import('x')",
            "CREATE OPERATOR ~> (LEFTARG = oid, RIGHTARG = text, FUNCTION = lo_export)",
            "SELECT U&\"lo\\005fexport\"(777, 'x')",
            "DO E'BEGIN EXEC\\x55TE ''DROP ROLE app''; END'",
            "DO U&'BEGIN NULL; END'",
            "CREATE FUNCTION f(oid, text) RETURNS int LANGUAGE internal AS 'be_lo_export'",
            "CREATE FUNCTION f(text) RETURNS int AS 'libc.so.6', 'system' LANGUAGE C",
            "CREATE FUNCTION f() RETURNS int AS 'x' LANGUAGE 'c'",
            "CREATE FUNCTION f() RETURNS int AS 'import os' LANGUAGE plpython3u",
            "LOAD '/tmp/x.so'",
            "SELECT query_to_xml('DROP ' || 'ROLE app', true, true, '')",
            "SELECT ts_stat('SELECT 1')",
            "SELECT pg_rotate_logfile()",
        ];
        let mysql = [
            "CREATE USER app",
            "GRANT SELECT ON shop.* TO app",
            "DELETE FROM other.t",
            "CREATE TABLE other.t (n int)",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM shop.orders",
            "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW BEGIN UPDATE a, other.b SET n = 1; END",
            "CREATE PROCEDURE p() BEGIN DELETE FROM a; INSERT INTO other.b VALUES (1); END",
            "CREATE VIEW v AS SELECT * FROM a JOIN other.b USING (n)",
            "PREPARE s FROM 'DROP DATABASE shop'",
            "EXECUTE s",
            "SET GLOBAL max_connections = 1",
            "SELECT * FROM t INTO OUTFILE '/tmp/x'",
            "/*!50003 CREATE USER app */",
            "DROP DATABASE shop",
            "KILL 7",
            "USE shop",
            "use `shop`",
            "/* so */ USE shop",
            "/*!USE shop */",
            "/*!50003 DELETE FROM shop.t */",
            "HANDLER shop.t OPEN",
            "CALL shop.p()",
            "SELECT shop.f(1)",
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW CALL shop.p(1)",
            "LOAD DATA INFILE '/etc/passwd' INTO TABLE t",
            "SELECT LOAD_FILE('/etc/passwd')",
            "CREATE TABLE t (n int) DATA DIRECTORY = '/srv'",
            "CREATE FUNCTION f RETURNS int SONAME 'x.so'",
        ];
        let sqlite = ["ATTACH 'other.db' AS o", "VACUUM INTO 'copy.db'", "SELECT load_extension('x')"];
        let all = [(Dialect::Postgres, &postgres[..]), (Dialect::MySql, &mysql), (Dialect::Sqlite, &sqlite)];
        for (dialect, statements) in all {
            for statement in statements {
                assert!(reach(dialect, statement).is_some(), "{dialect:?}: {statement}");
            }
        }
    }

    #[test]
    fn what_stays_in_it_is_let_be() {
        let postgres = [
            "CREATE TABLE \"user\" (id int, role text, program text, cron text, database text)",
            "CREATE INDEX role_name ON role (name)",
            "GRANT SELECT, EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO app",
            "GRANT SELECT ON t TO app",
            "ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1)",
            "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
            "INSERT INTO posts VALUES ('how to CREATE ROLE app and DROP DATABASE shop')",
            "VACUUM t",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO app",
            "SELECT * FROM program",
            "CREATE EXTENSION IF NOT EXISTS pgcrypto",
            "COPY t FROM stdin",
            "COPY t TO STDOUT WITH (DELIMITER ',')",
            "CREATE TABLE t (language text, \"copy\" text DEFAULT E'a\\n\\\\x')",
            "INSERT INTO t VALUES (E'\\x41', U&'\\0041')",
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$",
            "CREATE FUNCTION f() RETURNS int AS 'SELECT 1' LANGUAGE 'sql'",
        ];
        let mysql = [
            "CREATE TABLE t (id int, `user` text)",
            "INSERT INTO t SELECT a.id, a.user FROM a WHERE a.id > 1",
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.n = NEW.n + 1",
            "UPDATE t JOIN u ON t.id = u.id SET t.n = u.n",
            "ALTER TABLE t RENAME TO u",
            "SET FOREIGN_KEY_CHECKS = 0",
            "SELECT * FROM t USE INDEX (i) WHERE t.a IN (1) AND t.b > (2)",
            "CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION SET @a = 1; SELECT t.a FROM t; END",
        ];
        let sqlite = ["PRAGMA foreign_keys = ON", "VACUUM", "CREATE TABLE attach (n)"];
        let all = [(Dialect::Postgres, &postgres[..]), (Dialect::MySql, &mysql), (Dialect::Sqlite, &sqlite)];
        for (dialect, statements) in all {
            for statement in statements {
                assert_eq!(reach(dialect, statement), None, "{dialect:?}: {statement}");
            }
        }
    }
}
