//! Requests and responses in plain types of our own, so that handlers never name the HTTP crate.

use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;
use std::time::Duration;

/// A request without its body. The transport has already refused what is no sound HTTP/1.1.
#[derive(Clone, Debug)]
pub struct Head {
    /// As sent; methods are case-sensitive (RFC 9110 §9.1).
    pub method: String,
    /// As sent: not decoded, never empty.
    pub path: String,
    /// What follows the `?`, as sent; `None` without one.
    pub query: Option<String>,
    pub headers: Headers,
    /// The other end of the connection; `None` on a Unix socket. A v4-mapped IPv6 address counts as IPv4.
    pub peer: Option<IpAddr>,
}

/// A complete request, its body within the bounds.
#[derive(Debug)]
pub struct Request {
    pub head: Head,
    pub body: Bytes,
    /// How long it has waited for a thread of its lane.
    pub waited: Duration,
    /// What the service found it to be for.
    pub found: Found,
}

/// What a service found a request to be for when it was asked where to answer it, so that it needn't look
/// again. Only the service that put it there knows its type; others pass it on.
#[derive(Clone, Copy, Default)]
pub struct Found(Option<&'static (dyn Any + Send + Sync)>);

impl Found {
    /// Nothing that the service has.
    pub const NOTHING: Self = Self(None);

    /// Keeps a reference to `what`, of whatever type, for the service to get back.
    #[must_use]
    pub fn new<T: Any + Send + Sync>(what: &'static T) -> Self {
        Self(Some(what))
    }

    /// Gives what was found, by its type. `None`: it is something else, or nothing.
    #[must_use]
    pub fn get<T: Any>(self) -> Option<&'static T> {
        self.0.and_then(|what| what.downcast_ref())
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Found" } else { "Found::NOTHING" })
    }
}

/// Header fields. Those of one name stand in the order sent.
#[derive(Clone, Debug, Default)]
pub struct Headers(HeaderMap);

impl From<HeaderMap> for Headers {
    fn from(map: HeaderMap) -> Self {
        Self(map)
    }
}

/// Those of a request that came by no socket.
///
/// # Panics
/// For a name or a value that no header has.
impl<'a> FromIterator<(&'static str, &'a str)> for Headers {
    fn from_iter<I: IntoIterator<Item = (&'static str, &'a str)>>(fields: I) -> Self {
        let field = |(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).expect("a value without control characters"),
            )
        };
        let mut map = HeaderMap::new();
        for (name, value) in fields.into_iter().map(field) {
            map.append(name, value);
        }
        Self(map)
    }
}

impl Headers {
    /// Every value of the field `name` (in lower case), `None` for one that is not UTF-8.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = Option<&'a str>> {
        self.0.get_all(name).into_iter().map(|value| std::str::from_utf8(value.as_bytes()).ok())
    }

    /// The value of the field `name` (in lower case), for fields that may stand once.
    ///
    /// # Errors
    /// [`Ambiguous`], when it stands more than once or is not UTF-8: to choose one would be to guess.
    pub fn single<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, Ambiguous> {
        let value = self.single_bytes(name)?;
        value.map(std::str::from_utf8).transpose().map_err(|_| Ambiguous)
    }

    /// The value of the field `name` (in lower case) as it was sent, for fields that may stand once.
    ///
    /// # Errors
    /// [`Ambiguous`], when it stands more than once.
    pub fn single_bytes<'a>(&'a self, name: &str) -> Result<Option<&'a [u8]>, Ambiguous> {
        let mut values = self.0.get_all(name).into_iter();
        match (values.next(), values.next()) {
            (value, None) => Ok(value.map(HeaderValue::as_bytes)),
            (_, Some(_)) => Err(Ambiguous),
        }
    }
}

/// A header field that may stand once and doesn't, or that is not UTF-8.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ambiguous;

/// What becomes of the connection after a response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    /// The next request may come on it.
    KeepAlive,
    Close,
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    pub body: Body,
    pub then: Then,
}

/// The body of an answer.
#[derive(Clone, Debug)]
pub enum Body {
    /// Made for this answer.
    Own(Vec<u8>),
    /// The same in every answer, so that none needs memory for it.
    Shared(&'static [u8]),
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Own(bytes)
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::Shared(text.as_bytes())
    }
}

impl Response {
    /// An answer without a body.
    #[must_use]
    pub const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Shared(&[]), then: Then::KeepAlive }
    }

    /// An answer with a body of `content_type`.
    #[must_use]
    pub fn with_body(status: u16, content_type: &'static str, body: impl Into<Body>) -> Self {
        Self { body: body.into(), ..Self::empty(status) }.header("content-type", content_type)
    }

    /// Adds a header field, beside any of the same name that is there.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Says what becomes of the connection; without it, it is kept.
    #[must_use]
    pub const fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }
}
