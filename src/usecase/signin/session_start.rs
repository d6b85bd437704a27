//! What every way of signing in ends with: a session and its tokens.

use super::browser_session::BrowserSession;
use super::lockout::Attempt;
use super::proof::Proof;
use super::required_factor::{audience, standing};
use crate::config::Config;
use crate::crypto::jwt::{self, AccessClaims};
use crate::crypto::refresh::Salt;
use crate::domain::access::Standing;
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::id::{SessionId, TokenId};
use crate::domain::identity::ProviderProof;
use crate::domain::lockout::Familiarity;
use crate::domain::mail::MailKind;
use crate::domain::role::Carried;
use crate::domain::secret::Secret;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::error::{Fault, whole_secs};
use crate::ports::draw;
use crate::store::tables::{failures, sessions, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::app::keyring::Signer;
use crate::usecase::mail::compose;
use crate::usecase::mail::compose::QueuedMail;
use std::time::Duration;

/// Who asks for tokens where the person logs in here (RFC 9068 §2.2): authd itself.
pub(in crate::usecase) const CLIENT_ID: &str = "authd";

/// What a login (or a refresh) gives.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access_token: Secret<String>,
    /// The access token's life, in seconds.
    pub expires_in: u64,
    pub refresh_token: Secret<String>,
    /// The rest of the session's life, in seconds.
    pub refresh_expires_in: u64,
    pub session: SessionId,
    pub user: User,
    pub standing: Standing,
}

/// How long a session lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) struct Life {
    pub ttl: Duration,
    /// Unused; `None`: as configured.
    pub idle: Option<Duration>,
}

/// Where two factors are on, sessions are shorter (NIST SP 800-63B-4 §2.2.3).
pub(in crate::usecase) fn life(config: &Config, proof: Proof) -> Life {
    let tokens = &config.tokens;
    if proof.is_of_two_factors() {
        let idle = Some(tokens.refresh_idle.min(tokens.two_factor_idle));
        Life { ttl: tokens.refresh_ttl.min(tokens.two_factor_ttl), idle }
    } else {
        Life { ttl: tokens.refresh_ttl, idle: None }
    }
}

/// Notes what was shown anew in a session that goes on, and how long it lives from now on; gives the methods
/// (RFC 8176).
pub(in crate::usecase) fn prove_anew(
    tx: &mut Tx<'_>,
    session: SessionId,
    proof: Proof,
    life: Life,
) -> Result<Vec<String>, Fault> {
    let (amr, expires_at) = (proof.amr(), tx.now().plus(life.ttl));
    sessions::save_proof(tx, session, &sessions::Proof { amr: &amr, expires_at, idle: life.idle })?;
    Ok(amr)
}

/// Everything that a new session needs and that must be drawn or written before the transaction.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct Start {
    id: SessionId,
    pub(in crate::usecase) salt: Salt,
    caller: Caller,
    proof: Proof,
    provider: ProviderProof,
    life: Life,
    bound: SessionBound,
    /// Told to the owner when the network is a new one.
    notice: QueuedMail,
    /// End when this one starts.
    replaced: Vec<BrowserSession>,
}

impl Start {
    pub(in crate::usecase) fn new(app: &App, caller: &Caller, proof: Proof) -> Self {
        Self {
            id: SessionId::new(app.now(), app.id_entropy()),
            salt: draw(app.entropy()),
            caller: caller.clone(),
            proof,
            provider: ProviderProof::default(),
            life: life(&app.config, proof),
            bound: SessionBound::of(app),
            notice: compose::notice(app, caller, MailKind::NewLogin),
            replaced: BrowserSession::all_of(app, caller),
        }
    }

    /// The same, of somebody who comes from a provider. Who proved it to that long ago has no fresh login by
    /// it.
    pub(in crate::usecase) fn with_provider_proof(self, provider: ProviderProof) -> Self {
        Self { provider, ..self }
    }

    /// The same with a proof that is as strong, of which only the transaction finds out what it was.
    pub(super) fn proved_by(&self, proof: Proof) -> Self {
        Self { proof, ..self.clone() }
    }

    /// How the person proved who they are.
    pub(super) fn amr(&self) -> Vec<String> {
        self.proof.amr()
    }

    /// Starts the session: the lockout's counters begin anew, the network is known from now on.
    pub(in crate::usecase) fn run(
        &self,
        tx: &mut Tx<'_>,
        attempt: &Attempt,
        user: User,
    ) -> Result<(User, Session), Fault> {
        let now = tx.now();
        attempt.clear(tx)?;
        let strange = attempt.familiarity(tx, Some(user.id), now)? == Familiarity::Unknown;
        if strange && failures::has_known_network(tx, user.id)? {
            self.notice.queue(tx, user.id, &user.email)?;
        }
        failures::save_known_network(tx, user.id, attempt.network)?;
        users::save_login(tx, user.id)?;
        for replaced in &self.replaced {
            replaced.end(tx)?;
        }
        let session = self.session(tx, &user);
        insert(tx, &session, &self.salt, self.bound)?;
        tx.audit(&Event::LoginSucceeded { amr: session.amr.clone() }, (user.id, session.id))?;
        Ok((User { last_login_at: Some(now), ..user }, session))
    }

