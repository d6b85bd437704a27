//! The write path: what commits, what rolls back, what races, and what the audit log's chain holds.

use crate::database::{Column, TestDatabase, worlds};
use crate::world::{World, operator, user_ref};
use authd::config::Database;
use authd::crypto::root_key::{Purpose, RootKey};
use authd::domain::audit::{Event, Subject};
use authd::domain::caller::Caller;
use authd::domain::secret::Secret;
use authd::error::{Decision, Error, Fault, Refusal};
use authd::ports::Clock;
use authd::store::postgres::address::{Address, Tls};
use authd::store::tables::meta;
use authd::store::tx::{Query, Row, Tx};
use authd::store::{Connected, Store};
use authd::usecase::account::admin;
use authd::usecase::operator::health;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

pub fn store(world: &World) -> Store {
    let Database::Server(url) = &world.app.config.database else { return store_at(world, &world.file()) };
    let address = Address {
        url: url.expose(),
        shown: url.to_string(),
        password: None,
        tls: Tls::Disable,
        readers: 4,
        writers: 4,
        prepared: true,
    };
    let connected = Connected::to(&address).unwrap();
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    Store::open_on_server(connected, clock, &chain_key(world)).unwrap()
}

/// What the first row of a statement gives.
fn ask<T>(store: &Store, sql: &str, read: impl FnOnce(&Row<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
    store.read(|query| query.one(sql, &[], read))
}

#[test]
fn columns_are_read_by_name_in_any_order() {
    let world = World::new();
    let store = store(&world);
    let blob = "SELECT value FROM meta WHERE key = 'audit_head'";
    let sql = &format!("SELECT 1 AS one, 'two' AS two, ({blob}) AS three, NULL AS four");
    let in_order =
        |row: &Row<'_>| Ok((row.get::<i64>("one")?, row.get::<String>("two")?, row.get::<Vec<u8>>("three")?));
    let backwards = |row: &Row<'_>| {
        let (three, two) = (row.get("three")?, row.get("two")?);
        Ok((row.get("one")?, two, three))
    };
    let expected = (1, "two".to_owned(), ask(&store, blob, |row| row.get("value")).unwrap());
    for _ in 0..2 {
        assert_eq!(ask(&store, sql, in_order), Ok(expected.clone()));
        assert_eq!(ask(&store, sql, backwards), Ok(expected.clone()));
    }
    let nothing = |row: &Row<'_>| Ok((row.get::<Option<i64>>("four")?, row.get::<Option<i64>>("one")?));
    assert_eq!(ask(&store, sql, nothing), Ok((None, Some(1))));
}

#[test]
fn a_column_that_is_not_there_or_of_another_type_is_a_fault() {
    let world = World::new();
    let store = store(&world);
    let said = |outcome: Result<i64, Fault>| match outcome {
        Err(Fault::Internal(text)) => text,
        other => panic!("{other:?}"),
    };
    let text = said(ask(&store, "SELECT 1 AS one, 2 AS two", |row| row.get("three")));
    assert!(text.contains("no column three, only one, two"), "{text}");
    let text = said(ask(&store, "SELECT 'secret' AS one", |row| row.get("one")));
    assert!(text.contains("column one holds a text, not an integer") && !text.contains("secret"), "{text}");
    said(ask(&store, "SELECT NULL AS one", |row| row.get("one")));
    said(ask(&store, "SELECT 1 AS one WHERE 1 = 2", |row| row.get("one")));
}

/// More of them than a connection keeps; many differ in nothing but a number and the order of their columns.
#[test]
fn many_statements_keep_their_own_columns() {
    let world = World::new();
    let store = store(&world);
    for _ in 0..2 {
        for number in 0..300 {
            let sql = match number % 2 {
                0 => format!("SELECT {number} AS one, -1 AS two"),
                _ => format!("SELECT -1 AS two, {number} AS one"),
            };
            assert_eq!(ask(&store, &sql, |row| row.get::<i64>("one")), Ok(number));
        }
    }
}

