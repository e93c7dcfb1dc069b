//! (d) Splitting a long script, beside reading and copying it.

use crate::measure::{Aim, Line, alternate};
use crate::scripts;
use std::hint::black_box;
use std::time::{Duration, Instant};
use windlass_core::sql::Dialect;
use windlass_core::sql::split::split;

/// The script's length.
pub(crate) const BYTES: usize = 50_000_000;
const ROUNDS: usize = 9;

/// The dialects and their names.
pub(crate) const DIALECTS: [(Dialect, &str); 3] =
    [(Dialect::Postgres, "postgres"), (Dialect::MySql, "mysql"), (Dialect::Sqlite, "sqlite")];

/// Measures every dialect: in megabytes a second, so more is better.
pub(crate) async fn measure(print: &mut impl FnMut(Line)) {
    for (dialect, name) in DIALECTS {
        let script = scripts::long(dialect, BYTES);
        let rounds = alternate(
            ROUNDS,
            async || timed(|| floor(&script)),
            async || timed(|| windlass(dialect, &script)),
        )
        .await;
        let mut line =
            rounds.line("(d) splitting 50 MB; floor: copy, find newlines", name, Aim::AtLeast(200.0));
        let speed = |milliseconds: f64| script.len() as f64 / 1_000.0 / milliseconds;
        (line.unit, line.floor, line.windlass) = ("MB/s", speed(line.floor), speed(line.windlass));
        line.ratio = 1.0 / line.ratio;
        line.spread = line.spread.map(|(low, high)| (1.0 / high, 1.0 / low));
        print(line);
    }
}

fn timed(work: impl FnOnce() -> usize) -> Duration {
    let began = Instant::now();
    black_box(work());
    began.elapsed()
}

/// One pass over the bytes that finds something, and one that copies them.
pub(crate) fn floor(script: &str) -> usize {
    let copy = black_box(script.to_owned());
    memchr::memchr_iter(b'\n', copy.as_bytes()).count()
}

/// The number of statements.
pub(crate) fn windlass(dialect: Dialect, script: &str) -> usize {
    split(dialect, script).expect("a script that splits").len()
}
