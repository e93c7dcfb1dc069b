//! The splitter and lexer against PostgreSQL's own parser, by the `pglast` Python package.
//!
//! `WINDLASS_PGLAST_PYTHON` names a Python that has it; `WINDLASS_CORPORA`, if set, a folder with more
//! SQL: every `*.sql` below a folder whose name holds `-pg-` is compared.

use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use windlass_core::sql::Dialect::Postgres;
use windlass_core::sql::lexer::{TokenKind, tokens};
use windlass_core::sql::split::split;

/// What is hard to split, each valid SQL and one file. (COPY data and psql's commands are no SQL.)
const CASES: &[&str] = &[
    "",
    " ; -- nothing\n ;;",
    "SELECT 'a;b', 'it''s;', E'a\\';b', e'\\\\', U&'\\0061;', B'01', x'0f', n'a;' ; SELECT 2",
    "SELECT E'a'\n  'b\\';c' ; SELECT E'a' -- d\n 'b\\';c' ; SELECT 'a\\'\n'b\\' ; SELECT 2",
    "SELECT U&\"a;\", \"b;\"\"c\" FROM größe ; SELECT 2 AS \"é;\"",
    "SELECT $$a;b$$, $a$ ; $$ ; $b$ ; $a$, $é$;$é$ ; SELECT a$b$c FROM t ; SELECT $1 + $2",
    "DO $$ BEGIN PERFORM 1; END $$; SELECT 2;",
    "/* a /* ; */ ; */ SELECT 1 /* b */ ; -- c ;\nSELECT 1 +-- d;\n2 ; SELECT 1 /*/* e */*/ + 2",
    "SELECT 1+-1, 2 - -3, 4*-5, @ -6, a <-> b, c ||-d, e ->> 'f', g::int, h #>> '{i}', j ?| k FROM t",
    "SELECT 1.5e-3, .5, 1., 0x1F, 1_000, arr[1:2], 5 % -2, a=-1, b<=-1, c@>-d, 3!=-1 FROM t;",
    "SELECT 1.e5; SELECT t.*, (r).a FROM t; SELECT 1 <> 2, 1 != 2, 1 >= 2 FROM f(b => 1, c := 2)",
    "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC\n SELECT CASE WHEN a > 1 THEN \
     CASE a WHEN 2 THEN 3 END END; SELECT 1 AS end;\nEND; SELECT 2",
    "CREATE PROCEDURE p() BEGIN ATOMIC END; CREATE FUNCTION begin() RETURNS int RETURN 1; SELECT 2",
    "CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO a VALUES (1); DELETE FROM b;); SELECT 2",
    "BEGIN; SELECT 1; END; START TRANSACTION; COMMIT; ROLLBACK",
    "CREATE TABLE t (a int);\r\nCREATE TABLE u (\r\n  b int -- c\r\n);\r\n",
    "COPY t TO STDOUT; COPY (SELECT a FROM stdin) TO STDOUT; SELECT 2",
    "CREATE TYPE e AS ENUM ('a;', 'b'); ALTER TYPE e ADD VALUE 'c;' BEFORE 'b'; COMMENT ON TYPE e IS 'd;e'",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.a := ''b;''; RETURN NEW; END'; SELECT 2",
];

