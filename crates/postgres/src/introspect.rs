//! Introspection: one query that writes down what a database holds, a line an object, in the form that core reads.
//!
//! The server puts it together, so that it can also keep it, and compare it with what was kept, by itself.

mod fingerprint;

use crate::history::{HistoryTable, NOW, signed};
use crate::quote::literal;
use crate::transport::{Row, Session, TransportError};
use windlass_core::driver::DriverError;
use windlass_core::history::{ACCEPTED, COLUMNS, applied_since_kept};
use windlass_core::schema::{
    DEFAULT_GRANT, GRANT, HISTORY, INTROSPECTION, Kept, Look, POSITION, Schema, WITH_GRANTS, unmarked,
};

/// What the text of expressions depends on: until the end of the transaction, or of the message, it is the same for
/// everybody. A view that somebody locks is not waited for, and nothing is compiled, which would take longer than all.
const PINS: [(&str, &str); 11] = [
    ("search_path", ""),
    ("quote_all_identifiers", "off"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "iso_8601"),
    ("TimeZone", "UTC"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("lc_monetary", "C"),
    ("standard_conforming_strings", "on"),
    ("lock_timeout", "2s"),
    ("jit", "off"),
];

/// What a query needs that makes no text of an expression.
const BARE_PINS: [(&str, &str); 2] = [("search_path", ""), ("jit", "off")];

/// The columns of a query that sets them.
fn pinned(settings: &[(&str, &str)]) -> String {
    let each = settings
        .iter()
        .map(|(name, value)| format!("pg_catalog.set_config({}, {}, true)", literal(name), literal(value)));
    each.collect::<Vec<_>>().join(", ")
}

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight<'s> {
    /// One schema alone, and not what belongs to the whole database.
    pub(crate) only_schema: Option<&'s str>,
    /// What roles may do, too.
    pub(crate) grants: bool,
}

/// The schema as it is.
pub(crate) async fn read(
    session: &Session<'_>,
    table: &HistoryTable,
    sight: Sight<'_>,
) -> Result<Schema, DriverError> {
    let text = text(table, sight, Head::Origin);
    let row = answer(session, &format!("SELECT {}; {text}", pinned(&PINS))).await?;
    let text = row.as_ref().and_then(|row| row.get(0)).unwrap_or_default();
    Schema::parse(text).map_err(|error| DriverError::Schema(error.to_string()))
}

/// Whether the schema is as it was kept last: told in a few bytes where nothing at all has moved since. Only where
/// something has, the definitions are put together.
pub(crate) async fn look(
    session: &Session<'_>,
    table: &HistoryTable,
    sight: Sight<'_>,
) -> Result<Look, DriverError> {
    let of_kept = |columns: &str, from: &str| {
        format!(
            "SELECT {columns} FROM {} AS h{from} WHERE h.snapshot IS NOT NULL ORDER BY h.id DESC LIMIT 1",
            table.quoted()
        )
    };
    let head = head(sight, Head::Fingerprint);
    let stale = applied_since_kept(table.quoted());
    let first_line = format!("split_part(left(h.snapshot, {LONGEST_HEAD}), E'\\n', 1)");
    let same = of_kept(&format!("{first_line} = {head} AND NOT {stale} AS same"), "");
    match answer(session, &format!("SELECT {}; {same}", pinned(&BARE_PINS))).await {
        Err(error) if crate::inspect::is_absent(&error) => return Ok(Look::NeverKept),
        // Whoever may not read one of the catalogs may still read those that matter.
        Err(TransportError::Told(_)) => {}
        Err(error) => return Err(error.into()),
        Ok(None) => return Ok(Look::NeverKept),
        Ok(Some(row)) if row.try_get("same").ok().flatten() == Some("t") => return Ok(Look::Same),
        Ok(Some(_)) => {}
    }
    let live = format!(", LATERAL ({}) AS live(text)", text(table, sight, Head::Origin));
    let both = of_kept(
        &format!(
            "h.id, h.name, to_char(h.snapshot_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS at, \
             h.accepted, {stale} AS stale, h.snapshot AS kept, live.text AS live"
        ),
        &live,
    );
    let row = match answer(session, &format!("SELECT {}; {both}", pinned(&PINS))).await {
        Err(TransportError::Told(told)) => return Ok(unknown(&told.message)),
        Err(error) => return Err(error.into()),
        Ok(None) => return Ok(Look::NeverKept),
        Ok(Some(row)) => row,
    };
    let value = |name| row.try_get(name).ok().flatten();
    let (kept, live) = (value("kept").unwrap_or_default(), value("live").unwrap_or_default());
    let is_stale = value("stale") == Some("t");
    if unmarked(kept) == unmarked(live) && !is_stale {
        return Ok(Look::Same);
    }
    let (schema, live) = match (Schema::parse(kept), Schema::parse(live)) {
        (Ok(kept), Ok(live)) => (kept, live),
        (Err(error), _) | (_, Err(error)) => return Ok(Look::Unknown(error.to_string())),
    };
    if schema == live && !is_stale {
        return Ok(Look::Same);
    }
    Ok(Look::Differs {
        kept: Box::new(Kept {
            id: value("id").and_then(|id| id.parse().ok()).unwrap_or_default(),
            migration: value("name").unwrap_or_default().to_owned(),
            at: value("at").unwrap_or_default().to_owned(),
            accepted: value("accepted").map(str::to_owned),
            schema,
        }),
        live,
        unseen: None,
        only: None,
    })
}

fn unknown(words: &str) -> Look {
    Look::Unknown(format!("the catalogs cannot be read: {words}"))
}

/// The row of the message's last query.
async fn answer(session: &Session<'_>, sql: &str) -> Result<Option<Row>, TransportError> {
    let mut rows = session.rows(sql).await?;
    // The first row is that of the settings.
    Ok((rows.len() > 1).then(|| rows.pop()).flatten())
}

