//! Guessing at codes, and at who has an account; what is kept meanwhile.

use super::*;

#[test]
fn five_wrong_codes_are_the_end_of_it_for_known_and_unknown_addresses_alike() {
    let daemon = daemon_with(&[("lockout.pair_failures", "7")]);
    let story = |email: &str| {
        let request = ask(&daemon, email);
        let answers = (0..8).map(|_| {
            let mut answer = by_code(&daemon, &request, WRONG);
            answer.headers.retain(|(name, _)| name != "date");
            (answer.status, answer.headers, answer.body)
        });
        (request.clone(), answers.collect::<Vec<_>>())
    };
    let (request, anns) = story(ANN);
    assert_eq!(anns, story(NOBODY).1);
    assert!(anns.iter().all(|(status, ..)| *status == 400), "{anns:?}");
    let mail = in_mail(&daemon, ANN);
    assert_dead(&by_code(&daemon, &request, &mail.code));
    assert_dead(&by_token(&daemon, &request, &mail.token));
    let failed: Vec<_> =
        daemon.world.audit().into_iter().filter(|line| line.event == "LoginFailed").collect();
    assert_eq!(failed.len(), 10, "those that came too late are no guesses");
    assert!(failed.iter().all(|line| line.details[0].1 == "wrong_mailed_code"), "{failed:?}");
    assert_eq!(failed.iter().filter(|line| line.user.is_some()).count(), 5);
}

/// Shows wrong codes at once, one with each of these requests; gives how many counted as guesses.
fn guesses_at_once(daemon: &Daemon, requests: &[String]) -> usize {
    let address = daemon.running.address().tcp().unwrap();
    let start = Barrier::new(requests.len());
    std::thread::scope(|scope| {
        for secret in requests {
            let start = &start;
            scope.spawn(move || {
                let body = json!({"request": secret, "code": WRONG}).to_string();
                start.wait();
                exchange(address, &request("POST", CONFIRM, &[JSON], body.as_bytes()))
            });
        }
    });
    let is_guess = |line: &&authd::domain::audit::Line| {
        line.details.iter().any(|(_, value)| value == "wrong_mailed_code")
    };
    daemon.world.audit().iter().filter(is_guess).count()
}

#[test]
fn however_many_guess_at_once_five_count() {
    let daemon = daemon_with(&[("lockout.pair_failures", "100"), ("lockout.account_failures", "100")]);
    let one = vec![ask(&daemon, ANN); 16];
    assert_eq!(guesses_at_once(&daemon, &one), 5, "of one mail");
    let daemon = daemon_with(&[("mail.max_per_address_per_hour", "20")]);
    let many: Vec<_> = (0..16).map(|_| ask(&daemon, ANN)).collect();
    assert_eq!(guesses_at_once(&daemon, &many), 5, "of one address from one network");
}

#[test]
fn what_is_dead_is_dead_also_under_a_lock_and_tries_under_it_are_one_line() {
    let daemon = daemon();
    let (dead, waiting) = (ask(&daemon, ANN), ask(&daemon, ANN));
    for _ in 0..5 {
        assert_dead(&by_code(&daemon, &dead, WRONG));
    }
    assert_dead(&by_code(&daemon, &dead, WRONG));
    let before = daemon.world.audit().len();
    for _ in 0..5 {
        assert_eq!(by_code(&daemon, &waiting, WRONG).problem(), "too_many_attempts");
    }
    assert_eq!(daemon.world.audit().len(), before + 1);
}

#[test]
fn a_guess_counts_in_the_lockout_and_a_lock_holds_for_the_right_one() {
    for email in [ANN, NOBODY] {
        let daemon = daemon();
        let (request, good) = (ask(&daemon, email), ask(&daemon, email));
        let login = || {
            let body = json!({"email": email, "password": "not the password at all"});
            from(&daemon, HOME, "/api/auth/login", &body)
        };
        for _ in 0..2 {
            assert_eq!(login().status, 401);
        }
        for _ in 0..3 {
            assert_dead(&by_code(&daemon, &request, WRONG));
        }
        assert_eq!((login().status, login().problem().as_str()), (429, "too_many_attempts"));
        let mut shown = vec![by_code(&daemon, &good, WRONG)];
        if email == ANN {
            let mail = in_mail(&daemon, ANN);
            shown.push(by_code(&daemon, &good, &mail.code));
            shown.push(by_token(&daemon, &good, &mail.token));
        }
        for answer in shown {
            assert_eq!((answer.status, answer.problem().as_str()), (429, "too_many_attempts"), "{answer:?}");
            assert_eq!(answer.header("retry-after"), "60");
        }
        if email == ANN {
            daemon.world.advance(Duration::from_secs(60));
            assert_in(&by_token(&daemon, &good, &in_mail(&daemon, ANN).token));
            assert_eq!(login().status, 401, "the counter began anew");
        }
    }
}

