//! The shadow database of a command: created, used and dropped; in memory where that is possible.

use crate::args::{Shadow as Args, ShadowPlace};
use crate::commands::Context;
use crate::config::Secret;
use crate::error::Error;
use crate::target::{IfMissing, Target};
use windlass_core::driver::{Driver, Run};

/// What begins the name of every shadow database.
const PREFIX: &str = "windlass_shadow_";

/// An empty database of this run alone.
pub(crate) struct Shadow {
    pub(crate) driver: Box<dyn Driver>,
    target: Target,
}

impl Shadow {
    /// Makes one where the command line, the environment or the settings allow it; `None` where nothing does.
    ///
    /// # Errors
    /// When it was allowed, and cannot be made.
    pub(crate) async fn open(context: &Context, target: &Target, args: &Args) -> Result<Option<Self>, Error> {
        let given = args.shadow_database_url.as_deref();
        let url = given.or(context.settings.shadow_database_url.as_ref().map(Secret::reveal));
        let name = name();
        let server = match (args.shadow, url) {
            _ if target.is_sqlite() => target.scratch(""),
            (Some(ShadowPlace::SameServer), _) => target.scratch(&name),
            (None, Some(url)) => target.on(url)?.scratch(&name),
            (None, None) => return Ok(None),
        };
        tracing::info!(database = name, place = server.place, "creating a shadow database");
        let driver = server.connect(IfMissing::Create).await?;
        Ok(Some(Self { driver, target: server }))
    }

    /// Drops it. That this fails is told, and keeps nobody from what was asked for.
    pub(crate) async fn close(self, context: &Context) {
        drop(self.driver);
        if let Err(error) = self.target.drop_database().await {
            context.output.note(&format!(
                "the shadow database on {} could not be dropped (its name begins with {PREFIX}): {error}",
                self.target.place
            ));
        }
    }
}

/// A name that no other run has.
fn name() -> String {
    format!("{PREFIX}{}", &Run::of_this_program().owner[..16])
}
