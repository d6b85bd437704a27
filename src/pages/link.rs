//! What each page is for: what it says before its button is pressed, what the button does, and what
//! it says then.

use super::form::{self, BadForm};
use super::page::{Form, Page, PasswordFields, Registrant};
use crate::domain::caller::Caller;
use crate::domain::link::LinkKind;
use crate::domain::password::Password;
use crate::domain::secret::Secret;
use crate::error::{Error, Refusal};
use crate::transport::message::Request;
use crate::usecase::account::link::LinkTarget;
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
            text: "Is this your e-mail address, and was it you? Then confirm it, and you can log in.",
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
    let Some(target) = link::peek(app, kind, token.expose())? else {
        return Ok(dead(kind));
    };
    let texts = texts(kind);
    let (account, registrant) = match target {
        LinkTarget::Account(account) => (account, None),
        LinkTarget::Registration(registration) => {
            (registration.email.clone(), Some(Registrant::from(&registration)))
        }
    };
    let wants_its_password = registrant.as_ref().is_some_and(|registrant| registrant.password_required);
    let password = match kind {
        LinkKind::ResetPassword | LinkKind::Invitation => {
            PasswordFields::New { min_length: app.config.password.min_length }
        }
        LinkKind::VerifyEmail if wants_its_password => PasswordFields::Current,
        LinkKind::VerifyEmail | LinkKind::ChangeEmail => PasswordFields::None,
    };
    let text = if wants_its_password { PASSWORD_WANTED } else { texts.text };
    let button = texts.button;
    let form = Form { action: texts.path, token, account, registrant, button, password, complaint };
    Ok(Page::with_form(texts.title, text, form))
}

/// Where registrations with different passwords wait for an address.
const PASSWORD_WANTED: &str = "This address was registered more than once, with different passwords. Type the one \
    that you chose, so that nobody else's account comes of it.";

/// The button was pressed.
pub fn submit(app: &App, kind: LinkKind, request: &Request, caller: &Caller) -> Page {
    let done = match kind {
        LinkKind::VerifyEmail => return submit_confirmation(app, request, caller),
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

fn submit_confirmation(app: &App, request: &Request, caller: &Caller) -> Page {
    let kind = LinkKind::VerifyEmail;
    let (token, password) = match form::read_one_or_two(request, "token", "password") {
        Ok(fields) => fields,
        Err(bad) => return refused(bad),
    };
    let complaint = match confirm(app, caller, &token, password.as_ref()) {
        Ok(()) => return finished(kind),
        Err(Error::Refused(Refusal::PasswordRequired)) => PASSWORD_WANTED.to_owned(),
        Err(Error::Refused(Refusal::InvalidCredentials)) => WRONG_PASSWORD.to_owned(),
        Err(error) => return failed(kind, &error, caller),
    };
    ask(app, kind, token, Some(complaint)).unwrap_or_else(|error| failed(kind, &error, caller))
}

/// What was typed is not what any registration of the address was made with.
const WRONG_PASSWORD: &str = "No registration that waits was made with this password. Give the one that you chose when \
    you registered, or register once more.";

fn confirm(
    app: &App,
    caller: &Caller,
    token: &Secret<String>,
    password: Option<&Secret<String>>,
) -> Result<(), Error> {
    let shown = password.map(|password| Password::new(password.expose())).transpose();
    // What can't be a password is none of anybody's.
    let shown = shown.map_err(|_| Refusal::PasswordRequired)?;
    email::confirm(app, caller, token.expose(), shown.as_ref()).map(drop)
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
