//! Registration, verification, login, refresh, reset and invitation, as stories.

use crate::world::{PASSWORD, World, anonymous, operator, user_ref};
use authd::domain::email::Email;
use authd::domain::name::Name;
use authd::domain::password::Password;
use authd::error::{Error, Refusal};
use authd::usecase::account::admin::{FirstPassword, NewAccount, Verified};
use authd::usecase::account::register::Registered;
use authd::usecase::account::{admin, email, me, password};
use authd::usecase::session::authenticate;
use authd::usecase::session::refresh::refresh;
use std::time::Duration;

pub const ANN: &str = "ann@example.com";
pub const OTHER: &str = "another long enough password";

pub fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Refusal {
    match outcome {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

pub fn address(text: &str) -> Email {
    Email::parse(text).unwrap()
}

/// Ann as an operator invites her.
fn invite(world: &World) -> admin::Added {
    let new = NewAccount {
        email: address(ANN),
        name: Name::default(),
        roles: Vec::new(),
        verified: Verified::No,
        password: FirstPassword::Invite,
    };
    admin::add(&world.app, &operator(), new).unwrap()
}

#[test]
fn an_account_is_good_once_its_address_is_verified() {
    let world = World::new();
    assert_eq!(world.register(ANN), Ok(Registered::VerificationSent));
    assert_eq!(refused(world.login(ANN)), Refusal::EmailNotVerified);
    let link = world.token_in_mail(ANN);
    let user = email::confirm(&world.app, &anonymous(), &link, None).unwrap();
    assert_eq!(user.email_verified_at, Some(world.now()));
    let tokens = world.login(ANN).unwrap();
    assert_eq!(tokens.user.id, user.id);
    assert_eq!(tokens.user.last_login_at, Some(world.now()));
    assert_eq!(
        world.events(),
        [
            "DatabaseCreated",
            "SigningKeyCreated",
            "RegistrationRequested",
            "LoginFailed",
            "UserRegistered",
            "EmailVerified",
            "LoginSucceeded"
        ]
    );
}

#[test]
fn a_taken_address_answers_alike_and_tells_its_owner_by_mail() {
    let world = World::new();
    world.add_user(ANN, &[]);
    assert_eq!(world.register("ANN@Example.com"), Ok(Registered::VerificationSent));
    assert_eq!(world.mails(ANN)[0].kind, "already_registered");
    assert!(world.login(ANN).is_ok(), "the account is as it was");
    assert_eq!(world.mails("ANN@example.com").len(), 0, "mail goes to the stored spelling");
}

#[test]
fn closed_registration_is_closed_and_off_verification_is_off() {
    let closed = World::with(&[("registration", "closed")]);
    assert_eq!(refused(closed.register(ANN)), Refusal::RegistrationClosed);
    let open = World::with(&[("email_verification.required", "false")]);
    assert!(matches!(open.register(ANN), Ok(Registered::Ready(user)) if user.email_verified_at.is_none()));
    assert!(open.login(ANN).is_ok());
    assert_eq!(refused(open.register("Ann@EXAMPLE.com")), Refusal::EmailTaken);
}

#[test]
fn weak_passwords_are_refused_with_the_reason() {
    let world = World::new();
    let new = authd::usecase::account::register::Registration {
        email: address(ANN),
        password: Password::new("fourteen chars").unwrap(),
        name: Name::default(),
    };
    let refusal = refused(authd::usecase::account::register::register(&world.app, &anonymous(), &new));
    assert!(matches!(&refusal, Refusal::WeakPassword { reason } if reason.contains("15")), "{refusal:?}");
    assert_eq!(world.events().len(), 2, "nothing was stored");
}

#[test]
fn a_verification_link_works_once_for_a_day_and_a_newer_one_voids_it() {
    let world = World::new();
    world.add_unverified(ANN);
    let first = world.token_in_mail(ANN);
    world.advance(Duration::from_secs(1));
    email::request_verification(&world.app, &anonymous(), &address(ANN)).unwrap();
    let second = world.token_in_mail(ANN);
    assert_ne!(first, second);
    assert_eq!(refused(email::confirm(&world.app, &anonymous(), &first, None)), Refusal::InvalidLink);
    world.advance(Duration::from_secs(24 * 3600));
    assert_eq!(refused(email::confirm(&world.app, &anonymous(), &second, None)), Refusal::InvalidLink);
    email::request_verification(&world.app, &anonymous(), &address(ANN)).unwrap();
    let third = world.token_in_mail(ANN);
    world.advance(Duration::from_millis(24 * 3600 * 1000 - 1));
    email::confirm(&world.app, &anonymous(), &third, None).unwrap();
    assert_eq!(refused(email::confirm(&world.app, &anonymous(), &third, None)), Refusal::InvalidLink);
}

#[test]
fn asking_for_a_link_says_nothing_and_sends_three_an_hour_at_most() {
    let world = World::new();
    email::request_verification(&world.app, &anonymous(), &address("nobody@example.com")).unwrap();
    assert!(world.mails("nobody@example.com").is_empty());
    world.register(ANN).unwrap();
    for _ in 0..5 {
        world.advance(Duration::from_secs(1));
        email::request_verification(&world.app, &anonymous(), &address(ANN)).unwrap();
        world.work_off();
    }
    assert_eq!(world.mails(ANN).len(), 3);
    let last = world.token_in_mail(ANN);
    email::confirm(&world.app, &anonymous(), &last, None).expect("a mail that was not sent voids nothing");
    world.advance(Duration::from_secs(3600));
    password::request_reset(&world.app, &anonymous(), &address(ANN)).unwrap();
    assert_eq!(world.mails(ANN).len(), 4);
}

#[test]
fn wrong_unknown_and_unverified_logins_are_refused_alike_and_recorded_apart() {
    let world = World::new();
    world.register(ANN).unwrap();
    world.add_user("bob@example.com", &[]);
    admin::disable(&world.app, &operator(), &user_ref("bob@example.com")).unwrap();
    for email in [ANN, "bob@example.com", "nobody@example.com"] {
        assert_eq!(refused(world.login_with(email, OTHER)), Refusal::InvalidCredentials, "{email}");
    }
    assert_eq!(refused(world.login("bob@example.com")), Refusal::AccountDisabled);
    let why: Vec<String> = world
        .audit()
        .into_iter()
        .filter(|line| line.event == "LoginFailed")
        .map(|line| {
            line.details
                .into_iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    assert_eq!(
        why,
        [
            "why=unknown_email email=ann@example.com",
            "why=wrong_password",
            "why=unknown_email email=nobody@example.com",
            "why=account_disabled"
        ]
    );
}

#[test]
fn a_refresh_token_is_used_once_and_reuse_ends_the_family() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let first = world.login(ANN).unwrap();
    let second = refresh(&world.app, &anonymous(), first.refresh_token.expose()).unwrap();
    assert_ne!(first.refresh_token, second.refresh_token);
    assert!(world.is_signed_in(&second));
    // Also after a restart.
    let restarted = world.another_app();
    assert_eq!(
        refused(refresh(&restarted, &anonymous(), first.refresh_token.expose())),
        Refusal::InvalidToken
    );
    assert_eq!(
        refused(refresh(&world.app, &anonymous(), second.refresh_token.expose())),
        Refusal::InvalidToken
    );
    assert!(!world.is_signed_in(&second), "access tokens end with the family");
    assert!(world.events().contains(&"RefreshTokenReused".to_owned()));
}

#[test]
fn within_the_grace_a_retry_gets_the_very_same_successor() {
    let world = World::with(&[("tokens.refresh_grace", "10s")]);
    world.add_user(ANN, &[]);
    let first = world.login(ANN).unwrap();
    let second = refresh(&world.app, &anonymous(), first.refresh_token.expose()).unwrap();
    world.advance(Duration::from_millis(9_999));
    let again = refresh(&world.app, &anonymous(), first.refresh_token.expose()).unwrap();
    assert_eq!(second.refresh_token, again.refresh_token);
    world.advance(Duration::from_millis(1));
    assert_eq!(
        refused(refresh(&world.app, &anonymous(), first.refresh_token.expose())),
        Refusal::InvalidToken
    );
    assert!(!world.is_signed_in(&second));
}

#[test]
fn somebody_who_knows_a_session_id_can_not_end_it() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let tokens = world.login(ANN).unwrap();
    let mut forged = tokens.refresh_token.expose().clone().into_bytes();
    let middle = forged.len() - 20;
    forged[middle] = if forged[middle] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    assert_eq!(refused(refresh(&world.app, &anonymous(), &forged)), Refusal::InvalidToken);
    assert!(world.is_signed_in(&tokens));
    assert!(refresh(&world.app, &anonymous(), tokens.refresh_token.expose()).is_ok());
}

#[test]
fn a_reset_ends_every_session_and_its_link_works_once_for_an_hour() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let tokens = world.login(ANN).unwrap();
    password::request_reset(&world.app, &anonymous(), &address(ANN)).unwrap();
    let late = world.token_in_mail(ANN);
    world.advance(Duration::from_secs(3600));
    let new = Password::new(OTHER).unwrap();
    assert_eq!(refused(password::reset(&world.app, &anonymous(), &late, &new)), Refusal::InvalidLink);
    password::request_reset(&world.app, &anonymous(), &address(ANN)).unwrap();
    let link = world.token_in_mail(ANN);
    let weak = Password::new("short").unwrap();
    assert!(matches!(
        refused(password::reset(&world.app, &anonymous(), &link, &weak)),
        Refusal::WeakPassword { .. }
    ));
    password::reset(&world.app, &anonymous(), &link, &new).expect("a weak try leaves the link good");
    assert_eq!(refused(password::reset(&world.app, &anonymous(), &link, &new)), Refusal::InvalidLink);
    assert!(!world.is_signed_in(&tokens));
    assert_eq!(
        refused(refresh(&world.app, &anonymous(), tokens.refresh_token.expose())),
        Refusal::InvalidToken
    );
    assert!(world.login_with(ANN, OTHER).is_ok());
}

#[test]
fn an_invited_person_sets_a_password_and_is_verified_by_it() {
    let world = World::new();
    let added = invite(&world);
    let link = world.token_in_mail(ANN);
    assert!(added.invitation.unwrap().expose().contains(&link), "the operator sees the same link");
    assert_eq!(refused(world.login(ANN)), Refusal::InvalidCredentials);
    world.advance(Duration::from_secs(6 * 24 * 3600));
    password::reset(&world.app, &anonymous(), &link, &Password::new(OTHER).unwrap()).unwrap();
    assert!(world.login_with(ANN, OTHER).is_ok());
}

#[test]
fn links_are_built_from_the_configuration_alone() {
    let world = World::with(&[("links.verify_email", "https://app.example.com/verify#{token}")]);
    world.register(ANN).unwrap();
    let id = world.mails(ANN)[0].id.to_string();
    let body = authd::usecase::mail::compose::show(&world.app, &operator(), &id).unwrap().body.unwrap();
    assert!(body.expose().contains("https://app.example.com/verify#authd_ev_"), "{}", body.expose());
}

#[test]
fn a_password_whose_cost_rose_is_hashed_anew_at_login() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let stored = || world.database().one::<String>("SELECT password_hash FROM users");
    let cheap = stored();
    world.login(ANN).unwrap();
    assert_eq!(stored(), cheap, "nothing is hashed anew without need");
    let costlier = world.another_app_with(&[("password.argon2_iterations", "2")]);
    let credentials = authd::usecase::signin::login::Credentials {
        email: address(ANN),
        password: Password::new(PASSWORD).unwrap(),
    };
    authd::usecase::signin::login::login(&costlier, &anonymous(), &credentials).unwrap();
    assert!(stored().contains("t=2"), "{}", stored());
    assert!(world.login(ANN).is_ok());
}

