//! Hashes that other systems made: their users log in with the passwords they have, and are authd's own from
//! then on. The hashes are those of libxcrypt (bcrypt, sha-crypt), htpasswd and OpenSSL ($apr1$), Python's
//! hashlib (PBKDF2, scrypt, {SHA}), the argon2 reference implementation, and Firebase's published example.

use crate::transfer::{exported, import, import_into};
use crate::world::{PASSWORD, World};
use authd::domain::secret::Secret;
use authd::error::{Error, Refusal};
use authd::usecase::operator::import::{Format, Options, UnusableHash, firebase};
use authd::usecase::operator::transfer_format::Contents;

const ANN: &str = "ann@example.com";

/// All of [`PASSWORD`].
const HASHES: [&str; 25] = [
    "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
    "$2y$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
    "$2a$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
    "bcrypt$$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
    "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuuaBT8mpw5tGdD3eO40znWcQP/dT9hEVK",
    "$5$saltsalt$3hGFMknrJ4ZpFPe7XZe397oIMEp7sbvqrcsX/ONJ3i.",
    "$5$rounds=1000$saltsalt$TFDrLHsZ0msaZlw.ZViQNNRjyMG9kAB3KDkA8eLkI..",
    "$6$saltsalt$CPgxBHZBXfhC6lX1yxpdEsbQfXmg3WXVj8AoVwyNFLfb5AtbfM8k6A8yehv1z6sgzoH/DUIs7YK9hVnGhTjhW/",
    "$6$rounds=1234$saltsalt$kHO515riscyiAilcFs63eEgiwhrFbeb8Gb6QdDo4F/OrSOE/IeqgsjPVykKZauKJhPpHoCOlU3vgO6sPMGHKn.",
    "$apr1$7RnedeEw$O1fgPabaHZhVkTTjtMum5/",
    "$apr1$F4/hLsas$Wj/AzxXJq7QPdZb4bBR4Z/",
    "$apr1$saltsalt$PU9q8.HoFJEM7m9NSIooE1",
    "{SHA}q/eq1kOINtvlJqojGr3i0O73TUI=",
    "pbkdf2_sha256$1000$saltsalt$zzTVNkpdnDsQWZloN/zP8vUU74BCbHD/tDSXS4zXPSs=",
    "pbkdf2_sha1$1000$saltsalt$aK/10Ysg+YqAR2YZZFzXGQ7rOxI=",
    "$pbkdf2-sha1$i=1000,l=20$MDEyMzQ1Njc4OWFiY2RlZg$wmIXv0mv7iouqkc9CKjRvCX21po",
    "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$yqSq2SygY1sB4EcH9f2FG0JTMES+wqLsOT5YmiRBplI",
    "$pbkdf2-sha512$i=1000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$5bTW2oeyDJyGJPcmEr+mRDE11ghpozWrDGnSNhRXo2ZCu0KHRDiUMAVEGzLJC+oDhRoeIja9J1iLIv9ptDJMfQ",
    "scrypt$1024$saltsalt$8$1$JEiq31ToDXVLekoPiCYXO7eLgCBeYKHZ1ulgYbEEYca9LTPnkr3i22mQ7/i+Mlw2sswjvDdzyvFUpqNAV08cJw==",
    "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$7AnzIswxwEinpwz+ntydndYfVHPvOACmX9Vvo8hO1qM",
    "argon2$argon2id$v=19$m=64,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$ZU7BdSwuAT2NJbDWfJmIGFAdzu32uX5r6jw2TuRMaj4",
    "$argon2i$v=19$m=64,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$I6c1fG8YRnuN4w3JpmUgBaKgwjVLtRP1vPujJs7gtHs",
    "$argon2d$v=19$m=64,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$l9FFa3ZSnVgMXTDqIc3kui/DUh9J0pEF5KFsnMkfT8s",
    "$argon2id$v=16$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$qE2NAJv+l00hufrIZfQRUx+K4huY0JAVlc2AoCy4oc4",
    "$argon2id$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$qE2NAJv+l00hufrIZfQRUx+K4huY0JAVlc2AoCy4oc4",
];

/// Ann's line in authd's own format, with this hash.
fn ann(hash: &str) -> String {
    serde_json::json!({"email": ANN, "email_verified": true, "password_hash": hash}).to_string()
}

fn stored_hash(world: &World) -> String {
    let lines = exported(&world.app, Contents::WithCredentials);
    lines[0].object["password_hash"].as_str().unwrap().to_owned()
}

