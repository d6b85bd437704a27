//! Roles, their permissions, and who has them.

use super::users::words;
use crate::domain::id::UserId;
use crate::domain::role::{Permission, Role, RoleName};
use crate::error::Fault;
use crate::store::tx::{Query, Row, RowResult, Tx, params};

const COLUMNS: &str = "r.name, r.description, \
    (SELECT group_concat(rp.permission) FROM role_permissions rp WHERE rp.role = r.name)";

/// # Errors
/// The driver's.
pub fn find(query: &impl Query, name: &RoleName) -> Result<Option<Role>, Fault> {
    query.opt(&format!("SELECT {COLUMNS} FROM roles r WHERE r.name = ?1"), [name.as_str()], read)
}

/// All roles, by name.
///
/// # Errors
/// The driver's.
pub fn list(query: &impl Query) -> Result<Vec<Role>, Fault> {
    query.all(&format!("SELECT {COLUMNS} FROM roles r ORDER BY r.name"), [], read)
}

/// The name must be free: see [`find`].
///
/// # Errors
/// The driver's.
pub fn insert(tx: &mut Tx<'_>, role: &Role) -> Result<(), Fault> {
    let now = tx.now();
    let sql = "INSERT INTO roles (name, description, created_at) VALUES (?1, ?2, ?3)";
    tx.execute(sql, params![role.name.as_str(), role.description, now])?;
    insert_permissions(tx, role)
}

fn insert_permissions(tx: &mut Tx<'_>, role: &Role) -> Result<(), Fault> {
    for permission in &role.permissions {
        let sql = "INSERT INTO role_permissions (role, permission) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        tx.execute(sql, params![role.name.as_str(), permission.as_str()])?;
    }
    Ok(())
}

/// Puts what a role is now in the place of what it was; its name, and who has it, stay.
///
/// # Errors
/// The driver's.
pub fn save(tx: &mut Tx<'_>, role: &Role) -> Result<(), Fault> {
    let name = role.name.as_str();
    tx.execute("UPDATE roles SET description = ?2 WHERE name = ?1", params![name, role.description])?;
    tx.execute("DELETE FROM role_permissions WHERE role = ?1", [name])?;
    insert_permissions(tx, role)
}

/// Takes a role out of the database, and from everybody who has it.
///
/// # Errors
/// The driver's.
pub fn delete(tx: &mut Tx<'_>, name: &RoleName) -> Result<(), Fault> {
    tx.execute("DELETE FROM roles WHERE name = ?1", [name.as_str()]).map(drop)
}

/// How many users have the role.
///
/// # Errors
/// The driver's.
pub fn count_users(query: &impl Query, name: &RoleName) -> Result<u64, Fault> {
    let count: i64 = query.one("SELECT count(*) FROM user_roles WHERE role = ?1", [name.as_str()], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Whether the user did not have the role before.
///
/// # Errors
/// The driver's.
pub fn assign(tx: &mut Tx<'_>, user: UserId, role: &RoleName) -> Result<bool, Fault> {
    let sql = "INSERT INTO user_roles (user_id, role) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, params![user, role.as_str()])? > 0)
}

/// Whether the user had the role before.
///
/// # Errors
/// The driver's.
pub fn unassign(tx: &mut Tx<'_>, user: UserId, role: &RoleName) -> Result<bool, Fault> {
    Ok(tx.execute("DELETE FROM user_roles WHERE user_id = ?1 AND role = ?2", params![user, role.as_str()])? > 0)
}

fn read(row: &Row<'_>) -> RowResult<Role> {
    let name: String = row.get(0)?;
    Ok(Role {
        name: RoleName::parse(&name)
            .map_err(|_| rusqlite::Error::InvalidColumnType(0, name, rusqlite::types::Type::Text))?,
        description: row.get(1)?,
        permissions: words(row.get(2)?, |word| Permission::parse(word).ok()),
    })
}
