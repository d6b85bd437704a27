//! How objects look as JSON: the same over HTTP and with `authctl -o json`.

use crate::domain::api_key::ApiKey;
use crate::domain::audit::Line;
use crate::domain::id::SessionId;
use crate::domain::mail::Mail;
use crate::domain::role::{Permission, Role, RoleName};
use crate::domain::secret::Secret;
use crate::domain::session::Session;
use crate::domain::signing_key::SigningKey;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::store::sqlite::schema::MigrationStep;
use crate::store::tables::sessions::Listed;
use crate::usecase::account::admin_two_factor::{Enrolment, SecondFactor};
use crate::usecase::account::two_factor;
use crate::usecase::audit::verify::Verdict;
use crate::usecase::keys::api_keys::Added;
use crate::usecase::mail::compose::OpenedMail;
use crate::usecase::operator::apply::Done;
use crate::usecase::operator::backup::Backup;
use crate::usecase::operator::calibrate::Calibration;
use crate::usecase::operator::doctor::Finding;
use crate::usecase::operator::restore::Restored;
use crate::usecase::session::introspect::{Introspected, Kind};
use crate::usecase::session::mint::Minted;
use crate::usecase::session::tokens::Inspection;
use crate::usecase::signin::login::{TICKET_TTL, Tokens};
use data_encoding::HEXLOWER;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

/// A user, as its owner or an admin sees it. Asked for so often that it can be written without a [`Value`] in between.
#[derive(Serialize, Debug)]
pub struct UserView<'a> {
    id: String,
    email: &'a str,
    email_verified: bool,
    name: &'a str,
    roles: Vec<&'a str>,
    permissions: Vec<&'a str>,
    two_factor: bool,
    disabled: bool,
    locked_until: Option<String>,
    created_at: String,
    last_login_at: Option<String>,
}

impl<'a> UserView<'a> {
    /// `now` decides whether a lock still holds.
    #[must_use]
    pub fn of(user: &'a User, now: Timestamp) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.as_str(),
            email_verified: user.email_verified_at.is_some(),
            name: user.name.as_str(),
            roles: user.roles.iter().map(RoleName::as_str).collect(),
            permissions: user.permissions.iter().map(Permission::as_str).collect(),
            two_factor: user.two_factor_at.is_some(),
            disabled: user.disabled_at.is_some(),
            locked_until: time(user.locked_until.filter(|until| *until > now)),
            created_at: user.created_at.to_string(),
            last_login_at: time(user.last_login_at),
        }
    }
}

/// See [`UserView`].
#[must_use]
pub fn user(user: &User, now: Timestamp) -> Value {
    json!(UserView::of(user, now))
}

/// The answer to a login or a refresh.
#[must_use]
pub fn tokens(tokens: &Tokens, now: Timestamp) -> Value {
    json!({
        "access_token": tokens.access_token.expose(),
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
        "refresh_token": tokens.refresh_token.expose(),
        "refresh_expires_in": tokens.refresh_expires_in,
        "session_id": tokens.session.to_string(),
        "user": user(&tokens.user, now),
    })
}

/// The same where the tokens go as cookies. `csrf` is for a page that can't read the cookie, because it
/// stands on another host of the site.
#[must_use]
pub fn session_in_cookies(tokens: &Tokens, csrf: &str, now: Timestamp) -> Value {
    json!({
        "expires_in": tokens.expires_in,
        "refresh_expires_in": tokens.refresh_expires_in,
        "csrf_token": csrf,
        "session_id": tokens.session.to_string(),
        "user": user(&tokens.user, now),
    })
}

/// The answer to a login that needs its second step.
#[must_use]
pub fn second_step(ticket: &Secret<String>) -> Value {
    json!({
        "two_factor_required": true,
        "ticket": ticket.expose(),
        "expires_in": TICKET_TTL.as_secs(),
        "methods": ["totp", "recovery_code"],
    })
}

/// Whether a second factor is on.
#[must_use]
pub fn two_factor(status: &two_factor::Status) -> Value {
    json!({
        "totp": { "enabled": status.enabled_at.is_some(), "enabled_at": time(status.enabled_at) },
        "recovery_codes_left": status.recovery_codes_left,
    })
}

/// A user's second factor, as an operator sees it.
#[must_use]
pub fn second_factor(factor: &SecondFactor) -> Value {
    json!({
        "user_id": factor.user.id.to_string(),
        "email": factor.user.email.as_str(),
        "enabled": factor.enabled_at.is_some(),
        "enabled_at": time(factor.enabled_at),
        "failures": factor.failures,
        "blocked": factor.blocked,
        "recovery_codes_left": factor.recovery_codes_left,
    })
}

/// A new secret for an app.
#[must_use]
pub fn two_factor_setup(setup: &two_factor::Setup) -> Value {
    json!({
        "secret": setup.secret.expose(),
        "otpauth_uri": setup.otpauth_uri.expose(),
        "qr_svg": setup.qr_svg.expose(),
    })
}

