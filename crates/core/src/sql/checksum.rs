//! Checksums that survive re-indenting: a digest over tokens instead of bytes.

use super::Dialect;
use super::split::SplitError;

/// The token checksum of a whole script, `t1:` and 64 hexadecimal digits.
///
/// # Errors
/// When the script cannot be split into statements.
pub fn token_checksum(_dialect: Dialect, _script: &str) -> Result<String, SplitError> {
    Ok(String::new())
}

/// The token checksum of one statement, by the same algorithm.
pub fn statement_checksum(_dialect: Dialect, _statement: &str) -> String {
    String::new()
}
