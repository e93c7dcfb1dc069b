//! Connecting: what is encrypted and trusted, and what is told when there is no session.

use crate::support::*;
use std::path::PathBuf;
use windlass_core::driver::Driver as _;
use windlass_postgres::{ConnectError, Nothing, Options, Postgres};

crate::on_servers!(
    wrong_password_database_and_place_are_told_apart,
    a_missing_database_can_be_created,
    a_missing_database_can_be_created_by_several_at_once,
    the_mode_decides_what_is_encrypted_and_checked,
    the_next_host_is_tried,
    the_kind_of_server_is_looked_at,
    a_stop_is_asked_for_over_tls,
);

fn authorities() -> PathBuf {
    std::env::var("WINDLASS_TEST_CA_FILE").expect("WINDLASS_TEST_CA_FILE is not set").into()
}

async fn try_connect(url: &str) -> Result<Postgres<'static>, ConnectError> {
    Postgres::connect(&options(url)).await
}

async fn wrong_password_database_and_place_are_told_apart(database: Database) {
    let url = database.url();
    let (_, rest) = url.split_once('@').unwrap();
    let error = try_connect(&format!("postgres://postgres:hunter2@{rest}")).await.unwrap_err();
    assert!(matches!(error, ConnectError::WrongPassword { .. }), "{error:?}");
    assert!(!format!("{error:?}{error}").contains("hunter2"));
    let error = try_connect(&format!("postgres://postgres@{rest}")).await.unwrap_err();
    assert!(matches!(error, ConnectError::NoPassword { .. }), "{error:?}");
    // A file that cannot be read as one.
    let folder = std::env::temp_dir();
    let error = try_connect(&format!("postgres://postgres@{rest}?passfile={}", folder.display())).await;
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains(&format!("the password file {} is not used", folder.display()))
    );
    let error = try_connect(&format!("{url}_not")).await.unwrap_err();
    assert!(
        matches!(&error, ConnectError::MissingDatabase { database, .. } if database.ends_with("_not")),
        "{error:?}"
    );
    let error = try_connect("postgres://a:b@127.0.0.1:1,127.0.0.1:2/c").await.unwrap_err();
    assert!(
        matches!(&error, ConnectError::Unreachable { place, .. } if place == "127.0.0.1:1,127.0.0.1:2"),
        "{error:?}"
    );
    let error = try_connect("postgres://a:b@no.such.host.invalid/c").await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    let error = try_connect(&format!("{url}?options=-c%20nonsense%3D1")).await.unwrap_err();
    assert!(matches!(error, ConnectError::Refused { .. }), "{error:?}");
    // A password file, where neither the URL nor the environment has a password.
    let file = tempfile::NamedTempFile::new().unwrap();
    let (login, _) = url.split_once('@').unwrap();
    let password = login.rsplit_once(':').unwrap().1;
    std::fs::write(file.path(), format!("*:*:{}:postgres:{password}\n", database.name)).unwrap();
    let path = file.path().display().to_string();
    let given = |name: &str| (name == "PGPASSFILE").then(|| path.clone());
    let options = Options::parse_with(&format!("postgres://postgres@{rest}"), &given).unwrap();
    Postgres::connect(&options).await.unwrap();
}

