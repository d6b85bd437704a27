//! A limit of a login: how many passwords a second all cores hash by authd's own code, without a server.
//!
//! `authd-bench-hashes SECONDS` prints the figure, a number of hashes a second.

mod rate;

use authd::crypto::password::{self, Memory, Salt};
use authd::domain::password::Password;
use authd::usecase::operator::calibrate::LEAST;
use rate::Outcome;

fn main() -> Outcome<()> {
    let rate = rate::rate(rate::seconds()?, || {
        let (mut memory, salt) = (Memory::new(), Salt::default());
        let password = Password::new("correct horse battery staple").map_err(|_| "no password")?;
        Ok(move || {
            // The least is what a login costs where nothing else is configured.
            let hash = password::hash(LEAST, &password, &salt, &mut memory);
            hash.map(drop).map_err(|fault| format!("{fault:?}").into())
        })
    })?;
    println!("{rate:.3}");
    Ok(())
}
