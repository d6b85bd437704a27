//! A steady load, however long, fills the database up to what it remembers and no further: what is over goes,
//! and its room is used again.

use crate::world::{World, anonymous, operator};
use authd::domain::email::Email;
use authd::ports::progress::Progress;
use authd::ports::{Mailer, Message, Undelivered};
use authd::usecase::account::password;
use authd::usecase::audit::prune;
use authd::usecase::mail::delivery::Delivery;
use authd::usecase::operator::prune::Walk;
use authd::usecase::session::refresh;
use authd::usecase::session::tokens::{Target, revoke};
use rusqlite::Connection;
use std::fs;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Days between two looks; how many looks until the oldest of everything has gone (sessions live 30 days, and
/// can be listed for 30 more); how many it is watched for.
const STEP: u32 = 3;
const FILLING: u32 = 24;
const WATCHED: u32 = 24;

/// SQLite folds the write-ahead log back at 1,000 pages of 4 KiB; one transaction may come on top.
const LOG_MAX: u64 = 5 * 1024 * 1024;

/// An SMTP server that takes everything.
#[derive(Debug)]
struct Takes;

impl Mailer for Takes {
    fn send(&self, _: &Message) -> Result<(), Undelivered> {
        Ok(())
    }
}

/// What comes in within some days, the same each time but for the strangers' addresses.
fn live(world: &World, look: u32) {
    for user in 0..8 {
        let email = format!("user{user}@example.com");
        let mut tokens = world.login(&email).unwrap();
        for _ in 0..3 {
            tokens = refresh::refresh(&world.app, &anonymous(), tokens.refresh_token.expose()).unwrap();
        }
        if user % 2 == 0 {
            let target = Target::Token(tokens.access_token.expose().clone());
            revoke(&world.app, &operator(), &target).unwrap();
        }
        if user % 4 == 1 {
            let target = Target::Token(tokens.refresh_token.expose().clone());
            revoke(&world.app, &operator(), &target).unwrap();
        }
    }
    for stranger in 0..8 {
        let _ =
            world.login_with(&format!("stranger{look}-{stranger}@example.com"), "not the password at all");
    }
    for user in 0..2 {
        let _ = world.login_with(&format!("user{user}@example.com"), "not the password at all");
        let email = Email::parse(&format!("user{user}@example.com")).unwrap();
        password::request_reset(&world.app, &anonymous(), &email).unwrap();
    }
    world.work_off();
    Delivery::new(&world.app, &Takes).deliver_due().unwrap();
}

/// What the daemon does by itself, and with the log what an operator's timer does.
fn tidy_up(world: &World) {
    Walk::default().go(&world.app, usize::MAX, || true).unwrap();
    let plan = prune::plan(&world.app, &operator(), world.now().minus(30 * DAY)).unwrap();
    prune::prune(&world.app, &operator(), &plan, &Progress::default()).unwrap();
}

fn pages(world: &World) -> u64 {
    let connection = Connection::open(world.file()).unwrap();
    connection.pragma_query_value(None, "page_count", |row| row.get::<_, u32>(0)).unwrap().into()
}

#[test]
fn a_steady_load_does_not_grow_the_database() {
    let world = World::new();
    for user in 0..8 {
        world.add_user(&format!("user{user}@example.com"), &[]);
    }
    let empty = pages(&world);
    let mut filled = 0;
    for look in 0..FILLING + WATCHED {
        live(&world, look);
        world.advance(DAY * STEP);
        tidy_up(&world);
        let log = fs::metadata(format!("{}-wal", world.file().display())).map_or(0, |file| file.len());
        assert!(log <= LOG_MAX, "the write-ahead log has {log} bytes");
        if look < FILLING {
            filled = pages(&world);
        } else {
            // Rows don't fall on pages the same way each time: one of a hundred more, and two.
            let now = pages(&world);
            assert!(
                now <= filled + filled / 100 + 2,
                "{now} pages after {look} looks, where {filled} were enough"
            );
        }
    }
    assert!(filled > empty * 3 / 2, "it was filled: {empty} pages, then {filled}");
}
