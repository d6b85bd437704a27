//! Import and export of authd's own format: nothing is lost on the way, one bad line spoils nothing, and a
//! second run changes nothing.

use crate::authenticator::Authenticator;
use crate::world::{PASSWORD, World, anonymous, operator, user_ref};
use authd::cli::terminal::csv;
use authd::domain::access::Actor;
use authd::domain::caller::Caller;
use authd::domain::password::Password;
use authd::domain::secret::Secret;
use authd::error::{Error, Refusal};
use authd::ports::progress::Progress;
use authd::usecase::account::{admin, roles, two_factor};
use authd::usecase::app::App;
use authd::usecase::operator::export;
use authd::usecase::operator::import as importing;
use authd::usecase::operator::import::{
    Entry, Format, ImportMode, Input, Options, Outcome, Passwords, Summary, UnusableHash,
};
use authd::usecase::operator::transfer_format::{Contents, Line, columns};
use authd::usecase::signin::factor::Factor;
use authd::usecase::signin::login::LoggedIn;
use authd::usecase::signin::second_factor;
use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use serde_json::{Value, json};

const ANN: &str = "ann@example.com";

/// What an import came to.
#[derive(Debug)]
pub struct Kept {
    pub summary: Summary,
    pub entries: Vec<Entry>,
}

impl Kept {
    pub fn created(&self) -> Vec<&str> {
        let made = self.entries.iter().filter(|entry| matches!(entry.outcome, Outcome::Created(_)));
        made.map(|entry| entry.email.as_deref().unwrap()).collect()
    }

    pub fn failed(&self) -> Vec<(u64, &'static str)> {
        let failed = self.entries.iter().filter_map(|entry| match &entry.outcome {
            Outcome::Failed(problem) => Some((entry.line, problem.code)),
            _ => None,
        });
        failed.collect()
    }

    pub fn notes(&self) -> Vec<(u64, &'static str)> {
        let notes = self.entries.iter().flat_map(|entry| match &entry.outcome {
            Outcome::Created(notes) => notes.iter().map(|note| (entry.line, note.code)).collect(),
            _ => Vec::new(),
        });
        notes.collect()
    }
}

pub fn options(format: Format) -> Options {
    Options {
        format,
        mode: ImportMode::Write,
        unusable_hash: UnusableHash::Refuse,
        passwords: Passwords::AsTheyAre,
        domain: None,
        firebase: None,
        plain: csv::plain,
    }
}

pub fn import_into(app: &App, options: &Options, mut text: &[u8]) -> Kept {
    let mut entries = Vec::new();
    let input = Input { source: &mut text, progress: &Progress::default() };
    let summary =
        importing::import(app, &operator(), input, options, &mut |entry| entries.push(entry)).unwrap();
    let count =
        |wanted: fn(&Outcome) -> bool| entries.iter().filter(|entry| wanted(&entry.outcome)).count() as u64;
    let counted = Summary {
        created: count(|outcome| matches!(outcome, Outcome::Created(_))),
        skipped: count(|outcome| matches!(outcome, Outcome::Skipped)),
        failed: count(|outcome| matches!(outcome, Outcome::Failed(_))),
        weak_hashes: summary.weak_hashes,
    };
    assert_eq!(counted, summary);
    Kept { summary, entries }
}

pub fn import(world: &World, format: Format, text: &str) -> Kept {
    import_into(&world.app, &options(format), text.as_bytes())
}

pub fn exported(app: &App, contents: Contents) -> Vec<Line> {
    export::begin(app, &operator(), contents).unwrap();
    let (mut lines, mut after) = (Vec::new(), None);
    loop {
        let (page, next) = export::page(app, &operator(), contents, after).unwrap();
        lines.extend(page);
        after = next;
        if after.is_none() {
            return lines;
        }
    }
}

fn text(app: &App, format: Format, contents: Contents) -> String {
    let lines = exported(app, contents);
    match format {
        Format::Csv => {
            let rows = lines.iter().map(|line| csv::line(line.cells()));
            std::iter::once(csv::line(columns(contents))).chain(rows).collect()
        }
        _ => lines.iter().map(|line| Value::Object(line.object.clone()).to_string() + "\n").collect(),
    }
}

/// Somebody with a second factor and one recovery code spent; gives the app and a code that is left.
fn ann_with_two_factors(world: &World) -> (Authenticator, Secret<String>) {
    world.add_user(ANN, &["admin"]);
    let caller = world.caller(&world.login(ANN).unwrap());
    let setup = two_factor::setup(&world.app, &caller).unwrap();
    let app = Authenticator::new(setup.secret.expose());
    let code = Secret::new(app.code_at(world.now().as_secs()));
    let codes = two_factor::enable(&world.app, &caller, &code).unwrap().codes;
    second_step(world, &Factor::RecoveryCode(codes[0].clone())).unwrap();
    (app, codes[1].clone())
}

