//! Unlinking an identity: what counts as another way in, and who may.

use super::{ANN, Browser, Stage};
use crate::world::{operator, user_ref};
use authd::error::{Error, Refusal};
use authd::usecase::account::admin;
use authd::usecase::federation::identities;
use serde_json::json;
use std::sync::Barrier;
use std::time::Duration;

/// Ann, who has no password; gives her token and the path of her one identity.
fn ann(stage: &Stage) -> (String, String) {
    let code = super::parameter(&stage.sign_in_for_front_end(&mut Browser::default()), "code").unwrap();
    let token = stage.exchange(&code, super::VERIFIER).json()["access_token"].as_str().unwrap().to_owned();
    let path = paths(stage, &token).remove(0);
    (token, path)
}

fn paths(stage: &Stage, token: &str) -> Vec<String> {
    let all = stage.daemon.send_as(token, "GET", "/api/auth/me/identities", "").json();
    let all = all["identities"].as_array().unwrap().clone();
    all.iter().map(|one| format!("/api/auth/me/identities/{}", one["id"].as_str().unwrap())).collect()
}

#[test]
fn another_identity_is_a_way_in_while_its_provider_is_configured() {
    let stage = Stage::new();
    let (token, path) = ann(&stage);
    let (app, user) = (&stage.world().app, user_ref(ANN));
    stage.world().advance(Duration::from_millis(1));
    identities::link(app, &operator(), &user, "acme", "another").unwrap();
    let other = paths(&stage, &token).remove(1);
    let call = |provider: &str| {
        let sql = "UPDATE identities SET provider = ?1 WHERE subject = 'another'";
        assert_eq!(stage.world().database().change(sql, &[provider.into()]), 1);
    };
    call("gone");
    assert_eq!(stage.daemon.send_as(&token, "DELETE", &path, "").problem(), "last_way_in");
    call("acme");
    assert_eq!(stage.daemon.send_as(&token, "DELETE", &path, "").status, 204);
    assert_eq!(stage.daemon.send_as(&token, "DELETE", &other, "").problem(), "last_way_in");
}

#[test]
fn of_many_at_once_one_unlinks() {
    let stage = Stage::new();
    let (token, path) = ann(&stage);
    identities::link(&stage.world().app, &operator(), &user_ref(ANN), "acme", "another").unwrap();
    let address = stage.daemon.running.address().tcp().unwrap();
    let bearer = format!("Bearer {token}");
    let bytes = crate::daemon::request("DELETE", &path, &[("authorization", &bearer)], b"");
    let barrier = Barrier::new(16);
    let mut statuses: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    crate::daemon::exchange(address, &bytes).status
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[1], statuses[15]), (204, 404, 404), "{statuses:?}");
    let told = stage.world().events().iter().filter(|event| *event == "IdentityUnlinked").count();
    assert_eq!(told, 1);
}

#[test]
fn nothing_is_unlinked_by_a_session_that_ended_meanwhile() {
    let stage = Stage::new();
    let (token, path) = ann(&stage);
    let (app, user) = (&stage.world().app, user_ref(ANN));
    stage.world().advance(Duration::from_millis(1));
    identities::link(app, &operator(), &user, "acme", "another").unwrap();
    let elsewhere = stage.world().another_app();
    stage.world().clock.before_next_transaction(move || {
        admin::disable(&elsewhere, &operator(), &user_ref(ANN)).unwrap();
    });
    assert_eq!(stage.daemon.send_as(&token, "DELETE", &path, "").problem(), "invalid_token");
    assert_eq!(identities::page(app, &operator(), &user, 10, None).unwrap().items.len(), 2);
}

#[test]
fn everybody_sees_their_own_and_unlinks_their_own() {
    let stage = Stage::new();
    let (anns, path) = ann(&stage);
    let bob = stage.daemon.token_of("bob@example.com", &[]);
    assert!(paths(&stage, &bob).is_empty());
    assert_eq!(stage.daemon.send_as(&bob, "DELETE", &path, "").problem(), "not_found");
    assert_eq!(paths(&stage, &anns), [path]);
}

#[test]
fn administration_takes_its_permission_and_the_right_account() {
    let stage = Stage::new();
    let (anns, path) = ann(&stage);
    let (app, id) = (&stage.world().app, path.rsplit('/').next().unwrap());
    let of = |email: &str| {
        let user = admin::find(app, &operator(), &user_ref(email)).unwrap();
        format!("/api/auth/admin/users/{}/identities", user.id)
    };
    stage.world().add_user("bob@example.com", &[]);
    let (reader, writer) = (stage.daemon.key("r", &["users:read"]), stage.daemon.key("w", &["users:write"]));
    let one = format!("{}/{id}", of(ANN));
    assert_eq!(stage.daemon.send_as(&writer, "GET", &of(ANN), "").problem(), "forbidden");
    assert_eq!(stage.daemon.send_as(&reader, "DELETE", &one, "").problem(), "forbidden");
    let page = stage.daemon.send_as(&reader, "GET", &of("bob@example.com"), "").json();
    assert_eq!(page["items"], json!([]), "each account has its own");
    let wrong = format!("{}/{id}", of("bob@example.com"));
    assert_eq!(stage.daemon.send_as(&writer, "DELETE", &wrong, "").problem(), "not_found");
    assert_eq!(paths(&stage, &anns).len(), 1);
    assert_eq!(stage.daemon.send_as(&writer, "DELETE", &one, "").status, 204, "even the last way in");
    // Linking has no route: whoever may not change accounts is refused by the use-case.
    let caller = stage.world().caller(&stage.world().login("bob@example.com").unwrap());
    for provider in ["acme", "unheard-of"] {
        let linked = identities::link(app, &caller, &user_ref(ANN), provider, "43");
        assert!(matches!(linked, Err(Error::Refused(Refusal::Forbidden { .. }))), "{linked:?}");
    }
    let looked = identities::unlinkable(app, &caller, &user_ref(ANN), id);
    assert!(matches!(looked, Err(Error::Refused(Refusal::Forbidden { .. }))), "{looked:?}");
}
