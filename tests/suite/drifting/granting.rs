//! Grants: who may do what, looked at where that is asked for, and compared only where it was kept.

use super::{A, deployed, words};
use harness::{Database, Family, Project, migrations, options};
use windlass_core::apply::accept_drift;
use windlass_core::drift::{DriftOptions, DriftVerdict, look};
use windlass_core::source::Migrations;

fn with_grants() -> DriftOptions {
    let mut options = DriftOptions::default();
    options.grants = true;
    options
}

/// A role, or an account, of this test alone, and what takes it away again.
async fn role(database: &Database) -> (String, String) {
    let name = format!("who_{}", database.name().rsplit('_').next().expect("a part"));
    match database.target().family {
        Family::Postgres => {
            let gone = format!("DROP OWNED BY {name}; DROP ROLE {name}");
            database.sql(&format!("CREATE ROLE {name}")).await;
            (name, gone)
        }
        _ => {
            let account = format!("'{name}'@'%'");
            database.sql(&format!("CREATE USER {account} IDENTIFIED BY 'hunter2'")).await;
            (account.clone(), format!("DROP USER {account}"))
        }
    }
}

async fn verdict(database: &Database, set: &Migrations, options: &DriftOptions) -> DriftVerdict {
    look(&mut *database.connect().await, set.as_slice(), options).await.expect("a look")
}

/// Makes each change by hand, in its order, and looks for the words with which it is told.
async fn each_is_seen(database: &Database, base: &'static str, changes: &[(String, String)]) {
    let set = [("1_base", base)];
    deployed(database, &set).await;
    let set = migrations(&set);
    let mut driver = database.connect().await;
    accept_drift(&mut *driver, &options().run, "with grants", true).await.expect("accepted");
    for (sql, told) in changes {
        database.sql(sql).await;
        assert_eq!(verdict(database, &set, &DriftOptions::default()).await, DriftVerdict::None, "{sql}");
        let found = verdict(database, &set, &with_grants()).await;
        let DriftVerdict::Drift(drift) = found else { panic!("not seen: {sql}: {found:?}") };
        assert!(words(&drift).iter().any(|word| word.contains(told)), "{sql}: {:#?}", words(&drift));
        accept_drift(&mut *driver, &options().run, "seen", true).await.expect("accepted");
        assert_eq!(verdict(database, &set, &with_grants()).await, DriftVerdict::None, "{sql}");
    }
}

pub(super) async fn what_others_were_granted_is_seen_by_postgres(database: &Database) {
    let base = "CREATE SCHEMA store; CREATE TABLE t (id int, a int); CREATE SEQUENCE s; CREATE TYPE mood AS ENUM ('x');
        CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';";
    let (who, gone) = role(database).await;
    let name = database.name();
    let changes = [
        (format!("GRANT SELECT ON t TO {who}"), format!("grant public.t.{who} was added")),
        (format!("GRANT UPDATE ON t TO {who}"), "privileges was SELECT, is SELECT, UPDATE".to_owned()),
        (format!("GRANT INSERT (a) ON t TO {who}"), "is INSERT (a), SELECT, UPDATE".to_owned()),
        (format!("GRANT SELECT ON t TO {who} WITH GRANT OPTION"), "SELECT with grant option".to_owned()),
        (format!("REVOKE ALL ON t FROM {who}"), format!("grant public.t.{who} was removed")),
        ("GRANT SELECT ON t TO public".to_owned(), "grant public.t.public was added".to_owned()),
        (format!("GRANT USAGE ON SEQUENCE s TO {who}"), format!("grant public.s.{who} was added")),
        ("REVOKE EXECUTE ON FUNCTION f() FROM public".to_owned(), "public.f().public was removed".to_owned()),
        ("REVOKE USAGE ON TYPE mood FROM public".to_owned(), "public.mood.public was removed".to_owned()),
        (format!("GRANT USAGE ON SCHEMA store TO {who}"), format!("grant store.{who} was added")),
        (format!("GRANT CREATE ON DATABASE {name} TO {who}"), format!("grant {who} was added")),
        (
            format!("ALTER DEFAULT PRIVILEGES IN SCHEMA store GRANT SELECT ON TABLES TO {who}"),
            format!("default grant store.{who} on tables of "),
        ),
    ];
    each_is_seen(database, base, &changes).await;
    // That the owner's own are written out changes nothing.
    database.sql("GRANT ALL ON t TO CURRENT_USER").await;
    let set = migrations(&[("1_base", base)]);
    assert_eq!(verdict(database, &set, &with_grants()).await, DriftVerdict::None);
    database.sql(&gone).await;
}

