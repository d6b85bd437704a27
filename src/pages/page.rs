//! One page: its words, its form, and the template that makes HTML of them and escapes what it is given.

use crate::domain::device;
use crate::domain::email::Email;
use crate::domain::registration::Registration;
use crate::domain::secret::Secret;
use crate::error::{Error, Fault, Refusal};
use crate::transport::Trouble;
use crate::transport::message::Response;
use crate::web::headers::{BUSY_RETRY_AFTER_S, retry_after_s};
use crate::web::{request, status};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use std::borrow::Cow;

const TEMPLATE: &str = "page.html";

#[derive(Debug)]
pub struct Page {
    status: u16,
    title: &'static str,
    text: String,
    form: Option<Form>,
    headers: Vec<(&'static str, Cow<'static, str>)>,
}

/// A button that does what the link is for.
#[derive(Debug)]
pub struct Form {
    pub action: &'static str,
    /// The link's secret, as it was sent.
    pub token: Secret<String>,
    /// The address that it is about.
    pub account: Email,
    pub button: &'static str,
    /// Who registered, where an account is made by it.
    pub registrant: Option<Registrant>,
    pub password: PasswordFields,
    /// Why what was sent before was not taken; `None`: nothing was.
    pub complaint: Option<String>,
}

/// Which passwords are asked for.
#[derive(Debug)]
pub enum PasswordFields {
    /// None: the button alone.
    None,
    /// The one that was chosen at the registration.
    Current,
    /// A new one, twice. `min_length` in code points.
    New { min_length: usize },
}

/// What is known of whoever registered. They chose the name, and how their browser calls itself.
#[derive(Debug)]
pub struct Registrant {
    /// May be empty.
    name: String,
    /// In words of ours; empty: not one that is known.
    browser: String,
    /// Empty: not known.
    network: String,
    /// UTC.
    time: String,
    pub password_required: bool,
}

impl From<&Registration> for Registrant {
    fn from(registration: &Registration) -> Self {
        Self {
            name: registration.name.to_string(),
            browser: registration.user_agent.as_deref().and_then(device::name).unwrap_or_default(),
            network: registration.ip.clone().unwrap_or_default(),
            time: registration.created_at.in_words(),
            password_required: registration.password_required,
        }
    }
}

impl Page {
    /// Makes a page of words alone, without a form.
    pub fn new(status: u16, title: &'static str, text: impl Into<String>) -> Self {
        Self { status, title, text: text.into(), form: None, headers: Vec::new() }
    }

    /// A page to act on: 200, or 422 when it comes back with a complaint.
    pub fn with_form(title: &'static str, text: &str, form: Form) -> Self {
        let status = if form.complaint.is_some() { 422 } else { 200 };
        Self { form: Some(form), ..Self::new(status, title, text) }
    }

    /// Makes the 404 page, for a path that no page has.
    pub fn not_found() -> Self {
        let text = "Nothing is here. Open the link from the mail once more, or copy the whole of it into the address bar.";
        Self::new(404, "Page not found", text)
    }

    /// Makes the 405 page; `allow` lists the methods that the path does have.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self::new(
            405,
            "That can\u{2019}t be done here",
            "Open the link from the mail, and use the button of its page.",
        )
        .header("allow", allow)
    }

    /// A page for what no link's own words explain. A fault's text is logged and stays here.
    pub fn of_error(error: &Error, request_id: &str) -> Self {
        request::report(request_id, error);
        match error {
            Error::Refused(refusal) => Self::from(refusal),
            Error::Failed(fault) => Self::from(fault),
        }
    }

    fn busy(status: u16, retry_after_s: u32) -> Self {
        Self::new(
            status,
            "Too busy just now",
            "Nothing was changed, and the link is still good. Try again in a moment.",
        )
        .header("retry-after", retry_after_s.to_string())
    }

    fn internal(status: u16) -> Self {
        Self::new(
            status,
            "Something went wrong",
            "It is not your fault. Try again; if it stays like this, tell whoever runs this service.",
        )
    }

    fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A refusal that the page's own words don't explain; most can't come from a link.
