//! Files that hold both directions, parted by the comments of goose or dbmate.

use super::{Layout, SourceError};
use crate::directive::nearest;
use crate::migration::{Script, TransactionMode};
use memchr::memmem;
use std::borrow::Cow;

/// A file parted at its markers.
#[derive(Debug)]
pub(super) struct Sections {
    pub(super) layout: Layout,
    /// From the file's head on, so that directives above the marker are kept.
    pub(super) up: Script,
    pub(super) down: Option<Script>,
    pub(super) mode: TransactionMode,
}

/// Parts a file; gives its text back where it has no markers.
///
/// A few searches for a few bytes are all that a file without markers costs.
pub(super) fn part(origin: String, text: Cow<'static, str>) -> Result<Parted, SourceError> {
    super::foreign::refuse(&origin, &text)?;
    let bytes = text.as_bytes();
    let tool = if memmem::find(bytes, b"+goose").is_some() && Tool::Goose.marks(&text, &origin)? {
        Tool::Goose
    } else if memmem::find(bytes, b"migrate:").is_some() && Tool::Dbmate.marks(&text, &origin)? {
        Tool::Dbmate
    } else {
        return Ok(Parted::Whole(Script::new(origin, text)));
    };
    let marks = Marks::read(tool, &origin, &text)?;
    let layout = if tool == Tool::Goose { Layout::Goose } else { Layout::Dbmate };
    let mode = if marks.no_transaction { TransactionMode::Off } else { TransactionMode::Automatic };
    let (up, down) = match marks.down {
        None => (text, None),
        Some(place) => {
            let (up, down) = split_at(text, place.offset);
            (up, Some(Script::new(origin.clone(), down).starting_at_line(place.line)))
        }
    };
    Ok(Parted::Sections(Sections { layout, up: Script::new(origin, up), down, mode }))
}

/// What [`part`] makes of a file.
#[derive(Debug)]
pub(super) enum Parted {
    Whole(Script),
    Sections(Sections),
}

