//! (f) Whether others changed the schema: the fast yes, the whole comparison and the reading, beside one scan of the
//! catalogs that gives the same objects; and how all of it grows.

use crate::measure::{Aim, Line, alternate};
use crate::scripts;
use crate::session::{Place, options, run};
use harness::{Database, Family, Target};
use std::time::Instant;
use windlass_core::apply::{DeployOptions, Silent, Stop, deploy};
use windlass_core::drift::{DriftOptions, DriftVerdict, look};
use windlass_core::driver::Driver;
use windlass_core::schema::Look;
use windlass_core::source::Migrations;

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
const COLUMNS: usize = 15;

/// Measures every size on one target.
pub(crate) async fn measure(target: &Target, print: &mut impl FnMut(Line)) {
    let mut whole = Vec::new();
    for size in SIZES {
        let database = Database::create(target).await;
        let place = Place::of(&database);
        make(&place, size).await;
        let migrations = kept(&place).await;
        print(yes(target, &place, size).await);
        print(up_to_date(target, &place, size, &migrations).await);
        place.raw().await.run("ALTER TABLE big_1 ADD COLUMN by_hand int").await;
        print(changed(target, &place, size, &migrations).await);
        let line = read(target, &place, size).await;
        whole.push((size, line.windlass, line.floor));
        print(line);
        database.drop().await;
    }
    for pair in whole.windows(2) {
        let [(from, before, floor_before), (to, behind, floor_behind)] = pair else { continue };
        println!(
            "    growth {from} → {to} tables, {}: reading {:.1}×, the scan {:.1}×",
            target.name,
            behind / before,
            floor_behind / floor_before
        );
    }
}

fn rounds(size: usize) -> usize {
    if size > 1_000 { 5 } else { 21 }
}

/// Per table 15 columns, a primary key, two more indexes, and a reference to the table before.
async fn make(place: &Place, size: usize) {
    let mut raw = place.raw().await;
    let numbers: Vec<usize> = (1..=size).collect();
    for part in numbers.chunks(200) {
        let statements: Vec<String> = part.iter().flat_map(|&number| table(number)).collect();
        let script = statements.join(";\n");
        match place.family {
            Family::Postgres | Family::Sqlite => raw.run(&format!("BEGIN;\n{script};\nCOMMIT")).await,
            _ => raw.run(&script).await,
        }
    }
}

fn table(number: usize) -> [String; 3] {
    let columns: Vec<String> =
        (3..COLUMNS).map(|column| format!("c{column} varchar(40) NOT NULL DEFAULT 'x{column}'")).collect();
    let before = number.saturating_sub(1).max(1);
    [
        format!(
            "CREATE TABLE big_{number} (id bigint PRIMARY KEY, before_id bigint, at timestamp NULL, {}, \
             CONSTRAINT big_{number}_before FOREIGN KEY (before_id) REFERENCES big_{before} (id))",
            columns.join(", ")
        ),
        format!("CREATE INDEX big_{number}_b ON big_{number} (before_id)"),
        format!("CREATE INDEX big_{number}_c ON big_{number} (c3, c4)"),
    ]
}

/// Deploys one migration, and with it the schema is kept.
async fn kept(place: &Place) -> Migrations {
    let migrations = scripts::embedded(1);
    let mut options = DeployOptions::new(run());
    options.plan.allow_non_empty = true;
    let mut session = place.windlass().await;
    let report = deploy(&mut *session, &migrations, &options, &mut Silent, &Stop::new()).await;
    assert_eq!(report.expect("a deploy").applied.len(), 1);
    migrations
}

