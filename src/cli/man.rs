//! `man [DIR]`: the manual pages, made from the same types as the parser, so that no flag can be missing.

mod roff;

use super::exit::Failure;
use super::program::{Program, Tree};
use super::{Context, examples};
use crate::usecase::app::files;
use clap::{Arg, Args, Command};
use roff::Roff;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Print the manual page authctl(1), or write all pages into a folder
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl man | man -l -
  authctl man ./man")]
pub struct Man {
    /// Write authd(8), authctl(1), authd.toml(5) and a page for every noun into this folder
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Man {
    /// Prints authctl(1), or writes every page into the folder.
    ///
    /// # Errors
    /// When the folder or stdout can't be written.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let Some(folder) = &self.folder else {
            return context.terminal().text(&authctl(&built(context.tree(), Program::Authctl)).text);
        };
        let fails = |error: io::Error| files::cannot_write(folder, &error);
        fs::create_dir_all(folder).map_err(fails)?;
        let pages = pages(context.tree());
        for page in &pages {
            replace(&folder.join(&page.file), page).map_err(fails)?;
        }
        context.terminal().note(&format!("wrote {} pages to {}", pages.len(), folder.display()));
        Ok(())
    }
}

/// Puts a page in the place of whatever has its name. A link there goes, and what it leads to stays as it is:
/// somebody else may have laid it.
fn replace(path: &Path, page: &Page) -> io::Result<()> {
    let made = path.with_file_name(format!(".{}.{}", page.file, std::process::id()));
    // What is there under this name is somebody else's, and stays.
    let mut file = OpenOptions::new().write(true).create_new(true).open(&made)?;
    let mut write = || {
        file.write_all(page.text.as_bytes())?;
        // Manual pages are for everybody, unlike what else authd writes.
        file.set_permissions(Permissions::from_mode(0o644))?;
        fs::rename(&made, path)
    };
    write().inspect_err(|_| drop(fs::remove_file(&made)))
}

/// One manual page.
#[derive(Debug)]
pub struct Page {
    /// `authctl-user.1`
    pub file: String,
    /// In man(7).
    pub text: String,
}

/// The day of the release that the pages belong to: a page made again must be the same.
const DATE: &str = "2026-11-22";
const SOURCE: &str = concat!("authd ", env!("CARGO_PKG_VERSION"));

/// Makes every page there is of the tree of commands.
#[must_use]
pub fn pages(tree: Tree) -> Vec<Page> {
    let authctl_tree = built(tree, Program::Authctl);
    let nouns = authctl_tree.get_subcommands().filter(|command| has_page(command)).map(noun);
    let configuration = Page { file: "authd.toml.5".into(), text: crate::config::text::manual() };
    [authd(&built(tree, Program::Authd)), authctl(&authctl_tree), configuration]
        .into_iter()
        .chain(nouns)
        .collect()
}

fn built(tree: Tree, program: Program) -> Command {
    let mut tree = tree(program);
    tree.build();
    tree
}

fn page(name: &str, section: u8, summary: &str, write: impl FnOnce(&mut Roff)) -> Page {
    let mut roff = Roff::new(name, section, DATE, SOURCE, summary);
    write(&mut roff);
    Page { file: format!("{name}.{section}"), text: roff.into_text() }
}

fn authd(tree: &Command) -> Page {
    let serve = tree.find_subcommand("serve").expect("the tree has the daemon in it");
    page("authd", 8, &lower_first(&about(tree)), |roff| {
        roff.section("SYNOPSIS");
        roff.commands([usage(serve).as_str()]);
        roff.section("DESCRIPTION");
        roff.text(&long_about(serve));
        roff.paragraph(
            "The operator's tool is the same file under another name; see authctl(1). Its commands work under \
             the name authd too.",
        );
        roff.section("OPTIONS");
        options(roff, serve);
        global_options(roff, tree);
        service(roff);
        files(roff);
        environment(roff);
        service_environment(roff);
        roff.section("SIGNALS");
        roff.item(
            "SIGTERM, SIGINT",
            "Take no more connections, finish the requests under way, exit within 5 seconds.",
        );
        exit_status(roff);
        examples(roff, serve);
        see_also(roff, "authctl(1), authd.toml(5), systemd.service(5), systemd.exec(5), journalctl(1)");
    })
}

