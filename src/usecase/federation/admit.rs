//! Doing what the rules say of somebody who came back from a provider: signing in, making an account,
//! linking.

use super::role_claims::RoleClaims;
use super::rules::{Facts, Known, Local, SignUp, Stated, Verdict, judge};
use crate::config::{LinkByEmail, Provider, Registration};
use crate::domain::audit::{Event, LoginFailure, Subject};
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::id::{IdentityId, UserId};
use crate::domain::identity::{Claimed, Identity, ProviderName, ProviderProof};
use crate::domain::mail::MailKind;
use crate::domain::user::User;
use crate::error::{Fault, Refusal};
use crate::store::tables::users::NewUser;
use crate::store::tables::{identities, mails, registrations, second_factor, users};
use crate::store::tx::Tx;
use crate::usecase::account::identities::unlink_all_in;
use crate::usecase::account::passkeys::remove_all_in;
use crate::usecase::account::password::void_old_proofs;
use crate::usecase::account::register::IdentityWish;
use crate::usecase::app::App;
use crate::usecase::mail::compose::{self, QueuedMail};

/// Whether somebody is let in, and who; or why not.
pub(super) type Admitted = Result<User, Refusal>;

/// Who came back, with all that is drawn and composed before the transaction.
#[derive(Debug)]
pub(super) struct Newcomer {
    pub claimed: Claimed,
    provider: ProviderName,
    claims: RoleClaims,
    allowed_domains: Vec<String>,
    sign_up: SignUp,
    link_by_email: LinkByEmail,
    verification_required: bool,
    trust_amr: bool,
    identity: IdentityId,
    user: UserId,
    linked: QueuedMail,
    first_used: QueuedMail,
    /// `None`: no address was stated.
    confirm: Option<IdentityWish>,
}

impl Newcomer {
    pub(super) fn new(app: &App, caller: &Caller, provider: &Provider, claimed: Claimed) -> Self {
        let is_open = provider.sign_up && app.config.registration == Registration::Open;
        let notice = |kind| compose::identity_notice(app, caller, kind, &provider.display_name);
        let (linked, first_used) = (notice(MailKind::IdentityLinked), notice(MailKind::IdentityFirstUsed));
        let confirm = IdentityWish::prepare(app, caller, provider, &claimed);
        Self {
            provider: provider.name.clone(),
            claims: RoleClaims::of(provider),
            allowed_domains: provider.allowed_domains.clone(),
            sign_up: if is_open { SignUp::Open } else { SignUp::Closed },
            link_by_email: provider.link_by_email,
            verification_required: app.config.email_verification.required,
            trust_amr: provider.trust_amr,
            identity: IdentityId::new(app.now(), app.id_entropy()),
            user: UserId::new(app.now(), app.id_entropy()),
            linked,
            first_used,
            confirm,
            claimed,
        }
    }

    /// Lets them in, or says why not. A refusal leaves its line in the log.
    pub(super) fn admit(&self, tx: &mut Tx<'_>) -> Result<Admitted, Fault> {
        let email = self.claimed.email.as_ref().map(|stated| &stated.email);
        let local = email.map(|email| users::find_by_email(tx, email)).transpose()?.flatten();
        let identity = identities::find_by_key(tx, &self.claimed.key)?;
        if !self.may_sign_in() {
            let user = identity.map(|identity| identity.user);
            return self.refuse(tx, user, LoginFailure::DomainNotAllowed, Refusal::DomainNotAllowed);
        }
        let facts = self.facts(identity.as_ref(), local.as_ref());
        match (judge(facts), identity, local) {
            (Verdict::SignIn, Some(identity), _) => self.sign_in(tx, &identity),
            (Verdict::SignUp, _, _) => match email {
                Some(email) => self.sign_up(tx, email),
                None => Err(contradiction()),
            },
            (Verdict::Confirm, _, _) => match &self.confirm {
                Some(wish) => {
                    wish.keep(tx)?;
                    self.refuse(tx, None, LoginFailure::Unverified, Refusal::EmailNotVerified)
                }
                None => Err(contradiction()),
            },
            (Verdict::Link | Verdict::Claim, _, Some(user)) if user.disabled_at.is_some() => {
                self.refuse_disabled(tx, &user)
            }
            (Verdict::Link, _, Some(user)) => self.begin_using(tx, &user),
            (Verdict::Claim, _, Some(user)) => self.claim(tx, &user),
            (Verdict::Refuse(why), _, local) => {
                self.refuse(tx, local.map(|user| user.id), why.failure(), why.refusal())
            }
            (Verdict::SignIn | Verdict::Link | Verdict::Claim, _, _) => Err(contradiction()),
        }
    }

