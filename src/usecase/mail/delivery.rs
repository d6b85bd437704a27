//! Sending what is in the outbox: a queue in the database, which outlives whoever sends from it.
//!
//! A mail is claimed in one transaction, handed on outside of any, and marked in another. Whoever dies in
//! between leaves a claim that runs out; the mail is then sent again, with the same `Message-ID`.

use super::compose::Body;
use crate::config::{self, Config, MailTransport, SmtpTls};
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::id::MailId;
use crate::domain::mail::{GIVE_UP, Mail, MailKind, MailState, pause_after};
use crate::error::{Decision, Error, Fault, Refusal};
use crate::ports::smtp::{Encryption, Login, Patience, Roots, Settings, Smtp};
use crate::ports::{Mailer, Message, Undelivered};
use crate::store::tables::mails;
use crate::store::tables::mails::Sealed;
use crate::store::tables::users;
use crate::usecase::app::App;
use crate::usecase::app::mail_templates::MailContext;
use crate::usecase::{require, require_over};
use std::time::Duration;

/// How long a claim holds: longer than any dialogue with a server that answers just in time.
const LEASE: Duration = Duration::from_secs(15 * 60);

/// The way out that the configuration names. `None`: mail stays in the outbox.
///
/// # Errors
/// [`Fault::Config`] when mail could not be sent like that.
pub fn mailer(config: &Config) -> Result<Option<Smtp>, Fault> {
    match config.mail.transport {
        MailTransport::Outbox => Ok(None),
        MailTransport::Smtp => Smtp::new(settings(&config.mail)).map(Some).map_err(Fault::Config),
    }
}

/// Looks whether mail could be handed on now, without sending any. `None`: mail stays in the outbox.
///
/// # Errors
/// [`Fault::Config`] when mail could not be sent like that.
pub(in crate::usecase) fn greet(config: &Config) -> Result<Option<Result<(), Undelivered>>, Fault> {
    if config.mail.transport == MailTransport::Outbox {
        return Ok(None);
    }
    let short = Duration::from_secs(3);
    let patience = Patience { connect: short, answer: short, ..Patience::default() };
    let smtp = Smtp::new(Settings { patience, ..settings(&config.mail) }).map_err(Fault::Config)?;
    Ok(Some(smtp.greet()))
}

fn settings(mail: &config::Mail) -> Settings {
    let login = mail.smtp_user.clone().zip(mail.smtp_password_file.clone());
    Settings {
        host: mail.smtp_host.clone(),
        port: mail.smtp_port,
        encryption: match mail.smtp_tls {
            SmtpTls::Starttls => Encryption::Starttls,
            SmtpTls::Tls => Encryption::Tls,
            SmtpTls::None => Encryption::None,
        },
        login: login.map(|(user, password_file)| Login { user, password_file }),
        from: mail.from.clone(),
        roots: Roots::System,
        patience: Patience::default(),
    }
}

/// What became of one attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) enum Outcome {
    Sent,
    NotSent,
}

/// Takes one mail after the other.
#[derive(Debug)]
pub struct Delivery<'a> {
    app: &'a App,
    mailer: &'a dyn Mailer,
    /// A mail that was taken while the database could not be written. Nothing more is sent until that
    /// is known to it: this mail would be sent twice.
    unmarked: Option<MailId>,
}

impl<'a> Delivery<'a> {
    /// Begins with no mail under way; `mailer` is what hands each on.
    #[must_use]
    pub const fn new(app: &'a App, mailer: &'a dyn Mailer) -> Self {
        Self { app, mailer, unmarked: None }
    }

    /// Tries every mail that is due; gives how many were taken.
    ///
    /// # Errors
    /// The store's. A mail that was taken and could not be marked is marked before anything else is
    /// sent; if this delivery is gone by then, it is sent again once its claim runs out.
    pub fn deliver_due(&mut self) -> Result<usize, Error> {
        let mut sent = 0;
        while let Some(outcome) = self.deliver_next()? {
            sent += usize::from(outcome == Outcome::Sent);
        }
        Ok(sent)
    }

    /// Sends the next mail that is due. `None`: nothing is.
    pub(in crate::usecase) fn deliver_next(&mut self) -> Result<Option<Outcome>, Error> {
        self.mark_sent()?;
        let claimed = self.app.store.write(&Caller::system(), |tx| {
            let given_up = mails::give_up_old(tx, GIVE_UP)?;
            Ok(Decision::Grant((mails::claim(tx, LEASE)?, given_up)))
        })?;
        if claimed.1 > 0 {
            tracing::warn!(
                mails = claimed.1,
                "mail was given up after a day; see `authctl mail list --state failed`"
            );
        }
        let Some(Sealed { mail, body_sealed }) = claimed.0 else {
            return Ok(None);
        };
        let outcome =
            self.message(&mail, body_sealed.as_deref()).and_then(|message| self.mailer.send(&message));
        match outcome {
            Ok(()) => {
                tracing::info!(mail = %mail.id, kind = mail.kind, "mail sent");
                self.unmarked = Some(mail.id);
                self.mark_sent()?;
                Ok(Some(Outcome::Sent))
            }
            Err(why) => {
                self.mark_failure(mail, why)?;
                Ok(Some(Outcome::NotSent))
            }
        }
    }

