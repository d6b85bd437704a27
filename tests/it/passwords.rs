//! Which new passwords are taken: length, the lists, one's own words; and the operator's own list.

use crate::daemon::Daemon;
use crate::world::{World, anonymous};
use authd::domain::blocklist::{Blocklist, fold};
use authd::domain::email::Email;
use authd::domain::name::Name;
use authd::domain::password::Password;
use authd::domain::password_policy::{Owner, Policy, Weakness};
use authd::error::{Error, Fault, Refusal};
use authd::ports::{Clock, SystemClock};
use authd::usecase::account::register::{Registration, register};
use proptest::prelude::*;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const COMMON: &str = include_str!("../../data/common-passwords.txt");

/// Why a registration's password was refused; `None`: it wasn't.
fn refused(world: &World, password: &str, name: &str) -> Option<String> {
    let new = Registration {
        email: Email::parse("ann.lee@example.com").unwrap(),
        password: Password::new(password).unwrap(),
        name: Name::parse(name).unwrap(),
    };
    match register(&world.app, &anonymous(), &new) {
        Ok(_) => None,
        Err(Error::Refused(Refusal::WeakPassword { reason })) => Some(reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_reason_is_said() {
    let world = World::with(&[("password.min_length", "8"), ("totp.issuer", "Acme Login")]);
    for (password, reason) in [
        ("seven77", "shorter than 8"),
        ("PassWord1", "common"),
        ("AnnLeeExample.com", "own address"),
        ("Ms. Ann Lee", "own address"),
        ("acmeacmelogin", "own address"),
    ] {
        let said = refused(&world, password, "Ms Ann Lee").unwrap_or_else(|| panic!("{password} was taken"));
        assert!(said.contains(reason), "{password}: {said}");
    }
    assert_eq!(refused(&world, "Ms. Ann Lee's dog", "Ms Ann Lee"), None);
}

#[test]
fn the_operators_list_counts_on_top_of_the_built_in_one() {
    let world = World::new();
    let list = world.folder.join("list.txt");
    fs::write(&list, "Acme Corporation 2026\r\n\r\nnächster halt: hölle\n").unwrap();
    let app = world.another_app_with(&[("password.blocklist_file", list.to_str().unwrap())]);
    let judged = |text: &str| {
        let new = Registration {
            email: Email::parse("ann@example.com").unwrap(),
            password: Password::new(text).unwrap(),
            name: Name::default(),
        };
        register(&app, &anonymous(), &new).is_ok()
    };
    for text in ["acme corporation 2026", "NÄCHSTER HALT: HO\u{308}LLE", "passwordpassword"] {
        assert!(!judged(text), "{text}");
    }
    assert!(judged("acme corporation 2027"));
}

#[test]
fn a_list_that_cannot_be_read_stops_the_start_and_names_the_file() {
    let world = World::new();
    let list = world.folder.join("list.txt");
    let opened = || match world.try_open_with(&[("password.blocklist_file", list.to_str().unwrap())]) {
        Err(Error::Failed(fault)) => fault,
        other => panic!("{other:?}"),
    };
    let says = |fault: Fault, what: &str| match fault {
        Fault::Config(text) => {
            assert!(text.contains("list.txt") && text.contains("password.blocklist_file"), "{text}");
            assert!(text.contains(what), "{text}");
        }
        other => panic!("{other:?}"),
    };
    says(opened(), "No such file");
    fs::create_dir(&list).unwrap();
    says(opened(), "directory");
    fs::remove_dir(&list).unwrap();
    fs::write(&list, b"good\nb\xe4d\n").unwrap();
    says(opened(), "line 2");
    let file = fs::File::create(&list).unwrap();
    file.set_len((64 << 20) + 1).unwrap();
    says(opened(), "64 MiB");
    // Root may read everything, so that this says something for others alone.
    fs::set_permissions(&list, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&list).is_err() {
        assert!(matches!(opened(), Fault::Permission(text) if text.contains("list.txt")));
    }
}

/// Any spelling of a text: each letter in upper or lower case as `upper` says.
fn spelled(text: &str, upper: &[bool]) -> String {
    let mut upper = upper.iter().cycle();
    let cased = |c: char| {
        if *upper.next().unwrap() { c.to_ascii_uppercase() } else { c }
    };
    text.chars().map(cased).collect()
}

fn check(blocklist: &Blocklist, text: &str, email: &str, name: &str) -> Result<(), Weakness> {
    let email = Email::parse(email).unwrap();
    let owner = Owner { email: &email, name, service: "authd" };
    Policy { min_length: 8, blocklist }.check(&Password::new(text).unwrap(), owner)
}

proptest! {
    #[test]
    fn a_common_password_is_refused_in_any_case(
        at in 0usize..17_950,
        upper in prop::collection::vec(any::<bool>(), 1..9),
    ) {
        let line = COMMON.lines().nth(at).unwrap();
        let judged = check(&Blocklist::built_in(), &spelled(line, &upper), "q@x.example", "");
        prop_assert_eq!(judged, Err(Weakness::Common));
    }

    /// The search by halving against the plainest one.
    #[test]
    fn a_list_holds_its_lines_and_nothing_else(
        lines in prop::collection::vec("[a-c\u{e4}]{1,4}", 0..20),
        asked in prop::collection::vec("[a-cA-C\u{e4}]{1,4}", 20),
    ) {
        let list = Blocklist::with(&lines.join("\n"));
        for text in asked.iter().chain(&lines) {
            let wanted = fold(text);
            let expected = lines.iter().any(|line| fold(line) == wanted);
            prop_assert_eq!(list.contains(&Password::new(text).unwrap()), expected, "{}", text);
        }
    }

    #[test]
    fn a_row_of_ones_own_words_is_refused(
        words in prop::collection::vec(
            prop::sample::select(vec!["zoe", "quill", "kestrel", "example"]),
            3..9,
        ),
        between in "[ ._!-]{0,2}",
        upper in prop::collection::vec(any::<bool>(), 1..9),
    ) {
        let row = spelled(&words.join(&between), &upper);
        let own = check(&Blocklist::built_in(), &row, "zoe@kestrel.example", "Zoe Quill");
        prop_assert_eq!(own, Err(Weakness::Personal), "{}", &row);
        // The same from somebody else is only a row of words, unless everybody's.
        let others = check(&Blocklist::built_in(), &row, "q@x.test", "");
        let is_common = matches!(others, Err(Weakness::Common | Weakness::Guessable));
        prop_assert!(others == Ok(()) || is_common, "{} {:?}", &row, others);
    }

    #[test]
    fn no_text_makes_the_judge_fail(text in "\\PC{1,40}", name in "\\PC{0,20}") {
        let first = check(&Blocklist::with(&name), &text, "zoe@kestrel.example", &name);
        prop_assert_eq!(first,  check(&Blocklist::with(&name), &text, "zoe@kestrel.example", &name));
    }
}

/// What guessers try first at this length: each of them stands in lists of breached passwords, or is made by
/// the first rule of every cracking program.
const CLASSICS: [&str; 28] = [
    "123456789012345",
    "1234567890123456",
    "aaaaaaaaaaaaaaa",
    "111111111111111",
    "qwertyuiopasdfgh",
    "qwertyuiopasdfghjkl",
    "qwertyqwertyqwerty",
    "password12345678",
    "passwordpassword",
    "Password1Password1",
    "iloveyouiloveyou",
    "1q2w3e4r5t6y7u8i",
    "1qaz2wsx3edc4rfv",
    "abcdefghijklmnop",
    "abcdefghijklmno",
    "zxcvbnmasdfghjkl",
    "abc123abc123abc123",
    "123123123123123",
    "letmeinletmein123",
    "administrator123",
    "welcome123456789",
    "P@ssw0rdP@ssw0rd",
    "p@ssw0rd12345678",
    "0123456789abcdef",
    "987654321987654321",
    "asdfghjklasdfghjkl",
    "monkeymonkeymonkey",
    "qazwsxedcrfvtgbyhn",
];

/// Four words each, drawn by chance from the EFF's long list for dice (CC BY 3.0).
const PHRASES: &str = include_str!("fixtures/phrases.txt");

#[test]
fn what_guessers_try_first_is_refused_and_four_random_words_are_taken() {
    let daemon = Daemon::new();
    let mut number = 0;
    let mut register = |password: &str| {
        number += 1;
        let body = json!({"email": format!("user{number}@example.com"), "password": password}).to_string();
        daemon.post("/api/auth/register", &body)
    };
    for classic in CLASSICS {
        let answer = register(classic);
        assert_eq!((answer.status, answer.problem().as_str()), (422, "weak_password"), "{classic}");
        assert!(!answer.body.contains("shorter"), "{classic}");
    }
    assert_eq!(PHRASES.lines().count(), 200);
    for phrase in PHRASES.lines() {
        let answer = register(phrase);
        assert_eq!(answer.status, 202, "{phrase}: {answer:?}");
        let glued = phrase.replace(' ', "");
        assert_eq!(check(&Blocklist::built_in(), &glued, "q@x.example", ""), Ok(()), "{glued}");
    }
}

#[test]
fn a_password_made_to_cost_time_is_judged_soon() {
    // Every letter may stand for others: what costs most.
    let costly: String = "4@8({[<369!1|0$5+7%2".chars().cycle().take(1_000).collect();
    let words = "p@$$w0rd".repeat(120);
    for text in [costly, words, "äß語".repeat(100)] {
        let clock = SystemClock::new();
        let begun = clock.elapsed();
        let _ = check(&Blocklist::built_in(), &text, "q@x.example", "");
        let took = clock.elapsed().saturating_sub(begun);
        assert!(took < Duration::from_secs(5), "{took:?} for {text}");
    }
}
