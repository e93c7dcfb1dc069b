//! Rights: what of a schema an account does not see, so that nobody takes it for not being there. Pure.

use crate::transport::Row;
use std::collections::BTreeSet;
use windlass_core::schema::{GRANT, Key, Schema};

/// The property of what is seen to be there, and no more.
pub(super) const NOT_SHOWN: &str = "not shown";

/// Between what looked and what it does not see, in a schema's origin.
const WITHOUT: &str = " without ";

/// What the server lists for those only who have one of these rights to the whole database.
struct Need {
    what: &'static str,
    kinds: &'static [&'static str],
    rights: &'static [&'static str],
}

const COLUMNS: &[&str] = &["SELECT", "INSERT", "UPDATE", "REFERENCES"];

const NEEDS: [Need; 4] = [
    Need {
        what: "foreign keys",
        kinds: &["foreign key"],
        rights: &[
            "INSERT",
            "UPDATE",
            "DELETE",
            "CREATE",
            "DROP",
            "REFERENCES",
            "INDEX",
            "ALTER",
            "CREATE VIEW",
            "SHOW VIEW",
            "TRIGGER",
        ],
    },
    Need {
        what: "routines",
        kinds: &["function", "procedure", "package", "package body", "library"],
        rights: &["EXECUTE", "ALTER ROUTINE", "CREATE ROUTINE"],
    },
    Need { what: "triggers", kinds: &["trigger"], rights: &["TRIGGER"] },
    Need { what: "events", kinds: &["event"], rights: &["EVENT"] },
];

/// What the account does not see, by the rows of `SHOW GRANTS`, which may hold its password's hash.
///
/// # Errors
/// Where it does not see every table.
pub(super) fn unseen(grants: &[Row], database: &str) -> Result<Vec<&'static str>, String> {
    let rights = rights(grants, database);
    let has = |any: &[&str]| any.iter().any(|right| rights.contains(*right));
    if !has(COLUMNS) {
        return Err(
            "this account has no right to the whole database, and may not see all of its tables".into()
        );
    }
    Ok(NEEDS.iter().filter(|need| !has(need.rights)).map(|need| need.what).collect())
}

/// What the server lists for those only who may read what it keeps of accounts.
pub(super) const GRANTS: &str = "grants";

/// Whether the account sees what others may do.
pub(super) fn sees_grants(grants: &[Row]) -> bool {
    rights(grants, "mysql").contains("SELECT")
}

/// The origin of a schema that somebody read who did not see these.
pub(super) fn origin(who: &str, unseen: &[&str]) -> String {
    match unseen {
        [] => who.to_owned(),
        unseen => format!("{who}{WITHOUT}{}", unseen.join(", ")),
    }
}

/// Takes out of both what only one of them could hold, and gives what of the earlier one cannot be seen now.
pub(super) fn level(kept: &mut Schema, live: &mut Schema) -> Option<String> {
    let [before, now] = [&*kept, &*live].map(|schema| {
        let unseen = schema.origin.split_once(WITHOUT).map_or("", |(_, unseen)| unseen);
        unseen.split(", ").filter(|what| !what.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>()
    });
    let is_unseen = |need: &&Need| before.contains(need.what) || now.contains(need.what);
    let mut kinds: Vec<&str> = NEEDS.iter().filter(is_unseen).flat_map(|need| need.kinds).copied().collect();
    kinds.extend((before.contains(GRANTS) || now.contains(GRANTS)).then_some(GRANT));
    if !kinds.is_empty() {
        for schema in [&mut *kept, &mut *live] {
            schema.objects.retain(|key, _| !kinds.contains(&&*key.kind));
        }
    }
    let mut lost: Vec<String> = now.difference(&before).cloned().collect();
    let not_shown = |schema: &Schema| -> BTreeSet<Key> {
        let hidden = schema.objects.iter().filter(|(_, properties)| properties.contains_key(NOT_SHOWN));
        hidden.map(|(key, _)| key.clone()).collect()
    };
    let (was_hidden, is_hidden) = (not_shown(kept), not_shown(live));
    for key in was_hidden.union(&is_hidden) {
        let (Some(earlier), Some(properties)) = (kept.objects.get_mut(key), live.objects.get_mut(key)) else {
            continue;
        };
        if !was_hidden.contains(key) {
            lost.push(format!("what {key} is"));
        }
        earlier.clear();
        properties.clear();
    }
    lost.sort();
    let told = (lost.len() > 3).then(|| format!("{} and {} more", lost[..3].join(", "), lost.len() - 3));
    (!lost.is_empty())
        .then(|| format!("this account does not see {}", told.unwrap_or_else(|| lost.join(", "))))
}

/// The rights to all of a database.
fn rights(grants: &[Row], database: &str) -> BTreeSet<String> {
    let mut rights = BTreeSet::new();
    let rows = grants.iter().filter_map(|row| row.first()?.as_deref());
    // A part of a right to everything may be taken away again.
    let (given, taken): (Vec<&str>, Vec<&str>) = rows.partition(|row| row.starts_with("GRANT "));
    for right in given.into_iter().flat_map(|row| rights_of(row, database)) {
        match right {
            "ALL" | "ALL PRIVILEGES" => {
                let all = NEEDS.iter().flat_map(|need| need.rights).chain(COLUMNS);
                rights.extend(all.map(|right| (*right).to_owned()));
            }
            right => _ = rights.insert(right.to_owned()),
        }
    }
    for right in taken.into_iter().flat_map(|row| rights_of(row, database)) {
        rights.remove(right);
    }
    rights
}

/// The rights that a row tells of, where they are to all of the database.
fn rights_of<'g>(row: &'g str, database: &str) -> Vec<&'g str> {
    let Some((_, rest)) = row.split_once(' ') else { return Vec::new() };
    let Some((rights, rest)) = rest.split_once(" ON ") else { return Vec::new() };
    let Some(scope) = scope(rest) else { return Vec::new() };
    let fits = scope == "*" || is_like(&scope.replace("``", "`"), database);
    if fits { rights.split(',').map(str::trim).collect() } else { Vec::new() }
}

