//! Applications behind the gate, and the roles that may use each.

use super::users::words;
use crate::domain::application::{Allow, AppName, AppOrigin, Application};
use crate::domain::role::RoleName;
use crate::error::Fault;
use crate::store::page::{Page, Paged};
use crate::store::tx::{Query, Row, Tx, params};

const COLUMNS: &str = "a.name, a.url, a.everyone, a.created_at, \
    (SELECT string_agg(ar.role, ',') FROM app_roles ar WHERE ar.app = a.name) AS roles";

/// Finds an application by its name.
pub fn find(query: &impl Query, name: &AppName) -> Result<Option<Application>, Fault> {
    query.opt(&format!("SELECT {COLUMNS} FROM apps a WHERE a.name = ?1"), params![name.as_str()], read)
}

/// Finds the application that has the first of these origins, else the second.
pub fn find_by_origin(query: &impl Query, origins: &[AppOrigin; 2]) -> Result<Option<Application>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM apps a WHERE a.url = ?1");
    for origin in origins {
        if let Some(found) = query.opt(&sql, params![origin.as_str()], read)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Whether an application stands at this host, whatever its port.
pub fn has_host(query: &impl Query, host: &str) -> Result<bool, Fault> {
    let sql = "SELECT EXISTS (SELECT 1 FROM apps WHERE host = ?1) AS there";
    query.one(sql, params![host], |row| row.get("there"))
}

/// Lists a page of the applications, by name.
pub fn list_page(query: &impl Query, page: &Page<String>) -> Result<Paged<Application, String>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM apps a WHERE a.name > ?1 ORDER BY a.name LIMIT ?2");
    // No name is empty.
    let after = page.after.as_deref().unwrap_or_default();
    let listed = query.all(&sql, params![after, page.limit_and_one()], read)?;
    Ok(Paged::cut(listed, page.limit, |last| last.name.to_string()))
}

/// Inserts an application, whose name and origin must be free: see [`find`] and [`find_by_origin`].
pub fn insert(tx: &mut Tx<'_>, app: &Application) -> Result<(), Fault> {
    let sql = "INSERT INTO apps (name, url, host, everyone, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    let everyone = app.allow == Allow::Everyone;
    tx.execute(
        sql,
        params![app.name.as_str(), app.origin.as_str(), app.origin.host(), everyone, app.created_at],
    )?;
    insert_roles(tx, app)
}

/// Puts what an application is now in the place of what it was; its name stays.
pub fn save(tx: &mut Tx<'_>, app: &Application) -> Result<(), Fault> {
    let (name, everyone) = (app.name.as_str(), app.allow == Allow::Everyone);
    let sql = "UPDATE apps SET url = ?2, host = ?3, everyone = ?4 WHERE name = ?1";
    tx.execute(sql, params![name, app.origin.as_str(), app.origin.host(), everyone])?;
    tx.execute("DELETE FROM app_roles WHERE app = ?1", params![name])?;
    insert_roles(tx, app)
}

fn insert_roles(tx: &mut Tx<'_>, app: &Application) -> Result<(), Fault> {
    let Allow::Roles(roles) = &app.allow else {
        return Ok(());
    };
    for role in roles {
        let sql = "INSERT INTO app_roles (app, role) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        tx.execute(sql, params![app.name.as_str(), role.as_str()])?;
    }
    Ok(())
}

/// Deletes an application with its rule.
pub fn delete(tx: &mut Tx<'_>, name: &AppName) -> Result<(), Fault> {
    tx.execute("DELETE FROM apps WHERE name = ?1", params![name.as_str()]).map(drop)
}

fn read(row: &Row<'_>) -> Result<Application, Fault> {
    let everyone: bool = row.get("everyone")?;
    let roles = words(row.get("roles")?, |word| RoleName::parse(word).ok());
    Ok(Application {
        name: row.get("name")?,
        origin: row.get("url")?,
        allow: if everyone { Allow::Everyone } else { Allow::Roles(roles) },
        created_at: row.get("created_at")?,
    })
}
