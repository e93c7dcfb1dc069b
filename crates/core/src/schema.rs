//! Schema: what a database holds, as objects with properties that can be kept and compared.

mod compare;
mod ddl;
mod fingerprint;
mod guard;
mod known;
mod pattern;
mod spelling;
mod text;

pub use compare::{Against, Change, Difference, differences};
pub use ddl::{DdlError, Made};
pub use fingerprint::{Fingerprint, Fingerprints};
pub use guard::stands_for;
pub use known::level_knowledge;
pub use pattern::{Pattern, PatternError};
pub use text::{TextError, fingerprint, unmarked};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Which way of looking at a database this version of windlass has: what it looks at, and how it is written down.
pub const INTROSPECTION: u32 = 6;

/// The kind of an object that is another windlass history: the schema that it stands in is that one's to look at.
pub const HISTORY: &str = "history";

/// The kind of what a role may do with an object.
pub const GRANT: &str = "grant";

/// The kind of what a role may do with objects that are yet to be made.
pub const DEFAULT_GRANT: &str = "default grant";

/// The property that tells a column's place in its table, where that is known: it is for writing the table. Those of which
/// the columns were made in another order are the same to compare.
pub const POSITION: &str = "position";

/// The property of a definition that tells what strings in it mean, and not how they were written.
pub const NOT_AS_WRITTEN: &str = "not as written";

/// Stands in the origin of a schema with which the grants were read.
pub const WITH_GRANTS: &str = " with grants";

/// What a database holds: every object that was looked at, by its name, with its properties.
///
/// Nothing of history tables is in it, but that another one stands in another schema, and nothing that belongs to an extension.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// Who looked: the introspection's version, the product and its major version.
    pub origin: String,
    /// The objects.
    pub objects: BTreeMap<Key, Properties>,
}

impl Schema {
    /// Whether whoever read it was to read the grants, too.
    pub fn has_grants(&self) -> bool {
        self.origin.contains(WITH_GRANTS)
    }

    fn without_grants(&mut self) {
        self.origin = self.origin.replacen(WITH_GRANTS, "", 1);
        self.objects.retain(|key, _| key.kind != GRANT && key.kind != DEFAULT_GRANT);
    }
}

/// The properties of an object that differ from what is usual: `type` is `integer`, `not null` is `yes`.
pub type Properties = BTreeMap<String, String>;

/// The name of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Its schema, or nothing where the database has none.
    pub schema: String,
    /// The table, view or type that it is part of, or nothing.
    pub table: String,
    /// What it is, in the database's own word: `table`, `column`, `foreign key`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl Key {
    /// The part of the schema that it belongs to: its table with all that is part of it, or it alone.
    pub fn part(&self) -> &str {
        if self.table.is_empty() { &self.name } else { &self.table }
    }

    /// The name with what it is part of: `public.ship.length`.
    pub fn full_name(&self) -> String {
        let parts = [&self.schema, &self.table, &self.name];
        parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(".")
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.full_name())
    }
}

/// The schema as it was when it was last kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The history row that holds it.
    pub id: i64,
    /// The migration of that row.
    pub migration: String,
    /// When, by the server's clock (UTC).
    pub at: String,
    /// Who took the schema as it was, and why; `None` where a deploy left it so.
    pub accepted: Option<String>,
    /// The schema.
    pub schema: Schema,
}

/// What a look at the schema found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Look {
    /// No deploy has kept the schema yet.
    NeverKept,
    /// It is as it was kept, and nothing was applied since.
    Same,
    /// It may be another, or it was kept before the last migrations were applied.
    Differs {
        /// As it was kept.
        kept: Box<Kept>,
        /// As it is.
        live: Schema,
        /// What of it cannot be seen now and could when it was kept: neither of the two schemas holds it.
        unseen: Option<String>,
        /// The [parts](Key::part) that the two schemas hold, where it is not all: every other one is as it was kept.
        only: Option<BTreeSet<String>>,
    },
    /// Nobody knows, and why.
    Unknown(String),
}

/// Takes the grants out of both where only one of them has any, for nothing is known of the other's. Tells so where they
/// were to be compared.
///
/// ```
/// use windlass_core::schema::{Schema, level_grants};
///
/// let mut kept = Schema::parse("1 PostgreSQL 18\ntable\tpublic\t\tt")?;
/// let text = "1 PostgreSQL 18 with grants\ntable\tpublic\t\tt\ngrant\tpublic\tt\tada\tprivileges=SELECT";
/// let mut live = Schema::parse(text)?;
/// assert!(level_grants(&mut kept, &mut live).is_some());
/// assert_eq!(kept, live);
/// # Ok::<(), windlass_core::schema::TextError>(())
/// ```
pub fn level_grants(kept: &mut Schema, live: &mut Schema) -> Option<String> {
    let is_wanted = live.has_grants();
    if kept.has_grants() == is_wanted {
        return None;
    }
    kept.without_grants();
    live.without_grants();
    let why = "the grants were not written down with the schema: the next deploy that looks at them does so, or \
               `windlass drift accept --grants --reason TEXT`";
    is_wanted.then(|| why.to_owned())
}
