//! Prompts, on a real terminal that script(1) lends: hidden, asked twice, gone without a trace.

use super::Shell;
use crate::missing::is_there;
use crate::world::PASSWORD;
use authd::ports::{Clock, SystemClock};
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

impl Drop for Typist {
    /// A test that fails leaves nobody waiting at a prompt: without its terminal the command ends.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A shell command on a terminal of its own, and somebody who types.
pub(super) struct Typist {
    child: Child,
    keys: ChildStdin,
    screen: Receiver<Vec<u8>>,
    seen: String,
    /// The beginning of a letter whose end is still to come.
    half: Vec<u8>,
    /// The terminal's name, `/dev/pts/3`.
    device: String,
}

impl Typist {
    pub(super) fn start(shell: &Shell, script: &str) -> Self {
        let mut command = Command::new("script");
        command.args(["-qec", &format!("tty; {script}"), "/dev/null"]).current_dir(&shell.world.folder);
        command.env_clear().envs(shell.environment()).env("TERM", "xterm").env("SHELL", "/bin/sh");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("script(1) is installed");
        let mut out = child.stdout.take().unwrap();
        let (send, screen) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok(n @ 1..) = out.read(&mut buffer) {
                if send.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keys = child.stdin.take().unwrap();
        let mut typist =
            Self { child, keys, screen, seen: String::new(), half: Vec::new(), device: String::new() };
        let device = typist.wait_for("\n").trim().to_owned();
        typist.device = device;
        typist
    }

    /// Waits until `text` stands on the screen, after what was waited for before, and gives what came before
    /// it.
    pub(super) fn wait_for(&mut self, text: &str) -> String {
        while !self.seen.contains(text) {
            let Ok(bytes) = self.screen.recv_timeout(Duration::from_secs(20)) else {
                panic!("{text:?} never came; the screen shows {:?}", self.seen);
            };
            self.see(&bytes);
        }
        let (before, after) = self.seen.split_once(text).unwrap();
        let (before, after) = (before.to_owned(), after.to_owned());
        self.seen = after;
        before
    }

    fn see(&mut self, bytes: &[u8]) {
        self.half.extend(bytes);
        let whole = match std::str::from_utf8(&self.half) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.half.len(),
        };
        let letters: Vec<u8> = self.half.drain(..whole).collect();
        self.seen.push_str(&String::from_utf8_lossy(&letters));
    }

    /// Answers a hidden prompt. What is typed between its showing and the echo's end would be thrown away, as
    /// every prompt of this kind does, so the end of the echo is waited for.
    fn answer(&mut self, prompt: &str, keys: &str) {
        self.wait_for(prompt);
        let deadline = SystemClock::new();
        while !self.state().contains(" -echo ") {
            assert!(deadline.elapsed() < Duration::from_secs(20), "the echo stayed on at {prompt:?}");
        }
        self.type_in(keys);
    }

    fn state(&self) -> String {
        let state = Command::new("stty").args(["-a", "-F", &self.device]).output().unwrap();
        String::from_utf8(state.stdout).unwrap()
    }

    pub(super) fn type_in(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// The exit code, and all that the screen shows after what was waited for.
    pub(super) fn end(mut self) -> (i32, String) {
        while let Ok(bytes) = self.screen.recv_timeout(Duration::from_secs(20)) {
            self.see(&bytes);
        }
        (self.child.wait().unwrap().code().unwrap(), std::mem::take(&mut self.seen))
    }
}

#[test]
fn a_password_is_asked_for_twice_and_never_shown() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    let mut typist = Typist::start(&shell, "./authctl user add ann@example.com --verified");
    typist.answer("New password", &format!("{PASSWORD}\n"));
    typist.answer("The same again", "something else\n");
    typist.wait_for("the two differ");
    typist.answer("New password", &format!("{PASSWORD}\n"));
    typist.answer("The same again", &format!("{PASSWORD}\n"));
    let (code, seen) = typist.end();
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains("created user ann@example.com"), "{seen}");
    assert!(!seen.contains("correct") && !seen.contains("something"), "{seen}");
    assert!(shell.world.login("ann@example.com").is_ok());
}

