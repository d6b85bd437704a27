//! What a phone's camera sees of a terminal: its letters, drawn as they are lit, and read by zbarimg.

use crate::phone;
use std::path::Path;

/// A letter's cell, in pixels: twice as high as it is wide, as terminals have it.
const WIDTH: usize = 6;
const HEIGHT: usize = 12;

/// Shades of grey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shades {
    pub ink: u8,
    pub ground: u8,
}

/// As most terminals are, and as some are.
pub const DARK: Shades = Shades { ink: 229, ground: 16 };
pub const LIGHT: Shades = Shades { ink: 16, ground: 253 };

/// The colours that a code brings along.
const BLACK_ON_WHITE: &str = "38;5;16;48;5;231";

/// The lines of a code on a screen, between whatever else stands there.
pub fn code_on(screen: &str) -> Vec<&str> {
    let is_part = |line: &&str| line.contains(['█', '▀', '▄']) || line.contains(BLACK_ON_WHITE);
    screen.lines().filter(is_part).collect()
}

/// Reads the code on a screen with these shades of its own, which must be dark on light, since not every
/// phone reads the contrary. `None`: zbarimg is not installed.
pub fn scan(folder: &Path, screen: &str, own: Shades) -> Option<String> {
    let lines: Vec<Vec<(char, Shades)>> =
        code_on(screen).into_iter().map(|line| letters(line, own)).collect();
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    // The screen goes on around it.
    let (wide, high) = (columns + 4, lines.len() + 2);
    let mut pixels = vec![own.ground; wide * WIDTH * high * HEIGHT];
    for (row, line) in lines.iter().enumerate() {
        for (column, (letter, shades)) in line.iter().enumerate() {
            for at in 0..WIDTH * HEIGHT {
                let (x, y) = (column * WIDTH + at % WIDTH, (row + 1) * HEIGHT + at / WIDTH);
                let inked = match letter {
                    '█' => true,
                    '▀' => at / WIDTH < HEIGHT / 2,
                    '▄' => at / WIDTH >= HEIGHT / 2,
                    _ => false,
                };
                pixels[y * wide * WIDTH + x] = if inked { shades.ink } else { shades.ground };
            }
        }
    }
    assert!(pixels[HEIGHT * wide * WIDTH] > 127, "the border around the code is dark");
    let path = folder.join("screen.pgm");
    let head = format!("P5 {} {} 255\n", wide * WIDTH, high * HEIGHT);
    std::fs::write(&path, [head.as_bytes(), &pixels].concat()).unwrap();
    phone::run("zbarimg", &["--quiet", "--raw", path.to_str().unwrap()])
}

/// The letters of a line with the colours that the escape sequences before them give.
fn letters(line: &str, own: Shades) -> Vec<(char, Shades)> {
    let mut shades = own;
    let mut found = Vec::new();
    let mut rest = line.trim_end_matches('\r');
    while let Some(c) = rest.chars().next() {
        if let Some(sequence) = rest.strip_prefix("\u{1b}[") {
            let (parameters, after) = sequence.split_once('m').expect("nothing but colours is set here");
            shades = match parameters {
                BLACK_ON_WHITE => Shades { ink: 0, ground: 255 },
                "0" => own,
                other => panic!("an unknown colour: {other}"),
            };
            rest = after;
        } else {
            found.push((c, shades));
            rest = &rest[c.len_utf8()..];
        }
    }
    found
}