    fn mark_sent(&mut self) -> Result<(), Error> {
        if let Some(id) = self.unmarked {
            self.app
                .store
                .write(&Caller::system(), move |tx| Ok(Decision::Grant(mails::save_sent(tx, id)?)))?;
            self.unmarked = None;
        }
        Ok(())
    }

    fn mark_failure(&self, mail: Mail, why: Undelivered) -> Result<(), Error> {
        let pause = match &why {
            Undelivered::Transient(_) => Some(pause_after(mail.attempts)),
            Undelivered::Permanent(_) => None,
        };
        tracing::warn!(mail = %mail.id, kind = mail.kind, attempts = mail.attempts, %why, "mail not sent");
        self.app.store.write(&Caller::system(), move |tx| {
            let next = pause.map(|pause| tx.now().plus(pause));
            Ok(Decision::Grant(mails::save_failure(tx, &mail, &why.to_string(), next)?))
        })
    }

    fn message(&self, mail: &Mail, body_sealed: Option<&[u8]>) -> Result<Message, Undelivered> {
        let sealed = body_sealed.ok_or_else(|| Undelivered::Permanent("its text is gone".into()))?;
        let body = Body::open(&self.app.mail_sealer, mail.id, sealed)
            .map_err(|fault| Undelivered::Permanent(fault.to_string()))?;
        Ok(body.message(mail))
    }
}

/// A mail that is queued now.
#[derive(Clone, Debug, PartialEq)]
pub struct Retried {
    pub mail: Mail,
    /// `false`: it was due already, with what is left of its day before it.
    pub changed: bool,
}

/// Queues mails once more that failed, each with a day before it, and has those tried now that wait for
/// their next attempt. None of them, if one can't be.
///
/// # Errors
/// `forbidden` without `users:write`, or for a mail to an account that holds more of authd than the caller;
/// `not_found`; `conflict` for a mail that was sent: its text is wiped; the store's.
pub fn retry(app: &App, caller: &Caller, ids: &[String]) -> Result<Vec<Retried>, Error> {
    require(caller, "users:write")?;
    let parsed = ids.iter().map(|id| MailId::parse(id).ok_or_else(|| Refusal::not_found("mail", id)));
    let ids: Vec<MailId> = parsed.collect::<Result<_, _>>()?;
    let retried = app.store.write(caller, move |tx| {
        let mut found = Vec::new();
        for id in &ids {
            let Some(Sealed { mail, .. }) = mails::find(tx, *id)? else {
                return Ok(Decision::Refuse(Refusal::not_found("mail", id.to_string())));
            };
            let user = mail.user.map(|user| users::find(tx, user)).transpose()?.flatten();
            if let Some(Err(refusal)) = user.map(|user| require_over(tx.caller(), &user.permissions)) {
                return Ok(Decision::Refuse(refusal));
            }
            if mail.state == MailState::Sent {
                return Ok(Decision::Refuse(was_sent(*id)));
            }
            found.push(mail);
        }
        let mut retried = Vec::with_capacity(found.len());
        for mail in &found {
            let changed = mails::save_retried(tx, mail.id, GIVE_UP)?;
            if changed {
                tx.audit(
                    &Event::MailRetried { mail: mail.id.to_string() },
                    mail.user.map_or_else(Subject::default, Subject::from),
                )?;
            }
            retried.push(Retried { mail: Mail { state: MailState::Queued, ..mail.clone() }, changed });
        }
        Ok(Decision::Grant(retried))
    })?;
    app.mail_wakeup.waker().wake();
    Ok(retried)
}

fn was_sent(id: MailId) -> Refusal {
    let reason =
        format!("the mail {id} was sent, and its text wiped; have the action done again that caused it");
    Refusal::Conflict { reason }
}

/// What a test mail came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tested {
    /// The server took it.
    Taken,
    NotTaken(Undelivered),
}

/// Sends a mail that says nothing to `to`, at once and past the outbox.
///
/// # Errors
/// `forbidden` for anybody but an operator; [`Fault::Config`] where mail isn't sent, or can't be.
pub fn send_test(app: &App, caller: &Caller, to: &Email) -> Result<Tested, Error> {
    require(caller, "mail:write")?;
    let Some(mailer) = mailer(&app.config)? else {
        let why =
            "mail.transport is outbox, so mail is kept and not sent; set it to smtp, and the server with it";
        return Err(Fault::Config(why.into()).into());
    };
    let rendered = app
        .mail_templates
        .write(MailKind::Test, &MailContext { at: Some(app.now()), ..MailContext::default() });
    let message = Message {
        id: MailId::new(app.now(), app.id_entropy()),
        date: app.now(),
        to: to.to_string(),
        subject: rendered.subject,
        text: rendered.text,
        html: rendered.html,
    };
    Ok(match mailer.send(&message) {
        Ok(()) => Tested::Taken,
        Err(why) => Tested::NotTaken(why),
    })
}
