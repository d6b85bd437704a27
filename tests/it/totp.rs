//! One-time codes: the published vectors, and which steps are accepted (S13).

use crate::authenticator::hotp;
use authd::crypto::totp::{TotpSecret, accept};
use authd::domain::secret::Secret;
use authd::domain::time::Timestamp;
use proptest::prelude::*;

/// The key of both RFCs' appendices.
const KEY: [u8; 20] = *b"12345678901234567890";

fn secret() -> TotpSecret {
    Secret::new(KEY)
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

#[test]
fn rfc_4226_appendix_d() {
    let codes =
        ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
    for (counter, code) in codes.into_iter().enumerate() {
        let counter = u64::try_from(counter).unwrap();
        assert_eq!(hotp(&KEY, counter), code, "the tests' own authenticator");
        let now = at(i64::try_from(counter).unwrap() * 30);
        assert_eq!(accept(&secret(), code, now, None), Some(counter));
    }
}

#[test]
fn rfc_6238_appendix_b() {
    // The RFC shows eight digits; six of them are the last six.
    for (secs, code) in [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ] {
        let step = u64::try_from(secs / 30).unwrap();
        assert_eq!(accept(&secret(), &code[2..], at(secs), None), Some(step), "{secs}");
    }
}

#[test]
fn only_six_ascii_digits_are_a_code() {
    for wrong in [
        "",
        "28708",
        "0287082",
        " 287082",
        "287082 ",
        "287 082",
        "+87082",
        "２８７０８２",
        "287082\n",
        "28708a",
    ] {
        assert_eq!(accept(&secret(), wrong, at(59), None), None, "{wrong:?}");
    }
    assert_eq!(accept(&secret(), "287082", at(59), None), Some(1));
    assert_eq!(accept(&secret(), "287082", Timestamp::from_millis(-1), None), None, "there was no step then");
}

proptest! {
    #[test]
    fn a_code_is_good_for_its_step_and_one_either_side_and_only_forward(
        now in 60i64..4_000_000_000,
        offset in -3i64..=3,
        last in prop::option::of(-3i64..=3),
    ) {
        let current = now / 30;
        let step = u64::try_from(current + offset).unwrap();
        let last = last.map(|last| u64::try_from(current + last).unwrap());
        let expected = (offset.abs() <= 1 && last.is_none_or(|last| step > last)).then_some(step);
        let found = accept(&secret(), &hotp(&KEY, step), at(now), last);
        // Two steps may happen to have the same code; then a later one may be meant.
        prop_assert!(found == expected || found.is_some_and(|found| hotp(&KEY, found) == hotp(&KEY, step)));
    }
}
