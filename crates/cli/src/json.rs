//! The document of `--json`. `docs/json.md` describes it; a change of meaning makes a new `version`.

use crate::commands::deploy::AppliedMigration;
use crate::commands::diagnose::told;
use crate::diagnosis::Diagnosis;
use crate::exit::Exit;
use serde::Serialize;
use windlass_core::diagnosis::{
    Advice, Changes, Choice, Compared, Comparison, Examined, Fate, NotCompared, Recorded, Told,
};
use windlass_core::doctor::Finding;
use windlass_core::driver::{Capabilities, Holder, InvalidIndex};
use windlass_core::history::Attempt;
use windlass_core::plan::Plan;
use windlass_core::schema::{Change, Difference, Key};
use windlass_core::status::StatusLine;

const VERSION: u32 = 1;

/// The one document on stdout.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    version: u32,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'static str>,
    exit_code: u8,
    #[serde(flatten)]
    body: Body,
}

/// What a command answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Body {
    Deploy(DeployBody),
    DryRun(DryRunBody),
    Status(StatusBody),
    New { files: Vec<String> },
    Diagnose(Box<DiagnoseBody>),
    Resolve { database: DatabaseBody, migration: String, resolution: &'static str },
    Baseline { database: DatabaseBody, recorded: Vec<String> },
    Drift(DriftBody),
    Doctor { database: DatabaseBody, findings: Vec<FindingBody> },
    DriftAccept { database: DatabaseBody, reason: String },
    History { database: DatabaseBody, attempts: Vec<AttemptBody> },
    Unlock(UnlockBody),
    Completions { shell: String, script: String },
    Error { applied: Vec<AppliedBody>, error: Box<ErrorBody> },
}

