"""Requests a second: a protected route beside the same route bare, ours and of fastapi-users, by turns.

Each service is one worker of uvicorn (uvloop, httptools) on loopback; wrk asks with one thread and 16
connections, and shares the machine. An answer that is no success makes the run void. Figures are the medians
of all rounds; a ratio is of two loads of one round, with the least and the greatest beside it.
"""

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from authd_fastapi.testing import AuthdServer, find_program

HERE = Path(__file__).parent
EMAIL, PASSWORD = "ann@example.com", "correct horse battery staple"


def start(module, **environment):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", f"{module}:app", "--port", str(port), "--no-access-log"]
    command += ["--loop", "uvloop", "--http", "httptools", "--log-level", "warning"]
    service = subprocess.Popen(command, cwd=HERE, env={**os.environ, **environment})
    end = time.monotonic() + 30
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return service, f"http://127.0.0.1:{port}"
        if service.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{module} doesn't start")
        time.sleep(0.05)


def ask(url, data=None, **headers):
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def load(url, token, seconds):
    """Requests a second."""
    command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "-H", f"Authorization: Bearer {token}", url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = AuthdServer(find_program(), Path(folder))
        server.start()
        running = []
        try:
            account = server.add_user(EMAIL, roles=["editor"], permissions=["posts:*"])
            service, ours = start("ours", LOGIN_URL=server.url)
            running.append(service)
            service, theirs = start("theirs", DATABASE=f"sqlite+aiosqlite:///{folder}/theirs.db")
            running.append(service)
            credentials = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
            ask(f"{theirs}/auth/register", credentials, **{"Content-Type": "application/json"})
            form = urllib.parse.urlencode({"username": EMAIL, "password": PASSWORD}).encode()
            their_token = ask(f"{theirs}/auth/jwt/login", form)["access_token"]
            token = server.token_for(account)
            rows = {
                "bare": (f"{ours}/bare", token),
                "protected": (f"{ours}/protected", token),
                "protected, a role and a permission demanded": (f"{ours}/demanding", token),
                "bare, beside fastapi-users": (f"{theirs}/bare", their_token),
                "protected by fastapi-users": (f"{theirs}/protected", their_token),
            }
            bases = dict.fromkeys(rows, "bare") | {"protected by fastapi-users": "bare, beside fastapi-users"}
            for url, bearer in rows.values():
                load(url, bearer, 1)
            rounds = []
            for _ in range(options.rounds):
                rounds.append({name: load(*row, options.seconds) for name, row in rows.items()})
        finally:
            for service in running:
                service.terminate()
                service.wait(10)
            server.stop()
    report(rounds, bases)


def report(rounds, bases):
    def ratio(name, base):
        found = [one[name] / one[base] for one in rounds]
        return f"{statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})"

    print("| route | requests a second | of the same route bare |\n| --- | --- | --- |")
    for name, base in bases.items():
        part = (
            ratio(name, base)
            if name in ("protected by fastapi-users",) or not name.startswith("bare")
            else ""
        )
        print(f"| {name} | {statistics.median(one[name] for one in rounds):.0f} | {part} |")
    print(f"\nprotected, of protected by fastapi-users: {ratio('protected', 'protected by fastapi-users')}")


if __name__ == "__main__":
    main()
