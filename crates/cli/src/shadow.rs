//! The shadow database of a command: created, used and dropped; in memory where that is possible.

#[cfg(unix)]
mod local;
#[cfg(not(unix))]
#[path = "shadow/nowhere.rs"]
mod local;

pub(crate) use local::LocalServerError;

use crate::args::{Shadow as Args, ShadowPlace};
use crate::commands::Context;
use crate::config::Secret;
use crate::error::Error;
use crate::target::{IfMissing, Target};
use local::LocalServer;
use std::time::{Duration, Instant};
use windlass_core::driver::{Capabilities, Driver, Run};
use windlass_core::shadow::NAME_PREFIX;

/// Who was allowed none learns how to allow one.
pub(crate) const WAYS: &str = "`--shadow local` replays the migrations on a throwaway server of the programs that are installed \
                               here, `--shadow-database-url` on the server that it names, `--shadow same-server` beside the \
                               database";

/// How long a throwaway server has to take the first connection, and how often that is tried.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// An empty database of this run alone.
pub(crate) struct Shadow {
    pub(crate) driver: Box<dyn Driver>,
    target: Target,
    /// Its own server, which goes with it.
    server: Option<LocalServer>,
}

impl Shadow {
    /// Makes one like this database where the command line, the environment or the settings allow it; `None` where nothing
    /// does.
    ///
    /// # Errors
    /// When it was allowed, and cannot be made.
    pub(crate) async fn open(
        context: &Context,
        (target, like): (&Target, &Capabilities),
        args: &Args,
    ) -> Result<Option<Self>, Error> {
        let given = args.shadow_database_url.as_deref();
        let url = given.or(context.settings.shadow_database_url.as_ref().map(Secret::reveal));
        let name = name();
        let on = match (args.shadow, url) {
            _ if target.is_sqlite() => target.scratch(""),
            (Some(ShadowPlace::Local), _) => {
                let server = LocalServer::start(like, args.shadow_programs.as_deref())?;
                return Self::on_throwaway(target, server, &name).await.map(Some);
            }
            (Some(ShadowPlace::SameServer), _) => target.scratch(&name),
            (None, Some(url)) => target.on(url)?.scratch(&name),
            (None, None) => return Ok(None),
        };
        tracing::info!(database = name, place = on.place, "creating a shadow database");
        let driver = on.connect(IfMissing::Create).await?;
        Ok(Some(Self { driver, target: on, server: None }))
    }

    async fn on_throwaway(target: &Target, mut server: LocalServer, name: &str) -> Result<Self, Error> {
        let on = target.on(server.url())?.scratch(name);
        let began = Instant::now();
        loop {
            match on.connect(IfMissing::Create).await {
                Ok(driver) => return Ok(Self { driver, target: on, server: Some(server) }),
                Err(error) if began.elapsed() > PATIENCE => return Err(error.into()),
                Err(_) => server.check()?,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Drops it. That this fails is told, and keeps nobody from what was asked for.
    pub(crate) async fn close(self, context: &Context) {
        drop(self.driver);
        if self.server.is_some() {
            return;
        }
        if let Err(error) = self.target.drop_database().await {
            context.output.note(&format!(
                "the shadow database on {} could not be dropped (its name begins with {NAME_PREFIX}): {error}",
                self.target.place
            ));
        }
    }
}

/// A name that no other run has.
fn name() -> String {
    format!("{NAME_PREFIX}{}", &Run::of_this_program().owner[..16])
}
