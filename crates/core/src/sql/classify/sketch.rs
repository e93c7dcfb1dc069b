//! One pass over a statement's tokens: its head, the tables it reads and writes, the functions it calls.

use super::cursor::{Cursor, identifier, object_name};
use super::functions::{Call, IDENTITY, call, is_transaction_clock};
use super::variables::{setting, user_variable};
use super::{Binding, ObjectName};
use crate::sql::Dialect;
use crate::sql::lexer::{Lexer, Token, TokenKind};

/// So many tokens hold every definition; what follows can only be rows and expressions.
const HEAD: usize = 8192;

/// What one pass over a statement finds.
#[derive(Debug)]
pub(super) struct Sketch<'a> {
    pub(super) dialect: Dialect,
    head: Vec<Token<'a>>,
    /// Tables behind `FROM`, `JOIN`, `INTO`, `REFERENCES`, and an `UPDATE` that begins a statement.
    pub(super) tables: Vec<ObjectName>,
    /// It reads the transaction's clock.
    pub(super) clock: bool,
    /// It moves a sequence.
    pub(super) sequence: bool,
    /// It calls `set_config`.
    pub(super) setting: bool,
    unknown_calls: Vec<UnknownCall>,
    /// It connects elsewhere.
    pub(super) remote: bool,
    /// It reads or writes state of the session, and which.
    pub(super) session: Option<Binding>,
    /// The user variables that it mentions.
    pub(super) variables: Vec<String>,
    /// It gives one of them a value in its middle: `@a := 1`.
    pub(super) assigns: bool,
    /// `INSERT`, `UPDATE`, `DELETE` or `MERGE` begins a statement in it.
    pub(super) writes: bool,
    walk: Walk,
    previous: Option<Token<'a>>,
    before_previous: Option<Token<'a>>,
}

/// A call of a function of which nothing is known.
#[derive(Clone, Copy, Debug)]
struct UnknownCall {
    /// How many parentheses it stands in.
    depth: usize,
    /// It stands where `WITH name (columns) AS (` would; what follows will tell.
    may_be_query: bool,
}

/// Where the walk stands in the lists of tables.
#[derive(Debug, Default)]
struct Walk {
    /// For each open parenthesis, whether its content is in a `FROM` list.
    in_from: Vec<bool>,
    /// A table's name comes next.
    expects: bool,
    /// The parts of the name that is being read.
    parts: Vec<String>,
    /// The last unknown call turns out to be the name of a query if a parenthesis follows.
    names_query: bool,
}

impl<'a> Sketch<'a> {
    pub(super) fn new(dialect: Dialect, statement: &'a str) -> Self {
        let mut sketch = Sketch {
            dialect,
            head: Vec::new(),
            tables: Vec::new(),
            clock: false,
            sequence: false,
            setting: false,
            unknown_calls: Vec::new(),
            remote: false,
            session: None,
            variables: Vec::new(),
            assigns: false,
            writes: false,
            walk: Walk { in_from: vec![false], ..Walk::default() },
            previous: None,
            before_previous: None,
        };
        sketch.read(statement);
        sketch.end_name(None);
        sketch
    }

    pub(super) fn cursor(&self) -> Cursor<'_, 'a> {
        Cursor::new(self.dialect, &self.head)
    }

    /// These names and the tables the walk has found, each once.
    pub(super) fn tables_and(&self, names: Vec<ObjectName>) -> Vec<ObjectName> {
        let mut objects: Vec<ObjectName> = Vec::with_capacity(names.len() + self.tables.len());
        for name in names.into_iter().chain(self.tables.iter().cloned()) {
            if !objects.contains(&name) {
                objects.push(name);
            }
        }
        objects
    }

    /// It calls a function of which nothing is known.
    pub(super) fn has_unknown_call(&self) -> bool {
        !self.unknown_calls.is_empty()
    }

    /// Nothing in it depends on the transaction it runs in.
    pub(super) fn is_plain(&self) -> bool {
        !(self.clock
            || self.setting
            || self.has_unknown_call()
            || self.remote
            || self.session.is_some()
            || !self.variables.is_empty())
    }

    fn read(&mut self, text: &'a str) {
        let mut lexer = Lexer::new(self.dialect, text);
        while let Some(token) = lexer.next_token() {
            match token.kind {
                TokenKind::Space | TokenKind::Comment | TokenKind::Hint => {}
                TokenKind::ExecutableComment => self.read(token.executed().unwrap_or_default()),
                _ => self.token(token),
            }
        }
    }