fn second_step(world: &World, factor: &Factor) -> Result<(), Error> {
    let LoggedIn::SecondStep(ticket, _) = world.first_step(&anonymous(), ANN, PASSWORD)? else {
        panic!("the password alone was enough")
    };
    second_factor::verify(&world.app, &anonymous(), ticket.expose(), factor).map(drop)
}

/// Everybody there can be: with and without name, roles, password, second factor.
fn populated() -> World {
    let world = World::new();
    let editor = authd::domain::role::RoleName::parse("editor").unwrap();
    let role =
        authd::domain::role::Role { name: editor, description: String::new(), permissions: Vec::new() };
    roles::add(&world.app, &operator(), &role).unwrap();
    ann_with_two_factors(&world);
    world.advance(std::time::Duration::from_millis(1_234));
    world.add_user("Bob+x@example.com", &["admin", "editor"]);
    let (of, made) = (user_ref("Bob+x@example.com"), Password::new("made2-for3-bob4-alone5").unwrap());
    admin::set_password(&world.app, &operator(), &of, &made, admin::Term::Temporary).unwrap();
    let public_key = BASE64URL_NOPAD.encode(&crate::passkey_rows::public_key());
    let extra = json!({"email": "'=cmd@bücher.example", "name": "=Eve, \"the\" \u{202e}one\\n",
        "disabled": true, "created_at": "2001-02-03T04:05:06.789Z", "roles": ["admin", "editor"],
        "identities": [
            {"provider": "acme", "issuer": "https://idp.example/\"a,b\"", "subject": "=1+1 '\\u{202e}ü",
             "email": "eve@bücher.example", "linked_at": "2001-02-03T04:05:06.789Z",
             "last_used_at": "2002-02-03T04:05:06.789Z", "granted_roles": ["editor"]},
            {"provider": "github", "issuer": "https://github.com", "subject": "42"}],
        "passkeys": [
            {"rp_id": "auth.example.com", "credential_id": "Y3JlZGVudGlhbC0x", "user_handle": "aGFuZGxl",
             "public_key": public_key, "name": "=1+1 'ü\u{202e}",
             "sign_count": 4_294_967_295_u32, "backup_eligible": true, "backed_up": true,
             "transports": ["hybrid", "usb"], "created_at": "2001-02-03T04:05:06.789Z",
             "last_used_at": "2002-02-03T04:05:06.789Z"},
            {"rp_id": "auth.example.com", "credential_id": "Y3JlZGVudGlhbC0y", "user_handle": "aGFuZGxl",
             "public_key": public_key}]});
    assert_eq!(import(&world, Format::Jsonl, &extra.to_string()).summary.created, 1);
    world
}

/// An empty authd, with the roles that `populated` has.
fn empty() -> World {
    let world = World::new();
    let editor = authd::domain::role::RoleName::parse("editor").unwrap();
    let role =
        authd::domain::role::Role { name: editor, description: String::new(), permissions: Vec::new() };
    roles::add(&world.app, &operator(), &role).unwrap();
    world
}

/// What of the table `users` doesn't travel under its own name: it follows from another column.
const FOLLOWS: [&str; 1] = ["email_key"];

#[test]
fn every_column_of_an_account_travels() {
    let world = populated();
    let stored = world.database().columns("users");
    let written = columns(Contents::WithCredentials);
    let lost = |name: &&String| !written.contains(&name.as_str()) && !FOLLOWS.contains(&name.as_str());
    assert_eq!(stored.iter().find(lost), None, "export and import it: see docs/adding.md, A column");
    // Only what somebody has is shown to arrive by the round trip below.
    let lines = exported(&world.app, Contents::WithCredentials);
    let empty = |name: &&&str| lines.iter().all(|line| line.object[**name].is_null());
    assert_eq!(written.iter().find(empty), None, "give somebody in `populated` a value of it");
}

