//! The daemon's face to people: the pages that links in mails lead to, for those who have no front end
//! at hand. Opening one changes nothing, since mail scanners and previews open links, too; its button
//! posts a form, and calls one use-case.
//!
//! A request's way: `transport` → here (path, method, caller) → `link` (what the page is for) → a
//! use-case → `page` (the template) → here (headers). Nothing needs a script.

mod form;
mod link;
mod page;

use crate::domain::access::Actor;
use crate::domain::caller::{Caller, cut_user_agent};
use crate::domain::id::RequestId;
use crate::domain::link::LinkKind;
use crate::error::Refusal;
use crate::transport::message::{Head, Request, Response};
use crate::transport::{Lane, Service, Trouble, client};
use crate::usecase::app::App;
use crate::usecase::app::rate_limit;
use crate::usecase::app::rate_limit::{Budget, Spent, Verdict};
use crate::usecase::app::request_counts;
use crate::usecase::app::request_counts::{Passage, Target};
use page::{Page, Press};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

const STYLE_PATH: &str = "/auth/style.css";
const STYLE: &str = include_str!("style.css");

/// Nothing from elsewhere, no script, no frame, and forms go nowhere but here.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The pages of one app, in front of another service, which answers everything that is not theirs.
pub struct Pages {
    app: Arc<App>,
    next: Arc<dyn Service>,
    press: Press,
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

/// What stands at a path of ours. There is one spelling of every path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Link(LinkKind),
    Style,
    Nowhere,
}

/// `None`: the path is somebody else's.
fn place(path: &str) -> Option<Place> {
    let link = LinkKind::ALL.into_iter().find(|kind| link::path(*kind) == path);
    match link {
        Some(kind) => Some(Place::Link(kind)),
        None if path == STYLE_PATH => Some(Place::Style),
        None if path == "/auth" || path.starts_with("/auth/") => Some(Place::Nowhere),
        None => None,
    }
}

fn target(place: Place, head: &Head) -> Target {
    let route = match place {
        Place::Link(kind) => Some(link::path(kind)),
        Place::Style => Some(STYLE_PATH),
        Place::Nowhere => None,
    };
    Target::of(&head.method, route)
}

impl Pages {
    /// Puts the pages before `next`.
    #[must_use]
    pub fn before(app: Arc<App>, next: Arc<dyn Service>) -> Self {
        let press = Press::new(&app.config.totp.issuer);
        Self { app, next, press }
    }

    fn answer(&self, place: Place, request: &Request, request_id: &str) -> Response {
        let method = request.head.method.as_str();
        let page = match (place, method) {
            (Place::Style, "GET" | "HEAD") => {
                return Response::with_body(200, "text/css; charset=utf-8", STYLE.into())
                    .header("cache-control", "public, max-age=300");
            }
            (Place::Link(kind), "GET" | "HEAD" | "POST") => return self.visit(kind, request, request_id),
            (Place::Link(_), _) => Page::method_not_allowed("GET, HEAD, POST"),
            (Place::Style, _) => Page::method_not_allowed("GET, HEAD"),
            (Place::Nowhere, _) => Page::not_found(),
        };
        self.press.print(page, request_id)
    }

    /// Looking at a link and using it are counted as the API counts them.
    fn visit(&self, kind: LinkKind, request: &Request, request_id: &str) -> Response {
        let caller = caller(&self.app, request, request_id);
        let uses = request.head.method == "POST";
        let budget = if uses { Budget::Login } else { Budget::Default };
        let spent = rate_limit::spend(&self.app, budget, caller.ip);
        let page = match spent.as_ref().map(|spent| spent.verdict) {
            Some(Verdict::Refused { retry_after }) => Page::from(&Refusal::TooManyAttempts { retry_after }),
            Some(Verdict::Admitted) | None if uses => link::submit(&self.app, kind, request, &caller),
            Some(Verdict::Admitted) | None => link::open(&self.app, kind, request, request_id),
        };
        let mut response = self.press.print(page, request_id);
        response.headers.extend(spent.iter().flat_map(Spent::headers));
        response
    }

    fn request_id(&self, head: &Head) -> String {
        let own = || RequestId::new(self.app.now(), self.app.id_entropy()).to_string();
        head.headers.request_id().map_or_else(own, str::to_owned)
    }
}

impl Service for Pages {
    fn lane(&self, head: &Head) -> Lane {
        match place(&head.path) {
            None => self.next.lane(head),
            Some(Place::Link(LinkKind::ResetPassword)) if head.method == "POST" => Lane::Hash,
            Some(Place::Link(_)) if head.method == "POST" => Lane::Write,
            Some(_) => Lane::Read,
        }
    }

    fn rest(&self) {
        self.next.rest();
    }

    fn handle(&self, request: &Request) -> Response {
        let head = &request.head;
        let Some(place) = place(&head.path) else { return self.next.handle(request) };
        let ip = client::address(head.peer, &head.headers, &self.app.config.proxy.trusted);
        let mut passage = Passage::begin(&self.app, request.waited, self.request_id(head), ip);
        passage.target = target(place, head);
        let response = self.answer(place, request, &passage.request_id);
        passage.end(&self.app, response.status);
        dress(response, passage.request_id)
    }

    fn begin<'a>(&'a self, request: &'a Request) -> Pin<Box<dyn Future<Output = Response> + 'a>> {
        match place(&request.head.path) {
            // No page waits for a commit.
            Some(_) => Box::pin(async { self.handle(request) }),
            None => self.next.begin(request),
        }
    }

    fn refuse(&self, trouble: Trouble, head: Option<&Head>) -> Response {
        let Some((head, place)) = head.and_then(|head| Some((head, place(&head.path)?))) else {
            return self.next.refuse(trouble, head);
        };
        let request_id = self.request_id(head);
        if trouble == Trouble::Panicked {
            tracing::error!(request_id, "a handler panicked");
        }
        let response = self.press.print(Page::from(trouble), &request_id);
        request_counts::turned_away(&self.app, target(place, head), response.status, &request_id, &trouble);
        dress(response, request_id)
    }
}

/// Whoever presses a button proves nothing but that they have the link.
fn caller(app: &App, request: &Request, request_id: &str) -> Caller {
    let Head { headers, peer, .. } = &request.head;
    Caller {
        actor: Actor::Anonymous,
        ip: client::address(*peer, headers, &app.config.proxy.trusted),
        user_agent: headers.single("user-agent").ok().flatten().map(cut_user_agent),
        request_id: Some(request_id.to_owned()),
    }
}

/// The headers on all answers.
fn dress(mut response: Response, request_id: String) -> Response {
    if response.headers.iter().all(|(name, _)| *name != "cache-control") {
        response = response.header("cache-control", "no-store");
    }
    response
        .header("content-security-policy", CONTENT_SECURITY_POLICY)
        .header("referrer-policy", "no-referrer")
        .header("x-content-type-options", "nosniff")
        .header("x-request-id", request_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_spelling_of_every_path() {
        assert_eq!(place("/auth/verify-email"), Some(Place::Link(LinkKind::VerifyEmail)));
        for path in ["/auth", "/auth/", "/auth/verify-email/", "/auth/Verify-email", "/auth//verify-email", "/auth/%76"]
        {
            assert_eq!(place(path), Some(Place::Nowhere), "{path}");
        }
        for path in ["/", "/authx", "//auth/verify-email", "/api/auth/login", "/AUTH/verify-email", "*"] {
            assert_eq!(place(path), None, "{path}");
        }
    }
}
