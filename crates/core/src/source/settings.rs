//! Settings that stand in a file beside the script: diesel's `metadata.toml`, Flyway's `….sql.conf`.

use super::SourceError;
use crate::migration::TransactionMode;

/// The transaction mode that a file of settings asks for.
///
/// Both formats write the few settings they have as `key = value`, one a line.
pub(super) fn transaction_mode(path: &str, text: &str) -> Result<TransactionMode, SourceError> {
    let mut mode = TransactionMode::Automatic;
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some((key, value)) = line.split_once('=') else { continue };
        let unknown = |expected| SourceError::UnknownSetting {
            path: path.into(),
            line: number,
            found: line.to_owned(),
            expected,
        };
        match (key.trim(), value.trim()) {
            ("run_in_transaction" | "executeInTransaction", "true") => mode = TransactionMode::Automatic,
            ("run_in_transaction" | "executeInTransaction", "false") => mode = TransactionMode::Off,
            ("run_in_transaction" | "executeInTransaction", _) => return Err(unknown("it is true or false")),
            // To run what such a setting holds back would be worse than not to run at all.
            ("shouldExecute", value) if value != "true" => {
                return Err(unknown("take the script out of the folder instead"));
            }
            ("encoding", value) if !matches!(&*value.to_ascii_lowercase(), "utf-8" | "utf8" | "us-ascii") => {
                return Err(unknown("scripts are UTF-8"));
            }
            _ => {}
        }
    }
    Ok(mode)
}
