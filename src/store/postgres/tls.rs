//! TLS with the server: its certificate must be for the host's name, and from an authority that is trusted.

use super::address::{Address, Tls};
use crate::error::Fault;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Makes what encrypts a connection. Where TLS is off, it is never asked.
pub(super) fn connector(address: &Address) -> Result<MakeRustlsConnect, Fault> {
    let roots = match &address.tls {
        Tls::VerifyFull { ca_file: Some(file) } => of_file(file)?,
        Tls::VerifyFull { ca_file: None } => of_machine()?,
        Tls::Disable => RootCertStore::empty(),
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let settings = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Fault::Internal(format!("TLS can't be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(settings))
}

fn of_file(file: &Path) -> Result<RootCertStore, Fault> {
    let unusable = |error: &dyn std::fmt::Display| {
        Fault::Config(format!("postgres.ca_file: {}: {error}", file.display()))
    };
    let mut roots = RootCertStore::empty();
    let found = CertificateDer::pem_file_iter(file).map_err(|error| unusable(&error))?;
    for certificate in found {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    if roots.is_empty() { Err(unusable(&"holds no certificate (PEM)")) } else { Ok(roots) }
}

fn of_machine() -> Result<RootCertStore, Fault> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(roots);
    }
    let why = found.errors.first().map_or_else(|| "none is there".to_owned(), ToString::to_string);
    Err(Fault::Config(format!(
        "postgres.tls: this machine's certificates can't be read ({why}); install ca-certificates, or set \
         postgres.ca_file"
    )))
}