/// Writes the schema down with the newest row, in place of what was kept before. Where it cannot be read, what was kept
/// before stays, unless a person asked for it.
pub(crate) fn keep(table: &HistoryTable, sight: Sight<'_>, accepted: Option<&str>) -> String {
    let history = table.quoted();
    let accepted_text = accepted.map_or("NULL".to_owned(), literal);
    // Not with an attempt that goes on: what it runs later would count as seen.
    let newest =
        format!("(SELECT coalesce(max(id) FILTER (WHERE finished_at IS NOT NULL), max(id)) FROM {history})");
    let told = accepted.map_or(String::new(), |accepted| {
        let told = signed(&format!("{ACCEPTED}{accepted}"), None);
        format!(", resolution = coalesce(resolution || '; ', '') || {told}")
    });
    let pins = pinned(&PINS);
    let keep = format!(
        "PERFORM {pins}; \
         UPDATE {history} SET snapshot = NULL WHERE snapshot IS NOT NULL AND id <> {newest}; \
         UPDATE {history} SET snapshot = ({}), snapshot_at = {NOW}, accepted = {accepted_text}{told} WHERE id = {newest};",
        text(table, sight, Head::Fingerprint)
    );
    let body = match accepted {
        Some(_) => format!("BEGIN {keep} END"),
        None => format!("BEGIN {keep} EXCEPTION WHEN OTHERS THEN NULL; END"),
    };
    format!("DO LANGUAGE plpgsql {}", literal(&body))
}

/// Which schemas are users' own: said without a backslash, which a session may read in two ways.
const OF_USERS: &str = "left(nspname, 3) <> 'pg_' AND nspname <> 'information_schema'";

/// What the first line tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    /// Who looked.
    Origin,
    /// And the fingerprint of what is there.
    Fingerprint,
}

/// How many characters the first line has at most.
const LONGEST_HEAD: usize = 4_096;

/// The first line, as an expression.
fn head(sight: Sight<'_>, what: Head) -> String {
    let with_grants = if sight.grants { WITH_GRANTS } else { "" };
    let origin = format!(
        "'{INTROSPECTION} PostgreSQL ' || current_setting('server_version_num')::int / 10000 || '{with_grants}'"
    );
    match what {
        Head::Origin => format!("({origin})"),
        Head::Fingerprint => format!("({origin} || E'\\t' || ({}))", fingerprint::query(sight)),
    }
}

/// The query of one text for the whole schema, a line an object.
fn text(table: &HistoryTable, sight: Sight<'_>, first: Head) -> String {
    let Sight { only_schema, grants } = sight;
    let history = literal(table.quoted());
    let only = only_schema.map(|schema| format!(" AND nspname = {}", literal(schema))).unwrap_or_default();
    let mut parts = vec![schemas(), relations(), columns(), constraints(), indexes(), sequences(), types()];
    parts.extend([functions(), triggers(), rules(), policies(), statistics(), collations()]);
    if only_schema.is_none() {
        parts.extend([
            other_histories(&history),
            extensions(),
            event_triggers(),
            publications(),
            foreign_servers(),
            casts(),
        ]);
    }
    if grants {
        parts.extend([self::grants(only_schema.is_none()), default_grants(only_schema.is_none())]);
    }
    let columns = COLUMNS.len();
    format!(
        "WITH namespaces AS MATERIALIZED (SELECT oid, nspname FROM pg_catalog.pg_namespace \
         WHERE {OF_USERS}{only}), \
         extended AS MATERIALIZED (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'), \
         histories AS MATERIALIZED (SELECT c.oid, c.relname, c.relnamespace, n.nspname FROM pg_catalog.pg_class AS c \
         JOIN namespaces AS n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND c.relnatts >= {columns} AND {columns} = (SELECT count(*) \
         FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname IN ({}))), \
         relations AS MATERIALIZED (SELECT c.*, n.nspname FROM pg_catalog.pg_class AS c \
         JOIN namespaces AS n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c', 'S') \
         AND c.oid IS DISTINCT FROM to_regclass({history}) AND c.oid NOT IN (SELECT oid FROM histories) AND {}) \
         SELECT {} || coalesce(E'\\n' || {}, '') || coalesce(E'\\n' || string_agg(line, E'\\n' ORDER BY line) FILTER (WHERE apart), '') \
         FROM (SELECT (CASE WHEN apart THEN {} ELSE array_to_string(parts, E'\\x01') END) COLLATE \"C\", apart \
         FROM (SELECT parts, typed, {} FROM ({}) AS objects(parts, written, typed) OFFSET 0) \
         AS told(parts, typed, apart)) AS lines(line, apart)",
        COLUMNS.map(literal).join(", "),
        unextended("pg_class", "c.oid"),
        head(sight, first),
        escaped_together("string_agg(line, E'\\x02' ORDER BY line) FILTER (WHERE NOT apart)"),
        line_apart("parts", "typed"),
        is_apart("parts", "written", "typed"),
        parts.join(" UNION ALL ")
    )
}

/// What an extension brought is the extension's.
fn unextended(catalog: &str, oid: &str) -> String {
    format!("({oid}) NOT IN (SELECT objid FROM extended WHERE classid = 'pg_catalog.{catalog}'::regclass)")
}

/// Properties that are somebody's text.
const WRITTEN: [&str; 10] = [
    "definition",
    "default",
    "generated",
    "options",
    "comment",
    "server",
    "using",
    "with check",
    "checks",
    "rules",
];

