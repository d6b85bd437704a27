//! From a request to a handler and back: finds the route, spends the network's budget, authenticates, and
//! reads query and body. What every request of either face comes through is `web/request.rs`.

use super::authenticate;
use super::call::Call;
use super::gate::{self, AtGate};
use super::openapi;
use super::problem::Problem;
use super::route::{Access, Handler, Method, Route, TableInfo};
use super::table::{self, Resource};
use super::wire::{self, Encoding, Unknown};
use crate::domain::access::Actor;
use crate::error::{Error, Refusal};
use crate::transport::message::{Ambiguous, Found, Head, Request, Response};
use crate::transport::{Dispatch, Lane, Service, Trouble};
use crate::usecase::app::App;
use crate::usecase::keys::current_key;
use crate::usecase::{reauthenticate, require, require_full_standing};
use crate::web::page_cookies::PageCookie;
use crate::web::rejection::{DeadCookies, Rejection};
use crate::web::request::{self, Face, Readers, RequestState};
use crate::web::token_transport::TokenTransport;
use crate::web::{cookies, forwarded, headers, navigation, origin, session_cookie};
use std::pin::Pin;
use std::sync::Arc;

static FACE: Face = Face {
    headers: &[
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
        ("referrer-policy", "no-referrer"),
    ],
    readers: Readers::ListedOrigins,
};

/// What handlers are told of the table that they stand in.
const TABLE_INFO: TableInfo =
    TableInfo { openapi: openapi::document, has_path: |path| table::find(path).is_some() };

/// The whole HTTP face of one app.
#[derive(Debug)]
pub struct Router {
    app: Arc<App>,
}

/// What answers a request that comes to no handler, or that its handler doesn't answer.
enum ShortCircuit {
    Response(Response),
    Problem(Problem),
    Rejection(Rejection),
}

impl From<Problem> for ShortCircuit {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl<R: Into<Rejection>> From<R> for ShortCircuit {
    fn from(rejection: R) -> Self {
        Self::Rejection(rejection.into())
    }
}

/// What the path and the method of a request lead to.
#[derive(Clone, Copy)]
enum RouteMatch {
    Route(&'static Route),
    /// The path has other methods.
    Resource(&'static Resource),
    Nothing,
}

impl RouteMatch {
    fn find(head: &Head) -> Self {
        match table::find(&head.path) {
            Some(resource) => resource.route(&head.method).map_or(Self::Resource(resource), Self::Route),
            None => Self::Nothing,
        }
    }

    /// What [`Router::dispatch`] found.
    fn of(found: Found) -> Self {
        let resource = || found.get().map_or(Self::Nothing, Self::Resource);
        found.get().map_or_else(resource, Self::Route)
    }

    /// The template of the path. `None`: no route has it.
    fn path(self) -> Option<&'static str> {
        match self {
            Self::Route(route) => Some(route.path),
            Self::Resource(resource) => Some(resource.path),
            Self::Nothing => None,
        }
    }
}

impl Router {
    /// Makes the face for `app`; the table of routes is the same for every app.
    #[must_use]
    pub const fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// All that happens before a handler.
    fn admit(
        &self,
        request: &Request,
        matched: RouteMatch,
        state: &mut RequestState<'_>,
    ) -> Result<(&'static Route, Call), ShortCircuit> {
        match matched {
            RouteMatch::Route(route) => Ok((route, self.call(request, route, state)?)),
            RouteMatch::Resource(resource) => Err(self.other_method(&request.head, resource)),
            RouteMatch::Nothing => Err(Problem::no_such_route().into()),
        }
    }

    /// Answers a method that the path doesn't have.
    fn other_method(&self, head: &Head, resource: &Resource) -> ShortCircuit {
        let preflight = origin::preflight(&head.method, &head.headers, &self.app.config, || resource.allow());
        preflight.map_or_else(|| Problem::method_not_allowed(resource.allow()).into(), ShortCircuit::Response)
    }

