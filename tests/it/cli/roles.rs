//! `role show`, `edit` and `delete`: what a role holds, and that it counts on the next request.

use super::prompts::Typist;
use super::{Shell, json};
use crate::missing::is_there;
use authd::domain::access::{Actor, OWN_PERMISSIONS};
use serde_json::json;
use std::time::Duration;

const ANN: &str = "ann@example.com";

/// A shell where Ann is an editor, who may write posts.
fn shell() -> Shell {
    let shell = Shell::new();
    shell.world.add_user(ANN, &["admin"]);
    shell.world.add_user("bob@example.com", &[]);
    assert_eq!(shell.line("role add editor --permission posts:write --description Writes").code, 0);
    assert_eq!(shell.line("role assign ann@example.com editor").code, 0);
    shell
}

fn permissions(shell: &Shell, role: &str) -> serde_json::Value {
    json(&shell.line(&format!("role show {role} -o json")).out)["permissions"].clone()
}

#[test]
fn a_role_is_shown() {
    let shell = shell();
    assert_eq!(
        shell.shown("role show editor"),
        "name          editor\ndescription   Writes\npermissions   posts:write\nmember_count  1\n\
         members       ann@example.com\n"
    );
    assert_eq!(shell.shown("role show editor -q"), "editor\n");
    assert_eq!(shell.line("role show nothing").code, 3);
    assert_eq!(shell.line("role show Editor").code, 1);
}

#[test]
fn an_edit_replaces_what_it_names_and_counts_on_the_next_request() {
    let shell = shell();
    let tokens = shell.world.login(ANN).unwrap();
    let may = |permission: &str| match shell.world.caller(&tokens).actor {
        Actor::User(user) => Actor::User(user).may(permission),
        _ => panic!("a user is signed in"),
    };
    assert!(may("posts:write") && !may("posts:read"));
    let said = shell.line("role edit editor --permission posts:read --permission tags:*");
    assert_eq!((said.code, said.err.as_str()), (0, "changed role editor\n"));
    assert!(!may("posts:write") && may("posts:read") && may("tags:any"));
    let edited = json(&shell.line("role edit editor --description Reads -o json").out);
    assert_eq!(
        edited,
        json!({"name": "editor", "description": "Reads", "permissions": ["posts:read", "tags:*"]})
    );

    let events = shell.world.events().len();
    let same = shell.line("role edit editor --permission tags:* --permission posts:read --permission tags:*");
    assert_eq!((same.code, same.err.as_str()), (0, "role editor is so already; nothing was changed\n"));
    assert_eq!(shell.world.events().len(), events);

    assert_eq!(shell.line("role edit editor --no-permissions").code, 0);
    assert_eq!(permissions(&shell, "editor"), json!([]));
    assert!(!may("posts:read"));
    let edits: Vec<_> = shell.world.audit().into_iter().filter(|line| line.event == "RoleEdited").collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        edits[0].details,
        [pair("role", "editor"), pair("added", "posts:read tags:*"), pair("removed", "posts:write")]
    );
    assert_eq!(edits[1].details, [pair("role", "editor"), pair("description", "changed")]);
    assert_eq!(edits.len(), 3);

    assert_eq!(shell.line("role edit nothing --no-permissions").code, 3);
    assert_eq!(shell.line("role edit editor --permission nonsense").code, 1);
    for line in ["role edit editor", "role edit editor --no-permissions --permission a:b"] {
        assert_eq!(shell.line(line).code, 2, "{line}");
    }
}

