//! What a setting can hold: the kinds of values, how each is read from text, and how it is written.
//!
//! Each value is checked here by itself, with the help of `spelling`; `build` and `providers` check what two
//! settings must agree on.

use super::database::ServerUrl;
use super::model::Rate;
use super::spelling::{self, absolute};
use crate::domain::color::Color;
use crate::domain::url::host_name;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;
/// A hundred years: a longer span is a typing mistake.
const LONGEST: Duration = Duration::from_secs(36_500 * DAY);

/// The kinds of settings. What is optional is off, or falls back, when its text is empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Bool,
    /// A whole number between the two, both included.
    Count(u64, u64),
    /// A span that is not shorter than so many seconds.
    Span(u64),
    Rate,
    Choice(&'static [&'static str]),
    Text,
    OptionalText,
    Path,
    /// The path of a file, or a URL of PostgreSQL's.
    Database,
    OptionalPath,
    /// An optional path to a file with a secret; a systemd credential of the key's name takes its place.
    SecretFile,
    /// An address and port, `unix:PATH`, or `systemd`.
    Listen,
    OptionalAddress,
    /// An address as the `From` of a mail.
    Mailbox,
    Host,
    /// An origin with https, or http on loopback.
    PublicUrl,
    /// A URL with https, or http on loopback, and with `{token}` in it.
    Link,
    Networks,
    Origins,
    /// A list of whole URLs with https, or http on loopback.
    Urls,
    /// A colour as `#rrggbb`, that can be read on white; may be empty.
    Color,
    /// A URL with https, or http on loopback, kept to the letter; may be empty.
    Issuer,
    /// A list of domains of addresses.
    Domains,
    /// A list of words without spaces (RFC 6749 §3.3).
    Scopes,
    /// The role for each value of a claim; may be empty.
    Roles,
}

/// A setting as its source spelled it, not yet checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Raw {
    Bool(bool),
    Integer(i64),
    Text(String),
    List(Vec<String>),
    /// In the order of the names, each once.
    Map(Vec<(String, String)>),
    /// Anything else, by its name: `a date`.
    Other(&'static str),
}

/// A setting whose value was checked. Paths are absolute, URLs and networks in their one spelling.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    Bool(bool),
    Count(u64),
    Span(Duration),
    Rate(Rate),
    Text(String),
    /// Empty: none.
    Path(PathBuf),
    Server(ServerUrl),
    List(Vec<String>),
    Map(BTreeMap<String, String>),
}

impl Kind {
    /// Reads text that has no types of its own: an environment variable, a flag, a default.
    #[must_use]
    pub fn read(self, text: &str) -> Raw {
        match self {
            Self::Bool => text.parse().map_or_else(|_| Raw::Text(text.into()), Raw::Bool),
            Self::Count(..) => text.parse().map_or_else(|_| Raw::Text(text.into()), Raw::Integer),
            Self::Networks | Self::Origins | Self::Urls | Self::Domains | Self::Scopes => {
                Raw::List(entries(text).map(str::to_owned).collect())
            }
            Self::Roles => pairs(text).map_or_else(|| Raw::Text(text.into()), Raw::Map),
            Self::Span(_)
            | Self::Rate
            | Self::Choice(_)
            | Self::Text
            | Self::OptionalText
            | Self::Path
            | Self::Database
            | Self::OptionalPath
            | Self::SecretFile
            | Self::Listen
            | Self::OptionalAddress
            | Self::Mailbox
            | Self::Host
            | Self::PublicUrl
            | Self::Link
            | Self::Color
            | Self::Issuer => Raw::Text(text.into()),
        }
    }

    /// Checks a value and brings it into its one form; `folder` is what a relative path counts from.
    ///
    /// # Errors
    /// What is wrong, for people: it follows the name of the key.
    pub fn validate(self, raw: Raw, folder: &Path) -> Result<Value, String> {
        match (self, raw) {
            (Self::Bool, Raw::Bool(value)) => Ok(Value::Bool(value)),
            (Self::Count(least, most), Raw::Integer(number)) => count(number, least, most),
            (Self::Networks, Raw::List(entries)) => list(&entries, spelling::network),
            (Self::Origins, Raw::List(entries)) => list(&entries, spelling::origin),
            (Self::Urls, Raw::List(entries)) => list(&entries, spelling::whole_url),
            (Self::Domains, Raw::List(entries)) => list(&entries, spelling::domain),
            (Self::Scopes, Raw::List(entries)) => list(&entries, spelling::scope),
            (Self::Roles, Raw::Map(pairs)) => {
                let checked = pairs.iter().map(|(value, role)| spelling::granted(value, role));
                checked.collect::<Result<_, _>>().map(Value::Map)
            }
            (_, Raw::Text(text)) if !self.is_typed() => self.text(&text, folder),
            (_, raw) => Err(format!("must be {}, is {raw}", self.wanted())),
        }
    }

