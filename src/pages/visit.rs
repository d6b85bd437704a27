//! One request of a browser: who it is from, what it carries, and the page or the way on that answers it.

use super::form::{self, BadForm, Fields, Form};
use super::language::{Language, Translator};
use super::path::fill;
use super::render::Renderer;
use super::stop::Stop;
use super::{time, words};
use crate::config::Registration;
use crate::domain::access::{Actor, SignedIn, administers};
use crate::domain::application::{Application, AskedHost};
use crate::domain::caller::Caller;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::error::Refusal;
use crate::transport::message::{Head, Headers, Request, Response};
use crate::usecase::app::App;
use crate::usecase::reauthenticate;
use crate::usecase::session::{csrf, handover};
use crate::web::headers::retry_after_s;
use crate::web::page_cookies::PageCookie;
use crate::web::rejection::Rejection;
use crate::web::{content_security_policy, cookies, forwarded, navigation, question, session_cookie};
use minijinja::{Value, context};
use std::borrow::Cow;

/// A visit to a page.
#[derive(Debug)]
pub struct Visit<'a> {
    pub app: &'a App,
    pub caller: Caller,
    /// Who is signed in in this browser. `None`: nobody, or the page doesn't ask.
    pub me: Option<SignedIn>,
    pub language: Language,
    head: &'a Head,
    body: &'a [u8],
    /// The page that has the form, where it is another path: see `route`.
    form_page: Option<&'static str>,
    renderer: &'a Renderer,
    parameters: Vec<String>,
    /// Whether forms of the page are told from those of others by what the browser keeps.
    has_own_forms: bool,
    /// What the browser keeps that is signed in nowhere. `None`: nothing yet.
    browser: Option<String>,
    /// Of cookies to be set with the answer, whatever it is.
    set_cookies: Vec<String>,
    /// Where a form of the page may lead on to, besides authd itself.
    form_action: Option<String>,
    /// The origin of the application at whose host the visitor is, where authd has no other pages, and no
    /// stylesheet; empty while that is not known. `None`: at authd's own host.
    at_app: Option<String>,
    /// Whether the answer stands in the place of an application's own page, at that page's address.
    in_place_of_a_page: bool,
}

/// What a visit begins with.
#[derive(Debug)]
pub struct Arrival<'a> {
    pub app: &'a App,
    pub caller: Caller,
    pub me: Option<SignedIn>,
    pub request: &'a Request,
    /// The page that has the form, where it is another path.
    pub form_page: Option<&'static str>,
    /// Whether forms of the page are told from those of others by a value of this browser's.
    pub has_own_forms: bool,
    pub renderer: &'a Renderer,
    pub parameters: Vec<String>,
}

impl<'a> Visit<'a> {
    /// Begins a visit. A cookie of the pages' own that stands twice counts as none.
    #[must_use]
    pub fn begin(arrival: Arrival<'a>) -> Self {
        let Arrival { app, caller, me, request, form_page, has_own_forms, renderer, parameters } = arrival;
        Self {
            me,
            form_page,
            has_own_forms,
            parameters,
            body: &request.body,
            ..Self::new(app, renderer, &request.head, caller)
        }
    }

    /// A visit that came to no page, for the trouble that the transport has with it.
    #[must_use]
    pub fn of_trouble(app: &'a App, renderer: &'a Renderer, head: &'a Head, request_id: &str) -> Self {
        let caller =
            Caller { actor: Actor::Anonymous, request_id: Some(request_id.to_owned()), ..Caller::system() };
        Self::new(app, renderer, head, caller)
    }

    fn new(app: &'a App, renderer: &'a Renderer, head: &'a Head, caller: Caller) -> Self {
        let cookie = |cookie: PageCookie| cookies::find(&head.headers, cookie.name()).ok().flatten();
        let mut set_cookies = Vec::new();
        let chosen = query_value(head, "lang").as_deref().and_then(Language::find);
        if let Some(language) = chosen {
            set_cookies.push(PageCookie::Language.set(language.tag()));
        }
        let language = chosen.or_else(|| Language::find(cookie(PageCookie::Language)?));
        Self {
            language: language.unwrap_or_else(|| Language::preferred(&head.headers)),
            browser: cookie(PageCookie::Form).map(str::to_owned),
            app,
            caller,
            me: None,
            head,
            body: &[],
            form_page: None,
            has_own_forms: false,
            renderer,
            parameters: Vec::new(),
            set_cookies,
            form_action: None,
            at_app: None,
            in_place_of_a_page: false,
        }
    }

    /// What stands for the braces of the route's path, in order; empty for one that it doesn't have.
    #[must_use]
    pub fn parameter(&self, at: usize) -> &str {
        self.parameters.get(at).map_or("", String::as_str)
    }

