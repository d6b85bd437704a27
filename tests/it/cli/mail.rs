//! Mail as the operator sees it: what the configuration check says, the test mail, the outbox, and that
//! the daemon sends by itself.

use super::serve::Daemon;
use super::{Shell, json};
use crate::mail::liars::{Line, server};
use authd::ports::{Clock, SystemClock};
use authd::usecase::mail::delivery::Delivery;
use rustix::process::Signal;
use std::fs;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// An SMTP server that takes everything and hands it on, or says no to every recipient.
pub(super) fn smtp(refusal: Option<&'static str>) -> (u16, Receiver<String>) {
    let (taken, mails) = channel();
    let port = server(move |line: &mut Line| {
        if let Some(refusal) = refusal {
            line.behave_until("RCPT");
            return line.say(refusal);
        }
        line.behave_until("DATA");
        line.say("354 go on\r\n");
        let mail = line.swallow();
        line.say("250 taken\r\n");
        let _ = taken.send(mail);
    });
    (port, mails)
}

impl Shell {
    fn with_smtp(port: u16) -> Self {
        let shell = Self::new();
        let config = format!(
            "[mail]\ntransport = \"smtp\"\nsmtp_host = \"127.0.0.1\"\nsmtp_port = {port}\nsmtp_tls = \"none\"\n"
        );
        fs::write(shell.world.folder.join("authd.toml"), config).unwrap();
        shell
    }
}

#[test]
fn a_test_mail_says_whether_mail_gets_out() {
    let (port, mails) = smtp(None);
    let shell = Shell::with_smtp(port);
    let said = shell.line("-o json mail test ann@example.com");
    assert_eq!((said.code, json(&said.out)["taken"].as_bool()), (0, Some(true)), "{said:?}");
    let mail = mails.recv().unwrap();
    assert!(mail.contains("To: ann@example.com\r\n") && mail.contains("authctl mail test"), "{mail}");
    let said = shell.line("mail test ann@example.com");
    assert!(said.err.contains(&format!("127.0.0.1:{port} took the mail to ann@example.com")), "{said:?}");

    let (port, _) = smtp(Some("550 5.7.1 relaying denied\r\n"));
    let said = Shell::with_smtp(port).line("-o json mail test ann@example.com");
    assert_eq!((said.code, json(&said.out)["taken"].as_bool()), (5, Some(false)), "{said:?}");
    assert!(said.err.contains("RCPT TO: the server said 550 5.7.1 relaying denied"), "{said:?}");

    let without = Shell::new();
    let said = without.line("mail test ann@example.com");
    assert_eq!(said.code, 78);
    assert!(said.err.contains("mail.transport is outbox"), "{said:?}");
    assert_eq!(without.line("mail test ann").code, 1);
}

#[test]
fn a_mail_that_failed_is_retried_by_the_operator() {
    let (port, _) = smtp(Some("550 no such user\r\n"));
    let shell = Shell::with_smtp(port);
    shell.world.register("ann@example.com").unwrap();
    let (host, port) = (("mail.smtp_host", "127.0.0.1"), port.to_string());
    let settings = [("mail.transport", "smtp"), host, ("mail.smtp_port", &port), ("mail.smtp_tls", "none")];
    let app = shell.world.another_app_with(&settings);
    let mailer = authd::usecase::mail::delivery::mailer(&app.config).unwrap().unwrap();
    assert_eq!(Delivery::new(&app, &mailer).deliver_due().unwrap(), 0);

    let failed = shell.line("mail list -q --state failed").out;
    let shown = json(&shell.line(&format!("-o json mail show {}", failed.trim())).out);
    assert_eq!(shown["last_error"], "RCPT TO: the server said 550 no such user");
    assert!(shown["body"].as_str().unwrap().starts_with("Hello,"), "{shown}");
    assert!(shown["html"].as_str().unwrap().starts_with("<!DOCTYPE html>"), "{shown}");
    assert_eq!(shell.line("mail retry 0198a000-0000-7000-8000-000000000000").code, 3);
    assert_eq!(shell.line("mail retry").code, 2);
    let said = shell.line(&format!("mail retry {}", failed.trim()));
    assert_eq!(
        (said.code, said.err.as_str()),
        (0, "queued: Confirm your e-mail address to ann@example.com\n")
    );
    assert_eq!(shell.line("mail list -q --state queued").out, failed);
    let retried = shell.line("-o json audit tail").out;
    assert!(retried.contains("MailRetried"), "{retried}");
}

