//! From an older schema to this one: data in it, at any interruption, and with nothing left to tell
//! where a database began.

use crate::world::{PASSWORD, World, anonymous, operator};
use authd::crypto::root_key::{Purpose, RootKey};
use authd::crypto::seal::Sealer;
use authd::domain::email::Email;
use authd::domain::password::Password;
use authd::error::{Error, Fault};
use authd::ports::SystemEntropy;
use authd::ports::progress::Progress;
use authd::store;
use authd::usecase::account::admin::Verified;
use authd::usecase::account::reference::UserRef;
use authd::usecase::account::register::Registered;
use authd::usecase::account::{admin, edit, email};
use authd::usecase::app::App;
use authd::usecase::audit::read;
use authd::usecase::audit::read::Wanted;
use authd::usecase::audit::verify;
use authd::usecase::mail::compose;
use authd::usecase::operator::prune;
use authd::usecase::session::authenticate;
use authd::usecase::session::refresh::refresh;
use authd::usecase::signin::login::{Credentials, LoggedIn, Tokens, login};
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A released schema, and the step that leads from it to the next.
struct Release {
    version: i64,
    schema: &'static str,
    step: &'static str,
}

const RELEASES: [Release; 7] = [
    Release {
        version: 1,
        schema: include_str!("../fixtures/schema_1.sql"),
        step: include_str!("../../../src/store/sqlite/migrations/0002_accounts.sql"),
    },
    Release {
        version: 2,
        schema: include_str!("../fixtures/schema_2.sql"),
        step: include_str!("../../../src/store/sqlite/migrations/0003_operator.sql"),
    },
    Release {
        version: 3,
        schema: include_str!("../fixtures/schema_3.sql"),
        step: include_str!("../../../src/store/sqlite/migrations/0004_scale.sql"),
    },
    Release {
        version: 4,
        schema: include_str!("../fixtures/schema_4.sql"),
        step: include_str!("../../../src/store/sqlite/migrations/0005_hardening.sql"),
    },
    Release {
        version: 5,
        schema: include_str!("../fixtures/schema_5.sql"),
        step: include_str!("../../../src/store/sqlite/migrations/0006_federation.sql"),
    },
    Release {
        version: 6,
        schema: include_str!("../fixtures/schema_6.sql"),
        step: include_str!("../../../src/store/sqlite/migrations/0007_provider_proof.sql"),
    },
    Release {
        version: 7,
        schema: include_str!("../fixtures/schema_7.sql"),
        step: include_str!("../../../src/store/sqlite/migrations/0008_passkeys.sql"),
    },
];

impl Release {
    /// Those that are referred to stand before those that refer to them.
    fn tables(&self) -> impl Iterator<Item = &'static str> {
        let names = self.schema.lines().filter_map(|line| line.strip_prefix("CREATE TABLE "));
        names.map(|rest| rest.split(' ').next().unwrap())
    }
}

const ANN: &str = "ann@example.com";
const NEW: &str = "new@example.com";

/// A world, the database that an authd of an older schema would have left of it, and what people still hold.
struct Before {
    world: World,
    file: PathBuf,
    tokens: Tokens,
    /// In a mail that has not been read yet.
    link: String,
}

impl Before {
    fn new(release: &Release) -> Self {
        let world = World::new();
        world.add_user(ANN, &["admin"]);
        world.add_unverified(NEW);
        let tokens = world.login(ANN).unwrap();
        let link = world.token_in_mail(NEW);
        let file = world.folder.join("old").join("authd.db");
        make_folder(file.parent().unwrap());
        write_old(&world, release, &file);
        Self { world, file, tokens, link }
    }

    fn open_at(&self, file: &Path) -> Result<App, Error> {
        let key_file = self.world.folder.join("authd.key");
        let settings = [("database", file.to_str().unwrap()), ("key_file", key_file.to_str().unwrap())];
        self.world.try_open_with(&settings)
    }

