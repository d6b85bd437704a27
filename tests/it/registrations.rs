//! Registrations that wait for their link: they tell nobody whose address has an account, and no order of
//! registrations and mails lets a stranger's password in.

use crate::daemon::{Answer, Daemon, JSON};
use crate::world::{PASSWORD, anonymous, operator, user_ref};
use authd::error::{Error, Refusal};
use authd::ports::progress::Progress;
use authd::usecase::account::{admin, email};
use authd::usecase::operator::prune;
use serde_json::{Value, json};
use std::time::Duration;

const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";
const HERS: &str = "the words that ann has chosen";
const EVIL: &str = "the words that eve has chosen";
const HOUR: Duration = Duration::from_secs(3600);

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.problem())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

impl Daemon {
    /// Registers, a millisecond after whoever did so before.
    fn sign_up(&self, email: &str, password: &str) -> (u16, String) {
        self.world.advance(Duration::from_millis(1));
        let body = json!({"email": email, "password": password, "name": "Ann"}).to_string();
        let answer = self.post("/api/auth/register", &body);
        (answer.status, answer.body)
    }

    /// The link in the mail that a registration has caused.
    fn link_of(&self, email: &str, password: &str) -> String {
        self.sign_up(email, password);
        self.world.token_in_mail(email)
    }

    fn log_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password}).to_string();
        self.send("POST", "/api/auth/login", &[JSON, ("x-request-id", "same")], body.as_bytes())
    }

    fn open(&self, link: &str, password: Option<&str>) -> Answer {
        let mut body = json!({"token": link});
        if let Some(password) = password {
            body["password"] = password.into();
        }
        self.post("/api/auth/email/verify/confirm", &body.to_string())
    }

    fn has_account(&self, email: &str) -> bool {
        admin::find(&self.world.app, &operator(), &user_ref(email)).is_ok()
    }
}

/// What an answer shows, but for the time it was given.
fn shown(answer: Answer) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.headers.into_iter().filter(|(name, _)| name != "date").collect();
    (answer.status, headers, answer.body)
}

#[test]
fn neither_registering_nor_logging_in_afterwards_tells_whose_address_has_an_account() {
    let story = |prepare: fn(&Daemon)| {
        let daemon = Daemon::new();
        prepare(&daemon);
        let mut told = Vec::new();
        // Beyond the mails of an hour, and beyond what is kept of one address.
        for number in 0..5 {
            let password = format!("{EVIL} {number}");
            told.push(format!("{:?}", daemon.sign_up(ANN, &password)));
            told.push(format!("{:?}", shown(daemon.log_in(ANN, &password))));
        }
        for number in 0..5 {
            told.push(format!("{:?}", shown(daemon.log_in(ANN, &format!("{EVIL} {number}")))));
        }
        daemon.world.advance(HOUR);
        let ask = json!({"email": ANN}).to_string();
        told.push(format!("{:?}", daemon.post("/api/auth/email/verify/request", &ask).status));
        daemon.world.work_off();
        told.push(format!("{:?}", shown(daemon.log_in(ANN, &format!("{EVIL} 4")))));
        daemon.world.advance(23 * HOUR);
        told.push(format!("{:?}", shown(daemon.log_in(ANN, &format!("{EVIL} 4")))));
        told
    };
    let free = story(|_| ());
    assert!(free[1].starts_with("(403, ") && free[1].contains("email_not_verified"), "{}", free[1]);
    assert!(free.iter().any(|told| told.starts_with("(429, ")), "it counts as any other try: {free:#?}");
    assert!(free.last().unwrap().starts_with("(401, "), "it waits for a day: {}", free.last().unwrap());
    let taken = story(|daemon| drop(daemon.world.add_user(ANN, &[])));
    assert_eq!(free, taken);
    let without_mails = story(|daemon| {
        daemon.world.add_user(ANN, &[]);
        for _ in 0..3 {
            daemon.post("/api/auth/password/reset/request", &json!({"email": ANN}).to_string());
            daemon.world.work_off();
        }
        assert_eq!(daemon.world.mails(ANN).len(), 3);
    });
    assert_eq!(free, without_mails);
}