fn authctl(tree: &Command) -> Page {
    page("authctl", 1, "operate an authd server", |roff| {
        roff.section("SYNOPSIS");
        roff.commands(["authctl [OPTIONS] NOUN VERB [NAME] [FLAGS]"]);
        roff.section("DESCRIPTION");
        roff.text(
            "Creates, shows and changes what an authd server keeps in its database. Every command works while \
             the daemon runs and while it doesn't, and what it changes counts for the daemon's next request. \
             Every change is in the audit log with the login name of the operator: of root, the one behind sudo.",
        );
        roff.paragraph(
            "USER is an e-mail address or an id. In the place of any id, also of a session, a mail, a registration or \
             a signing key, its beginning will do: four letters or more, and as many as no other begins with.",
        );
        roff.section("COMMANDS");
        for command in tree.get_subcommands() {
            commands_of(roff, command);
        }
        global_options(roff, tree);
        output(roff);
        files(roff);
        environment(roff);
        exit_status(roff);
        examples(roff, tree);
        let nouns = tree.get_subcommands().filter(|command| has_page(command));
        let names: Vec<_> = nouns.map(|noun| format!("authctl-{}(1)", noun.get_name())).collect();
        see_also(roff, &format!("authd(8), authd.toml(5), {}", names.join(", ")));
    })
}

/// Whether a command has a page of its own: all have, so that `man authctl-NOUN` works; the daemon has
/// authd(8).
fn has_page(command: &Command) -> bool {
    command.get_name() != "serve"
}

/// A noun with its verbs in a line, or a command without verbs with its options.
fn commands_of(roff: &mut Roff, command: &Command) {
    if command.has_subcommands() {
        let verbs: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
        let text =
            format!("{}: {}. See authctl-{}(1).", about(command), verbs.join(", "), command.get_name());
        roff.item(command.get_name(), &text);
    } else {
        let usage = usage(command);
        let page =
            if has_page(command) { format!("authctl-{}(1)", command.get_name()) } else { "authd(8)".into() };
        roff.item(
            usage.strip_prefix("authctl ").unwrap_or(&usage),
            &format!("{}. See {page}.", about(command)),
        );
    }
}

fn noun(command: &Command) -> Page {
    let name = format!("authctl-{}", command.get_name());
    if !command.has_subcommands() {
        return verbless(&name, command);
    }
    page(&name, 1, &lower_first(&about(command)), |roff| {
        roff.section("SYNOPSIS");
        let usages: Vec<_> = command.get_subcommands().map(usage).collect();
        roff.commands(usages.iter().map(String::as_str));
        roff.section("DESCRIPTION");
        roff.text(&format!("{}.", about(command)));
        roff.paragraph("Options that every command takes, output formats and exit codes are in authctl(1).");
        roff.section("COMMANDS");
        for verb in command.get_subcommands() {
            roff.subsection(&usage(verb));
            roff.text(&long_about(verb));
            options(roff, verb);
            if let Some(lines) = example_lines(verb) {
                roff.paragraph("Examples:");
                roff.example(&lines);
            }
        }
        see_also(roff, "authctl(1), authd(8)");
    })
}

fn verbless(name: &str, command: &Command) -> Page {
    page(name, 1, &lower_first(&about(command)), |roff| {
        roff.section("SYNOPSIS");
        roff.commands([usage(command).as_str()]);
        roff.section("DESCRIPTION");
        roff.text(&long_about(command));
        roff.paragraph("Options that every command takes, output formats and exit codes are in authctl(1).");
        roff.section("OPTIONS");
        options(roff, command);
        examples(roff, command);
        see_also(roff, "authctl(1), authd(8)");
    })
}

