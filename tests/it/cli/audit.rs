//! `audit tail`: the newest lines, a stream that follows, and what ends it.

use super::prompts::Typist;
use super::{Shell, json};
use crate::missing::is_there;
use crate::world::anonymous;
use authd::domain::access::{Actor, Service};
use authd::domain::api_key::ApiKeyName;
use authd::domain::caller::Caller;
use authd::domain::id::ApiKeyId;
use authd::domain::name::Name;
use authd::domain::role::Permission;
use authd::usecase::account::reference::UserRef;
use authd::usecase::account::{admin, me};
use authd::usecase::session::refresh::refresh;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};

fn follow(shell: &Shell, args: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let mut command = shell.command(&[&["audit", "tail", "-f"], args].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    (child, out)
}

fn next(out: &mut impl BufRead) -> String {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    line
}

#[test]
fn the_newest_lines_oldest_first() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &["admin"]);
    assert_eq!(
        shell.shown("audit tail -n 2"),
        "\
seq    at                    event                 actor                 user                  ip               details
3      0000-00-00T00:00:00Z  UserCreated           operator:olga         ann@example.com
4      0000-00-00T00:00:00Z  RoleAssigned          operator:olga         ann@example.com                        role=admin
"
    );
    let lines = shell.line("audit tail -o json").out;
    let last = json(lines.lines().last().unwrap());
    assert_eq!((&last["event"], &last["details"]["role"]), (&"RoleAssigned".into(), &"admin".into()));
    assert_eq!(shell.line("audit tail -q").out, "1\n2\n3\n4\n");
    assert_eq!(shell.shown("audit tail -n 1 -o tsv").lines().count(), 2);
}

#[test]
fn filters_by_event_user_and_time() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &["admin"]);
    shell.world.add_user("bob@example.com", &[]);
    let count = |line: &str| shell.line(line).out.lines().count();
    assert_eq!(count("audit tail -q --event UserCreated"), 2);
    assert_eq!(count("audit tail -q --user ann@example.com"), 2);
    assert_eq!(count("audit tail -q --since 2000-01-01T00:00:00Z"), 5);
    assert_eq!(count("audit tail -q --since 2000-01-01"), 5);
    assert_eq!(count("audit tail -q --since 2099-01-01"), 0);
    assert_eq!(count("audit tail -q --until 2000-01-01"), 0);
    assert_eq!(count("audit tail -q --until 2099-01-01"), 5);
    assert_eq!(shell.line("audit tail -f --until 2099-01-01").code, 2);
    // The database was made at the world's own, fixed time.
    assert_eq!(count("audit tail -q --event UserCreated --since 1h"), 2);
    assert_eq!(shell.line("audit tail --user nobody@example.com").code, 3);
    let nothing = shell.line("audit tail --event UserDeleted");
    assert_eq!((nothing.code, nothing.err.as_str()), (0, "no event matches\n"));
}

#[test]
fn several_events_come_in_their_order_and_no_more_than_were_asked_for() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &["admin"]);
    shell.world.add_user("bob@example.com", &[]);
    let tokens = shell.world.login("ann@example.com").unwrap();
    refresh(&shell.world.app, &anonymous(), tokens.refresh_token.expose()).unwrap();
    let all = shell.world.events();
    let of = |names: &[&str]| -> Vec<String> {
        let numbered = all.iter().enumerate().filter(|(_, event)| names.contains(&event.as_str()));
        numbered.map(|(at, _)| (at + 1).to_string()).collect()
    };
    let shown = |line: &str| -> Vec<String> { shell.line(line).out.lines().map(str::to_owned).collect() };
    let two = of(&["UserCreated", "RoleAssigned"]);
    assert_eq!(two.len(), 3);
    assert_eq!(shown("audit tail -q --event UserCreated --event RoleAssigned"), two);
    assert_eq!(shown("audit tail -q --event RoleAssigned --event UserCreated --event RoleAssigned"), two);
    assert_eq!(shown("audit tail -q -n 2 --event RoleAssigned --event UserCreated"), two[1..]);
    // One of them stands in no index.
    let three = of(&["UserCreated", "TokenRefreshed"]);
    assert_eq!(three.len(), 3);
    assert_eq!(shown("audit tail -q --event TokenRefreshed --event UserCreated"), three);
    let of_ann = shown("audit tail -q --user ann@example.com --event UserCreated --event TokenRefreshed");
    assert_eq!(of_ann, [three[0].clone(), three[2].clone()]);
    for misspelt in ["LoginFailled", "userCreated", "UserCreated,RoleAssigned"] {
        let said = shell.run(&["audit", "tail", "--event", misspelt]);
        assert_eq!((said.code, said.out.as_str()), (3, ""), "{said:?}");
        assert!(
            said.err.starts_with(&format!("authctl: not_found: there is no event {misspelt}")),
            "{said:?}"
        );
    }
}

