//! Why a set of migrations cannot be read. Each error names the file.

use super::Layout;
use std::io;
use std::path::PathBuf;

/// Why a set of migrations cannot be read.
///
/// ```
/// use windlass_core::source::{Migrations, SourceError};
///
/// assert!(matches!(Migrations::from_dir("no/such/folder"), Err(SourceError::NoFolder { .. })));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The folder of migrations is not there.
    #[error("there is no folder {dir}")]
    NoFolder {
        /// The folder.
        dir: PathBuf,
    },
    /// What should be the folder of migrations is a file.
    #[error("{path} is not a folder")]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// A file or folder cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// The name of a script does not begin with a version.
    #[error(
        "{path} has no version in front of its name (a migration is called like 20240102_add_email, \
         a repeatable one like R__views)"
    )]
    NoVersion {
        /// The file or folder.
        path: PathBuf,
    },
    /// The name of a script is a version and nothing else, or `R__` and nothing else.
    #[error("{path} has no name after {prefix}")]
    NoName {
        /// The file or folder.
        path: PathBuf,
        /// What stands where a name should follow it.
        prefix: String,
    },
    /// The name of a migration holds characters that a terminal obeys instead of showing them.
    #[error(
        "the name of {path:?} holds characters that do not show: line ends, escape sequences or the like"
    )]
    UnprintableName {
        /// The file or folder.
        path: PathBuf,
    },
    /// A script that is neither a file nor a folder: a pipe, a socket, a device.
    #[error("{path} is no file: a script is never read from a pipe or a device")]
    NotAFile {
        /// Where it stands.
        path: PathBuf,
    },
    /// `V2_name.sql` in a layout that wants `V2__name.sql`.
    #[error("{path} has one underscore after its version where V<version>__<name>.sql has two")]
    OneUnderscore {
        /// The file.
        path: PathBuf,
    },
    /// `B1__name.sql`: Flyway's script that stands for all migrations up to its version.
    #[error(
        "{path} is a baseline script, which stands for all migrations up to its version: \
         keep it outside of the folder of migrations, or name it as a versioned one"
    )]
    BaselineScript {
        /// The file.
        path: PathBuf,
    },
    /// Two layouts in one folder.
    #[error(
        "{first_file} is laid out as {first_layout}, {second_file} as {second_layout}: one folder has one layout"
    )]
    MixedLayouts {
        /// The folder of migrations; empty for embedded ones.
        dir: PathBuf,
        /// The layout of the first file.
        first_layout: Layout,
        /// The first file.
        first_file: PathBuf,
        /// The other layout.
        second_layout: Layout,
        /// The first file of the other layout.
        second_file: PathBuf,
    },
    /// Two files are the same migration.
    #[error("{first} and {second} are both migration {name}")]
    DuplicateName {
        /// The name they share.
        name: String,
        /// One file.
        first: PathBuf,
        /// The other file.
        second: PathBuf,
    },
    /// A folder named like a migration without a script in it.
    #[error("{folder} holds no script: neither migration.sql nor up.sql")]
    MissingScript {
        /// The migration's folder.
        folder: PathBuf,
    },
    /// A folder with both `migration.sql` and `up.sql`.
    #[error("{folder} holds two scripts: migration.sql and up.sql")]
    TwoScripts {
        /// The migration's folder.
        folder: PathBuf,
    },
    /// A script deeper in the tree than scripts are looked for.
    #[error(
        "{file} is a migration in a sub folder, where it would not be found: \
         move it up, or out of the folder of migrations if it is none"
    )]
    Nested {
        /// The script.
        file: PathBuf,
    },
    /// The folder holds folders of migrations, and no migration.
    #[error("{dir} has no migrations itself; {}", do_instead(folders))]
    OnlyInSubFolders {
        /// The folder.
        dir: PathBuf,
        /// The names of the sub folders that hold migrations, in order.
        folders: Vec<String>,
    },
    /// `U2__name.sql` without a `V2__…`: what undoes a migration for Flyway is one itself for refinery.
    #[error(
        "{path} stands alone: Flyway's `U` undoes the migration of its version, and there is none; refinery's is a \
         migration itself (windlass wants it called V{version}__…)"
    )]
    LoneUndo {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: String,
    },
    /// A script that undoes a migration which is not there, newer than every migration.
    #[error("{path} undoes a migration that is not there")]
    DownWithoutUp {
        /// The script that undoes.
        path: PathBuf,
    },
    /// The text is not UTF-8.
    #[error("{path}:{line}:{column}: the text is not UTF-8{guess}")]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Line of the first wrong byte, from 1.
        line: u32,
        /// Column of the first wrong byte, from 1, counted in characters.
        column: u32,
        /// What it seems to be instead, in words that follow; or nothing.
        guess: &'static str,
    },
    /// The name of a script is not UTF-8.
    #[error("the name of {path} is not UTF-8")]
    NotUtf8Name {
        /// The file.
        path: PathBuf,
    },
    /// A file with sections has none to apply.
    #[error("{path}:{line}: this line is a marker of sections, and the file has no `{marker}` section")]
    NoUpSection {
        /// The file.
        path: PathBuf,
        /// Line of the first marker that it has, from 1.
        line: u32,
        /// The comment that begins such a section.
        marker: &'static str,
    },
    /// The sections of a file are not one to apply and then at most one to undo.
    #[error(
        "{path}:{line}: `{marker}` stands where it cannot: a file has one section to apply, then one to undo"
    )]
    SectionOrder {
        /// The file.
        path: PathBuf,
        /// Line of the marker, from 1.
        line: u32,
        /// The marker.
        marker: &'static str,
    },
    /// SQL before the first section of a file.
    #[error("{path}:{line}: a statement stands before the first section")]
    OutsideSections {
        /// The file.
        path: PathBuf,
        /// Line of the statement, from 1.
        line: u32,
    },
    /// What `-- +goose StatementEnd` ends has no semicolon, and would run on into what follows.
    #[error("{path}:{line}: the statement that `-- +goose StatementEnd` ends here needs a `;` at its end")]
    StatementRunsOn {
        /// The file.
        path: PathBuf,
        /// Line of the marker, from 1.
        line: u32,
    },
    /// `-- +goose StatementBegin` without its end.
    #[error("{path}:{line}: `-- +goose StatementBegin` without `-- +goose StatementEnd`")]
    StatementNotEnded {
        /// The file.
        path: PathBuf,
        /// Line of the marker, from 1.
        line: u32,
    },
    /// `-- +goose ENVSUB ON`: the text would have to be filled in from the environment.
    #[error("{path}:{line}: `-- +goose ENVSUB ON` is not supported: the text of a migration is run as it is")]
    EnvironmentInText {
        /// The file.
        path: PathBuf,
        /// Line of the marker, from 1.
        line: u32,
    },
    /// A marker of a section that nobody knows.
    #[error("{path}:{line}:{column}: unknown marker `{found}`; did you mean `{nearest}`?")]
    UnknownMarker {
        /// The file.
        path: PathBuf,
        /// Line of the marker, from 1.
        line: u32,
        /// Column of the marker, from 1.
        column: u32,
        /// The marker as written.
        found: String,
        /// The known one that is nearest.
        nearest: &'static str,
    },
    /// A marker of a tool whose files windlass does not part.
    #[error(
        "{path}:{line}: `{found}` is a marker of {tool}'s, which windlass does not part files by: it would run the part \
         that undoes as well; put that into a file of its own ({}.down.sql), or use the markers of goose or dbmate",
        .path.file_stem().unwrap_or_default().to_string_lossy()
    )]
    ForeignMarker {
        /// The file.
        path: PathBuf,
        /// Line of the marker, from 1.
        line: u32,
        /// The marker as written.
        found: String,
        /// Whose it is.
        tool: &'static str,
    },
    /// A setting beside a script that cannot be followed.
    #[error("{path}:{line}: `{found}` is not supported; {expected}")]
    UnknownSetting {
        /// The file.
        path: PathBuf,
        /// Line of the setting, from 1.
        line: u32,
        /// The setting as written.
        found: String,
        /// What can stand there.
        expected: &'static str,
    },
}

/// Which sub folders hold the migrations, and what to do about it.
fn do_instead(folders: &[String]) -> String {
    match folders {
        [folder] => format!("its sub folder {folder} does: name that as the folder of migrations"),
        _ => {
            let folders = folders.join(", ");
            format!("its sub folders {folders} do: name one of them as the folder of migrations")
        }
    }
}
