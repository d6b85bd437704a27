//! A relying party and a device that know each other: what the tests of single checks start from.

use super::device::{Device, Parts};
use authd::webauthn::{
    Assertion, AuthenticationResponse, Descriptor, Fault, NewCredential, OptionsUser, RegistrationResponse,
    RelyingParty, Stored, UserHandle, UserVerification, authenticate, creation_options, register,
    request_options,
};
use serde_json::Value;

pub const RP_ID: &str = "example.com";
pub const ORIGIN: &str = "https://auth.example.com";
pub const CHALLENGE: &[u8] = b"0123456789abcdef0123456789abcdef";
pub const HANDLE: &[u8] = &[7; 64];

/// What the relying party keeps and wants.
#[derive(Debug)]
pub struct Scene {
    pub device: Device,
    pub origins: Vec<String>,
    pub uv: UserVerification,
}

impl Scene {
    pub fn new() -> Self {
        let origins = vec!["https://example.com".into(), ORIGIN.into(), "http://localhost:8000".into()];
        Self { device: Device::new(ORIGIN, RP_ID), origins, uv: UserVerification::Required }
    }

    /// With a device that has this algorithm, by COSE's number.
    pub fn with(algorithm: i64) -> Self {
        let mut scene = Self::new();
        scene.device.algorithm = Some(algorithm);
        scene
    }

    pub fn rp(&self) -> RelyingParty<'_> {
        RelyingParty { rp_id: RP_ID, origins: &self.origins }
    }

    pub fn creation(&self) -> Value {
        let user = OptionsUser { handle: HANDLE, name: "ann@example.com", display_name: "Ann" };
        serde_json::to_value(creation_options(&self.rp(), "Example", &user, CHALLENGE, &[])).unwrap()
    }

    pub fn request(allow: &[Descriptor<'_>]) -> Value {
        serde_json::to_value(request_options(RP_ID, CHALLENGE, allow, UserVerification::Required)).unwrap()
    }

    /// What the relying party says of a new credential's JSON.
    pub fn judge_new(&self, answer: &Value) -> Result<NewCredential, Fault> {
        let response = RegistrationResponse::parse(answer)?;
        register(&self.rp(), CHALLENGE, self.uv, &response)
    }

    /// A new credential, with parts bent.
    pub fn register_bent(&mut self, bend: impl FnOnce(&mut Parts)) -> Result<NewCredential, Fault> {
        let options = self.creation();
        let answer = self.device.create_bent(&options, bend);
        self.judge_new(&answer)
    }

    pub fn register(&mut self) -> NewCredential {
        self.register_bent(|_| {}).expect("nothing is bent")
    }

    /// What the relying party says of a signature's JSON, by what it keeps.
    pub fn judge(&self, stored: &Stored<'_>, answer: &Value) -> Result<Assertion, Fault> {
        let response = AuthenticationResponse::parse(answer)?;
        authenticate(&self.rp(), CHALLENGE, self.uv, stored, &response)
    }

    /// A signature, with parts bent.
    pub fn sign_bent(
        &mut self,
        stored: &Stored<'_>,
        bend: impl FnOnce(&mut Parts),
    ) -> Result<Assertion, Fault> {
        let answer = self.device.get_bent(&Self::request(&[]), bend);
        self.judge(stored, &answer)
    }
}

/// What is kept of a new credential, of a user who is known by the response alone.
pub fn kept(new: &NewCredential) -> Stored<'_> {
    Stored {
        id: &new.id,
        public_key: &new.public_key,
        sign_count: new.sign_count,
        backup_eligible: new.backup_eligible,
        user_handle: UserHandle::Discovered(HANDLE),
    }
}
