//! Forms: keys and tokens of well-known services, which are secrets wherever they stand.

use super::starts_with;

/// How such a key begins, what it is made of behind that, and how much of it there is at least.
struct Form {
    begins: &'static str,
    holds: fn(u8) -> bool,
    least: usize,
}

const FORMS: [Form; 25] = [
    form("ghp_", letters_and_digits, 20),
    form("gho_", letters_and_digits, 20),
    form("ghu_", letters_and_digits, 20),
    form("ghs_", letters_and_digits, 20),
    form("ghr_", letters_and_digits, 20),
    form("github_pat_", with_underscores, 20),
    form("glpat-", in_base64_of_urls, 20),
    form("npm_", letters_and_digits, 30),
    form("sk_live_", letters_and_digits, 10),
    form("sk_test_", letters_and_digits, 10),
    form("rk_live_", letters_and_digits, 10),
    form("rk_test_", letters_and_digits, 10),
    form("whsec_", letters_and_digits, 20),
    form("AKIA", capitals_and_digits, 16),
    form("ASIA", capitals_and_digits, 16),
    form("AIza", in_base64_of_urls, 35),
    form("xoxa-", in_base64_of_urls, 10),
    form("xoxb-", in_base64_of_urls, 10),
    form("xoxe-", in_base64_of_urls, 10),
    form("xoxo-", in_base64_of_urls, 10),
    form("xoxp-", in_base64_of_urls, 10),
    form("xoxr-", in_base64_of_urls, 10),
    form("xoxs-", in_base64_of_urls, 10),
    form("xapp-", in_base64_of_urls, 10),
    form("sk-proj-", in_base64_of_urls, 20),
];

const fn form(begins: &'static str, holds: fn(u8) -> bool, least: usize) -> Form {
    Form { begins, holds, least }
}

fn letters_and_digits(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn with_underscores(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn capitals_and_digits(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn in_base64_of_urls(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Whether a word begins a key or a token of a form that is known.
pub(super) fn begins_one(rest: &[u8]) -> bool {
    match rest.first() {
        Some(b'e') => is_web_token(rest),
        Some(b'A' | b'g' | b'n' | b'r' | b's' | b'w' | b'x') => FORMS.iter().any(|form| {
            rest.strip_prefix(form.begins.as_bytes()).is_some_and(|key| length(key, form.holds) >= form.least)
        }),
        _ => false,
    }
}

/// A JSON web token: two parts that are JSON objects in base64, and a signature.
fn is_web_token(rest: &[u8]) -> bool {
    const SHORTEST: usize = 8;
    let part = |rest: &[u8]| {
        let length = length(rest, in_base64_of_urls);
        (rest.starts_with(b"eyJ") && length >= SHORTEST && rest.get(length) == Some(&b'.'))
            .then_some(length + 1)
    };
    part(rest).is_some_and(|end| part(&rest[end..]).is_some())
}

/// `-----BEGIN RSA PRIVATE KEY-----`.
pub(super) fn begins_private_key(rest: &[u8]) -> bool {
    let Some(head) = rest.strip_prefix(b"-----BEGIN ") else { return false };
    let head = &head[..length(head, |byte| byte.is_ascii_alphanumeric() || byte == b' ')];
    (0..head.len()).any(|at| starts_with(&head[at..], "PRIVATE KEY"))
}

fn length(text: &[u8], holds: fn(u8) -> bool) -> usize {
    text.iter().take_while(|byte| holds(**byte)).count()
}
