//! What an attacker can do to the audit log who can write the database but has no key file, and that
//! `audit verify` tells; and what pruning leaves provable.

use crate::database::{TestDatabase, Value};
use crate::world::{World, operator};
use authd::domain::audit::{ChainError, Mark};
use authd::error::{Error, Fault, Refusal};
use authd::ports::progress::Progress;
use authd::usecase::audit::prune;
use authd::usecase::audit::prune::{Plan, Pruned, STEP};
use authd::usecase::audit::verify::{Verification, verify};
use std::time::Duration;

/// A log of two lines at the database's birth, and one for each name.
pub fn world(names: &[&str]) -> World {
    let world = World::new();
    for name in names {
        let _ = world.login_with(&format!("{name}@example.com"), "wrong wrong wrong wrong");
    }
    world
}

/// The database, open to somebody who has taken away what keeps the log from being changed.
pub fn attack(world: &World) -> TestDatabase {
    seal(world);
    let database = world.database();
    database.unguard();
    database
}

/// Has the lines in the log that wait for it: whoever reads it does that. In a file none wait.
fn seal(world: &World) {
    world.audit();
}

/// Does what statements say, one after the other; the bytes are those of a `?1`.
fn run(database: &TestDatabase, sql: &str, bytes: &[u8]) {
    for statement in sql.split("; ") {
        let values = if statement.contains("?1") { vec![bytes.into()] } else { Vec::new() };
        database.change(statement, &values);
    }
}

pub fn check(world: &World) -> Verification {
    verify(&world.app.config, &operator(), None, &Progress::default()).unwrap()
}

fn flaw(world: &World) -> Option<ChainError> {
    check(world).flaw
}

/// What is found in a log of eight lines once `sql` was done to it.
fn found_after(sql: &str, bytes: &[u8]) -> Option<ChainError> {
    let world = of_eight_lines();
    run(&attack(&world), sql, bytes);
    flaw(&world)
}

fn of_eight_lines() -> World {
    world(&["a", "b", "c", "d", "e", "f"])
}

#[test]
fn a_log_that_nobody_touched_is_whole() {
    let world = world(&["a", "b"]);
    let verdict = check(&world);
    assert_eq!((verdict.first, verdict.last.seq, verdict.lines(), verdict.flaw), (1, 4, 4, None));
    assert_eq!(verdict.last.hash, world.audit()[3].hash);
}

