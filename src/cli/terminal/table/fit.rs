//! How wide each column of a table is on a screen, and which ones give way where there is no room for all.

/// What a column that may be wrapped needs to stay readable, besides its longest word.
const TEXT_MIN: u16 = 10;

/// The longest word that is kept whole while columns can give way.
const WORD_MAX: u16 = 20;

/// The longest word that what room there is goes to first.
const WORD_FIRST: u16 = 40;

/// The longest name or address for which other columns go: a longer one is broken instead, as it might take
/// the whole screen to itself.
const WHOLE_MAX: u16 = 40;

/// The least that a column is ever cut to.
const LEAST: u16 = 3;

/// What a column asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// So much, and no less unless it is very long.
    Whole(u16),
    /// So much, or less with its texts wrapped.
    Text { all: u16, least: u16, word: u16 },
}

impl Want {
    /// Texts of this width, and of words of which none is longer than `word`.
    pub(super) fn text(all: u16, word: u16) -> Self {
        Self::Text {
            all,
            least: word.clamp(TEXT_MIN, WORD_MAX).min(all),
            word: word.min(WORD_FIRST).min(all),
        }
    }

    const fn all(self) -> u16 {
        match self {
            Self::Whole(width) | Self::Text { all: width, .. } => width,
        }
    }

    fn least(self) -> u16 {
        match self {
            Self::Whole(width) => width.min(WHOLE_MAX),
            Self::Text { least, .. } => least,
        }
    }

    /// Where its words are whole, or the longest of them nearly so.
    const fn readable(self) -> u16 {
        match self {
            Self::Whole(width) | Self::Text { word: width, .. } => width,
        }
    }

    /// What it is not cut below while anything else can be.
    fn floor(self) -> u16 {
        match self {
            Self::Whole(width) => width.min(WHOLE_MAX),
            Self::Text { least, .. } => least.min(TEXT_MIN),
        }
    }
}

/// Gives each column the width of its content, or `None` where it has given way.
///
/// First texts are wrapped, between words; then columns go, in the order of `gives_way`; and where what is
/// left is too wide still, words are broken, and at last the widest column, whatever it holds. No column goes
/// for which there is room once others have gone.
pub(super) fn fit(wants: &[Want], gives_way: &[usize], screen: u16) -> Vec<Option<u16>> {
    let mut shown = vec![true; wants.len()];
    let mut gone = Vec::new();
    for &column in gives_way {
        if least(wants, &shown) <= u32::from(screen) {
            break;
        }
        shown[column] = false;
        gone.push(column);
    }
    for column in gone.into_iter().rev() {
        shown[column] = true;
        shown[column] = least(wants, &shown) <= u32::from(screen);
    }
    let mut widths: Vec<Option<u16>> =
        wants.iter().zip(&shown).map(|(want, shown)| shown.then(|| want.least())).collect();
    shrink(&mut widths, wants, screen);
    grow(&mut widths, wants, screen, Want::readable);
    grow(&mut widths, wants, screen, Want::all);
    widths
}

/// A border and two blanks for each column, and the last border.
fn with_borders(widths: impl Iterator<Item = u16>) -> u32 {
    widths.fold(1, |sum, width| sum + u32::from(width) + 3)
}

fn least(wants: &[Want], shown: &[bool]) -> u32 {
    with_borders(wants.iter().zip(shown).filter(|(_, shown)| **shown).map(|(want, _)| want.least()))
}

fn total(widths: &[Option<u16>]) -> u32 {
    with_borders(widths.iter().flatten().copied())
}

/// Takes what is too much from the widest, of texts first.
fn shrink(widths: &mut [Option<u16>], wants: &[Want], screen: u16) {
    while total(widths) > u32::from(screen) {
        let mut shown: Vec<(&mut u16, u16)> = widths
            .iter_mut()
            .zip(wants)
            .filter_map(|(width, want)| Some((width.as_mut()?, want.floor())))
            .collect();
        shown.sort_by_key(|(width, floor)| (**width > *floor, **width));
        match shown.pop() {
            Some((widest, _)) if *widest > LEAST => *widest -= 1,
            _ => return,
        }
    }
}

