//! The document that an access token opens: OpenID Connect's userinfo (Core §5.3), GitHub's and Discord's
//! user.

use super::document::Document;
use super::fault::{ProviderFault, Step};

/// Reads a user's document, or another object that stands behind an access token.
///
/// # Errors
/// [`ProviderFault::Status`], [`ProviderFault::NotJson`].
pub fn parse(step: Step, code: u16, body: &str) -> Result<Document, ProviderFault> {
    if code != 200 {
        return Err(ProviderFault::Status { step, code });
    }
    Document::parse(body).ok_or(ProviderFault::NotJson { step })
}

/// Refuses userinfo that is about another person than the ID token (Core §5.3.2): whoever can swap an access
/// token could give somebody's sign-in another's address.
///
/// # Errors
/// [`ProviderFault::Member`].
pub fn check_subject(userinfo: &Document, id_token: &Document) -> Result<(), ProviderFault> {
    let subject = id_token.text("sub");
    if subject.is_some() && userinfo.text("sub") == subject {
        return Ok(());
    }
    Err(ProviderFault::Member { step: Step::UserInfo, name: "sub" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn userinfo_is_about_the_same_person() {
        let of = |text: &str| Document::parse(text).unwrap();
        let token = of(r#"{"sub":"1"}"#);
        assert_eq!(check_subject(&of(r#"{"sub":"1","email":"a@b.example"}"#), &token), Ok(()));
        for other in [r#"{"sub":"2"}"#, r#"{"sub":1}"#, "{}", r#"{"sub":null}"#] {
            assert!(check_subject(&of(other), &token).is_err(), "{other}");
        }
        assert!(check_subject(&of("{}"), &of("{}")).is_err());
    }

    #[test]
    fn only_an_object_with_200_is_a_document() {
        let step = Step::UserInfo;
        assert!(parse(step, 200, "{}").is_ok());
        assert_eq!(parse(step, 401, "{}"), Err(ProviderFault::Status { step, code: 401 }));
        for body in ["[]", "", "eyJhbGciOiJSUzI1NiJ9.e30.x"] {
            assert_eq!(parse(step, 200, body), Err(ProviderFault::NotJson { step }), "{body}");
        }
    }
}