#[test]
fn export_import_and_export_again_gives_the_same_bytes() {
    let world = populated();
    for format in [Format::Jsonl, Format::Csv] {
        for contents in [Contents::Profile, Contents::WithCredentials] {
            let first = text(&world.app, format, contents);
            let other = empty();
            let kept = import(&other, format, &first);
            assert_eq!(kept.summary, Summary { created: 3, ..Summary::default() }, "{kept:?}");
            let mut expected = first;
            if contents == Contents::Profile {
                // What couldn't travel is gone, and was said to be.
                assert_eq!(
                    kept.notes().iter().map(|(_, code)| *code).collect::<Vec<_>>(),
                    ["second_factor_lost", "second_factor_lost"]
                );
                let changes: &[_] = match format {
                    Format::Csv => &[("admin,true,", "admin,false,"), ("editor,true,", "editor,false,")],
                    _ => &[(r#""two_factor":true"#, r#""two_factor":false"#)],
                };
                for (on, off) in changes {
                    assert!(expected.contains(on), "{expected}");
                    expected = expected.replace(on, off);
                }
            }
            assert_eq!(text(&other.app, format, contents), expected);
            // Once more: everybody is there, and nothing changes.
            let again = import(&other, format, &expected);
            assert_eq!(again.summary, Summary { skipped: 3, ..Summary::default() });
        }
    }
}

#[test]
fn a_second_factor_travels_with_what_of_it_is_spent() {
    let world = World::new();
    let (app, code) = ann_with_two_factors(&world);
    let file = text(&world.app, Format::Jsonl, Contents::WithCredentials);
    let other = World::new();
    other.clock.set(world.now());
    assert_eq!(import(&other, Format::Jsonl, &file).created(), [ANN]);
    let shown = |world: &World| Factor::Code(Secret::new(app.code_at(world.now().as_secs())));
    assert_eq!(
        second_step(&other, &shown(&other)).unwrap_err(),
        Refusal::InvalidCode.into(),
        "its step is spent"
    );
    second_step(&other, &Factor::RecoveryCode(code.clone())).unwrap();
    assert_eq!(second_step(&other, &Factor::RecoveryCode(code)).unwrap_err(), Refusal::InvalidCode.into());
    other.advance(std::time::Duration::from_secs(30));
    second_step(&other, &shown(&other)).unwrap();
}

#[test]
fn one_bad_line_spoils_nothing() {
    let world = World::new();
    let long = format!(r#"{{"email": "long@example.com", "name": "{}"}}"#, "x".repeat(64 * 1024));
    let name = "x".repeat(201);
    let lines = [
        "\u{feff}{\"email\": \"one@example.com\"}",
        "",
        "not json",
        "[]",
        r#"{"email": 7}"#,
        r#"{"name": "Nobody"}"#,
        r#"{"email": "nobody"}"#,
        r#"{"email": "a@example.com", "emailVerified": true}"#,
        r#"{"email": "a@example.com", "created_at": "yesterday"}"#,
        r#"{"email": "a@example.com", "id": "42"}"#,
        r#"{"email": "a@example.com", "roles": ["ghost"]}"#,
        r#"{"email": "a@example.com", "roles": ["A ghost"]}"#,
        &format!(r#"{{"email": "a@example.com", "name": "{name}"}}"#),
        r#"{"email": "a@example.com", "totp_secret": "AAAA"}"#,
        r#"{"email": "a@example.com", "recovery_codes": ["00"]}"#,
        &long,
        r#"{"email": "ONE@example.com"}"#,
        r#"{"email": "two@example.com"}"#,
    ];
    let kept = import(&world, Format::Jsonl, &lines.join("\r\n"));
    assert_eq!(kept.created(), ["one@example.com", "two@example.com"]);
    let expected = [
        (3, "malformed"),
        (4, "malformed"),
        (5, "malformed"),
        (6, "malformed"),
        (7, "invalid_email"),
        (8, "malformed"),
        (9, "malformed"),
        (10, "malformed"),
        (11, "unknown_role"),
        (12, "unknown_role"),
        (13, "invalid_name"),
        (14, "malformed"),
        (15, "malformed"),
        (16, "too_long"),
    ];
    assert_eq!(kept.failed(), expected);
    assert_eq!(kept.summary.skipped, 1);
    let imported: Vec<_> = world.audit().into_iter().filter(|line| line.event == "UserImported").collect();
    assert_eq!(imported.len(), 2);
    assert_eq!(imported[0].details, [("from".to_owned(), "jsonl".to_owned())]);
    assert_eq!(imported[0].actor, "operator:olga");
}

#[test]
fn a_message_shows_no_secret_of_the_file() {
    let world = World::new();
    for line in [
        r#"{"email": "a@example.com", "password_hash": "hunter2"}"#,
        r#"{"email": "a@example.com", "password_hash": ["hunter2"]}"#,
        r#"{"email": "a@example.com", "totp_secret": "hunter2"}"#,
        r#"{"email": "a@example.com", "recovery_codes": ["hunter2"]}"#,
        r#"{"email": "a@example.com", "password_hash": "hunter2"#,
    ] {
        let kept = import(&world, Format::Jsonl, line);
        let said = format!("{kept:?}");
        assert!(kept.summary.failed == 1 && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn an_id_that_somebody_else_has_is_refused() {
    let world = World::new();
    let ann = world.add_user(ANN, &[]);
    let line = |email: &str| json!({"id": ann.id.to_string(), "email": email}).to_string();
    assert_eq!(import(&world, Format::Jsonl, &line("bob@example.com")).failed(), [(1, "id_taken")]);
    assert_eq!(import(&world, Format::Jsonl, &line(ANN)).summary.skipped, 1);
    let fresh = World::new();
    let twice = [line("bob@example.com"), line("eve@example.com")].join("\n");
    let dry = Options { mode: ImportMode::DryRun, ..options(Format::Jsonl) };
    for options in [dry, options(Format::Jsonl)] {
        assert_eq!(import_into(&fresh.app, &options, twice.as_bytes()).failed(), [(2, "id_taken")]);
    }
}

#[test]
fn a_dry_run_says_what_a_run_does_and_changes_nothing() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let users = text(&world.app, Format::Jsonl, Contents::Profile);
    let before = world.events().len();
    // Over several transactions, with somebody who comes twice, far apart.
    let mut lines: Vec<String> =
        (0..1_200).map(|number| format!(r#"{{"email": "u{number}@example.com"}}"#)).collect();
    lines.extend(
        [r#"{"email": "U7@example.com"}"#, r#"{"email": "ann@example.com"}"#, "{}"].map(str::to_owned),
    );
    let file = lines.join("\n");
    let dry = import_into(
        &world.app,
        &Options { mode: ImportMode::DryRun, ..options(Format::Jsonl) },
        file.as_bytes(),
    );
    assert_eq!(world.events().len(), before);
    assert_eq!(text(&world.app, Format::Jsonl, Contents::Profile), users);
    assert!(dry.entries.iter().all(|entry| entry.id.is_none()));
    let run = import(&world, Format::Jsonl, &file);
    assert_eq!(run.summary, Summary { created: 1_200, skipped: 2, failed: 1, weak_hashes: 0 });
    assert_eq!(dry.summary, run.summary);
    let told = |kept: &Kept| -> Vec<String> {
        kept.entries
            .iter()
            .map(|entry| format!("{} {:?} {:?}", entry.line, entry.email, entry.outcome))
            .collect()
    };
    assert_eq!(told(&dry), told(&run));
}

#[test]
fn only_who_may_change_users_imports_and_takes_hashes_out() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let ann = world.caller(&world.login(ANN).unwrap());
    assert!(matches!(ann.actor, Actor::User(_)));
    let forbidden = |error: Error| matches!(error, Error::Refused(Refusal::Forbidden { .. }));
    let import = |caller: &Caller| {
        let input = Input { source: &mut &b"{}"[..], progress: &Progress::default() };
        importing::import(&world.app, caller, input, &options(Format::Jsonl), &mut |_| {}).unwrap_err()
    };
    assert!(forbidden(import(&ann)));
    for contents in [Contents::Profile, Contents::WithCredentials] {
        assert!(forbidden(export::begin(&world.app, &ann, contents).unwrap_err()));
        assert!(forbidden(export::page(&world.app, &ann, contents, None).unwrap_err()));
    }
    assert!(!world.events().contains(&"CredentialsExported".into()));
    exported(&world.app, Contents::Profile);
    assert!(!world.events().contains(&"CredentialsExported".into()));
    exported(&world.app, Contents::WithCredentials);
    assert!(world.events().contains(&"CredentialsExported".into()));
}

#[test]
fn csv_is_read_by_its_header_line() {
    let world = World::new();
    let file = "name,email,email_verified\n\"Ann \"\"A\"\" Lee\",ann@example.com,TRUE\n,bob@example.com,\nx,y\n\
        ,eve@example.com,perhaps\n";
    let kept = import(&world, Format::Csv, file);
    assert_eq!(kept.created(), [ANN, "bob@example.com"]);
    assert_eq!(kept.failed(), [(4, "malformed"), (5, "malformed")]);
    let lines = exported(&world.app, Contents::Profile);
    let ann = lines.iter().find(|line| line.object["email"] == ANN).unwrap();
    assert_eq!(ann.object["name"], "Ann \"A\" Lee");
    assert!(ann.object["email_verified_at"].is_string());
    for header in ["", "name\n", "email,mail\n", "email,email\n"] {
        let input = Input { source: &mut header.as_bytes(), progress: &Progress::default() };
        let refused = importing::import(&world.app, &operator(), input, &options(Format::Csv), &mut |_| {});
        assert!(matches!(refused, Err(Error::Refused(Refusal::Invalid(_)))), "{header:?}: {refused:?}");
    }
    let open = format!("email\nzoe@example.com\n\"{}", "x".repeat(1 << 20));
    let kept = import(&world, Format::Csv, &open);
    assert_eq!((kept.created(), kept.failed()), (vec!["zoe@example.com"], vec![(3, "unreadable")]));
}

const FORMATS: [Format; 7] = Format::ALL;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_name_and_address_survives_both_forms(
        people in prop::collection::vec(
            ("[a-z=+@'{}!-]{0,8}", r#"[\PC ,"'=+\-@\\]{0,40}"#, any::<bool>()),
            1..6,
        ),
    ) {
        let world = World::new();
        let file: Vec<String> = people.iter().map(|(local, name, verified)| {
            let email = format!("{local}@example.com");
            json!({"email": email, "name": name, "email_verified": verified}).to_string()
        }).collect();
        let kept = import(&world, Format::Jsonl, &file.join("\n"));
        prop_assert!(kept.failed().iter().all(|(_, code)| *code == "invalid_email"), "{:?}", kept);
        for format in [Format::Jsonl, Format::Csv] {
            let first = text(&world.app, format, Contents::WithCredentials);
            let other = World::new();
            prop_assert_eq!(import(&other, format, &first).summary.created, kept.summary.created);
            prop_assert_eq!(text(&other.app, format, Contents::WithCredentials), first);
        }
    }

    #[test]
    fn no_bytes_bring_the_reader_down(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        like in r#"[\[\]{}":,$a-z0-9=\\ \n]{0,200}"#,
        hash in r#"(\$2b\$|\$apr1\$|\$5\$|\$6\$rounds=|pbkdf2_sha256\$|scrypt\$|\$scrypt\$ln=|\$argon2id\$|\{SHA\}|bcrypt_sha256\$)[0-9a-z$=,/.+]{0,90}"#,
    ) {
        let world = World::new();
        let users = [
            json!({"email": "a@example.com", "password_hash": hash, "password": hash, "fields": {
                "email": "b@example.com", "password": hash}}).to_string(),
            format!("a@example.com:{hash}"),
        ];
        let (lines, list) = (users.join("\n"), format!("[{}]", users[0]));
        let texts = [bytes, like.into_bytes(), lines.into_bytes(), list.into_bytes()];
        for format in FORMATS {
            for text in &texts {
                let dry = Options { mode: ImportMode::DryRun, ..options(format) };
                let mut each = |_| {};
                // A CSV file whose first line is nonsense is refused; nothing else is an error.
                let input = Input { source: &mut text.as_slice(), progress: &Progress::default() };
                let read = importing::import(&world.app, &operator(), input, &dry, &mut each);
                prop_assert!(read.is_ok() || format == Format::Csv, "{:?}: {:?}", format, read);
            }
        }
    }
}

#[test]
fn a_password_that_must_be_changed_stays_such_a_one_and_an_import_can_ask_for_it() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let made = Password::new("made2-for3-ann4-alone5").unwrap();
    let bob = "bob@example.com";
    world.add_user(bob, &[]);
    admin::set_password(&world.app, &operator(), &user_ref(bob), &made, admin::Term::Temporary).unwrap();
    let file = text(&world.app, Format::Jsonl, Contents::WithCredentials);

    let asks = |world: &World, email: &str, password: &str| {
        matches!(world.first_step(&anonymous(), email, password), Ok(LoggedIn::PasswordChange(_)))
    };
    let plain = World::new();
    import_into(&plain.app, &options(Format::Jsonl), file.as_bytes());
    assert!(!asks(&plain, ANN, PASSWORD) && asks(&plain, bob, made.expose()));
    plain.advance(std::time::Duration::from_secs(7 * 86_400));
    assert!(plain.first_step(&anonymous(), bob, made.expose()).is_err(), "its end came along");

    let asking = World::new();
    let must = Options { passwords: Passwords::MustChange, ..options(Format::Jsonl) };
    import_into(&asking.app, &must, file.as_bytes());
    asking.advance(std::time::Duration::from_secs(365 * 86_400));
    assert!(asks(&asking, ANN, PASSWORD), "she knows it, and comes when she comes");
    assert!(asking.first_step(&anonymous(), bob, made.expose()).is_err());

    let without = World::new();
    import_into(&without.app, &must, json!({"email": ANN}).to_string().as_bytes());
    let line = &exported(&without.app, Contents::WithCredentials)[0];
    assert_eq!(line.object["password_must_change"], json!(false), "there is no password to change");
}