    /// Looks whether everybody finds again what they had.
    fn assert_kept(&self, app: &App) {
        authenticate::bearer(app, self.tokens.access_token.expose()).expect("a session goes on");
        refresh(app, &anonymous(), self.tokens.refresh_token.expose()).expect("and its refresh token");
        let credentials =
            Credentials { email: Email::parse(ANN).unwrap(), password: Password::new(PASSWORD).unwrap() };
        match login(app, &anonymous(), &credentials) {
            Ok(LoggedIn::Started(started)) => assert!(started.user.is_admin()),
            other => panic!("{other:?}"),
        }
        let mails = compose::page(app, &operator(), None, 200, None).unwrap().items;
        let shown = compose::show(app, &operator(), &mails[0].id.to_string()).unwrap();
        assert!(shown.body.unwrap().expose().contains(&self.link), "a mail from before can be read");
        assert_eq!(email::confirm(app, &anonymous(), &self.link, None).unwrap().email.as_str(), NEW);
        let lines = read::tail(app, &operator(), &Wanted::default(), u32::MAX).unwrap().0;
        let before = self.world.audit();
        assert_eq!(lines[..before.len()], before);
        assert_eq!(verify::verify(&app.config, &operator(), None, &Progress::default()).unwrap().flaw, None);
    }
}

fn make_folder(folder: &Path) {
    fs::create_dir(folder).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
}

/// What the older schema has room for of a world.
fn write_old(world: &World, release: &Release, file: &Path) {
    let old = Connection::open(file).unwrap();
    old.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    old.execute_batch(release.schema).unwrap();
    old.pragma_update(None, "application_id", 0x6175_7468).unwrap();
    old.pragma_update(None, "user_version", release.version).unwrap();
    old.execute("ATTACH ?1 AS now", [world.file().to_str().unwrap()]).unwrap();
    for table in release.tables() {
        let sql = format!(
            "SELECT group_concat(name) FROM pragma_table_info('{table}', 'main') \
             WHERE name IN (SELECT name FROM pragma_table_info('{table}', 'now'))"
        );
        let columns: String = old.query_row(&sql, [], |row| row.get(0)).unwrap();
        let sql = format!("INSERT OR IGNORE INTO main.{table} ({columns}) SELECT {columns} FROM now.{table}");
        old.execute(&sql, []).unwrap();
    }
    // The log's head was its number and hash, without what proves who wrote them.
    if release.version < 3 {
        old.execute("UPDATE meta SET value = substr(value, 1, 40) WHERE key = 'audit_head'", []).unwrap();
    }
    if release.version == 1 {
        seal_as_schema_1_did(world, &old);
    }
    old.execute("DETACH now", []).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A mail was its text, where it is now text and HTML.
fn seal_as_schema_1_did(world: &World, old: &Connection) {
    let root = RootKey::read(&world.folder.join("authd.key")).unwrap();
    let sealer = Sealer::new(&root, Purpose::Mail);
    for listed in compose::page(&world.app, &operator(), None, 200, None).unwrap().items {
        let text = compose::show(&world.app, &operator(), &listed.id.to_string()).unwrap().body.unwrap();
        let sealed = sealer.seal(&SystemEntropy, listed.id.as_bytes(), text.expose().as_bytes());
        old.execute("UPDATE mails SET body_sealed = ?1 WHERE id = ?2", (sealed, listed.id.as_bytes()))
            .unwrap();
    }
}

/// Everything that the schema is, but for how its text is laid out.
fn structure(file: &Path) -> Vec<String> {
    let connection = Connection::open(file).unwrap();
    let rows = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let row = statement.query_map([], |row| {
            let values = (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at));
            Ok(values.map(|value| format!("{:?}", value.unwrap())).collect::<Vec<_>>().join(" "))
        });
        row.unwrap().collect::<Result<_, _>>().unwrap()
    };
    let mut found = rows("SELECT type, name, tbl_name FROM sqlite_schema ORDER BY name");
    let with_conditions = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' OR (type = 'index' AND sql LIKE '% WHERE %') ORDER BY name";
    found.extend(rows(with_conditions));
    found.extend(rows("SELECT name, type, ncol, wr, strict FROM pragma_table_list ORDER BY name"));
    let of_tables = "FROM sqlite_schema t, ";
    for pragma in ["table_xinfo", "index_list", "foreign_key_list"] {
        found.extend(rows(&format!(
            "SELECT t.name, p.* {of_tables} pragma_{pragma}(t.name) p WHERE t.type = 'table' ORDER BY t.name, 2, 3"
        )));
    }
    found.extend(rows(&format!(
        "SELECT i.name, p.* {of_tables} pragma_index_list(t.name) i, pragma_index_xinfo(i.name) p \
         WHERE t.type = 'table' ORDER BY i.name, p.seqno"
    )));
    found.extend(rows("SELECT * FROM pragma_application_id, pragma_user_version"));
    found
}