/// What core's `may_hold_secret` looks for, as far as it can stand in a definition.
const SECRET: &str = "(password|passwd|passphrase|secret|pwd|token|passcode|api_?key|secret_?key|private_?key|access_?key|encryption_?key\
                      |credentials?|(\\m|_)pass|(\\m|_)pw)(_?(hash|digest|encrypted|crypt))?[\"`)''\\\\]*(::\\w+)?[)]*\
                      (\\s*(:?=>?|:|<>|<=>|!=|!?~~?[*]?)[\\s\\\\]*|\\s+(not\\s+)?(i?like|in|between|is\\s+(not\\s+)?distinct\\s+from)[\\s\\\\]*)\
                      ((any|all|some)\\s*)?[(]*(array\\[)?(e|n|x|b|u&|_\\w+)?[''\"$]\
                      |''(::\\w+)?[)]*\\s*(=|<>|!=)\\s*[(]*([\"`]?\\w+[\"`]?[.])*[\"`]?\\w*(password|passwd|passphrase|passcode|secret|pwd|token|_?key\
                      |credentials?|(\\m|_)pass|(\\m|_)pw)(_?(hash|digest|encrypted|crypt))?\\M\
                      |''[^'']*(token|passcode|api_?key|(secret|private|access|encryption)_?key|credentials?|_pass|_pw)=[-._~+/a-z0-9]{4}\
                      |''[^'']*(password|passwd|passphrase|passcode|pwd|secret|token|(api|secret|private|access|encryption)_?key|credentials?|(\\m|_)pass|(\\m|_)pw)\
                      (_?(hash|digest|encrypted|crypt))?:\\s*(?=[-._~+/=0-9]*[a-z])(?=[-._~+/=a-z]*[0-9])[-._~+/=a-z0-9]{8}\
                      |(password|passwd|passphrase|passcode|pwd|secret|token|(api|secret|private|access|encryption)_?key|credentials?|(\\m|_)pass|(\\m|_)pw)\
                      (_?(hash|digest|encrypted|crypt))?\\M[\"`]?\\s+([^,;'']*\\s)?((default|:=)[\\s(]*((array\\[|row[(])[\\s(]*)?(e|n|x|b|u&|_\\w+)?''[^'']\
                      |as\\s*[(]+([^;]*([|][|]|concat\\w*[(][^)]*)[\\s(]*)?(e|n|x|b|u&|_\\w+)?''[^'']|as\\s*[(][^;]*''(::\\w+)?[)]*\\s*[|][|]\
                      |comment\\s*''(?=[^''\\s]*[a-z])(?=[^''\\s]*[0-9])[^''\\s]{8,}'')\
                      |''[^'']*[a-z0-9][^'']*''(::[\\w .\"()]+)?\\s+as\\s+[\"`]?(\\w*(password|passwd|passphrase|passcode|pwd|secret|token\
                      |(api|secret|private|access|encryption)_?key|credentials?)(_?(hash|digest|encrypted|crypt))?|(\\w*_)?(pass|pw))\\M\
                      |(insert|copy|replace)\\M[^;(]*\\([^)]*(password|passwd|passphrase|passcode|pwd|secret|token|api_?key|credential)\
                      [^)]*\\)[^;]*''\
                      |\\m(crypt|pgp_sym_encrypt|pgp_sym_decrypt|encrypt|decrypt|hmac)\\s*\\(([^)]*,)?\\s*(e|n|x|b)?''\
                      |(password|passwd|passphrase|secret|pwd)\\w*[\"'']?\\s*\
                      (=|((encrypted|to|as|:=|:|[|][|]|[(])\\s*)*(e|n|x|b|u&|_\\w+)?[''\"$%])\
                      |identified\\s+(by|as|with|via|using)\\M|dblink|authentication_string|authorization:\
                      |bearer [-._~+/=a-z0-9]{7}|://[^\\s''\"<>]*:[^\\s''\"<>]*@\
                      |\\m(gh[opsur]_|github_pat_|glpat-|npm_|[sr]k_(live|test)_|whsec_|sk-proj-|xox[abeoprs]-|xapp-)[-_a-z0-9]{10}\
                      |\\m(akia|asia)[a-z0-9]{16}|\\maiza[-_a-z0-9]{35}|\\meyj[-_a-z0-9]{5,}[.]eyj|-----begin [a-z0-9 ]*private key";

/// How what holds a secret is called.
const SECRET_NAME: &str = "(password|passwd|passphrase|passcode|pwd|secret|token|(api|secret|private|access|encryption)_?key|credentials?\
                           |(\\m|_)pass|(\\m|_)pw)(_?(hash|digest|encrypted|crypt))?\\M";

/// Parts of which every text has one that [`SECRET`] finds, with anything where there is a `%`. The expression costs
/// milliseconds before it is first used.
const SUSPECT: [&str; 33] = [
    "pass",
    "pw",
    "secret",
    "token",
    "api%key",
    "private%key",
    "access%key",
    "credential",
    "crypt",
    "hmac",
    "identified",
    "dblink",
    "auth",
    "://",
    "bearer ",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "ghr_",
    "glpat-",
    "github",
    "npm_",
    "k_live_",
    "k_test_",
    "whsec_",
    "akia",
    "asia",
    "aiza",
    "eyj",
    "xox",
    "xapp-",
    "sk-proj-",
];

fn is_suspect(text: &str) -> String {
    let suspect = SUSPECT.map(|part| literal(&format!("%{part}%"))).join(", ");
    format!("lower({text} COLLATE \"C\") LIKE ANY (ARRAY[{suspect}])")
}

/// What would end a part or a line is written behind a backslash.
fn escaped(text: &str) -> String {
    format!(
        "replace(replace(replace(replace({text}, E'\\\\', E'\\\\\\\\'), E'\\t', E'\\\\t'), E'\\n', E'\\\\n'), \
         E'\\r', E'\\\\r')"
    )
}

/// All lines of which none is [apart](is_apart), put together with two characters that stand in none of them: what is
/// to be escaped is looked for once in all of it, which takes a part of the time that each line by itself would.
fn escaped_together(lines: &str) -> String {
    format!("replace(replace({}, E'\\x01', E'\\t'), E'\\x02', E'\\n')", escaped(lines))
}

