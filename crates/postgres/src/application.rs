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

/// A session of windlass's own.
#[async_trait]
impl<'d, 'c: 'd> Database<'d, Postgres<'d>> for &'d mut Postgres<'c> {
    async fn session(self) -> Result<Box<dyn Driver + 'd>, DriverError> {
        Ok(Box::new(self))
    }
}
