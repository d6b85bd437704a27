//! What a login, a refresh or an operator hands out, and what can be said of a token.

use super::text::{Id, Revealed, Texts, Time};
use super::user::{User, user};
use crate::domain::access::Standing;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::link::MAGIC_REQUEST_WAITS;
use crate::domain::role::{Permission, RoleName};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::error::whole_secs;
use crate::usecase::session::introspect::{self, Introspected};
use crate::usecase::session::{browser, inspect, mint};
use crate::usecase::signin::login;
use crate::usecase::signin::login::TICKET_TTL;
use crate::usecase::signin::methods::Methods;
use schemars::JsonSchema;
use serde::Serialize;

/// How an access token is shown: as RFC 6750 says.
#[derive(Serialize, JsonSchema, Clone, Copy, Debug)]
#[schemars(inline)]
enum Bearer {
    Bearer,
}

/// The answer to a login or a refresh.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Tokens<'a> {
    /// A JWT of RFC 9068, for `Authorization: Bearer`.
    access_token: Revealed<'a>,
    /// RFC 6750.
    token_type: Bearer,
    /// The access token's life, in seconds.
    expires_in: u64,
    /// Good once, for the next tokens. Used twice, it ends the session.
    refresh_token: Revealed<'a>,
    /// The rest of the session's life, in seconds.
    refresh_expires_in: u64,
    /// The session that these tokens belong to.
    session_id: Id<SessionId>,
    /// Whether the account must set up a second factor before it can do anything else: these tokens are good
    /// for that alone.
    two_factor_setup_required: bool,
    /// Who logged in.
    user: User<'a>,
}

/// Shows new tokens. `now`: see [`user`].
#[must_use]
pub fn tokens(tokens: &login::Tokens, now: Timestamp) -> Tokens<'_> {
    Tokens {
        access_token: Revealed(&tokens.access_token),
        token_type: Bearer::Bearer,
        expires_in: tokens.expires_in,
        refresh_token: Revealed(&tokens.refresh_token),
        refresh_expires_in: tokens.refresh_expires_in,
        session_id: Id(tokens.session),
        two_factor_setup_required: tokens.standing == Standing::SecondFactorDue,
        user: user(&tokens.user, now),
    }
}

/// The answer to a login or a refresh where the tokens go as cookies, and where a browser's session gets its
/// next one.
#[derive(Serialize, JsonSchema, Debug)]
pub struct CookieSession<'a> {
    /// The access token's life, in seconds; of a browser's session, which has none, the rest of its own.
    expires_in: u64,
    /// The rest of the session's life, in seconds.
    refresh_expires_in: u64,
    /// For `X-CSRF-Token`; the same as in the cookie `__Host-authd_csrf`.
    csrf_token: &'a str,
    /// The session that the cookies belong to.
    session_id: Id<SessionId>,
    /// Whether the account must set up a second factor before it can do anything else: the cookies are good
    /// for that alone.
    two_factor_setup_required: bool,
    /// Who logged in.
    user: User<'a>,
}

/// Shows a session whose tokens go as cookies. `csrf` is for a page that can't read the cookie, because it
/// stands on another host of the site.
#[must_use]
pub fn session_in_cookies<'a>(tokens: &'a login::Tokens, csrf: &'a str, now: Timestamp) -> CookieSession<'a> {
    CookieSession {
        expires_in: tokens.expires_in,
        refresh_expires_in: tokens.refresh_expires_in,
        csrf_token: csrf,
        session_id: Id(tokens.session),
        two_factor_setup_required: tokens.standing == Standing::SecondFactorDue,
        user: user(&tokens.user, now),
    }
}

/// Shows a browser's session that goes on with another cookie: both spans are the rest of its life.
#[must_use]
pub fn session_of_browser<'a>(
    started: &'a login::Started,
    standing: Standing,
    csrf: &'a str,
    now: Timestamp,
) -> CookieSession<'a> {
    let life = whole_secs(started.session.expires_at.since(now));
    CookieSession {
        expires_in: life,
        refresh_expires_in: life,
        csrf_token: csrf,
        session_id: Id(started.session.id),
        two_factor_setup_required: standing == Standing::SecondFactorDue,
        user: user(&started.user, now),
    }
}

/// An access token of a browser's session.
#[derive(Serialize, JsonSchema, Debug)]
pub struct SessionToken<'a> {
    /// A JWT of RFC 9068, for `Authorization: Bearer`.
    access_token: Revealed<'a>,
    /// RFC 6750.
    token_type: Bearer,
    /// Its life, in seconds.
    expires_in: u64,
}

/// Shows an access token of a browser's session.
#[must_use]
pub fn session_token(token: &browser::AccessToken) -> SessionToken<'_> {
    SessionToken {
        access_token: Revealed(&token.access_token),
        token_type: Bearer::Bearer,
        expires_in: token.expires_in,
    }
}

