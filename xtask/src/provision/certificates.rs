//! A throwaway certificate authority and a server certificate for this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// PEM texts, made anew for each run.
#[derive(Clone, Debug)]
pub(crate) struct Certificates {
    /// The authority's certificate: what a client is told to trust.
    pub(crate) authority: String,
    /// The server's certificate, for `localhost` and `127.0.0.1`.
    pub(crate) server: String,
    /// The server's private key.
    pub(crate) key: String,
}

impl Certificates {
    /// Makes a new authority and a server certificate signed by it.
    pub(crate) fn generate() -> Result<Self> {
        let authority_key = KeyPair::generate()?;
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        authority.distinguished_name.push(DnType::CommonName, "windlass throwaway test authority");
        let authority_certificate = authority.self_signed(&authority_key)?;

        let server_key = KeyPair::generate()?;
        let mut server = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        server.distinguished_name.push(DnType::CommonName, "windlass test server");
        let issuer = Issuer::new(authority, authority_key);
        let server_certificate = server.signed_by(&server_key, &issuer)?;
        Ok(Certificates {
            authority: authority_certificate.pem(),
            server: server_certificate.pem(),
            key: server_key.serialize_pem(),
        })
    }

    /// Writes `ca.pem`, `server.pem` and `server.key` into a folder; the key for its owner alone.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let texts = [
            ("ca.pem", &self.authority, 0o644),
            ("server.pem", &self.server, 0o644),
            ("server.key", &self.key, 0o600),
        ];
        for (name, text, mode) in texts {
            let path = folder.join(name);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    }
}
