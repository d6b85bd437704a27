//! A text as a QR code (ISO/IEC 18004) that a phone reads off a page, a picture or a terminal: black on
//! white, with the quiet zone of four modules that readers need. Colours of a terminal are its own business.

use crate::domain::secret::Secret;
use crate::error::Fault;
use qrcode::render::{svg, unicode::Dense1x2};
use qrcode::{Color, EcLevel, QrCode};
use std::fmt;

/// The white border, in modules.
const QUIET: usize = 4;

/// The side of a module in a picture, in pixels.
const MODULE_PX: usize = 8;

/// A QR code, still without a form.
#[derive(Clone)]
pub struct Qr(QrCode);

/// It is as secret as its text.
impl fmt::Debug for Qr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What the blocks of a terminal's letters stand for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    /// The dark modules: right where letters are dark on light.
    Dark,
    /// The light ones: right where letters are light on dark.
    Light,
}

impl Qr {
    /// With the least correction of errors: a screen has neither dirt nor scratches, and fewer modules are
    /// larger ones.
    ///
    /// # Errors
    /// [`Fault::Internal`] when the text is too long for a QR code.
    pub fn of(text: &Secret<String>) -> Result<Self, Fault> {
        let code = QrCode::with_error_correction_level(text.expose(), EcLevel::L);
        Ok(Self(code.map_err(|error| undrawable(&error))?))
    }

    /// How many modules a side has, with its quiet zone.
    #[must_use]
    pub fn side(&self) -> usize {
        self.0.width() + 2 * QUIET
    }

    /// A picture for a page, which scales.
    #[must_use]
    pub fn svg(&self) -> String {
        let svg = self
            .0
            .render::<svg::Color<'_>>()
            .dark_color(svg::Color("#000"))
            .light_color(svg::Color("#fff"))
            .min_dimensions(240, 240)
            .build();
        // It goes into a page, where an XML declaration has no place.
        svg.find("<svg").map_or_else(String::new, |start| svg[start..].to_owned())
    }

    /// A picture as a file, in PNG.
    ///
    /// # Errors
    /// [`Fault::Internal`] when it can't be drawn.
    pub fn png(&self) -> Result<Vec<u8>, Fault> {
        let side = self.side() * MODULE_PX;
        let pixels: Vec<u8> =
            (0..side * side).map(|at| self.shade(at % side / MODULE_PX, at / side / MODULE_PX)).collect();
        let width = u32::try_from(side).map_err(|error| undrawable(&error))?;
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, width);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().map_err(|error| undrawable(&error))?;
        writer.write_image_data(&pixels).map_err(|error| undrawable(&error))?;
        writer.finish().map_err(|error| undrawable(&error))?;
        Ok(file)
    }

    /// Lines of half blocks, two modules above one another in each letter.
    #[must_use]
    pub fn half_blocks(&self, ink: Ink) -> String {
        let (dark, light) = match ink {
            Ink::Dark => (Dense1x2::Dark, Dense1x2::Light),
            Ink::Light => (Dense1x2::Light, Dense1x2::Dark),
        };
        self.0.render().dark_color(dark).light_color(light).build()
    }

    /// How light the picture is there, `x` and `y` in modules from its corner.
    fn shade(&self, x: usize, y: usize) -> u8 {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < self.0.width());
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) if self.0[(x, y)] == Color::Dark => 0,
            _ => 255,
        }
    }
}

fn undrawable(why: &dyn fmt::Display) -> Fault {
    Fault::Internal(format!("a QR code can't be drawn: {why}"))
}