/// Whether an object has one of the characters that lines are put together with, or may hold a secret where somebody
/// wrote a text, which is in the parts up to a number.
fn is_apart(parts: &str, written: &str, typed: &str) -> String {
    let flat = format!("array_to_string({parts}, '')");
    let texts = format!("array_to_string({parts}[{}:{written}], '')", NAMES + 1);
    // What is put into a column is suspect by the column's name, or by its type's.
    let named = format!("concat({parts}[{NAMES}], {parts}[{typed}], {texts})");
    format!(
        "strpos({flat}, E'\\x01') > 0 OR strpos({flat}, E'\\x02') > 0 OR ({texts} <> '' AND {})",
        is_suspect(&named)
    )
}

/// The line of an object that is done by itself, part by part. Of a written text that may hold a secret stands a digest,
/// which is another for another text. Of a routine, the name alone counts, of a type what stands before its length and
/// brackets, and a domain's `VALUE` is called as the domain is.
fn line_apart(parts: &str, typed: &str) -> String {
    let declared = "of || CASE split_part(part, '=', 1) WHEN 'default' THEN ' DEFAULT ' || value \
         WHEN 'generated' THEN ' AS (' || value || ')' \
         WHEN 'comment' THEN ' COMMENT ' || quote_literal(value) WHEN 'checks' THEN ' ' || replace(value, 'VALUE', of) END";
    let names = format!(
        "split_part({parts}[{NAMES}], '(', 1)), (rtrim(split_part(substr({parts}[{typed}], {}), '(', 1), '[]')",
        "type=".len() + 1
    );
    let guarded = format!(
        "CASE WHEN place > {NAMES} AND split_part(part, '=', 1) = ANY (ARRAY[{}]) AND {} THEN \
         (SELECT CASE WHEN value ~* '{SECRET}' \
         OR EXISTS (SELECT FROM (VALUES ({names})) AS names(of) WHERE {declared} ~* '{SECRET}') \
         THEN split_part(part, '=', 1) || '=(may hold a secret: ' || md5(value) || ')' \
         ELSE part END FROM (SELECT substr(part, strpos(part, '=') + 1)) AS given(value)) ELSE part END",
        WRITTEN.map(literal).join(", "),
        is_suspect(&format!("concat({parts}[{NAMES}], {parts}[{typed}], part)")),
    );
    format!(
        "(SELECT string_agg({}, E'\\t' ORDER BY place) FROM unnest({parts}) WITH ORDINALITY AS each(part, place) \
         WHERE part IS NOT NULL)",
        escaped(&guarded),
    )
}

/// How many parts of a line are names.
const NAMES: usize = 4;

/// The query of the parts of the lines of one kind: what it is, its schema, what it is part of, its name; its
/// properties, somebody's texts first, of which those that are NULL are left out. And where the texts end, and where the
/// type stands.
fn lines(names: [&str; NAMES], properties: &[(&str, &str)], from: &str) -> String {
    let names = names.iter().map(|name| format!("({name})::text"));
    let (written, others): (Vec<_>, Vec<_>) = properties.iter().partition(|(name, _)| WRITTEN.contains(name));
    let properties: Vec<_> = written.iter().chain(&others).collect();
    // Where there is none, it stands at a place that no array has.
    let typed = properties.iter().position(|(name, _)| *name == "type").map_or(0, |at| NAMES + at + 1);
    let properties = properties.iter().map(|(name, value)| format!("'{name}=' || ({value})::text"));
    let parts = names.chain(properties).collect::<Vec<_>>().join(", ");
    format!("SELECT ARRAY[{parts}], {}, {typed} {from}", NAMES + written.len())
}

/// A comment on an object. The functions that tell it are not planned with the rest, and cost more than all of it.
fn comment(catalog: &str, oid: &str, part: &str) -> String {
    format!(
        "(SELECT said.description FROM pg_catalog.pg_description AS said WHERE said.objoid = {oid} \
         AND said.classoid = 'pg_catalog.{catalog}'::regclass AND said.objsubid = {part})"
    )
}

fn yes(condition: &str) -> String {
    format!("CASE WHEN {condition} THEN 'yes' END")
}

fn schemas() -> String {
    lines(
        ["'schema'", "''", "''", "n.nspname"],
        &[("comment", &comment("pg_namespace", "n.oid", "0"))],
        &format!("FROM namespaces AS n WHERE {}", unextended("pg_namespace", "n.oid")),
    )
}

/// Histories in other schemas: what stands beside them is theirs.
fn other_histories(history: &str) -> String {
    let own = format!("(SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = to_regclass({history}))");
    lines(
        [&literal(HISTORY), "h.nspname", "''", "h.relname"],
        &[],
        &format!("FROM histories AS h WHERE h.relnamespace IS DISTINCT FROM {own}"),
    )
}

/// What a partition holds; of that of a column called like a secret, a digest.
fn partition_bound() -> String {
    format!(
        "(SELECT CASE WHEN said LIKE '%''%' AND pg_get_partkeydef(i.inhparent) ~* '{SECRET_NAME}' \
         THEN '(may hold a secret: ' || md5(said) || ')' ELSE said END \
         FROM pg_catalog.pg_inherits AS i, pg_get_expr(c.relpartbound, c.oid) AS said WHERE i.inhrelid = c.oid)"
    )
}

const KIND: &str = "CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' \
                    WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'composite type' ELSE 'table' END";

