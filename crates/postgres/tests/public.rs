//! What the guidelines for APIs ask of public types, held by the compiler.

use std::error::Error;
use windlass_postgres as postgres;

fn can_be_shared<T: Send + Sync + 'static>() {}
fn is_an_error<T: Error + Send + Sync + 'static>() {}
fn is_data<T: Clone + std::fmt::Debug + Eq>() {}
fn begins_empty<T: Clone + Default + std::fmt::Debug>() {}
fn is_one_of_a_few<T: Copy + std::fmt::Debug + Eq + std::hash::Hash>() {}

#[test]
fn types_cross_threads() {
    can_be_shared::<postgres::Options>();
    can_be_shared::<postgres::Migrations>();
    can_be_shared::<postgres::RustMigrations>();
    can_be_shared::<postgres::Report>();
    can_be_shared::<postgres::Outlook<'static>>();
    can_be_shared::<postgres::Verdict>();
    can_be_shared::<postgres::DriftVerdict>();
    can_be_shared::<postgres::History>();
    can_be_shared::<postgres::StatusLine>();
    can_be_shared::<postgres::Holder>();
    can_be_shared::<postgres::Pattern>();
    can_be_shared::<postgres::Stop>();
    can_be_shared::<postgres::testing::TestDatabase>();
    can_be_shared::<postgres::Postgres<'static>>();
}

#[test]
fn settings_can_be_copied_compared_and_shown() {
    is_data::<postgres::Options>();
    is_data::<postgres::UrlError>();
    begins_empty::<postgres::RustMigrations>();
    is_one_of_a_few::<postgres::SslMode>();
}

#[test]
fn errors_can_be_boxed_and_sent() {
    is_an_error::<postgres::Blocked>();
    is_an_error::<postgres::ConnectError>();
    is_an_error::<postgres::DeployError>();
    is_an_error::<postgres::DriverError>();
    is_an_error::<postgres::ResolveFailure>();
    is_an_error::<postgres::SourceError>();
    is_an_error::<postgres::TlsError>();
    is_an_error::<postgres::UnlockError>();
    is_an_error::<postgres::UrlError>();
    is_an_error::<postgres::VerifyError>();
    is_an_error::<postgres::WaitError>();
    is_an_error::<postgres::testing::TestDatabaseError>();
}
