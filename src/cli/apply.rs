//! `apply`: brings the database to the state that a file describes.

use super::Context;
use super::arguments::{self, unreadable};
use super::exit::Failure;
use super::terminal::plan::PlanLine;
use super::terminal::prompt::Consent;
use super::terminal::table::{Column, Table, Tone};
use crate::usecase::app::App;
use crate::usecase::operator::apply;
use crate::usecase::operator::apply::{Action, ApplyMode, Change, Done, Fate, NotListed, Plan, Wanted};
use crate::views;
use clap::Args;
use std::io::{read_to_string, stdin};
use std::path::{Path, PathBuf};

/// Make users, roles, API keys and applications be as a file says
///
/// Prints the plan, a line for each change: `+` adds, `~` changes, `-` removes. Doing it again does nothing.
/// All of it is done, or none. New users are invited: they have no password until they follow the link.
/// Below the plan stand the secrets of new keys and the links of new users, this once; -q leaves them out.
///
/// What the file doesn't say is left as it is. What a role or an API key may do is the file's to say, whole:
/// a permission that its list doesn't name is taken from it. A user's roles are only added to; with --prune
/// those that the list doesn't name are taken. A note counts what --prune would take.
///
/// An application is said whole: its url, and allow_roles or allow_everyone. No two have the same url.
///
/// A key's ttl counts from when the key was made, so another one moves its end. An end that would lie in the
/// past is an error: revoke the key, and apply makes a new one. Without a ttl a key keeps its end.
///
/// With --exit-code the exit code is 2 where something was changed (with --dry-run: would be) and 0 where
/// nothing was to do, for scripts that look for drift. A wrong command line is 2 as well, but prints nothing
/// on stdout.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl apply accounts.toml --dry-run
  authctl apply accounts.toml
  authctl apply accounts.toml --prune --yes -o json
  authctl apply accounts.toml --dry-run --exit-code

The file is TOML, or JSON with the same names:

  [[roles]]
  name = \"editor\"
  description = \"Writes posts\"
  permissions = [\"posts:read\", \"posts:write\"]

  [[users]]
  email = \"ann@example.com\"
  name = \"Ann\"
  roles = [\"admin\", \"editor\"]
  verified = true
  disabled = false

  [[api_keys]]
  name = \"ci\"
  permissions = [\"users:read\"]
  ttl = \"90d\"

  [[apps]]
  name = \"wiki\"
  url = \"https://wiki.example.com\"
  allow_roles = [\"editor\"]

  [[apps]]
  name = \"intranet\"
  url = \"https://intranet.example.com\"
  allow_everyone = true")]
pub struct Apply {
    /// The file; `-` is stdin
    file: PathBuf,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pruning: Pruning,
    /// Exit 2 where there is something to change, 0 where there isn't
    #[arg(long)]
    exit_code: bool,
}

#[derive(Args, Debug)]
struct Pruning {
    /// Remove the users, roles, API keys and applications that the file's sections don't name, and take from
    /// users the roles that their lists don't name
    #[arg(long)]
    prune: bool,
    /// Don't ask before removing; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
}

const PLAN: [Column; 5] = [
    Column::Whole("action"),
    Column::Whole("kind"),
    Column::Whole("name"),
    Column::Text("details"),
    Column::Secret("secret"),
];

impl Apply {
    /// Compares the file with the database and does, or shows, what is different.
    ///
    /// # Errors
    /// What the file lacks, what the use-case refuses, or can't do.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let wanted = apply::parse(&self.text()?)?;
        let not_listed = if self.pruning.prune { NotListed::Remove } else { NotListed::Keep };
        let app = context.app()?;
        let plan = apply::plan(&app, context.caller(), &wanted, not_listed)?;
        let mode = if self.dry_run { ApplyMode::Rehearse } else { ApplyMode::Do };
        let asks =
            mode == ApplyMode::Do && !self.pruning.yes && plan.changes.iter().any(|change| change.takes);
        if asks {
            consent(context, &app, &wanted, not_listed, &plan)?;
        }
        let says = outcome(&plan.changes, mode);
        let spared: Vec<String> = plan.spared.iter().map(spared).collect();
        let done = apply::apply(&app, context.caller(), &wanted, not_listed, plan, mode)?;
        print(context, &done, if asks { Seen::Before } else { Seen::Not })?;
        context.terminal().note(&says);
        for line in &spared {
            context.terminal().note(line);
        }
        // Everything has been said.
        if self.exit_code && !done.is_empty() { Err(Failure::Differs) } else { Ok(()) }
    }

    fn text(&self) -> Result<String, Failure> {
        let from_stdin = self.file == Path::new("-");
        let text =
            if from_stdin { read_to_string(stdin()) } else { read_to_string(arguments::open(&self.file)?) };
        text.map_err(|error| unreadable(&self.file, &error))
    }
}

/// Asks before anything is taken. What would be refused is refused before, and the whole plan is shown.
fn consent(
    context: &Context,
    app: &App,
    wanted: &Wanted,
    not_listed: NotListed,
    plan: &Plan,
) -> Result<(), Failure> {
    apply::apply(app, context.caller(), wanted, not_listed, plan.clone(), ApplyMode::Rehearse)?;
    context.terminal().note_plan(&plan.changes.iter().map(line).collect::<Vec<_>>());
    let [added, changed, removed] = counts(&plan.changes);
    Consent::Open.obtain(&format!("Add {added}, change {changed} and remove {removed} for good?"))
}

/// Whether the person at the terminal has the plan before their eyes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Before,
    Not,
}

/// Prints what was done, for people with the secrets below it.
fn print(context: &Context, done: &[Done], seen: Seen) -> Result<(), Failure> {
    let terminal = context.terminal();
    if !terminal.is_for_people() {
        let rows = done.iter().map(|done| (done.change.name.clone(), views::applied(done)));
        return terminal.list(&Table::of_objects(&PLAN, rows));
    }
    if seen == Seen::Not || !terminal.is_a_screen() {
        terminal.plan(&done.iter().map(|done| line(&done.change)).collect::<Vec<_>>())?;
    }
    for shown in done.iter().filter_map(|done| done.secret.as_ref()) {
        terminal.foreign_text(&format!("\n{}:\n{}", shown.is, shown.secret.expose()))?;
    }
    Ok(())
}

fn line(change: &Change) -> PlanLine {
    let (sign, tone) = match change.action {
        Action::Add => ('+', Tone::Good),
        Action::Change => ('~', Tone::Warning),
        Action::Remove => ('-', Tone::Bad),
    };
    PlanLine { sign, tone, about: format!("{} {}", change.noun, change.name), says: change.says() }
}

/// How many are added, changed and removed.
fn counts(changes: &[Change]) -> [usize; 3] {
    [Action::Add, Action::Change, Action::Remove]
        .map(|action| changes.iter().filter(|change| change.action == action).count())
}

fn outcome(changes: &[Change], mode: ApplyMode) -> String {
    let [added, changed, removed] = counts(changes);
    match mode {
        _ if changes.is_empty() => "everything is so already; nothing was changed".into(),
        ApplyMode::Do => format!("{added} added, {changed} changed, {removed} removed"),
        ApplyMode::Rehearse => {
            format!("{added} to add, {changed} to change, {removed} to remove; nothing was changed")
        }
    }
}

fn spared(spared: &apply::Spared) -> String {
    let [one, several] = spared.nouns;
    let noun = if spared.count == 1 { one } else { several };
    let fate = match spared.fate {
        Fate::TakenFromUsers => "taken from users",
        Fate::Removed => "removed",
    };
    format!("{} {noun} would be {fate} with --prune", spared.count)
}
