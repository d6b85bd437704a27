//! Page cursors: opaque to clients, and valid only for the list that made them.

use data_encoding::BASE64URL_NOPAD;

/// Which list a cursor belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum List {
    Users,
    /// One's own security events.
    Events,
    /// Everybody's sessions.
    Sessions,
    /// The audit log.
    Audit,
    Roles,
    ApiKeys,
    /// Registrations that wait.
    Registrations,
    /// The outbox.
    Mails,
    SigningKeys,
    /// Applications behind the gate.
    Apps,
    /// Identities of one account.
    Identities,
    /// Passkeys of one account.
    Passkeys,
}

impl List {
    const fn tag(self) -> u8 {
        match self {
            Self::Users => b'u',
            Self::Events => b'e',
            Self::Sessions => b's',
            Self::Audit => b'a',
            Self::Roles => b'r',
            Self::ApiKeys => b'k',
            Self::Registrations => b'w',
            Self::Mails => b'm',
            Self::SigningKeys => b'g',
            Self::Apps => b'p',
            Self::Identities => b'i',
            Self::Passkeys => b'y',
        }
    }
}

/// The cursor of the page after the row with this key.
#[must_use]
pub fn encode(list: List, key: &[u8; 16]) -> String {
    wrap(list, key)
}

/// As [`encode`], for a list whose rows are numbered.
#[must_use]
pub fn encode_number(list: List, number: i64) -> String {
    wrap(list, &number.to_be_bytes())
}

/// The key of the last row of the page before. `None`: this list did not make that cursor.
#[must_use]
pub fn decode(list: List, cursor: &str) -> Option<[u8; 16]> {
    unwrap(list, cursor)
}

/// As [`decode`], for a list whose rows are numbered.
#[must_use]
pub fn decode_number(list: List, cursor: &str) -> Option<i64> {
    unwrap(list, cursor).map(i64::from_be_bytes)
}

/// As [`encode`], for a list in the order of names.
#[must_use]
pub fn encode_name(list: List, name: &str) -> String {
    wrap(list, name.as_bytes())
}

/// As [`decode`], for a list in the order of names.
#[must_use]
pub fn decode_name(list: List, cursor: &str) -> Option<String> {
    String::from_utf8(key_of(list, cursor)?).ok()
}

fn wrap(list: List, key: &[u8]) -> String {
    let mut bytes = vec![list.tag()];
    bytes.extend_from_slice(key);
    BASE64URL_NOPAD.encode(&bytes)
}

fn unwrap<const N: usize>(list: List, cursor: &str) -> Option<[u8; N]> {
    key_of(list, cursor)?.try_into().ok()
}

fn key_of(list: List, cursor: &str) -> Option<Vec<u8>> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
    let (tag, key) = bytes.split_first()?;
    (*tag == list.tag()).then(|| key.to_vec())
}
