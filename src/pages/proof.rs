//! What a form carries to prove who sent it, or to prove it with from now on.

use crate::domain::password::Password;
use crate::domain::secret::Secret;
use crate::error::Refusal;
use crate::pages::form::Form;
use crate::usecase::signin::factor::Factor;
use crate::usecase::signin::passkey::check::ShownPasskey;
use serde_json::Value;

/// Reads the account's own password.
///
/// # Errors
/// [`Refusal::WrongPassword`] for what can be nobody's.
pub fn password(form: &Form) -> Result<Password, Refusal> {
    Password::new(form.secret("password").expose()).map_err(|_| Refusal::WrongPassword)
}

/// Reads the account's own password, where the form asks for it. `None`: it doesn't.
///
/// # Errors
/// As [`password`].
pub fn password_if_any(form: &Form) -> Result<Option<Password>, Refusal> {
    form.has("password").then(|| password(form)).transpose()
}

/// Reads the passkey that a script put into the form. `None`: it didn't.
#[must_use]
pub fn passkey(form: &Form) -> Option<ShownPasskey> {
    // What is no JSON is no passkey, and is refused as one that is wrong.
    let credential = serde_json::from_str(form.secret("credential").expose()).unwrap_or(Value::Null);
    form.has("ceremony").then(|| ShownPasskey { ceremony: form.text("ceremony").to_owned(), credential })
}

/// Reads a passkey, the code of an app, or the recovery code in its place. `None`: none of them is there.
#[must_use]
pub fn factor(form: &Form) -> Option<Factor> {
    if let Some(shown) = passkey(form) {
        return Some(Factor::Passkey(Box::new(shown)));
    }
    let recovery_code = form.text("recovery_code");
    if !recovery_code.is_empty() {
        return Some(Factor::RecoveryCode(Secret::new(recovery_code.to_owned())));
    }
    let code = code(form);
    (!code.expose().is_empty()).then_some(Factor::Code(code))
}

/// Reads the code of an app: people type it as it is shown, in two groups.
#[must_use]
pub fn code(form: &Form) -> Secret<String> {
    Secret::new(form.text("code").split_whitespace().collect())
}

/// Reads a new password from a field.
///
/// # Errors
/// [`Refusal::WeakPassword`] for what can be none.
pub fn new_password(form: &Form, field: &str) -> Result<Password, Refusal> {
    let new = Password::new(form.secret(field).expose());
    new.map_err(|error| Refusal::WeakPassword { reason: error.message().to_owned() })
}
