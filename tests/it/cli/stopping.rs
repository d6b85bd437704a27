//! Long commands, stopped: what is so then is said on one line, with the exit code 130, and it is true. What
//! a command waits for (a configuration, a file, a reader) is a pipe in the test's hand, so that the signal
//! comes at a known point.

use super::on_a_file::migrations::write_old;
use super::prompts::Typist;
use super::{Said, Shell, json as parsed};
use crate::missing::is_there;
use authd::ports::{Clock, SystemClock, process};
use authd::usecase::audit::prune::STEP;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Longer than any of this takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command under way.
struct Running(Child);

impl Running {
    fn start(shell: &Shell, line: &str) -> Self {
        let mut command = shell.command(&line.split(' ').collect::<Vec<_>>());
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Waits until it would not be ended by the signal any more.
    fn wait_until_it_catches(&self, signal: Signal) {
        let path = format!("/proc/{}/status", self.0.id());
        until(&format!("{signal:?} is caught"), || {
            let status = fs::read_to_string(&path).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim();
            (u64::from_str_radix(caught, 16).unwrap() >> (signal.as_raw() - 1) & 1 == 1).then_some(())
        });
    }

    fn end(self) -> Said {
        super::of(&self.0.wait_with_output().unwrap())
    }
}

/// Looks again and again, until there is something.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let clock = SystemClock::new();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(clock.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::yield_now();
    }
}

/// A pipe with a name, which a command takes for a file.
fn pipe(shell: &Shell, name: &str) -> PathBuf {
    let path = shell.world.folder.join(name);
    let _ = fs::remove_file(&path);
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&path).status().unwrap().success());
    path
}

/// The pipe's other end, once the command has opened it.
fn opened(path: &PathBuf) -> File {
    const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    until("somebody reads the pipe", || OpenOptions::new().write(true).custom_flags(NONBLOCK).open(path).ok())
}

fn names(shell: &Shell) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = fs::read_dir(&shell.world.folder).unwrap().map(name).collect();
    // What stands beside a database that somebody reads.
    names.retain(|name| !["-lock", "-wal", "-shm"].iter().any(|end| name.ends_with(end)));
    names.sort();
    names
}

fn count(shell: &Shell, what: &str) -> i64 {
    shell.world.database().one(&format!("SELECT count(*) FROM {what}"))
}

/// Users of a file, whose events make a log of some length, too.
fn add_users(shell: &Shell, count: usize) {
    let lines: String =
        (0..count).map(|number| format!("{{\"email\":\"user{number}@example.com\"}}\n")).collect();
    let said = shell.run_with(&["import", "-", "--format", "jsonl", "-o", "tsv"], &lines);
    assert_eq!(said.code, 0, "{said:?}");
}

/// Stops each line by each signal before its first step; what it says is so then.
fn stop_before_the_first_step(shell: &Shell, lines: &[(&str, &str)]) {
    let config = pipe(shell, "conf.toml");
    let before = names(shell);
    // Under nohup the tests hand on that HUP is ignored, and it stops nothing: another test is about that.
    let ends = |signal: &Signal| !process::ignores(signal.as_raw());
    for signal in [Signal::INT, Signal::TERM, Signal::HUP].into_iter().filter(ends) {
        for (line, now) in lines {
            let events = shell.world.events().len();
            let running = Running::start(shell, &format!("{line} --config conf.toml"));
            let settings = opened(&config);
            running.signal(signal);
            drop(settings);
            let said = running.end();
            assert_eq!((said.code, said.out.as_str()), (130, ""), "{line}: {said:?}");
            assert_eq!(said.err, format!("authctl: stopped: {now}\n"), "{line}");
            assert_eq!(shell.world.events().len(), events, "{line}");
            assert_eq!(names(shell), before, "{line}");
        }
    }
}

#[test]
fn what_is_stopped_before_its_first_step_has_changed_nothing() {
    let lines = [
        ("audit verify", "nothing was checked, and nothing was changed"),
        ("db check", "nothing was changed"),
        ("db backup copy.db", "nothing was changed"),
        ("db prune", "nothing was changed; run it again"),
        ("export", "the output ends after 0 users; run it again"),
        ("audit export", "the output ends after 0 lines; run it again"),
    ];
    stop_before_the_first_step(&Shell::new(), &lines);
}