async fn a_missing_database_can_be_created(database: Database) {
    let name = format!("{}_new", database.name);
    let options = options(&database.url().replace(&database.name, &name));
    Postgres::create_database(&options).await.unwrap();
    Postgres::create_database(&options).await.unwrap();
    drop(Postgres::connect(&options).await.unwrap());
    database.sql(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
}

async fn a_missing_database_can_be_created_by_several_at_once(database: Database) {
    for round in 0..4 {
        let name = format!("{}_new_{round}", database.name);
        let options = options(&database.url().replace(&database.name, &name));
        let creators: Vec<_> = (0..8)
            .map(|_| {
                let options = options.clone();
                tokio::spawn(async move { Postgres::create_database(&options).await })
            })
            .collect();
        for creator in creators {
            creator.await.unwrap().unwrap();
        }
        database.sql(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }
}

async fn the_mode_decides_what_is_encrypted_and_checked(database: Database) {
    let right = authorities().display().to_string();
    let wrong = tempfile::NamedTempFile::new().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    std::fs::write(wrong.path(), authority.self_signed(&key).unwrap().pem()).unwrap();
    let wrong = wrong.path().display().to_string();
    // The certificate names `localhost` and `127.0.0.1`; this is the same place under another name.
    let (named, unnamed) = ("127.0.0.1", "[::ffff:127.0.0.1]");
    let encrypted = [
        (named, "disable", None, Some(false)),
        (named, "allow", None, Some(false)),
        (named, "prefer", None, Some(true)),
        (unnamed, "require", None, Some(true)),
        (named, "require", Some(&wrong), None),
        (unnamed, "verify-ca", Some(&right), Some(true)),
        (named, "verify-ca", Some(&wrong), None),
        (named, "verify-full", Some(&right), Some(true)),
        ("localhost", "verify-full", Some(&right), Some(true)),
        (unnamed, "verify-full", Some(&right), None),
        (named, "verify-full", Some(&wrong), None),
        (named, "verify-full", None, None),
    ];
    for (host, mode, file, expected) in encrypted {
        let file = file.map(|file| format!("&sslrootcert={file}")).unwrap_or_default();
        let url = format!("{}?sslmode={mode}{file}", database.url_with(host));
        let found = match try_connect(&url).await {
            Ok(_driver) => {
                let sql = "SELECT bool_or(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                           WHERE application_name = 'windlass' AND datname = current_database() \
                           AND backend_start = (SELECT max(backend_start) FROM pg_stat_activity \
                           WHERE application_name = 'windlass' AND datname = current_database())";
                Some(database.value(sql).await == "t")
            }
            Err(ConnectError::Tls { .. } | ConnectError::TlsSettings(_)) => None,
            Err(error) => panic!("{mode} {host}: {error:?}"),
        };
        assert_eq!(found, expected, "{mode} {host} {file}");
    }
    let missing = format!("{}?sslmode=verify-ca&sslrootcert=/nonexistent.pem", database.url());
    assert!(matches!(try_connect(&missing).await.unwrap_err(), ConnectError::TlsSettings(_)));
}

async fn the_next_host_is_tried(database: Database) {
    let url = database.url_with("127.0.0.1:1,127.0.0.1");
    try_connect(&url).await.unwrap().head().await.unwrap();
}

async fn the_kind_of_server_is_looked_at(database: Database) {
    let url = database.url();
    for kind in ["any", "read-write", "primary", "prefer-standby"] {
        try_connect(&format!("{url}?target_session_attrs={kind}")).await.unwrap();
    }
    for kind in ["read-only", "standby"] {
        let error = try_connect(&format!("{url}?target_session_attrs={kind}")).await.unwrap_err();
        assert!(matches!(error, ConnectError::NoSuchTarget { .. }), "{kind}: {error:?}");
    }
}

async fn a_stop_is_asked_for_over_tls(database: Database) {
    struct Stops(std::sync::Arc<std::sync::atomic::AtomicBool>);
    impl windlass_core::driver::Watch for Stops {
        fn starts(&mut self, _: usize) {}
        fn ends(&mut self, _: usize) {}
        fn should_stop(&self) -> bool {
            self.0.load(std::sync::atomic::Ordering::SeqCst)
        }
    }
    let stops = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mut watch = Stops(stops.clone());
    let url = format!("{}?sslmode=verify-full&sslrootcert={}", database.url(), authorities().display());
    let mut driver = try_connect(&url).await.unwrap();
    let waiter = database.raw().await;
    let running = tokio::spawn(async move {
        let migration = migration();
        let steps = [windlass_core::plan::Step::Begin, execute(&migration, "SELECT pg_sleep(60)")];
        driver.perform(&run("a"), &steps, &mut watch).await
    });
    while value(&waiter, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND datname = current_database()").await == "0" {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    stops.store(true, std::sync::atomic::Ordering::SeqCst);
    let failure = running.await.unwrap().unwrap_err();
    assert!(matches!(failure.cause, windlass_core::driver::Cause::Stopped), "{failure:?}");
}

#[test]
fn options_do_not_show_the_password() {
    let options = Options::parse_with("postgres://a:hunter2@h/d", &Nothing).unwrap();
    assert!(!format!("{options:?}").contains("hunter2"));
}
