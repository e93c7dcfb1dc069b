//! Scripts: migrations of one table each, folders of them, and one long script per dialect.

use std::fs;
use std::path::Path;
use windlass_core::source::Migrations;
use windlass_core::sql::Dialect;

/// The name of a migration, by its number.
pub(crate) fn name(number: usize) -> String {
    format!("{}_create_item_{number}", 20_240_101_000_000_u64 + number as u64)
}

/// The statement of a migration, by its number.
pub(crate) fn table(number: usize) -> String {
    format!(
        "CREATE TABLE item_{number} (\n    id bigint PRIMARY KEY,\n    name varchar(200) NOT NULL,\n    \
         price numeric(12, 2) NOT NULL DEFAULT 0,\n    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP\n)"
    )
}

/// A migration's whole script.
fn script(number: usize) -> String {
    format!("-- What is sold under number {number}.\n{};\n", table(number))
}

/// Embedded migrations.
pub(crate) fn embedded(count: usize) -> Migrations {
    let scripts = (1..=count).map(|number| (format!("{}.sql", name(number)), script(number)));
    Migrations::from_scripts(scripts).expect("a set of migrations")
}

/// How migrations lie in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lying {
    /// `<name>.sql`
    AsFiles,
    /// `<name>/migration.sql`
    InFolders,
}

impl Lying {
    pub(crate) const ALL: [Self; 2] = [Self::AsFiles, Self::InFolders];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::AsFiles => "files",
            Self::InFolders => "folders",
        }
    }
}

/// Writes migrations into a folder.
pub(crate) fn write(dir: &Path, lying: Lying, count: usize) {
    fs::create_dir_all(dir).expect("a folder");
    for number in 1..=count {
        let path = match lying {
            Lying::AsFiles => dir.join(name(number) + ".sql"),
            Lying::InFolders => {
                fs::create_dir(dir.join(name(number))).expect("a folder");
                dir.join(name(number)).join("migration.sql")
            }
        };
        fs::write(path, script(number)).expect("a file");
    }
}

/// Reads every script of a folder: the least that a tool with files must do.
pub(crate) fn read(dir: &Path, lying: Lying) -> usize {
    let entries = fs::read_dir(dir).expect("a folder");
    let script = |entry: std::io::Result<fs::DirEntry>| {
        let mut path = entry.expect("an entry").path();
        if lying == Lying::InFolders {
            path.push("migration.sql");
        }
        fs::read(path).expect("a script").len()
    };
    entries.map(script).sum()
}

/// A script of this many bytes and a little more: long strings, short rows, DDL with comments, and code.
pub(crate) fn long(dialect: Dialect, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 16 * 1024);
    let mut number = 0;
    while text.len() < bytes {
        number += 1;
        text.push_str(&rows(number));
        text.push_str(&documented_table(number));
        text.push_str(&article(number));
        if number % 4 == 0 {
            text.push_str(&code(dialect, number));
        }
    }
    text
}

fn rows(number: usize) -> String {
    let row = |row: usize| {
        format!("({row}, 'item {row} of {number}', {}.50, NULL, 'it''s in stock')", row * 7 % 100)
    };
    let rows: Vec<String> = (0..24).map(row).collect();
    format!("INSERT INTO stock (id, name, price, note, state) VALUES\n{};\n", rows.join(",\n"))
}

fn documented_table(number: usize) -> String {
    format!(
        "-- The orders of region {number}, kept for seven years.\n/* Closed ones are moved\n   by the nightly job. */\n\
         CREATE TABLE orders_{number} (\n    id bigint NOT NULL PRIMARY KEY,\n    customer_id bigint NOT NULL REFERENCES \
         customers (id) ON DELETE CASCADE,\n    \"state\" varchar(20) NOT NULL DEFAULT 'open' CHECK (\"state\" IN ('open', \
         'paid', 'sent')),\n    total numeric(12, 2) NOT NULL DEFAULT 0.00, -- in euros\n    created_at timestamp NOT \
         NULL DEFAULT CURRENT_TIMESTAMP\n);\n\nCREATE INDEX orders_{number}_by_customer ON orders_{number} (customer_id, \
         created_at);\n\n"
    )
}

fn article(number: usize) -> String {
    let sentence =
        "A windlass hauls the anchor; its pawl doesn''t let go of what is gained, and; so on -- it holds. ";
    format!("INSERT INTO articles (id, body) VALUES ({number}, '{}');\n", sentence.repeat(32))
}

fn code(dialect: Dialect, number: usize) -> String {
    let body = "  IF total > 100 THEN\n    SET discount = total / 10;\n  END IF;\n  UPDATE stock SET price = price - 1 \
                WHERE id = 7;\n"
        .repeat(4);
    match dialect {
        Dialect::Postgres => format!(
            "CREATE FUNCTION discount_{number}(total numeric) RETURNS void LANGUAGE plpgsql AS $body$\nBEGIN\n\
             {body}END;\n$body$;\n"
        ),
        Dialect::MySql => format!(
            "DELIMITER //\nCREATE PROCEDURE discount_{number}(IN total int)\nBEGIN\n  DECLARE discount int;\n{body}END//\n\
             DELIMITER ;\n"
        ),
        _ => format!(
            "CREATE TRIGGER discount_{number} AFTER INSERT ON orders_{number} BEGIN\n{}END;\n",
            "  UPDATE stock SET price = CASE WHEN price > 1 THEN price - 1 ELSE price END WHERE id = 7;\n"
                .repeat(6)
        ),
    }
}
