//! What each page is for: what it says before its button is pressed, what the button does, and what
//! it says then.

use super::form::{self, BadForm};
use super::page::{Form, NewPassword, Page};
use crate::domain::caller::Caller;
use crate::domain::link::LinkKind;
use crate::domain::password::Password;
use crate::domain::secret::Secret;
use crate::error::{Error, Refusal};
use crate::transport::message::Request;
use crate::usecase::account::{email, link, password};
use crate::usecase::app::App;

/// Where a link leads, unless the configuration names a front end's page.
pub const fn path(kind: LinkKind) -> &'static str {
    texts(kind).path
}

struct LinkTexts {
    path: &'static str,
    title: &'static str,
    text: &'static str,
    button: &'static str,
    done_title: &'static str,
    done_text: &'static str,
    /// Why the link may not work, and how to come by one that does.
    dead_text: &'static str,
}

const fn texts(kind: LinkKind) -> LinkTexts {
    match kind {
        LinkKind::VerifyEmail => LinkTexts {
            path: "/auth/verify-email",
            title: "Confirm your address",
            text: "Is this your e-mail address? Then confirm it, and you can log in.",
            button: "Confirm address",
            done_title: "Address confirmed",
            done_text: "Thank you. You can close this page and log in.",
            dead_text: "Perhaps it was used already: if you have just confirmed your address, all is well and \
                you can log in. Otherwise it is too old, or a newer mail has replaced it. Ask for a new one where \
                you signed up, and open the newest.",
        },
        LinkKind::ResetPassword | LinkKind::Invitation => LinkTexts {
            path: "/auth/reset-password",
            title: "Choose a password",
            text: "It replaces the old one, if you had one, and logs you out everywhere.",
            button: "Set password",
            done_title: "Your password is set",
            done_text: "It counts from now on, and every older login has ended. You can close this page and log in.",
            dead_text: "Perhaps it was used already, or is too old, or a newer mail has replaced it. Ask for a new \
                one where you log in. If you were invited, ask whoever invited you.",
        },
        LinkKind::ChangeEmail => LinkTexts {
            path: "/auth/change-email",
            title: "Change your address",
            text: "Your account will have this e-mail address: you log in with it, and mail goes there.",
            button: "Use this address",
            done_title: "Address changed",
            done_text: "You can close this page. Log in with the new address from now on; other devices have been \
                logged out.",
            dead_text: "Perhaps it was used already: then your account has the new address. Otherwise it is too \
                old, or a newer mail has replaced it. Ask for the change once more in your account.",
        },
    }
}

/// The page behind a link. Spends nothing.
pub fn open(app: &App, kind: LinkKind, request: &Request, request_id: &str) -> Page {
    let Some(token) = form::token(&request.head) else {
        return incomplete();
    };
    ask(app, kind, token, None).unwrap_or_else(|error| Page::of_error(&error, request_id))
}

/// The page with the button, and `complaint` about what was sent with it before; or why there is none.
fn ask(app: &App, kind: LinkKind, token: Secret<String>, complaint: Option<String>) -> Result<Page, Error> {
    let Some(account) = link::peek(app, kind, token.expose())? else {
        return Ok(dead(kind));
    };
    let texts = texts(kind);
    let password = (kind == LinkKind::ResetPassword)
        .then_some(NewPassword { min_length: app.config.password.min_length, complaint });
    let form = Form { action: texts.path, token, account, button: texts.button, password };
    Ok(Page::with_form(texts.title, texts.text, form))
}

/// The button was pressed.
pub fn submit(app: &App, kind: LinkKind, request: &Request, caller: &Caller) -> Page {
    let done = match kind {
        LinkKind::VerifyEmail => {
            one(request).map(|token| email::confirm(app, caller, token.expose()).map(drop))
        }
        LinkKind::ChangeEmail => {
            one(request).map(|token| email::confirm_change(app, caller, token.expose()).map(drop))
        }
        LinkKind::ResetPassword | LinkKind::Invitation => {
            return submit_password(app, request, caller);
        }
    };
    match done {
        Ok(done) => done.map_or_else(|error| failed(kind, &error, caller), |()| finished(kind)),
        Err(bad) => refused(bad),
    }
}

fn one(request: &Request) -> Result<Secret<String>, BadForm> {
    form::read(request, ["token"]).map(|[token]| token)
}

fn submit_password(app: &App, request: &Request, caller: &Caller) -> Page {
    let kind = LinkKind::ResetPassword;
    let [token, first, second] = match form::read(request, ["token", "new_password", "new_password_again"]) {
        Ok(fields) => fields,
        Err(bad) => return refused(bad),
    };
    let complaint = if first == second {
        match set_password(app, caller, &token, &first) {
            Ok(()) => return finished(kind),
            Err(Error::Refused(Refusal::WeakPassword { reason })) => sentence(&reason),
            Err(Error::Refused(refusal @ Refusal::Invalid(_))) => sentence(&refusal.to_string()),
            Err(error) => return failed(kind, &error, caller),
        }
    } else {
        "The two passwords are not the same. Type yours twice, or let a password manager do it.".into()
    };
    ask(app, kind, token, Some(complaint)).unwrap_or_else(|error| failed(kind, &error, caller))
}

fn set_password(
    app: &App,
    caller: &Caller,
    token: &Secret<String>,
    new: &Secret<String>,
) -> Result<(), Error> {
    let new = Password::new(new.expose())
        .map_err(|error| Refusal::WeakPassword { reason: error.message().to_owned() })?;
    password::reset(app, caller, token.expose(), &new)
}

/// A reason as people read it.
fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(letters).chain(['.']).collect()
}

fn finished(kind: LinkKind) -> Page {
    let texts = texts(kind);
    Page::new(200, texts.done_title, texts.done_text)
}

fn dead(kind: LinkKind) -> Page {
    Page::new(400, "This link doesn\u{2019}t work any more", texts(kind).dead_text)
}

fn incomplete() -> Page {
    let text = "Something is missing from it, or has come to it. Open it from the mail once more, or copy the whole \
        of it into the address bar.";
    Page::new(400, "This is not the whole link", text)
}

fn failed(kind: LinkKind, error: &Error, caller: &Caller) -> Page {
    match error {
        Error::Refused(Refusal::InvalidLink) => dead(kind),
        Error::Refused(Refusal::EmailTaken) => Page::new(
            409,
            "Another account has this address",
            "Nothing was changed. Log in to that account, or ask for a change to another address.",
        ),
        error => Page::of_error(error, caller.request_id.as_deref().unwrap_or_default()),
    }
}

fn refused(bad: BadForm) -> Page {
    match bad {
        BadForm::UnsupportedMediaType => Page::new(
            415,
            "This form can\u{2019}t be read",
            "Open the link from the mail, and use the button of its page.",
        ),
        BadForm::Malformed => incomplete(),
        BadForm::CrossSite => Page::new(
            403,
            "Another site sent this form",
            "Nothing was changed. Open the link from the mail, and use the button of its page.",
        ),
    }
}