#[test]
fn a_password_that_bcrypt_takes_for_another_opens_nothing() {
    let world = World::new();
    let hash = "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG";
    assert_eq!(import(&world, Format::Jsonl, &ann(hash)).created(), [ANN]);
    let repeated = format!("{PASSWORD}\0{PASSWORD}");
    assert_eq!(world.login_with(ANN, &repeated).unwrap_err(), Error::Refused(Refusal::InvalidCredentials));
    assert_eq!(stored_hash(&world), hash, "nobody but the owner says what it becomes");
    world.login(ANN).unwrap();
}

#[test]
fn a_foreign_hash_opens_the_account_and_becomes_authds_own() {
    for hash in HASHES {
        let world = World::new();
        assert_eq!(import(&world, Format::Jsonl, &ann(hash)).created(), [ANN], "{hash}");
        let wrong = world.login_with(ANN, "correct horse battery stable");
        assert_eq!(wrong.unwrap_err(), Error::Refused(Refusal::InvalidCredentials), "{hash}");
        assert!(!world.events().contains(&"PasswordRehashed".into()), "{hash}");
        world.login(ANN).unwrap_or_else(|error| panic!("{hash}: {error}"));
        // Django's argon2id with dearer parameters than are configured is what authd itself would make.
        let own = hash.starts_with("argon2$argon2id$v=19");
        let rehashed = world.events().iter().filter(|event| *event == "PasswordRehashed").count();
        assert_eq!(rehashed, usize::from(!own), "{hash}");
        let stored = stored_hash(&world);
        let begins = if own { "$argon2id$v=19$m=64,t=2,p=2$" } else { "$argon2id$v=19$m=8,t=1,p=1$" };
        assert!(stored.starts_with(begins), "{stored}");
        world.login(ANN).unwrap_or_else(|error| panic!("{hash}: {error}"));
        assert_eq!(stored_hash(&world), stored, "{hash}");
    }
}

const SIGNER_KEY: &str =
    "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";

fn firebase_parameters() -> firebase::Parameters {
    let text = serde_json::json!({
        "algorithm": "SCRYPT", "base64_signer_key": SIGNER_KEY, "base64_salt_separator": "Bw==",
        "rounds": 8, "mem_cost": 14,
    });
    firebase::parameters(&Secret::new(text.to_string())).unwrap()
}

const FIREBASE: &str = r#"{"users": [{
    "localId": "9VvPZ1bKfNUxJw1pHLLIYqzjZRv2", "email": "user1@example.com", "emailVerified": true,
    "passwordHash": "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
    "salt": "42xEC+ixf3L2lw==", "createdAt": "1486324202000", "lastSignedInAt": "1486324202000", "providerUserInfo": []
}]}"#;

#[test]
fn firebases_own_example_logs_in_and_the_signer_key_is_stored_nowhere() {
    let world = World::new();
    let options =
        Options { firebase: Some(firebase_parameters()), ..crate::transfer::options(Format::Firebase) };
    let kept = import_into(&world.app, &options, FIREBASE.as_bytes());
    assert_eq!(kept.created(), ["user1@example.com"], "{kept:?}");
    let stored = stored_hash(&world);
    assert!(stored.starts_with("$firebase-scrypt$ln=14,r=8$"), "{stored}");
    assert_eq!(
        world.login_with("user1@example.com", "user2password").unwrap_err(),
        Refusal::InvalidCredentials.into()
    );
    world.login_with("user1@example.com", "user1password").unwrap();
    assert!(stored_hash(&world).starts_with("$argon2id$"));
    let key = data_encoding::BASE64.decode(SIGNER_KEY.as_bytes()).unwrap();
    for file in std::fs::read_dir(&world.folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(16).any(|part| part == &key[..16]));
        assert!(!bytes.windows(16).any(|part| part == &SIGNER_KEY.as_bytes()[..16]));
    }
}

#[test]
fn without_the_projects_key_a_firebase_password_is_refused() {
    let world = World::new();
    assert_eq!(import(&world, Format::Firebase, FIREBASE).failed(), [(1, "unsupported_hash")]);
    let other = Secret::new(
        r#"{"base64_signer_key": "AAAA", "base64_salt_separator": "Bw==", "rounds": 8, "mem_cost": 14}"#
            .to_owned(),
    );
    let options = Options {
        firebase: Some(firebase::parameters(&other).unwrap()),
        ..crate::transfer::options(Format::Firebase)
    };
    assert_eq!(import_into(&world.app, &options, FIREBASE.as_bytes()).failed(), [(1, "malformed_hash")]);
}

