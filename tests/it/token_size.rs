//! However much somebody may do, their access token fits into a cookie and a header; what it leaves out,
//! authd knows all the same.

use crate::daemon::{Daemon, JSON};
use crate::signing_keys::part;
use crate::world::{PASSWORD, operator, user_ref};
use authd::domain::access::OWN_PERMISSIONS;
use authd::domain::role::{Permission, Role, RoleName};
use authd::usecase::account::roles;
use authd::usecase::session::inspect::inspect;
use authd::usecase::session::mint::mint;
use serde_json::{Value, json};

const ANN: &str = "ann@example.com";

/// What browsers keep of a cookie: its name and value have 4,096 bytes at most (RFC 6265bis).
const COOKIE_MAX: usize = 4_096;

/// A daemon where Ann has as many roles, each with so many permissions.
fn daemon(roles_of_ann: usize, permissions: usize) -> Daemon {
    // The longest signature that there is.
    let daemon = Daemon::with(&[("tokens.algorithm", "RS256")]);
    daemon.world.add_user(ANN, &["admin"]);
    for number in 0..roles_of_ann {
        let permission =
            |at| Permission::parse(&format!("area-with-a-name-{number}:some-action-{at}")).unwrap();
        let role = Role {
            name: RoleName::parse(&format!("role-with-a-name-of-its-own-{number}")).unwrap(),
            description: String::new(),
            permissions: (0..permissions).map(permission).collect(),
        };
        roles::add(&daemon.world.app, &operator(), &role).unwrap();
        roles::assign(&daemon.world.app, &operator(), &user_ref(ANN), &[role.name]).unwrap();
    }
    daemon
}

fn claims(daemon: &Daemon) -> Value {
    part(daemon.login(ANN)["access_token"].as_str().unwrap(), 1)
}

fn count(list: &Value) -> usize {
    list.as_array().unwrap().len()
}

#[test]
fn a_token_carries_all_while_that_fits() {
    let claims = claims(&daemon(2, 20));
    assert_eq!((count(&claims["roles"]), count(&claims["permissions"])), (3, OWN_PERMISSIONS.len() + 40));
    assert_eq!(claims.get("omitted"), None);
}

#[test]
fn the_longest_token_that_carries_all_fits_into_a_cookie() {
    let daemon = Daemon::with(&[("tokens.algorithm", "RS256"), ("public_url", "https://auth.example.com")]);
    daemon.world.add_user(ANN, &[]);
    // ["r"] and 84 permissions of 21 letters: 2,023 bytes.
    let permissions = (0..84).map(|at| Permission::parse(&format!("a-long-area:action-{at:02}")).unwrap());
    let name = RoleName::parse("r").unwrap();
    let role = Role { name: name.clone(), description: String::new(), permissions: permissions.collect() };
    roles::add(&daemon.world.app, &operator(), &role).unwrap();
    roles::assign(&daemon.world.app, &operator(), &user_ref(ANN), &[name]).unwrap();
    assert_eq!(count(&claims(&daemon)["permissions"]), 84);
    let body = json!({"email": ANN, "password": PASSWORD, "cookies": true}).to_string();
    let answer = daemon.send("POST", "/api/auth/login", &[JSON], body.as_bytes());
    let cookies = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    let longest = cookies.map(|(_, cookie)| cookie.split("; ").next().unwrap().len()).max().unwrap();
    assert!((3_000..=COOKIE_MAX).contains(&longest), "{longest}");
}

#[test]
fn a_token_leaves_out_what_is_too_much_and_says_so() {
    for (roles, permissions, carries, omitted) in
        [(2, 30, Some(3), json!(["permissions"])), (70, 4, None, json!(["roles", "permissions"]))]
    {
        let daemon = daemon(roles, permissions);
        let login = daemon.login(ANN);
        let token = login["access_token"].as_str().unwrap();
        assert!(token.len() < COOKIE_MAX / 2, "{}", token.len());
        let claims = part(token, 1);
        assert_eq!((claims.get("roles").map(count), claims.get("permissions")), (carries, None));
        assert_eq!(claims["omitted"], omitted);

        let refresh = json!({"refresh_token": login["refresh_token"]}).to_string();
        let refreshed = daemon.post("/api/auth/refresh", &refresh).json();
        let refreshed = refreshed["access_token"].as_str().unwrap();
        assert_eq!(part(refreshed, 1)["omitted"], omitted);
        let minted = mint(&daemon.world.app, &operator(), &user_ref(ANN), None).unwrap();
        assert_eq!(part(minted.access_token.expose(), 1)["omitted"], omitted);
        let inspected = inspect(&daemon.world.app, &operator(), token).unwrap();
        let omitted_last = inspected.facts.omitted.last();
        assert!(inspected.flaw.is_none() && omitted_last == Some(&"permissions"), "{inspected:?}");
    }
}

#[test]
fn authd_knows_what_the_token_leaves_out() {
    let daemon = daemon(70, 4);
    let token = daemon.login(ANN)["access_token"].as_str().unwrap().to_owned();
    let me = daemon.send_as(&token, "GET", "/api/auth/me", "").json();
    assert_eq!((count(&me["roles"]), count(&me["permissions"])), (71, OWN_PERMISSIONS.len() + 280));
    for (demand, status) in [
        ("role=role-with-a-name-of-its-own-69&permission=area-with-a-name-69:some-action-3", 200),
        ("permission=area-with-a-name-69:some-action-4", 403),
    ] {
        let answer = daemon.send_as(&token, "GET", &format!("/api/auth/verify?{demand}"), "");
        assert_eq!(answer.status, status, "{demand}");
    }
    assert_eq!(daemon.send_as(&token, "GET", "/api/auth/admin/roles", "").status, 200);
    let service = daemon.key("service", &[]);
    let introspected = daemon.post_form(&service, "/api/auth/introspect", &format!("token={token}")).json();
    assert_eq!(
        (&introspected["active"], count(&introspected["permissions"])),
        (&json!(true), OWN_PERMISSIONS.len() + 280)
    );
}
