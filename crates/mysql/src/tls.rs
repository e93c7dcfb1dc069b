//! Encryption: what each `ssl-mode` asks of rustls.

use crate::options::SslMode;

/// The options of the native client; `None` where the connection is not encrypted.
#[cfg(feature = "tls-rustls")]
pub(crate) fn ssl_opts(
    mode: SslMode,
    ca: Option<&std::path::Path>,
) -> Result<Option<mysql_async::SslOpts>, String> {
    if mode == SslMode::Disabled {
        return Ok(None);
    }
    let mut options = mysql_async::SslOpts::default()
        .with_danger_accept_invalid_certs(matches!(mode, SslMode::Preferred | SslMode::Required))
        .with_danger_skip_domain_validation(mode == SslMode::VerifyCa);
    if let Some(path) = ca {
        let pem =
            std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        // An authority of one's own is trusted alone: the public ones say nothing of a database.
        options = options.with_root_certs(vec![pem.into()]).with_disable_built_in_roots(true);
    }
    Ok(Some(options))
}

/// Whether the certificate or the handshake is what failed.
pub(crate) fn is_tls(error: &std::io::Error) -> bool {
    let text = error.to_string();
    cfg!(feature = "tls-rustls")
        && (error.kind() == std::io::ErrorKind::InvalidData
            || text.contains("certificate")
            || text.contains("handshake"))
}

#[cfg(not(feature = "tls-rustls"))]
const _: Option<SslMode> = None;
