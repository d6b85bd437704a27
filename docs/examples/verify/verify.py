"""Verifies an access token of authd offline, with PyJWT (`pip install "pyjwt[crypto]"`).

Reads a token from stdin and prints its claims; exits with 1 and the reason if it is not good.
"""

import json
import os
import sys

import jwt

ISSUER = os.environ.get("AUTHD_ISSUER", "http://127.0.0.1:8080")
AUDIENCE = os.environ.get("AUTHD_AUDIENCE", "authd")
# What `tokens.algorithm` is, or was. Never take it from the token.
ALGORITHMS = ["EdDSA", "ES256", "RS256"]
REQUIRED = ["iss", "sub", "aud", "client_id", "iat", "nbf", "exp", "jti"]

# One for the life of the program: it keeps the keys for five minutes, and asks again for one it doesn't know.
keys = jwt.PyJWKClient(os.environ.get("AUTHD_JWKS", ISSUER + "/.well-known/jwks.json"), lifespan=300)


def verify(token: str) -> dict:
    """The claims of a good token; raises jwt.PyJWTError for any other."""
    if jwt.get_unverified_header(token).get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("this is no access token (RFC 9068)")
    key = keys.get_signing_key_from_jwt(token)
    return jwt.decode(
        token, key, algorithms=ALGORITHMS, issuer=ISSUER, audience=AUDIENCE, options={"require": REQUIRED}
    )


if __name__ == "__main__":
    try:
        json.dump(verify(sys.stdin.read().strip()), sys.stdout)
    except jwt.PyJWTError as error:
        sys.exit(f"refused: {error}")
