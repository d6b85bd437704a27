"""Daemons that share a database on a server, and what is asked of them."""

import base64
import concurrent.futures
import hashlib
import hmac
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import time

from house import JSON, PASSWORD, House, ask, check, equal, takes_connections, until

RACERS = 64


class Daemon(House):
    """authd in a folder of its own, with the key file of others. It ends with whoever started it."""

    def __init__(self, binary, database, key_file=None, settings=None):
        self.given, self.patience = key_file, 20
        super().__init__(binary, {"database": database, **(settings or {})})

    def environment(self, settings):
        # Not for the program alone: whoever calls authctl there needs it, too.
        own = os.path.join(self.folder, "authd.key")
        if self.given and not os.path.exists(own):
            shutil.copy(self.given, own)
        return super().environment({"key_file": own, **settings})

    def begin(self):
        """Starts it, and doesn't wait."""
        with open(os.path.join(self.folder, "log"), "a", encoding="utf-8") as log:
            self.daemon = subprocess.Popen(
                ["setpriv", "--pdeathsig=TERM", self.binary, "serve"],
                cwd=self.folder,
                env=self.environment({}),
                stderr=log,
            )

    def start(self, settings=None):
        self.settings.update(settings or {})
        self.stop()
        self.begin()
        until(lambda: takes_connections(self.port) or self.daemon.poll() is not None, "authd did not start")
        if self.daemon.poll() is not None:
            raise RuntimeError(f"authd ended with {self.daemon.returncode}: {self.log()}")

    def stop(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(30)
            self.daemon = None

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()
        self.daemon = None

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    @property
    def key_file(self):
        return os.path.join(self.folder, "authd.key")

    def run(self, *arguments, stdin=None, settings=None):
        """A command, however it ends."""
        return subprocess.run(
            [self.binary, *arguments],
            cwd=self.folder,
            env=self.environment(settings or {}),
            input=stdin,
            text=True,
            capture_output=True,
            check=False,
            timeout=120,
        )

    def post(self, path, document, token=None, port=None):
        headers = {**JSON, **({"Authorization": f"Bearer {token}"} if token else {})}
        return ask(
            port or self.port,
            "POST",
            "/api/auth" + path,
            headers,
            json.dumps(document).encode(),
            self.patience,
        )

    def get(self, path, token=None, port=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return ask(port or self.port, "GET", path, headers, None, self.patience)

    def me(self, token):
        return self.get("/api/auth/me", token).status

    def sign_in(self, email, password=PASSWORD):
        answer = self.post("/login", {"email": email, "password": password})
        equal(answer.status, 200, f"login of {email}: {answer.body!r}")
        return answer.json()

    def audit_is_whole(self, when):
        done = self.run("audit", "verify")
        equal(done.returncode, 0, f"audit verify {when}: {done.stdout}{done.stderr}")

    def newest_secret(self, kind, to):
        """What stands in the newest mail to an address."""
        mails = json.loads(self.ctl("mail", "list", "-o", "json"))
        newest = next(mail["id"] for mail in mails if mail["to"] == to)
        return re.search(rf"authd_{kind}_[A-Za-z0-9_-]+", self.ctl("mail", "show", newest))[0]


class Fleet:
    """Two daemons, or as many as there are databases; each URL leads to the same database."""

    def __init__(self, binary, *databases, settings=None):
        self.keep = tempfile.TemporaryDirectory()
        first = Daemon(binary, databases[0], None, settings)
        self.daemons = [first]
        alike = {"public_url": first.url, **(settings or {})}
        self.daemons += [Daemon(binary, database, first.key_file, alike) for database in databases[1:]]

    def __enter__(self):
        return self.daemons

    def __exit__(self, *_):
        for daemon in self.daemons:
            daemon.__exit__()
        self.keep.cleanup()


def race(attempt, racers=RACERS):
    """Lets many do the same at once; gives what each got, in their order."""
    with concurrent.futures.ThreadPoolExecutor(racers) as pool:
        return list(pool.map(attempt, range(racers)))


def race_of_daemons(daemons, what, attempt, refusals):
    """Of many who use one secret at all daemons, one has success; the others get one of `refusals`."""
    answers = race(lambda number: attempt(daemons[number % len(daemons)]))
    good = [answer for answer in answers if answer.status < 300]
    equal(len(good), 1, f"{what}: how many had success")
    others = sorted({answer.status for answer in answers if answer.status >= 300})
    check(set(others) <= set(refusals), f"{what}: the others got {others}, and not {refusals}")
    daemons[0].audit_is_whole(f"after {what}")
    return good[0] if good else None


def totp(secret, when):
    """The code of RFC 6238 at a time."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(when) // 30), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def second_factor(daemon, email):
    """Turns TOTP on for an account, by a code of the step before; gives the secret and the recovery codes."""
    access = daemon.sign_in(email)["access_token"]
    secret = daemon.post("/2fa/setup", {}, access).json()["secret"]
    enabled = daemon.post("/2fa/enable", {"code": totp(secret, time.time() - 30)}, access)
    equal(enabled.status, 200, f"the second factor is on: {enabled.body!r}")
    return secret, enabled.json()["recovery_codes"]


def ticket(daemon, email):
    return daemon.sign_in(email)["ticket"]
