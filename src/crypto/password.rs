//! Password hashes: argon2id in PHC strings (RFC 9106). Called by the gate's threads alone, which
//! keep the blocks of memory from one hash to the next.

use crate::domain::password::{HashCost, Password};
use crate::error::Fault;
use argon2::password_hash::phc::{Output, ParamsString, Salt as PhcSalt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, PasswordHash, Version};
use std::fmt;

/// The bytes of a new hash's salt (RFC 9106 §3.1 recommends 16).
pub type Salt = [u8; 16];

/// The memory that one hash works in.
pub type Memory = Vec<Block>;

/// A password's hash as stored: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. Redacted when printed for debugging.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHashText(pub String);

impl fmt::Debug for PasswordHashText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

/// Hashes a new password.
///
/// # Errors
/// [`Fault::Config`] when the cost is outside of what argon2 allows.
pub fn hash(cost: HashCost, password: &Password, salt: &Salt, memory: &mut Memory) -> Result<PasswordHashText, Fault> {
    let params = params(cost)?;
    let output = derive(&params, Version::V0x13, password, salt, memory, Params::DEFAULT_OUTPUT_LEN)?;
    let phc = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(broken)?,
        salt: Some(PhcSalt::new(salt).map_err(broken)?),
        hash: Some(Output::new(&output).map_err(broken)?),
    };
    Ok(PasswordHashText(phc.to_string()))
}

/// Whether the password is the one that was hashed. Constant time in the comparison.
///
/// # Errors
/// [`Fault::Storage`] when the stored text is no argon2id hash that authd could have made.
pub fn verify(stored: &PasswordHashText, password: &Password, memory: &mut Memory) -> Result<bool, Fault> {
    let phc = PasswordHash::new(&stored.0).map_err(broken)?;
    let (Some(salt), Some(expected)) = (&phc.salt, &phc.hash) else {
        return Err(broken("no salt or no hash"));
    };
    if phc.algorithm != ARGON2ID_IDENT {
        return Err(broken("not argon2id"));
    }
    let params = Params::try_from(&phc).map_err(broken)?;
    let max = HashCost::MAX;
    if params.m_cost() > max.memory_kib || params.t_cost() > max.iterations || params.p_cost() > max.parallelism {
        return Err(broken("a cost out of bounds"));
    }
    let version = phc.version.map_or(Ok(Version::V0x13), Version::try_from).map_err(broken)?;
    let output = derive(&params, version, password, salt.as_ref(), memory, expected.len())?;
    Ok(Output::new(&output).map_err(broken)? == *expected)
}

/// What the stored hash cost; `None` when the text can't be read.
#[must_use]
pub fn cost_of(stored: &PasswordHashText) -> Option<HashCost> {
    let params = Params::try_from(&PasswordHash::new(&stored.0).ok()?).ok()?;
    Some(HashCost { memory_kib: params.m_cost(), iterations: params.t_cost(), parallelism: params.p_cost() })
}

fn params(cost: HashCost) -> Result<Params, Fault> {
    Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None)
        .map_err(|error| Fault::Config(format!("password.argon2_*: argon2 doesn't take these parameters: {error}")))
}

fn derive(
    params: &Params,
    version: Version,
    password: &Password,
    salt: &[u8],
    memory: &mut Memory,
    length: usize,
) -> Result<Vec<u8>, Fault> {
    if memory.len() < params.block_count() {
        memory.resize(params.block_count(), Block::new());
    }
    let mut output = vec![0; length];
    Argon2::new(Algorithm::Argon2id, version, params.clone())
        .hash_password_into_with_memory(password.expose().as_bytes(), salt, &mut output, memory.as_mut_slice())
        .map_err(broken)?;
    Ok(output)
}

fn broken(why: impl fmt::Display) -> Fault {
    Fault::Storage(format!("a stored password hash can't be used: {why}"))
}
