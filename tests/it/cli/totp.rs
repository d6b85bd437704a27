//! `totp`: a second factor that an operator sets up, off the terminal and off files, and what becomes of it.

use super::prompts::Typist;
use super::screen::{DARK, LIGHT, code_on, scan};
use super::{Said, Shell, json};
use crate::authenticator::Authenticator;
use crate::missing::is_there;
use crate::phone;
use crate::world::PASSWORD;
use authd::ports::{Clock, SystemClock};
use authd::usecase::signin::login::LoggedIn;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const ANN: &str = "ann@example.com";
const PROMPT: &str = "Code that the app shows: ";

/// A shell where Ann has no second factor yet.
fn shell() -> Shell {
    let shell = Shell::new();
    shell.world.add_user(ANN, &[]);
    shell
}

/// The secret in an address such as a QR code holds.
pub(super) fn app_of(uri: &str) -> Authenticator {
    Authenticator::new(uri.trim().split(['?', '&']).find_map(|part| part.strip_prefix("secret=")).unwrap())
}

fn now() -> i64 {
    SystemClock::new().now().as_secs()
}

/// The code of this moment: the program's clock is the real one.
fn code_now(app: &Authenticator) -> String {
    app.code_at(now())
}

/// Six digits that are no code of these minutes.
fn wrong_code(app: &Authenticator) -> String {
    let near: Vec<_> = (-3..=3).map(|steps| app.code_at(now() + 30 * steps)).collect();
    (0..9).map(|digits| format!("{digits:06}")).find(|code| !near.contains(code)).unwrap()
}

impl Shell {
    /// Has Ann turn on what waits for her, in a session of her own, with the code of a step ago, so that the
    /// one of now is left.
    pub(super) fn confirm(&self, app: &Authenticator) {
        let caller = self.world.caller(&self.world.login(ANN).unwrap());
        let code = authd::domain::secret::Secret::new(app.code_at(self.world.now().as_secs() - 30));
        authd::usecase::account::two_factor::enable(&self.world.app, &caller, &code).unwrap();
    }

    fn with_factor() -> (Self, Authenticator) {
        let shell = shell();
        let app = app_of(&shell.line("totp enroll ann@example.com --pending --uri").out);
        shell.confirm(&app);
        (shell, app)
    }

    fn verify(&self, code: &str) -> Said {
        self.run_with(&["totp", "verify", ANN, "--stdin"], code)
    }
}

#[test]
fn a_phone_reads_the_code_off_a_dark_and_off_a_light_terminal() {
    if !is_there("script") {
        return;
    }
    let shell = shell();
    let folder = &shell.world.folder;
    for (flags, own) in [("", DARK), ("", LIGHT), ("--color never", DARK)] {
        let script = format!("stty cols 80; ./authctl totp enroll ann@example.com {flags}");
        let mut typist = Typist::start(&shell, &script);
        let screen = typist.wait_for(PROMPT);
        assert_eq!(screen.contains('\u{1b}'), flags.is_empty(), "{screen}");
        // The secret stands under the code, in groups.
        let last = screen.trim().lines().last().unwrap().to_owned();
        assert_eq!(last.split(' ').map(str::len).collect::<Vec<_>>(), [4; 8], "{last}");
        let Some(uri) = scan(folder, &screen, own) else {
            return;
        };
        assert!(uri.starts_with("otpauth://totp/authd:ann%40example.com?"), "{uri}");
        assert!(uri.contains(&last.replace(' ', "")), "{uri} {last}");
        typist.type_in("\u{4}");
        let (code, seen) = typist.end();
        assert_eq!(code, 2, "{seen}");
        assert!(seen.contains("the second factor is not on"), "{seen}");
    }
    // A pipe gets the form without colours, unless it asks for them.
    let piped = shell.line("totp enroll ann@example.com --pending");
    assert!(
        !piped.out.contains('\u{1b}') && scan(folder, &piped.out, DARK).unwrap().starts_with("otpauth://")
    );
    let coloured = shell.line("totp enroll ann@example.com --pending --color always");
    assert!(scan(folder, &coloured.out, LIGHT).unwrap().starts_with("otpauth://"));
    assert!(!shell.world.events().contains(&"SecondFactorEnabled".to_owned()));
}

