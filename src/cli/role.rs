//! `role`: named sets of permissions, and who has them.

use super::arguments::{permissions, role_name, role_names};
use super::exit::Failure;
use super::paging::Paging;
use super::terminal::prompt::Consent;
use super::terminal::table::{Cell, Column, Table};
use super::{Context, named};
use crate::domain::role::{CLAIMS_MAX, Carried, Permission, Role, RoleName};
use crate::usecase::account::roles;
use crate::usecase::account::roles::{Member, PermissionChange};
use crate::views;
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub enum Verb {
    Add(Add),
    List(List),
    Show(Show),
    Edit(Edit),
    Delete(Delete),
    /// Give a user one or more roles
    #[command(after_help = "Examples:
  authctl role assign ann@example.com editor
  authctl role assign ann@example.com editor moderator")]
    Assign(Membership),
    /// Take one or more roles from a user
    #[command(after_help = "Examples:
  authctl role unassign ann@example.com editor
  authctl role unassign ann@example.com editor moderator")]
    Unassign(Membership),
}

/// Create a role
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl role add editor --permission posts:read --permission posts:write
  authctl role add mod --permission 'comments:*' --description 'Keeps the peace'")]
pub struct Add {
    /// Lower-case letters, digits, `.`, `_` and `-`
    role: String,
    /// A permission that the role holds: area:action, or area:* for all of an area (may be repeated)
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    /// What the role is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
}

/// List all roles with their permissions, by name
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl role list
  authctl role list -o json")]
pub struct List {
    #[command(flatten)]
    paging: Paging,
}

/// Show one role, and who has it
///
/// Of the users who have it the first 50 are named, in the order in which their accounts were made.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl role show editor
  authctl role show admin -o json")]
pub struct Show {
    /// The role's name
    role: String,
}

/// Change a role's permissions or its description
///
/// It counts for the next request of everybody who has the role. The built-in role admin keeps the
/// permissions of authd's own, and may hold more.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl role edit editor --add-permission tags:write
  authctl role edit editor --remove-permission posts:write
  authctl role edit editor --permission posts:read --permission posts:write
  authctl role edit editor --no-permissions --description 'Not in use'")]
pub struct Edit {
    /// The role's name
    role: String,
    #[command(flatten)]
    changes: Changes,
}

/// What says all that a role holds.
const REPLACING: [&str; 2] = ["permissions", "no_permissions"];

#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
struct Changes {
    /// A permission that the role holds from now on, in the place of all that it held (may be repeated)
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    /// A permission to give to the role, besides what it holds (may be repeated)
    #[arg(long = "add-permission", value_name = "PERMISSION", conflicts_with_all = REPLACING)]
    added: Vec<String>,
    /// A permission to take from the role, which keeps the others (may be repeated)
    #[arg(long = "remove-permission", value_name = "PERMISSION", conflicts_with_all = REPLACING)]
    removed: Vec<String>,
    /// Take all permissions from the role
    #[arg(long, conflicts_with = "permissions")]
    no_permissions: bool,
    /// What the role is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

/// Delete a role and take it from everybody who has it
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl role delete editor
  authctl role delete editor --yes")]
pub struct Delete {
    /// The role's name
    role: String,
    /// Don't ask; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
}

#[derive(Args, Debug)]
pub struct Membership {
    /// E-mail address or id
    user: String,
    /// Names of roles
    #[arg(value_name = "ROLE", required = true)]
    roles: Vec<String>,
}

impl Verb {
    /// Runs the verb.
    ///
    /// # Errors
    /// What the use-case refuses, or can't do.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Add(add) => add.run(context),
            Self::List(list) => list.run(context),
            Self::Show(show) => show.run(context),
            Self::Edit(edit) => edit.run(context),
            Self::Delete(delete) => delete.run(context),
            Self::Assign(membership) => membership.assign(context),
            Self::Unassign(membership) => membership.unassign(context),
        }
    }
}

impl Add {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let permissions = permissions(&self.permissions)?;
        let role = Role { name: role_name(&self.role)?, description: self.description.clone(), permissions };
        let made = roles::add(&context.app()?, context.caller(), &role)?;
        context.terminal().note(&format!("created role {}", made.name));
        warn_of_long_tokens(context, std::slice::from_ref(&made.name), &made.permissions);
        context.terminal().changed(&table(&[made]))
    }
}

impl List {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        self.paging.print(
            context,
            |limit, after| roles::page(&app, context.caller(), limit, after),
            |listed| Ok(table(listed)),
        )
    }
}

impl Show {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let found = roles::members(&context.app()?, context.caller(), &role_name(&self.role)?, MEMBERS_MAX)?;
        let mut table =
            Table::of_objects(&WITH_MEMBERS, [(found.role.name.to_string(), views::role_members(&found))]);
        if let Some(cell) = table.rows.first_mut().and_then(|row| row.cells.last_mut()) {
            *cell = members(context, &found);
        }
        context.terminal().show(&table)
    }
}

