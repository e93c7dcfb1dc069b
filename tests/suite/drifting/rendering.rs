//! Rendering: what windlass writes of a schema makes the same schema again.

use harness::{Database, Unrendered, rendered};
use windlass_core::schema::{DdlError, differences};

/// That an empty database gets the same schema from the statements that are written of this one's. Where it cannot be
/// written, the object for which it cannot.
pub(super) async fn comes_round(database: &Database, after: &str) -> Option<DdlError> {
    let live = database.connect().await.read_schema(false).await.expect("a schema");
    let made = match rendered(&live, database.target()).await {
        Ok(made) => made,
        Err(Unrendered::Unwritable(error)) => return Some(error),
        Err(Unrendered::Refused(why)) => panic!("after {after}: {why}"),
    };
    let told: Vec<_> = differences(&live, &made).iter().map(ToString::to_string).collect();
    assert_eq!((told, made == live), (vec![], true), "after {after}");
    None
}
