//! Deleting what is over, a page of rows at a time. A page is found by walking over the primary key from
//! where the last one ended, so that no step looks at a whole table, and none needs an index of its own.

use super::meta;
use super::passkeys;
use super::sessions::{PRUNED_TO, bytes};
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::tx::{FromValue, Query, Reader, ToValue, Tx, Value};

/// The rows that one step looks at, and at most deletes. Each deleted session is a page of an index,
/// somewhere: among three million, 100 hold the writer for 5 ms, 500 for 50.
const PAGE: u32 = 100;

/// A table in which rows are over some day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    Sessions,
    RevokedTokens,
    Links,
    LinkRequests,
    MagicRequests,
    Registrations,
    Tickets,
    AppCodes,
    OauthAttempts,
    OauthCodes,
    SpentCeremonies,
    PairFailures,
    AccountFailures,
    KnownNetworks,
    Mails,
}

impl Family {
    pub const ALL: [Self; 15] = [
        Self::Sessions,
        Self::RevokedTokens,
        Self::Links,
        Self::LinkRequests,
        Self::MagicRequests,
        Self::Registrations,
        Self::Tickets,
        Self::AppCodes,
        Self::OauthAttempts,
        Self::OauthCodes,
        Self::SpentCeremonies,
        Self::PairFailures,
        Self::AccountFailures,
        Self::KnownNetworks,
        Self::Mails,
    ];

    /// The table's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::RevokedTokens => "revoked_tokens",
            Self::Links => "links",
            Self::LinkRequests => "link_requests",
            Self::MagicRequests => "magic_requests",
            Self::Registrations => "registrations",
            Self::Tickets => "tickets",
            Self::AppCodes => "app_codes",
            Self::OauthAttempts => "oauth_attempts",
            Self::OauthCodes => "oauth_codes",
            Self::SpentCeremonies => "spent_ceremonies",
            Self::PairFailures => "pair_failures",
            Self::AccountFailures => "account_failures",
            Self::KnownNetworks => "known_networks",
            Self::Mails => "mails",
        }
    }

    /// The columns of its primary key.
    const fn key(self) -> &'static [&'static str] {
        match self {
            Self::Sessions
            | Self::Links
            | Self::LinkRequests
            | Self::MagicRequests
            | Self::Registrations
            | Self::Mails => &["id"],
            Self::RevokedTokens => &["jti"],
            Self::Tickets => &["token_hash"],
            Self::OauthAttempts => &["state_hash"],
            Self::SpentCeremonies => &["ceremony_hash"],
            Self::AppCodes | Self::OauthCodes => &["code_hash"],
            Self::PairFailures => &["account", "network"],
            Self::AccountFailures => &["account"],
            Self::KnownNetworks => &["user_id", "network"],
        }
    }

    /// Which rows were over at the time `?1`.
    const fn over(self) -> &'static str {
        match self {
            Self::Sessions => "(page.ended_at <= ?1 OR page.expires_at <= ?1)",
            Self::RevokedTokens
            | Self::Links
            | Self::MagicRequests
            | Self::Registrations
            | Self::Tickets
            | Self::AppCodes
            | Self::OauthAttempts
            | Self::OauthCodes
            | Self::SpentCeremonies => "page.expires_at <= ?1",
            Self::LinkRequests => "page.created_at <= ?1",
            Self::PairFailures | Self::AccountFailures => {
                "page.last_at <= ?1 AND coalesce(page.locked_until, 0) <= ?1"
            }
            // The newest of a user stays: without any, the next login would seem to be the first.
            Self::KnownNetworks => {
                "page.last_login_at <= ?1 AND EXISTS (SELECT 1 FROM known_networks n WHERE n.user_id = page.user_id \
                 AND (n.last_login_at, n.network) > (page.last_login_at, page.network))"
            }
            Self::Mails => {
                "page.state <> 'queued' AND coalesce(page.sent_at, page.retried_at, page.created_at) <= ?1"
            }
        }
    }
}

/// Where a walk over a table has come to: the last row that was looked at. The default: the beginning.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Cursor(Vec<KeyPart>);

/// One column of a primary key: these are all the types that keys have here.
#[derive(Clone, PartialEq, Debug)]
enum KeyPart {
    Text(String),
    Blob(Vec<u8>),
}

impl KeyPart {
    fn to_value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => text.to_value(),
            Self::Blob(bytes) => bytes.to_value(),
        }
    }
}

