//! Which of several names somebody most likely meant by one that nobody has.

/// Names are a line at most; longer ones are compared with nothing.
const LONGEST: usize = 320;

/// Finds the name that is nearest to what was typed, whatever the case. `None`: none is near, that is within
/// one slip, and one more for every four letters typed; of an address both before and after the `@`. Slips
/// are a letter too many, too few or another one, and two that changed places.
pub fn nearest<'n>(typed: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let typed = typed.to_lowercase();
    let near = |name: &'n str| Some((slips_between(&typed, &name.to_lowercase())?, name));
    names.into_iter().filter_map(near).min_by_key(|(slips, _)| *slips).map(|(_, name)| name)
}

/// `None`: too many.
fn slips_between(typed: &str, name: &str) -> Option<usize> {
    match (typed.rsplit_once('@'), name.rsplit_once('@')) {
        (Some(typed), Some(name)) => Some(slips_in(typed.0, name.0)? + slips_in(typed.1, name.1)?),
        _ => slips_in(typed, name),
    }
}

fn slips_in(typed: &str, name: &str) -> Option<usize> {
    let letters = |text: &str| text.chars().take(LONGEST + 1).collect::<Vec<_>>();
    let (typed, name) = (letters(typed), letters(name));
    let allowed = 1 + typed.len() / 4;
    if typed.is_empty() || typed.len() > LONGEST || name.len().abs_diff(typed.len()) > allowed {
        return None;
    }
    Some(slips(&typed, &name)).filter(|slips| *slips <= allowed && *slips < name.len())
}

/// The optimal string alignment distance.
fn slips(one: &[char], other: &[char]) -> usize {
    let mut before = vec![0; other.len() + 1];
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, wanted) in other.iter().enumerate() {
            let replaced = last[j] + usize::from(letter != wanted);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *letter == other[j - 1] && one[i - 1] == *wanted {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_or_two_are_forgiven_and_another_word_is_not() {
        let names = ["admin", "editor", "support", "LoginFailed", "LoginSucceeded"];
        for (typed, meant) in [
            ("edtor", Some("editor")),
            ("edtior", Some("editor")),
            ("Editors", Some("editor")),
            ("loginfailed", Some("LoginFailed")),
            ("LoginFail", Some("LoginFailed")),
            ("LoginSucceded", Some("LoginSucceeded")),
            ("admn", Some("admin")),
            ("billing", None),
            ("a", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, names), meant, "{typed}");
        }
        assert_eq!(nearest(&"x".repeat(100_000), names), None);
    }

    #[test]
    fn of_two_that_are_near_the_nearer_one_is_meant() {
        assert_eq!(
            nearest("ann@exmaple.com", ["anna@example.com", "ann@example.com"]),
            Some("ann@example.com")
        );
        assert_eq!(slips(&['a', 'b'], &['b', 'a']), 1);
    }

    #[test]
    fn people_at_one_host_are_told_apart() {
        let ann = ["ann@example.com"];
        assert_eq!(nearest("ann@exmaple.com", ann), Some("ann@example.com"));
        assert_eq!(nearest("anne@example.com", ann), Some("ann@example.com"));
        assert_eq!(nearest("bob@example.com", ann), None);
        assert_eq!(nearest("@example.com", ann), None);
    }
}
