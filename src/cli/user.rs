//! `user`: people's accounts.

mod edit;
mod questions;
pub(super) mod tables;

use super::arguments::{choices, role_names};
use super::exit::Failure;
use super::paging::Paging;
use super::password::{Choice, PasswordFlags};
use super::terminal::prompt::Consent;
use super::terminal::table::{Cell, Table};
use super::{Context, named};
use crate::domain::caller::Caller;
use crate::domain::email::{Email, InvalidEmail};
use crate::domain::name::Name;
use crate::domain::password::Password;
use crate::domain::role::RoleName;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserState};
use crate::error::{Error, Refusal};
use crate::usecase::account::admin as accounts;
use crate::usecase::account::admin::{Added, Filter, FirstPassword, NewAccount, Term, Verified};
use crate::usecase::account::reference::UserRef;
use crate::usecase::account::roles;
use crate::usecase::account::several;
use crate::usecase::account::several::Handled;
use crate::usecase::app::App;
use crate::usecase::federation::identities;
use crate::usecase::operator::short_id::Kind;
use crate::views;
use clap::{Args, Subcommand};
use edit::{Edit, RecoverLink, ResetLink};

#[derive(Subcommand, Debug)]
pub enum Verb {
    Add(Add),
    List(List),
    Show(Show),
    Edit(Edit),
    Passwd(Passwd),
    ResetLink(ResetLink),
    RecoverLink(RecoverLink),
    /// Stop users from logging in and end their sessions, at once
    ///
    /// All of them or, if one can't be, none.
    #[command(after_help = "Examples:
  authctl user disable ann@example.com
  authctl user disable ann@example.com bob@example.com -o json")]
    Disable(Users),
    /// Let disabled users log in again
    ///
    /// All of them or, if one can't be, none.
    #[command(after_help = "Examples:
  authctl user enable ann@example.com
  authctl user list --state disabled -q | xargs authctl user enable")]
    Enable(Users),
    /// End every lock that failed logins have put on users; who isn't locked stays as they are
    ///
    /// All of them or, if one can't be, none.
    #[command(after_help = "Examples:
  authctl user unlock ann@example.com
  authctl user list --state locked -q | xargs -r authctl user unlock")]
    Unlock(Users),
    Delete(Delete),
}

/// Create a user
///
/// Without one of the four password flags, the password is asked for twice, hidden; off a terminal one of
/// the flags is needed.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl user add ann@example.com --role admin
  authctl user add bob@example.com --invite
  authctl user add cid@example.com --verified --generate-password
  authctl user add ci@example.com --if-not-exists --password-file password.txt")]
pub struct Add {
    /// The user's e-mail address
    email: String,
    /// The user's name, as shown to people
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,
    /// Give the user this role (may be repeated)
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Take the address as verified
    #[arg(long)]
    verified: bool,
    #[command(flatten)]
    password: PasswordFlags,
    /// Succeed and change nothing when there is a user with this address
    #[arg(long)]
    if_not_exists: bool,
}

/// List users, oldest first
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl user list --query example.com
  authctl user list --state disabled -q")]
pub struct List {
    /// Only users whose address or name contains this text
    #[arg(long, value_name = "TEXT")]
    query: Option<String>,
    /// Only users with this role
    #[arg(long)]
    role: Option<String>,
    /// Only users in this state
    #[arg(long, value_parser = choices(UserState::ALL, UserState::name))]
    state: Option<UserState>,
    #[command(flatten)]
    paging: Paging,
}

/// Show one user
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl user show ann@example.com
  authctl user show ann@example.com -o json | jq -r '.roles[]'")]
pub struct Show {
    /// E-mail address or id
    user: String,
}

/// Set a user's password and end the user's sessions
///
/// Without one of the four password flags, the password is asked for twice, hidden; off a terminal one of
/// the flags is needed. With --invite the old password stays until the user sets a new one by the link. A
/// person at a terminal is asked first whether the sessions may end; a script is not.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl user passwd ann@example.com
  authctl user passwd ann@example.com --generate-password")]
pub struct Passwd {
    /// E-mail address or id
    user: String,
    #[command(flatten)]
    password: PasswordFlags,
    /// Don't ask whether the sessions may end
    #[arg(long)]
    yes: bool,
}

#[derive(Args, Debug)]
pub struct Users {
    /// E-mail addresses or ids
    #[arg(value_name = "USER", required = true)]
    users: Vec<String>,
}

/// Delete users and their personal data, for good
///
/// All of them or, if one can't be, none. Their sessions end at once. The audit log keeps their ids.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl user delete ann@example.com
  authctl user list --state disabled -q | xargs authctl user delete --yes")]
