//! How the configured database server is reached, with the password that its file holds.

use crate::config::{Config, PostgresTls, ServerUrl};
use crate::domain::secret::Secret;
use crate::error::Fault;
use crate::ports::secret_file::first_line;
use crate::store::postgres::address::{Address, Tls};
use std::path::Path;

/// Where the server is, and how it is spoken to.
///
/// # Errors
/// [`Fault::Config`] and [`Fault::Permission`] for the password's file.
pub(in crate::usecase) fn address(config: &Config, url: &ServerUrl) -> Result<Address, Fault> {
    let postgres = &config.postgres;
    Ok(Address {
        url: url.expose(),
        shown: url.to_string(),
        password: postgres.password_file.as_deref().map(password).transpose()?,
        tls: match postgres.tls {
            PostgresTls::VerifyFull => Tls::VerifyFull { ca_file: postgres.ca_file.clone() },
            PostgresTls::Disable => Tls::Disable,
        },
        readers: postgres.readers(),
        writers: postgres.writers(),
        prepared: postgres.prepared,
    })
}

fn password(file: &Path) -> Result<Secret<String>, Fault> {
    first_line("postgres.password_file", file).map_err(Fault::Config)
}
