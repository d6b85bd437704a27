//! What happens to every request of either face, once: its id, the client's address, the budget it spends,
//! its line in the log, and the headers on its answer.
//!
//! The log never says what a client sent but the id that it gave the request: of the path only the route's
//! template, no query, no header, no body.

use super::rejection::RateLimited;
use super::{client, headers, origin};
use crate::domain::access::Actor;
use crate::domain::caller::Caller;
use crate::domain::id::{RequestId, UserId};
use crate::error::{Error, Fault};
use crate::transport::Trouble;
use crate::transport::message::{Head, Headers, Request, Response};
use crate::usecase::app::App;
use crate::usecase::app::rate_limit::{Budget, BudgetState, RateDecision};
use crate::usecase::app::request_counts::{self, Target};
use crate::usecase::app::spending;
use crate::usecase::app::unknown_proxy;
use std::net::IpAddr;
use std::time::Duration;

/// The longest request id of a client that is kept, in bytes.
const REQUEST_ID_MAX: usize = 128;

/// What a face puts on all its answers.
#[derive(Debug)]
pub struct Face {
    /// Header fields, in this order, unless the answer has one of that name.
    pub headers: &'static [(&'static str, &'static str)],
    pub readers: Readers,
}

/// Whose pages may read the answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readers {
    OwnOrigin,
    /// Those of the origins in `cors.origins`, too.
    ListedOrigins,
}

impl Face {
    /// Begins with a request, on the thread that took it up. `route` is the template of its path; `None`: no
    /// route has that path.
    #[must_use]
    pub fn begin<'a>(
        &'static self,
        app: &'a App,
        request: &'a Request,
        route: Option<&'static str>,
    ) -> RequestState<'a> {
        let head = &request.head;
        let trusted = &app.config.proxy.trusted;
        if client::is_unknown_proxy(head.peer, &head.headers, trusted) {
            unknown_proxy::note(app);
        }
        let log = RequestLog {
            request_id: request_id(app, Some(head)),
            ip: client::address(head.peer, &head.headers, trusted),
            begun: app.elapsed(),
            waited: request.waited,
            target: Target::of(&head.method, route),
            user: None,
            code: None,
        };
        RequestState { app, face: self, head, log, budget: None }
    }

    /// Answers in a handler's stead, for the trouble that the transport has with a request. `asked` is its
    /// head and the template of its path, as for [`Face::begin`]; `None`: there is no sound head. `show`
    /// makes the answer from the request's id.
    pub fn answer_trouble(
        &self,
        app: &App,
        trouble: Trouble,
        asked: Option<(&Head, Option<&'static str>)>,
        show: impl FnOnce(&str) -> Response,
    ) -> Response {
        let head = asked.map(|(head, _)| head);
        let request_id = request_id(app, head);
        if trouble == Trouble::Panicked {
            tracing::error!(request_id, "a handler panicked");
        }
        let response = show(&request_id);
        let status = response.status;
        let target = asked.map_or(Target::none(), |(head, route)| Target::of(&head.method, route));
        request_counts::count(app, target, status, None);
        let Target { method, route } = target;
        // There may be many at once, and the thread that tells of them must not wait for whoever reads the
        // log: so this is for debugging, and the counts tell the rest.
        tracing::debug!(method, route, status, request_id, why = ?trouble, "refused");
        self.dress(app, response, head.map(|head| &head.headers), request_id)
    }

    /// The headers on all answers.
    fn dress(
        &self,
        app: &App,
        response: Response,
        headers: Option<&Headers>,
        request_id: String,
    ) -> Response {
        let mut response = headers::add_missing(response, self.headers);
        if self.readers == Readers::ListedOrigins {
            response = origin::share(response, headers, &app.config);
        }
        response.header("x-request-id", request_id)
    }
}

/// A request on its way: what is known of it, and what its answer must tell.
#[derive(Debug)]
pub struct RequestState<'a> {
    app: &'a App,
    face: &'static Face,
    head: &'a Head,
    log: RequestLog,
    /// Of the network's budget. `None`: nothing was spent.
    budget: Option<BudgetState>,
}