    /// What the kind takes, for an error message and for the manual.
    #[must_use]
    pub fn wanted(self) -> String {
        match self {
            Self::Bool => "true or false".into(),
            Self::Count(least, most) => format!("a whole number from {least} to {most}"),
            Self::Span(_) => "a span of whole seconds such as \"15m\" or \"30d\"".into(),
            Self::Rate => "a rate such as \"30/1m\"".into(),
            Self::Choice(names) => format!("one of {}", names.join(", ")),
            Self::Text | Self::OptionalText => "text".into(),
            Self::Path | Self::OptionalPath | Self::SecretFile => "the path of a file or folder".into(),
            Self::Database => "the path of a file, or a URL such as \"postgres://USER@HOST/DATABASE\"".into(),
            Self::Listen => {
                "an address and port such as \"127.0.0.1:8080\", \"unix:/PATH\" or \"systemd\"".into()
            }
            Self::OptionalAddress => "an address and port such as \"127.0.0.1:9090\"".into(),
            Self::Mailbox => "a sender such as \"Example <auth@example.com>\"".into(),
            Self::Host => "the name or address of a host".into(),
            Self::PublicUrl => "scheme, host and port such as \"https://auth.example.com\"".into(),
            Self::Link => "a URL with {token} such as \"https://example.com/verify#{token}\"".into(),
            Self::Networks => "a list of networks such as [\"10.0.0.0/8\"]".into(),
            Self::Origins => "a list of origins such as [\"https://example.com\"]".into(),
            Self::Urls => "a list of URLs such as [\"https://example.com/signed-in\"]".into(),
            Self::Color => "a colour such as \"#0f766e\"".into(),
            Self::Issuer => "a URL such as \"https://id.example.com\"".into(),
            Self::Domains => "a list of domains such as [\"example.com\"]".into(),
            Self::Scopes => "a list of scopes such as [\"groups\"]".into(),
            Self::Roles => "a table of roles such as { \"acme-admins\" = \"admin\" }".into(),
        }
    }

    /// Whether the file writes it as something else than text.
    fn is_typed(self) -> bool {
        matches!(
            self,
            Self::Bool
                | Self::Count(..)
                | Self::Networks
                | Self::Origins
                | Self::Urls
                | Self::Domains
                | Self::Scopes
                | Self::Roles
        )
    }

    fn text(self, text: &str, folder: &Path) -> Result<Value, String> {
        if text.chars().any(char::is_control) {
            return Err("must not contain control characters or line breaks".into());
        }
        let text = text.trim();
        if text.is_empty() {
            return self.unset().ok_or_else(|| format!("must be {}, is empty", self.wanted()));
        }
        let good = match self {
            Self::Span(least) => return span(text, least),
            Self::Rate => return rate(text),
            Self::Path | Self::OptionalPath | Self::SecretFile => return path(text, folder),
            Self::Database => return database(text, folder),
            Self::Choice(names) => names.contains(&text).then(|| text.to_owned()),
            Self::Text | Self::OptionalText => Some(text.to_owned()),
            Self::Listen => spelling::listen(text, folder),
            Self::OptionalAddress => text.parse::<SocketAddr>().ok().map(|address| address.to_string()),
            Self::Mailbox => spelling::mailbox(text),
            Self::Host => {
                text.parse::<IpAddr>().map(|host| host.to_string()).or_else(|_| host_name(text)).ok()
            }
            Self::PublicUrl => Some(spelling::public_url(text)?),
            Self::Link => Some(spelling::link(text)?),
            Self::Issuer => Some(spelling::issuer(text)?),
            Self::Color => Color::parse(text).map(spelling::readable_on_white).transpose()?,
            // Text is none of these.
            Self::Bool
            | Self::Count(..)
            | Self::Networks
            | Self::Origins
            | Self::Urls
            | Self::Domains
            | Self::Scopes
            | Self::Roles => None,
        };
        good.map(Value::Text).ok_or_else(|| format!("must be {}, is {text:?}", self.wanted()))
    }

