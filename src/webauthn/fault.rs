//! What can be wrong with what a browser brings: one fault a check, with a code for the audit log, the place
//! in the JSON and a sentence for whoever builds a front end.

use std::fmt;

/// A member of the browser's answer, in the form of `PublicKeyCredential.toJSON()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Member {
    /// The whole.
    Credential,
    Id,
    RawId,
    Type,
    Response,
    ClientData,
    AttestationObject,
    AuthenticatorData,
    Signature,
    UserHandle,
    Transports,
}

impl Member {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Credential,
        Self::Id,
        Self::RawId,
        Self::Type,
        Self::Response,
        Self::ClientData,
        Self::AttestationObject,
        Self::AuthenticatorData,
        Self::Signature,
        Self::UserHandle,
        Self::Transports,
    ];

    /// Where it stands in the body of a request that has the answer as `credential`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Id => "credential.id",
            Self::RawId => "credential.rawId",
            Self::Type => "credential.type",
            Self::Response => "credential.response",
            Self::ClientData => "credential.response.clientDataJSON",
            Self::AttestationObject => "credential.response.attestationObject",
            Self::AuthenticatorData => "credential.response.authenticatorData",
            Self::Signature => "credential.response.signature",
            Self::UserHandle => "credential.response.userHandle",
            Self::Transports => "credential.response.transports",
        }
    }
}

/// Why what a browser brings doesn't count: the first thing found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Missing, of another type, not base64url without padding, or longer than any that there is.
    Malformed(Member),
    /// `id` and `rawId` differ.
    RawId,
    /// Of another type than `public-key`.
    CredentialType,
    /// The credential id is empty or has more than 1,023 bytes.
    CredentialIdLength,
    /// Not a JSON object with `type`, `challenge` and `origin`, or with one of its members twice.
    ClientData,
    /// Made for another ceremony: `webauthn.get` where `webauthn.create` is wanted, or the other way.
    ClientDataType,
    /// Another challenge than the one that was given out.
    Challenge,
    /// Of a page that is none of the relying party's.
    Origin,
    /// Asked for inside another site's page.
    CrossOrigin,
    /// Names another site's page that it was asked for in.
    TopOrigin,
    /// Not CBOR of the form that §6.5.4 gives.
    AttestationObject,
    /// Bytes follow the attestation object.
    AttestationObjectTrailing,
    /// It says `none`, and states something.
    AttestationStatement,
    /// Too short, or cut off.
    AuthenticatorData,
    /// Bytes follow the last part.
    AuthenticatorDataTrailing,
    /// Extensions that are not a map of CBOR, with names.
    Extensions,
    /// Made for another relying party.
    RpIdHash,
    /// Nobody touched the device.
    UserPresence,
    /// The device didn't ask who is there, and should have.
    UserVerification,
    /// Says that it is backed up, and that it can't be.
    BackupState,
    /// A new credential without its id and key.
    AttestedDataMissing,
    /// An id and a key where a signature is wanted.
    AttestedDataUnexpected,
    /// The device speaks of another credential than the browser.
    AttestedCredentialId,
    /// The key is for an algorithm that was not offered.
    Algorithm,
    /// The key is not one of its algorithm's form, not on its curve, or too short or long.
    PublicKey,
    /// Another credential than the one at hand.
    CredentialId,
    /// Doesn't say whose it is, where nothing else does.
    UserHandleMissing,
    /// Says that it is another user's.
    UserHandle,
    /// Not signed by the credential's key.
    Signature,
    /// Could be backed up at first and can't any more, or the other way.
    BackupEligibilityChanged,
    /// The counter didn't go on: there may be a copy of the device.
    Counter,
}

impl Fault {
    /// One of each.
    pub const ALL: [Self; 31] = [
        Self::Malformed(Member::Credential),
        Self::RawId,
        Self::CredentialType,
        Self::CredentialIdLength,
        Self::ClientData,
        Self::ClientDataType,
        Self::Challenge,
        Self::Origin,
        Self::CrossOrigin,
        Self::TopOrigin,
        Self::AttestationObject,
        Self::AttestationObjectTrailing,
        Self::AttestationStatement,
        Self::AuthenticatorData,
        Self::AuthenticatorDataTrailing,
        Self::Extensions,
        Self::RpIdHash,
        Self::UserPresence,
        Self::UserVerification,
        Self::BackupState,
        Self::AttestedDataMissing,
        Self::AttestedDataUnexpected,
        Self::AttestedCredentialId,
        Self::Algorithm,
        Self::PublicKey,
        Self::CredentialId,
        Self::UserHandleMissing,
        Self::UserHandle,
        Self::Signature,
        Self::BackupEligibilityChanged,
        Self::Counter,
    ];

