//! Asking for a link without being told whether there is an account.
//!
//! Whoever asks is answered once the wish is on disk: one small row, the same for every address. What
//! comes of it, a thread of the daemon finds out afterwards, so that not even the time of the answer
//! tells a known address from an unknown one.

use super::compose::{self, HourlyBound, LinkMail, QueuedMail};
use crate::crypto::opaque::{self, OpaqueHash};
use crate::domain::access::Actor;
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::id::LinkId;
use crate::domain::link::{LinkKind, MAGIC_REQUEST_PREFIX};
use crate::domain::lockout::Familiarity;
use crate::domain::network::Network;
use crate::domain::registration::Registration;
use crate::domain::secret::Secret;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault};
use crate::store::tables::link_requests::{self, LinkRequest};
use crate::store::tables::magic_requests::{self, NewMagicRequest};
use crate::store::tables::registrations::{self, Waiting};
use crate::store::tables::{failures, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::app::mail_templates::MailContext;
use crate::usecase::app::worker::{FirstRound, Rounds, Schedule, Wait, Worker};
use std::sync::Arc;
use std::time::Duration;

/// How long nobody must ask before what was asked is worked off, and how long that can be put off.
const QUIET: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(1);

/// Unasked, too: a database that could not be written may be written again.
const SCHEDULE: Schedule =
    Schedule { name: "links", first: FirstRound::AtOnce, every: Duration::from_secs(5), patience: None };

/// Notes that somebody wants a link of this kind for an address.
///
/// # Errors
/// The store's.
pub(in crate::usecase) fn note(
    app: &App,
    caller: &Caller,
    kind: LinkKind,
    email: &Email,
) -> Result<(), Error> {
    keep(app, caller, request(app, caller, kind, email), |_| Ok(()))
}

/// Notes that a browser waits to sign in by what is mailed to an address; gives what it has to show beside
/// that. Its row is the same for every address, too.
///
/// # Errors
/// The store's.
pub(in crate::usecase) fn note_browser(
    app: &App,
    caller: &Caller,
    email: &Email,
) -> Result<Secret<String>, Error> {
    let (secret, request_hash) = opaque::generate(MAGIC_REQUEST_PREFIX, app.entropy());
    let request = request(app, caller, LinkKind::MagicLink, email);
    let browser = NewMagicRequest {
        id: request.id,
        request_hash,
        email: email.clone(),
        ip: request.ip.clone(),
        user_agent: caller.user_agent.clone(),
    };
    keep(app, caller, request, move |tx| magic_requests::insert(tx, &browser))?;
    Ok(secret)
}

fn request(app: &App, caller: &Caller, kind: LinkKind, email: &Email) -> LinkRequest {
    LinkRequest {
        id: LinkId::new(app.now(), app.id_entropy()),
        kind,
        email: email.clone(),
        ip: caller.ip.map(|ip| ip.to_string()),
        request_id: caller.request_id.clone(),
    }
}

fn keep(
    app: &App,
    caller: &Caller,
    request: LinkRequest,
    also: impl Fn(&mut Tx<'_>) -> Result<(), Fault> + Send + 'static,
) -> Result<(), Error> {
    app.store.write(caller, move |tx| {
        link_requests::insert(tx, &request)?;
        also(tx)?;
        Ok(Decision::Grant(()))
    })?;
    app.link_wakeup.waker().wake();
    Ok(())
}

/// Starts the worker that works off what was asked for. What still waits at its end is worked off after the
/// next start.
///
/// # Errors
/// [`Fault::Internal`] when the app has one already, or the machine has no thread to give.
pub fn start(app: &Arc<App>) -> Result<Worker, Fault> {
    let works = Arc::clone(app);
    Worker::start(SCHEDULE, &app.link_wakeup, move |rounds| {
        rounds.run(|begun_by| {
            if begun_by == Wait::Woken {
                wait_for_quiet(&works, rounds);
            }
            work_off_until(&works, || rounds.is_stopping()).map(drop)
        });
    })
}

/// Waits for a moment in which nobody asks: were each wish worked off at once, the next answer would wait
/// for it, and tell by its time what came of the one before.
fn wait_for_quiet(app: &App, rounds: &Rounds) {
    let begun = app.elapsed();
    while rounds.wait(QUIET) == Wait::Woken && app.elapsed().saturating_sub(begun) < PATIENCE {}
}

/// Works off all that wait, oldest first; gives how many there were.
///
/// # Errors
/// The store's; what is not worked off yet waits on.
pub fn work_off(app: &App) -> Result<usize, Error> {
    work_off_until(app, || false)
}

fn work_off_until(app: &App, is_stopping: impl Fn() -> bool) -> Result<usize, Error> {
    let mut done = 0;
    while !is_stopping() {
        let Some(request) = app.store.read(|query| link_requests::find_oldest(query))? else {
            break;
        };
        answer(app, request)?;
        done += 1;
    }
    Ok(done)
}

fn answer(app: &App, request: LinkRequest) -> Result<(), Error> {
    let caller = Caller {
        actor: Actor::Anonymous,
        ip: request.ip.as_ref().and_then(|ip| ip.parse().ok()),
        user_agent: None,
        request_id: request.request_id.clone(),
        browser_sessions: Vec::new(),
    };
    let link = compose_for(app, &request)?;
    let (known_link, network) = (link.clone().map(LinkMail::for_known_network), Network::of(caller.ip));
    let known_network = app.config.lockout.known_network;
    let again = registration_of(app, &request)?.map(|waiting| Again::compose(app, waiting.registration));
    app.store.write(&caller, move |tx| {
        if !link_requests::delete(tx, request.id)? {
            return Ok(Decision::Grant(()));
        }
        let user = users::find_by_email(tx, &request.email)?;
        if let Some(user) = user.iter().find(|user| is_wanted(request.kind, user)) {
            let since = tx.now().minus(known_network);
            let link = match failures::familiarity(tx, user.id, network, since)? {
                Familiarity::Known => &known_link,
                Familiarity::Unknown => &link,
            };
            link.iter().try_for_each(|link| link.queue(tx, user.id, &user.email))?;
        }
        if let (None, Some(again)) = (&user, &again) {
            again.queue(tx)?;
        }
        let subject = user.map_or_else(Subject::default, |user| user.id.into());
        tx.audit(&event(request.kind), subject)?;
        Ok(Decision::Grant(()))
    })
}

/// The mail that was asked for. `None`: the browser that wanted it waits no more.
fn compose_for(app: &App, request: &LinkRequest) -> Result<Option<LinkMail>, Fault> {
    if request.kind != LinkKind::MagicLink {
        return Ok(Some(compose::compose(app, request.kind).0));
    }
    let (id, now) = (request.id, app.now());
    let asked = app.store.read(|query| magic_requests::find_of_link(query, id, now))?;
    Ok(asked.map(|asked| compose::magic_link(app, &asked)))
}

/// The newest registration that waits for the address, if its link is what was asked for.
fn registration_of(app: &App, request: &LinkRequest) -> Result<Option<Waiting>, Fault> {
    if request.kind != LinkKind::VerifyEmail {
        return Ok(None);
    }
    let now = app.now();
    Ok(app.store.read(|query| registrations::list_of(query, &request.email, now))?.into_iter().next())
}

/// A new link for a registration that waits, in the place of the one that was mailed.
struct Again {
    registration: Registration,
    mail: QueuedMail,
    token_hash: OpaqueHash,
    bound: HourlyBound,
}

impl Again {
    fn compose(app: &App, registration: Registration) -> Self {
        // Asking for a link makes no registration wait longer: who asks may be anybody.
        let waits = registration.expires_at.since(app.now());
        let registered = MailContext {
            at: Some(registration.created_at),
            ip: registration.ip.clone(),
            user_agent: registration.user_agent.clone(),
            ..MailContext::default()
        };
        let (mail, token_hash) = compose::registration_link(app, registered, waits);
        Self { registration, mail, token_hash, bound: HourlyBound::new(app) }
    }

    /// Changes nothing where the registration has been confirmed, or the address has had its mails.
    fn queue(&self, tx: &mut Tx<'_>) -> Result<(), Fault> {
        let to = &self.registration.email;
        if self.bound.is_reached(tx, to)?
            || !registrations::replace_token(tx, self.registration.id, &self.token_hash)?
        {
            return Ok(());
        }
        self.mail.queue(tx, None, to)
    }
}

/// Whether the account has a use for such a link.
fn is_wanted(kind: LinkKind, user: &User) -> bool {
    match kind {
        LinkKind::VerifyEmail => user.email_verified_at.is_none(),
        LinkKind::ResetPassword | LinkKind::MagicLink => user.disabled_at.is_none(),
        // These are not asked for like this: an operator invites, an owner changes the address.
        LinkKind::Invitation | LinkKind::ChangeEmail | LinkKind::Recovery => false,
    }
}

const fn event(kind: LinkKind) -> Event {
    match kind {
        LinkKind::VerifyEmail => Event::EmailVerificationRequested,
        LinkKind::ResetPassword => Event::PasswordResetRequested,
        LinkKind::Invitation => Event::UserInvited,
        LinkKind::ChangeEmail => Event::EmailChangeRequested,
        LinkKind::MagicLink => Event::MagicLinkRequested,
        LinkKind::Recovery => Event::RecoveryLinkMade,
    }
}
