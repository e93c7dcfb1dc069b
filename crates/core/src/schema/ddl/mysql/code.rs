//! Views, routines, triggers, events, sequences and libraries of MySQL and MariaDB. Pure.

use super::super::{Product, property};
use super::text::{account, character_set, identifier, parts, string, string_under};
use super::{Unwritable, is_set, parts_of};
use crate::schema::{Key, NOT_AS_WRITTEN, Properties, Schema};
use crate::sql::Dialect;
use crate::sql::lexer::{TokenKind, tokens};
use std::collections::{BTreeMap, BTreeSet};

/// What the server shows of an object to those only who may see it.
const NOT_SHOWN: Unwritable = "its definition is not shown to this account";

/// A view, a routine, a trigger, an event or a library.
pub(super) fn create(product: Product, key: &Key, properties: &Properties) -> Result<String, Unwritable> {
    match key.kind.as_str() {
        "sequence" => return Ok(sequence(key, properties)),
        "library" => return library(key, properties),
        _ => {}
    }
    let name = identifier(&key.name);
    let definition = property(properties, "definition").ok_or(NOT_SHOWN)?;
    if is_set(properties, NOT_AS_WRITTEN) {
        return Err("its server does not tell how a string in it was written");
    }
    let definer =
        property(properties, "definer").map(|definer| format!("DEFINER = {} ", account(product, definer)));
    let begin = format!("CREATE {}", definer.unwrap_or_default());
    match key.kind.as_str() {
        "view" => Ok(view(&begin, &name, definition, properties)),
        "trigger" => {
            let when = property(properties, "when").ok_or("when it fires is not known")?;
            Ok(format!(
                "{begin}TRIGGER {name} {when} ON {} FOR EACH ROW\n{definition}",
                identifier(&key.table)
            ))
        }
        "event" => event(&begin, &name, definition, properties),
        "function" | "procedure" | "package" | "package body" => {
            Ok(routine(&begin, key, definition, properties))
        }
        _ => Err("nothing is known of such a kind"),
    }
}

fn view(begin: &str, name: &str, definition: &str, properties: &Properties) -> String {
    let algorithm =
        property(properties, "algorithm").map(|how| format!("ALGORITHM = {how} ")).unwrap_or_default();
    let begin = begin.replacen("CREATE ", &format!("CREATE {algorithm}"), 1);
    let security = security(properties);
    let kind =
        if definition.starts_with("select json_duality_object(") { "JSON DUALITY VIEW" } else { "VIEW" };
    let columns = property(properties, "columns").map(|columns| format!(" ({columns})")).unwrap_or_default();
    let check = property(properties, "check option").map(|how| format!("\nWITH {how} CHECK OPTION"));
    format!("{begin}{security}{kind} {name}{columns} AS\n{definition}{}", check.unwrap_or_default())
}

fn security(properties: &Properties) -> String {
    property(properties, "security").map(|who| format!("SQL SECURITY {who} ")).unwrap_or_default()
}

fn routine(begin: &str, key: &Key, definition: &str, properties: &Properties) -> String {
    let mode = property(properties, "sql mode").unwrap_or_default();
    let is_oracle = mode.split(',').any(|mode| mode == "ORACLE");
    // Nothing else fetches a group's rows.
    let is_aggregate = key.kind == "function" && fetches_groups(definition);
    let kind = format!("{}{}", if is_aggregate { "AGGREGATE " } else { "" }, key.kind.to_uppercase());
    let mut text = format!("{begin}{kind} {}", identifier(&key.name));
    if !key.kind.starts_with("package") {
        let taken = property(properties, "parameters").map(parts).unwrap_or_default();
        let taken: Vec<_> = taken.into_iter().map(|one| parameter(one, is_oracle)).collect();
        text.push_str(&format!("({})", taken.join(", ")));
    }
    if let Some(returns) = property(properties, "returns") {
        let word = if is_oracle { "RETURN" } else { "RETURNS" };
        text.push_str(&format!(" {word} {}", typed(returns)));
    }
    let language = property(properties, "language");
    text.extend(language.into_iter().flat_map(|language| ["\nLANGUAGE ", language]));
    text.push_str(if is_set(properties, "deterministic") { "\nDETERMINISTIC" } else { "" });
    text.extend(property(properties, "data access").into_iter().flat_map(|access| ["\n", access]));
    text.extend(property(properties, "security").into_iter().flat_map(|who| ["\nSQL SECURITY ", who]));
    if let Some(comment) = property(properties, "comment") {
        text.push_str(&format!("\nCOMMENT {}", string_under(mode, comment)));
    }
    match language {
        Some(_) => text.push_str(&format!("\nAS {}", string_under(mode, definition))),
        None => text.extend(["\n", definition]),
    }
    text
}

fn fetches_groups(body: &str) -> bool {
    let significant: Vec<_> =
        tokens(Dialect::MySql, body).filter(|token| token.kind.is_significant()).collect();
    significant
        .windows(3)
        .any(|three| three.iter().zip(["FETCH", "GROUP", "NEXT"]).all(|(token, word)| token.is_word(word)))
}

