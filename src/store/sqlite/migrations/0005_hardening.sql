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

-- 0: handed over by an operator; it says nothing of the address.
ALTER TABLE links ADD COLUMN mailed INTEGER NOT NULL DEFAULT 1;

-- Accounts of before registrations waited for their link, whose address nobody has verified.
CREATE TABLE unclaimed (
    user_id   BLOB PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    delete_at INTEGER NOT NULL -- unless it is verified or used by then
) STRICT, WITHOUT ROWID;

-- Those that the log says were made over HTTP, 30 days after that: its `user_id` is the id as it is shown.
INSERT INTO unclaimed (user_id, delete_at)
SELECT u.id, u.created_at + 2592000000 FROM users u
WHERE u.email_verified_at IS NULL AND u.last_login_at IS NULL AND EXISTS (
    SELECT 1 FROM audit a WHERE a.event = 'UserRegistered' AND a.user_id = lower(
        substr(hex(u.id), 1, 8) || '-' || substr(hex(u.id), 9, 4) || '-' || substr(hex(u.id), 13, 4) || '-' ||
        substr(hex(u.id), 17, 4) || '-' || substr(hex(u.id), 21)));

-- How many notices a mail stands for; 0: for itself, and sent at once.
ALTER TABLE mails ADD COLUMN held_back INTEGER NOT NULL DEFAULT 0;

-- The sessions of a user that were not ended, however many were.
CREATE INDEX sessions_not_ended ON sessions (user_id, id) WHERE ended_at IS NULL;

-- A password that was made for somebody does not become the lasting one: their login with it gives a ticket, for
-- which a new password gives the session.
ALTER TABLE users ADD COLUMN password_must_change INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN password_ends_at INTEGER;
ALTER TABLE tickets ADD COLUMN amr TEXT;

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

INSERT INTO role_permissions (role, permission) SELECT name, 'apps:read' FROM roles WHERE name = 'admin'
ON CONFLICT DO NOTHING;
INSERT INTO role_permissions (role, permission) SELECT name, 'apps:write' FROM roles WHERE name = 'admin'
ON CONFLICT DO NOTHING;