#[test]
fn what_is_stopped_before_its_first_step_on_a_file_of_before_has_changed_nothing() {
    let shell = Shell::new();
    write_old(&shell);
    let lines = [
        ("db backup copy.db --database old.db", "nothing was changed"),
        ("db migrate --database old.db", "nothing was changed"),
    ];
    stop_before_the_first_step(&shell, &lines);
    let rehearsed = shell.line("db migrate --dry-run --database old.db -o json");
    assert_eq!(parsed(&rehearsed.out)[0]["from"], 1, "no step was taken");
}

/// As under nohup, whose point it is.
#[test]
fn a_signal_that_is_ignored_from_the_start_stops_nothing() {
    let shell = Shell::new();
    let config = pipe(&shell, "conf.toml");
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec ./authctl audit verify -q --config conf.toml"]);
    command.current_dir(&shell.world.folder).env_clear().envs(shell.environment());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = Running(command.spawn().unwrap());
    let settings = opened(&config);
    running.signal(Signal::HUP);
    drop(settings);
    let said = running.end();
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    assert!(said.out.contains(':'), "{said:?}");
}

#[test]
fn an_export_that_nobody_reads_on_is_stopped_and_says_how_far_it_came() {
    let shell = Shell::new();
    add_users(&shell, 1_200);
    for (line, things) in [("export", "users"), ("audit export", "lines")] {
        let mut running = Running::start(&shell, line);
        let mut out = BufReader::new(running.0.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        assert_ne!(first, "");
        // The pipe is full, and the first page is longer than it.
        running.signal(Signal::INT);
        let mut err = String::new();
        running.0.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let expected = format!("the output ends after 0 {things}; run it again");
        assert_eq!(err, format!("authctl: stopped: {expected}\n"), "{line}");
        assert_eq!(running.0.wait().unwrap().code(), Some(130), "{line}");
    }
}

#[test]
fn an_import_that_is_stopped_keeps_its_batches_and_goes_on_the_next_time() {
    let shell = Shell::new();
    let file = pipe(&shell, "users.jsonl");
    let running = Running::start(&shell, "import users.jsonl --format jsonl");
    let mut source = opened(&file);
    let line = |number| format!("{{\"email\":\"user{number}@example.com\"}}\n");
    let lines: String = (0..600).map(line).collect();
    source.write_all(lines.as_bytes()).unwrap();
    until("a batch is there", || (count(&shell, "users") > 0).then_some(()));
    running.signal(Signal::INT);
    let said = running.end();
    assert_eq!((said.code, said.out.as_str()), (130, ""), "{said:?}");
    assert_eq!(
        said.err,
        "authctl: stopped: 500 users were created, 0 skipped, 0 failed, the rest is still to come; run it again \
         to go on, which skips those who are there\n"
    );
    assert_eq!(count(&shell, "users"), 500);
    let again = shell.run_with(&["import", "-", "--format", "jsonl"], &lines);
    assert_eq!(
        (again.code, again.err.as_str()),
        (0, "created 100, skipped 500 who were there already, failed 0\n")
    );
}

#[test]
fn a_pruning_that_is_stopped_says_how_much_went_and_leaves_one_line_of_it() {
    let shell = Shell::new();
    add_users(&shell, 5_000);
    // By this they are all in the log, wherever lines wait for that.
    let lines = i64::try_from(shell.world.audit().len()).unwrap();
    let database = shell.world.database();
    // Nobody prunes before the signal is there.
    database.hold();
    let running = Running::start(&shell, "audit prune --keep 0s --yes");
    running.wait_until_it_catches(Signal::INT);
    running.signal(Signal::INT);
    database.let_go();
    let said = running.end();
    assert_eq!((said.code, said.out.as_str()), (130, ""), "{said:?}");
    let verified = parsed(&shell.line("audit verify -o json").out);
    assert_eq!(verified["ok"], true, "{verified}");
    let gone = verified["first"].as_i64().unwrap() - 1;
    assert!(gone == 0 || gone == STEP, "one step, or none: {gone}");
    let told = match gone {
        0 => "nothing was changed; run it again".to_owned(),
        _ => format!("{gone} lines were deleted, the rest is as it was; run it again to go on"),
    };
    assert_eq!(said.err, format!("authctl: stopped: {told}\n"));
    // The next call does the rest, and one line tells of it.
    assert_eq!(shell.line("audit prune --keep 0s --yes").code, 0);
    let pruned: Vec<_> = shell.world.audit().into_iter().filter(|line| line.event == "AuditPruned").collect();
    let before = i64::from(gone > 0);
    // The newest stays, which may be the line of the first call.
    assert_eq!(pruned.len(), if gone > 0 { 2 } else { 1 }, "{pruned:?}");
    let told: i64 = pruned.last().unwrap().details[0].1.parse().unwrap();
    assert_eq!(told, lines + before - gone - 1, "all that was left but the newest");
}

#[test]
fn a_restore_that_is_stopped_on_a_file_leaves_it_as_it_was() {
    let shell = Shell::new();
    let live = |line: &str| format!("{line} --database live/authd.db");
    assert_eq!(shell.line(&live("db init")).code, 0);
    let users: String =
        (0..10_000).map(|number| format!("{{\"email\":\"user{number}@example.com\"}}\n")).collect();
    let args = live("import - --format jsonl");
    assert_eq!(shell.run_with(&args.split(' ').collect::<Vec<_>>(), &users).code, 0);
    assert_eq!(shell.line(&live("db backup live/b.db")).code, 0);
    let before = fs::read(shell.world.folder.join("live/authd.db")).unwrap();
    // To look through a backup of this size takes many times as long as the signal.
    let running = Running::start(&shell, &live("db restore live/b.db --yes"));
    running.wait_until_it_catches(Signal::INT);
    running.signal(Signal::INT);
    let said = running.end();
    assert_eq!((said.code, said.err.as_str()), (130, "authctl: stopped: nothing was changed\n"));
    assert_eq!(fs::read(shell.world.folder.join("live/authd.db")).unwrap(), before);
    let left: Vec<_> = fs::read_dir(shell.world.folder.join("live"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("part") || name.contains("before-restore"))
        .collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn on_a_terminal_whoever_waits_sees_what_is_done_and_ends_it_with_ctrl_c() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    let file = pipe(&shell, "users.jsonl");
    // The shell outlives the interrupt and tells the exit code.
    let script = "trap : INT; ./authctl import users.jsonl --format jsonl; echo \"ended $?\"";
    let mut typist = Typist::start(&shell, script);
    let _source = opened(&file);
    typist.wait_for("reading");
    typist.type_in("\u{3}");
    typist.wait_for("authctl: stopped: nothing was changed; run it again");
    typist.wait_for("ended 130");
    typist.end();
}

#[test]
fn a_dry_run_shows_a_terminal_what_fits_it_and_a_pipe_everything() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    let entry = |number: usize| match number % 2 {
        0 => json!({"email": format!("somebody.with.a.long.name{number}@example.com"), "roles": ["x"]}),
        _ => json!({"email": format!("user{number}@example.com")}),
    };
    let lines: String = (0..4_000).map(|number| entry(number).to_string() + "\n").collect();
    fs::write(shell.world.folder.join("users.jsonl"), lines).unwrap();
    let script = "stty cols 80; ./authctl import users.jsonl --format jsonl --dry-run --color never";
    let (code, screen) = Typist::start(&shell, script).end();
    assert_eq!(code, 5, "{screen}");
    assert!(screen.contains("and 1,980 more; -o json has all"), "{screen}");
    assert!(!screen.contains("user1@example.com"), "who would be created is counted: {screen}");
    assert_eq!(screen.matches("┆ unknown_role").count(), 20, "{screen}");
    let why = "unknown_role: there is no role x; make it with: authctl role add x";
    assert_eq!(screen.matches(why).count(), 1, "{screen}");
    for line in screen.lines().filter(|line| line.contains("┆ unknown_role")) {
        assert!(line.trim_end().chars().count() <= 80, "{line}");
    }
    let piped = shell.line("import users.jsonl --format jsonl --dry-run -o tsv");
    assert_eq!(piped.out.lines().count(), 4_001, "a header, and a row an entry");
}
