//! Mail through a real SMTP server, Python's aiosmtpd on loopback.

use super::Told;
use crate::world::{World, operator};
use authd::domain::email::Email;
use authd::domain::id::MailId;
use authd::domain::mail::MailState;
use authd::domain::secret::Secret;
use authd::domain::time::Timestamp;
use authd::ports::smtp::{Encryption, Login, Patience, Roots, Settings, Smtp};
use authd::ports::{Mailer, Message, Undelivered};
use authd::usecase::mail::delivery;
use authd::usecase::mail::delivery::{Delivery, Tested};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

struct Server {
    child: Child,
    said: BufReader<ChildStdout>,
    port: u16,
    folder: TempDir,
}

impl Server {
    /// `None`, said loudly: Python or the server is not installed.
    fn start(args: &[&str]) -> Option<Self> {
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = project.join("target/smtp-venv/bin/python");
        if !python.exists() {
            crate::missing::missing("smtp-server");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(python);
        command
            .arg(project.join("tests/smtp_server.py"))
            .arg("--ca")
            .arg(folder.path().join("ca.pem"))
            .args(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        said.read_line(&mut port).unwrap();
        Some(Self { child, said, port: port.trim().parse().unwrap(), folder })
    }

    fn mail(&mut self) -> Value {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Ends it; gives how many mails it took that nobody asked for yet.
    fn stop(&mut self) -> usize {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
        (&mut self.said).lines().count()
    }

    fn settings(&self, encryption: Encryption) -> Settings {
        let pem = std::fs::read_to_string(self.folder.path().join("ca.pem"));
        Settings {
            host: "localhost".into(),
            port: self.port,
            encryption,
            login: None,
            from: "Example, Inc. <auth@example.com>".into(),
            roots: pem.map_or(Roots::System, Roots::Only),
            patience: Patience::default(),
        }
    }

    fn login(&self, user: &str, password: &str) -> Option<Login> {
        let password_file: PathBuf = self.folder.path().join("password");
        std::fs::write(&password_file, format!("{password}\n")).unwrap();
        Some(Login { user: user.into(), password_file })
    }
}

impl Drop for Server {
    /// A test that fails leaves no server behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn message() -> Message {
    Message {
        id: MailId::new(Timestamp::from_secs(1_795_334_400), [7; 10]),
        date: Timestamp::from_secs(1_795_334_400),
        to: "ann@example.com".into(),
        subject: "Grüße\r\nBcc: eve@example.com".into(),
        text: Secret::new(format!("Für Sie:\n.\n..\nFrom here\n{}\n", "x".repeat(2000))),
        html: Secret::new("<p>Für Sie</p>\n".into()),
    }
}

fn header<'a>(mail: &'a Value, wanted: &str) -> Vec<&'a str> {
    let headers = mail["headers"].as_array().unwrap().iter();
    headers.filter(|header| header[0] == wanted).map(|header| header[1].as_str().unwrap()).collect()
}

#[test]
fn answers_added_before_the_encryption_are_not_believed() {
    let Some(mut server) = Server::start(&["--tls", "starttls", "--inject"]) else {
        return;
    };
    let outcome = Smtp::new(server.settings(Encryption::Starttls)).unwrap().send(&message());
    let Err(Undelivered::Transient(why)) = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("before the encryption"), "{why}");
    assert_eq!(server.stop(), 0, "the mail's text was kept back");
}

