//! Page cursors: opaque to those who hand them back, and good for the list that gave them alone.

use data_encoding::BASE64URL_NOPAD;

/// Which list a cursor belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum List {
    Users,
}

impl List {
    const fn tag(self) -> u8 {
        match self {
            Self::Users => b'u',
        }
    }
}

/// The cursor of the page after the row with this key.
#[must_use]
pub fn encode(list: List, key: &[u8; 16]) -> String {
    let mut bytes = vec![list.tag()];
    bytes.extend_from_slice(key);
    BASE64URL_NOPAD.encode(&bytes)
}

/// The key of the last row that was seen. `None`: this list never gave that cursor.
#[must_use]
pub fn decode(list: List, cursor: &str) -> Option<[u8; 16]> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
    let (tag, key) = bytes.split_first()?;
    (*tag == list.tag()).then_some(())?;
    key.try_into().ok()
}
