//! Password file: `host:port:database:user:password` lines, as libpq reads them.

use crate::options::{Address, Host, Options, Password};
use std::path::Path;

/// The password for one host: the URL's or the environment's, else the first line of the file that fits.
pub(crate) fn password(options: &Options, host: &Host) -> Option<Password> {
    options.password.clone().or_else(|| {
        let text = read(options.password_file.as_deref()?)?;
        find(&text, host, &options.database, &options.user).map(Password)
    })
}

/// The file, where it stands and is not used.
pub(crate) fn unused(options: &Options) -> Option<&Path> {
    options.password_file.as_deref().filter(|file| file.exists() && read(file).is_none())
}

/// A file that others can read is not used: it would be no secret.
fn read(file: &Path) -> Option<String> {
    let metadata = std::fs::metadata(file).ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if metadata.permissions().mode() & 0o077 != 0 {
            crate::traces::password_file_is_not_used(file);
            return None;
        }
    }
    metadata.is_file().then(|| std::fs::read_to_string(file).ok()).flatten()
}

fn find(text: &str, host: &Host, database: &str, user: &str) -> Option<String> {
    let name = match &host.address {
        Address::Tcp(name) => name.clone(),
        Address::Unix(folder) => folder.display().to_string(),
    };
    // The default socket folder goes by the name of the machine itself.
    let names = if name == "/var/run/postgresql" || name == "/tmp" {
        vec![name, "localhost".to_owned()]
    } else {
        vec![name]
    };
    let port = host.port.to_string();
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [hosts, ports, databases, users, password] = fields.as_slice() else { return None };
        let fits = |field: &String, value: &str| field == "*" || field == value;
        let fits_host = names.iter().any(|name| fits(hosts, name));
        (fits_host && fits(ports, &port) && fits(databases, database) && fits(users, user))
            .then(|| password.clone())
    })
}

/// Fields end at a colon; a backslash makes the next character an ordinary one.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let added = match character {
            '\\' => characters.next(),
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                None
            }
            other => Some(other),
        };
        if let (Some(added), Some(field)) = (added, fields.last_mut()) {
            field.push(added);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_wins() {
        let text = "# a comment\nother:*:*:*:no\ndb:5433:shop:app:a\\:b\\\\c\n*:*:*:app:any\n";
        let find = |host, port, database, user| find(text, &Host::new(host, port), database, user);
        assert_eq!(find("db", 5433, "shop", "app").as_deref(), Some("a:b\\c"));
        assert_eq!(find("db", 5432, "shop", "app").as_deref(), Some("any"));
        assert_eq!(find("db", 5433, "shop", "root"), None);
    }

    #[test]
    fn a_default_socket_is_localhost() {
        let found = find("localhost:5432:*:*:s", &Host::new("/var/run/postgresql", 5432), "d", "u");
        assert_eq!(found.as_deref(), Some("s"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_not_used() -> std::io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), "*:*:*:*:s")?;
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644))?;
        assert_eq!(read(file.path()), None);
        let url = format!("postgres://ann@db/shop?passfile={}", file.path().display());
        let options = Options::parse(&url).expect("a URL");
        assert_eq!(unused(&options), Some(file.path()));
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600))?;
        assert_eq!(read(file.path()).as_deref(), Some("*:*:*:*:s"));
        assert_eq!(unused(&options), None);
        Ok(())
    }
}
