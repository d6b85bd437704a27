//! The daemon's face to people: pages for those who have no front end at hand, over the same use-cases as
//! `api`. A page can do nothing that the API can't. Nothing needs a script.
//!
//! A request's way: `transport` → here → `table` (the row of the path) → `visit` (who it is, in which
//! language) → a handler → a use-case → `render` (a template). Whatever stops it on the way, `answer` says or
//! mends. What every request of either face comes through is `web/request.rs`.

mod account;
mod admin;
mod answer;
mod assets;
mod complete;
mod destination;
pub mod form;
mod gate;
pub mod language;
mod links;
mod magic_link;
mod passkeys;
mod path;
mod proof;
mod providers;
mod recover;
mod register;
pub mod render;
mod return_to;
pub mod route;
mod sign_in;
mod sign_out;
pub mod stop;
pub mod table;
mod time;
pub mod visit;
mod words;

use crate::domain::access::{Actor, Standing};
use crate::error::{Fault, Refusal};
use crate::transport::message::{Found, Head, Request, Response};
use crate::transport::{Dispatch, Lane, Service, Trouble};
use crate::usecase::app::App;
use crate::usecase::app::rate_limit::Budget;
use crate::usecase::require;
use crate::web::rejection::RateLimited;
use crate::web::request::{Face, Readers, RequestState};
use crate::web::{csrf, forwarded, session_cookie};
use assets::{Asset, Assets};
use render::Renderer;
use route::{Audience, PageRoute};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use stop::Stop;
use visit::{Arrival, Visit};

static FACE: Face = Face {
    headers: &[
        ("cache-control", "no-store"),
        // Of what is no page: each page says where its forms lead.
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        ("cross-origin-opener-policy", "same-origin"),
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
    assets: Assets,
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

/// Where proxies ask whether a request may pass.
const GATE: &str = "/api/auth/verify";

/// Stands for a path below ours where nothing is.
#[derive(Debug)]
struct Nowhere;

static NOWHERE: PageRoute = PageRoute::for_link("");

impl Pages {
    /// Puts the pages before `next`.
    ///
    /// # Errors
    /// [`Fault::Config`] for templates or a logo of the configuration that can't be used.
    pub fn before(app: Arc<App>, next: Arc<dyn Service>) -> Result<Self, Fault> {
        let renderer = Renderer::new(app.config.pages.templates.as_deref())?;
        let assets = Assets::new(&app.config.pages)?;
        Ok(Self { app, next, renderer, assets })
    }

    /// The row of a path. `None`: no page is there, or none that is on.
    fn find(&self, path: &str) -> Option<&'static PageRoute> {
        table::find(path).filter(|route| route.always || self.app.config.pages.enabled)
    }

    fn visit<'a>(
        &'a self,
        request: &'a Request,
        route: &'static PageRoute,
        state: &mut RequestState<'_>,
    ) -> (Visit<'a>, Result<(), Stop>) {
        let parameters = path::parameters(route.path, &request.head.path).unwrap_or_default();
        let parameters = parameters.into_iter().map(str::to_owned).collect();
        let me = match route.audience {
            Audience::Nobody | Audience::AtApp => Ok(None),
            Audience::Anyone | Audience::SignedIn | Audience::Holders(_) => {
                session_cookie::signed_in(&self.app, &request.head.headers)
            }
        };
        let (me, found) = me.map_or_else(|rejection| (None, Err(rejection.into())), |me| (me, Ok(())));
        let actor = me.clone().map_or(Actor::Anonymous, Actor::User);
        let caller = state.caller(actor);
        let (app, renderer) = (&*self.app, &self.renderer);
        let has_own_forms = !matches!(route.audience, Audience::Nobody | Audience::AtApp);
        let form_page = route.form;
        let arrival = Arrival { app, caller, me, request, form_page, has_own_forms, renderer, parameters };
        let mut visit = Visit::begin(arrival);
        if route.audience == Audience::AtApp {
            visit.stands_at("");
        }
        (visit, found)
    }

    /// Runs a page's handler, if the page is for whoever asks.
    fn open(&self, request: &Request, route: &'static PageRoute, state: &mut RequestState<'_>) -> Response {
        let posts = request.head.method == "POST";
        // What another site's page sends is refused, and must not use up its visitors' tries.
        let counts = posts && csrf::is_same_origin(&request.head.headers);
        let spent = state.spend(if counts { route.budget } else { Budget::Default });
        let (mut visit, found) = self.visit(request, route, state);
        let handler = match request.head.method.as_str() {
            "GET" | "HEAD" => route.get,
            "POST" => route.post,
            _ => None,
        };
        let Some(handler) = handler else {
            let response = match spent {
                Ok(()) => answer::method_not_allowed(&mut visit, route.allow()),
                Err(limited) => answer::stopped(&mut visit, Stop::Rejection(limited.into())),
            };
            return visit.finish(response);
        };
        let opened = match (spent, route.turned_away.filter(|_| posts)) {
            (Err(RateLimited { retry_after }), Some(show_again)) => {
                found.and_then(|()| show_again(&mut visit, &Refusal::TooManyAttempts { retry_after }))
            }
            (spent, _) => spent
                .map_err(|limited| Stop::Rejection(limited.into()))
                .and(found)
                .and_then(|()| admit(&visit, route))
                .and_then(|()| handler(&mut visit)),
        };
        let response = opened.unwrap_or_else(|stop| answer::stopped(&mut visit, stop));
        visit.finish(response)
    }

    /// Puts a page in the place of the gate's 403, for a person's browser; every other answer stays as it is.
    fn beyond_gate(&self, request: &Request, mut response: Response) -> Response {
        let head = &request.head;
        let is_refused = response.status == 403 && head.path == GATE && self.app.config.pages.enabled;
        if !is_refused || !forwarded::is_navigation(head, &self.app.config.proxy.trusted) {
            return response;
        }
        let mut visit = Visit::of_trouble(&self.app, &self.renderer, head, "");
        if let Ok(Some(page)) = gate::refused_at_gate(&mut visit) {
            let replaced = ["content-type", "content-security-policy"];
            response.headers.retain(|(name, _)| !replaced.contains(name));
            let page = visit.finish(page);
            response.headers.extend(page.headers);
            response.body = page.body;
        }
        response
    }

    /// Answers where no page is: with a page all the same, which costs as much as any other.
    fn nowhere(&self, request: &Request, asset: Option<Asset>, state: &mut RequestState<'_>) -> Response {
        let spent = state.spend(Budget::Default);
        let reads = matches!(request.head.method.as_str(), "GET" | "HEAD");
        let found = asset.filter(|_| spent.is_ok() && reads).and_then(|asset| self.assets.answer(asset));
        if let Some(response) = found {
            return response;
        }
        let (mut visit, _) = self.visit(request, &NOWHERE, state);
        let response = match (spent, asset) {
            (Err(limited), _) => answer::stopped(&mut visit, Stop::Rejection(limited.into())),
            (Ok(()), Some(_)) if !reads => answer::method_not_allowed(&mut visit, "GET, HEAD"),
            (Ok(()), _) => answer::stopped(&mut visit, Stop::NotFound),
        };
        visit.finish(response)
    }
}