fn relations() -> String {
    lines(
        [KIND, "c.nspname", "''", "c.relname"],
        &[
            ("definition", "CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END"),
            ("unlogged", &yes("c.relpersistence = 'u'")),
            ("partitioned by", "pg_get_partkeydef(c.oid)"),
            ("partition", &format!("CASE WHEN c.relispartition THEN {} END", partition_bound())),
            (
                "inherits",
                "(SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) \
                 FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid AND c.relkind <> 'S')",
            ),
            ("options", "array_to_string(c.reloptions, ', ')"),
            (
                "tablespace",
                "(SELECT t.spcname FROM pg_catalog.pg_tablespace AS t WHERE t.oid = c.reltablespace)",
            ),
            (
                "access method",
                "(SELECT a.amname FROM pg_catalog.pg_am AS a WHERE a.oid = c.relam AND a.amname <> 'heap')",
            ),
            ("row security", &yes("c.relrowsecurity")),
            ("forced row security", &yes("c.relforcerowsecurity")),
            (
                "replica identity",
                "CASE c.relreplident WHEN 'f' THEN 'full' WHEN 'n' THEN CASE WHEN c.relkind IN ('r', 'p') THEN 'nothing' END END",
            ),
            (
                "server",
                "(SELECT s.srvname || coalesce(' ' || array_to_string(f.ftoptions, ', '), '') \
                 FROM pg_catalog.pg_foreign_table AS f JOIN pg_catalog.pg_foreign_server AS s ON s.oid = f.ftserver \
                 WHERE f.ftrelid = c.oid)",
            ),
            ("comment", &comment("pg_class", "c.oid", "0")),
        ],
        "FROM relations AS c WHERE c.relkind <> 'S'",
    )
}

/// Those of a view follow from its definition, but for what was set of one.
fn columns() -> String {
    lines(
        ["'column'", "c.nspname", "c.relname", "a.attname"],
        &[
            ("type", "CASE WHEN NOT v.is_view THEN format_type(a.atttypid, a.atttypmod) END"),
            ("not null", &yes("a.attnotnull AND c.relkind <> 'c'")),
            ("default", "CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END"),
            ("generated", "CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END"),
            ("virtual", &yes("a.attgenerated = 'v'")),
            ("identity", "CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END"),
            (
                "collation",
                "CASE WHEN a.attcollation <> t.typcollation AND NOT v.is_view \
                 THEN (SELECT o.collname FROM pg_catalog.pg_collation AS o WHERE o.oid = a.attcollation) END",
            ),
            ("compression", "nullif(a.attcompression::text, '')"),
            (
                "storage",
                "CASE WHEN a.attstorage <> t.typstorage AND c.relkind <> 'v' THEN CASE a.attstorage WHEN 'p' THEN 'plain' \
                 WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END END",
            ),
            ("statistics", "nullif(a.attstattarget, -1)"),
            ("options", "array_to_string(a.attoptions, ', ')"),
            (POSITION, "CASE WHEN NOT v.is_view THEN a.attnum END"),
            ("comment", &comment("pg_class", "c.oid", "a.attnum")),
        ],
        "FROM relations AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid \
         CROSS JOIN LATERAL (SELECT c.relkind IN ('v', 'm')) AS v(is_view) \
         JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         WHERE c.relkind <> 'S' AND a.attnum > 0 AND NOT a.attisdropped AND (NOT v.is_view OR d.oid IS NOT NULL \
         OR a.attstattarget >= 0 OR c.relkind = 'm' AND a.attstorage <> t.typstorage OR EXISTS (SELECT FROM pg_catalog.pg_description AS said \
         WHERE said.objoid = c.oid AND said.classoid = 'pg_catalog.pg_class'::regclass AND said.objsubid = a.attnum))",
    )
}

/// That a column is not null is told of the column: which servers keep it as a constraint too is their matter, and so is what
/// they keep of a foreign key for each partition of the table that it refers to, under names of their own.
fn constraints() -> String {
    lines(
        [
            "CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign key' \
             WHEN 'c' THEN 'check' ELSE 'exclusion' END",
            "c.nspname",
            "c.relname",
            "k.conname",
        ],
        &[
            ("definition", "pg_get_constraintdef(k.oid)"),
            ("invalid", &yes("i.indisvalid = false")),
            ("options", "array_to_string(x.reloptions, ', ')"),
            ("clustered", &yes("i.indisclustered")),
            ("replica identity", &yes("i.indisreplident")),
            (
                "tablespace",
                "(SELECT t.spcname FROM pg_catalog.pg_tablespace AS t WHERE t.oid = x.reltablespace)",
            ),
            ("comment", &comment("pg_constraint", "k.oid", "0")),
        ],
        "FROM relations AS c JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid \
         LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x') \
         LEFT JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid \
         WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND (k.conparentid = 0 OR k.conrelid <> (SELECT of_all.conrelid \
         FROM pg_catalog.pg_constraint AS of_all WHERE of_all.oid = k.conparentid))",
    )
}

fn indexes() -> String {
    lines(
        ["'index'", "c.nspname", "c.relname", "x.relname"],
        &[
            ("definition", "pg_get_indexdef(i.indexrelid)"),
            ("invalid", &yes("NOT i.indisvalid")),
            ("clustered", &yes("i.indisclustered")),
            ("replica identity", &yes("i.indisreplident")),
            (
                "tablespace",
                "(SELECT t.spcname FROM pg_catalog.pg_tablespace AS t WHERE t.oid = x.reltablespace)",
            ),
            ("comment", &comment("pg_class", "x.oid", "0")),
        ],
        "FROM relations AS c JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid \
         JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k \
         WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))",
    )
}

