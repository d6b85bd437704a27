//! Properties of the values that come from outside: addresses, passwords, names, cursors, tokens.

use authd::crypto::refresh::{RefreshKey, RefreshToken};
use authd::crypto::root_key::RootKey;
use authd::crypto::{opaque, password};
use authd::domain::cursor::{self, List};
use authd::domain::email::Email;
use authd::domain::id::SessionId;
use authd::domain::link::LinkKind;
use authd::domain::name::Name;
use authd::domain::password::{HashCost, MAX_BYTES, Password};
use authd::ports::SystemEntropy;
use proptest::prelude::*;

const CHEAP: HashCost = HashCost { memory_kib: 8, iterations: 1, parallelism: 1 };

proptest! {
    #[test]
    fn parsing_an_address_never_panics_and_is_stable(text in ".{0,80}") {
        if let Ok(email) = Email::parse(&text) {
            let again = Email::parse(email.as_str()).unwrap();
            prop_assert_eq!(&again, &email);
            prop_assert_eq!(again.key(), email.key());
            prop_assert!(email.as_str().is_ascii());
            prop_assert!(!email.as_str().contains(|c: char| c.is_whitespace() || c.is_control()));
            prop_assert_eq!(email.as_str().matches('@').count(), 1);
        }
    }

    #[test]
    fn plain_addresses_are_taken_and_case_makes_no_second_account(
        local in "[a-zA-Z0-9]{1,10}([.+_-][a-zA-Z0-9]{1,10}){0,3}",
        domain in "[a-zA-Z0-9]{1,10}(-[a-zA-Z0-9]{1,5})?(\\.[a-zA-Z]{2,10}){1,3}",
    ) {
        let text = format!("{local}@{domain}");
        let email = Email::parse(&text).unwrap();
        prop_assert_eq!(email.local_part(), &local);
        prop_assert_eq!(email.domain(), domain.to_ascii_lowercase());
        prop_assert_eq!(Email::parse(&text.to_uppercase()).unwrap().key(), email.key());
    }

    #[test]
    fn a_password_of_any_text_verifies_itself_and_no_other(text in "\\PC{1,40}", other in "\\PC{1,40}") {
        let mut memory = password::Memory::new();
        let (mine, theirs) = (Password::new(&text).unwrap(), Password::new(&other).unwrap());
        let hash = password::hash(CHEAP, &mine, &[7; 16], &mut memory).unwrap();
        prop_assert!(password::verify(&hash, &mine, &mut memory).unwrap());
        prop_assert_eq!(password::verify(&hash, &theirs, &mut memory).unwrap(), mine == theirs);
    }

    #[test]
    fn no_byte_of_a_long_password_is_dropped(
        length in 2usize..=MAX_BYTES,
        at in any::<prop::sample::Index>(),
    ) {
        let mut memory = password::Memory::new();
        let mut text = vec![b'a'; length];
        let whole = Password::new(str::from_utf8(&text).unwrap()).unwrap();
        let hash = password::hash(CHEAP, &whole, &[7; 16], &mut memory).unwrap();
        text[at.index(length)] = b'b';
        let changed = Password::new(str::from_utf8(&text).unwrap()).unwrap();
        prop_assert!(!password::verify(&hash, &changed, &mut memory).unwrap());
        let shorter = Password::new(str::from_utf8(&text[..length - 1]).unwrap()).unwrap();
        prop_assert!(!password::verify(&hash, &shorter, &mut memory).unwrap());
    }

    #[test]
    fn any_stored_text_is_verified_without_a_panic(text in ".{0,120}") {
        let stored = password::PasswordHashText(text);
        let mut memory = password::Memory::new();
        let _ = password::verify(&stored, &Password::new("x").unwrap(), &mut memory);
    }

    #[test]
    fn a_name_is_one_line_however_it_is_typed(text in ".{0,250}") {
        if let Ok(name) = Name::parse(&text) {
            prop_assert!(!name.as_str().chars().any(char::is_control));
            prop_assert_eq!(Name::parse(name.as_str()), Ok(name.clone()));
        }
    }

    #[test]
    fn a_cursor_comes_back_and_nothing_else_is_one(key in any::<[u8; 16]>(), text in ".{0,40}") {
        let made = cursor::encode(List::Users, &key);
        prop_assert_eq!(cursor::decode(List::Users, &made), Some(key));
        if let Some(key) = cursor::decode(List::Users, &text) {
            prop_assert_eq!(cursor::encode(List::Users, &key), text);
        }
    }

    #[test]
    fn a_refresh_token_comes_back_and_no_other_is_authentic(
        id in any::<[u8; 16]>(), generation in any::<u64>(), salt in any::<[u8; 16]>(),
        at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let key = RefreshKey::new(&RootKey::generate(&SystemEntropy));
        let session = SessionId::from_bytes(id);
        let text = key.token(session, generation, &salt).expose().clone();
        let token = RefreshToken::parse(&text).unwrap();
        prop_assert_eq!((token.session, token.generation), (session, generation));
        prop_assert!(key.is_authentic(&token, &salt));
        let other = RefreshKey::new(&RootKey::generate(&SystemEntropy));
        prop_assert!(!other.is_authentic(&token, &salt));
        let mut other_salt = salt;
        other_salt[0] ^= 1;
        prop_assert!(!key.is_authentic(&token, &other_salt));

        let mut bytes = text.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(changed) = String::from_utf8(bytes) && changed != text {
            let passes = RefreshToken::parse(&changed).is_some_and(|token| key.is_authentic(&token, &salt));
            prop_assert!(!passes, "{} for {}", changed, text);
        }
    }

    #[test]
    fn any_text_is_parsed_as_a_token_without_a_panic(text in "(authd_(rt|ev|pr)_)?.{0,120}") {
        let _ = RefreshToken::parse(&text);
        for kind in LinkKind::ALL {
            let _ = opaque::parse(kind.prefix(), &text);
        }
    }
}
