//! Mail: composing it before a transaction, queueing it inside, and the operator's look at the outbox.
//!
//! A mail is a row of the transaction that causes it, so that none is lost and none is sent for a
//! change that was rolled back. Its body, which may hold a link, is sealed at rest.

use crate::config::Config;
use crate::crypto::opaque::{self, OpaqueHash};
use crate::crypto::seal::Sealer;
use crate::domain::caller::Caller;
use crate::domain::cursor;
use crate::domain::email::Email;
use crate::domain::id::{LinkId, MailId, SessionId, UserId};
use crate::domain::link::{LinkKind, MAGIC_REQUEST_WAITS};
use crate::domain::mail::{Mail, MailBudget, MailKind, MailState, NOTICES_PER_HOUR};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::error::{Error, Fault, Refusal, whole_secs};
use crate::ports::{Message, draw};
use crate::store::page::{Page, Paged};
use crate::store::tables::links;
use crate::store::tables::links::NewLink;
use crate::store::tables::magic_requests::MagicRequest;
use crate::store::tables::mails;
use crate::store::tables::mails::NewMail;
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::app::mail_templates::{MailContext, MailTemplates};
use crate::usecase::app::ports::Ports;
use crate::usecase::app::wakeup::Waker;
use crate::usecase::paging::{check_limit, start};
use crate::usecase::require;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// What writes mails, apart from the app: a transaction takes it along for a notice of what only it finds
/// out.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct MailWriter {
    templates: Arc<MailTemplates>,
    sealer: Arc<Sealer>,
    ports: Ports,
    waker: Waker,
}

impl MailWriter {
    pub(in crate::usecase) fn new(app: &App) -> Self {
        Self {
            templates: Arc::clone(&app.mail_templates),
            sealer: Arc::clone(&app.mail_sealer),
            ports: app.ports().clone(),
            waker: app.mail_wakeup.waker(),
        }
    }

    /// Writes a notice inside the transaction that causes it, where that is seldom: it takes its time.
    pub(in crate::usecase) fn notice(&self, tx: &Tx<'_>, kind: MailKind) -> QueuedMail {
        self.write(kind, MailContext::of(tx.caller(), tx.now()))
    }

    fn write(&self, kind: MailKind, context: MailContext) -> QueuedMail {
        let id = MailId::new(self.ports.clock.now(), draw(&*self.ports.entropy));
        let (subject, body_sealed) = self.render(id, kind, &context);
        let held = kind.is_notice().then(|| Box::new(Held { writer: self.clone(), context }));
        QueuedMail { id, kind, subject, body_sealed, held, waker: self.waker.clone() }
    }

    /// The subject, and the body, sealed.
    fn render(&self, id: MailId, kind: MailKind, context: &MailContext) -> (String, Vec<u8>) {
        let rendered = self.templates.write(kind, context);
        let body = Body { text: rendered.text.expose().clone(), html: rendered.html.expose().clone() };
        (rendered.subject, body.seal(self, id))
    }
}

/// A mail, ready to be queued. Made before the transaction, as a rule: it draws random bytes and seals.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct QueuedMail {
    id: MailId,
    kind: MailKind,
    subject: String,
    body_sealed: Vec<u8>,
    /// `None`: no notice, and not held back.
    held: Option<Box<Held>>,
    waker: Waker,
}

/// What a notice is written of once more, should it stand for others like it.
#[derive(Clone, Debug)]
struct Held {
    writer: MailWriter,
    context: MailContext,
}

impl QueuedMail {
    /// Puts the mail into the outbox, and wakes the sender. That comes before the commit and is early
    /// enough: the sender claims by a transaction of its own, which has to wait for this one.
    ///
    /// Of notices an address gets [`NOTICES_PER_HOUR`] of each kind at once. Then one waits until the hour is
    /// over, and stands for all that come meanwhile.
    ///
    /// `user`: whose mail it is; `None`: the address has no account yet.
    pub(in crate::usecase) fn queue(
        &self,
        tx: &mut Tx<'_>,
        user: impl Into<Option<UserId>>,
        to: &Email,
    ) -> Result<(), Fault> {
        let user = user.into();
        if let Some(held) = &self.held {
            let notices = mails::find_notices(tx, to, self.kind, tx.now().minus(HOUR))?;
            if notices.sent >= NOTICES_PER_HOUR {
                let due_at = notices.oldest.unwrap_or(tx.now()).plus(HOUR);
                return self.hold_back(tx, held, user, to, due_at);
            }
        }
        self.queue_for(tx, user, to, self.kind.budget())
    }

