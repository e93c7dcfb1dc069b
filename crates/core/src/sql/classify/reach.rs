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
    (&["LO_EXPORT", "("], FILE),
    (&["WRITEFILE", "("], FILE),
    (&["PG_FILE_WRITE", "("], FILE),
    (&["LOAD_EXTENSION", "("], "it loads code"),
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

/// What `CREATE`, `ALTER`, `DROP` and `RENAME` make or change that is not one database's.
const SHARED: [&str; 9] =
    ["ROLE", "USER", "GROUP", "DATABASE", "TABLESPACE", "SUBSCRIPTION", "SYSTEM", "SERVER", "INSTANCE"];

const SERVER: &str = "it changes what the whole server has";
const MEMBERSHIP: &str = "it changes what roles may do on the whole server";
const BY_NAME: &str = "it changes a database or a role by its name";
const FILE: &str = "it writes a file";
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
            let head = first_word(dialect, statement);
            let is_upkeep = ["VACUUM", "ANALYZE", "ANALYSE", "CHECKPOINT"].contains(&head.as_str());
            (facts.effect == Effect::Server && !is_upkeep).then_some(SERVER)
        }
        Dialect::MySql => {
            let head = first_word(dialect, statement);
            let is_upkeep = ["ANALYZE", "OPTIMIZE", "CHECK", "CHECKSUM", "REPAIR"].contains(&head.as_str());
            let names = match &facts.objects {
                super::Objects::Known(names) => names.clone(),
                super::Objects::Unknown => Vec::new(),
            };
            let mut names = names.into_iter().chain(tables(dialect, statement));
            if names.any(|name| name.schema.is_some()) {
                return Some("it names a database");
            }
            (facts.effect == Effect::Server && !is_upkeep).then_some(SERVER)
        }
    }
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
            depth == 0 || read(dialect, &content(&token), depth - 1, words)
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
        if dialect == Dialect::Sqlite && this == "ATTACH" && (at == 0 || word(at - 1) == ";") {
            return Some("it opens another file");
        }
        SEQUENCES.iter().find(|(sequence, _)| follows(words, at, sequence)).map(|(_, why)| *why)
    })
}

/// Whether these words stand at this place. `GRANT * TO` is a grant of no right on an object.
fn follows(words: &[String], at: usize, sequence: &[&str]) -> bool {
    if let ["GRANT", "*", "TO"] = sequence {
        let rest = words[at + 1..].iter().take_while(|word| *word != ";");
        let kinds: Vec<_> = rest.filter(|word| ["ON", "TO"].contains(&word.as_str())).take(1).collect();
        return words[at] == "GRANT" && kinds.first().is_some_and(|word| *word == "TO");
    }
    sequence.iter().enumerate().all(|(offset, wanted)| {
        let found = words.get(at + offset).map_or("", String::as_str);
        match wanted.strip_suffix('*') {
            Some(start) => found.starts_with(start),
            None => found == *wanted,
        }
    })
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
        ];
        let mysql = [
            "CREATE TABLE t (id int, `user` text)",
            "INSERT INTO t SELECT a.id, a.user FROM a WHERE a.id > 1",
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.n = NEW.n + 1",
            "UPDATE t JOIN u ON t.id = u.id SET t.n = u.n",
            "ALTER TABLE t RENAME TO u",
            "SET FOREIGN_KEY_CHECKS = 0",
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
