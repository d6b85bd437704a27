//! What a restored database must not bring back to life (S3 to S5), and a copy that is interrupted.

use crate::authenticator::Authenticator;
use crate::database::{TestDatabase, Value};
use crate::world::{PASSWORD, World, anonymous, operator, user_ref};
use authd::config::Config;
use authd::domain::api_key::ApiKeyName;
use authd::domain::email::Email;
use authd::domain::mail::MailState;
use authd::domain::password::Password;
use authd::domain::secret::Secret;
use authd::error::{Error, Fault, Refusal};
use authd::ports::progress::Progress;
use authd::usecase::account::{admin_two_factor, email, passkeys, password, two_factor};
use authd::usecase::app::{App, IfMissing};
use authd::usecase::keys::api_keys;
use authd::usecase::keys::api_keys::{ApiKeyRef, NewApiKey};
use authd::usecase::keys::signing_keys;
use authd::usecase::mail::compose;
use authd::usecase::operator::backup::backup;
use authd::usecase::operator::restore::{Restored, Source, Trust, Withheld, restore};
use authd::usecase::session::{authenticate, refresh};
use authd::usecase::signin::factor::Factor;
use authd::usecase::signin::login::{Credentials, LoggedIn, login};
use authd::usecase::signin::magic_link::{self, Mailed};
use authd::usecase::signin::second_factor;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

const ANN: &str = "ann@example.com";
const STEP: Duration = Duration::from_secs(30);

/// Another place for a database with the world's key.
fn elsewhere(world: &World) -> Config {
    let mut config = world.app.config.clone();
    config.database = world.elsewhere();
    config.database_is_default = false;
    config
}

pub fn back_up(world: &World) -> PathBuf {
    let file = world.folder.join("backup.db");
    backup(&world.app.config, &world.ports(), &operator(), &file, &Progress::default()).unwrap();
    file
}

fn proven(file: &std::path::Path) -> Source {
    Source { file: file.to_owned(), trust: Trust::Proven }
}

/// Restores the backup in another place, as the world's own database is open.
pub fn restored(world: &World, file: &std::path::Path) -> (App, Restored) {
    let config = elsewhere(world);
    let restored =
        restore(&config, &world.ports(), &operator(), &proven(file), &Progress::default()).unwrap();
    (App::open(config, world.ports(), IfMissing::Refuse).unwrap(), restored)
}

fn first_step(app: &App) -> LoggedIn {
    let credentials =
        Credentials { email: Email::parse(ANN).unwrap(), password: Password::new(PASSWORD).unwrap() };
    login(app, &anonymous(), &credentials).unwrap()
}

pub fn is_refused<T>(outcome: Result<T, Error>, why: &Refusal) -> bool {
    matches!(outcome, Err(Error::Refused(refusal)) if refusal == *why)
}

#[test]
fn no_token_no_link_and_no_mail_lives_again() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let tokens = world.login(ANN).unwrap();
    password::request_reset(&world.app, &anonymous(), &Email::parse(ANN).unwrap()).unwrap();
    let link = world.token_in_mail(ANN);
    world.register("new@example.com").unwrap();
    let confirmation = world.token_in_mail("new@example.com");
    // One more that nobody has worked off.
    password::request_reset(&world.app, &anonymous(), &Email::parse(ANN).unwrap()).unwrap();
    let (app, done) = restored(&world, &back_up(&world));
    assert_eq!((done.ended.sessions, done.ended.links, done.ended.mails), (1, 3, 2));
    let confirmed = email::confirm(&app, &anonymous(), &confirmation, None);
    assert!(is_refused(confirmed, &Refusal::InvalidLink), "nor does a registration wait on");
    assert_eq!(done.kept, None);
    assert!(is_refused(authenticate::bearer(&app, tokens.access_token.expose()), &Refusal::InvalidToken));
    let refreshed = refresh::refresh(&app, &anonymous(), tokens.refresh_token.expose());
    assert!(is_refused(refreshed, &Refusal::InvalidToken));
    let new = Password::new("another good long password").unwrap();
    assert!(is_refused(password::reset(&app, &anonymous(), &link, &new), &Refusal::InvalidLink));
    let failed = compose::page(&app, &operator(), Some(MailState::Failed), 200, None).unwrap().items;
    assert_eq!(failed.len(), 2, "whether it was sent, nobody knows");
    assert!(matches!(first_step(&app), LoggedIn::Started(_)), "a new login is what goes on");
    assert!(world.is_signed_in(&tokens), "the database that was backed up is as it was");
}