#[test]
fn those_who_have_a_role_are_shown_the_first_fifty_of_them() {
    let shell = shell();
    let ann = json(&shell.line("user show ann@example.com -o json").out)["id"].clone();
    let shown = |shell: &Shell| json(&shell.line("role show editor -o json").out);
    assert_eq!(shown(&shell)["members"], json!([{"id": ann, "email": ANN}]));
    for number in 0..51 {
        // An id begins with its time.
        shell.world.advance(Duration::from_millis(1));
        shell.world.add_user(&format!("u{number:02}@example.com"), &["editor"]);
    }
    let many = shown(&shell);
    assert_eq!((&many["member_count"], many["members"].as_array().unwrap().len()), (&json!(52), 50));
    assert_eq!(many["members"][49]["email"], "u48@example.com");
    let text = shell.shown("role show editor");
    assert!(text.contains("members       ann@example.com, u00@example.com, "), "{text}");
    assert!(text.ends_with(", u48@example.com, and 2 more\n"), "{text}");
    let tsv = shell.shown("role show editor -o tsv");
    assert!(tsv.contains("\t52\tann@example.com,u00@example.com,"), "{tsv}");
    assert!(!tsv.contains("more"), "{tsv}");
    shell.line("role add empty");
    assert_eq!(json(&shell.line("role show empty -o json").out)["members"], json!([]));
}

#[test]
fn permissions_come_and_go_one_by_one() {
    let shell = shell();
    let said = shell.line("role edit editor --add-permission tags:* --add-permission posts:read");
    assert_eq!((said.code, said.err.as_str()), (0, "changed role editor\n"));
    assert_eq!(permissions(&shell, "editor"), json!(["posts:read", "posts:write", "tags:*"]));
    let said = shell.line(
        "role edit editor --remove-permission posts:write --add-permission media:write --description Reads -o json",
    );
    let expected = json!(["media:write", "posts:read", "tags:*"]);
    assert_eq!(
        (&json(&said.out)["permissions"], &json(&said.out)["description"]),
        (&expected, &json!("Reads"))
    );

    let events = shell.world.events().len();
    let same = shell.line("role edit editor --add-permission posts:read --remove-permission posts:write");
    assert_eq!((same.code, same.err.as_str()), (0, "role editor is so already; nothing was changed\n"));
    let covered = shell.line("role edit editor --remove-permission tags:write");
    let says = "authctl: conflict: the role editor holds tags:write by tags:*; remove that one, too\n";
    assert_eq!((covered.code, covered.err.as_str()), (4, says));
    assert_eq!(shell.world.events().len(), events);
    let narrower = shell.line("role edit editor --remove-permission tags:* --add-permission tags:read");
    assert_eq!(narrower.code, 0, "{narrower:?}");
    assert_eq!(permissions(&shell, "editor"), json!(["media:write", "posts:read", "tags:read"]));

    let admin = shell.line("role edit admin --remove-permission users:read");
    assert_eq!(admin.code, 4, "{admin:?}");
    assert_eq!(shell.line("role edit admin --add-permission posts:read").code, 0);
    assert_eq!(shell.line("role edit admin --remove-permission posts:read").code, 0);
    for line in [
        "role edit editor --add-permission a:b --permission a:c",
        "role edit editor --remove-permission a:b --permission a:c",
        "role edit editor --remove-permission a:b --no-permissions",
        "role edit editor --remove-permission a:b --add-permission a:b",
    ] {
        assert_eq!(shell.line(line).code, 2, "{line}");
    }
    assert_eq!(shell.line("role edit editor --add-permission nonsense").code, 1);
    assert_eq!(shell.line("role edit nothing --add-permission a:b").code, 3);
}

/// What reads first and writes later loses what others have written in between.
#[test]
fn two_who_edit_a_role_at_once_keep_what_the_other_did() {
    let shell = shell();
    std::thread::scope(|scope| {
        for area in ["a", "b"] {
            let shell = &shell;
            scope.spawn(move || {
                for number in 0..8 {
                    let line = format!("role edit editor --add-permission {area}:act-{number}");
                    let said = shell.line(&line);
                    assert_eq!(said.code, 0, "{said:?}");
                }
            });
        }
    });
    assert_eq!(permissions(&shell, "editor").as_array().unwrap().len(), 17);
}

