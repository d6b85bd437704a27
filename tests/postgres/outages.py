"""A server that goes, and comes back; and one that says nothing at all, which is worse."""

import concurrent.futures
import signal
import threading
import time

from fleet import Fleet, race
from house import check, equal, until

CONNECTIONS = 8
# What one request may take while nobody answers: docs/postgres.md says so.
BOUND = 30


def timed(ask, *arguments):
    began = time.monotonic()
    answer = ask(*arguments)
    return answer, time.monotonic() - began


class Load:
    """Clients that go on asking; keeps what each request got, and how long it took."""

    def __init__(self, daemons, tokens):
        self.daemons, self.tokens, self.stopping = daemons, tokens, threading.Event()
        self.seen = []
        self.pool = concurrent.futures.ThreadPoolExecutor(len(tokens))
        self.work = [self.pool.submit(self.ask, number) for number in range(len(tokens))]

    def ask(self, number):
        daemon = self.daemons[number % len(self.daemons)]
        while not self.stopping.is_set():
            began = time.monotonic()
            answer = daemon.get("/api/auth/me", self.tokens[number]["access_token"])
            self.seen.append((began, time.monotonic() - began, answer.status, answer.headers["Retry-After"]))
            if answer.status != 200:
                time.sleep(0.05)

    def stop(self):
        self.stopping.set()
        for each in self.work:
            each.result(60)
        self.pool.shutdown()


def a_server_that_goes(daemons, server, tokens):
    load = Load(daemons, tokens)
    until(lambda: len(load.seen) > 200, "some requests")
    server.stop(signal.SIGQUIT)
    gone = time.monotonic()
    time.sleep(1)
    for daemon in daemons:
        answer, took = timed(daemon.get, "/healthz")
        check(answer.status == 200 and took < 1, f"healthz without a server: {answer.status} in {took:.1f} s")
        answer, took = timed(daemon.get, "/readyz")
        check(answer.status == 503 and took < 6, f"readyz without a server: {answer.status} in {took:.1f} s")
        for path, body in [
            ("/login", {"email": "ann@example.com", "password": "correct horse battery staple"}),
            ("/refresh", {"refresh_token": tokens[0]["refresh_token"]}),
        ]:
            answer, took = timed(daemon.post, path, body)
            check(
                answer.status == 503 and took < 8, f"{path} without a server: {answer.status} in {took:.1f} s"
            )
            check(answer.headers["Retry-After"], f"{path}: Retry-After")
    done, took = timed(daemons[0].run, "serve")
    check(
        done.returncode == 69 and took < 6,
        f"a start without a server: exit {done.returncode} in {took:.1f} s",
    )
    check("can't be reached" in done.stderr, f"a start without a server says why: {done.stderr}")
    server.begin()
    begun, most = time.monotonic(), 0
    until(lambda: is_up(server), "the server is up again")
    up = time.monotonic()
    while time.monotonic() < up + 5:
        most = max(most, connections(server))
        time.sleep(0.05)
    load.stop()
    longest = max(took for _, took, _, _ in load.seen)
    refused = [(status, after) for _, _, status, after in load.seen if status != 200]
    equal({status for status, _ in refused}, {503}, "what requests got that had no answer")
    check(all(after for _, after in refused), "each with Retry-After")
    check(longest < 8, f"the longest of {len(load.seen)} requests took {longest:.1f} s")
    after = [began for began, _, status, _ in load.seen if status != 200 and began > up]
    well = max(after, default=up) - up
    check(well < 5, f"the last that was refused came {well:.1f} s after the server was up")
    print(
        f"   gone for {begun - gone:.1f} s: {len(refused)} of {len(load.seen)} requests got 503, the longest "
        "took "
        f"{longest:.1f} s, all well {well:.1f} s after the start, {most} connections at most"
    )
    check(most <= 2 * CONNECTIONS, f"{most} connections of two daemons that may have {CONNECTIONS} each")
    for daemon in daemons:
        equal(daemon.get("/readyz").status, 200, "ready again")
        daemon.sign_in("ann@example.com")
    daemons[0].audit_is_whole("after the server was gone")


def is_up(server):
    try:
        return server.one("postgres", "SELECT 1") == 1
    except Exception:  # pylint: disable=broad-except
        return False


def connections(server):
    return server.one("postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'authd'")


def a_frozen_server(daemons, server, tokens):
    first = daemons[0]
    first.patience = 4 * BOUND
    server.signal_all(signal.SIGSTOP)
    try:
        # What readyz said a moment ago holds for a second.
        time.sleep(1.2)
        health, took = timed(first.get, "/healthz")
        check(
            health.status == 200 and took < 1, f"healthz at a frozen server: {health.status} in {took:.1f} s"
        )
        asked = {
            "me": lambda: first.get("/api/auth/me", tokens[0]["access_token"]),
            "refresh": lambda: first.post("/refresh", {"refresh_token": tokens[1]["refresh_token"]}),
            "login": lambda: first.post(
                "/login", {"email": "ann@example.com", "password": "correct horse battery staple"}
            ),
            "jwks": lambda: first.get("/.well-known/jwks.json"),
            "readyz": lambda: first.get("/readyz"),
            "register": lambda: first.post(
                "/register", {"email": "x@example.com", "password": "correct horse battery"}
            ),
        }
        names = list(asked) * 16

        def ask(number):
            try:
                answer, took = timed(asked[names[number]])
                return names[number], answer.status, took
            except OSError as error:
                return names[number], type(error).__name__, 99.0

        answers = race(ask, len(names))
        in_flight_health, health_took = timed(first.get, "/healthz")
        check(in_flight_health.status == 200 and health_took < 1, f"healthz again: {health_took:.1f} s")
        for name in asked:
            spans = [took for found, _, took in answers if found == name]
            statuses = sorted({str(status) for found, status, _ in answers if found == name})
            print(
                f"   frozen, sixteen at once: {name:8} {', '.join(statuses)} "
                f"in {min(spans):.1f} to {max(spans):.1f} s"
            )
            check(set(statuses) <= {"503"} or name == "jwks" and statuses == ["200"], f"{name}: {statuses}")
            check(max(spans) < BOUND, f"{name} took {max(spans):.1f} s")
    finally:
        server.signal_all(signal.SIGCONT)
    thawed = time.monotonic()
    until(lambda: first.me(tokens[0]["access_token"]) == 200, "reads are well", 10)
    until(lambda: first.get("/readyz").status == 200, "ready", 10)
    until(
        lambda: (
            first.post(
                "/login", {"email": "ann@example.com", "password": "correct horse battery staple"}
            ).status
            == 200
        ),
        "logins are well",
        10,
    )
    print(f"   all well {time.monotonic() - thawed:.1f} s after it went on")
    first.audit_is_whole("after the server was frozen")


def main(binary, server):
    database = server.create("outages")
    settings = {"postgres.connections": str(CONNECTIONS)}
    with Fleet(binary, database, database, settings=settings) as daemons:
        daemons[0].add_user("ann@example.com")
        tokens = race(lambda number: daemons[number % 2].sign_in("ann@example.com"), 16)
        a_server_that_goes(daemons, server, tokens)
        a_frozen_server(daemons, server, tokens)
