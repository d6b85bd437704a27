-- From schema 3 to 4: indexes for questions that looked at every row.

CREATE INDEX users_disabled ON users (id) WHERE disabled_at IS NOT NULL;
CREATE INDEX users_unverified ON users (id) WHERE email_verified_at IS NULL;
CREATE INDEX sessions_by_end ON sessions (expires_at) WHERE ended_at IS NULL;
CREATE INDEX pair_failures_locked ON pair_failures (locked_until) WHERE locked_until IS NOT NULL;
CREATE INDEX account_failures_locked ON account_failures (locked_until) WHERE locked_until IS NOT NULL;
-- Without the commonest event, so that a refresh doesn't write to it.
CREATE INDEX audit_by_event ON audit (event, seq) WHERE event <> 'TokenRefreshed';
