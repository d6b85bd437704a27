//! What only the holder of the audit log's key can make: the hash of a line, chained to the one before, and
//! the two ends of the log. No SQL stands here.

use crate::domain::audit::Mark;
use crate::domain::secret::Secret;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

/// The key of the audit log's chain.
#[derive(Debug)]
pub struct Chain(hmac::Key);

/// A line as it goes into its hash: bytes as they stand in the columns, which may be no text any more.
pub(in crate::store) struct LineFields<'a> {
    pub seq: i64,
    pub at: i64,
    /// Event, actor, user, session, address, request and details.
    pub texts: [Option<&'a [u8]>; 7],
}

/// A line that is noted in `meta`: without the key, none can be made that fits a log that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The newest line.
    Head,
    /// The last line that was pruned, before the first that is there.
    Anchor,
    /// The anchor before a pruning of which no line tells yet.
    Untold,
}

impl End {
    /// Its key in `meta`.
    pub(in crate::store) const fn key(self) -> &'static str {
        match self {
            Self::Head => "audit_head",
            Self::Anchor => "audit_anchor",
            Self::Untold => "audit_untold",
        }
    }

    /// What tells its code from the others', and from the hash of a line, which begins with a hash or with
    /// nothing.
    const fn domain(self) -> &'static [u8] {
        match self {
            Self::Head => b"authd audit head v1",
            Self::Anchor => b"authd audit anchor v1",
            Self::Untold => b"authd audit untold v1",
        }
    }
}

/// What tells the codes of waiting lines, and of what was sealed, from all others.
const WAITING: &[u8] = b"authd audit waiting v1";
const SEALED_IDS: &[u8] = b"authd audit sealed ids v1";

const NUMBER: usize = size_of::<i64>();
const CODE: usize = 32;

