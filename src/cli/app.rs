//! `app`: applications that a proxy asks authd about, and who may use them.

use super::arguments::role_names;
use super::exit::Failure;
use super::paging::Paging;
use super::terminal::prompt::Consent;
use super::terminal::table::{Cell, Column, Row, Table, Tone, object};
use super::{Context, named};
use crate::domain::application::{
    Allow, AppName, AppOrigin, Application, Demand, Finding, InvalidAppName, InvalidAppOrigin,
};
use crate::error::Refusal;
use crate::usecase::gate::judge::Explained;
use crate::usecase::gate::{apps, judge};
use crate::views;
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub enum Verb {
    Add(Add),
    List(List),
    Show(Show),
    Edit(Edit),
    Delete(Delete),
    Explain(Explain),
}

/// Put an application behind the gate
///
/// A proxy that asks `/api/auth/verify?app=NAME` then lets in whom the rule allows, on the very next request.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl app add wiki --url https://wiki.example.com --allow-role editor
  authctl app add intranet --url https://intranet.example.com --allow-everyone")]
pub struct Add {
    /// Lower-case letters, digits, `.`, `_` and `-`
    #[arg(value_name = "APP")]
    name: String,
    /// Where it stands: https, host and port; http for this machine alone
    #[arg(long, value_name = "URL")]
    url: String,
    #[command(flatten)]
    rule: Rule,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Rule {
    /// Let in whoever has this role (may be repeated: one of them is enough)
    #[arg(long = "allow-role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Let in everybody who is signed in
    #[arg(long = "allow-everyone")]
    everyone: bool,
}

/// List the applications behind the gate, by name
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl app list
  authctl app list -o json")]
pub struct List {
    #[command(flatten)]
    paging: Paging,
}

/// Show one application
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl app show wiki
  authctl app show wiki -o json")]
pub struct Show {
    /// The application's name
    #[arg(value_name = "APP")]
    name: String,
}

/// Change where an application stands, or who may use it
///
/// It counts for the next request of everybody.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl app edit wiki --allow-role editor
  authctl app edit wiki --url https://wiki.example.org")]
pub struct Edit {
    /// The application's name
    #[arg(value_name = "APP")]
    name: String,
    #[command(flatten)]
    changes: Changes,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
struct Changes {
    /// Where it stands from now on
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Let in whoever has this role, in the place of the whole rule (may be repeated)
    #[arg(long = "allow-role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Let in everybody who is signed in, in the place of the whole rule
    #[arg(long = "allow-everyone", conflicts_with = "roles")]
    everyone: bool,
}

/// Delete an application; the gate lets nobody into it any more
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl app delete wiki
  authctl app delete wiki --yes")]
pub struct Delete {
    /// The application's name
    #[arg(value_name = "APP")]
    name: String,
    /// Don't ask; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
}

/// Say whether a user may use an application, and why
///
/// By the very rule that the gate judges each request by. Exits 0 if they may, 1 if not.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl app explain wiki ann@example.com
  authctl app explain wiki ann@example.com -o json")]
pub struct Explain {
    /// The application's name
    #[arg(value_name = "APP")]
    name: String,
    /// E-mail address or id
    user: String,
}

impl Verb {
    /// Runs the verb.
    ///
    /// # Errors
    /// What the use-case refuses, or can't do; exit 1 where `explain` says no.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Add(add) => add.run(context),
            Self::List(list) => list.run(context),
            Self::Show(show) => show.run(context),
            Self::Edit(edit) => edit.run(context),
            Self::Delete(delete) => delete.run(context),
            Self::Explain(explain) => explain.run(context),
        }
    }
}

impl Add {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let allow =
            if self.rule.everyone { Allow::Everyone } else { Allow::roles(role_names(&self.rule.roles)?) };
        let new = apps::NewApp { name: name(&self.name)?, origin: origin(&self.url)?, allow };
        let added = apps::add(&context.app()?, context.caller(), &new)?;
        context.terminal().note(&format!("created application {} at {}", added.name, added.origin));
        context.terminal().changed(&table(&[added]))
    }
}

impl List {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        self.paging.print(
            context,
            |limit, after| apps::page(&app, context.caller(), limit, after),
            |listed| Ok(table(listed)),
        )
    }
}

impl Show {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let found = apps::find(&context.app()?, context.caller(), &name(&self.name)?)?;
        context.terminal().show(&table(&[found]))
    }
}

