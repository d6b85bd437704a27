//! Which algorithms a passkey may sign with.

/// A signature algorithm of COSE (RFC 9053, RFC 8812), with the one curve or padding that WebAuthn gives it
/// (§5.8.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// On Ed25519.
    EdDsa,
    /// On P-256, with SHA-256; a signature is ASN.1 in DER.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256: what Windows makes in a TPM.
    Rs256,
}

impl Algorithm {
    /// All that are offered, the preferred one first.
    pub const ALL: [Self; 3] = [Self::EdDsa, Self::Es256, Self::Rs256];

    /// Its number in IANA's registry of COSE.
    #[must_use]
    pub const fn cose(self) -> i64 {
        match self {
            Self::EdDsa => -8,
            Self::Es256 => -7,
            Self::Rs256 => -257,
        }
    }

    /// Finds an algorithm by its number. `None`: it is none that is offered.
    #[must_use]
    pub fn of_cose(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.cose() == number)
    }
}