#[test]
fn a_database_of_any_older_schema_opens_and_keeps_its_data() {
    for release in &RELEASES {
        let before = Before::new(release);
        let app = before.open_at(&before.file).unwrap();
        before.assert_kept(&app);
        drop(app);
        assert_eq!(structure(&before.file), structure(&before.world.file()), "from {}", release.version);
        before.open_at(&before.file).expect("and again");
    }
}

#[test]
fn accounts_that_nobody_claimed_are_deleted_after_30_days() {
    let world = World::with(&[("email_verification.required", "false")]);
    let ids =
        ["left@example.com", "used@example.com", "claimed@example.com", "late@example.com"].map(|email| {
            let Ok(Registered::Ready(user)) = world.register(email) else { panic!("{email}") };
            user.id
        });
    world.login("used@example.com").unwrap();
    world.add_unverified(NEW);
    world.advance(Duration::from_secs(1));
    let file = world.folder.join("old").join("authd.db");
    make_folder(file.parent().unwrap());
    // It is the step from there that finds them.
    write_old(&world, RELEASES.iter().find(|release| release.version == 4).unwrap(), &file);
    let key_file = world.folder.join("authd.key");
    let settings = [("database", file.to_str().unwrap()), ("key_file", key_file.to_str().unwrap())];
    // Where addresses need not be verified, nobody is expected to.
    let lenient = world.try_open_with(&settings).unwrap();
    let strict =
        world.try_open_with(&[&settings[..], &[("email_verification.required", "true")]].concat()).unwrap();
    let pruned = |app: &App| {
        let counts = prune::prune(app, &operator(), &Progress::default()).unwrap();
        counts.iter().find(|(table, _)| *table == "users").unwrap().1
    };
    world.advance(Duration::from_secs(30 * 24 * 3600 - 2));
    assert_eq!(pruned(&strict), 0);
    edit::edit(
        &strict,
        &operator(),
        &UserRef::Id(ids[2]),
        &edit::Changes { email: None, name: None, verified: Verified::Yes },
    )
    .unwrap();
    world.advance(Duration::from_secs(1));
    assert_eq!((pruned(&lenient), pruned(&strict), pruned(&strict)), (0, 2, 0));
    let left = admin::list(&strict, &operator(), &admin::Filter::default(), 10, None).unwrap().items;
    let mut left: Vec<_> = left.iter().map(|user| user.email.as_str()).collect();
    left.sort_unstable();
    assert_eq!(left, ["claimed@example.com", NEW, "used@example.com"]);
    let lines = read::tail(&strict, &operator(), &Wanted::default(), u32::MAX).unwrap().0;
    let deleted: Vec<_> = lines.iter().filter(|line| line.event == "UserDeleted").collect();
    assert_eq!(deleted.len(), 2);
    assert!(deleted.iter().any(|line| line.user == Some(ids[0].to_string())), "{deleted:?}");
}

#[test]
fn a_migration_that_is_killed_at_any_statement_is_done_by_the_next_start() {
    for release in &RELEASES {
        kill_at_every_statement(release);
    }
}

fn kill_at_every_statement(release: &Release) {
    let before = Before::new(release);
    let statements: Vec<&str> = release.step.split_inclusive(";\n").collect();
    assert!(!statements.is_empty());
    for killed_after in 0..=statements.len() {
        // Killed, a process leaves the files as they are at that moment.
        let folder = before.world.folder.join(format!("killed-{killed_after}"));
        make_folder(&folder);
        let running = folder.join("running.db");
        fs::copy(&before.file, &running).unwrap();
        let connection = Connection::open(&running).unwrap();
        // So that what is not committed is on disk, too.
        connection.pragma_update(None, "cache_size", 1).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        connection.execute_batch(&statements[..killed_after].concat()).unwrap();
        let file = folder.join("authd.db");
        for suffix in ["", "-wal"] {
            let (from, to) =
                (format!("{}{suffix}", running.display()), format!("{}{suffix}", file.display()));
            fs::copy(from, &to).unwrap();
            fs::set_permissions(to, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let app = before.open_at(&file).unwrap();
        before.assert_kept(&app);
        drop(app);
        let now = structure(&before.world.file());
        assert_eq!(structure(&file), now, "from {}, killed after {killed_after}", release.version);
    }
}

#[test]
fn without_a_migration_an_older_schema_is_refused() {
    for release in &RELEASES {
        let before = Before::new(release);
        match store::look(&before.file, |_| Ok(())) {
            Err(Fault::Storage(text)) => {
                assert!(text.contains(&format!("schema {}", release.version)), "{text}");
            }
            other => panic!("{other:?}"),
        }
    }
}
