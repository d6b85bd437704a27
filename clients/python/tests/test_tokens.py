"""Tokens with exactly one fault each, beside the twin that has none."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import jwt
import pytest
from conftest import by, get, is_problem, service
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI
from stand_in import Clock, OwnKey, StandIn

from authd_fastapi import Authd
from authd_fastapi.testing import Account, AuthdServer

Claims = dict[str, Any]

REQUIRED = ["iss", "sub", "aud", "client_id", "iat", "nbf", "exp", "jti", "sid"]
WRONG: dict[str, Callable[[Claims], Claims]] = {
    "iss of another": lambda c: {"iss": "https://auth.example.org"},
    "iss with a slash": lambda c: {"iss": c["iss"] + "/"},
    "iss in a list": lambda c: {"iss": [c["iss"]]},
    "aud of another service": lambda c: {"aud": "billing"},
    "aud of a second-factor setup": lambda c: {"aud": "authd#two-factor-setup"},
    "aud in a list": lambda c: {"aud": ["authd"]},
    "aud of two": lambda c: {"aud": ["authd", "billing"]},
    "aud that begins alike": lambda c: {"aud": "authd2"},
    "sub empty": lambda c: {"sub": ""},
    "sub a number": lambda c: {"sub": 7},
    "sub null": lambda c: {"sub": None},
    "client_id empty": lambda c: {"client_id": ""},
    "jti empty": lambda c: {"jti": ""},
    "jti a number": lambda c: {"jti": 7},
    "sid empty": lambda c: {"sid": ""},
    "exp passed": lambda c: {"exp": c["iat"] - 6},
    "exp passed by the leeway": lambda c: {"exp": c["iat"] - 5},
    "exp in text": lambda c: {"exp": str(c["exp"])},
    "exp a fraction": lambda c: {"exp": c["exp"] + 0.5},
    "exp true": lambda c: {"exp": True},
    "exp beyond all time": lambda c: {"exp": 10**30},
    "exp negative": lambda c: {"exp": -1},
    "nbf to come": lambda c: {"nbf": c["iat"] + 8},
    "nbf in text": lambda c: {"nbf": str(c["nbf"])},
    "iat to come": lambda c: {"iat": c["iat"] + 8},
    "auth_time in text": lambda c: {"auth_time": "yesterday"},
    "auth_time beyond all time": lambda c: {"auth_time": 10**15},
    "roles in text": lambda c: {"roles": "editor"},
    "roles of numbers": lambda c: {"roles": [7]},
    "permissions an object": lambda c: {"permissions": {"posts:write": True}},
    "amr in text": lambda c: {"amr": "pwd"},
    "omitted in text": lambda c: {"omitted": "roles"},
}
HEADERS: dict[str, dict[str, Any]] = {
    "typ missing": {"typ": None},
    "typ JWT": {"typ": "JWT"},
    "typ in capitals": {"typ": "AT+JWT"},
    "typ of an ID token": {"typ": "id+jwt"},
    "crit of what we know": {"crit": ["exp"]},
    "crit empty": {"crit": []},
    "crit unknown": {"crit": ["authd.example/x"], "authd.example/x": True},
    "b64 false": {"b64": False},
    "kid missing": {"kid": None},
    "kid unknown": {"kid": "nobody's"},
    "kid a number": {"kid": 7},
    "kid a path": {"kid": "../../own"},
    "kid a list": {"kid": ["own"]},
    "alg of another kind": {"alg": "ES256"},
    "alg in small letters": {"alg": "eddsa"},
    "alg unknown": {"alg": "XS256"},
    "alg a number": {"alg": 7},
}


class Forge:
    """A service whose authd also vouches for a key of the test's."""

    def __init__(self, stand_in: StandIn, server: AuthdServer, account: Account, clock: Clock) -> None:
        self.own = OwnKey("own")
        stand_in.extra_keys.append(self.own.jwk)
        self.stand_in = stand_in
        self.real = server.token_for(account)
        self.claims: Claims = jwt.decode(self.real, options={"verify_signature": False})
        clock.now = self.claims["iat"] + 0.5
        self.app: FastAPI = service(Authd(server.url, url=stand_in.url, clock=clock))

    def accepts(self, token: str) -> None:
        answer = get(self.app, "/me", by(token))
        assert answer.status_code == 200, answer.text

    def refuses(self, token: str) -> None:
        is_problem(get(self.app, "/me", by(token)), 401, "invalid_token")


