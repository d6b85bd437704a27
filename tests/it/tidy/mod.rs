//! The rules of the house that no compiler knows: who may import whom, what stands where, how a file is
//! written.
//!
//! The import tables are those in the documentation of `src/lib.rs` and `src/usecase/mod.rs`, read as they
//! stand there. Each rule has a file here, and at its end the tests that the rule catches what it is for.

mod crates;
mod floors;
mod graph;
mod lexer;
mod paths;
mod places;
mod sentences;
mod shape;

use floors::Table;
use graph::Graph;
use paths::Outline;
use std::fs;
use std::path::Path;

/// Where Rust stands that the rules are for.
const FOLDERS: [&str; 4] = ["src", "tests", "bench", "benches"];

#[test]
fn every_file_keeps_the_rules_of_the_house() {
    Project::read().check(Project::rules);
}

#[test]
fn every_line_fits() {
    Project::read().check(|_, _, text, found| shape::width(text, &lexer::read(text), found));
}

#[test]
fn every_public_function_says_first_what_it_does() {
    Project::read().check(|_, path, text, found| {
        if path.starts_with("src/") {
            sentences::missing(&lexer::without_tests(&lexer::read(text)), found);
        }
    });
}

#[test]
fn no_files_import_one_another_in_a_circle() {
    let project = Project::read();
    let program = project.files.iter().filter(|(path, _)| path.starts_with("src/"));
    let program: Vec<(&str, &str)> = program.map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let tangles = Graph::of(&program).tangles();
    assert!(tangles.is_empty(), "\n{}", tangles.join("\n"));
}

#[test]
fn the_tables_fit_the_tree() {
    let project = Project::read();
    let mut found = Vec::new();
    let rooms = [project.modules("src/"), project.folders("src/")].concat();
    found.extend(project.rooms.gaps(&rooms).into_iter().map(|gap| format!("src/lib.rs: {gap}")));
    let floors = project.folders("src/usecase/");
    found.extend(project.floors.gaps(&floors).into_iter().map(|gap| format!("src/usecase/mod.rs: {gap}")));
    let paths: Vec<&str> = project.files.iter().map(|(path, _)| path.as_str()).collect();
    found.extend(crates::stale(&project.crates, &paths));
    let gone =
        places::CLIENTS.iter().filter(|(client, _)| !paths.iter().any(|path| path.starts_with(client)));
    found.extend(gone.map(|(client, _)| format!("{client} may name HTTP, but isn't there")));
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_project_stands_alone() {
    let outside = concat!("../", "shared/");
    let naming = files(".").into_iter().filter(|(_, text)| text.contains(outside)).map(|(path, _)| path);
    assert_eq!(
        naming.collect::<Vec<_>>(),
        Vec::<String>::new(),
        "these name what is not part of the project"
    );
}

/// What the rules are for, and what they are read from.
struct Project {
    rooms: Table,
    floors: Table,
    /// Every dependency, as code names it.
    crates: Vec<String>,
    /// Every file of Rust by its path, with its text.
    files: Vec<(String, String)>,
}

impl Project {
    fn read() -> Self {
        let read = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let mut files: Vec<_> = FOLDERS.into_iter().flat_map(files).collect();
        files.retain(|(path, _)| Path::new(path).extension().is_some_and(|extension| extension == "rs"));
        files.sort();
        Self {
            rooms: Table::read(&read("src/lib.rs")),
            floors: Table::read(&read("src/usecase/mod.rs")),
            crates: crates::dependencies(&read("Cargo.toml")),
            files,
        }
    }

    /// Fails with a line for each way in which a file breaks the rule.
    fn check(&self, rule: impl Fn(&Self, &str, &str, &mut Vec<String>)) {
        let mut all = Vec::new();
        for (path, text) in &self.files {
            let mut found = Vec::new();
            rule(self, path, text, &mut found);
            all.extend(found.into_iter().map(|why| format!("{path}: {why}")));
        }
        assert!(all.is_empty(), "{} offences\n{}", all.len(), all.join("\n"));
    }

    /// All rules for one file but those that have a test of their own.
    fn rules(&self, path: &str, text: &str, found: &mut Vec<String>) {
        shape::length_and_opening(text, found);
        if path.starts_with("src/") {
            let tokens = lexer::read(text);
            let outline = Outline::of(path, &tokens);
            floors::between_rooms(&self.rooms, path, &outline, found);
            floors::between_floors(&self.floors, &outline, found);
            crates::out_of_place(&self.crates, path, &outline, found);
            places::printing(path, &tokens, found);
            places::sql(path, &tokens, found);
            let room = outline.module.first().copied().unwrap_or_default();
            places::http(room, path, &lexer::without_tests(&tokens), found);
        }
    }

    /// The names of the files directly in a folder, but for the crate's own and the folder's.
    fn modules(&self, folder: &str) -> Vec<String> {
        let inside = self.files.iter().filter_map(|(path, _)| path.strip_prefix(folder)?.strip_suffix(".rs"));
        let modules = inside.filter(|name| !name.contains('/') && !["lib", "main", "mod"].contains(name));
        modules.map(str::to_owned).collect()
    }

    /// The names of the folders directly in a folder.
    fn folders(&self, folder: &str) -> Vec<String> {
        let inside = self.files.iter().filter_map(|(path, _)| path.strip_prefix(folder)?.split_once('/'));
        let mut folders: Vec<String> = inside.map(|(name, _)| name.to_owned()).collect();
        folders.dedup();
        folders
    }
}

#[test]
fn a_file_that_breaks_every_rule_is_told_of_each() {
    let project = Project {
        rooms: Table::read("//! | [`usecase`] | a | nothing |\n//! | [`cli`] | b | usecase |"),
        floors: Table::read("//! | [`app`] | a | nothing |"),
        crates: vec!["rusqlite".into()],
        files: Vec::new(),
    };
    let text = "use crate::cli::X; use super::app::App; use rusqlite::Row; fn f() { println!(\"DELETE FROM a\"); \
        g(\"Set-Cookie\", 401) }";
    let mut found = Vec::new();
    project.rules("src/usecase/a.rs", text, &mut found);
    assert_eq!(found.len(), 8, "{found:?}");
}

/// Every file of the project under a folder, by its path from the project's, with its text.
fn files(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let shown =
                path.strip_prefix(root).unwrap().to_string_lossy().trim_start_matches("./").to_owned();
            if path.is_dir() {
                let name = path.file_name().unwrap_or_default();
                if name != "target" && ![".git", "run"].contains(&shown.as_str()) {
                    folders.push(path);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                found.push((shown, text));
            }
        }
    }
    found
}
