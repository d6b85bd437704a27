-- The schema of a fresh database. `src/store/migrations/` holds the steps from older ones to this.
--
-- Conventions: ids are UUIDv7 as 16 bytes, made by authd; times are milliseconds since the Unix epoch,
-- UTC; no clock and no random in SQL. NULL in a `…_at` column means "has not happened".
-- No table holds anything that a token, a link or a password could be made from.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- audit_head: the number (8 bytes, big endian) and hash of the audit log's newest line
-- audit_pruned_to: the number up to which lines may be deleted
-- probe: the time of the last readiness check
-- root_key_check: opens with this database's own key file and no other

CREATE TABLE users (
    id                BLOB PRIMARY KEY NOT NULL,
    email             TEXT NOT NULL,        -- as it is written to
    email_key         TEXT NOT NULL UNIQUE, -- as it is compared
    email_verified_at INTEGER,
    name              TEXT NOT NULL,
    password_hash     TEXT,                 -- PHC string; NULL: no password
    two_factor_at     INTEGER,
    disabled_at       INTEGER,
    locked_until      INTEGER,
    created_at        INTEGER NOT NULL,
    last_login_at     INTEGER
) STRICT, WITHOUT ROWID;

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
    PRIMARY KEY (user_id, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_roles_by_role ON user_roles (role, user_id);

-- A login and all that was refreshed from it. Its refresh token is an HMAC over id, generation and
-- salt under a key that is not in this file.
CREATE TABLE sessions (
    id           BLOB PRIMARY KEY NOT NULL,
    user_id      BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    generation   INTEGER NOT NULL,
    salt         BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    auth_time    INTEGER NOT NULL,
    amr          TEXT NOT NULL, -- separated by spaces
    ip           TEXT,
    user_agent   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id, id);

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
    spent_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX links_by_user ON links (user_id, kind);

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
    last_error      TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX mails_by_address ON mails (to_key, created_at);
CREATE INDEX mails_by_state ON mails (state, id);
CREATE INDEX mails_by_user ON mails (user_id);

CREATE TABLE signing_keys (
    kid            TEXT PRIMARY KEY NOT NULL, -- RFC 7638 thumbprint
    algorithm      TEXT NOT NULL,
    jwk            TEXT NOT NULL,             -- the public half
    private_sealed BLOB NOT NULL,
    created_at     INTEGER NOT NULL,
    retired_at     INTEGER                    -- signs no more, still verifies
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
CREATE INDEX audit_by_user ON audit (user_id, seq) WHERE user_id IS NOT NULL;

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
    ('admin', 'sessions:read'), ('admin', 'sessions:revoke'), ('admin', 'audit:read'), ('admin', 'keys:write');