impl From<&Refusal> for Page {
    fn from(refusal: &Refusal) -> Self {
        let status = status::of_refusal(refusal);
        if let Refusal::TooManyAttempts { retry_after } = refusal {
            let seconds = retry_after_s(*retry_after).to_string();
            let text = format!("Wait {seconds} seconds, then try again.");
            return Self::new(status, "Too many attempts", text).header("retry-after", seconds);
        }
        Self::new(status, "That didn\u{2019}t work", format!("Nothing was changed: {refusal}."))
    }
}

impl From<&Fault> for Page {
    fn from(fault: &Fault) -> Self {
        let status = status::of_fault(fault);
        match fault {
            Fault::Overloaded { retry_after } => Self::busy(status, retry_after_s(*retry_after)),
            Fault::StorageUnavailable(_) => Self::busy(status, BUSY_RETRY_AFTER_S),
            Fault::Storage(_)
            | Fault::CheckFailed(_)
            | Fault::Permission(_)
            | Fault::Config(_)
            | Fault::Stopped(_)
            | Fault::Internal(_) => Self::internal(status),
        }
    }
}

impl From<Trouble> for Page {
    fn from(trouble: Trouble) -> Self {
        let status = status::of_trouble(trouble);
        match trouble {
            Trouble::BadRequest(_)
            | Trouble::HeadersTooLarge
            | Trouble::BodyTooLarge
            | Trouble::ExpectationFailed => Self::new(
                status,
                "Your browser sent something odd",
                "Open the link from the mail once more, in another browser if need be.",
            ),
            Trouble::RequestTimeout => Self::new(
                status,
                "That took too long",
                "The connection may be poor. Open the link from the mail once more.",
            ),
            Trouble::MethodRefused => Self::method_not_allowed("GET, HEAD, POST"),
            Trouble::Crowded | Trouble::Overloaded => Self::busy(status, BUSY_RETRY_AFTER_S),
            Trouble::Panicked => Self::internal(status),
        }
    }
}

/// Makes HTML of pages.
pub struct Renderer {
    environment: Environment<'static>,
    /// What the service calls itself.
    service: String,
}

impl Renderer {
    /// Makes a renderer for a service of this name, with the template read and checked.
    pub fn new(service: &str) -> Self {
        let mut environment = Environment::empty();
        // Whatever the template is given is text, not markup. An empty environment doesn't do this by itself.
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment
            .add_template(TEMPLATE, include_str!("page.html"))
            .expect("the template is held by a test");
        Self { environment, service: service.to_owned() }
    }

    /// The answer that shows a page. `request_id` is shown where the operator can do something with it.
    pub fn render(&self, page: Page, request_id: &str) -> Response {
        let form = page.form.as_ref().map_or_else(|| Value::from(()), form_value);
        let context = context! {
            service => self.service.as_str(),
            title => page.title,
            text => page.text.as_str(),
            complains => page.status == 422,
            reference => if page.status >= 500 { request_id } else { "" },
            form => form,
        };
        let template = self.environment.get_template(TEMPLATE).expect("it was added");
        let html = template.render(context).expect("the template names only what it is given");
        let mut response = Response::with_body(page.status, "text/html; charset=utf-8", html.into_bytes());
        response.headers.extend(page.headers);
        response
    }
}

fn form_value(form: &Form) -> Value {
    let (current, min_length) = match form.password {
        PasswordFields::None => (false, None),
        PasswordFields::Current => (true, None),
        PasswordFields::New { min_length } => (false, Some(min_length)),
    };
    let registrant = form.registrant.as_ref().map(|of| {
        context! {
            name => of.name.as_str(),
            browser => of.browser.as_str(),
            network => of.network.as_str(),
            time => of.time.as_str(),
        }
    });
    context! {
        action => form.action,
        token => form.token.expose().as_str(),
        account => form.account.as_str(),
        button => form.button,
        registrant => registrant,
        current_password => current,
        min_length => min_length,
        complaint => form.complaint.as_deref().unwrap_or_default(),
    }
}
