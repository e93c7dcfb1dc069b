//! What others do to a database while windlass works on it: they look, hold locks, and end sessions.

use crate::raw::Raw;
use crate::{Database, Family};
use std::time::{Duration, Instant};

/// How long anything is waited for. Far beyond what it takes: only a test that fails waits for it.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Waiting for something that surely comes: a loop looks, and pauses here.
pub struct Waiting<'w> {
    what: &'w str,
    began: Instant,
}

impl<'w> Waiting<'w> {
    /// Begins to wait.
    pub fn for_this(what: &'w str) -> Self {
        Self { what, began: Instant::now() }
    }

    /// Lets a moment pass.
    ///
    /// # Panics
    /// Past the deadline.
    pub async fn pause(&self) {
        assert!(self.began.elapsed() < DEADLINE, "{}: not so after {DEADLINE:?}", self.what);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A login with few rights.
pub struct Login {
    /// A URL that logs in with it.
    pub url: String,
    /// Its name.
    pub user: String,
    /// Its password: in no output, ever.
    pub password: String,
}

impl Database {
    /// A session beside windlass that stays open.
    pub async fn session(&self) -> Raw {
        Raw::connect(self.target(), &self.url()).await
    }

    /// Waits until a session of this database runs a statement that holds this text, and gives its number.
    pub async fn running(&self, text: &str) -> String {
        let sql = match self.target().family {
            Family::Postgres => {
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
                 AND pid <> pg_backend_pid() AND query LIKE "
            }
            family => &format!(
                "SELECT id FROM {} WHERE db = database() AND id <> connection_id() AND info LIKE ",
                family.sessions()
            ),
        };
        let (sql, mut session) = (format!("{sql}'%{text}%'"), self.session().await);
        let waiting = Waiting::for_this(text);
        loop {
            if let Some(number) = session.query(&sql).await.into_iter().flatten().flatten().next() {
                return number;
            }
            waiting.pause().await;
        }
    }

    /// Ends a session, whatever it is doing.
    pub async fn kill(&self, session: &str) {
        match self.target().family {
            Family::Postgres => self.sql(&format!("SELECT pg_terminate_backend({session})")).await,
            _ => self.sql(&format!("KILL {session}")).await,
        }
    }

    /// Locks a table, so that whoever writes to it waits for the session's end.
    pub async fn gate(&self, table: &str) -> Raw {
        let mut session = self.session().await;
        let lock = match self.target().family {
            Family::Postgres => format!("BEGIN; LOCK TABLE {table}"),
            Family::Sqlite => "BEGIN EXCLUSIVE".to_owned(),
            _ => format!("LOCK TABLES {table} WRITE"),
        };
        session.execute(&lock).await.expect("a lock");
        session
    }

    /// Creates a login of the database's own that may read what is there now, and no more.
    pub async fn reader(&self) -> Login {
        let (user, password) = (format!("{}_r", self.name()), format!("secret-of-{}", self.name()));
        let drop = match self.target().family {
            Family::Postgres => format!("DROP ROLE IF EXISTS {user}"),
            _ => format!("DROP USER IF EXISTS {user}"),
        };
        self.sql(&drop).await;
        let grants = match self.target().family {
            Family::Postgres => vec![
                format!("CREATE ROLE {user} LOGIN PASSWORD '{password}'"),
                "REVOKE CREATE ON SCHEMA public FROM public".to_owned(),
                format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}"),
            ],
            _ => vec![
                format!("CREATE USER {user} IDENTIFIED BY '{password}'"),
                format!("GRANT SELECT ON {}.* TO {user}", self.name()),
            ],
        };
        for grant in &grants {
            self.sql(grant).await;
        }
        Login { url: self.url_as(&user, &password), user, password }
    }

    /// The URL with another login.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        let url = self.url();
        let (scheme, rest) = url.split_once("://").expect("a server's URL");
        let (_, place) = rest.rsplit_once('@').expect("a login");
        format!("{scheme}://{user}:{password}@{place}")
    }

    /// The superuser's name, as the target's URL has it.
    pub fn user(&self) -> &str {
        self.login().0
    }

    /// Host and port.
    pub fn place(&self) -> String {
        let (_, place) = self.target().url.rsplit_once('@').expect("a login");
        place.split('/').next().unwrap_or_default().to_owned()
    }

    /// What ends a DROP DATABASE that some session may still be in.
    pub fn force(&self) -> &'static str {
        if self.target().family == Family::Postgres { " WITH (FORCE)" } else { "" }
    }

    /// Creates the database that a URL names, by the driver's own means.
    ///
    /// # Errors
    /// The driver's words.
    pub async fn create_by(&self, url: &str) -> Result<(), String> {
        match self.target().family {
            Family::Postgres => {
                let options = windlass_postgres::Options::parse(url).map_err(|error| error.to_string())?;
                windlass_postgres::Postgres::create_database(&options)
                    .await
                    .map_err(|error| error.to_string())
            }
            _ => {
                let options = windlass_mysql::Options::parse(url).map_err(|error| error.to_string())?;
                windlass_mysql::create_database(&options).await.map_err(|error| error.to_string())
            }
        }
    }

    /// The server's superuser's password, which no output may hold.
    pub fn password(&self) -> &str {
        self.login().1
    }

    fn login(&self) -> (&str, &str) {
        let (before, _) = self.target().url.rsplit_once('@').expect("a login");
        let (_, login) = before.split_once("://").expect("a URL");
        login.split_once(':').expect("a password")
    }
}

/// The certificate of an authority that nobody trusts.
pub fn another_authority() -> String {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut authority = rcgen::CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.self_signed(&key).expect("a certificate").pem()
}