impl RequestState<'_> {
    /// Gives the id that the log and the answer name this request by.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.log.request_id
    }

    /// Spends one request of the budget of the client's network.
    ///
    /// # Errors
    /// [`RateLimited`] when it is spent already.
    pub fn spend(&mut self, budget: Budget) -> Result<(), RateLimited> {
        self.budget = spending::spend(self.app, budget, self.log.ip);
        match self.budget.as_ref().map(|state| state.decision) {
            Some(RateDecision::Refused { retry_after }) => Err(RateLimited { retry_after }),
            Some(RateDecision::Admitted) | None => Ok(()),
        }
    }

    /// The context of use-cases, once it is known who acts.
    #[must_use]
    pub fn caller(&mut self, actor: Actor) -> Caller {
        if let Actor::User(me) = &actor {
            self.log.user = Some(me.account.id);
        }
        Caller {
            actor,
            ip: self.log.ip,
            user_agent: headers::user_agent(&self.head.headers),
            request_id: Some(self.log.request_id.clone()),
            browser_sessions: Vec::new(),
        }
    }

    /// Notes the code of the problem that is the answer, for the log.
    pub fn refused_as(&mut self, code: &'static str) {
        self.log.code = Some(code);
    }

    /// Finishes with the answer: counts it, leaves its line in the log, and adds what all answers carry.
    #[must_use]
    pub fn finish(self, mut response: Response) -> Response {
        if let Some(budget) = &self.budget {
            response.headers.extend(headers::of_budget(budget));
        }
        self.log.write(self.app, response.status);
        self.face.dress(self.app, response, Some(&self.head.headers), self.log.request_id)
    }
}

/// A request's line in the log, as much as is known of it.
#[derive(Debug)]
struct RequestLog {
    begun: Duration,
    /// Before it began: for a thread.
    waited: Duration,
    target: Target,
    request_id: String,
    ip: Option<IpAddr>,
    /// Who showed a good access token.
    user: Option<UserId>,
    /// Of the problem that was the answer. `None`: it was none, or a page.
    code: Option<&'static str>,
}

impl RequestLog {
    /// Counts the answer, and writes the line. What went wrong with authd itself has a line of its own, with
    /// the same id: see [`report`].
    fn write(&self, app: &App, status: u16) {
        let span = self.waited + app.elapsed().saturating_sub(self.begun);
        request_counts::count(app, self.target, status, Some(span));
        let Target { method, route } = self.target;
        let request_id = self.request_id.as_str();
        let ip = self.ip.map(tracing::field::display);
        let user = self.user.map(tracing::field::display);
        let duration_ms = f64::from(u32::try_from(span.as_micros()).unwrap_or(u32::MAX)) / 1000.0;
        let code = self.code;
        match status {
            500.. => {
                tracing::warn!(method, route, status, code, duration_ms, request_id, ip, user, "answered");
            }
            400.. => {
                tracing::info!(method, route, status, code, duration_ms, request_id, ip, user, "answered");
            }
            _ => tracing::debug!(method, route, status, duration_ms, request_id, ip, user, "answered"),
        }
    }
}

/// Tells the operator of a fault, whose text no client sees. Refusals are answers, and have the request's
/// line.
pub fn report(request_id: &str, error: &Error) {
    match error {
        Error::Failed(fault @ (Fault::Overloaded { .. } | Fault::StorageUnavailable(_))) => {
            tracing::warn!(request_id, %fault, "turned away");
        }
        Error::Failed(fault) => tracing::error!(request_id, %fault, "failed"),
        Error::Refused(_) => {}
    }
}

/// The id that the client gave the request, if it is a sane one: short, and safe in a log line and a page.
/// Otherwise a new one.
fn request_id(app: &App, head: Option<&Head>) -> String {
    let sent = head.and_then(|head| head.headers.single("x-request-id").ok().flatten());
    let is_sane = |id: &&str| {
        (1..=REQUEST_ID_MAX).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    match sent.filter(is_sane) {
        Some(id) => id.to_owned(),
        None => RequestId::new(app.now(), app.id_entropy()).to_string(),
    }
}
