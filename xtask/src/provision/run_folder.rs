//! The folder of one run's data: in memory where there is room, swept later if the run was killed.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};
use nix::sys::statvfs::statvfs;
use nix::unistd::geteuid;

const PREFIX: &str = "windlass-testdb-";
const ROOM: u64 = 3 << 30;

/// A folder that is removed when dropped, or by a later run when this process was killed.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    _lock: Flock<File>,
}

impl RunFolder {
    /// Makes the folder for server data: in `/dev/shm` if it has room, else in one of `others`.
    pub(crate) fn for_data(others: &[PathBuf]) -> Result<Self> {
        let memory = [PathBuf::from("/dev/shm")];
        Self::first_with_room(&[&memory, others].concat())
    }

    /// Makes the folder for server data that is to be written to a disk: in one of `places`.
    pub(crate) fn on_disk(places: &[PathBuf]) -> Result<Self> {
        Self::first_with_room(places)
    }

    fn first_with_room(places: &[PathBuf]) -> Result<Self> {
        match places.iter().find(|place| has_room(place) && (!geteuid().is_root() || others_may_enter(place)))
        {
            Some(place) => Self::make(place),
            None => bail!("no folder has {} GiB of room for databases: tried {places:?}", ROOM >> 30),
        }
    }

    /// Makes a folder in the system's place for temporary files.
    pub(crate) fn temporary() -> Result<Self> {
        Self::make(&env::temp_dir())
    }

    /// The folder's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The lock is held before the folder gets the name that a sweep looks for.
    fn make(place: &Path) -> Result<Self> {
        sweep(place);
        let fresh = tempfile::Builder::new().prefix("windlass-new-").tempdir_in(place)?;
        fs::set_permissions(fresh.path(), fs::Permissions::from_mode(0o755))?;
        let file = File::create(fresh.path().join("lock"))?;
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| error)?;
        let fresh = fresh.keep();
        let unique =
            fresh.file_name().context("a temporary folder has a name")?.to_string_lossy().into_owned();
        let path = place.join(unique.replace("windlass-new-", PREFIX));
        fs::rename(&fresh, &path)?;
        Ok(RunFolder { path, _lock: lock })
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // Best effort: what stays is swept by the next run.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders of this user's runs that are over: their lock is free.
fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry
                .metadata()
                .is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == geteuid().as_raw());
        if ours && is_over(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_over(run: &Path) -> bool {
    match File::open(run.join("lock")) {
        Ok(file) => Flock::lock(file, FlockArg::LockExclusiveNonblock).is_ok(),
        Err(_) => true,
    }
}

fn has_room(place: &Path) -> bool {
    fs::create_dir_all(place).is_ok()
        && statvfs(place).is_ok_and(|status| status.blocks_available() * status.fragment_size() >= ROOM)
}

/// Whether a user without rights of its own can reach what is in this folder.
pub(crate) fn others_may_enter(folder: &Path) -> bool {
    folder
        .ancestors()
        .all(|step| fs::metadata(step).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_dead_runs_and_leaves_living_ones() {
        let place = tempfile::tempdir().unwrap();
        let living = RunFolder::make(place.path()).unwrap();
        let dead = place.path().join(format!("{PREFIX}dead"));
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("lock"), "").unwrap();
        let foreign = place.path().join("something-else");
        fs::create_dir(&foreign).unwrap();
        sweep(place.path());
        assert!(living.path().is_dir());
        assert!(foreign.is_dir());
        assert!(!dead.exists());
    }

    #[test]
    fn a_private_folder_keeps_others_out() {
        let private = tempfile::tempdir().unwrap();
        fs::set_permissions(private.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!others_may_enter(private.path()));
        assert!(others_may_enter(Path::new("/usr/bin")));
    }
}
