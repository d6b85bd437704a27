//! `audit verify`, `export` and `prune`, and a follower that holds nobody up.

use super::{Shell, json};
use authd::cli::terminal::csv::plain;
use authd::cli::terminal::escape::is_dangerous;
use authd::domain::audit::{Event, LoginFailure, Subject};
use authd::error::Decision;
use authd::store::Store;
use rusqlite::Connection;
use serde_json::{Value, json as object};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

/// A log whose lines 1 to 4 are of the world's first moment, and 5 to 7 of now.
fn shell() -> Shell {
    let shell = Shell::new();
    let now = shell.world.now();
    shell.world.clock.set(shell.world.audit()[0].at);
    shell.world.add_user("ann@example.com", &["admin"]);
    shell.world.clock.set(now);
    for name in ["b", "c", "d"] {
        shell.world.add_user(&format!("{name}@example.com"), &[]);
    }
    shell
}

fn attack(shell: &Shell, sql: &str) {
    let database = shell.world.database();
    database.unguard();
    database.sql(sql);
    // Without what keeps the log from being changed, the database would not be opened.
    database.guard();
}

fn verified(shell: &Shell) -> Value {
    let said = shell.line("audit verify -o json");
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    json(&said.out)
}

#[test]
fn a_whole_log_shows_its_head() {
    let shell = shell();
    let head = format!("7:{}", hex(&shell.world.audit()[6].hash));
    let expected =
        object!({"ok": true, "lines": 7, "first": 1, "last": 7, "head": head, "seq": null, "problem": null});
    assert_eq!(verified(&shell), expected);
    assert_eq!(
        shell.line("audit verify").out,
        format!("ok     true\nlines  7\nfirst  1\nlast   7\nhead   {head}\n")
    );
    assert_eq!(shell.line("audit verify -q").out, format!("{head}\n"));
    assert_eq!(
        shell.line("audit verify -o tsv").out,
        format!("ok\tlines\tfirst\tlast\thead\tproblem\ntrue\t7\t1\t7\t{head}\t\n")
    );
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

#[test]
fn a_broken_log_names_the_first_line_and_exits_5() {
    let shell = shell();
    let good = hex(&shell.world.audit()[3].hash);
    attack(&shell, "UPDATE audit SET actor = 'operator:eve' WHERE seq >= 5");
    let said = shell.line("audit verify -o json");
    assert_eq!(said.code, 5, "{said:?}");
    let expected = object!({
        "ok": false, "lines": 4, "first": 1, "last": 4, "head": format!("4:{good}"), "seq": 5,
        "problem": "line 5 is not as authd wrote it",
    });
    assert_eq!(json(&said.out), expected);
    assert!(said.err.contains("\"line 5 is not as authd wrote it; keep a copy"), "{said:?}");
    let said = shell.line("audit verify");
    assert_eq!(said.code, 5);
    assert!(said.out.contains("\nproblem  line 5 is not as authd wrote it\n"), "{said:?}");
    let said = shell.line("audit prune --keep 0s --yes");
    assert_eq!((said.code, said.out.as_str()), (5, ""), "{said:?}");
    assert!(said.err.contains("0 lines were deleted before it"), "{said:?}");
}

#[test]
fn a_head_that_was_noted_must_still_be_there() {
    let shell = shell();
    let noted = shell.line("audit verify -q").out.trim().to_owned();
    shell.line("role add editor");
    assert_eq!(shell.run(&["audit", "verify", "--head", &noted]).code, 0);
    let other = noted.replace("7:", "6:");
    let said = shell.run(&["audit", "verify", "--head", &other]);
    assert_eq!(said.code, 5);
    assert!(said.err.contains("line 6 is not the one that was noted"), "{said:?}");
    let said = shell.run(&["audit", "verify", "--head", &noted.replace("7:", "99:")]);
    assert!(said.err.contains("the log ends before line 99"), "{said:?}");
    for nonsense in ["", "7", "7:", "7:abc", "0:", &format!("-{noted}"), &noted.to_uppercase()] {
        assert_eq!(shell.run(&["audit", "verify", &format!("--head={nonsense}")]).code, 2, "{nonsense}");
    }
}

#[test]
fn an_export_is_json_lines_or_csv() {
    let shell = shell();
    let said = shell.line("audit export");
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    let lines: Vec<Value> = said.out.lines().map(json).collect();
    let tail: Vec<Value> = shell.line("audit tail -o json").out.lines().map(json).collect();
    assert_eq!(lines.len(), 7);
    for ((line, mut shown), stored) in lines.iter().zip(tail).zip(shell.world.audit()) {
        shown["hash"] = hex(&stored.hash).into();
        assert_eq!(*line, shown);
    }
    let said = shell.line("audit export --format csv --since 2026-11-22T08:00:01Z");
    let mut rows = said.out.lines();
    assert_eq!(rows.next(), Some("seq,at,event,actor,user_id,session_id,ip,request_id,details,hash"));
    let row = shell.stable(rows.next().unwrap());
    assert!(
        row.starts_with(
            "5,0000-00-00T00:00:00Z,UserCreated,operator:olga,00000000-0000-0000-0000-000000000001,,,,{},"
        ),
        "{row}"
    );
    assert!(shell.stable(rows.nth(2).unwrap()).contains(",AuditExported,operator:"));
    assert_eq!(rows.count(), 0);
}

#[test]
fn an_export_can_be_bounded_in_time() {
    let shell = shell();
    let seqs = |line: &str| -> Vec<u64> {
        let said = shell.line(line);
        assert_eq!(said.code, 0, "{said:?}");
        said.out.lines().map(|line| json(line)["seq"].as_u64().unwrap()).collect()
    };
    assert_eq!(seqs("audit export --since 2026-11-22T08:00:01Z"), [5, 6, 7]);
    assert_eq!(seqs("audit export --until 2026-11-22T08:00:01Z"), [1, 2, 3, 4]);
    let all = seqs("audit export --since 2026-11-22T08:00:00Z --until 0s");
    assert_eq!(all, [1, 2, 3, 4, 5, 6, 7, 8, 9], "the last two tell of the exports before");
    assert_eq!(seqs("audit export --since 2026-11-22T08:00:01Z --until 2026-11-22T08:00:01Z"), [0; 0]);
    assert_eq!(shell.line("audit export --format csv --since 2099-01-01T00:00:00Z").out.lines().count(), 1);
    assert_eq!(shell.line("audit export --since yesterday").code, 2);
}

#[test]
fn what_users_typed_drives_neither_terminal_nor_spreadsheet() {
    let shell = Shell::new();
    let typed = "=cmd|' /C calc'!A0\u{1b}[2J\u{202e}\",\\n";
    let (owned, store) = (typed.to_owned(), store(&shell));
    let event = Event::LoginFailed { why: LoginFailure::UnknownEmail, email: Some(owned.clone()) };
    let mut caller = crate::world::operator();
    caller.request_id = Some(owned);
    store.write(&caller, move |tx| tx.audit(&event, Subject::default()).map(Decision::Grant)).unwrap();
    for line in ["audit export", "audit export --format csv"] {
        let out = shell.line(line).out;
        assert!(!out.contains(|c| c != '\n' && is_dangerous(c)), "{out:?}");
    }
    let out = shell.line("audit export --format csv").out;
    let row = out.lines().find(|line| line.contains("LoginFailed")).unwrap();
    assert!(row.contains(r#","'=cmd|"#), "{row}");
    // A reader of CSV gets everything back.
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    let record = reader.records().map(Result::unwrap).find(|record| &record[2] == "LoginFailed").unwrap();
    assert_eq!(plain(&record[7]), typed);
    assert_eq!(json(&plain(&record[8]))["email"], typed);
}

fn store(shell: &Shell) -> Store {
    crate::store::store(&shell.world)
}

#[test]
fn pruning_asks_says_and_proves() {
    let shell = shell();
    let said = shell.line("audit prune --keep 2026-11-22T08:00:01Z --dry-run -o json");
    assert_eq!(said.code, 0, "{said:?}");
    let would = json(&said.out);
    assert_eq!(
        (&would["pruned"], &would["lines"], &would["first"], &would["through"]),
        (&0.into(), &4.into(), &1.into(), &4.into())
    );
    assert!(said.err.starts_with("would delete 4 lines older than 2026-11-22T08:00:01Z, 1 to 4"), "{said:?}");
    let said = shell.line("audit prune --keep 2026-11-22T08:00:01Z");
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
    assert!(said.err.contains("add --yes"), "{said:?}");
    assert_eq!(verified(&shell)["lines"], 7, "nothing was changed yet");

    let said = shell.line("audit prune --keep 2026-11-22T08:00:01Z --yes");
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{said:?}");
    assert!(said.err.starts_with("deleted 4 lines older than 2026-11-22T08:00:01Z, 1 to 4"), "{said:?}");
    let after = verified(&shell);
    assert_eq!((&after["first"], &after["last"], &after["lines"]), (&5.into(), &8.into(), &4.into()));
    assert_eq!(shell.line("audit tail -q").out, "5\n6\n7\n8\n");
    let last = shell.world.audit().pop().unwrap();
    assert_eq!(last.event, "AuditPruned");

    let said = shell.line("audit prune --keep 2026-11-22T08:00:01Z -o json");
    assert_eq!(said.code, 0, "nothing is left to ask for: {said:?}");
    assert_eq!((&json(&said.out)["pruned"], &json(&said.out)["lines"]), (&0.into(), &0.into()));
    assert!(said.err.starts_with("nothing is older than 2026-11-22T08:00:01Z"), "{said:?}");
    assert_eq!(shell.line("audit prune --keep 2099-01-01T00:00:00Z --yes").code, 1);
    assert_eq!(shell.line("audit prune").code, 2);
}

/// A follower whose reader is stuck keeps no snapshot: the write-ahead log is folded back under it, and
/// nothing is lost of what it has to show.
#[test]
fn a_follower_on_a_file_holds_nobody_up() {
    const WRITES: u64 = 3_000;
    let shell = Shell::new();
    let mut command = shell.command(&["audit", "tail", "-f", "-n", "1", "-q"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "2\n");
    let store = store(&shell);
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..WRITES.div_ceil(16) {
                    let event =
                        Event::RoleCreated { role: format!("role {thread} {number} {}", "x".repeat(1000)) };
                    let work = move |tx: &mut authd::store::tx::Tx<'_>| tx.audit(&event, Subject::default());
                    store.write(&crate::world::operator(), move |tx| work(tx).map(Decision::Grant)).unwrap();
                }
            });
        }
    });
    let wal = shell.world.folder.join("authd.db-wal");
    let bytes = std::fs::metadata(&wal).unwrap().len();
    assert!(bytes <= 8 << 20, "the write-ahead log has {bytes} bytes");
    let connection = Connection::open(shell.world.file()).unwrap();
    connection.busy_timeout(Duration::from_secs(2)).unwrap();
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
    assert_eq!((busy, std::fs::metadata(&wal).unwrap().len()), (0, 0));
    for seq in 3..WRITES + 3 {
        line.clear();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, format!("{seq}\n"));
    }
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