    fn queue_for(
        &self,
        tx: &mut Tx<'_>,
        user: impl Into<Option<UserId>>,
        to: &Email,
        budget: MailBudget,
    ) -> Result<(), Fault> {
        mails::insert(tx, &NewMail { budget, ..self.row(user.into(), to) })?;
        self.waker.wake();
        Ok(())
    }

    fn row(&self, user: Option<UserId>, to: &Email) -> NewMail {
        NewMail {
            id: self.id,
            user,
            to: to.clone(),
            kind: self.kind,
            subject: self.subject.clone(),
            body_sealed: self.body_sealed.clone(),
            budget: self.kind.budget(),
        }
    }

    /// The mail that waits is written anew: it tells of the newest, and of how many it stands for.
    fn hold_back(
        &self,
        tx: &mut Tx<'_>,
        held: &Held,
        user: Option<UserId>,
        to: &Email,
        due_at: Timestamp,
    ) -> Result<(), Fault> {
        let waiting = mails::find_held_back(tx, to, self.kind)?;
        let (id, count) = waiting.map_or((self.id, 1), |waiting| (waiting.id, waiting.held_back + 1));
        let context = MailContext { held_back: Some(count), ..held.context.clone() };
        let (subject, body_sealed) = held.writer.render(id, self.kind, &context);
        let row = NewMail { id, subject, body_sealed, ..self.row(user, to) };
        match waiting {
            Some(_) => mails::save_held_back(tx, &row, count),
            None => mails::insert_held_back(tx, &row, due_at),
        }
    }
}

/// Writes a notice of what `caller` is about to do.
pub(in crate::usecase) fn notice(app: &App, caller: &Caller, kind: MailKind) -> QueuedMail {
    MailWriter::new(app).write(kind, MailContext::of(caller, app.now()))
}

/// Tells the old address of a change to a new one, wished for or done.
pub(in crate::usecase) fn change_notice(
    app: &App,
    caller: &Caller,
    kind: MailKind,
    new: &Email,
) -> QueuedMail {
    let context = MailContext { new_email: Some(new.to_string()), ..MailContext::of(caller, app.now()) };
    MailWriter::new(app).write(kind, context)
}

/// Tells of an identity at the provider that people call so.
pub(in crate::usecase) fn identity_notice(
    app: &App,
    caller: &Caller,
    kind: MailKind,
    provider: &str,
) -> QueuedMail {
    let context = MailContext { provider: Some(provider.to_owned()), ..MailContext::of(caller, app.now()) };
    MailWriter::new(app).write(kind, context)
}

/// A mail with a one-time link, ready to be queued.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct LinkMail {
    mail: QueuedMail,
    link: LinkId,
    kind: LinkKind,
    token_hash: OpaqueHash,
    ttl: Duration,
    bound: HourlyBound,
    email: Option<Email>,
    session: Option<SessionId>,
}

/// How long a link of this kind lives.
pub(super) const fn lifetime(kind: LinkKind) -> Duration {
    match kind {
        LinkKind::ResetPassword | LinkKind::Recovery => HOUR,
        // People are invited before a weekend, too.
        LinkKind::Invitation => Duration::from_secs(7 * 24 * 3600),
        LinkKind::VerifyEmail | LinkKind::ChangeEmail => Duration::from_secs(24 * 3600),
        LinkKind::MagicLink => MAGIC_REQUEST_WAITS,
    }
}

