//! Connecting to real servers: what is refused and how it is told, rights, encryption.

#[cfg(feature = "tls-rustls")]
use crate::support::proxy::forward_from;
use crate::support::{claim, execute, migration, on_each, run};
use windlass_core::driver::{Access, Driver, NoWatch};
use windlass_core::plan::Step;
use windlass_mysql::{ConnectError, MySql, Nothing, Options, connect, create_database};

async fn try_url(url: &str) -> Result<MySql<'static>, ConnectError> {
    connect(&Options::parse_with(url, &Nothing).unwrap()).await
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn what_is_wrong_is_named_and_no_secret_with_it() {
    on_each(async |scratch| {
        let (server, name) = scratch.url.rsplit_once('/').unwrap();
        let host = server.rsplit_once('@').unwrap().1;
        let error = try_url(&format!("mysql://root:hunter2@{host}/{name}")).await.unwrap_err();
        assert!(matches!(error, ConnectError::WrongPassword { .. }), "{error:?}");
        assert!(error.to_string().contains(host) && !format!("{error:?}").contains("hunter2"));
        let error = try_url(&format!("{server}/windlass_test_missing")).await.unwrap_err();
        assert!(matches!(error, ConnectError::MissingDatabase { .. }), "{error:?}");
        let error = try_url(server).await.unwrap_err();
        assert!(matches!(error, ConnectError::NoDatabaseNamed { .. }), "{error:?}");
        let error = try_url("mysql://root:hunter2@127.0.0.1:1/x").await.unwrap_err();
        assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
        assert!(error.to_string().contains("127.0.0.1:1"));
        let error = try_url("mysql://root@h/x?socket=/nowhere.sock").await.unwrap_err();
        assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn hosts_are_tried_in_order() {
    on_each(async |scratch| {
        let url = scratch.url.replace("@127", "@127.0.0.1:1,127");
        assert_ne!(url, scratch.url);
        try_url(&url).await.unwrap().head().await.unwrap();
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn an_account_with_rights_to_one_database_is_enough() {
    on_each(async |scratch| {
        let name = scratch.name.clone();
        let (user, reader) = (format!("u{}", name.len()), format!("r{}", name.len()));
        for user in [&user, &reader] {
            scratch.raw(&format!("DROP USER IF EXISTS {user}@'127.0.0.1'")).await;
            scratch.raw(&format!("CREATE USER {user}@'127.0.0.1' IDENTIFIED BY 'p'")).await;
        }
        scratch.raw(&format!("GRANT ALL ON {name}.* TO {user}@'127.0.0.1'")).await;
        scratch.raw(&format!("GRANT SELECT ON {name}.* TO {reader}@'127.0.0.1'")).await;
        let host = scratch.url.rsplit_once('@').unwrap().1.to_owned();

        let mut driver = try_url(&format!("mysql://{user}:p@{host}")).await.unwrap();
        assert_eq!(driver.inspect().await.unwrap().access, Access::Writable);
        let one = migration("1_one");
        let steps = [
            Step::CreateHistory,
            Step::Claim(vec![claim("1_one", None)]),
            execute(&one, 1, "CREATE TABLE one (id int)"),
            Step::RestoreSettings,
        ];
        driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        let other = format!("mysql://{user}:p@{}/windlass_test_other", host.rsplit_once('/').unwrap().0);
        let error = try_url(&other).await.unwrap_err();
        assert!(matches!(error, ConnectError::NoAccess { .. }), "{error:?}");
        let error = create_database(&Options::parse_with(&other, &Nothing).unwrap()).await.unwrap_err();
        assert!(matches!(error, ConnectError::NoAccess { .. }), "{error:?}");

        let mut driver = try_url(&format!("mysql://{reader}:p@{host}")).await.unwrap();
        let inspection = driver.inspect().await.unwrap();
        assert!(matches!(inspection.access, Access::ReadOnly(_)), "{inspection:?}");
        // Another account's session is not this one's to see.
        assert_eq!(inspection.history.attempts[0].owner_session, windlass_core::history::Liveness::Unknown);
        for user in [&user, &reader] {
            scratch.raw(&format!("DROP USER {user}@'127.0.0.1'")).await;
        }
    });
}

#[cfg(feature = "tls-rustls")]
#[test]
#[ignore = "needs servers: cargo xtask test"]
fn certificates_are_checked_as_asked() {
    let ca = std::env::var("WINDLASS_TEST_CA_FILE").expect("WINDLASS_TEST_CA_FILE");
    // An authority that has signed nothing of the servers'.
    let wrong = tempfile::NamedTempFile::new().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    std::fs::write(wrong.path(), authority.self_signed(&key).unwrap().pem()).unwrap();
    let wrong = wrong.path().display();
    on_each(async |scratch| {
        let url = &scratch.url;
        for mode in ["PREFERRED", "REQUIRED"] {
            let mut driver = try_url(&format!("{url}?ssl-mode={mode}")).await.unwrap();
            assert!(is_encrypted(&mut driver).await, "{mode}");
        }
        assert!(!is_encrypted(&mut try_url(&format!("{url}?ssl-mode=DISABLED")).await.unwrap()).await);
        for mode in ["VERIFY_CA", "VERIFY_IDENTITY"] {
            let mut driver = try_url(&format!("{url}?ssl-mode={mode}&ssl-ca={ca}")).await.unwrap();
            assert!(is_encrypted(&mut driver).await, "{mode}");
            let error = try_url(&format!("{url}?ssl-mode={mode}")).await.unwrap_err();
            assert!(matches!(error, ConnectError::Tls { .. }), "{mode} without its authority: {error:?}");
            let error = try_url(&format!("{url}?ssl-mode={mode}&ssl-ca={wrong}")).await.unwrap_err();
            assert!(matches!(error, ConnectError::Tls { .. }), "{mode} with another: {error:?}");
        }
        // 127.0.0.2 is this machine too, and no name in the certificate.
        let (before, rest) = url.split_once("@127.0.0.1:").unwrap();
        let (port, name) = rest.split_once('/').unwrap();
        for (mode, trusted) in [("VERIFY_CA", true), ("VERIFY_IDENTITY", false)] {
            let port = forward_from("127.0.0.2", port.parse().unwrap()).await;
            let connected =
                try_url(&format!("{before}@127.0.0.2:{port}/{name}?ssl-mode={mode}&ssl-ca={ca}")).await;
            match connected {
                Ok(_) => assert!(trusted, "{mode} took a certificate of another name"),
                Err(error) => {
                    assert!(!trusted, "{mode}: {error:?}");
                    assert!(matches!(error, ConnectError::Tls { .. }), "{error:?}");
                }
            }
        }
        let error = try_url(&format!("{url}?ssl-mode=VERIFY_CA&ssl-ca=/nowhere.pem")).await.unwrap_err();
        assert!(error.to_string().contains("/nowhere.pem"), "{error}");
    });
}

/// What a migration sees of its own connection.
#[cfg(feature = "tls-rustls")]
async fn is_encrypted(driver: &mut MySql<'_>) -> bool {
    let one = migration("1_one");
    // Divides by the cipher's length in a strict statement: an unencrypted connection has none.
    let sql = "CREATE TEMPORARY TABLE cipher AS SELECT IF(LENGTH(VARIABLE_VALUE) > 0, 1, (SELECT 1 UNION SELECT 2)) AS x \
               FROM performance_schema.session_status WHERE VARIABLE_NAME = 'Ssl_cipher'";
    let drop = "DROP TEMPORARY TABLE IF EXISTS cipher";
    let version = driver.capabilities().version.clone();
    let sql = if version.starts_with("10.") || version.starts_with("11.") {
        sql.replace("performance_schema", "information_schema")
    } else {
        sql.to_owned()
    };
    let steps = [execute(&one, 1, drop), execute(&one, 2, &sql)];
    driver.perform(&run("a"), &steps, &mut NoWatch).await.is_ok()
}
