//! Index: how PostgreSQL's index is made, as far as its statement tells plainly, held against how one was made.

use super::ObjectName;
use super::cursor::Cursor;
use super::sketch::Sketch;
use crate::schema::{Key, Properties, Schema};
use crate::sql::Dialect;
use crate::sql::lexer::Token;

/// What a `CREATE INDEX` makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    /// Where the server is to find one, there is none.
    name: Option<String>,
    table: ObjectName,
    unique: bool,
    method: String,
    keys: Vec<Part>,
    include: Vec<Part>,
    /// Equal NULLs are not let in.
    nulls_not_distinct: bool,
    /// It has no more than some rows.
    partial: bool,
}

/// One of what an index is on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    /// None where it is an expression, which the server writes in words of its own.
    column: Option<String>,
    collation: Option<String>,
    class: Option<String>,
    descending: bool,
    nulls_first: bool,
}

impl Index {
    /// What a statement makes, or what the server says that would make what is there.
    pub(super) fn read(statement: &str) -> Option<Self> {
        let sketch = Sketch::new(Dialect::Postgres, statement);
        let mut cursor = sketch.cursor();
        let unique = cursor.eat("CREATE UNIQUE");
        if !unique && !cursor.eat("CREATE") || !cursor.eat("INDEX") {
            return None;
        }
        cursor.eat("CONCURRENTLY");
        cursor.eat("IF NOT EXISTS");
        let name = if cursor.sees("ON") { None } else { Some(cursor.name()?.name) };
        if !cursor.eat("ON") {
            return None;
        }
        cursor.eat("ONLY");
        let table = cursor.name()?;
        cursor.eat_punctuation("*");
        let method = if cursor.eat("USING") { cursor.name()?.name } else { "btree".to_owned() };
        let keys = parts(&mut cursor)?;
        let include = if cursor.eat("INCLUDE") { parts(&mut cursor)? } else { Vec::new() };
        let nulls_not_distinct = cursor.eat("NULLS NOT DISTINCT");
        cursor.eat("NULLS DISTINCT");
        let partial = cursor.has(&["WHERE"]);
        Some(Self { name, table, unique, method, keys, include, nulls_not_distinct, partial })
    }

    /// Whether a schema has it, made so. What cannot be compared is taken for the same, and so is what stands on a table that was
    /// not looked at.
    pub(super) fn stands_in(&self, schema: &Schema) -> bool {
        let mut tables =
            schema.objects.keys().filter(|key| matches!(&*key.kind, "table" | "materialized view"));
        !tables.any(|key| self.is_on(&key.schema, &key.name))
            || schema.objects.iter().any(|(key, properties)| self.is(key, properties))
    }

    fn is_on(&self, schema: &str, table: &str) -> bool {
        self.table.name == table && self.table.schema.as_ref().is_none_or(|of| of == schema)
    }

    fn is(&self, key: &Key, properties: &Properties) -> bool {
        key.kind == "index"
            && self.is_on(&key.schema, &key.table)
            && self.name.as_ref().is_none_or(|name| key.name == *name)
            && match properties.get("definition").map(|definition| Self::read(definition)) {
                Some(Some(made)) => self.is_made_as(&made),
                // It may not be told, as where it may hold a secret.
                Some(None) | None => true,
            }
    }

    fn is_made_as(&self, made: &Self) -> bool {
        let are_same = |asked: &[Part], made: &[Part]| {
            asked.len() == made.len() && asked.iter().zip(made).all(|(asked, made)| asked.is_made_as(made))
        };
        self.unique == made.unique
            && self.method == made.method
            && are_same(&self.keys, &made.keys)
            && are_same(&self.include, &made.include)
            && self.nulls_not_distinct == made.nulls_not_distinct
            && self.partial == made.partial
    }
}

impl Part {
    /// The server leaves out what is usual for the column's type, and so may the statement.
    fn is_made_as(&self, made: &Self) -> bool {
        let may_be = |asked: &Option<String>, made: &Option<String>| match (asked, made) {
            (None, Some(_)) => false,
            (Some(asked), Some(made)) => asked == made,
            (_, None) => true,
        };
        let is_same = match &self.column {
            Some(column) => made.column.as_ref() == Some(column),
            None => true,
        };
        is_same
            && self.descending == made.descending
            && self.nulls_first == made.nulls_first
            && (self.column.is_none()
                || may_be(&self.collation, &made.collation) && may_be(&self.class, &made.class))
    }
}

