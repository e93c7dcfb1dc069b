//! Debian packages of any suite in a folder of their own: the system stays as it is, no root needed.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::apt_sources::{self, Source};
use super::program::{Program, installed, run};

/// Packages unpacked into a folder that looks like a root folder.
#[derive(Clone, Debug)]
pub(crate) struct Sysroot {
    root: PathBuf,
}

impl Sysroot {
    /// A sysroot that [`fill`] made before.
    pub(crate) fn at(root: PathBuf) -> Self {
        Sysroot { root }
    }

    /// A path inside, given as it would be on a system.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside.trim_start_matches('/'))
    }

    /// A program inside, run by the sysroot's own loader with the sysroot's own libraries.
    pub(crate) fn program(&self, inside: &str) -> Program {
        let path = self.path(inside).into_os_string();
        let mut libraries = self.path(&format!("usr/lib/{TRIPLE}")).into_os_string();
        libraries.push(":");
        libraries.push(self.path(&format!("lib/{TRIPLE}")));
        let loader = self.path(LOADER).into_os_string();
        let word = |text: &str| OsString::from(text);
        Program::words(vec![loader, word("--library-path"), libraries, word("--argv0"), path.clone(), path])
    }

    /// Puts a script in the place of a program, so that programs which start it by its path find it.
    pub(crate) fn wrap(&self, inside: &str) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(inside);
        let depth = inside.trim_start_matches('/').split('/').count() - 1;
        let up = vec![".."; depth].join("/");
        fs::rename(&path, path.with_extension("bin"))?;
        let script = format!(
            "#!/bin/sh\nhere=$(dirname \"$(readlink -f \"$0\")\")\nroot=$(readlink -f \"$here/{up}\")\n\
             exec \"$root/{LOADER}\" --library-path \"$root/usr/lib/{TRIPLE}:$root/lib/{TRIPLE}\" \
             --argv0 \"$here/{name}\" \"$here/{name}.bin\" \"$@\"\n",
            name = path.file_name().context("a program has a name")?.to_string_lossy(),
        );
        fs::write(&path, script)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }
}

#[cfg(target_arch = "aarch64")]
const TRIPLE: &str = "aarch64-linux-gnu";
#[cfg(target_arch = "aarch64")]
const LOADER: &str = "lib/ld-linux-aarch64.so.1";
#[cfg(not(target_arch = "aarch64"))]
const TRIPLE: &str = "x86_64-linux-gnu";
#[cfg(not(target_arch = "aarch64"))]
const LOADER: &str = "lib64/ld-linux-x86-64.so.2";

/// Downloads packages of a suite with all they depend on and unpacks them into an empty folder.
pub(crate) fn fill(folder: &Path, suite: &str, packages: &[&str]) -> Result<()> {
    let apt = installed("apt-get").context("apt-get is not installed")?;
    let source = apt_sources::of_this_machine()?;
    // On the same disk as the result: the archives and indexes take 100 to 180 MB.
    let scratch = tempfile::Builder::new()
        .prefix("apt-")
        .tempdir_in(folder.parent().context("a sysroot stands in a folder")?)?;
    let state = State::make(scratch.path(), &source, suite)?;
    run(state.command(&apt).arg("update")).with_context(|| format!("cannot read the index of {suite}"))?;
    run(state.command(&apt).args(["install", "--yes", "--download-only"]).args(packages))
        .with_context(|| format!("cannot download {} of {suite}", packages.join(" ")))?;
    unpack(&scratch.path().join("cache/archives"), folder)
}

/// The private state of one use of apt.
struct State {
    options: Vec<OsString>,
}

impl State {
    fn make(scratch: &Path, source: &Source, suite: &str) -> Result<Self> {
        for folder in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(scratch.join(folder))?;
        }
        fs::write(scratch.join("status"), "")?;
        fs::write(scratch.join("sources.list"), source.line(suite))?;
        let mut options: Vec<OsString> = Vec::new();
        for (name, file) in [
            ("Dir::Etc::sourcelist", "sources.list"),
            ("Dir::State", "state"),
            ("Dir::State::lists", "state/lists"),
            ("Dir::State::status", "status"),
            ("Dir::Cache", "cache"),
            ("Dir::Cache::archives", "cache/archives"),
        ] {
            let mut option = OsString::from(format!("{name}="));
            option.push(scratch.join(file));
            options.push(option);
        }
        options.extend(FIXED_OPTIONS.map(OsString::from));
        Ok(State { options })
    }

    fn command(&self, apt: &Path) -> Command {
        let mut command = Command::new(apt);
        command.env("LC_ALL", "C").env("DEBIAN_FRONTEND", "noninteractive");
        for option in &self.options {
            command.arg("-o").arg(option);
        }
        command
    }
}

/// The unstable suite's index may be past its date on mirrors that lag, hence the two `Check` options.
const FIXED_OPTIONS: [&str; 14] = [
    "Dir::Etc::sourceparts=/dev/null",
    "Dir::Etc::preferences=/dev/null",
    "Dir::Etc::preferencesparts=/dev/null",
    "Dir::Cache::pkgcache=pkgcache.bin",
    "Dir::Cache::srcpkgcache=srcpkgcache.bin",
    "APT::Sandbox::User=root",
    "Debug::NoLocking=1",
    "APT::Install-Recommends=false",
    "Acquire::Languages=none",
    "Acquire::Check-Valid-Until=false",
    "Acquire::Check-Date=false",
    "Acquire::Retries=3",
    "APT::Update::Post-Invoke::=true",
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
];

/// Unpacks every archive; no maintainer script runs.
fn unpack(archives: &Path, folder: &Path) -> Result<()> {
    for name in ["bin", "sbin", "lib", "lib64"] {
        fs::create_dir_all(folder.join("usr").join(name))?;
        symlink(Path::new("usr").join(name), folder.join(name))?;
    }
    let mut unpacked = 0;
    for entry in fs::read_dir(archives)?.flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("sh").args(["-c", UNPACK, "sh"]).arg(entry.path()).arg(folder))
                .with_context(|| format!("cannot unpack {}", entry.path().display()))?;
            unpacked += 1;
        }
    }
    if unpacked == 0 {
        bail!("apt downloaded no package");
    }
    Ok(())
}

/// The archive goes through a file so that a failure of either program is seen in every shell.
const UNPACK: &str = "set -e; dpkg-deb --fsys-tarfile \"$1\" > \"$1.tar\"; \
     tar -x --keep-directory-symlink --no-same-owner -f \"$1.tar\" -C \"$2\"; rm \"$1.tar\"";