    fn token(&mut self, token: Token<'a>) {
        if self.head.len() < HEAD {
            self.head.push(token);
        }
        self.end_name(Some(&token));
        match token.kind {
            TokenKind::Punctuation => self.punctuation(&token),
            TokenKind::Word => self.word(&token),
            TokenKind::QuotedIdentifier if self.walk.expects => self.name_part(&token),
            TokenKind::Parameter if self.dialect == Dialect::MySql => self.variable(&token),
            TokenKind::String if self.dialect == Dialect::Postgres => {
                self.clock |= matches!(token.text, "'now'" | "'today'" | "'tomorrow'" | "'yesterday'");
            }
            _ => {}
        }
        self.before_previous = self.previous.replace(token);
    }

    /// A name goes on with a dot, or is complete. Before a parenthesis in `FROM` it is a function.
    fn end_name(&mut self, next: Option<&Token<'_>>) {
        if self.walk.parts.is_empty() {
            return;
        }
        let dot = |token: Option<&Token<'_>>| token.is_some_and(|token| token.is_punctuation("."));
        if dot(next) || dot(self.previous.as_ref()) {
            return;
        }
        self.walk.expects = false;
        let is_call =
            next.is_some_and(|token| token.is_punctuation("(")) && self.walk.in_from.last() == Some(&true);
        let parts = std::mem::take(&mut self.walk.parts);
        let name = object_name(parts).filter(|name| !is_call && !self.tables.contains(name));
        self.tables.extend(name);
    }

    fn punctuation(&mut self, token: &Token<'a>) {
        match token.text {
            "(" => {
                let behind_as =
                    self.previous.is_some_and(|token| token.is_word("AS") || token.is_word("MATERIALIZED"));
                if behind_as && std::mem::take(&mut self.walk.names_query) {
                    self.unknown_calls.pop();
                }
                self.call();
                self.walk.expects = false;
                self.walk.in_from.push(false);
            }
            ")" if self.walk.in_from.len() > 1 => {
                self.walk.in_from.pop();
            }
            "," if self.walk.in_from.last() == Some(&true) => self.walk.expects = true,
            "." => {}
            _ => {
                self.assigns |= token.text == ":=";
                self.walk.expects = false;
            }
        }
    }

    fn call(&mut self) {
        let Some(function) = self.previous.filter(|token| token.kind == TokenKind::Word) else { return };
        if self.is_name_before_columns(function) {
            return;
        }
        match call(function.text, self.dialect == Dialect::Postgres) {
            Call::None | Call::Harmless => {}
            Call::TransactionClock => self.clock = true,
            Call::Sequence => self.sequence = true,
            Call::Setting => self.setting = true,
            Call::Session(why) => self.session = self.session.or(Some(Binding::Session(why))),
            Call::LastStatement(why) => {
                // What was inserted last outlives other statements; who reads more than that is tied to more.
                let is_tied = matches!(self.session, Some(Binding::LastStatement(_))) && why == IDENTITY;
                if !is_tied {
                    self.session = Some(Binding::LastStatement(why));
                }
            }
            Call::Remote => self.remote = true,
            Call::Unknown => {
                let depth = self.walk.in_from.len();
                let listed = self.before_previous.is_some_and(|before| {
                    before.is_punctuation(",") || before.is_word("WITH") || before.is_word("RECURSIVE")
                });
                let may_be_query = listed && !self.walk.in_from[depth - 1];
                self.unknown_calls.push(UnknownCall { depth, may_be_query });
            }
        }
    }

    /// The name of an index, a table, an alias or a constraint stands before its columns.
    fn is_name_before_columns(&self, name: Token<'a>) -> bool {
        const BEFORE: [&str; 8] = ["KEY", "INDEX", "UNIQUE", "INTO", "TABLE", "REFERENCES", "AS", "VIEW"];
        self.before_previous.is_some_and(|before| match before.text {
            "." => self.names_table(name),
            // The alias of a subquery.
            ")" => true,
            _ => BEFORE.iter().any(|word| before.is_word(word)),
        })
    }

    /// The name was just taken for a table's.
    fn names_table(&self, token: Token<'_>) -> bool {
        let name = identifier(self.dialect, &token);
        self.tables.last().is_some_and(|table| Some(&table.name) == name.as_ref())
    }

