//! Applications behind the gate: `/admin/apps`, and whom `/verify` lets into one.

use crate::daemon::{Answer, Daemon};
use crate::world::operator;
use authd::domain::application::{Allow, AppName, AppOrigin};
use authd::domain::role::{Role, RoleName};
use authd::usecase::account::{admin, roles};
use authd::usecase::gate::apps::{self, NewApp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

const APPS: &str = "/api/auth/admin/apps";
const VERIFY: &str = "/api/auth/verify";
const WIKI: &str = "https://wiki.example.com";

fn role(name: &str) -> RoleName {
    RoleName::parse(name).unwrap()
}

fn name(text: &str) -> AppName {
    AppName::parse(text).unwrap()
}

/// A daemon behind a proxy on this machine, with the application `wiki` for editors and owners, and
/// `intranet` for everyone. Ann is an editor, Bob is nothing.
struct Gate {
    daemon: Daemon,
    ann: String,
    bob: String,
}

impl Gate {
    fn new() -> Self {
        Self::with(&[("proxy.trusted", "127.0.0.1/32")])
    }

    fn with(settings: &[(&str, &str)]) -> Self {
        let daemon = Daemon::with(settings);
        for role_name in ["editor", "owner"] {
            let new = Role { name: role(role_name), description: String::new(), permissions: Vec::new() };
            roles::add(&daemon.world.app, &operator(), &new).unwrap();
        }
        let gate = Self {
            ann: daemon.token_of("ann@example.com", &["editor"]),
            bob: daemon.token_of("bob@example.com", &[]),
            daemon,
        };
        gate.add("wiki", WIKI, Allow::roles(vec![role("owner"), role("editor")]));
        gate.add("intranet", "https://intranet.example.com:8443", Allow::Everyone);
        gate
    }

    fn add(&self, app: &str, url: &str, allow: Allow) {
        let new = NewApp { name: name(app), origin: AppOrigin::parse(url).unwrap(), allow };
        apps::add(&self.daemon.world.app, &operator(), &new).unwrap();
    }

    fn asks(&self, token: &str, query: &str, headers: &[(&'static str, &str)]) -> Answer {
        let bearer = format!("Bearer {token}");
        let all = [&[("authorization", bearer.as_str())], headers].concat();
        self.daemon.send("GET", &format!("{VERIFY}{query}"), &all, b"")
    }

    fn status(&self, token: &str, query: &str) -> u16 {
        self.asks(token, query, &[]).status
    }

    /// Asks as a proxy does that was asked for `host`.
    fn status_for_host(&self, token: &str, host: &str) -> u16 {
        self.asks(token, "", &[("x-forwarded-host", host)]).status
    }
}

#[test]
fn an_application_lets_in_whom_its_rule_names() {
    let gate = Gate::new();
    assert_eq!(gate.status(&gate.ann, "?app=wiki"), 200);
    let answer = gate.asks(&gate.bob, "?app=wiki", &[]);
    assert_eq!((answer.status, answer.problem().as_str()), (403, "forbidden"));
    assert!(answer.headers.iter().all(|(header, _)| !header.starts_with("remote-")), "{answer:?}");
    assert!(!answer.body.contains("editor"), "the rule is no business of theirs: {answer:?}");
    assert_eq!(
        [gate.status(&gate.ann, "?app=intranet"), gate.status(&gate.bob, "?app=intranet")],
        [200, 200]
    );
    assert_eq!(gate.daemon.get(&format!("{VERIFY}?app=intranet")).status, 401);
    // What else is demanded must hold, too.
    assert_eq!(gate.status(&gate.bob, "?app=intranet&role=editor"), 403);
    assert_eq!(gate.status(&gate.ann, "?app=wiki&role=editor"), 200);
}

#[test]
fn a_name_that_no_application_has_lets_nobody_in() {
    let gate = Gate::new();
    for query in ["?app=wki", "?app=Wiki", "?app=", "?app=wiki&app=intranet", "?App=wiki"] {
        assert_eq!(gate.status(&gate.ann, query), 422, "{query}");
    }
}

#[test]
fn a_trusted_proxy_s_host_names_the_application() {
    let gate = Gate::new();
    for host in ["wiki.example.com", "WIKI.Example.com", "wiki.example.com.", "wiki.example.com:443"] {
        assert_eq!(
            [gate.status_for_host(&gate.ann, host), gate.status_for_host(&gate.bob, host)],
            [200, 403],
            "{host}"
        );
    }
    // By plain http the rule is the same.
    let by_http = [("x-forwarded-host", "wiki.example.com"), ("x-forwarded-proto", "http")];
    assert_eq!(gate.asks(&gate.bob, "", &by_http).status, 403);
    assert_eq!(gate.status_for_host(&gate.bob, "intranet.example.com:8443"), 200);
    // A host without an application: being signed in is enough, as it is without a host.
    assert_eq!(gate.status_for_host(&gate.bob, "shop.example.com"), 200);
    // The name in the question counts before the host.
    let intranet = [("x-forwarded-host", "intranet.example.com:8443")];
    assert_eq!(gate.asks(&gate.bob, "?app=wiki", &intranet).status, 403);
    // The port is the client's to choose.
    for host in ["wiki.example.com:80", "wiki.example.com:8443", "intranet.example.com"] {
        assert_eq!(gate.status_for_host(&gate.bob, host), 422, "{host}");
    }
    // What names no one host is no way around.
    for host in ["wiki.example.com, x", "wiki.example.com/", "", "a b", "ann@wiki.example.com"] {
        assert_eq!(gate.status_for_host(&gate.bob, host), 400, "{host}");
    }
    let twice = [("x-forwarded-host", "x.example.com"), ("x-forwarded-host", "wiki.example.com")];
    assert_eq!(gate.asks(&gate.bob, "", &twice).status, 400);
}

#[test]
fn a_stranger_s_host_is_not_believed() {
    let gate = Gate::with(&[("proxy.trusted", "10.0.0.0/8")]);
    assert_eq!(gate.status_for_host(&gate.bob, "wiki.example.com"), 200, "it names no application");
    assert_eq!(
        gate.asks(&gate.bob, "?app=wiki", &[("x-forwarded-host", "intranet.example.com:8443")]).status,
        403
    );
}

#[test]
fn whatever_changes_counts_on_the_very_next_request() {
    let gate = Gate::new();
    let app = &gate.daemon.world.app;
    let both = || [gate.status(&gate.ann, "?app=wiki"), gate.status(&gate.bob, "?app=wiki")];
    assert_eq!(both(), [200, 403]);
    let bob = crate::world::user_ref("bob@example.com");
    roles::assign(app, &operator(), &bob, &[role("owner")]).unwrap();
    assert_eq!(both(), [200, 200], "one of the roles is enough");
    roles::unassign(app, &operator(), &bob, &[role("owner")]).unwrap();
    let everyone = apps::Changes { allow: Some(Allow::Everyone), ..apps::Changes::default() };
    apps::edit(app, &operator(), &name("wiki"), &everyone).unwrap();
    assert_eq!(both(), [200, 200]);
    let editors =
        apps::Changes { allow: Some(Allow::roles(vec![role("editor")])), ..apps::Changes::default() };
    apps::edit(app, &operator(), &name("wiki"), &editors).unwrap();
    assert_eq!(both(), [200, 403]);
    roles::delete(app, &operator(), &role("editor")).unwrap();
    assert_eq!(both(), [403, 403], "no role is left, so nobody comes in");
    apps::delete(app, &operator(), &name("wiki")).unwrap();
    assert_eq!(both(), [422, 422]);
    admin::disable(app, &operator(), &crate::world::user_ref("ann@example.com")).unwrap();
    assert_eq!(gate.status(&gate.ann, "?app=intranet"), 401);
}

/// An administrator's way to the applications.
struct Admin {
    gate: Gate,
    token: String,
}

impl Admin {
    fn new() -> Self {
        let gate = Gate::new();
        Self { token: gate.daemon.token_of("root@example.com", &["admin"]), gate }
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.gate.daemon.send_as(&self.token, method, &format!("{APPS}{path}"), &body)
    }
}

#[test]
fn administrators_look_after_applications() {
    let admin = Admin::new();
    let rule = json!({"roles": ["owner", "editor", "owner"]});
    let new = json!({"name": "shop", "url": "HTTPS://Shop.example.com:443/", "allow": rule});
    let added = admin.send("POST", "", &new);
    assert_eq!(added.status, 201, "{added:?}");
    let shop = added.json();
    assert_eq!(shop["url"], "https://shop.example.com");
    assert_eq!(shop["allow"], json!({"everyone": false, "roles": ["editor", "owner"]}));
    assert_eq!(admin.send("GET", "/shop", &Value::Null).json(), shop);
    let names = |page: &Value| {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|app| app["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let first = admin.send("GET", "?limit=2", &Value::Null).json();
    assert_eq!(names(&first), ["intranet", "shop"]);
    let rest = admin.send("GET", &format!("?after={}", first["next"].as_str().unwrap()), &Value::Null).json();
    assert_eq!((names(&rest), &rest["next"]), (vec!["wiki".to_owned()], &Value::Null));

    // What the answer showed can be sent again, and changes nothing.
    let before = admin.gate.daemon.world.events();
    let same = admin.send("PATCH", "/shop", &json!({"url": shop["url"], "allow": shop["allow"]}));
    assert_eq!((same.status, same.json()), (200, shop));
    assert_eq!(admin.gate.daemon.world.events(), before);
    let changed = admin.send("PATCH", "/shop", &json!({"allow": {"everyone": true, "roles": []}}));
    assert_eq!(changed.json()["allow"], json!({"everyone": true, "roles": []}));
    assert_eq!(admin.gate.status(&admin.gate.bob, "?app=shop"), 200);
    assert_eq!(admin.send("DELETE", "/shop", &Value::Null).status, 204);
    assert_eq!(admin.send("GET", "/shop", &Value::Null).problem(), "not_found");
    let lines = admin.gate.daemon.world.audit();
    let about_apps: Vec<_> = lines.iter().filter(|line| line.event.starts_with("App")).collect();
    let told = |event: &str| about_apps.iter().rfind(|line| line.event == event).unwrap().details.clone();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        told("AppEdited"),
        [pair("app", "shop"), pair("url", "https://shop.example.com"), pair("rule", "everyone")]
    );
    assert_eq!(told("AppDeleted"), [pair("app", "shop")]);
}

#[test]
fn what_can_t_be_an_application_is_refused() {
    let admin = Admin::new();
    let everyone = json!({"everyone": true});
    for (body, status, problem) in [
        (json!({"name": "wiki", "url": "https://new.example.com", "allow": everyone}), 409, "already_exists"),
        (json!({"name": "new", "url": WIKI, "allow": everyone}), 409, "conflict"),
        (
            json!({"name": "new", "url": "https://new.example.com", "allow": {"roles": ["nobody"]}}),
            404,
            "not_found",
        ),
    ] {
        let answer = admin.send("POST", "", &body);
        assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{body}");
    }
    let wiki = admin.send("PATCH", "/intranet", &json!({"url": WIKI}));
    assert_eq!((wiki.status, wiki.problem().as_str()), (409, "conflict"));
    for (field, value) in [
        ("name", json!("Wiki")),
        ("url", json!("http://new.example.com")),
        ("url", json!("https://new.example.com/page")),
        ("url", json!(format!("https://{}.example.com", "x".repeat(300)))),
        ("allow", json!("everyone")),
        ("allow", json!({})),
        ("allow", json!({"everyone": false})),
        ("allow", json!({"roles": []})),
        ("allow", json!({"everyone": "true"})),
        ("allow", json!({"everyone": true, "roles": ["editor"]})),
        ("allow", json!({"roles": ["Editor"]})),
        ("allow", json!({"roles": [1]})),
        ("allow", json!({"roles": ["editor"], "users": []})),
    ] {
        let mut body = json!({"name": "new", "url": "https://new.example.com", "allow": everyone});
        body[field] = value;
        let answer = admin.send("POST", "", &body);
        assert_eq!(answer.status, 422, "{body}");
        assert!(answer.field_errors().iter().all(|(wrong, _)| wrong == field), "{body}: {answer:?}");
    }
}

/// No spelling of a host lets in somebody whom the rule of the application at it keeps out.
#[test]
fn no_spelling_of_the_host_is_a_way_around() {
    let gate = Gate::new();
    let letters = proptest::collection::vec(any::<bool>(), "wiki.example.com".len());
    let ends = prop_oneof![Just(""), Just("."), Just(":443"), Just(":80"), Just(".:443")];
    let spelled = |upper: &[bool]| -> String {
        let pairs = "wiki.example.com".chars().zip(upper);
        pairs.map(|(c, upper)| if *upper { c.to_ascii_uppercase() } else { c }).collect()
    };
    let mut runner = TestRunner::new(Config::with_cases(64));
    let held = runner.run(&(letters, ends), |(upper, end)| {
        let host = spelled(&upper) + end;
        prop_assert!(matches!(gate.status_for_host(&gate.bob, &host), 403 | 422), "{}", host);
        Ok(())
    });
    held.unwrap();
}

#[test]
fn no_application_stands_where_authd_does() {
    let gate = Gate::with(&[("public_url", "https://auth.example.com")]);
    let token = gate.daemon.token_of("root@example.com", &["admin"]);
    let refused = |method: &str, path: &str, body: Value| {
        let answer = gate.daemon.send_as(&token, method, path, &body.to_string());
        assert_eq!((answer.status, answer.problem().as_str()), (422, "validation_failed"), "{answer:?}");
        assert_eq!(answer.json()["errors"][0]["field"], "url");
    };
    let everyone = json!({"everyone": true});
    refused("POST", APPS, json!({"name": "own", "url": "https://AUTH.example.com/", "allow": everyone}));
    refused("PATCH", &format!("{APPS}/wiki"), json!({"url": "https://auth.example.com"}));
    // Another port is another origin.
    let beside = json!({"name": "own", "url": "https://auth.example.com:8443", "allow": everyone});
    assert_eq!(gate.daemon.send_as(&token, "POST", APPS, &beside.to_string()).status, 201);
}
