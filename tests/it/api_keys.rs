//! API keys, as the use-cases make, change and revoke them.

use crate::daemon::Daemon;
use crate::world::{World, anonymous, operator};
use authd::domain::api_key::ApiKeyName;
use authd::domain::caller::Caller;
use authd::domain::role::{Permission, Role, RoleName};
use authd::error::{Error, Refusal};
use authd::usecase::account::roles;
use authd::usecase::keys::api_keys;
use authd::usecase::keys::api_keys::{Added, ApiKeyRef, Change, Expiry, NewApiKey};
use authd::usecase::session::inspect::inspect;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn name(text: &str) -> ApiKeyName {
    ApiKeyName::parse(text).unwrap()
}

fn permissions(texts: &[&str]) -> Vec<Permission> {
    texts.iter().map(|text| Permission::parse(text).unwrap()).collect()
}

fn add(world: &World, caller: &Caller, held: &[&str], ttl: Option<Duration>) -> Result<Added, Error> {
    let new = NewApiKey { name: name("billing"), permissions: permissions(held), ttl };
    api_keys::add(&world.app, caller, &new)
}

#[test]
fn only_a_hash_of_the_secret_is_kept() {
    let world = World::new();
    let added = add(&world, &operator(), &["users:read"], None).unwrap();
    let secret = added.secret.expose();
    assert!(secret.starts_with("authd_key_") && secret.len() == 10 + 43);
    assert!(world.database().holds("billing") && !world.database().holds(secret));
    assert!(world.audit().iter().all(|line| !format!("{line:?}").contains(added.secret.expose())));
}

#[test]
fn a_key_is_changed_as_far_as_it_differs() {
    let world = World::new();
    let key = add(&world, &operator(), &["users:write", "users:read", "users:read"], Some(HOUR)).unwrap().key;
    assert_eq!(key.permissions, permissions(&["users:read", "users:write"]));
    assert_eq!(key.expires_at, Some(world.now().plus(HOUR)));
    let edit = |change: Change| api_keys::edit(&world.app, &operator(), &name("billing"), &change).unwrap();
    let lines = world.events().len();
    let same =
        Change { permissions: Some(key.permissions.clone()), expires_at: key.expires_at.map(Expiry::At) };
    assert_eq!((edit(Change::default()), edit(same)), (key.clone(), key.clone()));
    assert_eq!(world.events().len(), lines);

    let changed =
        edit(Change { permissions: Some(permissions(&["audit:read"])), expires_at: Some(Expiry::Never) });
    assert_eq!((&changed.permissions, changed.expires_at), (&permissions(&["audit:read"]), None));
    assert_eq!(api_keys::find(&world.app, &operator(), &name("billing")), Ok(Some(changed.clone())));
    assert_eq!(edit(Change { permissions: Some(Vec::new()), ..Change::default() }).permissions, []);
    assert_eq!(world.events()[lines..], ["ApiKeyChanged", "ApiKeyChanged"]);
    let unknown = api_keys::edit(&world.app, &operator(), &name("nothing"), &Change::default());
    assert!(matches!(unknown, Err(Error::Refused(Refusal::NotFound { .. }))));
}

#[test]
fn nobody_gives_a_key_more_of_authd_than_they_hold() {
    let world = World::new();
    let clerk = Role {
        name: RoleName::parse("clerk").unwrap(),
        description: String::new(),
        permissions: permissions(&["keys:write", "users:read"]),
    };
    roles::add(&world.app, &operator(), &clerk).unwrap();
    world.add_user("cleo@example.com", &["clerk"]);
    let cleo = world.caller(&world.login("cleo@example.com").unwrap());
    for held in [&["users:write"][..], &["users:*"], &["users:read", "audit:read"]] {
        let refused = add(&world, &cleo, held, None);
        assert!(matches!(refused, Err(Error::Refused(Refusal::Forbidden { .. }))), "{held:?} {refused:?}");
    }
    add(&world, &cleo, &["users:read", "posts:*"], None).unwrap();
    let more = Change { permissions: Some(permissions(&["roles:write"])), ..Change::default() };
    let refused = api_keys::edit(&world.app, &cleo, &name("billing"), &more);
    assert!(matches!(refused, Err(Error::Refused(Refusal::Forbidden { .. }))), "{refused:?}");
}

#[test]
fn who_may_not_write_keys_does_not_even_see_them() {
    let world = World::new();
    world.add_user("ann@example.com", &[]);
    let ann = world.caller(&world.login("ann@example.com").unwrap());
    for caller in [&ann, &anonymous()] {
        assert!(add(&world, caller, &[], None).is_err());
        assert!(api_keys::page(&world.app, caller, 200, None).is_err());
        assert!(api_keys::find(&world.app, caller, &name("billing")).is_err());
        assert!(api_keys::edit(&world.app, caller, &name("billing"), &Change::default()).is_err());
        assert!(api_keys::revoke(&world.app, caller, &ApiKeyRef::Name(name("billing"))).is_err());
    }
}

#[test]
fn inspect_knows_a_key_while_it_counts() {
    let world = World::new();
    let added = add(&world, &operator(), &["users:read"], Some(HOUR)).unwrap();
    let flaw = |text: &str| inspect(&world.app, &operator(), text).unwrap().flaw;
    assert_eq!(flaw(added.secret.expose()), None);
    assert!(flaw(&format!("{}A", added.secret.expose())).is_some());
    let end = added.key.expires_at.unwrap();
    world.clock.set(end.minus(Duration::from_millis(1)));
    assert_eq!(flaw(added.secret.expose()), None);
    world.clock.set(end);
    assert_eq!(flaw(added.secret.expose()).as_deref(), Some("it has expired"));
    api_keys::revoke(&world.app, &operator(), &ApiKeyRef::Name(name("billing"))).unwrap();
    assert_eq!(flaw(added.secret.expose()).as_deref(), Some("it is wrong, or was revoked"));
}

#[test]
fn the_log_tells_a_key_from_a_later_one_of_the_same_name() {
    let daemon = Daemon::new();
    let bob = daemon.world.add_user("bob@example.com", &[]).id;
    let acted = || {
        let secret = daemon.key("clerk", &["users:read", "users:write"]);
        let made = daemon.world.audit().into_iter().rfind(|line| line.event == "ApiKeyCreated").unwrap();
        let body = format!(r#"{{"name":"Bob {}"}}"#, made.seq);
        let answer = daemon.send_as(&secret, "PATCH", &format!("/api/auth/admin/users/{bob}"), &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        (daemon.world.audit().last().unwrap().actor.clone(), made.details)
    };
    let ((first, made), (second, _)) = (acted(), acted());
    let keys = api_keys::page(&daemon.world.app, &operator(), 200, None).unwrap().items;
    assert_eq!(second, format!("api_key:clerk:{}", keys[0].id));
    assert_ne!(first, second);
    let id = first.strip_prefix("api_key:clerk:").unwrap();
    assert!(made.contains(&("id".to_owned(), id.to_owned())), "{made:?}");
}
