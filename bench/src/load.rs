//! The load that wrk can't make: clients that each carry something from one answer to the next request.

use crate::Outcome;
use crate::client::{Client, post};
use crate::machine::Watch;
use crate::people::Tokens;
use crate::wrk::{Aim, Load};
use std::thread;
use std::time::Instant;

const FIELD: &[u8] = b"\"refresh_token\":\"";

/// Each client rotates its own refresh token, one request after the other. The tokens are the newest afterwards.
pub fn refresh(aim: Aim<'_>, sessions: &mut [Tokens]) -> Outcome<Load> {
    let watch = Watch::start();
    let begun = Instant::now();
    let rotate = |session: &mut Tokens| -> Outcome<u64> {
        let mut client = Client::connect(aim.address)?;
        let mut done = 0;
        while begun.elapsed() < aim.length {
            let request = post("/api/auth/refresh", &format!(r#"{{"refresh_token":"{}"}}"#, session.refresh));
            let answer = client.ask(request.as_bytes())?;
            if answer.status != 200 {
                return Err(format!("a refresh was refused: {}", String::from_utf8_lossy(answer.body)).into());
            }
            session.refresh = token(answer.body).ok_or("no refresh token in the answer")?;
            done += 1;
        }
        Ok(done)
    };
    let done = thread::scope(|scope| {
        let clients: Vec<_> = sessions.iter_mut().map(|session| scope.spawn(|| rotate(session))).collect();
        let mut done = 0;
        for client in clients {
            done += client.join().map_err(|_| "a client panicked")??;
        }
        Outcome::Ok(done)
    })?;
    Ok(Load { rate: done as f64 / begun.elapsed().as_secs_f64(), failures: 0, generator: watch.share() })
}

/// The field's value: a token holds nothing that JSON would escape.
fn token(body: &[u8]) -> Option<String> {
    let at = body.windows(FIELD.len()).position(|window| window == FIELD)? + FIELD.len();
    let end = at + body[at..].iter().position(|byte| *byte == b'"')?;
    String::from_utf8(body[at..end].to_vec()).ok()
}
