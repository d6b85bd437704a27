//! Roles by a provider's claim.

use super::{ANN, Browser, Stage};
use crate::world::{operator, user_ref};
use authd::config::Provider;
use authd::domain::role::RoleName;
use authd::usecase::account::{admin, roles};
use authd::usecase::federation::identities;
use serde_json::{Value, json};

pub(super) fn grants(provider: &mut Provider) {
    provider.role_claim = Some("groups".into());
    let role = |name: &str| RoleName::parse(name).unwrap();
    provider.roles = [("acme-admins", "admin"), ("writers", "editor"), ("ghosts", "not-there")]
        .map(|(group, name)| (group.to_owned(), role(name)))
        .into();
}

fn stage() -> Stage {
    let stage = Stage::with(&[], grants);
    with_editor(&stage);
    stage
}

/// Makes the role that writers have.
pub(super) fn with_editor(stage: &Stage) {
    let editor = authd::domain::role::Role {
        name: RoleName::parse("editor").unwrap(),
        description: String::new(),
        permissions: Vec::new(),
    };
    roles::add(&stage.world().app, &operator(), &editor).unwrap();
}

fn sign_in(stage: &Stage, groups: Value) -> Vec<String> {
    stage.says_groups(groups);
    stage.sign_in(&mut Browser::default());
    roles_of(stage)
}

fn roles_of(stage: &Stage) -> Vec<String> {
    let user = admin::find(&stage.world().app, &operator(), &user_ref(ANN)).unwrap();
    user.roles.iter().map(ToString::to_string).collect()
}

#[test]
fn what_the_provider_grants_comes_and_goes_with_its_claim() {
    let stage = stage();
    stage.world().add_user("olga@example.com", &["admin"]);
    assert_eq!(sign_in(&stage, json!(["acme-admins", "writers", "ghosts", "others"])), ["admin", "editor"]);
    assert_eq!(sign_in(&stage, json!(["writers"])), ["editor"]);
    assert_eq!(sign_in(&stage, json!("acme-admins")), ["admin"]);
    assert_eq!(sign_in(&stage, json!(null)), [""; 0], "a missing claim takes all");
    assert_eq!(sign_in(&stage, json!({"writers": true})), [""; 0]);
    let events = stage.world().events();
    let count = |name: &str| events.iter().filter(|event| *event == name).count();
    assert_eq!((count("RoleGranted"), count("RoleWithdrawn")), (3, 3), "{events:?}");
    assert!(roles::find(&stage.world().app, &operator(), &RoleName::parse("not-there").unwrap()).is_err());
}

#[test]
fn what_an_operator_gave_stays() {
    let stage = stage();
    assert_eq!(sign_in(&stage, json!(["writers"])), ["editor"]);
    let editor = [RoleName::parse("editor").unwrap()];
    roles::assign(&stage.world().app, &operator(), &user_ref(ANN), &editor).unwrap();
    assert_eq!(sign_in(&stage, json!(null)), ["editor"]);
}

#[test]
fn what_an_operator_gave_first_is_not_the_providers_to_take() {
    let stage = stage();
    assert_eq!(sign_in(&stage, json!(null)), [""; 0]);
    let editor = [RoleName::parse("editor").unwrap()];
    roles::assign(&stage.world().app, &operator(), &user_ref(ANN), &editor).unwrap();
    assert_eq!(sign_in(&stage, json!(["writers"])), ["editor"]);
    assert_eq!(sign_in(&stage, json!(null)), ["editor"]);
    let events = stage.world().events();
    assert!(
        !events.contains(&"RoleGranted".into()) && !events.contains(&"RoleWithdrawn".into()),
        "{events:?}"
    );
}

#[test]
fn an_identity_takes_what_it_granted_and_goes_with_it() {
    let stage = stage();
    assert_eq!(sign_in(&stage, json!(["writers"])), ["editor"]);
    let (app, ann) = (&stage.world().app, user_ref(ANN));
    identities::link(app, &operator(), &ann, "acme", "another").unwrap();
    stage.is("another");
    assert_eq!(sign_in(&stage, json!(null)), ["editor"], "the other one grants it");
    let withdrawn = || stage.world().events().iter().filter(|event| *event == "RoleWithdrawn").count();
    assert_eq!(withdrawn(), 0);
    let linked = identities::page(app, &operator(), &ann, 10, None).unwrap().items;
    let first = linked.iter().find(|one| one.key.subject == "42").unwrap();
    identities::unlink(app, &operator(), &ann, &first.id.to_string()).unwrap();
    assert_eq!((roles_of(&stage), withdrawn()), (Vec::new(), 1));
}

#[test]
fn the_last_admin_stays_one_without_the_identity() {
    let stage = stage();
    assert_eq!(sign_in(&stage, json!(["acme-admins", "writers"])), ["admin", "editor"]);
    let (app, ann) = (&stage.world().app, user_ref(ANN));
    let linked = identities::page(app, &operator(), &ann, 1, None).unwrap().items.remove(0);
    identities::unlink(app, &operator(), &ann, &linked.id.to_string()).unwrap();
    assert_eq!(roles_of(&stage), ["admin"]);
    let events = stage.world().events();
    let count = |name: &str| events.iter().filter(|event| *event == name).count();
    assert_eq!((count("RoleKept"), count("RoleWithdrawn")), (1, 1), "{events:?}");
    // It is nobody's to take now.
    identities::link(app, &operator(), &ann, "acme", "42").unwrap();
    stage.world().add_user("olga@example.com", &["admin"]);
    assert_eq!(sign_in(&stage, json!(null)), ["admin"]);
}

#[test]
fn the_last_admin_stays_one() {
    let stage = stage();
    assert_eq!(sign_in(&stage, json!(["acme-admins"])), ["admin"]);
    assert_eq!(sign_in(&stage, json!([])), ["admin"]);
    assert!(stage.world().events().contains(&"RoleKept".into()));
    stage.world().add_user("olga@example.com", &["admin"]);
    assert_eq!(sign_in(&stage, json!([])), [""; 0]);
}
