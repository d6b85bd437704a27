//! Passkeys of accounts where nobody is to sign in by them: rows alone, whose public key is nobody's.

use crate::world::World;
use authd::domain::id::PasskeyId;

/// A COSE_Key of the form that Ed25519 has.
pub fn public_key() -> Vec<u8> {
    let mut key = vec![0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 0x20];
    key.extend([7; 32]);
    key
}

/// Gives somebody a passkey of authd's own domain; gives its id. Each `number` is another passkey.
pub fn add(world: &World, email: &str, name: &str, number: u8) -> String {
    let id = PasskeyId::new(world.now(), [number; 10]);
    let rp_id = &world.app.config.passkeys.rp_id;
    let sql = "INSERT INTO passkeys VALUES (?1, (SELECT id FROM users WHERE email_key = ?8), ?2, ?3, ?4, ?5, ?6, \
        0, 1, 1, 'hybrid internal', ?7, NULL)";
    let (credential, now) = ([number; 16], world.now().as_millis());
    let values = [
        id.as_bytes().into(),
        rp_id.as_str().into(),
        (&credential).into(),
        public_key().into(),
        (&[9; 64]).into(),
        name.into(),
        now.into(),
        email.into(),
    ];
    assert_eq!(world.database().change(sql, &values), 1);
    id.to_string()
}
