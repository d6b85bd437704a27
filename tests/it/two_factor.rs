//! The second factor over HTTP: setting it up, logging in with it, losing it (S3, S5, S10 to S13).

use crate::authenticator::Authenticator;
use crate::daemon::{Answer, Daemon};
use crate::world::{PASSWORD, operator, user_ref};
use serde_json::{Value, json};
use std::time::Duration;

const ANN: &str = "ann@example.com";
const STEP: Duration = Duration::from_secs(30);

/// Somebody with a second factor.
struct Ann {
    daemon: Daemon,
    app: Authenticator,
    recovery_codes: Vec<String>,
    /// Of the session that turned the factor on.
    token: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.problem())
}

fn invalid_code() -> (u16, String) {
    (401, "invalid_code".into())
}

impl Ann {
    /// Turns the factor on, and waits for the next code.
    fn new() -> Self {
        let daemon = Daemon::new();
        daemon.world.add_user(ANN, &[]);
        let token = text(&daemon.login(ANN)["access_token"]);
        let setup = daemon.send_as(&token, "POST", "/api/auth/2fa/setup", "");
        assert_eq!(setup.status, 200, "{setup:?}");
        let app = Authenticator::new(&text(&setup.json()["secret"]));
        let mut ann = Self { daemon, app, recovery_codes: Vec::new(), token };
        let enabled = ann.send("/api/auth/2fa/enable", &json!({"code": ann.code()}));
        assert_eq!(enabled.status, 200, "{enabled:?}");
        ann.recovery_codes = enabled.json()["recovery_codes"].as_array().unwrap().iter().map(text).collect();
        ann.daemon.world.advance(STEP);
        ann
    }

    fn code(&self) -> String {
        self.code_in(0)
    }

    /// The code of so many steps from now.
    fn code_in(&self, steps: i64) -> String {
        self.app.code_at(self.daemon.world.now().as_secs() + 30 * steps)
    }

    /// Six digits that are no code of these minutes.
    fn wrong_code(&self) -> String {
        let near: Vec<_> = (-3..=3).map(|steps| self.code_in(steps)).collect();
        (0..9).map(|digits| format!("{digits:06}")).find(|code| !near.contains(code)).unwrap()
    }

    fn send(&self, path: &str, body: &Value) -> Answer {
        self.daemon.send_as(&self.token, "POST", path, &body.to_string())
    }

    fn status(&self) -> Value {
        self.daemon.send_as(&self.token, "GET", "/api/auth/2fa", "").json()
    }

    fn ticket(&self) -> String {
        text(&self.daemon.login(ANN)["ticket"])
    }

    fn verify(&self, ticket: &str, code: &str) -> Answer {
        let body = json!({"ticket": ticket, "code": code}).to_string();
        self.daemon.post("/api/auth/2fa/verify", &body)
    }

    fn recover(&self, ticket: &str, code: &str) -> Answer {
        let body = json!({"ticket": ticket, "recovery_code": code}).to_string();
        self.daemon.post("/api/auth/2fa/verify", &body)
    }
}

#[test]
fn a_factor_is_set_up_turned_on_and_asked_for() {
    let daemon = Daemon::new();
    daemon.world.add_user(ANN, &[]);
    let (old, login) = (daemon.login(ANN), daemon.login(ANN));
    let ask = |method, path, body: &str| daemon.send_as(&text(&login["access_token"]), method, path, body);
    let off =
        json!({"totp": {"enabled": false, "enabled_at": null}, "passkeys": 0, "recovery_codes_left": 0});
    assert_eq!(ask("GET", "/api/auth/2fa", "").json(), off);

    let first = ask("POST", "/api/auth/2fa/setup", "").json();
    let setup = ask("POST", "/api/auth/2fa/setup", "").json();
    assert_ne!(first["secret"], setup["secret"], "whoever begins again gets a new secret");
    let uri = text(&setup["otpauth_uri"]);
    assert!(uri.starts_with("otpauth://totp/authd:ann") && uri.contains(&text(&setup["secret"])), "{uri}");
    assert!(text(&setup["qr_svg"]).contains("<svg"));
    assert_eq!(ask("GET", "/api/auth/2fa", "").json(), off, "nothing is on yet");
    assert!(daemon.login(ANN).get("access_token").is_some());

    let now = daemon.world.now().as_secs();
    let stale = Authenticator::new(&text(&first["secret"])).code_at(now);
    let app = Authenticator::new(&text(&setup["secret"]));
    assert_eq!(
        code(&ask("POST", "/api/auth/2fa/enable", &json!({"code": stale}).to_string())),
        invalid_code()
    );
    let enabled = ask("POST", "/api/auth/2fa/enable", &json!({"code": app.code_at(now)}).to_string());
    assert_eq!(enabled.json()["recovery_codes"].as_array().unwrap().len(), 10);
    let totp = json!({"enabled": true, "enabled_at": "2026-11-22T08:00:00Z"});
    let on = json!({"totp": totp, "passkeys": 0, "recovery_codes_left": 10});
    assert_eq!(ask("GET", "/api/auth/2fa", "").json(), on);
    assert_eq!(ask("GET", "/api/auth/me", "").json()["two_factor"], true);
    assert_eq!(daemon.send_as(&text(&old["access_token"]), "GET", "/api/auth/me", "").status, 401);
    for (path, body) in [("/api/auth/2fa/setup", ""), ("/api/auth/2fa/enable", r#"{"code":"287082"}"#)] {
        assert_eq!(code(&ask("POST", path, body)), (409, "already_enabled".into()));
    }

    let due = daemon.login(ANN);
    let members: Vec<_> = due.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        ["two_factor_required", "ticket", "expires_in", "methods"],
        "a ticket and nothing else"
    );
    assert_eq!(due["expires_in"], 300);
}

