-- From schema 1 to 2: second factors, lockout, changes of address, mail that is tried again.

ALTER TABLE users DROP COLUMN two_factor_at;
ALTER TABLE users DROP COLUMN locked_until;
ALTER TABLE sessions ADD COLUMN oldest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN idle INTEGER;
ALTER TABLE links ADD COLUMN email TEXT;
ALTER TABLE links ADD COLUMN session_id BLOB;
ALTER TABLE mails ADD COLUMN counts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE mails ADD COLUMN next_attempt_at INTEGER;
ALTER TABLE mails ADD COLUMN claimed_until INTEGER;
ALTER TABLE mails ADD COLUMN retried_at INTEGER;
DROP INDEX mails_by_state;
CREATE INDEX mails_by_state ON mails (state, next_attempt_at, id);

CREATE TABLE totp (
    user_id       BLOB PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret_sealed BLOB NOT NULL,
    enabled_at    INTEGER,
    last_step     INTEGER,
    failures      INTEGER NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_codes (
    user_id   BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash BLOB NOT NULL,
    spent_at  INTEGER,
    PRIMARY KEY (user_id, code_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE tickets (
    token_hash BLOB PRIMARY KEY NOT NULL,
    user_id    BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    failures   INTEGER NOT NULL,
    spent_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX tickets_by_user ON tickets (user_id);

CREATE TABLE pair_failures (
    account      TEXT NOT NULL,
    network      TEXT NOT NULL,
    failures     INTEGER NOT NULL,
    locks        INTEGER NOT NULL,
    locked_until INTEGER,
    last_at      INTEGER NOT NULL,
    PRIMARY KEY (account, network)
) STRICT, WITHOUT ROWID;

CREATE TABLE account_failures (
    account      TEXT PRIMARY KEY NOT NULL,
    failures     INTEGER NOT NULL,
    locked_until INTEGER,
    last_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE known_networks (
    user_id       BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    network       TEXT NOT NULL,
    last_login_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, network)
) STRICT, WITHOUT ROWID;

CREATE TABLE link_requests (
    id         BLOB PRIMARY KEY NOT NULL,
    kind       TEXT NOT NULL,
    email      TEXT NOT NULL,
    ip         TEXT,
    request_id TEXT,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A line about nobody costs the same as one about somebody.
DROP INDEX audit_by_user;
CREATE INDEX audit_by_user ON audit (user_id, seq);