#[test]
fn the_rule_comes_first_and_a_weak_password_is_asked_for_again() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    let mut typist = Typist::start(&shell, "./authctl user add ann@example.com --verified");
    let rule = typist.wait_for("random words make a good one");
    assert!(rule.contains("at least 15 characters; ") && rule.contains("1,000,000,000 guesses"), "{rule}");
    for (weak, why) in [
        ("short\n", "the password is shorter than 15 characters"),
        ("ann@example.com ann\n", "made of nothing but this account's own address or name"),
    ] {
        typist.answer("New password", weak);
        typist.wait_for(why);
        typist.wait_for("; choose another password");
    }
    typist.answer("New password", &format!("{PASSWORD}\n"));
    typist.answer("The same again", &format!("{PASSWORD}\n"));
    let (code, seen) = typist.end();
    assert!(code == 0 && seen.contains("created user ann@example.com"), "{seen}");
    assert!(shell.world.login("ann@example.com").is_ok());
    // As the configuration has it, and three times at most.
    let mut typist =
        Typist::start(&shell, "AUTHD_PASSWORD__MIN_LENGTH=20 ./authctl user passwd ann@example.com --yes");
    typist.wait_for("at least 20 characters; ");
    for _ in 0..3 {
        typist.answer("New password", "correct horse\n");
    }
    let (code, seen) = typist.end();
    assert!(code == 1 && seen.contains("authctl: weak_password: "), "{seen}");
    assert!(!seen.contains("correct horse"), "{seen}");
    assert!(shell.world.login("ann@example.com").is_ok(), "the old one stays");
}

#[test]
fn an_interrupted_prompt_gives_the_echo_back() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    // The shell outlives the interrupt and tells the state in which its terminal was left.
    let script = "trap : INT; ./authctl user add ann@example.com; echo \"ended $?\"; stty -a | tr ' ;' '\\n\\n' | grep -x -e echo -e -echo";
    let mut typist = Typist::start(&shell, script);
    typist.answer("New password", "half a pass\u{3}");
    let (_, seen) = typist.end();
    assert!(seen.contains("ended 130"), "{seen}");
    assert!(seen.lines().any(|line| line.trim() == "echo"), "{seen}");
    assert!(shell.world.login("ann@example.com").is_err());
}

#[test]
fn the_end_of_input_is_a_way_out() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    let mut typist = Typist::start(&shell, "./authctl user add ann@example.com");
    typist.answer("New password", "\u{4}");
    let (code, seen) = typist.end();
    assert_eq!(code, 2, "{seen}");
    assert!(seen.contains("no password was given; nothing was changed"), "{seen}");
}

#[test]
fn what_destroys_asks_first() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    let delete = |answer: &str| {
        let mut typist = Typist::start(&shell, "./authctl user delete ann@example.com");
        typist.wait_for("Delete ann@example.com with all personal data");
        typist.wait_for("[y/N] ");
        typist.type_in(answer);
        typist.end()
    };
    for answer in ["\n", "n\n", "\u{4}"] {
        let (code, seen) = delete(answer);
        assert_eq!(code, 1, "{seen}");
        assert!(seen.contains("authctl: declined: nothing was changed"), "{seen}");
    }
    assert!(shell.world.login("ann@example.com").is_ok());
    assert_eq!(delete("y\n").0, 0);
    assert!(shell.world.login("ann@example.com").is_err());
}

#[test]
fn a_terminal_gets_a_table_with_borders_and_colour() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &["admin"]);
    let screen = |script: &str| Typist::start(&shell, script).end().1;
    let table = screen("stty cols 150; ./authctl user list");
    assert!(table.contains('┌') && table.contains("\u{1b}["), "{table}");
    assert!(table.lines().any(|line| line.contains("ann@example.com") && line.contains("active")), "{table}");
    let plain = screen("stty cols 150; NO_COLOR=1 ./authctl user list");
    assert!(plain.contains('┌') && !plain.contains('\u{1b}'), "{plain}");
    assert!(!screen("./authctl user list --color never").contains('\u{1b}'));
    assert!(!screen("./authctl user list | cat").contains('┌'));
    // Too narrow for the columns: fewer of them.
    let narrow = screen("stty cols 40; ./authctl user list --color never");
    assert!(narrow.contains("ann@example.com") && narrow.contains("no room for"), "{narrow}");
}

#[test]
fn a_pipe_is_never_asked() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    // There is a terminal to fall back on, but stdin is a pipe.
    let (code, seen) =
        Typist::start(&shell, "echo secret | ./authctl user add ann@example.com; exit $?").end();
    assert_eq!(code, 2, "{seen}");
    assert!(seen.contains("add --password-stdin"), "{seen}");
    let (code, seen) = Typist::start(&shell, "./authctl user add ann@example.com --password-stdin").end();
    assert_eq!(code, 2, "{seen}");
    assert!(seen.contains("stdin is a terminal"), "{seen}");
}
