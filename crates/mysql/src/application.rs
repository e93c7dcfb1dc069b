//! What migrations can be deployed to with MySQL and MariaDB.

use crate::MySql;
use async_trait::async_trait;
use mysql_async::{Conn, Pool};
use windlass_core::application::{Database, Driver, DriverError};

/// An application's connection. Close it where a future was dropped; see [`MySql::borrow`].
#[async_trait]
impl<'d> Database<'d, MySql<'d>> for &'d mut Conn {
    async fn session(self) -> Result<Box<dyn Driver + 'd>, DriverError> {
        Ok(Box::new(MySql::borrow(self).await?))
    }
}

/// A pool, of which one connection is used. It goes back as it was, or is closed where the future was dropped.
#[async_trait]
impl<'d> Database<'d, MySql<'d>> for &'d Pool {
    async fn session(self) -> Result<Box<dyn Driver + 'd>, DriverError> {
        Ok(Box::new(MySql::from_pool(self).await?))
    }
}

/// A session of windlass's own. Where a future was dropped, drop the session too: it is closed, and the server ends what
/// it runs there.
#[async_trait]
impl<'d, 'c: 'd> Database<'d, MySql<'d>> for &'d mut MySql<'c> {
    async fn session(self) -> Result<Box<dyn Driver + 'd>, DriverError> {
        self.settle().await?;
        Ok(Box::new(self))
    }
}

/// A pool of sqlx: the deploy has a connection of its own, beside those of the pool. A future that is dropped closes
/// it, and has the server end what it runs.
#[cfg(feature = "sqlx")]
#[async_trait]
impl<'d> Database<'d, MySql<'d>> for &'d sqlx::MySqlPool {
    async fn session(self) -> Result<Box<dyn Driver + 'd>, DriverError> {
        Ok(Box::new(MySql::beside_pool(self).await?))
    }
}

/// A connection of sqlx, also one that a pool lends: `&mut *connection`. Close it where a future was dropped; see
/// [`MySql::borrow_sqlx`].
#[cfg(feature = "sqlx")]
#[async_trait]
impl<'d> Database<'d, MySql<'d>> for &'d mut sqlx::MySqlConnection {
    async fn session(self) -> Result<Box<dyn Driver + 'd>, DriverError> {
        Ok(Box::new(MySql::borrow_sqlx(self).await?))
    }
}