#[test]
fn the_account_is_made_when_the_link_is_opened_and_with_what_was_registered() {
    let daemon = Daemon::new();
    daemon.sign_up("Ann@Example.com", HERS);
    let link = daemon.world.token_in_mail("Ann@example.com");
    assert!(!daemon.has_account(ANN), "nobody has shown that the address is theirs");
    assert_eq!(code(&daemon.log_in(ANN, EVIL)), refused(401, "invalid_credentials"));
    assert_eq!(code(&daemon.log_in(ANN, HERS)), refused(403, "email_not_verified"));
    let made = daemon.open(&link, None);
    assert_eq!(made.status, 200, "{made:?}");
    let user = made.json();
    assert_eq!((&user["email"], &user["name"]), (&json!("Ann@example.com"), &json!("Ann")));
    assert_eq!(user["email_verified"], true);
    assert_eq!(code(&daemon.open(&link, None)), refused(400, "invalid_token"));
    assert_eq!(daemon.log_in(ANN, HERS).status, 200);
    let lines = daemon.world.audit();
    let of = |event: &str| lines.iter().find(|line| line.event == event).unwrap();
    assert_eq!(of("RegistrationRequested").details, of("UserRegistered").details);
    assert_eq!(of("UserRegistered").user.as_deref(), user["id"].as_str());
    admin::delete(&daemon.world.app, &operator(), &user_ref(ANN)).unwrap();
    assert!(daemon.world.mails("Ann@example.com").is_empty(), "the mails go with the account");
}

#[test]
fn a_taken_address_is_told_by_a_mail_without_a_link() {
    let daemon = Daemon::new();
    daemon.world.add_user(ANN, &[]);
    daemon.sign_up("ANN@example.com", EVIL);
    let mails = daemon.world.mails(ANN);
    assert_eq!((mails.len(), mails[0].kind.as_str()), (1, "already_registered"));
    let opened =
        authd::usecase::mail::compose::show(&daemon.world.app, &operator(), &mails[0].id.to_string());
    let body = opened.unwrap().body.unwrap();
    assert!(!body.expose().contains("authd_") && body.expose().contains("127.0.0.1"), "{}", body.expose());
    assert_eq!(daemon.world.login(ANN).unwrap().user.email.as_str(), ANN);
    assert_eq!(daemon.log_in(ANN, EVIL).status, 403);
}

/// Ann and Eve register in some order; whichever mail Ann opens, Eve's password doesn't come in by it.
#[test]
fn no_order_of_registrations_and_mails_lets_a_strangers_password_in() {
    let orders: [&[&str]; 6] = [
        &[EVIL, HERS],
        &[HERS, EVIL],
        &[EVIL, HERS, EVIL],
        &[HERS, EVIL, HERS],
        // Hers is pushed out, and all that wait have one password.
        &[HERS, EVIL, EVIL, EVIL],
        &[HERS, EVIL, EVIL, EVIL, EVIL, EVIL],
    ];
    for order in orders {
        for opened in 0..order.len() {
            let daemon = Daemon::with(&[("mail.max_per_address_per_hour", "9")]);
            let links: Vec<_> = order.iter().map(|password| daemon.link_of(ANN, password)).collect();
            let context = format!("{order:?}, the link of {opened}");
            let waits = order.len() - opened <= 3;
            let bare = code(&daemon.open(&links[opened], None));
            let wanted =
                if waits { refused(422, "password_required") } else { refused(400, "invalid_token") };
            assert_eq!(bare, wanted, "{context}");
            let answer = daemon.open(&links[opened], Some(HERS));
            // The link shows the mailbox, the password which of those that wait is hers.
            let hers_waits = order[order.len().saturating_sub(3)..].contains(&HERS);
            match (waits, hers_waits) {
                (true, true) => assert_eq!(answer.status, 200, "{context}"),
                (true, false) => assert_eq!(code(&answer), refused(401, "invalid_credentials"), "{context}"),
                (false, _) => assert_eq!(code(&answer), refused(400, "invalid_token"), "{context}"),
            }
            assert_ne!(daemon.log_in(ANN, EVIL).status, 200, "{context}");
            // Once more is always a way: nobody has to wait for the others to end.
            if !daemon.has_account(ANN) {
                let again = daemon.link_of(ANN, HERS);
                assert_eq!(daemon.open(&again, Some(HERS)).status, 200, "{context}");
            }
            assert_eq!(daemon.log_in(ANN, HERS).status, 200, "{context}");
            assert_eq!(
                code(&daemon.log_in(ANN, EVIL)),
                refused(403, "email_not_verified"),
                "as for any account"
            );
            assert_eq!(code(&daemon.open(links.last().unwrap(), Some(EVIL))), refused(400, "invalid_token"));
        }
    }
}

