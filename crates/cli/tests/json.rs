//! `--json`: one document a command, as `docs/json.md` describes it.

mod support;

use serde_json::Value;
use support::Project;

const USERS: (&str, &str) = ("1_users.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);");
const DOCUMENT: &str = include_str!("../../../docs/json.md");

/// The document has these members and no other, and the page tells of each.
#[track_caller]
fn members(value: &Value, expected: &[&str]) {
    let mut found: Vec<_> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut expected = expected.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected, "{value:#}");
    for member in found {
        assert!(DOCUMENT.contains(&format!("`{member}`")), "docs/json.md does not tell of `{member}`");
    }
}

const COMMON: [&str; 4] = ["version", "ok", "command", "exit_code"];

#[test]
fn deploy_and_its_dry_run() {
    let project = Project::with(&[USERS]);
    project.sql("PRAGMA user_version = 1");
    let plan = project.deploy(&["--dry-run", "--json"]).ends_with(0).json();
    members(&plan, &[&COMMON[..], &["database", "dry_run", "plan", "remarks"]].concat());
    assert_eq!(plan["plan"]["migrations"], serde_json::json!(["1_users"]));
    assert!(plan["plan"]["text"].as_str().expect("text").contains("execute 1_users 1/1"));

    let ran = project.deploy(&["--json"]).ends_with(0);
    assert!(ran.stderr.contains("Applying 1_users"), "people read stderr as without it: {ran:#?}");
    let done = ran.json();
    let all = ["database", "dry_run", "applied", "waited_ms", "duration_ms", "remarks"];
    members(&done, &[&COMMON[..], &all].concat());
    members(&done["database"], &["url", "product", "version"]);
    members(&done["applied"][0], &["name", "statements", "duration_ms"]);
    assert_eq!(
        (&done["ok"], &done["command"], &done["dry_run"]),
        (&true.into(), &"deploy".into(), &false.into())
    );
    assert_eq!(project.deploy(&["--json"]).ends_with(0).json()["applied"], serde_json::json!([]));
}

#[test]
fn a_failed_deploy() {
    let project = Project::fixture("bookshop-broken/sqlite");
    let failed = project.deploy(&["--json"]).ends_with(4).json();
    members(&failed, &[&COMMON[..], &["applied", "error"]].concat());
    assert_eq!(failed["applied"].as_array().map(Vec::len), Some(2));
    let error = &failed["error"];
    let all = [
        "kind",
        "message",
        "causes",
        "notes",
        "hint",
        "migration",
        "file",
        "line",
        "column",
        "statement",
        "database",
        "differences",
    ];
    members(error, &all);
    assert_eq!(error["differences"], serde_json::json!([]));
    members(&error["database"], &["message", "code", "detail", "hint", "context"]);
    assert_eq!(error["kind"], "failed");
    assert_eq!(error["migration"], "20240308100000_add_price");
    assert_eq!(error["file"], "migrations/20240308100000_add_price.sql");
    assert_eq!((&error["line"], &error["column"]), (&5.into(), &29.into()));
    assert_eq!(error["statement"], serde_json::json!({ "number": 2, "of": 3 }));
    assert_eq!(error["database"]["message"], "no such column: page");

    let status = project.on_app(&["status", "--json"]).ends_with(0).json();
    members(
        &status,
        &[&COMMON[..], &["database", "settled", "drift", "blocked", "migrations", "notices"]].concat(),
    );
    let migration = &status["migrations"][2];
    members(migration, &["name", "state", "file", "applied_at", "error", "renamed_to", "attempt"]);
    assert_eq!((&migration["state"], &status["settled"]), (&"rolled back".into(), &false.into()));
    assert!(
        migration["error"].as_str().expect("an error").ends_with("no such column: page (SQLITE_ERROR (1))")
    );

    let history = project.on_app(&["history", "--json"]).ends_with(0).json();
    members(&history, &[&COMMON[..], &["database", "attempts"]].concat());
    let attempt = [
        "id",
        "name",
        "kind",
        "state",
        "checksum",
        "statements",
        "completed",
        "in_flight",
        "started_at",
        "finished_at",
        "rolled_back_at",
        "duration_ms",
        "error",
        "resolution",
        "applied_by",
        "tool",
        "touched",
    ];
    members(&history["attempts"][2], &attempt);
    members(&migration["attempt"], &attempt);
    assert_eq!(history["attempts"][0]["state"], "applied");
}

#[test]
fn every_other_command() {
    let project = Project::with(&[USERS]);
    project.sql("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)");
    let baseline = project.on_app(&["baseline", "1_users", "--json"]).ends_with(0).json();
    members(&baseline, &[&COMMON[..], &["database", "recorded"]].concat());
    let resolve =
        project.on_app(&["resolve", "--rolled-back", "1_users", "--force", "--json"]).ends_with(0).json();
    members(&resolve, &[&COMMON[..], &["database", "migration", "resolution"]].concat());
    assert_eq!(resolve["resolution"], "rolled_back");
    let new = project.run(&["new", "x", "--json"]).ends_with(0).json();
    let doctor = project.on_app(&["doctor", "--json"]).json();
    members(&doctor, &[&COMMON[..], &["database", "findings"]].concat());
    members(&doctor["findings"][0], &["check", "severity", "what", "why", "next"]);
    members(&new, &[&COMMON[..], &["files"]].concat());
    let completions = project.run(&["completions", "fish", "--json"]).ends_with(0).json();
    members(&completions, &[&COMMON[..], &["shell", "script"]].concat());
    let check = project.on_app(&["status", "--check", "--json"]).ends_with(8).json();
    assert_eq!((&check["ok"], &check["settled"]), (&true.into(), &false.into()));
}

