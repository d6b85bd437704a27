//! Taking over users from a file: of other systems, or what `export` wrote.
//!
//! A file is read as a stream. What a format's file makes of one entry is pure; here the entries are judged
//! and written, some hundred in a transaction. One that can't be taken over is reported and spoils nothing;
//! whoever is there already is skipped, so that a second run of the same file changes nothing.

mod auth0;
mod django;
mod fields;
pub mod firebase;
mod htpasswd;
mod identities;
pub mod options;
mod own;
mod passkeys;
mod pocketbase;
pub mod record;
mod rows;
mod source;

use crate::crypto::password::foreign;
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::id::{IdentityId, PasskeyId, UserId};
use crate::domain::identity::Identity;
use crate::domain::passkey::Passkey;
use crate::domain::password::PasswordTerm;
use crate::domain::role::RoleName;
use crate::error::{Decision, Error, Fault};
use crate::ports::progress::Progress;
use crate::store::tables::passkeys::StoredPasskey;
use crate::store::tables::transfer;
use crate::store::tables::transfer::{FactorExport, IdentityExport, UserExport, assigned_roles};
use crate::store::tx::{Query, Tx};
use crate::usecase::app::App;
use crate::usecase::require;
use identities::SeenIdentities;
use passkeys::SeenPasskeys;
use record::{LinkedIdentity, Problem, Record, RecordedPasskey};
use source::Take;
use std::collections::HashSet;
use std::fmt;
use std::io::BufRead;
use std::sync::Arc;

pub use options::{Format, ImportMode, Options, Passwords, UnusableHash};
pub use record::Note;

/// Entries in one transaction: few enough that the daemon's own changes don't wait long for it.
const BATCH: usize = 500;

/// What became, or would become, of an entry.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// With what could not be taken along.
    Created(Vec<Note>),
    /// Somebody has the address already, and stays as they are.
    Skipped,
    Failed(Problem),
}

#[derive(Clone, Debug)]
pub struct Entry {
    /// The line in a file of lines, and the number of the user in a JSON document; from 1 on.
    pub line: u64,
    /// The address, where it could be read and is one, whatever else is wrong with the entry.
    pub email: Option<String>,
    /// Of the user made; `None` where none was.
    pub id: Option<UserId>,
    pub outcome: Outcome,
}

/// How many entries there were.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    pub created: u64,
    pub skipped: u64,
    pub failed: u64,
    /// Of those created, how many came with a hash that is quick to guess at.
    pub weak_hashes: u64,
}

/// A file, and who watches how it is read.
pub struct Input<'a> {
    pub source: &'a mut dyn BufRead,
    pub progress: &'a Progress,
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("progress", self.progress).finish_non_exhaustive()
    }
}

/// Takes over the users of `source`; calls `each` with every entry in the file's order, once it is certain
/// what became of it. What was taken over before a fault, or before somebody wanted it to stop, stays.
///
/// # Errors
/// `forbidden` without `users:write`; `validation_failed` for options that don't fit; [`Fault::Stopped`],
/// which says what was taken over; the store's.
pub fn import(
    app: &App,
    caller: &Caller,
    input: Input<'_>,
    options: &Options,
    each: &mut dyn FnMut(Entry),
) -> Result<Summary, Error> {
    require(caller, "users:write")?;
    let Input { source, progress } = input;
    let rules = record::Rules { app, options };
    let mut import = Import {
        app,
        caller,
        options,
        progress,
        each,
        batch: Vec::new(),
        seen: Seen::default(),
        summary: Summary::default(),
    };
    match read(source, &rules, &mut |line, record| import.take(line, record)) {
        Err(Error::Failed(Fault::Stopped(_))) => Err(import.stopped().into()),
        read => {
            read?;
            import.flush()?;
            Ok(import.summary)
        }
    }
}

