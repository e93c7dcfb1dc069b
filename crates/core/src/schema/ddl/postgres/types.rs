//! Types, and what is made of them: domains, aggregates, casts, collations, sequences.

use super::names::{listed, literal, mentioned, multirange, qualified, quoted, tokens};
use super::order::{Piece, Rank};
use super::{DdlError, Writer};
use crate::schema::Key;

impl Writer<'_> {
    /// An enum, a range or a composite type.
    pub(super) fn type_of_kind(&self) -> Result<String, DdlError> {
        let name = self.name();
        match &*self.key.kind {
            "enum" => Ok(format!("CREATE TYPE {name} AS ENUM ({})", self.get("labels").unwrap_or_default())),
            "range" => self.range(),
            _ => {
                let columns: Vec<_> = self.columns().iter().map(Writer::attribute).collect();
                Ok(format!("CREATE TYPE {name} AS ({})", columns.join(", ")))
            }
        }
    }

    /// The type, the functions and the operator class stand one behind the other.
    fn range(&self) -> Result<String, DdlError> {
        const OF_WORDS: [&str; 7] = [
            "double precision",
            "timestamp with time zone",
            "timestamp without time zone",
            "time with time zone",
            "time without time zone",
            "character varying",
            "bit varying",
        ];
        let text = self.needed("range of")?;
        let is_it = |words: &&&str| text.strip_prefix(**words).is_some_and(|rest| rest.starts_with(' '));
        let parts = match OF_WORDS.iter().find(is_it) {
            Some(words) => [vec![*words], spaced(&text[words.len()..])].concat(),
            None => spaced(text),
        };
        let [subtype, functions @ .., class] = parts.as_slice() else {
            return Err(self.unwritable("a part of it is not known"));
        };
        let difference = match functions {
            [] => String::new(),
            [difference] => format!(", SUBTYPE_DIFF = {difference}"),
            _ => return Err(self.unwritable("its canonical function needs the type itself")),
        };
        let (name, class) = (self.name(), quoted(class.trim_matches('"')));
        Ok(format!(
            "CREATE TYPE {name} AS RANGE (SUBTYPE = {subtype}, SUBTYPE_OPCLASS = {class}{difference})"
        ))
    }

    pub(super) fn domain(&self) -> Result<Vec<Piece>, DdlError> {
        let name = self.name();
        let mut create = format!("CREATE DOMAIN {name} AS {}", self.needed("type")?);
        create.extend(self.get("collation").map(|name| format!(" COLLATE {}", self.collate(name))));
        let mut later = Vec::new();
        match self.get("default") {
            // The names in it are as they were written.
            Some(default) if default.contains('(') => {
                later.push(self.piece(Rank::Column, format!("ALTER DOMAIN {name} SET DEFAULT {default}")));
            }
            default => create.extend(default.into_iter().flat_map(|default| [" DEFAULT ", default])),
        }
        create.push_str(if self.is("not null") { " NOT NULL" } else { "" });
        for check in self.get("checks").map(listed).unwrap_or_default() {
            match check.ends_with("NOT VALID") {
                true => later.push(
                    self.piece(Rank::Constraint, format!("ALTER DOMAIN {name} ADD CONSTRAINT {check}")),
                ),
                false => create.extend([" CONSTRAINT ", check]),
            }
        }
        later.insert(0, self.piece(Rank::Type, create));
        Ok(later)
    }

    /// The function of each step, the type of what it keeps, the function for the end, what it begins with, and its kind
    /// stand one behind the other.
    pub(super) fn aggregate(&self) -> Result<String, DdlError> {
        let unknown = || self.unwritable("a part of it is not known");
        let text = self.needed("aggregate")?;
        let (text, kind) = text.rsplit_once(' ').ok_or_else(unknown)?;
        let (step, rest) = procedure(text).ok_or_else(unknown)?;
        // A type of several words ends before what is none of them.
        const WORDS: [&str; 8] =
            ["double", "precision", "timestamp", "time", "with", "without", "zone", "varying"];
        let parts = spaced(rest);
        let is_word = |part: &&&str| {
            WORDS.contains(&part.trim_end_matches("[]")) || matches!(**part, "character" | "bit")
        };
        let words = parts.iter().take_while(is_word).count().max(1);
        let words = if parts.get(words - 1) == Some(&"character") { 1 } else { words };
        let (state, rest) = parts.split_at(words.min(parts.len()));
        let rest = rest.join(" ");
        let mut sql =
            format!("CREATE AGGREGATE {} (SFUNC = {step}, STYPE = {}", self.signature(), state.join(" "));
        let begin = match procedure(&rest) {
            Some((end, begin)) => {
                sql.extend([", FINALFUNC = ", end]);
                begin
            }
            None => &rest,
        };
        if !begin.is_empty() {
            sql.extend([", INITCOND = ", &literal(begin)]);
        }
        let more = if self.is("more parameters at the end") { ", FINALFUNC_EXTRA" } else { "" };
        sql.push_str(more);
        sql.extend(self.get("combined by").into_iter().flat_map(|function| [", COMBINEFUNC = ", function]));
        let operator = self.get("sort operator").and_then(|operator| operator.rsplit_once('('));
        sql.extend(operator.map(|(operator, _)| match operator.contains('.') {
            true => format!(", SORTOP = OPERATOR({operator})"),
            false => format!(", SORTOP = {operator}"),
        }));
        sql.extend(self.get("parallel").into_iter().flat_map(|how| [", PARALLEL = ", how]));
        sql.push_str(if kind == "h" { ", HYPOTHETICAL)" } else { ")" });
        Ok(sql)
    }

    /// That of a range to what is made beside it comes with the range.
    pub(super) fn cast(&self) -> Result<Option<Piece>, DdlError> {
        let (from, to) =
            self.key.name.split_once(" as ").ok_or_else(|| self.unwritable("a part of it is not known"))?;
        if let ([(schema, range)], [(beside, other)]) = (&*mentioned(from), &*mentioned(to)) {
            let key = Key {
                schema: schema.clone(),
                name: range.clone(),
                kind: "range".to_owned(),
                ..Key::default()
            };
            if self.schema.objects.contains_key(&key) && schema == beside && *other == multirange(range) {
                return Ok(None);
            }
        }
        let with = match (self.get("function"), self.get("method")) {
            (Some(function), _) => format!("WITH FUNCTION {function}"),
            (None, Some("i")) => "WITH INOUT".to_owned(),
            (None, _) => "WITHOUT FUNCTION".to_owned(),
        };
        let context = match self.get("context") {
            Some("i") => " AS IMPLICIT",
            Some("a") => " AS ASSIGNMENT",
            _ => "",
        };
        let create = format!("CREATE CAST ({from} AS {to}) {with}{context}");
        Ok(Some(self.piece(Rank::Aggregate, create)))
    }

    pub(super) fn collation(&self) -> Result<String, DdlError> {
        let provider = match self.get("provider") {
            Some("i") => "icu",
            Some("b") => "builtin",
            _ => "libc",
        };
        let locale = self.get("locale").filter(|locale| !locale.is_empty());
        let locale = locale.ok_or_else(|| self.unwritable("its locale is not looked at"))?;
        let locale = match locale.split_once(' ').filter(|_| provider == "libc") {
            Some((order, letters)) if order != letters => {
                format!("LC_COLLATE = {}, LC_CTYPE = {}", literal(order), literal(letters))
            }
            Some((locale, _)) => format!("LOCALE = {}", literal(locale)),
            None => format!("LOCALE = {}", literal(locale)),
        };
        let order = if self.is("nondeterministic") { ", DETERMINISTIC = false" } else { "" };
        let rules = self.get("rules").map_or(String::new(), |rules| format!(", RULES = {}", literal(rules)));
        Ok(format!("CREATE COLLATION {} (PROVIDER = {provider}, {locale}{order}{rules})", self.name()))
    }

    /// That of an identity column comes with the column.
    pub(super) fn sequence(&self) -> Vec<Piece> {
        if self.is("identity") {
            return Vec::new();
        }
        let unlogged = if self.is("unlogged") { "UNLOGGED " } else { "" };
        let kind = self.get("type").map_or(String::new(), |kind| format!(" AS {kind}"));
        let create = format!("CREATE {unlogged}SEQUENCE {}{kind}{}", self.name(), self.counting());
        let mut pieces = vec![self.piece(Rank::Sequence, create)];
        pieces.extend(self.get("owned by").map(|column| {
            let owned =
                format!("ALTER SEQUENCE {} OWNED BY {}.{}", self.name(), self.table(), quoted(column));
            self.piece(Rank::Column, owned)
        }));
        pieces
    }

    /// How a sequence counts.
    pub(super) fn counting(&self) -> String {
        let mut text = String::new();
        for (name, words) in [
            ("start", "START WITH"),
            ("increment", "INCREMENT BY"),
            ("minimum", "MINVALUE"),
            ("maximum", "MAXVALUE"),
            ("cache", "CACHE"),
        ] {
            text.extend(self.get(name).into_iter().flat_map(|number| [" ", words, " ", number]));
        }
        text.push_str(if self.is("cycles") { " CYCLE" } else { "" });
        text
    }

    /// A collation by its name: one of the schema's own, or the server's.
    pub(super) fn collate(&self, name: &str) -> String {
        let own = self.schema.objects.keys().find(|key| key.kind == "collation" && key.name == name);
        own.map_or_else(|| quoted(name), |key| qualified(&key.schema, name))
    }
}

/// Parts with spaces between them; what stands together without, stays together.
fn spaced(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut end) = (Vec::new(), 0, 0);
    for token in tokens(text) {
        if token.offset > end && end > begin {
            parts.push(&text[begin..end]);
        }
        if token.offset > end || end == 0 {
            begin = token.offset;
        }
        end = token.end();
    }
    if end > begin {
        parts.push(&text[begin..end]);
    }
    parts
}

/// The name of a function that stands first with its parameters, and what is behind it.
fn procedure(text: &str) -> Option<(&str, &str)> {
    let first: Vec<_> = tokens(text).take(4).collect();
    let is_call = |at: usize| {
        first.get(at).is_some_and(|token| token.text == "(" && token.offset == first[at - 1].end())
    };
    let bracket = [1, 3].into_iter().find(|at| is_call(*at) && (*at == 1 || first[1].text == "."))?;
    let mut depth = 0;
    for token in tokens(text) {
        match token.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return Some((&text[..first[bracket].offset], text[token.end()..].trim_start()));
        }
    }
    None
}
