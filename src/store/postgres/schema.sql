-- Made from schema.sql by rules, and held to it by a test: change that one.

CREATE TABLE meta (
    key   TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    value BYTEA NOT NULL
);

CREATE TABLE users (
    id                BYTEA PRIMARY KEY NOT NULL,
    email             TEXT COLLATE "C" NOT NULL,
    email_key         TEXT COLLATE "C" NOT NULL UNIQUE,
    email_verified_at BIGINT,
    name              TEXT COLLATE "C" NOT NULL,
    password_hash     TEXT COLLATE "C",
    disabled_at       BIGINT,
    created_at        BIGINT NOT NULL,
    last_login_at     BIGINT,
    password_must_change BIGINT NOT NULL DEFAULT 0,
    password_ends_at     BIGINT
);
CREATE INDEX users_disabled ON users (id) WHERE disabled_at IS NOT NULL;
CREATE INDEX users_unverified ON users (id) WHERE email_verified_at IS NULL;

CREATE TABLE roles (
    name        TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE role_permissions (
    role       TEXT COLLATE "C" NOT NULL,
    permission TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (role, permission)
);

CREATE TABLE user_roles (
    user_id BYTEA NOT NULL,
    role    TEXT COLLATE "C" NOT NULL,
    granted_by BYTEA,
    PRIMARY KEY (user_id, role)
);
CREATE INDEX user_roles_by_role ON user_roles (role, user_id);
CREATE INDEX user_roles_by_grant ON user_roles (granted_by) WHERE granted_by IS NOT NULL;

CREATE TABLE apps (
    name       TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    url        TEXT COLLATE "C" NOT NULL UNIQUE,
    host       TEXT COLLATE "C" NOT NULL,
    everyone   BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX apps_by_host ON apps (host);

CREATE TABLE app_roles (
    app  TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (app, role)
);
CREATE INDEX app_roles_by_role ON app_roles (role, app);

CREATE TABLE app_codes (
    code_hash  BYTEA PRIMARY KEY NOT NULL,
    app        TEXT COLLATE "C" NOT NULL,
    session_id BYTEA NOT NULL,
    generation BIGINT NOT NULL,
    remembered BIGINT NOT NULL,
    state_hash BYTEA NOT NULL,
    return_to  TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX app_codes_by_app ON app_codes (app);
CREATE INDEX app_codes_by_session ON app_codes (session_id);

CREATE TABLE sessions (
    id           BYTEA PRIMARY KEY NOT NULL,
    user_id      BYTEA NOT NULL,
    generation   BIGINT NOT NULL,
    salt         BYTEA NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    ended_at     BIGINT,
    auth_time    BIGINT NOT NULL,
    amr          TEXT COLLATE "C" NOT NULL,
    ip           TEXT COLLATE "C",
    user_agent   TEXT COLLATE "C",
    oldest       BIGINT NOT NULL DEFAULT 0,
    idle         BIGINT,
    provider_amr TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_by_end ON sessions (expires_at) WHERE ended_at IS NULL;

CREATE INDEX sessions_not_ended ON sessions (user_id, id) WHERE ended_at IS NULL;

CREATE TABLE identities (
    id           BYTEA PRIMARY KEY NOT NULL,
    user_id      BYTEA NOT NULL,
    provider     TEXT COLLATE "C" NOT NULL,
    issuer       TEXT COLLATE "C" NOT NULL,
    subject      TEXT COLLATE "C" NOT NULL,
    email        TEXT COLLATE "C",
    linked_at    BIGINT NOT NULL,
    last_used_at BIGINT,
    UNIQUE (issuer, subject)
);
CREATE INDEX identities_by_user ON identities (user_id, id);

CREATE TABLE oauth_attempts (
    state_hash   BYTEA PRIMARY KEY NOT NULL,
    provider     TEXT COLLATE "C" NOT NULL,
    browser_hash BYTEA NOT NULL,
    sealed       BYTEA NOT NULL,
    user_id      BYTEA,
    session_id   BYTEA,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX oauth_attempts_by_user ON oauth_attempts (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE oauth_codes (
    code_hash      BYTEA PRIMARY KEY NOT NULL,
    user_id        BYTEA NOT NULL,
    code_challenge TEXT COLLATE "C" NOT NULL,
    provider_amr   TEXT COLLATE "C" NOT NULL,
    expires_at     BIGINT NOT NULL,
    provider_auth_time BIGINT
);
CREATE INDEX oauth_codes_by_user ON oauth_codes (user_id);

CREATE TABLE passkeys (
    id              BYTEA PRIMARY KEY NOT NULL,
    user_id         BYTEA NOT NULL,
    rp_id           TEXT COLLATE "C" NOT NULL,
    credential_id   BYTEA NOT NULL UNIQUE,
    public_key      BYTEA NOT NULL,
    user_handle     BYTEA NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    sign_count      BIGINT NOT NULL,
    backup_eligible BIGINT NOT NULL,
    backed_up       BIGINT NOT NULL,
    transports      TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT NOT NULL,
    last_used_at    BIGINT
);
CREATE INDEX passkeys_by_user ON passkeys (user_id, id);

CREATE TABLE spent_ceremonies (
    ceremony_hash BYTEA PRIMARY KEY NOT NULL,
    expires_at    BIGINT NOT NULL
);

CREATE TABLE revoked_tokens (
    jti        BYTEA PRIMARY KEY NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE links (
    id         BYTEA PRIMARY KEY NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL,
    user_id    BYTEA NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at   BIGINT,
    email      TEXT COLLATE "C",
    session_id BYTEA,
    mailed     BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX links_by_user ON links (user_id, kind);

CREATE TABLE totp (
    user_id       BYTEA PRIMARY KEY NOT NULL,
    secret_sealed BYTEA NOT NULL,
    enabled_at    BIGINT,
    last_step     BIGINT,
    failures      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    user_id   BYTEA NOT NULL,
    code_hash BYTEA NOT NULL,
    spent_at  BIGINT,
    PRIMARY KEY (user_id, code_hash)
);

CREATE TABLE tickets (
    token_hash BYTEA PRIMARY KEY NOT NULL,
    user_id    BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    failures   BIGINT NOT NULL,
    spent_at   BIGINT,
    amr        TEXT COLLATE "C",
    first_factor TEXT COLLATE "C" NOT NULL DEFAULT 'pwd',
    provider_amr TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX tickets_by_user ON tickets (user_id);

CREATE TABLE pair_failures (
    account      TEXT COLLATE "C" NOT NULL,
    network      TEXT COLLATE "C" NOT NULL,
    failures     BIGINT NOT NULL,
    locks        BIGINT NOT NULL,
    locked_until BIGINT,
    last_at      BIGINT NOT NULL,
    PRIMARY KEY (account, network)
);
CREATE INDEX pair_failures_locked ON pair_failures (locked_until) WHERE locked_until IS NOT NULL;

CREATE INDEX pair_failures_by_lock ON pair_failures (account, locked_until) WHERE locked_until IS NOT NULL;

CREATE TABLE account_failures (
    account      TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    failures     BIGINT NOT NULL,
    locked_until BIGINT,
    last_at      BIGINT NOT NULL
);
CREATE INDEX account_failures_locked ON account_failures (locked_until) WHERE locked_until IS NOT NULL;

CREATE TABLE known_networks (
    user_id       BYTEA NOT NULL,
    network       TEXT COLLATE "C" NOT NULL,
    last_login_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, network)
);

CREATE TABLE link_requests (
    id         BYTEA PRIMARY KEY NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL,
    email      TEXT COLLATE "C" NOT NULL,
    ip         TEXT COLLATE "C",
    request_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL
);

CREATE TABLE magic_requests (
    id           BYTEA PRIMARY KEY NOT NULL,
    request_hash BYTEA NOT NULL UNIQUE,
    email        TEXT COLLATE "C" NOT NULL,
    email_key    TEXT COLLATE "C" NOT NULL,
    failures     BIGINT NOT NULL,
    ip           TEXT COLLATE "C",
    user_agent   TEXT COLLATE "C",
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX magic_requests_by_address ON magic_requests (email_key, id);

CREATE TABLE registrations (
    id            BYTEA PRIMARY KEY NOT NULL,
    email         TEXT COLLATE "C" NOT NULL,
    email_key     TEXT COLLATE "C" NOT NULL,
    name          TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C" NOT NULL,
    password_tag  BYTEA NOT NULL,
    token_hash    BYTEA NOT NULL UNIQUE,
    ip            TEXT COLLATE "C",
    user_agent    TEXT COLLATE "C",
    contested     BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    provider      TEXT COLLATE "C",
    issuer        TEXT COLLATE "C",
    subject       TEXT COLLATE "C"
);
CREATE INDEX registrations_by_address ON registrations (email_key, id);

CREATE TABLE unclaimed (
    user_id   BYTEA PRIMARY KEY NOT NULL,
    delete_at BIGINT NOT NULL
);

CREATE TABLE mails (
    id              BYTEA PRIMARY KEY NOT NULL,
    user_id         BYTEA,
    to_address      TEXT COLLATE "C" NOT NULL,
    to_key          TEXT COLLATE "C" NOT NULL,
    kind            TEXT COLLATE "C" NOT NULL,
    subject         TEXT COLLATE "C" NOT NULL,
    body_sealed     BYTEA,
    state           TEXT COLLATE "C" NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
    created_at      BIGINT NOT NULL,
    sent_at         BIGINT,
    attempts        BIGINT NOT NULL,
    last_error      TEXT COLLATE "C",
    counts          BIGINT NOT NULL DEFAULT 1,
    next_attempt_at BIGINT,
    claimed_until   BIGINT,
    retried_at      BIGINT,
    held_back       BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX mails_by_address ON mails (to_key, created_at);
CREATE INDEX mails_by_user ON mails (user_id);
CREATE INDEX mails_by_state ON mails (state, next_attempt_at, id);

CREATE TABLE signing_keys (
    kid            TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    algorithm      TEXT COLLATE "C" NOT NULL,
    jwk            TEXT COLLATE "C" NOT NULL,
    private_sealed BYTEA NOT NULL,
    created_at     BIGINT NOT NULL,
    retired_at     BIGINT,
    token_ttl      BIGINT NOT NULL DEFAULT 0,
    keep_until     BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE api_keys (
    id           BYTEA PRIMARY KEY NOT NULL,
    name         TEXT COLLATE "C" NOT NULL UNIQUE,
    token_hash   BYTEA NOT NULL UNIQUE,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    last_used_at BIGINT
);

CREATE TABLE api_key_permissions (
    key_id     BYTEA NOT NULL,
    permission TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (key_id, permission)
);

CREATE TABLE audit (
    seq        BIGINT PRIMARY KEY NOT NULL,
    at         BIGINT NOT NULL,
    event      TEXT COLLATE "C" NOT NULL,
    actor      TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C",
    session_id TEXT COLLATE "C",
    ip         TEXT COLLATE "C",
    request_id TEXT COLLATE "C",
    details    TEXT COLLATE "C" NOT NULL,
    hash       BYTEA NOT NULL
);
CREATE INDEX audit_by_user ON audit (user_id, seq);

CREATE INDEX audit_by_event ON audit (event, seq) WHERE event <> 'TokenRefreshed';

INSERT INTO roles (name, description, created_at) VALUES ('admin', 'Everything in authd', 0);
INSERT INTO role_permissions (role, permission) VALUES
    ('admin', 'users:read'), ('admin', 'users:write'), ('admin', 'roles:read'), ('admin', 'roles:write'),
    ('admin', 'sessions:read'), ('admin', 'sessions:revoke'), ('admin', 'audit:read'), ('admin', 'keys:write'),
    ('admin', 'apps:read'), ('admin', 'apps:write');
ALTER TABLE role_permissions ADD FOREIGN KEY (role) REFERENCES roles (name) ON DELETE CASCADE;
ALTER TABLE user_roles ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE user_roles ADD FOREIGN KEY (role) REFERENCES roles (name) ON DELETE CASCADE;
ALTER TABLE user_roles ADD FOREIGN KEY (granted_by) REFERENCES identities (id) ON DELETE CASCADE;
ALTER TABLE app_roles ADD FOREIGN KEY (app) REFERENCES apps (name) ON DELETE CASCADE;
ALTER TABLE app_roles ADD FOREIGN KEY (role) REFERENCES roles (name) ON DELETE CASCADE;
ALTER TABLE app_codes ADD FOREIGN KEY (app) REFERENCES apps (name) ON DELETE CASCADE;
ALTER TABLE app_codes ADD FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE;
ALTER TABLE sessions ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE identities ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE oauth_attempts ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE oauth_codes ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE passkeys ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE links ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE totp ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE recovery_codes ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE tickets ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE known_networks ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE unclaimed ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE mails ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL;
ALTER TABLE api_key_permissions ADD FOREIGN KEY (key_id) REFERENCES api_keys (id) ON DELETE CASCADE;