fn read(source: &mut dyn BufRead, rules: &record::Rules<'_>, take: &mut Take<'_>) -> Result<(), Error> {
    match rules.options.format {
        Format::Jsonl => {
            source::lines(source, &mut |line, text| take(line, text.and_then(|text| own::parse(rules, text))))
        }
        Format::Csv => rows::read(source, rules, take),
        Format::Htpasswd => source::lines(source, &mut |line, text| match text {
            Ok(text) if text.starts_with('#') => Ok(()),
            text => take(line, text.and_then(|text| htpasswd::parse(rules, text))),
        }),
        Format::Auth0 => source::objects(source, &mut |line, value| {
            take(line, value.and_then(|value| auth0::parse(rules, &value)))
        }),
        Format::Pocketbase => source::objects(source, &mut |line, value| {
            take(line, value.and_then(|value| pocketbase::parse(rules, &value)))
        }),
        Format::Django => source::document(source, &mut |line, value| match value {
            Ok(value) if !django::is_user(&value) => Ok(()),
            value => take(line, value.and_then(|value| django::parse(rules, &value))),
        }),
        Format::Firebase => source::document(source, &mut |line, value| {
            take(line, value.and_then(|value| firebase::parse(rules, &value)))
        }),
    }
}

/// An entry on its way: what was read, and the account that it makes.
struct Pending {
    line: u64,
    email: Option<String>,
    candidate: Result<Candidate, Problem>,
}

struct Candidate {
    record: Record,
    /// The id that the account gets.
    id: UserId,
    /// The second factor's secret, sealed for that id.
    secret_sealed: Option<Vec<u8>>,
    identities: Vec<IdentityExport>,
    passkeys: Vec<StoredPasskey>,
}

impl Candidate {
    fn has_weak_hash(&self) -> bool {
        self.record.password_hash.as_ref().is_some_and(foreign::is_weak)
    }
}

/// What is found out inside the transaction.
enum Ruling {
    Create,
    Skip,
    Fail(Problem),
}

/// Who came before in the same file, for a dry run, which writes nobody.
#[derive(Default)]
struct Seen {
    emails: HashSet<String>,
    ids: HashSet<UserId>,
    identities: SeenIdentities,
    passkeys: SeenPasskeys,
}

struct Import<'a> {
    app: &'a App,
    caller: &'a Caller,
    options: &'a Options,
    progress: &'a Progress,
    each: &'a mut dyn FnMut(Entry),
    batch: Vec<Pending>,
    seen: Seen,
    summary: Summary,
}

