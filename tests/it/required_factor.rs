//! Accounts that must have a second factor, and have none yet: what their sessions are good for.

use crate::authenticator::Authenticator;
use crate::daemon::{Answer, Daemon, JSON};
use crate::world::{PASSWORD, anonymous, operator, user_ref};
use authd::api::route::Route;
use authd::api::table::routes;
use authd::domain::role::{Permission, Role, RoleName};
use authd::usecase::account::roles;
use authd::usecase::session::mint;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

const ANN: &str = "ann@example.com";

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn daemon(required: &str) -> Daemon {
    Daemon::with(&[("two_factor.required", required)])
}

fn add_role(daemon: &Daemon, name: &str, permissions: &[&str]) {
    let role = Role {
        name: RoleName::parse(name).unwrap(),
        description: String::new(),
        permissions: permissions.iter().map(|text| Permission::parse(text).unwrap()).collect(),
    };
    roles::add(&daemon.world.app, &operator(), &role).unwrap();
}

/// What a token says to a program that verifies it by itself.
fn claims(token: &str) -> Value {
    let body = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(body.as_bytes()).unwrap()).unwrap()
}

fn ask(daemon: &Daemon, token: &str, route: &Route, body: &str) -> Answer {
    let path = route.path.replace("{id}", "0198a0b2-7c00-7000-8000-000000000001").replace("{role}", "x");
    daemon.send_as(token, route.method.name(), &path, body)
}

/// Sets up a second factor and turns it on, by this session.
fn set_up(daemon: &Daemon, token: &str) {
    let setup = daemon.send_as(token, "POST", "/api/auth/2fa/setup", "").json();
    let app = Authenticator::new(&text(&setup["secret"]));
    let code = json!({"code": app.code_at(daemon.world.now().as_secs())}).to_string();
    let enabled = daemon.send_as(token, "POST", "/api/auth/2fa/enable", &code);
    assert_eq!(enabled.status, 200, "{enabled:?}");
}

#[test]
fn a_session_without_the_factor_that_is_required_sets_one_up_and_nothing_else() {
    let daemon = daemon("all");
    daemon.world.add_user(ANN, &["admin"]);
    let login = daemon.login(ANN);
    assert_eq!(login["two_factor_setup_required"], true);
    let token = text(&login["access_token"]);
    let before = daemon.world.events();
    let mut open = Vec::new();
    for route in routes().filter(|route| route.access.takes_users()) {
        if route.before_second_factor {
            open.push(route.id);
            continue;
        }
        for body in ["", "{", r#"{"nonsense":1}"#] {
            let answer = ask(&daemon, &token, route, body);
            let refused = (answer.status, answer.problem());
            assert_eq!(refused, (403, "two_factor_setup_required".into()), "{route:?} {body}");
        }
    }
    assert_eq!(daemon.world.events(), before);
    assert_eq!(
        open,
        [
            "reauthenticate",
            "logout",
            "show_two_factor",
            "set_up_two_factor",
            "enable_two_factor",
            "start_passkey_registration",
            "finish_passkey_registration",
            "list_passkeys"
        ]
    );

    // No other program takes its token: by itself, or by asking.
    let ordinary = daemon.world.app.config.tokens.audience.clone();
    let said = claims(&token);
    assert_ne!(said["aud"], json!(ordinary));
    assert_eq!((&said["roles"], &said["permissions"]), (&json!([]), &json!([])));
    let key = daemon.key("service", &[]);
    for shown in ["access_token", "refresh_token"] {
        let form = format!("token={}", text(&login[shown]));
        let told = daemon.post_form(&key, "/api/auth/introspect", &form).json();
        assert_eq!(told, json!({"active": false}), "{shown}");
    }

    // It goes on by a refresh, and the one that sets the factor up is whole from then on.
    let body = json!({"refresh_token": login["refresh_token"]}).to_string();
    let next = daemon.post("/api/auth/refresh", &body).json();
    assert_eq!(next["two_factor_setup_required"], true);
    let token = text(&next["access_token"]);
    let me = || daemon.send_as(&token, "GET", "/api/auth/me", "").status;
    assert_eq!(me(), 403);
    set_up(&daemon, &token);
    assert_eq!((me(), daemon.send_as(&token, "GET", "/api/auth/admin/users", "").status), (200, 200));
    let body = json!({"refresh_token": next["refresh_token"]}).to_string();
    let last = daemon.post("/api/auth/refresh", &body).json();
    assert_eq!(last["two_factor_setup_required"], false);
    let said = claims(&text(&last["access_token"]));
    assert_eq!((&said["aud"], &said["roles"]), (&json!(ordinary), &json!(["admin"])));
}

#[test]
fn logging_out_is_always_open() {
    let daemon = daemon("all");
    daemon.world.add_user(ANN, &[]);
    let token = text(&daemon.login(ANN)["access_token"]);
    assert_eq!(daemon.send_as(&token, "POST", "/api/auth/logout", "").status, 204);
    assert_eq!(daemon.send_as(&token, "GET", "/api/auth/2fa", "").status, 401);
}

