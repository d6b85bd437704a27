//! What changes: in the database, on stdout for programs, on stderr for people, in the audit log.

use super::{Shell, json};
use crate::database::Value;
use authd::cli::operator::login_name;
use std::fs;

#[test]
fn a_user_s_life() {
    let shell = Shell::new();
    shell.world.add_user("root@example.com", &["admin"]);
    let added = shell.run_with(
        &["user", "add", "ann@example.com", "--name", "Ann", "--verified", "--password-stdin", "-o", "json"],
        "correct horse battery staple\n",
    );
    assert_eq!(added.code, 0, "{added:?}");
    assert_eq!(
        shell.stable(&added.err),
        "created user ann@example.com 00000000-0000-0000-0000-000000000001\n"
    );
    let user = json(&added.out);
    assert_eq!((&user["name"], &user["email_verified"]), (&"Ann".into(), &true.into()));
    let tokens = shell.world.login("ann@example.com").unwrap();

    let disabled = shell.line("user disable ann@example.com");
    assert_eq!(
        (disabled.code, disabled.out.as_str(), disabled.err.as_str()),
        (0, "", "disabled ann@example.com\n")
    );
    assert!(!shell.world.is_signed_in(&tokens), "it counts on the next request");
    assert!(shell.world.login("ann@example.com").is_err());
    assert_eq!(shell.line("user disable ann@example.com").code, 0, "done already is done");

    let enabled = json(&shell.line("user enable ann@example.com -o json").out);
    assert_eq!(enabled[0]["disabled"], false);
    assert!(shell.world.login("ann@example.com").is_ok());

    let deleted = shell.line("user delete ann@example.com --yes");
    assert_eq!((deleted.code, deleted.err.as_str()), (0, "deleted ann@example.com\n"));
    assert_eq!(shell.line("user show ann@example.com").code, 3);
    let by_us: Vec<_> =
        shell.world.audit().into_iter().filter(|line| line.actor.starts_with("operator:")).collect();
    let me = format!("operator:{}", login_name());
    let events: Vec<_> =
        by_us.iter().filter(|line| line.actor == me).map(|line| line.event.as_str()).collect();
    assert_eq!(events, ["UserCreated", "UserDisabled", "UserEnabled", "UserDeleted"]);
}

#[test]
fn several_are_changed_all_or_none() {
    let shell = Shell::new();
    for (name, roles) in [("ann", &["admin"][..]), ("bob", &["admin"]), ("cyd", &[])] {
        shell.world.add_user(&format!("{name}@example.com"), roles);
    }
    let before = everything(&shell);
    let refused = |line: &str, code: i32, says: &str| {
        let said = shell.line(line);
        assert_eq!((said.code, said.out.as_str()), (code, ""), "{line}: {said:?}");
        assert_eq!(said.err, format!("authctl: {says}\n"), "{line}");
        assert_eq!(everything(&shell), before, "{line}");
    };
    let nobody = "not_found: there is no user eve@example.com, fay@example.com; `authctl user list` shows who is there";
    for verb in ["disable", "enable", "unlock", "delete --yes"] {
        let line = format!("user {verb} cyd@example.com eve@example.com ann@example.com fay@example.com");
        refused(&line, 3, nobody);
    }
    // Each alone could go.
    let last = "last_admin: this is the last enabled admin; give another user the role first: `authctl role assign USER \
                admin`";
    for verb in ["disable", "delete --yes"] {
        refused(&format!("user {verb} cyd@example.com ann@example.com bob@example.com"), 4, last);
    }
    refused(
        "role assign cyd@example.com admin nothing",
        3,
        "not_found: there is no role nothing; `authctl role list` shows those there are",
    );
    // However often somebody is named, it is done once.
    let said = shell.line("user delete --yes cyd@example.com CYD@example.com -q");
    assert_eq!((said.code, said.err.as_str()), (0, "deleted cyd@example.com\n"), "{said:?}");
}

fn everything(shell: &Shell) -> Vec<(String, Value)> {
    // Where lines wait to be sealed, whoever reads the log has that done, and changes nothing by it.
    shell.world.audit();
    shell.world.database().everything()
}

/// A command that brings something about, as which it was before the second time.
const AGAIN: [&str; 14] = [
    "user add ann@example.com --invite --if-not-exists",
    "user edit ann@example.com --name Ann --verified",
    "user disable bob@example.com",
    "user enable ann@example.com",
    "user disable ann@example.com bob@example.com",
    "user enable ann@example.com bob@example.com",
    "user unlock ann@example.com bob@example.com",
    "role edit editor --permission posts:read --description Reads",
    "role assign ann@example.com editor",
    "role assign ann@example.com editor admin",
    "role unassign ann@example.com editor",
    "token revoke --user ann@example.com --yes",
    "token revoke --all --yes",
    "totp reset ann@example.com --yes",
];

