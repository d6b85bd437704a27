//! argon2id hashes in PHC strings (RFC 9106), and imported users' argon2 hashes of any variant.

use super::fast_argon2::{Memory, Recipe};
use super::text::{PasswordHashText, Salt};
use crate::domain::password::{HashCost, Password};
use crate::error::Fault;
use argon2::password_hash::phc::{Output, ParamsString, Salt as PhcSalt};
use argon2::{ARGON2ID_IDENT, Algorithm, Params, PasswordHash, Version};
use std::fmt;

/// Hashes a new password with argon2id.
///
/// # Errors
/// [`Fault::Config`] when the cost is outside of what argon2 allows.
pub fn hash(
    cost: HashCost,
    password: &Password,
    salt: &Salt,
    memory: &mut Memory,
) -> Result<PasswordHashText, Fault> {
    let params = params(cost)?;
    let recipe = Recipe { algorithm: Algorithm::Argon2id, version: Version::V0x13, params: &params, salt };
    let output = derive(recipe, password, memory, Params::DEFAULT_OUTPUT_LEN)?;
    let phc = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(broken)?,
        salt: Some(PhcSalt::new(salt).map_err(broken)?),
        hash: Some(Output::new(&output).map_err(broken)?),
    };
    Ok(PasswordHashText(phc.to_string()))
}

/// Whether the password is the one that this argon2 hash was made of. Constant time in the comparison.
///
/// # Errors
/// [`Fault::Storage`] when the stored text is no argon2 hash, or one beyond [`HashCost::MAX`].
pub(super) fn verify(
    stored: &PasswordHashText,
    password: &Password,
    memory: &mut Memory,
) -> Result<bool, Fault> {
    Argon2Hash::parse(stored)?.verify(password, memory)
}

/// Whether a hash is of argon2, in any variant.
pub(super) fn is_argon2(stored: &PasswordHashText) -> bool {
    ["$argon2id$", "$argon2i$", "$argon2d$"].iter().any(|scheme| stored.0.starts_with(scheme))
}

/// What an argon2 hash costs, if it is whole and within [`HashCost::MAX`].
///
/// # Errors
/// [`Fault::Storage`] when it is not.
pub(super) fn check(stored: &PasswordHashText) -> Result<HashCost, Fault> {
    Ok(cost(&Argon2Hash::parse(stored)?.params))
}

/// What the stored hash cost; `None` when it is not what authd would make, at whatever cost.
#[must_use]
pub fn cost_of(stored: &PasswordHashText) -> Option<HashCost> {
    let hash = Argon2Hash::parse(stored).ok()?;
    let own = hash.algorithm == Algorithm::Argon2id && hash.version == Version::V0x13;
    own.then(|| cost(&hash.params))
}

/// How many blocks of memory a hash at this cost works in.
#[must_use]
pub fn blocks(cost: HashCost) -> usize {
    params(cost).map_or(0, |params| params.block_count())
}

const fn cost(params: &Params) -> HashCost {
    HashCost { memory_kib: params.m_cost(), iterations: params.t_cost(), parallelism: params.p_cost() }
}

/// An argon2 hash, read.
struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: PhcSalt,
    expected: Output,
}

impl Argon2Hash {
    fn parse(stored: &PasswordHashText) -> Result<Self, Fault> {
        let phc = PasswordHash::new(&stored.0).map_err(broken)?;
        let (Some(salt), Some(expected)) = (phc.salt, phc.hash) else {
            return Err(broken("no salt or no hash"));
        };
        let algorithm = Algorithm::try_from(phc.algorithm.as_str()).map_err(broken)?;
        let params = Params::try_from(&phc).map_err(broken)?;
        let max = HashCost::MAX;
        if params.m_cost() > max.memory_kib
            || params.t_cost() > max.iterations
            || params.p_cost() > max.parallelism
        {
            return Err(broken("a cost out of bounds"));
        }
        // A text that names none is of the first version (the PHC string format's document for argon2).
        let version = phc.version.map_or(Ok(Version::V0x10), Version::try_from).map_err(broken)?;
        Ok(Self { algorithm, version, params, salt, expected })
    }

    fn verify(&self, password: &Password, memory: &mut Memory) -> Result<bool, Fault> {
        let (algorithm, version) = (self.algorithm, self.version);
        let recipe = Recipe { algorithm, version, params: &self.params, salt: self.salt.as_ref() };
        let output = derive(recipe, password, memory, self.expected.len())?;
        Ok(Output::new(&output).map_err(broken)? == self.expected)
    }
}

fn params(cost: HashCost) -> Result<Params, Fault> {
    Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None).map_err(|error| {
        Fault::Config(format!("password.argon2_*: argon2 doesn't take these parameters: {error}"))
    })
}

fn derive(
    recipe: Recipe<'_>,
    password: &Password,
    memory: &mut Memory,
    length: usize,
) -> Result<Vec<u8>, Fault> {
    let mut output = vec![0; length];
    memory.derive(recipe, password.expose().as_bytes(), &mut output).map_err(broken)?;
    Ok(output)
}

pub(super) fn broken(why: impl fmt::Display) -> Fault {
    Fault::Storage(format!("a stored password hash can't be used: {why}"))
}
