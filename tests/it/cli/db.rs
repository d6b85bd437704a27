//! Pruning through the front door.

use super::{Shell, json};

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
