-- From schema 6 to 7: when somebody proved to their provider who they are.
ALTER TABLE oauth_codes ADD COLUMN provider_auth_time INTEGER;
