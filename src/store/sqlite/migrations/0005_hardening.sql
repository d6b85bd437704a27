-- From schema 4 to 5: bounds for what strangers can make grow.

-- Whether an account is locked is one step into this, however many networks have failed on it.
CREATE INDEX pair_failures_by_lock ON pair_failures (account, locked_until) WHERE locked_until IS NOT NULL;
