//! How fast a long script is split. Run in release, by hand or by the benchmark:
//! `cargo test --release -p windlass-core --test splitter_speed -- --ignored --nocapture`

use std::fmt::Write;
use std::time::Instant;

use windlass_core::sql::{Dialect, checksum::token_checksum, classify::classify, split::split};

const LENGTH: usize = 50 << 20;

/// The best of five, in MB/s.
fn speed(length: usize, run: impl Fn()) -> f64 {
    let seconds = (0..5).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    length as f64 / 1e6 / seconds.fold(f64::INFINITY, f64::min)
}

/// Repeats a piece of SQL, numbered, up to the length.
fn script(piece: impl Fn(usize, &mut String)) -> String {
    let mut script = String::with_capacity(LENGTH + 4096);
    let mut number = 0;
    while script.len() < LENGTH {
        piece(number, &mut script);
        number += 1;
    }
    script
}

fn schema(number: usize, script: &mut String) {
    writeln!(
        script,
        "-- ship {number}\nCREATE TABLE ship_{number} (\n    id bigint PRIMARY KEY,\n    \
         name varchar(80) NOT NULL DEFAULT 'it''s; afloat',\n    built_at timestamp DEFAULT CURRENT_TIMESTAMP\n);\n\
         CREATE INDEX ship_{number}_name ON ship_{number} (name, built_at);\n"
    )
    .unwrap();
}

fn rows(number: usize, script: &mut String) {
    script.push_str("INSERT INTO ship (id, name, length, note) VALUES\n");
    for row in 0..100 {
        let comma = if row < 99 { "," } else { ";" };
        writeln!(script, "({number}{row}, 'ship number {row}', {row}.75, 'a; b -- c'){comma}").unwrap();
    }
}

fn numbers(number: usize, script: &mut String) {
    script.push_str("INSERT INTO t VALUES ");
    for row in 0..200 {
        write!(script, "({number},{row},NULL,1),").unwrap();
    }
    script.push_str("(0,0,NULL,0);\n");
}

fn copy(number: usize, script: &mut String) {
    script.push_str("COPY ship (id, name) FROM stdin;\n");
    for row in 0..1000 {
        writeln!(script, "{number}{row}\tship number {row}\t{row}.75\ta; b").unwrap();
    }
    script.push_str("\\.\n");
}

#[test]
#[ignore = "a measurement, meaningful in release only"]
fn measurement_of_splitting() {
    for dialect in [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite] {
        for (name, piece) in [
            ("schema", schema as fn(usize, &mut String)),
            ("rows", rows),
            ("numbers", numbers),
            ("copy", copy),
        ] {
            if name == "copy" && dialect != Dialect::Postgres {
                continue;
            }
            let text = script(piece);
            let count = split(dialect, &text).unwrap().len();
            let splitting = speed(text.len(), || drop(split(dialect, &text).unwrap()));
            let digesting = speed(text.len(), || drop(token_checksum(dialect, &text).unwrap()));
            let classifying = speed(text.len(), || {
                for statement in split(dialect, &text).unwrap() {
                    classify(dialect, statement.text(&text));
                }
            });
            println!(
                "{dialect:?} {name}: {count} statements, split {splitting:.0} MB/s, token checksum {digesting:.0} MB/s, \
                 split and classify {classifying:.0} MB/s"
            );
        }
    }
}
