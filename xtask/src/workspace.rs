//! Where the workspace and its folders stand.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The workspace's root folder: that of the running `cargo xtask`, else the one around the current folder.
pub(crate) fn root() -> Result<PathBuf> {
    let start = match env::var_os("CARGO_MANIFEST_DIR") {
        Some(manifest) => PathBuf::from(manifest),
        None => env::current_dir().context("cannot read the current folder")?,
    };
    start
        .ancestors()
        .find(|folder| folder.join("xtask/Cargo.toml").is_file())
        .map(Path::to_path_buf)
        .with_context(|| format!("{} is not inside the windlass workspace", start.display()))
}

/// Cargo's target folder.
pub(crate) fn target_folder() -> Result<PathBuf> {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => Ok(root()?.join(folder)),
        None => Ok(root()?.join("target")),
    }
}

/// The folder that keeps fetched servers between runs.
pub(crate) fn testdb_folder() -> Result<PathBuf> {
    Ok(target_folder()?.join("testdb"))
}

/// The folder with real projects' histories beside the workspace, where it stands.
pub(crate) fn corpora() -> Result<Option<PathBuf>> {
    let folder = root()?.join("../shared/corpora");
    Ok(folder.canonicalize().ok().filter(|folder| folder.is_dir()))
}

/// A command for cargo, at the workspace's root.
///
/// It does not hand on what cargo told this program about itself: build scripts watch those variables, and
/// would be run again each time that cargo is called from here and from a shell in turn.
pub(crate) fn cargo() -> Result<Command> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let own = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(own)) {
        command.env_remove(name);
    }
    command.current_dir(root()?);
    Ok(command)
}
