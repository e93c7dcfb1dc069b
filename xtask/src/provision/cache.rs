//! The folder that keeps fetched servers: an entry is whole or absent, and made by one process at a time.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::fcntl::{Flock, FlockArg};

/// A cache folder.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens a cache, making its folder.
    pub(crate) fn open(folder: PathBuf) -> Result<Self> {
        make_public_folder(&folder)?;
        Ok(Cache { folder })
    }

    /// The folder of all entries.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The entry's folder if it stands.
    pub(crate) fn find(&self, name: &str) -> Option<PathBuf> {
        let entry = self.folder.join(name);
        entry.is_dir().then_some(entry)
    }

    /// The entry's folder; `fill` makes its content in an empty folder when it does not stand yet.
    pub(crate) fn entry(&self, name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let _guard = self.lock(name)?;
        if let Some(entry) = self.find(name) {
            return Ok(entry);
        }
        let part = self.folder.join(format!("{name}.part"));
        remove_folder(&part)?;
        make_public_folder(&part)?;
        fill(&part)?;
        let entry = self.folder.join(name);
        fs::rename(&part, &entry).with_context(|| format!("cannot rename to {}", entry.display()))?;
        Ok(entry)
    }

    /// Waits for the lock that a process holds while it makes the entry.
    fn lock(&self, name: &str) -> Result<Flock<File>> {
        let path = self.folder.join(format!("{name}.lock"));
        let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Flock::lock(file, FlockArg::LockExclusive)
            .map_err(|(_, error)| error)
            .with_context(|| format!("cannot lock {}", path.display()))
    }
}

/// Makes a folder that other users may read, since PostgreSQL refuses to run as root.
pub(crate) fn make_public_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(folder)
        .with_context(|| format!("cannot create {}", folder.display()))
}

/// Removes a folder and all in it; an absent one is no error.
pub(crate) fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_filled_once() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("cache")).unwrap();
        assert_eq!(cache.find("server"), None);
        for content in ["first", "second"] {
            let entry = cache.entry("server", |part| Ok(fs::write(part.join("file"), content)?)).unwrap();
            assert_eq!(fs::read_to_string(entry.join("file")).unwrap(), "first");
        }
    }

    #[test]
    fn a_failed_fill_leaves_no_entry_and_the_next_starts_empty() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().to_path_buf()).unwrap();
        let failed = cache.entry("server", |part| {
            fs::write(part.join("half"), "")?;
            anyhow::bail!("the network is gone")
        });
        assert!(failed.is_err());
        assert_eq!(cache.find("server"), None);
        let entry = cache.entry("server", |_| Ok(())).unwrap();
        assert!(!entry.join("half").exists());
    }
}