    fn word(&mut self, token: &Token<'a>) {
        const MODIFIERS: [&str; 9] =
            ["ONLY", "LATERAL", "TABLE", "IF", "NOT", "EXISTS", "IGNORE", "LOW_PRIORITY", "OVERWRITE"];
        if self.walk.expects && MODIFIERS.iter().any(|word| token.is_word(word)) && self.walk.parts.is_empty()
        {
            return;
        }
        let behind_dot = self.previous.is_some_and(|token| token.is_punctuation("."));
        if self.walk.expects || behind_dot && !self.walk.parts.is_empty() {
            let not_a_table = ["SELECT", "OUTFILE", "DUMPFILE", "VALUES", "WITH", "SET"];
            self.walk.expects &= !not_a_table.iter().any(|word| token.is_word(word));
            if self.walk.expects {
                return self.name_part(token);
            }
        }
        if behind_dot {
            return;
        }
        if self.dialect == Dialect::Postgres && token.text.len() >= 9 && is_transaction_clock(token.text) {
            self.clock = true;
        }
        self.keyword(token);
    }

    fn keyword(&mut self, token: &Token<'a>) {
        // Most words in rows and definitions are none of these: their first letter tells.
        let place = self.walk.in_from.len() - 1;
        match token.text.as_bytes()[0].to_ascii_uppercase() {
            b'A' if token.is_word("AS") => {
                let behind_columns = self.previous.is_some_and(|token| token.is_punctuation(")"));
                let last = self.unknown_calls.last();
                self.walk.names_query =
                    behind_columns && last.is_some_and(|call| call.may_be_query && call.depth == place + 1);
            }
            b'F' if token.is_word("FROM") => {
                self.walk.in_from[place] = true;
                self.walk.expects = true;
            }
            b'J' if token.is_word("JOIN") => self.walk.expects = true,
            b'I' if token.is_word("INTO") => self.walk.expects = true,
            b'I' if token.is_word("INSERT") => self.writes |= self.begins_statement(),
            b'D' if token.is_word("DELETE") => self.writes |= self.begins_statement(),
            b'M' if token.is_word("MERGE") => self.writes |= self.begins_statement(),
            b'R' if token.is_word("REFERENCES") => self.walk.expects = true,
            b'U' if token.is_word("UPDATE") && self.begins_statement() => {
                self.writes = true;
                self.walk.expects = true;
                // MySQL updates several tables at once.
                self.walk.in_from[place] = self.dialect == Dialect::MySql;
            }
            b'U' if token.is_word("USING") && self.walk.in_from[place] => self.walk.expects = true,
            b'W' | b'G' | b'O' | b'H' | b'L' | b'S' | b'U' | b'R' | b'V' | b'E' | b'I' => {
                const ENDS_LIST: [&str; 13] = [
                    "WHERE",
                    "GROUP",
                    "ORDER",
                    "HAVING",
                    "LIMIT",
                    "SET",
                    "SELECT",
                    "UNION",
                    "RETURNING",
                    "VALUES",
                    "EXCEPT",
                    "INTERSECT",
                    "WINDOW",
                ];
                if ENDS_LIST.iter().any(|word| token.is_word(word)) {
                    self.walk.in_from[place] = false;
                }
            }
            _ => {}
        }
    }

    fn name_part(&mut self, token: &Token<'_>) {
        self.walk.parts.extend(identifier(self.dialect, token));
    }

    /// A statement of its own may begin here: at the start, in a `WITH`, in a body.
    fn begins_statement(&self) -> bool {
        self.previous.is_none_or(|token| match token.kind {
            TokenKind::Semicolon => true,
            TokenKind::Punctuation => matches!(token.text, "(" | ")"),
            _ => {
                ["BEGIN", "THEN", "ELSE", "EXPLAIN", "ANALYZE", "ROW", "DO", "ALSO", "INSTEAD"]
                    .iter()
                    .any(|word| token.is_word(word))
                    && !self.before_previous.is_some_and(|token| token.is_word("CONFLICT"))
            }
        })
    }

    /// `@name` is a user variable, but `'root'@'localhost'` is an account and `@@name` a setting.
    fn variable(&mut self, token: &Token<'a>) {
        let of_account = self.previous.is_some_and(|before| {
            before.end() == token.offset
                && matches!(before.kind, TokenKind::Word | TokenKind::String | TokenKind::QuotedIdentifier)
        });
        if !of_account {
            self.variables.extend(user_variable(token).filter(|name| !self.variables.contains(name)));
        }
        match setting(token).as_deref() {
            Some("identity" | "last_insert_id") => self.session = Some(Binding::LastStatement(IDENTITY)),
            Some("warning_count" | "error_count") => {
                self.session =
                    Some(Binding::LastStatement("it reads what this session's last statement did"));
            }
            _ => {}
        }
        self.walk.expects = false;
    }
}
