//! Long commands as whoever waits for them sees them: how far they have come, drawn on stderr where that is a
//! terminal and nowhere else, and an end in order when a signal comes.

use super::{Terminal, write_error};
use crate::cli::exit::Failure;
use crate::error::{Error, Fault};
use crate::ports::process;
use crate::ports::progress::{Part, Progress, Stop, Unit};
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::fs::File;
use std::io::{self, IsTerminal, Read, stderr, stdout};
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Quick commands draw nothing.
const DELAY: Duration = Duration::from_millis(500);

const FRAME: Duration = Duration::from_millis(100);

/// How often whoever waits for a pipe looks whether they should stop, should the signal come just before.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// How much a pipe that is ready takes without a wait, in bytes: Linux's `PIPE_BUF`. Elsewhere it may be
/// less, and a signal comes through a little later.
const PIECE: usize = 4096;

/// When a command prints what it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    AtTheEnd,
    /// While it works: on a terminal that itself shows how far it has come.
    AsItGoes,
}

/// A command that may take long, while it does.
#[derive(Debug)]
pub struct LongWork {
    progress: Progress,
    drawing: Option<Drawing>,
}

impl Terminal {
    /// Does something that may take long: after half a second it is drawn how far it has come, and from here
    /// on SIGINT, SIGTERM and SIGHUP stop the work in order instead of ending the program, but for those
    /// that it was started to ignore. Nothing is drawn any more when this returns.
    ///
    /// # Errors
    /// Those of `work`; a fault when the signals can't be caught.
    pub fn long_work<T>(
        &self,
        output: Output,
        work: impl FnOnce(&LongWork) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let stop = Stop::default();
        for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !process::ignores(*signal)) {
            signal_hook::flag::register(signal, Arc::clone(&stop))
                .map_err(|error| Fault::Internal(format!("signals can't be caught: {error}")))?;
        }
        work(&self.watched(output, Progress::stopped_by(stop)))
    }

    /// Reads what a command only shows, which a signal may end as it ends any program; drawn is the same.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn long_read<T>(
        &self,
        output: Output,
        read: impl FnOnce(&LongWork) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        read(&self.watched(output, Progress::default()))
    }

    fn watched(&self, output: Output, progress: Progress) -> LongWork {
        let in_the_way = output == Output::AsItGoes && stdout().is_terminal();
        let seen = stderr().is_terminal() && !in_the_way && !self.is_quiet();
        let drawing = seen.then(|| Drawing::start(progress.clone())).flatten();
        LongWork { progress, drawing }
    }
}

impl LongWork {
    /// What a use-case is given.
    #[must_use]
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Asks whether to go on.
    ///
    /// # Errors
    /// [`Fault::Stopped`], which [`LongWork::told`] puts into words.
    pub fn go_on(&self) -> Result<(), Fault> {
        if self.progress.is_stopped() { Err(Fault::Stopped(String::new())) } else { Ok(()) }
    }

    /// Says of work that was stopped what is so now.
    ///
    /// # Errors
    /// Those of `outcome`.
    pub fn told<T>(&self, outcome: Result<T, Failure>, now: impl FnOnce() -> String) -> Result<T, Failure> {
        match outcome {
            Err(Failure::Error(Error::Failed(Fault::Stopped(_)))) => Err(Fault::Stopped(now()).into()),
            other => other,
        }
    }

    /// Counts whatever is read of a file or a pipe; where there is nothing to read yet, a signal ends the
    /// wait.
    pub fn reading(&self, source: File) -> impl Read + use<> {
        Watched { source, progress: self.progress.clone() }
    }

    /// Writes a result to stdout; where the reader of a pipe is busy, a signal ends the wait.
    ///
    /// # Errors
    /// [`Failure::Closed`], [`Fault::Stopped`], or a fault when stdout can't be written.
    pub(super) fn write(&self, text: &str) -> Result<(), Failure> {
        let out = stdout().lock();
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            until_ready(&out, PollFlags::OUT, &self.progress).map_err(|_| Fault::Stopped(String::new()))?;
            match rustix::io::write(&out, &rest[..rest.len().min(PIECE)]) {
                Ok(written) => rest = &rest[written..],
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(error) => return Err(super::unwritten(&error.into())),
            }
        }
        Ok(())
    }

    /// Does something that writes to stderr or stdout, with the bar out of its way.
    pub fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.drawing {
            Some(drawing) => drawing.aside(work),
            None => work(),
        }
    }
}

/// Waits until a file can be read or written, or somebody wants an end, which is an error.
fn until_ready(file: &impl AsFd, flags: PollFlags, progress: &Progress) -> io::Result<()> {
    loop {
        if progress.is_stopped() {
            return Err(io::Error::other("stopped"));
        }
        match poll(&mut [PollFd::new(file, flags)], Some(&LOOK)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            // What can't be waited for says so when it is read or written.
            Ok(_) | Err(_) => return Ok(()),
        }
    }
}