    fn call(
        &self,
        request: &Request,
        route: &Route,
        state: &mut RequestState<'_>,
    ) -> Result<Call, ShortCircuit> {
        let (app, head) = (&self.app, &request.head);
        // Before anything is spent: what another site's page loads must use up nobody's tries.
        let is_visit = head.method == "GET" && navigation::may_be_navigation(&head.headers);
        if route.for_browsers && route.method.is_safe() && !is_visit {
            return Err(
                Rejection::CrossSite("go to this address itself; it is no picture, frame or data").into()
            );
        }
        if let Some(budget) = route.limit {
            state.spend(budget)?;
        }
        // Before anything else of the request is looked at, so that nobody learns from it what they may not.
        let (actor, shown) = match authenticate::actor(app, route, &head.headers) {
            Err(rejection) if route.method == Method::Any => match gate::admit(app, head, rejection)? {
                AtGate::SignedIn(user) => (Actor::User(*user), TokenTransport::Body),
                AtGate::Start(response) => return Err(ShortCircuit::Response(response)),
            },
            found => found?,
        };
        let mut caller = state.caller(actor);
        if !route.before_second_factor {
            require_full_standing(&caller)?;
        }
        if let Some(permission) = route.access.demands(&caller.actor) {
            require(&caller, permission)?;
        }
        if route.fresh {
            reauthenticate::check(app, &caller)?;
        }
        let body = body_of(request, route)?;
        let rule = if route.for_browsers { Unknown::LeftAlone } else { Unknown::Refused };
        let query = wire::read_query(head.query.as_deref(), route.query, rule)?;
        let mut fields = wire::read(body, route.request)?.and(query);
        let tokens = authenticate::token_transport(app, route, &head.headers, &mut fields, shown)?;
        if route.for_browsers || (route.access == Access::Public && tokens == TokenTransport::Cookies) {
            caller.browser_sessions = session_cookie::browser_sessions(&head.headers)?;
        }
        let mut call = Call::new(caller, fields, tokens, parameters(route, &head.path));
        if route.for_browsers {
            let kept = cookies::find(&head.headers, PageCookie::Provider.name())?;
            call.provider_cookie = kept.map(str::to_owned);
        }
        if route.method == Method::Any {
            call.asked_host = forwarded::host(head, &app.config.proxy.trusted)?;
        }
        Ok(call)
    }

    /// Runs a handler to its answer.
    fn run(&self, route: &Route, call: Call) -> Result<Response, Rejection> {
        let tokens = call.token_transport;
        let answer = match route.handler {
            Handler::Now(now) | Handler::AfterCommit { now, .. } => now(&self.app, call),
            Handler::OfTable(tell) => tell(&self.app, TABLE_INFO),
        };
        answer.map_err(|error| rejection(error, tokens))
    }

    /// All that happens after a handler, or in its stead.
    fn finish(&self, mut state: RequestState<'_>, answer: Result<Response, ShortCircuit>) -> Response {
        let response = match answer {
            Ok(response) | Err(ShortCircuit::Response(response)) => response,
            Err(ShortCircuit::Problem(problem)) => show(problem, &mut state),
            Err(ShortCircuit::Rejection(rejection)) => self.reject(&rejection, &mut state),
        };
        state.finish(response)
    }

