//! Lists: on a terminal within its width, whatever they hold; elsewhere whole and of any length; ids by their
//! beginning; and names in filters that nobody has.

use super::prompts::Typist;
use super::{Said, Shell, json};
use crate::missing::is_there;
use crate::world::{PASSWORD, anonymous};
use authd::domain::email::Email;
use authd::domain::name::Name;
use authd::domain::password::Password;
use authd::usecase::account::register::{Registration, register};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const ROLES: [&str; 5] = ["accounting", "editor", "moderator", "support-lead", "warehouse"];

/// 30 letters.
fn address(number: usize) -> String {
    format!("maximiliana.{number:06}@example.com")
}

/// Imports so many users of long addresses and names, each with all roles.
fn import(shell: &Shell, users: usize, members: &str) {
    let lines = (0..users).fold(String::new(), |mut lines, number| {
        let (email, name) = (address(number), format!("Maximiliana von und zu Hohenstein {number:06}"));
        writeln!(lines, r#"{{"email":"{email}","name":"{name}","email_verified":true{members}}}"#).unwrap();
        lines
    });
    let said = shell.run_with(&["import", "-", "--format", "jsonl"], &lines);
    assert_eq!(said.code, 0, "{said:?}");
}

fn done(said: Said) -> Said {
    assert_eq!(said.code, 0, "{said:?}");
    said
}

/// Rows of every kind, as long as they may well be.
fn populated() -> Shell {
    let shell = Shell::new();
    let permissions: Vec<String> =
        (0..25).flat_map(|n| ["--permission".to_owned(), format!("area-{n:02}:write")]).collect();
    for role in ROLES {
        let mut args =
            vec!["role", "add", role, "--description", "Whoever looks after what others have left"];
        args.extend(permissions.iter().map(String::as_str));
        done(shell.run(&args));
    }
    import(&shell, 60, &format!(r#","roles":["{}"]"#, ROLES.join(r#"",""#)));
    let mut args = vec!["apikey", "add", "billing-service-of-the-second-floor", "--ttl", "90d"];
    args.extend(permissions.iter().map(String::as_str));
    done(shell.run(&args));
    done(shell.run(&["apikey", "add", "ci"]));
    done(shell.run(&["key", "rotate"]));
    for number in 0..3 {
        done(shell.run(&["user", "reset-link", &address(number)]));
        done(shell.run(&["user", "passwd", &address(number), "--invite"]));
        done(shell.run(&["token", "mint", &address(number)]));
        let new = Registration {
            email: Email::parse(&format!("hildegard.{number:08}@example.com")).unwrap(),
            password: Password::new(PASSWORD).unwrap(),
            name: Name::parse("Hildegard von und zu Hohenstein-Sigmaring").unwrap(),
        };
        register(&shell.world.app, &anonymous(), &new).unwrap();
    }
    shell
}

/// What a terminal of so many columns shows.
fn screen(shell: &Shell, columns: usize, line: &str) -> String {
    let (code, seen) =
        Typist::start(shell, &format!("stty cols {columns} rows 24; NO_COLOR=1 ./authctl {line}")).end();
    assert_eq!(code, 0, "{line}: {seen}");
    seen.replace('\r', "")
}

const LISTS: [(&str, &str); 9] = [
    // All of them: those of one millisecond come in any order, so that she may not be among the first fifty.
    ("user list --limit 60", "maximiliana.000001@example.com"),
    ("token list", "maximiliana.000001@example.com"),
    ("mail list", "maximiliana.000001@example.com"),
    ("registration list", "hildegard.00000001@example.com"),
    ("apikey list", "billing-service-of-the-second-floor"),
    ("key list", "verifying"),
    ("role list", "support-lead"),
    ("config show", "argon2_memory_kib"),
    ("doctor", "configuration"),
];

#[test]
fn lists_are_tables_within_the_terminal() {
    if !is_there("script") {
        return;
    }
    let shell = populated();
    for (list, whole) in LISTS {
        for columns in [40, 80, 120] {
            let shown = screen(&shell, columns, list);
            let table: Vec<&str> =
                shown.lines().filter(|line| line.starts_with(['┌', '│', '╞', '└'])).collect();
            let widest = table.iter().map(|line| line.chars().count()).max().unwrap_or(0);
            assert!(widest <= columns, "{list} is {widest} wide on {columns}:\n{shown}");
            let begins = table.iter().filter(|line| line.starts_with('┌')).count();
            assert_eq!(begins, 1, "{list} on {columns} is more than one table:\n{shown}");
            assert!(columns < 80 || shown.contains(whole), "{list} on {columns} breaks {whole}:\n{shown}");
        }
    }
}

#[test]
fn an_imports_report_is_within_the_terminal() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    let line = format!(r#"{{"email":"{}","email_verified":true,"two_factor":true}}"#, address(1));
    std::fs::write(shell.world.folder.join("users.jsonl"), line + "\n").unwrap();
    let script = "stty cols 80; NO_COLOR=1 ./authctl import users.jsonl --format jsonl --dry-run 2> says.txt";
    let (code, seen) = Typist::start(&shell, script).end();
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains(&address(1)) && seen.contains("second_factor_lost"), "{seen}");
    assert!(seen.replace('\r', "").lines().all(|line| line.chars().count() <= 80), "{seen}");
}

#[test]
fn a_terminal_says_what_it_left_out_and_a_pipe_leaves_nothing_out() {
    if !is_there("script") {
        return;
    }
    let shell = populated();
    let narrow = screen(&shell, 80, "user list --limit 2");
    // How long an id must be to be told from others decides whether that or the name gives way.
    let said = ["name", "id"]
        .map(|column| format!("no room for {column}, last_login_at; use a wider terminal, or -o json"));
    assert!(said.iter().any(|said| narrow.contains(said)), "{narrow}");
    let wide = screen(&shell, 160, "user list --limit 2");
    assert!(!wide.contains("no room") && wide.contains("last_login_at"), "{wide}");
    let piped = shell.shown("user list --limit 2");
    assert!(piped.starts_with("id ") && piped.lines().next().unwrap().ends_with("last_login_at"), "{piped}");
    assert!(piped.contains("00000000-0000-0000-0000-000000000001  maximiliana."), "{piped}");
}

#[test]
fn a_mail_stands_on_one_line_at_80_columns() {
    if !is_there("script") {
        return;
    }
    let shell = populated();
    let mails = screen(&shell, 80, "mail list");
    let count = shell.line("mail list -q").out.lines().count();
    assert_eq!(mails.lines().filter(|line| line.starts_with('│')).count(), count + 1, "{mails}");
    assert!(mails.contains(" invitation ") && mails.contains("no room for subject"), "{mails}");
}

#[test]
fn every_colour_can_be_read_on_white_and_on_black() {
    let shell = populated();
    shell.world.add_user("ann@example.com", &[]);
    assert!(shell.world.login_with("ann@example.com", "wrong").is_err());
    done(shell.line("user disable ann@example.com"));
    let mut seen = BTreeSet::new();
    for line in [
        "user list --query ann@",
        "user list --limit 1",
        "doctor",
        "mail list",
        "key list",
        "audit tail -n 1000",
    ] {
        let out = shell.line(&format!("{line} --color always")).out;
        let codes = out.split("\u{1b}[").skip(1).filter_map(|rest| rest.split_once('m'));
        seen.extend(codes.map(|(code, _)| code.to_owned()));
    }
    // Bold, three dark colours (1 red, 2 green, 3 yellow), and the end of each.
    let readable = ["1", "31", "32", "33", "38;5;1", "38;5;2", "38;5;3", "0", "39", "49"];
    let bright: Vec<_> = seen.iter().filter(|code| !readable.contains(&code.as_str())).collect();
    assert!(bright.is_empty(), "{bright:?}");
    assert!(["38;5;2", "38;5;3", "33", "31"].iter().all(|code| seen.contains(*code)), "{seen:?}");
}

#[test]
fn as_much_of_an_id_as_a_terminal_shows_names_its_row() {
    if !is_there("script") {
        return;
    }
    let shell = populated();
    for (list, columns, show) in [
        ("user list --limit 60", 160, "user show"),
        ("mail list", 160, "mail show"),
        ("token list", 160, "token revoke --id"),
        ("registration list", 160, "registration delete --yes"),
    ] {
        let shown = screen(&shell, columns, list);
        let ids: Vec<&str> = shown
            .lines()
            .filter_map(|line| line.strip_prefix("│ "))
            .filter_map(|line| line.split(' ').next())
            .filter(|id| id.starts_with("01"))
            .collect();
        assert!(ids.len() > 2 && ids.iter().all(|id| (8..36).contains(&id.len())), "{list}: {ids:?}");
        for id in ids.iter().take(5) {
            done(shell.line(&format!("{show} {id}")));
        }
    }
    let kid = shell.line("key list -o json").out;
    let kid = json(&kid)[0]["kid"].as_str().unwrap()[..8].to_owned();
    assert_eq!(shell.line(&format!("key retire {kid}")).code, 0);
}

#[test]
fn a_beginning_of_several_ids_is_refused_with_those_that_have_it() {
    let shell = Shell::new();
    import(&shell, 8, "");
    let id = shell.line("user list -q --limit 1").out;
    let said = shell.line(&format!("user disable {}", &id[..8]));
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
    assert!(said.err.starts_with("authctl: ambiguous: several users' ids begin with "), "{said:?}");
    let lines: Vec<&str> = said.err.lines().collect();
    assert_eq!((lines.len(), lines[6]), (7, "  and others"), "{said:?}");
    let (candidate, email) = lines[2].trim().split_once("  ").unwrap();
    assert!(email.starts_with("maximiliana."), "{said:?}");
    let shown = json(&done(shell.line(&format!("user show {candidate} -o json"))).out);
    assert_eq!(shown["email"], email);
    assert_eq!(shell.line("user list --state disabled -q").out, "");
    for unknown in ["0000", "ffffffff", "019", "019A", "ann"] {
        assert_eq!(shell.line(&format!("user show {unknown}")).code, 3, "{unknown}");
    }
}

#[test]
fn every_list_goes_on_where_it_says() {
    let shell = populated();
    for list in ["user", "role", "token", "apikey", "key", "mail", "registration"] {
        let line = format!("{list} list");
        let whole = done(shell.line(&format!("{line} -q"))).out;
        assert_eq!(done(shell.line(&format!("{line} --all -q"))).out, whole, "{list}");
        let mut said = done(shell.line(&format!("{line} -q --limit 1")));
        let mut pages = said.out.clone();
        while let Some((_, command)) = said.err.trim().split_once("there are more: authctl ") {
            said = done(shell.line(command));
            pages += &said.out;
        }
        assert_eq!(pages, whole, "{list}");
        assert!(whole.lines().count() > 1, "{list}");
        assert_eq!(shell.line(&format!("{line} --limit 1 --all")).code, 2, "{list}");
        assert_eq!(shell.line(&format!("{line} --after nonsense")).code, 1, "{list}");
    }
}

#[test]
fn ended_sessions_are_listed_where_they_are_asked_for() {
    let shell = populated();
    done(shell.line(&format!("token revoke --user {} --yes", address(0))));
    let count = |flags: &str| done(shell.line(&format!("token list -q{flags}"))).out.lines().count();
    assert_eq!((count(""), count(" --ended"), count(" --all"), count(" --ended --limit 1")), (2, 3, 3, 1));
}

#[test]
fn a_list_of_many_pages_is_one_document_one_table_and_all_ids() {
    let shell = Shell::new();
    import(&shell, 1_200, "");
    let users = json(&done(shell.line("user list -o json")).out);
    let emails: BTreeSet<&str> =
        users.as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap()).collect();
    assert_eq!(emails.len(), 1_200);
    let table = done(shell.line("user list")).out;
    assert_eq!((table.lines().count(), table.matches("last_login_at").count()), (1_201, 1));
    assert_eq!(done(shell.line("user list -o tsv")).out.lines().count(), 1_201);
    assert_eq!(shell.line("user list --role admin -o json").out, "[]\n");
    if is_there("script") {
        let screen = screen(&shell, 80, "user list");
        assert_eq!(screen.matches("@example.com").count(), 50);
        assert!(screen.contains("there are more: authctl user list --after "), "{screen}");
    }
}

#[test]
fn the_example_of_the_help_deletes_three_thousand_users() {
    let shell = Shell::new();
    shell.world.add_user("root@example.com", &["admin"]);
    import(&shell, 3_000, r#","disabled":true"#);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "./authctl user list --state disabled -q | xargs ./authctl user delete --yes"]);
    command.current_dir(&shell.world.folder).env_clear().envs(shell.environment());
    let said = super::said(command);
    assert_eq!(said.code, 0, "{}", said.err.lines().last().unwrap_or_default());
    assert_eq!(shell.line("user list").out.lines().count(), 2);
}

#[test]
fn a_filter_that_names_nobody_says_so_and_whom_it_may_mean() {
    let shell = populated();
    for (line, meant) in [
        ("user list --role edtor", "editor"),
        ("user list --role Editor", "editor"),
        ("token list --user maximiliana.000001@exmaple.com", "maximiliana.000001@example.com"),
        ("token revoke --user maximilana.000001@example.com --yes", "maximiliana.000001@example.com"),
        ("audit tail --user maximiliano.000001@example.com", "maximiliana.000001@example.com"),
        ("apikey revoke cj", "ci"),
    ] {
        let said = shell.line(line);
        assert_eq!((said.code, said.out.as_str()), (3, ""), "{line}: {said:?}");
        assert!(said.err.starts_with("authctl: not_found: "), "{line}: {said:?}");
        assert!(said.err.ends_with(&format!("; did you mean {meant}?\n")), "{line}: {said:?}");
    }
    let problem = json(&shell.line("user list --role edtor -o json").err);
    assert_eq!(problem["code"], "not_found");
    assert!(problem["detail"].as_str().unwrap().ends_with("did you mean editor?"), "{problem}");
    let nobody = shell.line("user list --role billing");
    assert_eq!(nobody.code, 3);
    assert!(!nobody.err.contains("did you mean"), "{nobody:?}");
}

#[test]
fn a_jti_that_no_session_can_have_given_is_not_found() {
    let shell = populated();
    let long_ago = shell.line("token revoke --jti 01890000-0000-7000-8000-000000000000");
    assert_eq!(long_ago.code, 3, "{long_ago:?}");
    let token = done(shell.line(&format!("token mint {}", address(0)))).out;
    let inspect = ["token", "inspect", "--stdin", "-o", "json"];
    let jti = json(&shell.run_with(&inspect, &token).out)["jti"].as_str().unwrap().to_owned();
    done(shell.line(&format!("token revoke --jti {jti}")));
    assert_eq!(shell.run_with(&inspect, &token).code, 5);
}
