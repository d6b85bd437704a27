"""Authlib asks authd whether tokens are good (RFC 7662), and ends them (RFC 7009)."""

import json
import sys

from authlib.integrations.requests_client import OAuth2Session
from house import House, ask, check, equal, summary


def client(key):
    """An OAuth client whose proof is an API key, as the metadata of RFC 8414 says: `Bearer`."""
    session = OAuth2Session(
        "gateway", key, token_endpoint_auth_method="api_key", revocation_endpoint_auth_method="api_key"
    )
    session.register_client_auth_method(
        ("api_key", lambda auth, method, uri, headers, body: (uri, {**headers, "Authorization": f"Bearer {key}"}, body))
    )
    return session


def main(binary):
    with House(binary) as house:
        house.add_user("ann@example.com")
        metadata = ask(house.port, "GET", "/.well-known/oauth-authorization-server").json()
        introspect_at, revoke_at = metadata["introspection_endpoint"], metadata["revocation_endpoint"]
        key = house.ctl("apikey", "add", "gateway", "--permission", "sessions:revoke").strip()
        gateway = client(key)

        def introspect(token, hint):
            answer = gateway.introspect_token(introspect_at, token=token, token_type_hint=hint)
            equal(answer.status_code, 200, "introspection")
            return answer.json()

        tokens = house.login("ann@example.com").json()
        found = introspect(tokens["access_token"], "access_token")
        equal((found["active"], found["token_type"], found["sub"]), (True, "Bearer", tokens["user"]["id"]), "access")
        found = introspect(tokens["refresh_token"], "refresh_token")
        equal((found["active"], found["token_type"]), (True, "refresh_token"), "refresh")
        equal(introspect("nonsense", "access_token"), {"active": False}, "nonsense")

        for _ in range(2):
            done = gateway.revoke_token(revoke_at, token=tokens["refresh_token"], token_type_hint="refresh_token")
            equal(done.status_code, 200, "revocation")
        for name in ("access_token", "refresh_token"):
            equal(introspect(tokens[name], name), {"active": False}, f"{name} after the session has ended")
        me = ask(house.port, "GET", "/api/auth/me", {"Authorization": "Bearer " + tokens["access_token"]})
        equal(me.status, 401, "authd itself")

        # The same key as the secret of a client, in Authlib's own way of showing one (RFC 6749 §2.3.1).
        tokens = house.login("ann@example.com").json()
        basic = OAuth2Session("gateway", key, token_endpoint_auth_method="client_secret_basic",
                              revocation_endpoint_auth_method="client_secret_basic")
        for endpoint in ("introspection", "revocation"):
            check("client_secret_basic" in metadata[endpoint + "_endpoint_auth_methods_supported"], endpoint)
        found = basic.introspect_token(introspect_at, token=tokens["access_token"], token_type_hint="access_token")
        equal((found.status_code, found.json()["active"]), (200, True), "by Basic")
        done = basic.revoke_token(revoke_at, token=tokens["refresh_token"], token_type_hint="refresh_token")
        equal(done.status_code, 200, "revocation by Basic")
        equal(introspect(tokens["access_token"], "access_token"), {"active": False}, "after a revocation by Basic")
        other = OAuth2Session("another", key, token_endpoint_auth_method="client_secret_basic")
        refused = other.introspect_token(introspect_at, token="x")
        equal((refused.status_code, refused.headers["WWW-Authenticate"]), (401, 'Basic realm="authd"'), "another name")

        stranger = client("authd_key_wrong").introspect_token(introspect_at, token="x")
        equal((stranger.status_code, stranger.json()["code"]), (401, "invalid_token"), "a wrong key")
        house.ctl("apikey", "revoke", "gateway")
        check(gateway.introspect_token(introspect_at, token="x").status_code == 401, "a revoked key")
        # What was noted of a key in memory is written when the daemon ends.
        client(house.ctl("apikey", "add", "late").strip()).introspect_token(introspect_at, token="x")
        house.stop()
        used = {key["name"]: key["last_used_at"] for key in json.loads(house.ctl("apikey", "list", "-o", "json"))}
        check(used["late"] is not None, f"the last use is kept: {used}")
    return summary()


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
