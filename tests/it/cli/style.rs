//! One style of what is said on stderr, and words of a shell.

use super::failures::every_refusal;
use super::golden::transcripts;
use authd::cli::exit::Failure;

/// What is wrong with the style of a message: in lower case, one sentence on one line, no full stop.
fn flaw(message: &str) -> Option<&'static str> {
    let first = message.split_whitespace().next().unwrap_or_default();
    // Names keep their capitals: API, SQLite, DIR (the folder of a transcript).
    let is_name = first.chars().skip(1).any(char::is_uppercase) || first.contains(['/', '.', '@']);
    if message.contains('\n') {
        Some("has several lines")
    } else if message.ends_with(['.', '!', '?']) && !message.contains("; did you mean ") {
        Some("ends as a sentence does")
    } else if message.contains(". ") || message.contains("? ") {
        Some("has two sentences: `; ` stands before the advice")
    } else if first.starts_with(char::is_uppercase) && !is_name {
        Some("begins with a capital")
    } else {
        None
    }
}

#[test]
fn every_refusal_has_the_style_and_no_advice_of_http() {
    for refusal in every_refusal() {
        let detail = Failure::from(refusal.clone()).detail();
        assert_eq!(flaw(&detail), None, "{refusal:?}: {detail}");
        for word in
            ["log in", "login", "send ", " body", "header", "route", "cookie", "Authorization", "/2fa"]
        {
            assert!(!detail.contains(word), "{refusal:?}: {detail}");
        }
    }
}

/// What follows `authctl: word: ` is an error; everything else on stderr is a note.
#[test]
fn every_line_on_stderr_has_the_style() {
    let mut flaws = Vec::new();
    for (name, transcript) in transcripts() {
        for line in transcript.lines().filter_map(|line| line.strip_prefix("! ")) {
            let problem = serde_json::from_str::<serde_json::Value>(line).ok();
            let detail = problem.as_ref().and_then(|problem| problem["detail"].as_str());
            let said = line.strip_prefix("authctl: ").and_then(|line| line.split_once(": "));
            let message = detail.or(said.map(|(_, message)| message)).unwrap_or(line);
            if line != "(QR code)"
                && let Some(flaw) = flaw(message)
            {
                flaws.push(format!("{name}: {flaw}: {message}"));
            }
            // What is wrong with a field says what would be right.
            let is_of_fields = line.contains("validation_failed");
            if (detail.is_some() || said.is_some()) && !is_of_fields && !message.contains("; ") {
                flaws.push(format!("{name}: doesn't say what to do next: {message}"));
            }
        }
    }
    assert!(flaws.is_empty(), "{}", flaws.join("\n"));
}

#[test]
fn what_has_not_the_style_is_caught() {
    for (message, caught) in [
        ("there is no user x; `authctl user list` shows who is there", false),
        ("API keys are those of the backup", false),
        ("There is no user", true),
        ("there is no user.", true),
        ("is it there? look", true),
        ("it failed. try again", true),
        ("a\nb", true),
    ] {
        assert_eq!(flaw(message).is_some(), caught, "{message}");
    }
}
