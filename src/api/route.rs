//! What a row of the table says of a route: method, path, who may call it, where it is answered, what it takes
//! and what it answers.

use super::call::Call;
use super::schema::Object;
use super::wire::{Body, Field, Kind, Presence};
use crate::domain::access::Actor;
use crate::error::Error;
use crate::transport::Lane;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::app::rate_limit::Budget;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::Pin;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    /// Whatever a request says. Such a route is asked by a proxy about a request of somebody's, in that
    /// request's guise: method, body and content type are the other's, and it looks at none of them.
    Any,
}

impl Method {
    /// Of [`Method::Any`] the one that a document lists it under: OpenAPI has no name for all of them.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get | Self::Any => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether a request with this method is meant. `HEAD` works wherever `GET` does.
    #[must_use]
    pub fn takes(self, method: &str) -> bool {
        self == Self::Any || self.name() == if method == "HEAD" { "GET" } else { method }
    }

    /// Whether such a request changes nothing here (RFC 9110 §9.2.1), so that a cookie is proof enough.
    #[must_use]
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Any)
    }
}

/// Who may call a route. The router asks before the handler runs, so that no handler can forget to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    Public,
    /// Whoever has a good access token, in `Authorization` or as a cookie.
    User,
    /// Whoever has a refresh token, in the body or as a cookie. Whether it is good, the use-case tells.
    Refresh,
    /// A service with an API key, whatever it may do.
    Service,
    /// A user or a service that holds this permission (`area:action`).
    Permission(&'static str),
    /// A user, about what is theirs; a service that may end anybody's sessions.
    Holder,
}

impl Access {
    /// Whether an access token is proof of who asks, in `Authorization` or as a cookie.
    #[must_use]
    pub const fn takes_users(self) -> bool {
        matches!(self, Self::User | Self::Permission(_) | Self::Holder)
    }

    /// Whether an API key is.
    #[must_use]
    pub const fn takes_services(self) -> bool {
        matches!(self, Self::Service | Self::Permission(_) | Self::Holder)
    }

    /// What the actor must hold, where that can be said before the request is read. The use-case asks again.
    #[must_use]
    pub const fn demands(self, actor: &Actor) -> Option<&'static str> {
        match (self, actor) {
            (Self::Permission(permission), _) => Some(permission),
            (Self::Holder, Actor::ApiKey(_)) => Some("sessions:revoke"),
            (Self::Public | Self::User | Self::Refresh | Self::Service | Self::Holder, _) => None,
        }
    }
}

/// An answer that is no problem.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub about: &'static str,
    pub content: Content,
}

#[derive(Debug)]
pub enum Content {
    Nothing,
    /// `application/json`.
    Json(&'static Object),
    /// One of several.
    AnyOf(&'static [&'static Object]),
    /// An object that a standard of its own describes: OpenAPI, RFC 8414.
    Document,
}

/// What answers a request that was let in.
#[derive(Debug)]
pub enum Handler {
    /// Has answered when it returns.
    Now(fn(&App, Call) -> Result<Response, Error>),
    /// The same answer in two ways: [`Lane::Commit`] takes the second, all other lanes the first.
    AfterCommit { now: fn(&App, Call) -> Result<Response, Error>, later: for<'a> fn(&'a App, Call) -> Later<'a> },
}

/// An answer that waits for the disk without holding a thread.
pub type Later<'a> = Pin<Box<dyn Future<Output = Result<Response, Error>> + 'a>>;

pub struct Route {
    pub method: Method,
    /// A segment in braces takes any one segment.
    pub path: &'static str,
    /// The operation's name; never changes.
    pub id: &'static str,
    pub summary: &'static str,
    pub access: Access,
    pub lane: Lane,
    /// What a network's requests are counted against. `None`: they aren't, so that nobody can make a
    /// balancer's health checks fail.
    pub limit: Option<Budget>,
    /// Parameters; see [`super::wire::read_query`].
    pub query: &'static [Field],
    /// `None`: it takes no body.
    pub request: Option<&'static Body>,
    pub answers: &'static [Answer],
    /// Status and code of the problems of its own, besides those that follow from the other columns.
    pub problems: &'static [(u16, &'static str)],
    pub handler: Handler,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.name(), self.path)
    }
}

impl Route {
    /// Whether what it does can be asked for, or answered, by cookie: another site's page must not.
    #[must_use]
    pub fn takes_cookies(&self) -> bool {
        let sets = self.request.is_some_and(|body| body.fields.iter().any(|field| field.name == COOKIES));
        sets || (self.access.takes_users() && !self.method.is_safe())
    }

    /// Every problem that it can answer with: codes by status.
    #[must_use]
    pub fn all_problems(&self) -> BTreeMap<u16, Vec<&'static str>> {
        let mut all = vec![(400, "bad_request"), (408, "request_timeout"), (413, "body_too_large")];
        all.extend([(417, "expectation_failed"), (422, "validation_failed"), (431, "headers_too_large")]);
        all.push((500, "internal"));
        if self.method != Method::Any {
            all.extend([(400, "malformed_json"), (415, "unsupported_media_type")]);
        }
        all.extend([(503, "overloaded"), (503, "storage_unavailable")]);
        if self.access.takes_users() || self.access.takes_services() {
            all.extend([(401, "unauthenticated"), (401, "invalid_token")]);
        }
        if matches!(self.access, Access::Permission(_) | Access::Holder) {
            all.push((403, "forbidden"));
        }
        if self.takes_cookies() {
            all.push((403, "csrf_failed"));
        }
        if self.limit.is_some() {
            all.push((429, "rate_limited"));
        }
        all.extend(self.problems);
        let mut by_status = BTreeMap::<u16, Vec<_>>::new();
        for (status, code) in all {
            by_status.entry(status).or_default().push(code);
        }
        by_status
    }
}

/// The name in `{name}`.
#[must_use]
pub fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// What `Allow` says for these methods: `HEAD` works wherever `GET` does.
pub fn allow(methods: impl Iterator<Item = Method>) -> String {
    let methods: BTreeSet<Method> = methods.collect();
    let names = methods.iter().flat_map(|method| match method {
        Method::Get => vec!["GET", "HEAD"],
        Method::Any => vec![],
        other => vec![other.name()],
    });
    names.collect::<Vec<_>>().join(", ")
}

/// The field that asks for cookie mode.
pub const COOKIES: &str = "cookies";

/// The parameters of a list that pages backwards in time.
pub const PAGE: &[Field] = &[LIMIT, BEFORE];

pub const LIMIT: Field =
    Field { name: "limit", kind: Kind::Limit, presence: Presence::Optional, about: "How many at most." };
pub const BEFORE: Field =
    Field { name: "before", kind: Kind::Token, presence: Presence::Optional, about: "The `next` of the page before." };
pub const AFTER: Field = Field { name: "after", ..BEFORE };

pub const fn json(status: u16, about: &'static str, object: &'static Object) -> Answer {
    Answer { status, about, content: Content::Json(object) }
}

pub const fn nothing(status: u16, about: &'static str) -> Answer {
    Answer { status, about, content: Content::Nothing }
}

pub const fn any_of(status: u16, about: &'static str, objects: &'static [&'static Object]) -> Answer {
    Answer { status, about, content: Content::AnyOf(objects) }
}
