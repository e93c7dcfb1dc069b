//! What the guidelines for APIs ask of public types, held by the compiler.

use std::error::Error;
use std::time::Duration;
use windlass_mysql as mysql;
use windlass_mysql::mysql_async::{Conn, Pool};

fn can_be_shared<T: Send + Sync + 'static>() {}
fn is_an_error<T: Error + Send + Sync + 'static>() {}
fn is_data<T: Clone + std::fmt::Debug + Eq>() {}
fn begins_empty<T: Clone + Default + std::fmt::Debug>() {}
fn is_one_of_a_few<T: Copy + std::fmt::Debug + Eq + std::hash::Hash>() {}
fn can_be_sent(_: impl Future + Send) {}

#[test]
fn types_cross_threads() {
    can_be_shared::<mysql::Options>();
    can_be_shared::<mysql::Migrations>();
    can_be_shared::<mysql::RustMigrations>();
    can_be_shared::<mysql::Report>();
    can_be_shared::<mysql::Outlook<'static>>();
    can_be_shared::<mysql::Verdict>();
    can_be_shared::<mysql::DriftVerdict>();
    can_be_shared::<mysql::History>();
    can_be_shared::<mysql::StatusLine>();
    can_be_shared::<mysql::Holder>();
    can_be_shared::<mysql::Pattern>();
    can_be_shared::<mysql::Stop>();
    can_be_shared::<mysql::MySql<'static>>();
}

#[test]
fn settings_can_be_copied_compared_and_shown() {
    is_data::<mysql::Options>();
    is_data::<mysql::UrlError>();
    begins_empty::<mysql::RustMigrations>();
    is_one_of_a_few::<mysql::SslMode>();
}

#[test]
fn errors_can_be_boxed_and_sent() {
    is_an_error::<mysql::Blocked>();
    is_an_error::<mysql::ConnectError>();
    is_an_error::<mysql::DeployError>();
    is_an_error::<mysql::DriverError>();
    is_an_error::<mysql::ResolveFailure>();
    is_an_error::<mysql::SourceError>();
    is_an_error::<mysql::UnlockError>();
    is_an_error::<mysql::UrlError>();
    is_an_error::<mysql::VerifyError>();
    is_an_error::<mysql::WaitError>();
}

/// Only compiled: there is no server here.
#[test]
fn futures_can_be_sent() {
    let _: fn(&mut Conn, &Pool, &mysql::Migrations) = |conn, pool, migrations| {
        can_be_sent(mysql::deploy(&mut *conn, migrations));
        can_be_sent(mysql::deploy(pool, migrations));
        can_be_sent(mysql::verify(pool, migrations));
        can_be_sent(mysql::wait_until_current(pool, migrations, Duration::ZERO));
        can_be_sent(mysql::status(pool, migrations));
        can_be_sent(mysql::plan(pool, migrations));
        can_be_sent(mysql::doctor(pool, migrations));
        can_be_sent(mysql::history(pool));
        can_be_sent(mysql::drift(pool, migrations, &[]));
        can_be_sent(mysql::accept_drift(pool, "an example"));
        can_be_sent(mysql::lock_holder(pool));
        can_be_sent(mysql::baseline(pool, migrations, "1"));
        can_be_sent(mysql::resolve(pool, migrations, mysql::Resolution::Applied, "1", "an example"));
        can_be_sent(mysql::Deploy::new(migrations).dry_run(pool));
        can_be_sent(mysql::Deploy::new(migrations).run(pool));
    };
}
