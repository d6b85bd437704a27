//! One row of the table of pages, and what each method's handler is.

use super::stop::Stop;
use super::visit::Visit;
use crate::error::Refusal;
use crate::transport::Lane;
use crate::transport::message::Response;
use crate::usecase::app::rate_limit::Budget;

/// Answers a request: calls use-cases, and shows a page or leads on to one. It has no rules of its own.
pub type Handler = fn(&mut Visit<'_>) -> Result<Response, Stop>;

/// Answers a `POST` that was one too many for its budget: with the page again, and what was typed.
pub type TurnedAway = fn(&mut Visit<'_>, &Refusal) -> Result<Response, Stop>;

/// Who may see a page. Whoever may not is led to where they can change that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// Everybody; who is signed in is not even looked up.
    Nobody,
    /// Everybody; it may look different to those who are signed in.
    Anyone,
    /// Everybody, at the host of an application.
    AtApp,
    SignedIn,
    /// Those who are signed in and hold the permission (`area:action`).
    Holders(&'static str),
}

/// A path, what `GET` and `POST` do there, and who may.
#[must_use = "a row counts only in its table"]
#[derive(Clone, Copy, Debug)]
pub struct PageRoute {
    /// A segment in braces takes any one segment.
    pub path: &'static str,
    pub audience: Audience,
    /// Whether it is also for those who must set up a second factor before anything else.
    pub before_second_factor: bool,
    pub get: Option<Handler>,
    pub post: Option<Handler>,
    /// What a `POST` gets whose budget is spent. `None`: a page of words, as any other request.
    pub turned_away: Option<TurnedAway>,
    /// Where a `GET` is answered.
    pub get_lane: Lane,
    /// Where a `POST` is answered.
    pub lane: Lane,
    /// What a `POST` is counted against. A `GET` counts against [`Budget::Default`].
    pub budget: Budget,
    /// The page that has the form, where it is another path: a template with the same parameters.
    pub form: Option<&'static str>,
    /// Whether it is there although `pages.enabled` is off.
    pub always: bool,
}

/// Making a row. By default it has no method, and its form is answered in the lane for writes and counts as
/// every request does.
impl PageRoute {
    const fn new(path: &'static str, audience: Audience) -> Self {
        Self {
            path,
            audience,
            before_second_factor: false,
            get: None,
            post: None,
            turned_away: None,
            get_lane: Lane::Read,
            lane: Lane::Write,
            budget: Budget::Default,
            form: None,
            always: false,
        }
    }

    /// Makes a row for everybody, signed in or not.
    pub const fn for_anyone(path: &'static str) -> Self {
        Self::new(path, Audience::Anyone)
    }

    /// Makes a row for everybody, at the host of an application.
    pub const fn for_app(path: &'static str) -> Self {
        Self::new(path, Audience::AtApp)
    }

    /// Makes a row for those who are signed in.
    pub const fn for_signed_in(path: &'static str) -> Self {
        Self::new(path, Audience::SignedIn)
    }

    /// Makes a row for those who hold a permission (`area:action`). The use-case asks again.
    pub const fn for_holders(path: &'static str, permission: &'static str) -> Self {
        Self::new(path, Audience::Holders(permission))
    }

    /// Makes a row of what a link in a mail leads to, which is there although `pages.enabled` is off.
    pub const fn for_link(path: &'static str) -> Self {
        Self { always: true, ..Self::new(path, Audience::Nobody) }
    }

    /// Answers `GET` and `HEAD` by this handler.
    pub const fn get(self, handler: Handler) -> Self {
        Self { get: Some(handler), ..self }
    }

    /// Answers `POST` by this handler.
    pub const fn post(self, handler: Handler) -> Self {
        Self { post: Some(handler), ..self }
    }

    /// Answers a `POST` whose budget is spent by this handler, as something was typed that would be lost.
    pub const fn turned_away(self, handler: TurnedAway) -> Self {
        Self { turned_away: Some(handler), ..self }
    }

    /// Answers `POST` in the lane of those who hash passwords, and counts it as a try to log in.
    pub const fn checks_credentials(self) -> Self {
        Self { lane: Lane::Hash, budget: Budget::Login, ..self }
    }

    /// Answers `GET` in this lane instead of the one for reads.
    pub const fn opens_in(self, lane: Lane) -> Self {
        Self { get_lane: lane, ..self }
    }

    /// Answers `POST` in this lane.
    pub const fn lane(self, lane: Lane) -> Self {
        Self { lane, ..self }
    }

    /// Counts a `POST` against this budget.
    pub const fn limit(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Names the page that has the form: the row itself answers no `GET`.
    pub const fn form_on(self, path: &'static str) -> Self {
        Self { form: Some(path), ..self }
    }

    /// Lets those in, too, who must set up a second factor first.
    pub const fn before_second_factor(self) -> Self {
        Self { before_second_factor: true, ..self }
    }

    /// What `Allow` says.
    #[must_use]
    pub const fn allow(&self) -> &'static str {
        match (self.get.is_some(), self.post.is_some()) {
            (true, true) => "GET, HEAD, POST",
            (false, true) => "POST",
            (_, false) => "GET, HEAD",
        }
    }
}