impl Edit {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let changes = roles::Changes {
            permissions: self.changes.of_permissions()?,
            description: self.changes.description.clone(),
        };
        let edited = roles::edit(&context.app()?, context.caller(), &role_name(&self.role)?, &changes)?;
        context.terminal().note(&if edited.changed {
            format!("changed role {}", edited.role.name)
        } else {
            format!("role {} is so already; nothing was changed", edited.role.name)
        });
        warn_of_long_tokens(context, std::slice::from_ref(&edited.role.name), &edited.role.permissions);
        context.terminal().changed(&table(&[edited.role]))
    }
}

impl Changes {
    fn of_permissions(&self) -> Result<PermissionChange, Failure> {
        let (add, remove) = (permissions(&self.added)?, permissions(&self.removed)?);
        if let Some(both) = add.iter().find(|added| remove.contains(added)) {
            return Err(Failure::Usage(format!(
                "{both} can't be given and taken at once; leave out --add-permission or --remove-permission"
            )));
        }
        if !add.is_empty() || !remove.is_empty() {
            return Ok(PermissionChange::Edit { add, remove });
        }
        let replaces = self.no_permissions || !self.permissions.is_empty();
        Ok(if replaces {
            PermissionChange::Replace(permissions(&self.permissions)?)
        } else {
            PermissionChange::Keep
        })
    }
}

/// Addresses alone: for people with how many more there are.
fn members(context: &Context, found: &roles::Members) -> Cell {
    let mut addresses: Vec<String> = found.first.iter().map(|user| user.email.to_string()).collect();
    if !context.terminal().is_for_people() {
        return Cell::list(&addresses);
    }
    let unnamed = found.count.saturating_sub(MEMBERS_MAX.into());
    if unnamed > 0 {
        addresses.push(format!("and {unnamed} more"));
    }
    Cell::new(addresses.join(", "))
}

impl Delete {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let name = role_name(&self.role)?;
        let held = roles::deletable(&app, context.caller(), &name)?;
        let question = format!("Delete the role {name} and take it from {}?", users(held.users));
        Consent::from_flag(self.yes).obtain(&question)?;
        let deleted = roles::delete(&app, context.caller(), &name)?;
        context.terminal().note(&format!("deleted role {name} and took it from {}", users(deleted.users)));
        context.terminal().changed(&table(&[deleted.role]))
    }
}

fn users(count: u64) -> String {
    match count {
        0 => "nobody".into(),
        1 => "1 user".into(),
        more => format!("{more} users"),
    }
}

impl Membership {
    fn assign(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let (of, wanted) = (named::user(context, &app, &self.user)?, role_names(&self.roles)?);
        let Member { user, changed } = roles::assign(&app, context.caller(), &of, &wanted)?;
        let email = &user.email;
        context.terminal().note(&match (names(&changed), names(&others(&wanted, &changed))) {
            (none, had) if none.is_empty() => format!("{email} has {had} already; nothing was changed"),
            (given, had) if had.is_empty() => format!("gave {given} to {email}"),
            (given, had) => format!("gave {given} to {email}, who has {had} already"),
        });
        warn_of_long_tokens(context, &user.roles, &user.permissions);
        context.terminal().changed(&super::user::tables::one(&user, app.now()))
    }

    fn unassign(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let (of, unwanted) = (named::user(context, &app, &self.user)?, role_names(&self.roles)?);
        let Member { user, changed } = roles::unassign(&app, context.caller(), &of, &unwanted)?;
        let email = &user.email;
        context.terminal().note(&match (names(&changed), names(&others(&unwanted, &changed))) {
            (none, lacked) if none.is_empty() => format!("{email} hasn't {lacked}; nothing was changed"),
            (taken, lacked) if lacked.is_empty() => format!("took {taken} from {email}"),
            (taken, lacked) => format!("took {taken} from {email}, who hasn't {lacked}"),
        });
        context.terminal().changed(&super::user::tables::one(&user, app.now()))
    }
}

fn names(roles: &[RoleName]) -> String {
    roles.iter().map(RoleName::as_str).collect::<Vec<_>>().join(", ")
}

/// Those that were named and stayed as they were.
fn others(named: &[RoleName], changed: &[RoleName]) -> Vec<RoleName> {
    named.iter().filter(|role| !changed.contains(role)).cloned().collect()
}

/// Says so where whoever holds all this has tokens that don't carry it.
fn warn_of_long_tokens(context: &Context, roles: &[RoleName], permissions: &[Permission]) {
    let missing = match Carried::of(roles, permissions) {
        Carried::Both => return,
        Carried::RolesAlone => "permissions",
        Carried::Neither => "roles and permissions",
    };
    context.terminal().note(&format!(
        "warning: a token carries {CLAIMS_MAX} bytes of roles and permissions, and these are more: those of whoever \
         has them will carry no {missing}; authd itself asks the database, and services must ask authd"
    ));
}

const COLUMNS: [Column; 3] =
    [Column::Whole("name"), Column::Text("description"), Column::Text("permissions")];

/// How many of those who have a role are named.
const MEMBERS_MAX: u32 = 50;

const WITH_MEMBERS: [Column; 5] = [
    Column::Whole("name"),
    Column::Text("description"),
    Column::Text("permissions"),
    Column::Whole("member_count"),
    Column::Text("members"),
];

fn table(roles: &[Role]) -> Table {
    Table::of_objects(&COLUMNS, roles.iter().map(|role| (role.name.to_string(), views::role(role))))
        .giving_way(&["description"])
}