impl Chain {
    /// Makes a chain under the key that `crypto::root_key` derives for it.
    #[must_use]
    pub fn new(key: &Secret<[u8; 32]>) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
    }

    /// The hash of a line that follows the one whose hash is `previous`.
    pub(in crate::store) fn hash(&self, previous: &[u8], line: &LineFields<'_>) -> [u8; CODE] {
        let (seq, at) = (line.seq.to_be_bytes(), line.at.to_be_bytes());
        let numbers = [Some(previous), Some(&seq[..]), Some(&at[..])];
        self.code(numbers.into_iter().chain(line.texts))
    }

    /// An end as it stands in `meta`: number, hash, and the code that proves who wrote it.
    pub(in crate::store) fn seal(&self, end: End, mark: &Mark) -> Vec<u8> {
        let seq = mark.seq.to_be_bytes();
        let code = self.code([Some(end.domain()), Some(&seq[..]), Some(&mark.hash)].into_iter());
        [&seq[..], &mark.hash, &code].concat()
    }

    /// The other way round than [`Chain::seal`]. `None`: this is not what authd wrote.
    pub(in crate::store) fn open(&self, end: End, sealed: &[u8]) -> Option<Mark> {
        let (number, rest) = sealed.split_first_chunk::<NUMBER>()?;
        let (hash, _) = rest.split_last_chunk::<CODE>()?;
        let mark = Mark { seq: i64::from_be_bytes(*number), hash: hash.to_vec() };
        verify_slices_are_equal(&self.seal(end, &mark), sealed).is_ok().then_some(mark)
    }

    /// The code of a line that waits in the inbox; its id stands in the place of a number.
    pub(super) fn code_of_waiting(&self, line: &LineFields<'_>) -> [u8; CODE] {
        let (id, at) = (line.seq.to_be_bytes(), line.at.to_be_bytes());
        let numbers = [Some(WAITING), Some(&id[..]), Some(&at[..])];
        self.code(numbers.into_iter().chain(line.texts))
    }

    /// Whether a line that waits is as authd wrote it.
    pub(super) fn is_code_of_waiting(&self, line: &LineFields<'_>, code: &[u8]) -> bool {
        verify_slices_are_equal(&self.code_of_waiting(line), code).is_ok()
    }

    /// Which ids of the inbox were sealed when the log ended with `head`, with the code that proves who says
    /// so. An older one goes with no newer head.
    pub(super) fn seal_ids(&self, head: &Mark, ids: &[u8]) -> Vec<u8> {
        let seq = head.seq.to_be_bytes();
        let code = self.code([Some(SEALED_IDS), Some(&seq[..]), Some(&head.hash), Some(ids)].into_iter());
        [&code[..], ids].concat()
    }

    /// The other way round than [`Chain::seal_ids`]. `None`: this is not what authd wrote with that head.
    pub(super) fn open_ids<'s>(&self, head: &Mark, sealed: &'s [u8]) -> Option<&'s [u8]> {
        let (_, ids) = sealed.split_first_chunk::<CODE>()?;
        verify_slices_are_equal(&self.seal_ids(head, ids), sealed).is_ok().then_some(ids)
    }

    /// HMAC-SHA-256 over fields, each with its length before it, so that no two lists of fields give the same
    /// bytes.
    fn code<'a>(&self, fields: impl Iterator<Item = Option<&'a [u8]>>) -> [u8; CODE] {
        let mut context = hmac::Context::with_key(&self.0);
        for field in fields {
            // A field that is not there differs from an empty one.
            let length = field.map_or(-1, |bytes| i64::try_from(bytes.len()).unwrap_or(i64::MAX));
            context.update(&length.to_be_bytes());
            context.update(field.unwrap_or_default());
        }
        context.sign().as_ref().try_into().expect("HMAC-SHA-256 gives 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(byte: u8) -> Chain {
        Chain::new(&Secret::new([byte; 32]))
    }

    #[test]
    fn an_end_opens_as_what_it_was_sealed_as_and_under_its_own_key() {
        for mark in [Mark::default(), Mark { seq: 7, hash: vec![1; 32] }] {
            let sealed = chain(1).seal(End::Head, &mark);
            assert_eq!(chain(1).open(End::Head, &sealed), Some(mark));
            assert_eq!(chain(1).open(End::Anchor, &sealed), None);
            assert_eq!(chain(1).open(End::Untold, &sealed), None);
            assert_eq!(chain(2).open(End::Head, &sealed), None);
            for at in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[at] ^= 1;
                assert_eq!(chain(1).open(End::Head, &changed), None, "byte {at}");
                assert_eq!(chain(1).open(End::Head, &sealed[..at]), None, "cut to {at}");
            }
        }
    }

    #[test]
    fn what_was_sealed_goes_with_its_head_alone() {
        let heads = [Mark { seq: 7, hash: vec![1; 32] }, Mark { seq: 8, hash: vec![2; 32] }];
        let sealed = chain(1).seal_ids(&heads[0], b"[1]");
        assert_eq!(chain(1).open_ids(&heads[0], &sealed), Some(&b"[1]"[..]));
        assert_eq!(chain(1).open_ids(&heads[1], &sealed), None);
        assert_eq!(chain(2).open_ids(&heads[0], &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(chain(1).open_ids(&heads[0], &changed), None, "byte {at}");
        }
    }

    #[test]
    fn a_waiting_line_has_a_code_of_its_id_and_its_text() {
        let line = |seq, text: &'static [u8]| LineFields { seq, at: 5, texts: [Some(text); 7] };
        let code = chain(1).code_of_waiting(&line(1, b"a"));
        assert!(chain(1).is_code_of_waiting(&line(1, b"a"), &code));
        assert!(!chain(1).is_code_of_waiting(&line(2, b"a"), &code));
        assert!(!chain(1).is_code_of_waiting(&line(1, b"b"), &code));
        assert_ne!(code, chain(1).hash(b"authd audit waiting v1", &line(1, b"b")));
    }

    #[test]
    fn the_hash_of_a_line_is_no_code_of_an_end() {
        let mark = Mark { seq: 7, hash: vec![1; 32] };
        let line = LineFields { seq: 7, at: 0, texts: [None; 7] };
        let hash = chain(1).hash(&mark.hash, &line);
        let forged = [&7i64.to_be_bytes()[..], &mark.hash, &hash].concat();
        assert_eq!(chain(1).open(End::Head, &forged), None);
    }
}
