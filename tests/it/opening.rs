//! Opening: what is made, what is refused, and what each refusal says.

use crate::database::worlds;
use crate::world::World;
use authd::error::{Error, Fault, Refusal};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn fault(world: &World) -> Fault {
    match world.try_open() {
        Err(Error::Failed(fault)) => fault,
        other => panic!("expected a fault, got {:?}", other.map(|_| "an open app")),
    }
}

#[test]
fn opening_again_makes_nothing_anew() {
    let world = World::anew();
    assert!(world.app.created.database && world.app.created.key_file && world.app.created.signing_key);
    let again = world.another_app();
    assert_eq!(again.created, authd::usecase::app::Created::default());
}

fn assert_refused_once_others_can_read(name: &str) {
    let world = World::new();
    world.add_user("ann@example.com", &[]);
    fs::set_permissions(world.folder.join(name), Permissions::from_mode(0o640)).unwrap();
    let fault = fault(&world);
    assert!(matches!(&fault, Fault::Permission(text) if text.contains("chmod 600")), "{name}: {fault:?}");
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    assert_refused_once_others_can_read("authd.key");
}

#[test]
fn a_credential_may_be_read_by_the_access_list_that_systemd_sets_and_by_nobody_else() {
    let world = World::new();
    let credentials = world.folder.join("credentials");
    fs::create_dir(&credentials).unwrap();
    let key = credentials.join("key_file");
    fs::rename(world.folder.join("authd.key"), &key).unwrap();
    let database = world.environment().into_iter().filter(|(name, _)| *name == "AUTHD_DATABASE");
    let program = || {
        let mut command = worlds::command(env!("CARGO_BIN_EXE_authd"));
        command.current_dir(&world.folder).envs(database.clone());
        command
    };
    let list = |mode: u32| {
        fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        program().args(["user", "list"]).env("CREDENTIALS_DIRECTORY", &credentials).output().unwrap()
    };
    for mode in [0o400, 0o440] {
        let output = list(mode);
        assert!(output.status.success(), "{mode:o}: {}", String::from_utf8_lossy(&output.stderr));
    }
    for mode in [0o444, 0o460] {
        assert_eq!(list(mode).status.code(), Some(77), "{mode:o}");
    }
    // Without the credential, the key is missed and none is made.
    fs::rename(&key, credentials.join("other")).unwrap();
    fs::write(world.folder.join("authd.toml"), "key_file = \"authd.key\"\n").unwrap();
    let output = program().arg("serve").output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!world.folder.join("authd.key").exists());
}

#[test]
fn a_missing_key_file_beside_a_database_is_never_made_anew() {
    let world = World::new();
    fs::remove_file(world.folder.join("authd.key")).unwrap();
    match world.try_open() {
        Err(Error::Refused(Refusal::NotFound { what: "key file", .. })) => {}
        other => panic!("expected a refusal, got {:?}", other.map(|_| "an open app")),
    }
    assert!(!world.folder.join("authd.key").exists());
}

#[test]
fn another_databases_key_file_is_refused() {
    let (world, other) = (World::new(), World::new());
    // Both worlds draw the same chance; another key is needed all the same.
    let key = fs::read_to_string(other.folder.join("authd.key")).unwrap();
    let changed: String = key.chars().map(|c| if c == 'a' { 'b' } else { c }).collect();
    fs::write(world.folder.join("authd.key"), changed).unwrap();
    let fault = fault(&world);
    assert!(matches!(&fault, Fault::Config(text) if text.contains("another database")), "{fault:?}");
}

#[test]
fn what_is_no_key_file_is_said() {
    let world = World::new();
    fs::write(world.folder.join("authd.key"), "hunter2").unwrap();
    let key = fault(&world);
    assert!(matches!(&key, Fault::Config(text) if text.contains("not a key file")), "{key:?}");
}

#[test]
fn an_older_binary_refuses_a_newer_database() {
    let world = World::new();
    world.database().outdate();
    let fault = fault(&world);
    assert!(matches!(&fault, Fault::Storage(text) if text.contains("newer authd")), "{fault:?}");
}

mod on_a_file {
    use super::*;

    #[test]
    fn all_files_are_their_owners_alone() {
        let world = World::new();
        world.add_user("ann@example.com", &[]);
        for name in ["authd.db", "authd.db-wal", "authd.db-shm", "authd.key"] {
            assert_eq!(mode(&world.folder.join(name)), 0o600, "{name}");
        }
    }

    #[test]
    fn one_that_others_can_read_is_refused_and_so_is_its_log() {
        for name in ["authd.db", "authd.db-wal"] {
            assert_refused_once_others_can_read(name);
        }
    }

    #[test]
    fn a_folder_that_others_can_enter_is_refused_unless_it_is_the_default() {
        let world = World::new();
        fs::set_permissions(&world.folder, Permissions::from_mode(0o755)).unwrap();
        assert!(world.try_open().is_ok(), "./authd.db only gets a warning");
        assert!(
            authd::usecase::app::files::folder_warning(&world.app.config)
                .unwrap()
                .contains("a folder of its own")
        );
        let folder = world.folder.join("wide");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o750)).unwrap();
        let database = folder.join("authd.db");
        let error = world.try_open_with(&[("database", database.to_str().unwrap())]).unwrap_err();
        assert!(
            matches!(&error, Error::Failed(Fault::Permission(text)) if text.contains("of its own: mkdir")),
            "{error:?}"
        );
        assert!(!database.exists());
        assert!(!folder.join("authd.key").exists(), "nothing is made on the way to a refusal");
    }

    #[test]
    fn a_missing_folder_is_made_for_its_owner_alone() {
        let world = World::new();
        let folder = world.folder.join("deep/er");
        let database = folder.join("authd.db");
        world.try_open_with(&[("database", database.to_str().unwrap())]).unwrap();
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&database), 0o600);
        assert_eq!(mode(&folder.join("authd.key")), 0o600);
    }

    #[test]
    fn what_is_no_database_is_said() {
        let world = World::new();
        let text = world.folder.join("notes.db");
        fs::write(&text, "this is no database at all, but a text of some length".repeat(100)).unwrap();
        fs::set_permissions(&text, Permissions::from_mode(0o600)).unwrap();
        let outcome = world.try_open_with(&[("database", text.to_str().unwrap()), ("key_file", "authd.key")]);
        assert!(matches!(&outcome, Err(Error::Failed(Fault::Storage(_)))), "{outcome:?}");
    }

    #[test]
    fn a_database_of_another_program_is_refused_and_left_alone() {
        let world = World::new();
        let path = world.folder.join("other.db");
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE things (name TEXT)").unwrap();
        drop(connection);
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let outcome = world.try_open_with(&[("database", path.to_str().unwrap()), ("key_file", "authd.key")]);
        let is_named =
            |fault: &Fault| matches!(fault, Fault::Storage(text) if text.contains("no database of authd"));
        assert!(matches!(&outcome, Err(Error::Failed(fault)) if is_named(fault)), "{outcome:?}");
        let connection = rusqlite::Connection::open(&path).unwrap();
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 1);
    }

    /// Root would give that file away, to whoever the database belongs to.
    #[test]
    fn a_lock_that_is_a_second_name_of_another_file_is_refused() {
        let world = World::new();
        let (other, lock) = (world.folder.join("other"), world.folder.join("authd.db-lock"));
        fs::write(&other, "somebody's").unwrap();
        fs::remove_file(&lock).unwrap();
        fs::hard_link(&other, &lock).unwrap();
        let fault = fault(&world);
        assert!(matches!(&fault, Fault::Permission(text) if text.contains("authd.db-lock")), "{fault:?}");
    }
}
