//! Authenticator data (§6.1): what the device says of itself, of whoever was there, and of a new credential.

use super::cbor::Reader;
use super::fault::Fault;
use super::relying_party::{RelyingParty, UserVerification};
use aws_lc_rs::digest::{SHA256, digest};

/// The most members that extensions may have.
const EXTENSIONS_MAX: usize = 16;

const UP: u8 = 1;
const UV: u8 = 1 << 2;
const BE: u8 = 1 << 3;
const BS: u8 = 1 << 4;
const AT: u8 = 1 << 6;
const ED: u8 = 1 << 7;

/// Authenticator data, taken apart and not yet judged. Bits without a meaning are passed over.
pub(super) struct AuthenticatorData<'a> {
    rp_id_hash: &'a [u8; 32],
    flags: u8,
    pub(super) sign_count: u32,
    /// `None`: there is no new credential in it.
    pub(super) attested: Option<AttestedCredential<'a>>,
}

/// A new credential (§6.5.2).
pub(super) struct AttestedCredential<'a> {
    pub(super) aaguid: [u8; 16],
    pub(super) id: &'a [u8],
    /// A COSE_Key, as it came.
    pub(super) public_key: &'a [u8],
}

impl<'a> AuthenticatorData<'a> {
    /// Takes the bytes apart, to the last one.
    ///
    /// # Errors
    /// [`Fault::AuthenticatorData`], [`Fault::PublicKey`] where no item of CBOR stands in the key's place,
    /// [`Fault::Extensions`], [`Fault::AuthenticatorDataTrailing`].
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        let (rp_id_hash, rest) = bytes.split_first_chunk().ok_or(Fault::AuthenticatorData)?;
        let (&flags, rest) = rest.split_first().ok_or(Fault::AuthenticatorData)?;
        let (sign_count, mut rest) = rest.split_first_chunk().ok_or(Fault::AuthenticatorData)?;
        let sign_count = u32::from_be_bytes(*sign_count);
        let mut attested = None;
        if flags & AT != 0 {
            let credential;
            (credential, rest) = AttestedCredential::parse(rest)?;
            attested = Some(credential);
        }
        if flags & ED != 0 {
            rest = pass_extensions(rest)?;
        }
        if !rest.is_empty() {
            return Err(Fault::AuthenticatorDataTrailing);
        }
        Ok(Self { rp_id_hash, flags, sign_count, attested })
    }

    /// Makes the checks that both ceremonies have (§7.1 steps 14 to 18, §7.2 steps 16 to 19).
    pub(super) fn check(&self, rp: &RelyingParty<'_>, uv: UserVerification) -> Result<(), Fault> {
        if self.rp_id_hash != digest(&SHA256, rp.rp_id.as_bytes()).as_ref() {
            return Err(Fault::RpIdHash);
        }
        if !self.has(UP) {
            return Err(Fault::UserPresence);
        }
        if uv == UserVerification::Required && !self.user_verified() {
            return Err(Fault::UserVerification);
        }
        if self.backed_up() && !self.backup_eligible() {
            return Err(Fault::BackupState);
        }
        Ok(())
    }

    pub(super) const fn user_verified(&self) -> bool {
        self.has(UV)
    }

    pub(super) const fn backup_eligible(&self) -> bool {
        self.has(BE)
    }

    pub(super) const fn backed_up(&self) -> bool {
        self.has(BS)
    }

    const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

impl<'a> AttestedCredential<'a> {
    /// Takes a credential off the front, and gives what follows.
    fn parse(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Fault> {
        let (aaguid, rest) = bytes.split_first_chunk::<16>().ok_or(Fault::AuthenticatorData)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(Fault::AuthenticatorData)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (id, rest) = rest.split_at_checked(length).ok_or(Fault::AuthenticatorData)?;
        let mut reader = Reader::new(rest, Fault::PublicKey);
        let public_key = reader.skip()?;
        Ok((Self { aaguid: *aaguid, id, public_key }, reader.rest()))
    }
}

/// Extensions are asked for nowhere; those that a device adds by itself are looked at for their form alone.
fn pass_extensions(bytes: &[u8]) -> Result<&[u8], Fault> {
    let mut reader = Reader::new(bytes, Fault::Extensions);
    reader.map(EXTENSIONS_MAX, Reader::text, |reader, _| reader.skip().map(drop))?;
    Ok(reader.rest())
}