#[test]
fn guesses_from_many_networks_lock_the_account_and_its_owner_is_told() {
    let daemon = daemon_with(&[("lockout.account_failures", "3"), ("mail.max_per_address_per_hour", "20")]);
    for network in 1..=3 {
        let request = ask(&daemon, ANN);
        let body = json!({"request": request, "code": WRONG});
        assert_dead(&from(&daemon, &format!("203.0.{network}.1"), CONFIRM, &body));
    }
    assert_eq!(daemon.world.mails(ANN)[0].kind, "account_locked");
    let (request, mail) = (ask(&daemon, ANN), in_mail(&daemon, ANN));
    let body = json!({"request": request, "token": mail.token});
    assert_eq!(from(&daemon, AWAY, CONFIRM, &body).status, 429);
}

#[test]
fn an_answer_and_its_rows_are_the_same_whoever_has_the_address() {
    let daemon = daemon();
    daemon.world.add_user(BOB, &[]);
    admin::disable(&daemon.world.app, &operator(), &user_ref(BOB)).unwrap();
    daemon.world.register("wait@example.com").unwrap();
    let all = [ANN, BOB, NOBODY, "wait@example.com"];
    let mut seen = Vec::new();
    for email in all {
        let mut answer = from(&daemon, HOME, REQUEST, &json!({"email": email}));
        answer.headers.retain(|(name, _)| name != "date");
        let request = answer.json()["request"].as_str().unwrap().to_owned();
        seen.push((answer.status, answer.headers, answer.body.replace(&request, "")));
    }
    assert!(seen.iter().all(|other| *other == seen[0]), "{seen:#?}");
    for table in ["magic_requests", "link_requests"] {
        assert_eq!(rows(&daemon, &format!("SELECT count(*) FROM {table}")), 4, "{table}");
    }
    assert_eq!(rows(&daemon, "SELECT count(*) FROM links"), 0, "nobody has looked yet");
    let registration_mails = daemon.world.mails("wait@example.com").len();
    assert_eq!((magic_mails(&daemon, ANN).len(), magic_mails(&daemon, BOB).len()), (1, 0));
    assert!(daemon.world.mails(NOBODY).is_empty());
    assert_eq!(registration_mails, 1, "the registration's own: nobody signs up by this");
    assert_eq!(rows(&daemon, "SELECT count(*) FROM magic_requests"), 4, "they wait and count alike");
    assert_eq!(rows(&daemon, "SELECT count(*) FROM users"), 2);
}

#[test]
fn an_address_gets_its_mails_of_an_hour_and_no_more_and_the_last_stays_good() {
    let daemon = daemon();
    let mut requests: Vec<_> = (0..3).map(|_| ask(&daemon, ANN)).collect();
    let mail = in_mail(&daemon, ANN);
    requests.push(ask(&daemon, ANN));
    assert_eq!(magic_mails(&daemon, ANN).len(), 3);
    assert_dead(&by_token(&daemon, &requests[3], &mail.token));
    assert_in(&by_token(&daemon, &requests[2], &mail.token));
}

#[test]
fn neither_what_a_browser_has_nor_what_a_mail_has_stands_in_the_database() {
    let daemon = daemon();
    let (request, mail) = (ask(&daemon, ANN), in_mail(&daemon, ANN));
    let database = daemon.world.database();
    assert!(database.holds(ANN), "it is the right one");
    let grouped = format!("{} {}", &mail.code[..4], &mail.code[4..]);
    for secret in [&request[9..], &mail.token[9..], &mail.code, &grouped] {
        assert!(!database.holds(secret), "{secret}");
    }
}

#[test]
fn what_waits_is_bounded_and_goes_when_its_time_has_come() {
    let daemon = daemon();
    let first = ask(&daemon, NOBODY);
    for _ in 0..200 {
        ask(&daemon, NOBODY);
    }
    let last = ask(&daemon, ANN);
    let waiting = "SELECT count(*) FROM magic_requests";
    assert_eq!(rows(&daemon, waiting), 201, "two hundred of one address, and one of another");
    assert_dead(&by_code(&daemon, &first, WRONG));
    assert_eq!(times(&daemon, "LoginFailed"), 0, "the oldest has gone");
    assert_in(&by_token(&daemon, &last, &in_mail(&daemon, ANN).token));
    assert_eq!(rows(&daemon, waiting), 200, "what has led to a sign-in waits no more");
    daemon.world.advance(Duration::from_secs(600));
    prune(&daemon.world.app, &operator(), &Progress::default()).unwrap();
    assert_eq!(rows(&daemon, waiting), 0);
}