/// A secret that an operator hands out, with the recovery codes where the factor is on already.
#[must_use]
pub fn enrolment(enrolment: &Enrolment, recovery_codes: &[Secret<String>]) -> Value {
    json!({
        "user_id": enrolment.user.id.to_string(),
        "email": enrolment.user.email.as_str(),
        "secret": enrolment.setup.secret.expose(),
        "otpauth_uri": enrolment.setup.otpauth_uri.expose(),
        "enabled": !recovery_codes.is_empty(),
        "recovery_codes": exposed(recovery_codes),
    })
}

/// Recovery codes that an operator hands out.
#[must_use]
pub fn new_recovery_codes(of: &User, codes: &[Secret<String>]) -> Value {
    json!({ "user_id": of.id.to_string(), "email": of.email.as_str(), "recovery_codes": exposed(codes) })
}

/// What checking a code came to, and how the factor stands then.
#[must_use]
pub fn checked_code(factor: &SecondFactor, good: bool) -> Value {
    let mut value = second_factor(factor);
    value["good"] = good.into();
    value
}

/// Recovery codes, which are shown once.
#[must_use]
pub fn recovery_codes(codes: &[Secret<String>]) -> Value {
    json!({ "recovery_codes": exposed(codes) })
}

fn exposed(codes: &[Secret<String>]) -> Vec<&str> {
    codes.iter().map(|code| code.expose().as_str()).collect()
}

/// One of the caller's own sessions. `current`: the one that asks.
#[must_use]
pub fn own_session(session: &Session, current: SessionId) -> Value {
    json!({
        "id": session.id.to_string(),
        "created_at": session.created_at.to_string(),
        "last_used_at": session.last_used_at.to_string(),
        "expires_at": session.expires_at.to_string(),
        "ip": session.ip.map(|ip| ip.to_string()),
        "user_agent": session.user_agent,
        "current": session.id == current,
    })
}

/// A change that `apply` made or would make. `secret` is shown this once.
#[must_use]
pub fn applied(done: &Done) -> Value {
    json!({
        "action": done.change.action().name(),
        "kind": done.change.kind(),
        "name": done.change.name(),
        "details": done.change.details(),
        "secret": done.secret.as_ref().map(|secret| secret.expose().as_str()),
    })
}

/// A session as an operator sees it.
#[must_use]
pub fn listed_session(listed: &Listed) -> Value {
    let session = &listed.session;
    json!({
        "id": session.id.to_string(),
        "user_id": session.user.to_string(),
        "email": listed.email,
        "created_at": session.created_at.to_string(),
        "last_used_at": session.last_used_at.to_string(),
        "expires_at": session.expires_at.to_string(),
        "ended_at": time(session.ended_at),
        "ip": session.ip.map(|ip| ip.to_string()),
        "user_agent": session.user_agent,
    })
}

#[must_use]
pub fn role(role: &Role) -> Value {
    json!({
        "name": role.name.as_str(),
        "description": role.description,
        "permissions": texts(&role.permissions),
    })
}

/// A signing key, without its private half. `now` decides whether its time is over.
#[must_use]
pub fn signing_key(key: &SigningKey, now: Timestamp) -> Value {
    json!({
        "kid": key.kid,
        "algorithm": key.algorithm.name(),
        "state": key.state(now).name(),
        "created_at": key.created_at.to_string(),
        "retired_at": time(key.retired.map(|retired| retired.at)),
        "keep_until": time(key.retired.map(|retired| retired.keep_until)),
    })
}

/// An API key, without its secret.
#[must_use]
pub fn api_key(key: &ApiKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "name": key.name.as_str(),
        "permissions": texts(&key.permissions),
        "created_at": key.created_at.to_string(),
        "expires_at": time(key.expires_at),
        "last_used_at": time(key.last_used_at),
    })
}

/// A new API key, with its secret, which is shown this once.
#[must_use]
pub fn new_api_key(added: &Added) -> Value {
    let mut value = api_key(&added.key);
    value["key"] = added.secret.expose().as_str().into();
    value
}

/// What a service is told of a token (RFC 7662 §2.2). `None`: it is not good, and nobody is told why.
#[must_use]
pub fn introspection(found: Option<&Introspected>, issuer: &str) -> Value {
    let Some(found) = found else { return json!({"active": false}) };
    let mut value = json!({
        "active": true,
        "client_id": found.client_id,
        "username": found.user.email.as_str(),
        "sub": found.user.id.to_string(),
        "sid": found.session.to_string(),
        "iss": issuer,
        "iat": found.issued_at.as_secs(),
        "exp": found.expires_at.as_secs(),
    });
    match &found.token {
        Kind::Refresh => value["token_type"] = "refresh_token".into(),
        Kind::Access { token, audience, not_before } => {
            value["token_type"] = "Bearer".into();
            value["aud"] = audience.as_str().into();
            value["jti"] = token.to_string().into();
            value["nbf"] = not_before.as_secs().into();
            value["roles"] = texts(&found.user.roles).into();
            value["permissions"] = texts(&found.user.permissions).into();
        }
    }
    value
}

