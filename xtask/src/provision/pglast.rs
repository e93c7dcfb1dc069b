//! A Python with the `pglast` package: PostgreSQL's own parser, for the splitter's differential test.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Attempts;
use super::apt::{self, Sysroot};
use super::cache::Cache;
use super::program::{installed, quoted, run};
use crate::workspace;

/// The variable that names a Python with `pglast`, here and in the tests.
pub(crate) const VARIABLE: &str = "WINDLASS_PGLAST_PYTHON";

const VERSION: &str = "8.8";

/// The digests of the wheels, for CPython 3.10 to 3.14 on x86-64 and then on AArch64.
const WHEELS: [&str; 10] = [
    "87a1c46fd5152807a1192ce8818fb32612ad558dd668385181db00119e0396e5",
    "a2debd30f7e96c137f06e68efc9c25af57328223fe51d3b9a33173d61797c924",
    "88faab53456ff210cd833a89b6d7bc32e60a49c505cca9f2c5c9228937127a1d",
    "20e0c7ddc9d9d22ce278285adc65d574992cfb6a2c4209abea7a5c672965cbb7",
    "53af5bd79dc0b62ae7b9707c106e13f757e80bab1edea3d9ef321b5925cf5f00",
    "9ebe54926e38ec241893a8d4a384d064217f2eed8f3edd6031a4691cde0e810f",
    "74bb1d2d1e11c8868f6211dd72b281821c46a17e9be9c87e09088cf4353125e8",
    "44ef539097ccd916cb156102c24ceec657e0bf2e701aed5e669e32b07ec7bb76",
    "fd372cf562fcee611382161ec46aa462a9c46eca68ea5f6f08a0330eaaf8d0aa",
    "b58a229cfcf332145c7a1dbd0d6d2d332818a166801ecad54186812bf0feec6a",
];
const LOWEST: (u32, u32) = (3, 10);

/// What a Python says of itself: its own path, its version, its kind.
const DESCRIBE: &str =
    "import sys; print(sys.executable, *sys.version_info[:2], sys.implementation.name, sep='\\n')";

/// The path of a program that is a Python with `pglast`: the given one, an installed one with the package
/// in the cache, or one from an apt sysroot.
pub(crate) fn python() -> Result<PathBuf> {
    if let Some(given) = env::var_os(VARIABLE).filter(|given| !given.is_empty()) {
        let given = PathBuf::from(given);
        imports(&mut Command::new(&given))
            .with_context(|| format!("{} is given by {VARIABLE}", given.display()))?;
        return Ok(given);
    }
    let cache = Cache::open(workspace::testdb_folder()?)?;
    let mut attempts = Attempts::default();
    for place in ["installed python3", "apt sysroot"] {
        let interpreter = match place {
            "apt sysroot" => Interpreter::of_sysroot(&cache),
            _ => Interpreter::installed(),
        };
        let ready = interpreter.and_then(|interpreter| interpreter.with_package(&cache));
        if let Some(python) = attempts.note(place, ready) {
            return Ok(python);
        }
    }
    let advice = format!("pglast could not be provided; to provide it yourself, set {VARIABLE}=PYTHON");
    Err(attempts.into_error().context(advice))
}

/// A Python without the package yet.
struct Interpreter {
    /// A line of a shell that starts it, up to its arguments.
    line: String,
    /// Such as `cp311`, or `sysroot-cp311`.
    tag: String,
    /// Certificates for pip where the machine has none.
    certificates: Option<PathBuf>,
}

