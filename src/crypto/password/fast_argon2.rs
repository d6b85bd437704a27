//! Argon2 with the instructions that this processor has, chosen at run time. Owns the memory that hashes
//! work in, and how far the fast code is trusted: once in every process its result is compared with the
//! `argon2` crate's, which does the work where they differ or where the fast code refuses. Parses nothing,
//! compares no hashes.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use argon2_rust::params::{Memory as Kibibytes, TagLen};
use argon2_rust::{Hasher, Params as FastParams};
use std::sync::OnceLock;

/// What is hashed, and how; the length of the output is the caller's.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'a> {
    pub algorithm: Algorithm,
    pub version: Version,
    pub params: &'a Params,
    pub salt: &'a [u8],
}

/// The memory of one hash after the other: a thread's own. The fast code wipes it after every hash; what
/// the `argon2` crate leaves in it stays until the next hash, or until [`Memory::keep`] gives it back.
#[derive(Default)]
pub struct Memory {
    fast: Option<Hasher>,
    blocks: Vec<Block>,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Memory({} KiB)", self.kib())
    }
}

impl Memory {
    /// Allocates nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Fills `output` (RFC 9106 §3.2), with the fast code where it is trusted.
    ///
    /// # Errors
    /// What the `argon2` crate says of the lengths of salt, password and output.
    pub fn derive(
        &mut self,
        recipe: Recipe<'_>,
        password: &[u8],
        output: &mut [u8],
    ) -> Result<(), argon2::Error> {
        if agrees_here() && self.by_processor(recipe, password, output).is_some() {
            return Ok(());
        }
        self.portably(recipe, password, output)
    }

    /// Gives back what is more than `blocks` of 1 KiB each.
    pub fn keep(&mut self, blocks: usize) {
        if self.fast.as_ref().is_some_and(|fast| fast.reserved_blocks() > blocks) {
            self.fast = None;
        }
        if self.blocks.len() > blocks {
            self.blocks.truncate(blocks);
            self.blocks.shrink_to_fit();
        }
    }

    /// How much is kept.
    #[must_use]
    pub fn kib(&self) -> usize {
        self.blocks.len() + self.fast.as_ref().map_or(0, Hasher::reserved_blocks)
    }

    /// `None` when the fast code doesn't take it. Lanes go one after the other: a thread is one core's share.
    fn by_processor(&mut self, recipe: Recipe<'_>, password: &[u8], output: &mut [u8]) -> Option<()> {
        let settings = settings(recipe, output.len())?;
        let fast = self.fast.get_or_insert_with(|| settings.hasher());
        fast.set_argon2(settings);
        fast.hash_into(password, recipe.salt, output).ok()
    }

    fn portably(
        &mut self,
        recipe: Recipe<'_>,
        password: &[u8],
        output: &mut [u8],
    ) -> Result<(), argon2::Error> {
        let argon2 = Argon2::new(recipe.algorithm, recipe.version, recipe.params.clone());
        let needed = recipe.params.block_count();
        if self.blocks.len() < needed {
            self.blocks.resize(needed, Block::new());
        }
        argon2.hash_password_into_with_memory(password, recipe.salt, output, self.blocks.as_mut_slice())
    }
}

fn settings(recipe: Recipe<'_>, length: usize) -> Option<argon2_rust::Argon2> {
    let algorithm = match recipe.algorithm {
        Algorithm::Argon2d => argon2_rust::Algorithm::Argon2d,
        Algorithm::Argon2i => argon2_rust::Algorithm::Argon2i,
        Algorithm::Argon2id => argon2_rust::Algorithm::Argon2id,
    };
    let version = match recipe.version {
        Version::V0x10 => argon2_rust::Version::V0x10,
        Version::V0x13 => argon2_rust::Version::V0x13,
    };
    let params = FastParams::builder()
        .memory(Kibibytes::kib(recipe.params.m_cost().into()))
        .passes(recipe.params.t_cost())
        .lanes(recipe.params.p_cost())
        .threads(1)
        .tag_len(TagLen::bytes(u64::try_from(length).ok()?));
    Some(argon2_rust::Argon2::new(algorithm, version, params.build().ok()?))
}

/// Whether both agree on this processor. Asked once in a process, at its first hash, in under a millisecond:
/// code for a kind of processor that was never tested must not decide logins.
fn agrees_here() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let trials = [
            (Algorithm::Argon2id, Version::V0x13, 1),
            (Algorithm::Argon2id, Version::V0x13, 3),
            (Algorithm::Argon2i, Version::V0x10, 1),
            (Algorithm::Argon2d, Version::V0x13, 2),
        ];
        trials.into_iter().all(|(algorithm, version, lanes)| {
            let Ok(params) = Params::new(64, 3, lanes, None) else {
                return false;
            };
            agree(
                Recipe { algorithm, version, params: &params, salt: &[0x5a; 16] },
                b"correct horse battery staple",
            )
        })
    })
}

