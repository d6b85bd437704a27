-- The schema of a fresh database. `src/store/sqlite/migrations/` holds the steps from older ones to this.
--
-- Conventions: ids are UUIDv7 as 16 bytes, made by authd; times are milliseconds since the Unix epoch,
-- UTC; no clock and no random in SQL. NULL in a `…_at` column means "has not happened".
-- No table holds anything that a token, a link or a password could be made from.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- audit_head: the number (8 bytes, big endian) and hash of the audit log's newest line, with a MAC of both
-- audit_anchor: the same of the last line that was pruned
-- audit_untold: the last pruned line before a pruning that no line of the log tells of yet
-- audit_pruned_to: the number up to which lines may be deleted
-- revocations_pruned_to: the latest end (8 bytes, big endian) of a revoked token that is no longer kept
-- probe: the time of the last readiness check
-- unknown_proxy_seen_at: when a proxy was met last that `proxy.trusted` doesn't name
-- root_key_check: opens with this database's own key file and no other

CREATE TABLE users (
    id                BLOB PRIMARY KEY NOT NULL,
    email             TEXT NOT NULL,        -- as it is written to
    email_key         TEXT NOT NULL UNIQUE, -- as it is compared
    email_verified_at INTEGER,
    name              TEXT NOT NULL,
    password_hash     TEXT,                 -- PHC string; NULL: no password
    disabled_at       INTEGER,
    created_at        INTEGER NOT NULL,
    last_login_at     INTEGER,
    password_must_change INTEGER NOT NULL DEFAULT 0, -- 1: the next login with it asks for another
    password_ends_at     INTEGER                     -- when such a one counts no more; NULL: never
) STRICT, WITHOUT ROWID;
CREATE INDEX users_disabled ON users (id) WHERE disabled_at IS NOT NULL;
CREATE INDEX users_unverified ON users (id) WHERE email_verified_at IS NULL;