#[test]
fn people_are_named_by_address_and_programs_get_ids() {
    let shell = Shell::new();
    let world = &shell.world;
    let ann = world.add_user("ann@example.com", &["admin"]);
    let gone = world.add_user("gone@example.com", &[]);
    let caller = world.caller(&world.login("ann@example.com").unwrap());
    let before = world.events().len();
    me::change(&world.app, &caller, &me::Change { name: Some(Name::parse("Ann").unwrap()) }).unwrap();
    admin::disable(&world.app, &caller, &UserRef::Id(gone.id)).unwrap();
    let key = ApiKeyId::new(world.now(), [7; 10]);
    let service = Service {
        key,
        name: ApiKeyName::parse("billing").unwrap(),
        permissions: vec![Permission::parse("users:write").unwrap()],
    };
    let by_key = Caller { actor: Actor::ApiKey(service), ..anonymous() };
    admin::enable(&world.app, &by_key, &UserRef::Id(gone.id)).unwrap();
    let lines = |args: &str| -> Vec<String> {
        let new = (world.events().len() - before).to_string();
        let out = shell.line(format!("audit tail -n {new} {args}").trim()).out;
        out.lines().map(str::to_owned).collect()
    };
    let shown = lines("");
    let ends = |line: &str, words: &[&str]| {
        line.split_whitespace().skip(2).take(words.len()).eq(words.iter().copied())
    };
    assert!(ends(&shown[1], &["ProfileChanged", "ann@example.com", "ann@example.com"]), "{shown:?}");
    assert!(ends(&shown[2], &["UserDisabled", "ann@example.com", "gone@example.com"]), "{shown:?}");
    assert!(ends(&shown[3], &["UserEnabled", "api_key:billing", "gone@example.com"]), "{shown:?}");
    let objects = lines("-o json");
    let second = json(&objects[1]);
    assert_eq!(second["actor"], format!("user:{}", ann.id));
    assert_eq!(second["user_id"], gone.id.to_string());
    assert_eq!(json(&objects[2])["actor"], format!("api_key:billing:{key}"));
    assert!(lines("-o tsv")[2].contains(&format!("\tuser:{}\t{}\t", ann.id, gone.id)));

    admin::delete(&world.app, &caller, &UserRef::Id(gone.id)).unwrap();
    let shown = lines("");
    assert!(ends(&shown[2], &["UserDisabled", "ann@example.com", &gone.id.to_string()]), "{shown:?}");
    // Found by the id that is left of them.
    assert!(shell.line(&format!("audit tail --user {} -q", gone.id)).out.lines().count() >= 4);
    let begun = &gone.id.to_string()[..35];
    assert!(shell.line(&format!("audit tail --user {begun} -q")).out.lines().count() >= 4);
}