#[test]
fn who_reads_a_row_may_ask_the_same_again() {
    let world = World::new();
    let store = store(&world);
    let sql = "SELECT count(*) AS roles, min(name) AS name FROM roles";
    let found = store.read(|query| {
        query.one(sql, &[], |row| {
            let inner = query.one(sql, &[], |row| row.get::<i64>("roles"))?;
            Ok((inner, row.get::<i64>("roles")?, row.get::<String>("name")?))
        })
    });
    assert_eq!(found, Ok((1, 1, "admin".to_owned())));
}

/// The same database by another name.
pub fn store_at(world: &World, path: &Path) -> Store {
    let clock = Arc::clone(&world.clock);
    Store::open(path, clock, &chain_key(world), 4).unwrap()
}

pub fn chain_key(world: &World) -> Secret<[u8; 32]> {
    RootKey::read(&world.folder.join("authd.key")).unwrap().derive(Purpose::AuditChain)
}

pub fn find(store: &Store, key: &str) -> Option<Vec<u8>> {
    store.read(|query| meta::find(query, key)).unwrap()
}

#[test]
fn a_grant_and_a_refusal_commit_and_a_fault_rolls_back() {
    let world = World::new();
    let store = store(&world);
    let write = |key: &'static str, outcome: fn() -> Result<Decision<()>, Fault>| {
        store.write(&Caller::system(), move |tx| {
            meta::save(tx, key, b"1")?;
            tx.audit(&Event::UserCreated, Subject::default())?;
            outcome()
        })
    };
    let before = world.events().len();
    assert_eq!(write("granted", || Ok(Decision::Grant(()))), Ok(()));
    let refused = write("refused", || Ok(Decision::Refuse(Refusal::InvalidCredentials)));
    assert_eq!(refused, Err(Error::Refused(Refusal::InvalidCredentials)));
    assert!(matches!(write("faulty", || Err(Fault::Internal("planted".into()))), Err(Error::Failed(_))));
    assert!(matches!(write("panicked", || panic!("planted")), Err(Error::Failed(Fault::Internal(_)))));
    assert_eq!(find(&store, "granted").as_deref(), Some(&b"1"[..]));
    assert_eq!(find(&store, "refused").as_deref(), Some(&b"1"[..]));
    assert_eq!(find(&store, "faulty"), None);
    assert_eq!(find(&store, "panicked"), None);
    assert_eq!(world.events().len(), before + 2);
}

#[test]
fn a_job_of_which_nobody_awaits_the_outcome_is_committed_and_counted() {
    let world = World::new();
    let store = store(&world);
    // On a server it is carried out beside whatever is handed in behind it.
    let (tell, told) = mpsc::channel();
    store.when_logged(move || tell.send(()).unwrap());
    let outcome = store.write_later(&Caller::system(), |tx| {
        meta::save(tx, "abandoned", b"1")?;
        tx.audit(&Event::UserCreated, Subject::default())?;
        Ok(Decision::Grant(()))
    });
    drop(outcome);
    told.recv_timeout(Duration::from_secs(30)).unwrap();
    assert_eq!(find(&store, "abandoned").as_deref(), Some(&b"1"[..]));
    assert_eq!(store.events().of(Event::UserCreated.class()).read(), 1);
}

