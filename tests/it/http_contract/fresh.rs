//! What wants a fresh login, and that it is asked for before anything of the request is looked at.

use super::*;
use crate::world::{operator, user_ref};
use authd::domain::access::OWN_PERMISSIONS;
use authd::usecase::session::mint;
use std::time::Duration;

/// Bodies that a route must not tell apart before it knows who asks.
fn bodies_of(route: &Route) -> [String; 4] {
    [example_of(route).1, "{}".into(), "{".into(), r#"{"nonsense":1}"#.into()]
}

fn assert_stale(daemon: &Daemon, route: &Route, token: &str) {
    let before = daemon.world.events();
    for body in bodies_of(route) {
        let answer = daemon.send_as(token, route.method.name(), &path_of(route), &body);
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (403, "fresh_login_required"),
            "{route:?} {body}"
        );
    }
    assert_eq!(daemon.world.events(), before, "{route:?}");
}

#[test]
fn a_login_that_is_not_fresh_is_refused_before_the_body_is_looked_at() {
    let daemon = Daemon::new();
    let token = daemon.token_of("root@example.com", &["admin"]);
    daemon.world.advance(Duration::from_secs(5 * 60));
    let root = user_ref("root@example.com");
    let minted = mint::mint(&daemon.world.app, &operator(), &root, None).unwrap();
    for route in routes().filter(|route| route.fresh) {
        assert_stale(&daemon, route, &token);
        // Nobody has proved anything for this one.
        assert_stale(&daemon, route, minted.access_token.expose());
    }
}

#[test]
fn who_may_not_at_all_is_told_so_before_how_fresh_they_are() {
    let daemon = Daemon::new();
    let token = daemon.token();
    daemon.world.advance(Duration::from_secs(5 * 60));
    for route in routes().filter(|route| matches!(route.access, Access::Permission(_))) {
        let answer = daemon.send_as(&token, route.method.name(), &path_of(route), "");
        assert_eq!(answer.problem(), "forbidden", "{route:?}");
    }
}

#[test]
fn a_service_never_logs_in_and_is_not_asked_to() {
    let daemon = Daemon::new();
    let key = daemon.key("steward", &OWN_PERMISSIONS);
    for route in routes().filter(|route| route.fresh && route.access.takes_services()) {
        let answer = daemon.send_as(&key, route.method.name(), &path_of(route), &example_of(route).1);
        assert!(answer.status != 403, "{route:?} {answer:?}");
    }
}

#[test]
fn what_changes_factors_roles_keys_or_addresses_wants_a_fresh_login() {
    let fresh: Vec<_> = routes().filter(|route| route.fresh).map(|route| route.id).collect();
    let wanted = [
        "request_email_change",
        "delete_me",
        "set_up_two_factor",
        "enable_two_factor",
        "disable_two_factor",
        "replace_recovery_codes",
        "start_passkey_registration",
        "finish_passkey_registration",
        "remove_passkey",
        "link_identity",
        "unlink_identity",
        "admin_add_user",
        "admin_change_user",
        "admin_reset_two_factor",
        "admin_assign_role",
        "admin_unassign_role",
        "admin_unlink_identity",
        "admin_remove_passkey",
        "admin_confirm_registration",
        "admin_add_role",
        "admin_change_role",
        "admin_delete_role",
        "admin_add_api_key",
        "admin_revoke_api_key",
        "admin_add_app",
        "admin_change_app",
        "admin_delete_app",
    ];
    assert_eq!(fresh, wanted);
}
