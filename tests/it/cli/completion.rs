//! Completion in real shells: each reads its script, is asked to complete a line, and asks the program.

use super::{Shell, said};
use crate::missing::missing;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A shell to type in, with people, roles and a registration to be offered.
fn world() -> Shell {
    let shell = Shell::new();
    for email in
        ["ann@example.com", "anton@example.com", "bob@example.com", "an`id`@example.com", "an|sh@example.com"]
    {
        shell.world.add_user(email, &[]);
    }
    shell.world.register("waiting@example.com").unwrap();
    shell.world.work_off();
    for line in [
        "role add editor --permission posts:read --permission posts:write --permission drafts:* --description $(id)",
        "apikey add billing",
        "apikey add backup",
    ] {
        assert_eq!(shell.line(line).code, 0, "{line}");
    }
    shell.world.login("ann@example.com").unwrap();
    shell.world.advance(Duration::from_millis(2));
    shell.world.login("bob@example.com").unwrap();
    shell
}

impl Shell {
    /// What `interpreter` offers for a line, by a driver that prints each word on a line of its own.
    fn offered(&self, interpreter: &[&str], driver: &str, line: &str) -> Option<Vec<String>> {
        if Command::new(interpreter[0]).args(["-c", "true"]).output().is_err() {
            missing(interpreter[0]);
            return None;
        }
        let script = self.run(&["completion", interpreter[0]]);
        assert_eq!(script.code, 0, "{script:?}");
        fs::write(self.world.folder.join("script"), script.out).unwrap();
        fs::write(self.world.folder.join("driver"), driver).unwrap();
        let path = format!("{}:{}", self.world.folder.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new(interpreter[0]);
        shell.args(&interpreter[1..]).args(["driver", line]).current_dir(&self.world.folder).env_clear();
        shell.envs(self.environment()).env("PATH", path).env("HOME", &self.world.folder).env("TERM", "dumb");
        shell.stdin(Stdio::null());
        let said = said(shell);
        assert_eq!(said.err, "", "{line}");
        Some(said.out.lines().map(str::to_owned).collect())
    }

    /// As [`Shell::offered`], but names alone, without what stands beside them after `between`.
    fn names(&self, interpreter: &[&str], driver: &str, line: &str, between: char) -> Option<Vec<String>> {
        let name = |line: String| line.split(between).next().unwrap().to_owned();
        Some(self.offered(interpreter, driver, line)?.into_iter().map(name).collect())
    }

    /// What a command lists, one id a line, as a shell joins it.
    fn ids(&self, line: &str) -> String {
        self.line(line).out.trim().replace('\n', " ")
    }

    fn in_bash(&self, line: &str) -> Option<Vec<String>> {
        self.offered(&["bash", "--norc"], BASH, line)
    }
}

/// Takes the line apart as bash does before it calls a completion function: at blanks and at
/// `COMP_WORDBREAKS`. What it replaces, the second argument, begins after the last of them, or with it if
/// that is an `@`.
const BASH: &str = r#"
. ./script
COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDBREAKS=$' \t\n"\'@><=;|&(:'
COMP_WORDS=() word=
for ((at = 0; at < ${#COMP_LINE}; at++)); do
    c=${COMP_LINE:at:1}
    case $c in
    ' ') [[ -n $word ]] && COMP_WORDS+=("$word"); word= ;;
    [@=:]) [[ -n $word ]] && COMP_WORDS+=("$word"); COMP_WORDS+=("$c"); word= ;;
    *) word+=$c ;;
    esac
done
COMP_WORDS+=("$word")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
function=$(complete -p authctl | sed 's/.*-F \([^ ]*\) .*/\1/')
last=${COMP_LINE##* }
case $last in
*@*) replaced=@${last##*@} ;;
*) replaced=${last##*[=:]} ;;
esac
$function authctl "$replaced" "${COMP_WORDS[COMP_CWORD - 1]}"
[[ ${#COMPREPLY[@]} -eq 0 ]] || printf '%s\n' "${COMPREPLY[@]}"
"#;

/// What the completion system would show, printed instead.
const ZSH: &str = r#"
compdef() { :; }
_describe() { print -rl -- "${(@P)3}"; }
. ./script
words=("${(@s: :)1}") CURRENT=$#words
_authctl
"#;

const FISH: &str = "source ./script\ncomplete --do-complete $argv[1]\n";

#[test]
fn bash_completes_commands_flags_users_and_roles() {
    let shell = world();
    for (line, wanted) in [
        ("authctl us", "user"),
        ("authctl user sh", "show"),
        ("authctl user list --stat", "--state"),
        ("authctl user list --state dis", "disabled"),
        ("authctl user show an", "ann@example.com anton@example.com"),
        // What stands before the @ stays on the line.
        ("authctl user show ann@ex", "@example.com"),
        ("authctl user show ann@", "@example.com"),
        ("authctl user disable bob@example.com ANT", "anton@example.com"),
        ("authctl token list --user bo", "bob@example.com"),
        ("authctl token list --user=bo", "bob@example.com"),
        ("authctl role assign bob@example.com adm", "admin"),
        ("authctl registration confirm wa", "waiting@example.com"),
        ("authctl registration delete ann", ""),
        ("authctl --database none.db user show an", ""),
        ("authctl user show --database=none.db an", ""),
        ("authctl user show zoe", ""),
        ("authctl apikey revoke b", "backup billing"),
        ("authctl role add writer --permission po", "posts:read posts:write"),
        ("authctl role add writer --permission posts:w", "write"),
        ("authctl apikey add ci --permission users:", "read write"),
        // A name with a star is none to a shell.
        ("authctl role add writer --permission draf", ""),
        ("authctl audit tail --event LoginF", "LoginFailed"),
        ("authctl help us", "user"),
        ("authctl help user sh", "show"),
        // Names and verbs come alone, until a hyphen is typed.
        ("authctl user show ", "ann@example.com anton@example.com bob@example.com"),
        ("authctl apikey ", "add list revoke"),
        ("authctl user show --out", "--output"),
        ("authctl user list --st", "--state"),
    ] {
        let Some(offered) = shell.in_bash(line) else {
            return;
        };
        assert_eq!(offered.join(" "), wanted, "{line}");
    }
}

#[test]
fn zsh_completes_the_same() {
    let shell = world();
    for (line, wanted) in [
        ("authctl user show an", "ann@example.com anton@example.com"),
        ("authctl user show ann@ex", "ann@example.com"),
        ("authctl role assign bob@example.com adm", "admin"),
    ] {
        let Some(offered) = shell.names(&["zsh", "-f"], ZSH, line, ':') else {
            return;
        };
        assert_eq!(offered.join(" "), wanted, "{line}");
    }
}

#[test]
fn fish_completes_the_same() {
    let shell = world();
    for (line, wanted) in [
        ("authctl user show an", "ann@example.com anton@example.com"),
        ("authctl user show ann@ex", "ann@example.com"),
        ("authctl role assign bob@example.com adm", "admin"),
    ] {
        let Some(offered) = shell.names(&["fish", "--no-config"], FISH, line, '\t') else {
            return;
        };
        assert_eq!(offered.join(" "), wanted, "{line}");
    }
}

#[test]
fn ids_come_newest_first_with_what_tells_them_apart() {
    let shell = world();
    let passkey = crate::passkey_rows::add(&shell.world, "bob@example.com", "My phone", 1);
    let sessions = shell.ids("token list -q");
    let mails = shell.ids("mail list -q");
    let kids = shell.ids("key list -q");
    let newest = &sessions[..36];
    let typed = &newest[..30];
    for (line, wanted) in [
        ("authctl token revoke --id ".to_owned(), sessions.as_str()),
        (format!("authctl token revoke --id {newest}"), newest),
        ("authctl mail show ".to_owned(), &mails),
        ("authctl mail retry ".to_owned(), &mails),
        ("authctl key retire ".to_owned(), &kids),
        ("authctl passkey delete bob@example.com ".to_owned(), &passkey),
        ("authctl token revoke --id zz".to_owned(), ""),
    ] {
        let Some(offered) = shell.in_bash(&line) else {
            return;
        };
        assert_eq!(offered.join(" "), wanted, "{line}");
    }
    for (interpreter, driver, between) in [(&["zsh", "-f"], ZSH, ":"), (&["fish", "--no-config"], FISH, "\t")]
    {
        let Some(offered) = shell.offered(interpreter, driver, &format!("authctl token revoke --id {typed}"))
        else {
            continue;
        };
        assert!(
            offered[0].starts_with(&format!("{newest}{between}bob@example.com, last used ")),
            "{offered:?}"
        );
        let mails = shell.offered(interpreter, driver, "authctl mail show ").unwrap();
        let about = "queued to waiting@example.com: Confirm your e-mail address";
        assert!(mails[0].ends_with(about), "{mails:?}");
        // What somebody has typed is no more than text to the shell.
        let roles = shell.offered(interpreter, driver, "authctl role show ed").unwrap();
        assert_eq!(roles, [format!("editor{between}?(id)")]);
    }
}

#[test]
fn what_has_ended_is_not_offered() {
    let shell = world();
    assert_eq!(shell.line("token revoke --all --yes").code, 0);
    let Some(offered) = shell.in_bash("authctl token revoke --id 0") else {
        return;
    };
    assert!(offered.is_empty(), "{offered:?}");
}

#[test]
fn a_file_whose_name_is_a_command_is_quoted() {
    let shell = world();
    fs::write(shell.world.folder.join("x;touch here.toml"), "").unwrap();
    let Some(offered) = shell.in_bash("authctl --config x") else {
        return;
    };
    assert_eq!(offered, ["x\\;touch\\ here.toml"]);
}

#[test]
fn completing_on_a_file_makes_no_other_and_says_nothing() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    let ask = |database: &str| {
        let mut command = shell.command(&["--", "authctl", "user", "show", "--database", database, "a"]);
        command.env("_AUTHCTL_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", "5");
        let said = said(command);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{database}");
        said.out
    };
    let files = |folder: &str| {
        let entries = fs::read_dir(shell.world.folder.join(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    // At rest, a database is one file.
    fs::create_dir(shell.world.folder.join("rest")).unwrap();
    rusqlite::Connection::open(shell.world.file())
        .unwrap()
        .execute("VACUUM INTO ?1", [shell.world.folder.join("rest/a?#%.db").to_str().unwrap()])
        .unwrap();
    let copy = rusqlite::Connection::open(shell.world.folder.join("rest/a?#%.db")).unwrap();
    copy.pragma_update(None, "application_id", 0x6175_7468).unwrap();
    copy.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    drop(copy);
    assert_eq!(files("rest"), ["a?#%.db"]);
    assert_eq!(ask("rest/a?#%.db"), "ann@example.com");
    assert_eq!(files("rest"), ["a?#%.db"]);
    // One that isn't there isn't made, and one that is none is not complained of.
    assert_eq!(ask("rest/none.db"), "");
    fs::write(shell.world.folder.join("rest/text.db"), "no database").unwrap();
    assert_eq!(ask("rest/text.db"), "");
    assert_eq!(files("rest"), ["a?#%.db", "text.db"]);
}
