//! What is done to an account by one button: at once, or, where it takes something from somebody, after a
//! page that asks once more.

use super::frame::{Question, Tab, ask};
use super::inputs::Mistakes;
use super::user::{is_own, named, path_of};
use crate::domain::caller::Caller;
use crate::error::Error;
use crate::pages::form::Fields;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::reference::UserRef;
use crate::usecase::account::{admin, admin_two_factor};
use crate::usecase::app::App;
use crate::usecase::session::tokens;
use crate::usecase::session::tokens::Target;

const PAGE: &str = "/auth/admin/users/{id}";

pub const ROUTES: &[PageRoute] = &[
    PageRoute::for_holders("/auth/admin/users/{id}/enable", "users:write")
        .post(|visit| {
            press(visit, "user_enabled", |app, caller, of| admin::enable(app, caller, of).map(drop))
        })
        .form_on(PAGE),
    PageRoute::for_holders("/auth/admin/users/{id}/unlock", "users:write")
        .post(|visit| {
            press(visit, "user_unlocked", |app, caller, of| admin::unlock(app, caller, of).map(drop))
        })
        .form_on(PAGE),
    PageRoute::for_holders("/auth/admin/users/{id}/password-reset", "users:write")
        .post(|visit| {
            press(visit, "reset_link_mailed", |app, caller, of| {
                admin::mail_reset_link(app, caller, of).map(drop)
            })
        })
        .form_on(PAGE),
    PageRoute::for_holders("/auth/admin/users/{id}/disable", "users:write")
        .get(|visit| question(visit, &DISABLE, None))
        .post(|visit| act(visit, &DISABLE)),
    PageRoute::for_holders("/auth/admin/users/{id}/delete", "users:write")
        .get(|visit| question(visit, &DELETE, None))
        .post(|visit| act(visit, &DELETE)),
    PageRoute::for_holders("/auth/admin/users/{id}/reset-two-factor", "users:write")
        .get(|visit| {
            visit.require_fresh()?;
            question(visit, &RESET_TWO_FACTOR, None)
        })
        .post(|visit| act(visit, &RESET_TWO_FACTOR)),
    PageRoute::for_holders("/auth/admin/users/{id}/end-sessions", "sessions:revoke")
        .get(|visit| question(visit, &END_SESSIONS, None))
        .post(|visit| act(visit, &END_SESSIONS)),
];

type UseCase = fn(&App, &Caller, &UserRef) -> Result<(), Error>;

/// What is asked once more.
struct Action {
    /// Of the texts.
    section: &'static str,
    run: UseCase,
    /// What is said once it is done.
    notice: &'static str,
    /// Whether the account is there after it.
    remains: bool,
}

static DISABLE: Action = Action {
    section: "admin_disable_user",
    run: |app, caller, of| admin::disable(app, caller, of).map(drop),
    notice: "user_disabled",
    remains: true,
};

static DELETE: Action = Action {
    section: "admin_delete_user",
    run: |app, caller, of| admin::delete(app, caller, of).map(drop),
    notice: "user_deleted",
    remains: false,
};

static RESET_TWO_FACTOR: Action = Action {
    section: "admin_reset_two_factor",
    run: |app, caller, of| admin_two_factor::reset_second_factor(app, caller, of).map(drop),
    notice: "two_factor_reset",
    remains: true,
};

static END_SESSIONS: Action = Action {
    section: "admin_end_sessions",
    run: |app, caller, of| tokens::revoke(app, caller, &Target::User(of.clone())).map(drop),
    notice: "sessions_ended",
    remains: true,
};

/// At once, with a button on the account's page.
fn press(visit: &mut Visit<'_>, notice: &'static str, run: UseCase) -> Result<Response, Stop> {
    let of = named(visit)?;
    visit.form(Fields::all(&[]))?;
    run(visit.app, &visit.caller, &of)?;
    Ok(visit.done(back_to(visit), notice))
}

/// The account's page, where its reader may see that.
pub fn back_to(visit: &Visit<'_>) -> String {
    if visit.may("users:read") {
        format!("/auth/admin/users/{}", visit.parameter(0))
    } else {
        "/auth/admin/".into()
    }
}

fn question(visit: &mut Visit<'_>, action: &Action, complaint: Option<String>) -> Result<Response, Stop> {
    let user = admin::find(visit.app, &visit.caller, &named(visit)?)?;
    let question = Question {
        tab: Tab::Users,
        section: action.section,
        about: user.email.to_string(),
        back: path_of(&user),
        warning: is_own(visit, &user).then_some("admin_user.own"),
    };
    Ok(ask(visit, &question, complaint))
}

fn act(visit: &mut Visit<'_>, action: &Action) -> Result<Response, Stop> {
    let of = named(visit)?;
    visit.form(Fields::all(&[]))?;
    match (action.run)(visit.app, &visit.caller, &of) {
        Ok(()) if action.remains => Ok(visit.done(back_to(visit), action.notice)),
        Ok(()) => Ok(visit.done("/auth/admin/", action.notice)),
        Err(error) => {
            let complaint = Mistakes::of(visit, error)?.into_text();
            question(visit, action, Some(complaint))
        }
    }
}