@pytest.fixture
def forge(stand_in: StandIn, authd_server: AuthdServer, editor: Account, clock: Clock) -> Forge:
    made = Forge(stand_in, authd_server, editor, clock)
    made.accepts(made.real)
    # The twin without a fault: what is refused below is refused for its one.
    made.accepts(made.own.sign(made.claims))
    return made


def test_a_real_token_says_who_it_is(forge: Forge, editor: Account) -> None:
    user = get(forge.app, "/me", by(forge.real)).json()
    assert (user["id"], user["session_id"]) == (editor.id, forge.claims["sid"])
    assert (user["roles"], user["permissions"], user["amr"]) == (["editor"], ["posts:*"], ["pwd"])
    assert user["auth_time"].endswith("Z")
    assert user["omitted"] == []


@pytest.mark.parametrize("claim", REQUIRED)
def test_a_claim_that_is_missing(forge: Forge, claim: str) -> None:
    forge.refuses(forge.own.sign({name: value for name, value in forge.claims.items() if name != claim}))


@pytest.mark.parametrize("fault", WRONG)
def test_a_claim_that_is_wrong(forge: Forge, fault: str) -> None:
    forge.refuses(forge.own.sign({**forge.claims, **WRONG[fault](forge.claims)}))


def test_what_is_within_the_leeway_is_good(forge: Forge) -> None:
    for fine in (
        {"exp": forge.claims["iat"] - 4},
        {"nbf": forge.claims["iat"] + 5},
        {"iat": forge.claims["iat"] + 5},
    ):
        forge.accepts(forge.own.sign({**forge.claims, **fine}))


@pytest.mark.parametrize("fault", HEADERS)
def test_a_header_that_is_wrong(forge: Forge, fault: str) -> None:
    forge.refuses(forge.own.sign(forge.claims, HEADERS[fault]))


def test_no_signature_by_none(forge: Forge) -> None:
    for name in ("none", "None", "NONE"):
        signed = forge.own.sign(forge.claims, {"alg": "none"})
        _, payload, _ = signed.split(".")
        header = jwt.utils.base64url_encode(json.dumps({"typ": "at+jwt", "alg": name, "kid": "own"}).encode())
        forge.refuses(f"{header.decode()}.{payload}.")


def test_a_public_key_is_no_secret(forge: Forge) -> None:
    public = forge.own.private.public_key()
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    for secret in (raw, forge.own.jwk["x"].encode(), json.dumps(forge.own.jwk).encode()):
        forge.refuses(forge.own.sign(forge.claims, {"alg": "HS256"}, secret))


def test_a_secret_in_the_key_set_is_no_key(forge: Forge, clock: Clock) -> None:
    secret = b"a secret that somebody put there by mistake"
    encoded = jwt.utils.base64url_encode(secret).decode()
    forge.stand_in.extra_keys.append({"kty": "oct", "k": encoded, "kid": "secret", "alg": "HS256"})
    clock.turn(301)
    twin = {**forge.claims, "exp": forge.claims["exp"] + 400}
    forge.accepts(forge.own.sign(twin))
    forge.refuses(forge.own.sign(twin, {"alg": "HS256", "kid": "secret"}, secret))


def test_a_key_for_encryption_signs_nothing(forge: Forge, clock: Clock) -> None:
    other = OwnKey("enc")
    forge.stand_in.extra_keys.append({**other.jwk, "use": "enc"})
    clock.turn(301)
    forge.refuses(other.sign(forge.claims))


def test_a_key_that_the_token_brings_along_counts_for_nothing(forge: Forge) -> None:
    other = OwnKey("own")
    for header in (
        {"jwk": other.jwk},
        {"jku": forge.stand_in.url + "/evil"},
        {"x5u": "https://evil.example"},
        {},
    ):
        forge.refuses(other.sign(forge.claims, header))
    assert forge.stand_in.fetches("/evil") == 0


