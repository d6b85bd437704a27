//! A limit of a login: how many passwords a second all cores hash by the C reference of Argon2, at authd's
//! default cost, its memory allocated for each hash as it does by itself.
//!
//! `authd-bench-reference SECONDS` prints the figure, a number of hashes a second.

#[path = "../../hashes/src/rate.rs"]
mod rate;

use argon2_kdf::{Algorithm, Hasher};
use rate::Outcome;

fn main() -> Outcome<()> {
    let rate = rate::rate(rate::seconds()?, || {
        Ok(|| {
            let hasher =
                Hasher::new().algorithm(Algorithm::Argon2id).custom_salt(b"sixteen bytes!!!").hash_length(32);
            let hasher = hasher.memory_cost_kib(19_456).iterations(2).threads(1);
            hasher.hash(b"correct horse battery staple").map(drop).map_err(Into::into)
        })
    })?;
    println!("{rate:.3}");
    Ok(())
}
