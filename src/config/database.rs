//! Where the database is: in a file of SQLite's, or on a server of PostgreSQL's.

use crate::domain::secret::Secret;
use crate::error::Fault;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use tokio_postgres::config::Host;

/// Where the database is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Database {
    File(PathBuf),
    Server(ServerUrl),
}

/// `postgres://USER@HOST:PORT/DATABASE`, as libpq reads it
/// (<https://www.postgresql.org/docs/current/libpq-connect.html>, 34.1.1.2). It may hold the password, and so
/// is never shown as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerUrl(Secret<String>);

impl Database {
    /// Gives the file. `None`: it is on a server.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }

    /// Gives the file, for what a file alone is good for.
    ///
    /// # Errors
    /// [`Fault::Config`] where the database is on a server.
    pub fn file(&self) -> Result<&Path, Fault> {
        self.path().ok_or_else(|| {
            Fault::Config(format!("database: {self} is on a server, and this works on a database file alone"))
        })
    }
}

/// Without a password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(url) => url.fmt(f),
        }
    }
}

impl ServerUrl {
    /// Reads a URL. `None`: the text is none of PostgreSQL's, but most likely a path.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn parse(text: &str) -> Option<Result<Self, String>> {
        let (scheme, _) = text.split_once("://")?;
        let is_postgres = ["postgres", "postgresql"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        is_postgres.then(|| {
            // The driver knows it in lower case alone.
            let url = Self(Secret::new(text.replacen(scheme, &scheme.to_ascii_lowercase(), 1)));
            let settings = url.settings()?;
            if settings.get_hosts().is_empty() {
                return Err("must name the host: postgres://USER@HOST/DATABASE".into());
            }
            if settings.get_user().is_none() || settings.get_dbname().is_none() {
                return Err("must name user and database: postgres://USER@HOST/DATABASE".into());
            }
            Ok(url)
        })
    }

    /// Gives the URL without what [`super::Postgres::tls`] and [`super::Postgres::ca_file`] say.
    #[must_use]
    pub fn expose(&self) -> Secret<String> {
        Secret::new(self.filtered(|name| !["sslmode", "sslrootcert"].contains(&name)))
    }

    /// Gives a parameter behind the `?`, where it is there.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.0.expose().split_once('?')?;
        form_urlencoded::parse(query.as_bytes())
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.into())
    }

    /// Whether every host is on this machine, so that nobody listens in.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let is_local = |host: &Host| match host {
            Host::Tcp(name) => {
                name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
            Host::Unix(_) => true,
        };
        self.settings().is_ok_and(|settings| {
            settings.get_hosts().iter().all(is_local)
                && settings.get_hostaddrs().iter().all(IpAddr::is_loopback)
        })
    }

    /// Whether a password stands in it.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.settings().is_ok_and(|settings| settings.get_password().is_some())
    }

    fn settings(&self) -> Result<tokio_postgres::Config, String> {
        let parsed = self.expose().expose().parse::<tokio_postgres::Config>();
        parsed.map_err(|error| {
            let cause =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            format!("must be a URL such as postgres://USER@HOST/DATABASE: {cause}")
        })
    }

    /// The URL with those of its parameters alone whose name is `wanted`.
    fn filtered(&self, wanted: impl Fn(&str) -> bool) -> String {
        let url = self.0.expose();
        let Some((place, query)) = url.split_once('?') else {
            return url.clone();
        };
        let is_wanted = |pair: &&str| wanted(pair.split('=').next().unwrap_or_default());
        let query: Vec<&str> = query.split('&').filter(is_wanted).collect();
        if query.is_empty() { place.to_owned() } else { format!("{place}?{}", query.join("&")) }
    }
}

/// Without the password: `postgres://authd@db.example.com/authd`.
impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.filtered(|name| name != "password");
        let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", &url));
        let (user, rest) = rest.split_once('@').unwrap_or(("", rest));
        write!(f, "{scheme}://{}@{rest}", user.split(':').next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> ServerUrl {
        ServerUrl::parse(text).unwrap().unwrap()
    }

    #[test]
    fn what_is_shown_has_no_password() {
        for (text, shown) in [
            ("postgres://authd:hunter2@db.example.com/authd", "postgres://authd@db.example.com/authd"),
            ("postgres://authd@db/authd?password=hunter2&a=b", "postgres://authd@db/authd?a=b"),
            ("postgres://authd@db:1,db2:2/authd", "postgres://authd@db:1,db2:2/authd"),
        ] {
            let text = text.replace("&a=b", "&application_name=b");
            let shown = shown.replace("?a=b", "?application_name=b");
            assert_eq!(url(&text).to_string(), shown);
            assert!(!format!("{:?}", url(&text)).contains("hunter2"));
            assert_eq!(url(&text).has_password(), text.contains("hunter2"));
        }
    }

    #[test]
    fn how_the_server_is_known_is_taken_out() {
        let url =
            url("postgresql://authd@db/authd?sslmode=verify-full&connect_timeout=3&sslrootcert=/a%20b.pem");
        assert_eq!(url.expose().expose(), "postgresql://authd@db/authd?connect_timeout=3");
        assert_eq!(url.parameter("sslmode").as_deref(), Some("verify-full"));
        assert_eq!(url.parameter("sslrootcert").as_deref(), Some("/a b.pem"));
    }

    #[test]
    fn what_is_on_this_machine_is_known() {
        for (text, local) in [
            ("postgres://a@127.0.0.1/b", true),
            ("postgres://a@localhost:5433/b", true),
            ("postgres://a@[::1]/b", true),
            ("postgres://a@%2Frun%2Fpostgresql/b", true),
            ("postgres://a@10.0.0.1/b", false),
            ("postgres://a@127.0.0.1,db.example.com/b", false),
            ("postgres://a@localhost/b?hostaddr=192.0.2.1", false),
        ] {
            assert_eq!(url(text).is_local(), local, "{text}");
        }
    }

    #[test]
    fn what_is_no_whole_url_is_refused() {
        assert!(ServerUrl::parse("/var/lib/authd.db").is_none());
        assert!(ServerUrl::parse("mysql://a@b/c").is_none());
        for text in [
            "postgres://",
            "postgres://db/authd",
            "postgres://a@db",
            "postgres://a@db:x/b",
            "postgres://a@db/b?c=d",
        ] {
            assert!(ServerUrl::parse(text).unwrap().is_err(), "{text}");
        }
    }
}
