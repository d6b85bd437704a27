"""Verifies an access token of authd offline, with Authlib (`pip install authlib requests`).

Authlib's validator of RFC 9068 takes the algorithms that its library recommends, ES256 and RS256: set
`tokens.algorithm` in authd.toml to one of them. Reads a token from stdin and prints its claims; exits with
1 and the reason if it is not good.
"""

import json
import os
import sys
import urllib.request

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6750 import InvalidTokenError
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator

ISSUER = os.environ.get("AUTHD_ISSUER", "http://127.0.0.1:8080")
AUDIENCE = os.environ.get("AUTHD_AUDIENCE", "authd")
JWKS = os.environ.get("AUTHD_JWKS", ISSUER + "/.well-known/jwks.json")


class Validator(JWTBearerTokenValidator):
    """For `ResourceProtector.register_token_validator`, which then asks for roles: `@require(roles="editor")`."""

    def get_jwks(self):
        # Keep the answer for five minutes in a program that runs on.
        with urllib.request.urlopen(JWKS) as answer:
            return json.load(answer)


def verify(token: str, roles=None) -> dict:
    """The claims of a good token whose user has one of `roles`; raises OAuth2Error for any other."""
    validator = Validator(issuer=ISSUER, resource_server=AUDIENCE)
    claims = validator.authenticate_token(token)
    if claims.header.get("typ") != "at+jwt":  # Authlib lets a token pass that has none.
        raise InvalidTokenError()
    validator.validate_token(claims, scopes=None, request=None, roles=roles)
    return dict(claims)


if __name__ == "__main__":
    try:
        json.dump(verify(sys.stdin.read().strip()), sys.stdout)
    except OAuth2Error as error:
        sys.exit(f"refused: {error}")
