//! Surroundings: where what a URL leaves open comes from.

/// The variables that a client of PostgreSQL looks at.
///
/// ```
/// use windlass_postgres::Options;
///
/// // A closure will do.
/// let given = |name: &str| (name == "PGUSER").then(|| "app".to_owned());
/// let options = Options::parse_with("postgres://db.example/shop", &given)?;
/// assert_eq!(options.user(), "app");
/// # Ok::<(), windlass_postgres::UrlError>(())
/// ```
pub trait Surroundings {
    /// An environment variable; one that is empty counts as not set.
    ///
    /// ```
    /// use windlass_postgres::{Nothing, Surroundings};
    ///
    /// assert_eq!(Nothing.variable("PGUSER"), None);
    /// ```
    fn variable(&self, name: &str) -> Option<String>;
}

/// The process's own environment.
///
/// ```
/// use windlass_postgres::{Process, Surroundings};
///
/// println!("{:?}", Process.variable("PGHOST"));
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it is written as a value")]
pub struct Process;

impl Surroundings for Process {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}

/// No environment: the URL alone decides.
///
/// ```
/// use windlass_postgres::{Nothing, Options};
///
/// let options = Options::parse_with("postgres://app@db.example/shop", &Nothing)?;
/// assert_eq!(options.place(), "db.example:5432");
/// # Ok::<(), windlass_postgres::UrlError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it is written as a value")]
pub struct Nothing;

impl Surroundings for Nothing {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }
}

impl<F: Fn(&str) -> Option<String>> Surroundings for F {
    fn variable(&self, name: &str) -> Option<String> {
        self(name).filter(|value| !value.is_empty())
    }
}
