//! Applications. What an entry says is the whole of one: where it stands, and who may use it.

use super::change::{Action, Change, Detail, State, Step, difference, texts};
use super::fields::{Entry, Located, Wrong};
use super::kind::{Difference, Fate, Kind, Look, NotListed, Spared};
use super::roles::{Mention, read_name as read_role, unknown_roles};
use crate::domain::application::{Allow, AppName, AppOrigin, Application, InvalidAppName, InvalidAppOrigin};
use crate::domain::role::RoleName;
use crate::error::{Decision, Fault, Refusal};
use crate::store::page::Page;
use crate::store::tables::apps;
use crate::usecase::gate::apps::{self as app, Changes, NewApp};
use std::collections::{BTreeMap, VecDeque};

/// An application as the file wants it.
#[derive(Debug)]
pub(super) struct WantedApp {
    /// Where the file says it: the entry, and its line.
    place: String,
    line: usize,
    name: AppName,
    origin: AppOrigin,
    rule: Rule,
}

/// Who may use it, as the file says.
#[derive(Debug)]
enum Rule {
    Everyone,
    /// At least one.
    Roles(Vec<Located<RoleName>>),
}

fn read_name(text: &str) -> Result<AppName, Wrong> {
    AppName::parse(text).map_err(|InvalidAppName| ("invalid", InvalidAppName::MESSAGE))
}

fn read_origin(text: &str) -> Result<AppOrigin, Wrong> {
    AppOrigin::parse(text).map_err(|InvalidAppOrigin| ("invalid", InvalidAppOrigin::MESSAGE))
}

/// Takes the rule. What a plan shows can be said again: `allow_everyone` is false beside roles, and
/// `allow_roles` empty beside it.
fn take_rule(entry: &mut Entry<'_>) -> Option<Rule> {
    let problems = entry.problems();
    let roles = entry.texts("allow_roles", read_role).unwrap_or_default();
    let everyone = entry.flag("allow_everyone").unwrap_or_default();
    match (everyone, roles.is_empty()) {
        // One that can't be read is no rule that is missing.
        _ if entry.problems() > problems => None,
        (true, true) => Some(Rule::Everyone),
        (false, false) => Some(Rule::Roles(roles)),
        (true, false) => {
            entry.wrong("allow_everyone", ("conflict", "say this or allow_roles, not both"));
            None
        }
        (false, true) => {
            let wrong =
                ("missing", "say who may use it: allow_roles, at least one, or allow_everyone = true");
            entry.wrong("allow_roles", wrong);
            None
        }
    }
}

impl Kind for WantedApp {
    const SECTION: &'static str = "apps";
    const WORD: &'static str = "app";
    const NOUNS: [&'static str; 2] = ["application", "applications"];
    const KEY: &'static str = "name";
    const HOLDS: &'static str = "roles";
    const PERMISSION: &'static str = "apps:write";

    fn read(entry: &mut Entry<'_>) -> Option<Self> {
        let name = entry.required(Self::KEY, read_name);
        let origin = entry.required("url", read_origin);
        let rule = take_rule(entry);
        let (place, line) = (entry.place().to_owned(), entry.line());
        Some(Self { place, line, name: name?, origin: origin?, rule: rule? })
    }

    fn name(&self) -> String {
        self.name.to_string()
    }

    fn compare(wanted: &[Self], look: &Look<'_>) -> Result<Decision<Difference>, Fault> {
        if let Some(refusal) = unknown_roles(wanted.iter().flat_map(Self::mentions), look)? {
            return Ok(Decision::Refuse(refusal));
        }
        if let Some(app) = wanted.iter().find(|wanted| app::is_own(look.config, &wanted.origin)) {
            let place = format!("line {}, application {}: ", app.line, app.name);
            return Ok(Decision::Refuse(app::own_address(format!("{}.url", app.place), &place)));
        }
        let all = Page { limit: u32::MAX, after: None };
        let standing: BTreeMap<AppName, Application> =
            apps::list_page(look.query, &all)?.items.into_iter().map(|app| (app.name.clone(), app)).collect();
        let mut found = Difference::default();
        let mut gone: BTreeMap<&AppName, &Application> =
            standing.iter().filter(|(name, _)| wanted.iter().all(|wanted| wanted.name != **name)).collect();
        if look.not_listed == NotListed::Keep {
            found.spared.extend(Spared::of(gone.len(), Self::NOUNS, Fate::Removed));
            gone.clear();
        }
        Ok(in_order(wanted, &standing, gone, found))
    }
}

/// Brings the changes into an order in which none takes a place where another application still stands.
fn in_order(
    wanted: &[WantedApp],
    standing: &BTreeMap<AppName, Application>,
    mut gone: BTreeMap<&AppName, &Application>,
    mut found: Difference,
) -> Decision<Difference> {
    let mut claimed = Places::default();
    for app in wanted {
        if let Some(other) = claimed.taken(&app.origin, &app.name) {
            return Decision::Refuse(app.shares(other, wanted));
        }
        claimed.put(&app.origin, &app.name);
    }
    let mut places = Places::default();
    for app in standing.values() {
        places.put(&app.origin, &app.name);
    }
    // What goes goes last, but for what is in the way.
    for app in wanted {
        while let Some(other) = places.taken(&app.origin, &app.name).and_then(|other| gone.remove(other)) {
            places.leave(&other.origin);
            found.made.push(removal(other));
        }
    }
    let mut left: VecDeque<&WantedApp> = wanted.iter().collect();
    // How many in a row had to wait: all that are left, if none of them can ever go.
    let mut waiting = 0;
    while let Some(app) = left.pop_front() {
        let before = standing.get(&app.name);
        if let Some(other) = places.taken(&app.origin, &app.name) {
            waiting += 1;
            let stays = wanted.iter().all(|wanted| wanted.name != *other);
            if stays || waiting > left.len() {
                return Decision::Refuse(app.blocked(other, stays));
            }
            left.push_back(app);
            continue;
        }
        waiting = 0;
        if let Some(before) = before {
            places.leave(&before.origin);
        }
        places.put(&app.origin, &app.name);
        found.made.extend(app.change_from(before));
    }
    found.gone.extend(gone.into_values().map(removal));
    Decision::Grant(found)
}

/// Which application stands where.
#[derive(Default)]
struct Places<'a>(BTreeMap<&'a AppOrigin, &'a AppName>);

impl<'a> Places<'a> {
    fn put(&mut self, origin: &'a AppOrigin, name: &'a AppName) {
        self.0.insert(origin, name);
    }

