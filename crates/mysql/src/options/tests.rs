//! URLs as users write them, and what fills their gaps.

use super::*;

struct Home(&'static str, &'static [(&'static str, &'static str)]);

impl Surroundings for Home {
    fn variable(&self, name: &str) -> Option<String> {
        self.1.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
    }

    fn option_file(&self) -> Option<String> {
        Some(self.0.to_owned())
    }
}

fn parse(url: &str) -> Options {
    Options::parse_with(url, &Nothing).unwrap()
}

#[test]
fn a_url_says_who_where_and_what() {
    let options = parse("mariadb://a%20b:p%40ss%3A%2F@db.example:3310/my%20shop");
    assert_eq!((options.user.as_str(), options.password.clone()), ("a b", Some(Password("p@ss:/".into()))));
    assert_eq!(options.place(), "db.example:3310");
    assert_eq!(options.database(), Some("my shop"));
    assert!(!format!("{options:?}").contains("ss:"));
    assert_eq!(parse("MYSQL://localhost").database(), None);
    // An @ in the password that nobody encoded.
    assert_eq!(parse("mysql://u:p@ss@h/d").password, Some(Password("p@ss".into())));
}

#[test]
fn several_hosts_are_kept_in_order() {
    let options = parse("mysql://u@h1:1,h2,[::1]:3,[fe80::2]/d");
    assert_eq!(options.place(), "h1:1,h2:3306,[::1]:3,[fe80::2]:3306");
}

#[test]
fn encryption_is_spelled_in_many_ways() {
    for (text, mode) in [
        ("ssl-mode=DISABLED", SslMode::Disabled),
        ("sslmode=prefer", SslMode::Preferred),
        ("ssl_mode=require", SslMode::Required),
        ("sslmode=verify-ca", SslMode::VerifyCa),
        ("ssl-mode=VERIFY_IDENTITY", SslMode::VerifyIdentity),
        ("sslmode=verify-full", SslMode::VerifyIdentity),
    ] {
        assert_eq!(parse(&format!("mysql://h/d?{text}")).ssl_mode, Some(mode), "{text}");
    }
    let mode = |url: &str| {
        let options = parse(url);
        options.ssl_mode_for(options.hosts.first())
    };
    assert_eq!(mode("mysql://127.0.0.1/d"), SslMode::Disabled);
    assert_eq!(mode("mysql://db.example/d"), SslMode::Preferred);
    assert_eq!(mode("mysql://db.example/d?ssl-ca=/ca.pem"), SslMode::VerifyCa);
}

#[test]
fn what_is_not_understood_is_named() {
    let error = |url: &str| Options::parse_with(url, &Nothing).unwrap_err();
    assert_eq!(error("postgres://h/d"), UrlError::Scheme);
    assert_eq!(error("mysql://h:x/d"), UrlError::Port);
    for unencoded in ["mysql://u:a/b@h/d", "mysql://u:a?b@h/d", "mysql://u:1?b=c@h/d", "mysql://u:a#b@h/d"] {
        assert_eq!(error(unencoded), UrlError::Unencoded);
    }
    let unknown = UrlError::UnknownParameter { parameter: "tls".into() };
    assert_eq!(error("mysql://h/d?ssl-mode=REQUIRED&tls=1"), unknown);
    assert!(error("mysql://h/d?sslmode=maybe").to_string().contains("sslmode=maybe"));
    assert!(error("mysql://h/d?connect_timeout=0").to_string().contains("seconds"));
    assert!(!error("mysql://u:se%cret@h/d").to_string().contains("cret"));
}

#[test]
fn what_is_left_open_comes_from_the_option_file_then_the_environment() {
    let file = "[client]\nuser=filed\npassword=secret\nport=3311\n";
    let variables: &[_] =
        &[("MYSQL_HOST", "enved"), ("MYSQL_PWD", "other"), ("MYSQL_TCP_PORT", "1"), ("USER", "mia")];
    let options = Options::parse_with("mysql:///d", &Home(file, variables)).unwrap();
    assert_eq!((options.user.as_str(), options.place().as_str()), ("filed", "enved:3311"));
    assert_eq!(options.password, Some(Password("secret".into())));
    let options = Options::parse_with("mysql://u:p@h:9/d", &Home(file, variables)).unwrap();
    assert_eq!((options.user.as_str(), options.place().as_str()), ("u", "h:9"));
    assert_eq!(options.password, Some(Password("p".into())));
    let options = Options::parse_with("mysql:///d", &Home("", variables)).unwrap();
    assert_eq!((options.user.as_str(), options.password), ("mia", Some(Password("other".into()))));

    let file = "[client]\nsocket=/run/db.sock\n";
    assert_eq!(Options::parse_with("mysql:///d", &Home(file, &[])).unwrap().place(), "/run/db.sock");
    // A host that is named is not overruled by a socket that is not.
    assert_eq!(Options::parse_with("mysql://h/d", &Home(file, &[])).unwrap().place(), "h:3306");
}