#[test]
fn each_step_counts_once_and_only_forward() {
    let ann = Ann::new();
    let setups = ann.code_in(-1);
    assert_eq!(code(&ann.verify(&ann.ticket(), &setups)), invalid_code(), "the setup's own step is spent");
    let tokens = ann.verify(&ann.ticket(), &ann.code());
    assert_eq!((tokens.status, &tokens.json()["user"]["two_factor"]), (200, &json!(true)));
    assert_eq!(code(&ann.verify(&ann.ticket(), &ann.code())), invalid_code(), "a replay");
    assert_eq!(ann.verify(&ann.ticket(), &ann.code_in(1)).status, 200, "a phone that is 30 s ahead");
    ann.daemon.world.advance(STEP);
    assert_eq!(code(&ann.verify(&ann.ticket(), &ann.code())), invalid_code(), "what was used early is used");
    assert_eq!(code(&ann.verify(&ann.ticket(), &ann.code_in(-1))), invalid_code(), "an older step");
    ann.daemon.world.advance(STEP * 4);
    for steps in [-2, 2] {
        assert_eq!(code(&ann.verify(&ann.ticket(), &ann.code_in(steps))), invalid_code(), "{steps}");
    }
    assert_eq!(ann.verify(&ann.ticket(), &ann.code_in(-1)).status, 200, "a phone that is 30 s behind");
    // And no step lives again when the clock is set back.
    ann.daemon.world.clock.set(ann.daemon.world.now().minus(STEP * 4));
    for steps in -1..=1 {
        assert_eq!(code(&ann.verify(&ann.ticket(), &ann.code_in(steps))), invalid_code());
    }
}

#[test]
fn a_recovery_code_works_once_and_new_ones_void_the_old() {
    let ann = Ann::new();
    let codes = &ann.recovery_codes;
    assert_eq!(ann.recover(&ann.ticket(), &codes[0]).status, 200);
    assert_eq!(ann.daemon.world.mails(ANN)[0].kind, "recovery_code_used");
    assert_eq!(ann.status()["recovery_codes_left"], 9);
    assert_eq!(code(&ann.recover(&ann.ticket(), &codes[0])), invalid_code());
    assert_eq!(ann.recover(&ann.ticket(), &codes[1].to_uppercase().replace('-', " ")).status, 200);
    assert_eq!(code(&ann.verify(&ann.ticket(), &codes[2])), invalid_code(), "it is no code of the app");

    let wrong = ann.send("/api/auth/2fa/recovery-codes", &json!({"code": ann.wrong_code()}));
    assert_eq!(code(&wrong), invalid_code());
    let new = ann.send("/api/auth/2fa/recovery-codes", &json!({"code": ann.code()})).json();
    assert_eq!(ann.status()["recovery_codes_left"], 10);
    assert_eq!(code(&ann.recover(&ann.ticket(), &codes[3])), invalid_code());
    assert_eq!(ann.recover(&ann.ticket(), new["recovery_codes"][0].as_str().unwrap()).status, 200);
}

