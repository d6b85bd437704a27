//! An OAuth client's id and secret in `Authorization: Basic …` (RFC 7617 as RFC 6749 §2.3.1 uses it): reading
//! them. Whether they are right, a use-case says.

use super::rejection::Rejection;
use super::token_transport::credentials;
use crate::domain::secret::Secret;
use crate::transport::message::Headers;
use data_encoding::BASE64;
use percent_encoding::percent_decode_str;

/// More than an id and a secret of authd's come to, every byte of them percent-encoded.
const ENCODED_MAX: usize = 1024;

/// What a client shows of itself.
#[derive(Debug)]
pub struct ClientCredentials {
    pub id: String,
    pub secret: Secret<String>,
}

/// Whether `Authorization` is of the scheme `Basic`, and what it holds.
#[derive(Debug)]
pub enum Basic {
    /// It isn't there, or of another scheme.
    Absent,
    /// It holds no two texts, or more than any client of authd's has to send.
    Unreadable,
    Client(ClientCredentials),
}

/// Reads what a client shows of itself. The id ends at the first colon; both halves are percent-decoded
/// (RFC 6749 §2.3.1), which changes nothing of what clients send that leave that out.
///
/// # Errors
/// [`Rejection::Ambiguous`] when the header stands twice.
pub fn read(sent: &Headers) -> Result<Basic, Rejection> {
    let Some(encoded) = credentials(sent, "basic")? else {
        return Ok(Basic::Absent);
    };
    Ok(decode(encoded).map_or(Basic::Unreadable, Basic::Client))
}

fn decode(encoded: &str) -> Option<ClientCredentials> {
    if encoded.len() > ENCODED_MAX {
        return None;
    }
    let pair = Secret::new(String::from_utf8(BASE64.decode(encoded.as_bytes()).ok()?).ok()?);
    let (id, secret) = pair.expose().split_once(':')?;
    let plain = |half| Some(percent_decode_str(half).decode_utf8().ok()?.into_owned());
    Some(ClientCredentials { id: plain(id)?, secret: Secret::new(plain(secret)?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(pair: &[u8]) -> Option<(String, String)> {
        let client = decode(&BASE64.encode(pair))?;
        Some((client.id, client.secret.expose().clone()))
    }

    #[test]
    fn a_pair_is_read_with_and_without_its_percent_encoding() {
        let expected = Some(("ci.eu".to_owned(), "authd_key_a-b".to_owned()));
        assert_eq!(decoded(b"ci.eu:authd_key_a-b"), expected);
        assert_eq!(decoded(b"ci%2Eeu:authd%5Fkey%5fa%2db"), expected);
        assert_eq!(decoded(b"a:b:c"), Some(("a".into(), "b:c".into())), "an id has no colon");
        assert_eq!(decoded(b"a%3Ab:c"), Some(("a:b".into(), "c".into())), "unless it is encoded");
        assert_eq!(decoded(b":"), Some((String::new(), String::new())));
    }

    #[test]
    fn what_is_no_pair_is_none() {
        for pair in [&b"ci"[..], b"", b"\xff:\xff", b"a:%ff", b"%c3:a"] {
            assert_eq!(decoded(pair), None, "{pair:?}");
        }
        for encoded in ["Y2k6YQ", "Y2k6YQ=", "Y2k6YQ===", "Y2k6YR==", "Y2k 6YQ==", "*", "Y2k6YQ==\u{e9}"] {
            assert!(decode(encoded).is_none(), "{encoded}");
        }
        assert!(decode(&BASE64.encode(&[b':'; 768])).is_some());
        assert!(decode(&BASE64.encode(&[b':'; 769])).is_none());
    }
}
