//! URLs as users write them.

use super::*;

fn parse(url: &str) -> Options {
    Options::parse_with(url, &Nothing).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn refused(url: &str) -> UrlError {
    Options::parse_with(url, &Nothing).expect_err(url)
}

fn with(url: &str, variables: &[(&str, &str)]) -> Options {
    let lookup =
        |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Options::parse_with(url, &lookup).unwrap_or_else(|error| panic!("{url}: {error}"))
}

#[test]
fn a_plain_url() {
    let options = parse("postgresql://app:p%40s%2Fs@db.example/shop");
    assert_eq!((options.user(), options.database()), ("app", "shop"));
    assert_eq!(options.password, Some(Password("p@s/s".to_owned())));
    assert_eq!(options.place(), "db.example:5432");
    assert_eq!((options.ssl_mode, options.target), (SslMode::Prefer, TargetSession::Any));
    assert_eq!(options.application_name, "windlass");
    assert_eq!(parse("postgres://app@h").database(), "app");
}

#[test]
fn hosts_and_ports_of_every_form() {
    assert_eq!(parse("postgres://a@h1:1,h2:2,h3/d").place(), "h1:1,h2:2,h3:5432");
    assert_eq!(parse("postgres://a@[::1]:5433/d").place(), "[::1]:5433");
    assert_eq!(parse("postgres://a@/d?host=/run/pg&port=5433").place(), "/run/pg/.s.PGSQL.5433");
    assert_eq!(parse("postgres://a@%2Frun%2Fpg/d").place(), "/run/pg/.s.PGSQL.5432");
    assert_eq!(parse("postgres:///d?user=a&host=h1,h2&port=1,2").place(), "h1:1,h2:2");
    assert_eq!(parse("postgres://a@h1,h2/d?port=7").place(), "h1:7,h2:7");
    assert_eq!(refused("postgres://a@h1,h2/d?port=1,2,3"), UrlError::Ports { ports: 3, hosts: 2 });
    assert!(parse("postgres://a@/d?port=1").place().ends_with("localhost:1"));
}

#[test]
fn the_environment_fills_what_is_left_open() {
    let variables = [
        ("PGHOST", "h1,h2"),
        ("PGPORT", "1,2"),
        ("PGUSER", "mia"),
        ("PGPASSWORD", "secret"),
        ("PGDATABASE", "shop"),
        ("PGSSLMODE", "require"),
        ("PGSSLROOTCERT", "/ca.pem"),
        ("PGOPTIONS", "-c geqo=off"),
        ("PGAPPNAME", "app"),
        ("PGCONNECT_TIMEOUT", "3"),
        ("PGTARGETSESSIONATTRS", "read-write"),
    ];
    let options = with("postgres://", &variables);
    assert_eq!((options.place().as_str(), options.user(), options.database()), ("h1:1,h2:2", "mia", "shop"));
    assert_eq!(options.password, Some(Password("secret".to_owned())));
    assert_eq!(options.ssl_mode, SslMode::VerifyCa, "require with authorities checks them");
    assert_eq!(options.certificates.authorities, Authorities::File("/ca.pem".into()));
    assert_eq!(
        (options.server_options.as_deref(), options.application_name.as_str()),
        (Some("-c geqo=off"), "app")
    );
    assert_eq!((options.connect_timeout, options.target), (Duration::from_secs(3), TargetSession::ReadWrite));
    let options = with("postgres://app:p@h:5/d?sslmode=disable&options=-c%20a%3Db", &variables);
    assert_eq!((options.place().as_str(), options.user(), options.database()), ("h:5", "app", "d"));
    assert_eq!(options.password, Some(Password("p".to_owned())));
    assert_eq!((options.ssl_mode, options.server_options.as_deref()), (SslMode::Disable, Some("-c a=b")));
    assert_eq!(with("postgres://h/d", &[("USER", "os")]).user(), "os");
    assert_eq!(refused("postgres://h/d"), UrlError::NoUser);
}

#[test]
fn what_is_checked_of_the_certificate() {
    assert_eq!(parse("postgres://a@h/d?sslrootcert=system").ssl_mode, SslMode::VerifyFull);
    assert!(matches!(
        refused("postgres://a@h/d?sslrootcert=system&sslmode=require"),
        UrlError::Contradiction(_)
    ));
    assert!(matches!(refused("postgres://a@h/d?sslcert=a"), UrlError::Contradiction(_)));
    assert_eq!(parse("postgres://a@h/d?sslmode=verify-ca").certificates.authorities, Authorities::System);
    assert_eq!(parse("postgres://a@h/d?sslaccept=strict").ssl_mode, SslMode::VerifyFull);
    assert_eq!(parse("postgres://a@h/d?ssl=true").ssl_mode, SslMode::Require);
    let full = parse("postgres://a@h/d?sslmode=verify-full&sslrootcert=/ca.pem");
    assert_eq!(
        (full.ssl_mode, full.certificates.authorities),
        (SslMode::VerifyFull, Authorities::File("/ca.pem".into()))
    );
}

#[test]
fn what_is_not_understood_is_named() {
    let unknown = |name: &str| UrlError::UnknownParameter { parameter: name.to_owned() };
    assert_eq!(refused("postgres://a@h/d?nope=1"), unknown("nope"));
    assert_eq!(
        refused("postgres://a@h/d?hostaddr=::1"),
        UrlError::Unsupported { parameter: "hostaddr".to_owned() }
    );
    assert_eq!(refused("mysql://a@h/d"), UrlError::Scheme);
    assert!(refused("postgres://a@h/d?sslmode=yes").to_string().contains("verify-full"));
    assert!(refused("postgres://a@h/d?connect_timeout=soon").to_string().contains("connect_timeout"));
    assert_eq!(refused("postgres://a@h:0/d"), UrlError::Port);
    assert_eq!(refused("postgres://a:%zz@h/d"), UrlError::Percent { part: "password" });
    // Other clients' parameters that say nothing about a session.
    parse("postgres://a@h/d?connection_limit=5&pool_timeout=1&pgbouncer=true&statement-cache-capacity=1");
}

#[test]
fn a_password_that_was_not_encoded_is_not_shown() {
    for url in ["postgres://a:hun/ter2@h/d", "postgres://a:hun?ter2@h/d", "postgres://a:hun#ter2@h/d"] {
        let error = refused(url);
        assert_eq!(error, UrlError::Unencoded, "{url}");
        assert!(!format!("{error}{error:?}").contains("ter2"));
    }
    assert_eq!(parse("postgres://a:hun@ter2@h/d").password, Some(Password("hun@ter2".to_owned())));
    assert!(!format!("{:?}", parse("postgres://a:hunter2@h/d?password=hunter2")).contains("hunter2"));
}

#[test]
fn the_history_has_its_place() {
    assert_eq!(parse("postgres://a@h/d?schema=app").schema(), Some("app"));
    assert_eq!(parse("postgres://a@h/d?schema=").schema(), None);
    let chosen = parse("postgres://a@h/d").history_table("\"App\".h").history_table;
    assert_eq!(chosen, Some((Some("App".to_owned()), "h".to_owned())));
}