pub struct Delete {
    #[command(flatten)]
    users: Users,
    /// Don't ask; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
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
            Self::Passwd(passwd) => passwd.run(context),
            Self::ResetLink(link) => link.run(context),
            Self::RecoverLink(link) => link.run(context),
            Self::Disable(users) => users.change(context, several::disable, disabled),
            Self::Enable(users) => users.change(context, several::enable, enabled),
            Self::Unlock(users) => users.change(context, several::unlock, unlocked),
            Self::Delete(delete) => delete.run(context),
        }
    }
}

impl Add {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let mut account = self.account()?;
        let app = context.app()?;
        let of = UserRef::Email(account.email.clone());
        // Before the prompt: where the user exists already, no password is needed.
        match accounts::find(&app, context.caller(), &of) {
            Ok(user) => return self.taken(context, &user, app.now()),
            Err(Error::Refused(Refusal::NotFound { .. })) => {}
            Err(error) => return Err(error.into()),
        }
        let choice = self.password.choose(&app, &account.email, &account.name)?;
        if let Choice::Given(password) | Choice::Generated(password) = &choice {
            account.password = match self.password.term() {
                Term::Lasting => FirstPassword::Set(password.clone()),
                Term::Temporary => FirstPassword::Temporary(password.clone()),
            };
        }
        match accounts::add(&app, context.caller(), account) {
            Ok(added) => {
                let id = named::short(context, &app, Kind::User, &added.user.id.to_string())?;
                context.terminal().note(&self.created(&choice, &added.user, &id));
                warn_of_domain(context, &added.user.email);
                print_with_secret(context, &app, &choice, &added)
            }
            // Somebody created it in between.
            Err(Error::Refused(Refusal::EmailTaken)) => {
                self.taken(context, &accounts::find(&app, context.caller(), &of)?, app.now())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The account that the flags describe, without a password as yet.
    fn account(&self) -> Result<NewAccount, Refusal> {
        Ok(NewAccount {
            email: parse_email(&self.email)?,
            name: parse_name(&self.name)?,
            roles: role_names(&self.roles)?,
            verified: if self.verified { Verified::Yes } else { Verified::No },
            password: FirstPassword::Invite,
        })
    }

    fn taken(&self, context: &Context, user: &User, now: Timestamp) -> Result<(), Failure> {
        if !self.if_not_exists {
            return Err(Refusal::EmailTaken.into());
        }
        context.terminal().note(&format!("user {} exists already; nothing was changed", user.email));
        context.terminal().changed(&tables::without_secret(user, now))
    }

    fn created(&self, choice: &Choice, user: &User, id: &str) -> String {
        let advice = match choice {
            Choice::Invite => "; the link to set a password works once, for 7 days",
            Choice::Given(_) | Choice::Generated(_) if self.verified => "",
            Choice::Given(_) | Choice::Generated(_) => "; a link to verify the address is in the outbox",
        };
        let term = if matches!(choice, Choice::Invite) { "" } else { must_change(self.password.term()) };
        format!("created user {} {id}{advice}{term}", user.email)
    }
}

impl List {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let role = self.role.as_ref().map(|name| known_role(context, &app, name)).transpose()?;
        let filter = Filter { query: self.query.clone(), role, state: self.state };
        self.paging.print(
            context,
            |limit, after| accounts::list(&app, context.caller(), &filter, limit, after),
            |users| named::shortened(context, &app, Kind::User, tables::list(users, app.now())),
        )
    }
}

/// The role that a filter names: without it nobody would be found, and nobody told why.
fn known_role(context: &Context, app: &App, text: &str) -> Result<RoleName, Failure> {
    let name = RoleName::parse(text).map_err(|_| Refusal::not_found("role", text))?;
    Ok(roles::find(app, context.caller(), &name)?.role.name)
}

impl Show {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let of = named::user(context, &app, &self.user)?;
        let user = accounts::find(&app, context.caller(), &of)?;
        let linked = identities::page(&app, context.caller(), &of, tables::IDENTITIES_MAX, None)?.items;
        let view = views::user_with_identities(&user, &linked, app.now());
        let mut table = Table::of_objects(&tables::WITH_IDENTITIES, [(user.id.to_string(), view)]);
        if let Some(cell) = table.rows.first_mut().and_then(|row| row.cells.last_mut()) {
            *cell = Cell::list(&linked.iter().map(tables::in_short).collect::<Vec<_>>());
        }
        context.terminal().show(&table)
    }
}

