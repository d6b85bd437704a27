//! From a request to a handler and back: finds the route, spends the network's budget, authenticates,
//! reads query and body, and dresses every answer in the headers that all of them wear.

use super::call::Call;
use super::problem::Problem;
use super::route::{Access, COOKIES, Handler, Method, Route, allow};
use super::table::{Found, find};
use super::wire;
use super::wire::{Encoding, Fields};
use crate::domain::access::Actor;
use crate::domain::api_key;
use crate::domain::caller::{Caller, cut_user_agent};
use crate::domain::id::RequestId;
use crate::domain::secret::Secret;
use crate::error::{Error, Fault, Refusal};
use crate::transport::message::{Ambiguous, Head, Headers, Request, Response};
use crate::transport::{Lane, Service, Trouble, client};
use crate::usecase::app::App;
use crate::usecase::app::rate_limit;
use crate::usecase::app::rate_limit::{Spent, Verdict};
use crate::usecase::app::request_counts;
use crate::usecase::app::request_counts::{Passage, Target};
use crate::usecase::keys::current_key;
use crate::usecase::require;
use crate::usecase::session::{authenticate, refresh};
use crate::web::cookies;
use crate::web::cookies::Carrier;
use crate::web::{csrf, origin};
use std::pin::Pin;
use std::sync::Arc;

/// What a page of another origin may read of an answer's head.
const EXPOSED: &str = "RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id";

/// The whole HTTP face of one app.
#[derive(Debug)]
pub struct Router {
    app: Arc<App>,
}

const REFRESH_TOKEN: &str = "refresh_token";

/// A request on its way through the router: what is known of it, and what its answer must tell.
struct Visit {
    passage: Passage,
    /// Of the network's budget. `None`: the route isn't counted.
    spent: Option<Spent>,
}

/// The answer to a request that comes to no handler.
struct Early(Result<Response, Problem>);

impl From<Problem> for Early {
    fn from(problem: Problem) -> Self {
        Self(Err(problem))
    }
}

