//! `/admin/users`.

use super::{cursor, json, page, role_of, user_of};
use crate::api::call::Call;
use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::account::admin;
use crate::usecase::account::admin::{Filter, FirstPassword, NewAccount, Verified};
use crate::usecase::account::admin_two_factor;
use crate::usecase::account::edit::{self, Changes};
use crate::usecase::account::roles;
use crate::usecase::app::App;
use crate::usecase::session::tokens;
use crate::usecase::session::tokens::Target;
use crate::views;

pub fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let fields = &mut call.fields;
    let filter = Filter {
        query: fields.optional_text("query"),
        role: fields.optional_role("role"),
        state: fields.optional_state("state"),
    };
    let (limit, after) = (fields.limit("limit"), cursor(fields, "after"));
    let users = admin::list(app, &call.caller, &filter, limit, after.as_deref())?;
    let now = app.now();
    Ok(page(&users, |user| views::user(user, now)))
}

/// An invitation's link goes by mail alone: whoever reads an answer has no business with it.
pub fn add(app: &App, mut call: Call) -> Result<Response, Error> {
    let fields = &mut call.fields;
    let new = NewAccount {
        email: fields.email("email"),
        name: fields.optional_name("name").unwrap_or_default(),
        roles: fields.optional_roles("roles").unwrap_or_default(),
        verified: verified(fields.flag("email_verified")),
        password: fields.optional_password("password").map_or(FirstPassword::Invite, FirstPassword::Set),
    };
    let added = admin::add(app, &call.caller, new)?;
    Ok(json(201, &views::user(&added.user, app.now())))
}

pub fn show(app: &App, call: Call) -> Result<Response, Error> {
    Ok(json(200, &views::user(&admin::find(app, &call.caller, &user_of(&call)?)?, app.now())))
}

pub fn change(app: &App, mut call: Call) -> Result<Response, Error> {
    let of = user_of(&call)?;
    let fields = &mut call.fields;
    let changes = Changes {
        email: fields.optional_email("email"),
        name: fields.optional_name("name"),
        verified: verified(fields.flag("email_verified")),
    };
    let edited = edit::edit(app, &call.caller, &of, &changes)?;
    Ok(json(200, &views::user(&edited.user, app.now())))
}

fn verified(flag: bool) -> Verified {
    if flag { Verified::Yes } else { Verified::No }
}

pub fn delete(app: &App, call: Call) -> Result<Response, Error> {
    admin::delete(app, &call.caller, &user_of(&call)?)?;
    Ok(Response::empty(204))
}

pub fn unlock(app: &App, call: Call) -> Result<Response, Error> {
    admin::unlock(app, &call.caller, &user_of(&call)?)?;
    Ok(Response::empty(204))
}

pub fn disable(app: &App, call: Call) -> Result<Response, Error> {
    admin::disable(app, &call.caller, &user_of(&call)?)?;
    Ok(Response::empty(204))
}

pub fn enable(app: &App, call: Call) -> Result<Response, Error> {
    admin::enable(app, &call.caller, &user_of(&call)?)?;
    Ok(Response::empty(204))
}

pub fn mail_reset_link(app: &App, call: Call) -> Result<Response, Error> {
    admin::mail_reset_link(app, &call.caller, &user_of(&call)?)?;
    Ok(Response::empty(204))
}

pub fn reset_two_factor(app: &App, call: Call) -> Result<Response, Error> {
    admin_two_factor::reset_second_factor(app, &call.caller, &user_of(&call)?)?;
    Ok(Response::empty(204))
}

pub fn log_out(app: &App, call: Call) -> Result<Response, Error> {
    tokens::revoke(app, &call.caller, &Target::User(user_of(&call)?))?;
    Ok(Response::empty(204))
}

pub fn assign(app: &App, call: Call) -> Result<Response, Error> {
    roles::assign(app, &call.caller, &user_of(&call)?, &[role_of(&call)?])?;
    Ok(Response::empty(204))
}

pub fn unassign(app: &App, call: Call) -> Result<Response, Error> {
    roles::unassign(app, &call.caller, &user_of(&call)?, &[role_of(&call)?])?;
    Ok(Response::empty(204))
}
