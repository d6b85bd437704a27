//! What a line of the audit log says, before it has its number and its hash.

use super::chain::LineFields;
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::row::Row;
use crate::store::value::{Value, params};
use serde_json::Map;
use std::borrow::Cow;

/// A line as it goes into its columns and, in the same order, into its hash.
#[derive(Debug)]
pub(in crate::store) struct Entry {
    at: Timestamp,
    event: Cow<'static, str>,
    actor: String,
    user_id: Option<String>,
    session_id: Option<String>,
    ip: Option<String>,
    request_id: Option<String>,
    details: String,
}

impl Entry {
    /// What `caller` does at the time `at`.
    pub(super) fn new(at: Timestamp, caller: &Caller, event: &Event, subject: &Subject) -> Self {
        let details: Map<String, serde_json::Value> =
            event.details().into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self {
            at,
            event: Cow::Borrowed(event.name()),
            actor: caller.actor.to_string(),
            user_id: subject.user.map(|id| id.to_string()),
            session_id: subject.session.map(|id| id.to_string()),
            ip: caller.ip.map(|ip| ip.to_string()),
            request_id: caller.request_id.clone(),
            details: serde_json::Value::Object(details).to_string(),
        }
    }

    /// Reads one that waits for its number.
    pub(super) fn read(row: &Row<'_>) -> Result<Self, Fault> {
        Ok(Self {
            at: row.get("at")?,
            event: Cow::Owned(row.get("event")?),
            actor: row.get("actor")?,
            user_id: row.get("user_id")?,
            session_id: row.get("session_id")?,
            ip: row.get("ip")?,
            request_id: row.get("request_id")?,
            details: row.get("details")?,
        })
    }

    /// When it happened.
    pub(super) const fn at(&self) -> Timestamp {
        self.at
    }

    /// What its hash is made of, once it has a number.
    pub(super) fn fields(&self, seq: i64) -> LineFields<'_> {
        fn maybe(text: Option<&String>) -> Option<&[u8]> {
            text.map(String::as_bytes)
        }
        LineFields {
            seq,
            at: self.at.as_millis(),
            texts: [
                Some(self.event.as_bytes()),
                Some(self.actor.as_bytes()),
                maybe(self.user_id.as_ref()),
                maybe(self.session_id.as_ref()),
                maybe(self.ip.as_ref()),
                maybe(self.request_id.as_ref()),
                Some(self.details.as_bytes()),
            ],
        }
    }

    /// Its columns between a number and a code: those of a row of the log, or of its inbox.
    pub(super) fn row<'v>(&'v self, number: &'v i64, code: &'v [u8]) -> [Value<'v>; 10] {
        *params![
            *number,
            self.at,
            *self.event,
            self.actor,
            self.user_id,
            self.session_id,
            self.ip,
            self.request_id,
            self.details,
            *code
        ]
    }
}
