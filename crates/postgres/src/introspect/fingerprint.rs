//! The fingerprint: a few numbers that the server works out of its catalogs' rows without making definitions of them.
//!
//! A row version never changes where it stands, so that a place and the transaction that wrote there name it for as
//! long as the database lives. What is told of is whatever [the lines](super::text) could depend on. It holds on the server
//! where it was worked out, and moves more often than the schema does: that it is another says nothing.

use super::{OF_USERS, Sight};
use crate::quote::literal;

/// The catalogs whose every row counts.
const WHOLE: [&str; 29] = [
    "pg_aggregate",
    "pg_am",
    "pg_amop",
    "pg_amproc",
    "pg_cast",
    "pg_collation",
    "pg_default_acl",
    "pg_enum",
    "pg_event_trigger",
    "pg_extension",
    "pg_foreign_data_wrapper",
    "pg_foreign_server",
    "pg_foreign_table",
    "pg_inherits",
    "pg_language",
    "pg_opclass",
    "pg_operator",
    "pg_opfamily",
    "pg_partitioned_table",
    "pg_policy",
    "pg_proc",
    "pg_publication",
    "pg_publication_rel",
    "pg_range",
    "pg_statistic_ext",
    "pg_transform",
    "pg_trigger",
    "pg_ts_config",
    "pg_ts_dict",
];

/// Those of which the rows of what is temporary do not count, and which rows do.
const APART: [(&str, &str); 10] = [
    ("pg_attrdef", "adrelid IN (SELECT oid FROM relations)"),
    ("pg_attribute", "attrelid IN (SELECT oid FROM relations)"),
    ("pg_constraint", "connamespace IN (SELECT oid FROM namespaces)"),
    ("pg_index", "indrelid IN (SELECT oid FROM relations)"),
    // The first table that is temporary brings the schema of such.
    ("pg_namespace", "oid IN (SELECT oid FROM namespaces)"),
    ("pg_rewrite", "ev_class IN (SELECT oid FROM relations)"),
    ("pg_sequence", "seqrelid IN (SELECT oid FROM relations)"),
    ("pg_type", "typnamespace IN (SELECT oid FROM namespaces)"),
    // What belongs to an extension, which sequence to which column, what came with a type.
    (
        "pg_depend",
        "deptype = 'e' OR deptype IN ('a', 'i') AND (classid = 'pg_catalog.pg_proc'::regclass \
         OR classid = 'pg_catalog.pg_class'::regclass AND refobjsubid > 0 AND objid IN (SELECT oid FROM relations))",
    ),
    // The server's own objects come with thousands; of them no more than schemas are looked at.
    ("pg_description", "objoid >= 16384 OR classoid = 'pg_catalog.pg_namespace'::regclass"),
];

/// Of a relation what is looked at: `TRUNCATE` and `REINDEX` write its row anew.
const OF_A_RELATION: &str = "c.relname, c.relnamespace, c.relkind, c.relpersistence, c.relpartbound, c.reloptions, \
                             c.reltablespace, c.relam, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, \
                             c.relnatts, c.relowner, c.relacl";

/// The roles that this database's objects name: those of others come and go. The first one of all stands in no list of
/// who depends on whom.
const ROLES: &str = "pg_catalog.pg_roles WHERE oid = 10 OR oid IN (SELECT d.refobjid FROM pg_catalog.pg_shdepend AS d \
                     JOIN pg_catalog.pg_database AS here ON here.datname = current_database() \
                     WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND (d.dbid = here.oid \
                     OR d.dbid = 0 AND d.classid = 'pg_catalog.pg_database'::regclass AND d.objid = here.oid))";

/// The tablespaces of this database's tables and indexes.
const TABLESPACES: &str =
    "pg_catalog.pg_tablespace WHERE oid IN (SELECT c.reltablespace FROM pg_catalog.pg_class AS c)";

/// The query of one text: what was asked for, and what there is of it.
pub(super) fn query(sight: Sight<'_>) -> String {
    let place = literal(sight.only_schema.unwrap_or_default());
    const VERSION: &str = "hashtidextended(ctid, xmin::text::bigint)";
    let sum = |hash: &str, from: &str| format!("(SELECT count(*) || '/' || sum({hash}) FROM {from})");
    let mut sums = vec![
        sum("hash", "relations"),
        sum("hashtextextended(rolname, oid::bigint)", ROLES),
        sum("hashtextextended(spcname, oid::bigint)", TABLESPACES),
    ];
    sums.extend(
        sight.grants.then(|| sum(VERSION, "pg_catalog.pg_database WHERE datname = current_database()")),
    );
    sums.extend(WHOLE.map(|catalog| sum(VERSION, &format!("pg_catalog.{catalog}"))));
    sums.extend(APART.map(|(catalog, which)| sum(VERSION, &format!("pg_catalog.{catalog} WHERE {which}"))));
    format!(
        "WITH namespaces AS MATERIALIZED (SELECT oid FROM pg_catalog.pg_namespace \
         WHERE {OF_USERS}), \
         relations AS MATERIALIZED (SELECT c.oid, hashtextextended(ROW({OF_A_RELATION})::text, c.oid::bigint) AS hash \
         FROM pg_catalog.pg_class AS c WHERE c.relnamespace IN (SELECT oid FROM namespaces)) \
         SELECT concat_ws(' ', md5({place}), {})",
        sums.join(", ")
    )
}
