//! `new`: a migration in the layout and the numbering of the folder.

mod support;

use support::Project;

fn created(project: &Project, arguments: &[&str]) -> Vec<String> {
    let ran = project.run(&[&["new"], arguments].concat()).ends_with(0);
    ran.stdout.lines().map(|line| line.trim_start_matches("migrations/").to_owned()).collect()
}

/// The name with its timestamp, if that is one, put as T.
fn without_time(path: &str) -> String {
    let digits: String =
        path.trim_start_matches(['V', 'U']).chars().take_while(char::is_ascii_digit).collect();
    if digits.len() == 14 { path.replacen(&digits, "T", 1) } else { path.to_owned() }
}

#[test]
fn an_empty_folder_gets_a_plain_file_with_a_timestamp() {
    let project = Project::empty();
    let files = created(&project, &["Add e-mail", "to users"]);
    assert_eq!(without_time(&files[0]), "T_add_e_mail_to_users.sql");
    assert_eq!(project.read(&format!("migrations/{}", files[0])), "-- add e mail to users\n\n");
    // What was begun can be deployed, empty as it is.
    project.deploy(&[]).ends_with(0).out("Applied");
}

#[test]
fn every_layout_is_kept_and_read_again() {
    for (layout, expected) in [
        ("plain", "_x.sql"),
        ("prisma", "_x/migration.sql"),
        ("diesel", "_x/up.sql"),
        ("golang-migrate", "_x.up.sql"),
        ("flyway", "__x.sql"),
        ("goose", "_x.sql"),
        ("dbmate", "_x.sql"),
    ] {
        let project = Project::fixture(&format!("layouts/{layout}"));
        let files = created(&project, &["x", "--down"]);
        assert!(files[0].ends_with(expected), "{layout}: {files:?}");
        for file in &files {
            assert!(project.path(&format!("migrations/{file}")).exists(), "{layout}: {file}");
        }
        // The folder still has one layout, and the new migration is the last one.
        project.sql("PRAGMA user_version = 1");
        let status = project.on_app(&["status", "--json"]).ends_with(0).json();
        let names: Vec<_> = status["migrations"]
            .as_array()
            .expect("migrations")
            .iter()
            .map(|m| m["name"].as_str().expect("a name"))
            .collect();
        let versioned: Vec<_> = names.iter().filter(|name| !name.starts_with("R__")).collect();
        assert!(versioned.last().is_some_and(|name| name.ends_with("_x")), "{layout}: {names:?}");
        assert!(status["blocked"].is_null(), "{layout}: {status}");
        std::fs::remove_file(project.path("app.db")).expect("removed");
    }
}

#[test]
fn a_counter_goes_on_counting() {
    let project = Project::with(&[("0009_a.sql", "SELECT 1;")]);
    assert_eq!(created(&project, &["b"]), ["0010_b.sql"]);
    assert_eq!(created(&project, &["c", "--down"]), ["0011_c.sql", "0011_c.down.sql"]);
}

#[test]
fn repeatable_ones_have_no_version() {
    let project = Project::empty();
    assert_eq!(created(&project, &["--repeatable", "views"]), ["R__views.sql"]);
    project.run(&["new", "--repeatable", "views"]).ends_with(7).err("R__views.sql is there already");
    project.run(&["new", "!!"]).ends_with(2).err("a name is made of a-z, 0-9");
    project.run(&["new"]).ends_with(2);
}

#[test]
fn two_in_one_second_keep_their_order() {
    let project = Project::empty();
    let first = created(&project, &["b"]);
    let second = created(&project, &["a"]);
    assert!(first < second, "{first:?} {second:?}");
}

#[test]
fn a_name_that_is_there_or_became_another_is_told() {
    let project = Project::with(&[("1_add_email.sql", "SELECT 1;")]);
    let ran = project.run(&["new", "add", "email"]).ends_with(0).out("2_add_email.sql");
    ran.err("note: migrations/1_add_email.sql has the same name");
    let ran = project.run(&["new", "Ümlaut straße"]).ends_with(0);
    ran.err("note: `Ümlaut straße` became `mlaut_stra_e`").out("3_mlaut_stra_e.sql");
    assert_eq!(project.run(&["new", "Add phone!"]).ends_with(0).stderr, "");
    let flyway = Project::with(&[("V1.2__add_email.sql", "SELECT 1;")]);
    flyway.run(&["new", "add_email"]).ends_with(0).err("V1.2__add_email.sql has the same name");
}
