//! Apache's and nginx's password files: `name:hash`, a line a user.

use super::record::{Problem, Record, Rules, email};

/// Reads a line that is neither blank nor a comment.
pub(super) fn parse(rules: &Rules<'_>, line: &str) -> Result<Record, Problem> {
    let (name, hash) =
        line.split_once(':').ok_or_else(|| Problem::malformed("the line is not `name:hash`"))?;
    let address = match (&rules.options.domain, name.contains('@')) {
        (Some(domain), false) => email(&format!("{name}@{domain}")),
        (None, false) => {
            let text = "the name is no e-mail address; complete such names with --domain example.com";
            Err(Problem::new("invalid_email", text))
        }
        (_, true) => email(name),
    };
    // Some tools write a real name or the like behind the hash.
    let hash = hash.split_once(':').map_or(hash, |(hash, _)| hash);
    Record::of(address?, |record| rules.hash(record, hash))
}
