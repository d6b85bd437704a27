//! Whom administrators may change: nobody who holds more of authd than they do. Every route of administration
//! that changes something of somebody, asked by a key and by a user.

use crate::daemon::{Answer, Daemon};
use crate::world::{operator, user_ref};
use authd::api::route::{Method, Route};
use authd::api::table::routes;
use authd::domain::access::OWN_PERMISSIONS;
use authd::domain::role::{Permission, Role, RoleName};
use authd::usecase::account::{admin, roles};
use authd::usecase::federation::identities;
use authd::usecase::keys::api_keys;
use serde_json::json;

/// What the askers lack, and those above them hold.
const ABOVE: &str = "audit:read";

/// What a route changes, and by what its path names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Target {
    Account,
    Session,
    Role,
    Key,
    /// One to an account.
    Mail,
    /// It makes something new, or settles what nobody has an account by; that nobody hands out more than they
    /// hold is another rule.
    Nothing,
}

/// Every route that changes anything must stand here: what it changes, and a body that it takes.
/// A provider of identities.
const ACME: [(&str, &str); 3] = [
    ("oauth.acme.kind", "oidc"),
    ("oauth.acme.client_id", "authd"),
    ("oauth.acme.issuer", "https://id.acme.example"),
];

fn target_of(route: &Route) -> (Target, &'static str) {
    match route.id {
        "admin_change_user" => (Target::Account, r#"{"name":"Another"}"#),
        "admin_delete_user"
        | "admin_unlock_user"
        | "admin_disable_user"
        | "admin_enable_user"
        | "admin_mail_password_reset"
        | "admin_reset_two_factor"
        | "admin_log_user_out"
        | "admin_assign_role"
        | "admin_unlink_identity"
        | "admin_remove_passkey"
        | "admin_unassign_role" => (Target::Account, ""),
        "admin_end_session" => (Target::Session, ""),
        "admin_change_role" => (Target::Role, r#"{"description":"Another"}"#),
        "admin_delete_role" => (Target::Role, ""),
        "admin_revoke_api_key" => (Target::Key, ""),
        "admin_retry_mail" => (Target::Mail, ""),
        "admin_add_user"
        | "admin_add_role"
        | "admin_add_api_key"
        | "admin_confirm_registration"
        | "admin_delete_registration"
        | "admin_add_app"
        | "admin_change_app"
        | "admin_delete_app" => (Target::Nothing, ""),
        other => panic!("what does {other} change?"),
    }
}

fn changing() -> impl Iterator<Item = &'static Route> {
    routes().filter(|route| route.path.starts_with("/api/auth/admin/") && route.method != Method::Get)
}

fn role_with(daemon: &Daemon, name: &str, permissions: &[&str]) {
    let role = Role {
        name: RoleName::parse(name).unwrap(),
        description: String::new(),
        permissions: permissions.iter().map(|text| Permission::parse(text).unwrap()).collect(),
    };
    let _ = roles::add(&daemon.world.app, &operator(), &role);
}

/// Somebody, or something, that holds `permissions`, and a path of the route that names it.
fn path_to(daemon: &Daemon, route: &Route, target: Target, permissions: &[&str]) -> String {
    let _ = roles::delete(&daemon.world.app, &operator(), &RoleName::parse("theirs").unwrap());
    role_with(daemon, "theirs", permissions);
    role_with(daemon, "plain", &[]);
    let email = "target@example.com";
    let _ = admin::delete(&daemon.world.app, &operator(), &user_ref(email));
    let user = daemon.world.add_user(email, &["theirs"]);
    let session = daemon.world.login(email).unwrap().session;
    daemon.key("theirs", permissions);
    let id = match target {
        Target::Account => user.id.to_string(),
        Target::Session => session.to_string(),
        Target::Key => {
            let keys = api_keys::page(&daemon.world.app, &operator(), 200, None).unwrap().items;
            keys.iter().find(|key| key.name.as_str() == "theirs").unwrap().id.to_string()
        }
        Target::Mail => {
            admin::mail_reset_link(&daemon.world.app, &operator(), &user_ref(email)).unwrap();
            let mails = daemon.world.mails(email);
            let hers = mails.iter().find(|mail| mail.user == Some(user.id) && mail.kind == "reset_password");
            hers.unwrap().id.to_string()
        }
        Target::Role | Target::Nothing => String::new(),
    };
    let role = if target == Target::Role { "theirs" } else { "plain" };
    let path = route.path.replace("{id}", &id).replace("{role}", role);
    if path.contains("{passkey}") {
        return path.replace("{passkey}", &crate::passkey_rows::add(&daemon.world, email, "Phone", 1));
    }
    if !path.contains("{identity}") {
        return path;
    }
    let linked =
        identities::link(&daemon.world.app, &operator(), &user_ref(email), "acme", &user.id.to_string())
            .unwrap();
    path.replace("{identity}", &linked.identity.id.to_string())
}

fn ask(daemon: &Daemon, token: &str, route: &Route, path: &str, body: &str) -> Answer {
    daemon.send_as(token, route.method.name(), path, body)
}

/// A key and a user that hold all of authd but [`ABOVE`].
fn askers(daemon: &Daemon) -> [String; 2] {
    let held: Vec<_> = OWN_PERMISSIONS.into_iter().filter(|own| *own != ABOVE).collect();
    role_with(daemon, "steward", &held);
    [daemon.key("steward", &held), daemon.token_of("steward@example.com", &["steward"])]
}

#[test]
fn nobody_changes_what_holds_more_of_authd_than_they_do() {
    let daemon = Daemon::with(&ACME);
    let mut asked = 0;
    for route in changing() {
        let (target, body) = target_of(route);
        if target == Target::Nothing {
            continue;
        }
        for token in askers(&daemon) {
            for above in [&["posts:write", ABOVE][..], &["audit:*"], &OWN_PERMISSIONS] {
                let path = path_to(&daemon, route, target, above);
                let before = daemon.world.events();
                let answer = ask(&daemon, &token, route, &path, body);
                assert_eq!(
                    (answer.status, answer.problem().as_str()),
                    (403, "forbidden"),
                    "{route:?} {above:?}"
                );
                assert!(answer.body.contains(ABOVE), "what is missing is named: {answer:?}");
                assert_eq!(daemon.world.events(), before, "{route:?}");
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 17 * 2 * 3);
}

#[test]
fn those_who_hold_no_more_of_authd_can_be_changed_whatever_else_they_may_do() {
    let daemon = Daemon::with(&ACME);
    for route in changing() {
        let (target, body) = target_of(route);
        if target == Target::Nothing {
            continue;
        }
        for token in askers(&daemon) {
            for below in [&[][..], &["posts:*", "shop:refund"], &["users:*", "roles:write"]] {
                let path = path_to(&daemon, route, target, below);
                let answer = ask(&daemon, &token, route, &path, body);
                assert!(answer.status < 300, "{route:?} {below:?} {answer:?}");
            }
        }
    }
}

#[test]
fn the_role_admin_is_above_whoever_holds_less_and_an_equal_is_not() {
    let daemon = Daemon::new();
    let key = daemon.key("support", &["users:read", "users:write", "sessions:revoke"]);
    daemon.token_of("root@example.com", &["admin"]);
    let other = daemon.token_of("roo@example.com", &["admin"]);
    let root = admin::find(&daemon.world.app, &operator(), &user_ref("root@example.com")).unwrap().id;
    let path = format!("/api/auth/admin/users/{root}/2fa-reset");
    assert_eq!(daemon.send_as(&key, "POST", &path, "").problem(), "forbidden");
    assert_eq!(daemon.send_as(&other, "POST", &path, "").status, 204);
    // authctl stands above it: who owns the file may do everything.
    assert!(admin::disable(&daemon.world.app, &operator(), &user_ref("root@example.com")).is_ok());
}

#[test]
fn whoever_shows_a_token_may_end_it_whosever_it_is() {
    let daemon = Daemon::new();
    let key = daemon.key("scanner", &["sessions:revoke"]);
    let token = daemon.token_of("root@example.com", &["admin"]);
    assert_eq!(daemon.send_as(&token, "GET", "/api/auth/me", "").status, 200);
    assert_eq!(daemon.post_form(&key, "/api/auth/revoke", &format!("token={token}")).status, 200);
    assert_eq!(daemon.send_as(&token, "GET", "/api/auth/me", "").status, 401);
}

#[test]
fn a_role_above_a_user_is_not_taken_from_them_by_way_of_the_role() {
    let daemon = Daemon::new();
    role_with(&daemon, "auditor", &[ABOVE]);
    let auditor = daemon.token_of("audrey@example.com", &["auditor"]);
    let key = daemon.key("clerk", &["roles:write", "users:write"]);
    let path = "/api/auth/admin/roles/auditor";
    for (method, body) in [("PATCH", json!({"permissions": []}).to_string()), ("DELETE", String::new())] {
        assert_eq!(daemon.send_as(&key, method, path, &body).problem(), "forbidden");
    }
    assert_eq!(daemon.send_as(&auditor, "GET", "/api/auth/admin/audit", "").status, 200);
}
