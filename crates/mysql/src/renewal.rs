//! Renewal: the session after a migration that may have changed anything in it, made as it was for the first one.
//!
//! A session of windlass's own is begun anew: nothing else takes away temporary tables and user variables of which the
//! text tells nothing, and every setting there is. The lock goes with the old one and is taken again at once: whoever
//! slips in between is another deployer at work, as the claims would tell too. An application's session is to keep
//! what is the application's: there all settings are read, and those that are other than they were are set again.

use crate::MySql;
use crate::lock::is_acquired;
use windlass_core::driver::{Cause, DriverError};

/// Seconds that the lock is waited for: the server may see the old session end a little later.
const LOCK_SECONDS: u32 = 3;

/// No other format of the binary log may be chosen while temporary tables stand, as an application's may.
const TEMPORARY_TABLES: [u16; 2] = [3745, 1559];

/// What makes the binary log hold a row whole, whatever of it it holds already.
const WHOLE_ROWS: [&str; 2] = ["SET SESSION binlog_row_image = 'FULL'", "SET SESSION binlog_format = 'ROW'"];

/// What ends that.
const ROWS_AS_USUAL: [&str; 2] =
    ["SET SESSION binlog_row_image = DEFAULT", "SET SESSION binlog_format = DEFAULT"];

impl MySql<'_> {
    /// With `unlogged`, what was written of the history may not have been logged: it is written once more.
    pub(crate) async fn renew(&mut self, unlogged: bool) -> Result<(), Cause> {
        let has_lock = match self.transport.is_lent() {
            true => self.set_again_what_moved().await.map(|()| true)?,
            false => self.begin_anew().await?,
        };
        if unlogged {
            self.log_rows().await?;
        }
        has_lock.then_some(()).ok_or(Cause::ClaimTaken)
    }

    /// Whether the lock, if it was held, is held again.
    async fn begin_anew(&mut self) -> Result<bool, DriverError> {
        let role = format!("SET ROLE {}", self.session().await?.role);
        self.transport.renew().await?;
        if !self.is_locked {
            return self.begin_session(vec![role]).await.map(|_| true);
        }
        let sets = self.begin_session(vec![self.lock_again(LOCK_SECONDS), role]).await?;
        self.is_locked = is_acquired(sets.first().and_then(|rows| rows.first()?.first()?.as_deref()))?;
        Ok(self.is_locked)
    }

    async fn log_rows(&mut self) -> Result<(), DriverError> {
        let Some(touch) = self.owner.as_ref().map(|owner| self.table.touch(owner)) else { return Ok(()) };
        for statement in WHOLE_ROWS.into_iter().chain([&*touch]).chain(ROWS_AS_USUAL) {
            self.forgiving(statement, &TEMPORARY_TABLES).await?;
        }
        Ok(())
    }
}