#[test]
fn a_recovery_code_of_sixteen_letters_from_before_is_good_still() {
    let ann = Ann::new();
    assert!(ann.recovery_codes.iter().all(|code| code.len() == 29), "24 letters now, in six groups");
    let hash = authd::crypto::opaque::sha256("ihnv6ur4drtxxtke");
    let one = "(SELECT code_hash FROM recovery_codes ORDER BY code_hash LIMIT 1)";
    let sql = format!("UPDATE recovery_codes SET code_hash = ?1 WHERE code_hash = {one}");
    assert_eq!(ann.daemon.world.database().change(&sql, &[hash.as_slice().into()]), 1);
    assert_eq!(ann.recover(&ann.ticket(), "ihnv-6ur4-drtx-xtke").status, 200);
    assert_eq!(code(&ann.recover(&ann.ticket(), "ihnv-6ur4-drtx-xtke")), invalid_code());
}

#[test]
fn turning_it_on_makes_no_token_from_before_the_last_refresh_fresh() {
    let daemon = Daemon::new();
    daemon.world.add_user(ANN, &[]);
    let first = daemon.login(ANN);
    let body = json!({"refresh_token": first["refresh_token"]}).to_string();
    let second = daemon.post("/api/auth/refresh", &body).json();
    let (old, new) = (text(&first["access_token"]), text(&second["access_token"]));
    let me = |token: &str| daemon.send_as(token, "GET", "/api/auth/me", "").status;
    assert_eq!((me(&old), me(&new)), (200, 200));
    let setup = daemon.send_as(&new, "POST", "/api/auth/2fa/setup", "").json();
    let app = Authenticator::new(&text(&setup["secret"]));
    let shown = json!({"code": app.code_at(daemon.world.now().as_secs())}).to_string();
    assert_eq!(daemon.send_as(&new, "POST", "/api/auth/2fa/enable", &shown).status, 200);
    assert_eq!((me(&old), me(&new)), (401, 200), "whoever copied the old one holds nothing");
    let body = json!({"refresh_token": second["refresh_token"]}).to_string();
    assert_eq!(daemon.post("/api/auth/refresh", &body).status, 200, "the session goes on");
}

#[test]
fn a_factor_needs_an_address_that_was_shown_to_be_theirs() {
    let daemon = Daemon::with(&[("email_verification.required", "false")]);
    daemon.world.register(ANN).unwrap();
    let token = text(&daemon.login(ANN)["access_token"]);
    let setup = || daemon.send_as(&token, "POST", "/api/auth/2fa/setup", "");
    assert_eq!(code(&setup()), (403, "email_not_verified".into()));
    // A secret that an operator hands out is turned on by the owner alone, and not before either.
    let enrolled =
        authd::usecase::account::admin_two_factor::enrol(&daemon.world.app, &operator(), &user_ref(ANN));
    let app = Authenticator::new(enrolled.unwrap().setup.secret.expose());
    let shown = json!({"code": app.code_at(daemon.world.now().as_secs())}).to_string();
    let enable = || daemon.send_as(&token, "POST", "/api/auth/2fa/enable", &shown);
    assert_eq!(code(&enable()), (403, "email_not_verified".into()));

    daemon.post("/api/auth/email/verify/request", &json!({"email": ANN}).to_string());
    let link = json!({"token": daemon.world.token_in_mail(ANN)}).to_string();
    assert_eq!(daemon.post("/api/auth/email/verify/confirm", &link).status, 200);
    assert_eq!((enable().status, code(&setup())), (200, (409, "already_enabled".into())));
}

#[test]
fn a_ticket_is_spent_once_dies_in_five_minutes_and_is_burnt_by_five_failures() {
    let ann = Ann::new();
    let ticket = ann.ticket();
    assert_eq!(ann.verify(&ticket, &ann.code()).status, 200);
    ann.daemon.world.advance(STEP);
    assert_eq!(code(&ann.verify(&ticket, &ann.code())), invalid_code(), "it is spent");

    let (late, in_time) = (ann.ticket(), ann.ticket());
    ann.daemon.world.advance(Duration::from_millis(299_999));
    assert_eq!(ann.verify(&in_time, &ann.code()).status, 200);
    ann.daemon.world.advance(Duration::from_millis(1));
    assert_eq!(code(&ann.recover(&late, &ann.recovery_codes[0])), invalid_code(), "five minutes have passed");
    assert_eq!(ann.status_of_fresh_login()["recovery_codes_left"], 10, "and the code was not spent");

    ann.daemon.world.advance(STEP);
    let ticket = ann.ticket();
    for _ in 0..4 {
        assert_eq!(code(&ann.verify(&ticket, &ann.wrong_code())), invalid_code());
    }
    assert_eq!(code(&ann.recover(&ticket, "aaaa-aaaa-aaaa-aaaa")), invalid_code(), "the fifth");
    assert_eq!(code(&ann.verify(&ticket, &ann.code())), invalid_code(), "it is burnt");
    assert_eq!(ann.verify(&ann.ticket(), &ann.code()).status, 200, "a new login has a new one");
    for odd in ["", "authd_2fa_", "authd_pr_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY"] {
        assert_eq!(code(&ann.verify(odd, "000000")), invalid_code());
    }
}