#[test]
fn a_terminal_too_narrow_for_the_code_says_so() {
    if !is_there("script") {
        return;
    }
    let shell = shell();
    let mut typist = Typist::start(&shell, "stty cols 40; ./authctl totp enroll ann@example.com");
    let screen = typist.wait_for(PROMPT);
    assert!(screen.contains("make it wider") && code_on(&screen).is_empty(), "{screen}");
}

#[test]
fn a_code_at_the_prompt_turns_it_on_and_the_recovery_codes_come_once() {
    if !is_there("script") {
        return;
    }
    let shell = shell();
    let before = shell.world.login(ANN).unwrap();
    let mut typist = Typist::start(&shell, "./authctl totp enroll ann@example.com");
    let screen = typist.wait_for(PROMPT);
    let app = Authenticator::new(&screen.trim().lines().last().unwrap().replace(' ', ""));
    typist.type_in(&format!("{}\n", wrong_code(&app)));
    typist.wait_for("type the next one");
    typist.wait_for(PROMPT);
    let code = code_now(&app);
    typist.type_in(&format!("{} {}\n", &code[..3], &code[3..]));
    let (exit, seen) = typist.end();
    assert_eq!(exit, 0, "{seen}");
    let codes: Vec<_> = seen
        .lines()
        .map(str::trim)
        .filter(|line| line.len() == 29 && line.matches('-').count() == 5)
        .collect();
    assert_eq!(codes.len(), 10, "{seen}");

    assert!(!shell.world.is_signed_in(&before), "sessions end");
    assert_eq!(shell.world.mails(ANN)[0].kind, "two_factor_enabled");
    assert!(matches!(
        shell.world.first_step(&crate::world::anonymous(), ANN, PASSWORD),
        Ok(LoggedIn::SecondStep(..))
    ));
    let status = json(&shell.line("totp status ann@example.com -o json").out);
    assert_eq!(status["recovery_codes_left"], 10);
    let totp = status["totp"].as_object().unwrap();
    assert_eq!(totp.keys().collect::<Vec<_>>(), ["enabled", "enabled_at"], "as over HTTP");
    assert!(totp["enabled"] == true && totp["enabled_at"].is_string(), "{status}");
    assert_eq!(shell.verify(&code).code, 5, "that code's step is spent");
    let events = shell.world.events();
    for event in ["SecondFactorEnrolled", "LoginFailed", "SecondFactorEnabled"] {
        assert!(events.contains(&event.to_owned()), "{events:?}");
    }
}

#[test]
fn what_is_asked_for_stands_alone_on_stdout() {
    if !is_there("script") {
        return;
    }
    let shell = shell();
    let written = |name: &str| fs::read_to_string(shell.world.folder.join(name)).unwrap();
    let is_code = |line: &&str| line.trim().len() == 29 && line.matches('-').count() == 5;
    let mut typist = Typist::start(&shell, "./authctl totp enroll ann@example.com --uri >uri");
    let screen = typist.wait_for(PROMPT);
    assert!(code_on(&screen).is_empty(), "the address is all that was asked for: {screen}");
    typist.type_in(&format!("{}\n", code_now(&app_of(&written("uri")))));
    let (code, seen) = typist.end();
    assert_eq!((code, seen.lines().filter(is_code).count()), (0, 10), "{seen}");
    assert_eq!(written("uri").lines().count(), 1);

    assert_eq!(shell.line("totp reset ann@example.com --yes").code, 0);
    let mut typist = Typist::start(&shell, "./authctl totp enroll ann@example.com -o json >document");
    let screen = typist.wait_for(PROMPT);
    assert!(!code_on(&screen).is_empty(), "nobody could answer without seeing it");
    let secret = screen.trim().lines().last().unwrap().replace(' ', "");
    typist.type_in(&format!("{}\n", code_now(&Authenticator::new(&secret))));
    let (code, seen) = typist.end();
    assert_eq!((code, seen.lines().filter(is_code).count()), (0, 0), "{seen}");
    let document = json(&written("document"));
    assert_eq!((&document["secret"], &document["enabled"]), (&secret.into(), &true.into()));
    assert_eq!(document["recovery_codes"].as_array().unwrap().len(), 10);
}

