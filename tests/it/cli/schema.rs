//! What is promised of `-o json`: `docs/cli-schema.json` is fresh and names every command, and whatever a
//! transcript prints is as it says. A validator of others' making reads it, formats included.

use super::Said;
use super::golden::leaves;
use authd::cli::program::Program;
use authd::cli::schema::{COMMANDS, schema};
use authd::cli::tree;
use boon::{Compiler, Schemas};
use serde_json::{Value, json};
use std::fs;

const URL: &str = "https://example.com/cli-schema.json";

/// The document, for holding outputs against it.
pub(super) struct Promise(Compiler);

impl Promise {
    pub(super) fn new() -> Self {
        let mut compiler = Compiler::new();
        compiler.enable_format_assertions();
        compiler.add_resource(URL, schema()).unwrap();
        Self(compiler)
    }

    /// What is wrong with an output by a part of the document. `None`: nothing.
    fn flaw(&mut self, part: &str, output: &Value) -> Option<String> {
        let mut schemas = Schemas::new();
        let part = self.0.compile(&format!("{URL}#{part}"), &mut schemas).unwrap();
        schemas.validate(output, part).err().map(|error| format!("{error} of {output:#}"))
    }

    /// Holds what a command line with `-o json` printed.
    pub(super) fn hold(&mut self, args: &[&str], said: &Said) {
        let problems: Vec<&str> = said.err.lines().filter(|line| line.starts_with('{')).collect();
        assert_eq!(problems.len(), usize::from(said.code != 0), "{args:?}: {said:?}");
        for problem in problems {
            let problem = super::json(problem);
            assert_eq!(self.flaw("/$defs/CommandProblem", &problem), None, "{args:?}");
        }
        if said.out.is_empty() {
            assert_ne!(said.code, 0, "{args:?} prints nothing: {said:?}");
            return;
        }
        let name = command_of(args);
        let (_, prints) = COMMANDS.iter().find(|(known, _)| *known == name).unwrap();
        let part = format!("/properties/{}", name.replace(' ', "%20"));
        let outputs = match prints.name() {
            "lines" => said.out.lines().map(super::json).collect(),
            _ => vec![super::json(&said.out)],
        };
        for output in outputs {
            assert_eq!(self.flaw(&part, &output), None, "{args:?}");
        }
    }
}

/// The command that a command line names.
fn command_of(args: &[&str]) -> String {
    let (mut command, mut words) = (&tree::command(Program::Authctl), Vec::new());
    for arg in args {
        if let Some(below) = command.find_subcommand(arg) {
            words.push(below.get_name().to_owned());
            command = below;
        }
    }
    words.join(" ")
}

#[test]
fn the_document_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli-schema.json");
    let fresh = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, &fresh).unwrap();
    }
    let there = fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == fresh,
        "write it anew: UPDATE_GOLDEN=1 cargo test --test it -- golden documents man schema"
    );
}

#[test]
fn every_command_says_what_it_prints() {
    let mut tree = leaves(&tree::command(Program::Authctl), "");
    let mut told: Vec<String> = COMMANDS.iter().map(|(name, _)| (*name).to_owned()).collect();
    tree.sort();
    told.sort();
    assert_eq!(told, tree, "the table stands in src/cli/schema.rs");
}

#[test]
fn what_is_not_as_promised_is_caught() {
    let mut promise = Promise::new();
    let mut flaw = |part: &str, output: Value| promise.flaw(part, &output);
    let role = json!({"name": "editor", "description": "", "permissions": ["posts:read"]});
    assert_eq!(flaw("/properties/role%20add", role.clone()), None);
    assert_eq!(flaw("/properties/role%20list", json!([role])), None);
    for (part, output) in [
        ("/properties/role%20add", json!([role])),
        ("/properties/role%20add", json!({"name": "editor", "description": ""})),
        ("/properties/role%20add", json!({"name": "editor", "description": null, "permissions": []})),
        ("/properties/role%20add", json!({"name": "editor", "description": "", "permissions": "posts:read"})),
        ("/properties/role%20list", json!([{"name": "editor"}])),
        ("/properties/man", json!({})),
        ("/properties/totp%20status", json!({"totp": {"enabled": true, "enabled_at": "yesterday"}})),
        ("/$defs/CommandProblem", json!({"code": "usage"})),
    ] {
        assert!(flaw(part, output.clone()).is_some(), "{part} {output}");
    }
}
