//! The limits of a login: how many passwords a second all cores hash, by authd's own code and by the C reference.
//!
//! `authd-bench-hashes authd|reference SECONDS` prints the figure, a number of hashes a second.

use argon2_kdf::{Algorithm, Hasher};
use authd::crypto::password::{self, Memory, Salt};
use authd::domain::password::{HashCost, Password};
use authd::usecase::calibrate::LEAST;
use std::error::Error;
use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

/// What a login costs where nothing else is configured.
const COST: HashCost = LEAST;
const PASSWORD: &str = "correct horse battery staple";

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [which, seconds] = arguments.as_slice() else { return Err("authd|reference and the seconds".into()) };
    let length = Duration::from_secs(seconds.parse()?);
    let rate = match which.as_str() {
        "authd" => rate(length, || {
            let (mut memory, salt) = (Memory::new(), Salt::default());
            let password = Password::new(PASSWORD).map_err(|_| "no password")?;
            Ok(move || {
                let hash = password::hash(COST, &password, &salt, &mut memory);
                hash.map(drop).map_err(|fault| format!("{fault:?}").into())
            })
        })?,
        "reference" => rate(length, || {
            let hasher = || {
                Hasher::new()
                    .algorithm(Algorithm::Argon2id)
                    .custom_salt(b"sixteen bytes!!!")
                    .hash_length(32)
                    .memory_cost_kib(COST.memory_kib)
                    .iterations(COST.iterations)
                    .threads(COST.parallelism)
            };
            Ok(move || hasher().hash(PASSWORD.as_bytes()).map(drop).map_err(Into::into))
        })?,
        other => return Err(format!("neither authd nor reference: {other}").into()),
    };
    println!("{rate:.3}");
    Ok(())
}

/// Calls made by all threads a second; each thread makes its own function first.
fn rate<F: FnMut() -> Outcome<()>>(length: Duration, make: impl Fn() -> Outcome<F> + Sync) -> Outcome<f64> {
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
