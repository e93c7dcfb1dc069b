//! Notes: what the history says of the statements that are about to run outside a transaction.

use crate::history::text;
use crate::look::{Eyes, Scope, names_to_text};
use windlass_core::history::InFlight;
use windlass_core::sql::classify::ObjectName;

/// What is in flight, which objects tell its outcome, and where in the session their look is found.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    in_flight: Option<InFlight>,
    watched: Option<Watched>,
}

#[derive(Clone, Debug)]
struct Watched {
    names: String,
    variable: String,
}

impl Note {
    /// Of statements whose outcome no look tells, or of none.
    pub(crate) fn unwatched(in_flight: Option<InFlight>) -> Self {
        Self { in_flight, watched: None }
    }

    /// For an UPDATE of an attempt that failed: of statements that are still in flight the look stays.
    pub(crate) fn assignments_at_failure(in_flight: Option<InFlight>) -> String {
        match in_flight {
            Some(in_flight) => format!("in_flight = {}", text(&in_flight.to_text())),
            None => Self::unwatched(None).assignments(),
        }
    }

    /// The note, and the statement that is to run before it: it looks at the objects as they are now.
    pub(crate) fn watching(
        eyes: Option<Eyes<'_>>,
        in_flight: Option<InFlight>,
        (objects, scope): (&[ObjectName], Scope),
        number: usize,
    ) -> (Self, Option<String>) {
        let Some(eyes) = eyes.filter(|_| in_flight.is_some() && !objects.is_empty()) else {
            return (Self::unwatched(in_flight), None);
        };
        let variable = format!("@_windlass_look_{number}");
        let look = eyes.into_variable(objects, scope, &variable);
        let watched = Some(Watched { names: names_to_text(objects), variable });
        (Self { in_flight, watched }, Some(look))
    }

    /// For an UPDATE.
    pub(crate) fn assignments(&self) -> String {
        let [in_flight, watched, looked] = self.fields();
        format!("in_flight = {in_flight}, watched = {watched}, looked = {looked}")
    }

    /// For an INSERT, in the same order.
    pub(crate) fn values(&self) -> String {
        self.fields().join(", ")
    }

    fn fields(&self) -> [String; 3] {
        let null = || "NULL".to_owned();
        let in_flight = self.in_flight.map_or_else(null, |in_flight| text(&in_flight.to_text()));
        match &self.watched {
            Some(Watched { names, variable }) => [in_flight, text(names), variable.clone()],
            None => [in_flight, null(), null()],
        }
    }
}
