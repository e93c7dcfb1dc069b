//! Files and their roles, put together into migrations.

use super::layout::{Recognised, Role, read_underscores, recognise, version_before_underscore};
use super::parallel::in_parallel;
use super::sections::{Parted, Sections, part};
use super::{Layout, Looked, Migrations, Notice, SourceError, folder, settings};
use crate::migration::{Migration, Position, Script, StandingDigest, TransactionMode, Version, version_of};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A path below the folder, and its text unless that is to be read from there.
pub(super) type File = (Cow<'static, str>, Option<Cow<'static, str>>);

/// Makes migrations of files.
pub(super) fn assemble(dir: &Path, mut files: Vec<File>) -> Result<Migrations, SourceError> {
    // In an order of our own, so that the same folder gives the same error on every file system.
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    let paths: Vec<_> = files.iter().map(|(path, _)| path.clone()).collect();
    let mut roles = Vec::with_capacity(paths.len());
    for path in &paths {
        roles.push(recognise(dir, path)?);
    }
    read_underscores(&mut roles);
    refuse_nested(dir, &paths, &roles)?;

    let mut set = Set::new(dir);
    let (ups, others): (Vec<_>, Vec<_>) =
        files.into_iter().zip(&roles).partition(|(_, file)| file.role == Role::Up);
    let read = in_parallel(&ups, |((path, text), _)| {
        let full = dir.join(&**path);
        let read = if text.is_some() { Cow::Borrowed("") } else { folder::read(&full)?.into() };
        Ok((origin(full), read))
    })?;
    for (((_, text), recognised), (origin, read)) in ups.into_iter().zip(read) {
        set.add(origin, text.unwrap_or(read), recognised)?;
    }
    for (file, recognised) in others {
        set.attach(file, recognised)?;
    }
    set.finish()
}