/// A minted access token, without the token itself. `now`: see [`user`].
#[must_use]
pub fn minted(minted: &Minted, now: Timestamp) -> Value {
    json!({
        "token_type": "Bearer",
        "expires_in": minted.expires_in,
        "expires_at": minted.expires_at.to_string(),
        "jti": minted.token.to_string(),
        "session_id": minted.session.to_string(),
        "user": user(&minted.user, now),
    })
}

/// A line of the audit log as the account's owner sees it: without the names of operators.
#[must_use]
pub fn own_event(line: &Line) -> Value {
    json!({
        "at": line.at.to_string(),
        "event": line.event,
        "session_id": line.session,
        "ip": line.ip,
        "details": details(line),
    })
}

fn details(line: &Line) -> Map<String, Value> {
    line.details.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect()
}

/// A line of the audit log.
#[must_use]
pub fn audit_line(line: &Line) -> Value {
    json!({
        "seq": line.seq,
        "at": line.at.to_string(),
        "event": line.event,
        "actor": line.actor,
        "user_id": line.user,
        "session_id": line.session,
        "ip": line.ip,
        "request_id": line.request_id,
        "details": details(line),
    })
}

/// A line of the audit log with its hash, in hexadecimal digits.
#[must_use]
pub fn exported_line(line: &Line) -> Value {
    let mut value = audit_line(line);
    value["hash"] = HEXLOWER.encode(&line.hash).into();
    value
}

/// What `audit verify` found. `head` is the last line that is good, as `--head` takes it.
#[must_use]
pub fn verdict(verdict: &Verdict) -> Value {
    let mut value = json!({
        "ok": verdict.flaw.is_none(),
        "lines": verdict.lines(),
        "first": verdict.first,
        "last": verdict.last.seq,
        "head": verdict.last.to_string(),
    });
    if let Some(flaw) = &verdict.flaw {
        value["seq"] = flaw.seq().into();
        value["problem"] = flaw.to_string().into();
    }
    value
}

/// A mail in the outbox, without its text.
#[must_use]
pub fn mail(mail: &Mail) -> Value {
    json!({
        "id": mail.id.to_string(),
        "user_id": mail.user.map(|id| id.to_string()),
        "to": mail.to,
        "kind": mail.kind,
        "subject": mail.subject,
        "state": mail.state.name(),
        "created_at": mail.created_at.to_string(),
        "sent_at": time(mail.sent_at),
        "attempts": mail.attempts,
        "last_error": mail.last_error,
    })
}

/// A mail with its text.
#[must_use]
pub fn opened_mail(opened: &OpenedMail) -> Value {
    let mut value = mail(&opened.mail);
    value["body"] = opened.body.as_ref().map(|body| body.expose().as_str()).into();
    value["html"] = opened.html.as_ref().map(|html| html.expose().as_str()).into();
    value
}

/// What `token inspect` found.
#[must_use]
pub fn inspection(inspection: &Inspection) -> Value {
    let mut value = Map::new();
    value.insert("kind".into(), inspection.kind.into());
    value.insert("active".into(), inspection.flaw.is_none().into());
    value.insert("reason".into(), inspection.flaw.clone().into());
    for (name, fact) in &inspection.facts {
        value.insert((*name).into(), fact.as_str().into());
    }
    Value::Object(value)
}

/// A step of a migration.
#[must_use]
pub fn migration_step(step: &MigrationStep) -> Value {
    json!({"from": step.from, "to": step.to, "brings": step.brings})
}

/// A backup that was made.
#[must_use]
pub fn backup(backup: &Backup) -> Value {
    json!({
        "file": backup.file,
        "bytes": backup.bytes,
        "schema_version": backup.schema_version,
        "audit_head": {"seq": backup.head.seq, "hash": HEXLOWER.encode(&backup.head.hash)},
    })
}

/// What a restore came to.
#[must_use]
pub fn restored(restored: &Restored) -> Value {
    json!({
        "database": restored.database,
        "kept": restored.kept,
        "audit_seq": restored.line,
        "migrated": restored.steps.iter().map(migration_step).collect::<Vec<_>>(),
        "sessions_ended": restored.ended.sessions,
        "links_voided": restored.ended.links,
        "tickets_voided": restored.ended.tickets,
        "mails_failed": restored.ended.mails,
        "withheld": restored.withheld.map(|withheld| json!({
            "api_keys": withheld.api_keys, "recovery_codes": withheld.recovery_codes,
            "signing_keys": withheld.signing_keys,
        })),
    })
}

/// What one check of `doctor` found.
#[must_use]
pub fn finding(finding: &Finding) -> Value {
    json!({"check": finding.check, "state": finding.state.name(), "says": finding.says})
}

/// What hashes may cost.
#[must_use]
pub fn calibration(found: &Calibration) -> Value {
    json!({
        "argon2_memory_kib": found.cost.memory_kib,
        "argon2_iterations": found.cost.iterations,
        "argon2_parallelism": found.cost.parallelism,
        "hash_ms": millis(found.takes),
        "least_hash_ms": millis(found.least_takes),
        "hash_threads": found.threads,
        "logins_per_s": found.logins_per_s(),
    })
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
