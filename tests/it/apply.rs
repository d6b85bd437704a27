//! `apply`: a file becomes the state, all of it or nothing, and a second time there is nothing to do.

use crate::world::{World, operator, user_ref};
use authd::domain::api_key::ApiKey;
use authd::error::{Error, Refusal};
use authd::usecase::account::{admin, roles};
use authd::usecase::gate::apps;
use authd::usecase::keys::api_keys;
use authd::usecase::operator::apply;
use authd::usecase::operator::apply::{ApplyMode, Done, Fate, NotListed, Plan};
use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;

pub fn plan(world: &World, file: &str, not_listed: NotListed) -> Result<Plan, Error> {
    apply::plan(&world.app, &operator(), &apply::parse(file)?, not_listed)
}

pub fn done(world: &World, file: &str, not_listed: NotListed) -> Result<Vec<Done>, Error> {
    let plan = plan(world, file, not_listed)?;
    apply::apply(&world.app, &operator(), &apply::parse(file)?, not_listed, plan, ApplyMode::Do)
}

/// The whole state, as the file would say it.
pub fn state(world: &World) -> Vec<String> {
    let (app, caller) = (&world.app, &operator());
    let roles = roles::page(app, caller, 200, None).unwrap().items;
    let users = admin::list(app, caller, &admin::Filter::default(), 1_000, None).unwrap().items;
    let keys = api_keys::page(app, caller, 200, None).unwrap().items;
    let apps = apps::page(app, caller, 200, None).unwrap().items;
    let roles = roles.iter().map(|role| format!("{role:?}"));
    let users = users.iter().map(|user| {
        let (verified, disabled) = (user.email_verified_at.is_some(), user.disabled_at.is_some());
        format!("{} {} {:?} {verified} {disabled}", user.email, user.name, user.roles)
    });
    let keys = keys.iter().map(|key| format!("{} {:?}", key.name, key.permissions));
    let apps = apps.iter().map(|app| format!("{} {} {:?}", app.name, app.origin, app.allow));
    roles.chain(users).chain(keys).chain(apps).collect()
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
    done(&world, file, NotListed::Remove).unwrap();
    assert!(plan(&world, file, NotListed::Remove).unwrap().changes.is_empty(), "root has lost the role");
    let back = r#"users = [{ email = "ann@example.com", disabled = true }, { email = "root@example.com", roles = ["admin"] }]"#;
    done(&world, back, NotListed::Keep).unwrap();
    assert!(plan(&world, back, NotListed::Keep).unwrap().changes.is_empty());
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
        "api_keys": [{"name": "ci", "permissions": ["users:read"], "ttl": "90d"}],
        "apps": [{"name": "wiki", "url": "https://wiki.example.com", "allow_roles": ["editor"]}]}"#;
    let made = done(&world, file, NotListed::Keep).unwrap();
    let secrets: Vec<bool> = made.iter().map(|done| done.secret.is_some()).collect();
    assert_eq!(secrets, [false, true, false, true, false], "no link for whoever is disabled");
    assert!(world.token_in_mail("ann@example.com").starts_with("authd_pr_"));
    assert_eq!(world.mails("off@example.com").len(), 0);
    let events = world.events();
    for event in [
        "RoleCreated",
        "UserCreated",
        "RoleAssigned",
        "UserInvited",
        "UserDisabled",
        "ApiKeyCreated",
        "AppCreated",
    ] {
        assert!(events.contains(&event.to_owned()), "{event} is not in {events:?}");
    }
    let lines = events.len();
    assert!(done(&world, file, NotListed::Keep).unwrap().is_empty());
    assert_eq!(world.events().len(), lines, "a second time leaves no trace");
}

fn key(world: &World, name: &str) -> ApiKey {
    let keys = api_keys::page(&world.app, &operator(), 200, None).unwrap().items;
    keys.into_iter().find(|key| key.name.as_str() == name).unwrap()
}