#[test]
fn every_kind_of_tampering_is_told_with_its_line() {
    for (sql, expected) in [
        ("UPDATE audit SET at = at + 1 WHERE seq = 3", ChainError::Changed { seq: 3 }),
        ("UPDATE audit SET event = 'LoginSucceeded' WHERE seq = 4", ChainError::Changed { seq: 4 }),
        ("UPDATE audit SET user_id = '' WHERE seq = 4", ChainError::Changed { seq: 4 }),
        ("UPDATE audit SET ip = NULL WHERE seq = 8", ChainError::Changed { seq: 8 }),
        ("DELETE FROM audit WHERE seq = 1", ChainError::Missing { seq: 1 }),
        ("DELETE FROM audit WHERE seq = 5", ChainError::Missing { seq: 5 }),
        ("DELETE FROM audit WHERE seq = 8", ChainError::Cut { seq: 8 }),
        ("DELETE FROM audit WHERE seq > 5", ChainError::Cut { seq: 6 }),
        ("DELETE FROM audit", ChainError::Cut { seq: 1 }),
        // The gap is closed.
        (
            "DELETE FROM audit WHERE seq = 5; UPDATE audit SET seq = seq - 1 WHERE seq > 5",
            ChainError::Changed { seq: 5 },
        ),
        // Two lines trade places.
        (
            "UPDATE audit SET seq = 100 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5; \
             UPDATE audit SET seq = 5 WHERE seq = 100",
            ChainError::Changed { seq: 4 },
        ),
        ("UPDATE audit SET seq = 9 WHERE seq = 4", ChainError::Missing { seq: 4 }),
        (
            "INSERT INTO audit SELECT 0, at, event, actor, NULL, NULL, NULL, NULL, '{}', hash FROM audit WHERE seq = 1",
            ChainError::Strange { seq: 0 },
        ),
        (
            "INSERT INTO audit SELECT 9, at, event, actor, NULL, NULL, NULL, NULL, '{}', hash FROM audit WHERE seq = 8",
            ChainError::Strange { seq: 9 },
        ),
        ("DELETE FROM meta WHERE key = 'audit_head'", ChainError::Head),
        ("DELETE FROM meta WHERE key = 'audit_head'; DELETE FROM audit", ChainError::Head),
        // A beginning that was never pruned.
        (
            "INSERT INTO meta SELECT 'audit_anchor', value FROM meta WHERE key = 'audit_head'; DELETE FROM audit",
            ChainError::Anchor,
        ),
    ] {
        assert_eq!(found_after(sql, b""), Some(expected), "{sql}");
    }
    for (sql, bytes, expected) in [
        ("UPDATE audit SET hash = ?1 WHERE seq = 1", &[0; 32][..], ChainError::Changed { seq: 1 }),
        ("UPDATE audit SET hash = ?1 WHERE seq = 5", b"", ChainError::Changed { seq: 5 }),
        ("UPDATE meta SET value = ?1 WHERE key = 'audit_head'", b"", ChainError::Head),
        (
            "INSERT INTO meta VALUES ('audit_anchor', ?1); DELETE FROM audit WHERE seq < 4",
            &3_i64.to_be_bytes(),
            ChainError::Anchor,
        ),
    ] {
        assert_eq!(found_after(sql, bytes), Some(expected), "{sql}");
    }
}

/// As far as that goes without the key: sealed as another head was, or as heads stood once, not at all.
#[test]
fn a_head_that_was_made_to_agree_with_what_is_left_is_told() {
    for length in [72, 40] {
        let world = of_eight_lines();
        let database = attack(&world);
        let hash: Vec<u8> = database.one("SELECT hash FROM audit WHERE seq = 5");
        let head = [&5_i64.to_be_bytes()[..], &hash, &head_value(&world)[40..]].concat();
        set_head(&database, &head[..length]);
        database.sql("DELETE FROM audit WHERE seq > 5");
        assert_eq!(flaw(&world), Some(ChainError::Head));
    }
}

#[test]
fn what_is_no_text_any_more_on_a_file_is_told() {
    let world = of_eight_lines();
    let spoilt = Value::Spoilt(vec![0xff]);
    attack(&world).change("UPDATE audit SET details = ?1 WHERE seq = 6", &[spoilt]);
    assert_eq!(flaw(&world), Some(ChainError::Changed { seq: 6 }));
}

const FORGED_HEADS: [&str; 2] = [
    "DELETE FROM meta WHERE key = 'audit_head'",
    "UPDATE meta SET value = substr(value, 1, 40) WHERE key = 'audit_head'",
];

