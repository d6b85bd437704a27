//! Mail: composing it before a transaction, queueing it inside, and the operator's look at the outbox.
//!
//! A mail is a row of the transaction that causes it, so that none is lost and none is sent for a
//! change that was rolled back. Its body, which may hold a link, is sealed at rest.

use super::app::App;
use super::require;
use crate::config::Config;
use crate::crypto::opaque::{self, OpaqueHash};
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::id::{LinkId, MailId, UserId};
use crate::domain::link::LinkKind;
use crate::domain::mail::{Mail, MailKind, MailState};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::error::{Error, Fault, Refusal};
use crate::store::links::{self, NewLink};
use crate::store::mails::{self, NewMail};
use crate::store::tx::Tx;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// How long a link lives.
const VERIFY_TTL: Duration = Duration::from_secs(24 * 3600);
const RESET_TTL: Duration = HOUR;
/// People are invited before a weekend, too.
const INVITATION_TTL: Duration = Duration::from_secs(7 * 24 * 3600);

/// A mail with a one-time link, ready to be queued. Made before the transaction: it draws random
/// bytes and seals.
#[derive(Clone, Debug)]
pub struct LinkMail {
    mail: MailId,
    kind: MailKind,
    subject: &'static str,
    body_sealed: Vec<u8>,
    link: LinkId,
    link_kind: LinkKind,
    token_hash: OpaqueHash,
    ttl: Duration,
    max_per_hour: u32,
}

/// Composes a mail of this kind; gives it and the link in it.
pub(super) fn compose(app: &App, kind: MailKind) -> (LinkMail, Secret<String>) {
    let (link_kind, ttl) = match kind {
        MailKind::VerifyEmail => (LinkKind::VerifyEmail, VERIFY_TTL),
        MailKind::AlreadyRegistered | MailKind::ResetPassword => (LinkKind::ResetPassword, RESET_TTL),
        MailKind::Invitation => (LinkKind::ResetPassword, INVITATION_TTL),
    };
    let now = app.now();
    let (token, token_hash) = opaque::generate(link_kind, app.entropy());
    let url = link_url(&app.config, link_kind, &token);
    let text = text_of(kind, &app.config.public_url, &url);
    let mail = MailId::new(now, app.id_entropy());
    let body_sealed = app.mail_sealer.seal(app.entropy(), mail.as_bytes(), text.body.expose().as_bytes());
    let draft = LinkMail {
        mail,
        kind,
        subject: text.subject,
        body_sealed,
        link: LinkId::new(now, app.id_entropy()),
        link_kind,
        token_hash,
        ttl,
        max_per_hour: app.config.mail.max_per_address_per_hour,
    };
    (draft, url)
}

impl LinkMail {
    /// Puts the link and the mail into the database, and voids older links of its kind. `false`: the
    /// address has had its mails for this hour, and nothing was done.
    pub(super) fn queue(&self, tx: &mut Tx<'_>, user: UserId, to: &Email) -> Result<bool, Fault> {
        let since = tx.now().minus(HOUR);
        if mails::count_since(tx, to, since)? >= self.max_per_hour {
            return Ok(false);
        }
        self.queue_unbounded(tx, user, to)?;
        Ok(true)
    }

    /// As [`LinkMail::queue`], for an operator's own wish, which no stranger can repeat.
    pub(super) fn queue_unbounded(&self, tx: &mut Tx<'_>, user: UserId, to: &Email) -> Result<(), Fault> {
        let expires_at = tx.now().plus(self.ttl);
        let link = NewLink { id: self.link, kind: self.link_kind, user, token_hash: self.token_hash, expires_at };
        links::insert(tx, &link)?;
        let mail = NewMail {
            id: self.mail,
            user,
            to: to.clone(),
            kind: self.kind.name(),
            subject: self.subject.into(),
            body_sealed: self.body_sealed.clone(),
        };
        mails::insert(tx, &mail)
    }
}

/// Links are built from the configuration alone, never from a request (S18 of the promises).
fn link_url(config: &Config, kind: LinkKind, token: &Secret<String>) -> Secret<String> {
    let (configured, page) = match kind {
        LinkKind::VerifyEmail => (&config.links.verify_email, "/auth/verify-email"),
        LinkKind::ResetPassword => (&config.links.reset_password, "/auth/reset-password"),
    };
    let template = configured.clone().unwrap_or_else(|| format!("{}{page}?token={{token}}", config.public_url));
    Secret::new(template.replace("{token}", token.expose()))
}

struct Text {
    subject: &'static str,
    body: Secret<String>,
}

fn text_of(kind: MailKind, site: &str, url: &Secret<String>) -> Text {
    let url = url.expose();
    let (subject, body) = match kind {
        MailKind::VerifyEmail => (
            "Confirm your e-mail address",
            format!(
                "Hello,\n\nplease confirm that this address is yours:\n\n  {url}\n\nThe link works once, for 24 hours. \
                 If you did not register at {site}, ignore this mail: nothing happens without the link.\n"
            ),
        ),
        MailKind::AlreadyRegistered => (
            "You already have an account",
            format!(
                "Hello,\n\nsomebody, perhaps you, tried to register this address at {site}. It has an account already. \
                 If you forgot the password, set a new one:\n\n  {url}\n\nThe link works once, for 1 hour. If it was \
                 not you, ignore this mail: nothing was changed.\n"
            ),
        ),
        MailKind::ResetPassword => (
            "Set a new password",
            format!(
                "Hello,\n\nsomebody, perhaps you, asked for a new password at {site}. Set it here:\n\n  {url}\n\nThe \
                 link works once, for 1 hour. If it was not you, ignore this mail: the old password stays.\n"
            ),
        ),
        MailKind::Invitation => (
            "You are invited",
            format!(
                "Hello,\n\nan account at {site} was made for you. Choose your password here:\n\n  {url}\n\nThe link \
                 works once, for 7 days.\n"
            ),
        ),
    };
    Text { subject, body: Secret::new(body) }
}

/// The outbox, newest first. `state` of `None`: all.
///
/// # Errors
/// `forbidden` for anybody but an operator; the store's.
pub fn list(app: &App, caller: &Caller, state: Option<MailState>) -> Result<Vec<Mail>, Error> {
    require(caller, "mail:read")?;
    Ok(app.store.read(|query| mails::list(query, state))?)
}

/// A mail as its reader gets it.
#[derive(Clone, Debug)]
pub struct OpenedMail {
    pub mail: Mail,
    /// `None`: wiped after it was sent.
    pub body: Option<Secret<String>>,
}

/// One mail with its text.
///
/// # Errors
/// `not_found`; `forbidden` for anybody but an operator; [`Fault::Storage`] when the body doesn't open.
pub fn show(app: &App, caller: &Caller, id: &str) -> Result<OpenedMail, Error> {
    require(caller, "mail:read")?;
    let missing = || Refusal::not_found("mail", id);
    let id = MailId::parse(id).ok_or_else(missing)?;
    let found = app.store.read(|query| mails::find(query, id))?.ok_or_else(missing)?;
    let body = match found.body_sealed {
        Some(sealed) => {
            let bytes = app.mail_sealer.open(id.as_bytes(), &sealed)?;
            let text = String::from_utf8(bytes.expose().clone());
            Some(Secret::new(text.map_err(|_| Fault::Storage("a mail's body is no text".into()))?))
        }
        None => None,
    };
    Ok(OpenedMail { mail: found.mail, body })
}

/// When an invitation made now runs out.
#[must_use]
pub fn invitation_end(now: Timestamp) -> Timestamp {
    now.plus(INVITATION_TTL)
}