    fn reject(&self, rejection: &Rejection, state: &mut RequestState<'_>) -> Response {
        let response = show(Problem::from(rejection), state);
        match rejection {
            Rejection::Error(error) => {
                request::report(state.request_id(), error);
                response
            }
            Rejection::DeadCookies(dead) => {
                cookies::clear(response, *dead, self.app.config.cookies.same_site)
            }
            Rejection::Ambiguous(_)
            | Rejection::CrossSite(_)
            | Rejection::RateLimited(_)
            | Rejection::BadClient => response,
        }
    }
}

/// The document of a problem, whose code goes into the log.
fn show(problem: Problem, state: &mut RequestState<'_>) -> Response {
    state.refused_as(problem.code);
    problem.response(state.request_id())
}

/// What a handler's error is to whoever sent `tokens`. What the handler finds to be good no more, as it
/// does with refresh tokens, is the last of its session.
fn rejection(error: Error, tokens: TokenTransport) -> Rejection {
    match tokens {
        TokenTransport::Cookies if error == Error::Refused(Refusal::InvalidToken) => {
            Rejection::DeadCookies(DeadCookies::All)
        }
        TokenTransport::SessionCookie { .. } if error == Error::Refused(Refusal::InvalidToken) => {
            Rejection::DeadCookies(DeadCookies::Session)
        }
        TokenTransport::Body | TokenTransport::Cookies | TokenTransport::SessionCookie { .. } => error.into(),
    }
}

impl Service for Router {
    fn dispatch(&self, head: &Head) -> Dispatch {
        match RouteMatch::find(head) {
            RouteMatch::Route(route) => {
                let lane = match route.lane {
                    // The database is on another machine, or after the commit a token is signed, and all
                    // connections of the I/O thread would wait for it.
                    Lane::Commit if self.app.reads_far() || current_key::signs_slowly(&self.app) => {
                        Lane::Write
                    }
                    Lane::Short if self.app.reads_far() && !route.asks_nothing => Lane::Read,
                    lane => lane,
                };
                Dispatch { lane, found: Found::new(route) }
            }
            RouteMatch::Resource(resource) => Dispatch { lane: Lane::Short, found: Found::new(resource) },
            RouteMatch::Nothing => Dispatch::to(Lane::Short),
        }
    }

    fn before_wait(&self) {
        self.app.before_wait();
    }

    fn handle(&self, request: &Request) -> Response {
        let matched = RouteMatch::of(request.found);
        let mut state = FACE.begin(&self.app, request, matched.path());
        let admitted = self.admit(request, matched, &mut state);
        let answer = admitted.and_then(|(route, call)| Ok(self.run(route, call)?));
        self.finish(state, answer)
    }

    fn begin<'a>(&'a self, request: &'a Request) -> Pin<Box<dyn Future<Output = Response> + 'a>> {
        Box::pin(async move {
            let matched = RouteMatch::of(request.found);
            let mut state = FACE.begin(&self.app, request, matched.path());
            let answer = match self.admit(request, matched, &mut state) {
                Ok((route, call)) => {
                    let tokens = call.token_transport;
                    match route.handler {
                        Handler::AfterCommit { later, .. } => {
                            later(&self.app, call).await.map_err(|error| rejection(error, tokens))
                        }
                        Handler::Now(_) | Handler::OfTable(_) => self.run(route, call),
                    }
                    .map_err(ShortCircuit::from)
                }
                Err(short_circuit) => Err(short_circuit),
            };
            self.finish(state, answer)
        })
    }

    fn refuse(&self, trouble: Trouble, head: Option<&Head>) -> Response {
        let asked = head.map(|head| (head, RouteMatch::find(head).path()));
        FACE.answer_trouble(&self.app, trouble, asked, |request_id| {
            Problem::of_trouble(trouble, table::all_methods).response(request_id)
        })
    }
}

/// What stands for the braces of the route's path.
fn parameters(route: &Route, path: &str) -> Vec<(&'static str, String)> {
    if !route.path.contains('{') {
        return Vec::new();
    }
    let found = table::parameters(route.path, path).unwrap_or_default();
    found.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
}

/// The body, if it is the route's to read.
fn body_of<'a>(request: &'a Request, route: &Route) -> Result<&'a [u8], Problem> {
    if route.method == Method::Any {
        return Ok(&[]);
    }
    check_content_type(request, route)?;
    Ok(&request.body)
}

/// Every body says that it is JSON, or a form where the route wants one. One that is missing where it is
/// wanted is the parser's to refuse.
fn check_content_type(request: &Request, route: &Route) -> Result<(), Problem> {
    let head = &request.head.headers;
    let media_type = route.request.map_or(Encoding::Json, |body| body.encoding).media_type();
    let unsupported = || Problem::unsupported_media_type(media_type);
    let content_type = head.single("content-type").map_err(|Ambiguous| unsupported())?;
    if request.body.is_empty() && (content_type.is_none() || route.request.is_none()) {
        return Ok(());
    }
    if headers::has_media_type(head, media_type) { Ok(()) } else { Err(unsupported()) }
}
