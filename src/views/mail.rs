//! Mails in the outbox.

use super::page::PageItem;
use super::text::{Id, Revealed, Time};
use crate::domain;
use crate::domain::email::Email;
use crate::domain::id::{MailId, UserId};
use crate::usecase::mail::compose;
use schemars::JsonSchema;
use serde::Serialize;

/// A mail in the outbox, without its text.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Mail<'a> {
    id: Id<MailId>,
    /// Null: the account is gone.
    user_id: Option<Id<UserId>>,
    to: &'a str,
    kind: &'a str,
    subject: &'a str,
    state: &'static str,
    created_at: Time,
    /// Null: not sent yet.
    sent_at: Option<Time>,
    attempts: u32,
    /// Null: the last attempt didn't fail.
    last_error: Option<&'a str>,
}

/// Shows a mail in the outbox, without its text.
#[must_use]
pub fn mail(mail: &domain::mail::Mail) -> Mail<'_> {
    Mail {
        id: Id(mail.id),
        user_id: mail.user.map(Id),
        to: &mail.to,
        kind: &mail.kind,
        subject: &mail.subject,
        state: mail.state.name(),
        created_at: Time(mail.created_at),
        sent_at: mail.sent_at.map(Time),
        attempts: mail.attempts,
        last_error: mail.last_error.as_deref(),
    }
}

impl PageItem for Mail<'_> {
    const PAGE: &'static str = "MailPage";
    const ORDER: &'static str = "Newest first.";
}

/// A mail with its text.
#[derive(Serialize, JsonSchema, Debug)]
pub struct OpenedMail<'a> {
    #[serde(flatten)]
    mail: Mail<'a>,
    /// The plain text. Null: wiped after it was sent.
    body: Option<Revealed<'a>>,
    /// The same in HTML.
    html: Option<Revealed<'a>>,
}

/// Shows a mail with its text.
#[must_use]
pub fn opened_mail(opened: &compose::OpenedMail) -> OpenedMail<'_> {
    OpenedMail {
        mail: mail(&opened.mail),
        body: opened.body.as_ref().map(Revealed),
        html: opened.html.as_ref().map(Revealed),
    }
}

/// What `mail test` came to.
#[derive(Serialize, JsonSchema, Debug)]
pub struct TestMail<'a> {
    to: &'a str,
    /// Whether the server took it.
    taken: bool,
    /// Null: it did.
    reason: Option<&'a str>,
}

/// Shows what `mail test` came to. `reason`: why the server didn't take it.
#[must_use]
pub fn test_mail<'a>(to: &'a Email, reason: Option<&'a str>) -> TestMail<'a> {
    TestMail { to: to.as_str(), taken: reason.is_none(), reason }
}