/// What stands in brackets, between commas.
fn parts(cursor: &mut Cursor<'_, '_>) -> Option<Vec<Part>> {
    if !cursor.eat_punctuation("(") {
        return None;
    }
    let (mut parts, mut tokens, mut depth) = (Vec::new(), Vec::new(), 0_usize);
    loop {
        let token = *cursor.next()?;
        match token.text {
            "," | ")" if depth == 0 => {
                parts.push(part(&tokens));
                tokens.clear();
                if token.is_punctuation(")") {
                    return Some(parts);
                }
                continue;
            }
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        tokens.push(token);
    }
}

fn part(tokens: &[Token<'_>]) -> Part {
    let mut cursor = Cursor::new(Dialect::Postgres, tokens);
    let in_brackets = brackets(tokens);
    let column = match in_brackets {
        0 => cursor.name().filter(|name| name.schema.is_none()).map(|name| name.name),
        length => {
            cursor = Cursor::new(Dialect::Postgres, &tokens[length..]);
            let inside = &tokens[1..length - 1];
            // One column in brackets is a column.
            if inside.len() == 1 || brackets(inside) == inside.len() { part(inside).column } else { None }
        }
    };
    // Behind a function's name stands what it is given.
    let is_call = in_brackets == 0 && cursor.peek().is_some_and(|token| token.is_punctuation("("));
    let collation = cursor.eat("COLLATE").then(|| cursor.name()).flatten().map(|name| name.name);
    let is_order = ["ASC", "DESC", "NULLS"].iter().any(|word| cursor.sees(word));
    let class = if is_order || is_call { None } else { cursor.name().map(|name| name.name) };
    let descending = cursor.has(&["DESC"]);
    let nulls_first = match () {
        () if cursor.has_phrase("NULLS FIRST") => true,
        () if cursor.has_phrase("NULLS LAST") => false,
        () => descending,
    };
    let column = column.filter(|_| !is_call);
    Part { column, collation, class, descending, nulls_first }
}

/// How many tokens a bracket at the begin holds, both of them counted.
fn brackets(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" => depth += 1,
            ")" if depth == 1 => return at + 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return 0;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_held_against_what_the_server_says_of_one() {
        let stands = |statement: &str, made: &str| {
            let index = Index::read(statement).expect("an index");
            let name = made.split(' ').skip_while(|word| *word != "INDEX").nth(1).expect("a name");
            let schema =
                format!("5 PostgreSQL 18\ntable\tpublic\t\tt\nindex\tpublic\tt\t{name}\tdefinition={made}");
            index.stands_in(&Schema::parse(&schema).expect("a schema"))
        };
        const PLAIN: &str = "CREATE INDEX i ON public.t USING btree (a)";
        for (statement, made) in [
            ("CREATE INDEX CONCURRENTLY i ON t (a)", PLAIN),
            (
                "create index concurrently if not exists I on only PUBLIC.T using BTREE ( (\"a\") ASC nulls last )",
                PLAIN,
            ),
            ("CREATE INDEX CONCURRENTLY ON t (a)", "CREATE INDEX t_a_idx ON public.t USING btree (a)"),
            ("CREATE INDEX CONCURRENTLY i ON t (a int4_ops)", PLAIN),
            ("CREATE INDEX CONCURRENTLY i ON t (a COLLATE \"default\")", PLAIN),
            (
                "CREATE UNIQUE INDEX CONCURRENTLY i ON t (lower(a), b DESC) INCLUDE (c) NULLS NOT DISTINCT WITH (fillfactor = 70) WHERE b > 0",
                "CREATE UNIQUE INDEX i ON public.t USING btree (lower((a)::text), b DESC) INCLUDE (c) NULLS NOT DISTINCT WITH (fillfactor='70') WHERE (b > 0)",
            ),
            // What is known of an expression alone: where it stands, and in which order it is.
            ("CREATE INDEX CONCURRENTLY i ON t ((a::text))", PLAIN),
            (
                "CREATE INDEX CONCURRENTLY i ON t (a text_pattern_ops)",
                "CREATE INDEX i ON public.t USING btree (a text_pattern_ops)",
            ),
            ("CREATE INDEX CONCURRENTLY i ON t (a)", "(may hold a secret: an INDEX i )"),
            ("CREATE INDEX CONCURRENTLY i ON not_looked.at (b)", PLAIN),
        ] {
            assert!(stands(statement, made), "{statement} / {made}");
        }
        for (statement, made) in [
            ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", PLAIN),
            ("CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE UNIQUE INDEX i ON public.t USING btree (a)"),
            ("CREATE INDEX CONCURRENTLY i ON t (b)", PLAIN),
            ("CREATE INDEX CONCURRENTLY i ON t (\"A\")", PLAIN),
            ("CREATE INDEX CONCURRENTLY i ON t (a, b)", PLAIN),
            ("CREATE INDEX CONCURRENTLY i ON t (a DESC)", PLAIN),
            ("CREATE INDEX CONCURRENTLY i ON t (a NULLS FIRST)", PLAIN),
            ("CREATE INDEX CONCURRENTLY i ON t USING hash (a)", PLAIN),
            ("CREATE INDEX CONCURRENTLY i ON t (a) WHERE a > 0", PLAIN),
            ("CREATE INDEX CONCURRENTLY i ON t (a) INCLUDE (b)", PLAIN),
            ("CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX i ON public.t USING btree (lower(a))"),
            ("CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX i ON public.t USING btree (((a + 1)))"),
            (
                "CREATE INDEX CONCURRENTLY i ON t (a)",
                "CREATE INDEX i ON public.t USING btree (a text_pattern_ops)",
            ),
            (
                "CREATE INDEX CONCURRENTLY i ON t (a)",
                "CREATE INDEX i ON public.t USING btree (a COLLATE \"C\")",
            ),
            ("CREATE INDEX CONCURRENTLY j ON t (a)", PLAIN),
        ] {
            assert!(!stands(statement, made), "{statement} / {made}");
        }
        for other in ["CREATE TABLE t (a int)", "CREATE INDEX i", "DROP INDEX i", "CREATE INDEX i ON t (a"] {
            assert_eq!(Index::read(other), None, "{other}");
        }
    }
}
