//! `/auth/admin/users`: all accounts, searched and filtered; and how one is made.

use super::frame::{self, ROWS, Tab, further, texts};
use super::inputs::{self, Mistakes, typed};
use super::user::{badges, path_of};
use super::user_roles::{self, Ticked};
use crate::domain::role::RoleName;
use crate::domain::user::{User, UserState};
use crate::pages::form::{Fields, Form};
use crate::pages::proof;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::Lane;
use crate::transport::message::Response;
use crate::usecase::account::admin;
use crate::usecase::account::admin::{Filter, FirstPassword, NewAccount, Verified};
use minijinja::{Value, context};

pub const ROUTES: &[PageRoute] = &[
    PageRoute::for_holders("/auth/admin/users", "users:read").get(list),
    PageRoute::for_holders("/auth/admin/add-user", "users:write").get(open_form).post(add).lane(Lane::Hash),
];

/// The longest text to look for, in characters, as in the API.
const QUERY_MAX: usize = 200;

fn list(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let asked = |name: &str| visit.query(name).unwrap_or_default().trim().to_owned();
    let (query, role, state, after) = (asked("query"), asked("role"), asked("state"), visit.query("after"));
    let mut mistakes = Mistakes::default();
    let filter = filter(visit, &query, &role, &state, &mut mistakes);
    let (items, next) = if mistakes.are_none() {
        let page = admin::list(visit.app, &visit.caller, &filter, ROWS, after.as_deref())?;
        (page.items, page.next)
    } else {
        (Vec::new(), None)
    };
    let filters = [("query", query.as_str()), ("role", role.as_str()), ("state", state.as_str())];
    let users: Vec<_> = items.iter().map(|user| row(visit, user)).collect();
    let states = UserState::ALL.map(|one| {
        let name = one.name();
        context! { value => name, text => visit.text(&format!("user_state.{}", name.replace('-', "_"))) }
    });
    let roles = user_roles::all(visit)?;
    let page = context! {
        title => visit.text("admin_users.title"),
        users,
        roles => frame::words(roles.iter().map(RoleName::as_str)),
        states,
        typed => typed(&filters),
        errors => mistakes.beside_fields(),
        is_filtered => filters.iter().any(|(_, value)| !value.is_empty()),
        first => after.is_some(),
        next => further("/auth/admin/users", &filters, "after", next.as_deref()),
    };
    Ok(frame::page(visit, Tab::Users, mistakes.status(), "admin_users.html", page))
}

fn filter(visit: &Visit<'_>, query: &str, role: &str, state: &str, mistakes: &mut Mistakes) -> Filter {
    if query.chars().count() > QUERY_MAX {
        mistakes.beside("query", visit.text("admin_invalid.query"));
    }
    let parsed_role = RoleName::parse(role).ok();
    if !role.is_empty() && parsed_role.is_none() {
        mistakes.beside("role", visit.text("admin_invalid.word"));
    }
    let parsed_state = UserState::parse(state);
    if !state.is_empty() && parsed_state.is_none() {
        mistakes.beside("state", visit.text("admin_invalid.choice"));
    }
    Filter { query: (!query.is_empty()).then(|| query.to_owned()), role: parsed_role, state: parsed_state }
}

fn row(visit: &Visit<'_>, user: &User) -> Value {
    context! {
        path => path_of(user),
        email => user.email.as_str(),
        name => user.name.as_str(),
        roles => texts(&user.roles),
        badges => badges(visit, user),
        last_login => visit.time(user.last_login_at),
    }
}

fn open_form(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    // Before anything is typed that would be lost on the way.
    visit.require_fresh()?;
    show_form(visit, &typed(&[]), &Ticked::default(), &Mistakes::default())
}

fn show_form(
    visit: &mut Visit<'_>,
    typed: &Value,
    ticked: &Ticked,
    mistakes: &Mistakes,
) -> Result<Response, Stop> {
    let page = context! {
        title => visit.text("admin_add_user.title"),
        typed,
        roles => user_roles::boxes(visit, ticked)?,
        min_length => visit.app.config.password.min_length,
        errors => mistakes.beside_fields(),
        complaint => mistakes.above(),
    };
    Ok(frame::page(visit, Tab::Users, mistakes.status(), "admin_add_user.html", page))
}

fn add(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let form = visit.form(Fields {
        required: &["email", "name", "password"],
        optional: &["verified"],
        lists: &[user_roles::TICKED],
    })?;
    let ticked = Ticked::of(&form);
    let mut mistakes = Mistakes::default();
    if let Some(new) = read(visit, &form, &ticked, &mut mistakes) {
        let is_invited = matches!(new.password, FirstPassword::Invite);
        match admin::add(visit.app, &visit.caller, new) {
            Ok(added) => {
                let notice = if is_invited { "user_invited" } else { "user_added" };
                let to = if visit.may("users:read") { path_of(&added.user) } else { "/auth/admin/".into() };
                return Ok(visit.done(to, notice));
            }
            Err(error) => mistakes = Mistakes::of(visit, error)?,
        }
    }
    let verified = if form.has("verified") { "on" } else { "" };
    let kept = [("email", form.text("email")), ("name", form.text("name")), ("verified", verified)];
    show_form(visit, &typed(&kept), &ticked, &mistakes)
}

/// `None`: something is wrong, which `mistakes` has.
fn read(visit: &Visit<'_>, form: &Form, ticked: &Ticked, mistakes: &mut Mistakes) -> Option<NewAccount> {
    let email = inputs::email(visit, form.text("email"), mistakes);
    let name = inputs::name(visit, "name", form.text("name"), mistakes);
    let password = if form.secret("password").expose().is_empty() {
        Some(FirstPassword::Invite)
    } else {
        let parsed = proof::new_password(form, "password");
        parsed
            .map_err(|refusal| mistakes.beside("password", visit.explain(&refusal)))
            .ok()
            .map(FirstPassword::Set)
    };
    let verified = if form.has("verified") { Verified::Yes } else { Verified::No };
    Some(NewAccount { email: email?, name: name?, roles: ticked.roles(), verified, password: password? })
}