    /// The name of the check that failed: snake_case, stable, for the audit log.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::RawId => "raw_id",
            Self::CredentialType => "credential_type",
            Self::CredentialIdLength => "credential_id_length",
            Self::ClientData => "client_data",
            Self::ClientDataType => "client_data_type",
            Self::Challenge => "challenge",
            Self::Origin => "client_data_origin",
            Self::CrossOrigin => "cross_origin",
            Self::TopOrigin => "top_origin",
            Self::AttestationObject => "attestation_object",
            Self::AttestationObjectTrailing => "attestation_object_trailing",
            Self::AttestationStatement => "attestation_statement",
            Self::AuthenticatorData => "authenticator_data",
            Self::AuthenticatorDataTrailing => "authenticator_data_trailing",
            Self::Extensions => "extensions",
            Self::RpIdHash => "rp_id_hash",
            Self::UserPresence => "user_presence",
            Self::UserVerification => "user_verification",
            Self::BackupState => "backup_state",
            Self::AttestedDataMissing => "attested_data_missing",
            Self::AttestedDataUnexpected => "attested_data_unexpected",
            Self::AttestedCredentialId => "attested_credential_id",
            Self::Algorithm => "algorithm",
            Self::PublicKey => "public_key",
            Self::CredentialId => "credential_id",
            Self::UserHandleMissing => "user_handle_missing",
            Self::UserHandle => "user_handle",
            Self::Signature => "signature",
            Self::BackupEligibilityChanged => "backup_eligibility_changed",
            Self::Counter => "counter",
        }
    }

    /// What is wrong, as a path in the body of a request that has the answer as `credential`. What is said of
    /// authenticator data stands, with a new credential, inside its attestation object.
    #[must_use]
    pub const fn field(self) -> &'static str {
        self.member().path()
    }

    const fn member(self) -> Member {
        match self {
            Self::Malformed(member) => member,
            Self::RawId => Member::RawId,
            Self::CredentialType => Member::Type,
            Self::CredentialIdLength | Self::CredentialId => Member::Id,
            Self::ClientData
            | Self::ClientDataType
            | Self::Challenge
            | Self::Origin
            | Self::CrossOrigin
            | Self::TopOrigin => Member::ClientData,
            Self::AttestationObject
            | Self::AttestationObjectTrailing
            | Self::AttestationStatement
            | Self::AttestedDataMissing
            | Self::AttestedCredentialId
            | Self::Algorithm
            | Self::PublicKey => Member::AttestationObject,
            Self::AuthenticatorData
            | Self::AuthenticatorDataTrailing
            | Self::Extensions
            | Self::RpIdHash
            | Self::UserPresence
            | Self::UserVerification
            | Self::BackupState
            | Self::AttestedDataUnexpected
            | Self::BackupEligibilityChanged
            | Self::Counter => Member::AuthenticatorData,
            Self::UserHandleMissing | Self::UserHandle => Member::UserHandle,
            Self::Signature => Member::Signature,
        }
    }

    /// What is wrong, for people.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Malformed(_) => {
                "is missing, too long, or not as `PublicKeyCredential.toJSON()` gives it, in base64url without \
                 padding"
            }
            Self::RawId => "is not the same as `id`",
            Self::CredentialType => "is not `public-key`",
            Self::CredentialIdLength => "must have 1 to 1,023 bytes",
            Self::ClientData => "is not a JSON object with `type`, `challenge` and `origin`, each once",
            Self::ClientDataType => "was made for another kind of ceremony",
            Self::Challenge => "answers another challenge than the one that was given out",
            Self::Origin => "comes from a page whose origin is not one to take passkeys from",
            Self::CrossOrigin => "was asked for inside another site's page",
            Self::TopOrigin => "names another site's page that it was asked for in",
            Self::AttestationObject => "is not a CBOR map of `fmt`, `attStmt` and `authData`",
            Self::AttestationObjectTrailing => "has bytes after its end",
            Self::AttestationStatement => "states something, though its format is `none`",
            Self::AuthenticatorData => "is too short or cut off",
            Self::AuthenticatorDataTrailing => "has bytes after its last part",
            Self::Extensions => "has extensions that are not a CBOR map with names, each once",
            Self::RpIdHash => "was made for another relying party id",
            Self::UserPresence => "says that nobody was present at the device",
            Self::UserVerification => "says that the device didn't verify who was there",
            Self::BackupState => "says that the passkey is backed up, and that it can't be",
            Self::AttestedDataMissing => "has no credential id and key in its authenticator data",
            Self::AttestedDataUnexpected => "has a credential id and key, where a signature is wanted",
            Self::AttestedCredentialId => "is of another credential than `id`",
            Self::Algorithm => "has a key for an algorithm that was not offered",
            Self::PublicKey => "has a key that is not good for its algorithm",
            Self::CredentialId => "is another credential than the one that is known",
            Self::UserHandleMissing => "is missing: it says whose passkey this is",
            Self::UserHandle => "is another user's",
            Self::Signature => "is not the passkey's",
            Self::BackupEligibilityChanged => {
                "says otherwise than at registration whether the passkey can be backed up"
            }
            Self::Counter => "has a counter that didn't go on: there may be a copy of the device",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field(), self.sentence())
    }
}

impl std::error::Error for Fault {}
