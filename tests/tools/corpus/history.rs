//! A history: a folder of migrations, read here without windlass, so that its own reading is judged too.

use harness::Family;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a history expects to be there: the table in which the project's own tool keeps its version.
const BEFORE: [(&str, &str); 1] = [("gomig-sq-harness", "CREATE TABLE migrations (version TEXT)")];

/// The database that a history was written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
    /// SQLite.
    Sqlite,
}

impl Kind {
    /// Read from a folder's name: `prisma-pg-shop`, or plainly `postgres`.
    fn of(name: &str) -> Option<Self> {
        name.split('-').find_map(|word| match word {
            "pg" | "postgres" => Some(Self::Postgres),
            "my" | "mysql" => Some(Self::MySql),
            "sq" | "sqlite" => Some(Self::Sqlite),
            _ => None,
        })
    }

    /// Whether a database of this family can run it.
    pub(crate) fn runs_on(self, family: Family) -> bool {
        match self {
            Self::Postgres => family == Family::Postgres,
            Self::MySql => matches!(family, Family::MySql | Family::MariaDb),
            Self::Sqlite => family == Family::Sqlite,
        }
    }
}

/// A project's whole history.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// The folder's name.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) dir: PathBuf,
    /// What it was written for.
    pub(crate) kind: Kind,
}

impl History {
    /// Every history below a folder, or only those named, sorted by name.
    pub(crate) fn below(dir: &Path, names: &[String]) -> Result<Vec<Self>, String> {
        let told = |error: io::Error| format!("{}: {error}", dir.display());
        let mut found = Vec::new();
        for entry in fs::read_dir(dir).map_err(told)? {
            let path = entry.map_err(told)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && (names.is_empty() || names.contains(&name)) {
                let kind = Kind::of(&name)
                    .ok_or_else(|| format!("`{name}` does not say its database: -pg-, -my- or -sq-"))?;
                found.push(Self { name, dir: path, kind });
            }
        }
        if let Some(unknown) = names.iter().find(|name| found.iter().all(|history| history.name != **name)) {
            return Err(format!("there is no history `{unknown}` in {}", dir.display()));
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// What must stand in the database before its first migration.
    pub(crate) fn before(&self) -> Option<&'static str> {
        BEFORE.into_iter().find(|(name, _)| *name == self.name).map(|(_, sql)| sql)
    }

    /// Its scripts in the order of their versions, each with what it runs to go forward.
    pub(crate) fn scripts(&self) -> io::Result<Vec<Script>> {
        let mut scripts = Vec::new();
        for path in sql_files(&self.dir)? {
            let relative = path.strip_prefix(&self.dir).unwrap_or(&path).to_path_buf();
            let name = relative.to_string_lossy().into_owned();
            if let Some(order) = order(&name).filter(|_| !goes_back(&path)) {
                scripts.push(Script { order, text: forward(fs::read(&path)?), name });
            }
        }
        scripts.sort_by(|a, b| (&a.order, &a.name).cmp(&(&b.order, &b.name)));
        Ok(scripts)
    }
}

/// One file of a history.
#[derive(Debug)]
pub(crate) struct Script {
    order: Vec<u128>,
    /// Its path below the history's folder.
    pub(crate) name: String,
    /// What it runs to go forward.
    pub(crate) text: Vec<u8>,
}

#[cfg(test)]
impl Script {
    pub(crate) fn of(name: &str, text: &str) -> Self {
        Self { order: Vec::new(), name: name.to_owned(), text: text.into() }
    }
}

fn sql_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            files.append(&mut sql_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            files.push(path);
        }
    }
    Ok(files)
}

/// Whether a file undoes a migration: `down.sql`, `x.down.sql`, and `x_down.sql` beside `x_up.sql`.
fn goes_back(path: &Path) -> bool {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    match file.strip_suffix("_down.sql") {
        Some(stem) => path.with_file_name(format!("{stem}_up.sql")).exists(),
        None => file == "down.sql" || file.ends_with(".down.sql"),
    }
}

/// The numbers that a path sorts by; none for a file that is no migration.
///
/// Dates are one number of 14 digits, however they are written (`20170831`, `2017-08-31-230457`): real
/// histories hold several spellings, and mean them to sort by time.
fn order(name: &str) -> Option<Vec<u128>> {
    // Repeatable ones come last.
    if name.starts_with("R__") {
        return Some(vec![u128::MAX]);
    }
    let version = match name.strip_prefix('V').and_then(|rest| rest.split_once("__")) {
        Some((version, _)) => version,
        None => name.split(['_', '.', '/']).next()?,
    };
    let mut parts: Vec<String> = version.split(['.', '_', '-']).map(str::to_owned).collect();
    if [4, 2, 2, 6]
        .iter()
        .enumerate()
        .all(|(i, length)| parts.get(i).is_some_and(|part| part.len() == *length))
    {
        let date = parts.drain(..4).collect();
        parts.insert(0, date);
    } else if parts[0].len() == 8 && parts[0].starts_with("20") {
        parts[0] += "000000";
    }
    let mut order = parts.iter().map(|part| part.parse().ok()).collect::<Option<Vec<u128>>>()?;
    // A part that is not there counts as zero.
    order.truncate(order.iter().rposition(|part| *part != 0).map_or(0, |last| last + 1));
    Some(order)
}

/// The text before the section that undoes it.
fn forward(mut text: Vec<u8>) -> Vec<u8> {
    for marker in ["-- +goose Down", "-- migrate:down"] {
        if let Some(end) = text.windows(marker.len()).position(|window| window == marker.as_bytes()) {
            text.truncate(end);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_as_numbers_whatever_their_spelling() {
        let sorted = [
            "20140924113530_dump/up.sql",
            "2017-08-31-230457_x/up.sql",
            "2026-05-27-130000-0000_x/up.sql",
            "2026-05-27-130000-0001_x/up.sql",
            "20260528_x/up.sql",
            "2026-05-28-120000_x/up.sql",
        ];
        assert!(sorted.is_sorted_by(|a, b| order(a) < order(b)));
        assert!(order("V118_7__a.sql") < order("V118_10__a.sql"));
        assert!(order("0163.up.sql") < order("0164_x.up.sql"));
        assert!(order("99999999999999_x.sql") < order("R__views.sql"));
        assert_eq!(order("data_oauth.sql"), None);
    }

    #[test]
    fn only_the_way_forward_is_kept() {
        assert_eq!(
            forward(b"-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n".to_vec()),
            b"-- +goose Up\nSELECT 1;\n"
        );
    }

    #[test]
    fn the_kind_is_read_from_the_name() {
        assert_eq!(Kind::of("prisma-my-shop2"), Some(Kind::MySql));
        assert_eq!(Kind::of("sqlite"), Some(Kind::Sqlite));
        assert_eq!(Kind::of("shop"), None);
    }
}
