//! The daemon's face to people: the pages that links in mails lead to, for those who have no front end
//! at hand. Opening one changes nothing, since mail scanners and previews open links, too; its button
//! posts a form, and calls one use-case.
//!
//! A request's way: `transport` → here (path, method) → `link` (what the page is for) → a use-case → `page`
//! (the template). What every request of either face comes through is `web/request.rs`. Nothing needs a
//! script.

mod form;
mod link;
mod page;

use crate::domain::access::Actor;
use crate::domain::link::LinkKind;
use crate::error::Refusal;
use crate::transport::message::{Found, Head, Request, Response};
use crate::transport::{Dispatch, Lane, Service, Trouble};
use crate::usecase::app::App;
use crate::usecase::app::rate_limit::Budget;
use crate::web::rejection::RateLimited;
use crate::web::request::{Face, Readers, RequestState};
use page::{Page, Renderer};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

const STYLE_PATH: &str = "/auth/style.css";
const STYLE: &str = include_str!("style.css");

static FACE: Face = Face {
    headers: &[
        ("cache-control", "no-store"),
        // Nothing from elsewhere, no script, no frame, and forms go nowhere but here.
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ],
    readers: Readers::OwnOrigin,
};

/// The pages of one app, in front of another service, which answers everything that is not theirs.
pub struct Pages {
    app: Arc<App>,
    next: Arc<dyn Service>,
    renderer: Renderer,
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

/// What stands at a path of ours. There is one spelling of every path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum PageRoute {
    Link(LinkKind),
    Style,
    Nowhere,
}

/// The page behind each kind of link; of those that share a path the first counts.
static LINKS: [PageRoute; LinkKind::ALL.len()] = {
    let (mut links, mut kind) = ([PageRoute::Nowhere; LinkKind::ALL.len()], 0);
    while kind < links.len() {
        links[kind] = PageRoute::Link(LinkKind::ALL[kind]);
        kind += 1;
    }
    links
};

impl PageRoute {
    /// Finds what stands at a path. `None`: the path is somebody else's.
    fn find(path: &str) -> Option<&'static Self> {
        if path != "/auth" && !path.starts_with("/auth/") {
            return None;
        }
        let link = LINKS.iter().find(|link| link.path() == Some(path));
        Some(link.unwrap_or(if path == STYLE_PATH { &Self::Style } else { &Self::Nowhere }))
    }

    const fn path(self) -> Option<&'static str> {
        match self {
            Self::Link(kind) => Some(link::path(kind)),
            Self::Style => Some(STYLE_PATH),
            Self::Nowhere => None,
        }
    }

    fn lane(self, method: &str) -> Lane {
        match self {
            Self::Link(LinkKind::ResetPassword) if method == "POST" => Lane::Hash,
            Self::Link(_) if method == "POST" => Lane::Write,
            Self::Link(_) | Self::Style | Self::Nowhere => Lane::Read,
        }
    }
}

impl Pages {
    /// Puts the pages before `next`.
    #[must_use]
    pub fn before(app: Arc<App>, next: Arc<dyn Service>) -> Self {
        let renderer = Renderer::new(&app.config.totp.issuer);
        Self { app, next, renderer }
    }

    fn answer(&self, route: PageRoute, request: &Request, state: &mut RequestState<'_>) -> Response {
        let page = match (route, request.head.method.as_str()) {
            (PageRoute::Style, "GET" | "HEAD") => {
                return Response::with_body(200, "text/css; charset=utf-8", STYLE)
                    .header("cache-control", "public, max-age=300");
            }
            (PageRoute::Link(kind), "GET" | "HEAD" | "POST") => self.visit(kind, request, state),
            (PageRoute::Link(_), _) => Page::method_not_allowed("GET, HEAD, POST"),
            (PageRoute::Style, _) => Page::method_not_allowed("GET, HEAD"),
            (PageRoute::Nowhere, _) => Page::not_found(),
        };
        self.renderer.render(page, state.request_id())
    }

    /// Looking at a link and using it are counted as the API counts them. Whoever presses a button proves
    /// nothing but that they have the link.
    fn visit(&self, kind: LinkKind, request: &Request, state: &mut RequestState<'_>) -> Page {
        let uses = request.head.method == "POST";
        let budget = if uses { Budget::Login } else { Budget::Default };
        match state.spend(budget) {
            Err(RateLimited { retry_after }) => Page::from(&Refusal::TooManyAttempts { retry_after }),
            Ok(()) if uses => link::submit(&self.app, kind, request, &state.caller(Actor::Anonymous)),
            Ok(()) => link::open(&self.app, kind, request, state.request_id()),
        }
    }
}

impl Service for Pages {
    fn dispatch(&self, head: &Head) -> Dispatch {
        match PageRoute::find(&head.path) {
            Some(route) => Dispatch { lane: route.lane(&head.method), found: Found::new(route) },
            None => self.next.dispatch(head),
        }
    }

    fn before_wait(&self) {
        self.next.before_wait();
    }

    fn handle(&self, request: &Request) -> Response {
        let Some(route) = request.found.get::<PageRoute>() else {
            return self.next.handle(request);
        };
        let mut state = FACE.begin(&self.app, request, route.path());
        let response = self.answer(*route, request, &mut state);
        state.finish(response)
    }

    fn begin<'a>(&'a self, request: &'a Request) -> Pin<Box<dyn Future<Output = Response> + 'a>> {
        match request.found.get::<PageRoute>() {
            // No page waits for a commit.
            Some(_) => Box::pin(async { self.handle(request) }),
            None => self.next.begin(request),
        }
    }

    fn refuse(&self, trouble: Trouble, head: Option<&Head>) -> Response {
        let Some((head, route)) = head.and_then(|head| Some((head, PageRoute::find(&head.path)?))) else {
            return self.next.refuse(trouble, head);
        };
        FACE.answer_trouble(&self.app, trouble, Some((head, route.path())), |request_id| {
            self.renderer.render(Page::from(trouble), request_id)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_spelling_of_every_path() {
        assert_eq!(PageRoute::find("/auth/verify-email"), Some(&PageRoute::Link(LinkKind::VerifyEmail)));
        for path in [
            "/auth",
            "/auth/",
            "/auth/verify-email/",
            "/auth/Verify-email",
            "/auth//verify-email",
            "/auth/%76",
        ] {
            assert_eq!(PageRoute::find(path), Some(&PageRoute::Nowhere), "{path}");
        }
        for path in ["/", "/authx", "//auth/verify-email", "/api/auth/login", "/AUTH/verify-email", "*"] {
            assert_eq!(PageRoute::find(path), None, "{path}");
        }
    }
}
