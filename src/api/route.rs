//! What a row of the table says of a route: method, path, who may call it, where it is answered, what it
//! takes and what it answers.

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
    /// Whoever has a good access token, in `Authorization` or as a cookie, or the cookie of a browser's
    /// session.
    User,
    /// Whoever has the cookie of a browser's session, and nothing in its place.
    Browser,
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

    /// Whether an API key may also come as an OAuth client's secret, in HTTP Basic (RFC 6749 §2.3.1).
    #[must_use]
    pub const fn takes_clients(self) -> bool {
        matches!(self, Self::Service | Self::Holder)
    }

    /// What the actor must hold, where that can be said before the request is read. The use-case asks again.
    #[must_use]
    pub const fn demands(self, actor: &Actor) -> Option<&'static str> {
        match (self, actor) {
            (Self::Permission(permission), _) => Some(permission),
            (Self::Holder, Actor::ApiKey(_)) => Some("sessions:revoke"),
            (Self::Public | Self::User | Self::Browser | Self::Refresh | Self::Service | Self::Holder, _) => {
                None
            }
        }
    }
}

/// An answer that is no problem.
#[derive(Debug)]
pub struct ResponseSpec {
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
    Now(Now),
    /// The same answer in two ways: [`Lane::Commit`] takes the second, all other lanes the first.
    AfterCommit { now: Now, later: for<'a> fn(&'a App, Call) -> Later<'a> },
    /// Tells of the table itself. No row may import that, so the router hands in what there is to tell.
    OfTable(fn(&App, TableInfo) -> Result<Response, Error>),
}

/// A plain handler: takes the fields, calls one use-case, writes the answer. It has no rules of its own.
pub type Now = fn(&App, Call) -> Result<Response, Error>;

/// What the table tells of itself.
#[derive(Clone, Copy, Debug)]
pub struct TableInfo {
    /// The OpenAPI document, as JSON text.
    pub openapi: fn() -> &'static str,
    /// Whether a route has this path.
    pub has_path: fn(&str) -> bool,
}

/// An answer that waits for the disk without holding a thread.
pub type Later<'a> = Pin<Box<dyn Future<Output = Result<Response, Error>> + 'a>>;

/// A row of the table. It is made by [`Route::get`] and its like, which ask for what no row can do without:
/// who may call it stands in every one. What else is particular follows by the methods that change a default.
#[must_use = "a row counts only in its table"]
#[allow(clippy::struct_excessive_bools, reason = "each is a column of the table")]
pub struct Route {
    pub method: Method,
    /// A segment in braces takes any one segment.
    pub path: &'static str,
    /// The operation's name; clients are generated from it, so it never changes.
    pub id: &'static str,
    pub summary: &'static str,
    pub access: Access,
    /// Whether a user must have logged in within the last minutes, with the second factor where one is on. Of
    /// a service it is not asked. The router asks before it looks at the body, the use-case once more.
    pub fresh: bool,
    /// Whether it takes a user, too, who must set up a second factor first.
    pub before_second_factor: bool,
    /// Whether browsers come here by themselves, sent by a link or by another server: what else stands in the
    /// query is left alone (RFC 6749 §4.1.2), and the handler gets what the browser has kept. Nothing else is
    /// taken for a visit: neither `HEAD`, nor what a page loads.
    pub for_browsers: bool,
    pub lane: Lane,
    /// Whether it tells of the process alone: it is answered at once wherever the database is.
    pub asks_nothing: bool,
    /// What a network's requests are counted against. `None`: they aren't, so that nobody can make a
    /// balancer's health checks fail.
    pub limit: Option<Budget>,
    /// Parameters; see [`super::wire::read_query`].
    pub query: &'static [Field],
    /// `None`: it takes no body.
    pub request: Option<&'static Body>,
    pub answers: &'static [ResponseSpec],
    /// Status and code of the problems of its own, besides those that follow from the other columns.
    pub problems: &'static [(u16, &'static str)],
    pub handler: Handler,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.name(), self.path)
    }
}

/// Making a row. By default it is answered in the lane for reads (`GET`) or for writes, counts against the
/// budget for all the rest, takes no query and no body, and has no problems of its own.
impl Route {
    /// Makes a row that is answered to `GET` and `HEAD`.
    pub const fn get(path: &'static str, id: &'static str, access: Access, handler: Now) -> Self {
        Self::new(Method::Get, path, id, access, Handler::Now(handler))
    }

    /// Makes a row that is answered to `POST`.
    pub const fn post(path: &'static str, id: &'static str, access: Access, handler: Now) -> Self {
        Self::new(Method::Post, path, id, access, Handler::Now(handler))
    }

    /// Makes a row that is answered to `PUT`.
    pub const fn put(path: &'static str, id: &'static str, access: Access, handler: Now) -> Self {
        Self::new(Method::Put, path, id, access, Handler::Now(handler))
    }

    /// Makes a row that is answered to `PATCH`.
    pub const fn patch(path: &'static str, id: &'static str, access: Access, handler: Now) -> Self {
        Self::new(Method::Patch, path, id, access, Handler::Now(handler))
    }

    /// Makes a row that is answered to `DELETE`.
    pub const fn delete(path: &'static str, id: &'static str, access: Access, handler: Now) -> Self {
        Self::new(Method::Delete, path, id, access, Handler::Now(handler))
    }

