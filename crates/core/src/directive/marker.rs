//! The markers by which other tools' users turn the transaction off.

/// What a published guide tells the users of Prisma to write above a script that wants no transaction.
const CREATE_ONLY: &str = "This migration was generated with the --create-only flag";

/// The tool whose marker the comment is.
pub(super) fn no_transaction(comment: &str, in_head: bool, is_first: bool) -> Option<&'static str> {
    let text = comment.strip_prefix("--")?;
    let words = text.trim();
    if is_first && text.starts_with(" no-transaction") {
        return Some("sqlx");
    }
    // goose reads its annotations wherever they stand.
    if words.strip_prefix("+goose").is_some_and(|words| words.trim().eq_ignore_ascii_case("NO TRANSACTION")) {
        return Some("goose");
    }
    if !in_head {
        return None;
    }
    if let Some(options) = words.strip_prefix("migrate:up ") {
        return options
            .split_ascii_whitespace()
            .any(|option| option == "transaction:false")
            .then_some("dbmate");
    }
    if let Some(mode) = words.strip_prefix("atlas:txmode") {
        return (mode.trim() == "none").then_some("atlas");
    }
    words.contains(CREATE_ONLY).then_some("prisma")
}