/// What stands before `.*`, without its quotes.
fn scope(rest: &str) -> Option<&str> {
    if let Some(quoted) = rest.strip_prefix('`') {
        let end = quoted.find("`.*")?;
        // A table's name may hold what looks like that.
        return (!quoted[..end].replace("``", "").contains('`')).then(|| &quoted[..end]);
    }
    rest.starts_with("*.*").then_some("*")
}

/// As `LIKE` compares: the name of a database in a grant may be a pattern.
fn is_like(pattern: &str, name: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => name.is_empty(),
        Some('%') => name
            .char_indices()
            .map(|(at, _)| at)
            .chain([name.len()])
            .any(|at| is_like(rest.as_str(), &name[at..])),
        Some(c) => {
            let (is_any, c) = match c {
                '_' => (true, c),
                '\\' => (false, rest.next().unwrap_or('\\')),
                c => (false, c),
            };
            let mut left = name.chars();
            left.next().is_some_and(|first| is_any || first == c) && is_like(rest.as_str(), left.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unseen_of(grants: &[&str]) -> Result<Vec<&'static str>, String> {
        let rows: Vec<Row> = grants.iter().map(|grant| vec![Some((*grant).to_owned())]).collect();
        unseen(&rows, "shop_1")
    }

    #[test]
    fn what_an_account_does_not_see_follows_from_its_rights() {
        let all = Vec::<&str>::new();
        let usage = "GRANT USAGE ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*00'";
        for (grants, expected) in [
            (vec!["GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION"], all.clone()),
            (vec![usage, "GRANT ALL PRIVILEGES ON `shop\\_1`.* TO `a`@`%`"], all.clone()),
            (vec![usage, "GRANT ALL PRIVILEGES ON `sh%`.* TO `a`@`%`"], all),
            (
                vec![usage, "GRANT SELECT ON `shop_1`.* TO `a`@`%`"],
                vec!["foreign keys", "routines", "triggers", "events"],
            ),
            (
                vec![
                    usage,
                    "GRANT SELECT, ALTER, EXECUTE ON `shop__`.* TO `a`@`%`",
                    "GRANT `r`@`%` TO `a`@`%`",
                ],
                vec!["triggers", "events"],
            ),
            (
                vec![
                    "GRANT SELECT, ALTER, EXECUTE, TRIGGER, EVENT ON *.* TO `a`@`%`",
                    "REVOKE TRIGGER ON `shop_1`.* FROM `a`@`%`",
                ],
                vec!["triggers"],
            ),
        ] {
            assert_eq!(unseen_of(&grants), Ok(expected), "{grants:?}");
        }
        for grant in [
            usage,
            "GRANT ALL PRIVILEGES ON `shop\\_2`.* TO `a`@`%`",
            "GRANT ALL PRIVILEGES ON `shop_1`.`t` TO `a`@`%`",
            "GRANT ALL PRIVILEGES ON `shop_1`.`x``.*` TO `a`@`%`",
            "GRANT EXECUTE ON FUNCTION `shop_1`.`f` TO `a`@`%`",
            "GRANT PROXY ON ''@'%' TO `a`@`%`",
            "GRANT `r`@`%` TO `a`@`%`",
        ] {
            assert!(unseen_of(&[grant]).is_err(), "{grant}");
        }
    }

    #[test]
    fn what_only_one_of_two_could_see_is_no_difference() {
        let read = |text: &str| Schema::parse(text).unwrap();
        let all = "1 MySQL 9.7\ntable\t\t\tt\ntrigger\t\tt\tr\tdefinition=x\nfunction\t\t\tf\tdefinition=y";
        let some = "1 MySQL 9.7 without triggers\ntable\t\t\tt\nfunction\t\t\tf\tnot shown=yes";
        let (mut kept, mut live) = (read(all), read(some));
        let lost = level(&mut kept, &mut live);
        assert_eq!(lost.as_deref(), Some("this account does not see triggers, what function f is"));
        assert_eq!(kept.objects, live.objects);
        let (mut kept, mut live) = (read(some), read(all));
        assert_eq!(level(&mut kept, &mut live), None);
        assert_eq!(kept.objects, live.objects);
        let (mut kept, mut live) = (read(some), read(some));
        assert_eq!(level(&mut kept, &mut live), None);
    }
}
