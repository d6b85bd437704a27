//! `role`: named sets of permissions, and who has them.

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
