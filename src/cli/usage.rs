//! What the argument parser refuses, told as every other failure is: its own words fill several lines.

use super::exit::Failure;
use super::terminal::Format;
use clap::error::ErrorKind;
use std::ffi::OsString;

/// Whether it is the help of a noun that was typed without its verb.
pub(super) fn is_help(error: &clap::Error) -> bool {
    error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
}

/// The failure that a parser's error comes to: what is wrong, and where to read on.
pub(super) fn failure(tree: &clap::Command, args: &[OsString], error: &clap::Error) -> Failure {
    let says = if is_help(error) { "a command is missing".to_owned() } else { in_one_line(error) };
    if says.contains("; it is `") {
        // The right word for another tool's is all the advice there is.
        return Failure::Usage(says);
    }
    Failure::Usage(format!("{says}; `{} --help` shows what can be", command_of(tree, args)))
}

/// The format that a command line asks for which can't be read as a whole. Only JSON makes a difference.
pub(super) fn format_of(args: &[OsString]) -> Format {
    let words: Vec<_> = args.iter().skip(1).map(|arg| arg.to_string_lossy()).collect();
    let words = words.split(|word| word == "--").next().unwrap_or_default();
    let asks_for_json = words.iter().enumerate().any(|(at, word)| {
        let next = words.get(at + 1).map_or("", |next| &**next);
        let value = match word.strip_prefix("--output") {
            Some("") => next,
            Some(value) => value.trim_start_matches('='),
            // `-o json`, `-ojson`, `-o=json`, also behind other short flags: `-qo json`.
            None => match word.strip_prefix('-').and_then(|flags| flags.split_once('o')) {
                Some((before, "")) if !before.starts_with('-') => next,
                Some((before, value)) if !before.starts_with('-') => value.trim_start_matches('='),
                _ => "",
            },
        };
        value == "json"
    });
    if asks_for_json { Format::Json } else { Format::Table }
}

/// The parser's sentence with what it lists under it and its tips, without the lines on usage.
fn in_one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let words: Vec<_> = paragraph.split_whitespace().collect();
        words.join(" ")
    });
    let says = paragraphs.filter(|paragraph| {
        !paragraph.is_empty()
            && !paragraph.starts_with("Usage:")
            && !paragraph.starts_with("For more information")
    });
    let says: Vec<String> =
        says.map(|paragraph| paragraph.trim_start_matches("error: ").replace("tip: ", "")).collect();
    says.join("; ")
}

/// The command that was meant, as far as it can be told.
fn command_of(tree: &clap::Command, args: &[OsString]) -> String {
    let (mut command, mut words) = (tree, vec![tree.get_name().to_owned()]);
    for arg in args.iter().skip(1) {
        if let Some(below) = command.find_subcommand(arg) {
            words.push(below.get_name().to_owned());
            command = below;
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(line: &str) -> Format {
        format_of(&line.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn json_is_asked_for_in_every_spelling_that_the_parser_takes() {
        for line in [
            "authctl -o json user",
            "authctl user lst -ojson",
            "authctl user -o=json",
            "authctl user --output json",
            "authctl user --output=json --nonsense",
            "authctl user list -qo json",
            "authctl user list -qojson",
        ] {
            assert_eq!(format(line), Format::Json, "{line}");
        }
        for line in [
            "authctl user list",
            "authctl -o tsv user",
            "authctl user show json",
            "authctl user show -- -o json",
            "authctl user list --follow json",
            "authctl user list -o",
        ] {
            assert_eq!(format(line), Format::Table, "{line}");
        }
    }
}
