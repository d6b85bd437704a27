//! The outbox as a queue: what is tried when, by whom, and what becomes of what fails.

use super::{Told, later, never};
use crate::world::{World, operator};
use authd::domain::mail::MailState;
use authd::error::{Error, Refusal};
use authd::ports::{Mailer, Message, Undelivered};
use authd::usecase::app::App;
use authd::usecase::mail::compose;
use authd::usecase::mail::delivery::{Delivery, retry};
use authd::usecase::mail::delivery_worker;
use authd::usecase::session::logout;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender as Channel, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn deliver(app: &App, mailer: &dyn Mailer) -> usize {
    Delivery::new(app, mailer).deliver_due().unwrap()
}

#[test]
fn a_mail_is_sent_once_and_its_text_wiped() {
    let world = World::new();
    world.register(ANN).unwrap();
    let link = world.token_in_mail(ANN);
    let told = Told::default();
    assert_eq!(deliver(&world.app, &told), 1);
    assert_eq!(deliver(&world.app, &told), 0);
    assert_eq!(told.taken(), [(ANN.to_owned(), "Confirm your e-mail address".to_owned())]);
    let message = &told.sent.lock().unwrap()[0];
    assert!(message.text.expose().contains(&link) && message.html.expose().contains(&link));
    let mail = world.mail(ANN);
    assert_eq!((mail.state, mail.sent_at, mail.attempts), (MailState::Sent, Some(world.now()), 1));
    let opened = compose::show(&world.app, &operator(), &mail.id.to_string()).unwrap();
    assert!(opened.body.is_none() && opened.html.is_none());
}

#[test]
fn what_fails_is_tried_after_1_2_4_minutes_up_to_an_hour_and_given_up_after_a_day() {
    let world = World::new();
    world.register(ANN).unwrap();
    let told = Told::answers((0..100).map(|_| later()));
    let mut tried_at = Vec::new();
    for minute in 0..=24 * 60 {
        let before = world.mail(ANN).attempts;
        deliver(&world.app, &told);
        if world.mail(ANN).attempts > before {
            tried_at.push(minute);
        }
        world.advance(MINUTE);
    }
    assert_eq!(tried_at[..9], [0, 1, 3, 7, 15, 31, 63, 123, 183]);
    let mail = world.mail(ANN);
    assert_eq!(mail.state, MailState::Failed);
    assert_eq!(mail.last_error.as_deref(), Some("given up after a day; the server is on holiday"));
    assert_eq!(mail.attempts, 6 + 23, "each hour of the day after the first");
    world.advance(24 * HOUR);
    assert_eq!(deliver(&world.app, &Told::default()), 0);
    assert_eq!(world.mail(ANN).state, MailState::Failed);
}

#[test]
fn a_mail_that_nobody_ever_wants_fails_at_once_and_can_be_retried() {
    let world = World::new();
    world.register(ANN).unwrap();
    let told = Told::answers([never()]);
    assert_eq!(deliver(&world.app, &told), 0);
    world.advance(30 * HOUR);
    assert_eq!(deliver(&world.app, &told), 0);
    let mail = world.mail(ANN);
    assert_eq!(mail.last_error.as_deref(), Some("the server said 550 no such user"));
    let retried = retry(&world.app, &operator(), &[mail.id.to_string()]).unwrap();
    assert_eq!(retried[0].mail.state, MailState::Queued);
    assert_eq!(deliver(&world.app, &told), 1, "it has a day of its own again");
    assert!(world.events().contains(&"MailRetried".to_owned()));
}