/// Gives the texts what there is over, as evenly as they can use it, up to what `wish` says.
fn grow(widths: &mut [Option<u16>], wants: &[Want], screen: u16, wish: fn(Want) -> u16) {
    let mut over = u32::from(screen).saturating_sub(total(widths));
    while over > 0 {
        let narrow = widths
            .iter_mut()
            .zip(wants)
            .filter_map(|(width, want)| width.as_mut().filter(|width| **width < wish(*want)));
        match narrow.min() {
            Some(narrowest) => *narrowest += 1,
            None => return,
        }
        over -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Want::Whole;

    fn text(width: u16) -> Want {
        Want::text(width, 0)
    }

    #[test]
    fn what_has_room_is_as_wide_as_it_likes() {
        assert_eq!(fit(&[Whole(8), text(40)], &[0], 55), [Some(8), Some(40)]);
    }

    #[test]
    fn texts_are_wrapped_before_a_column_goes() {
        assert_eq!(fit(&[Whole(8), text(40)], &[0], 54), [Some(8), Some(39)]);
        assert_eq!(fit(&[Whole(8), text(40)], &[0], 25), [Some(8), Some(10)]);
        assert_eq!(fit(&[text(30), text(12)], &[], 31), [Some(12), Some(12)]);
    }

    #[test]
    fn a_word_is_broken_only_where_no_column_can_go() {
        let wants = [Whole(8), Want::text(40, 16)];
        assert_eq!(fit(&wants, &[0], 31), [Some(8), Some(16)]);
        assert_eq!(fit(&wants, &[0], 30), [None, Some(26)]);
        assert_eq!(fit(&wants, &[], 30), [Some(8), Some(15)]);
        assert_eq!(fit(&[Whole(30), Want::text(40, 16)], &[], 48), [Some(30), Some(11)]);
    }

    #[test]
    fn room_goes_to_broken_words_first() {
        let wants = [Whole(34), Want::text(25, 25), Want::text(17, 12)];
        assert_eq!(fit(&wants, &[], 80), [Some(34), Some(24), Some(12)]);
        assert_eq!(fit(&wants, &[], 83), [Some(34), Some(25), Some(14)]);
        assert_eq!(fit(&[Want::text(90, 90), text(60)], &[], 80), [Some(40), Some(33)]);
    }

    #[test]
    fn columns_go_in_their_order_and_come_back_where_there_is_room() {
        let wants = [Whole(8), Whole(30), text(40), Whole(16)];
        assert_eq!(fit(&wants, &[3, 2, 0], 77), [Some(8), Some(30), Some(10), Some(16)]);
        assert_eq!(fit(&wants, &[3, 2, 0], 76), [Some(8), Some(30), Some(28), None]);
        // Without the text there is room again for the time that went before it.
        let wants = [Whole(8), Whole(30), text(40), Whole(9)];
        assert_eq!(fit(&wants, &[3, 2, 0], 57), [Some(8), Some(30), None, Some(9)]);
    }

    #[test]
    fn no_column_goes_for_an_endless_address() {
        let wants = [Whole(12), Whole(94), text(10)];
        assert_eq!(fit(&wants, &[2, 0], 80), [Some(12), Some(48), Some(10)]);
        assert_eq!(fit(&[Whole(12), Whole(40), text(30)], &[2, 0], 60), [Some(12), Some(40), None]);
        assert_eq!(fit(&wants, &[2, 0], 126), [Some(12), Some(94), Some(10)]);
    }

    #[test]
    fn at_last_the_widest_is_wrapped() {
        assert_eq!(fit(&[Whole(8), Whole(60)], &[0], 40), [None, Some(36)]);
        assert_eq!(fit(&[Whole(60), Whole(6)], &[], 40), [Some(27), Some(6)]);
        assert_eq!(fit(&[Whole(60), Whole(60)], &[], 4), [Some(3), Some(3)]);
    }
}
