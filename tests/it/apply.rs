//! `apply`: a file becomes the state, all of it or nothing, and a second time there is nothing to do.

use crate::world::{World, operator};
use authd::error::{Error, Refusal};
use authd::usecase::account::{admin, roles};
use authd::usecase::keys::api_keys;
use authd::usecase::operator::apply;
use authd::usecase::operator::apply::{ApplyMode, Change, Done, NotListed};
use proptest::prelude::*;

fn plan(world: &World, file: &str, not_listed: NotListed) -> Result<Vec<Change>, Error> {
    apply::plan(&world.app, &operator(), &apply::parse(file)?, not_listed)
}

fn done(world: &World, file: &str, not_listed: NotListed) -> Result<Vec<Done>, Error> {
    let plan = plan(world, file, not_listed)?;
    apply::apply(&world.app, &operator(), &apply::parse(file)?, not_listed, plan, ApplyMode::Do)
}

/// The whole state, as the file would say it.
fn state(world: &World) -> Vec<String> {
    let (app, caller) = (&world.app, &operator());
    let roles = roles::page(app, caller, 200, None).unwrap().items;
    let users = admin::list(app, caller, &admin::Filter::default(), 1_000, None).unwrap().items;
    let keys = api_keys::page(app, caller, 200, None).unwrap().items;
    let roles = roles.iter().map(|role| format!("{role:?}"));
    let users = users.iter().map(|user| {
        let (verified, disabled) = (user.email_verified_at.is_some(), user.disabled_at.is_some());
        format!("{} {} {:?} {verified} {disabled}", user.email, user.name, user.roles)
    });
    roles.chain(users).chain(keys.iter().map(|key| format!("{} {:?}", key.name, key.permissions))).collect()
}

#[test]
fn a_refused_step_takes_the_others_along() {
    let world = World::new();
    world.add_user("root@example.com", &["admin"]);
    let before = state(&world);
    let lines = world.audit().len();
    // The role and the user could be added; the only admin can't be removed.
    let file = r#"roles = [{ name = "editor" }]
        users = [{ email = "ann@example.com", roles = ["editor"] }]"#;
    for mode in [ApplyMode::Rehearse, ApplyMode::Do] {
        let wanted = apply::parse(file).unwrap();
        let plan = plan(&world, file, NotListed::Remove).unwrap();
        let refused =
            apply::apply(&world.app, &operator(), &wanted, NotListed::Remove, plan, mode).unwrap_err();
        assert_eq!(refused, Error::Refused(Refusal::LastAdmin));
    }
    assert_eq!((state(&world), world.audit().len()), (before, lines));
}

#[test]
fn a_new_admin_follows_on_the_last_one_whatever_the_order_in_the_file() {
    let world = World::new();
    world.add_user("root@example.com", &["admin"]);
    let file = r#"users = [{ email = "root@example.com", roles = [] },
                           { email = "ann@example.com", roles = ["admin"], verified = true }]"#;
    done(&world, file, NotListed::Keep).unwrap();
    let back = r#"users = [{ email = "ann@example.com", disabled = true }, { email = "root@example.com", roles = ["admin"] }]"#;
    done(&world, back, NotListed::Keep).unwrap();
    assert!(plan(&world, back, NotListed::Keep).unwrap().is_empty());
}

#[test]
fn a_plan_that_the_database_has_left_behind_is_not_carried_out() {
    let world = World::new();
    world.add_user("root@example.com", &["admin"]);
    let file = r#"users = [{ email = "ann@example.com" }]"#;
    let old = plan(&world, file, NotListed::Remove).unwrap();
    // It would go without having been seen in the plan.
    world.add_user("late@example.com", &[]);
    let wanted = apply::parse(file).unwrap();
    let failed =
        apply::apply(&world.app, &operator(), &wanted, NotListed::Remove, old, ApplyMode::Do).unwrap_err();
    assert!(matches!(failed, Error::Failed(authd::error::Fault::StorageUnavailable(_))), "{failed:?}");
    assert!(state(&world).iter().any(|line| line.starts_with("late@example.com")));
}

#[test]
fn new_users_are_invited_and_what_happens_is_in_the_log() {
    let world = World::new();
    let file = r#"{"roles": [{"name": "editor", "permissions": ["posts:write"]}],
        "users": [{"email": "ann@example.com", "roles": ["editor"]}, {"email": "off@example.com", "disabled": true}],
        "api_keys": [{"name": "ci", "permissions": ["users:read"], "ttl": "90d"}]}"#;
    let made = done(&world, file, NotListed::Keep).unwrap();
    let secrets: Vec<bool> = made.iter().map(|done| done.secret.is_some()).collect();
    assert_eq!(secrets, [false, true, false, true], "no link for whoever is disabled");
    assert!(world.token_in_mail("ann@example.com").starts_with("authd_pr_"));
    assert_eq!(world.mails("off@example.com").len(), 0);
    let events = world.events();
    for event in
        ["RoleCreated", "UserCreated", "RoleAssigned", "UserInvited", "UserDisabled", "ApiKeyCreated"]
    {
        assert!(events.contains(&event.to_owned()), "{event} is not in {events:?}");
    }
    let lines = events.len();
    assert!(done(&world, file, NotListed::Keep).unwrap().is_empty());
    assert_eq!(world.events().len(), lines, "a second time leaves no trace");
}