impl Import<'_> {
    fn take(&mut self, line: u64, record: Result<Record, Problem>) -> Result<(), Error> {
        // Whoever is stopped reads nothing more, so that what was read may be cut: it is no entry.
        if self.progress.is_stopped() {
            return Err(Fault::Stopped(String::new()).into());
        }
        let email = match &record {
            Ok(record) => Some(record.email.to_string()),
            Err(problem) => problem.email.as_ref().map(ToString::to_string),
        };
        let candidate = record.map(|record| self.prepare(record));
        self.batch.push(Pending { line, email, candidate });
        if self.batch.len() < BATCH { Ok(()) } else { self.flush() }
    }

    fn stopped(&self) -> Fault {
        let Summary { created, skipped, failed, weak_hashes: _ } = self.summary;
        Fault::Stopped(match self.options.mode {
            ImportMode::DryRun => "nothing was changed".into(),
            ImportMode::Write if created == 0 => "nothing was changed; run it again".into(),
            ImportMode::Write => format!(
                "{created} users were created, {skipped} skipped, {failed} failed, the rest is still to come; run it \
                 again to go on, which skips those who are there"
            ),
        })
    }

    /// Draws what the transaction, which may run again, must not draw.
    fn prepare(&self, mut record: Record) -> Candidate {
        let must_change = self.options.passwords == Passwords::MustChange && record.password_hash.is_some();
        if must_change && record.password_term == PasswordTerm::Lasting {
            record.password_term = PasswordTerm::Temporary { ends_at: None };
        }
        let made = record.created_at.unwrap_or_else(|| self.app.now());
        let id = record.id.unwrap_or_else(|| UserId::new(made, self.app.id_entropy()));
        let seal = |secret: &record::FactorSecret| {
            self.app.totp_sealer.seal(self.app.entropy(), id.as_bytes(), secret.expose())
        };
        let secret_sealed = record.factor.as_ref().map(|factor| seal(&factor.secret));
        let identities = record.identities.iter().map(|linked| self.identity(id, linked)).collect();
        let passkeys = record.passkeys.iter().map(|recorded| self.passkey(id, recorded)).collect();
        Candidate { record, id, secret_sealed, identities, passkeys }
    }

    fn passkey(&self, user: UserId, recorded: &RecordedPasskey) -> StoredPasskey {
        let created_at = recorded.created_at.unwrap_or_else(|| self.app.now());
        let RecordedPasskey { rp_id, credential_id, public_key, user_handle, name, transports, .. } =
            recorded.clone();
        let passkey = Passkey {
            id: recorded.id.unwrap_or_else(|| PasskeyId::new(created_at, self.app.id_entropy())),
            user,
            rp_id,
            name,
            backed_up: recorded.backed_up,
            transports,
            created_at,
            last_used_at: recorded.last_used_at,
        };
        let (sign_count, backup_eligible) = (recorded.sign_count, recorded.backup_eligible);
        StoredPasskey { passkey, credential_id, public_key, user_handle, sign_count, backup_eligible }
    }

    fn identity(&self, user: UserId, linked: &LinkedIdentity) -> IdentityExport {
        let linked_at = linked.linked_at.unwrap_or_else(|| self.app.now());
        let LinkedIdentity { provider, key, email, granted_roles, .. } = linked.clone();
        let identity = Identity {
            id: linked.id.unwrap_or_else(|| IdentityId::new(linked_at, self.app.id_entropy())),
            user,
            provider,
            key,
            email: email.map(|email| email.to_string()),
            linked_at,
            last_used_at: linked.last_used_at,
        };
        IdentityExport { identity, granted_roles }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let batch = Arc::new(std::mem::take(&mut self.batch));
        let rulings = match self.options.mode {
            ImportMode::Write => write(self.app, self.caller, self.options.format, &batch)?,
            ImportMode::DryRun => self.dry_run(&batch)?,
        };
        for (pending, ruling) in batch.iter().zip(rulings) {
            self.tell(pending, ruling);
        }
        Ok(())
    }

    fn tell(&mut self, pending: &Pending, ruling: Ruling) {
        let (outcome, id) = match (ruling, &pending.candidate) {
            (Ruling::Create, Ok(candidate)) => {
                (Outcome::Created(candidate.record.notes.clone()), Some(candidate.id))
            }
            (Ruling::Skip, _) => (Outcome::Skipped, None),
            (Ruling::Fail(problem), _) => (Outcome::Failed(problem), None),
            (Ruling::Create, Err(problem)) => (Outcome::Failed(problem.clone()), None),
        };
        let count = match &outcome {
            Outcome::Created(_) => &mut self.summary.created,
            Outcome::Skipped => &mut self.summary.skipped,
            Outcome::Failed(_) => &mut self.summary.failed,
        };
        *count += 1;
        if let (Outcome::Created(_), Ok(candidate)) = (&outcome, &pending.candidate) {
            self.summary.weak_hashes += u64::from(candidate.has_weak_hash());
        }
        let id = id.filter(|_| self.options.mode == ImportMode::Write);
        (self.each)(Entry { line: pending.line, email: pending.email.clone(), id, outcome });
    }

    /// Judges as [`write()`] does, with those who would have been written before in mind.
    fn dry_run(&mut self, batch: &[Pending]) -> Result<Vec<Ruling>, Error> {
        let Self { app, seen, .. } = self;
        let rulings = app.store.read(|query| {
            let roles = Roles::read(query)?;
            let mut rulings = Vec::with_capacity(batch.len());
            for pending in batch {
                let ruling = match &pending.candidate {
                    Ok(candidate) => seen.rule(candidate, rule(query, &roles, candidate)?),
                    Err(problem) => Ruling::Fail(problem.clone()),
                };
                rulings.push(ruling);
            }
            Ok(rulings)
        });
        Ok(rulings?)
    }
}

impl Seen {
    fn rule(&mut self, candidate: &Candidate, ruling: Ruling) -> Ruling {
        match ruling {
            Ruling::Create if self.emails.contains(&candidate.record.email.key()) => Ruling::Skip,
            Ruling::Create if self.ids.contains(&candidate.id) => Ruling::Fail(id_taken(candidate)),
            Ruling::Create => {
                let identity = self.identities.taken(&candidate.identities);
                match identity.or_else(|| self.passkeys.taken(&candidate.passkeys)) {
                    Some(problem) => Ruling::Fail(problem),
                    None => {
                        self.emails.insert(candidate.record.email.key());
                        self.ids.insert(candidate.id);
                        self.identities.note(&candidate.identities);
                        self.passkeys.note(&candidate.passkeys);
                        Ruling::Create
                    }
                }
            }
            other => other,
        }
    }
}