#[test]
fn what_an_operator_does_counts_on_the_next_request() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let tokens = world.login(ANN).unwrap();
    let elsewhere = world.another_app();
    assert!(world.is_signed_in(&tokens));
    admin::disable(&elsewhere, &operator(), &user_ref(ANN)).unwrap();
    assert!(!world.is_signed_in(&tokens));
    assert_eq!(
        refused(refresh(&world.app, &anonymous(), tokens.refresh_token.expose())),
        Refusal::InvalidToken
    );
    admin::enable(&elsewhere, &operator(), &user_ref(ANN)).unwrap();
    assert!(!world.is_signed_in(&tokens), "what has ended stays ended");
    let tokens = world.login(ANN).unwrap();
    admin::delete(&elsewhere, &operator(), &user_ref(ANN)).unwrap();
    assert!(!world.is_signed_in(&tokens));
    assert_eq!(refused(world.login(ANN)), Refusal::InvalidCredentials);
}

#[test]
fn permissions_are_judged_afresh_and_not_by_the_token() {
    let world = World::new();
    world.add_user("root@example.com", &["admin"]);
    world.add_user(ANN, &["admin"]);
    let tokens = world.login(ANN).unwrap();
    let caller = world.caller(&tokens);
    assert!(admin::find(&world.app, &caller, &user_ref("root@example.com")).is_ok());
    let admin = authd::domain::role::RoleName::admin();
    authd::usecase::account::roles::unassign(&world.another_app(), &operator(), &user_ref(ANN), &[admin])
        .unwrap();
    let caller = world.caller(&tokens);
    assert_eq!(
        refused(admin::find(&world.app, &caller, &user_ref("root@example.com"))),
        Refusal::Forbidden { permission: "users:read".into() }
    );
}