    /// What the provider says of how they proved who they are: by which methods, only where that is told.
    pub(super) fn told_proof(&self) -> ProviderProof {
        let ProviderProof { amr, at } = &self.claimed.proof;
        ProviderProof { amr: if self.trust_amr { amr.clone() } else { Vec::new() }, at: *at }
    }

    /// Why they are not the one who was asked to prove once more who they are: `identity_in_use` for somebody
    /// else of here, `link_required` for nobody. `None`: they are.
    pub(super) fn refuse_another_than(&self, tx: &Tx<'_>, asked: UserId) -> Result<Option<Refusal>, Fault> {
        Ok(match identities::find_by_key(tx, &self.claimed.key)? {
            Some(identity) if identity.user == asked => None,
            Some(_) => Some(Refusal::IdentityInUse),
            None => Some(Refusal::LinkRequired),
        })
    }

    /// Has the stated address confirmed, and does nothing else: nobody is signed in by what somebody typed.
    pub(super) fn confirm(&self, tx: &mut Tx<'_>) -> Result<Result<(), Refusal>, Fault> {
        if identities::find_by_key(tx, &self.claimed.key)?.is_some() {
            return Ok(Err(Refusal::StateMismatch));
        }
        Ok(match self.admit(tx)? {
            Err(Refusal::EmailNotVerified) => Ok(()),
            Err(refusal) => Err(refusal),
            Ok(_) => Err(Refusal::StateMismatch),
        })
    }

    /// Links the identity to somebody who asked for it from their account.
    pub(super) fn link_to(&self, tx: &mut Tx<'_>, user: &User) -> Result<Result<(), Refusal>, Fault> {
        match identities::find_by_key(tx, &self.claimed.key)? {
            Some(identity) if identity.user == user.id => Ok(Ok(())),
            Some(_) => Ok(Err(Refusal::IdentityInUse)),
            None if !self.may_sign_in() => Ok(Err(Refusal::DomainNotAllowed)),
            None => {
                self.insert(tx, user)?;
                Ok(Ok(()))
            }
        }
    }

    /// Whether the domain of the stated address may sign in. One that the provider has not verified says
    /// nothing of whose somebody is.
    fn may_sign_in(&self) -> bool {
        if self.allowed_domains.is_empty() {
            return true;
        }
        let Some(stated) = self.claimed.email.as_ref().filter(|stated| stated.verified) else {
            return false;
        };
        let domain = stated.email.as_str().rsplit_once('@').map_or("", |(_, domain)| domain);
        self.allowed_domains.iter().any(|allowed| allowed.eq_ignore_ascii_case(domain))
    }

    fn facts(&self, identity: Option<&Identity>, local: Option<&User>) -> Facts {
        Facts {
            known: match identity {
                None => Known::New,
                Some(identity) if local.is_some_and(|user| user.id == identity.user) => Known::LinkedHere,
                Some(_) => Known::LinkedElsewhere,
            },
            local: match local {
                None => Local::None,
                Some(user) if user.email_verified_at.is_none() => Local::Unverified,
                Some(_) => Local::Verified,
            },
            stated: Stated::of(&self.claimed),
            sign_up: self.sign_up,
            link_by_email: self.link_by_email,
        }
    }