#[test]
fn what_is_awaited_commits_and_rolls_back_as_what_is_waited_for() {
    let world = World::new();
    let store = store(&world);
    let awaited = |key: &'static str, outcome: fn() -> Result<Decision<u8>, Fault>| {
        let work = move |tx: &mut Tx<'_>| {
            meta::save(tx, key, b"1")?;
            outcome()
        };
        let later = store.write_later(&Caller::system(), work);
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(later)
    };
    assert_eq!(awaited("granted", || Ok(Decision::Grant(7))), Ok(7));
    let refused = awaited("refused", || Ok(Decision::Refuse(Refusal::InvalidToken)));
    assert_eq!(refused, Err(Error::Refused(Refusal::InvalidToken)));
    assert!(matches!(awaited("faulty", || Err(Fault::Internal("planted".into()))), Err(Error::Failed(_))));
    assert!(matches!(awaited("panicked", || panic!("planted")), Err(Error::Failed(Fault::Internal(_)))));
    let kept = ["granted", "refused", "faulty", "panicked"].map(|key| find(&store, key).is_some());
    assert_eq!(kept, [true, true, false, false]);
}

#[test]
fn jobs_that_wait_share_a_commit_and_keep_their_own_outcomes() {
    let world = World::new();
    let store = store(&world);
    let barrier = Barrier::new(32);
    thread::scope(|scope| {
        for number in 0..32u8 {
            let (store, barrier) = (&store, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let outcome = store.write(&Caller::system(), move |tx| {
                    meta::save(tx, &format!("job {number}"), &[number])?;
                    match number % 3 {
                        0 => Ok(Decision::Grant(number)),
                        1 => Ok(Decision::Refuse(Refusal::LastAdmin)),
                        _ => Err(Fault::Internal("planted".into())),
                    }
                });
                match number % 3 {
                    0 => assert_eq!(outcome, Ok(number)),
                    1 => assert_eq!(outcome, Err(Error::Refused(Refusal::LastAdmin))),
                    _ => assert!(matches!(outcome, Err(Error::Failed(_)))),
                }
            });
        }
    });
    for number in 0..32u8 {
        let kept = find(&store, &format!("job {number}")).is_some();
        assert_eq!(kept, number % 3 != 2, "job {number}");
    }
}

#[test]
fn a_lock_held_by_another_process_is_a_busy_database_and_nothing_else() {
    let world = World::new();
    let other = world.database();
    other.hold();
    let refused = thread::scope(|scope| {
        let tries: Vec<_> = (0..8).map(|_| scope.spawn(|| health::ready(&world.app))).collect();
        tries.into_iter().map(|tried| tried.join().unwrap()).collect::<Vec<_>>()
    });
    for outcome in refused {
        assert!(matches!(outcome, Err(Error::Failed(Fault::StorageUnavailable(_)))), "{outcome:?}");
    }
    other.let_go();
    // An answer holds for a second.
    world.advance(Duration::from_secs(1));
    health::ready(&world.app).unwrap();
}

#[test]
fn two_admins_can_not_be_taken_away_at_once() {
    for _ in 0..5 {
        let world = World::new();
        for name in ["a@example.com", "b@example.com"] {
            world.add_user(name, &["admin"]);
        }
        let outcomes: Vec<bool> = thread::scope(|scope| {
            let disable = |name: &'static str| {
                let app = &world.app;
                scope.spawn(move || admin::disable(app, &operator(), &user_ref(name)).is_ok())
            };
            let both = [disable("a@example.com"), disable("b@example.com")];
            both.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|done| **done).count(), 1);
    }
}

#[test]
fn the_audit_log_is_numbered_without_a_gap_and_chained_from_the_first_line() {
    let world = World::new();
    world.add_user("ann@example.com", &[]);
    let _ = world.login_with("ann@example.com", "wrong wrong wrong wrong");
    world.login("ann@example.com").unwrap();
    assert_chained(&world);
    let database = world.database();
    for sql in ["UPDATE audit SET event = 'Nothing'", "DELETE FROM audit WHERE seq = 1"] {
        let error = database.try_change(sql, &[]).unwrap_err();
        assert!(error.contains("append-only"), "{error}");
    }
}

