//! What `cargo deny` would check, where it is not installed: licences, sources, and versions held twice.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::licences;
use crate::workspace;

/// Reads the dependency graph and `deny.toml`, and names every package that breaks the rules.
pub(super) fn check() -> Result<()> {
    let settings =
        fs::read_to_string(workspace::root()?.join("deny.toml")).context("cannot read deny.toml")?;
    let allowed = allowed_licences(&settings)?;
    let packages = packages()?;
    for (name, versions) in held_twice(&packages) {
        eprintln!("note: {name} is there in versions {}", versions.join(", "));
    }
    let wrong: Vec<String> = packages.iter().filter_map(|package| complaint(package, &allowed)).collect();
    if !wrong.is_empty() {
        bail!("{}", wrong.join("; "));
    }
    Ok(())
}

fn packages() -> Result<Vec<Value>> {
    let output = workspace::cargo()?
        .args(["metadata", "--format-version", "1", "--locked", "--all-features", "--filter-platform"])
        .arg(host()?)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo metadata ended with {}", output.status);
    }
    match serde_json::from_slice::<Value>(&output.stdout)?["packages"].take() {
        Value::Array(packages) => Ok(packages),
        _ => bail!("cargo metadata lists no packages"),
    }
}

fn host() -> Result<String> {
    let output = workspace::cargo()?.args(["version", "--verbose"]).output().context("cannot start cargo")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let host = printed.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("cargo does not tell the host")?.to_owned())
}

fn allowed_licences(settings: &str) -> Result<Vec<String>> {
    let settings: toml::Table = settings.parse().context("deny.toml is not TOML")?;
    let list =
        settings.get("licenses").and_then(|licences| licences.get("allow")).and_then(|list| list.as_array());
    let names = list.context("deny.toml has no licenses.allow")?.iter();
    Ok(names.filter_map(|name| name.as_str().map(str::to_owned)).collect())
}

fn complaint(package: &Value, allowed: &[String]) -> Option<String> {
    let name = format!("{} {}", text(package, "name"), text(package, "version"));
    // A package of the workspace has no source.
    let source = text(package, "source");
    if !source.is_empty() && !source.starts_with("registry+") {
        return Some(format!("{name} comes from {source}"));
    }
    let licence = text(package, "license");
    (!licences::is_met(licence, allowed)).then(|| format!("{name} has the licence {licence:?}"))
}

fn held_twice(packages: &[Value]) -> BTreeMap<&str, Vec<&str>> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(text(package, "name")).or_default().push(text(package, "version"));
    }
    versions.retain(|_, versions| versions.len() > 1);
    versions
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(source: Option<&str>, licence: &str) -> Value {
        json!({ "name": "anchor", "version": "1.0.0", "source": source, "license": licence })
    }

    #[test]
    fn foreign_sources_and_licences_are_named() {
        let allowed = ["MIT".to_owned()];
        let registry = Some("registry+https://index.example");
        assert_eq!(complaint(&package(registry, "MIT"), &allowed), None);
        assert_eq!(complaint(&package(None, "MIT"), &allowed), None);
        assert!(
            complaint(&package(Some("git+https://x.example"), "MIT"), &allowed).unwrap().contains("git+")
        );
        assert!(complaint(&package(registry, "GPL-3.0"), &allowed).unwrap().contains("GPL-3.0"));
    }

    #[test]
    fn the_list_is_read_from_the_settings() {
        assert_eq!(allowed_licences("[licenses]\nallow = [\"MIT\", \"ISC\"]\n").unwrap(), ["MIT", "ISC"]);
        assert!(allowed_licences("[bans]\n").is_err());
    }

    #[test]
    fn only_packages_in_several_versions_are_listed() {
        let mut newer = package(None, "MIT");
        newer["version"] = "2.0.0".into();
        let other = json!({ "name": "chain", "version": "1.0.0" });
        let packages = [package(None, "MIT"), newer, other];
        assert_eq!(held_twice(&packages), BTreeMap::from([("anchor", vec!["1.0.0", "2.0.0"])]));
    }
}
