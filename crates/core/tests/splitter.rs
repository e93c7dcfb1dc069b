//! Scripts in, statements out: one table of cases per dialect.

use windlass_core::sql::Dialect::{self, MySql, Postgres, Sqlite};
use windlass_core::sql::split::{SplitError, split};

/// The statements of a script are exactly these.
#[track_caller]
fn check(dialect: Dialect, script: &str, expected: &[&str]) {
    let statements = split(dialect, script).unwrap_or_else(|error| panic!("{error}\nin: {script}"));
    let texts: Vec<&str> = statements.iter().map(|statement| statement.text(script)).collect();
    assert_eq!(texts, expected, "in: {script}");
}

/// The same in every dialect.
#[track_caller]
fn check_all(script: &str, expected: &[&str]) {
    for dialect in [Postgres, MySql, Sqlite] {
        check(dialect, script, expected);
    }
}

#[track_caller]
fn check_error(dialect: Dialect, script: &str, expected: &str, position: (u32, u32)) {
    let error = split(dialect, script).expect_err(script);
    assert_eq!((error.to_string().as_str(), error.position()), (expected, position), "in: {script}");
}

#[test]
fn terminators_and_what_is_between_them() {
    check_all("", &[]);
    check_all(" ;; \n ; -- nothing\n /* at all */ ;", &[]);
    check_all("SELECT 1", &["SELECT 1"]);
    check_all("SELECT 1;SELECT 2;\n", &["SELECT 1", "SELECT 2"]);
    check_all("-- before\nSELECT 1 -- inside\n + 1 ; -- after\n", &["SELECT 1 -- inside\n + 1"]);
    check_all("SELECT 1 -- a comment; with a semicolon\n;", &["SELECT 1"]);
    check_all("SELECT 1 /* ; */ ; SELECT 2", &["SELECT 1", "SELECT 2"]);
    check_all("\u{feff}SELECT 1;\r\nSELECT 2;\r\n", &["SELECT 1", "SELECT 2"]);
    check_all("SELECT 1;\u{a0}\n", &["SELECT 1"]);
    check_all("SELECT 1;\u{a0}\u{feff}\u{2003}SELECT 2;\u{200b}", &["SELECT 1", "SELECT 2"]);
    check_all("SELECT '${not_ours}';", &["SELECT '${not_ours}'"]);
    check_all("BEGIN;\nSELECT 1;\nCOMMIT;", &["BEGIN", "SELECT 1", "COMMIT"]);
}

