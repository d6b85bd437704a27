//! Any tampering with any line of the audit log, by random input: `audit verify` tells it.

use crate::audit_chain::{attack, check, set_head, world};
use crate::database::{TestDatabase, Value};
use proptest::prelude::*;

const COLUMNS: [&str; 9] =
    ["at", "event", "actor", "user_id", "session_id", "ip", "request_id", "details", "hash"];

#[derive(Clone, Debug)]
enum Tampering {
    Flip {
        column: usize,
        byte: usize,
        bit: u32,
    },
    Delete,
    /// Moves the line somewhere else and the others up.
    Renumber {
        by: i64,
    },
    /// Writes it a second time behind itself and moves the others up.
    Repeat,
    /// With a head that says so, as far as that goes without the key.
    CutFromHere,
}

fn tampering() -> impl Strategy<Value = Tampering> {
    prop_oneof![
        4 => (0..COLUMNS.len(), any::<usize>(), 0..8u32)
            .prop_map(|(column, byte, bit)| Tampering::Flip { column, byte, bit }),
        1 => Just(Tampering::Delete),
        1 => (1..50i64).prop_map(|by| Tampering::Renumber { by }),
        1 => Just(Tampering::Repeat),
        1 => Just(Tampering::CutFromHere),
    ]
}

/// Does it to one line, and gives the number that must be told; `None` for the head.
fn tamper(database: &TestDatabase, seq: i64, how: &Tampering) -> Option<i64> {
    match *how {
        Tampering::Flip { column, byte, bit } => {
            flip(database, seq, COLUMNS[column], byte, bit);
            Some(seq)
        }
        Tampering::Delete => {
            database.change("DELETE FROM audit WHERE seq = ?1", &[seq.into()]);
            Some(seq)
        }
        Tampering::Renumber { by } => {
            move_up(database, seq, by);
            Some(seq)
        }
        Tampering::Repeat => {
            move_up(database, seq + 1, 1);
            let sql = "INSERT INTO audit SELECT seq + 1, at, event, actor, user_id, session_id, ip, request_id, \
                details, hash FROM audit WHERE seq = ?1";
            database.change(sql, &[seq.into()]);
            Some(seq + 1)
        }
        Tampering::CutFromHere => {
            database.change("DELETE FROM audit WHERE seq >= ?1", &[seq.into()]);
            let hashes = database.all::<Vec<u8>>("SELECT hash FROM audit ORDER BY seq DESC LIMIT 1");
            let last = (seq - 1, hashes.into_iter().next().unwrap_or_default());
            set_head(database, &[&last.0.to_be_bytes()[..], &last.1, &[7; 32]].concat());
            None
        }
    }
}

fn flip(database: &TestDatabase, seq: i64, column: &str, byte: usize, bit: u32) {
    let flipped = |mut bytes: Vec<u8>| {
        let at = byte % bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << bit;
        }
        bytes
    };
    let value = match database.one(&format!("SELECT {column} FROM audit WHERE seq = {seq}")) {
        Value::Null => "".into(),
        Value::Integer(at) => (at ^ (1 << bit)).into(),
        Value::Blob(bytes) => flipped(bytes).into(),
        Value::Text(text) => Value::Spoilt(flipped(text.into_bytes())),
        other @ Value::Spoilt(_) => panic!("{other:?}"),
    };
    let sql = format!("UPDATE audit SET {column} = ?1 WHERE seq = ?2");
    assert_eq!(database.change(&sql, &[value, seq.into()]), 1);
}

/// Gives every line from one on a higher number.
fn move_up(database: &TestDatabase, from: i64, by: i64) {
    // Over the negative numbers, so that none meets another on its way.
    database.change("UPDATE audit SET seq = -seq WHERE seq >= ?1", &[from.into()]);
    database.change("UPDATE audit SET seq = ?1 - seq WHERE seq < 0", &[by.into()]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_tampering_with_any_line_is_told(
        names in prop::collection::vec("[a-z]{1,12}", 0..12),
        at in any::<prop::sample::Index>(),
        how in tampering(),
    ) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let world = world(&names);
        let seq = i64::try_from(at.index(world.audit().len())).unwrap() + 1;
        let told = tamper(&attack(&world), seq, &how);
        let verdict = check(&world);
        let flaw = verdict.flaw.expect("it is told");
        prop_assert_eq!(flaw.seq(), told, "{:?}", flaw);
    }
}
