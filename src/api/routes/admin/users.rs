//! `/admin/users`: other people's accounts, and the roles that they have.

use crate::api::answer::{json, page};
use crate::api::bodies;
use crate::api::call::Call;
use crate::api::route::{self, AFTER, Access, LIMIT, Route, nothing};
use crate::api::schema::USER;
use crate::api::schema::admin as schema;
use crate::api::wire::{Field, Kind, Presence};
use crate::error::Error;
use crate::transport::Lane;
use crate::transport::message::Response;
use crate::usecase::account::admin::{Filter, FirstPassword, NewAccount, Verified};
use crate::usecase::account::edit::{self, Changes};
use crate::usecase::account::{admin, admin_two_factor, roles};
use crate::usecase::app::App;
use crate::usecase::session::tokens;
use crate::usecase::session::tokens::Target;
use crate::views;

const FILTER: &[Field] = &[
    Field {
        name: "query",
        kind: Kind::Text,
        presence: Presence::Optional,
        about: "A part of the address or the name.",
    },
    Field {
        name: "role",
        kind: Kind::Role,
        presence: Presence::Optional,
        about: "Only users with this role.",
    },
    Field {
        name: "state",
        kind: Kind::State,
        presence: Presence::Optional,
        about: "Only users in this state.",
    },
    LIMIT,
    AFTER,
];

pub static USERS: &[Route] = &[
    Route::get("/api/auth/admin/users", "admin_list_users", Access::Permission("users:read"), list)
        .summary("Accounts, in the order in which they were made")
        .query(FILTER)
        .answers(&[route::json(200, "A page of accounts.", &schema::USERS)])
        .problems(&[(400, "invalid_cursor")]),
    Route::post("/api/auth/admin/users", "admin_add_user", Access::Permission("users:write"), add)
        .summary("Make an account, or invite somebody to one")
        .fresh()
        .lane(Lane::Hash)
        .body(&bodies::NEW_USER)
        .answers(&[route::json(201, "The account.", &USER)])
        .problems(&[(404, "not_found"), (409, "email_taken"), (422, "weak_password")]),
    Route::get("/api/auth/admin/users/{id}", "admin_show_user", Access::Permission("users:read"), show)
        .summary("One account")
        .answers(&[route::json(200, "The account.", &USER)])
        .problems(&[(404, "not_found")]),
    Route::patch(
        "/api/auth/admin/users/{id}",
        "admin_change_user",
        Access::Permission("users:write"),
        change,
    )
    .summary("Change an account")
    .fresh()
    .body(&bodies::USER_CHANGES)
    .answers(&[route::json(200, "The account as it is now.", &USER)])
    .problems(&[(404, "not_found"), (409, "email_taken")]),
    Route::delete(
        "/api/auth/admin/users/{id}",
        "admin_delete_user",
        Access::Permission("users:write"),
        delete,
    )
    .summary("Delete an account with all personal data")
    .answers(&[nothing(204, "The account is gone; the audit log keeps its id.")])
    .problems(&[(404, "not_found"), (409, "last_admin")]),
    Route::post(
        "/api/auth/admin/users/{id}/unlock",
        "admin_unlock_user",
        Access::Permission("users:write"),
        unlock,
    )
    .summary("End every lock that failed logins have put on an account")
    .answers(&[nothing(204, "It is not locked.")])
    .problems(&[(404, "not_found")]),
    Route::post(
        "/api/auth/admin/users/{id}/disable",
        "admin_disable_user",
        Access::Permission("users:write"),
        disable,
    )
    .summary("Keep somebody from logging in and end their sessions")
    .answers(&[nothing(204, "The account is disabled.")])
    .problems(&[(404, "not_found"), (409, "last_admin")]),
    Route::post(
        "/api/auth/admin/users/{id}/enable",
        "admin_enable_user",
        Access::Permission("users:write"),
        enable,
    )
    .summary("Let somebody log in again")
    .answers(&[nothing(204, "The account is enabled.")])
    .problems(&[(404, "not_found")]),
    Route::post(
        "/api/auth/admin/users/{id}/password-reset",
        "admin_mail_password_reset",
        Access::Permission("users:write"),
        mail_reset_link,
    )
    .summary("Mail somebody a link to set a new password")
    .answers(&[nothing(204, "The mail is on its way.")])
    .problems(&[(403, "account_disabled"), (404, "not_found")]),
    Route::post(
        "/api/auth/admin/users/{id}/2fa-reset",
        "admin_reset_two_factor",
        Access::Permission("users:write"),
        reset_two_factor,
    )
    .summary("Take the second factor away from somebody who lost it")
    .fresh()
    .answers(&[nothing(204, "It is off; the user's sessions have ended.")])
    .problems(&[(404, "not_found")]),
    Route::post(
        "/api/auth/admin/users/{id}/logout",
        "admin_log_user_out",
        Access::Permission("sessions:revoke"),
        log_out,
    )
    .summary("End every session of somebody")
    .answers(&[nothing(204, "All sessions have ended.")])
    .problems(&[(404, "not_found")]),
    Route::put(
        "/api/auth/admin/users/{id}/roles/{role}",
        "admin_assign_role",
        Access::Permission("users:write"),
        assign,
    )
    .summary("Give somebody a role")
    .fresh()
    .answers(&[nothing(204, "The user has the role.")])
    .problems(&[(404, "not_found")]),
    Route::delete(
        "/api/auth/admin/users/{id}/roles/{role}",
        "admin_unassign_role",
        Access::Permission("users:write"),
        unassign,
    )
    .summary("Take a role from somebody")
    .fresh()
    .answers(&[nothing(204, "The user does not have the role.")])
    .problems(&[(404, "not_found"), (409, "last_admin")]),
];

fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let fields = &mut call.fields;
    let filter = Filter {
        query: fields.optional_text("query"),
        role: fields.optional_role("role"),
        state: fields.optional_state("state"),
    };
    let (limit, after) = (fields.limit("limit"), fields.cursor("after"));
    let users = admin::list(app, &call.caller, &filter, limit, after.as_deref())?;
    let now = app.now();
    Ok(page(&users, |user| views::user(user, now)))
}

/// An invitation's link goes by mail alone: whoever reads an answer has no business with it.
fn add(app: &App, mut call: Call) -> Result<Response, Error> {
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

fn show(app: &App, call: Call) -> Result<Response, Error> {
    Ok(json(200, &views::user(&admin::find(app, &call.caller, &call.user()?)?, app.now())))
}

fn change(app: &App, mut call: Call) -> Result<Response, Error> {
    let of = call.user()?;
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

fn delete(app: &App, call: Call) -> Result<Response, Error> {
    admin::delete(app, &call.caller, &call.user()?)?;
    Ok(Response::empty(204))
}

fn unlock(app: &App, call: Call) -> Result<Response, Error> {
    admin::unlock(app, &call.caller, &call.user()?)?;
    Ok(Response::empty(204))
}

fn disable(app: &App, call: Call) -> Result<Response, Error> {
    admin::disable(app, &call.caller, &call.user()?)?;
    Ok(Response::empty(204))
}

fn enable(app: &App, call: Call) -> Result<Response, Error> {
    admin::enable(app, &call.caller, &call.user()?)?;
    Ok(Response::empty(204))
}

fn mail_reset_link(app: &App, call: Call) -> Result<Response, Error> {
    admin::mail_reset_link(app, &call.caller, &call.user()?)?;
    Ok(Response::empty(204))
}

fn reset_two_factor(app: &App, call: Call) -> Result<Response, Error> {
    admin_two_factor::reset_second_factor(app, &call.caller, &call.user()?)?;
    Ok(Response::empty(204))
}

fn log_out(app: &App, call: Call) -> Result<Response, Error> {
    tokens::revoke(app, &call.caller, &Target::User(call.user()?))?;
    Ok(Response::empty(204))
}

fn assign(app: &App, call: Call) -> Result<Response, Error> {
    roles::assign(app, &call.caller, &call.user()?, &[call.role()?])?;
    Ok(Response::empty(204))
}

fn unassign(app: &App, call: Call) -> Result<Response, Error> {
    roles::unassign(app, &call.caller, &call.user()?, &[call.role()?])?;
    Ok(Response::empty(204))
}