#[test]
fn a_check_of_the_configuration_reads_templates_and_password_file_too() {
    let shell = Shell::with_smtp(25);
    let folder = shell.world.folder.join("templates");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("new_login.txt"), "{% extends \"layout.txt\" %}\n{% block").unwrap();
    let config = fs::read_to_string(shell.world.folder.join("authd.toml")).unwrap();
    let write =
        |more: &str| fs::write(shell.world.folder.join("authd.toml"), format!("{config}{more}")).unwrap();
    write("templates = \"templates\"\n");
    for line in ["config check", "serve --listen 127.0.0.1:0", "user list"] {
        let said = shell.line(line);
        assert_eq!(said.code, 78, "{line}: {said:?}");
        assert!(said.err.contains("templates/new_login.txt:2: "), "{line}: {said:?}");
    }
    write("smtp_user = \"authd\"\nsmtp_password_file = \"smtp.secret\"\n");
    let said = shell.line("config check");
    assert_eq!(said.code, 78);
    assert!(said.err.contains("smtp.secret can't be read"), "{said:?}");
    fs::write(shell.world.folder.join("smtp.secret"), "hunter2\n").unwrap();
    assert_eq!(shell.line("config check").code, 0);
}

#[test]
fn the_daemon_sends_what_it_and_others_queue() {
    let (port, mails) = smtp(None);
    let shell = Shell::with_smtp(port);
    let patience = Duration::from_secs(30);
    assert_eq!(shell.line("user add early@example.com --invite").code, 0);
    let daemon = Daemon::start(&shell, &[]);
    assert!(
        mails.recv_timeout(patience).unwrap().contains("To: early@example.com"),
        "what waited goes first"
    );
    let body = r#"{"email":"ann@example.com","password":"correct horse battery staple"}"#;
    assert_eq!(daemon.ask("POST /api/auth/register", "", body).0, 202);
    assert!(mails.recv_timeout(patience).unwrap().contains("To: ann@example.com"));
    assert_eq!(shell.line("user add late@example.com --invite").code, 0);
    assert!(mails.recv_timeout(patience).unwrap().contains("To: late@example.com"));
    assert_eq!(daemon.stop(Signal::TERM).0, Some(0));
    let states = shell.line("-o tsv mail list").out;
    assert_eq!(states.matches("\tsent\t").count(), 3, "{states}");
}

#[test]
fn a_server_that_hangs_holds_up_neither_a_login_nor_the_end() {
    let (met, meets) = channel();
    let hanging = server(move |line| {
        let _ = met.send(());
        line.hang();
    });
    let shell = Shell::with_smtp(hanging);
    shell.world.add_user("ann@example.com", &[]);
    let daemon = Daemon::start(&shell, &[]);
    let body = r#"{"email":"bob@example.com","password":"correct horse battery staple"}"#;
    assert_eq!(daemon.ask("POST /api/auth/register", "", body).0, 202);
    meets.recv_timeout(Duration::from_secs(30)).unwrap();
    assert_eq!(daemon.login("ann@example.com").0, 200);
    let clock = SystemClock::new();
    assert_eq!(daemon.stop(Signal::TERM).0, Some(0));
    assert!(clock.elapsed() < Duration::from_secs(5));
    assert_eq!(shell.line("-o tsv mail list --state queued").out.lines().count(), 2);
}
