//! The user's option file: the `[client]` section of `~/.my.cnf`.

/// What the section says of how to connect.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct ClientSection {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<String>,
    pub(crate) socket: Option<String>,
    pub(crate) ssl_ca: Option<String>,
    pub(crate) ssl_mode: Option<String>,
}

impl ClientSection {
    /// Reads the file's text. Lines that are not understood are another program's.
    pub(crate) fn parse(text: &str) -> Self {
        let mut section = Self::default();
        let mut inside = false;
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                inside = name.trim() == "client";
            } else if inside
                && !line.starts_with(['#', ';', '!'])
                && let Some((name, value)) = line.split_once('=')
            {
                section.set(name.trim(), unquoted(value.trim()));
            }
        }
        section
    }

    fn set(&mut self, name: &str, value: String) {
        let place = match name.replace('_', "-").as_str() {
            "user" => &mut self.user,
            "password" => &mut self.password,
            "host" => &mut self.host,
            "port" => &mut self.port,
            "socket" => &mut self.socket,
            "ssl-ca" => &mut self.ssl_ca,
            "ssl-mode" => &mut self.ssl_mode,
            _ => return,
        };
        *place = Some(value);
    }
}

/// The value without the quotes around it, or without the comment after it, its escapes read.
fn unquoted(value: &str) -> String {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inner = quote.and_then(|quote| value[1..].rsplit_once(quote)).map(|(inner, _)| inner);
    let text = inner.unwrap_or_else(|| value.split_once(" #").map_or(value, |(before, _)| before.trim_end()));
    let mut unescaped = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c != '\\' {
            unescaped.push(c);
            continue;
        }
        match characters.next() {
            Some('n') => unescaped.push('\n'),
            Some('t') => unescaped.push('\t'),
            Some('r') => unescaped.push('\r'),
            Some('b') => unescaped.push('\u{8}'),
            Some('s') => unescaped.push(' '),
            Some(c @ ('\\' | '"' | '\'')) => unescaped.push(c),
            Some(c) => unescaped.extend(['\\', c]),
            None => unescaped.push('\\'),
        }
    }
    unescaped
}

#[cfg(test)]
mod tests {
    use super::ClientSection;

    #[test]
    fn only_the_client_section_is_read() {
        let text = "[mysqld]\nuser=mysql\n[client]\n# me\nuser = bob\npassword=\"a#b \\\"c\"\nport=3310 # spare\n\
                    ssl_ca='/etc/ca.pem'\n[mysqldump]\nhost=elsewhere\n";
        let section = ClientSection::parse(text);
        assert_eq!(section.user.as_deref(), Some("bob"));
        assert_eq!(section.password.as_deref(), Some("a#b \"c"));
        assert_eq!(section.port.as_deref(), Some("3310"));
        assert_eq!(section.ssl_ca.as_deref(), Some("/etc/ca.pem"));
        assert_eq!(section.host, None);
    }
}
