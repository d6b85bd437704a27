//! A colour of the pages, and whether people can read what is written in it (WCAG 2.2 §1.4.3).

use std::fmt;

/// The least contrast between a text and what is behind it.
const READABLE: f64 = 4.5;

/// The grounds that links and buttons stand on: the sheet of the light and of the dark pages. The stylesheet
/// has the same two.
pub const LIGHT_GROUND: Color = Color([0xff, 0xff, 0xff]);
pub const DARK_GROUND: Color = Color([0x1b, 0x1d, 0x21]);

const BLACK: Color = Color([0, 0, 0]);

/// Red, green and blue of sRGB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Color(pub [u8; 3]);

impl Color {
    /// Reads `#rrggbb` or `#rgb`. `None`: it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let channel = |at: usize| match digits.len() {
            3 => u8::from_str_radix(&digits[at..=at].repeat(2), 16).ok(),
            6 => u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok(),
            _ => None,
        };
        Some(Self([channel(0)?, channel(1)?, channel(2)?]))
    }

    /// Whether a text of this colour can be read on that ground.
    #[must_use]
    pub fn is_readable_on(self, ground: Self) -> bool {
        contrast(self, ground) >= READABLE
    }

    /// Makes it lighter until it can be read on a dark ground.
    #[must_use]
    pub fn for_dark_ground(self) -> Self {
        let lighter = |step: u8| {
            Self(self.0.map(|channel| {
                let room = u16::from(0xff - channel) * u16::from(step) / 20;
                channel.saturating_add(u8::try_from(room).unwrap_or(u8::MAX))
            }))
        };
        let readable = (0..=20).map(lighter).find(|color| color.is_readable_on(DARK_GROUND));
        readable.unwrap_or(LIGHT_GROUND)
    }

    /// The colour of texts on this one: white or black, whichever is easier to read.
    #[must_use]
    pub fn text(self) -> Self {
        if contrast(self, LIGHT_GROUND) >= contrast(self, BLACK) { LIGHT_GROUND } else { BLACK }
    }

    /// The relative luminance (WCAG 2.2 §Definitions), from 0 to 1.
    fn luminance(self) -> f64 {
        let linear = self.0.map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }
}

/// The contrast of two colours (WCAG 2.2 §Definitions), from 1 to 21.
fn contrast(one: Color, other: Color) -> f64 {
    let (one, other) = (one.luminance(), other.luminance());
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// `#rrggbb`.
impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_color_is_read_from_both_forms_and_no_others() {
        assert_eq!(Color::parse("#1d4ed8"), Some(Color([0x1d, 0x4e, 0xd8])));
        assert_eq!(Color::parse("#FA0"), Some(Color([0xff, 0xaa, 0x00])));
        for text in ["", "#", "red", "1d4ed8", "#12", "#1234", "#12345", "#1234567", "#ggg", "#+1+1+1", "#é1"]
        {
            assert_eq!(Color::parse(text), None, "{text}");
        }
    }

    #[test]
    fn contrasts_are_those_of_the_standard() {
        assert!((contrast(BLACK, LIGHT_GROUND) - 21.0).abs() < 1e-9);
        // The lightest gray that WCAG takes on white.
        assert!(Color([0x76, 0x76, 0x76]).is_readable_on(LIGHT_GROUND));
        assert!(!Color([0x77, 0x77, 0x77]).is_readable_on(LIGHT_GROUND));
    }

    proptest! {
        #[test]
        fn whatever_the_color_is_dark_pages_and_buttons_can_be_read(channels: [u8; 3]) {
            let color = Color(channels);
            let dark = color.for_dark_ground();
            prop_assert!(dark.is_readable_on(DARK_GROUND));
            prop_assert!(color.text().is_readable_on(color));
            prop_assert!(dark.text().is_readable_on(dark));
            prop_assert_eq!(Color::parse(&color.to_string()), Some(color));
        }
    }
}
