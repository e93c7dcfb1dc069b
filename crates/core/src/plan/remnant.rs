//! Remnants: what a statement left that was cut off in its middle, and the steps that clear it away.

use super::build::{Prefix, checksums, length};
use super::state::Resumed;
use super::{Segment, Step, WaitLimit};
use crate::history::{InFlight, Remnant};
use crate::sql::Dialect;
use crate::sql::classify::ObjectName;
use std::fmt;
use std::time::Duration;

/// How far the attempt has come once the remnant is cleared away.
pub(super) struct Cleared {
    pub(super) completed: u32,
    pub(super) prefix: String,
    pub(super) in_flight: Option<InFlight>,
    pub(super) watched: Vec<ObjectName>,
}

/// Takes the attempt over as it is, so that no other run clears anything away meanwhile, and a crash leaves
/// the remnant known for what it is; then clears it away, and says so.
pub(super) fn clear<'m>(
    resumed: &Resumed<'m, '_>,
    remnant: &Remnant,
    dialect: Dialect,
    cleared: Cleared,
    patience: Duration,
) -> [Segment<'m>; 2] {
    let Resumed { prepared, attempt, .. } = resumed;
    let name = prepared.migration.name();
    let hold = Step::Hold {
        name,
        from_owner: attempt.owner.clone(),
        from_epoch: attempt.epoch,
        checksums: checksums(prepared.migration, dialect),
        statements: length(prepared.statements.len()),
        completed: attempt.completed,
        prefix: Prefix::new(dialect).after(prepared, attempt.completed as usize),
    };
    let left_by = attempt.in_flight.map_or(attempt.completed + 1, |in_flight| in_flight.first);
    let Cleared { completed, prefix, in_flight, watched } = cleared;
    let epoch = attempt.epoch + 1;
    let clear = vec![
        Step::LimitWaits(WaitLimit::Others(patience)),
        Step::Clear { remnant: remnant.clone(), left_by },
        Step::Checkpoint { name, epoch, completed, prefix, in_flight, watched },
    ];
    [Segment { steps: vec![hold] }, Segment { steps: clear }]
}

impl fmt::Display for Remnant {
    /// What is to be done about it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidIndex { schema, index } => write!(f, "drop invalid index {schema}.{index}"),
            Self::PendingDetach { schema, table, partition_schema, partition } => {
                write!(f, "finish detaching {partition_schema}.{partition} from {schema}.{table}")
            }
        }
    }
}