pub(super) async fn what_others_were_granted_is_seen_by_mysql(database: &Database) {
    let base = "CREATE TABLE t (id int, a int);\nCREATE PROCEDURE p() SELECT 1;";
    let (who, gone) = role(database).await;
    let name = database.name();
    let changes = [
        (format!("GRANT SELECT ON {name}.* TO {who}"), format!("grant {who} was added")),
        (format!("GRANT SELECT ON {name}.t TO {who}"), format!("grant t.{who} was added")),
        (format!("GRANT INSERT (a) ON {name}.t TO {who}"), "INSERT (`a`)".to_owned()),
        (format!("GRANT UPDATE ON {name}.t TO {who} WITH GRANT OPTION"), "with grant option".to_owned()),
        (format!("GRANT EXECUTE ON PROCEDURE {name}.p TO {who}"), format!("grant p.{who} was added")),
        (format!("REVOKE EXECUTE ON PROCEDURE {name}.p FROM {who}"), format!("grant p.{who} was removed")),
    ];
    each_is_seen(database, base, &changes).await;
    // Whoever may not read what the server keeps of accounts knows nothing of the grants, and says so.
    database.sql(&format!("GRANT ALL ON {name}.* TO {who}")).await;
    let user = who.trim_start_matches('\'').split('\'').next().expect("a name").to_owned();
    let url = database.url();
    let (_, place) = url.split_once('@').expect("a login");
    let mut session =
        database.try_connect(&format!("mysql://{user}:hunter2@{place}")).await.expect("a session");
    let set = migrations(&[("1_base", base)]);
    let found = look(&mut *session, set.as_slice(), &with_grants()).await.expect("a look");
    assert!(matches!(&found, DriftVerdict::Unknown(why) if why.contains("does not see grants")), "{found:?}");
    let found = look(&mut *session, set.as_slice(), &DriftOptions::default()).await.expect("a look");
    assert!(!format!("{found:?}").contains("grants"), "{found:?}");
    drop(session);
    database.sql(&gone).await;
}

/// One of the two looks knows nothing of them, and none of them counts.
pub(super) async fn grants_are_compared_where_both_looked(database: &Database) {
    let project = Project::new(database, &[A]);
    project.run(&["deploy"]).await.code(0);
    if database.target().family == Family::Sqlite {
        project.run(&["drift", "--grants"]).await.code(0).out("no drift");
        return;
    }
    let (who, gone) = role(database).await;
    let grant = match database.target().family {
        Family::Postgres => format!("GRANT SELECT ON a TO {who}"),
        _ => format!("GRANT SELECT ON {}.a TO {who}", database.name()),
    };
    database.sql(&grant).await;
    project.run(&["drift"]).await.code(0).out("no drift");
    let untold = project.run(&["drift", "--grants"]).await.code(1);
    untold
        .err("the grants were not written down with the schema")
        .err("windlass drift accept --grants --reason TEXT");
    // Whatever else there is to tell.
    database.sql("ALTER TABLE a ADD COLUMN by_hand int").await;
    let told = project.run(&["drift", "--grants"]).await.code(10).out("by_hand");
    told.err("there may be more: the grants were not written down with the schema");
    database.sql("ALTER TABLE a DROP COLUMN by_hand").await;
    project.run(&["drift", "accept", "--grants", "--reason", "the reports read"]).await.code(0);
    project.run(&["drift", "--grants"]).await.code(0).out("no drift");
    database.sql(&grant.replace("SELECT", "UPDATE")).await;
    project.run(&["drift"]).await.code(0).out("no drift");
    project.write("windlass.toml", "drift_grants = true\n");
    let shown = project.run(&["drift"]).await.code(10);
    shown.out("privileges was SELECT, is SELECT, UPDATE");
    project.migration("2_b", "CREATE TABLE b (n int);");
    project.run(&["deploy"]).await.code(10).err("privileges was SELECT, is SELECT, UPDATE");
    project.run(&["deploy", "--allow-drift"]).await.code(0);
    project.run(&["drift"]).await.code(0).out("no drift");
    project.write("windlass.toml", "drift_ignore = [\"grant:*\"]\ndrift_grants = true\n");
    database.sql(&grant.replace("SELECT", "DELETE")).await;
    project.run(&["drift"]).await.code(0).out("no drift");
    database.sql(&gone).await;
}
