-- What schema.sql doesn't say: the guards of the audit log in PostgreSQL's language, room for rows that change
-- all the time, and what several daemons need to know of one another.

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
    IF TG_OP = ''DELETE'' AND old.seq <= coalesce(
        (SELECT convert_from(value, ''UTF8'')::bigint FROM meta WHERE key = ''audit_pruned_to''), 0) THEN
        RETURN old;
    END IF;
    RAISE EXCEPTION ''the audit log is append-only'';
END';

CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();

CREATE TRIGGER audit_is_never_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

-- A new version of a row on the same page needs no new entries in the indexes, and conflicts with nobody.
ALTER TABLE sessions SET (fillfactor = 50);
ALTER TABLE users SET (fillfactor = 50);
ALTER TABLE meta SET (autovacuum_vacuum_scale_factor = 0.02);

-- Lines of the audit log that wait for their number and their hash.
CREATE TABLE audit_inbox (
    id         BIGINT PRIMARY KEY NOT NULL,
    at         BIGINT NOT NULL,
    event      TEXT COLLATE "C" NOT NULL,
    actor      TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C",
    session_id TEXT COLLATE "C",
    ip         TEXT COLLATE "C",
    request_id TEXT COLLATE "C",
    details    TEXT COLLATE "C" NOT NULL,
    mac        BYTEA NOT NULL,           -- an HMAC over the id and the line
    strange    BIGINT NOT NULL DEFAULT 0 -- 1: authd has not written it, or it was sealed before
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE SEQUENCE audit_inbox_id;

-- Who serves this database.
CREATE TABLE daemons (
    id      BYTEA PRIMARY KEY NOT NULL, -- drawn at its start
    host    TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    seen_at BIGINT NOT NULL,            -- by the server's clock
    skew    BIGINT NOT NULL             -- how far its own clock is ahead, in milliseconds
);

-- What one daemon does for all.
CREATE TABLE duties (
    name   TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    holder BYTEA NOT NULL,
    until  BIGINT NOT NULL
);

-- What networks have left of the budgets that all daemons share. Not written ahead: after a crash of the server
-- all are whole.
CREATE UNLOGGED TABLE rate_budgets (
    budget TEXT COLLATE "C" NOT NULL,
    scope  TEXT COLLATE "C" NOT NULL, -- a network, or what lies around it
    until  BIGINT NOT NULL,           -- when it is whole again, in microseconds since 1970
    PRIMARY KEY (budget, scope)
) WITH (fillfactor = 50);
CREATE INDEX rate_budgets_by_end ON rate_budgets (until);