fn agree(recipe: Recipe<'_>, password: &[u8]) -> bool {
    let (mut fast, mut portable, mut memory) = ([0; 32], [1; 32], Memory::new());
    memory.by_processor(recipe, password, &mut fast).is_some()
        && memory.portably(recipe, password, &mut portable).is_ok()
        && fast == portable
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::{AssociatedData, ParamsBuilder};
    use proptest::prelude::*;

    /// RFC 9106 §5.1 to §5.3: the same input under each variant.
    const VECTORS: [(Algorithm, &str); 3] = [
        (Algorithm::Argon2d, "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb"),
        (Algorithm::Argon2i, "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8"),
        (Algorithm::Argon2id, "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"),
    ];

    #[test]
    fn both_pass_the_vectors_of_rfc_9106() {
        let (password, salt, secret, data) = ([1; 32], [2; 16], [3; 8], [4; 12]);
        let mut builder = ParamsBuilder::new();
        builder.m_cost(32).t_cost(3).p_cost(4).output_len(32).data(AssociatedData::new(&data).unwrap());
        let params = builder.build().unwrap();
        for (algorithm, expected) in VECTORS {
            let expected = data_encoding::HEXLOWER.decode(expected.as_bytes()).unwrap();
            let mut output = [0; 32];
            Argon2::new_with_secret(&secret, algorithm, Version::V0x13, params.clone())
                .unwrap()
                .hash_password_into(&password, &salt, &mut output)
                .unwrap();
            assert_eq!(output[..], expected, "{algorithm:?} of the argon2 crate");

            let mut output = [0; 32];
            let recipe = Recipe { algorithm, version: Version::V0x13, params: &params, salt: &salt };
            let mut fast = settings(recipe, 32).unwrap().hasher();
            fast.hash_into_with_ad(&password, &salt, &secret, &data, &mut output).unwrap();
            assert_eq!(output[..], expected, "{algorithm:?} by {:?}", argon2_rust::detected_backend());
        }
    }

    #[test]
    fn the_fast_code_is_the_one_that_logins_use() {
        assert!(agrees_here());
        let params = Params::new(64, 1, 1, None).unwrap();
        let recipe = Recipe {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            params: &params,
            salt: &[1; 16],
        };
        let (mut memory, mut output) = (Memory::new(), [0; 32]);
        memory.derive(recipe, b"x", &mut output).unwrap();
        assert_eq!((memory.kib(), memory.blocks.len()), (64, 0), "the argon2 crate did it");
        memory.keep(64);
        assert_eq!(memory.kib(), 64);
        memory.keep(63);
        assert_eq!(memory.kib(), 0);
    }

    #[test]
    fn what_the_fast_code_refuses_the_argon2_crate_judges() {
        let params = Params::new(8, 1, 1, None).unwrap();
        let recipe = Recipe {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            params: &params,
            salt: b"short",
        };
        let refused = Memory::new().derive(recipe, b"x", &mut [0; 32]);
        assert_eq!(refused, Err(argon2::Error::SaltTooShort));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn both_agree_on_anything(
            password in prop::collection::vec(any::<u8>(), 0..200),
            salt in prop::collection::vec(any::<u8>(), 8..48),
            (lanes, memory) in prop_oneof![4 => Just(1u32), 1 => 2u32..5]
                .prop_flat_map(|lanes| (Just(lanes), 8 * lanes..500)),
            iterations in 1u32..5,
            length in prop_oneof![Just(32usize), 4usize..130],
            algorithm in prop_oneof![
                3 => Just(Algorithm::Argon2id),
                1 => Just(Algorithm::Argon2i),
                1 => Just(Algorithm::Argon2d),
            ],
            version in prop_oneof![3 => Just(Version::V0x13), 1 => Just(Version::V0x10)],
        ) {
            let params = Params::new(memory, iterations, lanes, None).unwrap();
            let recipe = Recipe { algorithm, version, params: &params, salt: &salt };
            let (mut fast, mut portable, mut memory) = (vec![0; length], vec![1; length], Memory::new());
            // The second time in memory that was used.
            for _ in 0..2 {
                prop_assert!(memory.by_processor(recipe, &password, &mut fast).is_some());
                memory.portably(recipe, &password, &mut portable).unwrap();
                prop_assert_eq!(&fast, &portable);
            }
        }
    }
}
