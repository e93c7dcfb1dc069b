//! Settings: the state every migration starts from, whatever ran before in the session.
//!
//! The server's own defaults hold, because that is what the histories of other tools were run with.
//! Pinned against them are the few that decide what a script means or whether it ever ends:
//! `ANSI_QUOTES` and `NO_BACKSLASH_ESCAPES` (and the modes that imply them) are off, because scripts are
//! split by the rules without them; foreign keys and unique keys are checked; every statement commits, and no commit
//! begins another transaction or ends the session; no query is refused for the rows that it reads; a metadata lock is waited for one minute, where MySQL's default is a year; no statement times out, and
//! neither does a session that pauses;
//! text is utf8mb4, compared as the database compares it where that is utf8mb4 too.
//!
//! Temporary tables and user variables cannot be listed: `leftovers` notes their names. What else a migration may
//! have set goes with its session: see `renewal`.

use crate::history::identifier;
use windlass_core::driver::Product;
use windlass_core::sql::modes::LEXICAL_MODES;

/// Seconds that a statement waits for a metadata lock.
const LOCK_WAIT_SECONDS: u32 = 60;

/// Seconds that a session may idle: while it waits for others, or for its own turn.
const IDLE_SECONDS: u32 = 28_800;

/// Limits how long statements wait for locks, in whole seconds: no longer than was asked, but for the first one.
pub(crate) fn limit_waits(limit: std::time::Duration) -> String {
    let seconds = limit.as_secs().clamp(1, 31_536_000);
    format!("SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}")
}

/// Puts that back to what holds for every migration.
pub(crate) fn unlimit_waits() -> String {
    format!("SET SESSION lock_wait_timeout = {LOCK_WAIT_SECONDS}, innodb_lock_wait_timeout = DEFAULT")
}

/// Settings that return to the server's default: those that any account may set.
const DEFAULTS: [&str; 10] = [
    "time_zone",
    "timestamp",
    "sql_notes",
    "sql_safe_updates",
    "sql_auto_is_null",
    "group_concat_max_len",
    "default_storage_engine",
    "innodb_lock_wait_timeout",
    "lc_time_names",
    "div_precision_increment",
];

/// Statements that make the session as a migration expects it, one by one.
pub(crate) fn pin(product: Product, database: &str) -> [String; 3] {
    [format!("USE {}", identifier(database)), "SET NAMES utf8mb4".to_owned(), set(product)]
}

/// Statements that end whatever a migration left open, and pin the settings again.
pub(crate) fn restore(product: Product, database: &str) -> [String; 5] {
    let [use_database, names, set] = pin(product, database);
    ["ROLLBACK".to_owned(), "UNLOCK TABLES".to_owned(), use_database, names, set]
}

/// What goes before and after a write of our own, while what a migration has set is to stay as it is.
///
/// The write may be made, and takes the time from `SYSDATE`, which `SET timestamp` does not stop; that
/// tells the time of the session's zone. The clock itself is left alone: the server does not tell whether
/// it stands still, so that could not be put back.
pub(crate) fn around_own_write(product: Product) -> [String; 2] {
    let read_only = match product {
        Product::MariaDb => "tx_read_only",
        _ => "transaction_read_only",
    };
    [
        format!(
            "SET @_windlass_zone = @@SESSION.time_zone, @_windlass_read_only = @@SESSION.{read_only}, \
             SESSION time_zone = '+00:00', SESSION {read_only} = 0"
        ),
        format!("SET SESSION time_zone = @_windlass_zone, SESSION {read_only} = @_windlass_read_only"),
    ]
}

fn set(product: Product) -> String {
    let mode = LEXICAL_MODES
        .iter()
        .fold("@@GLOBAL.sql_mode".to_owned(), |mode, name| format!("REPLACE({mode}, '{name}', '')"));
    let (isolation, timeout) = match product {
        Product::MariaDb => (
            "tx_isolation = DEFAULT, tx_read_only = DEFAULT",
            "max_statement_time = 0 /*M!100300 , idle_transaction_timeout = 0, idle_write_transaction_timeout = 0, \
             idle_readonly_transaction_timeout = 0 */",
        ),
        _ => ("transaction_isolation = DEFAULT, transaction_read_only = DEFAULT", "max_execution_time = 0"),
    };
    let defaults = DEFAULTS.map(|name| format!("{name} = DEFAULT")).join(", ");
    format!(
        "SET SESSION wait_timeout = {IDLE_SECONDS}, autocommit = 1, completion_type = 'NO_CHAIN', sql_select_limit = 18446744073709551615, sql_big_selects = 1, foreign_key_checks = 1, unique_checks = 1, sql_mode = {mode}, {defaults}, \
         lock_wait_timeout = {LOCK_WAIT_SECONDS}, {isolation}, {timeout}, \
         collation_connection = IF(@@character_set_database = 'utf8mb4', @@collation_database, @@collation_connection)"
    )
}
