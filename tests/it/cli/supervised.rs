//! The daemon under a service manager: what it tells the socket that NOTIFY_SOCKET names.

use super::Shell;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A service manager with one service.
struct Manager {
    socket: UnixDatagram,
    child: Child,
}

impl Manager {
    /// Starts the daemon; `watchdog` is the time in which it wants to hear of it.
    fn start(shell: &Shell, watchdog: Option<Duration>) -> Self {
        Self::spawn(shell, |command| {
            command.stderr(Stdio::null());
            if let Some(watchdog) = watchdog {
                command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
            }
        })
    }

    fn spawn(shell: &Shell, prepare: impl FnOnce(&mut Command)) -> Self {
        let path = shell.world.folder.join("notify");
        // That of an earlier one is in the way.
        let _ = std::fs::remove_file(&path);
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut command = shell.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("NOTIFY_SOCKET", &path).stdout(Stdio::null());
        prepare(&mut command);
        Self { socket, child: command.spawn().unwrap() }
    }

    /// The next message.
    fn heard(&self) -> String {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).expect("the daemon has something to say");
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// The first message with that text in it, of those that still come.
    fn hears(&self, text: &str) -> String {
        let mut heard = self.heard();
        while !heard.contains(text) {
            heard = self.heard();
        }
        heard
    }

    fn stop(mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let heard = self.hears("STOPPING=1");
        assert!(heard.contains("STATUS=finishing"), "{heard}");
        self.child.wait().unwrap().code()
    }
}

/// Where the daemon takes connections, of the message that says that it is ready.
fn address(ready: &str) -> String {
    assert!(ready.starts_with("READY=1\n"), "{ready}");
    ready.trim().split("STATUS=serving at http://").nth(1).unwrap().to_owned()
}

impl Drop for Manager {
    /// A test that fails leaves no daemon behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_is_ready_when_it_takes_connections_and_says_when_it_stops() {
    let shell = Shell::new();
    let manager = Manager::start(&shell, None);
    TcpStream::connect(address(&manager.heard())).unwrap();
    assert_eq!(manager.stop(), Some(0));
}

#[test]
fn the_journal_is_told_how_grave_a_record_is() {
    let shell = Shell::new();
    std::fs::write(shell.world.folder.join("authd.toml"), "[log]\nlevel = \"trace\"\n").unwrap();
    let journal = std::fs::File::create(shell.world.folder.join("journal")).unwrap();
    let stream = journal.metadata().unwrap();
    let records = |named: String| {
        let mut daemon = Manager::spawn(&shell, |command| {
            command.env("JOURNAL_STREAM", named).stderr(journal.try_clone().unwrap());
        });
        let address = address(&daemon.heard());
        let mut request = TcpStream::connect(address).unwrap();
        request.write_all(b"GET /healthz HTTP/1.1\r\nHost: authd\r\nConnection: close\r\n\r\n").unwrap();
        request.read_to_end(&mut Vec::new()).unwrap();
        kill_process(Pid::from_child(&daemon.child), Signal::TERM).unwrap();
        daemon.child.wait().unwrap();
        std::fs::read_to_string(shell.world.folder.join("journal")).unwrap()
    };
    let elsewhere = records("1:1".into());
    assert!(!elsewhere.contains("<7>") && elsewhere.contains("DEBUG"), "{elsewhere}");
    let said = records(format!("{}:{}", stream.dev(), stream.ino()));
    let said = said.strip_prefix(&elsewhere).unwrap();
    let records: Vec<_> = said.lines().filter(|line| line.contains(" DEBUG ")).collect();
    assert!(!records.is_empty() && records.iter().all(|line| line.starts_with("<7>")), "{said}");
}

#[test]
fn the_watchdog_is_fed_while_only_the_operator_can_help() {
    let shell = Shell::new();
    let manager = Manager::start(&shell, Some(Duration::from_millis(300)));
    assert!(manager.heard().starts_with("READY=1\n"));
    let fed = manager.hears("WATCHDOG=1");
    assert!(fed.contains("STATUS=serving at"), "{fed}");
    // A write lock that somebody else holds is not gone after a restart.
    let other = shell.world.database();
    other.hold();
    let refusing = manager.hears("STATUS=changes are refused: ");
    assert!(refusing.contains("WATCHDOG=1"), "{refusing}");
    other.let_go();
    manager.hears("STATUS=serving at");
    assert_eq!(manager.stop(), Some(0));
}

#[test]
fn the_watchdog_starves_when_a_restart_would_help() {
    let shell = Shell::new();
    let manager = Manager::start(&shell, Some(Duration::from_millis(300)));
    manager.hears("WATCHDOG=1");
    // A newer program has brought the database up: the old one must make room.
    shell.world.database().outdate();
    manager.hears("STATUS=a restart is needed: ");
    for _ in 0..3 {
        let heard = manager.heard();
        assert!(!heard.contains("WATCHDOG"), "{heard}");
    }
    assert_eq!(manager.stop(), Some(0));
}