/// Others that find nothing to do, the first time already.
const NOTHING_TO_DO: [&str; 4] =
    ["db init", "db migrate", "audit prune --keep 30d --yes", "apply wanted.toml --prune --yes"];

#[test]
fn what_is_so_already_is_said_and_changes_nothing() {
    let shell = Shell::new();
    for name in ["ann", "bob", "root"] {
        shell.world.add_user(&format!("{name}@example.com"), &["admin"]);
        shell.world.login(&format!("{name}@example.com")).unwrap();
    }
    for line in ["role add editor", "user add eve@example.com --invite"] {
        assert_eq!(shell.line(line).code, 0, "{line}");
    }
    fs::write(shell.world.folder.join("wanted.toml"), "[[api_keys]]\nname = \"ci\"\n").unwrap();
    assert_eq!(shell.line("apikey add ci").code, 0);
    let unchanged = |line: &str| {
        let before = everything(&shell);
        let said = shell.line(line);
        assert_eq!(said.code, 0, "{line}: {said:?}");
        let notes: Vec<&str> = said.err.lines().filter(|line| line.contains("nothing was changed")).collect();
        assert!(!notes.is_empty(), "{line}: {said:?}");
        assert_eq!(everything(&shell), before, "{line}: {said:?}");
    };
    for line in AGAIN {
        assert_eq!(shell.line(line).code, 0, "{line}");
        unchanged(line);
    }
    for line in NOTHING_TO_DO {
        unchanged(line);
    }
    assert_eq!(shell.line("db prune").code, 0);
    unchanged("db prune");
    let session = shell.world.login("ann@example.com").unwrap().session;
    assert_eq!(shell.line(&format!("token revoke --id {session}")).code, 0);
    unchanged(&format!("token revoke --id {session}"));
    let kid = shell.line("key list -q").out;
    assert_eq!(shell.line("key rotate").code, 0);
    unchanged(&format!("key retire {}", kid.trim()));
    let mail = shell.line("mail list -q").out;
    unchanged(&format!("mail retry {}", mail.lines().next().unwrap()));
}

/// What is gone can't go once more, and what is there not come once more.
#[test]
fn what_can_not_be_done_twice_is_refused_and_changes_nothing() {
    let shell = Shell::new();
    shell.world.add_user("root@example.com", &["admin"]);
    for (line, code) in [
        ("user add ann@example.com --invite", 4),
        ("user delete ann@example.com --yes", 3),
        ("role add editor", 4),
        ("role delete editor --yes", 3),
        ("apikey add ci", 4),
        ("apikey revoke ci", 3),
        ("config init", 4),
        ("db backup b.db", 4),
    ] {
        assert_eq!(shell.line(line).code, 0, "{line}");
        let before = everything(&shell);
        let again = shell.line(line);
        assert_eq!(again.code, code, "{line}: {again:?}");
        assert_eq!(everything(&shell), before, "{line}");
    }
}

#[test]
fn if_not_exists_changes_nothing_and_asks_for_nothing() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    // No password is given and nobody can be asked: there is nothing to do with one.
    let said = shell.line("user add ANN@example.com --name Other --if-not-exists");
    let note = "user ann@example.com exists already; nothing was changed\n";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "", note));
    assert_eq!(json(&shell.line("user add ann@example.com --if-not-exists -o json").out)["name"], "");
    assert_eq!(shell.line("user add ann@example.com --invite").code, 4);
}

#[test]
fn roles_are_given_and_taken() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &["admin"]);
    let added =
        json(&shell.line("role add editor --permission posts:write --permission posts:read -o json").out);
    assert_eq!(added["permissions"], serde_json::json!(["posts:read", "posts:write"]));
    let assigned = shell.line("role assign ann@example.com editor");
    assert_eq!((assigned.code, assigned.err.as_str()), (0, "gave editor to ann@example.com\n"));
    assert_eq!(shell.line("role assign ann@example.com editor").code, 0, "done already is done");
    let unassigned = json(&shell.line("role unassign ann@example.com editor -o json").out);
    assert_eq!(unassigned["roles"], serde_json::json!(["admin"]));
    assert_eq!(shell.line("role assign ann@example.com editor nothing").code, 3);
    assert_eq!(
        json(&shell.line("user show ann@example.com -o json").out)["roles"],
        serde_json::json!(["admin"])
    );
    assert_eq!(shell.line("role add editor").code, 4);
    assert_eq!(shell.line("role add Editor").code, 1);
    assert_eq!(shell.line("role add poster --permission posts").code, 1);
}

