//! Pruning and backups through the front door.

use super::{Shell, json};
use crate::database::TestDatabase;

#[test]
fn pruning_says_what_went_from_where() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    shell.world.login("ann@example.com").unwrap();
    shell.world.database().sql("UPDATE sessions SET ended_at = 1, created_at = 0");
    let said = shell.line("db prune -o json");
    assert_eq!(said.code, 0, "{said:?}");
    let rows = json(&said.out);
    let sessions = rows.as_array().unwrap().iter().find(|row| row["table"] == "sessions").unwrap();
    assert_eq!(sessions["rows"], 1);
    assert!(shell.line("audit tail").out.contains("DatabasePruned"));
    let again = shell.line("db prune -o tsv");
    assert!(again.out.lines().skip(1).all(|line| line.ends_with("\t0")), "{again:?}");
    assert!(again.out.starts_with("table\trows\n"), "{again:?}");
    let pruned = shell.world.events().iter().filter(|event| *event == "DatabasePruned").count();
    assert_eq!(pruned, 1, "nothing to delete is nothing to tell");
}

/// On a server lines wait in the inbox until somebody seals them, and nobody has here.
#[test]
fn a_backup_has_the_lines_of_all_that_was_changed() {
    let shell = Shell::new();
    for email in ["ann@example.com", "bob@example.com"] {
        shell.world.add_user(email, &["admin"]);
    }
    let said = shell.line("db backup b.db -o json");
    assert_eq!(said.code, 0, "{said:?}");
    let backup = TestDatabase::at(&shell.world.folder.join("b.db"));
    let events: Vec<String> = backup.all("SELECT event FROM audit ORDER BY seq");
    let of_backup = json(&said.out)["audit_head"]["seq"].as_u64().unwrap();
    assert_eq!(events.len() as u64, of_backup, "{events:?}");
    assert_eq!(events.iter().filter(|event| *event == "UserCreated").count(), 2, "{events:?}");
    // The same stand in the log itself, in this order, and before the line of the backup.
    assert!(shell.world.events().starts_with(&events));
    let verified = shell.line("audit verify --database b.db --key-file authd.key");
    assert_eq!(verified.code, 0, "{verified:?}");
}
