//! The load that wrk can't make: clients that each carry something from one answer to the next request.

use crate::Outcome;
use crate::client::{Client, post};
use crate::machine::Watch;
use crate::people::Tokens;
use crate::wrk::{Aim, Load};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

const FIELD: &[u8] = b"\"refresh_token\":\"";

/// Each client rotates the refresh tokens of its share of the sessions by turns, one request after the other.
/// The tokens are the newest afterwards.
pub fn refresh(aim: Aim<'_>, sessions: &mut [Tokens]) -> Outcome<Load> {
    refresh_at(&[aim.address], aim, sessions)
}

/// As [`refresh`], with the clients dealt out to several daemons.
pub fn refresh_at(addresses: &[&str], aim: Aim<'_>, sessions: &mut [Tokens]) -> Outcome<Load> {
    clients(addresses, aim, sessions, |client, share, done| {
        let turn = usize::try_from(done)? % share.len();
        rotate(client, &mut share[turn])
    })
}

/// Each client logs somebody in after so many rotations: a request is either. Everybody's login is another's.
pub fn mixed(aim: Aim<'_>, sessions: &mut [Tokens], rotations: u64, logins: &[String]) -> Outcome<Load> {
    let next = AtomicUsize::new(0);
    clients(&[aim.address], aim, sessions, |client, share, done| {
        if done % (rotations + 1) < rotations {
            let turn = usize::try_from(done)? % share.len();
            return rotate(client, &mut share[turn]);
        }
        let login = &logins[next.fetch_add(1, Relaxed) % logins.len()];
        let answer = client.ask(login.as_bytes())?;
        if answer.status != 200 {
            return Err(format!("a login was refused: {}", String::from_utf8_lossy(answer.body)).into());
        }
        Ok(())
    })
}

/// Clients that each have a connection and a share of the sessions, and call `ask` again and again with how
/// often they have before.
fn clients(
    addresses: &[&str],
    aim: Aim<'_>,
    sessions: &mut [Tokens],
    ask: impl Fn(&mut Client, &mut [Tokens], u64) -> Outcome<()> + Sync,
) -> Outcome<Load> {
    let watch = Watch::start();
    let begun = Instant::now();
    let run = &|address: &str, share: &mut [Tokens]| -> Outcome<u64> {
        let mut client = Client::connect(address)?;
        let mut done = 0;
        while begun.elapsed() < aim.length {
            ask(&mut client, share, done)?;
            done += 1;
        }
        Ok(done)
    };
    let shares = sessions.chunks_mut(sessions.len().div_ceil(aim.connections));
    let dealt = shares.zip(addresses.iter().cycle());
    let answers =
        together(dealt.map(|(share, address)| move || run(address, share)).collect())?.into_iter().sum();
    let rate = answers as f64 / begun.elapsed().as_secs_f64();
    Ok(Load { rate, answers, failures: 0, generator: watch.share() })
}

fn rotate(client: &mut Client, session: &mut Tokens) -> Outcome<()> {
    let request = post("/api/auth/refresh", &format!(r#"{{"refresh_token":"{}"}}"#, session.refresh));
    let answer = client.ask(request.as_bytes())?;
    if answer.status != 200 {
        return Err(format!("a refresh was refused: {}", String::from_utf8_lossy(answer.body)).into());
    }
    session.refresh = token(answer.body).ok_or("no refresh token in the answer")?;
    Ok(())
}

/// Sends requests at a fixed rate, each at its time whether or not those before it were answered, as long as
/// a connection is free. Gives how long each took, sorted: from when it was *meant* to be sent, so that a
/// server that stands still is not spared the requests that nobody could send meanwhile.
pub fn steady(aim: Aim<'_>, rate: u32, requests: &[String]) -> Outcome<Vec<Duration>> {
    let count = usize::try_from(aim.length.as_millis() * u128::from(rate) / 1_000)?;
    // So that all are connected before the first is due.
    let begin = Instant::now() + Duration::from_millis(100);
    let send = |first: usize| -> Outcome<Vec<Duration>> {
        let mut client = Client::connect(aim.address)?;
        let mut took = Vec::new();
        for number in (first..count).step_by(aim.connections) {
            let due = begin + Duration::from_secs_f64(number as f64 / f64::from(rate));
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let answer = client.ask(requests[number % requests.len()].as_bytes())?;
            if answer.status != 200 {
                return Err(format!("an answer of {}", answer.status).into());
            }
            took.push(due.elapsed());
        }
        Ok(took)
    };
    let mut took = together((0..aim.connections).map(|first| move || send(first)).collect())?.concat();
    took.sort_unstable();
    Ok(took)
}

/// What so many of a thousand don't exceed. Zero where there is nothing.
pub fn permille(sorted: &[Duration], part: usize) -> Duration {
    let at = (sorted.len() * part).div_ceil(1_000);
    sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
}

/// Runs all of them at once, a thread each.
pub fn together<T: Send>(work: Vec<impl FnOnce() -> Outcome<T> + Send>) -> Outcome<Vec<T>> {
    thread::scope(|scope| {
        let threads: Vec<_> = work.into_iter().map(|work| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a client panicked")?).collect()
    })
}

/// The field's value: a token holds nothing that JSON would escape.
fn token(body: &[u8]) -> Option<String> {
    let at = body.windows(FIELD.len()).position(|window| window == FIELD)? + FIELD.len();
    let end = at + body[at..].iter().position(|byte| *byte == b'"')?;
    String::from_utf8(body[at..end].to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permille_is_one_of_the_values() {
        let hundred: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(permille(&hundred, 990), Duration::from_millis(99));
        assert_eq!(permille(&hundred, 1_000), Duration::from_millis(100));
        assert_eq!(permille(&hundred[..1], 500), Duration::from_millis(1));
    }

    #[test]
    fn the_token_is_found_in_an_answer() {
        assert_eq!(token(br#"{"a":1,"refresh_token":"x.y","b":2}"#).as_deref(), Some("x.y"));
        assert_eq!(token(br#"{"a":1}"#), None);
    }
}
