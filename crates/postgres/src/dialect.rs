//! Dialect: what PostgreSQL allows, and the settings that every migration starts from.

use crate::options::Keepalive;
use crate::quote::{identifier, literal};
use windlass_core::driver::{Capabilities, Ddl, Grouping, Product, Sessions};
use windlass_core::sql::Dialect;

/// What may share a transaction before the size of the server's lock table is known.
const CAUTIOUS: usize = 500;
/// A statement locks a table, its indexes, its TOAST table and that one's index, a sequence …
const LOCKS_A_STATEMENT: usize = 8;

pub(crate) fn capabilities(version: String) -> Capabilities {
    Capabilities {
        product: Product::PostgreSql,
        version,
        dialect: Dialect::Postgres,
        ddl: Ddl::Transactional,
        grouping: Grouping::UpTo(CAUTIOUS),
        sessions: Sessions::Own,
    }
}

/// How many statements a transaction may hold on a server with so many slots in its lock table.
pub(crate) fn grouping(lock_slots: usize) -> Grouping {
    Grouping::UpTo((lock_slots / LOCKS_A_STATEMENT).clamp(1, 10_000))
}

/// By these the server notices that its client is gone, and ends the session: one whose connection is closed within
/// two seconds (from PostgreSQL 14 on), one whose host has vanished when this side would notice the same of the server.
pub(crate) fn of_client(keepalive: &Keepalive) -> Vec<(&'static str, String)> {
    let mut settings = vec![("client_connection_check_interval", "2s".to_owned())];
    if keepalive.on {
        let Keepalive { idle, interval, retries, .. } = keepalive;
        let unanswered = idle.saturating_add(interval.saturating_mul(*retries));
        // Zero is the system's own choice, whose end is not known here.
        let is_known = !idle.is_zero() && !interval.is_zero() && *retries > 0;
        let unanswered = if is_known { unanswered.as_millis() } else { 0 };
        settings.extend([
            ("tcp_keepalives_idle", within_bounds(idle.as_secs().into())),
            ("tcp_keepalives_interval", within_bounds(interval.as_secs().into())),
            ("tcp_keepalives_count", within_bounds((*retries).into())),
            ("tcp_user_timeout", within_bounds(unanswered)),
        ]);
    }
    settings
}

/// No larger than the server takes it.
fn within_bounds(number: u128) -> String {
    number.min(2_147_483_647).to_string()
}