/// That of an identity column is part of the column.
fn sequences() -> String {
    lines(
        ["'sequence'", "c.nspname", "coalesce(o.relname, '')", "c.relname"],
        &[
            ("type", "format_type(s.seqtypid, NULL)"),
            ("start", "s.seqstart"),
            ("increment", "nullif(s.seqincrement, 1)"),
            ("minimum", "s.seqmin"),
            ("maximum", "s.seqmax"),
            ("cache", "nullif(s.seqcache, 1)"),
            ("cycles", &yes("s.seqcycle")),
            ("owned by", "a.attname"),
            ("identity", &yes("p.deptype = 'i'")),
            ("unlogged", &yes("c.relpersistence = 'u'")),
            ("comment", &comment("pg_class", "c.oid", "0")),
        ],
        "FROM relations AS c JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = c.oid \
         LEFT JOIN pg_catalog.pg_depend AS p ON p.classid = 'pg_catalog.pg_class'::regclass AND p.objid = c.oid \
         AND p.refclassid = 'pg_catalog.pg_class'::regclass AND p.refobjsubid > 0 AND p.deptype IN ('a', 'i') \
         LEFT JOIN pg_catalog.pg_class AS o ON o.oid = p.refobjid \
         LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = p.refobjid AND a.attnum = p.refobjsubid \
         WHERE c.relkind = 'S' AND (o.oid IS NULL OR o.oid IN (SELECT r.oid FROM relations AS r))",
    )
}

fn types() -> String {
    lines(
        [
            "CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range' ELSE 'type' END",
            "n.nspname",
            "''",
            "t.typname",
        ],
        &[
            (
                "labels",
                "(SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) \
                 FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid)",
            ),
            ("type", "CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END"),
            (
                "collation",
                "(SELECT o.collname FROM pg_catalog.pg_collation AS o JOIN pg_catalog.pg_type AS b ON b.oid = t.typbasetype \
                 WHERE o.oid = t.typcollation AND t.typcollation <> b.typcollation)",
            ),
            ("not null", &yes("t.typnotnull")),
            ("default", "t.typdefault"),
            (
                "checks",
                "(SELECT string_agg(quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid), ', ' ORDER BY k.conname) \
                 FROM pg_catalog.pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'c')",
            ),
            (
                "range of",
                "(SELECT concat_ws(' ', format_type(r.rngsubtype, NULL), nullif(r.rngsubdiff::oid::regproc::text, '-'), \
                 nullif(r.rngcanonical::oid::regproc::text, '-'), \
                 (SELECT o.opcname FROM pg_catalog.pg_opclass AS o WHERE o.oid = r.rngsubopc)) \
                 FROM pg_catalog.pg_range AS r WHERE r.rngtypid = t.oid)",
            ),
            ("comment", &comment("pg_type", "t.oid", "0")),
        ],
        &format!(
            "FROM pg_catalog.pg_type AS t JOIN namespaces AS n ON n.oid = t.typnamespace \
             WHERE t.typtype IN ('e', 'd', 'r') AND {}",
            unextended("pg_type", "t.oid")
        ),
    )
}

/// What came with a type of its own, a range's constructors, is the type's.
fn functions() -> String {
    lines(
        [
            "CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END",
            "n.nspname",
            "''",
            "p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'",
        ],
        &[
            ("definition", "CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END"),
            (
                "aggregate",
                "(SELECT concat_ws(' ', g.aggtransfn::regprocedure, format_type(g.aggtranstype, NULL), \
                 nullif(g.aggfinalfn::oid::regprocedure::text, '-'), g.agginitval, g.aggkind) \
                 FROM pg_catalog.pg_aggregate AS g WHERE g.aggfnoid = p.oid)",
            ),
            (
                "combined by",
                "(SELECT nullif(g.aggcombinefn::oid::regproc::text, '-') FROM pg_catalog.pg_aggregate AS g \
                 WHERE g.aggfnoid = p.oid)",
            ),
            (
                "sort operator",
                "(SELECT g.aggsortop::regoperator FROM pg_catalog.pg_aggregate AS g WHERE g.aggfnoid = p.oid AND g.aggsortop <> 0)",
            ),
            (
                "more parameters at the end",
                "(SELECT 'yes' FROM pg_catalog.pg_aggregate AS g WHERE g.aggfnoid = p.oid AND g.aggfinalextra)",
            ),
            (
                "parallel",
                "CASE WHEN p.prokind = 'a' THEN CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' END END",
            ),
            ("comment", &comment("pg_proc", "p.oid", "0")),
        ],
        &format!(
            "FROM pg_catalog.pg_proc AS p JOIN namespaces AS n ON n.oid = p.pronamespace \
             WHERE p.pronamespace = ANY (ARRAY(SELECT oid FROM namespaces)) AND {} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_proc'::regclass \
             AND d.objid = p.oid AND d.deptype = 'i')",
            unextended("pg_proc", "p.oid")
        ),
    )
}

/// Those that carry out a constraint are the constraint's, and a partition's those of its table.
fn triggers() -> String {
    lines(
        ["'trigger'", "c.nspname", "c.relname", "t.tgname"],
        &[
            ("definition", "pg_get_triggerdef(t.oid)"),
            ("enabled", ENABLED),
            ("comment", &comment("pg_trigger", "t.oid", "0")),
        ],
        "FROM relations AS c JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = c.oid \
         CROSS JOIN LATERAL (SELECT t.tgenabled) AS e(enabled) WHERE NOT t.tgisinternal AND t.tgparentid = 0",
    )
}

const ENABLED: &str =
    "CASE e.enabled WHEN 'D' THEN 'no' WHEN 'R' THEN 'on replicas' WHEN 'A' THEN 'always' END";

fn rules() -> String {
    lines(
        ["'rule'", "c.nspname", "c.relname", "r.rulename"],
        &[
            ("definition", "pg_get_ruledef(r.oid)"),
            ("enabled", ENABLED),
            ("comment", &comment("pg_rewrite", "r.oid", "0")),
        ],
        "FROM relations AS c JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = c.oid \
         CROSS JOIN LATERAL (SELECT r.ev_enabled) AS e(enabled) WHERE r.rulename <> '_RETURN'",
    )
}