#[test]
fn a_mail_arrives_as_it_was_written() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    Smtp::new(server.settings(Encryption::None)).unwrap().send(&message()).unwrap();
    let mail = server.mail();
    assert_eq!(mail["envelope"], serde_json::json!(["auth@example.com", ["ann@example.com"]]));
    assert_eq!(header(&mail, "From"), ["\"Example, Inc.\" <auth@example.com>"]);
    assert_eq!(header(&mail, "To"), ["ann@example.com"]);
    assert_eq!(header(&mail, "Subject"), ["Grüße Bcc: eve@example.com"]);
    assert_eq!(header(&mail, "Bcc"), <[&str; 0]>::default());
    assert_eq!(header(&mail, "Message-ID"), [format!("<{}@example.com>", message().id)]);
    assert_eq!(header(&mail, "Date"), ["Sun, 22 Nov 2026 08:00:00 +0000"]);
    assert_eq!(header(&mail, "Auto-Submitted"), ["auto-generated"]);
    assert_eq!(mail["types"], serde_json::json!(["multipart/alternative", "text/plain", "text/html"]));
    assert_eq!(mail["text"], message().text.expose().as_str());
    assert_eq!(mail["html"], message().html.expose().as_str());
    assert!(mail["longest"].as_u64().unwrap() <= 998, "RFC 5322 §2.1.1");
    assert_eq!(server.stop(), 0);
}

#[test]
fn starttls_comes_before_the_login_and_the_mail() {
    let Some(mut server) = Server::start(&["--tls", "starttls", "--login", "authd:hunter2"]) else {
        return;
    };
    let settings =
        Settings { login: server.login("authd", "hunter2"), ..server.settings(Encryption::Starttls) };
    Smtp::new(settings).unwrap().send(&message()).unwrap();
    let mail = server.mail();
    assert_eq!((&mail["encrypted"], &mail["login"]), (&true.into(), &"authd".into()));
}

#[test]
fn tls_from_the_first_byte_works_too() {
    let Some(mut server) = Server::start(&["--tls", "tls"]) else {
        return;
    };
    Smtp::new(server.settings(Encryption::Tls)).unwrap().send(&message()).unwrap();
    assert_eq!(server.mail()["encrypted"], true);
}

