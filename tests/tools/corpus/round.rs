//! Round trips: the schema as windlass reads it after a deploy must be what it reads after a replay, in the plain client's
//! database, in one restored from a dump, in one made by the statements that windlass writes of it, and on another major
//! version of the server.

use crate::client;
use crate::history::History;
use harness::{Database, Family, Target, Unrendered};
use std::collections::BTreeMap;
use std::fmt;
use windlass_core::apply::replay_all;
use windlass_core::driver::Driver;
use windlass_core::migration::Migration;
use windlass_core::schema::{Change, Difference, Schema, differences};
use windlass_core::shadow::{differences_from, unreplayable};
use windlass_core::source::Migrations;

/// How many differences are worth reading.
const TOLD: usize = 12;

/// A way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// All of it replayed on an empty database.
    Replayed,
    /// The plain client's database.
    Client,
    /// A dump of the database, restored.
    Restored,
    /// The statements that windlass writes of it, run on an empty database.
    Rendered,
    /// Another major version of the server.
    Major,
}

/// What came of a way.
#[derive(Debug)]
pub(crate) enum Came {
    Equal,
    Differs(String),
    /// It could not be gone, and why.
    Not(String),
}

/// How often each way was gone, and how often the schema was equal.
#[derive(Debug, Default)]
pub(crate) struct Rounds(BTreeMap<Way, (usize, usize)>);

impl Rounds {
    /// Counts what came of a way, and gives the words for it.
    pub(crate) fn count(&mut self, way: Way, came: &Came) -> String {
        let (equal, total) = self.0.entry(way).or_default();
        match came {
            Came::Equal => {
                (*equal, *total) = (*equal + 1, *total + 1);
                format!("{way} equal")
            }
            Came::Differs(how) => {
                *total += 1;
                format!("{way} DIFFERENT{how}")
            }
            Came::Not(why) => format!("not {way}: {why}"),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Replayed => "replayed",
            Self::Client => "by the client",
            Self::Restored => "dumped and restored",
            Self::Rendered => "rendered",
            Self::Major => "on another major",
        })
    }
}

impl fmt::Display for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = self.0.iter().map(|(way, (equal, total))| format!("{way} {equal}/{total}"));
        write!(f, "schemas equal: {}", told.collect::<Vec<_>>().join(", "))
    }
}

/// The schema after the deploy, and what came of the ways that begin with it.
pub(crate) async fn ways(
    history: &History,
    migrations: &Migrations,
    deployed: &Database,
    plain: &Database,
) -> Result<(Schema, Vec<(Way, Came)>), String> {
    let live = read(&mut *deployed.connect().await).await?;
    let beside = Database::create(deployed.target()).await;
    let replayed = replayed(history, migrations, &beside, &live).await;
    beside.drop().await;
    let client = came(&live, &read(&mut *plain.connect().await).await?);
    let restored = Database::create(deployed.target()).await;
    let copied = match client::copy(deployed, &restored) {
        Ok(()) => came(&live, &read(&mut *restored.connect().await).await?),
        Err(why) => Came::Not(why),
    };
    restored.drop().await;
    let rendered = match harness::rendered(&live, deployed.target()).await {
        Ok(made) => came(&live, &made),
        Err(Unrendered::Unwritable(error)) => Came::Not(error.to_string()),
        Err(Unrendered::Refused(why)) => Came::Differs(format!(": {why}")),
    };
    let ways = [
        (Way::Replayed, replayed),
        (Way::Client, client),
        (Way::Restored, copied),
        (Way::Rendered, rendered),
    ];
    Ok((live, ways.into()))
}

async fn replayed(history: &History, migrations: &Migrations, beside: &Database, live: &Schema) -> Came {
    let mut shadow = beside.connect().await;
    let refused = unreplayable(migrations, shadow.capabilities().dialect);
    if let Some(first) = refused.first() {
        return Came::Not(format!("{} statements, {}: {}", refused.len(), first.place, first.why));
    }
    if history.before().is_some() {
        return Came::Not("it needs a table of its own tool's".to_owned());
    }
    let names: Vec<&str> = migrations.iter().map(Migration::name).collect();
    match replay_all(&mut *shadow, migrations, &names).await {
        Ok(made) => {
            let dialect = shadow.capabilities().dialect;
            told(&differences_from(&made, live, migrations, dialect, &[]))
        }
        Err(error) => Came::Differs(format!(": {error:?}")),
    }
}

async fn read(driver: &mut dyn Driver) -> Result<Schema, String> {
    driver.read_schema(false).await.map_err(|error| format!("the schema: {error:?}"))
}

fn came(before: &Schema, now: &Schema) -> Came {
    told(&differences(before, now))
}

fn told(differences: &[Difference]) -> Came {
    if differences.is_empty() {
        return Came::Equal;
    }
    let lines = differences.iter().take(TOLD).map(|difference| format!("\n  {difference}"));
    Came::Differs(format!(" by {} objects{}", differences.len(), lines.collect::<String>()))
}

/// `CREATE EXTENSION` takes the version that the server brings, and a text without a word of its collation the default of its
/// character set, which is another since MariaDB 11.6.
fn is_the_server_s(difference: &Difference) -> bool {
    let Change::Changed(changed) = &difference.change else { return false };
    let is_extension = difference.key.kind == "extension";
    let as_before = |is: &String| is.replace("utf8mb4_uca1400_ai_ci", "utf8mb4_general_ci");
    let is_default = |was: &Option<String>, is: &Option<String>| *was == is.as_ref().map(as_before);
    changed.iter().all(|(name, was, is)| is_extension && name == "version" || is_default(was, is))
}

/// The schema of each history on each server of a product, held against that on the first.
pub(crate) fn majors(schemas: &[(String, Target, Schema)]) -> Vec<(String, Came)> {
    let products = [Family::Postgres, Family::MariaDb, Family::MySql];
    let mut all = Vec::new();
    for (place, (history, target, schema)) in schemas.iter().enumerate() {
        let is_like = |(other, its, _): &&(String, Target, Schema)| {
            other == history && its.family == target.family && its.over_sqlx == target.over_sqlx
        };
        let first = schemas.iter().take(place).find(is_like);
        if let (Some((_, other, earlier)), true) = (first, products.contains(&target.family)) {
            let mut found = differences(earlier, schema);
            found.retain(|difference| !is_the_server_s(difference));
            all.push((format!("{history} on {other} and {target}"), told(&found)));
        }
    }
    all
}
