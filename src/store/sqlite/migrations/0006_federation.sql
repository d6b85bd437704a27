-- From schema 5 to 6: ways to sign in besides a password.

ALTER TABLE tickets ADD COLUMN first_factor TEXT NOT NULL DEFAULT 'pwd';
ALTER TABLE tickets ADD COLUMN provider_amr TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN provider_amr TEXT NOT NULL DEFAULT '';