impl Passwd {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let of = named::user(context, &app, &self.user)?;
        // Before any prompt: nobody should think of a password for a user who doesn't exist.
        let user = accounts::find(&app, context.caller(), &of)?;
        if !self.password.leaves_it_to_the_owner() {
            let question = questions::new_password(&app, context.caller(), &user)?;
            Consent::from_flag(self.yes).obtain_from_a_person(&question)?;
        }
        let choice = self.password.choose(&app, &user.email, &user.name)?;
        let changed = match &choice {
            Choice::Invite => accounts::invite(&app, context.caller(), &of)?,
            Choice::Given(password) | Choice::Generated(password) => {
                set(context, &app, &of, password, self.password.term())?
            }
        };
        context.terminal().note(&match choice {
            Choice::Invite => {
                format!("made a link to set a password for {}; it works once, for 7 days", changed.user.email)
            }
            Choice::Given(_) | Choice::Generated(_) => {
                let term = must_change(self.password.term());
                format!("set a new password for {}; all sessions have ended{term}", changed.user.email)
            }
        });
        print_with_secret(context, &app, &choice, &changed)
    }
}

/// What to tell whoever hands the password over.
const fn must_change(term: Term) -> &'static str {
    match term {
        Term::Lasting => "",
        Term::Temporary => {
            "; the next login with this password asks for another, and unused it ends after 7 days"
        }
    }
}

fn set(context: &Context, app: &App, of: &UserRef, password: &Password, term: Term) -> Result<Added, Error> {
    let user = accounts::set_password(app, context.caller(), of, password, term)?;
    Ok(Added { user, invitation: None })
}

/// Prints the account for programs, and a generated password or a link always, since it is shown only once.
fn print_with_secret(context: &Context, app: &App, choice: &Choice, added: &Added) -> Result<(), Failure> {
    let password = match choice {
        Choice::Generated(password) => Some(Secret::new(password.expose().to_owned())),
        Choice::Given(_) | Choice::Invite => None,
    };
    let link = added.invitation.as_ref();
    match password.as_ref().or(link) {
        Some(secret) => {
            let holder = views::user_with_secret(&added.user, password.as_ref(), link, app.now());
            context.terminal().secret(secret.expose(), holder)
        }
        None => context.terminal().changed(&tables::without_secret(&added.user, app.now())),
    }
}

/// What is done to all users named, or to none.
type Act = fn(&App, &Caller, &[UserRef]) -> Result<Vec<Handled>, Error>;

impl Users {
    /// Changes every user named, or none; `says` what came of each.
    fn change(&self, context: &Context, act: Act, says: fn(&Handled) -> String) -> Result<(), Failure> {
        let app = context.app()?;
        let of =
            self.users.iter().map(|name| named::user(context, &app, name)).collect::<Result<Vec<_>, _>>()?;
        let handled = act(&app, context.caller(), &of)?;
        for one in &handled {
            context.terminal().note(&says(one));
        }
        let users: Vec<User> = handled.into_iter().map(|one| one.user).collect();
        context.terminal().all_changed(&tables::list(&users, app.now()))
    }
}

fn disabled(Handled { user, changes }: &Handled) -> String {
    match changes {
        0 => format!("{} is disabled already; nothing was changed", user.email),
        _ => format!("disabled {}", user.email),
    }
}

fn enabled(Handled { user, changes }: &Handled) -> String {
    match changes {
        0 => format!("{} is enabled already; nothing was changed", user.email),
        _ => format!("enabled {}", user.email),
    }
}

fn unlocked(Handled { user, changes }: &Handled) -> String {
    match changes {
        0 => format!("{} is not locked; nothing was changed", user.email),
        1 => format!("ended 1 lock on {}", user.email),
        more => format!("ended {more} locks on {}", user.email),
    }
}

fn deleted(Handled { user, .. }: &Handled) -> String {
    format!("deleted {}", user.email)
}

impl Delete {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        if self.yes {
            return self.users.change(context, several::delete, deleted);
        }
        let (question, users) = questions::deletion(context, &context.app()?, &self.users.users)?;
        Consent::Open.obtain(&question)?;
        // Those who were asked about, whoever has their addresses by now.
        let users = Users { users: users.iter().map(|user| user.id.to_string()).collect() };
        users.change(context, several::delete, deleted)
    }
}

/// Warns of an address that mail from the internet does not reach: a slip, or a name of their own network.
fn warn_of_domain(context: &Context, email: &Email) {
    if !email.has_public_domain() {
        let domain = email.domain();
        context
            .terminal()
            .note(&format!("warning: {domain} is no domain of the internet; see that mail gets there"));
    }
}

fn parse_email(text: &str) -> Result<Email, Refusal> {
    Email::parse(text).map_err(|_| Refusal::invalid("email", "invalid", InvalidEmail::MESSAGE))
}

fn parse_name(text: &str) -> Result<Name, Refusal> {
    Name::parse(text).map_err(|error| Refusal::invalid("name", error.code(), error.message()))
}