struct Watched {
    source: File,
    progress: Progress,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        until_ready(&self.source, PollFlags::IN, &self.progress)?;
        let length = self.source.read(buffer)?;
        self.progress.add(length as u64);
        Ok(length)
    }
}

/// The thread that draws.
#[derive(Debug)]
struct Drawing {
    screen: Arc<Mutex<Screen>>,
    /// `None` only while it is dropped.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What stands on the terminal. `None`: nothing yet.
#[derive(Debug, Default)]
struct Screen(Option<(Part, ProgressBar)>);

impl Drawing {
    /// `None`: the machine has no thread to give, and nothing is drawn.
    fn start(progress: Progress) -> Option<Self> {
        let screen = Arc::new(Mutex::new(Screen::default()));
        let (end, ended) = channel();
        let there = Arc::clone(&screen);
        let thread = thread::Builder::new().name("progress".into());
        let thread = thread.spawn(move || draw_until(&ended, &there, &progress)).ok()?;
        Some(Self { screen, end: Some(end), thread: Some(thread) })
    }

    fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        match &lock(&self.screen).0 {
            Some((_, bar)) => bar.suspend(work),
            None => work(),
        }
    }
}

impl Drop for Drawing {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(screen: &Mutex<Screen>) -> std::sync::MutexGuard<'_, Screen> {
    screen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn draw_until(ended: &Receiver<()>, screen: &Mutex<Screen>, progress: &Progress) {
    let mut wait = DELAY;
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(wait) {
        if let Some((part, done)) = progress.seen() {
            lock(screen).draw(part, done, ProgressDrawTarget::stderr);
        }
        wait = FRAME;
    }
    if let Some((_, bar)) = lock(screen).0.take() {
        bar.finish_and_clear();
        // Ctrl-C stands on the line where the bar was.
        if progress.is_stopped() {
            write_error("\r\x1b[K");
        }
    }
}

impl Screen {
    fn draw(&mut self, part: Part, done: u64, target: impl FnOnce() -> ProgressDrawTarget) {
        if self.0.as_ref().is_none_or(|(shown, _)| *shown != part) {
            if let Some((_, bar)) = self.0.take() {
                bar.finish_and_clear();
            }
            let bar = ProgressBar::with_draw_target(part.total, target()).with_message(part.doing);
            bar.set_style(style(part));
            self.0 = Some((part, bar));
        }
        if let Some((_, bar)) = &self.0 {
            // What grows meanwhile never shows as more than all.
            bar.set_position(part.total.map_or(done, |total| done.min(total)));
            bar.tick();
        }
    }
}

/// A number with a comma between thousands.
#[must_use]
pub fn human_count(count: u64) -> String {
    HumanCount(count).to_string()
}

/// Within 80 columns, whatever the numbers.
fn style(part: Part) -> ProgressStyle {
    let template = match (part.unit, part.total) {
        (Unit::Bytes, Some(_)) => {
            "{msg} {bar:24} {percent:>3} %  {bytes} of {total_bytes}  {eta} left".into()
        }
        (Unit::Things(things), Some(_)) => {
            format!("{{msg}} {{bar:24}} {{percent:>3}} %  {{human_pos}} {things}  {{eta}} left")
        }
        (Unit::Bytes, None) => "{spinner} {msg}  {bytes}  {elapsed}".into(),
        (Unit::Things(things), None) => format!("{{spinner}} {{msg}}  {{human_pos}} {things}  {{elapsed}}"),
        (Unit::Nothing, _) => "{spinner} {msg}  {elapsed}".to_owned(),
    };
    ProgressStyle::with_template(&template).expect("the templates are constants, each of which a test draws")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(progress: &Progress) -> LongWork {
        LongWork { progress: progress.clone(), drawing: None }
    }

    #[test]
    fn every_part_is_drawn_whatever_is_counted() {
        let mut screen = Screen::default();
        for unit in [Unit::Bytes, Unit::Things("users"), Unit::Nothing] {
            for total in [None, Some(3)] {
                let part = Part { doing: "copying", unit, total };
                screen.draw(part, 5, ProgressDrawTarget::hidden);
                let (shown, bar) = screen.0.as_ref().unwrap();
                assert_eq!((*shown, bar.length(), bar.message().as_str()), (part, total, "copying"));
                assert_eq!(bar.position(), total.unwrap_or(5), "never more than all");
            }
        }
    }

    #[test]
    fn what_is_read_is_counted_until_somebody_wants_an_end() {
        let progress = Progress::default();
        let work = quiet(&progress);
        progress.begin("reading", Unit::Bytes, None);
        let path = std::env::current_exe().unwrap();
        let mut source = work.reading(File::open(path).unwrap());
        let mut buffer = [0; 100];
        source.read_exact(&mut buffer).unwrap();
        assert_eq!(progress.seen().unwrap().1, 100);
        progress.stop().store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(source.read(&mut buffer).is_err());
        let stopped = work.told(work.go_on().map_err(Failure::from), || "it is half done".into());
        assert_eq!(stopped, Err(Fault::Stopped("it is half done".into()).into()));
    }
}
