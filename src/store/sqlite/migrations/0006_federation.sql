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
