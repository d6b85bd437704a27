//! Who may call what: every route, asked by everybody.

use super::*;
use crate::world::operator;
use authd::domain::access::OWN_PERMISSIONS;
use authd::domain::role::{Permission, Role, RoleName};
use authd::usecase::account::roles;

/// Somebody who asks: nobody, or with a bearer token.
type Asker = Option<String>;

/// Adds a role that holds these, and gives its name.
fn role_with(daemon: &Daemon, name: &str, permissions: &[&str]) {
    let new = Role {
        name: RoleName::parse(name).unwrap(),
        description: String::new(),
        permissions: permissions.iter().map(|text| Permission::parse(text).unwrap()).collect(),
    };
    let _ = roles::add(&daemon.world.app, &operator(), &new);
}

fn user_with(daemon: &Daemon, name: &str, permissions: &[&str]) -> Asker {
    role_with(daemon, name, permissions);
    Some(daemon.token_of(&format!("{name}@example.com"), &[name]))
}

fn key_with(daemon: &Daemon, name: &str, permissions: &[&str]) -> Asker {
    Some(daemon.key(name, permissions))
}

fn ask(daemon: &Daemon, route: &Route, asker: &Asker, body: &str) -> Answer {
    let bearer = asker.as_ref().map(|token| format!("Bearer {token}"));
    let (content_type, _) = example_of(route);
    let mut headers = vec![content_type];
    headers.extend(bearer.as_ref().map(|bearer| ("authorization", bearer.as_str())));
    daemon.send(route.method.name(), &path_of(route), &headers, body.as_bytes())
}

/// Is refused, whatever else is wrong with the request, and leaves no trace.
fn assert_refused(daemon: &Daemon, route: &Route, asker: &Asker, expected: (u16, &str)) {
    let before = daemon.world.events();
    let (_, example) = example_of(route);
    for body in [example.as_str(), "{", "{\"nonsense\":1}", "nonsense=1"] {
        let answer = ask(daemon, route, asker, body);
        assert_eq!((answer.status, answer.problem().as_str()), expected, "{route:?} {asker:?} {body}");
    }
    assert_eq!(daemon.world.events(), before, "{route:?}");
}

/// Comes as far as the route's own answer, good or bad.
fn assert_admitted(daemon: &Daemon, route: &Route, asker: &Asker) {
    let answer = ask(daemon, route, asker, &example_of(route).1);
    assert!(answer.status < 500, "{route:?} {answer:?}");
    if answer.status >= 400 {
        let code = answer.problem();
        assert!(!["unauthenticated", "forbidden"].contains(&code.as_str()), "{route:?} {asker:?} {answer:?}");
        let refuses_token =
            (answer.status, code.as_str()) == (401, "invalid_token") && route.access != Access::Refresh;
        assert!(!refuses_token, "{route:?} {asker:?} {answer:?}");
    }
}

#[test]
fn every_route_is_open_to_those_it_names_and_to_nobody_else() {
    let daemon = Daemon::new();
    for route in routes() {
        let nobody = None;
        let plain = Some(daemon.token());
        let plain_key = key_with(&daemon, "plain", &[]);
        let every = || Some(daemon.token_of("root@example.com", &["admin"]));
        let every_key = key_with(&daemon, "every", &OWN_PERMISSIONS);
        match route.access {
            Access::Public | Access::Refresh => {
                for asker in [&nobody, &plain, &plain_key, &every_key] {
                    assert_admitted(&daemon, route, asker);
                }
            }
            Access::User => {
                assert_refused(&daemon, route, &nobody, (401, "unauthenticated"));
                assert_refused(&daemon, route, &plain_key, (401, "invalid_token"));
                assert_refused(&daemon, route, &every_key, (401, "invalid_token"));
                // A person each: some routes end the session, or the account.
                assert_admitted(
                    &daemon,
                    route,
                    &Some(daemon.token_of(&format!("{}@example.com", route.id), &[])),
                );
            }
            Access::Browser => {
                for asker in [&nobody, &plain, &plain_key, &every_key, &every()] {
                    assert_refused(&daemon, route, asker, (401, "unauthenticated"));
                }
                let shown = proof(&daemon, route);
                let shown: Vec<_> = as_sent(&shown).collect();
                assert_eq!(daemon.send(route.method.name(), route.path, &shown, b"").status, 200);
            }
            Access::Service => {
                assert_refused(&daemon, route, &nobody, (401, "unauthenticated"));
                assert_refused(&daemon, route, &plain, (401, "invalid_token"));
                assert_refused(&daemon, route, &every(), (401, "invalid_token"));
                assert_admitted(&daemon, route, &plain_key);
            }
            Access::Holder => {
                assert_refused(&daemon, route, &nobody, (401, "unauthenticated"));
                assert_refused(&daemon, route, &plain_key, (403, "forbidden"));
                assert_admitted(&daemon, route, &plain);
                assert_admitted(&daemon, route, &key_with(&daemon, "ends", &["sessions:revoke"]));
            }
            Access::Permission(wanted) => {
                let others: Vec<_> = OWN_PERMISSIONS.into_iter().filter(|own| *own != wanted).collect();
                let name = wanted.replace(':', "-");
                assert_refused(&daemon, route, &nobody, (401, "unauthenticated"));
                assert_refused(&daemon, route, &plain, (403, "forbidden"));
                assert_refused(&daemon, route, &plain_key, (403, "forbidden"));
                assert_refused(
                    &daemon,
                    route,
                    &user_with(&daemon, &format!("no-{name}"), &others),
                    (403, "forbidden"),
                );
                assert_refused(&daemon, route, &key_with(&daemon, "others", &others), (403, "forbidden"));
                assert_admitted(&daemon, route, &user_with(&daemon, &name, &[wanted]));
                assert_admitted(&daemon, route, &key_with(&daemon, "just", &[wanted]));
                assert_admitted(&daemon, route, &every());
            }
        }
    }
}

#[test]
fn every_route_of_administration_asks_for_a_permission_of_authds_own() {
    let admin: Vec<_> = routes().filter(|route| route.path.starts_with("/api/auth/admin/")).collect();
    assert!(admin.len() >= 24, "{}", admin.len());
    for route in admin {
        let Access::Permission(wanted) = route.access else { panic!("{route:?}") };
        assert!(OWN_PERMISSIONS.contains(&wanted), "{route:?}");
        let reads = wanted.ends_with(":read") || wanted == "keys:write";
        assert!(reads || route.method != Method::Get, "{route:?}");
        assert!(!wanted.ends_with(":read") || route.method == Method::Get, "{route:?}");
    }
}
