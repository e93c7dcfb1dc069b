//! Comments that part a file for a tool whose parts are not read, or nearly so for one whose are: as plain comments, the
//! part that undoes would be run behind the part that does.

use super::SourceError;
use memchr::{memchr, memmem, memrchr};

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
    let bytes = text.as_bytes();
    for at in memmem::find_iter(bytes, b"--") {
        let start = memrchr(b'\n', &bytes[..at]).map_or(0, |before| before + 1);
        if !text[start..at].trim_start_matches('\u{feff}').bytes().all(|byte| b" \t#".contains(&byte)) {
            continue;
        }
        let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
        let comment = text[at..end].trim_start_matches(['-', ' ', '\t']).trim_end();
        if !comment.starts_with(['+', '/', '@', '!', 'm', 'M', 'r', 'R']) {
            continue;
        }
        let line = || u32::try_from(bytes[..start].iter().filter(|byte| **byte == b'\n').count() + 1);
        let words = comment.to_ascii_lowercase().split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((_, tool)) = FOREIGN.iter().find(|(begin, _)| format!("{words} ").starts_with(begin)) {
            return Err(SourceError::ForeignMarker {
                path: origin.into(),
                line: line().unwrap_or(u32::MAX),
                found: comment.to_owned(),
                tool,
            });
        }
        if let Some(nearest) = nearly_known(comment, &words) {
            let column =
                text[start..].find(comment).map_or(0, |offset| text[start..][..offset].chars().count());
            return Err(SourceError::UnknownMarker {
                path: origin.into(),
                line: line().unwrap_or(u32::MAX),
                column: u32::try_from(column).unwrap_or(u32::MAX - 1) + 1,
                found: comment.to_owned(),
                nearest,
            });
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
