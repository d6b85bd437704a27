//! Attestation objects (§6.5.4). Attestation is asked for as `none`, so that a browser says nothing of
//! which device it is: it puts `none` in the place of whatever the device states, or leaves a statement
//! that the credential's own key signed (§5.1.3). Neither says more than that there is a key. So a
//! statement of another format than `none` is not verified, counts as none, and only must be CBOR.

use super::cbor::Reader;
use super::fault::Fault;

/// The members that there are, and room for one more that means something to somebody.
const MEMBERS_MAX: usize = 4;

/// An empty map.
const EMPTY: &[u8] = &[0xa0];

/// Gives the authenticator data of an attestation object.
///
/// # Errors
/// [`Fault::AttestationObject`], [`Fault::AttestationObjectTrailing`], [`Fault::AttestationStatement`].
pub(super) fn authenticator_data(object: &[u8]) -> Result<&[u8], Fault> {
    let (mut format, mut statement, mut data) = (None, None, None);
    let mut reader = Reader::new(object, Fault::AttestationObject);
    reader.map(MEMBERS_MAX, Reader::text, |reader, name| {
        match *name {
            "fmt" => format = Some(reader.text()?),
            "attStmt" => statement = Some(reader.skip()?),
            "authData" => data = Some(reader.bytes()?),
            _ => drop(reader.skip()?),
        }
        Ok(())
    })?;
    if !reader.rest().is_empty() {
        return Err(Fault::AttestationObjectTrailing);
    }
    let (Some(format), Some(statement), Some(data)) = (format, statement, data) else {
        return Err(Fault::AttestationObject);
    };
    if format == "none" && statement != EMPTY {
        return Err(Fault::AttestationStatement);
    }
    Ok(data)
}