/// Refuses whom a page is not for.
fn admit(visit: &Visit<'_>, route: &PageRoute) -> Result<(), Stop> {
    let permission = match route.audience {
        Audience::Nobody | Audience::Anyone | Audience::AtApp => return Ok(()),
        Audience::SignedIn => None,
        Audience::Holders(permission) => Some(permission),
    };
    let me = visit.signed_in()?;
    if me.standing == Standing::SecondFactorDue && !route.before_second_factor {
        return Err(Refusal::TwoFactorSetupRequired.into());
    }
    permission.map_or(Ok(()), |permission| Ok(require(&visit.caller, permission)?))
}

/// Whether a path is the pages', whatever stands there. Every request is asked this, so the table is looked
/// into for those alone that are not told by how they begin.
fn is_ours(path: &str) -> bool {
    path == "/auth" || path.starts_with("/auth/") || (path.starts_with("/.") && table::find(path).is_some())
}

impl Service for Pages {
    fn dispatch(&self, head: &Head) -> Dispatch {
        if !is_ours(&head.path) {
            return self.next.dispatch(head);
        }
        if let Some(asset) = Asset::find(&head.path) {
            return Dispatch { lane: Lane::Read, found: Found::new(asset) };
        }
        match self.find(&head.path) {
            Some(route) => {
                // A page that writes when it is opened does so for what its query says.
                let lane = match head.method.as_str() {
                    "POST" => route.lane,
                    _ if head.query.is_some() => route.get_lane,
                    _ => Lane::Read,
                };
                Dispatch { lane, found: Found::new(route) }
            }
            None => Dispatch { lane: Lane::Read, found: Found::new(&Nowhere) },
        }
    }

    fn before_wait(&self) {
        self.next.before_wait();
    }

    fn handle(&self, request: &Request) -> Response {
        if let Some(route) = request.found.get::<PageRoute>() {
            let mut state = FACE.begin(&self.app, request, Some(route.path));
            let response = self.open(request, route, &mut state);
            return state.finish(response);
        }
        let asset = request.found.get::<Asset>();
        if asset.is_none() && request.found.get::<Nowhere>().is_none() {
            let response = self.next.handle(request);
            return self.beyond_gate(request, response);
        }
        let mut state = FACE.begin(&self.app, request, asset.map(|asset| asset.path()));
        let response = self.nowhere(request, asset.copied(), &mut state);
        state.finish(response)
    }

    fn begin<'a>(&'a self, request: &'a Request) -> Pin<Box<dyn Future<Output = Response> + 'a>> {
        let found = request.found;
        let is_ours = found.get::<PageRoute>().is_some()
            || found.get::<Asset>().is_some()
            || found.get::<Nowhere>().is_some();
        // No page waits for a commit, nor does the gate's question.
        if is_ours { Box::pin(async { self.handle(request) }) } else { self.next.begin(request) }
    }

    fn refuse(&self, trouble: Trouble, head: Option<&Head>) -> Response {
        let Some(head) = head.filter(|head| is_ours(&head.path)) else {
            return self.next.refuse(trouble, head);
        };
        let path = self.find(&head.path).map(|route| route.path);
        FACE.answer_trouble(&self.app, trouble, Some((head, path)), |request_id| {
            let mut visit = Visit::of_trouble(&self.app, &self.renderer, head, request_id);
            let response = answer::trouble(&mut visit, trouble);
            visit.finish(response)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What all of the pages may take of the binary.
    const MOST: usize = 200_000;

    #[test]
    fn the_pages_are_small() {
        let (texts, templates, assets) = (language::size(), render::size(), assets::size());
        let all = texts + templates + assets;
        assert!(
            all <= MOST,
            "texts {texts} + templates {templates} + style and script {assets} = {all} bytes"
        );
    }
}