#[test]
fn a_code_that_was_used_after_the_backup_is_not_good_again() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let caller = world.caller(&world.login(ANN).unwrap());
    let setup = two_factor::setup(&world.app, &caller).unwrap();
    let phone = Authenticator::new(setup.secret.expose());
    let code = |steps: i64| Secret::new(phone.code_at(world.now().as_secs() + 30 * steps));
    two_factor::enable(&world.app, &caller, &code(0)).unwrap();
    world.advance(STEP);
    let LoggedIn::SecondStep(waiting, _) = first_step(&world.app) else { panic!("a second step is due") };
    let file = back_up(&world);
    // The newest code that could have been used up to now.
    second_factor::verify(&world.app, &anonymous(), waiting.expose(), &Factor::Code(code(1))).unwrap();
    let (app, done) = restored(&world, &file);
    assert_eq!(done.ended.tickets, 1);
    let again = second_factor::verify(&app, &anonymous(), waiting.expose(), &Factor::Code(code(1)));
    assert!(is_refused(again, &Refusal::InvalidCode), "the ticket is void");
    let try_code = |steps| {
        let LoggedIn::SecondStep(ticket, _) = first_step(&app) else { panic!("a second step is due") };
        second_factor::verify(&app, &anonymous(), ticket.expose(), &Factor::Code(code(steps)))
    };
    for steps in [-1, 0, 1] {
        assert!(is_refused(try_code(steps), &Refusal::InvalidCode), "{steps}");
    }
    world.advance(STEP * 2);
    assert!(try_code(0).is_ok());
}

#[test]
fn keys_and_codes_that_were_good_no_more_do_not_come_back() {
    let world = World::new();
    let user = world.add_user(ANN, &[]);
    let caller = world.caller(&world.login(ANN).unwrap());
    let setup = two_factor::setup(&world.app, &caller).unwrap();
    let phone = Authenticator::new(setup.secret.expose());
    let code = Secret::new(phone.code_at(world.now().as_secs()));
    let codes = two_factor::enable(&world.app, &caller, &code).unwrap().codes;
    for name in ["revoked", "kept"] {
        let new = NewApiKey { name: ApiKeyName::parse(name).unwrap(), permissions: Vec::new(), ttl: None };
        api_keys::add(&world.app, &operator(), &new).unwrap();
    }
    let file = back_up(&world);
    let old = signing_keys::page(&world.app, &operator(), 200, None).unwrap().items[0].kid.clone();
    let (app, done) = restored(&world, &file);
    assert_eq!(done.withheld, None, "there was nothing to compare with");
    let signing = |app: &App| {
        let keys = signing_keys::page(app, &operator(), 200, None).unwrap().items;
        keys.into_iter().map(|key| key.kid).collect::<Vec<_>>()
    };
    assert_eq!(signing(&app), [done.new_signing_key.unwrap()]);
    assert_ne!(signing(&app)[0], old, "nobody knows whether it leaked since");

    // In the restored database, all of them end, and then the backup comes once more.
    api_keys::revoke(&app, &operator(), &ApiKeyRef::Name(ApiKeyName::parse("revoked").unwrap())).unwrap();
    let LoggedIn::SecondStep(ticket, _) = first_step(&app) else { panic!("a second step is due") };
    second_factor::verify(&app, &anonymous(), ticket.expose(), &Factor::RecoveryCode(codes[0].clone()))
        .unwrap();
    signing_keys::rotate(&app, &operator()).unwrap();
    drop(app);
    world.advance(STEP);
    let (app, done) = restored(&world, &file);
    assert_eq!(
        done.withheld,
        Some(Withheld { api_keys: 1, recovery_codes: 1, signing_keys: 1, ..Withheld::default() })
    );
    let names: Vec<_> = api_keys::page(&app, &operator(), 200, None)
        .unwrap()
        .items
        .into_iter()
        .map(|key| key.name.to_string())
        .collect();
    assert_eq!(names, ["kept"]);
    assert_eq!(signing(&app), [done.new_signing_key.unwrap()]);
    assert_ne!(signing(&app), [old]);
    let step = |code: &Secret<String>| {
        let LoggedIn::SecondStep(ticket, _) = first_step(&app) else { panic!("a second step is due") };
        second_factor::verify(&app, &anonymous(), ticket.expose(), &Factor::RecoveryCode(code.clone()))
    };
    assert!(is_refused(step(&codes[0]), &Refusal::InvalidCode));
    assert_eq!(step(&codes[1]).unwrap().started().unwrap().user.id, user.id);
}

