//! Sessions: the tables in which the server lists them, and the transactions that they have open.

use crate::MySql;
use crate::dialect::numbers;
use windlass_core::driver::Product;

/// Where sessions are listed, as far as the account may see them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sessions {
    /// The table.
    pub(crate) list: &'static str,
    /// Their open transactions: `id` of the session, and when one `started`, in the session's time zone, which is UTC.
    pub(crate) transactions: &'static str,
}

/// On MySQL `information_schema.processlist` and `innodb_trx` are refused altogether (3854) while any session runs a text
/// with a letter beyond the first 65,536: an emoji will do.
const OF_ANY_LETTERS: Sessions = Sessions {
    list: "performance_schema.processlist",
    transactions: "(SELECT s.processlist_id AS id, UTC_TIMESTAMP() - INTERVAL (e.timer_wait DIV 1000000) MICROSECOND AS started \
         FROM performance_schema.events_transactions_current AS e JOIN performance_schema.threads AS s \
         ON s.thread_id = e.thread_id WHERE e.state = 'ACTIVE')",
};

/// MariaDB shows question marks in place of such letters.
const OF_FEW_LETTERS: Sessions = Sessions {
    list: "information_schema.processlist",
    transactions: "(SELECT trx_mysql_thread_id AS id, trx_started AS started FROM information_schema.innodb_trx)",
};

impl MySql<'_> {
    /// The tables that list them. A MySQL without performance schema has only the poorer ones.
    pub(crate) fn sessions(&self) -> Sessions {
        // It has a list there since 8.0.22.
        let is_old = numbers(&self.capabilities.version) < (8, 0, 22);
        let is_off = self.session.as_ref().is_some_and(|session| !session.has_performance_schema);
        match self.capabilities.product {
            Product::MySql if !is_old && !is_off => OF_ANY_LETTERS,
            _ => OF_FEW_LETTERS,
        }
    }
}
