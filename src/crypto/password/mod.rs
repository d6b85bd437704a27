//! Password hashes: argon2id for every new one, and those that other systems made, which are verified too.
//! Called by the gate's threads alone, which keep the blocks of memory from one hash to the next.

mod argon2id;
mod fast_argon2;
pub mod foreign;
mod text;

pub use argon2id::{blocks, cost_of, hash};
pub use fast_argon2::Memory;
pub use text::{PasswordHashText, Salt};

use crate::domain::password::Password;
use crate::error::Fault;
use foreign::Foreign;

/// Whether the password is the one that was hashed. Constant time in the comparison.
///
/// # Errors
/// [`Fault::Storage`] when the stored text is no hash that authd could have made or imported.
pub fn verify(stored: &PasswordHashText, password: &Password, memory: &mut Memory) -> Result<bool, Fault> {
    if argon2id::is_argon2(stored) {
        return argon2id::verify(stored, password, memory);
    }
    Ok(Foreign::parse(&stored.0).map_err(argon2id::broken)?.verify(password))
}
