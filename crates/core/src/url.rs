//! URLs: where a login ends, which a password that was not encoded makes doubtful, and what else every driver reads alike.

/// What follows a scheme, with its colon and slashes, in whatever case it is written.
///
/// ```
/// use windlass_core::url::strip_scheme;
///
/// assert_eq!(strip_scheme("MySQL://db/shop", "mysql://"), Some("db/shop"));
/// assert_eq!(strip_scheme("sqlite:app.db", "mysql://"), None);
/// ```
pub fn strip_scheme<'u>(url: &'u str, scheme: &str) -> Option<&'u str> {
    let head = url.get(..scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then(|| &url[scheme.len()..])
}

/// Whether what follows `scheme://` has an `@` where none can be, as in `app:a/b@host/shop`: a part of a password would
/// be taken for a host, a port, a database or a parameter, and end up in a message.
///
/// ```
/// use windlass_core::url::login_is_unencoded;
///
/// assert!(login_is_unencoded("app:a/b@host/shop"));
/// assert!(login_is_unencoded("app:a?b@host/shop"));
/// assert!(!login_is_unencoded("app:a%2Fb@host/shop?application_name=ci@night"));
/// ```
pub fn login_is_unencoded(rest: &str) -> bool {
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = before.split_once('/').map_or("", |(_, path)| path);
    let is_rest_of_login = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        name.contains('@') || value.rsplit_once('@').is_some_and(|(_, behind)| behind.contains('/'))
    };
    path.contains('@') || before.contains('#') || query.split('&').any(is_rest_of_login)
}

/// The URL of a server without password and parameters; no more than its scheme where a password may be anywhere in it.
///
/// ```
/// use windlass_core::url::without_secrets;
///
/// assert_eq!(without_secrets("postgres://ann:s3cret@db:5432/shop?sslmode=require"), "postgres://ann@db:5432/shop");
/// assert_eq!(without_secrets("postgres://ann:s3/cret@db:5432/shop"), "postgres://…");
/// ```
pub fn without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "…".to_owned() };
    if login_is_unencoded(rest) {
        return format!("{scheme}://…");
    }
    let before = rest.split('?').next().unwrap_or_default();
    let (authority, path) = before.find('/').map_or((before, ""), |at| before.split_at(at));
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let user = login.split(':').next().filter(|user| !user.is_empty());
    format!("{scheme}://{}{hosts}{path}", user.map(|user| format!("{user}@")).unwrap_or_default())
}
