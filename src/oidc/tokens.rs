//! What the token endpoint answers (RFC 6749 §5). An error is one with any status: GitHub sends its own with
//! 200.

use super::document::Document;
use super::fault::{ProviderFault, Step, quoted};
use crate::domain::secret::Secret;

/// A good answer of the token endpoint.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// `None`: there is none; a provider of ID tokens alone may leave it out.
    pub access_token: Option<Secret<String>>,
    /// `None`: there is none.
    pub id_token: Option<Secret<String>>,
}

/// Errors that are about the code, which the provider takes no more, or the person's no: the others are about
/// the client, so an operator's to mend.
const REFUSALS: [&str; 3] = ["invalid_grant", "access_denied", "bad_verification_code"];

/// Reads the answer of the token endpoint.
///
/// # Errors
/// [`ProviderFault::Refused`] where the code isn't taken; [`ProviderFault::Error`],
/// [`ProviderFault::Status`], [`ProviderFault::NotJson`], [`ProviderFault::Member`].
pub fn parse(code: u16, body: &str) -> Result<Tokens, ProviderFault> {
    let step = Step::Token;
    let document = Document::parse(body);
    if let Some(error) = document.as_ref().and_then(|document| document.value("error")) {
        let error = error.as_str().unwrap_or_default();
        let is_refusal = REFUSALS.contains(&error);
        let error = quoted(error);
        return Err(if is_refusal {
            ProviderFault::Refused { error }
        } else {
            ProviderFault::Error { step, error }
        });
    }
    if code != 200 {
        return Err(ProviderFault::Status { step, code });
    }
    let document = document.ok_or(ProviderFault::NotJson { step })?;
    let member = |name| ProviderFault::Member { step, name };
    if !document.text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err(member("token_type"));
    }
    let secret = |name| match document.value(name) {
        None => Ok(None),
        Some(value) => value
            .as_str()
            .filter(|text| is_token(text))
            .map(|text| Some(Secret::new(text.to_owned())))
            .ok_or_else(|| member(name)),
    };
    Ok(Tokens { access_token: secret("access_token")?, id_token: secret("id_token")? })
}

/// What can stand in a header (RFC 6749 appendix A.12).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| (0x20..=0x7e).contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read() {
        let body =
            r#"{"access_token":"a","token_type":"bearer","id_token":"i","expires_in":"x","error":null}"#;
        let tokens = parse(200, body).unwrap();
        let exposed = |token: Option<Secret<String>>| token.map(|token| token.expose().clone());
        assert_eq!(
            (exposed(tokens.access_token), exposed(tokens.id_token)),
            (Some("a".into()), Some("i".into()))
        );
    }

    #[test]
    fn an_error_is_one_with_any_status() {
        for code in [200, 400, 401] {
            for (error, is_refusal) in [
                ("bad_verification_code", true),
                ("invalid_grant", true),
                ("invalid_client", false),
                ("incorrect_client_credentials", false),
                ("", false),
            ] {
                let body = format!(r#"{{"error":"{error}","access_token":"a","token_type":"bearer"}}"#);
                let fault = parse(code, &body).unwrap_err();
                assert_eq!(matches!(fault, ProviderFault::Refused { .. }), is_refusal, "{code} {error}");
                assert_eq!(matches!(fault, ProviderFault::Error { .. }), !is_refusal, "{code} {error}");
            }
        }
    }

    #[test]
    fn nonsense_is_told_apart() {
        let step = Step::Token;
        for (code, body, fault) in [
            (500, "<html>", ProviderFault::Status { step, code: 500 }),
            (302, "", ProviderFault::Status { step, code: 302 }),
            (200, "access_token=a&token_type=bearer", ProviderFault::NotJson { step }),
            (200, r#"{"access_token":"a"}"#, ProviderFault::Member { step, name: "token_type" }),
            (200, r#"{"token_type":"mac"}"#, ProviderFault::Member { step, name: "token_type" }),
            (
                200,
                r#"{"token_type":"Bearer","id_token":7}"#,
                ProviderFault::Member { step, name: "id_token" },
            ),
            (
                200,
                "{\"token_type\":\"Bearer\",\"access_token\":\"a\\r\\nx: y\"}",
                ProviderFault::Member { step, name: "access_token" },
            ),
        ] {
            assert_eq!(parse(code, body).unwrap_err(), fault, "{body}");
        }
    }
}
