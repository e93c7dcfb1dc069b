//! The README's library example is compiled and run, not believed.

include!("library/example.rs");

#[test]
fn the_example_of_the_readme_does_what_it_says() {
    let shown = include_str!("library/example.rs");
    assert!(
        include_str!("../../../README.md").contains(&format!("```rust\n{shown}```")),
        "shown as it is here"
    );

    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("migrations")).expect("a folder");
    std::fs::write(folder.path().join("migrations/1_users.sql"), "CREATE TABLE users (id);").expect("a file");
    // This file has no other test, so nobody else minds where the process is.
    std::env::set_current_dir(folder.path()).expect("the folder");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(migrate()).expect("migrates");
    let connection = rusqlite::Connection::open("app.db").expect("opens");
    let users: i64 =
        connection.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).expect("a table");
    assert_eq!(users, 0);
}
