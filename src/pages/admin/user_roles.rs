//! `/auth/admin/users/{id}/roles`: the roles that somebody has, as boxes.

use super::frame::{self, Tab, texts};
use super::inputs::Mistakes;
use super::user::{self, path_of};
use crate::domain::role::RoleName;
use crate::pages::form::{Fields, Form};
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::admin;
use crate::usecase::account::admin::LIMIT_MAX;
use crate::usecase::account::reference::UserRef;
use crate::usecase::account::roles;
use minijinja::{Value, context};

pub const ROUTES: &[PageRoute] =
    &[PageRoute::for_holders("/auth/admin/users/{id}/roles", "users:write").get(open).post(save)];

/// The list of the boxes that are ticked.
pub const TICKED: &str = "role";
/// The list of those that were ticked when the page was made.
const HAD: &str = "had";

/// The roles that are ticked.
#[derive(Debug, Default)]
pub struct Ticked(Vec<RoleName>);

impl Ticked {
    /// Those of a form. What is no role's name is none that could be ticked.
    pub fn of(form: &Form) -> Self {
        Self::list(form, TICKED)
    }

    fn list(form: &Form, name: &str) -> Self {
        Self(form.list(name).filter_map(|text| RoleName::parse(text).ok()).collect())
    }

    /// These.
    pub const fn these(roles: Vec<RoleName>) -> Self {
        Self(roles)
    }

    /// Their names.
    pub fn roles(&self) -> Vec<RoleName> {
        self.0.clone()
    }

    fn without(&self, others: &Self) -> Vec<RoleName> {
        self.0.iter().filter(|role| !others.0.contains(role)).cloned().collect()
    }
}

/// Lists the roles that there are, as many as one page has. None for somebody who may not see them.
///
/// # Errors
/// The store's.
pub fn all(visit: &Visit<'_>) -> Result<Vec<RoleName>, Stop> {
    if !visit.may("roles:read") {
        return Ok(Vec::new());
    }
    let page = roles::page(visit.app, &visit.caller, LIMIT_MAX, None)?;
    Ok(page.items.into_iter().map(|role| role.name).collect())
}

/// For a template: a box for each role that there is, or that is ticked.
///
/// # Errors
/// As [`all`].
pub fn boxes(visit: &Visit<'_>, ticked: &Ticked) -> Result<Vec<Value>, Stop> {
    let mut offered = all(visit)?;
    offered.extend(ticked.0.iter().cloned());
    offered.sort();
    offered.dedup();
    let shown = offered
        .iter()
        .map(|role| context! { name => role.as_str(), ticked => ticked.0.contains(role) })
        .collect();
    Ok(shown)
}

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let of = user::named(visit)?;
    visit.require_fresh()?;
    show(visit, &of, None, &Mistakes::default())
}

/// `ticked` of `None`: those that the user has.
fn show(
    visit: &mut Visit<'_>,
    of: &UserRef,
    ticked: Option<&Ticked>,
    mistakes: &Mistakes,
) -> Result<Response, Stop> {
    let user = admin::find(visit.app, &visit.caller, of)?;
    let held = Ticked(user.roles.clone());
    let page = context! {
        title => visit.text("admin_user_roles.title"),
        email => user.email.as_str(),
        back => path_of(&user),
        roles => boxes(visit, ticked.unwrap_or(&held))?,
        had => texts(&held.0),
        own => user::is_own(visit, &user),
        complaint => mistakes.above(),
    };
    Ok(frame::page(visit, Tab::Users, mistakes.status(), "admin_user_roles.html", page))
}

/// What somebody else gave or took meanwhile stays as it is.
fn save(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let of = user::named(visit)?;
    let form = visit.form(Fields { lists: &[TICKED, HAD], ..Fields::all(&[]) })?;
    let (ticked, had) = (Ticked::of(&form), Ticked::list(&form, HAD));
    let (given, taken) = (ticked.without(&had), had.without(&ticked));
    match roles::reassign(visit.app, &visit.caller, &of, &given, &taken) {
        Ok(member) => Ok(visit.done(path_of(&member.user), "roles_saved")),
        Err(error) => {
            let mistakes = Mistakes::of(visit, error)?;
            show(visit, &of, Some(&ticked), &mistakes)
        }
    }
}