def test_a_signature_over_something_else(forge: Forge) -> None:
    header, payload, signature = forge.own.sign(forge.claims).split(".")
    other = forge.own.sign({**forge.claims, "roles": ["admin"]}).split(".")
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    for token in (
        f"{header}.{other[1]}.{signature}",
        f"{header}.{payload}.{flipped}",
        f"{header}.{payload}.",
        f"{header}.{payload}",
        f"{header}.{payload}.{signature}.",
        f"{header}.{payload}.{signature}.{signature}.{signature}",
        f"{header}.{payload}.{forge.real.split('.')[2]}",
    ):
        forge.refuses(token)


def test_what_is_no_object(forge: Forge) -> None:
    for payload in (b"", b"null", b"[]", b'"x"', b"{", b"\xff", b'{"iss":NaN}', b"[" * 3000):
        forge.refuses(forge.own.sign(payload))


def test_other_secrets_of_authd(forge: Forge, authd_server: AuthdServer, editor: Account) -> None:
    forge.refuses(authd_server.login(editor)["refresh_token"])
    forge.refuses(authd_server.api_key("other-secrets"))


def test_what_is_no_token(forge: Forge) -> None:
    for token in ("x", "...", "a.b.c", "x" * 8000, forge.real + "A" * 9000, forge.real[:-1], "é" * 10):
        is_problem(get(forge.app, "/me", {"Authorization": f"Bearer {token}".encode()}), 401, "invalid_token")
    for header in ("Bearer", "Bearer ", "Basic eDp4", "", forge.real):
        is_problem(get(forge.app, "/me", {"Authorization": header}), 401, "unauthenticated")


def test_another_authds_token_costs_no_fetch(
    forge: Forge, another_authd: Callable[[Mapping[str, str]], AuthdServer]
) -> None:
    other = another_authd({})
    token = other.token_for(other.add_user("editor@example.com", roles=["editor"]))
    before = forge.stand_in.fetches()
    forge.refuses(token)
    assert forge.stand_in.fetches() == before


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_authds_other_algorithms(
    algorithm: str, another_authd: Callable[[Mapping[str, str]], AuthdServer]
) -> None:
    server = another_authd({"tokens.algorithm": algorithm, "tokens.audience": "articles"})
    token = server.token_for(server.add_user("ann@example.com"))
    assert jwt.get_unverified_header(token)["alg"] == algorithm
    assert get(service(Authd(server.url, audience="articles")), "/me", by(token)).status_code == 200
    is_problem(get(service(Authd(server.url)), "/me", by(token)), 401, "invalid_token")


def test_an_algorithm_is_the_keys_and_not_the_tokens(forge: Forge, clock: Clock) -> None:
    rsa = OwnKey("rsa", "RS256")
    forge.stand_in.extra_keys.append(rsa.jwk)
    clock.turn(301)
    forge.accepts(rsa.sign(forge.claims))
    _, payload, _ = rsa.sign(forge.claims).split(".")
    other = jwt.utils.base64url_encode(json.dumps({"typ": "at+jwt", "alg": "PS256", "kid": "rsa"}).encode())
    signed = f"{other.decode()}.{payload}"
    signature = jwt.get_algorithm_by_name("PS256").sign(signed.encode(), rsa.private)
    forge.refuses(f"{signed}.{jwt.utils.base64url_encode(signature).decode()}")


def test_what_is_remembered_expires_as_ever(forge: Forge, clock: Clock) -> None:
    token = forge.own.sign(forge.claims)
    forge.accepts(token)
    clock.turn(903)
    forge.accepts(token)
    clock.turn(3)
    forge.refuses(token)


def test_what_is_remembered_counts_under_that_very_key(forge: Forge, clock: Clock) -> None:
    """Another key by the same name is another key, though the old signature was found good before."""
    token = forge.own.sign(forge.claims)
    forge.accepts(token)
    other = OwnKey("own")
    forge.stand_in.extra_keys[:] = [other.jwk]
    clock.turn(301)
    forge.refuses(token)
    forge.accepts(other.sign(forge.claims))


def test_so_many_are_remembered_and_no_more(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authd_fastapi._verify.REMEMBERED", 8)
    known = forge.app.state.authd._verifier._known
    tokens = [forge.own.sign({**forge.claims, "jti": str(number)}) for number in range(20)]
    for token in tokens * 2:
        forge.accepts(token)
    assert len(known) == 8
    for token in tokens:
        forge.refuses(token[:-8])
    assert len(known) == 8
