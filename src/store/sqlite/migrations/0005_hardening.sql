-- From schema 4 to 5: bounds for what strangers can make grow.

-- Whether an account is locked is one step into this, however many networks have failed on it.
CREATE INDEX pair_failures_by_lock ON pair_failures (account, locked_until) WHERE locked_until IS NOT NULL;

-- Registrations that wait for the link in their mail, the newest three of an address: the same row whether or
-- not the address has an account.
CREATE TABLE registrations (
    id            BLOB PRIMARY KEY NOT NULL,
    email         TEXT NOT NULL,        -- as it is written to
    email_key     TEXT NOT NULL,        -- as it is compared
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,        -- PHC string
    password_tag  BLOB NOT NULL,        -- an HMAC of address and password, under a key that is not in this file
    token_hash    BLOB NOT NULL UNIQUE, -- SHA-256
    ip            TEXT,
    user_agent    TEXT,
    contested     INTEGER NOT NULL,     -- 1: others wait, or have, with another password; the link wants it, too
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX registrations_by_address ON registrations (email_key, id);