fn options(roff: &mut Roff, command: &Command) {
    for arg in command.get_arguments().filter(|arg| !arg.is_global_set() && arg.get_id() != "help") {
        roff.item(&term(arg), &meaning(arg));
    }
}

fn global_options(roff: &mut Roff, tree: &Command) {
    roff.section("GLOBAL OPTIONS");
    for arg in tree.get_arguments() {
        roff.item(&term(arg), &meaning(arg));
    }
}

fn output(roff: &mut Roff) {
    roff.section("OUTPUT");
    roff.text(
        "What was asked for goes to stdout, everything said about it to stderr. On a terminal results are \
         tables; elsewhere they are the same columns without borders and colour. Control, escape and \
         bidirectional characters that a user typed are shown escaped.",
    );
    roff.paragraph(
        "On a terminal ids are as short as names them, times are UTC to the minute, and a table is never wider than \
         the screen: texts are wrapped, then columns left out, which is said below it. Secrets and links stand below \
         a table, each on a line of its own. Off a terminal nothing is shortened or left out.",
    );
    roff.paragraph(
        "Lists show 50 rows on a terminal, or as many as --limit says, and name the command that goes on; with --all \
         they show all, a table at most 10,000. Off a terminal a list has no end but the one that --limit sets.",
    );
    roff.paragraph(
        "Commands that change something say so on stderr; with -o json, -o tsv or -q they print what they \
         changed. Secrets are read from a hidden prompt, from stdin or from a file, and printed once.",
    );
    roff.paragraph(
        "Nothing is asked unless stdin and stderr are a terminal: with stdin from /dev/null a command does its \
         work or says which flag it lacks.",
    );
    roff.paragraph(
        "With -o json every failure is one line on stderr, a problem object (RFC 9457) with type, title, status, \
         detail and code. docs/cli-schema.json (JSON Schema 2020-12) says what each command prints: a member that \
         has no value is null or an empty list, and never left out.",
    );
}

fn service(roff: &mut Roff) {
    roff.section("AS A SERVICE");
    roff.text(
        "install.sh --system and the Debian package set up the service authd of systemd. It runs as the user authd, \
         with its database in /var/lib/authd. The root key and other secrets stay in files that root alone may \
         read: systemd hands the service a copy of each as a credential (LoadCredential), which counts over the \
         file that the configuration names. So operators run authctl with sudo; as the user authd it can't read \
         the key.",
    );
    roff.example("systemctl enable --now authd\nsudo authctl user list");
    roff.paragraph(
        "The log goes to the journal (journalctl -u authd). Changes to the unit, such as another credential, belong \
         in a drop-in (systemctl edit authd).",
    );
    roff.paragraph(
        "systemd learns when connections are taken and when the daemon stops. Its watchdog restarts the daemon when \
         a thread gives no answer, the database is damaged, or a newer program has changed its schema. A full disk \
         or a foreign write lock is no better after a restart: it shows in the status (systemctl status authd).",
    );
}

fn files(roff: &mut Roff) {
    roff.section("FILES");
    roff.item(
        "./authd.toml, /etc/authd/authd.toml",
        "The configuration; the first that is there counts, for root the latter. One in a current folder to which \
         others may write is passed over, with a warning.",
    );
    roff.item(
        "./authd.db",
        "The database, unless the configuration names another. With -wal and -shm beside it in use.",
    );
    roff.item(
        "authd.db-lock, authd.db-served",
        "Empty. Whoever has the database open, and the daemon that serves it, hold locks on them; leave them there.",
    );
    roff.item(
        "authd.key",
        "The root key, beside the database. Without it the secrets in the database can't be read.",
    );
    roff.item("/var/lib/authd/authd.db", "The database of the service.");
    roff.item("/etc/authd/authd.key", "The root key of the service, which root alone may read.");
}