/// The answer to a login that needs its second step.
#[derive(Serialize, JsonSchema, Debug)]
pub struct SecondStepDue<'a> {
    /// True.
    two_factor_required: bool,
    /// For `/2fa/verify`.
    ticket: Revealed<'a>,
    /// The ticket's life, in seconds.
    expires_in: u64,
    /// What may be shown.
    methods: Vec<Method>,
}

#[derive(Serialize, JsonSchema, Debug)]
#[schemars(inline)]
#[serde(rename_all = "snake_case")]
enum Method {
    Totp,
    Passkey,
    RecoveryCode,
}

/// Says that the second step is due.
#[must_use]
pub fn second_step(ticket: &Secret<String>, by: Methods) -> SecondStepDue<'_> {
    SecondStepDue {
        two_factor_required: true,
        ticket: Revealed(ticket),
        expires_in: TICKET_TTL.as_secs(),
        methods: [
            by.totp.then_some(Method::Totp),
            by.passkey.then_some(Method::Passkey),
            Some(Method::RecoveryCode),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

/// The answer to whoever asks for a mail to sign in with.
#[derive(Serialize, JsonSchema, Debug)]
pub struct MagicLinkRequested<'a> {
    /// For `/magic-link/confirm`, beside what comes in the mail. For the browser that asked alone.
    request: Revealed<'a>,
    /// How long it waits, in seconds.
    expires_in: u64,
}

/// Shows the secret of a browser that waits for a mail.
#[must_use]
pub fn magic_link_requested(request: &Secret<String>) -> MagicLinkRequested<'_> {
    MagicLinkRequested { request: Revealed(request), expires_in: MAGIC_REQUEST_WAITS.as_secs() }
}

/// The answer to a login with a password that must be changed.
#[derive(Serialize, JsonSchema, Debug)]
pub struct PasswordChangeDue<'a> {
    /// True.
    password_change_required: bool,
    /// For `/password/change/required`.
    ticket: Revealed<'a>,
    /// The ticket's life, in seconds.
    expires_in: u64,
}

/// Says that another password is due.
#[must_use]
pub fn password_change(ticket: &Secret<String>) -> PasswordChangeDue<'_> {
    PasswordChangeDue {
        password_change_required: true,
        ticket: Revealed(ticket),
        expires_in: TICKET_TTL.as_secs(),
    }
}

/// What a service is told of a token (RFC 7662 §2.2).
#[derive(Serialize, Debug)]
#[serde(untagged)]
pub enum Introspection<'a> {
    Access(ActiveAccessToken<'a>),
    Refresh(ActiveRefreshToken<'a>),
    Inactive(InactiveToken),
}

/// Of a token that is not good (any more).
#[derive(Serialize, JsonSchema, Debug)]
pub struct InactiveToken {
    /// False, and nothing of why.
    active: bool,
}

/// Of a good access token.
#[derive(Serialize, JsonSchema, Debug)]
pub struct ActiveAccessToken<'a> {
    /// True.
    active: bool,
    /// `authd` for logins of its own.
    client_id: &'a str,
    /// The user's address, as it is now.
    username: &'a str,
    /// The user's id.
    sub: Id<UserId>,
    /// The session's.
    sid: Id<SessionId>,
    /// The issuer.
    iss: &'a str,
    /// When it was made: seconds since 1970.
    iat: i64,
    /// When it ends.
    exp: i64,
    /// It may be taken as proof of who asks.
    token_type: Bearer,
    /// The audience.
    aud: &'a str,
    /// The token's id.
    jti: Id<TokenId>,
    /// From when on it counts.
    nbf: i64,
    /// As they are now, not when the token was made.
    roles: Texts<'a, RoleName>,
    /// As they are now.
    permissions: Texts<'a, Permission>,
}

/// Of a good refresh token.
#[derive(Serialize, JsonSchema, Debug)]
pub struct ActiveRefreshToken<'a> {
    /// True.
    active: bool,
    /// `authd` for logins of its own.
    client_id: &'a str,
    /// The user's address, as it is now.
    username: &'a str,
    /// The user's id.
    sub: Id<UserId>,
    /// The session's.
    sid: Id<SessionId>,
    /// The issuer.
    iss: &'a str,
    /// When it was made: seconds since 1970.
    iat: i64,
    /// When it ends, unless it is used before.
    exp: i64,
    /// No proof of who asks: a service must not take it as one.
    token_type: RefreshType,
}

#[derive(Serialize, JsonSchema, Debug)]
#[schemars(inline)]
#[serde(rename_all = "snake_case")]
enum RefreshType {
    RefreshToken,
}

