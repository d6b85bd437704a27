"""Canaille, an OpenID provider that has nothing in common with oidc-provider, with one client and one person.

Usage: second_provider.py PORT CALLBACK CLIENT SECRET LOGIN PASSWORD EMAIL. Says `ready` when it listens.
"""

import logging
import os
import sys
import warnings

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain HTTP: it is on loopback
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

import pytest_iam  # noqa: E402
from canaille import create_app  # noqa: E402
from canaille.backends import Backend  # noqa: E402
from joserfc.jwk import JWKRegistry  # noqa: E402

port, callback, client, secret, login, password, email = sys.argv[1:]
key = JWKRegistry.generate_key("RSA", 2048)
key.ensure_kid()
app = create_app(
    config={
        "ENV_FILE": None,
        "TESTING": True,
        "SECRET_KEY": os.urandom(16).hex(),
        "PREFERRED_URL_SCHEME": "http",
        "SERVER_NAME": f"localhost:{port}",
        "CANAILLE": {
            "DATABASE": "memory",
            "JAVASCRIPT": False,
            "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}},
        },
        "CANAILLE_OIDC": {"ACTIVE_JWKS": [key.as_dict(private=True)]},
    }
)
server = pytest_iam.Server(app, int(port), Backend.instance)
with app.app_context():
    server.backend.save(
        server.models.User(
            user_name=login,
            formatted_name="Cara Example",
            family_name="Example",
            emails=[email],
            password=password,
        )
    )
    known = server.models.Client(
        client_id=client,
        client_name="authd",
        client_secret=secret,
        client_uri="http://127.0.0.1",
        contacts=[email],
        redirect_uris=[callback],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "email", "profile"],
        token_endpoint_auth_method="client_secret_basic",
        id_token_signed_response_alg="RS256",
    )
    server.backend.save(known)
    known.audience = [known]  # whom its ID tokens are for
    server.backend.save(known)
print("ready", flush=True)
server.httpd.serve_forever()
