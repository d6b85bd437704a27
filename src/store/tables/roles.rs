//! Roles, their permissions, and who has them.

use super::users::words;
use crate::domain::id::UserId;
use crate::domain::role::{Permission, Role, RoleName};
use crate::error::Fault;
use crate::store::page::{Page, Paged};
use crate::store::tx::{Query, Row, Tx, params};

const COLUMNS: &str = "r.name, r.description, \
    (SELECT string_agg(rp.permission, ',') FROM role_permissions rp WHERE rp.role = r.name) AS permissions";

/// Finds a role by its name.
pub fn find(query: &impl Query, name: &RoleName) -> Result<Option<Role>, Fault> {
    query.opt(&format!("SELECT {COLUMNS} FROM roles r WHERE r.name = ?1"), params![name.as_str()], read)
}

/// Lists all roles, by name.
pub fn list(query: &impl Query) -> Result<Vec<Role>, Fault> {
    query.all(&format!("SELECT {COLUMNS} FROM roles r ORDER BY r.name"), &[], read)
}

/// Lists as [`list`] does, a page.
pub fn list_page(query: &impl Query, page: &Page<String>) -> Result<Paged<Role, String>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM roles r WHERE r.name > ?1 ORDER BY r.name LIMIT ?2");
    // No name is empty.
    let after = page.after.as_deref().unwrap_or_default();
    let listed = query.all(&sql, params![after, page.limit_and_one()], read)?;
    Ok(Paged::cut(listed, page.limit, |last| last.name.to_string()))
}

/// Inserts a role, whose name must be free: see [`find`].
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
pub fn save(tx: &mut Tx<'_>, role: &Role) -> Result<(), Fault> {
    let name = role.name.as_str();
    tx.execute("UPDATE roles SET description = ?2 WHERE name = ?1", params![name, role.description])?;
    tx.execute("DELETE FROM role_permissions WHERE role = ?1", params![name])?;
    insert_permissions(tx, role)
}

/// Takes a role out of the database, and from everybody who has it.
pub fn delete(tx: &mut Tx<'_>, name: &RoleName) -> Result<(), Fault> {
    tx.execute("DELETE FROM roles WHERE name = ?1", params![name.as_str()]).map(drop)
}

/// Counts the users who have the role.
pub fn count_users(query: &impl Query, name: &RoleName) -> Result<u64, Fault> {
    let sql = "SELECT count(*) AS users FROM user_roles WHERE role = ?1";
    query.one(sql, params![name.as_str()], |row| row.get("users"))
}

/// Gives the user a role, which stays whatever their provider says. `false`: they had it already.
pub fn assign(tx: &mut Tx<'_>, user: UserId, role: &RoleName) -> Result<bool, Fault> {
    let sql = "INSERT INTO user_roles (user_id, role) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    let given = tx.execute(sql, params![user, role.as_str()])? > 0;
    if !given {
        let sql = "UPDATE user_roles SET granted_by = NULL WHERE user_id = ?1 AND role = ?2 AND granted_by IS NOT NULL";
        tx.execute(sql, params![user, role.as_str()])?;
    }
    Ok(given)
}

/// Takes a role from the user. `false`: they did not have it.
pub fn unassign(tx: &mut Tx<'_>, user: UserId, role: &RoleName) -> Result<bool, Fault> {
    Ok(tx.execute("DELETE FROM user_roles WHERE user_id = ?1 AND role = ?2", params![user, role.as_str()])?
        > 0)
}

fn read(row: &Row<'_>) -> Result<Role, Fault> {
    Ok(Role {
        name: row.get("name")?,
        description: row.get("description")?,
        permissions: words(row.get("permissions")?, |word| Permission::parse(word).ok()),
    })
}
