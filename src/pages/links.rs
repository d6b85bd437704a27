//! The pages that links in mails lead to, for those who have no front end at hand. Opening one changes
//! nothing, since mail scanners and previews open links, too; its button posts a form, and calls one
//! use-case. They answer with a page, not with a way on to one: an address that says "your password is set"
//! to whoever opens it would serve a phisher.

use super::form::{Fields, Form};
use super::magic_link;
use super::proof;
use super::recover;
use super::route::PageRoute;
use super::stop::Stop;
use super::visit::Visit;
use crate::domain::device;
use crate::domain::link::LinkKind;
use crate::domain::password::Password;
use crate::domain::registration::Registration;
use crate::domain::secret::Secret;
use crate::error::{Error, Refusal};
use crate::transport::message::Response;
use crate::usecase::account::link::LinkTarget;
use crate::usecase::account::{email, link, password};
use crate::usecase::app::rate_limit::Budget;
use minijinja::{Value, context};

pub const ROUTES: &[PageRoute] = &[
    PageRoute::for_link("/auth/verify-email")
        .get(|visit| open(visit, LinkKind::VerifyEmail))
        .post(confirm)
        .limit(Budget::Login),
    PageRoute::for_link("/auth/reset-password")
        .get(|visit| open(visit, LinkKind::ResetPassword))
        .post(set_password)
        .checks_credentials(),
    PageRoute::for_link("/auth/change-email")
        .get(|visit| open(visit, LinkKind::ChangeEmail))
        .post(change_email)
        .limit(Budget::Login),
    PageRoute::for_link(recover::LINK).get(recover::open).post(recover::press).checks_credentials(),
    PageRoute::for_link(magic_link::LINK).get(magic_link::open).post(magic_link::press).limit(Budget::Login),
];

/// Where a kind of link leads, and the section of its texts.
const fn place(kind: LinkKind) -> (&'static str, &'static str) {
    match kind {
        LinkKind::VerifyEmail => ("/auth/verify-email", "verify_email"),
        LinkKind::ResetPassword | LinkKind::Invitation => ("/auth/reset-password", "reset_password"),
        LinkKind::ChangeEmail => ("/auth/change-email", "change_email"),
        LinkKind::MagicLink => (magic_link::LINK, "magic_link"),
        LinkKind::Recovery => (recover::LINK, "recover"),
    }
}

/// The page behind a link. Spends nothing.
fn open(visit: &mut Visit<'_>, kind: LinkKind) -> Result<Response, Stop> {
    match visit.link_token() {
        Some(token) => ask(visit, kind, &token, None),
        None => Ok(visit.message(400, "incomplete_link", None)),
    }
}

/// The page with the button, and `complaint` about what was sent with it before; or why there is none.
fn ask(
    visit: &mut Visit<'_>,
    kind: LinkKind,
    token: &Secret<String>,
    complaint: Option<String>,
) -> Result<Response, Stop> {
    let Some(target) = link::peek(visit.app, kind, token.expose())? else {
        return Ok(dead(visit, kind));
    };
    let (account, registration) = match &target {
        LinkTarget::Account(account) => (account, None),
        LinkTarget::Registration(registration) => (&registration.email, Some(registration)),
    };
    let (action, section) = place(kind);
    let wants_its_password = registration.is_some_and(|registration| registration.password_required);
    let text = if wants_its_password { "verify_email.password_wanted" } else { &format!("{section}.text") };
    let min_length = matches!(kind, LinkKind::ResetPassword | LinkKind::Invitation)
        .then_some(visit.app.config.password.min_length);
    let page = context! {
        title => visit.text(&format!("{section}.title")),
        text => visit.text(text),
        button_text => visit.text(&format!("{section}.button")),
        action,
        token => token.expose().as_str(),
        account => account.as_str(),
        registrant => registration.map(|registration| registrant(visit, registration)),
        current_password => wants_its_password,
        min_length,
        complaint => complaint.as_deref().unwrap_or_default(),
    };
    Ok(visit.page(if complaint.is_some() { 422 } else { 200 }, "link.html", page))
}