impl FromValue<'_> for KeyPart {
    const WANTED: &'static str = "a text or a blob";

    fn from_value(value: Value<'_>) -> Option<Self> {
        String::from_value(value).map(Self::Text).or_else(|| Vec::from_value(value).map(Self::Blob))
    }
}

/// The rows between two cursors that one step is about.
#[derive(Clone, PartialEq, Debug)]
pub struct Page {
    family: Family,
    from: Cursor,
    /// `None`: to the end of the table.
    to: Option<Cursor>,
    /// Whether something on it is over.
    pub has_any: bool,
}

impl Page {
    /// Finds the page that begins after `from`, and looks whether a row on it was over at `before`.
    pub fn find(query: &Reader<'_>, family: Family, from: Cursor, before: Timestamp) -> Result<Self, Fault> {
        let columns = family.key().join(", ");
        let mut page = Self { family, from, to: None, has_any: false };
        let sql = format!(
            "SELECT {columns} FROM {} AS page WHERE ?1 IS NOT NULL{} ORDER BY {columns} LIMIT 1 OFFSET {}",
            family.name(),
            page.bounds(),
            PAGE - 1
        );
        page.to = query.opt(&sql, &page.values(&before), |row| {
            family.key().iter().map(|column| row.get(column)).collect::<Result<_, _>>().map(Cursor)
        })?;
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM {} AS page WHERE {}{}) AS has_any",
            family.name(),
            family.over(),
            page.bounds()
        );
        page.has_any = query.one(&sql, &page.values(&before), |row| row.get("has_any"))?;
        Ok(page)
    }

    /// Deletes the rows on it that were over at `before`; gives how many.
    pub fn prune(&self, tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, Fault> {
        if self.family == Family::RevokedTokens
            && let Some(last) = self.last_end(tx, before)?
        {
            remember_revocations(tx, last)?;
        }
        if self.family == Family::SpentCeremonies
            && let Some(last) = self.last_end(tx, before)?
        {
            // One that is forgotten would count as unspent, were the clock set back.
            passkeys::void_ceremonies(tx, last)?;
        }
        let (name, over) = (self.family.name(), self.family.over());
        let sql = format!("DELETE FROM {name} AS page WHERE {over}{}", self.bounds());
        tx.execute(&sql, &self.values(&before))
    }

    /// Where the next page begins. `None`: this was the last.
    #[must_use]
    pub fn next(self) -> Option<Cursor> {
        self.to
    }

    /// When the last of the rows on it ended that were over at `before`. `None`: there are none.
    fn last_end(&self, tx: &Tx<'_>, before: Timestamp) -> Result<Option<Timestamp>, Fault> {
        let (name, over) = (self.family.name(), self.family.over());
        let sql =
            format!("SELECT max(page.expires_at) AS last FROM {name} AS page WHERE {over}{}", self.bounds());
        tx.one(&sql, &self.values(&before), |row| row.get("last"))
    }

    /// The conditions on the key that keep a statement on this page; its values follow `?1`.
    fn bounds(&self) -> String {
        let key = self.family.key();
        let columns = key.iter().map(|column| format!("page.{column}")).collect::<Vec<_>>().join(", ");
        let numbered =
            |from: usize| (0..key.len()).map(|at| format!("?{}", from + at)).collect::<Vec<_>>().join(", ");
        let mut bounds = String::new();
        if !self.from.0.is_empty() {
            bounds.push_str(&format!(" AND ({columns}) > ({})", numbered(2)));
        }
        if self.to.is_some() {
            bounds.push_str(&format!(" AND ({columns}) <= ({})", numbered(2 + self.from.0.len())));
        }
        bounds
    }

    fn values<'v>(&'v self, before: &'v Timestamp) -> Vec<Value<'v>> {
        let key = self.from.0.iter().chain(self.to.iter().flat_map(|to| &to.0));
        std::iter::once(before.to_value()).chain(key.map(KeyPart::to_value)).collect()
    }
}

/// See [`PRUNED_TO`].
fn remember_revocations(tx: &mut Tx<'_>, last: Timestamp) -> Result<(), Fault> {
    let last = bytes(last);
    match meta::find(tx, PRUNED_TO)? {
        Some(known) if known.as_slice() >= &last[..] => Ok(()),
        _ => meta::save(tx, PRUNED_TO, &last),
    }
}