    /// See [`Method::Any`].
    pub const fn any(path: &'static str, id: &'static str, access: Access, handler: Now) -> Self {
        Self::new(Method::Any, path, id, access, Handler::Now(handler))
    }

    /// A public document that tells of the table.
    pub const fn of_table(
        path: &'static str,
        id: &'static str,
        handler: fn(&App, TableInfo) -> Result<Response, Error>,
    ) -> Self {
        Self::new(Method::Get, path, id, Access::Public, Handler::OfTable(handler))
    }

    const fn new(
        method: Method,
        path: &'static str,
        id: &'static str,
        access: Access,
        handler: Handler,
    ) -> Self {
        let lane = if method.is_safe() { Lane::Read } else { Lane::Write };
        let limit = Some(Budget::Default);
        Self {
            method,
            path,
            id,
            summary: "",
            access,
            fresh: false,
            before_second_factor: false,
            for_browsers: false,
            lane,
            asks_nothing: false,
            limit,
            query: &[],
            request: None,
            answers: &[],
            problems: &[],
            handler,
        }
    }

    /// What it does, in a few words: for the OpenAPI document.
    pub const fn summary(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// Wants a fresh login of a user: one of the last minutes, with the second factor where one is on.
    pub const fn fresh(self) -> Self {
        Self { fresh: true, ..self }
    }

    /// Takes a user, too, who must set up a second factor before anything else.
    pub const fn before_second_factor(self) -> Self {
        Self { before_second_factor: true, ..self }
    }

    /// Is where browsers come by themselves: see [`Route::for_browsers`].
    pub const fn for_browsers(self) -> Self {
        Self { for_browsers: true, ..self }
    }

    /// Answers in this lane instead of the one that follows from the method.
    pub const fn lane(self, lane: Lane) -> Self {
        Self { lane, ..self }
    }

    /// Asks the database nothing.
    pub const fn asks_nothing(self) -> Self {
        Self { asks_nothing: true, ..self }
    }

    /// Answers by `later` in [`Lane::Commit`], without a thread that waits for the disk.
    pub const fn after_commit(self, later: for<'a> fn(&'a App, Call) -> Later<'a>) -> Self {
        let (Handler::Now(now) | Handler::AfterCommit { now, .. }) = self.handler else {
            return self;
        };
        Self { lane: Lane::Commit, handler: Handler::AfterCommit { now, later }, ..self }
    }

    /// Counts its requests against this budget instead of [`Budget::Default`].
    pub const fn limit(self, budget: Budget) -> Self {
        Self { limit: Some(budget), ..self }
    }

    /// Its requests count against no budget.
    pub const fn unlimited(self) -> Self {
        Self { limit: None, ..self }
    }

    /// Takes these parameters in the query; any other is a problem.
    pub const fn query(self, query: &'static [Field]) -> Self {
        Self { query, ..self }
    }

    /// Takes a body with these fields, in its encoding.
    pub const fn body(self, body: &'static Body) -> Self {
        Self { request: Some(body), ..self }
    }

    /// Declares what it answers when all went well: for the OpenAPI document.
    pub const fn answers(self, answers: &'static [ResponseSpec]) -> Self {
        Self { answers, ..self }
    }

    /// Declares the problems of its own, by status and code: for the OpenAPI document.
    pub const fn problems(self, problems: &'static [(u16, &'static str)]) -> Self {
        Self { problems, ..self }
    }
}

impl Route {
    /// Whether what it does can be asked for, or answered, by cookie: another site's page must not.
    #[must_use]
    pub fn takes_cookies(&self) -> bool {
        let sets = self.request.is_some_and(|body| body.fields.iter().any(|field| field.name == COOKIES));
        let shown = self.access.takes_users() || self.access == Access::Browser;
        sets || (shown && !self.method.is_safe())
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
        let of_user = self.access.takes_users() || self.access == Access::Browser;
        if of_user || self.access.takes_services() {
            all.extend([(401, "unauthenticated"), (401, "invalid_token")]);
        }
        if matches!(self.access, Access::Permission(_) | Access::Holder) {
            all.push((403, "forbidden"));
        }
        if of_user && !self.before_second_factor {
            all.push((403, "two_factor_setup_required"));
        }
        if self.fresh {
            all.push((403, "fresh_login_required"));
        }
        if self.takes_cookies() || self.access.takes_clients() || (self.for_browsers && self.method.is_safe())
        {
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
pub const BEFORE: Field = Field {
    name: "before",
    kind: Kind::Token,
    presence: Presence::Optional,
    about: "The `next` of the page before.",
};
pub const AFTER: Field = Field { name: "after", ..BEFORE };

/// Declares an answer with a JSON object; `about` says in a few words when it comes.
pub const fn json(status: u16, about: &'static str, object: &'static Object) -> ResponseSpec {
    ResponseSpec { status, about, content: Content::Json(object) }
}

/// Declares an answer without a body.
pub const fn nothing(status: u16, about: &'static str) -> ResponseSpec {
    ResponseSpec { status, about, content: Content::Nothing }
}

/// Declares an answer with one of several JSON objects.
pub const fn any_of(status: u16, about: &'static str, objects: &'static [&'static Object]) -> ResponseSpec {
    ResponseSpec { status, about, content: Content::AnyOf(objects) }
}