#[test]
fn the_last_admin_stays() {
    let world = World::new();
    world.add_user(ANN, &["admin"]);
    world.add_user("bob@example.com", &["admin"]);
    let (ann, bob) = (user_ref(ANN), user_ref("bob@example.com"));
    admin::disable(&world.app, &operator(), &bob).unwrap();
    let admin = authd::domain::role::RoleName::admin();
    assert_eq!(refused(admin::disable(&world.app, &operator(), &ann)), Refusal::LastAdmin);
    assert_eq!(refused(admin::delete(&world.app, &operator(), &ann)), Refusal::LastAdmin);
    let unassigned = authd::usecase::account::roles::unassign(&world.app, &operator(), &ann, &[admin]);
    assert_eq!(refused(unassigned), Refusal::LastAdmin);
    admin::enable(&world.app, &operator(), &bob).unwrap();
    admin::delete(&world.app, &operator(), &ann).unwrap();
    assert_eq!(refused(admin::delete(&world.app, &operator(), &bob)), Refusal::LastAdmin);
}

#[test]
fn a_token_of_another_server_is_nobody() {
    let (here, there) = (World::new(), World::with(&[("tokens.audience", "elsewhere")]));
    there.add_user(ANN, &[]);
    here.add_user(ANN, &[]);
    let foreign = there.login(ANN).unwrap();
    assert_eq!(
        refused(authenticate::bearer(&here.app, foreign.access_token.expose())),
        Refusal::InvalidToken
    );
    assert_eq!(
        refused(refresh(&here.app, &anonymous(), foreign.refresh_token.expose())),
        Refusal::InvalidToken
    );
}

