//! What is wrong with a form that was sent: the page comes again and says so, beside the field that it is
//! about.

use crate::error::Refusal;
use crate::pages::form::Form;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::web::status;
use minijinja::{Value, context};

/// One thing that is wrong, for its sender to mend.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake {
    status: u16,
    /// Empty: it is about the form as a whole.
    field: &'static str,
    text: String,
    /// `None`: nothing was asked of a use-case.
    refusal: Option<Refusal>,
}

impl Mistake {
    /// The two new passwords are not the same.
    #[must_use]
    pub fn not_the_same(visit: &Visit<'_>) -> Self {
        let text = visit.text("password.not_the_same").to_owned();
        Self { status: 422, field: "new_password_again", text, refusal: None }
    }

    /// What a text says of the form as a whole.
    #[must_use]
    pub fn said(visit: &Visit<'_>, status: u16, key: &str) -> Self {
        Self { status, field: "", text: visit.text(key).to_owned(), refusal: None }
    }

    /// As [`Mistake::of`], of a form that has a passkey in it where there was one.
    ///
    /// # Errors
    /// As [`Mistake::of`].
    pub fn of_factor(visit: &Visit<'_>, refusal: Refusal, form: &Form) -> Result<Self, Stop> {
        if refusal == Refusal::InvalidCode && form.has("ceremony") {
            return Ok(Self::said(visit, 401, "passkeys.refused"));
        }
        Self::of(visit, refusal)
    }

    /// What a refusal says of a form.
    ///
    /// # Errors
    /// The refusal, where sending the form differently wouldn't help.
    pub fn of(visit: &Visit<'_>, refusal: Refusal) -> Result<Self, Stop> {
        let (status, field) = match &refusal {
            // To a browser 403 says that no password would do.
            Refusal::WrongPassword => (401, "password"),
            Refusal::InvalidCode => (401, "code"),
            Refusal::WeakPassword { .. } => (422, "new_password"),
            Refusal::Invalid(fields) => match fields.first().map(|field| field.field.as_str()) {
                Some("name") => (422, "name"),
                Some("email" | "new_email") => (422, "email"),
                _ => (422, ""),
            },
            Refusal::TooManyAttempts { .. }
            | Refusal::LastAdmin
            | Refusal::LastWayIn
            | Refusal::ProviderFailed
            | Refusal::EmailNotVerified
            | Refusal::AlreadyEnabled => (status::of_refusal(&refusal), ""),
            _ => return Err(refusal.into()),
        };
        Ok(Self { status, field, text: visit.explain(&refusal), refusal: Some(refusal) })
    }
}

/// Answers with a page: the template, with `page`, and `errors` by field (`form`: of the whole).
#[must_use]
pub fn show(visit: &mut Visit<'_>, mistake: Option<&Mistake>, template: &str, page: Value) -> Response {
    let about = |field: &str| {
        mistake.filter(|mistake| mistake.field == field).map_or("", |mistake| mistake.text.as_str())
    };
    let errors = context! {
        form => about(""),
        name => about("name"),
        email => about("email"),
        password => about("password"),
        code => about("code"),
        new_password => about("new_password"),
        new_password_again => about("new_password_again"),
    };
    let status = mistake.map_or(200, |mistake| mistake.status);
    let response = visit.page(status, template, context! { errors, ..page });
    match mistake.and_then(|mistake| mistake.refusal.as_ref()) {
        Some(refusal) => visit.and_retry_after(response, refusal),
        None => response,
    }
}
