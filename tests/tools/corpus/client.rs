//! The databases' own programs: what they make of a script, and how they write a database down.

use crate::history::Script;
use harness::{Database, Family};
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// A script that the plain client could not run to its end.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The script's path below the history's folder.
    pub(crate) script: String,
    /// The database's own code; `None` where the client does not tell it.
    pub(crate) code: Option<String>,
    /// The database's message.
    pub(crate) message: String,
}

/// Runs every script in order, one session each; stops at the first that is refused.
pub(crate) fn run(database: &Database, scripts: &[Script]) -> Result<Result<(), Refused>, String> {
    for script in scripts {
        let output = fed(&mut shell(database)?, &script.text)?;
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr).replace(database.name(), "DATABASE");
            return Ok(Err(Refused::read(database.target().family, script, &complaint)));
        }
    }
    Ok(Ok(()))
}

impl Refused {
    fn read(family: Family, script: &Script, complaint: &str) -> Self {
        let (code, message) = match family {
            Family::Postgres => after(complaint, "ERROR:  ").and_then(|rest| rest.split_once(": ")),
            Family::MySql | Family::MariaDb => after(complaint, "ERROR ")
                .and_then(|rest| Some((rest.split_once(' ')?.0, rest.split_once(": ")?.1))),
            Family::Sqlite => {
                after(complaint, "near line ").and_then(|rest| Some(("", rest.split_once(": ")?.1)))
            }
        }
        .unwrap_or(("", complaint.trim()));
        let message = message.lines().next().unwrap_or_default().to_owned();
        Self { script: script.name.clone(), code: (!code.is_empty()).then(|| code.to_owned()), message }
    }
}

fn after<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    text.split_once(mark).map(|(_, rest)| rest)
}

/// Schema and data of a database, the history's table left out, as the database's own dump writes them.
pub(crate) fn dump(database: &Database) -> Result<String, String> {
    let text = match database.target().family {
        Family::Postgres => {
            let mut command = program("pg_dump")?;
            command.args(["--no-owner", "--exclude-table=*._windlass_*", "--dbname", &database.url()]);
            printed(&mut command)?
        }
        Family::MySql => {
            let mut command = server_program("mysqldump", database)?;
            command.args(["--set-gtid-purged=OFF", "--no-tablespaces"]);
            printed(described(&mut command, database))?
        }
        Family::MariaDb => printed(described(&mut server_program("mariadb-dump", database)?, database))?,
        Family::Sqlite => {
            // Nothing is done with the database afterwards.
            let settings = "PRAGMA user_version; PRAGMA application_id; PRAGMA encoding; PRAGMA auto_vacuum;";
            let script = format!("DROP TABLE IF EXISTS _windlass_migrations;\n{settings}\n.dump\n");
            let output = fed(&mut shell(database)?, script.as_bytes())?;
            checked("sqlite3", output)?
        }
    };
    // A key made up for each dump; what SQLite's counters leave behind once they were in use; statistics.
    let aside = [
        "\\restrict ",
        "\\unrestrict ",
        "DELETE FROM sqlite_sequence;",
        "INSERT INTO sqlite_stat",
        "ANALYZE sqlite_schema;",
    ];
    let told = |line: &&str| !aside.iter().any(|start| line.starts_with(start));
    let lines =
        text.lines().filter(told).map(|line| without_counter(line).replace(database.name(), "DATABASE"));
    Ok(lines.fold(String::new(), |text, line| text + &line + "\n"))
}

/// Makes the other database, which is empty, of what the database's own dump writes of this one's schema.
pub(crate) fn copy(from: &Database, to: &Database) -> Result<(), String> {
    let text = match from.target().family {
        Family::Postgres => {
            let mut command = program("pg_dump")?;
            command.args(["--no-owner", "--schema-only", "--exclude-table=*._windlass_*"]);
            printed(command.args(["--dbname", &from.url()]))?
        }
        Family::MySql => {
            let mut command = server_program("mysqldump", from)?;
            command.args(["--set-gtid-purged=OFF", "--no-tablespaces", "--no-data"]);
            printed(described(&mut command, from))?
        }
        Family::MariaDb => {
            let mut command = server_program("mariadb-dump", from)?;
            printed(described(command.arg("--no-data"), from))?
        }
        Family::Sqlite => checked("sqlite3", fed(&mut shell(from)?, b".dump\n")?)?,
    };
    // A newer dump sets what an older server does not know.
    let known = text.lines().filter(|line| !line.starts_with("SET transaction_timeout"));
    let text = known.fold(String::new(), |text, line| text + line + "\n");
    checked("the restored dump", fed(&mut shell(to)?, text.as_bytes())?).map(drop)
}

