//! Bootstrap: what a MariaDB that has nothing yet is fed, so that it has accounts and system tables.

use std::path::Path;
use std::{fs, io};

/// The statements for `mariadbd --bootstrap`, as MariaDB's own `mariadb-install-db` feeds them: of the files that stand in its
/// folder of shared files (`/usr/share/mariadb`, `/usr/share/mysql`). `root` of this host has no password then.
///
/// For a throwaway server that nobody else can reach.
///
/// # Errors
/// Names the file that cannot be read.
///
/// ```
/// let error = windlass_mysql::bootstrap("no-such-folder".as_ref()).unwrap_err();
/// assert!(error.to_string().contains("no-such-folder"));
/// ```
pub fn bootstrap(share: &Path) -> io::Result<Vec<u8>> {
    // Older servers have them by the other name.
    let name = if share.join("mariadb_system_tables.sql").is_file() { "mariadb" } else { "mysql" };
    let mut text =
        b"CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n".to_vec();
    for part in ["system_tables", "performance_tables", "system_tables_data", "sys_schema"] {
        let file = share.join(format!("{name}_{part}.sql"));
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
        text.extend(fs::read(&file).map_err(named)?);
    }
    Ok(text)
}
