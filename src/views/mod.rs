//! How objects look as JSON, the same over HTTP and with `authctl -o json`: a type for each shape, whose
//! fields are its members in their order, and a function that makes one of what a use-case gave.
//!
//! The schemas of the OpenAPI document are derived from these types, and a field's doc comment is its
//! description there. A view borrows what it shows, so that little is copied on the way to the bytes.

mod api_key;
mod application;
mod audit;
mod database;
mod health;
mod identity;
mod key;
mod mail;
mod operator;
mod page;
mod passkey;
mod problem;
mod provider;
mod registration;
mod role;
pub mod schema;
mod session;
mod text;
mod tokens;
mod transfer;
mod two_factor;
mod user;

pub use api_key::{ApiKey, CreatedApiKey, api_key, new_api_key};
pub use application::{App, AppJudgement, app, app_judgement};
pub use audit::{
    AuditCheck, AuditLine, AuditPruning, Event, Events, ExportedLine, audit_check, audit_line, audit_pruning,
    exported_line, own_events,
};
pub use database::{
    AuditHead, Backup, Created, CreatedDatabase, Daemon, DatabaseCheck, DatabaseStatus, MigrationStep,
    MovedDatabase, MovedTable, PrunedTable, Restored, Withheld, backup, created_database, database_check,
    database_status, migration_step, moved_database, pruned_table, restored,
};
pub use health::{Health, Readiness, health, readiness};
pub use identity::{
    Identities, Identity, IdentityOf, LinkBegun, SignInProvider, SignInProviders, identity, identity_of,
    link_begun, own_identities, sign_in_providers,
};
pub use key::{KeySet, SigningKey, key_set, signing_key};
pub use mail::{Mail, OpenedMail, TestMail, mail, opened_mail, test_mail};
pub use operator::{
    Applied, Build, Calibration, ConfigCheck, Finding, ImportNote, ImportReport, ImportedEntry, Setting,
    SettingValue, WeakSetting, Written, applied, calibration, config_check, finding, import_note,
    import_report, imported_entry, setting, version, written,
};
pub use page::{Page, PageItem, page};
pub use passkey::{
    Passkey, PasskeyAdded, PasskeyCeremony, PasskeyOf, Passkeys, RelatedOrigins, own_passkeys, passkey,
    passkey_added, passkey_ceremony, passkey_of, related_origins,
};
pub use problem::{CommandProblem, FieldError, Problem, command_problem, field_error};
pub use provider::{ConfiguredProvider, ProviderCheck, configured_provider, provider_check};
pub use registration::{PendingRegistration, pending_registration};
pub use role::{Member, Role, RoleMembers, role, role_members};
pub use session::{ListedSession, Session, Sessions, listed_session, own_sessions};
pub use tokens::{
    ActiveAccessToken, ActiveRefreshToken, CookieSession, InactiveToken, Inspection, Introspection,
    MagicLinkRequested, MintedToken, PasswordChangeDue, Revoked, SecondStepDue, SessionToken, Tokens,
    inspection, introspection, magic_link_requested, minted, password_change, revoked, second_step,
    session_in_cookies, session_of_browser, session_token, tokens,
};
pub use transfer::ExportedUser;
pub use two_factor::{
    CheckedCode, Enrolment, NewRecoveryCodes, RecoveryCodes, SecondFactor, Totp, TwoFactor, TwoFactorSetup,
    checked_code, enrolment, new_recovery_codes, recovery_codes, second_factor, two_factor, two_factor_setup,
};
pub use user::{
    User, UserWithIdentities, UserWithSecret, VerificationSent, user, user_with_identities, user_with_secret,
    verification_sent,
};

use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;

/// Whatever is shown as a JSON object of its own.
pub trait View: Serialize + JsonSchema {}

impl<T: Serialize + JsonSchema> View for T {}

/// The names of an object's members, in their order.
#[must_use]
pub fn members<V: View>() -> Vec<String> {
    let schema = SchemaGenerator::default().into_root_schema_for::<V>();
    schema
        .get("properties")
        .and_then(|members| members.as_object())
        .into_iter()
        .flatten()
        .map(|(n, _)| n.clone())
        .collect()
}