fn described<'c>(command: &'c mut Command, database: &Database) -> &'c mut Command {
    command.args([
        "--routines",
        "--events",
        "--triggers",
        "--hex-blob",
        "--skip-comments",
        "--skip-extended-insert",
    ]);
    command
        .arg("--single-transaction")
        .arg(format!("--ignore-table={}._windlass_migrations", database.name()));
    command.arg(database.name())
}

/// A table's next number depends on rows that were rolled back, too.
fn without_counter(line: &str) -> String {
    let Some((before, after)) = line.split_once(" AUTO_INCREMENT=") else { return line.to_owned() };
    match line.starts_with(") ") {
        true => before.to_owned() + after.trim_start_matches(|letter: char| letter.is_ascii_digit()),
        false => line.to_owned(),
    }
}

/// The client that runs what it reads, and stops at the first error.
fn shell(database: &Database) -> Result<Command, String> {
    let mut command = match database.target().family {
        Family::Postgres => {
            let mut command = program("psql")?;
            command.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=verbose"]);
            command.args(["--file=-", "--dbname", &database.url()]);
            return Ok(command);
        }
        Family::MySql => server_program("mysql", database)?,
        Family::MariaDb => server_program("mariadb", database)?,
        Family::Sqlite => {
            let mut command = program("sqlite3")?;
            command.arg("-bail").arg(database.url().trim_start_matches("sqlite:"));
            return Ok(command);
        }
    };
    // The client's idea of a default collation is not the server's.
    command.args(["--init-command=SET NAMES utf8mb4", "--database", database.name()]);
    Ok(command)
}

fn server_program(name: &str, database: &Database) -> Result<Command, String> {
    let options = mysql_async::Opts::from_url(&database.url()).map_err(|error| error.to_string())?;
    let mut command = program(name)?;
    command.args(["--no-defaults", "--protocol=tcp", "--default-character-set=utf8mb4"]);
    command.args(["--host", options.ip_or_hostname(), "--port", &options.tcp_port().to_string()]);
    command.args(["--user", options.user().unwrap_or("root")]);
    command.env("MYSQL_PWD", options.pass().unwrap_or_default());
    Ok(command)
}

/// The words that start a program are given one a line by `WINDLASS_TEST_TOOL_<NAME>`, else its name has to do.
fn program(name: &str) -> Result<Command, String> {
    let variable = format!("WINDLASS_TEST_TOOL_{}", name.to_uppercase().replace('-', "_"));
    let words = std::env::var(&variable).unwrap_or_else(|_| name.to_owned());
    let mut words = words.lines();
    let mut command = Command::new(words.next().ok_or_else(|| format!("{variable} is empty"))?);
    command.args(words);
    Ok(command)
}

fn fed(command: &mut Command, input: &[u8]) -> Result<Output, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let told = |error: std::io::Error| format!("{name}: {error}");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(told)?;
    let mut stdin = child.stdin.take().ok_or("the client has no standard input")?;
    std::thread::scope(|scope| {
        // A client that stops early leaves the rest unread; what it says of it counts.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().map_err(told)
    })
}

fn printed(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    checked(&name, output)
}

fn checked(name: &str, output: Output) -> Result<String, String> {
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            Err(format!("{name}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tables_own_counter_is_left_out() {
        let line = without_counter(") ENGINE=InnoDB AUTO_INCREMENT=17 DEFAULT CHARSET=utf8mb4;");
        assert_eq!(line, ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;");
        assert_eq!(without_counter("INSERT ' AUTO_INCREMENT=17';"), "INSERT ' AUTO_INCREMENT=17';");
    }

    #[test]
    fn codes_are_read_from_what_clients_say() {
        let script = Script::of("1_x.sql", "");
        let read = |family, complaint: &str| {
            let refused = Refused::read(family, &script, complaint);
            (refused.code.unwrap_or_default(), refused.message)
        };
        let pair = |code: &str, message: &str| (code.to_owned(), message.to_owned());
        assert_eq!(
            read(
                Family::Postgres,
                "psql:<stdin>:7: ERROR:  42P01: relation \"x\" is missing\nLOCATION:  a.c"
            ),
            pair("42P01", "relation \"x\" is missing")
        );
        assert_eq!(
            read(Family::MySql, "mysql: [Warning] x\nERROR 1064 (42000) at line 3: You have: an error"),
            pair("1064", "You have: an error")
        );
        assert_eq!(
            read(Family::Sqlite, "Parse error near line 2: no such table: x\n"),
            pair("", "no such table: x")
        );
    }
}
