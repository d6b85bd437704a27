//! Roles by a provider's claim.

use super::{ANN, Browser, Stage};
use crate::world::{operator, user_ref};
use authd::config::Provider;
use authd::domain::role::RoleName;
use authd::usecase::account::{admin, roles};
use serde_json::{Value, json};

fn grants(provider: &mut Provider) {
    provider.role_claim = Some("groups".into());
    let role = |name: &str| RoleName::parse(name).unwrap();
    provider.roles = [("acme-admins", "admin"), ("writers", "editor"), ("ghosts", "not-there")]
        .map(|(group, name)| (group.to_owned(), role(name)))
        .into();
}

fn stage() -> Stage {
    let stage = Stage::with(&[], grants);
    let editor = authd::domain::role::Role {
        name: RoleName::parse("editor").unwrap(),
        description: String::new(),
        permissions: Vec::new(),
    };
    roles::add(&stage.world().app, &operator(), &editor).unwrap();
    stage
}

fn sign_in(stage: &Stage, groups: Value) -> Vec<String> {
    stage.stand_in.set(|script| {
        script.claims.insert("groups".into(), groups);
    });
    stage.sign_in(&mut Browser::default());
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
fn the_last_admin_stays_one() {
    let stage = stage();
    assert_eq!(sign_in(&stage, json!(["acme-admins"])), ["admin"]);
    assert_eq!(sign_in(&stage, json!([])), ["admin"]);
    assert!(stage.world().events().contains(&"RoleKept".into()));
    stage.world().add_user("olga@example.com", &["admin"]);
    assert_eq!(sign_in(&stage, json!([])), [""; 0]);
}
