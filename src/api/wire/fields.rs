//! The fields of a request that was found good, as its handler takes them.

use super::Parsed;
use crate::domain::api_key::ApiKeyName;
use crate::domain::application::{Allow, AppName, AppOrigin};
use crate::domain::email::Email;
use crate::domain::mail::MailState;
use crate::domain::name::Name;
use crate::domain::password::Password;
use crate::domain::role::{Permission, RoleName};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::UserState;
use crate::usecase::account::admin::LIMIT_DEFAULT;
use crate::usecase::account::reference::UserRef;
use crate::usecase::signin::factor::Factor;
use crate::usecase::signin::passkey::check::ShownPasskey;
use serde_json::Value;
use std::iter;
use std::time::Duration;

/// The fields of a body, and the parameters of a query.
#[derive(Debug, Default)]
pub struct Fields(pub(super) Vec<(&'static str, Parsed)>);

macro_rules! required {
    ($($method:ident: $variant:ident($type:ty)),* $(,)?) => {$(
        /// Takes a field that is never left out.
        pub fn $method(&mut self, name: &str) -> $type {
            match self.take(name) {
                Some(Parsed::$variant(value)) => value,
                _ => undeclared(name),
            }
        }
    )*};
}

macro_rules! optional {
    ($($method:ident: $variant:ident($type:ty)),* $(,)?) => {$(
        /// Takes a field. `None`: it was left out.
        pub fn $method(&mut self, name: &str) -> Option<$type> {
            match self.take(name) {
                Some(Parsed::$variant(value)) => Some(value),
                None => None,
                Some(_) => undeclared(name),
            }
        }
    )*};
}

/// Each of these hands a field over once, or all of those that repeat. They panic when the route didn't
/// declare it so, which the route's own example shows.
impl Fields {
    required! {
        email: Email(Email),
        password: Password(Password),
        token: Token(Secret<String>),
        key_name: KeyName(ApiKeyName),
        role: Role(RoleName),
        app_name: AppName(AppName),
        app_origin: AppOrigin(AppOrigin),
        allow: Allow(Allow),
        name: Name(Name),
        object: Object(Value),
    }

    optional! {
        optional_email: Email(Email),
        optional_password: Password(Password),
        optional_token: Token(Secret<String>),
        optional_name: Name(Name),
        optional_text: Text(String),
        optional_seconds: Seconds(Duration),
        optional_time: Time(Timestamp),
        optional_role: Role(RoleName),
        optional_permissions: Permissions(Vec<Permission>),
        optional_roles: Roles(Vec<RoleName>),
        optional_user: User(UserRef),
        optional_state: State(UserState),
        optional_mail_state: MailState(MailState),
        optional_app_name: AppName(AppName),
        optional_app_origin: AppOrigin(AppOrigin),
        optional_allow: Allow(Allow),
        optional_object: Object(Value),
    }

    /// Takes a flag; one that was left out is `false`.
    pub fn flag(&mut self, name: &str) -> bool {
        match self.take(name) {
            Some(Parsed::Flag(flag)) => flag,
            None => false,
            Some(_) => undeclared(name),
        }
    }

    /// Takes how many entries a page has at most; left out, it is [`LIMIT_DEFAULT`].
    pub fn limit(&mut self, name: &str) -> u32 {
        match self.take(name) {
            Some(Parsed::Limit(limit)) => limit,
            None => LIMIT_DEFAULT,
            Some(_) => undeclared(name),
        }
    }

    /// All values of a parameter that may repeat.
    pub fn roles(&mut self, name: &str) -> Vec<RoleName> {
        iter::from_fn(|| self.optional_role(name)).collect()
    }

    /// All values of a parameter that may repeat.
    pub fn permissions(&mut self, name: &str) -> Vec<Permission> {
        let next = || match self.take(name) {
            Some(Parsed::Permission(permission)) => Some(permission),
            None => None,
            Some(_) => undeclared(name),
        };
        iter::from_fn(next).collect()
    }

    /// The cursor that a page of a list begins at. `None`: it is the first page.
    pub fn cursor(&mut self, name: &str) -> Option<String> {
        self.optional_token(name).map(|cursor| cursor.expose().clone())
    }

    /// What the caller shows of a second factor. `None`: nothing.
    pub fn factor(&mut self) -> Option<Factor> {
        let code = self.optional_token("code").map(Factor::Code);
        let code = code.or_else(|| self.optional_token("recovery_code").map(Factor::RecoveryCode));
        code.or_else(|| self.passkey().map(|shown| Factor::Passkey(Box::new(shown))))
    }

    /// A passkey that is shown. `None`: none is. Without its ceremony it is a wrong one.
    pub fn passkey(&mut self) -> Option<ShownPasskey> {
        let credential = self.optional_object("credential")?;
        let ceremony = self.optional_token("ceremony");
        let ceremony = ceremony.map(|ceremony| ceremony.expose().clone()).unwrap_or_default();
        Some(ShownPasskey { ceremony, credential })
    }

    /// Whether the request has the field, and nothing has taken it yet.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(field, _)| *field == name)
    }

    /// Puts a token that came another way where the field would be.
    pub fn put_token(&mut self, name: &'static str, token: Secret<String>) {
        self.0.push((name, Parsed::Token(token)));
    }

    /// These and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    fn take(&mut self, name: &str) -> Option<Parsed> {
        let at = self.0.iter().position(|(field, _)| *field == name)?;
        Some(self.0.swap_remove(at).1)
    }
}

fn undeclared(name: &str) -> ! {
    panic!("the route does not declare the field {name} as its handler reads it")
}
