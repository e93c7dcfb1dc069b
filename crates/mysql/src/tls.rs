//! Encryption: what each `ssl-mode` asks of rustls.

use crate::options::SslMode;

/// What is asked of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Encryption {
    pub(crate) mode: SslMode,
    /// The name to look for in the certificate, where it is not the host's.
    #[cfg_attr(not(feature = "tls-rustls"), expect(dead_code, reason = "nothing is encrypted then"))]
    pub(crate) name: Option<String>,
}

impl From<SslMode> for Encryption {
    fn from(mode: SslMode) -> Self {
        Self { mode, name: None }
    }
}

/// The options of the native client; `None` where the connection is not encrypted.
#[cfg(feature = "tls-rustls")]
pub(crate) fn ssl_opts(
    encryption: &Encryption,
    ca: Option<&std::path::Path>,
) -> Result<Option<mysql_async::SslOpts>, String> {
    if encryption.mode == SslMode::Disabled {
        return Ok(None);
    }
    let unchecked = matches!(encryption.mode, SslMode::Preferred | SslMode::Required);
    let mut options = mysql_async::SslOpts::default()
        .with_danger_accept_invalid_certs(unchecked)
        .with_danger_tls_hostname_override(encryption.name.clone().map(std::borrow::Cow::Owned));
    if let Some(path) = ca {
        let pem =
            std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        // An authority of one's own is trusted alone: the public ones say nothing of a database.
        options = options.with_root_certs(vec![pem.into()]).with_disable_built_in_roots(true);
    }
    Ok(Some(options))
}

/// A name that the refused certificate is valid for.
///
/// `VERIFY_CA` takes any name that a trusted authority has signed. The native client's own switch for it
/// does not know the wording of today's rustls, which looks at names once the authority is found good:
/// so the connection is tried again under a name of the certificate's, and all else is checked anew.
pub(crate) fn name_in_certificate(reason: &str) -> Option<String> {
    let (_, names) = reason.split_once("certificate is only valid for ")?;
    let between = |start: &str, end: &str| {
        let (_, rest) = names.split_once(start)?;
        Some(rest.split_once(end)?.0.to_owned())
    };
    let name = between("DnsName(\"", "\"").map(|name| name.replacen('*', "any", 1));
    name.or_else(|| between("IpAddress(", ")"))
}

/// Whether the certificate or the handshake is what failed.
pub(crate) fn is_tls(error: &std::io::Error) -> bool {
    let text = error.to_string();
    cfg!(feature = "tls-rustls")
        && (error.kind() == std::io::ErrorKind::InvalidData
            || text.contains("certificate")
            || text.contains("handshake"))
}

#[cfg(test)]
mod tests {
    use super::name_in_certificate;

    #[test]
    fn a_name_is_found_in_the_refusal() {
        let refused = |names: &str| {
            name_in_certificate(&format!(
                "certificate not valid for name \"h\"; certificate is only valid for {names}"
            ))
        };
        assert_eq!(refused("DnsName(\"a.b\") or IpAddress(1.2.3.4)").as_deref(), Some("a.b"));
        assert_eq!(refused("DnsName(\"*.b\")").as_deref(), Some("any.b"));
        assert_eq!(refused("IpAddress(1.2.3.4)").as_deref(), Some("1.2.3.4"));
        assert_eq!(name_in_certificate("invalid peer certificate: UnknownIssuer"), None);
    }
}