#[test]
fn another_ttl_moves_the_end_of_a_key_as_far_as_it_lies_ahead() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let world = World::new();
    let file = |rest: &str| format!("api_keys = [\n{{ name = \"ci\", permissions = [\"a:b\"]{rest} }}]");
    let apply = |rest: &str| done(&world, &file(rest), NotListed::Keep);
    apply(", ttl = \"30d\"").unwrap();
    let made = key(&world, "ci");
    assert_eq!(made.expires_at, Some(made.created_at.plus(30 * DAY)));
    world.advance(10 * DAY);
    let lines = world.events().len();
    assert!(apply(", ttl = \"30d\"").unwrap().is_empty(), "it counts from when the key was made");
    assert!(apply("").unwrap().is_empty(), "what isn't said is left");
    assert_eq!(world.events().len(), lines);

    let longer = apply(", ttl = \"90d\"").unwrap();
    assert_eq!(longer[0].change.says(), format!("until {}", made.created_at.plus(90 * DAY)));
    assert_eq!(
        key(&world, "ci"),
        ApiKey { expires_at: Some(made.created_at.plus(90 * DAY)), ..made.clone() }
    );
    assert_eq!(world.events()[lines..], ["ApiKeyChanged"]);
    apply(", ttl = \"11d\"").unwrap();
    assert_eq!(key(&world, "ci").expires_at, Some(made.created_at.plus(11 * DAY)));

    for ttl in ["9d", "10d", "1s"] {
        let refused = plan(&world, &file(&format!(", ttl = \"{ttl}\"")), NotListed::Keep).unwrap_err();
        let Error::Refused(Refusal::Invalid(errors)) = refused else { panic!("{refused:?}") };
        assert_eq!((errors[0].field.as_str(), errors[0].code), ("api_keys[0].ttl", "out_of_range"));
        assert!(errors[0].message.starts_with("line 2, API key ci: it was made at "), "{errors:?}");
    }
    // Whose time has run out is as the file says, and changes no more by itself.
    world.advance(10 * DAY);
    assert!(apply(", ttl = \"11d\"").unwrap().is_empty());
    apply(", ttl = \"21d\"").unwrap();
    assert!(key(&world, "ci").counts(world.now()));
    // One without an end gets one.
    done(&world, "api_keys = [{ name = \"ever\" }]", NotListed::Keep).unwrap();
    done(&world, "api_keys = [{ name = \"ever\", ttl = \"1d\" }]", NotListed::Keep).unwrap();
    assert_eq!(key(&world, "ever").expires_at, Some(key(&world, "ever").created_at.plus(DAY)));
}

#[test]
fn roles_are_taken_from_nobody_unless_what_is_not_listed_goes() {
    let world = World::new();
    world.add_user("root@example.com", &["admin"]);
    done(
        &world,
        r#"roles = [{ name = "a", permissions = ["x:read", "x:write"] }, { name = "b" }]"#,
        NotListed::Keep,
    )
    .unwrap();
    world.add_user("ann@example.com", &["a"]);
    world.add_user("bob@example.com", &["a", "b"]);
    let roles_of = |email: &str| {
        let user = admin::find(&world.app, &operator(), &user_ref(email)).unwrap();
        user.roles.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let file = r#"users = [{ email = "root@example.com" }, { email = "ann@example.com", roles = ["b"] },
        { email = "bob@example.com", roles = [] }]"#;
    let kept = plan(&world, file, NotListed::Keep).unwrap();
    let spared: Vec<_> =
        kept.spared.iter().map(|spared| (spared.count, spared.nouns[0], spared.fate)).collect();
    assert_eq!(spared, [(3, "role", Fate::TakenFromUsers)]);
    assert!(kept.changes.iter().all(|change| !change.takes));
    done(&world, file, NotListed::Keep).unwrap();
    assert_eq!([roles_of("ann@example.com"), roles_of("bob@example.com")], [["a", "b"], ["a", "b"]]);

    let pruned = plan(&world, file, NotListed::Remove).unwrap();
    let told: Vec<_> = pruned.changes.iter().map(|change| (change.says(), change.takes)).collect();
    assert_eq!(told, [("-a".to_owned(), true), ("-a -b".to_owned(), true)]);
    done(&world, file, NotListed::Remove).unwrap();
    assert_eq!((roles_of("ann@example.com"), roles_of("bob@example.com")), (vec!["b".to_owned()], vec![]));
    assert_eq!(roles_of("root@example.com"), ["admin"], "a list that isn't there says nothing");
    // What a role holds is the file's.
    let less = r#"roles = [{ name = "a", permissions = ["x:read"] }]"#;
    assert_eq!(plan(&world, less, NotListed::Keep).unwrap().changes[0].says(), "-x:write");
}

