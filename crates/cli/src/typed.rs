//! Typed: the commands that a text advises, with the options by which this one found its project and its history.

use crate::args::Global;
use crate::target;
use std::path::Path;
use windlass_core::diagnosis::shell_word;

/// What the command line named that the next command has to be told, too.
#[derive(Clone, Debug, Default)]
pub(crate) struct Typed(String);

impl Typed {
    pub(crate) fn of(global: &Global) -> Self {
        let path = |path: &Option<_>| path.as_deref().map(|path: &Path| path.display().to_string());
        let given = [
            ("--config", path(&global.config)),
            ("--database-url-file", path(&global.database_url_file)),
            ("--dir", path(&global.dir)),
            ("--history-table", global.history_table.clone()),
        ];
        let words = given.into_iter().filter_map(|(option, value)| Some((option, value?)));
        Self(words.map(|(option, value)| format!(" {option} {}", shell_word(&value))).collect())
    }

    /// With the database's URL: where without it another one would be meant. What is secret of it is not shown.
    pub(crate) fn on(self, url: &str) -> Self {
        let place = target::place(url);
        let told = if place == url { shell_word(url) } else { "URL".to_owned() };
        Self(format!("{} --database-url {told}", self.0))
    }

    /// A command as it is to be typed.
    pub(crate) fn command(&self, command: &str) -> String {
        format!("{command}{}", self.0)
    }

    /// A text in which commands stand in backquotes.
    pub(crate) fn text(&self, text: &str) -> String {
        let is_to_do = |span: &str| span.starts_with("windlass ") && !span.ends_with("--help");
        let spans = text.split('`').enumerate().map(|(index, span)| match index % 2 == 1 && is_to_do(span) {
            true => self.command(span),
            false => span.to_owned(),
        });
        spans.collect::<Vec<_>>().join("`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_keep_what_was_given() {
        let typed = Typed(" --dir 'my db'".to_owned());
        let told = typed.text("mend `1_a.sql`; or `windlass resolve --resume 1_a`; or leave `--to` out");
        assert_eq!(typed.text("`windlass deploy --help`"), "`windlass deploy --help`");
        assert_eq!(
            told,
            "mend `1_a.sql`; or `windlass resolve --resume 1_a --dir 'my db'`; or leave `--to` out"
        );
        assert_eq!(Typed::default().text("`windlass deploy`"), "`windlass deploy`");
        let typed = Typed::default().on("postgres://ada:hunter2@localhost/shop");
        assert_eq!(typed.command("windlass deploy"), "windlass deploy --database-url URL");
        let typed = Typed::default().on("sqlite:my app.db");
        assert_eq!(typed.command("windlass deploy"), "windlass deploy --database-url 'sqlite:my app.db'");
    }
}