#[test]
fn what_differs_is_part_of_the_error() {
    let project = Project::with(&[USERS]);
    project.deploy(&[]).ends_with(0);
    project.sql("ALTER TABLE users ADD COLUMN by_hand TEXT");
    project.write("migrations/2_more.sql", "CREATE TABLE more (id);");
    let refused = project.deploy(&["--json"]).ends_with(10).json();
    let differences = &refused["error"]["differences"];
    members(&differences[0], &["kind", "schema", "table", "name", "change", "properties", "text"]);
    assert_eq!(*differences, project.on_app(&["drift", "--json"]).ends_with(10).json()["differences"]);
    let told = project.deploy(&[]).ends_with(10);
    let lines = "\n  column users.by_hand was added\n      + \"by_hand\" TEXT\n";
    assert!(told.stderr.contains(lines), "{told:#?}");
    let refused = project.on_app(&["resolve", "--applied", "2_more", "--json"]).ends_with(3).json();
    assert_eq!(refused["error"]["differences"][0]["text"], "table more is not there, and should be");
}

#[test]
fn errors_of_every_kind() {
    let project = Project::with(&[USERS]);
    project.sql("CREATE TABLE theirs (id)");
    let kind = |arguments: &[&str], code: i32| {
        let value = project.run(&[arguments, &["--json"]].concat()).ends_with(code).json();
        assert_eq!(value["ok"], false);
        let kind = value["error"]["kind"].as_str().expect("a kind").to_owned();
        assert!(DOCUMENT.contains(&format!("`{kind}`")), "docs/json.md does not tell of `{kind}`");
        kind
    };
    assert_eq!(kind(&["deploy", "--no-such-flag"], 2), "usage");
    assert_eq!(kind(&["deploy"], 2), "url");
    assert_eq!(kind(&["deploy", "--config", "nowhere.toml"], 2), "config");
    assert_eq!(kind(&["deploy", "--database-url", "sqlite:app.db"], 3), "not_empty");
    assert_eq!(kind(&["deploy", "--database-url", "sqlite:no.db"], 6), "connect");
    assert_eq!(kind(&["deploy", "--database-url", "sqlite:app.db", "--dir", "nowhere"], 7), "project");
    assert_eq!(kind(&["deploy", "--database-url", "sqlite:app.db", "--to", "9"], 2), "unknown_migration");
}

#[test]
fn the_page_tells_every_kind() {
    let source = include_str!("../src/error.rs");
    let kinds: Vec<_> =
        source.match_indices("(Exit::").filter_map(|(at, _)| source[at..].split('"').nth(1)).collect();
    assert!(kinds.len() > 30, "{kinds:?}");
    for kind in kinds {
        assert!(DOCUMENT.contains(&format!("`{kind}`")), "docs/json.md does not tell of `{kind}`");
    }
}

#[test]
fn a_diagnosis() {
    let half = ("2_half.sql", "CREATE TABLE half (id);\nVACUUM;\nINSERT INTO nowhere VALUES (1);\n");
    let outside = ("3_outside.sql", "ATTACH 'other.db' AS o;\n");
    let project = Project::with(&[USERS, half]);
    project.deploy(&[]).ends_with(4);
    let told = project.on_app(&["diagnose", "--json"]).ends_with(3).json();
    let all = [
        "database",
        "blocked",
        "pending",
        "migration",
        "recorded",
        "drift",
        "beside",
        "holder",
        "invalid_indexes",
        "advice",
    ];
    members(&told, &[&COMMON[..], &all].concat());
    members(&told["drift"], &["state", "why", "differences"]);
    let of_advice = ["action", "why", "by_hand", "commands", "choices"];
    members(&told["advice"], &of_advice);
    members(&told["advice"]["choices"][0], &["when", "by_hand", "commands"]);
    let migration = &told["migration"];
    let all = [
        "attempt",
        "same_text",
        "statements",
        "schema",
        "why",
        "fits",
        "broken",
        "unreplayable",
        "differences",
    ];
    members(migration, &all);
    let all = ["number", "file", "line", "column", "text", "changes", "fate", "evidence"];
    members(&migration["statements"][0], &all);
    assert_eq!((&migration["schema"], &migration["fits"]), (&"compared".into(), &serde_json::json!([1, 2])));
    assert_eq!(told["advice"]["commands"], serde_json::json!(["windlass deploy"]));

    let project = Project::with(&[USERS, ("2_half.sql", &format!("{}{}", half.1, outside.1))]);
    project.deploy(&[]).ends_with(4);
    let told = project.on_app(&["diagnose", "--json"]).ends_with(3).json();
    members(&told["migration"]["unreplayable"][0], &["migration", "file", "line", "column", "why"]);
    assert_eq!(told["migration"]["unreplayable"][0]["line"], 4);
}