#[test]
fn a_role_that_nobody_knows_is_told_with_its_line_and_its_user() {
    let world = World::new();
    world.add_user("root@example.com", &["admin"]);
    let file = "[[roles]]\nname = \"editor\"\n\n[[users]]\nemail = \"ann@example.com\"\nroles = [\n  \"admin\",\n  \
        \"edtor\"]\n[[users]]\nemail = \"bob@example.com\"\nroles = [\"nothing\"]\n";
    let refused = plan(&world, file, NotListed::Keep).unwrap_err();
    let says =
        "edtor (line 8, user ann@example.com; did you mean editor?), nothing (line 11, user bob@example.com)";
    assert_eq!(refused, Error::Refused(Refusal::not_found("role", says)));
    let users: Vec<String> =
        (0..13).map(|at| format!(r#"{{"email": "u{at}@example.com", "roles": ["gone"]}}"#)).collect();
    let many = plan(&world, &format!("{{\"users\": [{}]}}", users.join(",")), NotListed::Keep).unwrap_err();
    assert!(many.to_string().ends_with("gone (line 1, user u9@example.com) and 3 more"), "{many}");
}

#[test]
fn a_role_that_the_same_file_removes_is_given_to_nobody() {
    let world = World::new();
    world.add_user("root@example.com", &["admin"]);
    done(&world, r#"roles = [{ name = "editor" }, { name = "old" }]"#, NotListed::Keep).unwrap();
    let users = r#"users = [{ email = "root@example.com", roles = ["admin", "old"] }]"#;
    let both = format!("{users}\nroles = [{{ name = \"editor\" }}]");
    let says = "old (line 1, user root@example.com; the file's roles leave it out, so it is removed)";
    let refused = plan(&world, &both, NotListed::Remove).unwrap_err();
    assert_eq!(refused, Error::Refused(Refusal::not_found("role", says)));
    // It stays where nothing is removed, or where the file says nothing of roles.
    for (file, not_listed) in [(both.as_str(), NotListed::Keep), (users, NotListed::Remove)] {
        let changes = plan(&world, file, not_listed).unwrap().changes;
        assert_eq!((changes.len(), changes[0].says().as_str()), (1, "+old"));
    }
}

#[test]
fn what_something_is_and_becomes_is_told_in_values() {
    let world = World::new();
    let root = world.add_user("root@example.com", &["admin"]).id.to_string();
    let file = r#"roles = [{ name = "editor", description = "Writes", permissions = ["b:c", "a:b"] }]
        users = [{ email = "Root@example.com", name = "Root", roles = ["editor"] }, { email = "ann@example.com" }]
        api_keys = [{ name = "ci", ttl = "90d" }]
        apps = [{ name = "wiki", url = "HTTPS://Wiki.example.com:443/", allow_roles = ["editor", "admin", "editor"] },
                { name = "intranet", url = "https://intranet.example.com", allow_everyone = true }]"#;
    let plan = plan(&world, file, NotListed::Keep).unwrap();
    let told: Vec<_> = plan.changes.iter().map(|change| json!([change.before, change.after])).collect();
    let editor = json!({"description": "Writes", "permissions": ["a:b", "b:c"]});
    let user = |id: Option<&str>, name: &str, roles: &[&str]| {
        let mut user = json!({"name": name, "roles": roles, "verified": id.is_some(), "disabled": false});
        user.as_object_mut().unwrap().extend(id.map(|id| ("id".to_owned(), id.into())));
        user
    };
    let root_now = user(Some(&root), "", &["admin"]);
    let root_then = user(Some(&root), "Root", &["admin", "editor"]);
    let ann = user(None, "", &[]);
    let ci = json!({"permissions": [], "ttl": "90d"});
    let app = |url: &str, roles: &[&str]| {
        let everyone = roles.is_empty();
        json!({"url": url, "allow_roles": roles, "allow_everyone": everyone})
    };
    let wiki = app("https://wiki.example.com", &["admin", "editor"]);
    let intranet = app("https://intranet.example.com", &[]);
    assert_eq!(
        told,
        [
            json!([null, editor]),
            json!([root_now, root_then]),
            json!([null, ann]),
            json!([null, ci]),
            json!([null, wiki]),
            json!([null, intranet])
        ]
    );
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
    assert_eq!(refused, Error::Refused(Refusal::BuiltInRole { role: "admin (line 1)".into() }));
    assert!(plan(&world, "roles = []", NotListed::Remove).unwrap().changes.is_empty());
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
        api_keys = [{ name = "", ttl = "0s" }]
        apps = [{ name = "Wiki", url = "http://wiki.example.com", allow_roles = ["A"] },
                { name = "docs", url = "https://docs.example.com" }]"#;
    assert_eq!(
        wrong(file),
        [
            "roles[0].name",
            "roles[0].permissions",
            "users[0].email",
            "users[0].name",
            "users[2]",
            "api_keys[0].name",
            "api_keys[0].ttl",
            "apps[0].name",
            "apps[0].url",
            "apps[0].allow_roles",
            "apps[1].allow_roles"
        ]
    );
    for (file, field) in [
        ("{", "file"),
        ("\u{0}", "file"),
        ("users = 1", "users"),
        ("{\"users\": 1}", "users"),
        ("{\"users\": [], \"users\": []}", "users"),
        ("users = [1]", "users[0]"),
        ("[[user]]", "user"),
        ("users = [{}]", "users[0].email"),
        ("users = [{ email = 1 }]", "users[0].email"),
        ("users = [{ email = \"a@example.com\", roles = \"a\" }]", "users[0].roles"),
        ("users = [{ email = \"a@example.com\", roles = [1] }]", "users[0].roles"),
        ("users = [{ email = \"a@example.com\", verified = 1 }]", "users[0].verified"),
        ("users = [{ email = \"a@example.com\", rolls = [] }]", "users[0].rolls"),
        ("apps = [{ name = \"a\", allow_everyone = true }]", "apps[0].url"),
        ("{\"users\": [{\"email\": \"a@example.com\", \"name\": \"\", \"name\": \"\"}]}", "users[0].name"),
    ] {
        assert_eq!(wrong(file), [field], "{file}");
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
    let apps = proptest::option::of(proptest::collection::btree_map(
        proptest::sample::select(NAMES.as_slice()),
        any::<bool>(),
        0..3,
    ));
    (roles, users, keys, apps).prop_map(|(roles, users, keys, apps)| {
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
        if let Some(apps) = apps {
            let apps = apps.into_iter().map(|(name, everyone)| {
                let rule = if everyone {
                    ("allow_everyone", json!(true))
                } else {
                    ("allow_roles", json!(["admin"]))
                };
                json!({"name": name, "url": format!("https://{name}.example.com"), (rule.0): rule.1})
            });
            file.insert("apps".into(), apps.collect());
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
            prop_assert_eq!(plan(&world, &file, not_listed).unwrap().changes, vec![]);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}") {
        let _ = apply::parse(&text);
        let _ = apply::parse(&format!("{{{text}"));
    }
}
