//! As in a container: the first process, a user without a name or a home, and nothing but variables to say
//! what is wanted.

use super::on_a_file::folders::open_to_all;
use super::on_a_file::owners::OTHER;
use super::serve::Daemon;
use crate::missing::{can_mount, is_there};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, Permissions};
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

#[test]
fn variables_alone_configure_it_and_signals_end_the_first_process() {
    if !can_mount() || !is_there("unshare") {
        return;
    }
    let (folder, program) = open_to_all();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    // What a first process that was killed has left, whose number the next one has again.
    for left in ["authd.key.part-1-0", "authd.db.part-1-0"] {
        fs::write(data.join(left), "").unwrap();
    }
    fs::set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
    chown(&data, Some(OTHER), Some(OTHER)).unwrap();
    for signals in [&[Signal::TERM][..], &[Signal::INT], &[Signal::TERM, Signal::INT]] {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "--setuid", &OTHER.to_string()]);
        command.arg(&program).args(["serve"]).current_dir("/").env_clear();
        command.env("PATH", std::env::var("PATH").unwrap_or_default());
        command.env("AUTHD_DATABASE", data.join("authd.db"));
        command.env("AUTHD_LISTEN", "127.0.0.1:0").env("AUTHD_PUBLIC_URL", "https://auth.example.com");
        let daemon = Daemon::of(command);
        assert_eq!(daemon.ask("GET /readyz", "", "").0, 200);
        let children =
            fs::read_to_string(format!("/proc/{0}/task/{0}/children", daemon.pid().as_raw_nonzero()));
        let first: i32 = children.unwrap().trim().parse().unwrap();
        // A request under way is waited for, until a second signal.
        let mut held = TcpStream::connect(daemon.address()).unwrap();
        if signals.len() > 1 {
            held.write_all(b"POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{")
                .unwrap();
            assert_eq!(daemon.ask("GET /healthz", "", "").0, 200, "what was sent before has come, too");
        }
        for signal in signals {
            kill_process(Pid::from_raw(first).unwrap(), *signal).unwrap();
        }
        let (code, said) = daemon.finish();
        if signals.len() > 1 {
            // Which of two that wait comes first, the kernel decides, and both may come after the end.
            assert!([0, 130, 143].map(Some).contains(&code), "{code:?}: {said}");
        } else {
            assert_eq!((code, said.ends_with("stopped\n")), (Some(0), true), "{said}");
        }
    }
}
