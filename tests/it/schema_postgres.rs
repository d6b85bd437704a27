//! The schema for PostgreSQL: made from schema.sql by rules, and with the same tables, columns and keys as a
//! file has. `UPDATE_GOLDEN=1 cargo test --test it schema_postgres` writes it anew.

use crate::database::{TestDatabase, worlds};
use crate::missing::missing;
use crate::world::World;
use std::fmt::Write as _;
use std::path::Path;

const SCHEMA: &str = include_str!("../../schema.sql");
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/postgres/");
const OPENING: &str = "-- Made from schema.sql by rules, and held to it by a test: change that one.\n\n";

/// What a type is called there. Text is compared byte by byte.
const TYPES: [(&str, &str); 3] = [("INTEGER", "BIGINT"), ("BLOB", "BYTEA"), ("TEXT", "TEXT COLLATE \"C\"")];

/// The schema without remarks, options and triggers, which are written by hand; references come last, since a
/// table may refer to one that is made later.
fn translated(schema: &str) -> String {
    let (mut tables, mut references) = (String::from(OPENING), String::new());
    let (mut table, mut in_trigger) = ("", false);
    for line in schema.lines() {
        let line = line.split("--").next().unwrap().trim_end();
        in_trigger |= line.starts_with("CREATE TRIGGER ");
        if in_trigger {
            in_trigger = line != "END;";
            continue;
        }
        if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
            table = rest.trim_end_matches(" (");
        }
        let mut line = line.replace(") STRICT, WITHOUT ROWID;", ");").replace(") STRICT;", ");");
        if let Some((column, reference)) = line.clone().split_once(" REFERENCES ") {
            let (reference, rest) = reference.strip_suffix(',').map_or((reference, ""), |text| (text, ","));
            let name = column.split_whitespace().next().unwrap();
            writeln!(references, "ALTER TABLE {table} ADD FOREIGN KEY ({name}) REFERENCES {reference};")
                .unwrap();
            line = format!("{column}{rest}");
        }
        for (of_file, of_server) in TYPES {
            line = line.replace(&format!(" {of_file}"), &format!(" {of_server}"));
        }
        if !line.is_empty() || !tables.ends_with("\n\n") {
            tables += &(line + "\n");
        }
    }
    tables + &references
}

/// Compares a file of the folder with what it should be, or writes it anew.
fn assert_fresh(name: &str, expected: &str) {
    let path = Path::new(FOLDER).join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    let differs = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert_eq!(differs, None, "a line of {name}, and what it should be");
    assert!(found == expected, "{name} is longer or shorter than it should be");
}

#[test]
fn it_follows_from_the_schema_of_a_file() {
    assert_fresh("schema.sql", &translated(SCHEMA));
}

/// Whether there is a server; says so where there is none.
pub fn is_there() -> bool {
    let there = worlds::are_on_a_server();
    if !there {
        missing("postgres");
    }
    there
}

/// What stands in the database is compared with this list whenever it is opened.
#[test]
fn the_list_of_what_it_has_is_the_servers() {
    if !is_there() {
        return;
    }
    let source = std::fs::read_to_string(Path::new(FOLDER).join("schema.rs")).unwrap();
    let (_, rest) = source.split_once("const LIST: &str = \"").unwrap();
    let (literal, _) = rest.split_once("\";\n").unwrap();
    let mut query = String::new();
    for line in literal.lines() {
        query += line.trim_start().trim_end_matches('\\');
    }
    let empty = worlds::OwnDatabase::new();
    let database = TestDatabase::in_place(&empty.database());
    let schema = ["schema.sql", "others.sql"];
    for name in schema {
        database.sql(&std::fs::read_to_string(Path::new(FOLDER).join(name)).unwrap());
    }
    let lines: Vec<String> = database.all(&query.replace("\\\"", "\""));
    assert_fresh("objects.txt", &(lines.join("\n") + "\n"));
}

/// Table, column, type, whether it is never NULL, default, and the place in the primary key.
const OF_A_FILE: &str = "SELECT t.name || ' ' || c.cid || ' ' || c.name || ' ' || \
    CASE c.type WHEN 'INTEGER' THEN 'bigint' WHEN 'BLOB' THEN 'bytea' ELSE 'text C' END || ' ' || \
    c.\"notnull\" || ' ' || coalesce(c.dflt_value, '') || ' ' || c.pk AS line \
    FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY line";

const OF_A_SERVER: &str = "SELECT line FROM (SELECT c.table_name || ' ' || (c.ordinal_position - 1) || ' ' || c.column_name || ' ' || \
    c.data_type || coalesce(' ' || c.collation_name, '') || ' ' || \
    CASE c.is_nullable WHEN 'NO' THEN 1 ELSE 0 END || ' ' || \
    coalesce(replace(c.column_default, '::text', ''), '') || ' ' || \
    coalesce((SELECT k.ordinal_position FROM information_schema.key_column_usage k \
        JOIN information_schema.table_constraints p ON p.constraint_name = k.constraint_name \
            AND p.table_schema = k.table_schema AND p.constraint_type = 'PRIMARY KEY' \
        WHERE k.table_schema = c.table_schema AND k.table_name = c.table_name \
            AND k.column_name = c.column_name), 0) AS line \
    FROM information_schema.columns c WHERE c.table_schema = 'public') AS lines ORDER BY line COLLATE \"C\"";

#[test]
fn both_have_the_same_columns_in_the_same_places() {
    if !is_there() {
        return;
    }
    let world = World::new();
    let file = TestDatabase::at(&world.folder.join("columns.db"));
    file.sql(SCHEMA);
    let mut on_server: Vec<String> = world.database().all(OF_A_SERVER);
    // What a file has no need of.
    on_server.retain(|line| !SERVER_ALONE.iter().any(|table| line.starts_with(&format!("{table} "))));
    let in_file: Vec<String> = file.all(OF_A_FILE);
    let differs = in_file.iter().zip(&on_server).find(|(file, server)| file != server);
    assert_eq!(differs, None);
    assert_eq!(in_file.len(), on_server.len());
    assert_eq!(file.rows(ROWS), world.database().rows(ROWS));
}

/// Tables that only a database on a server has.
const SERVER_ALONE: [&str; 4] = ["audit_inbox", "daemons", "duties", "rate_budgets"];

/// What the schema itself fills in.
const ROWS: &str = "SELECT role, permission FROM role_permissions ORDER BY role, permission";

#[test]
fn every_rule_is_kept() {
    let schema = "-- A remark.\nCREATE TABLE a (\n    id BLOB PRIMARY KEY NOT NULL,\n    b  TEXT NOT NULL REFERENCES b \
        (name) ON DELETE CASCADE, -- another\n    n  INTEGER\n) STRICT, WITHOUT ROWID;\n\nCREATE TRIGGER t BEFORE UPDATE \
        ON a\nBEGIN\n    SELECT 1;\nEND;\n";
    let expected = "CREATE TABLE a (\n    id BYTEA PRIMARY KEY NOT NULL,\n    b  TEXT COLLATE \"C\" NOT NULL,\n    n  \
        BIGINT\n);\n\nALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (name) ON DELETE CASCADE;\n";
    assert_eq!(translated(schema).strip_prefix(OPENING), Some(expected));
}