impl Interpreter {
    fn installed() -> Result<Self> {
        let mut why = Vec::new();
        for name in ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"] {
            let Some(path) = installed(name) else { continue };
            match Self::described(&quoted(&path), "") {
                Ok(interpreter) => return Ok(interpreter),
                Err(error) => why.push(format!("{error:#}")),
            }
        }
        if why.is_empty() { bail!("no python3 is installed") } else { bail!("{}", why.join("; ")) }
    }

    fn of_sysroot(cache: &Cache) -> Result<Self> {
        let packages = ["python3", "python3-pip", "ca-certificates"];
        let root = cache.entry("python-sysroot", |part| {
            apt::fill(part, "bookworm", &packages)?;
            join_certificates(part)
        })?;
        let sysroot = Sysroot::at(root);
        let command = sysroot.program("/usr/bin/python3.11").command();
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<String> = words.map(quoted).collect();
        let home = quoted(sysroot.path("/usr"));
        let line = format!("env PYTHONHOME={home} {}", words.join(" "));
        let certificates =
            Some(sysroot.path(CERTIFICATES)).filter(|_| !Path::new(SYSTEM_CERTIFICATES).exists());
        Ok(Interpreter { certificates, ..Self::described(&line, "sysroot-")? })
    }

    fn described(line: &str, prefix: &str) -> Result<Self> {
        let described = run(shell(&format!("exec {line} -c \"$1\"")).arg(DESCRIBE))?;
        let mut lines = described.lines();
        let mut next = || lines.next().with_context(|| format!("{line} does not describe itself"));
        // A shim's own choice may change with the folder and the environment, so what it chose is used.
        let executable = next()?.to_owned();
        let (major, minor) = (next()?.parse::<u32>()?, next()?.parse::<u32>()?);
        if (major, minor) < LOWEST || next()? != "cpython" {
            bail!("{executable} is no CPython {}.{} or later", LOWEST.0, LOWEST.1);
        }
        let line = if prefix.is_empty() { quoted(&executable) } else { line.to_owned() };
        Ok(Interpreter { line, tag: format!("{prefix}cp{major}{minor}"), certificates: None })
    }

    /// The path of a script that starts this Python with the package, which is fetched unless it stands.
    fn with_package(&self, cache: &Cache) -> Result<PathBuf> {
        let name = format!("pglast-{VERSION}-{}", self.tag);
        let entry = cache.entry(&name, |part| self.fetch(part))?;
        let script = entry.join("python");
        // The script names this Python by its path, which may have moved since the package was fetched.
        let text = format!(
            "#!/bin/sh\nPYTHONNOUSERSITE=1 PYTHONPATH={} exec {} \"$@\"\n",
            quoted(entry.join("site")),
            self.line
        );
        write_program(&script, &text)?;
        // Through a shell: a program that was just written may be busy while another thread forks.
        imports(Command::new("sh").arg(&script))?;
        Ok(script)
    }

    /// Fetches the wheel by pip, which refuses every other file than the pinned ones.
    fn fetch(&self, folder: &Path) -> Result<()> {
        eprintln!("fetching pglast {VERSION} for {}", self.tag);
        let hashes: String = WHEELS.iter().map(|digest| format!(" --hash=sha256:{digest}")).collect();
        let wanted = folder.join("requirements.txt");
        fs::write(&wanted, format!("pglast=={VERSION}{hashes}\n"))?;
        let scratch = tempfile::tempdir().context("cannot make a folder for temporary files")?;
        let pip = self.pip(scratch.path())?;
        let mut command = shell(&format!("exec {pip} \"$@\""));
        command.args(["install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-cache-dir"]);
        command.args(["--no-deps", "--only-binary=:all:", "--require-hashes", "--target"]);
        command.arg(folder.join("site")).arg("--requirement").arg(&wanted);
        if let Some(certificates) = &self.certificates {
            command.arg("--cert").arg(certificates);
        }
        run(&mut command)?;
        Ok(())
    }

    /// The line that starts pip: this Python's own, else that of a virtual environment.
    fn pip(&self, scratch: &Path) -> Result<String> {
        let own = format!("{} -m pip", self.line);
        let Err(why) = run(&mut shell(&format!("exec {own} --version"))) else { return Ok(own) };
        let environment = scratch.join("environment");
        run(shell(&format!("exec {} -m venv \"$1\"", self.line)).arg(&environment))
            .with_context(|| format!("{why:#}; and without pip"))?;
        Ok(format!("{} -m pip", quoted(environment.join("bin/python"))))
    }
}

/// Proves that a Python has the package.
fn imports(python: &mut Command) -> Result<()> {
    run(python.args(["-c", "import pglast.parser"])).map(|_| ())
}

fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line, "sh"]);
    command
}

/// Writes a program in one step: another run may be starting it.
fn write_program(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|standing| standing == text) {
        return Ok(());
    }
    let part = path.with_extension(format!("{}.part", std::process::id()));
    fs::write(&part, text)?;
    fs::set_permissions(&part, fs::Permissions::from_mode(0o755))?;
    fs::rename(&part, path).with_context(|| format!("cannot write {}", path.display()))
}

const CERTIFICATES: &str = "certificates.pem";
const SYSTEM_CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Does what the package's own script would do when it is installed.
fn join_certificates(root: &Path) -> Result<()> {
    let mut joined = String::new();
    for entry in fs::read_dir(root.join("usr/share/ca-certificates/mozilla"))?.flatten() {
        joined.push_str(&fs::read_to_string(entry.path())?);
        joined.push('\n');
    }
    Ok(fs::write(root.join(CERTIFICATES), joined)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        for word in ["/a b/python3", "it's", "$HOME;`x`"] {
            assert_eq!(run(&mut shell(&format!("printf %s {}", quoted(word)))).unwrap(), word);
        }
    }

    #[test]
    fn an_old_or_foreign_python_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let described = |lines: &str| {
            let script = folder.path().join("python");
            write_program(&script, &format!("#!/bin/sh\nprintf '{lines}'\n")).unwrap();
            Interpreter::described(&format!("sh {}", quoted(&script)), "").map(|interpreter| interpreter.tag)
        };
        assert_eq!(described("/p\\n3\\n11\\ncpython\\n").unwrap(), "cp311");
        assert!(described("/p\\n3\\n9\\ncpython\\n").unwrap_err().to_string().contains("3.10 or later"));
        assert!(described("/p\\n3\\n11\\npypy\\n").is_err());
        assert!(described("").is_err());
    }
}