#[test]
fn one_changes_ones_own_name() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let tokens = world.login(ANN).unwrap();
    let caller = world.caller(&tokens);
    let change = me::Change { name: Some(Name::parse("Ann").unwrap()) };
    assert_eq!(me::change(&world.app, &caller, &change).unwrap().name.as_str(), "Ann");
    assert_eq!(me::show(&world.caller(&tokens)).unwrap().name.as_str(), "Ann");
    me::change(&world.app, &caller, &change).unwrap();
    let lines = world.audit();
    let changes: Vec<_> = lines.iter().filter(|line| line.event == "ProfileChanged").collect();
    assert_eq!(changes.len(), 1, "what stays the same leaves no line");
    assert_eq!(changes[0].details, [("fields".to_owned(), "name".to_owned())]);
    assert_eq!(me::show(&anonymous()), Err(Refusal::Unauthenticated));
}

#[test]
fn what_an_operator_sets_voids_the_links_that_were_out() {
    let world = World::new();
    world.add_user(ANN, &[]);
    password::request_reset(&world.app, &anonymous(), &address(ANN)).unwrap();
    let link = world.token_in_mail(ANN);
    admin::set_password(
        &world.app,
        &operator(),
        &user_ref(ANN),
        &Password::new(PASSWORD).unwrap(),
        admin::Term::Lasting,
    )
    .unwrap();
    let new = Password::new(OTHER).unwrap();
    assert_eq!(refused(password::reset(&world.app, &anonymous(), &link, &new)), Refusal::InvalidLink);
    world.advance(Duration::from_secs(1));
    password::request_reset(&world.app, &anonymous(), &address(ANN)).unwrap();
    let link = world.token_in_mail(ANN);
    admin::disable(&world.app, &operator(), &user_ref(ANN)).unwrap();
    assert_eq!(refused(password::reset(&world.app, &anonymous(), &link, &new)), Refusal::InvalidLink);
    admin::enable(&world.app, &operator(), &user_ref(ANN)).unwrap();
    assert_eq!(refused(password::reset(&world.app, &anonymous(), &link, &new)), Refusal::InvalidLink);
}

