//! Errors as people read them: what, where, why, what stands, and what to do next.

use crate::comparison;
use crate::diagnosis::Diagnosis;
use crate::excerpt::Excerpt;
use crate::output::{BAD, BOLD, shown};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// The column that keys are set in: as wide as `caused by`.
const KEYS: usize = 9;

/// An error as text with colours.
pub(crate) fn render(diagnosis: &Diagnosis) -> String {
    let mut lines = vec![headline(diagnosis)];
    lines.extend(comparison::first(&diagnosis.differences));
    let mut say = |key: &str, text: &str| lines.push(entry(key, text));
    for cause in &diagnosis.causes {
        say("caused by", cause);
    }
    if let Some(database) = &diagnosis.database {
        say("caused by", &database.message);
        let rest = [
            ("code", &database.code),
            ("detail", &database.detail),
            ("advice", &database.hint),
            ("where", &database.context),
        ];
        for (key, text) in rest {
            if let Some(text) = text {
                say(key, text);
            }
        }
    }
    for note in &diagnosis.notes {
        say("note", note);
    }
    if let Some(hint) = &diagnosis.hint {
        say("hint", &hint.replace("; ", "\n"));
    }
    lines.join("\n")
}

/// The message, the place, and the lines of the script.
fn headline(diagnosis: &Diagnosis) -> String {
    let renderer = Renderer::styled();
    let message = &*shown(&diagnosis.message);
    match (&diagnosis.excerpt, &diagnosis.place) {
        (Some(excerpt), _) => renderer.render(&[report(message, excerpt)]),
        (None, Some(place)) if !diagnosis.message.contains(&place.file) => {
            let origin = Origin::path(place.file.as_str())
                .line(place.line as usize)
                .char_column(place.column as usize);
            renderer.render(&[Level::ERROR.primary_title(message).element(origin)])
        }
        _ => format!("{BAD}error{BAD:#}{BOLD}: {message}{BOLD:#}"),
    }
}

fn report<'d>(message: &'d str, excerpt: &'d Excerpt) -> Group<'d> {
    let snippet = Snippet::source(excerpt.text.as_str())
        .path(excerpt.file.as_str())
        .line_start(excerpt.first_line as usize)
        .fold(false)
        .annotation(AnnotationKind::Primary.span(excerpt.span.clone()));
    Level::ERROR.primary_title(message).element(snippet)
}

/// A key in its column, and a text that stays beside it however many lines it has.
pub(crate) fn entry(key: &str, text: &str) -> String {
    let indent = format!("\n{:KEYS$}  ", "");
    let text = shown(text);
    let text = text.trim_end().lines().collect::<Vec<_>>().join(&indent);
    format!("{BOLD}{key:>KEYS$}:{BOLD:#} {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_several_lines_stays_in_its_column() {
        let plain = anstream::adapter::strip_str(&entry("hint", "one\ntwo\n")).to_string();
        assert_eq!(plain, "     hint: one\n           two");
    }
}
