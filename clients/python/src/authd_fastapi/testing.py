"""What a service's tests need: people who aren't there (`fake_user`), and a real authd (`authd_server`).

The fixtures are there wherever pytest runs with this package installed. They start the program `authd`, found
by the environment variable `AUTHD`, or else on the `PATH`.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from ._authd import Authd, Found, found_by_app
from ._user import User

__all__ = ["Account", "AuthdServer", "authd_server", "fake_user", "token_for"]

PASSWORD = "correct horse battery staple"


@contextmanager
def fake_user(
    app: FastAPI,
    auth: Authd,
    *,
    roles: Sequence[str] = (),
    permissions: Sequence[str] = (),
    id: str = "01980000-0000-7000-8000-000000000001",
    auth_time: datetime | None = None,
    amr: Sequence[str] = ("pwd",),
) -> Iterator[User]:
    """Has somebody signed in for as long as the block lasts, at every route of `app`, without authd.

    `auth_time` of None: just now. Roles, permissions and freshness are demanded of them as of anybody.
    """
    user = User(
        id=id,
        session_id="01980000-0000-7000-8000-0000000000ff",
        roles=tuple(roles),
        permissions=tuple(permissions),
        auth_time=auth_time or datetime.now(UTC),
        amr=tuple(amr),
    )
    found = Found(user, token="")
    before = dict(app.dependency_overrides)
    fakes = {auth._found: lambda: found, found_by_app: lambda: found, auth.live_user: lambda: user}
    app.dependency_overrides.update(fakes)
    try:
        yield user
    finally:
        app.dependency_overrides.clear()
        app.dependency_overrides.update(before)


@dataclass(frozen=True)
class Account:
    """An account that a test made."""

    id: str
    email: str
    password: str = PASSWORD


class AuthdServer:
    """A real authd on loopback, in a folder of its own; it hashes quickly and limits nobody."""

    def __init__(self, program: str, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.program, self.folder = program, folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        """Where it is reached; its issuer, too."""
        given = {
            "listen": f"127.0.0.1:{self.port}",
            "public_url": self.url,
            "password.argon2_memory_kib": "8",
            "password.argon2_iterations": "1",
            "rate_limit.enabled": "false",
            **(settings or {}),
        }
        own = {"AUTHD_" + key.upper().replace(".", "__"): value for key, value in given.items()}
        others = {key: value for key, value in os.environ.items() if not key.startswith("AUTHD")}
        self._environment = {**others, **own}
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the daemon, and waits until it answers. Raises `RuntimeError` where it ends instead."""
        log = self.folder / "authd.log"
        with log.open("ab") as written:
            self._daemon = subprocess.Popen(
                [self.program, "serve"],
                cwd=self.folder,
                env=self._environment,
                stdout=written,
                stderr=written,
            )
        end = time.monotonic() + 20
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._daemon.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"authd doesn't start:\n{log.read_text(errors='replace')}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stops the daemon; its accounts stay, for the next start."""
        if self._daemon is not None:
            self._daemon.terminate()
            self._daemon.wait(10)
            self._daemon = None

    def ctl(self, *arguments: str, stdin: str = "") -> str:
        """Runs a command of `authctl`, and gives what it prints. Raises `RuntimeError` where it fails."""
        done = subprocess.run(
            [self.program, *arguments],
            cwd=self.folder,
            env=self._environment,
            input=stdin,
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"authctl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def add_user(
        self, email: str | None = None, *, roles: Sequence[str] = (), permissions: Sequence[str] = ()
    ) -> Account:
        """Makes an account with a verified address, and the roles that aren't there yet.

        An `email` of None: one that nobody has. Of roles that are made, the first gets `permissions`.
        """
        email = email or f"user-{uuid.uuid4()}@example.com"
        known = {role["name"] for role in json.loads(self.ctl("role", "list", "-o", "json"))}
        for place, role in enumerate(roles):
            if role not in known:
                wanted = permissions if place == 0 else ()
                self.ctl("role", "add", role, *(f"--permission={one}" for one in wanted))
        flags = [f"--role={role}" for role in roles]
        made = self.ctl(
            "user",
            "add",
            email,
            "--verified",
            "--password-stdin",
            *flags,
            "-o",
            "json",
            stdin=PASSWORD + "\n",
        )
        return Account(json.loads(made)["id"], email)

    def login(self, account: Account) -> dict[str, Any]:
        """Logs the account in, as its owner would, and gives authd's answer, with `access_token` in it."""
        body = json.dumps({"email": account.email, "password": account.password}).encode()
        request = urllib.request.Request(
            f"{self.url}/api/auth/login", body, {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=20
        ) as response:
            answer: dict[str, Any] = json.load(response)
        return answer

    def token_for(self, account: Account) -> str:
        """Logs the account in, and gives its access token."""
        return str(self.login(account)["access_token"])

    def api_key(self, name: str = "tests") -> str:
        """Makes an API key, for `Authd(…, api_key=…)`."""
        return self.ctl("apikey", "add", name).strip()


def find_program() -> str:
    """Finds the program authd. Raises `RuntimeError` where there is none: no test passes for want of it."""
    program = os.environ.get("AUTHD") or shutil.which("authd")
    if program is None:
        raise RuntimeError("there is no authd here: put it on the PATH, or name it in the variable AUTHD")
    return os.path.abspath(program)


@pytest.fixture(scope="session")
def authd_server() -> Iterator[AuthdServer]:
    """A fixture: a real authd on loopback, one for all tests of a run."""
    with tempfile.TemporaryDirectory(prefix="authd-") as folder:
        server = AuthdServer(find_program(), Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def token_for(authd_server: AuthdServer) -> Callable[[Account], str]:
    """A fixture: a function that logs an account of `authd_server` in and gives its access token."""
    return authd_server.token_for