#[derive(Debug, Serialize)]
pub(crate) struct DatabaseBody {
    pub(crate) url: String,
    pub(crate) product: String,
    pub(crate) version: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct DriftBody {
    pub(crate) database: DatabaseBody,
    /// `none`, `drift`, `never_kept` or `unknown`.
    pub(crate) state: &'static str,
    /// Why it is unknown.
    pub(crate) why: Option<String>,
    /// The migration whose deploy kept the schema, and when.
    pub(crate) migration: Option<String>,
    pub(crate) at: Option<String>,
    pub(crate) accepted: Option<String>,
    pub(crate) differences: Vec<DifferenceBody>,
}

#[derive(Debug, Serialize)]
pub(crate) struct DiagnoseBody {
    pub(crate) database: DatabaseBody,
    pub(crate) blocked: Option<BlockedBody>,
    pub(crate) pending: Vec<String>,
    pub(crate) migration: Option<ExaminedBody>,
    pub(crate) recorded: Vec<RecordedBody>,
    pub(crate) drift: DriftStateBody,
    pub(crate) beside: Vec<DifferenceBody>,
    pub(crate) holder: Option<HolderBody>,
    pub(crate) invalid_indexes: Vec<InvalidIndexBody>,
    pub(crate) advice: AdviceBody,
}

#[derive(Debug, Serialize)]
pub(crate) struct ExaminedBody {
    attempt: AttemptBody,
    same_text: bool,
    statements: Vec<ToldBody>,
    /// `compared`, `nothing_to_see`, `no_shadow`, `unreplayable`, `failed`, `unreadable` or `needless`.
    schema: &'static str,
    /// Why it was not compared.
    why: Option<String>,
    /// After how many statements the schema would be what it is.
    fits: Vec<u32>,
    /// What keeps the replay from going on after the last of them.
    broken: Option<String>,
    unreplayable: Vec<UnreplayableBody>,
    /// From the schema after what counts as done to the live one, where no state explains it.
    differences: Vec<DifferenceBody>,
}

#[derive(Debug, Serialize)]
pub(crate) struct RecordedBody {
    attempt: AttemptBody,
    /// Null where the live schema was held against nothing.
    differences: Option<Vec<DifferenceBody>>,
    /// Statements that change rows, or may, and that no deploy ran.
    unseen_rows: Vec<u32>,
}

impl RecordedBody {
    pub(crate) fn of(recorded: &Recorded, is_seen: bool) -> Self {
        Self {
            attempt: AttemptBody::of(&recorded.attempt),
            differences: is_seen.then(|| recorded.differences.iter().map(DifferenceBody::of).collect()),
            unseen_rows: recorded.unseen_rows.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
struct ToldBody {
    number: u32,
    file: String,
    line: u32,
    column: u32,
    text: String,
    /// `nothing`, `definitions`, `rows` or `anything`.
    changes: &'static str,
    /// `done`, `not_done` or `unknown`.
    fate: &'static str,
    /// `checkpoint`, `objects`, `schema` or `nothing`.
    evidence: &'static str,
}

#[derive(Debug, Serialize)]
struct UnreplayableBody {
    migration: String,
    file: String,
    line: u32,
    column: u32,
    why: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct DriftStateBody {
    /// `none`, `drift`, `never_kept` or `unknown`.
    pub(crate) state: &'static str,
    pub(crate) why: Option<String>,
    pub(crate) differences: Vec<DifferenceBody>,
}

#[derive(Debug, Serialize)]
pub(crate) struct InvalidIndexBody {
    text: String,
    hint: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct AdviceBody {
    action: &'static str,
    why: String,
    by_hand: Vec<String>,
    commands: Vec<String>,
    choices: Vec<ChoiceBody>,
}

#[derive(Debug, Serialize)]
struct ChoiceBody {
    when: String,
    by_hand: Vec<String>,
    commands: Vec<String>,
}

impl ExaminedBody {
    pub(crate) fn of(examined: &Examined) -> Self {
        let (schema, why) = told(examined);
        let unreplayable = match &examined.comparison {
            Comparison::Not(NotCompared::Unreplayable(statements)) => statements.as_slice(),
            _ => &[],
        };
        let unreplayable = unreplayable.iter().map(|statement| UnreplayableBody {
            migration: statement.migration.clone(),
            file: statement.place.file.clone(),
            line: statement.place.line,
            column: statement.place.column,
            why: statement.why,
        });
        let compared = examined.compared();
        Self {
            attempt: AttemptBody::of(&examined.attempt),
            same_text: examined.is_same_text,
            statements: examined.statements.iter().map(ToldBody::of).collect(),
            schema,
            why,
            fits: compared.map(Compared::fits).unwrap_or_default(),
            broken: compared.and_then(|compared| compared.broken.clone()),
            unreplayable: unreplayable.collect(),
            differences: examined.unexplained().iter().map(DifferenceBody::of).collect(),
        }
    }
}

impl ToldBody {
    fn of(told: &Told) -> Self {
        Self {
            number: told.number,
            file: told.place.file.clone(),
            line: told.place.line,
            column: told.place.column,
            text: told.summary.clone(),
            changes: match told.changes {
                Changes::Nothing => "nothing",
                Changes::Definitions => "definitions",
                Changes::Rows => "rows",
                _ => "anything",
            },
            fate: match told.fate {
                Fate::Done => "done",
                Fate::NotDone => "not_done",
                _ => "unknown",
            },
            evidence: told.evidence.as_str(),
        }
    }
}

impl InvalidIndexBody {
    pub(crate) fn of(index: &InvalidIndex) -> Self {
        Self { text: index.to_string(), hint: index.hint() }
    }
}

impl AdviceBody {
    pub(crate) fn of(advice: &Advice) -> Self {
        let choice = |choice: &Choice| ChoiceBody {
            when: choice.when.clone(),
            by_hand: choice.by_hand.clone(),
            commands: choice.commands.clone(),
        };
        Self {
            action: advice.action.as_str(),
            why: advice.why.clone(),
            by_hand: advice.by_hand.clone(),
            commands: advice.commands.clone(),
            choices: advice.choices.iter().map(choice).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct FindingBody {
    check: &'static str,
    severity: &'static str,
    what: String,
    why: Option<String>,
    next: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct UnlockBody {
    pub(crate) database: DatabaseBody,
    /// Who held the lock when it was looked at.
    pub(crate) holder: Option<HolderBody>,
    /// Whether that session was ended.
    pub(crate) ended: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct HolderBody {
    session: Option<String>,
    who: Option<String>,
    since: Option<String>,
    running: Option<String>,
}

impl HolderBody {
    pub(crate) fn of(holder: &Holder) -> Self {
        let Holder { session, who, since, running } = holder.clone();
        Self { session, who, since, running }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct DifferenceBody {
    kind: String,
    schema: String,
    table: String,
    name: String,
    /// `added`, `removed`, `changed` or `worked_out`.
    change: &'static str,
    properties: Vec<PropertyBody>,
    text: String,
}

#[derive(Debug, Serialize)]
struct PropertyBody {
    name: String,
    was: Option<String>,
    is: Option<String>,
}

impl DifferenceBody {
    pub(crate) fn of(difference: &Difference) -> Self {
        let property = |name: &String, was: Option<&String>, is: Option<&String>| PropertyBody {
            name: name.clone(),
            was: was.cloned(),
            is: is.cloned(),
        };
        let (change, properties) = match &difference.change {
            Change::Added(properties) => {
                ("added", properties.iter().map(|(name, is)| property(name, None, Some(is))).collect())
            }
            Change::Removed(properties) => {
                ("removed", properties.iter().map(|(name, was)| property(name, Some(was), None)).collect())
            }
            Change::Changed(changed) | Change::WorkedOut(changed) => {
                let word = if difference.counts() { "changed" } else { "worked_out" };
                let changed = changed.iter();
                (word, changed.map(|(name, was, is)| property(name, was.as_ref(), is.as_ref())).collect())
            }
            Change::Gone { .. } => ("gone", Vec::new()),
            _ => ("changed", Vec::new()),
        };
        let Key { schema, table, kind, name } = difference.key.clone();
        Self { kind, schema, table, name, change, properties, text: difference.to_string() }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct DeployBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) database: Option<DatabaseBody>,
    pub(crate) dry_run: bool,
    pub(crate) applied: Vec<AppliedBody>,
    pub(crate) waited_ms: Option<u64>,
    pub(crate) duration_ms: u64,
    pub(crate) remarks: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct AppliedBody {
    name: String,
    statements: u32,
    duration_ms: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct DryRunBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) database: Option<DatabaseBody>,
    pub(crate) dry_run: bool,
    pub(crate) plan: PlanBody,
    pub(crate) remarks: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct PlanBody {
    migrations: Vec<String>,
    text: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct StatusBody {
    pub(crate) database: DatabaseBody,
    pub(crate) settled: bool,
    /// A word of `DriftVerdict`; none where nobody is to look.
    pub(crate) drift: Option<&'static str>,
    pub(crate) blocked: Option<BlockedBody>,
    pub(crate) migrations: Vec<MigrationBody>,
    pub(crate) notices: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct BlockedBody {
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct MigrationBody {
    name: String,
    state: &'static str,
    file: Option<String>,
    applied_at: Option<String>,
    error: Option<String>,
    renamed_to: Option<String>,
    attempt: Option<AttemptBody>,
}

#[derive(Debug, Serialize)]
pub(crate) struct AttemptBody {
    id: i64,
    name: String,
    kind: &'static str,
    state: &'static str,
    checksum: String,
    statements: u32,
    completed: u32,
    touched: u64,
    in_flight: Option<String>,
    started_at: String,
    finished_at: Option<String>,
    rolled_back_at: Option<String>,
    duration_ms: Option<u64>,
    error: Option<String>,
    resolution: Option<String>,
    applied_by: String,
    tool: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct ErrorBody {
    kind: &'static str,
    message: String,
    causes: Vec<String>,
    notes: Vec<String>,
    hint: Option<String>,
    migration: Option<String>,
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    statement: Option<StatementBody>,
    database: Option<DatabaseErrorBody>,
    /// What differs between the schema as it should be and the live one.
    differences: Vec<DifferenceBody>,
}

#[derive(Debug, Serialize)]
struct StatementBody {
    number: u32,
    of: u32,
}

#[derive(Debug, Serialize)]
struct DatabaseErrorBody {
    message: String,
    code: Option<String>,
    detail: Option<String>,
    hint: Option<String>,
    context: Option<String>,
}

impl Document {
    pub(crate) fn answer(command: &'static str, exit: Exit, body: Body) -> Self {
        Self { version: VERSION, ok: true, command: Some(command), exit_code: exit.code(), body }
    }

    pub(crate) fn error(command: &'static str, diagnosis: &Diagnosis, applied: &[AppliedMigration]) -> Self {
        let applied = applied.iter().map(AppliedBody::of).collect();
        let body = Body::Error { applied, error: Box::new(ErrorBody::of(diagnosis)) };
        Self { version: VERSION, ok: false, command: Some(command), exit_code: diagnosis.exit.code(), body }
    }

    pub(crate) fn usage(text: &str) -> Self {
        let (message, rest) = text.trim().split_once('\n').unwrap_or((text.trim(), ""));
        let error = ErrorBody {
            kind: "usage",
            message: message.trim_start_matches("error: ").to_owned(),
            hint: Some(rest.trim().to_owned()).filter(|rest| !rest.is_empty()),
            ..ErrorBody::default()
        };
        let body = Body::Error { applied: Vec::new(), error: Box::new(error) };
        Self { version: VERSION, ok: false, command: None, exit_code: Exit::Usage.code(), body }
    }
}

impl FindingBody {
    pub(crate) fn of(finding: &Finding) -> Self {
        Self {
            check: finding.check.as_str(),
            severity: finding.severity.as_str(),
            what: finding.what.clone(),
            why: Some(finding.why.clone()).filter(|why| !why.is_empty()),
            next: finding.next.clone(),
        }
    }
}

impl DatabaseBody {
    pub(crate) fn of(place: &str, capabilities: &Capabilities) -> Self {
        let (product, version) = (capabilities.product.to_string(), capabilities.version.clone());
        Self { url: place.to_owned(), product, version }
    }
}

impl AppliedBody {
    pub(crate) fn of(applied: &AppliedMigration) -> Self {
        Self {
            name: applied.name.clone(),
            statements: applied.statements,
            duration_ms: milliseconds(applied.elapsed),
        }
    }
}

impl PlanBody {
    pub(crate) fn of(plan: &Plan<'_>) -> Self {
        Self {
            migrations: plan.migrations().into_iter().map(str::to_owned).collect(),
            text: plan.to_string(),
        }
    }
}

impl MigrationBody {
    pub(crate) fn of(line: &StatusLine) -> Self {
        Self {
            name: line.name.clone(),
            state: line.standing.as_str(),
            file: line.file.clone(),
            applied_at: line.applied_at().map(str::to_owned),
            error: line.error().map(str::to_owned),
            renamed_to: line.renamed_to.clone(),
            attempt: line.attempt.as_ref().map(AttemptBody::of),
        }
    }
}

impl AttemptBody {
    pub(crate) fn of(attempt: &Attempt) -> Self {
        Self {
            id: attempt.id,
            name: attempt.name.clone(),
            kind: attempt.kind.as_str(),
            state: attempt.state().as_str(),
            checksum: attempt.checksums.raw.clone(),
            statements: attempt.statements,
            completed: attempt.completed,
            touched: attempt.touched,
            in_flight: attempt.in_flight.map(|in_flight| in_flight.to_text()),
            started_at: attempt.started_at.clone(),
            finished_at: attempt.finished_at.clone(),
            rolled_back_at: attempt.rolled_back_at.clone(),
            duration_ms: attempt.duration_ms,
            error: attempt.error.clone(),
            resolution: attempt.resolution.clone(),
            applied_by: attempt.applied_by.clone(),
            tool: attempt.tool.clone(),
        }
    }
}

impl Default for ErrorBody {
    fn default() -> Self {
        Self {
            kind: "other",
            message: String::new(),
            causes: Vec::new(),
            notes: Vec::new(),
            hint: None,
            migration: None,
            file: None,
            line: None,
            column: None,
            statement: None,
            database: None,
            differences: Vec::new(),
        }
    }
}

impl ErrorBody {
    fn of(diagnosis: &Diagnosis) -> Self {
        let place = diagnosis.place.as_ref();
        Self {
            kind: diagnosis.kind,
            message: diagnosis.message.clone(),
            causes: diagnosis.causes.clone(),
            notes: diagnosis.notes.clone(),
            hint: diagnosis.hint.clone(),
            migration: diagnosis.migration.clone(),
            file: place.map(|place| place.file.clone()),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            statement: diagnosis.statement.map(|(number, of)| StatementBody { number, of }),
            database: diagnosis.database.as_ref().map(|error| DatabaseErrorBody {
                message: error.message.clone(),
                code: error.code.clone(),
                detail: error.detail.clone(),
                hint: error.hint.clone(),
                context: error.context.clone(),
            }),
            differences: diagnosis.differences.iter().map(DifferenceBody::of).collect(),
        }
    }
}

/// Whole milliseconds.
pub(crate) fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