    /// The first value of this name in the query, decoded. `None`: there is none.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        query_value(self.head, name)
    }

    /// The secret in the query of a mail's link. `None`: it is no whole link.
    #[must_use]
    pub fn link_token(&self) -> Option<Secret<String>> {
        const OF: Fields = Fields { required: &["token"], optional: &["lang"], lists: &[] };
        let query = self.head.query.as_deref()?;
        Form::read(query.as_bytes(), OF.required, OF).ok().map(|form| form.secret("token"))
    }

    /// The id that the log names this request by.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.caller.request_id.as_deref().unwrap_or_default()
    }

    /// Whether the browser sent a session's cookie, good or not.
    #[must_use]
    pub fn has_session_cookie(&self) -> bool {
        cookies::find(&self.head.headers, session_cookie::NAME).is_ok_and(|cookie| cookie.is_some())
    }

    /// One of the pages' own cookies. `None`: the browser sent none.
    ///
    /// # Errors
    /// [`Rejection::Ambiguous`] for one that stands twice.
    pub fn cookie(&self, cookie: PageCookie) -> Result<Option<&'a str>, Rejection> {
        cookies::find(&self.head.headers, cookie.name())
    }

    /// Sets a cookie with the answer.
    pub fn set_cookie(&mut self, cookie: PageCookie, value: &str) {
        self.set_cookies.push(cookie.set(value));
    }

    /// Takes a cookie away with the answer.
    pub fn clear_cookie(&mut self, cookie: PageCookie) {
        self.set_cookies.push(cookie.clear());
    }

    /// Hands a secret to the page at `path`, which the answer leads on to.
    pub fn hand_over(&mut self, path: &str, text: &Secret<String>) {
        if let Some(me) = &self.me {
            let sealed = handover::seal(self.app, me, path, text);
            self.set_cookie(PageCookie::Handover, &sealed);
        }
    }

    /// What was handed to the page at `path`, this one. `None`: nothing, or to another session, or too long
    /// ago.
    #[must_use]
    pub fn handed(&self, path: &str) -> Option<Secret<String>> {
        let sealed = self.cookie(PageCookie::Handover).ok().flatten()?;
        handover::open(self.app, self.me.as_ref()?, path, sealed)
    }

    /// As [`Visit::handed`], and not a second time.
    #[must_use]
    pub fn handed_once(&mut self, path: &str) -> Option<Secret<String>> {
        let handed = self.handed(path)?;
        self.clear_cookie(PageCookie::Handover);
        Some(handed)
    }

    /// A point in time as templates show it; `None` as a dash.
    #[must_use]
    pub fn time(&self, at: impl Into<Option<Timestamp>>) -> Value {
        at.into().map_or(Value::from(()), |at| time::value(self.language, at))
    }

    /// Whoever is signed in.
    ///
    /// # Errors
    /// `unauthenticated`, which leads to the sign-in page.
    pub fn signed_in(&self) -> Result<&SignedIn, Stop> {
        Ok(self.me.as_ref().ok_or(Refusal::Unauthenticated)?)
    }

    /// Asks for a fresh login, which is asked for in between.
    ///
    /// # Errors
    /// `fresh_login_required`, which leads to the page that confirms.
    pub fn require_fresh(&self) -> Result<(), Stop> {
        Ok(reauthenticate::check(self.app, &self.caller)?)
    }

    /// Whether whoever is signed in holds a permission (`area:action`).
    #[must_use]
    pub fn may(&self, permission: &str) -> bool {
        self.caller.actor.may(permission)
    }

    /// Reads the form that was sent, which must be of this browser's session, or of this browser where nobody
    /// is signed in.
    ///
    /// # Errors
    /// [`Stop::Form`].
    pub fn form(&self, of: Fields) -> Result<Form, Stop> {
        self.check_form()?;
        let mut fields = of.required.to_vec();
        fields.push(form::CSRF);
        let form = Form::read(self.body, &fields, of)?;
        let value = form.secret(form::CSRF);
        if self.is_own_value(value.expose()) { Ok(form) } else { Err(BadForm::CrossSite.into()) }
    }

    /// As [`Visit::form`], of a page whose link is the proof: its secret is in no other site's hands.
    ///
    /// # Errors
    /// [`Stop::Form`].
    pub fn form_of_link(&self, of: Fields) -> Result<Form, Stop> {
        self.check_form()?;
        Ok(Form::read(self.body, of.required, of).map_err(|_| BadForm::NotTheWholeLink)?)
    }

    /// Looks whether it is a form, and one that a page of this host sent.
    ///
    /// # Errors
    /// [`Stop::Form`].
    pub fn check_form(&self) -> Result<(), Stop> {
        let origin = self.at_app.as_ref().map_or(self.app.config.public_url.as_str(), String::as_str);
        Ok(form::check(&self.head.headers, origin)?)
    }

    fn is_own_value(&self, value: &str) -> bool {
        // An application's pages can read what stands on its host, so no value of the session does.
        match (self.me.as_ref().filter(|_| self.at_app.is_none()), &self.browser) {
            (Some(me), _) => csrf::is_authentic(self.app, me.session, value),
            (None, Some(browser)) => csrf::is_of_browser(self.app, browser, value),
            (None, None) => false,
        }
    }

    /// The value that the forms of the answer carry; the browser gets what it belongs to.
    fn csrf_value(&mut self) -> String {
        if let Some(me) = self.me.as_ref().filter(|_| self.at_app.is_none()) {
            return csrf::value(self.app, me.session);
        }
        if let (Some(_), Some(browser)) = (&self.at_app, &self.browser) {
            return csrf::value_of_browser(self.app, browser);
        }
        if !self.has_own_forms {
            return String::new();
        }
        let browser = self.browser.take().unwrap_or_else(|| {
            let new = csrf::new_browser(self.app);
            self.set_cookies.push(PageCookie::Form.set(&new));
            new
        });
        let value = csrf::value_of_browser(self.app, &browser);
        self.browser = Some(browser);
        value
    }

    /// Lets the forms of the answer lead on to another origin: browsers hold `form-action` against redirects,
    /// too (CSP 3 §6.4.1).
    pub fn let_forms_lead_to(&mut self, origin: Option<&str>) {
        self.form_action = origin.map(str::to_owned);
    }

    /// Says that the visitor is at an application's host; `origin` is empty while it is not known which.
    pub fn stands_at(&mut self, origin: &str) {
        self.at_app = Some(origin.to_owned());
    }

    /// Lets forms of an application's host belong to whoever has this cookie there.
    pub fn forms_belong_to(&mut self, cookie: &str) {
        self.browser = Some(cookie.to_owned());
    }

    /// Whether a browser goes to a page by this request, as far as it says so: no picture and no script does.
    #[must_use]
    pub fn is_navigation(&self) -> bool {
        self.head.method == "GET" && navigation::may_be_navigation(&self.head.headers)
    }

    /// Says that the visitor is at a page of an application, and the answer stands in its place.
    pub fn stands_at_page_of(&mut self, origin: &str) {
        self.stands_at(origin);
        self.in_place_of_a_page = true;
    }

    /// What the browser sent beside the request.
    #[must_use]
    pub fn headers(&self) -> &'a Headers {
        &self.head.headers
    }

    /// The host that a trusted proxy was asked for. `None`: it names none.
    ///
    /// # Errors
    /// [`Rejection::Ambiguous`] for more than one.
    pub fn forwarded_host(&self) -> Result<Option<AskedHost>, Rejection> {
        forwarded::host(self.head, &self.app.config.proxy.trusted)
    }

    /// The path of the page that a trusted proxy was asked for; the first page where it says none.
    #[must_use]
    pub fn forwarded_path(&self) -> &'a str {
        forwarded::path(self.head, &self.app.config.proxy.trusted).unwrap_or("/")
    }

    /// The application that a proxy's question is about. `None`: it is about none that there is.
    ///
    /// # Errors
    /// [`Rejection::Ambiguous`]; the store's.
    pub fn asked_application(&self) -> Result<Option<Application>, Rejection> {
        question::asked_about(self.app, self.head)
    }

    /// A text in the language of the visit, by `section.name`.
    #[must_use]
    pub fn text(&self, key: &str) -> &'static str {
        self.language.text(key).unwrap_or_default()
    }

    /// What a refusal means to a person, as a sentence.
    #[must_use]
    pub fn explain(&self, refusal: &Refusal) -> String {
        words::refusal(self.language, refusal)
    }

    /// Answers with a page: the template, with `page` and what every page has.
    #[must_use]
    pub fn page(&mut self, status: u16, template: &str, page: Value) -> Response {
        let notice = self.notice();
        let csrf = self.csrf_value();
        // At an application's host none of the links would lead anywhere.
        let me = self.me.as_ref().filter(|_| self.at_app.is_none()).map(|me| {
            context! {
                email => me.account.email.as_str(),
                name => me.account.name.to_string(),
                administers => administers(&me.account),
            }
        });
        let languages: Vec<_> = Language::all()
            .map(|language| {
                context! {
                    tag => language.tag(),
                    name => language.name(),
                    current => language == self.language,
                }
            })
            .collect();
        let common = context! {
            t => Value::from_object(Translator(self.language)),
            lang => self.language.tag(),
            // A link to another language would lead to the application's page once more.
            languages => if self.in_place_of_a_page { Vec::new() } else { languages },
            service => self.app.config.pages.name.as_str(),
            logo => self.app.config.pages.logo_file.is_some(),
            may_register => self.app.config.registration == Registration::Open,
            path => self.head.path.as_str(),
            query => self.carried_query(),
            complains => matches!(status, 401 | 422 | 429),
            csrf,
            me,
            said => notice,
            // Where the stylesheet and the logo are.
            base => if self.at_app.is_some() { self.app.config.public_url.as_str() } else { "" },
        };
        let html = self.renderer.render(template, &context! { ..page, ..common });
        let response = Response::with_body(status, "text/html; charset=utf-8", html.into_bytes());
        let base = if self.at_app.is_some() { self.app.config.public_url.as_str() } else { "" };
        let leads_to = self.form_action.as_deref().unwrap_or_default();
        response.header("content-security-policy", content_security_policy::of_page(base, leads_to))
    }

    /// The query, but for the language, so that another can be chosen.
    fn carried_query(&self) -> String {
        let query = self.head.query.as_deref().unwrap_or_default();
        let carried: Vec<_> =
            query.split('&').filter(|pair| !pair.starts_with("lang=") && !pair.is_empty()).collect();
        carried.iter().map(|pair| format!("{pair}&")).collect()
    }

    /// What was done a moment ago, to be said once. `None`: nothing.
    fn notice(&mut self) -> Option<&'static str> {
        let key = self.cookie(PageCookie::Notice).ok().flatten()?;
        self.clear_cookie(PageCookie::Notice);
        self.language.text(&format!("notice.{key}"))
    }

    /// A page of words alone: `section` has its `title` and its `text`.
    #[must_use]
    pub fn message(&mut self, status: u16, section: &str, text: Option<String>) -> Response {
        let title = self.text(&format!("{section}.title"));
        let text = text.unwrap_or_else(|| self.text(&format!("{section}.text")).to_owned());
        // The operator finds by it what went wrong.
        let reference = if status >= 500 { self.request_id().to_owned() } else { String::new() };
        self.page(status, "message.html", context! { title, text, reference })
    }

    /// Leads on, so that a reload sends no form twice.
    #[must_use]
    pub fn see_other(&self, to: impl Into<Cow<'static, str>>) -> Response {
        Response::empty(303).header("location", to)
    }

    /// As [`Visit::see_other`], to a page that then says what was done (`notice.<key>` of the texts).
    #[must_use]
    pub fn done(&mut self, to: impl Into<Cow<'static, str>>, notice: &str) -> Response {
        self.set_cookie(PageCookie::Notice, notice);
        self.see_other(to)
    }

    /// Lets a sign-in end the sessions that the browser has already.
    ///
    /// # Errors
    /// [`Rejection::Ambiguous`] for cookies that stand twice.
    pub fn replace_sessions(&mut self) -> Result<(), Rejection> {
        self.caller.browser_sessions = session_cookie::browser_sessions(&self.head.headers)?;
        Ok(())
    }

    /// Adds `Retry-After`, where a refusal says when.
    #[must_use]
    pub fn and_retry_after(&self, response: Response, refusal: &Refusal) -> Response {
        match refusal {
            Refusal::TooManyAttempts { retry_after } => {
                response.header("retry-after", retry_after_s(*retry_after).to_string())
            }
            _ => response,
        }
    }

    /// The page to come back to: this one, or the one that has the form that was sent.
    #[must_use]
    pub fn way_back(&self) -> String {
        let head = self.head;
        match self.form_page.filter(|_| head.method == "POST") {
            Some(form) => fill(form, &self.parameters),
            None => match &head.query {
                Some(query) if head.method != "POST" => format!("{}?{query}", head.path),
                _ => head.path.clone(),
            },
        }
    }

    /// Finishes with the answer, which gets the cookies that were set on the way.
    #[must_use]
    pub fn finish(self, response: Response) -> Response {
        self.set_cookies.into_iter().fold(response, |response, cookie| response.header("set-cookie", cookie))
    }

    /// Signs the browser out, where its session is over.
    #[must_use]
    pub fn forget_session(&mut self, response: Response) -> Response {
        self.me = None;
        session_cookie::end(response)
    }
}

fn query_value(head: &Head, name: &str) -> Option<String> {
    let query = head.query.as_deref()?;
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
    values.next().map(|(_, value)| value.into_owned())
}
