//! How long what is kept of a sign-in stays in the database, and that it lives in no restored one.

use super::{Browser, Stage, VERIFIER, parameter};
use crate::restore::{back_up, is_refused, restored};
use crate::world::{anonymous, operator};
use authd::domain::secret::Secret;
use authd::error::Refusal;
use authd::ports::progress::Progress;
use authd::usecase::federation::arrive::{Returned, arrive};
use authd::usecase::federation::exchange::exchange;
use authd::usecase::federation::providers;
use authd::usecase::operator::prune::prune;
use std::time::Duration;

#[test]
fn what_has_begun_and_what_it_came_to_go_when_their_time_is_over() {
    let stage = Stage::new();
    stage.sign_in_for_front_end(&mut Browser::default());
    stage.begin(&mut Browser::default(), "");
    let pruned = || {
        let mut counts = prune(&stage.world().app, &operator(), &Progress::default()).unwrap();
        counts.retain(|(family, rows)| family.starts_with("oauth_") && *rows > 0);
        counts
    };
    stage.world().advance(Duration::from_secs(59));
    assert_eq!(pruned(), []);
    stage.world().advance(Duration::from_secs(1));
    assert_eq!(pruned(), [("oauth_codes", 1)]);
    stage.world().advance(Duration::from_secs(539));
    assert_eq!(pruned(), []);
    stage.world().advance(Duration::from_secs(1));
    assert_eq!(pruned(), [("oauth_attempts", 1)]);
}

#[test]
fn neither_lives_in_a_restored_database() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    let code = parameter(&stage.sign_in_for_front_end(&mut browser), "code").unwrap();
    let came = stage.stand_in.approve(&stage.begin(&mut browser, ""));
    let (app, _) = restored(stage.world(), &back_up(stage.world()));
    let exchanged = exchange(&app, &anonymous(), &code, &Secret::new(VERIFIER.to_owned()));
    assert!(is_refused(exchanged, &Refusal::InvalidLink));
    let field = |name: &str| came.fields.get(name).map(String::as_str);
    let returned = Returned {
        state: field("state").unwrap(),
        code: field("code"),
        error: None,
        iss: field("iss"),
        user: None,
        browser: Some(&browser.0["__Host-authd_oauth"]),
    };
    let arrived = arrive(&app, &anonymous(), providers::find(&app, "acme").unwrap(), &returned);
    assert!(is_refused(arrived, &Refusal::StateMismatch));
    assert_eq!(stage.exchange(&code, VERIFIER).status, 200, "the one that was backed up is as it was");
    assert_eq!(stage.land(&mut browser, &came).header("location"), "/auth/sign-in");
}