/// A span as a mail says it, never longer than it is: `7 days`, `24 hours`, `1 hour`, `40 minutes`.
fn in_words(span: Duration) -> String {
    let minutes = span.as_secs() / 60;
    let (count, unit) = match minutes {
        0..60 => (minutes.max(1), "minute"),
        60..2880 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// Composes the mail with a link of this kind; gives it and the link in it.
pub(in crate::usecase) fn compose(app: &App, kind: LinkKind) -> (LinkMail, Secret<String>) {
    let id = LinkId::new(app.now(), app.id_entropy());
    link_mail(app, kind, id, lifetime(kind), MailContext::default())
}

/// Composes the mail that signs somebody in, in the browser that asked: its link has the id of that wish, and
/// is good no longer. It says where it was asked for.
pub(in crate::usecase) fn magic_link(app: &App, asked: &MagicRequest) -> LinkMail {
    let context = MailContext {
        at: Some(asked.created_at),
        ip: asked.ip.clone(),
        user_agent: asked.user_agent.clone(),
        ..MailContext::default()
    };
    // In whole seconds: a moment has gone by, and it is ten minutes still to whoever reads it.
    let ttl = Duration::from_secs(whole_secs(asked.expires_at.since(app.now())));
    link_mail(app, LinkKind::MagicLink, asked.id, ttl, context).0
}

fn link_mail(
    app: &App,
    kind: LinkKind,
    link: LinkId,
    ttl: Duration,
    caused_by: MailContext,
) -> (LinkMail, Secret<String>) {
    let (mail, url, token_hash) = with_link(app, kind, ttl, caused_by);
    let mail = LinkMail {
        mail,
        link,
        kind,
        token_hash,
        ttl,
        bound: HourlyBound::new(app),
        email: None,
        session: None,
    };
    (mail, url)
}

/// Composes the mail with the link of a registration, which works for as long as that waits; gives it and
/// what to store of the link. `registered`: when it was made, and from where, for whoever opens the mail.
pub(in crate::usecase) fn registration_link(
    app: &App,
    registered: MailContext,
    waits: Duration,
) -> (QueuedMail, OpaqueHash) {
    let (mail, _, token_hash) = with_link(app, LinkKind::VerifyEmail, waits, registered);
    (mail, token_hash)
}

fn with_link(
    app: &App,
    kind: LinkKind,
    ttl: Duration,
    caused_by: MailContext,
) -> (QueuedMail, Secret<String>, OpaqueHash) {
    let (token, token_hash) = opaque::generate(kind.prefix(), app.entropy());
    let url = link_url(&app.config, kind, &token);
    let code = (kind == LinkKind::MagicLink).then(|| app.mailed_code_key.code(&token_hash));
    let context = MailContext { url: Some(url.clone()), ttl: Some(in_words(ttl)), code, ..caused_by };
    let mail = MailKind::of_link(kind).expect("a link that is written into a mail has one");
    (MailWriter::new(app).write(mail, context), url, token_hash)
}

/// How many mails an address gets in an hour that can be asked for: so many for strangers, and as many
/// again for whoever asks from a network that the account knows.
#[derive(Clone, Copy, Debug)]
pub(in crate::usecase) struct HourlyBound {
    mails: u32,
    budget: MailBudget,
}

impl HourlyBound {
    pub(in crate::usecase) const fn new(app: &App) -> Self {
        Self { mails: app.config.mail.max_per_address_per_hour, budget: MailBudget::Strangers }
    }

    /// Whether an address has had its mails for this hour.
    pub(in crate::usecase) fn is_reached(self, tx: &Tx<'_>, to: &Email) -> Result<bool, Fault> {
        mails::has_had(tx, to, self.budget, self.mails, tx.now().minus(HOUR))
    }
}

impl LinkMail {
    /// The same for a change of address, which remembers the new one and who asked.
    pub(in crate::usecase) fn for_change(self, email: &Email, session: SessionId) -> Self {
        Self { email: Some(email.clone()), session: Some(session), ..self }
    }

    /// The same for somebody whom the account knows by their network, whose mails strangers can't use up.
    pub(in crate::usecase) fn for_known_network(self) -> Self {
        let bound = HourlyBound { budget: MailBudget::KnownNetwork, ..self.bound };
        Self { bound, ..self }
    }

    /// Puts the link and the mail into the database, and voids older links of its kind. Does nothing where
    /// the address has had its mails for this hour.
    pub(in crate::usecase) fn queue(&self, tx: &mut Tx<'_>, user: UserId, to: &Email) -> Result<(), Fault> {
        if self.is_over_bound(tx, to)? {
            return Ok(());
        }
        self.queue_unbounded(tx, user, to)
    }

    /// Whether the address has had its mails for this hour.
    pub(in crate::usecase) fn is_over_bound(&self, tx: &Tx<'_>, to: &Email) -> Result<bool, Fault> {
        self.bound.is_reached(tx, to)
    }

    /// As [`LinkMail::queue`], for an operator's own wish, which no stranger can repeat.
    pub(in crate::usecase) fn queue_unbounded(
        &self,
        tx: &mut Tx<'_>,
        user: UserId,
        to: &Email,
    ) -> Result<(), Fault> {
        self.keep_link(tx, user, true)?;
        self.mail.queue_for(tx, user, to, self.bound.budget)
    }

    /// The link alone, for an operator who hands it over: no mail is queued.
    pub(in crate::usecase) fn hand_over(&self, tx: &mut Tx<'_>, user: UserId) -> Result<(), Fault> {
        self.keep_link(tx, user, false)
    }

    fn keep_link(&self, tx: &mut Tx<'_>, user: UserId, mailed: bool) -> Result<(), Fault> {
        let link = NewLink {
            id: self.link,
            kind: self.kind,
            user,
            token_hash: self.token_hash,
            expires_at: tx.now().plus(self.ttl),
            email: self.email.clone(),
            session: self.session,
            mailed,
        };
        links::insert(tx, &link)
    }
}

/// Links are built from the configuration alone, never from a request.
pub(super) fn link_url(config: &Config, kind: LinkKind, token: &Secret<String>) -> Secret<String> {
    let (configured, page) = match kind {
        LinkKind::VerifyEmail => (&config.links.verify_email, "/auth/verify-email"),
        LinkKind::ResetPassword | LinkKind::Invitation => {
            (&config.links.reset_password, "/auth/reset-password")
        }
        LinkKind::ChangeEmail => (&config.links.change_email, "/auth/change-email"),
        LinkKind::MagicLink => (&config.links.magic_link, "/auth/magic-link"),
        LinkKind::Recovery => (&None, "/auth/recover"),
    };
    let template =
        configured.clone().unwrap_or_else(|| format!("{}{page}?token={{token}}", config.public_url));
    Secret::new(template.replace("{token}", token.expose()))
}

/// A mail's body as it is sealed. An empty `html`: there is none.
#[derive(Serialize, Deserialize)]
pub(in crate::usecase) struct Body {
    pub text: String,
    pub html: String,
}

impl Body {
    fn seal(&self, writer: &MailWriter, id: MailId) -> Vec<u8> {
        let plain = Secret::new(serde_json::to_vec(self).expect("two texts are JSON"));
        writer.sealer.seal(&*writer.ports.entropy, id.as_bytes(), plain.expose())
    }

    pub(in crate::usecase) fn open(sealer: &Sealer, id: MailId, sealed: &[u8]) -> Result<Self, Fault> {
        let plain = sealer.open(id.as_bytes(), sealed)?;
        if let Ok(body) = serde_json::from_slice(plain.expose()) {
            return Ok(body);
        }
        // Mails of schema 1 were their text and nothing else, and no text was an object in braces.
        let text = String::from_utf8(plain.expose().clone())
            .map_err(|_| Fault::Storage("a mail's body is no text; run `authctl db check`".into()))?;
        Ok(Self { text, html: String::new() })
    }

    /// The mail as it goes out.
    pub(in crate::usecase) fn message(&self, of: &Mail) -> Message {
        Message {
            id: of.id,
            date: of.created_at,
            to: of.to.clone(),
            subject: of.subject.clone(),
            text: Secret::new(self.text.clone()),
            html: Secret::new(self.html.clone()),
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        self.text.zeroize();
        self.html.zeroize();
    }
}

/// A page of the outbox, newest first: `limit` mails (at least 1), after the `next` of the page before.
/// `state` of `None`: all. Never what they say: a link in one is for its reader alone.
///
/// # Errors
/// `forbidden` without `users:read`, as mails name addresses; `invalid_cursor`; `validation_failed` for a
/// limit of 0; the store's.
pub fn page(
    app: &App,
    caller: &Caller,
    state: Option<MailState>,
    limit: u32,
    after: Option<&str>,
) -> Result<Paged<Mail, String>, Error> {
    require(caller, "users:read")?;
    check_limit(limit)?;
    let after = start(cursor::List::Mails, after, cursor::decode)?.map(MailId::from_bytes);
    let page = Page { limit, after };
    let Paged { items, next } = app.store.read(|query| mails::list_page(query, state, page))?;
    Ok(Paged { items, next: next.map(|id| cursor::encode(cursor::List::Mails, id.as_bytes())) })
}

/// A mail as its reader gets it.
#[derive(Clone, Debug)]
pub struct OpenedMail {
    pub mail: Mail,
    /// The plain text. `None`: wiped after it was sent.
    pub body: Option<Secret<String>>,
    /// The same in HTML.
    pub html: Option<Secret<String>>,
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
    let body = found.body_sealed.map(|sealed| Body::open(&app.mail_sealer, id, &sealed)).transpose()?;
    let part = |of: fn(&Body) -> &String| body.as_ref().map(|body| Secret::new(of(body).clone()));
    Ok(OpenedMail { mail: found.mail, body: part(|body| &body.text), html: part(|body| &body.html) })
}