fn transient(outcome: Result<(), Undelivered>) -> String {
    match outcome {
        Err(Undelivered::Transient(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_goes_to_a_server_without_starttls_or_with_a_certificate_of_somebody_else() {
    let Some(mut bare) = Server::start(&[]) else {
        return;
    };
    let why = transient(Smtp::new(bare.settings(Encryption::Starttls)).unwrap().send(&message()));
    assert!(why.contains("no STARTTLS"), "{why}");
    assert_eq!(bare.stop(), 0);

    for (encryption, name) in [(Encryption::Starttls, "starttls"), (Encryption::Tls, "tls")] {
        let mut unknown = Server::start(&["--tls", name]).unwrap();
        let settings = Settings { roots: Roots::System, ..unknown.settings(encryption) };
        let why = transient(Smtp::new(settings).unwrap().send(&message()));
        assert!(why.contains("certificate"), "{why}");
        assert_eq!(unknown.stop(), 0);

        let mut other = Server::start(&["--tls", name, "--host", "smtp.example.com"]).unwrap();
        let why = transient(Smtp::new(other.settings(encryption)).unwrap().send(&message()));
        assert!(why.contains("certificate"), "{why}");
        assert_eq!(other.stop(), 0);
    }
}

#[test]
fn a_wrong_password_is_the_operators_to_mend_and_counts_from_the_next_mail() {
    let Some(mut server) = Server::start(&["--login", "authd:hunter2"]) else {
        return;
    };
    let settings = Settings { login: server.login("authd", "wrong"), ..server.settings(Encryption::None) };
    let smtp = Smtp::new(settings).unwrap();
    let why = transient(smtp.send(&message()));
    assert!(why.contains("535") && !why.contains("wrong"), "{why}");
    server.login("authd", "hunter2");
    smtp.send(&message()).unwrap();
    assert_eq!(server.mail()["login"], "authd");
    let without = Smtp::new(server.settings(Encryption::None)).unwrap();
    assert!(transient(without.send(&message())).contains("530"), "no mail is given up for want of a login");
}

#[test]
fn what_a_server_says_of_a_recipient_decides() {
    let Some(never) = Server::start(&["--refuse", "550 no such user\u{1b}[31m here"]) else {
        return;
    };
    let refused = Smtp::new(never.settings(Encryption::None)).unwrap().send(&message());
    let why = "RCPT TO: the server said 550 no such user [31m here";
    assert_eq!(refused, Err(Undelivered::Permanent(why.into())));
    let later = Server::start(&["--refuse", "451 greylisted"]).unwrap();
    let why = transient(Smtp::new(later.settings(Encryption::None)).unwrap().send(&message()));
    assert_eq!(why, "RCPT TO: the server said 451 greylisted");
}

#[test]
fn settings_that_cannot_work_are_refused_at_the_start() {
    let settings = |from: &str, password_file: &str| Settings {
        host: "localhost".into(),
        port: 25,
        encryption: Encryption::None,
        login: Some(Login { user: "authd".into(), password_file: password_file.into() }),
        from: from.into(),
        roots: Roots::System,
        patience: Patience::default(),
    };
    for (from, file, part) in [
        ("a@example.com", "/nowhere/secret", "/nowhere/secret can't be read"),
        ("a@example.com", "/dev/null", "nothing in its first line"),
        ("nobody", "/dev/null", "mail.from"),
    ] {
        let why = Smtp::new(settings(from, file)).unwrap_err();
        assert!(why.contains(part), "{why}");
    }
}

#[test]
fn the_outbox_gets_through_as_configured() {
    let Some(mut server) = Server::start(&["--login", "authd:hunter2"]) else {
        return;
    };
    let login = server.login("authd", "hunter2").unwrap();
    let (port, file) = (server.port.to_string(), login.password_file.to_str().unwrap().to_owned());
    let world = World::with(&[
        ("mail.transport", "smtp"),
        ("mail.smtp_host", "127.0.0.1"),
        ("mail.smtp_port", &port),
        ("mail.smtp_tls", "none"),
        ("mail.smtp_user", "authd"),
        ("mail.smtp_password_file", &file),
        ("mail.from", "Example <auth@example.com>"),
    ]);
    let ann = "ann@example.com";
    world.register(ann).unwrap();
    let link = world.token_in_mail(ann);
    let mailer = delivery::mailer(&world.app.config).unwrap().unwrap();
    assert_eq!(Delivery::new(&world.app, &mailer).deliver_due().unwrap(), 1);
    let mail = server.mail();
    assert!(mail["text"].as_str().unwrap().contains(&link) && mail["html"].as_str().unwrap().contains(&link));
    assert_eq!(header(&mail, "Message-ID"), [format!("<{}@example.com>", world.mail(ann).id)]);

    let to = Email::parse("olga@example.com").unwrap();
    assert_eq!(delivery::send_test(&world.app, &operator(), &to).unwrap(), Tested::Taken);
    let test = server.mail();
    assert_eq!(header(&test, "Subject"), ["Mail from 127.0.0.1:8080 works"]);
    assert!(world.mails("olga@example.com").is_empty(), "it goes past the outbox");
    assert_eq!(server.stop(), 0);

    let gone = delivery::send_test(&world.app, &operator(), &to).unwrap();
    assert!(matches!(gone, Tested::NotTaken(Undelivered::Transient(_))), "{gone:?}");
    world.advance(Duration::from_secs(1));
    world.add_user("bob@example.com", &[]);
    authd::usecase::account::password::request_reset(
        &world.app,
        &crate::world::anonymous(),
        &Email::parse("bob@example.com").unwrap(),
    )
    .unwrap();
    assert_eq!(Delivery::new(&world.app, &mailer).deliver_due().unwrap(), 0);
    assert_eq!(world.states("bob@example.com"), [MailState::Queued]);
    world.advance(Duration::from_secs(60));
    assert_eq!(Delivery::new(&world.app, &Told::default()).deliver_due().unwrap(), 1, "none is lost");
}
