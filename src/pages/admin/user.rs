//! `/auth/admin/users/{id}`: one account, with what hangs on it; and how its address and name are changed.

use super::activity;
use super::frame::{self, Tab, texts};
use super::inputs::{self, Mistakes, typed};
use super::sessions;
use crate::domain::id::UserId;
use crate::domain::passkey::{PASSKEYS_MAX, Passkey};
use crate::domain::user::User;
use crate::pages::form::{Fields, Form};
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::admin;
use crate::usecase::account::admin::Verified;
use crate::usecase::account::edit::{self, Changes};
use crate::usecase::account::passkeys;
use crate::usecase::account::reference::UserRef;
use crate::usecase::audit::read::Wanted;
use crate::usecase::require_over;
use minijinja::{Value, context};

pub const ROUTES: &[PageRoute] = &[
    PageRoute::for_holders("/auth/admin/users/{id}", "users:read").get(show),
    PageRoute::for_holders("/auth/admin/users/{id}/edit", "users:write").get(open_form).post(save),
];

/// How many of the sessions, and of the lines of the log, stand on the page itself.
const FEW: u32 = 10;

/// The path of an account's page.
pub fn path_of(user: &User) -> String {
    format!("/auth/admin/users/{}", user.id)
}

/// The account that the path names: by its id, and nothing else.
///
/// # Errors
/// [`Stop::NotFound`].
pub fn named(visit: &Visit<'_>) -> Result<UserRef, Stop> {
    UserId::parse(visit.parameter(0)).map(UserRef::Id).ok_or(Stop::NotFound)
}

/// Whether it is the account of whoever looks at it.
pub fn is_own(visit: &Visit<'_>, user: &User) -> bool {
    visit.me.as_ref().is_some_and(|me| me.account.id == user.id)
}

/// What is to be seen of an account at once, each with its kind (`good`, `bad` or none).
pub fn badges(visit: &Visit<'_>, user: &User) -> Vec<Value> {
    let is_locked = user.locked_until.is_some_and(|until| visit.app.now() < until);
    let all = [
        (user.disabled_at.is_some(), "disabled", "bad"),
        (is_locked, "locked", "bad"),
        (user.email_verified_at.is_none(), "unverified", ""),
        (user.has_two_factor(), "second_factor", "good"),
    ];
    let so = all.into_iter().filter(|(is_so, _, _)| *is_so);
    so.map(|(_, state, kind)| context! { text => visit.text(&format!("user_state.{state}")), kind }).collect()
}

fn show(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let of = named(visit)?;
    let user = admin::find(visit.app, &visit.caller, &of)?;
    let passkeys = passkeys::page(visit.app, &visit.caller, &of, PASSKEYS_MAX, None)?.items;
    // Whichever came first.
    let two_factor_at = passkeys.iter().map(|one| one.created_at).chain(user.totp_at).min();
    let passkeys: Vec<_> = passkeys.iter().map(|one| passkey_row(visit, one)).collect();
    let sessions =
        if visit.may("sessions:read") { Some(sessions::of(visit, Some(&of), FEW, None)?) } else { None };
    let lines = if visit.may("audit:read") {
        let wanted = Wanted { user: Some(of), ..Wanted::default() };
        Some(activity::lines(visit, &wanted, FEW, None)?.0)
    } else {
        None
    };
    let locked_until = user.locked_until.filter(|until| visit.app.now() < *until);
    let page = context! {
        title => user.email.as_str(),
        email => user.email.as_str(),
        id => user.id.to_string(),
        here => path_of(&user),
        name => user.name.as_str(),
        badges => badges(visit, &user),
        roles => texts(&user.roles),
        verified => user.email_verified_at.is_some(),
        two_factor => visit.time(two_factor_at),
        has_app => user.totp_at.is_some(),
        passkeys,
        disabled => visit.time(user.disabled_at),
        locked_until => visit.time(locked_until),
        created => visit.time(user.created_at),
        last_login => visit.time(user.last_login_at),
        own => is_own(visit, &user),
        over => require_over(&visit.caller, &user.permissions).is_ok(),
        more_sessions => sessions.as_ref().is_some_and(|(_, next)| next.is_some()),
        sessions => sessions.map(|(sessions, _)| sessions),
        lines,
    };
    Ok(frame::page(visit, Tab::Users, 200, "admin_user.html", page))
}

fn passkey_row(visit: &Visit<'_>, passkey: &Passkey) -> Value {
    context! {
        id => passkey.id.to_string(),
        name => passkey.name.as_str(),
        domain => passkey.rp_id.as_str(),
        created => visit.time(passkey.created_at),
        last_used => visit.time(passkey.last_used_at),
    }
}

fn open_form(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let user = admin::find(visit.app, &visit.caller, &named(visit)?)?;
    visit.require_fresh()?;
    let now = typed(&[("email", user.email.as_str()), ("name", user.name.as_str())]);
    Ok(show_form(visit, &user, &now, &Mistakes::default()))
}

fn show_form(visit: &mut Visit<'_>, user: &User, typed: &Value, mistakes: &Mistakes) -> Response {
    let page = context! {
        title => visit.text("admin_edit_user.title"),
        back => path_of(user),
        verified => user.email_verified_at.is_some(),
        typed,
        errors => mistakes.beside_fields(),
        complaint => mistakes.above(),
    };
    frame::page(visit, Tab::Users, mistakes.status(), "admin_edit_user.html", page)
}

fn save(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let of = named(visit)?;
    let form = visit.form(Fields { optional: &["verified"], ..Fields::all(&["email", "name"]) })?;
    let mut mistakes = Mistakes::default();
    if let Some(changes) = read(visit, &form, &mut mistakes) {
        match edit::edit(visit.app, &visit.caller, &of, &changes) {
            Ok(edited) => return Ok(visit.done(path_of(&edited.user), "user_saved")),
            Err(error) => mistakes = Mistakes::of(visit, error)?,
        }
    }
    let user = admin::find(visit.app, &visit.caller, &of)?;
    let verified = if form.has("verified") { "on" } else { "" };
    let kept = [("email", form.text("email")), ("name", form.text("name")), ("verified", verified)];
    Ok(show_form(visit, &user, &typed(&kept), &mistakes))
}

/// `None`: something is wrong, which `mistakes` has.
fn read(visit: &Visit<'_>, form: &Form, mistakes: &mut Mistakes) -> Option<Changes> {
    let email = inputs::email(visit, form.text("email"), mistakes);
    let name = inputs::name(visit, "name", form.text("name"), mistakes);
    let verified = if form.has("verified") { Verified::Yes } else { Verified::No };
    Some(Changes { email: Some(email?), name: Some(name?), verified })
}
