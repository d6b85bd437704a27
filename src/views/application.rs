//! Applications behind the gate, and who may use them.

use super::page::PageItem;
use super::text::{Id, Text, Texts, Time};
use crate::domain;
use crate::domain::application::{AppOrigin, Demand, Finding};
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::role::RoleName;
use crate::usecase::gate::judge::Explained;
use schemars::JsonSchema;
use serde::Serialize;

/// An application that a proxy asks authd about.
#[derive(Serialize, JsonSchema, Debug)]
pub struct App<'a> {
    /// Never changes.
    name: &'a str,
    /// Its origin, as a browser spells it.
    url: Text<&'a AppOrigin>,
    /// Who may use it.
    allow: Allow<'a>,
    /// UTC.
    created_at: Time,
}

/// Who may use an application.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Allow<'a> {
    /// Whether everybody may who is signed in.
    everyone: bool,
    /// Else whoever has one of these, sorted. None of them: nobody.
    roles: Texts<'a, RoleName>,
}

/// Shows an application.
#[must_use]
pub fn app(app: &domain::application::Application) -> App<'_> {
    let (everyone, roles): (_, &[RoleName]) = match &app.allow {
        domain::application::Allow::Everyone => (true, &[]),
        domain::application::Allow::Roles(roles) => (false, roles),
    };
    App {
        name: app.name.as_str(),
        url: Text(&app.origin),
        allow: Allow { everyone, roles: Texts(roles) },
        created_at: Time(app.created_at),
    }
}

impl PageItem for App<'_> {
    const PAGE: &'static str = "AppPage";
    const ORDER: &'static str = "By name.";
}

/// Whether a user may use an application, and why.
#[derive(Serialize, JsonSchema, Debug)]
pub struct AppJudgement<'a> {
    /// The application's name.
    app: &'a str,
    user_id: Id<UserId>,
    /// The user's address.
    email: Text<&'a Email>,
    /// Whether the user may use it: each step is met.
    allowed: bool,
    /// What was asked of the account, in this order.
    steps: Vec<AppStep>,
}

/// One thing that was asked of an account.
#[derive(Serialize, JsonSchema, Debug)]
pub struct AppStep {
    /// `enabled`, `second_factor`, `signed_in` or `one_of_roles`.
    demand: &'static str,
    /// Of `one_of_roles`, which. Else empty.
    roles: Vec<String>,
    met: bool,
}

/// Shows whether a user may use an application.
#[must_use]
pub fn app_judgement(explained: &Explained) -> AppJudgement<'_> {
    AppJudgement {
        app: explained.application.name.as_str(),
        user_id: Id(explained.user.id),
        email: Text(&explained.user.email),
        allowed: explained.judgement.allows(),
        steps: explained.judgement.0.iter().map(step).collect(),
    }
}

fn step(finding: &Finding) -> AppStep {
    let roles = match &finding.demand {
        Demand::OneOf(roles) => roles.iter().map(ToString::to_string).collect(),
        Demand::Enabled | Demand::SecondFactor | Demand::SignedIn => Vec::new(),
    };
    AppStep { demand: finding.demand.name(), roles, met: finding.met }
}
