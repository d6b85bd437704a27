//! Users to log in with: imported with one hash for all, made by authd itself at its default cost.

use crate::Outcome;
use crate::client::{Client, post};
use crate::daemon::Place;
use serde_json::Value;
use std::sync::Mutex;

pub const PASSWORD: &str = "correct horse battery staple";

/// Tokens of one session.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

pub fn email(number: usize) -> String {
    format!("user{number}@example.com")
}

pub fn login_body(number: usize) -> String {
    format!(r#"{{"email":"{}","password":"{PASSWORD}"}}"#, email(number))
}

/// Makes `count` users, numbered from 0.
pub fn seed(place: &Place, count: usize) -> Outcome<()> {
    place.run(&["user", "add", "first@example.com", "--verified", "--password-stdin"], PASSWORD)?;
    let first: Value = serde_json::from_str(&place.run(&["export", "--with-hashes"], "")?)?;
    let (hash, verified) = (&first["password_hash"], &first["email_verified_at"]);
    let line = |number| {
        let email = email(number);
        serde_json::json!({"email": email, "email_verified_at": verified, "password_hash": hash}).to_string() + "\n"
    };
    place.run(&["import", "-", "--format", "jsonl"], &(0..count).map(line).collect::<String>())?;
    Ok(())
}

/// Logs in users `from` to `from + count`, some at once.
pub fn log_in(address: &str, from: usize, count: usize) -> Outcome<Vec<Tokens>> {
    let numbers = Mutex::new(from..from + count);
    let next = || numbers.lock().ok().and_then(|mut numbers| numbers.next());
    let worker = || -> Outcome<Vec<Tokens>> {
        let mut client = Client::connect(address)?;
        let mut tokens = Vec::new();
        while let Some(number) = next() {
            tokens.push(read(client.ask(post("/api/auth/login", &login_body(number)).as_bytes())?.body)?);
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