#[test]
fn three_wrong_codes_are_enough() {
    if !is_there("script") {
        return;
    }
    let shell = shell();
    let mut typist = Typist::start(&shell, "./authctl totp enroll ann@example.com --qr-png ann.png");
    for _ in 0..3 {
        let screen = typist.wait_for(PROMPT);
        assert!(code_on(&screen).is_empty(), "the picture is in the file: {screen}");
        typist.type_in("12345\n");
    }
    let (code, seen) = typist.end();
    assert!(code == 1 && seen.contains("authctl: invalid_code: "), "{code} {seen}");
    assert_eq!(json(&shell.line("totp status ann@example.com -o json").out)["totp"]["enabled"], false);
}

#[test]
fn where_nobody_can_be_asked_it_waits_for_the_user() {
    let shell = shell();
    let refused = shell.line("totp enroll ann@example.com");
    assert_eq!((refused.code, refused.out.as_str()), (2, ""));
    assert!(refused.err.contains("--pending"), "{refused:?}");
    assert_eq!(shell.run_with(&["totp", "enroll", ANN], "123456\n").code, 2);
    assert!(!shell.world.events().contains(&"SecondFactorEnrolled".to_owned()));

    let uri = shell.line("totp enroll ann@example.com --pending --uri");
    assert_eq!((uri.code, uri.out.lines().count()), (0, 1), "{uri:?}");
    let older = app_of(&uri.out);
    let made = json(&shell.line("totp enroll ann@example.com --pending -o json").out);
    let app = app_of(made["otpauth_uri"].as_str().unwrap());
    assert_eq!(made["secret"], made["otpauth_uri"].as_str().unwrap().split(['=', '&']).nth(1).unwrap());
    assert_eq!(
        (&made["email"], &made["enabled"], &made["recovery_codes"]),
        (&ANN.into(), &false.into(), &serde_json::json!([]))
    );
    assert!(shell.world.login(ANN).is_ok(), "nothing is on yet");
    assert_ne!(code_now(&older), code_now(&app), "a newer secret takes the older one's place");
    shell.confirm(&app);
    let again = shell.line("totp enroll ann@example.com --pending --qr-png ann.png");
    assert_eq!(again.code, 4, "{again:?}");
    assert!(again.err.starts_with("authctl: already_enabled: "), "{again:?}");
    assert!(!shell.world.folder.join("ann.png").exists(), "no file is left of what was refused");
}

#[test]
fn pictures_are_new_private_files_that_a_phone_reads() {
    let shell = shell();
    let path = |name: &str| shell.world.folder.join(name);
    for (flag, name) in [("--qr-png", "ann.png"), ("--qr-svg", "ann.svg")] {
        let said = shell.run(&["totp", "enroll", ANN, "--pending", flag, name]);
        assert_eq!((said.code, said.out.as_str()), (0, ""), "{said:?}");
        assert_eq!(fs::metadata(path(name)).unwrap().permissions().mode() & 0o777, 0o600);
        let content = fs::read(path(name)).unwrap();
        let again = shell.run(&["totp", "enroll", ANN, "--pending", flag, name]);
        assert!(again.code == 4 && again.err.contains(name), "{again:?}");
        assert_eq!(fs::read(path(name)).unwrap(), content, "nothing is overwritten");
    }
    assert_eq!(shell.world.events().iter().filter(|event| *event == "SecondFactorEnrolled").count(), 2);
    assert_eq!(shell.line("totp enroll nobody@example.com --pending --qr-png none.png").code, 3);
    assert!(!path("none.png").exists());
    assert_eq!(shell.line("totp enroll ann@example.com --pending --qr-png no/where.png").code, 69);
    assert_eq!(shell.line("totp enroll ann@example.com --pending --uri --qr-png two.png").code, 2);

    let read = |file: &str| phone::run("zbarimg", &["--quiet", "--raw", path(file).to_str().unwrap()]);
    let Some(png) = read("ann.png") else { return };
    assert!(png.starts_with("otpauth://totp/authd:ann%40example.com?secret="), "{png}");
    let drawn = [path("ann.svg"), path("svg.png")].map(|path| path.to_str().unwrap().to_owned());
    if phone::run("rsvg-convert", &[&drawn[0], "-o", &drawn[1]]).is_some() {
        let svg = read("svg.png").unwrap();
        assert!(svg.starts_with("otpauth://") && svg != png);
        // The newest is the one that counts, and oathtool computes its codes as any app does.
        let secret = svg.split(['=', '&']).nth(1).unwrap();
        let (now, app) = (now(), app_of(&svg));
        let at = format!("@{now}");
        let Some(code) = phone::run("oathtool", &["--totp", "--base32", "--now", &at, secret]) else {
            return;
        };
        assert_eq!(code, app.code_at(now));
        shell.confirm(&app);
        assert_eq!(shell.verify(&code).code, 0);
    }
}

