//! What each introspection knows: two schemas that were read by different ones are compared on what both know.

use super::guard::is_digested;
use super::{Key, Properties, Schema};
use std::collections::BTreeSet;

/// Since which introspection a property of a kind of PostgreSQL's objects is told, or told as it is now.
const SINCE: [(u32, &str, &str); 18] = [
    (2, "column", "storage"),
    (2, "column", "statistics"),
    (2, "primary key", "options"),
    (2, "primary key", "clustered"),
    (2, "primary key", "replica identity"),
    (2, "primary key", "tablespace"),
    (2, "unique", "options"),
    (2, "unique", "clustered"),
    (2, "unique", "replica identity"),
    (2, "unique", "tablespace"),
    (2, "domain", "collation"),
    (2, "aggregate", "combined by"),
    (2, "aggregate", "sort operator"),
    (2, "aggregate", "more parameters at the end"),
    (2, "aggregate", "parallel"),
    (2, "statistics", "target"),
    (2, "collation", "locale"),
    (2, "publication", "via root"),
];

/// Kinds whose objects have comments since.
const COMMENTED: [(u32, &str); 2] = [(2, "collation"), (2, "publication")];

/// Takes out of both what the older of the two that looked did not know, or knew otherwise.
///
/// ```
/// use windlass_core::schema::{Schema, level_knowledge};
///
/// let mut kept = Schema::parse("1 PostgreSQL 18\ncolumn\tpublic\tt\ta\ttype=text")?;
/// let mut live = Schema::parse("2 PostgreSQL 18\ncolumn\tpublic\tt\ta\ttype=text\tstorage=main")?;
/// level_knowledge(&mut kept, &mut live);
/// assert_eq!(kept.objects, live.objects);
/// # Ok::<(), windlass_core::schema::TextError>(())
/// ```
pub fn level_knowledge(kept: &mut Schema, live: &mut Schema) {
    let [before, now] = [&*kept, &*live].map(version);
    if before == now {
        return;
    }
    let oldest = before.min(now);
    if oldest < 6 {
        forget_digests(kept, live);
    }
    if !live.origin.contains(" PostgreSQL ") {
        return;
    }
    for schema in [&mut *kept, &mut *live] {
        for (key, properties) in &mut schema.objects {
            forget(oldest, key, properties);
        }
        if oldest < 2 {
            forget_columns_of_views(schema);
        }
    }
    if before < 2 {
        forget_keys_of_partitions(kept, live);
    }
}

/// Who looked: the number at the begin of the origin.
fn version(schema: &Schema) -> u32 {
    schema.origin.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// Which texts may hold a secret, and what of them is kept, was judged otherwise up to the fifth.
fn forget_digests(kept: &mut Schema, live: &mut Schema) {
    for (key, before) in &mut kept.objects {
        let Some(now) = live.objects.get_mut(key) else { continue };
        let digested: BTreeSet<String> = before
            .iter()
            .chain(now.iter())
            .filter(|(_, value)| is_digested(value))
            .map(|(name, _)| name.clone())
            .collect();
        [before, now]
            .into_iter()
            .for_each(|properties| properties.retain(|name, _| !digested.contains(name)));
    }
}

fn forget(oldest: u32, key: &Key, properties: &mut Properties) {
    let is_of = |kind: &str| key.kind == kind;
    for (_, _, name) in SINCE.iter().filter(|(since, kind, _)| oldest < *since && is_of(kind)) {
        properties.remove(*name);
    }
    if COMMENTED.iter().any(|(since, kind)| oldest < *since && is_of(kind)) {
        properties.remove("comment");
    }
}

/// What is set of one is told since the second.
fn forget_columns_of_views(schema: &mut Schema) {
    let is_view = |key: &&Key| matches!(&*key.kind, "view" | "materialized view");
    let views = schema.objects.keys().filter(is_view);
    let views: BTreeSet<_> = views.map(|key| (key.schema.clone(), key.name.clone())).collect();
    let is_one = |key: &Key| {
        key.kind == "column" && !views.is_empty() && views.contains(&(key.schema.clone(), key.table.clone()))
    };
    schema.objects.retain(|key, _| !is_one(key));
}

/// What the server keeps of a foreign key for each partition of the table that it refers to was told up to the first.
fn forget_keys_of_partitions(kept: &mut Schema, live: &Schema) {
    const KIND: &str = "foreign key";
    let columns = |properties: &Properties| {
        let (columns, _) = properties.get("definition")?.split_once(" REFERENCES ")?;
        Some(columns.to_owned())
    };
    let alive: BTreeSet<_> = live
        .objects
        .iter()
        .filter(|(key, _)| key.kind == KIND)
        .filter_map(|(key, properties)| Some((&key.schema, &key.table, columns(properties)?)))
        .collect();
    kept.objects.retain(|key, properties| {
        let is_like_one =
            || columns(properties).is_some_and(|columns| alive.contains(&(&key.schema, &key.table, columns)));
        key.kind != KIND || live.objects.contains_key(key) || !is_like_one()
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::differences;

    fn told(kept: &str, live: &str) -> Vec<String> {
        let [mut kept, mut live] = [kept, live].map(|text| Schema::parse(text).expect("a schema"));
        level_knowledge(&mut kept, &mut live);
        differences(&kept, &live).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_one_did_not_know_is_no_difference() {
        let objects = "view\tpublic\t\tv\tdefinition=SELECT 1\nforeign key\tpublic\tt\tk\tdefinition=FOREIGN KEY (a) REFERENCES s";
        let kept = format!(
            "1 PostgreSQL 18\n{objects}\nforeign key\tpublic\tt\tk1\tdefinition=FOREIGN KEY (a) REFERENCES p"
        );
        let live = format!(
            "2 PostgreSQL 18\n{objects}\ncolumn\tpublic\tv\ta\tdefault=1\ncollation\tpublic\t\tc\tcomment=x"
        );
        let live_without = live.replace("\tcomment=x", "");
        assert_eq!(told(&kept, &live), ["collation public.c was added"]);
        assert_eq!(told(&live, &live_without), ["collation public.c: comment was x, is none"]);
        let later = live.replace("foreign key\tpublic\tt\tk\tdefinition=FOREIGN KEY (a) REFERENCES s", "");
        assert_eq!(told(&live, &later), ["foreign key public.t.k was removed"]);
    }
}
