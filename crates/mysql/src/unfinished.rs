//! Unfinished attempts: whether their owners live, and what became of the statements in flight.

use crate::MySql;
use crate::inspect::{GRANTEE, Session};
use crate::look::{Eyes, Scope, names_from_text, sight};
use crate::transport::{Broken, Row, TransportError};
use windlass_core::driver::DriverError;
use windlass_core::history::{Attempt, Liveness};
use windlass_core::sql::classify::ObjectName;

/// What a row holds besides the attempt.
pub(crate) struct Kept {
    /// The session of its owner.
    pub(crate) session: String,
    /// The names of the objects that tell the outcome of what is in flight.
    pub(crate) watched: Option<String>,
    /// How they looked before it was sent.
    pub(crate) looked: Option<String>,
    /// How often the row was written to.
    pub(crate) writes: String,
}

/// A session as the history keeps it: numbers are used again after a restart, so the server's start goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionToken {
    pub(crate) connection: u64,
    pub(crate) started: String,
    pub(crate) server: String,
    pub(crate) account: String,
}

/// An unfinished attempt, and what is needed to look after it.
struct Unfinished<'a> {
    attempt: &'a mut Attempt,
    kept: &'a Kept,
    token: SessionToken,
    watched: Option<(Vec<ObjectName>, Scope)>,
}

impl MySql<'_> {
    /// One message more, and only where an attempt is unfinished.
    ///
    /// Its order matters. First who lives; then whether an owner wrote since its row was read, for it may
    /// have died only now; and then how the objects look: what a session that is gone did is done by then.
    pub(crate) async fn look_at_unfinished(
        &mut self,
        attempts: &mut [Attempt],
        kept: &[Kept],
    ) -> Result<(), DriverError> {
        let mut unfinished = unfinished(attempts, kept);
        let Some(session) = self.session.clone().filter(|_| !unfinished.is_empty()) else { return Ok(()) };
        let ids: Vec<String> = unfinished.iter().map(|one| one.token.connection.to_string()).collect();
        let mut message = vec![
            format!("SELECT CAST(id AS CHAR) FROM {} WHERE id IN ({})", self.sessions().list, ids.join(", ")),
            format!(
                "SELECT 'PROCESS' FROM information_schema.user_privileges \
                 WHERE grantee = {GRANTEE} AND privilege_type = 'PROCESS'"
            ),
            self.table.select_writes(),
        ];
        let before_looks = message.len();
        match Eyes::of(self.capabilities.product, &self.capabilities.version, &self.database) {
            Some(eyes) => {
                let watched = unfinished.iter().filter_map(|one| one.watched.as_ref());
                message.extend(watched.map(|(objects, scope)| eyes.query(objects, *scope)));
            }
            None => unfinished.iter_mut().for_each(|one| one.watched = None),
        }
        let sets = match self.read(&message.join(";\n")).await {
            Ok(sets) => sets,
            // Where looking is refused nothing is seen.
            Err(Broken { error: TransportError::Server { .. }, sets, .. }) if sets.len() >= before_looks => {
                sets
            }
            Err(broken) => return Err(broken.error.into()),
        };
        let mut looks = sets[before_looks..].iter();
        let sees_all = !sets[1].is_empty();
        for one in &mut unfinished {
            one.attempt.owner_session =
                one.liveness((&session, self.owner.as_deref()), &sets[0], sees_all, &sets[2]);
            let look = one.watched.as_ref().and_then(|_| looks.next()?.first()?.first()?.clone());
            if let (Some(before), Some(now)) = (&one.kept.looked, look) {
                let restarted = one.token.started != session.seen.started;
                one.attempt.sight = sight(before, &now, restarted);
            }
        }
        Ok(())
    }
}

fn unfinished<'a>(attempts: &'a mut [Attempt], kept: &'a [Kept]) -> Vec<Unfinished<'a>> {
    let is_unfinished = |a: &Attempt| {
        a.claimed && a.finished_at.is_none() && a.rolled_back_at.is_none() && !a.owner.is_empty()
    };
    let pairs = attempts.iter_mut().zip(kept).filter(|(attempt, _)| is_unfinished(attempt));
    let with_token = |(attempt, kept): (&'a mut Attempt, &'a Kept)| {
        let token = SessionToken::parse(&kept.session)?;
        let objects = kept.watched.as_deref().and_then(names_from_text);
        let scope = kept.looked.as_deref().and_then(Scope::of);
        let watched = objects.zip(scope).filter(|_| attempt.in_flight.is_some());
        Some(Unfinished { attempt, kept, token, watched })
    };
    pairs.filter_map(with_token).collect()
}

