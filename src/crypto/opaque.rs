//! Opaque secrets: a prefix that says what they are, then 32 random bytes in base64url. The store
//! keeps their SHA-256 alone, which is enough for secrets that nobody can guess.

use crate::domain::secret::Secret;
use crate::ports::{Entropy, draw};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};

/// The SHA-256 of a whole opaque secret: what the store keeps and looks up.
pub type OpaqueHash = [u8; 32];

/// Draws a new secret behind `prefix`, which is part of it, so that one kind is never taken for another;
/// gives it and what to store of it.
#[must_use]
pub fn generate(prefix: &str, entropy: &dyn Entropy) -> (Secret<String>, OpaqueHash) {
    let bytes = Secret::new(draw::<32>(entropy));
    let text = Secret::new(format!("{prefix}{}", BASE64URL_NOPAD.encode(bytes.expose())));
    let hash = sha256(text.expose());
    (text, hash)
}

/// The stored form of a secret that was handed in. `None` when it is not, to the letter, one of this
/// kind: right prefix, exact length, canonical encoding.
#[must_use]
pub fn parse(prefix: &str, text: &str) -> Option<OpaqueHash> {
    let body = text.strip_prefix(prefix)?;
    let bytes = Secret::new(BASE64URL_NOPAD.decode(body.as_bytes()).ok()?);
    (bytes.expose().len() == 32).then(|| sha256(text))
}

/// How many characters of base32 a recovery code has: 120 bits.
const RECOVERY_CODE_LEN: usize = 24;
/// Those of authd's first databases had 80 bits; whoever has kept such codes may use them.
const RECOVERY_CODE_LEN_OLD: usize = 16;

/// Draws a recovery code: 120 random bits in base32, in six groups of four as
/// `xxxx-xxxx-xxxx-xxxx-xxxx-xxxx`, easy to type; gives it and what to store of it.
#[must_use]
pub fn generate_recovery_code(entropy: &dyn Entropy) -> (Secret<String>, OpaqueHash) {
    let bytes = Secret::new(draw::<15>(entropy));
    let plain = Secret::new(BASE32_NOPAD.encode(bytes.expose()).to_ascii_lowercase());
    let groups = (0..RECOVERY_CODE_LEN).step_by(4).filter_map(|at| plain.expose().get(at..at + 4));
    let groups: Vec<&str> = groups.collect();
    (Secret::new(groups.join("-")), sha256(plain.expose()))
}

/// The stored form of a recovery code, however a person types its hyphens, spaces and case. `None`
/// when it is not of a code's form.
#[must_use]
pub fn parse_recovery_code(text: &str) -> Option<OpaqueHash> {
    let plain: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    let plain = Secret::new(plain.to_ascii_lowercase());
    let right = [RECOVERY_CODE_LEN, RECOVERY_CODE_LEN_OLD].contains(&plain.expose().len())
        && plain.expose().bytes().all(|c| matches!(c, b'a'..=b'z' | b'2'..=b'7'));
    right.then(|| sha256(plain.expose()))
}

/// The SHA-256 of a secret, which is stored in its stead.
#[must_use]
pub fn sha256(text: &str) -> OpaqueHash {
    digest(&SHA256, text.as_bytes()).as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemEntropy;

    #[test]
    fn only_the_exact_text_is_the_secret() {
        let (text, hash) = generate("authd_ev_", &SystemEntropy);
        let text = text.expose().as_str();
        assert_eq!(parse("authd_ev_", text), Some(hash));
        assert_eq!(parse("authd_pr_", text), None);
        for other in
            [&text[..text.len() - 1], &format!("{text}="), &format!("{text}A"), &format!(" {text}"), ""]
        {
            assert_eq!(parse("authd_ev_", other), None, "{other:?}");
        }
    }

    #[test]
    fn a_recovery_code_is_taken_however_it_is_typed() {
        let (code, hash) = generate_recovery_code(&SystemEntropy);
        let code = code.expose();
        assert_eq!(code.len(), 29);
        for typed in [code.clone(), code.replace('-', ""), code.to_uppercase(), code.replace('-', " ")] {
            assert_eq!(parse_recovery_code(&typed), Some(hash), "{typed}");
        }
        assert_eq!(parse_recovery_code(&code[1..]), None);
        assert_eq!(parse_recovery_code("0000-0000-0000-0000"), None);
        assert_eq!(
            parse_recovery_code("ihnv-6ur4-drtx-xtke"),
            Some(sha256("ihnv6ur4drtxxtke")),
            "an old one"
        );
    }
}
