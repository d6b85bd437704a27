"""Programs in other languages, which verify access tokens offline as the documentation shows: they take
what authd signs, and refuse what it didn't or what isn't for them."""

import base64
import functools
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from house import House, ask, check, equal, summary, until

ANN = "ann@example.com"
# Who takes which algorithm: Authlib's validator of RFC 9068 has no EdDSA.
TAKES = {"authlib": ["ES256", "RS256"]}
ALL = ["EdDSA", "ES256", "RS256"]


class Forger:
    """A server with a key set of its own, which signs whatever it likes: what a good signature doesn't excuse."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        jwk = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        self.jwk = {**jwk, "kid": "forged", "alg": "ES256", "use": "sig"}
        self.keep = tempfile.TemporaryDirectory()
        self.folder = self.keep.name
        (Path(self.folder) / ".well-known").mkdir()
        (Path(self.folder) / ".well-known" / "jwks.json").write_text(json.dumps({"keys": [self.jwk]}), encoding="utf-8")

        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass

        handler = functools.partial(Quiet, directory=self.folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def sign(self, claims, typ="at+jwt", without=None, **changed):
        claims = {**claims, "iss": self.url, **changed}
        claims.pop(without, None)
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"typ": typ, "kid": "forged"})


class Verifier:
    """A program that reads a token from stdin, and prints its claims or exits with 1 and `refused`."""

    def __init__(self, name, command):
        self.name, self.command = name, command

    def verify(self, token, server):
        jwks = server.url + "/.well-known/jwks.json"
        if self.name == "rust":
            # It reads the key set from a file.
            path = Path(server.folder) / "jwks.json"
            with urllib.request.urlopen(jwks) as answer:
                path.write_bytes(answer.read())
            jwks = str(path)
        environment = {**os.environ, "AUTHD_ISSUER": server.url, "AUTHD_AUDIENCE": "authd", "AUTHD_JWKS": jwks}
        return subprocess.run(
            self.command, env=environment, input=token + "\n", text=True, capture_output=True, check=False
        )

    def takes(self, token, server, what):
        done = self.verify(token, server)
        equal(done.returncode, 0, f"{self.name}: {what}: {done.stderr}")
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def refuses(self, token, server, what):
        done = self.verify(token, server)
        refused = done.returncode == 1 and ("refused: " in done.stderr or "Error: " in done.stderr)
        check(refused and not done.stdout, f"{self.name} takes {what}: {done.stdout}{done.stderr}")


def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def tampered(token):
    """A token changed in one thing each."""
    header, claims, signature = token.split(".")
    more = {**decoded(claims), "roles": ["admin"]}
    yield "claims that were changed", f"{header}.{encoded(more)}.{signature}"
    other = ("A" if signature[0] != "A" else "B") + signature[1:]
    yield "a signature that was changed", f"{header}.{claims}.{other}"
    yield "no signature", f"{header}.{claims}."
    for name, value in [("alg", "none"), ("alg", "HS256"), ("kid", "no-such-key"), ("typ", "JWT")]:
        changed = encoded({**decoded(header), name: value})
        yield f"the {name} {value}", f"{changed}.{claims}.{signature}"
    yield "no token", "no.such.token"


def drop_keys(house):
    """What an operator does when a key has leaked: a new one signs, and the others go at once."""
    house.ctl("key", "rotate")
    for key in json.loads(house.ctl("key", "list", "-o", "json")):
        if key["state"] == "verifying":
            house.ctl("key", "retire", key["kid"], "--now", "--yes")


def by_each(verifiers, work):
    with ThreadPoolExecutor(len(verifiers)) as threads:
        list(threads.map(work, verifiers))


def with_algorithm(binary, algorithm, verifiers):
    with House(binary, {"tokens.algorithm": algorithm}) as house:
        house.ctl("role", "add", "editor", "--permission", "posts:write")
        house.add_user(ANN, "--role", "editor")

        house.start({"tokens.access_ttl": "1s"})
        expired = house.token(ANN)
        house.start({"tokens.audience": "another-service"})
        foreign = house.token(ANN)
        house.start({"tokens.issuer": "https://elsewhere.example"})
        elsewhere = house.token(ANN)
        house.start()
        good = house.token(ANN)
        until(lambda: time.time() >= decoded(expired.split(".")[1])["exp"], "the clock stands")

        header, claims = decoded(good.split(".")[0]), decoded(good.split(".")[1])
        equal((header["alg"], header["typ"]), (algorithm, "at+jwt"), "the header")

        def judge(verifier):
            found = verifier.takes(good, house, f"a good token by {algorithm}")
            equal(found.get("sub"), claims["sub"], f"{verifier.name}: the subject")
            equal(found.get("roles"), ["editor"], f"{verifier.name}: the roles")
            forgeries = [*tampered(good), ("an expired token", expired)]
            forgeries += [("a token for another audience", foreign), ("a token of another issuer", elsewhere)]
            # All of them once; a second algorithm is a matter of the signature alone.
            first = TAKES.get(verifier.name, ALL)[0] == algorithm
            for what, token in forgeries if first else forgeries[:1]:
                verifier.refuses(token, house, what)

        by_each(verifiers, judge)
        drop_keys(house)
        equal(ask(house.port, "GET", "/api/auth/verify", [("Authorization", f"Bearer {good}")]).status, 401, "authd itself")
        new = house.token(ANN)

        def judge_again(verifier):
            verifier.refuses(good, house, "a token whose key has left the key set")
            verifier.takes(new, house, "a token by the new key")

        by_each(verifiers, judge_again)
        return claims


def well_signed(verifiers, claims):
    """What a good signature doesn't excuse; `claims` are a real token's."""
    forger, now = Forger(), int(time.time())

    def judge(verifier):
        verifier.takes(forger.sign(claims), forger, "what the forger signs when nothing is wrong")
        for typ in ["JWT", "id+jwt", None]:
            verifier.refuses(forger.sign(claims, typ=typ), forger, f"the typ {typ}, well signed")
        for name in ["iss", "aud", "sub", "exp", "client_id", "jti"]:
            verifier.refuses(forger.sign(claims, without=name), forger, f"a token without {name}")
        for name, value in [("exp", now - 1), ("nbf", now + 600), ("aud", "other"), ("iss", "http://127.0.0.1")]:
            verifier.refuses(forger.sign(claims, **{name: value}), forger, f"{name} = {value}, well signed")

    by_each(verifiers, judge)


def main():
    binary, commands = sys.argv[1], dict(pair.split("=", 1) for pair in sys.argv[2:])
    verifiers = [Verifier(name, command.split()) for name, command in commands.items()]
    for algorithm in ALL:
        able = [verifier for verifier in verifiers if algorithm in TAKES.get(verifier.name, ALL)]
        print(f"-- {algorithm}: {', '.join(verifier.name for verifier in able)}", flush=True)
        claims = with_algorithm(binary, algorithm, able)
    print("-- well signed, and wrong", flush=True)
    well_signed(verifiers, claims)
    return summary()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
