//! Mail from the row to the wire: its words, the queue, the notices, and SMTP with servers good and bad.

pub mod liars;
mod notices;
mod queue;
mod smtp;
mod words;

use crate::world::World;
use authd::domain::mail::{Mail, MailState};
use authd::ports::{Mailer, Message, Undelivered};
use std::collections::VecDeque;
use std::sync::Mutex;

/// A way out that does as it was told: an answer for each mail, and yes when there is none left.
#[derive(Debug, Default)]
pub struct Told {
    answers: Mutex<VecDeque<Result<(), Undelivered>>>,
    sent: Mutex<Vec<Message>>,
}

impl Told {
    pub fn answers(answers: impl IntoIterator<Item = Result<(), Undelivered>>) -> Self {
        Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() }
    }

    /// What was taken, oldest first: to whom, and about what.
    pub fn taken(&self) -> Vec<(String, String)> {
        self.sent
            .lock()
            .unwrap()
            .iter()
            .map(|message| (message.to.clone(), message.subject.clone()))
            .collect()
    }
}

impl Mailer for Told {
    fn send(&self, message: &Message) -> Result<(), Undelivered> {
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Ok(()));
        if answer.is_ok() {
            self.sent.lock().unwrap().push(message.clone());
        }
        answer
    }
}

fn later() -> Result<(), Undelivered> {
    Err(Undelivered::Transient("the server is on holiday".into()))
}

fn never() -> Result<(), Undelivered> {
    Err(Undelivered::Permanent("the server said 550 no such user".into()))
}

impl World {
    /// The one mail to an address.
    fn mail(&self, to: &str) -> Mail {
        let mails = self.mails(to);
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.into_iter().next().unwrap()
    }

    fn states(&self, to: &str) -> Vec<MailState> {
        self.mails(to).iter().map(|mail| mail.state).collect()
    }
}
