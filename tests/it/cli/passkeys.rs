//! `passkey`, and what other commands say of passkeys.

use super::{Shell, json};
use crate::passkey_rows::add;
use crate::world::anonymous;
use authd::domain::password::Password;
use authd::domain::secret::Secret;
use authd::usecase::account::recover;
use std::time::Duration;

const ANN: &str = "ann@example.com";

/// A shell where Ann has two passkeys; gives their ids.
fn ann() -> (Shell, [String; 2]) {
    let shell = Shell::new();
    shell.world.add_user(ANN, &[]);
    let first = add(&shell.world, ANN, "My phone", 1);
    shell.world.advance(Duration::from_secs(60 * 60));
    let second = add(&shell.world, ANN, "", 2);
    (shell, [first, second])
}

#[test]
fn as_much_of_an_id_as_no_other_has_is_enough() {
    let (shell, [first, second]) = ann();
    let alike = &first[..4];
    assert_eq!(alike, &second[..4]);
    let several = shell.line(&format!("passkey delete {ANN} {alike} --yes"));
    assert_eq!(several.code, 2, "{several:?}");
    assert!(several.err.contains("2 passkeys' ids begin with") && several.err.contains(ANN), "{several:?}");
    let begun = (5..=36).map(|length| &first[..length]).find(|begun| !second.starts_with(begun)).unwrap();
    let deleted = shell.line(&format!("passkey delete {ANN} {begun} --yes -q"));
    assert_eq!((deleted.code, deleted.out.trim()), (0, &first[..]), "{deleted:?}");
    let listed = shell.line(&format!("passkey list {ANN} -q"));
    assert_eq!(listed.out.trim(), second);
    let misspelt = shell.line("passkey list an@example.com");
    assert!(misspelt.code == 3 && misspelt.err.contains(ANN), "{misspelt:?}");
}

#[test]
fn one_of_somebody_elses_is_not_found() {
    let (shell, [first, _]) = ann();
    shell.world.add_user("bob@example.com", &[]);
    for consent in ["", " --yes"] {
        let refused = shell.line(&format!("passkey delete bob@example.com {first}{consent}"));
        assert_eq!(refused.code, 3, "{refused:?}");
    }
    assert!(shell.line(&format!("passkey list {ANN} -q")).out.contains(&first));
}

#[test]
fn who_loses_a_passkey_is_told_and_signed_out_and_codes_go_with_the_last() {
    let shell = Shell::new();
    shell.world.add_user(ANN, &[]);
    let tokens = shell.world.login(ANN).unwrap();
    let ids = [add(&shell.world, ANN, "My phone", 1), add(&shell.world, ANN, "", 2)];
    let codes = || shell.world.database().one::<i64>("SELECT count(*) FROM recovery_codes");
    assert_eq!(shell.line(&format!("totp recovery-codes {ANN}")).code, 0);
    assert_eq!(codes(), 10);
    let asked = shell.line(&format!("passkey delete {ANN} {}", ids[0]));
    assert_eq!(asked.code, 2);
    assert!(asked.err.contains("end 1 session") && !asked.err.contains("password alone"), "{asked:?}");
    assert_eq!(shell.line(&format!("passkey delete {ANN} {} --yes", ids[0])).code, 0);
    assert!(!shell.world.is_signed_in(&tokens));
    assert_eq!(codes(), 10);
    let asked = shell.line(&format!("passkey delete {ANN} {}", ids[1]));
    assert!(asked.err.contains("so that the password alone signs in"), "{asked:?}");
    assert_eq!(shell.line(&format!("passkey delete {ANN} {} --yes", ids[1])).code, 0);
    assert_eq!(codes(), 0);
    let mails = shell.world.mails(ANN);
    assert_eq!(mails.iter().filter(|mail| mail.kind == "passkey_removed").count(), 2, "{mails:?}");
    let events = shell.world.events();
    assert_eq!(events.iter().filter(|event| *event == "PasskeyRemoved").count(), 2, "{events:?}");
}

#[test]
fn where_only_another_passkey_signs_in_the_last_of_this_domain_is_told() {
    let (shell, ids) = ann();
    let database = shell.world.database();
    database.sql("UPDATE users SET password_hash = NULL");
    let asked = |id: &str| shell.line(&format!("passkey delete {ANN} {id}")).err;
    assert!(!asked(&ids[0]).contains("nothing else"), "{}", asked(&ids[0]));
    database.sql("UPDATE passkeys SET rp_id = 'example.org' WHERE name = ''");
    assert!(asked(&ids[0]).contains("nothing else signs in to the account"), "{}", asked(&ids[0]));
    // The other one signs in nowhere here: without it, all is as before.
    assert!(!asked(&ids[1]).contains("nothing else"), "{}", asked(&ids[1]));
}

#[test]
fn a_passkey_is_a_second_factor_wherever_one_is_looked_for() {
    let (shell, _) = ann();
    shell.world.add_user("bob@example.com", &[]);
    let lacking = json(&shell.line("user list --state no-second-factor -o json").out);
    let lacking: Vec<_> = lacking.as_array().unwrap().iter().map(|user| &user["email"]).collect();
    assert_eq!(lacking, ["bob@example.com"]);
    let shown = json(&shell.line(&format!("user show {ANN} -o json")).out);
    assert_eq!((&shown["two_factor"], &shown["passkeys"]), (&true.into(), &2.into()));
    let reset = shell.line(&format!("totp reset {ANN} --yes"));
    assert!(reset.code == 0 && reset.err.contains("and 2 passkeys stay"), "{reset:?}");
    assert_eq!(json(&shell.line(&format!("passkey list {ANN} -o json")).out).as_array().unwrap().len(), 2);
}

#[test]
fn a_recovery_link_brings_back_whoever_lost_everything() {
    let (shell, _) = ann();
    let made = shell.line(&format!("user recover-link {ANN}"));
    assert!(made.err.contains("it works once, for 1 hour, and then ends the password and 2 passkeys"));
    let link = made.out.trim();
    assert_eq!(link.lines().count(), 1);
    let (place, token) = link.split_once("?token=").unwrap();
    assert!(place.ends_with("/auth/recover") && token.starts_with("authd_rl_"), "{link}");
    let listed = || json(&shell.line(&format!("passkey list {ANN} -o json")).out).as_array().unwrap().len();
    assert_eq!(listed(), 2, "until it is used, nothing changes");
    let qr = shell.line(&format!("user recover-link {ANN} --qr"));
    assert!(qr.out.lines().count() == 1 && qr.err.contains('█'), "{qr:?}");
    let password = Password::new("another good long password").unwrap();
    let spend = |link: &str| {
        let token = link.trim().split_once("?token=").unwrap().1.to_owned();
        recover::recover(&shell.world.app, &anonymous(), Secret::new(token).expose(), &password)
    };
    assert!(spend(link).is_err(), "a newer one voids it");
    assert_eq!(spend(&qr.out).unwrap().user.email.as_str(), ANN);
    assert_eq!(listed(), 0);
    assert!(spend(&qr.out).is_err(), "once");
}
