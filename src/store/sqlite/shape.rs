//! The tables as `/schema.sql` makes them: their columns, kinds and keys, for whoever copies all of them.

use super::fault::fault;
use crate::error::Fault;
use crate::store::value::Kind;
use rusqlite::Connection;

/// One table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::store) struct TableShape {
    pub name: String,
    /// In their order.
    pub columns: Vec<(String, Kind)>,
    /// The columns of the primary key, in its order.
    pub key: Vec<String>,
}

/// Lists all tables, those that others refer to before these.
pub(in crate::store) fn tables() -> Result<Vec<TableShape>, Fault> {
    let read = || {
        let fresh = Connection::open_in_memory()?;
        fresh.execute_batch(super::schema::SCHEMA)?;
        let mut missing = names(&fresh)?;
        let mut ordered: Vec<TableShape> = Vec::new();
        while !missing.is_empty() {
            let before = ordered.len();
            for name in std::mem::take(&mut missing) {
                let is_there = |parent: &String| ordered.iter().any(|known| known.name == *parent);
                if parents(&fresh, &name)?.iter().all(is_there) {
                    ordered.push(shape(&fresh, &name)?);
                } else {
                    missing.push(name);
                }
            }
            assert!(ordered.len() > before, "tables refer to one another in a circle");
        }
        Ok(ordered)
    };
    read().map_err(fault)
}

fn names(fresh: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid";
    fresh.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

fn parents(fresh: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT \"table\" FROM pragma_foreign_key_list(?1) WHERE \"table\" <> ?1";
    fresh.prepare(sql)?.query_map([table], |row| row.get(0))?.collect()
}

fn shape(fresh: &Connection, table: &str) -> rusqlite::Result<TableShape> {
    let mut statement = fresh.prepare("SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid")?;
    let found = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let found: Vec<(String, String, i64)> = found.collect::<Result<_, _>>()?;
    let mut key: Vec<(i64, String)> =
        found.iter().filter(|(.., at)| *at > 0).map(|(name, _, at)| (*at, name.clone())).collect();
    key.sort_unstable();
    let kind = |declared: &str| match declared {
        "INTEGER" => Kind::Integer,
        "BLOB" => Kind::Blob,
        _ => Kind::Text,
    };
    Ok(TableShape {
        name: table.to_owned(),
        columns: found.iter().map(|(name, declared, _)| (name.clone(), kind(declared))).collect(),
        key: key.into_iter().map(|(_, name)| name).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_a_key_and_comes_after_those_it_refers_to() {
        let tables = tables().unwrap();
        let at = |name: &str| tables.iter().position(|table| table.name == name).unwrap();
        assert!(
            at("users") < at("sessions") && at("roles") < at("user_roles") && at("apps") < at("app_roles")
        );
        assert!(tables.iter().all(|table| !table.key.is_empty()));
        assert_eq!(tables[at("user_roles")].key, ["user_id", "role"]);
    }
}
