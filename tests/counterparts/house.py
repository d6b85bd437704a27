"""authd in a folder and on a port of its own, its operator, and what it takes to ask it something."""

import http.client
import json
import os
import socket
import subprocess
import tempfile
import threading
import time

PASSWORD = "correct horse battery staple"
JSON = {"Content-Type": "application/json"}
passed = failed = 0
counting = threading.Lock()


def check(condition, what):
    """Counts a check, and tells of one that fails."""
    global passed, failed
    with counting:
        if condition:
            passed += 1
        else:
            failed += 1
            print(f"FAILED: {what}", flush=True)


def equal(left, right, what):
    check(left == right, f"{what}: {left!r} is not {right!r}")


def summary():
    print(f"{passed} passed, {failed} failed")
    return failed == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what, seconds=20):
    """Waits for a server that starts, or for a moment to come."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.05)


def takes_connections(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)


def ask(port, method, path, headers=(), body=None, timeout=20):
    """One request; `headers` are pairs, sent as they are written."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items() if isinstance(headers, dict) else headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return Answer(connection.getresponse())
    finally:
        connection.close()


class House:
    """`settings` are keys of the configuration: `{"tokens.algorithm": "ES256"}`."""

    def __init__(self, binary, settings=None):
        self.binary, self.settings, self.daemon = os.path.abspath(binary), settings or {}, None
        self.keep = tempfile.TemporaryDirectory()
        self.folder = self.keep.name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.keep.cleanup()

    def environment(self, settings):
        all_of_them = {
            "listen": f"127.0.0.1:{self.port}",
            "public_url": self.url,
            "password.argon2_memory_kib": "8",
            "rate_limit.enabled": "false",
            **self.settings,
            **settings,
        }
        names = {"AUTHD_" + key.upper().replace(".", "__"): value for key, value in all_of_them.items()}
        return {**os.environ, **names}

    def start(self, settings=None):
        self.stop()
        with open(os.path.join(self.folder, "log"), "a", encoding="utf-8") as log:
            self.daemon = subprocess.Popen(
                [self.binary, "serve"], cwd=self.folder, env=self.environment(settings or {}), stderr=log
            )
        until(lambda: takes_connections(self.port), "authd did not start")

    def stop(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(10)
            self.daemon = None

    def ctl(self, *arguments, stdin=None):
        command = [self.binary, *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment({}), input=stdin, text=True, capture_output=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{arguments}: {done.stderr}")
        return done.stdout

    def add_user(self, email, *flags):
        self.ctl("user", "add", email, "--verified", "--password-stdin", *flags, stdin=PASSWORD + "\n")

    def login(self, email, port=None, **more):
        body = json.dumps({"email": email, "password": PASSWORD, **more}).encode()
        answer = ask(port or self.port, "POST", "/api/auth/login", JSON, body)
        equal(answer.status, 200, f"login: {answer.body!r}")
        return answer

    def token(self, email):
        return self.login(email).json()["access_token"]