    fn sign_in(&self, tx: &mut Tx<'_>, identity: &Identity) -> Result<Admitted, Fault> {
        let user = found(users::find(tx, identity.user)?)?;
        if user.disabled_at.is_some() {
            return self.refuse_disabled(tx, &user);
        }
        if user.email_verified_at.is_none() && self.verification_required {
            if !self.vouches_for(&user) {
                return self.refuse(tx, Some(user.id), LoginFailure::Unverified, Refusal::EmailNotVerified);
            }
            users::save_verified(tx, user.id)?;
            tx.audit(&Event::EmailVerified, user.id)?;
        }
        let stated = self.claimed.email.as_ref().map(|stated| stated.email.as_str());
        identities::save_use(tx, identity.id, stated)?;
        if identity.last_used_at.is_none() {
            tx.audit(&Event::IdentityFirstUsed { provider: identity.provider.to_string() }, user.id)?;
            self.first_used.queue(tx, user.id, &user.email)?;
        }
        self.claims.apply(tx, identity, &self.claimed.groups)?;
        found(users::find(tx, user.id)?).map(Ok)
    }

    /// Whether the provider has verified the very address of an account.
    fn vouches_for(&self, user: &User) -> bool {
        let key = user.email.key();
        self.claimed.email.as_ref().is_some_and(|stated| stated.verified && stated.email.key() == key)
    }

    fn sign_up(&self, tx: &mut Tx<'_>, email: &Email) -> Result<Admitted, Fault> {
        let user = NewUser {
            id: self.user,
            email: email.clone(),
            email_verified_at: Some(tx.now()),
            name: self.claimed.name.clone(),
            password_hash: None,
        };
        users::insert(tx, &user)?;
        registrations::void_links_of(tx, email)?;
        mails::save_user(tx, email, user.id)?;
        tx.audit(&Event::UserRegistered { registration: None }, user.id)?;
        tx.audit(&Event::EmailVerified, user.id)?;
        let user = found(users::find(tx, user.id)?)?;
        self.begin_using(tx, &user)
    }

    /// Whoever set something up on the account had not shown that the address is theirs.
    fn claim(&self, tx: &mut Tx<'_>, user: &User) -> Result<Admitted, Fault> {
        users::clear_password(tx, user.id)?;
        remove_all_in(tx, user.id)?;
        second_factor::delete(tx, user.id)?;
        unlink_all_in(tx, user.id)?;
        void_old_proofs(tx, user.id, None)?;
        registrations::void_links_of(tx, &user.email)?;
        users::save_verified(tx, user.id)?;
        tx.audit(&Event::AccountClaimed { provider: self.provider.to_string() }, user.id)?;
        tx.audit(&Event::EmailVerified, user.id)?;
        self.begin_using(tx, user)
    }

    fn begin_using(&self, tx: &mut Tx<'_>, user: &User) -> Result<Admitted, Fault> {
        let identity = self.insert(tx, user)?;
        self.claims.apply(tx, &identity, &self.claimed.groups)?;
        found(users::find(tx, user.id)?).map(Ok)
    }

    fn insert(&self, tx: &mut Tx<'_>, user: &User) -> Result<Identity, Fault> {
        let now = tx.now();
        let identity = Identity {
            id: self.identity,
            user: user.id,
            provider: self.provider.clone(),
            key: self.claimed.key.clone(),
            email: self.claimed.email.as_ref().map(|stated| stated.email.to_string()),
            linked_at: now,
            last_used_at: Some(now),
        };
        identities::insert(tx, &identity)?;
        tx.audit(&Event::identity_linked(&identity), user.id)?;
        self.linked.queue(tx, user.id, &user.email)?;
        Ok(identity)
    }

    fn refuse_disabled(&self, tx: &mut Tx<'_>, user: &User) -> Result<Admitted, Fault> {
        self.refuse(tx, Some(user.id), LoginFailure::Disabled, Refusal::AccountDisabled)
    }

    fn refuse(
        &self,
        tx: &mut Tx<'_>,
        user: Option<UserId>,
        why: LoginFailure,
        refusal: Refusal,
    ) -> Result<Admitted, Fault> {
        let stated = self.claimed.email.as_ref().map(|stated| stated.email.to_string());
        let email = stated.filter(|_| user.is_none());
        tx.audit(&Event::LoginFailed { why, email }, user.map_or_else(Subject::default, Subject::from))?;
        Ok(Err(refusal))
    }
}

fn found(user: Option<User>) -> Result<User, Fault> {
    user.ok_or_else(|| Fault::Internal("an account is not there that was a moment ago".into()))
}

fn contradiction() -> Fault {
    Fault::Internal("the rules of identities say what the facts don't".into())
}