#[test]
fn quotes_hide_semicolons() {
    check_all("SELECT 'a;b', 'it''s;' ; SELECT ';'", &["SELECT 'a;b', 'it''s;'", "SELECT ';'"]);
    check_all("SELECT \"a;b\"\"c;\" ; SELECT 2", &["SELECT \"a;b\"\"c;\"", "SELECT 2"]);
    check_all("SELECT '-- ;', '/* ;' ; SELECT 2", &["SELECT '-- ;', '/* ;'", "SELECT 2"]);
    check_all("SELECT x'0f', X'F0' ; SELECT 2", &["SELECT x'0f', X'F0'", "SELECT 2"]);
    check_all("SELECT 'ü;' AS größe ; SELECT 2", &["SELECT 'ü;' AS größe", "SELECT 2"]);
    check(MySql, "SELECT `a;``b` ; SELECT 2", &["SELECT `a;``b`", "SELECT 2"]);
    check(Sqlite, "SELECT `a;``b`, [c;d] ; SELECT 2", &["SELECT `a;``b`, [c;d]", "SELECT 2"]);
    check(Postgres, "SELECT a[1] ; SELECT 2", &["SELECT a[1]", "SELECT 2"]);
    check(
        MySql,
        r#"SELECT 'a\';b', "c\";d", '\\' ; SELECT 2"#,
        &[r#"SELECT 'a\';b', "c\";d", '\\'"#, "SELECT 2"],
    );
    check(Postgres, r"SELECT 'a\' ; SELECT 2", &[r"SELECT 'a\'", "SELECT 2"]);
    check(Sqlite, r"SELECT 'a\' ; SELECT 2", &[r"SELECT 'a\'", "SELECT 2"]);
}

#[test]
fn positions() {
    let script = "\u{feff}-- one\r\n\r\n  SELECT 'ü';  SELECT 2;\nSELECT\n3; é";
    let places: Vec<(u32, u32)> =
        split(Postgres, script).unwrap().iter().map(|statement| (statement.line, statement.column)).collect();
    assert_eq!(places, [(3, 3), (3, 16), (4, 1), (5, 4)]);
    let statements = split(Postgres, "\u{feff}SELECT 1").unwrap();
    assert_eq!((statements[0].line, statements[0].column), (1, 1));
}

#[test]
fn a_nul_character_is_refused_where_a_statement_cannot_carry_it() {
    let told = "line 2, column 9 holds a NUL character, which no statement can carry to the database";
    for dialect in [Postgres, MySql, Sqlite] {
        check_error(dialect, "SELECT 1;\nSELECT 1\0;", told, (2, 9));
        check(dialect, "SELECT 1; -- a\0b\n/* \0 */ SELECT 2", &["SELECT 1", "SELECT 2"]);
    }
    check_error(MySql, "SELECT 1;\nSELECT 1\0`\0`;", told, (2, 9));
    for dialect in [Postgres, Sqlite] {
        check_error(dialect, "SELECT 1;\nSELECT '\0';", told, (2, 9));
        check_error(
            dialect,
            "\nSELECT 1\u{fe}/* \0 */ + 1;",
            &told.replace("column 9", "column 13"),
            (2, 13),
        );
    }
    check(MySql, "SELECT '\0' /* \0 */ + 1", &["SELECT '\0' /* \0 */ + 1"]);
}

#[test]
fn leading_comments_are_told_apart() {
    let script = "-- head\nSELECT 1; -- windlass: repeat\nSELECT 2";
    let statements = split(Postgres, script).unwrap();
    assert_eq!(&script[statements[0].leading.clone()], "-- head\n");
    assert_eq!(&script[statements[1].leading.clone()], " -- windlass: repeat\n");
}

#[test]
fn unterminated() {
    check_error(
        Postgres,
        "SELECT 1;\n  SELECT 'a;",
        "a string that starts at line 2, column 10 is never closed",
        (2, 10),
    );
    check_error(
        Postgres,
        "SELECT E'a\\';",
        "a string that starts at line 1, column 8 is never closed",
        (1, 8),
    );
    check_error(MySql, "SELECT 'a\\';", "a string that starts at line 1, column 8 is never closed", (1, 8));
    check_error(
        Postgres,
        "SELECT $a$ $b$;",
        "a dollar-quoted string that starts at line 1, column 8 is never closed",
        (1, 8),
    );
    check_error(
        Postgres,
        "/* /* */ SELECT 1;",
        "a comment that starts at line 1, column 1 is never closed",
        (1, 1),
    );
    check_error(MySql, "SELECT 1 /* ", "a comment that starts at line 1, column 10 is never closed", (1, 10));
    check_error(
        Sqlite,
        "SELECT [a;",
        "a quoted name or string that starts at line 1, column 8 is never closed",
        (1, 8),
    );
    check(Sqlite, "SELECT 1; /* SQLite does not mind", &["SELECT 1"]);
}

#[test]
fn postgres_strings() {
    check(Postgres, r"SELECT E'a\';b', e'\\' ; SELECT 2", &[r"SELECT E'a\';b', e'\\'", "SELECT 2"]);
    check(Postgres, "SELECT E'a'\n  'b\\';c' ; SELECT 2", &["SELECT E'a'\n  'b\\';c'", "SELECT 2"]);
    check(Postgres, "SELECT E'a' -- c\n 'b\\';c' ; SELECT 2", &["SELECT E'a' -- c\n 'b\\';c'", "SELECT 2"]);
    check(Postgres, r"SELECT E'a', 'b\' ; SELECT 2", &[r"SELECT E'a', 'b\'", "SELECT 2"]);
    check(Postgres, r"SELECT tablE'a\' ; SELECT 2", &[r"SELECT tablE'a\'", "SELECT 2"]);
    check(Postgres, r"SELECT U&'\0061\' ; SELECT 2", &[r"SELECT U&'\0061\'", "SELECT 2"]);
    check(Postgres, "SELECT U&\"a;\" ; SELECT 2", &["SELECT U&\"a;\"", "SELECT 2"]);
    check(Postgres, r"SELECT N'\', B'01', n'a''b' ; SELECT 2", &[r"SELECT N'\', B'01', n'a''b'", "SELECT 2"]);
    check(Postgres, "SELECT u&b ; SELECT 2", &["SELECT u&b", "SELECT 2"]);
}

#[test]
fn postgres_dollars() {
    check(Postgres, "SELECT $$a;b$$ ; SELECT 2", &["SELECT $$a;b$$", "SELECT 2"]);
    check(Postgres, "SELECT $a$ ; $$ ; $b$ ; $a$ ; SELECT 2", &["SELECT $a$ ; $$ ; $b$ ; $a$", "SELECT 2"]);
    check(Postgres, "SELECT $é$;$é$ ; SELECT 2", &["SELECT $é$;$é$", "SELECT 2"]);
    check(Postgres, "SELECT a$b$c ; SELECT $b$;$b$", &["SELECT a$b$c", "SELECT $b$;$b$"]);
    check(Postgres, "PREPARE p AS SELECT $1 ; SELECT 2 $1", &["PREPARE p AS SELECT $1", "SELECT 2 $1"]);
    check(
        Postgres,
        "DO $$ BEGIN PERFORM 1; END $$; SELECT 2",
        &["DO $$ BEGIN PERFORM 1; END $$", "SELECT 2"],
    );
}

#[test]
fn postgres_comments() {
    check(Postgres, "/* a /* ; */ ; */ SELECT 1; SELECT 2", &["SELECT 1", "SELECT 2"]);
    check(
        Postgres,
        "SELECT 1 /*/* ; */*/ ; SELECT 2",
        &["SELECT 1 /*/* ; */*/", "SELECT 2"].map(|text| text.trim_end_matches(" /*/* ; */*/")),
    );
    check(Postgres, "SELECT 1 +-- one;\n 2; SELECT 2", &["SELECT 1 +-- one;\n 2", "SELECT 2"]);
    check(Postgres, "/*+ SeqScan(t) */ SELECT 1; /*+ alone */", &["/*+ SeqScan(t) */ SELECT 1"]);
    check(
        Postgres,
        "SELECT '{}'::jsonb #> '{a}', 1#2; SELECT 2",
        &["SELECT '{}'::jsonb #> '{a}', 1#2", "SELECT 2"],
    );
}

#[test]
fn postgres_bodies() {
    let function = "CREATE OR REPLACE FUNCTION f(a int, begin int DEFAULT 1) RETURNS int LANGUAGE sql\n\
        BEGIN ATOMIC\n  SELECT CASE WHEN a > 1 THEN CASE a WHEN 2 THEN 3 END END;\n  SELECT 1 AS end;\nEND";
    check(Postgres, &format!("{function}; SELECT 2"), &[function, "SELECT 2"]);
    check(
        Postgres,
        &function.replace("FUNCTION", "PROCEDURE"),
        &[&function.replace("FUNCTION", "PROCEDURE")],
    );
    let empty = "create procedure p() begin atomic end";
    check(Postgres, &format!("{empty};{empty};"), &[empty, empty]);
    check(
        Postgres,
        "CREATE FUNCTION begin() RETURNS int RETURN 1; SELECT 2",
        &["CREATE FUNCTION begin() RETURNS int RETURN 1", "SELECT 2"],
    );
    check(Postgres, "BEGIN; SELECT 1; END; SELECT 2", &["BEGIN", "SELECT 1", "END", "SELECT 2"]);
    let rule = "CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO a VALUES (1); DELETE FROM b;)";
    check(Postgres, &format!("{rule}; SELECT 2"), &[rule, "SELECT 2"]);
    check_error(
        Postgres,
        "SELECT 1;\nCREATE FUNCTION f() BEGIN ATOMIC SELECT 1;",
        "a `BEGIN ATOMIC` body that starts at line 2, column 1 is never closed",
        (2, 1),
    );
}

#[test]
fn postgres_copy() {
    let check = |script: &str, expected: &[(&str, Option<&str>)]| {
        let statements = split(Postgres, script).unwrap_or_else(|error| panic!("{error}\nin: {script}"));
        let found: Vec<_> = statements
            .iter()
            .map(|statement| (statement.text(script), statement.copy_data(script)))
            .collect();
        assert_eq!(found, expected, "in: {script}");
    };
    let copy = "COPY t (a, b) FROM stdin";
    check(
        "COPY t (a, b) FROM stdin;\n1\tit's\n2\t;\n\\.\nSELECT 2;",
        &[(copy, Some("1\tit's\n2\t;\n")), ("SELECT 2", None)],
    );
    check(
        "COPY t (a, b) FROM stdin; -- rows\r\n1\t2\r\n\\.\r\nSELECT 2;",
        &[(copy, Some("1\t2\r\n")), ("SELECT 2", None)],
    );
    check("COPY t (a, b) FROM stdin;\n\\.\n\nSELECT 2;", &[(copy, Some("")), ("SELECT 2", None)]);
    check("COPY t (a, b) FROM stdin;\n\\\\.\n\\.x\n1", &[(copy, Some("\\\\.\n\\.x\n1"))]);
    check("COPY t (a, b) FROM stdin;\n1\n\\.", &[(copy, Some("1\n"))]);
    check(
        "copy t from STDIN with (format csv);\n\"a;\"\n\\.\n",
        &[("copy t from STDIN with (format csv)", Some("\"a;\"\n"))],
    );
    check(
        "COPY t FROM '/tmp/stdin'; COPY (SELECT a FROM stdin) TO STDOUT;",
        &[("COPY t FROM '/tmp/stdin'", None), ("COPY (SELECT a FROM stdin) TO STDOUT", None)],
    );
    check_error(
        Postgres,
        "SELECT 1;\nCOPY t FROM stdin; SELECT 2;\n1\n\\.\n",
        "`COPY … FROM stdin` at line 2 is not followed by its rows",
        (2, 1),
    );
    check_error(
        Postgres,
        "COPY t FROM stdin",
        "`COPY … FROM stdin` at line 1 is not followed by its rows",
        (1, 1),
    );
    check_error(
        Postgres,
        "COPY t FROM stdin;\n\n",
        "`COPY … FROM stdin` at line 1 is not followed by its rows",
        (1, 1),
    );
}

#[test]
fn client_commands() {
    check(Postgres, "\\restrict abc;def\nSELECT 1;\n\\unrestrict abc;def\n", &["SELECT 1"]);
    let message = |line, command| {
        format!("line {line} holds `{command}`, a command of the database's own client, which is not SQL")
    };
    check_error(Postgres, "SELECT 1;\n  \\i other.sql\n", &message(2, "\\i"), (2, 3));
    check_error(Postgres, "SELECT 1 \\gset\n", &message(1, "\\gset"), (1, 10));
    check_error(Postgres, "\\.\n", &message(1, "\\."), (1, 1));
    check_error(MySql, "SELECT 1\\G\n", &message(1, "\\G"), (1, 9));
    check_error(MySql, "source other.sql\n", &message(1, "source"), (1, 1));
    check_error(Sqlite, "SELECT 1;\n.read other.sql\n", &message(2, ".read"), (2, 1));
    check(
        MySql,
        "INSERT INTO t VALUES (\\N); SELECT source FROM t",
        &["INSERT INTO t VALUES (\\N)", "SELECT source FROM t"],
    );
    check(Sqlite, "SELECT .5;", &["SELECT .5"]);
    assert!(matches!(split(Postgres, "\\i x"), Err(SplitError::MetaCommand { .. })));
}

#[test]
fn mysql_comments() {
    check(MySql, "# a;\nSELECT 1 # b;\n, 2; SELECT 2", &["SELECT 1 # b;\n, 2", "SELECT 2"]);
    check(MySql, "SELECT 5--1; SELECT 2", &["SELECT 5--1", "SELECT 2"]);
    check(MySql, "SELECT 5 -- 1; SELECT 2\n", &["SELECT 5"]);
    check(MySql, "SELECT 1; --'no space;\n--no space;\n  --'nor here\nSELECT 2", &["SELECT 1", "SELECT 2"]);
    check(MySql, "SELECT 1 /* /* ; */ ; SELECT 2", &["SELECT 1", "SELECT 2"]);
    check(MySql, "/*!40101 SET NAMES utf8 */;\nSELECT 1;", &["/*!40101 SET NAMES utf8 */", "SELECT 1"]);
    check(
        MySql,
        "/*!50003 SELECT ';*/' /* ; */ */; /*M!100100 SELECT 1;*/; SELECT 2",
        &["/*!50003 SELECT ';*/' /* ; */ */", "/*M!100100 SELECT 1;*/", "SELECT 2"],
    );
    check(
        MySql,
        "CREATE TABLE t (a int) /*!50100 PARTITION BY HASH (a) */; SELECT 2",
        &["CREATE TABLE t (a int) /*!50100 PARTITION BY HASH (a) */", "SELECT 2"],
    );
    check(
        MySql,
        "SELECT /*+ MAX_EXECUTION_TIME(1) */ 1; SELECT 2",
        &["SELECT /*+ MAX_EXECUTION_TIME(1) */ 1", "SELECT 2"],
    );
    check(
        MySql,
        "SET @a = 1, @`b;` = 2, @@global.x = 3; SELECT 2",
        &["SET @a = 1, @`b;` = 2, @@global.x = 3", "SELECT 2"],
    );
}

#[test]
fn mysql_delimiters() {
    check(
        MySql,
        "DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END//\nDELIMITER ;\nSELECT 2;",
        &["CREATE PROCEDURE p() BEGIN SELECT 1; END", "SELECT 2"],
    );
    check(MySql, "delimiter $$\nSELECT 1$$\nSELECT 2 $$\n", &["SELECT 1", "SELECT 2"]);
    check(MySql, "Delimiter //  SELECT 1// DELIMITER ;\nSELECT 2;", &["SELECT 1", "SELECT 2"]);
    check(MySql, "DELIMITER '|'\nSELECT ';|', 1|SELECT 2|", &["SELECT ';|', 1", "SELECT 2"]);
    check(
        MySql,
        "DELIMITER #\nSELECT 1#\nSELECT 2 # DELIMITER ;\n# comment;\nSELECT 3",
        &["SELECT 1", "SELECT 2", "SELECT 3"],
    );
    check(MySql, "DELIMITER go\nSELECT category\ngo\nSELECT 2\ngo\n", &["SELECT category", "SELECT 2"]);
    check(MySql, "DELIMITER ;;\nSELECT 1;;\nSELECT 2;;", &["SELECT 1", "SELECT 2"]);
    check(
        MySql,
        "DELIMITER //\nDROP PROCEDURE IF EXISTS p;\nCREATE PROCEDURE p() SELECT 1; //\n",
        &["DROP PROCEDURE IF EXISTS p", "CREATE PROCEDURE p() SELECT 1"],
    );
    check(MySql, "DELIMITER //\nSELECT 1\nDELIMITER ;\nSELECT 2;", &["SELECT 1", "SELECT 2"]);
    check(
        MySql,
        "CREATE TABLE t (\n  delimiter varchar(10),\n  a int); SELECT 2;",
        &["CREATE TABLE t (\n  delimiter varchar(10),\n  a int)", "SELECT 2"],
    );
    check(MySql, "DELIMITER //\nSELECT 1 -- not here //\n//\nDELIMITER ;", &["SELECT 1"]);
    check_error(MySql, "SELECT 1;\nDELIMITER\nSELECT 2", "`DELIMITER` at line 2 names no delimiter", (2, 1));
    check_error(MySql, "DELIMITER \\\\\n", "`DELIMITER` at line 1 cannot name one with a backslash", (1, 1));
}

#[test]
fn mysql_bodies_without_delimiter() {
    let bodies = [
        "CREATE PROCEDURE p() BEGIN END",
        "CREATE PROCEDURE p() SELECT IF(1, 2, 3)",
        "CREATE DEFINER=`a`@`b` PROCEDURE p(IN begin INT, OUT end INT) COMMENT 'x' SQL SECURITY INVOKER\nBEGIN\n SELECT 1; SELECT 2;\nEND",
        "CREATE DEFINER = CURRENT_USER() FUNCTION f() RETURNS CHAR(5) CHARACTER SET latin1 DETERMINISTIC RETURN REPEAT('a', 5)",
        "CREATE FUNCTION f(a INT) RETURNS INT DETERMINISTIC BEGIN IF a > 1 THEN RETURN 1; ELSEIF a = 1 THEN RETURN 2; ELSE RETURN 3; END IF; END",
        "CREATE PROCEDURE p() BEGIN IF a THEN SELECT 1; ELSE IF b THEN SELECT 2; END IF; END IF; END",
        "CREATE PROCEDURE p() BEGIN CASE a WHEN 1 THEN SELECT 1; ELSE BEGIN END; END CASE; SELECT CASE WHEN b THEN 1 ELSE 2 END; SET c = CASE d WHEN 1 THEN 2 END + 1; END",
        "CREATE PROCEDURE p() BEGIN l: LOOP SET i = i + 1; IF i > 3 THEN LEAVE l; END IF; END LOOP l; WHILE i > 0 DO SET i = i - 1; END WHILE; REPEAT SET i = 1; UNTIL i END REPEAT; END",
        "CREATE PROCEDURE p() outer_block: BEGIN DECLARE x INT DEFAULT IF(1, 2, 3); DECLARE EXIT HANDLER FOR SQLEXCEPTION, NOT FOUND BEGIN ROLLBACK; END; DECLARE CONTINUE HANDLER FOR 1062 SET x = IF(1, 2, 3); SELECT 1; END outer_block",
        "CREATE PROCEDURE p() BEGIN SELECT t.end, t.begin, begin, end FROM t; UPDATE t SET end = 1, begin = 2; END",
        "CREATE PROCEDURE p() IF 1 THEN SELECT 1; END IF",
        "CREATE PROCEDURE IF NOT EXISTS p() BEGIN DROP TABLE IF EXISTS t; SELECT IF(1, 2, 3); END",
        "CREATE OR REPLACE TRIGGER t BEFORE INSERT ON u FOR EACH ROW FOLLOWS v BEGIN SET NEW.a = 1; SET NEW.b = 2; END",
        "CREATE TRIGGER IF NOT EXISTS t AFTER UPDATE ON row FOR EACH ROW IF NEW.a THEN SET @a = 1; END IF",
        "CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW SET NEW.a = 1",
        "CREATE EVENT IF NOT EXISTS e ON SCHEDULE EVERY 1 DAY COMMENT 'do' DO BEGIN SELECT 1; SELECT 2; END",
        "ALTER DEFINER = a EVENT e ON SCHEDULE AT CURRENT_TIMESTAMP DO BEGIN SELECT 1; END",
        "ALTER EVENT e RENAME TO f",
        "BEGIN NOT ATOMIC SELECT 1; IF 1 THEN SELECT 2; END IF; END",
        "BEGIN NOT ATOMIC IF 1 THEN SELECT 2; END IF; END",
        "IF (SELECT 1) THEN SELECT 2; END IF",
        "FOR i IN 1..10 DO SELECT i; END FOR",
        "again: WHILE 1 DO SELECT 1; END WHILE again",
        "CREATE FUNCTION f RETURNS STRING SONAME 'f.so'",
        "CREATE VIEW v AS SELECT CASE WHEN 1 THEN 2 END",
        "CREATE TABLE begin (end INT)",
        "BEGIN",
        "BEGIN WORK",
        "START TRANSACTION",
    ];
    for body in bodies {
        check(MySql, &format!("{body};\nSELECT 'next';"), &[body, "SELECT 'next'"]);
        check(MySql, &format!("DELIMITER //\n{body}//\nSELECT 'next'//"), &[body, "SELECT 'next'"]);
        check(
            MySql,
            &format!("DELIMITER //\n{body};\n//\nDELIMITER ;\nSELECT 'next';"),
            &[body, "SELECT 'next'"],
        );
    }
    check_error(
        MySql,
        "SELECT 1;\nCREATE PROCEDURE p() BEGIN SELECT 1;",
        "a compound statement's body that starts at line 2, column 1 is never closed",
        (2, 1),
    );
}

#[test]
fn sqlite_triggers() {
    let trigger = "CREATE TRIGGER t AFTER UPDATE ON u WHEN CASE new.a WHEN 1 THEN 1 END BEGIN\n  UPDATE u SET end = CASE WHEN a THEN 1 ELSE 2 END;\n  SELECT 1;\nEND";
    check(Sqlite, &format!("{trigger}; SELECT 2"), &[trigger, "SELECT 2"]);
    check(Sqlite, &trigger.replace("CREATE", "create temp"), &[&trigger.replace("CREATE", "create temp")]);
    check(
        Sqlite,
        &format!("EXPLAIN QUERY PLAN {trigger}; SELECT 2"),
        &[&format!("EXPLAIN QUERY PLAN {trigger}"), "SELECT 2"],
    );
    check(Sqlite, "BEGIN; SELECT 1; END; SELECT 2", &["BEGIN", "SELECT 1", "END", "SELECT 2"]);
    check(Sqlite, "CREATE TABLE trigger_log (a); SELECT 2", &["CREATE TABLE trigger_log (a)", "SELECT 2"]);
    check(Sqlite, "SELECT :a, @b, $c, ?1; SELECT 2", &["SELECT :a, @b, $c, ?1", "SELECT 2"]);
    check_error(
        Sqlite,
        "CREATE TRIGGER t AFTER INSERT ON u BEGIN SELECT 1;",
        "a trigger's body that starts at line 1, column 1 is never closed",
        (1, 1),
    );
}