impl Router {
    #[must_use]
    pub const fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// All that happens before a handler.
    fn enter(&self, request: &Request) -> (Visit, Result<(&'static Route, Call), Early>) {
        let head = &request.head;
        let ip = client::address(head.peer, &head.headers, &self.app.config.proxy.trusted);
        let passage = Passage::begin(&self.app, request.waited, self.request_id(Some(head)), ip);
        let mut visit = Visit { passage, spent: None };
        let admitted = self.admit(request, &mut visit);
        (visit, admitted)
    }

    fn admit(&self, request: &Request, visit: &mut Visit) -> Result<(&'static Route, Call), Early> {
        let Visit { passage, spent } = visit;
        let head = &request.head;
        let found = find(&head.path);
        passage.target = target(head, &found);
        if found.is_empty() {
            return Err(Problem::no_such_route().into());
        }
        if let Some(preflight) = self.preflight(head, &found) {
            return Err(Early(Ok(preflight)));
        }
        let Some((route, parameters)) = found.iter().find(|(route, _)| route.method.takes(&head.method)) else {
            return Err(Problem::method_not_allowed(allow(methods(&found))).into());
        };
        *spent = route.limit.and_then(|budget| rate_limit::spend(&self.app, budget, passage.ip));
        if let Some(Verdict::Refused { retry_after }) = spent.as_ref().map(|spent| spent.verdict) {
            return Err(Problem::rate_limited(retry_after).into());
        }
        Ok((route, self.call(request, route, parameters, passage)?))
    }

    fn call(
        &self,
        request: &Request,
        route: &Route,
        parameters: &[(&'static str, &str)],
        passage: &mut Passage,
    ) -> Result<Call, Problem> {
        let head = &request.head;
        // Before anything else of the request is looked at, so that nobody learns from it what they may not.
        let (actor, carrier) = self.actor(route, head, &passage.request_id)?;
        if let Actor::User(me) = &actor {
            passage.user = Some(me.account.id);
        }
        let caller = Caller {
            actor,
            ip: passage.ip,
            user_agent: user_agent(&head.headers),
            request_id: Some(passage.request_id.clone()),
        };
        if let Some(permission) = route.access.demands(&caller.actor) {
            require(&caller, permission).map_err(|refusal| Problem::from(&refusal))?;
        }
        let body = body_of(request, route)?;
        let query = wire::read_query(head.query.as_deref(), route.query)?;
        let mut fields = wire::read(body, route.request)?.and(query);
        let carrier = self.carrier(route, head, &mut fields, carrier)?;
        let parameters = parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Ok(Call::new(caller, fields, carrier, parameters))
    }

    /// All that happens after a handler, or in its stead.
    fn leave(&self, request: &Request, visit: Visit, answer: Result<Response, Problem>) -> Response {
        let Visit { passage, spent } = visit;
        let mut response = answer.unwrap_or_else(|problem| problem.response(&passage.request_id));
        if let Some(spent) = spent {
            response.headers.extend(spent.headers());
        }
        passage.end(&self.app, response.status);
        self.dress(response, Some(&request.head), passage.request_id)
    }

    /// Who asks, and how they show it. `Authorization` wins over the cookie and needs no further proof:
    /// no browser adds it by itself to what another site's page sends.
    fn actor(&self, route: &Route, head: &Head, request_id: &str) -> Result<(Actor, Carrier), Problem> {
        let headers = &head.headers;
        let signed_in = |token| authenticate::bearer(&self.app, token).map_err(|error| problem_of(&error, request_id));
        if !route.access.takes_users() && !route.access.takes_services() {
            return Ok((Actor::Anonymous, Carrier::Body));
        }
        if let Some(token) = bearer(headers)? {
            let actor = self.bearer_of(route.access, token).map_err(|error| problem_of(&error, request_id))?;
            return Ok((actor, Carrier::Body));
        }
        if !route.access.takes_users() {
            return Err(Problem::from(&Refusal::Unauthenticated));
        }
        let token = cookies::find(headers, cookies::ACCESS)?.ok_or_else(|| Problem::from(&Refusal::Unauthenticated))?;
        if route.method.is_safe() {
            return Ok((Actor::User(signed_in(token)?), Carrier::Cookies));
        }
        csrf::check_site(headers, &self.app.config)?;
        let me = signed_in(token)?;
        csrf::check_value(&self.app, headers, me.session)?;
        Ok((Actor::User(me), Carrier::Cookies))
    }

    /// Whose token it is that stands in `Authorization`. A user's is as good as none where services are asked for,
    /// and a service's where users are.
    fn bearer_of(&self, access: Access, token: &str) -> Result<Actor, Error> {
        if access.takes_services() && token.starts_with(api_key::PREFIX) {
            return authenticate::api_key(&self.app, token).map(Actor::ApiKey);
        }
        if access.takes_users() {
            return authenticate::bearer(&self.app, token).map(Actor::User);
        }
        Err(Refusal::InvalidToken.into())
    }

    /// How the answer's tokens go: as the caller's came, or as the body asks. A refresh token that comes
    /// by cookie takes its place among the fields. Where cookies are set, no other site's page may ask:
    /// it would log its visitor in to an account of its own.
    fn carrier(&self, route: &Route, head: &Head, fields: &mut Fields, carrier: Carrier) -> Result<Carrier, Problem> {
        let wanted = fields.flag(COOKIES);
        if route.access == Access::Refresh && !fields.has(REFRESH_TOKEN) {
            let token = self.refresh_cookie(&head.headers)?;
            let missing = || Refusal::invalid(REFRESH_TOKEN, "missing", "send it, or the cookie");
            let refusal = || if wanted { Refusal::InvalidToken } else { missing() };
            fields.put_token(REFRESH_TOKEN, token.ok_or_else(|| Problem::from(&refusal()))?);
            return Ok(Carrier::Cookies);
        }
        if wanted {
            csrf::check_site(&head.headers, &self.app.config)?;
            return Ok(Carrier::Cookies);
        }
        Ok(carrier)
    }

    /// The refresh token of the cookie, if the request may use it. `None`: there is no such cookie.
    fn refresh_cookie(&self, headers: &Headers) -> Result<Option<Secret<String>>, Problem> {
        let Some(token) = cookies::find(headers, cookies::REFRESH)? else {
            return Ok(None);
        };
        csrf::check_site(headers, &self.app.config)?;
        let session = refresh::session_of(token).ok_or_else(|| Problem::from(&Refusal::InvalidToken))?;
        csrf::check_value(&self.app, headers, session)?;
        Ok(Some(Secret::new(token.to_owned())))
    }

    fn request_id(&self, head: Option<&Head>) -> String {
        match head.and_then(|head| head.headers.request_id()) {
            Some(id) => id.to_owned(),
            None => RequestId::new(self.app.now(), self.app.id_entropy()).to_string(),
        }
    }

    /// Answers a browser that asks whether a page of another origin may send a request (Fetch §3.3). Never
    /// for a route that stands for others: its answer says whether a request may pass, and this one knows
    /// nothing of who asks.
    fn preflight(&self, head: &Head, found: &[Found<'_>]) -> Option<Response> {
        if found.iter().any(|(route, _)| route.method == Method::Any) {
            return None;
        }
        if head.method != "OPTIONS" || head.headers.all("access-control-request-method").next().is_none() {
            return None;
        }
        origin::allowed(&head.headers, &self.app.config.cors.origins)?;
        let preflight = Response::empty(204)
            .header("access-control-allow-methods", allow(methods(found)))
            .header("access-control-allow-headers", "Authorization, Content-Type, X-CSRF-Token, X-Request-Id")
            .header("access-control-max-age", "600");
        Some(preflight)
    }

    /// The headers on all answers.
    fn dress(&self, mut response: Response, head: Option<&Head>, request_id: String) -> Response {
        let standard = [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("referrer-policy", "no-referrer"),
        ];
        response.headers.reserve(standard.len() + 2);
        for (name, value) in standard {
            if response.headers.iter().all(|(own, _)| *own != name) {
                response = response.header(name, value);
            }
        }
        let origins = &self.app.config.cors.origins;
        if !origins.is_empty() {
            response = response.header("vary", "Origin");
        }
        if let Some(origin) = head.and_then(|head| origin::allowed(&head.headers, origins)) {
            response = response
                .header("access-control-allow-origin", origin.to_owned())
                .header("access-control-allow-credentials", "true")
                .header("access-control-expose-headers", EXPOSED);
        }
        response.header("x-request-id", request_id)
    }
}

impl Service for Router {
    fn lane(&self, head: &Head) -> Lane {
        let found = find(&head.path);
        let route = found.iter().find(|(route, _)| route.method.takes(&head.method));
        match route.map_or(Lane::Short, |(route, _)| route.lane) {
            // After the commit a token is signed, and all connections of the I/O thread would wait for it.
            Lane::Commit if current_key::signs_slowly(&self.app) => Lane::Write,
            lane => lane,
        }
    }

    fn rest(&self) {
        self.app.rest();
    }

    fn handle(&self, request: &Request) -> Response {
        let (visit, admitted) = self.enter(request);
        let answer = match admitted {
            Ok((route, call)) => {
                let (Handler::Now(now) | Handler::AfterCommit { now, .. }) = route.handler;
                now(&self.app, call).map_err(|error| problem_of(&error, &visit.passage.request_id))
            }
            Err(Early(answer)) => answer,
        };
        self.leave(request, visit, answer)
    }

    fn begin<'a>(&'a self, request: &'a Request) -> Pin<Box<dyn Future<Output = Response> + 'a>> {
        Box::pin(async move {
            let (visit, admitted) = self.enter(request);
            let answer = match admitted {
                Ok((route, call)) => {
                    let outcome = match route.handler {
                        Handler::Now(now) => now(&self.app, call),
                        Handler::AfterCommit { later, .. } => later(&self.app, call).await,
                    };
                    outcome.map_err(|error| problem_of(&error, &visit.passage.request_id))
                }
                Err(Early(answer)) => answer,
            };
            self.leave(request, visit, answer)
        })
    }

    fn refuse(&self, trouble: Trouble, head: Option<&Head>) -> Response {
        let request_id = self.request_id(head);
        if trouble == Trouble::Panicked {
            tracing::error!(request_id, "a handler panicked");
        }
        let response = Problem::from(trouble).response(&request_id);
        let target = head.map_or(Target::none(), |head| target(head, &find(&head.path)));
        request_counts::turned_away(&self.app, target, response.status, &request_id, &trouble);
        self.dress(response, head, request_id)
    }
}

fn target(head: &Head, found: &[Found<'_>]) -> Target {
    Target::of(&head.method, found.first().map(|(route, _)| route.path))
}

fn methods(found: &[Found<'_>]) -> impl Iterator<Item = Method> {
    found.iter().map(|(route, _)| route.method)
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1). `None`: there is none, or another scheme.
fn bearer(headers: &Headers) -> Result<Option<&str>, Problem> {
    let value = headers.single("authorization");
    let value = value.map_err(|Ambiguous| Problem::bad_request("send the header Authorization once"))?;
    let credentials = value.and_then(|value| value.split_once(' '));
    let token = credentials.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    Ok(token.filter(|token| !token.is_empty()))
}

fn user_agent(headers: &Headers) -> Option<String> {
    headers.single("user-agent").ok().flatten().map(cut_user_agent)
}

/// The body, if it is the route's to read.
fn body_of<'a>(request: &'a Request, route: &Route) -> Result<&'a [u8], Problem> {
    if route.method == Method::Any {
        return Ok(&[]);
    }
    check_content_type(request, route)?;
    Ok(&request.body)
}

/// Every body says that it is JSON, or a form where the route wants one. One that is missing where it is wanted is
/// the parser's to refuse.
fn check_content_type(request: &Request, route: &Route) -> Result<(), Problem> {
    let headers = &request.head.headers;
    let encoding = route.request.map_or(Encoding::Json, |body| body.encoding);
    let unsupported = || Problem::unsupported_media_type(encoding.media_type());
    let content_type = headers.single("content-type").map_err(|Ambiguous| unsupported())?;
    if request.body.is_empty() && (content_type.is_none() || route.request.is_none()) {
        return Ok(());
    }
    let is_coded = headers.all("content-encoding").next().is_some();
    let is_good = content_type.is_some_and(|content_type| is_of_type(content_type, encoding.media_type()));
    if is_coded || !is_good { Err(unsupported()) } else { Ok(()) }
}

/// That media type, in UTF-8 if it says so.
fn is_of_type(content_type: &str, wanted: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let media = parts.next().is_some_and(|media| media.eq_ignore_ascii_case(wanted));
    media
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => false,
        })
}

/// What the client is told, and what the operator.
fn problem_of(error: &Error, request_id: &str) -> Problem {
    match error {
        Error::Failed(fault @ (Fault::Overloaded { .. } | Fault::StorageUnavailable(_))) => {
            tracing::warn!(request_id, %fault, "turned away");
        }
        Error::Failed(fault) => tracing::error!(request_id, %fault, "failed"),
        Error::Refused(_) => {}
    }
    Problem::from(error)
}
