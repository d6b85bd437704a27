//! Every read command in every format, as it is printed off a terminal.

use super::prompts::Typist;
use super::{Shell, json};
use crate::missing::is_there;

/// Two users, a role, a session and a mail.
fn populated() -> Shell {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &["admin"]);
    assert_eq!(shell.run(&["user", "add", "bob@example.com", "--name", "Bob \u{202e}B", "--invite"]).code, 0);
    assert_eq!(shell.line("role add editor --permission posts:write --description writes").code, 0);
    assert_eq!(shell.line("role assign bob@example.com editor").code, 0);
    shell.world.login("ann@example.com").unwrap();
    shell
}

#[test]
fn a_name_that_would_turn_the_line_around_is_escaped_in_every_format() {
    let shell = populated();
    assert_eq!(
        shell.shown("user list"),
        "\
id                                    email            name           roles   state       last_login_at
00000000-0000-0000-0000-000000000001  ann@example.com                 admin   active      0000-00-00T00:00:00Z
00000000-0000-0000-0000-000000000002  bob@example.com  Bob \\u{202e}B  editor  unverified
"
    );
    assert_eq!(
        shell.shown("user list -o tsv"),
        "id\temail\tname\troles\tstate\tlast_login_at\n\
         00000000-0000-0000-0000-000000000001\tann@example.com\t\tadmin\tactive\t0000-00-00T00:00:00Z\n\
         00000000-0000-0000-0000-000000000002\tbob@example.com\tBob \\u{202e}B\teditor\tunverified\t\n"
    );
    assert_eq!(
        shell.shown("user list -q"),
        "00000000-0000-0000-0000-000000000001\n00000000-0000-0000-0000-000000000002\n"
    );
    let listed = shell.shown("user list -o json --query BOB");
    assert!(listed.contains(r#""name": "Bob \u202eB""#), "{listed}");
    let one = shell.shown("user show bob@example.com");
    assert!(one.lines().any(|line| line == r"name            Bob \u{202e}B"), "{one}");
}

#[test]
fn user_filters_and_pages() {
    let shell = populated();
    let emails = |line: &str| -> Vec<String> {
        let listed = json(&shell.line(line).out);
        listed.as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(emails("user list -o json --state unverified"), ["bob@example.com"]);
    assert_eq!(emails("user list -o json --role admin"), ["ann@example.com"]);
    assert_eq!(emails("user list -o json --state disabled"), [""; 0]);
    let first = shell.line("user list -o json --limit 1");
    assert_eq!(json(&first.out)[0]["email"], "ann@example.com");
    let again = first.err.trim().strip_prefix("there are more: authctl user list -o json --limit 1 --after ");
    let cursor = again.unwrap();
    assert_eq!(emails(&format!("user list -o json --limit 1 --after {cursor}")), ["bob@example.com"]);
    assert_eq!(shell.line("user list --after nonsense").code, 1);
}

#[test]
fn an_id_names_a_user_as_well_as_an_address() {
    let shell = populated();
    let id = shell.line("user list -q --query ann").out;
    assert_eq!(
        shell.line(&format!("user show {}", id.trim())).out,
        shell.line("user show ANN@example.com").out
    );
}

#[test]
fn roles_in_every_format() {
    let shell = populated();
    assert_eq!(shell.shown("role list -q"), "admin\neditor\n");
    let tsv = shell.shown("role list -o tsv");
    assert!(tsv.starts_with("name\tdescription\tpermissions\nadmin\t"), "{tsv}");
    assert!(tsv.ends_with("\neditor\twrites\tposts:write\n"), "{tsv}");
    let listed = json(&shell.line("role list -o json").out);
    let editor =
        serde_json::json!({"name": "editor", "description": "writes", "permissions": ["posts:write"]});
    assert_eq!(listed[1], editor);
    let table = shell.shown("role list");
    assert!(table.ends_with("\neditor  writes               posts:write\n"), "{table}");
}

#[test]
fn sessions_in_every_format() {
    let shell = populated();
    assert_eq!(
        shell.shown("token list"),
        "\
id                                    email            last_used_at          expires_at            ended_at  ip         user_agent
00000000-0000-0000-0000-000000000001  ann@example.com  0000-00-00T00:00:00Z  0000-00-00T00:00:00Z            192.0.2.7  test/1
"
    );
    assert_eq!(
        shell.shown("token list --user ann@example.com -o tsv"),
        "id\temail\tlast_used_at\texpires_at\tended_at\tip\tuser_agent\n\
         00000000-0000-0000-0000-000000000001\tann@example.com\t0000-00-00T00:00:00Z\t0000-00-00T00:00:00Z\t\t192.0.2.7\ttest/1\n"
    );
    let listed = json(&shell.line("token list -o json").out);
    assert_eq!((&listed[0]["ip"], &listed[0]["ended_at"]), (&"192.0.2.7".into(), &serde_json::Value::Null));
    assert_eq!(shell.line("token list --user bob@example.com -q").out, "");
    assert_eq!(shell.line("token revoke --all --yes").code, 0);
    assert_eq!(
        (
            shell.line("token list -q").out.lines().count(),
            shell.line("token list --all -q").out.lines().count()
        ),
        (0, 1)
    );
}

#[test]
fn mails_in_every_format() {
    let shell = populated();
    assert_eq!(
        shell.shown("mail list --state queued"),
        "\
id                                    to               kind        subject          state   created_at
00000000-0000-0000-0000-000000000001  bob@example.com  invitation  You are invited  queued  0000-00-00T00:00:00Z
"
    );
    assert_eq!(shell.shown("mail list --state failed -o json"), "[]\n");
    let id = shell.line("mail list -q").out;
    let show = |format: &str| shell.line(&format!("mail show {} {format}", id.trim()));
    let shown = show("-o table").out;
    assert!(shown.contains("to          bob@example.com\n"), "{shown}");
    assert!(shown.contains("\n\nHello,\n\n") && shown.contains("token=authd_pr_"), "{shown}");
    let opened = json(&show("-o json").out);
    assert!(opened["body"].as_str().unwrap().contains("token=authd_pr_"));
    assert_eq!(opened["state"], "queued");
    let tsv = show("-o tsv").out;
    assert_eq!(tsv.lines().count(), 2, "{tsv}");
    assert!(tsv.contains("Hello,\\n\\n"), "{tsv}");
}

#[test]
fn the_database_on_a_file_in_every_format() {
    let shell = populated();
    let status = json(&shell.line("db status -o json").out);
    assert_eq!(status["rows"]["users"], 2);
    assert_eq!(status["schema_version"], status["schema_current"]);
    assert!(status["database_bytes"].as_u64().unwrap() > 0);
    let table = shell.shown("db status");
    assert!(table.starts_with("database        DIR/authd.db\nkey_file        DIR/authd.key\n"), "{table}");
    assert_eq!(shell.line("db status -o tsv").out.lines().count(), 2);
    let check = shell.line("db check");
    assert_eq!(
        (check.code, check.out.as_str(), shell.stable(&check.err).as_str()),
        (0, "", "DIR/authd.db is whole\n")
    );
    assert_eq!(json(&shell.line("db check -o json").out), serde_json::json!({"ok": true, "problems": []}));
}

#[test]
fn settings_and_where_they_come_from() {
    let shell = populated();
    std::fs::write(shell.world.folder.join("authd.toml"), "registration = \"closed\"\n").unwrap();
    let show = shell.shown("config show -o tsv");
    for row in [
        "key\tvalue\torigin\n",
        "registration\tclosed\tfile authd.toml:1\n",
        "password.argon2_memory_kib\t8\tenvironment AUTHD_PASSWORD__ARGON2_MEMORY_KIB\n",
        "tokens.access_ttl\t15m\tdefault\n",
    ] {
        assert!(show.contains(row), "{row} is not in {show}");
    }
    let database = |said: &str| {
        let settings = json(said);
        settings.as_array().unwrap().iter().find(|row| row["key"] == "database").unwrap().clone()
    };
    let flagged = database(&shell.line("config show -o json --database other.db").out);
    assert_eq!(flagged["origin"], "flag --database");
    assert_eq!(shell.stable(flagged["value"].as_str().unwrap()), "DIR/other.db");
    let check = shell.line("config check");
    assert_eq!((check.code, check.out.as_str()), (0, ""));
    assert!(check.err.ends_with("\nthe configuration is right (authd.toml)\n"), "{check:?}");
}

#[test]
fn colour_only_where_it_is_asked_for() {
    let shell = populated();
    assert!(!shell.line("user list").out.contains('\u{1b}'));
    assert!(shell.line("user list --color always").out.contains("\u{1b}["));
    // JSON and TSV are for programs.
    assert!(!shell.line("user list --color always -o tsv").out.contains('\u{1b}'));
    assert!(!shell.line("user list --color always -o json").out.contains('\u{1b}'));
}

#[test]
fn an_empty_list_is_said_to_be_empty_where_a_person_looks() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    let (code, seen) = Typist::start(&shell, "./authctl apikey list").end();
    assert_eq!((code, seen.trim()), (0, "there is nothing to list"));
    let plain = shell.line("apikey list");
    assert!(plain.out.starts_with("name ") && plain.err.is_empty(), "{plain:?}");
}