    fn leave(&mut self, origin: &AppOrigin) {
        self.0.remove(origin);
    }

    /// Another that stands there: at the same host and port, by whichever scheme.
    fn taken(&self, origin: &AppOrigin, by: &AppName) -> Option<&'a AppName> {
        let there = origin.by_any_scheme();
        there.iter().filter_map(|origin| self.0.get(origin).copied()).find(|other| *other != by)
    }
}

impl WantedApp {
    fn mentions(&self) -> impl Iterator<Item = Mention<'_>> {
        let roles = match &self.rule {
            Rule::Everyone => &[][..],
            Rule::Roles(roles) => roles,
        };
        roles.iter().map(|role| Mention { role, noun: Self::NOUNS[0], name: &self.name })
    }

    fn allow(&self) -> Allow {
        match &self.rule {
            Rule::Everyone => Allow::Everyone,
            Rule::Roles(roles) => Allow::roles(roles.iter().map(|role| role.value.clone()).collect()),
        }
    }

    /// Says that another entry has its place.
    fn shares(&self, other: &AppName, wanted: &[Self]) -> Refusal {
        let line = wanted.iter().find(|wanted| wanted.name == *other).map_or(self.line, |other| other.line);
        let message = format!(
            "line {}, application {}: {} is the url of {other} (line {line}); each has one of its own",
            self.line, self.name, self.origin
        );
        Refusal::invalid(format!("{}.url", self.place), "repeated", message)
    }

    /// Says that another has its place, which stays there or can't leave before itself.
    fn blocked(&self, other: &AppName, stays: bool) -> Refusal {
        let mend = if stays {
            "name another url, or list that one too, at another"
        } else {
            "it waits in a circle for others to leave; give one of them another url first"
        };
        let reason = format!(
            "line {}, application {}: the application {other} stands at {}; {mend}",
            self.line, self.name, self.origin
        );
        Refusal::Conflict { reason }
    }

    /// `None`: it is so already.
    fn change_from(&self, before: Option<&Application>) -> Option<Change> {
        let after = NewApp { name: self.name.clone(), origin: self.origin.clone(), allow: self.allow() };
        match before {
            Some(before) if (&before.origin, &before.allow) == (&after.origin, &after.allow) => None,
            before => Some(change(before, after)),
        }
    }
}

fn change(before: Option<&Application>, after: NewApp) -> Change {
    let mut details = difference(before.map_or(&[][..], |app| roles_of(&app.allow)), roles_of(&after.allow));
    let [was, is] = [before.map(|app| &app.allow), Some(&after.allow)].map(|of| of == Some(&Allow::Everyone));
    if was != is {
        details.push(Detail::Says(if is { "for everyone" } else { "no longer for everyone" }.into()));
    }
    if before.is_none_or(|app| app.origin != after.origin) {
        details.push(Detail::Says(format!("at {}", after.origin)));
    }
    let (name, after_state) = (after.name.clone(), Some(state(&after.origin, &after.allow)));
    let (action, step) = if before.is_none() {
        (Action::Add, Step::plain(move |_, tx| Ok(app::add_in(tx, &after)?.map(drop))))
    } else {
        let changes = Changes { origin: Some(after.origin), allow: Some(after.allow) };
        let step = Step::plain(move |_, tx| Ok(app::edit_in(tx, &after.name, &changes)?.map(drop)));
        (Action::Change, step)
    };
    let before = before.map(|app| state(&app.origin, &app.allow));
    Change { details, before, after: after_state, ..WantedApp::change(action, &name, step) }
}

fn removal(of: &Application) -> Change {
    let name = of.name.clone();
    let step = Step::plain(move |_, tx| Ok(app::delete_in(tx, &name)?.map(drop)));
    let before = Some(state(&of.origin, &of.allow));
    Change { before, ..WantedApp::change(Action::Remove, &of.name, step) }
}

fn roles_of(allow: &Allow) -> &[RoleName] {
    match allow {
        Allow::Everyone => &[],
        Allow::Roles(roles) => roles,
    }
}

fn state(origin: &AppOrigin, allow: &Allow) -> State {
    let members = [
        ("url", origin.as_str().into()),
        ("allow_roles", texts(roles_of(allow))),
        ("allow_everyone", (*allow == Allow::Everyone).into()),
    ];
    members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}