/// The least that gives the same objects in one message: names, types, defaults, and definitions as the server writes them.
fn scan(family: Family) -> &'static str {
    match family {
        Family::Postgres => {
            "SELECT c.oid, c.relname, c.relkind, c.reloptions FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace \
             AND c.relkind IN ('r', 'p', 'v', 'm', 'S'); \
             SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid) \
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid \
             AND d.adnum = a.attnum WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') \
             AND a.attnum > 0 AND NOT a.attisdropped; \
             SELECT i.indrelid, pg_get_indexdef(i.indexrelid) FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid \
             WHERE c.relnamespace = 'public'::regnamespace; \
             SELECT k.conrelid, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k \
             WHERE k.connamespace = 'public'::regnamespace"
        }
        Family::MySql | Family::MariaDb => {
            "SELECT table_name, table_type, engine, table_collation, create_options, table_comment \
             FROM information_schema.tables WHERE table_schema = DATABASE(); \
             SELECT table_name, column_name, ordinal_position, column_default, is_nullable, collation_name, column_type, extra, \
             column_comment, generation_expression FROM information_schema.columns WHERE table_schema = DATABASE(); \
             SELECT table_name, index_name, seq_in_index, non_unique, column_name, collation, sub_part, index_type \
             FROM information_schema.statistics WHERE table_schema = DATABASE(); \
             SELECT table_name, constraint_name, update_rule, delete_rule FROM information_schema.referential_constraints \
             WHERE constraint_schema = DATABASE(); \
             SELECT table_name, constraint_name, ordinal_position, column_name, referenced_table_name, referenced_column_name \
             FROM information_schema.key_column_usage WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL"
        }
        Family::Sqlite => {
            "SELECT m.type, m.name, m.tbl_name, m.sql FROM sqlite_schema AS m; \
             SELECT m.name, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk, c.hidden \
             FROM sqlite_schema AS m JOIN pragma_table_xinfo(m.name) AS c WHERE m.type = 'table'"
        }
    }
}

/// Both on sessions that stand already.
async fn beside(
    target: &Target,
    place: &Place,
    size: usize,
    (case, aim): (&str, Aim),
    mut windlass: impl AsyncFnMut(&mut dyn Driver),
) -> Line {
    let (mut raw, mut session) = (place.raw().await, place.windlass().await);
    // What the server reads for the first time is in its caches for neither.
    assert!(raw.rows(scan(place.family)).await > size);
    windlass(&mut *session).await;
    let taken = alternate(
        rounds(size),
        async || {
            let began = Instant::now();
            raw.rows(scan(place.family)).await;
            began.elapsed()
        },
        async || {
            let began = Instant::now();
            windlass(&mut *session).await;
            began.elapsed()
        },
    )
    .await;
    let mut line = taken.line(&format!("(f) {size} tables, {case}"), &target.name, aim);
    line.trips = place.trips(async |raw| _ = raw.rows(scan(place.family)).await, windlass).await;
    line
}

async fn yes(target: &Target, place: &Place, size: usize) -> Line {
    beside(target, place, size, ("the same", Aim::Ratio(1.5)), async |session: &mut dyn Driver| {
        assert_eq!(session.look_at_schema(false).await.expect("a look"), Look::Same);
    })
    .await
}

async fn up_to_date(target: &Target, place: &Place, size: usize, migrations: &Migrations) -> Line {
    let case = ("deploy with nothing to do", Aim::Ratio(1.5));
    beside(target, place, size, case, async |session: &mut dyn Driver| {
        let mut options = options();
        options.drift.when_current = true;
        let report = deploy(session, migrations, &options, &mut Silent, &Stop::new()).await;
        assert_eq!(report.expect("a deploy").remarks, []);
    })
    .await
}

async fn changed(target: &Target, place: &Place, size: usize, migrations: &Migrations) -> Line {
    beside(target, place, size, ("changed, and told", Aim::Ratio(3.0)), async |session: &mut dyn Driver| {
        let found = look(session, migrations.as_slice(), &DriftOptions::default()).await.expect("a look");
        let DriftVerdict::Drift(drift) = found else { panic!("{found:?}") };
        assert_eq!(drift.differences.len(), 1);
    })
    .await
}

async fn read(target: &Target, place: &Place, size: usize) -> Line {
    beside(target, place, size, ("read", Aim::Ratio(3.0)), async |session: &mut dyn Driver| {
        assert!(session.read_schema(false).await.expect("a schema").objects.len() > size * COLUMNS);
    })
    .await
}