#[test]
fn firebase_parameters_are_read_whole_or_not_at_all() {
    for (text, why) in [
        ("", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "`base64_signer_key` is missing"),
        (r#"{"base64_signer_key": "!", "base64_salt_separator": ""}"#, "`base64_signer_key` must be base64"),
        (r#"{"base64_signer_key": "AAAA", "base64_salt_separator": "Bw==", "rounds": 8}"#, "`mem_cost`"),
        (r#"{"algorithm": "BCRYPT", "base64_signer_key": "AAAA"}"#, "SCRYPT"),
        (r#"{"signer_key": "AAAA"}"#, "no member `signer_key`"),
    ] {
        let said = firebase::parameters(&Secret::new(text.to_owned())).unwrap_err();
        assert!(said.contains(why), "{text}: {said}");
        assert!(!said.contains("AAAA"), "{said}");
    }
}

/// Hashes that no login may be made to compute, or that none can.
const REFUSED: [(&str, &str); 35] = [
    ("$2b$16$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG", "costly_hash"),
    ("$2b$31$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG", "costly_hash"),
    ("$2b$03$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG", "malformed_hash"),
    ("$2b$10$abcdefghijklmnopqrstuv", "malformed_hash"),
    ("$2b$04$äbcdefghijklmnopqrstu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG", "malformed_hash"),
    ("$2x$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG", "unsupported_hash"),
    (
        "$6$rounds=999999999$saltsalt$kHO515riscyiAilcFs63eEgiwhrFbeb8Gb6QdDo4F/OrSOE/IeqgsjPVykKZauKJhPpHoCOlU3vgO6sPMGHKn.",
        "costly_hash",
    ),
    (
        "$6$rounds=1$saltsalt$kHO515riscyiAilcFs63eEgiwhrFbeb8Gb6QdDo4F/OrSOE/IeqgsjPVykKZauKJhPpHoCOlU3vgO6sPMGHKn.",
        "malformed_hash",
    ),
    ("$6$saltsalt$", "malformed_hash"),
    ("$5$", "malformed_hash"),
    ("{SHA}q/eq1kOINtvlJqojGr3i0O73TQ==", "malformed_hash"),
    ("pbkdf2_sha256$5000001$saltsalt$zzTVNkpdnDsQWZloN/zP8vUU74BCbHD/tDSXS4zXPSs=", "costly_hash"),
    ("pbkdf2_sha256$4294967296$saltsalt$zzTVNkpdnDsQWZloN/zP8vUU74BCbHD/tDSXS4zXPSs=", "malformed_hash"),
    ("pbkdf2_sha256$0$saltsalt$zzTVNkpdnDsQWZloN/zP8vUU74BCbHD/tDSXS4zXPSs=", "malformed_hash"),
    ("pbkdf2_sha256$1000$saltsalt$", "malformed_hash"),
    ("pbkdf2_sha256$1000$saltsalt", "malformed_hash"),
    (
        "$pbkdf2-sha1$i=2000000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$5bTW2oeyDJyGJPcmEr+mRDE11ghpozWrDGnSNhRXo2ZCu0KHRDiUMAVEGzLJC+oDhRoeIja9J1iLIv9ptDJMfQ",
        "costly_hash",
    ),
    ("$pbkdf2-sha256$MDEyMzQ1Njc4OWFiY2RlZg$yqSq2SygY1sB4EcH9f2FG0JTMES+wqLsOT5YmiRBplI", "malformed_hash"),
    (
        "$scrypt$ln=18,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$7AnzIswxwEinpwz+ntydndYfVHPvOACmX9Vvo8hO1qM",
        "costly_hash",
    ),
    (
        "$scrypt$ln=10,r=8,p=4294967295$MDEyMzQ1Njc4OWFiY2RlZg$7AnzIswxwEinpwz+ntydndYfVHPvOACmX9Vvo8hO1qM",
        "costly_hash",
    ),
    (
        "$scrypt$ln=10,r=4294967295,p=1$MDEyMzQ1Njc4OWFiY2RlZg$7AnzIswxwEinpwz+ntydndYfVHPvOACmX9Vvo8hO1qM",
        "costly_hash",
    ),
    (
        "$scrypt$ln=255,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$7AnzIswxwEinpwz+ntydndYfVHPvOACmX9Vvo8hO1qM",
        "costly_hash",
    ),
    (
        "scrypt$1000$saltsalt$8$1$JEiq31ToDXVLekoPiCYXO7eLgCBeYKHZ1ulgYbEEYca9LTPnkr3i22mQ7/i+Mlw2sswjvDdzyvFUpqNAV08cJw==",
        "malformed_hash",
    ),
    (
        "$argon2id$v=19$m=262144,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$ZU7BdSwuAT2NJbDWfJmIGFAdzu32uX5r6jw2TuRMaj4",
        "costly_hash",
    ),
    (
        "$argon2id$v=19$m=65536,t=64,p=1$MDEyMzQ1Njc4OWFiY2RlZg$ZU7BdSwuAT2NJbDWfJmIGFAdzu32uX5r6jw2TuRMaj4",
        "costly_hash",
    ),
    ("$argon2id$v=19$m=64,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg", "malformed_hash"),
    ("$apr1$salt$PU9q8.HoFJEM7m9NSIooE1", "malformed_hash"),
    ("$apr1$saltsalts$PU9q8.HoFJEM7m9NSIooE1", "malformed_hash"),
    ("$apr1$saltsalt$PU9q8.HoFJEM7m9NSIooE", "malformed_hash"),
    ("$apr1$saltsalt$PU9q8.HoFJEM7m9NSIooE1$", "malformed_hash"),
    ("$apr1$", "malformed_hash"),
    ("$1$saltsalt$PU9q8.HoFJEM7m9NSIooE1", "unsupported_hash"),
    ("md5$salt$1f40fc92da241694750979ee6cf582f2", "unsupported_hash"),
    ("hunter2", "unsupported_hash"),
    ("", "unsupported_hash"),
];

#[test]
fn what_can_not_or_must_not_be_computed_is_refused_or_comes_without_a_password() {
    let world = World::new();
    for (hash, code) in REFUSED {
        assert_eq!(import(&world, Format::Jsonl, &ann(hash)).failed(), [(1, code)], "{hash}");
    }
    assert_eq!(exported(&world.app, Contents::Profile).len(), 0);
    let options = Options { unusable_hash: UnusableHash::Drop, ..crate::transfer::options(Format::Jsonl) };
    let kept = import_into(&world.app, &options, ann("$1$saltsalt$PU9q8.HoFJEM7m9NSIooE1").as_bytes());
    assert_eq!(kept.notes(), [(1, "password_lost")]);
    assert_eq!(world.login_with(ANN, "x").unwrap_err(), Refusal::InvalidCredentials.into());
}

/// OpenSSL's, of a password with letters of several bytes each, longer than MD5's sixteen bytes.
#[test]
fn htpasswds_own_hash_takes_any_password() {
    let password = "pässwörd 😀 and rather longer than sixteen bytes of it";
    let world = World::new();
    let kept = import(&world, Format::Jsonl, &ann("$apr1$lZL6V.ci$m9TuksLhu46NA9aIkqZYl1"));
    assert_eq!((kept.created(), kept.summary.weak_hashes), (vec![ANN], 1));
    assert_eq!(world.login_with(ANN, "pässwörd 😀").unwrap_err(), Refusal::InvalidCredentials.into());
    world.login_with(ANN, password).unwrap();
    assert!(stored_hash(&world).starts_with("$argon2id$"));
}

#[test]
fn what_authd_itself_is_configured_to_cost_is_never_too_dear() {
    let world = World::with(&[("password.argon2_memory_kib", "262144")]);
    let dear =
        "$argon2id$v=19$m=262144,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$ZU7BdSwuAT2NJbDWfJmIGFAdzu32uX5r6jw2TuRMaj4";
    assert_eq!(import(&world, Format::Jsonl, &ann(dear)).created(), [ANN]);
}

#[test]
fn guesses_at_a_foreign_hash_are_counted_like_any_others() {
    let world = World::new();
    import(&world, Format::Jsonl, &ann(HASHES[0]));
    for _ in 0..5 {
        assert_eq!(world.login_with(ANN, "wrong password").unwrap_err(), Refusal::InvalidCredentials.into());
    }
    let locked = world.login_with(ANN, PASSWORD).unwrap_err();
    assert!(matches!(locked, Error::Refused(Refusal::TooManyAttempts { .. })), "{locked}");
}

#[test]
fn a_password_that_is_set_while_the_old_one_is_checked_stays() {
    let world = World::new();
    import(&world, Format::Jsonl, &ann(HASHES[5]));
    std::thread::scope(|scope| {
        // Fewer than lock the account, should all of them come too late.
        let logins: Vec<_> = (0..4).map(|_| scope.spawn(|| world.login(ANN).is_ok())).collect();
        let new = authd::domain::password::Password::new("a whole new password").unwrap();
        let of = crate::world::user_ref(ANN);
        authd::usecase::account::admin::set_password(
            &world.app,
            &crate::world::operator(),
            &of,
            &new,
            authd::usecase::account::admin::Term::Lasting,
        )
        .unwrap();
        for login in logins {
            login.join().unwrap();
        }
    });
    world.login_with(ANN, "a whole new password").unwrap();
}
