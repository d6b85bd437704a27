//! How often a second all cores together do something; both programs that hash count with it.

use std::error::Error;
use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The one argument of both programs.
pub fn seconds() -> Outcome<Duration> {
    let argument = std::env::args().nth(1).ok_or("how many seconds?")?;
    Ok(Duration::from_secs(argument.parse()?))
}

/// Calls made by all threads a second; each thread makes its own function first.
pub fn rate<F: FnMut() -> Outcome<()>>(
    length: Duration,
    make: impl Fn() -> Outcome<F> + Sync,
) -> Outcome<f64> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let work = || -> Outcome<f64> {
        let mut call = make()?;
        // The first finds its memory cold.
        call()?;
        let (begun, mut calls) = (Instant::now(), 0);
        while begun.elapsed() < length {
            call()?;
            calls += 1;
        }
        Ok(f64::from(calls) / begun.elapsed().as_secs_f64())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let rates = workers.into_iter().map(|worker| worker.join().map_err(|_| "a thread panicked")?);
        rates.sum::<Outcome<f64>>()
    })
}
