//! What is written by name in a folder that others may write to, too, ends up in no file of their choice.

use super::Shell;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

#[test]
fn manual_pages_are_not_written_through_a_link() {
    let shell = Shell::new();
    let (folder, victim) = (shell.world.folder.join("man"), shell.world.folder.join("victim"));
    fs::create_dir(&folder).unwrap();
    fs::write(&victim, "precious").unwrap();
    let page = folder.join("authctl.1");
    symlink(&victim, &page).unwrap();
    fs::hard_link(&victim, folder.join("authd.8")).unwrap();
    for _ in 0..2 {
        let said = shell.line("man man");
        assert_eq!(said.code, 0, "{said:?}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        for name in ["authctl.1", "authd.8"] {
            let metadata = fs::symlink_metadata(folder.join(name)).unwrap();
            assert!(
                metadata.is_file() && metadata.permissions().mode() & 0o777 == 0o644,
                "{name}: {metadata:?}"
            );
            assert!(fs::read_to_string(folder.join(name)).unwrap().contains(".SH NAME"), "{name}");
        }
    }
    let hidden = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(hidden.filter(|name| name.to_str().unwrap().starts_with('.')).count(), 0);
}

#[test]
fn a_configuration_is_not_written_through_a_link() {
    let shell = Shell::new();
    let victim = shell.world.folder.join("victim");
    symlink(&victim, shell.world.folder.join("authd.toml")).unwrap();
    let said = shell.line("config init");
    assert_eq!(said.code, 77, "{said:?}");
    assert!(said.err.contains("is a link") && !victim.exists(), "{said:?}");
}