#[test]
fn a_passkey_that_was_deleted_does_not_come_back_and_the_others_count_on() {
    let world = World::new();
    world.add_user(ANN, &[]);
    world.add_user("bob@example.com", &[]);
    let kept = crate::passkey_rows::add(&world, ANN, "kept", 1);
    let lost = crate::passkey_rows::add(&world, ANN, "lost", 2);
    let only = crate::passkey_rows::add(&world, "bob@example.com", "only", 3);
    admin_two_factor::replace_recovery_codes(&world.app, &operator(), &user_ref("bob@example.com")).unwrap();
    let file = back_up(&world);
    let (app, done) = restored(&world, &file);
    assert_eq!(done.withheld, None, "there was nothing to compare with: all come back");
    assert_eq!(names_of(&app, ANN), ["kept", "lost"]);
    passkeys::delete(&app, &operator(), &user_ref(ANN), &lost).unwrap();
    passkeys::delete(&app, &operator(), &user_ref("bob@example.com"), &only).unwrap();
    let config = app.config.clone();
    drop(app);
    TestDatabase::of(&config).sql("UPDATE passkeys SET sign_count = 41");
    world.advance(STEP);
    let (app, done) = restored(&world, &file);
    let withheld = done.withheld.unwrap();
    assert_eq!((withheld.passkeys, withheld.recovery_codes), (2, 10));
    assert_eq!(withheld.accounts_without_factor, 1, "Bob has had one only");
    assert_eq!(names_of(&app, ANN), ["kept"]);
    assert_eq!(names_of(&app, "bob@example.com"), [""; 0]);
    let restored = TestDatabase::of(&config);
    assert_eq!(restored.one::<i64>("SELECT sign_count FROM passkeys"), 41, "a copy of {kept} would show");
    assert_eq!(restored.one::<i64>("SELECT count(*) FROM recovery_codes"), 0);
}

#[test]
fn codes_go_with_the_passkey_for_which_they_stood_and_no_count_goes_back() {
    let world = World::new();
    world.add_user(ANN, &[]);
    world.add_user("bob@example.com", &[]);
    crate::passkey_rows::add(&world, ANN, "old", 1);
    crate::passkey_rows::add(&world, "bob@example.com", "counts", 2);
    admin_two_factor::replace_recovery_codes(&world.app, &operator(), &user_ref(ANN)).unwrap();
    let run = |config: &Config, sql: &str, values: &[Value]| {
        assert_eq!(TestDatabase::of(config).change(sql, values), 1, "{sql}");
    };
    run(&world.app.config, "UPDATE passkeys SET sign_count = 41 WHERE name = 'counts'", &[]);
    let file = back_up(&world);
    let (app, _) = restored(&world, &file);
    let config = app.config.clone();
    drop(app);
    // Ann has another passkey since, for which the same codes stood. Bob's is that of an older backup.
    run(&config, "UPDATE passkeys SET id = ?1 WHERE name = 'old'", &[(&[0; 16]).into()]);
    run(&config, "UPDATE passkeys SET sign_count = 7 WHERE name = 'counts'", &[]);
    world.advance(STEP);
    let (app, done) = restored(&world, &file);
    let withheld = done.withheld.unwrap();
    assert_eq!((withheld.passkeys, withheld.recovery_codes), (1, 0));
    let factor = admin_two_factor::second_factor(&app, &operator(), &user_ref(ANN)).unwrap();
    assert_eq!((factor.user.passkeys, factor.recovery_codes_left), (0, 0));
    run(&config, "UPDATE passkeys SET sign_count = 0 WHERE sign_count = 41", &[]);
}

fn names_of(app: &App, email: &str) -> Vec<String> {
    let all = passkeys::page(app, &operator(), &user_ref(email), 200, None).unwrap().items;
    all.into_iter().map(|passkey| passkey.name.as_str().to_owned()).collect()
}

#[test]
fn a_browser_that_waited_for_its_mail_waits_no_more() {
    let world = World::with(&[("magic_link.enabled", "true")]);
    world.add_user(ANN, &[]);
    let request = magic_link::request(&world.app, &anonymous(), &Email::parse(ANN).unwrap()).unwrap();
    let mailed = Mailed::Token(Secret::new(world.token_in_mail(ANN)));
    let (app, _) = restored(&world, &back_up(&world));
    assert!(magic_link::is_waiting(&world.app, request.expose()).unwrap());
    assert!(!magic_link::is_waiting(&app, request.expose()).unwrap());
    let confirmed = magic_link::confirm(&app, &anonymous(), request.expose(), &mailed);
    assert!(is_refused(confirmed, &Refusal::InvalidLink));
}

#[test]
fn what_is_interrupted_on_a_file_leaves_nothing() {
    let world = World::new();
    let file = back_up(&world);
    let names = || {
        let mut names: Vec<_> =
            fs::read_dir(&world.folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    fs::create_dir(world.folder.join("elsewhere")).unwrap();
    fs::set_permissions(world.folder.join("elsewhere"), std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .unwrap();
    let before = names();
    let stopped = Progress::default();
    stopped.stop().store(true, std::sync::atomic::Ordering::Relaxed);
    let config = &world.app.config;
    let copied = backup(config, &world.ports(), &operator(), &world.folder.join("second.db"), &stopped);
    assert!(matches!(&copied, Err(Error::Failed(Fault::Stopped(why))) if why == "nothing was changed"));
    assert_eq!(names(), before);
    let put = restore(&elsewhere(&world), &world.ports(), &operator(), &proven(&file), &stopped);
    assert!(matches!(put, Err(Error::Failed(Fault::Stopped(_)))), "{put:?}");
    assert!(!world.folder.join("elsewhere/authd.db").exists());
}
