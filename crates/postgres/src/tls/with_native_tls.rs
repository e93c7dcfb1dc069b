//! TLS through the system's own library: OpenSSL, or what Windows and macOS have.

use super::{Connector, TlsError, certificates_missing, unreadable};
use crate::options::{Authorities, Certificates, SslMode};
use native_tls::{Certificate, Identity, TlsConnector};
use postgres_native_tls::{MakeTlsConnector, set_postgresql_alpn};
use std::path::Path;

/// Makes the connector for a mode that encrypts.
pub(crate) fn connector(mode: SslMode, files: &Certificates, direct: bool) -> Result<Connector, TlsError> {
    let mut builder = TlsConnector::builder();
    match mode {
        SslMode::VerifyFull => {}
        SslMode::VerifyCa => {
            builder.danger_accept_invalid_hostnames(true);
        }
        SslMode::Disable | SslMode::Allow | SslMode::Prefer | SslMode::Require => {
            builder.danger_accept_invalid_hostnames(true).danger_accept_invalid_certs(true);
        }
    }
    let is_checked = matches!(mode, SslMode::VerifyCa | SslMode::VerifyFull);
    if let (true, Authorities::File(file)) = (is_checked, &files.authorities) {
        // An authority of one's own is trusted alone: the public ones say nothing of a database.
        builder.disable_built_in_roots(true);
        for certificate in certificates(file)? {
            builder.add_root_certificate(certificate);
        }
    }
    if let Some((certificate, key)) = &files.client {
        let identity = Identity::from_pkcs8(&read(certificate)?, &read(key)?);
        builder.identity(identity.map_err(|error| TlsError::Client(error.to_string()))?);
    }
    if direct {
        set_postgresql_alpn(&mut builder);
    }
    let connector = builder.build().map_err(|error| TlsError::Client(error.to_string()))?;
    Ok(Connector::Encrypted(MakeTlsConnector::new(connector)))
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, TlsError> {
    let certificates = Certificate::stack_from_pem(&read(file)?).map_err(|error| unreadable(file, &error))?;
    if certificates.is_empty() { Err(certificates_missing(file)) } else { Ok(certificates) }
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|error| unreadable(file, &error))
}
