//! One-time links: kept as the SHA-256 of their secret, spent by one conditional update.

use crate::domain::email::Email;
use crate::domain::id::{LinkId, SessionId, UserId};
use crate::domain::link::LinkKind;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::tx::{Query, Row, Tx, params};

#[derive(Clone, Debug)]
pub struct NewLink {
    pub id: LinkId,
    pub kind: LinkKind,
    pub user: UserId,
    pub token_hash: [u8; 32],
    pub expires_at: Timestamp,
    /// The new address, for a change of address.
    pub email: Option<Email>,
    /// The session that asked for a change of address.
    pub session: Option<SessionId>,
    /// Whether it goes to the account's address, so that whoever has it can read mail there.
    pub mailed: bool,
}

/// What a link that was spent stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    pub user: UserId,
    pub email: Option<Email>,
    pub session: Option<SessionId>,
    pub mailed: bool,
}

/// Adds a link; older ones of the same kind and user are void from now on.
pub fn insert(tx: &mut Tx<'_>, link: &NewLink) -> Result<(), Fault> {
    delete_of_kind(tx, link.user, link.kind)?;
    let now = tx.now();
    let sql = "INSERT INTO links (id, kind, user_id, token_hash, created_at, expires_at, email, session_id, \
        mailed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let email = link.email.as_ref().map(Email::as_str);
    tx.execute(
        sql,
        params![
            link.id,
            link.kind.name(),
            link.user,
            link.token_hash,
            now,
            link.expires_at,
            email,
            link.session,
            link.mailed
        ],
    )
    .map(drop)
}

/// Spends a link of one of these kinds. `None`: it is wrong, spent, replaced or too old. Succeeds once.
pub fn spend(tx: &mut Tx<'_>, kinds: &[LinkKind], token_hash: &[u8; 32]) -> Result<Option<Spent>, Fault> {
    let now = tx.now();
    let sql = "UPDATE links SET spent_at = ?3 \
        WHERE token_hash = ?1 AND replace(?2, ' ' || kind || ' ', '') <> ?2 AND spent_at IS NULL AND expires_at > ?3 \
        RETURNING user_id, email, session_id, mailed";
    tx.opt(sql, params![token_hash, names(kinds), now], |row| {
        Ok(Spent {
            user: row.get("user_id")?,
            email: row.get("email")?,
            session: row.get("session_id")?,
            mailed: row.get("mailed")?,
        })
    })
}

/// Finds whom a link of one of these kinds that is still good belongs to, without spending it.
pub fn find_owner(
    query: &impl Query,
    kinds: &[LinkKind],
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<UserId>, Fault> {
    let sql = "SELECT user_id FROM links \
        WHERE token_hash = ?1 AND replace(?2, ' ' || kind || ' ', '') <> ?2 AND spent_at IS NULL AND expires_at > ?3";
    query.opt(sql, params![token_hash, names(kinds), now], |row| row.get("user_id"))
}

/// The link of a wish to sign in by mail. It is good as long as that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoodLink {
    /// That of the wish.
    pub id: LinkId,
    pub token_hash: [u8; 32],
}

/// Finds the link of a wish that waits. `None`: there was none, or it is spent or replaced.
pub fn find_magic(query: &impl Query, id: LinkId) -> Result<Option<GoodLink>, Fault> {
    let sql = "SELECT id, token_hash FROM links WHERE id = ?1 AND kind = ?2 AND spent_at IS NULL";
    query.opt(sql, params![id, LinkKind::MagicLink.name()], read_good)
}

/// The same by its token, whether or not the wish waits still.
pub fn find_magic_by_token(query: &impl Query, token_hash: &[u8; 32]) -> Result<Option<GoodLink>, Fault> {
    let sql = "SELECT id, token_hash FROM links WHERE token_hash = ?1 AND kind = ?2 AND spent_at IS NULL";
    query.opt(sql, params![token_hash, LinkKind::MagicLink.name()], read_good)
}

fn read_good(row: &Row<'_>) -> Result<GoodLink, Fault> {
    Ok(GoodLink { id: row.get("id")?, token_hash: row.get("token_hash")? })
}

/// The kinds in one text, for a condition on `kind`: without the row's it is another text. `LIKE` would take
/// the underscore in a name for any letter.
fn names(kinds: &[LinkKind]) -> String {
    kinds.iter().fold(" ".into(), |all, kind| all + kind.name() + " ")
}

/// Finds the address that a link which is still good is about, without spending it: the new one for a change
/// of address, else the account's.
pub fn find_email(
    query: &impl Query,
    kinds: &[LinkKind],
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Email>, Fault> {
    let sql = "SELECT coalesce(links.email, users.email) AS email FROM links JOIN users ON users.id = links.user_id \
        WHERE links.token_hash = ?1 AND replace(?2, ' ' || links.kind || ' ', '') <> ?2 \
        AND links.spent_at IS NULL AND links.expires_at > ?3";
    query.opt(sql, params![token_hash, names(kinds), now], |row| row.get("email"))
}

/// Voids the links of one kind of a user.
pub fn delete_of_kind(tx: &mut Tx<'_>, user: UserId, kind: LinkKind) -> Result<(), Fault> {
    tx.execute("DELETE FROM links WHERE user_id = ?1 AND kind = ?2", params![user, kind.name()]).map(drop)
}

/// Voids every link of a user, but one that an operator has made to bring the owner back: whoever holds the
/// account meanwhile can't take it away.
pub fn delete_of_user(tx: &mut Tx<'_>, user: UserId) -> Result<(), Fault> {
    let sql = "DELETE FROM links WHERE user_id = ?1 AND kind <> ?2";
    tx.execute(sql, params![user, LinkKind::Recovery.name()]).map(drop)
}

/// Voids everybody's links; gives how many were good for something still.
pub fn delete_all(tx: &mut Tx<'_>) -> Result<u64, Fault> {
    let now = tx.now();
    let good = tx.one(
        "SELECT count(*) AS good FROM links WHERE spent_at IS NULL AND expires_at > ?1",
        params![now],
        |row| row.get("good"),
    )?;
    tx.execute("DELETE FROM links", &[])?;
    Ok(good)
}