fn write(
    app: &App,
    caller: &Caller,
    format: Format,
    batch: &Arc<Vec<Pending>>,
) -> Result<Vec<Ruling>, Error> {
    let batch = Arc::clone(batch);
    app.store.write(caller, move |tx| {
        let roles = Roles::read(tx)?;
        let mut rulings = Vec::with_capacity(batch.len());
        for pending in batch.iter() {
            let ruling = match &pending.candidate {
                Ok(candidate) => rule(tx, &roles, candidate)?,
                Err(problem) => Ruling::Fail(problem.clone()),
            };
            if let (Ruling::Create, Ok(candidate)) = (&ruling, &pending.candidate) {
                insert(tx, candidate, format)?;
            }
            rulings.push(ruling);
        }
        Ok(Decision::Grant(rulings))
    })
}

/// The roles that there are.
struct Roles(HashSet<RoleName>);

impl Roles {
    fn read(query: &impl Query) -> Result<Self, Fault> {
        Ok(Self(crate::store::tables::roles::list(query)?.into_iter().map(|role| role.name).collect()))
    }
}

/// Whether nothing stands in the way. Asked before the insert, so that no entry can fail in the midst of it
/// and take the others of its transaction along.
fn rule(query: &impl Query, roles: &Roles, candidate: &Candidate) -> Result<Ruling, Fault> {
    let record = &candidate.record;
    if transfer::has_email(query, &record.email)? {
        return Ok(Ruling::Skip);
    }
    if transfer::has_id(query, candidate.id)? {
        return Ok(Ruling::Fail(id_taken(candidate)));
    }
    if let Some(problem) = identities::taken(query, &candidate.identities)? {
        return Ok(Ruling::Fail(problem));
    }
    if let Some(problem) = passkeys::taken(query, &candidate.passkeys)? {
        return Ok(Ruling::Fail(problem));
    }
    Ok(match record.roles.iter().find(|role| !roles.0.contains(role)) {
        None => Ruling::Create,
        Some(role) => {
            let advice = format!("there is no role {role}; make it with: authctl role add {role}");
            Ruling::Fail(Problem::new("unknown_role", advice))
        }
    })
}

fn id_taken(candidate: &Candidate) -> Problem {
    Problem::new("id_taken", format!("the id {} belongs to a user with another address", candidate.id))
}

fn insert(tx: &mut Tx<'_>, candidate: &Candidate, format: Format) -> Result<(), Fault> {
    let (record, id, now) = (&candidate.record, candidate.id, tx.now());
    let factor = record.factor.as_ref().zip(candidate.secret_sealed.as_ref());
    let user = UserExport {
        id,
        email: record.email.clone(),
        email_verified_at: record.verified.map(|moment| moment.at(now)),
        name: record.name.clone(),
        password_hash: record.password_hash.as_ref().map(|hash| hash.0.clone()),
        password_term: record.password_term,
        disabled_at: record.disabled.map(|moment| moment.at(now)),
        created_at: record.created_at.unwrap_or(now),
        last_login_at: record.last_login_at,
        roles: record.roles.clone(),
        factor: factor.map(|(factor, sealed)| FactorExport {
            secret_sealed: sealed.clone(),
            enabled_at: factor.enabled_at,
            last_step: factor.last_step,
            failures: factor.failures,
            created_at: factor.created_at.unwrap_or(now),
        }),
        recovery_codes: record.recovery_codes.clone(),
        identities: candidate.identities.clone(),
        passkeys: candidate.passkeys.clone(),
    };
    transfer::insert(tx, &user)?;
    tx.audit(&Event::UserImported { from: format.name() }, id)?;
    for role in assigned_roles(&user) {
        tx.audit(&Event::RoleAssigned { role: role.to_string() }, id)?;
    }
    for IdentityExport { identity, granted_roles } in &user.identities {
        tx.audit(&Event::identity_linked(identity), id)?;
        for role in granted_roles {
            let provider = identity.provider.to_string();
            tx.audit(&Event::RoleGranted { role: role.to_string(), provider }, id)?;
        }
    }
    for stored in &user.passkeys {
        tx.audit(&Event::passkey_added(&stored.passkey), id)?;
    }
    Ok(())
}
