//! The daemon as clients see it, through whatever proxy stands before it.

use super::{App, Config, Finding};
use crate::ports::http_client;
use crate::usecase::keys::current_key;
use serde_json::Value;

/// What each answer of the daemon carries, and a proxy must let through.
const HEADERS: [(&str, &str); 2] = [("x-content-type-options", "nosniff"), ("cache-control", "no-store")];

/// Asks the daemon behind `url`; with an app, also whether it serves the same database.
pub(super) fn reach(config: &Config, app: Option<&App>, url: &str) -> Vec<Finding> {
    let url = url.trim_end_matches('/');
    let mut findings = vec![alive(url), ready(url)];
    if let Some(app) = app {
        findings.push(same_database(app, url));
    }
    findings.push(headers(url));
    findings.push(address(config, url));
    findings
}

fn alive(url: &str) -> Finding {
    let check = "url_healthz";
    match http_client::get(&format!("{url}/healthz")) {
        Ok(answer) if answer.status == 200 => Finding::ok(check, format!("{url} answers")),
        Ok(answer) => Finding::fail(
            check,
            format!(
                "{url}/healthz answers {}, not 200; check that the proxy leads to the daemon",
                answer.status
            ),
        ),
        Err(why) => {
            Finding::fail(check, format!("{url} can't be reached: {why}; check the address and the proxy"))
        }
    }
}

fn ready(url: &str) -> Finding {
    let check = "url_readyz";
    match http_client::get(&format!("{url}/readyz")) {
        Ok(answer) if answer.status == 200 => Finding::ok(check, "the daemon can write to its database"),
        Ok(answer) => Finding::fail(
            check,
            format!("{url}/readyz answers {}, not 200; see the daemon's log", answer.status),
        ),
        Err(why) => Finding::fail(check, format!("{url} can't be reached: {why}")),
    }
}

/// The daemon that signs with this database's keys is the one that serves it.
fn same_database(app: &App, url: &str) -> Finding {
    let check = "url_keys";
    let document = match http_client::get(&format!("{url}/.well-known/jwks.json")) {
        Ok(answer) if answer.status == 200 => serde_json::from_str::<Value>(&answer.body).unwrap_or_default(),
        Ok(answer) => {
            let says =
                format!("{url}/.well-known/jwks.json answers {}; let the proxy pass it on", answer.status);
            return Finding::fail(check, says);
        }
        Err(why) => return Finding::fail(check, format!("the public keys can't be had: {why}")),
    };
    match current_key::jwks(app) {
        Ok(ours) if kids(&ours) == kids(&document) => {
            Finding::ok(check, "it shows the keys of this database")
        }
        Ok(_) => Finding::fail(
            check,
            "it shows other keys than this database holds: another database is served there; check `--database` and the proxy",
        ),
        Err(error) => Finding::fail(check, error.to_string()),
    }
}

fn kids(set: &Value) -> Vec<&str> {
    let keys = set["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut kids: Vec<&str> = keys.iter().filter_map(|key| key["kid"].as_str()).collect();
    kids.sort_unstable();
    kids
}

fn headers(url: &str) -> Finding {
    let check = "url_headers";
    // Nobody is signed in: the answer is a problem document, as any other of the API.
    let answer = match http_client::get(&format!("{url}/api/auth/me")) {
        Ok(answer) => answer,
        Err(why) => return Finding::fail(check, format!("{url} can't be reached: {why}")),
    };
    let lost = HEADERS.iter().find(|(name, value)| !answer.header(name).contains(value));
    match lost {
        Some((name, value)) => Finding::fail(
            check,
            format!("answers come without `{name}: {value}`; have the proxy pass the daemon's headers on"),
        ),
        None if answer.status != 401 => Finding::fail(
            check,
            format!("{url}/api/auth/me answers {} to nobody, not 401; check the proxy", answer.status),
        ),
        None => Finding::ok(check, "the daemon's headers come through"),
    }
}

fn address(config: &Config, url: &str) -> Finding {
    let check = "url_public";
    let public = &config.public_url;
    if url == public {
        return Finding::ok(check, "it is the `public_url`");
    }
    Finding::warn(check, format!("`public_url` is {public}, where links in mail lead; ask that one, too"))
}