CREATE TABLE roles (
    name        TEXT PRIMARY KEY NOT NULL,
    description TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE role_permissions (
    role       TEXT NOT NULL REFERENCES roles (name) ON DELETE CASCADE,
    permission TEXT NOT NULL,
    PRIMARY KEY (role, permission)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_roles (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role    TEXT NOT NULL REFERENCES roles (name) ON DELETE CASCADE,
    granted_by BLOB REFERENCES identities (id) ON DELETE CASCADE, -- by a provider's claim; NULL: somebody gave it
    PRIMARY KEY (user_id, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_roles_by_role ON user_roles (role, user_id);
CREATE INDEX user_roles_by_grant ON user_roles (granted_by) WHERE granted_by IS NOT NULL;

-- Applications behind the gate. A role that is deleted takes its line along: nobody comes in by it any more.
CREATE TABLE apps (
    name       TEXT PRIMARY KEY NOT NULL,
    url        TEXT NOT NULL UNIQUE, -- its origin, as a browser spells it
    host       TEXT NOT NULL,        -- of that, without the port
    everyone   INTEGER NOT NULL,     -- 1: whoever is signed in; 0: those with one of its roles
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX apps_by_host ON apps (host);

CREATE TABLE app_roles (
    app  TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
    role TEXT NOT NULL REFERENCES roles (name) ON DELETE CASCADE,
    PRIMARY KEY (app, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX app_roles_by_role ON app_roles (role, app);

-- One-time codes that carry a sign-in from authd's pages to an application's host.
CREATE TABLE app_codes (
    code_hash  BLOB PRIMARY KEY NOT NULL, -- SHA-256
    app        TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
    session_id BLOB NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL,          -- of the session when it was given
    remembered INTEGER NOT NULL,          -- 1: what comes of it outlives the browser's window
    state_hash BLOB NOT NULL,             -- SHA-256 of what that browser has at the application's host
    return_to  TEXT NOT NULL,             -- a path there
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX app_codes_by_app ON app_codes (app);
CREATE INDEX app_codes_by_session ON app_codes (session_id);

-- A login and all that was refreshed from it. Its refresh token, or the cookie of a browser's session, is
-- an HMAC over id, generation and salt under a key that is not in this file.
CREATE TABLE sessions (
    id           BLOB PRIMARY KEY NOT NULL,
    user_id      BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    generation   INTEGER NOT NULL,
    salt         BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    auth_time    INTEGER NOT NULL, -- without a meaning where `amr` is empty
    amr          TEXT NOT NULL,    -- separated by spaces; empty: nobody proved anything, an operator minted it
    ip           TEXT,
    user_agent   TEXT,
    oldest       INTEGER NOT NULL DEFAULT 0, -- the oldest generation whose access tokens are honoured
    idle         INTEGER,       -- how long it lives unused, in milliseconds; NULL: as configured
    provider_amr TEXT NOT NULL DEFAULT '' -- how a provider says that they did, by whose account they came
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_by_end ON sessions (expires_at) WHERE ended_at IS NULL;
-- The sessions of a user that were not ended, however many were.
CREATE INDEX sessions_not_ended ON sessions (user_id, id) WHERE ended_at IS NULL;

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
    expires_at     INTEGER NOT NULL,
    provider_auth_time INTEGER -- when they proved to the provider who they are; NULL: it doesn't say
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_codes_by_user ON oauth_codes (user_id);

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

-- Single access tokens that were revoked before their end.
CREATE TABLE revoked_tokens (
    jti        BLOB PRIMARY KEY NOT NULL,
    expires_at INTEGER NOT NULL -- when the row may go
) STRICT, WITHOUT ROWID;

-- One-time links sent by mail.
CREATE TABLE links (
    id         BLOB PRIMARY KEY NOT NULL,
    kind       TEXT NOT NULL,
    user_id    BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL UNIQUE, -- SHA-256
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    spent_at   INTEGER,
    email      TEXT,                 -- the new address, for a change of address
    session_id BLOB,                 -- the session that asked for the change, which outlives it
    mailed     INTEGER NOT NULL DEFAULT 1 -- 0: handed over by an operator; it says nothing of the address
) STRICT, WITHOUT ROWID;
CREATE INDEX links_by_user ON links (user_id, kind);

-- Second factors. The secret is sealed under the root key; enrolled but not yet confirmed ones have
-- no `enabled_at`.
CREATE TABLE totp (
    user_id       BLOB PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret_sealed BLOB NOT NULL,
    enabled_at    INTEGER,
    last_step     INTEGER,          -- the newest step accepted; older ones are replays
    failures      INTEGER NOT NULL, -- in a row
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_codes (
    user_id   BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash BLOB NOT NULL, -- SHA-256 of 120 random bits, of older codes 80
    spent_at  INTEGER,
    PRIMARY KEY (user_id, code_hash)
) STRICT, WITHOUT ROWID;

-- A login that waits for its second factor, or for a password in the place of one that must be changed.
CREATE TABLE tickets (
    token_hash BLOB PRIMARY KEY NOT NULL, -- SHA-256
    user_id    BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    failures   INTEGER NOT NULL,
    spent_at   INTEGER,
    amr        TEXT, -- how the person proved who they are, where only the password waits; NULL: the factor does
    first_factor TEXT NOT NULL DEFAULT 'pwd', -- what was shown, as `amr` names it
    provider_amr TEXT NOT NULL DEFAULT ''     -- of its session to come
) STRICT, WITHOUT ROWID;
CREATE INDEX tickets_by_user ON tickets (user_id);

-- Failed logins. `account` is an address as it is compared, whether or not anybody has it.
CREATE TABLE pair_failures (
    account      TEXT NOT NULL,
    network      TEXT NOT NULL,
    failures     INTEGER NOT NULL,
    locks        INTEGER NOT NULL,
    locked_until INTEGER,
    last_at      INTEGER NOT NULL,
    PRIMARY KEY (account, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX pair_failures_locked ON pair_failures (locked_until) WHERE locked_until IS NOT NULL;
-- Whether an account is locked is one step into this, however many networks have failed on it.
CREATE INDEX pair_failures_by_lock ON pair_failures (account, locked_until) WHERE locked_until IS NOT NULL;

CREATE TABLE account_failures (
    account      TEXT PRIMARY KEY NOT NULL,
    failures     INTEGER NOT NULL,
    locked_until INTEGER,
    last_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX account_failures_locked ON account_failures (locked_until) WHERE locked_until IS NOT NULL;

-- Where an account has logged in from.
CREATE TABLE known_networks (
    user_id       BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    network       TEXT NOT NULL,
    last_login_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, network)
) STRICT, WITHOUT ROWID;

-- Links that somebody asked for, for an address that may have no account: whoever asks is answered
-- before anybody looks, so that the time of the answer tells nothing.
CREATE TABLE link_requests (
    id         BLOB PRIMARY KEY NOT NULL,
    kind       TEXT NOT NULL,
    email      TEXT NOT NULL,
    ip         TEXT,
    request_id TEXT,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Browsers that wait to sign in by mail: the same row whether or not the address has an account. Of one that
-- has, `links` has a line with the same id.
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

-- Registrations that wait for the link in their mail, the newest three of an address: the same row whether or
-- not the address has an account.
CREATE TABLE registrations (
    id            BLOB PRIMARY KEY NOT NULL,
    email         TEXT NOT NULL,        -- as it is written to
    email_key     TEXT NOT NULL,        -- as it is compared
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,        -- PHC string; empty: an identity signs in
    password_tag  BLOB NOT NULL,        -- an HMAC of address and password, or identity, under a key that is not in this file
    token_hash    BLOB NOT NULL UNIQUE, -- SHA-256
    ip            TEXT,
    user_agent    TEXT,
    contested     INTEGER NOT NULL,     -- 1: others wait, or have, with another password; the link wants it, too
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    provider      TEXT,                 -- of the identity that signs in, with its key; NULL: a password does
    issuer        TEXT,
    subject       TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX registrations_by_address ON registrations (email_key, id);

-- Accounts of before registrations waited for their link, whose address nobody has verified.
CREATE TABLE unclaimed (
    user_id   BLOB PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    delete_at INTEGER NOT NULL -- unless it is verified or used by then
) STRICT, WITHOUT ROWID;

-- The outbox. A body is sealed under the root key, and wiped once it was sent.
CREATE TABLE mails (
    id              BLOB PRIMARY KEY NOT NULL,
    user_id         BLOB REFERENCES users (id) ON DELETE SET NULL,
    to_address      TEXT NOT NULL,
    to_key          TEXT NOT NULL, -- the address as it is compared, for the hourly bound
    kind            TEXT NOT NULL,
    subject         TEXT NOT NULL,
    body_sealed     BLOB,
    state           TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
    created_at      INTEGER NOT NULL,
    sent_at         INTEGER,
    attempts        INTEGER NOT NULL,
    last_error      TEXT,
    counts          INTEGER NOT NULL DEFAULT 1, -- 0: a security notice; 2: asked for from a network that is known
    next_attempt_at INTEGER,                    -- NULL: at once
    claimed_until   INTEGER,                    -- somebody is sending it; NULL: nobody
    retried_at      INTEGER,                    -- queued once more by an operator; NULL: never
    held_back       INTEGER NOT NULL DEFAULT 0  -- how many notices it stands for; 0: for itself, and sent at once
) STRICT, WITHOUT ROWID;
CREATE INDEX mails_by_address ON mails (to_key, created_at);
CREATE INDEX mails_by_user ON mails (user_id);
CREATE INDEX mails_by_state ON mails (state, next_attempt_at, id);

CREATE TABLE signing_keys (
    kid            TEXT PRIMARY KEY NOT NULL, -- RFC 7638 thumbprint
    algorithm      TEXT NOT NULL,
    jwk            TEXT NOT NULL,             -- the public half
    private_sealed BLOB NOT NULL,
    created_at     INTEGER NOT NULL,
    retired_at     INTEGER,                    -- signs no more, still verifies
    token_ttl      INTEGER NOT NULL DEFAULT 0, -- the longest ordinary life of a token that it signs, in milliseconds
    keep_until     INTEGER NOT NULL DEFAULT 0  -- retired, it verifies until then; before, the end of minted tokens
) STRICT, WITHOUT ROWID;

-- For services. The secret is shown once; a key that is revoked is deleted.
CREATE TABLE api_keys (
    id           BLOB PRIMARY KEY NOT NULL,
    name         TEXT NOT NULL UNIQUE,
    token_hash   BLOB NOT NULL UNIQUE, -- SHA-256
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,              -- NULL: never
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE api_key_permissions (
    key_id     BLOB NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    permission TEXT NOT NULL,
    PRIMARY KEY (key_id, permission)
) STRICT, WITHOUT ROWID;

-- Append-only and chained: `hash` is an HMAC over the line before and this one.
CREATE TABLE audit (
    seq        INTEGER PRIMARY KEY NOT NULL, -- from 1 on, without a gap
    at         INTEGER NOT NULL,
    event      TEXT NOT NULL,
    actor      TEXT NOT NULL,
    user_id    TEXT,
    session_id TEXT,
    ip         TEXT,
    request_id TEXT,
    details    TEXT NOT NULL,                -- a JSON object of strings
    hash       BLOB NOT NULL
) STRICT;
CREATE INDEX audit_by_user ON audit (user_id, seq);
-- Without the commonest event, so that a refresh doesn't write to it.
CREATE INDEX audit_by_event ON audit (event, seq) WHERE event <> 'TokenRefreshed';

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_is_only_pruned BEFORE DELETE ON audit
WHEN old.seq > coalesce((SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM meta WHERE key = 'audit_pruned_to'), 0)
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;

INSERT INTO roles (name, description, created_at) VALUES ('admin', 'Everything in authd', 0);
INSERT INTO role_permissions (role, permission) VALUES
    ('admin', 'users:read'), ('admin', 'users:write'), ('admin', 'roles:read'), ('admin', 'roles:write'),
    ('admin', 'sessions:read'), ('admin', 'sessions:revoke'), ('admin', 'audit:read'), ('admin', 'keys:write'),
    ('admin', 'apps:read'), ('admin', 'apps:write');
