//! What every scenario shares: the targets, a database of its own, and a raw session beside windlass.

mod child;
mod command;
mod database;
mod deployer;
mod expendable;
mod fault;
mod leftovers;
mod meddling;
mod over_sqlx;
mod proxy;
mod random;
mod raw;
mod rendering;
mod scenario;
mod snapshot;
mod tally;
mod target;

pub use child::ends_at;
pub use command::{Project, Ran, binary};
pub use database::{Database, Session};
pub use deployer::{Meeting, StopsAt, start, start_with};
pub use expendable::Expendable;
pub use fault::FaultSet;
pub use meddling::{DEADLINE, Login, Waiting, another_authority};
pub use proxy::{Cut, Moment, Proxy};
pub use random::{Extent, Random};
pub use raw::{Raw, Rows};
pub use rendering::{Unrendered, rendered};
pub use scenario::{Outcome, Scenario, Test, deploy, deploy_with, migrations, options, run_suite};
pub use snapshot::Snapshot;
pub use tally::{Ending, Tally};
pub use target::{Family, Target, targets};
