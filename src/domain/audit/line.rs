//! The lines that carry events: whom one is about, its place in the chain, and what can be wrong with it.

use crate::domain::id::{SessionId, UserId};
use crate::domain::time::Timestamp;
use data_encoding::HEXLOWER;
use std::fmt;

/// What an event is about, besides its name. `None`: nobody, or nothing, in particular.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Subject {
    pub user: Option<UserId>,
    pub session: Option<SessionId>,
}

impl From<UserId> for Subject {
    fn from(user: UserId) -> Self {
        Self { user: Some(user), session: None }
    }
}

impl From<(UserId, SessionId)> for Subject {
    fn from((user, session): (UserId, SessionId)) -> Self {
        Self { user: Some(user), session: Some(session) }
    }
}

/// A line of the log as it is read back. Lines are never changed; each is chained to the one before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// From 1 on, without a gap.
    pub seq: i64,
    pub at: Timestamp,
    pub event: String,
    pub actor: String,
    pub user: Option<String>,
    pub session: Option<String>,
    pub ip: Option<String>,
    pub request_id: Option<String>,
    pub details: Vec<(String, String)>,
    /// What chains it to the line before.
    pub hash: Vec<u8>,
}

/// A place in the log's chain: a line's number and its hash. Number 0, without a hash: before the first line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mark {
    pub seq: i64,
    pub hash: Vec<u8>,
}

impl Mark {
    /// Reads a line's number and hash as they are shown. `None`: the text is something else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (seq, hash) = text.split_once(':')?;
        let mark = Self { seq: seq.parse().ok()?, hash: HEXLOWER.decode(hash.as_bytes()).ok()? };
        (mark.seq > 0 && mark.hash.len() == 32).then_some(mark)
    }
}

/// `4711:` and the hash in hexadecimal digits.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, HEXLOWER.encode(&self.hash))
    }
}

/// What is wrong with the log's chain: somebody other than authd changed, added or removed lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChainError {
    /// The newest line's number and hash are not there, or not as authd wrote them, or not the newest line's.
    Head,
    /// The last pruned line's number and hash are not as authd wrote them.
    Anchor,
    Missing {
        seq: i64,
    },
    /// The end is missing, from this line on.
    Cut {
        seq: i64,
    },
    Changed {
        seq: i64,
    },
    /// It stands where no line can: before the first, or after the newest.
    Strange {
        seq: i64,
    },
    /// The log ends before a line whose hash was noted earlier.
    OlderThanNoted {
        seq: i64,
    },
    /// Another line stands at the number that was noted earlier.
    NotAsNoted {
        seq: i64,
    },
    /// The line that was noted earlier can't be compared any more.
    NotedWasPruned {
        seq: i64,
    },
    /// Lines that nobody but authd could have left, and it has not, wait in the inbox.
    Inbox {
        lines: u64,
    },
    /// The file can't be read; the text is SQLite's.
    Damaged(String),
}

impl ChainError {
    /// The first line that is not as it must be. `None`: it is not about a line.
    #[must_use]
    pub const fn seq(&self) -> Option<i64> {
        match self {
            Self::Head | Self::Anchor | Self::Inbox { .. } | Self::Damaged(_) => None,
            Self::Missing { seq }
            | Self::Cut { seq }
            | Self::Changed { seq }
            | Self::Strange { seq }
            | Self::OlderThanNoted { seq }
            | Self::NotAsNoted { seq }
            | Self::NotedWasPruned { seq } => Some(*seq),
        }
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("the audit log's head is not the one that authd wrote"),
            Self::Anchor => {
                f.write_str("the audit log's beginning, after pruning, is not the one that authd wrote")
            }
            Self::Missing { seq } => write!(f, "line {seq} is missing"),
            Self::Cut { seq } => write!(f, "the end is missing, from line {seq} on"),
            Self::Changed { seq } => write!(f, "line {seq} is not as authd wrote it"),
            Self::Strange { seq } => write!(f, "line {seq} stands where authd wrote none"),
            Self::OlderThanNoted { seq } => {
                write!(
                    f,
                    "the log ends before line {seq}, which was noted: it was cut, or the file is an older copy"
                )
            }
            Self::NotAsNoted { seq } => write!(f, "line {seq} is not the one that was noted"),
            Self::NotedWasPruned { seq } => {
                write!(f, "line {seq}, which was noted, has been pruned; note a newer one")
            }
            Self::Inbox { lines } => {
                write!(
                    f,
                    "{lines} lines in the audit log's inbox are not as authd wrote them, or were there before"
                )
            }
            Self::Damaged(text) => f.write_str(text),
        }
    }
}
