//! Users of a made database, as they log in.

use crate::Outcome;
use crate::client::{Client, post};
use crate::seed::{PASSWORD, email};
use serde_json::Value;
use std::sync::Mutex;

/// Tokens of one session.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// So many users who may log in, or all of them, spread evenly; another `turn` begins elsewhere.
pub fn some(users: i64, count: usize, turn: usize) -> Vec<i64> {
    let enabled: Vec<i64> = (0..users).filter(|user| user % 100 != 99).collect();
    let (step, first) = ((enabled.len() / count).max(1), turn * 7919);
    (0..count.min(enabled.len())).map(|at| enabled[(first + at * step) % enabled.len()]).collect()
}

/// The request by which a user logs in.
pub fn login(user: i64) -> String {
    post("/api/auth/login", &format!(r#"{{"email":"{}","password":"{PASSWORD}"}}"#, email(user)))
}

/// Logs these in, some at once.
pub fn log_in(address: &str, users: &[i64]) -> Outcome<Vec<Tokens>> {
    let rest = Mutex::new(users.iter());
    let next = || rest.lock().ok().and_then(|mut rest| rest.next().copied());
    let worker = || -> Outcome<Vec<Tokens>> {
        let mut client = Client::connect(address)?;
        let mut tokens = Vec::new();
        while let Some(user) = next() {
            tokens.push(read(client.ask(login(user).as_bytes())?.body)?);
        }
        Ok(tokens)
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8).map(|_| scope.spawn(worker)).collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.join().map_err(|_| "a login panicked")??);
        }
        Ok(all)
    })
}

fn read(body: &[u8]) -> Outcome<Tokens> {
    let answer: Value = serde_json::from_slice(body)?;
    let text = |name: &str| answer[name].as_str().map(str::to_owned).ok_or(format!("no {name} in {answer}"));
    Ok(Tokens { access: text("access_token")?, refresh: text("refresh_token")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_enabled_and_all_different() {
        for (users, count) in [(1_000, 64), (1_000, 5_000), (1_000_000, 2_000)] {
            let wanted = count.min(usize::try_from(users).unwrap() * 99 / 100);
            let mut some = some(users, count, 3);
            assert_eq!(some.len(), wanted);
            assert!(some.iter().all(|user| user % 100 != 99 && (0..users).contains(user)));
            some.sort_unstable();
            some.dedup();
            assert_eq!(some.len(), wanted);
        }
    }
}
