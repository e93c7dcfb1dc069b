//! What migrations can be deployed to with PostgreSQL.

use crate::Postgres;
use async_trait::async_trait;
use tokio_postgres::Client;
use windlass_core::application::Database;
use windlass_core::driver::{Driver, DriverError};

/// A client, whether it stands by itself or comes from a pool: `&mut *client` with bb8, `&mut **client` with deadpool.
#[async_trait]
impl<'d> Database<'d, Postgres<'d>> for &'d mut Client {
    async fn session(self) -> Result<Box<dyn Driver + 'd>, DriverError> {
        Ok(Box::new(Postgres::borrow(self)))
    }
}

/// A session of windlass's own. Where a future was dropped, drop the session too: it is closed, and the server stops what
/// it runs there.
#[async_trait]
impl<'d, 'c: 'd> Database<'d, Postgres<'d>> for &'d mut Postgres<'c> {
    async fn session(self) -> Result<Box<dyn Driver + 'd>, DriverError> {
        self.settle().await?;
        Ok(Box::new(self))
    }
}

/// A pool of sqlx: the deploy has a connection of its own, beside those of the pool. A future that is dropped closes
/// it, and has the server stop what it runs.
#[cfg(feature = "sqlx")]
#[async_trait]
impl<'d> Database<'d, Postgres<'d>> for &'d sqlx::PgPool {
    async fn session(self) -> Result<Box<dyn Driver + 'd>, DriverError> {
        Ok(Box::new(Postgres::beside_pool(self).await?))
    }
}

/// A connection of sqlx, also one that a pool lends: `&mut *connection`. Where a future was dropped, the next call on it
/// gives it back first; see [`Postgres::borrow_sqlx`].
#[cfg(feature = "sqlx")]
#[async_trait]
impl<'d> Database<'d, Postgres<'d>> for &'d mut sqlx::PgConnection {
    async fn session(self) -> Result<Box<dyn Driver + 'd>, DriverError> {
        let mut lent = Postgres::borrow_sqlx(self);
        lent.settle().await?;
        Ok(Box::new(lent))
    }
}