/// The settings that every migration starts from, whatever the server, the database or the role have set.
pub(crate) fn settings(schema: Option<&str>) -> Vec<(&'static str, String)> {
    let path = schema.map_or_else(|| "\"$user\",public".to_owned(), identifier);
    let fixed = [
        ("client_encoding", "UTF8"),
        ("DateStyle", "ISO,MDY"),
        ("IntervalStyle", "postgres"),
        ("TimeZone", "UTC"),
        ("bytea_output", "hex"),
        ("xmloption", "content"),
        ("extra_float_digits", "1"),
        ("standard_conforming_strings", "on"),
        ("check_function_bodies", "on"),
        ("transform_null_equals", "off"),
        ("default_transaction_isolation", "read committed"),
        ("default_transaction_deferrable", "off"),
        ("statement_timeout", "0"),
        ("lock_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
    ];
    let fixed = fixed.into_iter().map(|(name, value)| (name, value.to_owned()));
    [("search_path", path)].into_iter().chain(fixed).collect()
}

/// The settings as a part of the startup packet: they cost no round trip, and are what RESET goes back to.
pub(crate) fn startup_options(settings: &[(&str, String)], given: Option<&str>) -> String {
    let mut options = String::new();
    for (name, value) in settings {
        // What the packet says by itself need not be said twice.
        if *name != "client_encoding" {
            let value: String = value.chars().flat_map(escaped).collect();
            options += &format!("-c {name}={value} ");
        }
    }
    options + given.unwrap_or_default()
}

fn escaped(character: char) -> impl Iterator<Item = char> {
    let escape = (character.is_whitespace() || character == '\\').then_some('\\');
    escape.into_iter().chain([character])
}

/// The settings as statements.
pub(crate) fn set_statements(settings: &[(&str, String)]) -> String {
    statements("SET", settings)
}

/// The same until the end of the transaction, where the session is another client's next.
pub(crate) fn set_local(schema: Option<&str>) -> String {
    statements("SET LOCAL", &settings(schema))
}

fn statements(set: &str, settings: &[(&str, String)]) -> String {
    let one = |(name, value): &(&str, String)| match *name {
        // A list of names would become one name between quotes.
        "search_path" => format!("{set} search_path = {value}; "),
        name => format!("{set} {name} = {}; ", literal(value)),
    };
    settings.iter().map(one).collect()
}

/// Sent in one message with COMMIT where the session is another client's next: takes away what the migration has set.
/// Prepared statements and locks of the session may be others'.
pub(crate) const LEAVE_NOTHING: &str = "; RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; CLOSE ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES";

/// Behind a claim, whose row has moved the history's own sequence: `lastval()` is as undefined as at the start.
pub(crate) const FORGET_SEQUENCES: &str = "; DISCARD SEQUENCES";

/// What puts everything back inside a transaction in such a session.
pub(crate) fn restore_local(schema: Option<&str>) -> String {
    format!("ROLLBACK{LEAVE_NOTHING}; {}", set_local(schema))
}

/// Puts everything back that a migration may have set. Our own advisory lock stays, which DISCARD ALL would free.
pub(crate) fn restore() -> String {
    format!("ROLLBACK{LEAVE_NOTHING}; {}", crate::waits::endless())
}

/// Goes ahead of a write to the history after a migration's statements, which may have set these.
///
/// They hold until the end of the transaction, so that what the migration set lives on behind a cut. The time that the rest
/// of them have comes first. The path stays: a look at what the next statement names goes by it.
const ON_OUR_OWN: &str = "SET LOCAL session_authorization TO DEFAULT; SET LOCAL role TO DEFAULT; \
                          SET LOCAL lock_timeout = 0; SET LOCAL row_security TO DEFAULT; ";
const IN_ANY_TIME: &str = "SET LOCAL statement_timeout = 0; ";
/// The same on servers that know it.
const TRANSACTION_IN_ANY_TIME: &str = "SET LOCAL transaction_timeout = 0; ";
const KNOWS_TRANSACTION_TIMEOUT: u32 = 17;

/// Comes before everything that reads in a transaction of such a write's own.
const READ_WRITE: &str = "SET LOCAL transaction_read_only = off; ";

/// What a write to the history needs put right after a migration's statements, on a server of this version. It stands in a
/// transaction of theirs, or in one of its own, in one message with it.
pub(crate) fn on_our_own(version: &str, inside: bool) -> String {
    let major = version.split(|c: char| !c.is_ascii_digit()).next().and_then(|major| major.parse().ok());
    let read_write = if inside { "" } else { READ_WRITE };
    let time = if major >= Some(KNOWS_TRANSACTION_TIMEOUT) { TRANSACTION_IN_ANY_TIME } else { "" };
    format!("{IN_ANY_TIME}{read_write}{time}{ON_OUR_OWN}")
}

/// Sent ahead of such a write, on its own, where it is not plain ASCII: this side always speaks UTF-8.
pub(crate) const READ_AS_UTF8: &str = "SET client_encoding = 'UTF8'";
/// The same until the end of the transaction.
pub(crate) const READ_AS_UTF8_HERE: &str = "SET LOCAL client_encoding = 'UTF8'";

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn startup_options_escape_what_would_end_a_value() {
        let settings = [("search_path", "\"my \\ schema\"".to_owned())];
        let options = startup_options(&settings, Some("-c geqo=off"));
        assert_eq!(options, "-c search_path=\"my\\ \\\\\\ schema\" -c geqo=off");
    }

    #[test]
    fn the_server_has_the_patience_that_this_side_has() {
        let seconds = Duration::from_secs;
        let keepalive = Keepalive { on: true, idle: seconds(60), interval: seconds(10), retries: 6 };
        let values = |keepalive: &Keepalive| -> Vec<String> {
            of_client(keepalive).into_iter().skip(1).map(|(_, value)| value).collect()
        };
        assert_eq!(values(&keepalive), ["60", "10", "6", "120000"]);
        let endless = Keepalive { idle: Duration::MAX, ..keepalive.clone() };
        assert_eq!(values(&endless), ["2147483647", "10", "6", "2147483647"]);
        let of_system = Keepalive { interval: Duration::ZERO, ..keepalive.clone() };
        assert_eq!(values(&of_system), ["60", "0", "6", "0"]);
        assert_eq!(of_client(&Keepalive { on: false, ..keepalive }).len(), 1);
    }

    #[test]
    fn a_server_is_told_only_of_settings_that_it_knows() {
        for (version, knows) in [("18.4 (Debian)", true), ("17devel", true), ("14.23", false), ("", false)] {
            assert_eq!(on_our_own(version, true).contains("transaction_timeout"), knows, "{version}");
        }
        assert!(
            on_our_own("14", false)
                .starts_with("SET LOCAL statement_timeout = 0; SET LOCAL transaction_read_only")
        );
    }

    #[test]
    fn grouping_leaves_the_lock_table_room() {
        assert_eq!(grouping(6400), Grouping::UpTo(800));
        assert_eq!(grouping(0), Grouping::UpTo(1));
    }
}