#[test]
fn a_key_that_would_hardly_live_is_refused_as_by_its_own_command() {
    let world = World::new();
    let refused =
        done(&world, r#"api_keys = [{ name = "ci", ttl = "500ms" }]"#, NotListed::Keep).unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::Invalid(_))), "{refused:?}");
    assert!(api_keys::page(&world.app, &operator(), 200, None).unwrap().items.is_empty());
}

#[test]
fn the_built_in_role_stays() {
    let world = World::new();
    world.add_user("root@example.com", &["admin"]);
    let less = r#"roles = [{ name = "admin", permissions = ["users:read"] }]"#;
    let refused = plan(&world, less, NotListed::Keep).unwrap_err();
    assert_eq!(refused, Error::Refused(Refusal::BuiltInRole { role: "admin".into() }));
    assert!(plan(&world, "roles = []", NotListed::Remove).unwrap().is_empty());
}

#[test]
fn everything_that_is_wrong_with_a_file_is_said_at_once() {
    let wrong = |file: &str| match apply::parse(file) {
        Err(Refusal::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let file = r#"
        roles = [{ name = "A", permissions = ["x"] }]
        users = [{ email = "nonsense", name = "a\u0007" }, { email = "a@example.com" }, { email = "A@example.com" }]
        api_keys = [{ name = "", ttl = "0s" }]"#;
    assert_eq!(
        wrong(file),
        [
            "roles[0].permissions",
            "roles[0].name",
            "users[0].name",
            "users[0].email",
            "users[2]",
            "api_keys[0].ttl",
            "api_keys[0].name"
        ]
    );
    for file in ["users = 1", "{\"users\": 1}", "{", "[[user]]", "users = [{}]", "\u{0}"] {
        assert_eq!(wrong(file), ["file"], "{file}");
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];

/// A file about a few users, roles and keys, in which any part may be missing.
fn files() -> impl Strategy<Value = String> {
    let some = |all: &'static [&'static str]| proptest::sample::subsequence(all, 0..=all.len());
    let permissions = proptest::option::of(some(&["x:read", "x:write"]));
    let roles = proptest::option::of(proptest::collection::btree_map(
        proptest::sample::select(NAMES.as_slice()),
        permissions.clone(),
        0..3,
    ));
    let user = (proptest::option::of(some(&["admin"])), any::<bool>(), proptest::option::of(any::<bool>()));
    let users = proptest::option::of(proptest::collection::btree_map(
        proptest::sample::select(NAMES.as_slice()),
        user,
        0..3,
    ));
    let keys = proptest::option::of(proptest::collection::btree_map(
        proptest::sample::select(NAMES.as_slice()),
        permissions,
        0..3,
    ));
    (roles, users, keys).prop_map(|(roles, users, keys)| {
        let mut file = serde_json::Map::new();
        let named = |name: &str, permissions: Option<Vec<&str>>| match permissions {
            Some(permissions) => serde_json::json!({"name": name, "permissions": permissions}),
            None => serde_json::json!({"name": name}),
        };
        if let Some(roles) = roles {
            file.insert("roles".into(), roles.into_iter().map(|(name, held)| named(name, held)).collect());
        }
        if let Some(users) = users {
            // The one who stays admin, or little would ever be granted.
            let root = serde_json::json!({"email": "root@example.com", "roles": ["admin"]});
            let users = users.into_iter().map(|(name, (roles, verified, disabled))| {
                serde_json::json!({
                    "email": format!("{name}@example.com"), "roles": roles,
                    "verified": verified, "disabled": disabled,
                })
            });
            file.insert("users".into(), std::iter::once(root).chain(users).collect());
        }
        if let Some(keys) = keys {
            file.insert("api_keys".into(), keys.into_iter().map(|(name, held)| named(name, held)).collect());
        }
        serde_json::Value::Object(file).to_string()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever stood before: once a file was applied, there is nothing left to do, and the next file finds
    /// its way.
    #[test]
    fn after_any_file_there_is_nothing_left_to_do(
        files in proptest::collection::vec((files(), any::<bool>()), 1..4),
    ) {
        let world = World::new();
        world.add_user("root@example.com", &["admin"]);
        for (file, prune) in files {
            let not_listed = if prune { NotListed::Remove } else { NotListed::Keep };
            done(&world, &file, not_listed).unwrap();
            prop_assert_eq!(plan(&world, &file, not_listed).unwrap(), vec![]);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}") {
        let _ = apply::parse(&text);
        let _ = apply::parse(&format!("{{{text}"));
    }
}
