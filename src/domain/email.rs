//! E-mail addresses and their one canonical form.
//!
//! The domain is IDNA in lower case, the local part is ASCII as it was typed. Two addresses that
//! differ only in the case of the local part are the same account: mail goes to the spelling that
//! is stored, never to the one in a request. Local parts outside ASCII are refused, since folding maps
//! some look-alikes together (the Kelvin sign, the dotless i).

use email_address::{EmailAddress, Options};
use std::fmt;

/// The longest address taken, in bytes (RFC 5321 §4.5.3.1.3, less the brackets).
pub const MAX_BYTES: usize = 254;

/// A valid address, stored and shown as `local@domain` with the domain in IDNA's ASCII form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Email {
    text: String,
    at: usize,
}

/// The text is not an address that authd can send mail to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidEmail;

impl InvalidEmail {
    pub const MESSAGE: &'static str = "an e-mail address such as ann@example.com is needed";
}

impl Email {
    /// Reads an address; the domain is kept in IDNA's ASCII form.
    ///
    /// # Errors
    /// [`InvalidEmail`], when the text is not `local@domain`, is over [`MAX_BYTES`] long, has a
    /// quoted or non-ASCII local part, or a domain that IDNA refuses.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        if text.len() > MAX_BYTES {
            return Err(InvalidEmail);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        if !local.is_ascii() || local.contains('"') {
            return Err(InvalidEmail);
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| InvalidEmail)?;
        let text = format!("{local}@{domain}");
        let options = Options::default().without_display_text().without_domain_literal();
        EmailAddress::parse_with_options(&text, options).map_err(|_| InvalidEmail)?;
        if text.len() > MAX_BYTES || domain.len() > 253 {
            return Err(InvalidEmail);
        }
        Ok(Self { at: local.len(), text })
    }

    /// An address that was good when it was stored. `None`: it can't have been.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        Some(Self { at: text.rfind('@')?, text: text.to_owned() })
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        &self.text[..self.at]
    }

    /// What stands after the `@`, in IDNA's ASCII form.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// Whether the domain can be one of the internet's: there is more to it than a top-level domain, and
    /// its end is no number, as that of an IP address is.
    #[must_use]
    pub fn has_public_domain(&self) -> bool {
        let mut labels = self.domain().rsplit('.');
        let top = labels.next().unwrap_or_default();
        labels.next().is_some() && !top.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// What makes two addresses the same account.
    #[must_use]
    pub fn key(&self) -> String {
        self.text.to_ascii_lowercase()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_local_part_and_folds_the_domain() {
        let email = Email::parse("Ann.Lee+news@BÜCHER.Example").unwrap();
        assert_eq!(email.as_str(), "Ann.Lee+news@xn--bcher-kva.example");
        assert_eq!(email.key(), "ann.lee+news@xn--bcher-kva.example");
        assert_eq!((email.local_part(), email.domain()), ("Ann.Lee+news", "xn--bcher-kva.example"));
    }

    #[test]
    fn a_public_domain_is_more_than_a_name_and_no_number() {
        let is_public = |text: &str| Email::parse(text).unwrap().has_public_domain();
        assert!(
            ["a@example.com", "a@bücher.example", "a@1.2.3.4.example", "a@3com.com"]
                .into_iter()
                .all(is_public)
        );
        assert!(!["a@localhost", "a@com", "a@1.2.3.4", "a@1.2"].into_iter().any(is_public));
    }

    #[test]
    fn refuses_what_is_no_address() {
        let long = format!("{}@example.com", "a".repeat(65));
        for text in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@@example.com",
            "a b@example.com",
            "ann@exa mple.com",
            "ann@example.com\r\nBcc: eve@example.com",
            "\"ann\"@example.com",
            "Ann <ann@example.com>",
            "ann@[127.0.0.1]",
            "\u{212a}@example.com",
            "ann@-example.com",
            "ann@example..com",
            ".ann@example.com",
            &long,
        ] {
            assert_eq!(Email::parse(text), Err(InvalidEmail), "{text:?}");
        }
    }
}
