//! The manual pages in `man/`: they say what the program says, and mandoc reads them without a complaint.
//! `UPDATE_GOLDEN=1 cargo test --test it man` writes them anew.

use crate::missing::is_there;
use authd::cli::man::pages;
use authd::cli::program::Program;
use authd::cli::tree;
use std::path::Path;
use std::process::Command;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/man"))
}

#[test]
fn the_pages_in_the_tree_are_fresh() {
    let pages = pages(tree::command);
    for page in &pages {
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(folder().join(&page.file), &page.text).unwrap();
        }
        let stored = std::fs::read_to_string(folder().join(&page.file)).unwrap_or_default();
        assert!(stored == page.text, "man/{} is stale: run `authctl man man`", page.file);
    }
    let mut stored: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().file_name()).collect();
    let mut made: Vec<std::ffi::OsString> = pages.iter().map(|page| page.file.clone().into()).collect();
    stored.sort();
    made.sort();
    assert_eq!(stored, made, "man/ holds the pages and nothing else");
}

#[test]
fn every_command_and_every_flag_is_on_its_page() {
    let pages = pages(tree::command);
    let text = |file: &str| {
        let page =
            pages.iter().find(|page| page.file == file).unwrap_or_else(|| panic!("there is no {file}"));
        page.text.replace("\\-", "-")
    };
    let mut tree = tree::command(Program::Authctl);
    tree.build();
    for command in tree.get_subcommands() {
        let name = command.get_name();
        let own = format!("authctl-{name}.1");
        let page = match name {
            "serve" => text("authd.8"),
            _ => text(&own),
        };
        assert!(text("authctl.1").contains(&format!("\\fB{name}")), "authctl(1) lacks {name}");
        for verb in command.get_subcommands().chain([command]) {
            for arg in verb.get_arguments().filter(|arg| !arg.is_global_set() && arg.get_id() != "help") {
                let flag = arg.get_long().map(|long| format!("--{long}"));
                let term = flag.unwrap_or_else(|| arg.get_value_names().unwrap()[0].to_string());
                assert!(page.contains(&term), "the page of {name} {} lacks {term}", verb.get_name());
            }
        }
    }
    for arg in tree.get_arguments() {
        let flag = format!("--{}", arg.get_long().unwrap());
        assert!(text("authctl.1").contains(&flag) && text("authd.8").contains(&flag), "{flag}");
    }
}

#[test]
fn mandoc_has_nothing_to_complain_of() {
    if !is_there("mandoc") {
        return;
    }
    for page in pages(tree::command) {
        let path = folder().join(&page.file);
        let lint = Command::new("mandoc").args(["-Tlint", "-Wwarning"]).arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&lint.stdout).into_owned();
        assert!(lint.status.success() && said.is_empty(), "{said}");
    }
}