impl Ann {
    fn status_of_fresh_login(&self) -> Value {
        self.daemon.world.advance(STEP);
        let tokens = self.verify(&self.ticket(), &self.code()).json();
        self.daemon.send_as(&text(&tokens["access_token"]), "GET", "/api/auth/2fa", "").json()
    }
}

#[test]
fn a_hundred_failures_in_a_row_close_the_factor_until_an_operator_resets_it() {
    let ann = Ann::new();
    let fail = |times: u32| {
        let mut ticket = ann.ticket();
        for at in 0..times {
            if at % 5 == 0 {
                ticket = ann.ticket();
            }
            assert_eq!(code(&ann.verify(&ticket, &ann.wrong_code())), invalid_code());
        }
    };
    for proof in ["a code", "a recovery code", "a code"] {
        fail(99);
        ann.daemon.world.advance(STEP);
        let answer = match proof {
            "a code" => ann.verify(&ann.ticket(), &ann.code()),
            _ => ann.recover(&ann.ticket(), &ann.recovery_codes[1]),
        };
        assert_eq!(answer.status, 200, "ninety-nine are not enough, and {proof} begins the count anew");
    }
    fail(100);
    ann.daemon.world.advance(Duration::from_secs(365 * 86400));
    assert_eq!(code(&ann.verify(&ann.ticket(), &ann.code())), invalid_code(), "it answers no more, for good");
    assert_eq!(code(&ann.recover(&ann.ticket(), &ann.recovery_codes[0])), invalid_code());
    let blocked =
        ann.daemon.world.events().into_iter().filter(|event| event == "SecondFactorBlocked").count();
    assert_eq!(blocked, 1);

    authd::usecase::account::admin_two_factor::reset_second_factor(
        &ann.daemon.world.app,
        &operator(),
        &user_ref(ANN),
    )
    .unwrap();
    assert!(
        ann.daemon.login(ANN).get("access_token").is_some(),
        "the operator's reset lets the password in alone"
    );
}

#[test]
fn turning_it_off_takes_the_password_and_the_factor() {
    let ann = Ann::new();
    let off = |password: &str, code: &str| {
        ann.send("/api/auth/2fa/disable", &json!({"password": password, "code": code}))
    };
    assert_eq!(code(&off("not the password at all", &ann.code())), (403, "invalid_credentials".into()));
    assert_eq!(code(&off(PASSWORD, &ann.wrong_code())), invalid_code());
    assert_eq!(ann.status()["totp"]["enabled"], true);
    let other = text(&ann.verify(&ann.ticket(), &ann.code()).json()["access_token"]);
    ann.daemon.world.advance(STEP);
    assert_eq!(off(PASSWORD, &ann.code()).status, 204);
    assert_eq!(ann.daemon.world.mails(ANN)[0].kind, "two_factor_disabled");
    assert_eq!(ann.daemon.send_as(&other, "GET", "/api/auth/me", "").status, 401, "other sessions end");
    assert_eq!(ann.status()["recovery_codes_left"], 0);
    assert!(ann.daemon.login(ANN).get("access_token").is_some());

    let ann = Ann::new();
    let body = json!({"password": PASSWORD, "recovery_code": ann.recovery_codes[4]});
    assert_eq!(ann.send("/api/auth/2fa/disable", &body).status, 204, "a recovery code does as well");
}