/// On a server it waits, and is not sealed.
#[test]
fn no_line_is_written_behind_a_head_that_was_forged_on_a_file() {
    for sql in FORGED_HEADS {
        let world = world(&["a"]);
        attack(&world).sql(sql);
        match world.register("new@example.com") {
            Err(Error::Failed(Fault::Storage(text))) => {
                assert!(text.contains("audit verify"), "{text}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(flaw(&world), Some(ChainError::Head));
    }
}

#[test]
fn a_head_that_was_forged_is_told_and_no_start_makes_another() {
    for sql in FORGED_HEADS {
        let world = world(&["a"]);
        attack(&world).sql(sql);
        let _ = world.register("new@example.com");
        assert_eq!(flaw(&world), Some(ChainError::Head));
        // As if the log had none yet.
        let forgotten = "DELETE FROM audit; DELETE FROM meta WHERE key IN ('audit_head', 'root_key_check')";
        world.database().sql(forgotten);
        assert!(world.try_open().is_err());
    }
}

#[test]
fn an_older_head_with_the_log_cut_to_match_is_told_by_what_was_noted() {
    let world = world(&["a", "b"]);
    seal(&world);
    // The head, and which lines were sealed into it, where they wait for that.
    let ends = "SELECT value, key FROM meta WHERE key IN ('audit_head', 'audit_sealed_ids')";
    let older = world.database().rows(ends);
    let _ = world.login_with("c@example.com", "wrong wrong wrong wrong");
    let noted = check(&world).last;
    let database = attack(&world);
    database.sql("DELETE FROM audit WHERE seq > 4");
    for end in &older {
        assert_eq!(database.change("UPDATE meta SET value = ?1 WHERE key = ?2", end), 1);
    }
    database.guard();
    assert_eq!(flaw(&world), None, "the database alone can't tell: it is as it was");
    let against = |noted: &Mark| {
        verify(&world.app.config, &operator(), Some(noted), &Progress::default()).unwrap().flaw
    };
    assert_eq!(against(&noted), Some(ChainError::OlderThanNoted { seq: 5 }));
    // The log grows again, another way.
    let _ = world.login_with("d@example.com", "wrong wrong wrong wrong");
    assert_eq!(against(&noted), Some(ChainError::NotAsNoted { seq: 5 }));
    assert_eq!(against(&check(&world).last), None);
}

fn head_value(world: &World) -> Vec<u8> {
    seal(world);
    world.database().one("SELECT value FROM meta WHERE key = 'audit_head'")
}

pub fn set_head(database: &TestDatabase, head: &[u8]) {
    assert_eq!(database.change("UPDATE meta SET value = ?1 WHERE key = 'audit_head'", &[head.into()]), 1);
}

/// A log whose first `old` lines are a day older than the rest.
fn aged(old: usize, young: usize) -> (World, Plan) {
    let world = World::new();
    add_lines(&world, old - world.audit().len());
    world.advance(Duration::from_secs(86_400));
    add_lines(&world, young);
    let plan = prune::plan(&world.app, &operator(), world.now().minus(Duration::from_secs(3600))).unwrap();
    (world, plan)
}

/// Lines of any content, faster than by what they tell of.
fn add_lines(world: &World, count: usize) {
    use authd::domain::audit::{Event, Subject};
    use authd::error::Decision;
    let store = crate::store::store(world);
    let written = store.write(&operator(), move |tx| {
        for number in 0..count {
            tx.audit(&Event::RoleCreated { role: format!("role-{number}") }, Subject::default())?;
        }
        Ok(Decision::Grant(()))
    });
    written.unwrap();
}

fn prune(world: &World, plan: &Plan) -> i64 {
    let mut sum = 0;
    loop {
        match prune::step(&world.app, &operator(), plan, STEP).unwrap().unwrap() {
            0 => return sum,
            lines => sum += lines,
        }
    }
}

#[test]
fn what_is_left_after_pruning_is_proven() {
    let (world, plan) = aged(20, 5);
    assert_eq!((plan.first, plan.through, plan.lines()), (1, 20, 20));
    assert_eq!(prune(&world, &plan), 20);
    let verdict = check(&world);
    assert_eq!((verdict.first, verdict.last.seq, verdict.flaw), (21, 26, None));
    let last = world.audit().pop().unwrap();
    assert_eq!((last.event.as_str(), last.actor.as_str()), ("AuditPruned", "operator:olga"));
    assert_eq!(last.details, [("lines".into(), "20".into()), ("through".into(), "20".into())]);
    // Nothing is left to do, and nothing is written for it.
    let again = prune::plan(&world.app, &operator(), plan.before).unwrap();
    assert_eq!((again.lines(), prune(&world, &again)), (0, 0));
    assert_eq!(check(&world).last.seq, 26);
}

#[test]
fn pruning_that_was_stopped_half_way_goes_on() {
    let (world, plan) = aged(usize::try_from(STEP).unwrap() + 500, 3);
    assert_eq!(prune::step(&world.app, &operator(), &plan, STEP).unwrap(), Ok(STEP));
    let verdict = check(&world);
    assert_eq!((verdict.first, verdict.flaw), (STEP + 1, None));
    assert!(!world.events().contains(&"AuditPruned".into()), "it is not done yet");
    let rest = prune::plan(&world.app, &operator(), plan.before).unwrap();
    assert_eq!((rest.first, rest.lines()), (STEP + 1, 500));
    assert_eq!(prune(&world, &rest), 500);
    assert_eq!((check(&world).first, flaw(&world)), (STEP + 501, None));
    assert_eq!(told(&world), [(STEP + 500, STEP + 500)], "one line tells of both");
}

/// Lines and the last of them, as each line in the log tells of a pruning.
fn told(world: &World) -> Vec<(i64, i64)> {
    let lines = world.audit().into_iter().filter(|line| line.event == "AuditPruned");
    lines.map(|line| (line.details[0].1.parse().unwrap(), line.details[1].1.parse().unwrap())).collect()
}

#[test]
fn one_line_tells_of_a_pruning_however_many_steps_it_took() {
    let (world, plan) = aged(usize::try_from(STEP).unwrap() * 4, 3);
    let progress = Progress::default();
    let pruned = prune::prune(&world.app, &operator(), &plan, &progress).unwrap();
    assert_eq!(pruned, Pruned { lines: plan.lines(), flaw: None });
    assert_eq!(told(&world), [(4 * STEP, 4 * STEP)]);
    let (part, done) = progress.seen().unwrap();
    assert_eq!((part.total, done), (Some(4 * STEP.unsigned_abs()), 4 * STEP.unsigned_abs()));
    assert_eq!(flaw(&world), None);
}

#[test]
fn pruning_that_died_is_told_of_by_the_next_call_and_nobody_can_change_how_much_it_was() {
    let (world, plan) = aged(usize::try_from(STEP).unwrap() + 500, 3);
    prune::step(&world.app, &operator(), &plan, STEP).unwrap().unwrap();
    // Nothing is old enough for the next call.
    prune::tell_rest(&world.app, &operator()).unwrap();
    prune::tell_rest(&world.app, &operator()).unwrap();
    assert_eq!(told(&world), [(STEP, STEP)]);
    prune::step(&world.app, &operator(), &plan, 100).unwrap().unwrap();
    run(&attack(&world), "UPDATE meta SET value = ?1 WHERE key = 'audit_untold'", &[0; 72]);
    let refused = prune::step(&world.app, &operator(), &plan, STEP).unwrap();
    assert_eq!(refused, Err(ChainError::Anchor));
    prune::tell_rest(&world.app, &operator()).unwrap();
    assert_eq!(told(&world), [(STEP, STEP)], "nothing false is told");
}

#[test]
fn a_pruning_that_is_stopped_says_what_went_and_leaves_its_line() {
    let (world, plan) = aged(usize::try_from(STEP).unwrap() + 500, 3);
    let progress = Progress::default();
    prune::step(&world.app, &operator(), &plan, STEP).unwrap().unwrap();
    progress.stop().store(true, std::sync::atomic::Ordering::Relaxed);
    let stopped = prune::prune(&world.app, &operator(), &plan, &progress).unwrap_err();
    assert_eq!(stopped, Error::Failed(Fault::Stopped("nothing was changed; run it again".into())));
    assert_eq!(told(&world), [(STEP, STEP)]);
    assert_eq!(flaw(&world), None);
}

#[test]
fn the_newest_line_always_stays() {
    let world = world(&["a", "b", "c"]);
    world.advance(Duration::from_secs(1));
    let plan = prune::plan(&world.app, &operator(), world.now()).unwrap();
    assert_eq!((plan.first, plan.through), (1, 4));
    assert_eq!(prune(&world, &plan), 4);
    assert_eq!(world.events(), ["LoginFailed", "AuditPruned"]);
    assert_eq!(flaw(&world), None);
}

#[test]
fn only_a_beginning_is_pruned_where_the_clock_was_set_back() {
    let world = world(&["a"]);
    world.advance(Duration::from_secs(86_400));
    add_lines(&world, 1);
    seal(&world);
    world.clock.set(world.now().minus(Duration::from_secs(86_400)));
    add_lines(&world, 2);
    world.advance(Duration::from_secs(7200));
    let plan = prune::plan(&world.app, &operator(), world.now().minus(Duration::from_secs(3600))).unwrap();
    assert_eq!((plan.first, plan.through), (1, 3));
    let future = prune::plan(&world.app, &operator(), world.now().plus(Duration::from_secs(1)));
    assert!(matches!(future, Err(Error::Refused(Refusal::Invalid(_)))), "{future:?}");
}

#[test]
fn tampering_after_pruning_is_told() {
    for (sql, expected) in [
        ("DELETE FROM meta WHERE key = 'audit_anchor'", ChainError::Missing { seq: 1 }),
        ("UPDATE meta SET value = ?1 WHERE key = 'audit_anchor'", ChainError::Anchor),
        ("DELETE FROM audit WHERE seq <= 21", ChainError::Missing { seq: 21 }),
        ("UPDATE audit SET actor = 'operator:eve' WHERE seq = 21", ChainError::Changed { seq: 21 }),
        // Hides that lines were pruned.
        ("DELETE FROM audit WHERE event = 'AuditPruned'", ChainError::Cut { seq: 26 }),
        (
            "INSERT INTO audit SELECT 20, at, event, actor, NULL, NULL, NULL, NULL, '{}', hash FROM audit WHERE seq = 21",
            ChainError::Strange { seq: 20 },
        ),
        ("DELETE FROM audit", ChainError::Cut { seq: 21 }),
    ] {
        let (world, plan) = aged(20, 5);
        prune(&world, &plan);
        run(&attack(&world), sql, &[0; 72]);
        assert_eq!(flaw(&world), Some(expected), "{sql}");
    }
}

#[test]
fn the_pruned_beginning_can_not_be_used_as_an_end() {
    let (world, plan) = aged(20, 5);
    let older = head_value(&world);
    prune(&world, &plan);
    let database = attack(&world);
    // The head of a moment when the last pruned line was the newest would fit a log without lines.
    set_head(&database, &older);
    database.sql("DELETE FROM audit WHERE seq > 25");
    database.guard();
    assert_eq!(flaw(&world), None, "an older head, again");
    let database = attack(&world);
    let anchor = "UPDATE meta SET value = (SELECT value FROM meta WHERE key = 'audit_anchor') WHERE key = 'audit_head'";
    database.sql(&format!("{anchor}; DELETE FROM audit"));
    assert_eq!(flaw(&world), Some(ChainError::Head));
}

#[test]
fn pruning_does_not_take_the_traces_away() {
    let (world, plan) = aged(20, 5);
    attack(&world).sql("UPDATE audit SET actor = 'operator:eve' WHERE seq = 7");
    assert_eq!(
        prune::step(&world.app, &operator(), &plan, STEP).unwrap(),
        Err(ChainError::Changed { seq: 7 })
    );
    assert_eq!(world.audit().len(), 25);
    assert_eq!(flaw(&world), Some(ChainError::Changed { seq: 7 }));
}

#[test]
fn a_noted_line_is_found_after_pruning_until_it_is_gone_itself() {
    let (world, plan) = aged(20, 5);
    let mark = |seq: usize| {
        let line = &world.audit()[seq - 1];
        Mark { seq: line.seq, hash: line.hash.clone() }
    };
    let (gone, anchor, kept) = (mark(19), mark(20), mark(21));
    prune(&world, &plan);
    let against = |noted: &Mark| {
        verify(&world.app.config, &operator(), Some(noted), &Progress::default()).unwrap().flaw
    };
    assert_eq!(against(&gone), Some(ChainError::NotedWasPruned { seq: 19 }));
    assert_eq!(against(&anchor), None);
    assert_eq!(against(&kept), None);
    assert_eq!(against(&Mark { seq: 20, ..kept }), Some(ChainError::NotAsNoted { seq: 20 }));
}
