//! A QR code in the letters of a terminal, with what stands under it.

use super::table::Colour;
use crate::usecase::account::qr::{Ink, Qr};

/// Black on white out of the fixed part of the palette: the colours called so are whatever the terminal's
/// owner made of them.
const BLACK_ON_WHITE: &str = "\u{1b}[38;5;16;48;5;231m";
const AS_BEFORE: &str = "\u{1b}[0m";

/// Draws the code and a line under it. Without colours it can't know whether text or background is darker,
/// and assumes the background, as on most terminals. `columns` of `None`: no terminal, and lines of any
/// length.
#[must_use]
pub fn draw(qr: &Qr, caption: &str, colour: Colour, columns: Option<u16>) -> String {
    if let Some(columns) = columns.filter(|columns| usize::from(*columns) < qr.side()) {
        let side = qr.side();
        return format!(
            "(the QR code needs {side} columns and this terminal has {columns}: make it wider and run this again)\n{caption}\n"
        );
    }
    let lines = match colour {
        Colour::On => {
            let paint = |line: &str| format!("{BLACK_ON_WHITE}{line}{AS_BEFORE}\n");
            qr.half_blocks(Ink::Dark).lines().map(paint).collect()
        }
        Colour::Off => qr.half_blocks(Ink::Light) + "\n",
    };
    format!("{lines}{caption}\n")
}
