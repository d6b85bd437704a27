"""What stands between a service and authd in a test: it counts, adds keys of the test's, breaks, or hangs."""

import hmac
import json
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

JWKS = "/.well-known/jwks.json"


class Clock:
    """The time, which moves when the test says so."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += seconds


class OwnKey:
    """A key pair of the test's, with which it signs what authd never would."""

    def __init__(self, kid: str, algorithm: str = "EdDSA") -> None:
        self.kid, self.algorithm = kid, algorithm
        self.private: Any
        if algorithm == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        elif algorithm == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())
        else:
            self.private = rsa.generate_private_key(65537, 2048)
        # PyJWT's own name of what makes a JWK of a key.
        maker = jwt.get_algorithm_by_name(algorithm)
        public = maker.to_jwk(self.private.public_key(), as_dict=True)  # type: ignore[call-overload]
        self.jwk = {**public, "kid": kid, "alg": algorithm, "use": "sig"}

    def sign(
        self, claims: dict[str, Any] | bytes, header: dict[str, Any] | None = None, secret: bytes = b""
    ) -> str:
        """A token; a header of None takes the field away."""
        fields: dict[str, Any] = {"typ": "at+jwt", "alg": self.algorithm, "kid": self.kid, **(header or {})}
        algorithm = fields["alg"]
        payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        parts = [
            json.dumps({name: value for name, value in fields.items() if value is not None}).encode(),
            payload,
        ]
        signed = b".".join(jwt.utils.base64url_encode(part) for part in parts)
        signature = b""
        if algorithm == "HS256":
            signature = hmac.digest(secret, signed, "sha256")
        elif algorithm != "none":
            signature = jwt.get_algorithm_by_name(self.algorithm).sign(signed, self.private)
        return (signed + b"." + jwt.utils.base64url_encode(signature)).decode()


class StandIn:
    """A server on loopback that answers for authd: by passing on, but for what a test sets."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.extra_keys: list[dict[str, Any]] = []
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, str, list[tuple[str, str]], bytes]] = []
        self.hangs = threading.Event()
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                outer.asked.append((self.command, self.path, list(self.headers.items()), body))
                if outer.hangs.is_set():
                    outer.released.wait(20)
                    self.close_connection = True
                    return
                status, headers, content = outer.answer(self.command, self.path, dict(self.headers), body)
                self.send_response(status)
                for name, value in headers.items():
                    for one in value.split("\n"):
                        self.send_header(name, one)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Whoever has gone away while this hung is nobody's trouble."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def fetches(self, path: str = JWKS) -> int:
        """How often a path was asked for."""
        return sum(one[1] == path for one in self.asked)

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        given = self.answers.get(path.partition("?")[0])
        if given is not None:
            return given
        dropped = {"host", "content-length", "accept-encoding", "connection"}
        passed = {name: value for name, value in headers.items() if name.lower() not in dropped}
        passed["Content-Length"] = str(len(body))
        request = urllib.request.Request(self.upstream + path, body or None, passed, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=20) as response:
                status, content = response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                status, content = error.code, error.read()
        if path == JWKS:
            content = json.dumps({"keys": [*json.loads(content)["keys"], *self.extra_keys]}).encode()
        return status, {"Content-Type": "application/json"}, content