#[test]
fn only_what_was_not_sent_can_be_retried_and_all_of_it_or_nothing() {
    let world = World::new();
    world.register(ANN).unwrap();
    world.advance(Duration::from_millis(1));
    world.register(BOB).unwrap();
    deliver(&world.app, &Told::answers([never(), Ok(())]));
    let [ann, bob] = [ANN, BOB].map(|to| world.mail(to).id.to_string());
    let refused = |ids: &[&String]| {
        let ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
        match retry(&world.app, &operator(), &ids) {
            Err(Error::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(refused(&[&ann, &bob]), Refusal::Conflict { reason } if reason.contains("was sent")));
    let unknown = bob.replace(|c: char| c.is_ascii_digit(), "0");
    assert_eq!(refused(&[&ann, &unknown]), Refusal::not_found("mail", unknown.clone()));
    assert_eq!(refused(&[&ann, &"x".to_owned()]), Refusal::not_found("mail", "x"));
    assert_eq!(world.states(ANN), [MailState::Failed], "nothing was changed");
}

#[test]
fn fresh_mail_goes_before_what_is_tried_again() {
    let world = World::new();
    world.register(ANN).unwrap();
    let told = Told::answers([later()]);
    deliver(&world.app, &told);
    world.advance(MINUTE);
    world.register(BOB).unwrap();
    assert_eq!(deliver(&world.app, &told), 2);
    assert_eq!(told.taken().iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), [BOB, ANN]);
}

/// While it sends, another process looks for mail, and an operator is impatient.
#[derive(Debug)]
struct Crossed {
    other: App,
    found: Mutex<Option<usize>>,
}

impl Mailer for Crossed {
    fn send(&self, message: &Message) -> Result<(), Undelivered> {
        retry(&self.other, &operator(), &[message.id.to_string()]).unwrap();
        *self.found.lock().unwrap() = Some(deliver(&self.other, &Told::default()));
        Ok(())
    }
}

#[test]
fn two_processes_never_send_the_same_mail_at_once() {
    let world = World::new();
    world.register(ANN).unwrap();
    let crossed = Crossed { other: world.another_app(), found: Mutex::default() };
    assert_eq!(deliver(&world.app, &crossed), 1);
    assert_eq!(*crossed.found.lock().unwrap(), Some(0));
    assert_eq!(world.mail(ANN).state, MailState::Sent);
}

/// Dies while it sends.
#[derive(Debug, Default)]
struct Dying(Mutex<Option<Message>>);

impl Mailer for Dying {
    fn send(&self, message: &Message) -> Result<(), Undelivered> {
        *self.0.lock().unwrap() = Some(message.clone());
        panic!("killed");
    }
}

#[test]
fn a_mail_whose_sender_died_is_sent_again_after_a_restart_as_the_same_mail() {
    let world = World::new();
    world.register(ANN).unwrap();
    let dying = Dying::default();
    assert!(catch_unwind(AssertUnwindSafe(|| deliver(&world.app, &dying))).is_err());
    let (restarted, told) = (world.another_app(), Told::default());
    world.advance(Duration::from_millis(15 * 60_000 - 1));
    assert_eq!(deliver(&restarted, &told), 0, "the first one may be at it still");
    world.advance(Duration::from_millis(1));
    assert_eq!(deliver(&restarted, &told), 1);
    let (first, second) = (dying.0.into_inner().unwrap().unwrap(), told.sent.into_inner().unwrap().remove(0));
    assert_eq!((first.id, first.date, first.to), (second.id, second.date, second.to));
    assert_eq!(world.mail(ANN).attempts, 2);
}

#[test]
fn what_was_sent_but_could_not_be_marked_is_marked_and_not_sent_twice() {
    let world = World::new();
    world.register(ANN).unwrap();
    let database = world.database();
    database.refuse("mails", "new.state = 'sent'");
    let told = Told::default();
    let mut delivery = Delivery::new(&world.app, &told);
    assert!(delivery.deliver_due().is_err());
    world.register(BOB).unwrap();
    world.advance(HOUR);
    assert!(delivery.deliver_due().is_err(), "nothing more is sent meanwhile");
    database.let_be("mails");
    assert_eq!(delivery.deliver_due().unwrap(), 1);
    assert_eq!(told.taken().len(), 2);
    assert_eq!([world.states(ANN), world.states(BOB)], [[MailState::Sent], [MailState::Sent]]);
}

#[test]
fn a_mail_that_does_not_open_fails_and_holds_up_no_other() {
    let world = World::new();
    world.register(ANN).unwrap();
    world.register(BOB).unwrap();
    let sql = "UPDATE mails SET body_sealed = ?1 WHERE to_address = ?2";
    assert_eq!(world.database().change(sql, &[(&[0]).into(), ANN.into()]), 1);
    assert_eq!(deliver(&world.app, &Told::default()), 1);
    assert_eq!([world.states(ANN), world.states(BOB)], [[MailState::Failed], [MailState::Sent]]);
}

/// Says what it is given, and answers only when it is told what.
#[derive(Debug)]
struct Hanging {
    given: Mutex<Channel<String>>,
    answers: Mutex<Receiver<()>>,
}

impl Mailer for Hanging {
    fn send(&self, message: &Message) -> Result<(), Undelivered> {
        self.given.lock().unwrap().send(message.to.clone()).unwrap();
        self.answers.lock().unwrap().recv().map_err(|_| Undelivered::Transient("hung up".into()))
    }
}

#[test]
fn the_senders_thread_wakes_for_each_mail_and_hangs_alone() {
    let world = World::new();
    let ((given, seen), (answer, answers)) = (channel(), channel());
    let hanging = Arc::new(Hanging { given: Mutex::new(given), answers: Mutex::new(answers) });
    let sender = delivery_worker::start_with(&world.app, hanging).unwrap();
    assert!(delivery_worker::start_with(&world.app, Arc::new(Told::default())).is_err(), "one is enough");
    let patience = Duration::from_secs(30);
    world.register(ANN).unwrap();
    assert_eq!(seen.recv_timeout(patience).as_deref(), Ok(ANN));
    // It hangs; all else goes on.
    world.add_user(BOB, &[]);
    let tokens = world.login(BOB).unwrap();
    logout::logout(&world.app, &world.caller(&tokens)).unwrap();
    world.register("eve@example.com").unwrap();
    answer.send(()).unwrap();
    assert_eq!(seen.recv_timeout(patience).as_deref(), Ok("eve@example.com"));
    assert_eq!(world.states(ANN), [MailState::Sent]);
    drop(answer);
    sender.stop_within(patience);
    assert_eq!(world.mail("eve@example.com").last_error.as_deref(), Some("hung up"));
}

#[test]
fn a_sender_that_hangs_is_not_waited_for_longer_than_asked() {
    let world = World::new();
    let ((given, seen), (answer, answers)) = (channel(), channel::<()>());
    let hanging = Arc::new(Hanging { given: Mutex::new(given), answers: Mutex::new(answers) });
    let sender = delivery_worker::start_with(&world.app, hanging).unwrap();
    world.register(ANN).unwrap();
    seen.recv_timeout(Duration::from_secs(30)).unwrap();
    sender.stop_within(Duration::from_millis(1));
    assert_eq!(world.states(ANN), [MailState::Queued]);
    drop(answer);
}

#[test]
fn nothing_is_sent_where_mail_stays_in_the_outbox() {
    let world = World::new();
    assert!(delivery_worker::start(&world.app).unwrap().is_none());
}
