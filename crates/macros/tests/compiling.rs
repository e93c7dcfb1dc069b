//! A crate of its own with embedded migrations: what the compiler says, and when it compiles again.

use std::path::{Path, PathBuf};
use std::process::Command;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

struct Crate {
    folder: tempfile::TempDir,
}

impl Crate {
    fn new() -> Self {
        let new = Self { folder: tempfile::tempdir().unwrap() };
        let manifest = format!(
            "[package]\nname = \"windlass-compiling\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n\
             windlass-sqlite = {{ path = {:?}, default-features = false, features = [\"macros\"] }}\n",
            Path::new(WORKSPACE).join("crates/sqlite")
        );
        new.write("Cargo.toml", &manifest);
        new.write(
            "src/lib.rs",
            "use windlass_sqlite::Migrations;\npub static MIGRATIONS: Migrations =\n    windlass_sqlite::migrations!(\"db/migrations\");\n",
        );
        // The versions that this workspace is built with are at hand.
        std::fs::copy(Path::new(WORKSPACE).join("Cargo.lock"), new.path("Cargo.lock")).unwrap();
        new
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// What the compiler says: nothing where all is well.
    fn check(&self) -> String {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiling");
        let run = Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--offline", "--color", "never"])
            .current_dir(self.folder.path())
            .env("CARGO_TARGET_DIR", target)
            .env_remove("RUSTFLAGS")
            .output()
            .unwrap();
        String::from_utf8(run.stderr).unwrap()
    }

    #[track_caller]
    fn is_refused(&self, expected: &[&str]) {
        let said = self.check();
        // It points at what was given to the macro.
        for words in expected.iter().chain(&["--> src/lib.rs:3:34", "windlass_sqlite::migrations!"]) {
            assert!(said.contains(words), "`{words}` is not in:\n{said}");
        }
    }
}

#[test]
fn the_compiler_tells_of_a_bad_folder_and_compiles_again_when_a_file_changes() {
    let project = Crate::new();
    project.is_refused(&["there is no folder", "db/migrations"]);

    project.write("db/migrations/1_ships.sql", "CREATE TABLE ships (id integer);\n");
    assert_eq!(project.check(), "");
    project.write("db/migrations/1_ships.sql", "CREATE TABLE ships (id integer);\nSELECT 'open;\n");
    project.is_refused(&["db/migrations/1_ships.sql:2:8"]);
    project.write("db/migrations/1_ships.sql", "CREATE TABLE ships (id integer);\nSELECT 'closed';\n");
    assert_eq!(project.check(), "");

    // Of an added file a stable compiler does not know without a build script.
    project.write("db/migrations/1_ships.up.sql", "SELECT 1;\n");
    assert_eq!(project.check(), "");
    project.write("build.rs", "fn main() {\n    println!(\"cargo:rerun-if-changed=db/migrations\");\n}\n");
    project.is_refused(&["1_ships.up.sql", "1_ships.sql"]);
    std::fs::remove_file(project.path("db/migrations/1_ships.up.sql")).unwrap();
    assert_eq!(project.check(), "");
    project.write("db/migrations/2_crews.sql", "BEGIN;\nVACUUM;\nCOMMIT;\n");
    project.is_refused(&["db/migrations/2_crews.sql:2:1"]);
    project.write("db/migrations/2_crews.sql", "CREATE TABLE crews (id integer);\n");
    project.write("db/migrations/2_cargo.sql", "CREATE TABLE cargo (id integer);\n");
    assert_eq!(project.check(), "", "two branches may have taken the same number");
    let strict = "windlass_sqlite::migrations!(\"db/migrations\", strict_order)";
    let library = std::fs::read_to_string(project.path("src/lib.rs")).unwrap();
    project.write("src/lib.rs", &library.replace("windlass_sqlite::migrations!(\"db/migrations\")", strict));
    project.is_refused(&["2_cargo", "2_crews"]);
}