fn environment(roff: &mut Roff) {
    roff.section("ENVIRONMENT");
    roff.item("AUTHD_CONFIG", "The configuration file, where --config names none.");
    roff.item(
        "AUTHD_*",
        "Every key of the configuration: AUTHD_ and the key in upper case, with __ for the dot, as in \
         AUTHD_PASSWORD__MIN_LENGTH=12.",
    );
    roff.item("NO_COLOR", "Set and not empty: no colour.");
    roff.item("TERM", "If it is dumb: no colour.");
    roff.item(
        "SUDO_USER",
        "Run by root, the name that the audit log records. Of anybody else it is not asked.",
    );
}

fn service_environment(roff: &mut Roff) {
    roff.item("CREDENTIALS_DIRECTORY", "Where systemd has put the credentials; see authd.toml(5).");
    roff.item("LISTEN_FDS, LISTEN_PID", "The socket that systemd hands over, for listen = \"systemd\".");
    roff.item(
        "NOTIFY_SOCKET, WATCHDOG_USEC",
        "Where the service manager listens, and how often it wants to hear.",
    );
}

fn exit_status(roff: &mut Roff) {
    roff.section("EXIT STATUS");
    for (code, meaning) in [
        ("0", "Done, or already so."),
        ("1", "Refused; the message begins with the problem code."),
        (
            "2",
            "Wrong usage: an unknown flag, a missing argument, --yes missing, the beginning of several ids; nothing \
             was done. Of apply --exit-code: there are changes.",
        ),
        ("3", "Not found."),
        ("4", "Already exists, or in conflict."),
        ("5", "A check failed."),
        ("69", "The database is busy or can't be written; nothing was changed."),
        ("70", "Internal fault."),
        ("77", "No permission for the database or the key file."),
        ("78", "The configuration is wrong."),
        ("130", "Stopped by Ctrl-C or another signal; the message says what is so now."),
    ] {
        roff.item(code, meaning);
    }
}

fn examples(roff: &mut Roff, command: &Command) {
    if let Some(lines) = example_lines(command) {
        roff.section("EXAMPLES");
        roff.example(&lines);
    }
}

fn see_also(roff: &mut Roff, pages: &str) {
    roff.section("SEE ALSO");
    roff.text(pages);
}

/// The examples of a command's help, one a line.
fn example_lines(command: &Command) -> Option<String> {
    let lines = examples::of(command);
    (!lines.is_empty()).then(|| lines.iter().map(|line| format!("{line}\n")).collect())
}

/// `-n, --lines N`, or a positional argument's name.
fn term(arg: &Arg) -> String {
    let names = [arg.get_short().map(|c| format!("-{c}")), arg.get_long().map(|long| format!("--{long}"))];
    let mut term = names.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if arg.get_action().takes_values() {
        let value = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
        let separator = if term.is_empty() { "" } else { " " };
        term = format!("{term}{separator}{value}");
    }
    term
}

fn meaning(arg: &Arg) -> String {
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut text = format!("{}.", help.trim_end_matches('.'));
    // A flag's `true` and `false` say nothing.
    let values: Vec<_> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    if arg.get_action().takes_values() && !values.is_empty() {
        text += &format!(" One of {}.", values.join(", "));
    }
    if !arg.is_hide_default_value_set() && arg.get_action().takes_values() {
        text.extend(
            arg.get_default_values().iter().map(|value| format!(" Default: {}.", value.to_string_lossy())),
        );
    }
    text
}

fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.trim_start_matches("Usage: ").to_owned()
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn long_about(command: &Command) -> String {
    let text = command.get_long_about().map_or_else(|| about(command), ToString::to_string);
    // The first line is a heading in the help; here it is a sentence.
    match text.split_once("\n\n") {
        Some((first, rest)) => format!("{first}.\n\n{rest}"),
        None => format!("{text}."),
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
