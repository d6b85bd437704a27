-- From schema 5 to 6: ways to sign in besides a password.

ALTER TABLE tickets ADD COLUMN first_factor TEXT NOT NULL DEFAULT 'pwd';
ALTER TABLE tickets ADD COLUMN provider_amr TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN provider_amr TEXT NOT NULL DEFAULT '';

CREATE TABLE magic_requests (
    id           BLOB PRIMARY KEY NOT NULL,
    request_hash BLOB NOT NULL UNIQUE, -- SHA-256 of what the browser has
    email        TEXT NOT NULL,        -- as it is written to
    email_key    TEXT NOT NULL,        -- as it is compared
    failures     INTEGER NOT NULL,     -- wrong codes that were shown
    ip           TEXT,
    user_agent   TEXT,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX magic_requests_by_address ON magic_requests (email_key, id);

-- Accounts at providers that sign in here.
CREATE TABLE identities (
    id           BLOB PRIMARY KEY NOT NULL,
    user_id      BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider     TEXT NOT NULL, -- as the configuration names it
    issuer       TEXT NOT NULL,
    subject      TEXT NOT NULL,
    email        TEXT,          -- what the provider stated last; it only informs
    linked_at    INTEGER NOT NULL,
    last_used_at INTEGER,
    UNIQUE (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_user ON identities (user_id, id);

ALTER TABLE user_roles ADD COLUMN granted_by BLOB REFERENCES identities (id) ON DELETE CASCADE;
CREATE INDEX user_roles_by_grant ON user_roles (granted_by) WHERE granted_by IS NOT NULL;

-- An identity that waits for its address.
ALTER TABLE registrations ADD COLUMN provider TEXT;
ALTER TABLE registrations ADD COLUMN issuer TEXT;
ALTER TABLE registrations ADD COLUMN subject TEXT;

-- Browsers that were sent to a provider and are to come back.
CREATE TABLE oauth_attempts (
    state_hash   BLOB PRIMARY KEY NOT NULL, -- SHA-256
    provider     TEXT NOT NULL,
    browser_hash BLOB NOT NULL,             -- SHA-256 of what the browser keeps
    sealed       BLOB NOT NULL,             -- nonce, verifier, and where it goes on to
    user_id      BLOB REFERENCES users (id) ON DELETE CASCADE, -- who links an identity; NULL: somebody signs in
    session_id   BLOB,                      -- in which session
    expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_attempts_by_user ON oauth_attempts (user_id) WHERE user_id IS NOT NULL;

-- One-time codes for which a front end gets what came of a sign-in with a provider.
CREATE TABLE oauth_codes (
    code_hash      BLOB PRIMARY KEY NOT NULL, -- SHA-256
    user_id        BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_challenge TEXT NOT NULL,             -- of the front end's own verifier (RFC 7636)
    provider_amr   TEXT NOT NULL,
    expires_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_codes_by_user ON oauth_codes (user_id);