/// A migration deeper than migrations are looked for must not be left out in silence.
fn refuse_nested(
    dir: &Path,
    paths: &[Cow<'static, str>],
    roles: &[Recognised<'_>],
) -> Result<(), SourceError> {
    let is_nested = |file: &&Recognised<'_>| file.role == Role::Nested;
    let Some(first) = roles.iter().position(|file| is_nested(&file)) else { return Ok(()) };
    let has_own = roles.iter().any(|file| file.role == Role::Up);
    // Embedded scripts have no folder that could be a wrong one.
    if has_own || dir.as_os_str().is_empty() {
        return Err(SourceError::Nested { file: dir.join(&*paths[first]) });
    }
    let folders = roles.iter().filter(is_nested).map(|file| file.name.to_string()).collect();
    Err(SourceError::OnlyInSubFolders { dir: dir.into(), folders })
}

/// A migration, and what other files say of it.
struct Member {
    migration: Migration,
    /// `None` for a repeatable one.
    layout: Option<Layout>,
    down: Option<Script>,
    mode: TransactionMode,
}

impl Member {
    fn new(name: String, up: Script, layout: Option<Layout>) -> Self {
        Self { migration: Migration::new(name, up), layout, down: None, mode: TransactionMode::Automatic }
    }

    fn into_migration(self) -> Migration {
        let migration = self.migration.with_mode(self.mode);
        match self.down {
            Some(down) => migration.with_down(down),
            None => migration,
        }
    }
}

struct Set<'d> {
    dir: &'d Path,
    list: Vec<Member>,
    /// Made when the first file asks for it: most folders hold nothing but scripts to apply.
    by_name: OnceCell<HashMap<String, usize>>,
    left_out: Vec<Notice>,
}

impl<'d> Set<'d> {
    fn new(dir: &'d Path) -> Self {
        Self { dir, list: Vec::new(), by_name: OnceCell::new(), left_out: Vec::new() }
    }

    fn add(
        &mut self,
        origin: String,
        text: Cow<'static, str>,
        recognised: &Recognised<'_>,
    ) -> Result<(), SourceError> {
        let name = recognised.name.clone().into_owned();
        let may_have_sections = matches!(recognised.layout, None | Some(Layout::Plain));
        let parted =
            if may_have_sections { part(origin, text)? } else { Parted::Whole(Script::new(origin, text)) };
        self.list.push(match parted {
            Parted::Whole(script) => Member::new(name, script, recognised.layout),
            Parted::Sections(Sections { layout, up, down, mode }) => {
                let layout = recognised.layout.and(Some(layout));
                Member { down, mode, ..Member::new(name, up, layout) }
            }
        });
        Ok(())
    }

    /// The path that messages show, and the text.
    fn text(&self, (path, text): File) -> Result<(String, Cow<'static, str>), SourceError> {
        let full = self.dir.join(&*path);
        let text = match text {
            Some(text) => text,
            None => folder::read(&full)?.into(),
        };
        Ok((origin(full), text))
    }

    fn attach(&mut self, file: File, recognised: &Recognised<'_>) -> Result<(), SourceError> {
        let path = self.dir.join(&*file.0);
        let target = self.target(recognised);
        match (recognised.role, target) {
            (Role::Down, Some(target)) => {
                let (origin, text) = self.text(file)?;
                self.list[target].down = Some(Script::new(origin, text));
            }
            (Role::Settings, Some(target)) => {
                let (origin, text) = self.text(file)?;
                self.list[target].mode = settings::transaction_mode(&origin, &text)?;
            }
            (Role::Down, None) if file.0.contains('/') => {
                let folder = path.parent().unwrap_or(&path).to_owned();
                return Err(SourceError::MissingScript { folder });
            }
            // To take a migration for what undoes one is to leave it out in silence.
            (Role::Down, None) if recognised.layout == Some(Layout::Flyway) => {
                let version = version_of(&recognised.name).map(|version| version.as_str().to_owned());
                return Err(SourceError::LoneUndo { path, version: version.unwrap_or_default() });
            }
            (Role::Down, None) => {
                if self.is_newest(version_of(&recognised.name)) {
                    return Err(SourceError::DownWithoutUp { path });
                }
                self.left_out.push(Notice::DownWithoutUp { path });
            }
            (Role::OneUnderscore, _) => {
                let is_flyway = self.list.iter().any(|member| member.layout == Some(Layout::Flyway));
                if !is_flyway || self.is_newest(version_before_underscore(&recognised.name)) {
                    return Err(SourceError::OneUnderscore { path });
                }
                self.left_out.push(Notice::Misnamed { path });
            }
            (Role::Unversioned, _) => {
                // Where each migration has a folder, nobody has ever run a file beside the folders.
                if !self.list.iter().any(|member| member.layout.is_some_and(Layout::has_folders)) {
                    return Err(SourceError::NoVersion { path });
                }
                self.left_out.push(Notice::Aside { path });
            }
            (Role::Aside, _) => self.left_out.push(Notice::Aside { path }),
            (Role::Settings, None) | (Role::Up | Role::Nested, _) => {}
        }
        Ok(())
    }

    /// The migration that a file beside it belongs to.
    fn target(&self, recognised: &Recognised<'_>) -> Option<usize> {
        let by_name = self.by_name.get_or_init(|| {
            let names = self.list.iter().map(|member| member.migration.name().to_owned());
            names.zip(0..).collect()
        });
        by_name.get(&*recognised.name).copied().or_else(|| {
            // Flyway's own pairing: whatever its description, the script undoes the one of its version.
            let version =
                version_of(&recognised.name).filter(|_| recognised.layout == Some(Layout::Flyway))?;
            self.list.iter().position(|member| member.migration.version().as_ref() == Some(&version))
        })
    }

    /// Whether no migration is newer: then a file with this version is being written now, and what
    /// is wrong with it is an error. Deeper in a history the same is how things are, and a notice.
    fn is_newest(&self, version: Option<Version>) -> bool {
        self.list.iter().filter_map(|member| member.migration.version()).all(|other| Some(other) <= version)
    }

    fn finish(self) -> Result<Migrations, SourceError> {
        let layout = self.one_layout()?;
        let mut list: Vec<_> = self.list.into_iter().map(Member::into_migration).collect();
        in_order(&mut list)?;
        let digest = digest(&list);
        Ok(Migrations {
            list: Cow::Owned(list),
            left_out: self.left_out,
            digest,
            layout,
            dir: None,
            looked: Looked::Everywhere,
            compiled_from: None,
        })
    }

    fn one_layout(&self) -> Result<Option<Layout>, SourceError> {
        let mut members =
            self.list.iter().filter_map(|member| Some((member.layout?, member.migration.up().origin())));
        let Some((layout, first_file)) = members.next() else { return Ok(None) };
        let Some((other, second_file)) = members.find(|(other, _)| *other != layout) else {
            return Ok(Some(layout));
        };
        let (first_file, second_file) = (Path::new(first_file), Path::new(second_file));
        let are_folders = layout.has_folders() && other.has_folders();
        match first_file.parent() {
            Some(folder) if are_folders && second_file.parent() == Some(folder) => {
                Err(SourceError::TwoScripts { folder: folder.into() })
            }
            _ => Err(SourceError::MixedLayouts {
                dir: self.dir.into(),
                first_layout: layout,
                first_file: first_file.into(),
                second_layout: other,
                second_file: second_file.into(),
            }),
        }
    }
}

/// Sorts a set, in which every name shows as what it is, and none may stand twice.
pub(super) fn in_order(list: &mut [Migration]) -> Result<(), SourceError> {
    if let Some(hidden) = list.iter().find(|migration| !migration.name().chars().all(shows)) {
        return Err(SourceError::UnprintableName { path: hidden.up().origin().into() });
    }
    list.sort_by_cached_key(|migration| Position::of(migration.name()));
    match list.windows(2).find(|pair| pair[0].name() == pair[1].name()) {
        Some(pair) => Err(duplicate(&pair[0], &pair[1])),
        None => Ok(()),
    }
}

/// Neither obeyed by a terminal, nor able to turn the order of what is shown around.
fn shows(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The digest of a set in its order.
pub(super) fn digest(list: &[Migration]) -> StandingDigest {
    list.iter().fold(StandingDigest::empty(), |digest, migration| {
        digest.and(migration.name(), migration.raw_checksum())
    })
}

/// The path that messages show.
fn origin(path: PathBuf) -> String {
    path.into_os_string().into_string().unwrap_or_else(|path| path.to_string_lossy().into_owned())
}

fn duplicate(first: &Migration, second: &Migration) -> SourceError {
    SourceError::DuplicateName {
        name: first.name().to_owned(),
        first: first.up().origin().into(),
        second: second.up().origin().into(),
    }
}