#[test]
fn one_factor_is_shown_and_not_two() {
    let ann = Ann::new();
    let errors = |path: &str, body: Value| ann.send(path, &body).field_errors();
    let error = |field: &str, code: &str| vec![(field.to_owned(), code.to_owned())];
    let (verify, off) = ("/api/auth/2fa/verify", "/api/auth/2fa/disable");
    assert_eq!(errors(verify, json!({"ticket": "x"})), error("code", "missing"));
    assert_eq!(errors(off, json!({"password": "x"})), error("code", "missing"));
    assert_eq!(
        errors(verify, json!({"ticket": "x", "code": "1", "recovery_code": "2"})),
        error("recovery_code", "conflict")
    );
    let change = json!({"current_password": "x", "new_password": "y", "code": "1", "recovery_code": "2"});
    assert_eq!(errors("/api/auth/password/change", change), error("recovery_code", "conflict"));
}

#[test]
fn a_reset_link_changes_the_password_and_leaves_the_factor() {
    let ann = Ann::new();
    let waiting = ann.ticket();
    ann.daemon.post("/api/auth/password/reset/request", &json!({"email": ANN}).to_string());
    let link = ann.daemon.world.token_in_mail(ANN);
    let body = json!({"token": link, "new_password": "another good long password"}).to_string();
    let reset = ann.daemon.post("/api/auth/password/reset/confirm", &body);
    assert_eq!((reset.status, reset.body.as_str()), (204, ""), "no session comes of it");
    assert_eq!(
        code(&ann.verify(&waiting, &ann.code())),
        invalid_code(),
        "nor of a login with the old password"
    );
    let login = json!({"email": ANN, "password": "another good long password", "cookies": true}).to_string();
    let due = ann.daemon.post("/api/auth/login", &login);
    assert_eq!(due.json()["two_factor_required"], true);
    assert_eq!(due.header("set-cookie"), "", "a ticket and nothing else");
}

#[test]
fn changing_the_password_takes_the_factor_too() {
    let ann = Ann::new();
    let change = |extra: Value| {
        let mut body = json!({"current_password": PASSWORD, "new_password": "another good long password"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        ann.send("/api/auth/password/change", &body)
    };
    assert_eq!(code(&change(json!({}))), invalid_code());
    assert_eq!(code(&change(json!({"code": ann.wrong_code()}))), invalid_code());
    assert!(ann.daemon.login(ANN).get("ticket").is_some(), "the old password still holds");
    assert_eq!(change(json!({"code": ann.code()})).status, 200);
}

#[test]
fn what_guards_the_account_asks_for_a_fresh_login_with_the_factor() {
    let ann = Ann::new();
    let fresh = |token: &str| {
        let ask = |path: &str, body: Value| ann.daemon.send_as(token, "POST", path, &body.to_string());
        let any = json!({"code": "000000"});
        let with_password = json!({"password": PASSWORD, "code": "000000"});
        [
            ask("/api/auth/email/change/request", json!({"new_email": "new@example.com"})),
            ask("/api/auth/me/delete", json!({"password": "not the password at all"})),
            ann.daemon.send_as(token, "POST", "/api/auth/2fa/setup", ""),
            ask("/api/auth/2fa/enable", any.clone()),
            ask("/api/auth/2fa/disable", with_password),
            ask("/api/auth/2fa/recovery-codes", any),
        ]
        .map(|answer| answer.status)
    };
    let token = text(&ann.verify(&ann.ticket(), &ann.code()).json()["access_token"]);
    ann.daemon.world.advance(Duration::from_millis(299_999));
    assert_eq!(fresh(&token), [202, 403, 409, 409, 401, 401]);
    ann.daemon.world.advance(Duration::from_millis(1));
    let before = ann.daemon.world.events();
    assert_eq!(fresh(&token), [403; 6]);
    let late =
        ann.daemon.send_as(&token, "POST", "/api/auth/me/delete", &json!({"password": PASSWORD}).to_string());
    assert_eq!(code(&late), (403, "fresh_login_required".into()));
    assert_eq!(ann.daemon.world.events(), before);
}

#[test]
fn the_second_step_sets_cookies_when_asked() {
    let ann = Ann::new();
    let body = json!({"ticket": ann.ticket(), "code": ann.code(), "cookies": true}).to_string();
    let cross = [crate::daemon::JSON, ("sec-fetch-site", "cross-site")];
    let refused = ann.daemon.send("POST", "/api/auth/2fa/verify", &cross, body.as_bytes());
    assert_eq!(code(&refused), (403, "csrf_failed".into()));
    let answer = ann.daemon.post("/api/auth/2fa/verify", &body);
    assert_eq!(answer.headers.iter().filter(|(name, _)| name == "set-cookie").count(), 3, "{answer:?}");
    assert!(answer.json().get("access_token").is_none());
}
