//! Diagnosis: an error taken apart, as data for people and for `--json` alike.

use crate::config::Secret;
use crate::error::{Error, Undeployed};
use crate::excerpt::Excerpt;
use crate::exit::Exit;
use crate::output::{count, elapsed};
use crate::target::{redact, redact_arguments};
use crate::typed::Typed;
use std::error::Error as StdError;
use windlass_core::apply::{Contention, DeployError, FailedStatement, ResolveFailure, UnlockError};
use windlass_core::diagnosis::shell_word;
use windlass_core::driver::{DatabaseError, DriverError, Holder};
use windlass_core::history::{HistoryError, State};
use windlass_core::plan::{Blocked, Place, Resolution, ResolveError, WaitLimit};
use windlass_core::schema::Difference;
use windlass_core::shadow::ReplayError;
use windlass_core::source::SourceError;

/// An error, with everything a person needs to go on.
#[derive(Clone, Debug)]
pub(crate) struct Diagnosis {
    pub(crate) exit: Exit,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) causes: Vec<String>,
    pub(crate) database: Option<DatabaseError>,
    pub(crate) migration: Option<String>,
    pub(crate) place: Option<Place>,
    pub(crate) excerpt: Option<Excerpt>,
    pub(crate) statement: Option<(u32, u32)>,
    /// What differs between the schema as it should be and the live one.
    pub(crate) differences: Vec<Difference>,
    /// What was rolled back and what stands.
    pub(crate) notes: Vec<String>,
    pub(crate) hint: Option<String>,
}

impl Diagnosis {
    /// Takes an error apart. What could hold a secret of `url` is taken out.
    pub(crate) fn of(error: &Error, url: Option<&Secret>, typed: &Typed) -> Self {
        let (exit, kind) = error.classify();
        let mut diagnosis = Self {
            exit,
            kind,
            message: error.to_string(),
            causes: Vec::new(),
            database: None,
            migration: None,
            place: None,
            excerpt: None,
            statement: None,
            differences: Vec::new(),
            notes: Vec::new(),
            hint: None,
        };
        diagnosis.follow(error.source());
        match error {
            Error::Target(error) => diagnosis.hint = Some(error.hint()),
            Error::Config(error) => diagnosis.hint = error.hint(),
            Error::Source(source) => {
                diagnosis.place = first_place(&diagnosis.message);
                diagnosis.hint = of_source(source);
            }
            Error::Driver(driver) => diagnosis.driver(driver),
            Error::Deploy(undeployed) => diagnosis.deploy(undeployed),
            Error::Resolve(failure) => diagnosis.resolve(failure),
            Error::Unlock(error) => diagnosis.unlock(error),
            Error::CannotAsk => {
                diagnosis.hint = Some("`windlass unlock --end --yes` ends it without asking".to_owned());
            }
            Error::New(error) => diagnosis.hint = error.hint(),
            Error::Connect(failure) => diagnosis.hint = failure.hint(),
            Error::Shadow(error) => diagnosis.hint = error.hint(),
            _ => {}
        }
        if matches!(error, Error::Target(_) | Error::Connect(_) | Error::Driver(_) | Error::Unlock(_)) {
            diagnosis.clean(|text| redact(text, url));
        }
        diagnosis.hint = diagnosis.hint.map(|hint| typed.text(&hint));
        let arguments = || std::env::args_os().filter_map(|argument| argument.into_string().ok());
        diagnosis.clean(|text| redact_arguments(text, arguments()));
        diagnosis
    }