fn policies() -> String {
    lines(
        ["'policy'", "c.nspname", "c.relname", "p.polname"],
        &[
            (
                "command",
                "CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' \
                 WHEN 'd' THEN 'delete' ELSE 'all' END",
            ),
            ("restrictive", &yes("NOT p.polpermissive")),
            (
                "roles",
                "(SELECT string_agg(CASE r.oid WHEN 0 THEN 'public' ELSE r.oid::regrole::text END, ', ' ORDER BY r.oid) \
                 FROM unnest(p.polroles) AS r(oid))",
            ),
            ("using", "pg_get_expr(p.polqual, p.polrelid)"),
            ("with check", "pg_get_expr(p.polwithcheck, p.polrelid)"),
            ("comment", &comment("pg_policy", "p.oid", "0")),
        ],
        "FROM relations AS c JOIN pg_catalog.pg_policy AS p ON p.polrelid = c.oid",
    )
}

fn statistics() -> String {
    lines(
        ["'statistics'", "n.nspname", "''", "s.stxname"],
        &[
            ("definition", "pg_get_statisticsobjdef(s.oid)"),
            ("target", "nullif(s.stxstattarget, -1)"),
            ("comment", &comment("pg_statistic_ext", "s.oid", "0")),
        ],
        "FROM pg_catalog.pg_statistic_ext AS s JOIN namespaces AS n ON n.oid = s.stxnamespace",
    )
}

fn collations() -> String {
    lines(
        ["'collation'", "n.nspname", "''", "o.collname"],
        &[
            ("provider", "o.collprovider"),
            // Where it stands depends on the version.
            (
                "locale",
                "CASE o.collprovider WHEN 'c' THEN concat_ws(' ', o.collcollate, o.collctype) \
                 ELSE coalesce(to_jsonb(o)->>'colllocale', to_jsonb(o)->>'colliculocale', o.collcollate) END",
            ),
            ("rules", "to_jsonb(o)->>'collicurules'"),
            ("nondeterministic", &yes("NOT o.collisdeterministic")),
            ("comment", &comment("pg_collation", "o.oid", "0")),
        ],
        &format!(
            "FROM pg_catalog.pg_collation AS o JOIN namespaces AS n ON n.oid = o.collnamespace WHERE {}",
            unextended("pg_collation", "o.oid")
        ),
    )
}

fn extensions() -> String {
    lines(
        ["'extension'", "''", "''", "e.extname"],
        &[
            ("version", "e.extversion"),
            ("schema", "(SELECT n.nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid = e.extnamespace)"),
        ],
        "FROM pg_catalog.pg_extension AS e",
    )
}

fn event_triggers() -> String {
    lines(
        ["'event trigger'", "''", "''", "t.evtname"],
        &[
            ("event", "t.evtevent"),
            ("function", "t.evtfoid::regprocedure"),
            ("tags", "array_to_string(t.evttags, ', ')"),
            ("enabled", ENABLED),
            ("comment", &comment("pg_event_trigger", "t.oid", "0")),
        ],
        &format!(
            "FROM pg_catalog.pg_event_trigger AS t CROSS JOIN LATERAL (SELECT t.evtenabled) AS e(enabled) WHERE {}",
            unextended("pg_event_trigger", "t.oid")
        ),
    )
}

fn publications() -> String {
    lines(
        ["'publication'", "''", "''", "p.pubname"],
        &[
            ("all tables", &yes("p.puballtables")),
            (
                "tables",
                "(SELECT string_agg(r.prrelid::regclass::text, ', ' ORDER BY r.prrelid::regclass::text COLLATE \"C\") \
                 FROM pg_catalog.pg_publication_rel AS r WHERE r.prpubid = p.oid)",
            ),
            (
                "publishes",
                "concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END, \
              CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END)",
            ),
            ("via root", &yes("p.pubviaroot")),
            ("comment", &comment("pg_publication", "p.oid", "0")),
        ],
        "FROM pg_catalog.pg_publication AS p",
    )
}

/// Their options may hold a secret, and are not looked at.
fn foreign_servers() -> String {
    lines(
        ["'foreign server'", "''", "''", "s.srvname"],
        &[
            (
                "wrapper",
                "(SELECT w.fdwname FROM pg_catalog.pg_foreign_data_wrapper AS w WHERE w.oid = s.srvfdw)",
            ),
            ("version", "s.srvversion"),
        ],
        &format!("FROM pg_catalog.pg_foreign_server AS s WHERE {}", unextended("pg_foreign_server", "s.oid")),
    )
}

/// Those that come with the server have low numbers.
fn casts() -> String {
    lines(
        [
            "'cast'",
            "''",
            "''",
            "format_type(k.castsource, NULL) || ' as ' || format_type(k.casttarget, NULL)",
        ],
        &[
            ("function", "nullif(k.castfunc::regprocedure::text, '-')"),
            ("context", "k.castcontext"),
            ("method", "k.castmethod"),
        ],
        &format!("FROM pg_catalog.pg_cast AS k WHERE k.oid >= 16384 AND {}", unextended("pg_cast", "k.oid")),
    )
}

/// A role; that of everybody has no number.
fn role(number: &str) -> String {
    format!("CASE {number} WHEN 0 THEN 'public' ELSE {number}::regrole::text END")
}

/// The privileges of a group of items of access lists, in one order.
fn privileges(of: &str) -> String {
    let one = format!(
        "a.privilege_type || {of} || CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END COLLATE \"C\""
    );
    format!("string_agg(DISTINCT {one}, ', ' ORDER BY {one})")
}