#[test]
fn no_stranger_voids_an_invitation() {
    let world = World::new();
    invite(&world);
    let invitation = world.token_in_mail(ANN);
    world.advance(Duration::from_secs(1));
    world.register(ANN).unwrap();
    password::request_reset(&world.app, &anonymous(), &address(ANN)).unwrap();
    world.work_off();
    password::reset(&world.app, &anonymous(), &invitation, &Password::new(OTHER).unwrap()).unwrap();
    assert!(world.login_with(ANN, OTHER).is_ok());
}

#[test]
fn an_access_token_never_outlives_its_session() {
    let world = World::with(&[("tokens.refresh_ttl", "20m")]);
    world.add_user(ANN, &[]);
    let first = world.login(ANN).unwrap();
    assert_eq!((first.expires_in, first.refresh_expires_in), (900, 1200));
    world.advance(Duration::from_secs(600));
    let second = refresh(&world.app, &anonymous(), first.refresh_token.expose()).unwrap();
    assert_eq!((second.expires_in, second.refresh_expires_in), (600, 600));
}

#[test]
fn a_refresh_that_can_not_be_signed_is_not_spent() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let tokens = world.login(ANN).unwrap();
    let database = world.database();
    database.sql("UPDATE signing_keys SET retired_at = 1");
    let failed = refresh(&world.app, &anonymous(), tokens.refresh_token.expose());
    assert!(matches!(failed, Err(Error::Failed(_))), "{failed:?}");
    database.sql("UPDATE signing_keys SET retired_at = NULL");
    assert!(refresh(&world.app, &anonymous(), tokens.refresh_token.expose()).is_ok());
}

#[test]
fn whatever_cost_the_configuration_allows_can_be_verified() {
    for (key, value) in [("parallelism", "16"), ("iterations", "64")] {
        let key = format!("password.argon2_{key}");
        let world = World::with(&[("password.argon2_memory_kib", "128"), (&key, value)]);
        world.add_user(ANN, &[]);
        assert!(world.login(ANN).is_ok(), "{key} {value}");
    }
}

fn change_password(
    world: &World,
    tokens: &authd::usecase::signin::login::Tokens,
) -> authd::usecase::signin::login::Tokens {
    let change = password::Change {
        current: Password::new(PASSWORD).unwrap(),
        new: Password::new(OTHER).unwrap(),
        factor: None,
    };
    password::change(&world.app, &world.caller(tokens), &change).unwrap().tokens(&world.app).unwrap()
}

#[test]
fn no_token_from_before_a_change_of_password_counts() {
    let world = World::with(&[("tokens.refresh_grace", "10s")]);
    world.add_user(ANN, &[]);
    let first = world.login(ANN).unwrap();
    let elsewhere = world.login(ANN).unwrap();
    let second = refresh(&world.app, &anonymous(), first.refresh_token.expose()).unwrap();
    let new = change_password(&world, &second);
    assert_eq!(new.session, first.session, "it is the same session");
    assert!(world.is_signed_in(&new));
    for old in [&first, &second, &elsewhere] {
        assert!(!world.is_signed_in(old));
    }
    let newest = refresh(&world.app, &anonymous(), new.refresh_token.expose()).unwrap();
    assert!(world.is_signed_in(&newest) && world.is_signed_in(&new));
    // Within the grace, too: it is a used one, and ends the family.
    assert_eq!(
        refused(refresh(&world.app, &anonymous(), second.refresh_token.expose())),
        Refusal::InvalidToken
    );
    assert!(!world.is_signed_in(&newest));
}
