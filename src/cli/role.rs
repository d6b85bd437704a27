//! `role`: named sets of permissions, and who has them.

use super::exit::Failure;
use super::terminal::table::{Column, Table};
use super::{Context, permissions, role_name, role_names};
use crate::domain::role::Role;
use crate::usecase::user::UserRef;
use crate::usecase::{role as roles, view};
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub enum Verb {
    Add(Add),
    /// List all roles with their permissions
    List,
    /// Give a user one or more roles
    Assign(Membership),
    /// Take one or more roles from a user
    Unassign(Membership),
}

/// Create a role
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl role add editor --permission posts:read --permission posts:write
  authctl role add moderator --permission 'comments:*' --description 'Keeps the peace'")]
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

#[derive(Args, Debug)]
pub struct Membership {
    /// E-mail address or id
    user: String,
    /// Names of roles
    #[arg(value_name = "ROLE", required = true)]
    roles: Vec<String>,
}

impl Verb {
    /// # Errors
    /// What the use-case refuses, or can't do.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Add(add) => add.run(context),
            Self::List => {
                let listed = roles::list(&context.app()?, context.caller())?;
                context.terminal().list(&table(&listed))
            }
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
        context.terminal().changed(&table(&[made]))
    }
}

impl Membership {
    fn assign(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let user = roles::assign(&app, context.caller(), &UserRef::parse(&self.user)?, &role_names(&self.roles)?)?;
        context.terminal().note(&format!("gave {} to {}", self.roles.join(", "), user.email));
        context.terminal().changed(&super::user::one(&user, app.now()))
    }

    fn unassign(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let user = roles::unassign(&app, context.caller(), &UserRef::parse(&self.user)?, &role_names(&self.roles)?)?;
        context.terminal().note(&format!("took {} from {}", self.roles.join(", "), user.email));
        context.terminal().changed(&super::user::one(&user, app.now()))
    }
}

const COLUMNS: [Column; 3] = [Column::Whole("name"), Column::Text("description"), Column::Text("permissions")];

fn table(roles: &[Role]) -> Table {
    Table::of_objects(&COLUMNS, roles.iter().map(|role| (role.name.to_string(), view::role(role))))
}