impl Unfinished<'_> {
    fn liveness(
        &self,
        (session, run): (&Session, Option<&str>),
        listed: &[Row],
        sees_all: bool,
        writes: &[Row],
    ) -> Liveness {
        let token = &self.token;
        let field = |row: &Row, index: usize| row.get(index).cloned().flatten();
        let is_listed =
            listed.iter().any(|row| field(row, 0).and_then(|id| id.parse().ok()) == Some(token.connection));
        let is_own = run == Some(&*self.attempt.owner);
        let id = self.attempt.id.to_string();
        let as_read = |row: &Row| {
            field(row, 0).as_ref() == Some(&id) && field(row, 1).as_ref() == Some(&self.kept.writes)
        };
        if token.server != session.seen.server || token.started.is_empty() {
            Liveness::Unknown
        } else if !writes.iter().any(as_read) {
            // A moment ago it lived; what was read of it is no longer so.
            Liveness::Alive
        } else if token.started != session.seen.started {
            // The server was started again since: no session of before is left.
            Liveness::Gone
        } else if token.connection == session.seen.connection && !is_own {
            // This session works for nobody else: the owner's had its number before the server was started again, in
            // the same second.
            Liveness::Gone
        } else if is_listed {
            Liveness::Alive
        } else if sees_all || user_of(&token.account) == session.user {
            Liveness::Gone
        } else {
            Liveness::Unknown
        }
    }
}

impl SessionToken {
    pub(crate) fn to_text(&self) -> String {
        format!("{}/{}/{}/{}", self.connection, self.started, self.server, self.account)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, '/');
        let connection = parts.next()?.parse().ok()?;
        let [started, server, account] = [parts.next()?, parts.next()?, parts.next()?].map(str::to_owned);
        Some(Self { connection, started, server, account })
    }
}

pub(crate) fn user_of(account: &str) -> &str {
    account.rsplit_once('@').map_or(account, |(user, _)| user)
}

#[cfg(test)]
mod tests {
    use super::*;
    use windlass_core::history::{AttemptKind, Sight};
    use windlass_core::migration::Checksums;

    fn attempt() -> Attempt {
        Attempt {
            id: 7,
            kind: AttemptKind::Apply,
            name: "1_one".to_owned(),
            checksums: Checksums { raw: String::new(), tokens: String::new() },
            claimed: true,
            owner: "a".to_owned(),
            owner_session: Liveness::Unknown,
            epoch: 1,
            statements: 1,
            completed: 0,
            prefix: None,
            touched: 0,
            row_limit: None,
            in_flight: None,
            sight: Sight::Unknown,
            started_at: String::new(),
            finished_at: None,
            rolled_back_at: None,
            error: None,
            applied_by: String::new(),
            tool: String::new(),
            duration_ms: None,
            resolution: None,
            digest: String::new(),
        }
    }

    fn liveness(session: &str, listed: &[&str], writes: &str) -> Liveness {
        let kept = Kept { session: session.to_owned(), watched: None, looked: None, writes: "3".to_owned() };
        let token = SessionToken::parse("1/100/here/root@%").unwrap();
        let own = Session {
            token: String::new(),
            max_allowed_packet: 0,
            seen: token,
            user: "root".to_owned(),
            has_performance_schema: true,
            role: String::new(),
        };
        let mut attempts = [attempt()];
        let unfinished = unfinished(&mut attempts, std::slice::from_ref(&kept));
        let row = |fields: &[&str]| fields.iter().map(|field| Some((*field).to_owned())).collect::<Row>();
        let listed: Vec<Row> = listed.iter().map(|id| row(&[id])).collect();
        unfinished[0].liveness((&own, None), &listed, false, &[row(&["7", writes])])
    }

    #[test]
    fn an_owner_that_wrote_since_its_row_was_read_counts_as_alive() {
        assert_eq!(liveness("9/100/here/root@%", &["9"], "3"), Liveness::Alive);
        assert_eq!(liveness("9/100/here/root@%", &[], "3"), Liveness::Gone);
        assert_eq!(liveness("9/100/here/root@%", &[], "4"), Liveness::Alive);
        assert_eq!(liveness("9/99/here/root@%", &["9"], "3"), Liveness::Gone);
        // The number of the session that asks.
        assert_eq!(liveness("1/100/here/root@%", &["1"], "3"), Liveness::Gone);
        assert_eq!(liveness("9/100/there/root@%", &[], "3"), Liveness::Unknown);
        assert_eq!(liveness("9/100/here/mia@%", &[], "3"), Liveness::Unknown);
    }
}