fn split_at(text: Cow<'static, str>, offset: usize) -> (Cow<'static, str>, Cow<'static, str>) {
    match text {
        Cow::Borrowed(text) => (text[..offset].into(), text[offset..].into()),
        Cow::Owned(mut text) => {
            let down = text.split_off(offset);
            (text.into(), down.into())
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Goose,
    Dbmate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marker {
    Up { no_transaction: bool },
    Down,
    NoTransaction,
    StatementBegin,
    StatementEnd,
    EnvironmentOn,
    EnvironmentOff,
}

const GOOSE: [(&str, Marker); 7] = [
    ("Up", Marker::Up { no_transaction: false }),
    ("Down", Marker::Down),
    ("NO TRANSACTION", Marker::NoTransaction),
    ("StatementBegin", Marker::StatementBegin),
    ("StatementEnd", Marker::StatementEnd),
    ("ENVSUB ON", Marker::EnvironmentOn),
    ("ENVSUB OFF", Marker::EnvironmentOff),
];

const DBMATE: [&str; 2] = ["-- migrate:up", "-- migrate:down"];

impl Tool {
    fn up(self) -> &'static str {
        if self == Tool::Goose { "-- +goose Up" } else { DBMATE[0] }
    }

    fn down(self) -> &'static str {
        if self == Tool::Goose { "-- +goose Down" } else { DBMATE[1] }
    }

    /// Whether any line is a marker of this tool; the bytes alone may stand in data or in prose.
    fn marks(self, text: &str, origin: &str) -> Result<bool, SourceError> {
        for line in Lines::of(text) {
            if self.marker(origin, &line)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn marker(self, origin: &str, line: &Line<'_>) -> Result<Option<Marker>, SourceError> {
        let Some(comment) = line.text.trim().strip_prefix("--").map(str::trim_start) else { return Ok(None) };
        let unknown = |found: String, nearest| SourceError::UnknownMarker {
            path: origin.into(),
            line: line.number,
            column: column_of(line.text, comment),
            found,
            nearest,
        };
        match self {
            Tool::Goose => {
                let Some(words) = comment.strip_prefix("+goose").map(str::trim) else { return Ok(None) };
                let known = GOOSE.iter().find(|(name, _)| name.eq_ignore_ascii_case(words));
                known.map(|(_, marker)| Some(*marker)).ok_or_else(|| {
                    let nearest = nearest(words, GOOSE.iter().map(|(name, _)| *name));
                    unknown(comment.to_owned(), nearest.map_or(GOOSE[0].0, |(name, _)| name))
                })
            }
            Tool::Dbmate => {
                let Some(words) = comment.strip_prefix("migrate:") else { return Ok(None) };
                let mut words = words.split_ascii_whitespace();
                let direction = words.next().unwrap_or_default();
                match (direction, nearest(direction, ["up", "down"])) {
                    ("up", _) => {
                        let no_transaction = words.any(|option| option == "transaction:false");
                        Ok(Some(Marker::Up { no_transaction }))
                    }
                    ("down", _) => Ok(Some(Marker::Down)),
                    (_, Some((nearest, 0..=1))) => {
                        let marker = if nearest == "up" { DBMATE[0] } else { DBMATE[1] };
                        Err(unknown(format!("-- migrate:{direction}"), marker))
                    }
                    // Prose in a comment: "migrate:d by hand".
                    _ => Ok(None),
                }
            }
        }
    }
}

/// Where `comment` begins, which is the end of the line.
pub(super) fn column_of(line: &str, comment: &str) -> u32 {
    let before = line.trim_end().strip_suffix(comment).unwrap_or_default();
    u32::try_from(before.chars().count()).unwrap_or(u32::MAX - 1) + 1
}

#[derive(Clone, Copy, Debug)]
struct Place {
    offset: usize,
    line: u32,
}

/// The markers of a file, checked.
#[derive(Debug, Default)]
struct Marks {
    down: Option<Place>,
    no_transaction: bool,
}

impl Marks {
    fn read(tool: Tool, origin: &str, text: &str) -> Result<Self, SourceError> {
        let mut marks = Self::default();
        let (mut up, mut begun, mut first) = (None, None, None);
        // The end of a statement that has none of its own, and the last line of any statement.
        let (mut open, mut last) = (None, "");
        for line in Lines::of(text) {
            let written = line.text.trim();
            let is_written = !written.is_empty() && !written.starts_with("--");
            if let Some(line) = open.filter(|_| is_written) {
                return Err(SourceError::StatementRunsOn { path: origin.into(), line });
            }
            if is_written {
                last = written;
            }
            let out_of_order =
                |marker| SourceError::SectionOrder { path: origin.into(), line: line.number, marker };
            let marker = tool.marker(origin, &line)?;
            first = first.or(marker.map(|_| line.number));
            match marker {
                None | Some(Marker::EnvironmentOff) => {}
                Some(Marker::Up { .. }) if up.is_some() || marks.down.is_some() => {
                    return Err(out_of_order(tool.up()));
                }
                Some(Marker::Up { no_transaction }) => {
                    up = Some(line.place());
                    marks.no_transaction |= no_transaction;
                }
                Some(Marker::Down) if marks.down.is_some() => return Err(out_of_order(tool.down())),
                Some(Marker::Down) => {
                    ended(origin, begun)?;
                    marks.down = Some(line.place());
                    (open, last) = (None, "");
                }
                Some(Marker::NoTransaction) => marks.no_transaction = true,
                Some(Marker::StatementBegin) => begun = Some(line.number),
                Some(Marker::StatementEnd) => {
                    begun = None;
                    open = Some(line.number).filter(|_| !last.is_empty() && !is_ended(last));
                }
                Some(Marker::EnvironmentOn) => {
                    return Err(SourceError::EnvironmentInText { path: origin.into(), line: line.number });
                }
            }
        }
        ended(origin, begun)?;
        let up = up.ok_or(SourceError::NoUpSection {
            path: origin.into(),
            line: first.unwrap_or(1),
            marker: tool.up(),
        })?;
        match first_statement(&text[..up.offset]) {
            Some(line) => Err(SourceError::OutsideSections { path: origin.into(), line }),
            None => Ok(marks),
        }
    }
}

/// Whether a line ends with a semicolon, but for a comment behind it.
fn is_ended(line: &str) -> bool {
    let before_comment = line.rsplit_once("--").map_or(line, |(before, _)| before.trim_end());
    line.ends_with(';') || before_comment.ends_with(';')
}

fn ended(origin: &str, begun: Option<u32>) -> Result<(), SourceError> {
    match begun {
        Some(line) => Err(SourceError::StatementNotEnded { path: origin.into(), line }),
        None => Ok(()),
    }
}

/// The line of the first thing that is neither space nor comment.
fn first_statement(text: &str) -> Option<u32> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let end = if rest.starts_with("--") {
            rest.find('\n')
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|end| end + 1)
        } else if rest.is_empty() {
            return None;
        } else {
            let before = &text[..text.len() - rest.len()];
            return u32::try_from(before.matches('\n').count() + 1).ok();
        };
        rest = end.map_or("", |end| &rest[end + 1..]);
    }
}

pub(super) struct Line<'t> {
    pub(super) text: &'t str,
    offset: usize,
    pub(super) number: u32,
}

impl Line<'_> {
    fn place(&self) -> Place {
        Place { offset: self.offset, line: self.number }
    }
}

/// The lines of a text with their places. A byte order mark is no part of the first.
pub(super) struct Lines;

impl Lines {
    pub(super) fn of(text: &str) -> impl Iterator<Item = Line<'_>> {
        let mut offset = 0;
        (1..).zip(text.split_inclusive('\n')).map(move |(number, line)| {
            let start = offset;
            offset += line.len();
            Line { text: line.trim_start_matches('\u{feff}'), offset: start, number }
        })
    }
}
