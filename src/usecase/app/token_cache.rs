//! Access tokens that were found authentic, by the SHA-256 of their bytes: who shows one again is spared the
//! signature's arithmetic. Nothing else is kept: at every use the database is asked anew whether session,
//! account and key still count, and the clock whether the token does.

use crate::crypto::jwt::Authentic;
use crate::crypto::opaque::{OpaqueHash, sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many tokens a half holds. Both take some 3 MB, with tokens of the usual size.
const HALF: usize = 2048;

/// The longest token that is remembered, in bytes, so that many roles and permissions can't make it much
/// more.
const LONGEST: usize = 2048;

/// Two halves. New tokens, and those of the older half that are shown again, go into the younger; once that
/// is full, the older one is forgotten and they change places. So what is in use stays, for one look-up a
/// use.
#[derive(Debug, Default)]
pub struct TokenCache {
    halves: Mutex<Halves>,
}

#[derive(Debug, Default)]
struct Halves {
    younger: HashMap<OpaqueHash, Arc<Authentic>>,
    older: HashMap<OpaqueHash, Arc<Authentic>>,
}

/// What a token is remembered by.
#[derive(Clone, Copy, Debug)]
pub struct Fingerprint(OpaqueHash);

impl Fingerprint {
    /// Takes the fingerprint of a token. `None`: it is too long to be remembered.
    #[must_use]
    pub fn of(token: &str) -> Option<Self> {
        (token.len() <= LONGEST).then(|| Self(sha256(token)))
    }
}

impl TokenCache {
    /// Looks a token up, and keeps it in use when found. `None`: it is not remembered (any more).
    #[must_use]
    pub fn find(&self, token: Fingerprint) -> Option<Arc<Authentic>> {
        let mut halves = self.lock();
        if let Some(found) = halves.younger.get(&token.0) {
            return Some(Arc::clone(found));
        }
        let found = halves.older.remove(&token.0)?;
        halves.insert(token, &found);
        Some(found)
    }

    /// Remembers a token whose signature was found good.
    pub fn keep(&self, token: Fingerprint, authentic: &Arc<Authentic>) {
        self.lock().insert(token, authentic);
    }

    /// Forgets all tokens that a key has signed: it counts no more.
    pub fn drop_key(&self, kid: &str) {
        let mut halves = self.lock();
        halves.younger.retain(|_, token| token.kid != kid);
        halves.older.retain(|_, token| token.kid != kid);
    }

    /// A half-done change loses at worst what can be found out again.
    fn lock(&self) -> MutexGuard<'_, Halves> {
        self.halves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Halves {
    fn insert(&mut self, token: Fingerprint, authentic: &Arc<Authentic>) {
        if self.younger.len() >= HALF {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(token.0, Arc::clone(authentic));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::jwt::AccessClaims;
    use crate::domain::id::{SessionId, TokenId, UserId};
    use crate::domain::time::Timestamp;

    fn token(kid: &str) -> Arc<Authentic> {
        let now = Timestamp::from_secs(1_795_334_400);
        let claims = AccessClaims {
            issuer: String::new(),
            audience: String::new(),
            user: UserId::new(now, [0; 10]),
            session: SessionId::new(now, [0; 10]),
            generation: 0,
            token: TokenId::new(now, [0; 10]),
            client_id: String::new(),
            issued_at: now,
            not_before: now,
            expires_at: now,
            auth_time: None,
            amr: Vec::new(),
            roles: Some(Vec::new()),
            permissions: Some(Vec::new()),
        };
        Arc::new(Authentic { kid: kid.to_owned(), claims })
    }

    fn fingerprint(number: usize) -> Fingerprint {
        Fingerprint::of(&number.to_string()).unwrap()
    }

    #[test]
    fn there_is_a_bound_and_what_is_used_stays() {
        let (cache, kept) = (TokenCache::default(), token("a"));
        for number in 0..10 * HALF {
            cache.keep(fingerprint(number), &kept);
            assert!(cache.find(fingerprint(0)).is_some(), "{number}");
            let halves = cache.lock();
            assert!(halves.younger.len() + halves.older.len() <= 2 * HALF, "{number}");
        }
        assert!(cache.find(fingerprint(1)).is_none());
        assert!(cache.find(fingerprint(10 * HALF - 1)).is_some());
    }

    #[test]
    fn a_key_takes_its_own_tokens_along_and_no_others() {
        let cache = TokenCache::default();
        for number in 0..HALF + 10 {
            cache.keep(fingerprint(number), &token(if number % 2 == 0 { "a" } else { "b" }));
        }
        cache.drop_key("a");
        for number in 0..HALF + 10 {
            assert_eq!(cache.find(fingerprint(number)).is_some(), number % 2 == 1, "{number}");
        }
    }
}
