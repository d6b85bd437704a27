//! What a mail does to the account that it signs in to, and what is asked for besides.

use super::*;

#[test]
fn with_a_second_factor_there_is_a_ticket_and_nothing_else() {
    let daemon = daemon();
    let caller = daemon.world.caller(&daemon.world.login(ANN).unwrap());
    let app = Authenticator::new(two_factor::setup(&daemon.world.app, &caller).unwrap().secret.expose());
    let code = || app.code_at(daemon.world.now().as_secs());
    two_factor::enable(&daemon.world.app, &caller, &Secret::new(code())).unwrap();
    daemon.world.advance(Duration::from_secs(30));
    let request = ask(&daemon, ANN);
    let due = by_token(&daemon, &request, &in_mail(&daemon, ANN).token);
    assert_eq!(due.status, 200, "{due:?}");
    let members: Vec<_> = due.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["two_factor_required", "ticket", "expires_in", "methods"]);
    let ticket = due.json()["ticket"].clone();
    let body = json!({"ticket": ticket, "code": code()});
    let tokens = assert_in(&from(&daemon, HOME, "/api/auth/2fa/verify", &body));
    assert_eq!(amr(&tokens), json!(["email", "otp", "mfa"]));
}

#[test]
fn it_verifies_the_address_and_voids_what_was_set_up_before() {
    let daemon = daemon_with(&[("email_verification.required", "false")]);
    daemon.world.add_unverified(BOB);
    let before = daemon.login(BOB);
    let other_link = {
        password::request_reset(&daemon.world.app, &anonymous(), &Email::parse(BOB).unwrap()).unwrap();
        daemon.world.token_in_mail(BOB)
    };
    let request = ask(&daemon, BOB);
    let tokens = assert_in(&by_token(&daemon, &request, &in_mail(&daemon, BOB).token));
    assert_eq!(tokens["user"]["email_verified"], true);
    for event in ["EmailVerified", "PasswordVoided"] {
        assert_eq!(times(&daemon, event), 1, "{event}");
    }
    let me = |tokens: &Value| {
        daemon.send_as(tokens["access_token"].as_str().unwrap(), "GET", "/api/auth/me", "").status
    };
    assert_eq!([me(&before), me(&tokens)], [401, 200], "the sessions of before have ended");
    let old = json!({"email": BOB, "password": PASSWORD});
    assert_eq!(from(&daemon, HOME, "/api/auth/login", &old).problem(), "invalid_credentials");
    let reset = json!({"token": other_link, "new_password": "another good long password"}).to_string();
    assert_dead(&daemon.post("/api/auth/password/reset/confirm", &reset));
    assert!(daemon.world.mails(BOB).iter().any(|mail| mail.kind == "password_voided"));

    // The second time there is nothing to void.
    let request = ask(&daemon, BOB);
    assert_in(&by_token(&daemon, &request, &in_mail(&daemon, BOB).token));
    assert_eq!([times(&daemon, "EmailVerified"), times(&daemon, "PasswordVoided")], [1, 1]);
    assert_eq!(me(&tokens), 200);
}

#[test]
fn a_login_that_waited_for_its_second_step_waits_no_more() {
    let daemon = daemon_with(&[("email_verification.required", "false")]);
    let caller = daemon.world.caller(&daemon.world.login(ANN).unwrap());
    let app = Authenticator::new(two_factor::setup(&daemon.world.app, &caller).unwrap().secret.expose());
    let code = || app.code_at(daemon.world.now().as_secs());
    two_factor::enable(&daemon.world.app, &caller, &Secret::new(code())).unwrap();
    let email = Some(Email::parse(BOB).unwrap());
    let changes = edit::Changes { email, name: None, verified: Verified::No };
    edit::edit(&daemon.world.app, &operator(), &user_ref(ANN), &changes).unwrap();
    let before = daemon.login(BOB)["ticket"].clone();
    let request = ask(&daemon, BOB);
    let due = by_token(&daemon, &request, &in_mail(&daemon, BOB).token).json();
    daemon.world.advance(Duration::from_secs(30));
    let show = |ticket: &Value| {
        from(&daemon, HOME, "/api/auth/2fa/verify", &json!({"ticket": ticket, "code": code()}))
    };
    assert_eq!(show(&before).problem(), "invalid_code");
    assert_in(&show(&due["ticket"]));
}

#[test]
fn an_account_without_a_password_loses_none() {
    let daemon = daemon();
    let new = NewAccount {
        email: Email::parse(BOB).unwrap(),
        name: Name::default(),
        roles: Vec::new(),
        verified: Verified::No,
        password: FirstPassword::Invite,
    };
    admin::add(&daemon.world.app, &operator(), new).unwrap();
    let request = ask(&daemon, BOB);
    let tokens = assert_in(&by_code(&daemon, &request, &in_mail(&daemon, BOB).code));
    assert_eq!(tokens["user"]["email_verified"], true);
    assert_eq!([times(&daemon, "EmailVerified"), times(&daemon, "PasswordVoided")], [1, 0]);
}

#[test]
fn a_password_that_must_be_changed_is_asked_of_those_who_show_it_alone() {
    let daemon = daemon();
    let new = NewAccount {
        email: Email::parse(BOB).unwrap(),
        name: Name::default(),
        roles: Vec::new(),
        verified: Verified::Yes,
        password: FirstPassword::Temporary(Password::new("made2-for3-bob4-alone5").unwrap()),
    };
    admin::add(&daemon.world.app, &operator(), new).unwrap();
    let request = ask(&daemon, BOB);
    assert_in(&by_token(&daemon, &request, &in_mail(&daemon, BOB).token));
    let shown = json!({"email": BOB, "password": "made2-for3-bob4-alone5"});
    assert_eq!(from(&daemon, HOME, "/api/auth/login", &shown).json()["password_change_required"], true);
}

/// Something that happens to Ann's account.
type End = fn(&Daemon);

#[test]
fn what_ends_other_links_ends_these() {
    let ends: [(&str, End); 4] = [
        ("disabling", |daemon| {
            admin::disable(&daemon.world.app, &operator(), &user_ref(ANN)).unwrap();
        }),
        ("disabling and enabling", |daemon| {
            admin::disable(&daemon.world.app, &operator(), &user_ref(ANN)).unwrap();
            admin::enable(&daemon.world.app, &operator(), &user_ref(ANN)).unwrap();
        }),
        ("a new password", |daemon| {
            password::request_reset(&daemon.world.app, &anonymous(), &Email::parse(ANN).unwrap()).unwrap();
            let token = daemon.world.token_in_mail(ANN);
            let new = Password::new("another good long password").unwrap();
            password::reset(&daemon.world.app, &anonymous(), &token, &new).unwrap();
        }),
        ("another address", |daemon| {
            let changes = edit::Changes {
                email: Some(Email::parse(BOB).unwrap()),
                name: None,
                verified: Verified::Yes,
            };
            edit::edit(&daemon.world.app, &operator(), &user_ref(ANN), &changes).unwrap();
        }),
    ];
    for (what, end) in ends {
        let daemon = daemon();
        let (request, mail) = (ask(&daemon, ANN), in_mail(&daemon, ANN));
        daemon.world.advance(Duration::from_millis(1));
        end(&daemon);
        let answer = by_token(&daemon, &request, &mail.token);
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid_token"), "{what}");
        assert_dead(&by_code(&daemon, &request, &mail.code));
    }
}