/// Looks whether the log is numbered from 1 on, and each line's hash follows from the one before.
pub fn assert_chained(world: &World) {
    let root = RootKey::read(&world.folder.join("authd.key")).unwrap();
    // Who reads the log has it sealed before.
    let lines = world.audit().len();
    let rows = chain_rows(&world.database());
    assert_eq!(
        rows.iter().map(|row| row.seq).collect::<Vec<_>>(),
        (1..=i64::try_from(lines).unwrap()).collect::<Vec<_>>()
    );
    let mut previous = Vec::new();
    for row in &rows {
        previous = expected_hash(&root, &previous, row);
        assert_eq!(previous, row.hash, "line {}", row.seq);
    }
}

struct ChainRow {
    seq: i64,
    at: i64,
    texts: Vec<Option<String>>,
    hash: Vec<u8>,
}

fn chain_rows(database: &TestDatabase) -> Vec<ChainRow> {
    let sql = "SELECT seq, at, hash, event, actor, user_id, session_id, ip, request_id, details FROM audit ORDER BY seq";
    let row = |row: Vec<_>| {
        let mut values = row.into_iter();
        let (seq, at, hash) = (values.next().unwrap(), values.next().unwrap(), values.next().unwrap());
        let texts = values.map(Column::of).collect();
        ChainRow { seq: Column::of(seq), at: Column::of(at), texts, hash: Column::of(hash) }
    };
    database.rows(sql).into_iter().map(row).collect()
}

/// The chain as docs/decisions/0024 describes it, written a second time.
fn expected_hash(root: &RootKey, previous: &[u8], row: &ChainRow) -> Vec<u8> {
    use aws_lc_rs::hmac;
    let key = hmac::Key::new(hmac::HMAC_SHA256, root.derive(Purpose::AuditChain).expose());
    let mut fields: Vec<Option<Vec<u8>>> = vec![
        Some(previous.to_vec()),
        Some(row.seq.to_be_bytes().to_vec()),
        Some(row.at.to_be_bytes().to_vec()),
    ];
    fields.extend(row.texts.iter().map(|text| text.as_ref().map(|text| text.clone().into_bytes())));
    let mut message = Vec::new();
    for field in fields {
        message.extend(field.as_ref().map_or(-1, |field| i64::try_from(field.len()).unwrap()).to_be_bytes());
        message.extend(field.unwrap_or_default());
    }
    hmac::sign(&key, &message).as_ref().to_vec()
}

#[test]
fn a_read_connection_can_not_write() {
    let world = World::new();
    let store = store(&world);
    let outcome = store
        .read(|query| query.one("DELETE FROM users RETURNING 1 AS gone", &[], |row| row.get::<i64>("gone")));
    assert!(outcome.is_err());
}

fn number(store: &Store) -> u64 {
    let found = store.read_snapshot(|query| meta::find(query, "number")).unwrap();
    found.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()))
}

/// Commits the numbers from 1 on, and publishes each once it was acknowledged.
fn count_up(store: &Store, last: u64, published: &AtomicU64) {
    for number in 1..=last {
        let outcome = store.write(&Caller::system(), move |tx| {
            meta::save(tx, "number", &number.to_be_bytes())?;
            Ok(Decision::Grant(()))
        });
        outcome.unwrap();
        published.store(number, Ordering::SeqCst);
    }
}

/// `authctl user add`, in a process of its own.
fn add_user_elsewhere(world: &World) -> Output {
    let program = world.folder.join("authctl");
    let _ = symlink(env!("CARGO_BIN_EXE_authd"), &program);
    let mut command = worlds::command(program);
    command.envs(world.environment()).current_dir(&world.folder);
    command.args(["user", "add", "ann@example.com", "--invite"]).output().unwrap()
}

#[test]
fn a_thread_that_read_a_snapshot_on_a_file_and_ends_takes_nobodys_locks_along() {
    let world = World::new();
    let store = store(&world);
    let other = world.database();
    other.hold();
    let reads = || {
        store.before_wait();
        number(&store);
        store.before_wait();
    };
    thread::scope(|scope| scope.spawn(reads).join().unwrap());
    let refused = add_user_elsewhere(&world);
    assert_eq!(refused.status.code(), Some(69), "{}", String::from_utf8_lossy(&refused.stderr));
    other.let_go();
    assert!(add_user_elsewhere(&world).status.success());
}

