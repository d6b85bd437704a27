-- From schema 7 to 8: passkeys.

-- Public keys that sign people in (WebAuthn), and are their second factor.
CREATE TABLE passkeys (
    id              BLOB PRIMARY KEY NOT NULL,
    user_id         BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    rp_id           TEXT NOT NULL,        -- the domain that it was made for
    credential_id   BLOB NOT NULL UNIQUE, -- as the authenticator names it
    public_key      BLOB NOT NULL,        -- a COSE_Key (RFC 9052)
    user_handle     BLOB NOT NULL,        -- what the authenticator has for the account: random
    name            TEXT NOT NULL,
    sign_count      INTEGER NOT NULL,     -- the authenticator's own, at the last use; 0: it doesn't count
    backup_eligible INTEGER NOT NULL,     -- 1: it can be on several devices
    backed_up       INTEGER NOT NULL,     -- 1: it is, as of the last use
    transports      TEXT NOT NULL,        -- separated by spaces
    created_at      INTEGER NOT NULL,
    last_used_at    INTEGER               -- NULL: never
) STRICT, WITHOUT ROWID;
CREATE INDEX passkeys_by_user ON passkeys (user_id, id);

-- Ceremonies that were used once already, until nobody could use them any more by their age.
CREATE TABLE spent_ceremonies (
    ceremony_hash BLOB PRIMARY KEY NOT NULL, -- SHA-256
    expires_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
