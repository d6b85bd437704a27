//! The write path to a server: what goes out in one message, and what becomes of lines that wait.

use crate::database::TestDatabase;
use crate::schema_postgres::is_there;
use crate::store::{chain_key, find, store, store_at};
use crate::world::World;
use authd::domain::audit::{Event, Subject};
use authd::domain::caller::Caller;
use authd::error::{Decision, Error, Fault};
use authd::ports::progress::Progress;
use authd::store::Store;
use authd::store::audit::check;
use authd::store::audit::inbox::seal_into_copy;
use authd::store::copy::copy;
use authd::store::tables::meta;

#[test]
fn a_change_whose_line_can_not_be_kept_is_not_kept_either() {
    if !is_there() {
        return;
    }
    let world = World::new();
    let store = store(&world);
    let write = |who: &str| {
        store.write(&Caller::operator(who), |tx| {
            meta::save(tx, "changed", b"1")?;
            tx.audit(&Event::UserCreated, Subject::default())?;
            Ok(Decision::Grant(()))
        })
    };
    let before = world.events().len();
    // PostgreSQL has no text with it, and what can't be sent must not be committed around.
    assert!(matches!(write("ol\0ga"), Err(Error::Failed(Fault::Internal(_)))));
    assert_eq!((find(&store, "changed"), world.events().len()), (None, before));
    assert_eq!(write("olga"), Ok(()));
    assert_eq!((find(&store, "changed").is_some(), world.events().len()), (true, before + 1));
}

#[test]
fn after_the_server_forgot_its_statements_a_change_is_made_once() {
    if !is_there() {
        return;
    }
    let world = World::new();
    let store = store(&world);
    let before = world.events().len();
    let mut runs = 0;
    let written = store.write(&Caller::system(), move |tx| {
        runs += 1;
        if runs == 1 {
            // The statement for the line is known to this session, and then no more to the server.
            tx.dry_run(|tx| tx.audit(&Event::UserCreated, Subject::default()))?;
            tx.execute("DEALLOCATE ALL", &[])?;
        }
        tx.audit(&Event::UserCreated, Subject::default())?;
        Ok(Decision::Grant(runs))
    });
    assert_eq!(written, Ok(2), "it ran once more, on another connection");
    assert_eq!(world.events().len(), before + 1);
}

#[test]
fn a_copy_of_one_moment_has_the_lines_that_wait() {
    if !is_there() {
        return;
    }
    let world = World::new();
    let store = store(&world);
    let sealed = world.events();
    let write = || {
        store.write(&Caller::system(), |tx| {
            tx.audit(&Event::UserCreated, Subject::default())?;
            Ok(Decision::Grant(()))
        })
    };
    assert_eq!((write(), write()), (Ok(()), Ok(())));
    let copy_to = |file: &str| {
        let path = world.folder.join(file);
        std::fs::File::create(&path).unwrap();
        let mut head = None;
        let made = store.read_whole(|source| {
            Store::make(&path, world.now(), &Caller::system(), &chain_key(&world), |tx| {
                copy(source, tx, &Progress::default())?;
                head = Some(seal_into_copy(source, tx)?.seq);
                Ok(())
            })
        });
        made.map(|()| (path, head.unwrap()))
    };
    let (path, head) = copy_to("copy.db").unwrap();
    assert_eq!(
        head,
        i64::try_from(sealed.len()).unwrap(),
        "what stands on the server under that number, too"
    );
    let events: Vec<String> = TestDatabase::at(&path).all("SELECT event FROM audit ORDER BY seq");
    assert_eq!(events, [&sealed[..], &["UserCreated".to_owned(), "UserCreated".to_owned()]].concat());
    let copied = store_at(&world, &path);
    assert_eq!(copied.read(|query| check::end(query, copied.chain())).unwrap().unwrap().seq, head + 2);
    // A copy would have no trace of what is none of authd's.
    world.database().sql("UPDATE audit_inbox SET event = 'UserDeleted'");
    assert!(matches!(copy_to("other.db"), Err(Fault::CheckFailed(_))));
}
