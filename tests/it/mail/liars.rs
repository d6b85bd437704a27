//! Servers that hang, reset and lie. Whatever they do, a mail counts as sent only when one took it.

use authd::domain::id::MailId;
use authd::domain::mail::MailState;
use authd::domain::secret::Secret;
use authd::domain::time::Timestamp;
use authd::ports::smtp::{Encryption, Patience, Roots, Settings, Smtp};
use authd::ports::{Mailer, Message, Undelivered};
use authd::usecase::mail::delivery::Delivery;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// A server on loopback that does this with every connection; gives its port.
pub fn server(behave: impl Fn(&mut Line) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            behave(&mut Line(BufReader::new(stream.unwrap())));
        }
    });
    port
}

/// One connection.
pub struct Line(BufReader<TcpStream>);

impl Line {
    pub fn say(&mut self, text: &str) {
        // Whoever is spoken to may have gone.
        let _ = self.0.get_mut().write_all(text.as_bytes());
    }

    /// The next command; empty when there is none any more.
    fn hear(&mut self) -> String {
        let mut line = String::new();
        let _ = self.0.read_line(&mut line);
        line
    }

    /// Answers commands until one begins with `last`; that one is left unanswered.
    pub fn behave_until(&mut self, last: &str) {
        self.say("220 liar\r\n");
        loop {
            let command = self.hear();
            if command.is_empty() || command.starts_with(last) {
                return;
            }
            self.say("250 fine\r\n");
        }
    }

    /// Reads a mail up to its end, and gives it.
    pub fn swallow(&mut self) -> String {
        let mut mail = String::new();
        loop {
            match self.hear().as_str() {
                "" | ".\r\n" => return mail,
                line => mail.push_str(line),
            }
        }
    }

    /// Says nothing until the other side gives up.
    pub fn hang(&mut self) {
        let _ = self.0.read_to_end(&mut Vec::new());
    }
}

fn smtp(port: u16) -> Smtp {
    let short = Duration::from_millis(200);
    Smtp::new(Settings {
        host: "127.0.0.1".into(),
        port,
        encryption: Encryption::None,
        login: None,
        from: "auth@example.com".into(),
        roots: Roots::System,
        patience: Patience { connect: short, answer: short, verdict: short, quit: short },
    })
    .unwrap()
}

fn send(port: u16) -> Result<(), Undelivered> {
    smtp(port).send(&Message {
        id: MailId::new(Timestamp::from_secs(1_795_334_400), [7; 10]),
        date: Timestamp::from_secs(1_795_334_400),
        to: "ann@example.com".into(),
        subject: "Hello".into(),
        text: Secret::new("hello\n".repeat(10_000)),
        html: Secret::new("<p>hello</p>\n".into()),
    })
}

fn fails_for_now(port: u16, because: &str) {
    match send(port) {
        Err(Undelivered::Transient(why)) => assert!(why.contains(because), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_server_that_hangs_is_left_wherever_it_does() {
    fails_for_now(server(Line::hang), "no answer in time");
    for command in ["EHLO", "MAIL", "RCPT", "DATA"] {
        let hanging = server(move |line| {
            line.behave_until(command);
            line.hang();
        });
        fails_for_now(hanging, "no answer in time");
    }
    let after_the_mail = server(|line| {
        line.behave_until("DATA");
        line.say("354 go on\r\n");
        line.swallow();
        line.hang();
    });
    fails_for_now(after_the_mail, "the mail: no answer in time");
}

#[test]
fn a_server_that_resets_has_not_taken_the_mail() {
    fails_for_now(server(|_| {}), "");
    let in_the_midst = server(|line| {
        line.behave_until("DATA");
        line.say("354 go on\r\n");
        // Closed with unread bytes: the kernel resets.
        line.hear();
    });
    fails_for_now(in_the_midst, "the mail:");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    fails_for_now(nobody, "no connection to 127.0.0.1:");
}

#[test]
fn yes_in_the_wrong_place_is_no() {
    let yes_to_all = server(|line| line.behave_until("never"));
    fails_for_now(yes_to_all, "the server's answer to DATA was 250 where 354 is due");
    let never_ends = server(|line| {
        line.behave_until("DATA");
        line.say("354 go on\r\n");
        line.swallow();
        line.say("354 go on\r\n");
    });
    fails_for_now(never_ends, "the server's answer to the mail was 354 where 250 is due");
    let nonsense = server(|line| line.say("\u{0}\u{ff}\r\n"));
    fails_for_now(nonsense, "");
    let endless = server(|line| {
        line.behave_until("EHLO");
        for _ in 0..20_000 {
            line.say("250-more\r\n");
        }
    });
    fails_for_now(endless, "");
}

#[test]
fn a_server_that_hangs_up_after_its_yes_has_the_mail() {
    for quit in [Line::hang as fn(&mut Line), |_| {}] {
        let port = server(move |line| {
            line.behave_until("DATA");
            line.say("354 go on\r\n");
            line.swallow();
            line.say("250 taken\r\n");
            quit(line);
        });
        assert_eq!(send(port), Ok(()));
    }
}

#[test]
fn a_mail_outlives_every_bad_server_and_gets_to_the_good_one() {
    let world = crate::world::World::new();
    world.register("ann@example.com").unwrap();
    let good = server(|line| {
        line.behave_until("DATA");
        line.say("354 go on\r\n");
        line.swallow();
        line.say("250 taken\r\n");
        line.hang();
    });
    let bad = [
        server(Line::hang),
        server(|line| line.behave_until("DATA")),
        server(|line| line.behave_until("never")),
    ];
    for (port, minutes) in bad.into_iter().zip([1, 2, 4]) {
        assert_eq!(Delivery::new(&world.app, &smtp(port)).deliver_due().unwrap(), 0);
        assert_eq!(world.states("ann@example.com"), [MailState::Queued]);
        world.advance(Duration::from_secs(60 * minutes));
    }
    assert_eq!(Delivery::new(&world.another_app(), &smtp(good)).deliver_due().unwrap(), 1);
    assert_eq!(world.states("ann@example.com"), [MailState::Sent]);
    assert_eq!(world.mail("ann@example.com").attempts, 4);
}