#[test]
fn who_waits_until_the_others_have_ended_hides_nothing_by_it() {
    let daemon = Daemon::new();
    daemon.sign_up(ANN, HERS);
    daemon.world.advance(25 * HOUR);
    prune::prune(&daemon.world.app, &operator(), &Progress::default()).unwrap();
    let evil = daemon.link_of(ANN, EVIL);
    assert_eq!(code(&daemon.open(&evil, None)), refused(422, "password_required"));
    daemon.world.advance(8 * 24 * HOUR);
    prune::prune(&daemon.world.app, &operator(), &Progress::default()).unwrap();
    assert_eq!(daemon.open(&daemon.link_of(ANN, HERS), None).status, 200, "and nothing is kept for ever");
}

#[test]
fn strangers_failures_do_not_keep_who_has_the_link_from_using_it() {
    let daemon = Daemon::with(&[("proxy.trusted", "127.0.0.1/32"), ("lockout.account_failures", "3")]);
    let link = daemon.link_of(ANN, HERS);
    daemon.sign_up(ANN, EVIL);
    let body = json!({"email": ANN, "password": "guess after guess after guess"}).to_string();
    for ip in ["198.51.100.1", "203.0.113.1", "192.0.2.1"] {
        daemon.send("POST", "/api/auth/login", &[JSON, ("x-forwarded-for", ip)], body.as_bytes());
    }
    assert_eq!(code(&daemon.log_in(ANN, HERS)), refused(429, "too_many_attempts"));
    assert_eq!(daemon.open(&link, Some(HERS)).status, 200);
}

#[test]
fn a_link_makes_no_account_once_registration_is_closed() {
    let daemon = Daemon::new();
    let link = daemon.link_of(ANN, HERS);
    let closed = daemon.world.another_app_with(&[("registration", "closed")]);
    let refused = email::confirm(&closed, &anonymous(), &link, None).unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::RegistrationClosed)), "{refused:?}");
    assert!(!daemon.has_account(ANN));
}

#[test]
fn one_password_twice_is_nobody_else() {
    let daemon = Daemon::new();
    let first = daemon.link_of(ANN, HERS);
    let second = daemon.link_of(ANN, HERS);
    assert_ne!(first, second);
    assert_eq!(daemon.open(&first, None).status, 200);
    assert_eq!(code(&daemon.open(&second, None)), refused(400, "invalid_token"), "the others are void");
}

#[test]
fn a_wrong_password_beside_a_link_is_a_guess() {
    let daemon = Daemon::new();
    daemon.sign_up(ANN, HERS);
    let link = daemon.link_of(ANN, EVIL);
    for _ in 0..5 {
        assert_eq!(code(&daemon.open(&link, Some(PASSWORD))), refused(401, "invalid_credentials"));
    }
    assert_eq!(code(&daemon.open(&link, Some(EVIL))), refused(429, "too_many_attempts"));
    assert_eq!(code(&daemon.log_in(ANN, HERS)), refused(429, "too_many_attempts"));
    daemon.world.advance(Duration::from_secs(60));
    assert_eq!(daemon.open(&link, Some(EVIL)).status, 200);
    // Shown where none is wanted, it is looked at all the same.
    let link = daemon.link_of(BOB, HERS);
    assert_eq!(code(&daemon.open(&link, Some(EVIL))), refused(401, "invalid_credentials"));
    assert_eq!(daemon.open(&link, Some(HERS)).status, 200);
}

#[test]
fn an_address_that_came_to_be_anothers_is_not_taken() {
    let daemon = Daemon::new();
    let link = daemon.link_of(ANN, EVIL);
    daemon.world.add_user(ANN, &[]);
    assert_eq!(code(&daemon.open(&link, None)), refused(409, "email_taken"));
    assert!(daemon.world.login(ANN).is_ok());
}

