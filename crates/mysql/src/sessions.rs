//! Sessions: the table in which the server lists them.

use crate::MySql;
use crate::dialect::numbers;
use windlass_core::driver::Product;

/// Lists them whatever letters stand in what they run. On MySQL `information_schema.processlist` is refused altogether
/// (3854) while any session runs a text with a letter beyond the first 65,536: an emoji will do.
const OF_ANY_LETTERS: &str = "performance_schema.processlist";
/// On MariaDB it shows question marks in place of such a letter.
const OF_FEW_LETTERS: &str = "information_schema.processlist";

impl MySql<'_> {
    /// The table that lists sessions, as far as the account may see them. A server without
    /// performance schema has the poorer one.
    pub(crate) fn sessions(&self) -> &'static str {
        // MySQL has it since 8.0.22.
        let is_old = numbers(&self.capabilities.version) < (8, 0, 22);
        let is_left_out = self.session.as_ref().is_some_and(|session| !session.has_performance_schema);
        match self.capabilities.product {
            Product::MariaDb => OF_FEW_LETTERS,
            _ if is_old || is_left_out => OF_FEW_LETTERS,
            _ => OF_ANY_LETTERS,
        }
    }
}
