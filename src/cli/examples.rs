//! The examples in the help of commands, which the manual pages show, too. A test runs each of them.

use clap::Command;

/// The lines under `Examples:` in a command's help, up to an empty one.
#[must_use]
pub fn of(command: &Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    lines.take_while(|line| !line.is_empty()).map(|line| line.trim().to_owned()).collect()
}

/// Gives a noun the first example of each of its verbs, or all of its one verb's.
pub(super) fn given_to(noun: Command) -> Command {
    let verbs: Vec<Vec<String>> = noun.get_subcommands().map(of).collect();
    let shown: Vec<String> = match verbs.as_slice() {
        [] => return noun,
        [only] => only.clone(),
        several => several.iter().filter_map(|lines| lines.first().cloned()).collect(),
    };
    noun.after_help(format!("Examples:\n  {}", shown.join("\n  ")))
}