#[test]
fn the_built_in_role_keeps_what_it_has() {
    let shell = shell();
    let mut own = OWN_PERMISSIONS.to_vec();
    own.sort_unstable();
    assert_eq!(permissions(&shell, "admin"), json!(own));
    for line in [
        "role delete admin --yes",
        "role edit admin --no-permissions",
        "role edit admin --permission users:*",
        "role edit admin --description new --permission posts:write",
    ] {
        let said = shell.line(line);
        assert_eq!(said.code, 4, "{line}: {said:?}");
        assert!(said.err.starts_with("authctl: built_in_role: the role admin is built in"), "{said:?}");
    }
    assert_eq!(permissions(&shell, "admin"), json!(own));
    let mut args = vec!["role", "edit", "admin", "--permission", "posts:write"];
    args.extend(own.iter().flat_map(|permission| ["--permission", permission]));
    assert_eq!(shell.run(&args).code, 0, "it may hold more");
    assert_eq!(permissions(&shell, "admin").as_array().unwrap().len(), own.len() + 1);
}

#[test]
fn a_role_that_is_deleted_is_taken_from_everybody() {
    if !is_there("script") {
        return;
    }
    let shell = shell();
    shell.line("role assign bob@example.com editor");
    let tokens = shell.world.login(ANN).unwrap();
    let refused = shell.line("role delete editor");
    assert!(refused.code == 2 && refused.err.contains("--yes"), "{refused:?}");
    let ask = |answer: &str| {
        let mut typist = Typist::start(&shell, "./authctl role delete editor");
        typist.wait_for("Delete the role editor and take it from 2 users? [y/N] ");
        typist.type_in(answer);
        typist.end()
    };
    assert_eq!(ask("n\n").0, 1);
    assert_eq!(shell.line("role show editor").code, 0);
    let (code, seen) = ask("y\n");
    assert!(code == 0 && seen.contains("deleted role editor and took it from 2 users"), "{seen}");
    assert_eq!(shell.line("role show editor").code, 3);
    assert_eq!(json(&shell.line("user show bob@example.com -o json").out)["permissions"], json!([]));
    assert!(shell.world.is_signed_in(&tokens), "as when a role is taken from one");
    let Actor::User(ann) = shell.world.caller(&tokens).actor else { panic!("a user is signed in") };
    assert!(!Actor::User(ann).may("posts:write"));
    let last = shell.world.audit().into_iter().find(|line| line.event == "RoleDeleted").unwrap();
    assert_eq!(last.details[1], ("users".to_owned(), "2".to_owned()));
    assert_eq!(shell.line("role delete editor --yes").code, 3);
    shell.line("role add editor");
    assert_eq!(permissions(&shell, "editor"), json!([]), "nothing of the old one is left");
}

#[test]
fn more_than_a_token_carries_draws_a_warning() {
    let shell = shell();
    let many: Vec<String> = (0..70).map(|at| format!("--permission comments-and-more:action-{at}")).collect();
    let added = shell.line(&format!("role add moderator {}", many.join(" ")));
    assert!(added.err.contains("warning: a token carries 2048 bytes"), "{}", added.err);
    assert!(added.err.contains("will carry no permissions"), "{}", added.err);
    let edited = shell.line("role edit moderator --permission comments-and-more:*");
    assert_eq!((edited.code, edited.err.as_str()), (0, "changed role moderator\n"));
    let edited = shell.line(&format!("role edit moderator {}", many[..60].join(" ")));
    assert_eq!((edited.code, edited.err.as_str()), (0, "changed role moderator\n"), "what fits is let be");
    let edited = shell.line(&format!("role edit moderator {}", many.join(" ")));
    assert!(edited.err.contains("warning: a token carries"), "{}", edited.err);
    let assigned = shell.line("role assign ann@example.com moderator");
    assert!(assigned.err.contains("warning: a token carries"), "{}", assigned.err);
}