    /// What an empty text means. `None`: it is no value of this kind.
    fn unset(self) -> Option<Value> {
        match self {
            Self::OptionalPath | Self::SecretFile => Some(Value::Path(PathBuf::new())),
            Self::OptionalText | Self::OptionalAddress | Self::Link | Self::Color | Self::Issuer => {
                Some(Value::Text(String::new()))
            }
            Self::Bool
            | Self::Count(..)
            | Self::Span(_)
            | Self::Rate
            | Self::Choice(_)
            | Self::Text
            | Self::Path
            | Self::Database
            | Self::Listen
            | Self::Mailbox
            | Self::Host
            | Self::PublicUrl
            | Self::Networks
            | Self::Origins
            | Self::Urls
            | Self::Domains
            | Self::Scopes
            | Self::Roles => None,
        }
    }
}

/// The entries of a list in the environment.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    let whole = text.trim();
    whole.split(',').map(str::trim).filter(move |_| !whole.is_empty())
}

/// The pairs of a table in the environment, `NAME=VALUE,…`. A name may hold a `=`, a value none. `None`: an
/// entry has no `=`.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pair = |entry: &str| {
        entry.rsplit_once('=').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
    };
    entries(text).map(pair).collect()
}

/// Checks every entry of a list.
fn list(entries: &[String], entry: fn(&str) -> Result<String, String>) -> Result<Value, String> {
    let checked = |text: &String| entry(text).map_err(|why| format!("{why}, has {text:?}"));
    entries.iter().map(checked).collect::<Result<_, _>>().map(Value::List)
}

/// Reads a span such as `15m`, `1h 30m` or `30d`; a day is 24 hours.
///
/// `None` for what is no span, is negative, counts in months or years, or is over a hundred years.
#[must_use]
pub fn parse_span(text: &str) -> Option<Duration> {
    let span: jiff::Span = text.parse().ok()?;
    let span = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(span).ok().filter(|span| *span <= LONGEST)
}

/// Writes a span of whole seconds in the largest unit that divides it: `15m`, `30d`, `0s`.
#[must_use]
pub fn span_text(span: Duration) -> String {
    match span.as_secs() {
        0 => "0s".into(),
        secs if secs % DAY == 0 => format!("{}d", secs / DAY),
        secs if secs % 3600 == 0 => format!("{}h", secs / 3600),
        secs if secs % 60 == 0 => format!("{}m", secs / 60),
        secs => format!("{secs}s"),
    }
}

/// A span as a setting holds it: in whole seconds, which is how the HTTP contract shows it.
fn whole_seconds(text: &str) -> Option<Duration> {
    parse_span(text).filter(|span| span.subsec_nanos() == 0)
}

fn count(number: i64, least: u64, most: u64) -> Result<Value, String> {
    match u64::try_from(number) {
        Ok(number) if number > most => Err(format!("must be {most} or less, is {number}")),
        Ok(number) if number >= least => Ok(Value::Count(number)),
        _ => Err(format!("must be {least} or more, is {number}")),
    }
}

fn span(text: &str, least: u64) -> Result<Value, String> {
    let span =
        whole_seconds(text).ok_or_else(|| format!("must be {}, is {text:?}", Kind::Span(least).wanted()))?;
    let least = Duration::from_secs(least);
    if span < least {
        return Err(format!("must be {} or more, is {}", span_text(least), span_text(span)));
    }
    Ok(Value::Span(span))
}

fn rate(text: &str) -> Result<Value, String> {
    let parsed = text.split_once('/').and_then(|(events, window)| {
        let events = events.trim().parse::<u32>().ok().filter(|events| *events > 0)?;
        let window = whole_seconds(window.trim()).filter(|window| !window.is_zero())?;
        Some(Rate { events, window })
    });
    parsed.map(Value::Rate).ok_or_else(|| format!("must be {}, is {text:?}", Kind::Rate.wanted()))
}