/// What is known of whoever registered. They chose the name, and how their browser calls itself.
fn registrant(visit: &Visit<'_>, registration: &Registration) -> Value {
    context! {
        name => registration.name.to_string(),
        // In words of ours; empty: not one that is known.
        browser => registration.user_agent.as_deref().and_then(device::name).unwrap_or_default(),
        network => registration.ip.clone().unwrap_or_default(),
        time => visit.time(registration.created_at),
    }
}

/// Reads the form of a link's page. What isn't whole is no whole link to a person.
fn read(visit: &Visit<'_>, of: Fields) -> Result<(Secret<String>, Form), Stop> {
    let form = visit.form_of_link(of)?;
    Ok((form.secret("token"), form))
}

fn confirm(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let kind = LinkKind::VerifyEmail;
    let (token, form) = read(visit, Fields { required: &["token"], optional: &["password"], lists: &[] })?;
    let shown = form.has("password").then(|| form.secret("password"));
    let complaint = match confirm_with(visit, &token, shown.as_ref()) {
        Ok(()) => return Ok(finished(visit, kind)),
        Err(Error::Refused(Refusal::PasswordRequired)) => "verify_email.password_wanted",
        Err(Error::Refused(Refusal::InvalidCredentials)) => "verify_email.wrong_password",
        Err(error) => return failed(visit, kind, error),
    };
    let complaint = visit.text(complaint).to_owned();
    ask(visit, kind, &token, Some(complaint))
}

fn confirm_with(
    visit: &Visit<'_>,
    token: &Secret<String>,
    shown: Option<&Secret<String>>,
) -> Result<(), Error> {
    let shown = shown.map(|password| Password::new(password.expose())).transpose();
    // What can't be a password is none of anybody's.
    let shown = shown.map_err(|_| Refusal::PasswordRequired)?;
    email::confirm(visit.app, &visit.caller, token.expose(), shown.as_ref()).map(drop)
}

fn change_email(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let kind = LinkKind::ChangeEmail;
    let (token, _) = read(visit, Fields::all(&["token"]))?;
    match email::confirm_change(visit.app, &visit.caller, token.expose()) {
        Ok(_) => Ok(finished(visit, kind)),
        Err(error) => failed(visit, kind, error),
    }
}

fn set_password(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let kind = LinkKind::ResetPassword;
    let (token, form) = read(visit, Fields::all(&["token", "new_password", "new_password_again"]))?;
    let (first, second) = (form.secret("new_password"), form.secret("new_password_again"));
    let complaint = if first == second {
        let new = proof::new_password(&form, "new_password").map_err(Error::from);
        match new.and_then(|new| password::reset(visit.app, &visit.caller, token.expose(), &new)) {
            Ok(()) => return Ok(finished(visit, kind)),
            Err(Error::Refused(refusal @ (Refusal::WeakPassword { .. } | Refusal::Invalid(_)))) => {
                visit.explain(&refusal)
            }
            Err(error) => return failed(visit, kind, error),
        }
    } else {
        visit.text("password.not_the_same").to_owned()
    };
    ask(visit, kind, &token, Some(complaint))
}

fn finished(visit: &mut Visit<'_>, kind: LinkKind) -> Response {
    visit.message(200, &format!("{}_done", place(kind).1), None)
}

fn dead(visit: &mut Visit<'_>, kind: LinkKind) -> Response {
    let text = visit.text(&format!("{}.dead", place(kind).1)).to_owned();
    visit.message(400, "dead_link", Some(text))
}

fn failed(visit: &mut Visit<'_>, kind: LinkKind, error: Error) -> Result<Response, Stop> {
    match error {
        Error::Refused(Refusal::InvalidLink) => Ok(dead(visit, kind)),
        Error::Refused(Refusal::EmailTaken) => Ok(visit.message(409, "email_taken", None)),
        error => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_link_has_its_page() {
        for kind in LinkKind::ALL {
            assert!(ROUTES.iter().any(|route| route.path == place(kind).0 && route.always), "{kind:?}");
        }
    }
}