#[test]
fn on_a_terminal_columns_keep_their_places_whatever_comes() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    let long = format!("{}@subdomain.example.com", "very.long.name".repeat(3));
    shell.world.add_user("ann@example.com", &["admin"]);
    for (width, event_at, details_at) in [(80, 12, 62), (120, 21, 88)] {
        let follow = format!("stty cols {width}; exec ./authctl audit tail -f -n 1 --color never");
        let mut typist = Typist::start(&shell, &follow);
        let header = typist.wait_for("details\r\n");
        assert!(header.starts_with("at (UTC)"), "{header:?}");
        assert_eq!(header.find("event"), Some(event_at));
        assert_eq!(header.len(), details_at);
        typist.wait_for("\r\n");
        shell.world.add_user(&long, &["admin"]);
        let created = typist.wait_for("RoleAssigned");
        let line = created.lines().next().unwrap();
        assert_eq!(line.find("UserCreated"), Some(event_at), "{line}");
        assert!(line.contains('…') && line.chars().count() <= width, "{line}");
        let rest = typist.wait_for("role=admin\r\n");
        let before: usize = created.lines().last().unwrap().chars().count();
        assert_eq!(before + "RoleAssigned".len() + rest.chars().count(), details_at, "{rest}");
        typist.type_in("\u{3}");
        assert_eq!(typist.end().0, 0);
        shell.line(&format!("user delete {long} --yes"));
    }
}

#[test]
fn the_head_is_never_broken_at_80_columns() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    let head = shell.line("audit verify -q").out;
    let (code, seen) = Typist::start(&shell, "stty cols 80; ./authctl audit verify").end();
    assert_eq!(code, 0, "{seen}");
    assert!(seen.lines().any(|line| line.trim_end() == format!("head  {}", head.trim_end())), "{seen}");
    assert!(seen.contains('│') && seen.contains("true"), "{seen}");
    let (code, seen) = Typist::start(&shell, "stty cols 80; ./authctl db backup b.db").end();
    let head = seen.lines().find_map(|line| line.trim_end().strip_prefix("head  "));
    assert!(code == 0 && !seen.contains("audit_head"), "{seen}");
    assert_eq!(shell.line(&format!("audit verify --head {}", head.unwrap())).code, 0, "{seen}");
}

#[test]
fn events_have_the_colours_of_what_they_mean() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    assert!(shell.world.login_with("ann@example.com", "wrong").is_err());
    shell.line("user disable ann@example.com");
    let out = shell.line("audit tail -n 3 --color always").out;
    for coloured in ["\u{1b}[33mLoginFailed\u{1b}[0m", "\u{1b}[31mUserDisabled\u{1b}[0m", "  UserCreated  "] {
        assert!(out.contains(coloured), "{out:?}");
    }
    assert!(!shell.line("audit tail").out.contains('\u{1b}'));
    let mut command = shell.command(&["audit", "tail"]);
    command.env("NO_COLOR", "1");
    assert!(!super::said(command).out.contains('\u{1b}'));
}

#[test]
fn a_stream_shows_what_happens_and_ends_quietly_when_its_reader_goes() {
    let shell = Shell::new();
    let (child, mut out) = follow(&shell, &["-n", "1", "-o", "json"]);
    assert_eq!(json(&next(&mut out))["event"], "SigningKeyCreated");
    shell.world.add_user("ann@example.com", &[]);
    assert_eq!(json(&next(&mut out))["event"], "UserCreated");
    shell.line("user disable ann@example.com");
    assert_eq!(json(&next(&mut out))["event"], "UserDisabled");
    // Nobody reads any more: that is the end, though nothing happens that could be written.
    drop(out);
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}

#[test]
fn an_interrupted_stream_is_no_failure() {
    let shell = Shell::new();
    for signal in [Signal::INT, Signal::TERM] {
        let (child, mut out) = follow(&shell, &["-n", "1"]);
        let header = next(&mut out);
        assert!(header.starts_with("seq    at "), "{header}");
        kill_process(Pid::from_child(&child), signal).unwrap();
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()), "{signal:?}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let shell = Shell::new();
    for i in 0..20 {
        shell.world.add_user(&format!("user{i}@example.com"), &[]);
    }
    // `true` reads nothing; the exit codes come by stderr.
    let script = "{ ./authctl audit tail -n 1000 -o tsv; echo $? >&2; } | true; \
                  { ./authctl user list --help; echo $? >&2; } | true";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script]).current_dir(&shell.world.folder).env_clear().envs(shell.environment());
    let said = super::said(command);
    assert_eq!(said.err, "0\n0\n");
}