#[test]
fn the_last_admin_stays() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &["admin"]);
    for line in [
        "user disable ann@example.com",
        "user delete ann@example.com --yes",
        "role unassign ann@example.com admin",
    ] {
        let said = shell.line(line);
        assert_eq!(said.code, 4, "{line}: {said:?}");
        assert!(said.err.starts_with("authctl: last_admin: "), "{said:?}");
    }
}

#[test]
fn what_is_revoked_is_dead_at_once() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    let login = || shell.world.login("ann@example.com").unwrap();

    let by_id = login();
    let said = shell.line(&format!("token revoke --id {}", by_id.session));
    assert_eq!((said.code, said.err.as_str()), (0, "ended 1 session\n"));
    assert!(!shell.world.is_signed_in(&by_id));
    let again = shell.line(&format!("token revoke --id {}", by_id.session));
    assert_eq!((again.code, again.err.as_str()), (0, "nothing was alive; nothing was changed\n"));

    let by_token = login();
    let said = shell.run_with(&["token", "revoke", "--token-stdin"], by_token.access_token.expose());
    assert_eq!((said.code, said.err.as_str()), (0, "revoked it\n"));
    assert!(!shell.world.is_signed_in(&by_token));

    let (one, two) = (login(), login());
    let said = shell.line("token revoke --user ann@example.com --yes -o json");
    assert_eq!(
        json(&said.out)["revoked"].as_u64(),
        Some(3),
        "the session of the revoked token lives on till here"
    );
    assert!(!shell.world.is_signed_in(&one) && !shell.world.is_signed_in(&two));

    assert_eq!(shell.line("token revoke --id 00000000-0000-0000-0000-000000000000").code, 3);
    assert_eq!(shell.line("token revoke --jti nonsense").code, 1);
}

#[test]
fn inspect_says_what_is_wrong_with_a_token() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    let tokens = shell.world.login("ann@example.com").unwrap();
    let inspect = |token: &str| shell.run_with(&["token", "inspect", "--stdin", "-o", "json"], token);

    let good = inspect(&format!("  {}\n", tokens.access_token.expose()));
    let facts = json(&good.out);
    assert_eq!((good.code, &facts["active"], &facts["kind"]), (0, &true.into(), &"access_token".into()));
    assert_eq!(facts["session_id"], tokens.session.to_string());
    let lists = ["amr", "roles", "permissions", "omitted"].map(|name| facts[name].clone());
    assert_eq!(
        lists,
        [serde_json::json!(["pwd"]), serde_json::json!([]), serde_json::json!([]), serde_json::json!([])]
    );
    let members = |said: &super::Said| {
        json(&said.out).as_object().unwrap().keys().map(String::to_owned).collect::<Vec<_>>()
    };
    let refresh = inspect(tokens.refresh_token.expose());
    assert_eq!((refresh.code, members(&refresh)), (0, members(&good)));
    assert_eq!(json(&refresh.out)["roles"], serde_json::Value::Null, "it carries none");
    assert_eq!(members(&inspect("nonsense")), members(&good));

    shell.line("user disable ann@example.com");
    let dead = inspect(tokens.access_token.expose());
    assert_eq!((dead.code, &json(&dead.out)["active"]), (5, &false.into()));
    assert!(dead.err.contains("the token is not good: its user is disabled or gone; "), "{dead:?}");
    assert_eq!(inspect("nonsense").code, 5);
}

#[test]
fn init_on_a_file_makes_what_is_missing_once() {
    let shell = Shell::new();
    let init = shell.line("db init --database sub/new.db -o json");
    assert_eq!(init.code, 0, "{init:?}");
    let made = json(&init.out);
    let created = serde_json::json!({"database": true, "key_file": true, "signing_key": true});
    assert_eq!(made["created"], created);
    assert!(
        shell
            .stable(&init.err)
            .starts_with("database  DIR/sub/new.db (new)\nkey file  DIR/sub/authd.key (new)\n")
    );
    let modes = |path: &str| {
        let metadata = std::fs::metadata(shell.world.folder.join(path)).unwrap();
        std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777
    };
    assert_eq!((modes("sub"), modes("sub/new.db"), modes("sub/authd.key")), (0o700, 0o600, 0o600));
    let again = shell.line("db init --database sub/new.db -o json");
    assert_eq!((again.code, &json(&again.out)["created"]["database"]), (0, &false.into()));
}

#[test]
fn a_configuration_is_begun_and_never_overwritten() {
    let shell = Shell::new();
    let path = shell.world.folder.join("authd.toml");
    assert_eq!(shell.line("config init").code, 0);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("#listen = \"127.0.0.1:8080\""), "{text}");
    assert_eq!(shell.line("config check").code, 0);
    assert_eq!(shell.line("config init").code, 4);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    // What `authctl config init > authd.toml` comes to.
    std::fs::write(&path, "").unwrap();
    assert_eq!(shell.line("config init").code, 0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}
