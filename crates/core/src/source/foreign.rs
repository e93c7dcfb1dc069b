//! Comments that part a file for a tool whose parts are not read, or nearly so for one whose are: as plain comments, the
//! part that undoes would be run behind the part that does.

use super::SourceError;
use super::sections::{Lines, column_of};
use memchr::memmem;

/// How the comment begins that marks a part, in small letters with single spaces, and whose it is.
const FOREIGN: [(&str, &str); 6] = [
    ("+migrate ", "sql-migrate"),
    ("//@undo", "MyBatis Migrations"),
    ("@undo", "MyBatis Migrations"),
    ("rambler ", "rambler"),
    ("!ups", "Play"),
    ("!downs", "Play"),
];

/// What is written behind `migrate:` for dbmate's `down`.
const ALIKE: [&str; 5] = ["down", "dwn", "rollback", "undo", "revert"];

/// Refuses a file with such a comment on a line of its own. One search for two bytes is all that a file without comments
/// costs.
pub(super) fn refuse(origin: &str, text: &str) -> Result<(), SourceError> {
    if memmem::find(text.as_bytes(), b"--").is_none() {
        return Ok(());
    }
    for line in Lines::of(text) {
        let Some(comment) = line.text.trim_start_matches([' ', '\t', '#']).strip_prefix("--") else {
            continue;
        };
        let comment = comment.trim_start_matches(['-', ' ', '\t']).trim_end();
        if !comment.starts_with(['+', '/', '@', '!', 'm', 'M', 'r', 'R']) {
            continue;
        }
        let (path, found) = (origin.into(), comment.to_owned());
        let words = comment.to_ascii_lowercase().split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((_, tool)) = FOREIGN.iter().find(|(begin, _)| format!("{words} ").starts_with(begin)) {
            return Err(SourceError::ForeignMarker { path, line: line.number, found, tool });
        }
        if let Some(nearest) = nearly_known(comment, &words) {
            let column = column_of(line.text, comment);
            return Err(SourceError::UnknownMarker { path, line: line.number, column, found, nearest });
        }
    }
    Ok(())
}

/// The marker of goose or dbmate that was meant, where a comment is one but for its case, its spaces or a letter.
fn nearly_known(comment: &str, words: &str) -> Option<&'static str> {
    let squeezed = words.replace(' ', "");
    if let Some(direction) = squeezed.strip_prefix("+goose") {
        let is_as_written = comment.starts_with("+goose");
        return match direction {
            _ if is_as_written => None,
            "down" => Some("-- +goose Down"),
            "up" => Some("-- +goose Up"),
            _ => None,
        };
    }
    let direction = squeezed.strip_prefix("migrate")?.trim_start_matches(':');
    let direction = direction.strip_suffix("transaction:false").unwrap_or(direction);
    let is_as_written = ["migrate:up", "migrate:down"].iter().any(|known| {
        comment.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
    });
    let is_swapped = |known: &str| {
        let mut letters: Vec<_> = direction.bytes().collect();
        let mut wanted: Vec<_> = known.bytes().collect();
        letters.sort_unstable();
        wanted.sort_unstable();
        letters == wanted
    };
    match direction {
        _ if is_as_written => None,
        "up" => Some("-- migrate:up"),
        _ if ALIKE.contains(&direction) || is_swapped("down") => Some("-- migrate:down"),
        _ => None,
    }
}
