//! CBOR (RFC 8949) as CTAP2 has authenticators write it: lengths that stand before, no name twice, nothing
//! after the end. The crate reads item by item and never goes down into what is nested, so depth costs
//! nothing.

use super::fault::Fault;
use minicbor::Decoder;
use minicbor::data::Type;

/// A reader, and the fault that whatever it can't read is.
pub(super) struct Reader<'a> {
    decoder: Decoder<'a>,
    fault: Fault,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], fault: Fault) -> Self {
        Self { decoder: Decoder::new(bytes), fault }
    }

    /// Reads a map of `most` members at most. `key` reads a name, `member` what stands under it.
    pub(super) fn map<K: PartialEq>(
        &mut self,
        most: usize,
        key: impl Fn(&mut Self) -> Result<K, Fault>,
        mut member: impl FnMut(&mut Self, &K) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let length = self.decoder.map().ok().flatten().and_then(|length| usize::try_from(length).ok());
        let length = length.filter(|length| *length <= most).ok_or(self.fault)?;
        let mut seen: Vec<K> = Vec::with_capacity(length);
        for _ in 0..length {
            let name = key(self)?;
            if seen.contains(&name) {
                return Err(self.fault);
            }
            member(self, &name)?;
            seen.push(name);
        }
        Ok(())
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Fault> {
        self.decoder.str().map_err(|_| self.fault)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        self.decoder.bytes().map_err(|_| self.fault)
    }

    /// A whole number. One that i64 can't hold is none that means anything here.
    pub(super) fn integer(&mut self) -> Result<i64, Fault> {
        self.decoder.i64().map_err(|_| self.fault)
    }

    pub(super) fn is_bytes(&self) -> bool {
        matches!(self.decoder.datatype(), Ok(Type::Bytes))
    }

    /// Passes over an item, whatever it is and holds, and gives its bytes. The crate's own way takes a mark
    /// of an end for an item, so that only goes over those that hold nothing.
    pub(super) fn skip(&mut self) -> Result<&'a [u8], Fault> {
        let from = self.decoder.position();
        let mut left = 1_u64;
        while left > 0 {
            left = self.pass(left - 1).ok_or(self.fault)?;
        }
        self.decoder.input().get(from..self.decoder.position()).ok_or(self.fault)
    }

    /// Passes over the head of an item, or the whole where it holds no others. Gives how many are then left.
    fn pass(&mut self, left: u64) -> Option<u64> {
        match self.decoder.datatype().ok()? {
            Type::Array => left.checked_add(self.decoder.array().ok()??),
            Type::Map => left.checked_add(self.decoder.map().ok()??.checked_mul(2)?),
            Type::Tag => self.decoder.tag().ok().and_then(|_| left.checked_add(1)),
            Type::ArrayIndef
            | Type::MapIndef
            | Type::BytesIndef
            | Type::StringIndef
            | Type::Break
            | Type::Unknown(_) => None,
            _ => self.decoder.skip().ok().map(|()| left),
        }
    }

    /// What comes after all that was read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.decoder.input().get(self.decoder.position()..).unwrap_or_default()
    }
}
