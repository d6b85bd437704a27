//! `/auth/admin/api-keys`: the keys that services prove themselves with. A new one's secret is shown once.

use super::frame::{self, Question, ROWS, Tab, ask, further, texts};
use super::inputs::{Mistakes, typed};
use super::permissions::{self, Chosen};
use crate::domain::api_key::{ApiKey, ApiKeyName};
use crate::pages::form::Fields;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::keys::api_keys;
use crate::usecase::keys::api_keys::{ApiKeyRef, NewApiKey};
use minijinja::{Value, context};
use std::time::Duration;

pub const ROUTES: &[PageRoute] = &[
    PageRoute::for_holders("/auth/admin/api-keys", "keys:write").get(list),
    PageRoute::for_holders("/auth/admin/add-api-key", "keys:write").get(open_form).post(add),
    PageRoute::for_holders("/auth/admin/api-keys/{name}", "keys:write").get(show),
    PageRoute::for_holders("/auth/admin/api-keys/{name}/revoke", "keys:write")
        .get(|visit| {
            visit.require_fresh()?;
            question(visit, None)
        })
        .post(revoke),
];

/// How long a key may live, in days; 0: until it is revoked. The first is offered.
const DAYS: [u64; 5] = [90, 7, 30, 365, 0];

fn path_of(name: &ApiKeyName) -> String {
    format!("/auth/admin/api-keys/{name}")
}

fn view(visit: &Visit<'_>, key: &ApiKey) -> Value {
    context! {
        path => path_of(&key.name),
        name => key.name.as_str(),
        id => key.id.to_string(),
        permissions => texts(&key.permissions),
        created => visit.time(key.created_at),
        expires => visit.time(key.expires_at),
        expired => !key.counts(visit.app.now()),
        last_used => visit.time(key.last_used_at),
    }
}

fn list(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let after = visit.query("after");
    let found = api_keys::page(visit.app, &visit.caller, ROWS, after.as_deref())?;
    let page = context! {
        title => visit.text("admin_api_keys.title"),
        keys => found.items.iter().map(|key| view(visit, key)).collect::<Vec<_>>(),
        first => after.is_some(),
        next => further("/auth/admin/api-keys", &[], "after", found.next.as_deref()),
    };
    Ok(frame::page(visit, Tab::ApiKeys, 200, "admin_api_keys.html", page))
}

/// The key that the path names.
fn find(visit: &Visit<'_>) -> Result<ApiKey, Stop> {
    let name = ApiKeyName::parse(visit.parameter(0)).map_err(|_| Stop::NotFound)?;
    api_keys::find(visit.app, &visit.caller, &name)?.ok_or(Stop::NotFound)
}

/// With its secret, once, where it has just been made.
fn show(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let key = find(visit)?;
    let secret = visit.handed_once(&path_of(&key.name));
    let page = context! {
        title => key.name.as_str(),
        key => view(visit, &key),
        secret => secret.as_ref().map(|secret| secret.expose().as_str()).unwrap_or_default(),
    };
    Ok(frame::page(visit, Tab::ApiKeys, 200, "admin_api_key.html", page))
}

fn open_form(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    visit.require_fresh()?;
    Ok(show_form(visit, &typed(&[]), &Chosen::default(), &Mistakes::default()))
}

fn show_form(visit: &mut Visit<'_>, typed: &Value, chosen: &Chosen, mistakes: &Mistakes) -> Response {
    let lives = DAYS.map(|days| {
        let text = match days {
            0 => visit.text("admin_add_api_key.forever").to_owned(),
            days => {
                let days = days.to_string();
                let text = visit.language.text_with("admin_add_api_key.days", &[("days", &days)]);
                text.unwrap_or(days)
            }
        };
        context! { value => days.to_string(), text }
    });
    let page = context! {
        title => visit.text("admin_add_api_key.title"),
        typed,
        lives,
        permissions => chosen.shown(visit),
        errors => mistakes.beside_fields(),
        complaint => mistakes.above(),
    };
    frame::page(visit, Tab::ApiKeys, mistakes.status(), "admin_add_api_key.html", page)
}

fn add(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let form = visit.form(Fields {
        required: &["name", "days", permissions::OTHERS],
        optional: &[],
        lists: &[permissions::OWN],
    })?;
    let (name, days, chosen) = (form.text("name"), form.text("days"), Chosen::of(&form));
    let mut mistakes = Mistakes::default();
    let parsed = ApiKeyName::parse(name).ok();
    if parsed.is_none() {
        mistakes.beside("name", visit.text("admin_invalid.word"));
    }
    let life = days.parse().ok().filter(|days| DAYS.contains(days));
    if life.is_none() {
        mistakes.beside("days", visit.text("admin_invalid.choice"));
    }
    let permissions = chosen.read(visit, &mut mistakes);
    if let (Some(name), Some(days), true) = (parsed, life, mistakes.are_none()) {
        let ttl = (days > 0).then(|| Duration::from_secs(days * 24 * 3600));
        match api_keys::add(visit.app, &visit.caller, &NewApiKey { name, permissions, ttl }) {
            Ok(added) => {
                let to = path_of(&added.key.name);
                visit.hand_over(&to, &added.secret);
                return Ok(visit.done(to, "api_key_added"));
            }
            Err(error) => mistakes = Mistakes::of(visit, error)?,
        }
    }
    Ok(show_form(visit, &typed(&[("name", name), ("days", days)]), &chosen, &mistakes))
}

fn question(visit: &mut Visit<'_>, complaint: Option<String>) -> Result<Response, Stop> {
    let key = find(visit)?;
    let question = Question {
        tab: Tab::ApiKeys,
        section: "admin_revoke_api_key",
        about: key.name.to_string(),
        back: path_of(&key.name),
        warning: None,
    };
    Ok(ask(visit, &question, complaint))
}

fn revoke(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let key = find(visit)?;
    visit.form(Fields::all(&[]))?;
    api_keys::revoke(visit.app, &visit.caller, &ApiKeyRef::Id(key.id))?;
    Ok(visit.done("/auth/admin/api-keys", "api_key_revoked"))
}
