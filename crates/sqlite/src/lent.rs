//! Connections of sqlx: the same SQLite handle, which sqlx's own thread leaves alone while it is lent.
//!
//! There is one SQLite in a program, whichever crate speaks to it: what is known of it stays where it is.

use rusqlite::Connection;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{LockedSqliteHandle, SqliteConnection, SqlitePool};
use std::fmt;
use windlass_core::driver::DriverError;

/// A handle of sqlx's, seen through rusqlite. Fields are dropped in their order: the lock outlives what uses the
/// handle, and the pool's connection outlives the lock.
pub(crate) struct Lent<'c> {
    connection: Connection,
    _lock: LockedSqliteHandle<'c>,
    _pooled: Option<Box<PoolConnection<sqlx::Sqlite>>>,
}

impl<'c> Lent<'c> {
    pub(crate) async fn borrowed(connection: &'c mut SqliteConnection) -> Result<Self, DriverError> {
        Self::locked(connection.lock_handle().await.map_err(lost)?, None)
    }

    pub(crate) async fn from_pool(pool: &SqlitePool) -> Result<Lent<'static>, DriverError> {
        let mut pooled = Box::new(pool.acquire().await.map_err(lost)?);
        let lock = pooled.lock_handle().await.map_err(lost)?;
        // SAFETY: the lock points into what the boxed connection owns and does not move; both are kept together,
        // and the lock is dropped first.
        #[allow(unsafe_code)]
        let lock =
            unsafe { std::mem::transmute::<LockedSqliteHandle<'_>, LockedSqliteHandle<'static>>(lock) };
        Lent::locked(lock, Some(pooled))
    }

    fn locked(
        mut lock: LockedSqliteHandle<'c>,
        pooled: Option<Box<PoolConnection<sqlx::Sqlite>>>,
    ) -> Result<Self, DriverError> {
        let handle = lock.as_raw_handle().as_ptr();
        // SAFETY: the handle is open, nobody else uses it while the lock is held, and rusqlite does not close it.
        #[allow(unsafe_code)]
        let connection = unsafe { Connection::from_handle(handle) };
        let connection = connection.map_err(|error| crate::refused(&error))?;
        Ok(Self { connection, _lock: lock, _pooled: pooled })
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl fmt::Debug for Lent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lent").field(&self.connection).finish()
    }
}

/// There is no connection to be had.
fn lost(error: sqlx::Error) -> DriverError {
    DriverError::Lost(error.to_string())
}