#[test]
fn a_snapshot_on_a_file_is_read_behind_a_link() {
    let world = World::new();
    let link = world.folder.join("link.db");
    symlink(world.file(), &link).unwrap();
    let linked = store_at(&world, &link);
    linked.before_wait();
    assert_eq!(number(&linked), 0);
    count_up(&store(&world), 3, &AtomicU64::new(0));
    assert_eq!(number(&linked), 3);
}

#[test]
fn a_snapshot_shows_whatever_anybody_has_committed() {
    const LAST: u64 = 500;
    let world = World::new();
    let (daemon, another) = (store(&world), store(&world));
    let published = AtomicU64::new(0);
    thread::scope(|scope| {
        for rests in [true, false] {
            let (daemon, published) = (&daemon, &published);
            scope.spawn(move || {
                daemon.before_wait();
                while published.load(Ordering::SeqCst) < LAST {
                    let least = published.load(Ordering::SeqCst);
                    assert!(number(daemon) >= least);
                    if rests {
                        daemon.before_wait();
                    }
                }
                assert_eq!(number(daemon), LAST);
            });
        }
        count_up(&another, LAST, &published);
    });
    // By another process, while a snapshot is open.
    let users = |store: &Store| {
        store.read_snapshot(|query| {
            query.one("SELECT count(*) AS users FROM users", &[], |row| row.get::<i64>("users"))
        })
    };
    daemon.before_wait();
    assert_eq!(users(&daemon), Ok(0));
    let output = add_user_elsewhere(&world);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(users(&daemon), Ok(1));
}

#[test]
fn who_rests_holds_no_snapshot_on_a_file() {
    let world = World::new();
    let store = store(&world);
    store.before_wait();
    let fold = || {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let raw = rusqlite::Connection::open(world.file()).unwrap();
        raw.busy_timeout(std::time::Duration::ZERO).unwrap();
        raw.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    number(&store);
    count_up(&store, 3, &AtomicU64::new(0));
    assert_eq!(fold(), 1, "the log can't be folded back below somebody who reads");
    store.before_wait();
    assert_eq!(fold(), 0);
    assert_eq!(number(&store), 3);
    // A thread that never rested reads from the pool, and holds nothing either.
    thread::scope(|scope| scope.spawn(|| assert_eq!(number(&store), 3)).join().unwrap());
    store.before_wait();
    assert_eq!(fold(), 0);
}

#[test]
fn nothing_in_the_database_opens_an_account() {
    let world = World::new();
    world.add_user("ann@example.com", &[]);
    let tokens = world.login("ann@example.com").unwrap();
    world.register("new@example.com").unwrap();
    let link = world.token_in_mail("new@example.com");
    let secrets =
        [tokens.access_token.expose().as_str(), tokens.refresh_token.expose(), &link, crate::world::PASSWORD];
    let database = world.database();
    assert!(database.holds("ann@example.com"), "it is the right one");
    for secret in secrets {
        assert!(!database.holds(&secret[secret.len() / 2..]), "a secret stands in it");
    }
}

#[test]
fn the_built_in_admin_holds_every_permission_that_authd_asks_for() {
    let world = World::new();
    let roles = authd::usecase::account::roles::page(&world.app, &operator(), 200, None).unwrap().items;
    let admin = roles.iter().find(|role| role.name.is_admin()).unwrap();
    let mut own = authd::domain::access::OWN_PERMISSIONS.map(str::to_owned);
    own.sort();
    let held: Vec<String> = admin.permissions.iter().map(ToString::to_string).collect();
    assert_eq!(held, own);
}