fn database(text: &str, folder: &Path) -> Result<Value, String> {
    match ServerUrl::parse(text) {
        Some(url) => url.map(Value::Server),
        None => path(text, folder),
    }
}

/// A URL is no path, and would make a folder with all that stands in it, perhaps a password: so it is not
/// shown either.
fn path(text: &str, folder: &Path) -> Result<Value, String> {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    let is_scheme = |text: &str| {
        text.bytes().all(|c| c.is_ascii_alphanumeric() || b"+-.".contains(&c)) && !text.is_empty()
    };
    match scheme.filter(|scheme| is_scheme(scheme)).map(str::to_ascii_lowercase).as_deref() {
        None => Ok(Value::Path(absolute(folder, text))),
        Some(scheme) => Err(format!("must be the path of a file or folder, is a URL ({scheme}://)")),
    }
}

/// As an error message names what was found.
impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Integer(number) => number.fmt(f),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(_) => f.write_str("a list"),
            Self::Map(_) => f.write_str("a table"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

/// As an environment variable takes it, but for a password.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Count(number) => number.fmt(f),
            Self::Span(span) => f.write_str(&span_text(*span)),
            Self::Rate(rate) => write!(f, "{}/{}", rate.events, span_text(rate.window)),
            Self::Text(text) => f.write_str(text),
            Self::Path(path) => path.display().fmt(f),
            Self::Server(url) => url.fmt(f),
            Self::List(entries) => f.write_str(&entries.join(",")),
            Self::Map(pairs) => {
                let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
                f.write_str(&pairs.join(","))
            }
        }
    }
}

impl Value {
    /// As the file takes it.
    #[must_use]
    pub fn toml(&self) -> String {
        match self {
            Self::Bool(_) | Self::Count(_) => self.to_string(),
            Self::List(entries) => toml::Value::from(entries.clone()).to_string(),
            Self::Map(pairs) => toml::Value::from(pairs.clone()).to_string(),
            Self::Span(_) | Self::Rate(_) | Self::Text(_) | Self::Path(_) | Self::Server(_) => {
                toml::Value::from(self.to_string()).to_string()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_in_its_largest_unit_and_read_back() {
        for (text, shown) in [
            ("15m", "15m"),
            ("24h", "1d"),
            ("1h 30m", "90m"),
            ("0s", "0s"),
            ("1m 31s", "91s"),
            ("61s", "61s"),
        ] {
            let span = parse_span(text).unwrap();
            assert_eq!(span_text(span), shown);
            assert_eq!(parse_span(shown), Some(span));
        }
        for text in ["", "15", "-1s", "1s ago", "1mo", "1y", "forever", "40000d", "99999999999999999999d"] {
            assert_eq!(parse_span(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_no_file_can_hold_is_refused() {
        let validated = |kind: Kind, text: &str| kind.validate(kind.read(text), Path::new("/srv"));
        for (kind, text) in [
            (Kind::PublicUrl, "http://auth.example.com"),
            (Kind::PublicUrl, "https://auth.example.com/api"),
            (Kind::Link, "https://example.com/verify"),
            (Kind::Link, "https://{token}.example.com/"),
            (Kind::Origins, "https://example.com/"),
            (Kind::Origins, "*"),
            (Kind::Origins, "null"),
            (Kind::Networks, "10.1.2.3/8"),
            (Kind::Networks, "10.0.0.0/8,,::1"),
            (Kind::Rate, "0/1m"),
            (Kind::Rate, "30/0s"),
            (Kind::Span(0), "1500ms"),
            (Kind::Mailbox, "eve\r\nBcc: all@example.com <a@example.com>"),
            (Kind::Mailbox, "Ann <ann@example.com> <eve@example.com>"),
            (Kind::Listen, "localhost"),
            (Kind::Listen, "unix:"),
            (Kind::Path, " "),
            (Kind::Text, "a\u{0}b"),
        ] {
            assert!(validated(kind, text).is_err(), "{kind:?} {text:?}");
        }
        assert_eq!(validated(Kind::Listen, "unix:./a.sock"), Ok(Value::Text("unix:/srv/a.sock".into())));
        assert_eq!(
            validated(Kind::PublicUrl, "https://Auth.example.com:443/"),
            Ok(Value::Text("https://auth.example.com".into()))
        );
    }
}
