"""Requests a second: a protected route beside the same route bare, ours and of fastapi-users, by turns.

Each service is one worker of uvicorn (uvloop, httptools) on loopback; wrk asks with one thread and 16
connections, and shares the machine. An answer that is no success makes the run void. Figures are the medians
of all rounds; a ratio is of two loads of one round, with the least and the greatest beside it. Processor time
is the service's own, which what else runs on the machine changes least.
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
BARE, PROTECTED = "bare", "protected"
THEIR_BARE, THEIRS = "bare, beside fastapi-users", "protected by fastapi-users"
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


def cpu(service):
    """Seconds of processor time that a process has taken."""
    fields = Path(f"/proc/{service.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(service, url, token, seconds):
    """Requests a second, and microseconds of the service's processor time for each."""
    command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "-H", f"Authorization: Bearer {token}", url]
    before = cpu(service)
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    requests = int(re.search(r"(\d+) requests in", said)[1])
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), 1e6 * (cpu(service) - before) / requests


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
            postgres = os.environ.get("TEST_POSTGRES", "").partition("?")[0]
            database = postgres.replace("+psycopg:", "+asyncpg:") or f"sqlite+aiosqlite:///{folder}/theirs.db"
            print(f"fastapi-users on {database.partition(':')[0]}\n")
            service, theirs = start("theirs", DATABASE=database)
            running.append(service)
            credentials = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
            ask(f"{theirs}/auth/register", credentials, **{"Content-Type": "application/json"})
            form = urllib.parse.urlencode({"username": EMAIL, "password": PASSWORD}).encode()
            their_token = ask(f"{theirs}/auth/jwt/login", form)["access_token"]
            token = server.token_for(account)
            rows = {
                BARE: (running[0], f"{ours}/bare", token),
                PROTECTED: (running[0], f"{ours}/protected", token),
                "protected, a role and a permission demanded": (running[0], f"{ours}/demanding", token),
                THEIR_BARE: (running[1], f"{theirs}/bare", their_token),
                THEIRS: (running[1], f"{theirs}/protected", their_token),
            }
            for row in rows.values():
                load(*row, 1)
            rounds = []
            for _ in range(options.rounds):
                rounds.append({name: load(*row, options.seconds) for name, row in rows.items()})
        finally:
            for service in running:
                service.terminate()
                service.wait(10)
            server.stop()
    report(rounds)


def report(rounds):
    def median(name, which):
        return statistics.median(one[name][which] for one in rounds)

    def ratio(name, base, which=0):
        found = [one[name][which] / one[base][which] for one in rounds]
        return f"{statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})"

    print("| route | requests a second | of the same route bare | processor time of a request |")
    print("| --- | --- | --- | --- |")
    for name in rounds[0]:
        base = THEIR_BARE if name == THEIRS else BARE
        part = "" if name in (BARE, THEIR_BARE) else ratio(name, base)
        print(f"| {name} | {median(name, 0):.0f} | {part} | {median(name, 1):.0f} µs |")
    print(f"\nprotected, of protected by fastapi-users, requests a second: {ratio(PROTECTED, THEIRS)}")
    print(f"the same, processor time of a request: {ratio(PROTECTED, THEIRS, 1)}")


if __name__ == "__main__":
    main()
