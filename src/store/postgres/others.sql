-- What schema.sql doesn't say: the guards of the audit log in PostgreSQL's language, and room for rows that
-- change all the time.

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