impl Edit {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let Changes { url, roles, everyone } = &self.changes;
        let allow = match (everyone, roles.is_empty()) {
            (true, _) => Some(Allow::Everyone),
            (false, false) => Some(Allow::roles(role_names(roles)?)),
            (false, true) => None,
        };
        let changes = apps::Changes { origin: url.as_deref().map(origin).transpose()?, allow };
        let edited = apps::edit(&context.app()?, context.caller(), &name(&self.name)?, &changes)?;
        context.terminal().note(&if edited.changed {
            format!("changed application {}", edited.app.name)
        } else {
            format!("application {} is so already; nothing was changed", edited.app.name)
        });
        context.terminal().changed(&table(&[edited.app]))
    }
}

impl Delete {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let (app, name) = (context.app()?, name(&self.name)?);
        let found = apps::find(&app, context.caller(), &name)?;
        Consent::from_flag(self.yes)
            .obtain(&format!("Delete the application {name} and let nobody into {}?", found.origin))?;
        let deleted = apps::delete(&app, context.caller(), &name)?;
        context.terminal().note(&format!("deleted application {name}"));
        context.terminal().changed(&table(&[deleted]))
    }
}

impl Explain {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let of = named::user(context, &app, &self.user)?;
        let explained = judge::explain(&app, context.caller(), &name(&self.name)?, &of)?;
        if context.terminal().is_for_people() {
            context.terminal().list(&steps(&explained))?;
        } else {
            context.terminal().show(&judged(&explained))?;
        }
        let (email, app) = (&explained.user.email, &explained.application.name);
        if !explained.judgement.allows() {
            return Err(Refusal::AppNotAllowed { app: app.to_string() }.into());
        }
        context.terminal().note(&format!("{email} may use {app}"));
        Ok(())
    }
}

fn name(text: &str) -> Result<AppName, Refusal> {
    AppName::parse(text)
        .map_err(|InvalidAppName| Refusal::invalid("name", "invalid", InvalidAppName::MESSAGE))
}

fn origin(text: &str) -> Result<AppOrigin, Refusal> {
    AppOrigin::parse(text)
        .map_err(|InvalidAppOrigin| Refusal::invalid("url", "invalid", InvalidAppOrigin::MESSAGE))
}

const COLUMNS: [Column; 4] =
    [Column::Whole("name"), Column::Whole("url"), Column::Text("allow"), Column::Time("created_at")];

fn table(apps: &[Application]) -> Table {
    let row = |app: &Application| {
        let mut row = Row::of_object(&COLUMNS, app.name.to_string(), views::app(app));
        row.cells[2] = allowed(&app.allow);
        row
    };
    Table::new(&COLUMNS, apps.iter().map(row).collect()).giving_way(&["created_at"])
}

/// Who may use it, in a word or several.
fn allowed(allow: &Allow) -> Cell {
    match allow {
        Allow::Everyone => Cell::new("everyone"),
        Allow::Roles(roles) if roles.is_empty() => Cell::toned("nobody", Tone::Warning),
        Allow::Roles(roles) => Cell::list(roles),
    }
}

const STEPS: [Column; 2] = [Column::Text("demand"), Column::Whole("met")];

fn steps(explained: &Explained) -> Table {
    let row = |finding: &Finding| {
        let met = if finding.met { Cell::toned("yes", Tone::Good) } else { Cell::toned("no", Tone::Bad) };
        let cells = vec![Cell::new(in_words(&finding.demand)), met];
        Row { id: finding.demand.name().to_owned(), cells, json: object(finding.demand.name()) }
    };
    Table::new(&STEPS, explained.judgement.0.iter().map(row).collect())
}

fn in_words(demand: &Demand) -> String {
    match demand {
        Demand::Enabled => "the account is not disabled".into(),
        Demand::SecondFactor => "it has the second factor that it must have".into(),
        Demand::SignedIn => "everyone who is signed in may use the application".into(),
        Demand::OneOf(roles) if roles.is_empty() => "no role lets anybody in any more".into(),
        Demand::OneOf(roles) => {
            let roles: Vec<_> = roles.iter().map(ToString::to_string).collect();
            format!("it has the role {}", roles.join(" or "))
        }
    }
}

const JUDGED: [Column; 4] =
    [Column::Whole("app"), Column::Whole("user_id"), Column::Whole("email"), Column::Whole("allowed")];

fn judged(explained: &Explained) -> Table {
    let id = explained.user.id.to_string();
    Table::of_objects(&JUDGED, [(id, views::app_judgement(explained))])
}
