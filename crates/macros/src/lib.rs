//! Migrations as data of the program: the macro behind `migrations!` of each driver crate.
//!
//! Use it through the crate of your database; its documentation tells how.

mod arguments;
mod check;
mod embed;

use arguments::Arguments;
use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use std::path::PathBuf;

/// Writes a folder of migrations down as constant data. The first word is the dialect, then the folder follows.
#[doc(hidden)]
#[proc_macro]
pub fn embed(input: TokenStream) -> TokenStream {
    let arguments = match Arguments::parse(input) {
        Ok(arguments) => arguments,
        Err((span, words)) => return compile_error(span, &words),
    };
    let Some(manifest) = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) else {
        return compile_error(arguments.span, "CARGO_MANIFEST_DIR is not set: compile with cargo");
    };
    let Arguments { dialect, ref folder, strict_order, span } = arguments;
    let code = embed::embed(&manifest, folder, dialect, strict_order);
    let parsed = code.and_then(|code| code.parse().map_err(|error: proc_macro::LexError| error.to_string()));
    parsed.unwrap_or_else(|words| compile_error(span, &words))
}

/// An error of the compiler's that points at what was given to the macro.
fn compile_error(span: Span, words: &str) -> TokenStream {
    let mut text = Literal::string(words);
    text.set_span(span);
    let mut bang = Punct::new('!', Spacing::Alone);
    bang.set_span(span);
    let mut group = Group::new(Delimiter::Parenthesis, TokenTree::from(text).into());
    group.set_span(span);
    [TokenTree::from(Ident::new("compile_error", span)), bang.into(), group.into()].into_iter().collect()
}
