//! How far a long command has come, drawn on stderr where that is a terminal, and nowhere else.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Read, stderr};
use std::time::Duration;

/// A bar that counts the bytes of a file, and goes with the command's end.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Starts the bar on stderr, where that is a terminal. `bytes` of `None`: nobody knows how many, as of a
    /// pipe.
    #[must_use]
    pub fn new(bytes: Option<u64>) -> Self {
        if !stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let (bar, template) = match bytes {
            Some(bytes) => (ProgressBar::new(bytes), "{bar:40} {percent:>3} %  {eta} left"),
            None => (ProgressBar::new_spinner(), "{spinner} {bytes}"),
        };
        bar.set_style(
            ProgressStyle::with_template(template).expect("the template is a constant that a test draws"),
        );
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Counts whatever is read.
    pub fn reading<R: Read>(&self, source: R) -> impl Read + use<R> {
        self.0.wrap_read(source)
    }

    /// Does something that writes to stderr or stdout, with the bar out of its way.
    pub fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.0.suspend(work)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::ProgressDrawTarget;

    #[test]
    fn off_a_terminal_nothing_is_drawn_and_all_is_read() {
        for bytes in [None, Some(3)] {
            let progress = Progress(ProgressBar::with_draw_target(bytes, ProgressDrawTarget::hidden()));
            let mut text = String::new();
            progress.reading(&b"abc"[..]).read_to_string(&mut text).unwrap();
            assert_eq!((text.as_str(), progress.0.position()), ("abc", 3));
            assert_eq!(progress.aside(|| 1), 1);
        }
    }
}
