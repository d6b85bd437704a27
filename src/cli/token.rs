//! `token`: sessions with their refresh families, and single access tokens.

use super::exit::Failure;
use super::paging::Paging;
use super::password::from_stdin;
use super::terminal::prompt::{self, Consent};
use super::terminal::table::{Column, Row, Table, object};
use super::words::counted;
use super::{Context, named, times};
use crate::domain::secret::Secret;
use crate::usecase::account::admin as accounts;
use crate::usecase::app::App;
use crate::usecase::operator::short_id::Kind;
use crate::usecase::session::inspect::{Inspection, inspect};
use crate::usecase::session::list;
use crate::usecase::session::list::Which;
use crate::usecase::session::mint::mint;
use crate::usecase::session::tokens;
use crate::usecase::session::tokens::Target;
use crate::views;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::time::Duration;

#[derive(Subcommand, Debug)]
pub enum Verb {
    List(List),
    Revoke(Revoke),
    Inspect(Inspect),
    Mint(Mint),
}

/// List sessions that are alive, newest first
///
/// With --all these are all there are: ended and expired ones, too, and as many as there are.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl token list
  authctl token list --user ann@example.com --ended --limit 10")]
pub struct List {
    /// Only the sessions of this user (e-mail address or id)
    #[arg(long)]
    user: Option<String>,
    /// Ended and expired sessions too
    #[arg(long)]
    ended: bool,
    #[command(flatten)]
    paging: Paging,
}

/// End sessions, or void one access token; it counts at once
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl token revoke --id 019a0b7c-6c7e-7a31-8a52-0d2f4be1c3a9
  authctl token revoke --user ann@example.com
  authctl token revoke --token-stdin < leaked.txt")]
pub struct Revoke {
    #[command(flatten)]
    which: What,
    /// Don't ask before --user and --all; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct What {
    /// This session
    #[arg(long, value_name = "SESSION")]
    id: Option<String>,
    /// Every session of this user (e-mail address or id)
    #[arg(long)]
    user: Option<String>,
    /// The one access token with this jti; its session lives on
    #[arg(long)]
    jti: Option<String>,
    /// What the token on stdin stands for: the session of a refresh token or a browser's cookie, or one
    /// access token
    #[arg(long)]
    token_stdin: bool,
    /// Every session of every user
    #[arg(long)]
    all: bool,
}

/// Say whether a token is good, and if not, why
///
/// Takes an access token, a refresh token, the cookie of a browser's session or an API key. Exits 5 when the
/// token is not good.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl token inspect
  authctl token inspect --stdin -o json < token.txt")]
pub struct Inspect {
    /// Read the token from stdin instead of asking for it
    #[arg(long)]
    stdin: bool,
}

/// Make an access token for a user, for scripts and tests; it is printed this once, alone on stdout
///
/// It has a session of its own, which `token list` shows and `token revoke` ends, but no refresh token.
/// Nobody proved anything for it, so it is never good for what needs a fresh login.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl token mint ann@example.com
  TOKEN=$(authctl token mint ann@example.com --ttl 5m)")]
pub struct Mint {
    /// E-mail address or id
    user: String,
    /// How long it lives, at most `tokens.refresh_ttl` [default: `tokens.access_ttl`]
    #[arg(long, value_name = "SPAN", value_parser = times::span)]
    ttl: Option<Duration>,
}

impl Verb {
    /// Runs the verb.
    ///
    /// # Errors
    /// What the use-case refuses, or can't do; exit 5 for a token that is not good.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run(context),
            Self::Revoke(revoke) => revoke.run(context),
            Self::Inspect(inspect) => inspect.run(context),
            Self::Mint(mint) => mint.run(context),
        }
    }
}

const SESSION: [Column; 7] = [
    Column::Id("id"),
    Column::Whole("email"),
    Column::Time("last_used_at"),
    Column::Time("expires_at"),
    Column::Time("ended_at"),
    Column::Text("ip"),
    Column::Cut("user_agent"),
];

impl List {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let user = named::maybe_user(context, &app, self.user.as_deref())?;
        let which = if self.ended || self.paging.all() { Which::All } else { Which::Alive };
        self.paging.print(
            context,
            |limit, after| list::page(&app, context.caller(), user.as_ref(), which, limit, after),
            |listed| {
                let rows = listed.iter();
                let rows = rows.map(|one| (one.session.id.to_string(), views::listed_session(one)));
                let table = Table::of_objects(&SESSION, rows);
                let order = &["user_agent", "expires_at", "ended_at", "ip", "last_used_at"];
                named::shortened(context, &app, Kind::Session, table.giving_way(order))
            },
        )
    }
}