/// Shows what there is to say of a token. `None`: it is not good, and nobody is told why.
#[must_use]
pub fn introspection<'a>(found: Option<&'a Introspected>, issuer: &'a str) -> Introspection<'a> {
    let Some(found) = found else {
        return Introspection::Inactive(InactiveToken { active: false });
    };
    let (client_id, username) = (found.client_id.as_str(), found.user.email.as_str());
    let (sub, sid) = (Id(found.user.id), Id(found.session));
    let (iat, exp) = (found.issued_at.as_secs(), found.expires_at.as_secs());
    match &found.token {
        introspect::Kind::Refresh => Introspection::Refresh(ActiveRefreshToken {
            active: true,
            client_id,
            username,
            sub,
            sid,
            iss: issuer,
            iat,
            exp,
            token_type: RefreshType::RefreshToken,
        }),
        introspect::Kind::Access { token, audience, not_before } => {
            Introspection::Access(ActiveAccessToken {
                active: true,
                client_id,
                username,
                sub,
                sid,
                iss: issuer,
                iat,
                exp,
                token_type: Bearer::Bearer,
                aud: audience,
                jti: Id(*token),
                nbf: not_before.as_secs(),
                roles: Texts(&found.user.roles),
                permissions: Texts(&found.user.permissions),
            })
        }
    }
}

/// An access token that an operator minted.
#[derive(Serialize, JsonSchema, Debug)]
pub struct MintedToken<'a> {
    token_type: Bearer,
    /// In seconds.
    expires_in: u64,
    expires_at: Time,
    jti: Id<TokenId>,
    session_id: Id<SessionId>,
    user: User<'a>,
    /// The token itself, shown this once.
    access_token: Revealed<'a>,
}

/// Shows a minted access token. `now`: see [`user`].
#[must_use]
pub fn minted(minted: &mint::Minted, now: Timestamp) -> MintedToken<'_> {
    MintedToken {
        token_type: Bearer::Bearer,
        expires_in: minted.expires_in,
        expires_at: Time(minted.expires_at),
        jti: Id(minted.token),
        session_id: Id(minted.session),
        user: user(&minted.user, now),
        access_token: Revealed(&minted.access_token),
    }
}

/// What `token inspect` found. What is null, tokens of this kind don't say, or it could not be read.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Inspection<'a> {
    /// `access_token`, `refresh_token`, `session_cookie`, `app_session_cookie`, `api_key`, the name of a
    /// link, or `unknown`.
    kind: &'a str,
    /// Whether it is good.
    active: bool,
    /// Why it is not good. Null: it is.
    reason: Option<&'a str>,
    /// Whose it is.
    user_id: Option<Id<UserId>>,
    /// The session that it belongs to.
    session_id: Option<Id<SessionId>>,
    /// An access token's own id.
    jti: Option<Id<TokenId>>,
    /// An API key's, or that of the application that a cookie counts for.
    name: Option<&'a str>,
    /// When it was made.
    issued_at: Option<Time>,
    /// Of a refresh token or a session's cookie, its session's.
    last_used_at: Option<Time>,
    /// Null, of an API key: never.
    expires_at: Option<Time>,
    /// When its owner proved who they are. Null, of an access token: nobody did.
    auth_time: Option<Time>,
    /// How they did (RFC 8176). Empty: nobody did.
    amr: &'a [String],
    /// The roles that it carries.
    roles: Option<&'a [String]>,
    /// The permissions that it carries.
    permissions: Option<&'a [String]>,
    /// Which of these two it leaves out, as they are too many for a token.
    omitted: &'a [&'static str],
}

/// Shows what `token inspect` found.
#[must_use]
pub fn inspection(inspection: &inspect::Inspection) -> Inspection<'_> {
    let facts = &inspection.facts;
    Inspection {
        kind: inspection.kind,
        active: inspection.flaw.is_none(),
        reason: inspection.flaw.as_deref(),
        user_id: facts.user.map(Id),
        session_id: facts.session.map(Id),
        jti: facts.token.map(Id),
        name: facts.name.as_deref(),
        issued_at: facts.issued_at.map(Time),
        last_used_at: facts.last_used_at.map(Time),
        expires_at: facts.expires_at.map(Time),
        auth_time: facts.auth_time.map(Time),
        amr: &facts.amr,
        roles: facts.roles.as_deref(),
        permissions: facts.permissions.as_deref(),
        omitted: &facts.omitted,
    }
}

/// What `token revoke` came to.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Revoked {
    /// How many sessions or tokens ended.
    revoked: u64,
}

/// Shows how many sessions or tokens ended.
#[must_use]
pub const fn revoked(count: u64) -> Revoked {
    Revoked { revoked: count }
}