#[test]
fn recovery_codes_are_made_anew_where_a_factor_is_on() {
    let (shell, _) = Shell::with_factor();
    let made = json(&shell.line("totp recovery-codes ann@example.com -o json").out);
    let codes = made["recovery_codes"].as_array().unwrap();
    assert_eq!((made["email"].as_str(), codes.len()), (Some(ANN), 10));
    let plain = shell.line("totp recovery-codes ann@example.com");
    assert_eq!((plain.code, plain.out.lines().count()), (0, 10), "{plain:?}");
    assert!(codes.iter().all(|code| !plain.out.contains(code.as_str().unwrap())), "the old ones die");
    assert_eq!(
        shell.line("totp recovery-codes ann@example.com -q").out.lines().count(),
        10,
        "-q doesn't swallow them"
    );
    let replaced = shell.world.events().iter().filter(|event| *event == "RecoveryCodesReplaced").count();
    assert_eq!(replaced, 3);

    shell.world.add_user("bob@example.com", &[]);
    shell.line("totp enroll bob@example.com --pending --uri");
    for line in ["totp recovery-codes bob@example.com", "totp recovery-codes nobody@example.com"] {
        let said = shell.line(line);
        assert_eq!((said.code, said.out.as_str()), (3, ""), "{said:?}");
    }
}

#[test]
fn a_check_is_that_of_a_login() {
    if !is_there("script") {
        return;
    }
    let (shell, app) = Shell::with_factor();
    let failures = || json(&shell.line("totp status ann@example.com -o json").out)["failures"].clone();
    let wrong = shell.verify(&wrong_code(&app));
    assert_eq!((wrong.code, wrong.out.as_str(), failures()), (5, "", 1.into()));
    assert!(
        wrong.err.starts_with("authctl: check_failed: the code is wrong, used or too old; "),
        "{wrong:?}"
    );
    let code = code_now(&app);
    let good = shell.run_with(&["totp", "verify", ANN, "--stdin", "-o", "json"], &format!("{code}\n"));
    assert_eq!((good.code, &json(&good.out)["good"], failures()), (0, &true.into(), 0.into()), "{good:?}");
    let replayed = shell.run_with(&["totp", "verify", ANN, "--stdin", "-o", "json"], &code);
    assert_eq!((replayed.code, &json(&replayed.out)["good"]), (5, &false.into()), "each step counts once");
    let by_us: Vec<_> = shell.world.audit().into_iter().rev().take(3).map(|line| line.event).collect();
    assert_eq!(by_us, ["LoginFailed", "SecondFactorChecked", "LoginFailed"]);

    let next = app.code_at(now() + 30);
    let mut typist = Typist::start(&shell, "./authctl totp verify ann@example.com");
    typist.wait_for(PROMPT);
    typist.type_in(&format!("{next}\n"));
    assert_eq!(typist.end().0, 0);
    assert_eq!(shell.line("totp verify ann@example.com").code, 2, "nobody can be asked");
    shell.world.add_user("bob@example.com", &[]);
    assert_eq!(shell.run_with(&["totp", "verify", "bob@example.com", "--stdin"], "123456").code, 3);
}

#[test]
fn a_factor_that_answers_no_more_is_named() {
    let (shell, app) = Shell::with_factor();
    for _ in 0..100 {
        let user = crate::world::user_ref(ANN);
        let code = authd::domain::secret::Secret::new(wrong_code(&app));
        let operator = crate::world::operator();
        assert!(
            authd::usecase::account::admin_two_factor::check_code(&shell.world.app, &operator, &user, &code)
                .is_err()
        );
    }
    let said = shell.verify(&code_now(&app));
    assert_eq!(said.code, 5);
    assert!(said.err.contains("run: authctl totp reset ann@example.com"), "{said:?}");
    assert_eq!(shell.line("totp reset ann@example.com --yes").code, 0);
    shell.world.advance(Duration::from_secs(1));
    assert!(shell.world.login(ANN).is_ok());
}
