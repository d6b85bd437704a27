//! Which server, which database on it, and how it is spoken to.

use crate::domain::secret::Secret;
use crate::error::Fault;
use std::fmt;
use std::path::PathBuf;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};

/// Where the database is, and how it is spoken to.
#[derive(Clone, Debug)]
pub struct Address {
    /// `postgres://USER@HOST:PORT/DATABASE`, as libpq reads it
    /// (<https://www.postgresql.org/docs/current/libpq-connect.html>, 34.1.1.2); it may hold the password.
    pub url: Secret<String>,
    /// The same without a password, for people.
    pub shown: String,
    /// `None`: as the URL says, or none.
    pub password: Option<Secret<String>>,
    pub tls: Tls,
    /// The most connections that read, and those that write.
    pub readers: u32,
    pub writers: u32,
    /// Whether statements are prepared under a name and kept; not behind a pooler that can't follow that.
    pub prepared: bool,
}

/// How the server is known to be the one that is meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tls {
    /// By its certificate, which is for the host's name and comes from an authority in this file. `None`:
    /// from one that the machine trusts.
    VerifyFull { ca_file: Option<PathBuf> },
    /// Not at all, since it is on this machine.
    Disable,
}

impl Address {
    /// The driver's settings.
    pub(super) fn settings(&self) -> Result<tokio_postgres::Config, Fault> {
        let mut settings: tokio_postgres::Config = self
            .url
            .expose()
            .parse()
            .map_err(|error| Fault::Config(format!("database: is no URL of PostgreSQL's: {error}")))?;
        if let Some(password) = &self.password {
            settings.password(password.expose());
        }
        settings
            .ssl_mode(match self.tls {
                Tls::VerifyFull { .. } => SslMode::Require,
                Tls::Disable => SslMode::Disable,
            })
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .application_name("authd");
        Ok(settings)
    }
}

/// Without a password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
