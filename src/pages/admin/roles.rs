//! `/auth/admin/roles`: the roles, what each holds, and how one is made, changed and deleted.

use super::frame::{self, Question, ROWS, Tab, ask, further, texts};
use super::inputs::{self, Mistakes, typed};
use super::permissions::{self, Chosen};
use crate::domain::role::{Role, RoleName};
use crate::pages::form::Fields;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::roles;
use crate::usecase::account::roles::{Changes, PermissionChange};
use crate::usecase::require_over;
use minijinja::{Value, context};

pub const ROUTES: &[PageRoute] = &[
    PageRoute::for_holders("/auth/admin/roles", "roles:read").get(list),
    PageRoute::for_holders("/auth/admin/add-role", "roles:write").get(open_new).post(add),
    PageRoute::for_holders("/auth/admin/roles/{role}", "roles:read").get(show),
    PageRoute::for_holders("/auth/admin/roles/{role}/edit", "roles:write").get(open_edit).post(save),
    PageRoute::for_holders("/auth/admin/roles/{role}/delete", "roles:write")
        .get(|visit| {
            visit.require_fresh()?;
            question(visit, None)
        })
        .post(delete),
];

fn path_of(name: &RoleName) -> String {
    format!("/auth/admin/roles/{name}")
}

fn named(visit: &Visit<'_>) -> Result<RoleName, Stop> {
    RoleName::parse(visit.parameter(0)).map_err(|_| Stop::NotFound)
}

fn view(role: &Role) -> Value {
    context! {
        path => path_of(&role.name),
        name => role.name.as_str(),
        description => role.description.as_str(),
        permissions => texts(&role.permissions),
    }
}

fn list(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let after = visit.query("after");
    let found = roles::page(visit.app, &visit.caller, ROWS, after.as_deref())?;
    let page = context! {
        title => visit.text("admin_roles.title"),
        roles => found.items.iter().map(view).collect::<Vec<_>>(),
        first => after.is_some(),
        next => further("/auth/admin/roles", &[], "after", found.next.as_deref()),
    };
    Ok(frame::page(visit, Tab::Roles, 200, "admin_roles.html", page))
}

fn show(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let held = roles::find(visit.app, &visit.caller, &named(visit)?)?;
    let page = context! {
        title => held.role.name.as_str(),
        role => view(&held.role),
        members => held.users,
        built_in => held.role.name.is_admin(),
        over => require_over(&visit.caller, &held.role.permissions).is_ok(),
    };
    Ok(frame::page(visit, Tab::Roles, 200, "admin_role.html", page))
}

/// The form for a new role, or for one that there is (`of`).
fn show_form(
    visit: &mut Visit<'_>,
    of: Option<&RoleName>,
    typed: &Value,
    chosen: &Chosen,
    mistakes: &Mistakes,
) -> Response {
    let title = if of.is_some() { "admin_edit_role.title" } else { "admin_add_role.title" };
    let page = context! {
        title => visit.text(title),
        role => of.map(RoleName::as_str),
        back => of.map_or("/auth/admin/roles".to_owned(), path_of),
        typed,
        permissions => chosen.shown(visit),
        errors => mistakes.beside_fields(),
        complaint => mistakes.above(),
    };
    frame::page(visit, Tab::Roles, mistakes.status(), "admin_edit_role.html", page)
}

fn open_new(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    visit.require_fresh()?;
    Ok(show_form(visit, None, &typed(&[]), &Chosen::default(), &Mistakes::default()))
}

fn add(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let form = visit.form(Fields {
        required: &["name", "description", permissions::OTHERS],
        optional: &[],
        lists: &[permissions::OWN],
    })?;
    let (name, description, chosen) = (form.text("name"), form.text("description"), Chosen::of(&form));
    let mut mistakes = Mistakes::default();
    let parsed = RoleName::parse(name).ok();
    if parsed.is_none() {
        mistakes.beside("name", visit.text("admin_invalid.word"));
    }
    let text = inputs::name(visit, "description", description, &mut mistakes);
    let permissions = chosen.read(visit, &mut mistakes);
    if let (Some(name), Some(text), true) = (parsed, text, mistakes.are_none()) {
        let new = Role { name, description: text.to_string(), permissions };
        match roles::add(visit.app, &visit.caller, &new) {
            Ok(role) => {
                let to = if visit.may("roles:read") { path_of(&role.name) } else { "/auth/admin/".into() };
                return Ok(visit.done(to, "role_added"));
            }
            Err(error) => mistakes = Mistakes::of(visit, error)?,
        }
    }
    Ok(show_form(visit, None, &typed(&[("name", name), ("description", description)]), &chosen, &mistakes))
}

fn open_edit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let role = roles::find(visit.app, &visit.caller, &named(visit)?)?.role;
    visit.require_fresh()?;
    let (now, chosen) = (typed(&[("description", &role.description)]), Chosen::held(&role.permissions));
    Ok(show_form(visit, Some(&role.name), &now, &chosen, &Mistakes::default()))
}

fn save(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let name = named(visit)?;
    let form = visit.form(Fields {
        required: &["description", permissions::OTHERS],
        optional: &[],
        lists: &[permissions::OWN],
    })?;
    let (description, chosen) = (form.text("description"), Chosen::of(&form));
    let mut mistakes = Mistakes::default();
    let text = inputs::name(visit, "description", description, &mut mistakes);
    let permissions = chosen.read(visit, &mut mistakes);
    if let (Some(text), true) = (text, mistakes.are_none()) {
        let permissions = PermissionChange::Replace(permissions);
        let changes = Changes { description: Some(text.to_string()), permissions };
        match roles::edit(visit.app, &visit.caller, &name, &changes) {
            Ok(_) => return Ok(visit.done(path_of(&name), "role_saved")),
            Err(error) => mistakes = Mistakes::of(visit, error)?,
        }
    }
    Ok(show_form(visit, Some(&name), &typed(&[("description", description)]), &chosen, &mistakes))
}

fn question(visit: &mut Visit<'_>, complaint: Option<String>) -> Result<Response, Stop> {
    let name = roles::find(visit.app, &visit.caller, &named(visit)?)?.role.name;
    let question = Question {
        tab: Tab::Roles,
        section: "admin_delete_role",
        about: name.to_string(),
        back: path_of(&name),
        warning: None,
    };
    Ok(ask(visit, &question, complaint))
}

fn delete(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let name = named(visit)?;
    visit.form(Fields::all(&[]))?;
    match roles::delete(visit.app, &visit.caller, &name) {
        Ok(_) => Ok(visit.done("/auth/admin/roles", "role_deleted")),
        Err(error) => {
            let complaint = Mistakes::of(visit, error)?.into_text();
            question(visit, Some(complaint))
        }
    }
}
