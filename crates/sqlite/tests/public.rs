//! What the guidelines for APIs ask of public types, held by the compiler.

use std::error::Error;
use std::time::Duration;
use windlass_sqlite as sqlite;
use windlass_sqlite::rusqlite::Connection;

fn can_be_shared<T: Send + Sync + 'static>() {}
fn is_an_error<T: Error + Send + Sync + 'static>() {}
fn is_data<T: Clone + std::fmt::Debug + Eq>() {}
fn begins_empty<T: Clone + Default + std::fmt::Debug>() {}
fn can_be_sent<T: Send>(_: T) {}

#[test]
fn types_cross_threads() {
    can_be_shared::<sqlite::Options>();
    can_be_shared::<sqlite::Migrations>();
    can_be_shared::<sqlite::RustMigrations>();
    can_be_shared::<sqlite::Report>();
    can_be_shared::<sqlite::Outlook<'static>>();
    can_be_shared::<sqlite::Verdict>();
    can_be_shared::<sqlite::DriftVerdict>();
    can_be_shared::<sqlite::History>();
    can_be_shared::<sqlite::StatusLine>();
    can_be_shared::<sqlite::Holder>();
    can_be_shared::<sqlite::Pattern>();
    can_be_shared::<sqlite::Stop>();
}

#[test]
fn settings_can_be_copied_compared_and_shown() {
    is_data::<sqlite::Options>();
    is_data::<sqlite::UrlError>();
    begins_empty::<sqlite::RustMigrations>();
}

#[test]
fn errors_can_be_boxed_and_sent() {
    is_an_error::<sqlite::Blocked>();
    is_an_error::<sqlite::ConnectError>();
    is_an_error::<sqlite::DeployError>();
    is_an_error::<sqlite::DriverError>();
    is_an_error::<sqlite::ResolveFailure>();
    is_an_error::<sqlite::SourceError>();
    is_an_error::<sqlite::UnlockError>();
    is_an_error::<sqlite::UrlError>();
    is_an_error::<sqlite::VerifyError>();
    is_an_error::<sqlite::WaitError>();
    is_an_error::<sqlite::testing::MigratedFileError>();
}

#[test]
fn sessions_and_futures_can_be_sent() {
    let migrations = sqlite::Migrations::from_scripts([("1_a", "CREATE TABLE a (id int)")]).unwrap();
    let mut connection = Connection::open_in_memory().unwrap();
    can_be_sent(sqlite::Sqlite::borrow(&mut connection));
    can_be_sent(sqlite::futures::deploy(&mut connection, &migrations));
    can_be_sent(sqlite::futures::verify(&mut connection, &migrations));
    can_be_sent(sqlite::futures::wait_until_current(&mut connection, &migrations, Duration::ZERO));
    can_be_sent(sqlite::futures::status(&mut connection, &migrations));
    can_be_sent(sqlite::futures::plan(&mut connection, &migrations));
    can_be_sent(sqlite::futures::history(&mut connection));
    can_be_sent(sqlite::Deploy::new(&migrations).run(&mut connection));
}