/// `` OUT `a` varchar(9) latin1_bin ``. Oracle's way of writing has the name first.
fn parameter(told: &str, is_oracle: bool) -> String {
    let told = typed(told);
    let mode = ["OUT ", "INOUT "].into_iter().find(|mode| told.starts_with(mode));
    match mode {
        Some(mode) if is_oracle => {
            let rest = &told[mode.len()..];
            let name = tokens(Dialect::MySql, rest).next().map_or(0, |name| name.end());
            let mode = if mode == "OUT " { "OUT" } else { "IN OUT" };
            format!("{} {mode}{}", &rest[..name], &rest[name..])
        }
        _ => told,
    }
}

/// A type, behind which a collation may stand.
fn typed(told: &str) -> String {
    let is_collation = |word: &str| {
        word.contains('_') && word.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
    };
    match told.rsplit_once(' ') {
        Some((kind, collation)) if is_collation(collation) => {
            format!("{kind} CHARACTER SET {} COLLATE {collation}", character_set(collation))
        }
        _ => told.to_owned(),
    }
}

fn event(begin: &str, name: &str, definition: &str, properties: &Properties) -> Result<String, Unwritable> {
    let mode = property(properties, "sql mode").unwrap_or_default();
    let at = property(properties, "at").map(|at| format!("AT {}", string_under(mode, at)));
    let every = property(properties, "every").map(|every| format!("EVERY {every}"));
    let mut text =
        format!("{begin}EVENT {name} ON SCHEDULE {}", at.or(every).ok_or("when it runs is not known")?);
    for (word, when) in [("STARTS", "starts"), ("ENDS", "ends")] {
        text.extend(property(properties, when).map(|when| format!(" {word} {}", string_under(mode, when))));
    }
    text.push_str(if is_set(properties, "preserved") { "\nON COMPLETION PRESERVE" } else { "" });
    text.push_str(match property(properties, "status") {
        None => "",
        Some("disabled") => "\nDISABLE",
        Some("replica_side_disabled") => "\nDISABLE ON REPLICA",
        Some(_) => "\nDISABLE ON SLAVE",
    });
    text.extend(
        property(properties, "comment").map(|comment| format!("\nCOMMENT {}", string_under(mode, comment))),
    );
    text.push_str(&format!("\nDO {definition}"));
    Ok(text)
}

fn sequence(key: &Key, properties: &Properties) -> String {
    let mut text = format!("CREATE SEQUENCE {}", identifier(&key.name));
    // Only these numbers go so far.
    let is_huge = property(properties, "maximum").is_some_and(|most| most.parse::<i64>().is_err());
    text.push_str(if is_huge { " AS bigint unsigned" } else { "" });
    let numbers = [
        ("start", "START WITH"),
        ("minimum", "MINVALUE"),
        ("maximum", "MAXVALUE"),
        ("increment", "INCREMENT BY"),
        ("cache", "CACHE"),
    ];
    for (name, word) in numbers {
        text.extend(property(properties, name).map(|value| format!(" {word} {value}")));
    }
    text.push_str(if property(properties, "cycles") == Some("1") { " CYCLE" } else { "" });
    text.extend(property(properties, "comment").map(|comment| format!(" COMMENT = {}", string(comment))));
    text
}

fn library(key: &Key, properties: &Properties) -> Result<String, Unwritable> {
    let definition = property(properties, "definition").ok_or(NOT_SHOWN)?;
    let language = property(properties, "language").ok_or("its language is not known")?;
    let comment = property(properties, "comment").map(|comment| format!(" COMMENT {}", string(comment)));
    let name = identifier(&key.name);
    Ok(format!(
        "CREATE LIBRARY {name}{} LANGUAGE {language} AS {}",
        comment.unwrap_or_default(),
        string(definition)
    ))
}

/// The views, each behind those that it names.
pub(super) fn views(schema: &Schema) -> Vec<(&Key, &Properties)> {
    let all: BTreeMap<&str, (&Key, &Properties)> =
        parts_of(schema, "", "view").map(|(key, view)| (key.name.as_str(), (key, view))).collect();
    let names: BTreeMap<String, &str> = all.keys().map(|name| (identifier(name), *name)).collect();
    let (mut ordered, mut seen) = (Vec::with_capacity(all.len()), BTreeSet::new());
    for name in all.keys() {
        // Those whose own names are all behind them, and those that wait for what they name.
        let mut waiting = vec![(*name, false)];
        while let Some((name, is_ready)) = waiting.pop() {
            let Some((key, view)) = all.get(name) else { continue };
            if is_ready {
                ordered.push((*key, *view));
            } else if seen.insert(name) {
                waiting.push((name, true));
                let definition = property(view, "definition").unwrap_or_default();
                let named = tokens(Dialect::MySql, definition)
                    .filter(|token| token.kind == TokenKind::QuotedIdentifier);
                waiting.extend(named.filter_map(|token| names.get(token.text)).map(|name| (*name, false)));
            }
        }
    }
    ordered
}