impl Revoke {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let target = self.which.target(context, &app)?;
        if let Some(question) = question(&app, context, &target)? {
            Consent::from_flag(self.yes).obtain(&question)?;
        }
        let revoked = tokens::revoke(&app, context.caller(), &target)?;
        context.terminal().note(&match (revoked, &target) {
            (0, _) => "nothing was alive; nothing was changed".to_owned(),
            (1, Target::Jti(_)) => "revoked 1 access token".to_owned(),
            (1, Target::Token(_)) => "revoked it".to_owned(),
            (1, _) => "ended 1 session".to_owned(),
            (many, _) => format!("ended {many} sessions"),
        });
        let row = (revoked.to_string(), views::revoked(revoked));
        context.terminal().changed(&Table::of_objects(&[Column::Text("revoked")], [row]))
    }
}

/// What is asked before many sessions end. `None`: nothing needs to be.
fn question(app: &App, context: &Context, target: &Target) -> Result<Option<String>, Failure> {
    let caller = context.caller();
    let (ends, question) = match target {
        Target::User(of) => {
            let user = accounts::find(app, caller, of)?;
            let ends = list::count_of(app, caller, &[user.id])?;
            (ends, format!("End {} of {}?", counted(ends, "session"), user.email))
        }
        Target::All => {
            let all = list::count(app, caller)?;
            let (sessions, users) = (counted(all.sessions, "session"), counted(all.users, "user"));
            (all.sessions, format!("End every session of everybody: {sessions} of {users}?"))
        }
        Target::Session(_) | Target::Jti(_) | Target::Token(_) => return Ok(None),
    };
    // A script says --yes whether or not there is anything to end.
    let idle = ends == 0 && prompt::can_ask();
    Ok((!idle).then_some(question))
}

impl What {
    fn target(&self, context: &Context, app: &App) -> Result<Target, Failure> {
        Ok(match self {
            Self { id: Some(id), .. } => Target::Session(named::session(context, app, id)?),
            Self { user: Some(user), .. } => Target::User(named::user(context, app, user)?),
            Self { jti: Some(jti), .. } => Target::Jti(jti.clone()),
            Self { token_stdin: true, .. } => Target::Token(trimmed(&from_stdin("--token-stdin")?)),
            Self { .. } => Target::All,
        })
    }
}

/// No token holds white space; what was pasted may.
fn trimmed(text: &Secret<String>) -> String {
    text.expose().trim().to_owned()
}

impl Inspect {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let token = if self.stdin {
            from_stdin("--stdin")?
        } else if prompt::can_ask() {
            prompt::secret("Token")?
        } else {
            return Err(Failure::Usage(
                "nobody can be asked for the token; add --stdin and give it there, or run this on a terminal"
                    .into(),
            ));
        };
        let inspection = inspect(&context.app()?, context.caller(), &trimmed(&token))?;
        context.terminal().show(&inspected(context, &inspection))?;
        match inspection.flaw {
            None => Ok(()),
            Some(flaw) => {
                Err(Failure::Check(format!("the token is not good: {flaw}; whoever has it needs another")))
            }
        }
    }
}

impl Mint {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let minted = mint(&app, context.caller(), &named::user(context, &app, &self.user)?, self.ttl)?;
        let (email, until) = (&minted.user.email, minted.expires_at);
        let session = named::short(context, &app, Kind::Session, &minted.session.to_string())?;
        context.terminal().note(&format!(
            "minted an access token for {email}, good until {until}; `authctl token revoke --id {session}` ends it"
        ));
        context.terminal().secret(minted.access_token.expose(), views::minted(&minted, app.now()))
    }
}

const INSPECTED: [Column; 15] = [
    Column::Text("kind"),
    Column::Text("active"),
    Column::Text("reason"),
    Column::Id("user_id"),
    Column::Id("session_id"),
    Column::Id("jti"),
    Column::Text("name"),
    Column::Time("issued_at"),
    Column::Time("last_used_at"),
    Column::Time("expires_at"),
    Column::Time("auth_time"),
    Column::Text("amr"),
    Column::Text("roles"),
    Column::Text("permissions"),
    Column::Text("omitted"),
];

/// What every kind of token has, whatever it says.
const ALWAYS: usize = 3;

/// What was found. People aren't shown what a token of this kind doesn't say.
fn inspected(context: &Context, inspection: &Inspection) -> Table {
    let json = object(views::inspection(inspection));
    let says = |column: &Column| match &json[column.name()] {
        Value::Null => false,
        Value::Array(items) => !items.is_empty() || inspection.facts.token.is_some(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => true,
    };
    let (always, facts) = INSPECTED.split_at(ALWAYS);
    let for_people = context.terminal().is_for_people();
    let facts = facts.iter().filter(|column| !for_people || says(column));
    let columns: Vec<Column> = always.iter().chain(facts).copied().collect();
    let id = ["jti", "session_id", "user_id"].into_iter().find_map(|name| json[name].as_str());
    let row = Row::of_object(&columns, id.unwrap_or_default().to_owned(), views::inspection(inspection));
    Table::new(&columns, vec![row])
}