    /// Notes the causes down, each once; the database's own words have a place of their own.
    fn follow(&mut self, source: Option<&(dyn StdError + 'static)>) {
        let mut next = source;
        while let Some(cause) = next {
            match cause.downcast_ref::<DatabaseError>() {
                Some(database) => self.database = Some(database.clone()),
                // That the database refused is plain from what it said.
                None if matches!(cause.downcast_ref(), Some(DriverError::Refused(_))) => {}
                None => {
                    let told = cause.to_string();
                    // A message often quotes its own cause: it is not said twice.
                    if !std::iter::once(&self.message).chain(&self.causes).any(|said| said.contains(&told)) {
                        self.causes.push(told);
                    }
                }
            }
            next = cause.source();
        }
    }

    fn deploy(&mut self, undeployed: &Undeployed) {
        let Undeployed { error, progressed } = undeployed;
        self.hint = error.hint();
        match error {
            DeployError::Blocked(blocked) => self.blocked(blocked, Some(progressed)),
            DeployError::Driver(driver) => self.driver(driver),
            DeployError::Statement(failed) => self.failed(failed, progressed),
            DeployError::Lost { during, message } => {
                self.message = format!("the connection was lost during `{during}`");
                self.causes = vec![message.clone()];
                self.notes.push("whether it took effect is found out by the next deploy".to_owned());
            }
            DeployError::LockTimeout { holder, waited, product } => {
                self.message = format!("{} holds the lock; waited {}", product.rival(), elapsed(*waited));
                self.notes.push(format!("it is held by {}", held_by(holder)));
            }
            DeployError::Drift(drift) => {
                self.message = drift.to_string();
                self.differences.clone_from(&drift.differences);
            }
            DeployError::Contended(contention) => self.contended(contention, progressed),
            DeployError::TakenOver { name } => {
                self.migration = Some(name.clone());
            }
            DeployError::ReadOnly(failed) => {
                // No statement of it was refused.
                self.causes.clear();
                self.database = Some(failed.error.clone());
                self.migration = Some(failed.migration.clone());
                self.notes.extend(failed.what_stands());
            }
            DeployError::HistoryChanged { name, rolled_back } => {
                self.migration = Some(name.clone());
                self.notes.push(match rolled_back {
                    true => format!("`{name}` was rolled back: nothing of it stands"),
                    false => "what it has done stands, and nothing tells how far it came".to_owned(),
                });
            }
            DeployError::Stopped { part_way, .. } => {
                self.migration = part_way.clone();
                self.notes.extend(part_way.as_ref().map(|name| {
                    format!(
                        "`{name}` stands part-way; the next deploy goes on after its last completed statement"
                    )
                }));
                match progressed.rolled_back.as_slice() {
                    [] => {}
                    [name] => {
                        self.migration.get_or_insert_with(|| name.clone());
                        self.notes.push(format!("`{name}` was rolled back: nothing of it stands"));
                    }
                    several => self.notes.push(format!(
                        "{} shared a transaction and were rolled back: {}",
                        count(several.len(), "migration"),
                        some(several)
                    )),
                }
            }
            _ => {}
        }
        if !progressed.applied.is_empty() {
            let before = count(progressed.applied.len(), "migration");
            self.notes.push(format!("applied before it in this run, and standing: {before}"));
        }
    }

    /// What windlass itself asked for was refused, or the answer cannot be used.
    fn driver(&mut self, error: &DriverError) {
        match error {
            // Not that the database could not be used, but why, is what a person wants to read first.
            DriverError::History(_) | DriverError::Ambiguous(_) => {
                self.message = error.to_string();
                self.causes.clear();
                self.hint = matches!(error, DriverError::Ambiguous(_)).then(|| {
                    "name the schema whose migrations these are, with `?schema=` in the URL; or the history itself: \
                     `--history-table public._windlass_migrations`"
                        .to_owned()
                });
            }
            DriverError::Refused(database) if is_lack_of_rights(database) => {
                self.hint = Some(
                    "use the role that deploys, or grant this one the right to read the history table (and to \
                    write to it, where it deploys)"
                        .to_owned(),
                );
            }
            _ => {}
        }
    }

    fn failed(&mut self, failed: &FailedStatement, progressed: &crate::commands::deploy::Progressed) {
        // The excerpt and the database's own words say what the chain of causes does.
        self.causes.clear();
        self.message = format!("migration `{}` failed at {}", failed.migration, failed.part());
        self.migration = Some(failed.migration.clone());
        self.database = Some(failed.error.clone());
        // No statement is to blame where the commit was refused.
        if failed.commit_of.is_empty() {
            self.statement = Some((failed.number, failed.of));
            self.excerpt =
                Excerpt::of_failure(failed, progressed.migration(&failed.migration), progressed.dialect);
            self.place = Some(failed.offending_place());
        }
        self.notes.extend(failed.what_stands());
        self.hint = Some(failed.hint());
    }

    fn blocked(&mut self, blocked: &Blocked, progressed: Option<&crate::commands::deploy::Progressed>) {
        // Not what could not be done, but why, is what a person wants to read first.
        let (message, cause) = reason(blocked);
        self.message = message;
        self.causes = cause.into_iter().collect();
        self.follow(StdError::source(blocked));
        self.hint = blocked.hint();
        let (migration, place) = subject(blocked);
        self.migration = migration;
        self.place = place;
        if let (Some(place), Some(progressed)) = (&self.place, progressed) {
            self.excerpt = Excerpt::at(place, progressed.by_origin(&place.file), progressed.dialect);
            // The place has a line of its own.
            if let (Some(_), Some(rest)) = (&self.excerpt, self.message.strip_prefix(&format!("{place}: "))) {
                self.message = rest.to_owned();
            }
        }
        if let Blocked::ReadOnly { pending, .. } = blocked {
            self.notes.push(format!("{} pending: {}", count(pending.len(), "migration"), some(pending)));
        }
    }

    fn contended(&mut self, contention: &Contention, progressed: &crate::commands::deploy::Progressed) {
        let Contention { migration, place, number, of, holder, tries, waited, .. } = contention;
        self.migration = Some(migration.clone());
        self.place.clone_from(place);
        self.statement = (*number > 0).then_some((*number, *of));
        if let Some(place) = place {
            self.excerpt = Excerpt::at(place, progressed.by_origin(&place.file), progressed.dialect);
        }
        let times = if *tries == 1 { String::new() } else { format!(", tried {tries} times") };
        self.message = format!(
            "`{migration}` could not get the locks it needs: others held them for {}{times}",
            elapsed(*waited)
        );
        self.notes.push(format!("in its way was {}", held_by(holder)));
        let left = match contention.limit {
            Some(WaitLimit::Others(_)) => {
                "nothing is recorded as failed: the next deploy clears away what is left"
            }
            _ => "what waited was rolled back, and nothing is recorded as failed",
        };
        self.notes.push(left.to_owned());
        self.hint = Some(match contention.limit {
            Some(WaitLimit::Others(_)) => {
                "end what is in its way and deploy again; or wait longer: `--concurrent-wait 1h`".to_owned()
            }
            _ => "end what is in its way, or wait for a quieter hour, and deploy again; or try more often: \
                  `--lock-tries 50`; or let it wait longer: `--lock-timeout 30s`"
                .to_owned(),
        });
    }

    fn resolve(&mut self, failure: &ResolveFailure) {
        match failure {
            ResolveFailure::Refused(ResolveError::Unknown(blocked)) => self.blocked(blocked, None),
            ResolveFailure::Refused(error @ ResolveError::EmptyDatabase { .. }) => {
                self.message = error.to_string();
                self.causes.clear();
                self.notes.push("nothing was recorded".to_owned());
                self.hint = Some(
                    "`windlass deploy` runs what is pending; check the database URL; `--force` writes it down all the same".to_owned(),
                );
            }
            ResolveFailure::Refused(error @ ResolveError::WasEmpty { name }) => {
                self.message = error.to_string();
                self.causes.clear();
                self.migration = Some(name.clone());
                self.notes.push("nothing was changed".to_owned());
                let name = shell_word(name);
                self.hint = Some(format!(
                    "`windlass resolve --rolled-back {name}`, and deploy again; where its text was run by hand, \
                     `windlass resolve --applied {name}` behind it"
                ));
            }
            ResolveFailure::Refused(error @ ResolveError::NotInProject { name }) => {
                self.message = error.to_string();
                self.causes.clear();
                self.migration = Some(name.clone());
                self.notes.push("nothing was changed".to_owned());
                self.hint = Some(
                    "put its file back; or look for yourself: `--force` writes it down without a check"
                        .to_owned(),
                );
            }
            ResolveFailure::Refused(error) => {
                self.message = error.to_string();
                self.causes.clear();
                self.follow(StdError::source(error));
                self.notes.push("nothing was changed".to_owned());
                self.hint = Some(match error {
                    ResolveError::WrongState { state: State::RolledBack, .. } => {
                        "there is nothing to decide: `windlass deploy` runs it from its beginning".to_owned()
                    }
                    ResolveError::NoHistory { examples } => without_history(examples),
                    ResolveError::WrongState { state: State::Failed | State::Interrupted, .. } => {
                        "`windlass diagnose` tells what is true of it, and which command is right".to_owned()
                    }
                    _ => "`windlass status` tells where every migration stands".to_owned(),
                });
            }
            ResolveFailure::Differs { migration, of, differences, fits, right, .. } => {
                self.migration = Some(migration.clone());
                self.differences.clone_from(differences);
                self.notes.extend(fitting(fits, *of));
                self.notes.push("nothing was changed".to_owned());
                self.hint = Some(what_fits(migration, fits, right));
            }
            ResolveFailure::DiffersFromBaseline { migration, differences, .. } => {
                self.migration = Some(migration.clone());
                self.differences.clone_from(differences);
                self.notes.push("nothing was recorded".to_owned());
                self.hint = Some(
                    "name the migration whose schema it is, or bring the database to it by hand; what is meant to \
                     differ goes into `drift_ignore` in windlass.toml; `--force` records them as it is"
                        .to_owned(),
                );
            }
            ResolveFailure::Unchecked(error) => {
                if let ReplayError::ReachesOut { migration, place, .. } = error {
                    self.migration = Some(migration.clone());
                    self.place = Some(place.clone());
                    // The place has a line of its own.
                    let at = format!("{place}: ");
                    self.causes.iter_mut().for_each(|cause| *cause = cause.replacen(&at, "", 1));
                }
                self.notes.push("nothing was changed".to_owned());
                self.hint = Some("look for yourself; `--force` writes it down without a check".to_owned());
            }
            ResolveFailure::Locked(holder) => {
                self.notes.push(format!("it is held by {}", held_by(holder)));
                self.hint = Some(
                    "wait for it to end; `windlass unlock` shows whether it still holds the lock".to_owned(),
                );
            }
            _ => {}
        }
    }

    fn unlock(&mut self, error: &UnlockError) {
        match error {
            UnlockError::Driver(DriverError::Refused(database)) if is_lack_of_rights(database) => {
                self.hint = Some(
                    "a user may end sessions of its own: use the role that deploys; others need pg_signal_backend \
                     (PostgreSQL), CONNECTION_ADMIN (MySQL) or CONNECTION ADMIN (MariaDB)"
                        .to_owned(),
                );
            }
            UnlockError::Impossible { holder, .. } => {
                self.notes.push(format!("the lock is held by {}", held_by(holder)));
                self.hint = Some("end that process by the means of its system, or wait for it".to_owned());
            }
            UnlockError::StillThere { holder, waited } => {
                self.message = format!(
                    "the session that holds the lock was told to end, and is still there after {}",
                    elapsed(*waited)
                );
                self.notes.push(format!("it is {}", held_by(holder)));
                self.hint = Some(
                    "what is large takes its time to be undone: `windlass unlock` tells when it is gone"
                        .to_owned(),
                );
            }
            _ => {}
        }
    }

    fn clean(&mut self, without_secrets: impl Fn(&str) -> String) {
        let clean = |text: &mut String| *text = without_secrets(text);
        clean(&mut self.message);
        self.causes.iter_mut().for_each(clean);
        self.hint.iter_mut().for_each(clean);
        if let Some(database) = &mut self.database {
            clean(&mut database.message);
            [&mut database.detail, &mut database.hint, &mut database.context]
                .into_iter()
                .flatten()
                .for_each(clean);
        }
    }
}

/// What to do about a folder, where the message does not say it.
fn of_source(error: &SourceError) -> Option<String> {
    Some(match error {
        SourceError::NoFolder { .. } => {
            "`--dir` names the folder of migrations; `windlass new NAME` begins one".to_owned()
        }
        SourceError::NotAFolder { .. } => "`--dir` names the folder that it is in".to_owned(),
        SourceError::NoName { prefix, .. } => {
            let name = prefix.trim_end_matches('_');
            let joint = if prefix.starts_with(|c: char| c.is_ascii_digit()) { "_" } else { "__" };
            format!("say behind it what it does, as in `{name}{joint}add_email`")
        }
        SourceError::MixedLayouts { first_file, second_file, .. } => format!(
            "lay all of them out like {}, or all like {}; or move those of one kind to a folder of their own, which \
             `--dir` names",
            first_file.display(),
            second_file.display()
        ),
        SourceError::DuplicateName { .. } | SourceError::TwoScripts { .. } => {
            "take one of them away, or rename it".to_owned()
        }
        SourceError::NotUtf8 { .. } => "save it as UTF-8".to_owned(),
        _ => return None,
    })
}

/// The ways out where there is no history; of a database that holds something, those that a deploy would tell.
pub(crate) fn without_history(examples: &[String]) -> String {
    let deploys = || "`windlass deploy` makes one, and writes the schema down".to_owned();
    let is_not_empty = Blocked::NotEmpty { examples: examples.to_vec() };
    if examples.is_empty() { deploys() } else { is_not_empty.hint().unwrap_or_else(deploys) }
}

/// After how many statements the live schema would be what it is.
fn fitting(fits: &[u32], of: u32) -> Option<String> {
    let after = |done: &u32| match *done {
        0 => "before any of its statements".to_owned(),
        done if done == of => "after all of them".to_owned(),
        done => format!("after {done} of {of}"),
    };
    let places: Vec<_> = fits.iter().map(after).collect();
    (!places.is_empty()).then(|| format!("it is what it is {}", places.join(", or ")))
}

/// The decision that the live schema does bear out.
fn what_fits(migration: &str, fits: &[u32], right: &[Resolution]) -> String {
    let migration = shell_word(migration);
    let force = "`--force` writes it down all the same";
    let took_effect = format!("`windlass resolve --resume --took-effect {migration}`");
    let told = match (right, fits) {
        (_, []) => "bring the schema to where it should be by hand".to_owned(),
        ([Resolution::TookEffect], _) => {
            format!(
                "{took_effect} says what is true: the next deploy goes on behind the statement that stands"
            )
        }
        ([Resolution::TookEffect, Resolution::Applied], _) => format!(
            "{took_effect}: the next deploy goes on behind the statement that stands; where the rows that the rest changes were \
             changed by hand, too: `windlass resolve --applied {migration}`"
        ),
        ([Resolution::Applied], _) => format!("`windlass resolve --applied {migration}` says what is true"),
        ([Resolution::RolledBack], _) => {
            format!("`windlass resolve --rolled-back {migration}` says what is true")
        }
        ([], [0, ..]) => {
            "`windlass deploy` runs it; `windlass diagnose` tells what stands of an attempt at it".to_owned()
        }
        _ => "`windlass diagnose` tells what stands".to_owned(),
    };
    format!("{told}; {force}")
}

/// As PostgreSQL says it, and as MySQL and MariaDB do.
fn is_lack_of_rights(error: &DatabaseError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    ["42501", "1044 ", "1095 ", "1142 ", "1143 ", "1227 "].iter().any(|known| code.starts_with(known))
}

/// Who holds the lock, since when, running what: as far as the server tells.
pub(crate) fn held_by(holder: &Holder) -> String {
    let mut told = match (&holder.who, &holder.session) {
        (Some(who), Some(session)) => format!("{who} ({session})"),
        (Some(who), None) => who.clone(),
        // A server tells some users no more than a number.
        (None, Some(session)) if session.parse::<u64>().is_ok() => format!("session {session}"),
        (None, Some(session)) => session.clone(),
        (None, None) => "another connection".to_owned(),
    };
    if let Some(since) = &holder.since {
        told.push_str(&format!(" since {since}"));
    }
    if let Some(running) = &holder.running {
        told.push_str(&format!(", running {running}"));
    }
    told
}

/// A reason in words, and what the database said where that is part of it.
pub(crate) fn reason(blocked: &Blocked) -> (String, Option<String>) {
    // A history that another version wrote is no reason to mistrust it.
    if let Blocked::History(newer @ HistoryError::Newer { .. }) = blocked {
        return (newer.to_string(), None);
    }
    let message = blocked.to_string();
    let (Blocked::Failed { attempt, .. } | Blocked::UnfinishedElsewhere { attempt, .. }) = blocked else {
        return (message, None);
    };
    match &attempt.error {
        Some(error) => (message.replacen(&format!(": {error}"), "", 1), Some(error.clone())),
        None => (message, None),
    }
}

/// The migration and the place that a reason is about.
fn subject(blocked: &Blocked) -> (Option<String>, Option<Place>) {
    match blocked {
        Blocked::Edited { names, .. } | Blocked::Missing { names } => (names.first().cloned(), None),
        Blocked::Renamed { to, .. } => (Some(to.clone()), None),
        Blocked::OutOfOrder { name, .. } => (Some(name.clone()), None),
        Blocked::Failed { attempt, next } => (Some(attempt.name.clone()), next.clone()),
        Blocked::InDoubt { attempt, place, .. } | Blocked::Undone { attempt, place, .. } => {
            (Some(attempt.name.clone()), place.clone())
        }
        Blocked::SessionGone { attempt, needs, .. } => (Some(attempt.name.clone()), Some(needs.clone())),
        Blocked::HeadChanged { attempt }
        | Blocked::Running { attempt }
        | Blocked::UnfinishedElsewhere { attempt, .. } => (Some(attempt.name.clone()), None),
        Blocked::Unsplittable { place, .. }
        | Blocked::EndsElsewhere { place, .. }
        | Blocked::Placeholder { place, .. }
        | Blocked::TransactionRequired { place, .. }
        | Blocked::InsideExplicitTransaction { place, .. }
        | Blocked::CannotRepeat { place, .. }
        | Blocked::ReadsOwnWrites { place, .. }
        | Blocked::HoldsForNothing { place }
        | Blocked::TakesInvalidIndex { place, .. }
        | Blocked::ChangesHistory { place, .. }
        | Blocked::TakesHistoryAway { place, .. }
        | Blocked::UnsupportedControl { place, .. } => (None, Some(place.clone())),
        Blocked::NotOneTransaction { name, place, .. } | Blocked::NeedsSession { name, place, .. } => {
            (Some(name.clone()), place.clone())
        }
        Blocked::NestedBegin { second, .. } => (None, Some(second.clone())),
        Blocked::CutChangesMeaning { cut, .. } => (None, Some(cut.clone())),
        Blocked::UnclosedTransaction { begin, .. } => (None, Some(begin.clone())),
        _ => (None, None),
    }
}

/// `path:line:column: …` or `path:line: …` at the front of a message.
fn first_place(message: &str) -> Option<Place> {
    let (front, _) = message.split_once(": ")?;
    let (rest, last) = front.rsplit_once(':')?;
    let last: u32 = last.parse().ok()?;
    match rest.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?))) {
        Some((file, line)) => Some(Place { file: file.to_owned(), line, column: last }),
        None => Some(Place { file: rest.to_owned(), line: last, column: 1 }),
    }
}

/// The first few names.
pub(crate) fn some(names: &[String]) -> String {
    const FEW: usize = 5;
    match names.len().checked_sub(FEW) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..FEW].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_from_the_front_of_a_message() {
        let place = |text: &str| first_place(text).map(|place| place.to_string());
        assert_eq!(place("db/1_a.sql:3:7: the text is not UTF-8").as_deref(), Some("db/1_a.sql:3:7"));
        assert_eq!(place("db/1_a.sql:3: a statement stands").as_deref(), Some("db/1_a.sql:3:1"));
        assert_eq!(place("db/1_a.sql cannot be read"), None);
    }

    #[test]
    fn a_holder_is_told_as_far_as_it_is_known() {
        assert_eq!(held_by(&Holder::default()), "another connection");
        let numbered = Holder { session: Some("38".into()), ..Holder::default() };
        assert_eq!(held_by(&numbered), "session 38");
        let holder = Holder {
            session: Some("process 7".into()),
            who: Some("ann@laptop".into()),
            since: Some("noon".into()),
            running: Some("VACUUM".into()),
        };
        assert_eq!(held_by(&holder), "ann@laptop (process 7) since noon, running VACUUM");
    }
}