#[test]
fn a_new_link_replaces_the_one_before_and_makes_nothing_wait_longer() {
    let daemon = Daemon::new();
    let first = daemon.link_of(ANN, HERS);
    let ask = || {
        daemon.post("/api/auth/email/verify/request", &json!({"email": ANN}).to_string());
        daemon.world.token_in_mail(ANN)
    };
    daemon.world.advance(2 * HOUR);
    let second = ask();
    assert_eq!(code(&daemon.open(&first, None)), refused(400, "invalid_token"));
    let id = daemon.world.mails(ANN)[0].id.to_string();
    let mail = authd::usecase::mail::compose::show(&daemon.world.app, &operator(), &id).unwrap();
    let body = mail.body.unwrap();
    assert!(body.expose().contains("within 22 hours"), "{}", body.expose());
    assert!(
        body.expose().contains("From: 127.0.0.1"),
        "who has registered, for pages of others: {}",
        body.expose()
    );
    daemon.world.advance(22 * HOUR);
    assert_eq!(code(&daemon.open(&second, None)), refused(400, "invalid_token"));
    assert_eq!(ask(), second, "nothing waits, and nothing is sent");
    daemon.world.advance(7 * 24 * HOUR);
    let pruned = prune::prune(&daemon.world.app, &operator(), &Progress::default()).unwrap();
    assert!(pruned.contains(&("registrations", 1)), "{pruned:?}");
}

/// An administrator's way to them.
struct Admin {
    daemon: Daemon,
    token: String,
}

impl Admin {
    fn new() -> Self {
        let daemon = Daemon::new();
        let token = daemon.token_of("root@example.com", &["admin"]);
        Self { daemon, token }
    }

    fn send(&self, method: &str, id: &str) -> Answer {
        let path = format!("/api/auth/admin/registrations{id}");
        self.daemon.send_as(&self.token, method, &path, "")
    }

    fn list(&self) -> Vec<Value> {
        self.send("GET", "").json()["items"].as_array().unwrap().clone()
    }
}

#[test]
fn administrators_see_and_settle_what_waits() {
    let admin = Admin::new();
    let link = admin.daemon.link_of(ANN, HERS);
    admin.daemon.sign_up(ANN, EVIL);
    admin.daemon.sign_up(BOB, HERS);
    let waiting = admin.list();
    let of = |name: &str| waiting.iter().map(|one| one[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("email"), [json!(ANN), json!(ANN), json!(BOB)]);
    assert_eq!(of("password_required"), [json!(true), json!(true), json!(false)]);
    assert_eq!(of("ip"), vec![json!("127.0.0.1"); 3]);
    assert!(!waiting[0].to_string().contains("argon2"), "{waiting:?}");
    let path = |at: usize| format!("/{}", waiting[at]["id"].as_str().unwrap());
    let made = admin.send("POST", &path(0));
    assert_eq!((made.status, &made.json()["email_verified"]), (201, &json!(true)), "{made:?}");
    assert_eq!(admin.daemon.log_in(ANN, HERS).status, 200);
    assert_eq!(code(&admin.daemon.open(&link, None)), refused(400, "invalid_token"));
    assert_eq!(code(&admin.send("POST", &path(1))), refused(409, "email_taken"), "the others are void");
    assert_eq!(admin.send("DELETE", &path(1)).status, 204);
    assert_eq!(admin.send("DELETE", &path(2)).status, 204);
    assert_eq!(code(&admin.send("DELETE", &path(2))), refused(404, "not_found"));
    assert_eq!(code(&admin.send("DELETE", "/ann@example.com")), refused(404, "not_found"));
    assert_eq!(admin.list(), Vec::<Value>::new());
    assert_eq!(code(&admin.daemon.log_in(BOB, HERS)), refused(401, "invalid_credentials"));
    let events = admin.daemon.world.events();
    assert!(events.contains(&"RegistrationDeleted".to_owned()), "{events:?}");
}

#[test]
fn a_registration_for_a_taken_address_can_not_be_confirmed() {
    let admin = Admin::new();
    admin.daemon.sign_up("root@example.com", EVIL);
    let id = format!("/{}", admin.list()[0]["id"].as_str().unwrap());
    assert_eq!(code(&admin.send("POST", &id)), refused(409, "email_taken"));
    assert!(admin.daemon.world.login_with("root@example.com", PASSWORD).is_ok());
}