    fn session(&self, tx: &Tx<'_>, user: &User) -> Session {
        let now = tx.now();
        Session {
            id: self.id,
            user: user.id,
            generation: 0,
            oldest: 0,
            created_at: now,
            last_used_at: now,
            expires_at: now.plus(self.life.ttl),
            ended_at: None,
            auth_time: Some(self.provider.at.unwrap_or(now).min(now)),
            amr: self.proof.amr(),
            provider_amr: self.provider.amr.clone(),
            ip: self.caller.ip,
            user_agent: self.caller.user_agent.clone(),
            idle: self.life.idle,
        }
    }
}

/// How many sessions of a user may live at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) struct SessionBound {
    most: u32,
    /// How long a session without a span of its own lives unused.
    idle: Duration,
}

impl SessionBound {
    pub(in crate::usecase) fn of(app: &App) -> Self {
        Self { most: app.config.tokens.max_sessions, idle: app.lifetime().idle }
    }
}

/// Inserts a session: the one place that does, so that none begins beyond the bound.
pub(in crate::usecase) fn insert(
    tx: &mut Tx<'_>,
    session: &Session,
    salt: &Salt,
    bound: SessionBound,
) -> Result<(), Fault> {
    let surplus = sessions::end_surplus(tx, session.user, bound.idle, bound.most.saturating_sub(1))?;
    if let Some(longest_unused) = surplus.last() {
        let evicted = Event::SessionEvicted { sessions: surplus.len() as u64 };
        tx.audit(&evicted, (session.user, *longest_unused))?;
    }
    sessions::insert(tx, session, salt)
}

/// Makes the tokens of a session as it stands.
pub(in crate::usecase) fn issue(
    app: &App,
    signer: &Signer,
    user: User,
    session: &Session,
    salt: &Salt,
) -> Result<Tokens, Fault> {
    let (access_token, expires_in) = issue_access(app, signer, &user, session)?;
    Ok(Tokens {
        access_token,
        expires_in,
        refresh_token: app.refresh_key.token(session.id, session.generation, salt),
        // Rounded up, as the moment between the session's start and this one is not for anybody to see.
        refresh_expires_in: whole_secs(session.expires_at.since(app.now())),
        session: session.id,
        standing: standing(&app.config, &user),
        user,
    })
}

/// Makes an access token of a session as it stands, which it never outlives; gives its life, too, in seconds.
pub(in crate::usecase) fn issue_access(
    app: &App,
    signer: &Signer,
    user: &User,
    session: &Session,
) -> Result<(Secret<String>, u64), Fault> {
    let now = app.now();
    let expires_at = now.plus(app.config.tokens.access_ttl).min(session.expires_at);
    let issue = Issue { token: TokenId::new(now, app.id_entropy()), now, expires_at };
    Ok((access_token(app, signer, user, session, issue)?, whole_secs(expires_at.since(now))))
}

/// Which access token, and its life.
#[derive(Clone, Copy, Debug)]
pub(in crate::usecase) struct Issue {
    pub token: TokenId,
    pub now: Timestamp,
    pub expires_at: Timestamp,
}

/// Signs an access token of a session as it stands.
pub(in crate::usecase) fn access_token(
    app: &App,
    signer: &Signer,
    user: &User,
    session: &Session,
    issue: Issue,
) -> Result<Secret<String>, Fault> {
    let standing = standing(&app.config, user);
    // Whoever must set up a second factor may do nothing else, here or elsewhere.
    let (roles, permissions) = match standing {
        Standing::Full => (user.roles.as_slice(), user.permissions.as_slice()),
        Standing::SecondFactorDue => Default::default(),
    };
    let carried = Carried::of(roles, permissions);
    let claims = AccessClaims {
        issuer: app.config.tokens.issuer.clone(),
        audience: audience(&app.config, standing),
        user: user.id,
        session: session.id,
        generation: session.generation,
        token: issue.token,
        client_id: CLIENT_ID.into(),
        issued_at: issue.now,
        not_before: issue.now,
        expires_at: issue.expires_at,
        auth_time: session.auth_time,
        amr: told_amr(session),
        roles: (carried != Carried::Neither).then(|| texts(roles)),
        permissions: (carried == Carried::Both).then(|| texts(permissions)),
    };
    jwt::sign(signer.key(), &claims)
}

/// What tokens tell: how the person proved who they are here, and what their provider says besides.
fn told_amr(session: &Session) -> Vec<String> {
    let besides = session.provider_amr.iter().filter(|method| !session.amr.contains(method));
    session.amr.iter().chain(besides).cloned().collect()
}

fn texts<T: ToString>(names: &[T]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