#[test]
fn cookies_of_such_a_session_are_good_for_no_more() {
    let daemon = daemon("all");
    daemon.world.add_user(ANN, &[]);
    let body = json!({"email": ANN, "password": PASSWORD, "cookies": true}).to_string();
    let login = daemon.post("/api/auth/login", &body);
    assert_eq!(login.json()["two_factor_setup_required"], true);
    let cookies = login.headers.iter().filter(|(name, _)| name == "set-cookie");
    let cookies: Vec<_> = cookies.map(|(_, value)| value.split(';').next().unwrap()).collect();
    let cookies = cookies.join("; ");
    let csrf = text(&login.json()["csrf_token"]);
    let headers = [("cookie", cookies.as_str()), ("x-csrf-token", csrf.as_str()), JSON];
    let asked = daemon.send("GET", "/api/auth/verify", &headers[..1], b"");
    assert_eq!((asked.status, asked.problem().as_str()), (403, "two_factor_setup_required"));
    assert!(asked.headers.iter().all(|(name, _)| !name.starts_with("remote-")), "{asked:?}");
    assert_eq!(daemon.send("POST", "/api/auth/2fa/setup", &headers[..2], b"").status, 200);
}

#[test]
fn admins_are_whoever_holds_anything_of_authds_own() {
    let daemon = daemon("admins");
    add_role(&daemon, "reader", &["users:read"]);
    add_role(&daemon, "keeper", &["audit:*"]);
    add_role(&daemon, "author", &["posts:*", "audits:read"]);
    for (email, roles, due) in [
        ("root@example.com", &["admin"][..], true),
        ("reader@example.com", &["reader"], true),
        ("keeper@example.com", &["author", "keeper"], true),
        ("author@example.com", &["author"], false),
        ("plain@example.com", &[], false),
    ] {
        daemon.world.add_user(email, roles);
        let login = daemon.login(email);
        let status = daemon.send_as(&text(&login["access_token"]), "GET", "/api/auth/me", "").status;
        let expected = (json!(due), if due { 403 } else { 200 });
        assert_eq!((login["two_factor_setup_required"].clone(), status), expected, "{email}");
    }
    // A service has no second factor, and a key's permissions are its own.
    let key = daemon.key("service", &["users:read"]);
    assert_eq!(daemon.send_as(&key, "GET", "/api/auth/admin/users", "").status, 200);
}

#[test]
fn whoever_becomes_an_admin_must_have_it_from_the_next_request_on() {
    let daemon = daemon("admins");
    let token = daemon.token_of(ANN, &[]);
    let me = || daemon.send_as(&token, "GET", "/api/auth/me", "").status;
    let admin = [RoleName::parse("admin").unwrap()];
    daemon.token_of("root@example.com", &["admin"]);
    assert_eq!(me(), 200);
    roles::assign(&daemon.world.app, &operator(), &user_ref(ANN), &admin).unwrap();
    assert_eq!(me(), 403);
    roles::unassign(&daemon.world.app, &operator(), &user_ref(ANN), &admin).unwrap();
    assert_eq!(me(), 200);
}

#[test]
fn who_turns_a_required_factor_off_must_set_up_another() {
    let daemon = daemon("all");
    daemon.world.add_user(ANN, &[]);
    let token = text(&daemon.login(ANN)["access_token"]);
    set_up(&daemon, &token);
    let due = daemon.world.first_step(&anonymous(), ANN, PASSWORD).unwrap();
    assert!(matches!(due, authd::usecase::signin::login::LoggedIn::SecondStep(..)));
    authd::usecase::account::admin_two_factor::reset_second_factor(
        &daemon.world.app,
        &operator(),
        &user_ref(ANN),
    )
    .unwrap();
    assert_eq!(daemon.login(ANN)["two_factor_setup_required"], true);
}

#[test]
fn a_minted_token_is_bound_by_it_too() {
    let daemon = daemon("all");
    daemon.world.add_user(ANN, &[]);
    let minted = mint::mint(&daemon.world.app, &operator(), &user_ref(ANN), None).unwrap();
    let answer = daemon.send_as(minted.access_token.expose(), "GET", "/api/auth/me", "");
    assert_eq!(answer.problem(), "two_factor_setup_required");
}

#[test]
fn off_is_the_default_and_asks_nobody() {
    let daemon = Daemon::new();
    daemon.world.add_user(ANN, &["admin"]);
    let login = daemon.login(ANN);
    assert_eq!(login["two_factor_setup_required"], false);
    assert_eq!(daemon.send_as(&text(&login["access_token"]), "GET", "/api/auth/me", "").status, 200);
    // What another audience was made for, none of this server's tokens takes on by being asked.
    assert_eq!(claims(&text(&login["access_token"]))["aud"], "authd");
}

#[test]
fn those_without_a_factor_are_listed() {
    let daemon = daemon("admins");
    let root = "root@example.com";
    let token = daemon.token_of(root, &["admin"]);
    daemon.world.add_user(ANN, &[]);
    set_up(&daemon, &token);
    // One that was only begun is none.
    let begun =
        authd::usecase::account::admin_two_factor::enrol(&daemon.world.app, &operator(), &user_ref(ANN));
    assert!(begun.is_ok());
    let listed = daemon.send_as(&token, "GET", "/api/auth/admin/users?state=no-second-factor", "").json();
    let emails: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|user| text(&user["email"])).collect();
    assert_eq!(emails, [ANN]);
}