/// What roles may do with what is there. Where nobody granted anything the server's default holds, and is told alike. An
/// owner, who may do everything or give it to itself, is left out, and so is who granted it.
fn grants(database: bool) -> String {
    let list = |schema: &str, object: &str, of: &str, owner: &str, acl: &str, from: &str| {
        format!("SELECT {schema}, {object}, {of}, {owner}, {acl} {from}")
    };
    let by_default =
        |acl: &str, kind: &str, owner: &str| format!("coalesce({acl}, acldefault({kind}, {owner}))");
    let kind = "CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\"";
    let mut lists = vec![
        list(
            "c.nspname",
            "c.relname",
            "''",
            "c.relowner",
            &by_default("c.relacl", kind, "c.relowner"),
            "FROM relations AS c WHERE c.relkind <> 'c'",
        ),
        list(
            "c.nspname",
            "c.relname",
            "' (' || quote_ident(a.attname) || ')'",
            "c.relowner",
            "a.attacl",
            "FROM relations AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid \
             WHERE a.attacl IS NOT NULL AND NOT a.attisdropped",
        ),
        list(
            "n.nspname",
            "p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'",
            "''",
            "p.proowner",
            &by_default("p.proacl", "'f'", "p.proowner"),
            &format!(
                "FROM pg_catalog.pg_proc AS p JOIN namespaces AS n ON n.oid = p.pronamespace WHERE {} \
                 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_proc'::regclass \
                 AND d.objid = p.oid AND d.deptype = 'i')",
                unextended("pg_proc", "p.oid")
            ),
        ),
        list(
            "n.nspname",
            "t.typname",
            "''",
            "t.typowner",
            &by_default("t.typacl", "'T'", "t.typowner"),
            &format!(
                "FROM pg_catalog.pg_type AS t JOIN namespaces AS n ON n.oid = t.typnamespace \
                 WHERE t.typtype IN ('e', 'd', 'r') AND {}",
                unextended("pg_type", "t.oid")
            ),
        ),
        list(
            "n.nspname",
            "''",
            "''",
            "s.nspowner",
            &by_default("s.nspacl", "'n'", "s.nspowner"),
            "FROM namespaces AS n JOIN pg_catalog.pg_namespace AS s ON s.oid = n.oid",
        ),
    ];
    if database {
        let acl = by_default("d.datacl", "'d'", "d.datdba");
        let from = "FROM pg_catalog.pg_database AS d WHERE d.datname = current_database()";
        lists.push(list("''", "''", "''", "d.datdba", &acl, from));
    }
    lines(
        [&literal(GRANT), "g.nspname", "g.object", "g.role"],
        &[("privileges", "g.privileges")],
        &format!(
            "FROM (SELECT o.nspname, o.object, {} AS role, {} AS privileges \
             FROM ({}) AS o(nspname, object, part, owner, acl) CROSS JOIN LATERAL aclexplode(o.acl) AS a \
             WHERE a.grantee <> o.owner GROUP BY 1, 2, 3) AS g",
            role("a.grantee"),
            privileges("o.part"),
            lists.join(" UNION ALL ")
        ),
    )
}

/// What roles will be able to do with what is yet to be made.
fn default_grants(database: bool) -> String {
    let among = match database {
        true => "d.defaclnamespace = 0 OR n.oid IS NOT NULL",
        false => "n.oid IS NOT NULL",
    };
    lines(
        [&literal(DEFAULT_GRANT), "g.nspname", "''", "g.role"],
        &[("privileges", "g.privileges")],
        &format!(
            "FROM (SELECT coalesce(n.nspname, '') AS nspname, {} || ' on ' || CASE d.defaclobjtype WHEN 'r' THEN 'tables' \
             WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' \
             ELSE 'large objects' END || ' of ' || d.defaclrole::regrole::text AS role, {} AS privileges \
             FROM pg_catalog.pg_default_acl AS d LEFT JOIN namespaces AS n ON n.oid = d.defaclnamespace \
             CROSS JOIN LATERAL aclexplode(d.defaclacl) AS a WHERE {among} GROUP BY 1, 2) AS g",
            role("a.grantee"),
            privileges("''")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use windlass_core::sql::classify::may_hold_secret;

    #[test]
    fn whatever_may_be_a_secret_is_suspect() {
        let texts = [
            "api_token = 'x'",
            "PASSCODE = 'x'",
            "apiKey := 'x'",
            "credentials = 'x'",
            "user_pass = 'x'",
            "user_pw = 'x'",
            "INSERT INTO a (secret) VALUES ('x')",
            "crypt('x', salt)",
            "pgp_sym_decrypt(a, 'x')",
            "hmac(a, 'x', 'sha256')",
            "'password=x'",
            "{\"api_key\": \"x\"}",
            "'https://host/?token=abcd'",
            "access_key DEFAULT 'x'",
            "encryption_key DEFAULT 'x'",
            "password text := 'x'",
            "'x' AS user_pw",
            "passphrase 'x'",
            "IDENTIFIED BY 'x'",
            "dblink('host=a')",
            "authentication_string",
            "Authorization: Basic x",
            "Bearer abcdefgh",
            "postgres://app:x@db/shop",
            "token <> 'x'",
            "token IN ('x', 'y')",
            "api_token AS ('x' || id)",
            "password COMMENT 'hunter2secret'",
            "ghp_a1B2c3D4e5F6g7H8i9J0",
            "github_pat_a1B2c3D4e5F6g7H8i9J0",
            "sk_live_a1B2c3D4e5",
            "rk_test_a1B2c3D4e5",
            "AKIAA1B2C3D4E5F6G7H8",
            "AIzaa1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R",
            "eyJhbGciOiJub25l.eyJzdWIiOiJ4In0.",
            "xoxb-a1B2c3D4e5",
            "-----BEGIN RSA PRIVATE KEY-----",
        ];
        for text in texts {
            assert!(may_hold_secret(text), "{text}");
            let is_there = |part: &&str| part.split('%').all(|part| text.to_lowercase().contains(part));
            assert!(SUSPECT.iter().any(is_there), "{text}");
        }
    }
}