#[test]
#[ignore = "needs the pglast package; cargo xtask test sets it up"]
fn statements_and_tokens_are_those_of_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let mut files: Vec<(PathBuf, bool)> = Vec::new();
    for (index, case) in CASES.iter().enumerate() {
        let file = folder.path().join(format!("case{index}.sql"));
        fs::write(&file, case).unwrap();
        files.push((file, true));
    }
    if let Some(corpora) = std::env::var_os("WINDLASS_CORPORA") {
        let mut found = Vec::new();
        collect(Path::new(&corpora), false, &mut found);
        assert!(!found.is_empty(), "no PostgreSQL script under {corpora:?}");
        files.extend(found.into_iter().map(|file| (file, false)));
    }
    let answers = ask_postgres(&files);
    assert_eq!(answers.len(), files.len());
    let mut unparsed = 0;
    let mut differences = Vec::new();
    for ((file, must_parse), answer) in files.iter().zip(answers) {
        match answer {
            Answer::Parsed { statements, tokens } => differences.extend(compare(file, &statements, &tokens)),
            Answer::Error(error) if *must_parse => panic!("{}: {error}", file.display()),
            Answer::Error(error) => {
                unparsed += 1;
                println!("{}: {error}", file.display());
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    println!("{} scripts compared, {unparsed} not valid for PostgreSQL", files.len() - unparsed);
}

/// The first statement and the first token that are not PostgreSQL's.
fn compare(file: &Path, statements: &[Range<usize>], token_ranges: &[Range<usize>]) -> Vec<String> {
    let script = fs::read_to_string(file).unwrap();
    let ours = match split(Postgres, &script) {
        Ok(statements) => statements,
        Err(error) => return vec![format!("{}: {error}", file.display())],
    };
    let ours: Vec<_> = ours.iter().map(|statement| statement.start..statement.end).collect();
    let pairs = [("statement", ours, statements), ("token", our_tokens(&script), token_ranges)];
    let text = |range: Option<&Range<usize>>| range.map(|range| (range.start, &script[range.clone()]));
    let mut differences = Vec::new();
    for (what, ours, theirs) in &pairs {
        let unequal = (0..ours.len().max(theirs.len())).find(|&index| ours.get(index) != theirs.get(index));
        differences.extend(unequal.map(|index| {
            let (ours, theirs) = (text(ours.get(index)), text(theirs.get(index)));
            format!("{}: {what} {index} is {ours:?}, PostgreSQL's {theirs:?}", file.display())
        }));
    }
    differences
}

fn our_tokens(script: &str) -> Vec<Range<usize>> {
    let mut ours: Vec<Range<usize>> = Vec::new();
    let mut string_before = false;
    for token in tokens(Postgres, script) {
        let string = token.kind == TokenKind::String;
        match token.kind {
            TokenKind::Space | TokenKind::Comment | TokenKind::Hint => continue,
            // PostgreSQL's lexer joins strings on consecutive lines.
            _ if string && string_before => ours.last_mut().unwrap().end = token.end(),
            _ => ours.push(token.offset..token.end()),
        }
        string_before = string;
    }
    ours
}

enum Answer {
    Parsed { statements: Vec<Range<usize>>, tokens: Vec<Range<usize>> },
    Error(String),
}

fn ask_postgres(files: &[(PathBuf, bool)]) -> Vec<Answer> {
    let python = std::env::var_os("WINDLASS_PGLAST_PYTHON").expect("WINDLASS_PGLAST_PYTHON names no Python");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/splitter_pglast.py");
    let mut child =
        Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let names: String = files.iter().map(|(file, _)| format!("{}\n", file.display())).collect();
    let writer = std::thread::spawn(move || stdin.write_all(names.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the parser ended with {}", output.status);
    let output = String::from_utf8(output.stdout).unwrap();
    let mut lines = output.lines();
    let mut answers = Vec::new();
    while let Some(line) = lines.next() {
        answers.push(match line.strip_prefix("error ") {
            Some(error) => Answer::Error(error.to_owned()),
            None => Answer::Parsed { statements: ranges(line), tokens: ranges(lines.next().unwrap()) },
        });
    }
    answers
}

fn ranges(line: &str) -> Vec<Range<usize>> {
    let pair = |text: &str| {
        let (start, end) = text.split_once(':').unwrap();
        start.parse().unwrap()..end.parse().unwrap()
    };
    line.split(' ').skip(1).filter(|text| !text.is_empty()).map(pair).collect()
}

/// Every script below a folder for PostgreSQL.
fn collect(folder: &Path, postgres: bool, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, postgres || name.contains("-pg-"), found);
        } else if postgres && name.ends_with(".sql") {
            found.push(path);
        }
    }
}
