"""What lies on the way to the server: a commit whose answer is lost, and a millisecond."""

import concurrent.futures
import os
import statistics
import time

from fleet import Daemon
from house import check, equal, until
from proxy import Proxy

GRACE = {"tokens.refresh_grace": "1m", "mail.max_per_address_per_hour": "100"}
LOGIN = {"email": "ann@example.com", "password": "correct horse battery staple"}


def an_answer_is_lost(binary, server):
    """The change is made once, and whoever asked for it is told that nobody knows."""
    server.create("cut")
    proxy = Proxy(server.port)
    # Unnamed, so that every statement's text is seen on the way.
    settings = {**GRACE, "postgres.prepared": "false", "mail.transport": "outbox"}
    with Daemon(binary, server.url("cut", proxy.port), None, settings) as daemon:
        count = lambda sql, *values: server.one("cut", sql, *values)
        daemon.add_user("ann@example.com")
        tokens = daemon.sign_in("ann@example.com")

        def cut(what, marker, ask):
            proxy.cut, before = marker, proxy.cuts
            answer = ask()
            equal(proxy.cuts, before + 1, f"{what}: one commit was cut off")
            equal(answer.status, 503, f"{what}: {answer.body!r}")
            check(answer.headers["Retry-After"], f"{what}: Retry-After")
            equal(answer.json()["code"], "storage_unavailable", what)

        refresh = lambda: daemon.post("/refresh", {"refresh_token": tokens["refresh_token"]})
        cut("refresh", b"UPDATE sessions", refresh)
        equal(count("SELECT max(generation) FROM sessions"), 1, "the rotation happened once")
        again = refresh()
        equal(again.status, 200, f"the same token once more, within tokens.refresh_grace: {again.body!r}")
        equal(count("SELECT max(generation) FROM sessions"), 1, "and got the successor that was made")
        newest = again.json()
        equal(daemon.me(newest["access_token"]), 200, "which is good")

        before = count("SELECT count(*) FROM sessions")
        cut("login", b"INSERT INTO sessions", lambda: daemon.post("/login", LOGIN))
        equal(count("SELECT count(*) FROM sessions"), before + 1, "one session more")

        cut("logout", b"UPDATE sessions", lambda: daemon.post("/logout", {}, newest["access_token"]))
        equal(daemon.me(newest["access_token"]), 401, "logged out all the same")

        admin = daemon.sign_in("ann@example.com")["access_token"]
        daemon.ctl("role", "assign", "ann@example.com", "admin")
        cut("role add", b"INSERT INTO roles", lambda: daemon.post("/admin/roles", {"name": "editor"}, admin))
        equal(count("SELECT count(*) FROM roles WHERE name = 'editor'"), 1, "one role")
        equal(
            daemon.post("/admin/roles", {"name": "editor"}, admin).status,
            409,
            "which is there at the next try",
        )

        proxy.cut = b"INSERT INTO roles"
        done = daemon.run("role", "add", "viewer")
        check(done.returncode not in (0, 1, 2) and "not known" in done.stderr, f"authctl says so: {done}")
        equal(count("SELECT count(*) FROM roles WHERE name = 'viewer'"), 1, "one role of authctl's")

        daemon.audit_is_whole("after commits were cut off")
        for event, lines in [("TokenRefreshed", 1), ("RoleCreated", 2), ("LoggedOut", 1)]:
            equal(count("SELECT count(*) FROM audit WHERE event = %s", event), lines, f"lines of {event}")
        equal(count("SELECT count(*) FROM audit_inbox"), 0, "no line waits")
        print(f"   {proxy.cuts} commits cut off; {count('SELECT count(*) FROM audit')} lines")
    proxy.close()


def a_whole_database_is_on_its_way(binary, server):
    """Whoever moves, restores or makes one is told as well that nobody knows, and nothing is half there."""
    proxy = Proxy(server.port)
    server.create("target")
    far, near = server.url("target", proxy.port), server.url("target")
    with Daemon(binary, server.create("source"), None, {"postgres.prepared": "false"}) as daemon:
        daemon.add_user("ann@example.com")
        daemon.stop()

        def cut(marker, *arguments):
            proxy.cut, before = marker, proxy.cuts
            done = daemon.run(*arguments)
            equal(proxy.cuts, before + 1, f"{arguments}: one commit was cut off")
            check(done.returncode == 69 and "not known" in done.stderr, f"{arguments} says so: {done}")

        cut(b"DatabaseMoved", "db", "migrate-to", far, "--yes")
        equal(server.one("target", "SELECT count(*) FROM users"), 1, "the target has it all")
        equal(daemon.run("db", "check").returncode, 0, "and the source is good")
        daemon.settings["database"] = near
        daemon.audit_is_whole("at the target")
        backup = os.path.join(daemon.folder, "backup.db")
        daemon.ctl("db", "backup", backup)
        daemon.settings["database"] = far
        cut(b"DatabaseRestored", "db", "restore", backup, "--yes")
        cut(b"DatabaseRestored", "db", "restored", "--yes")
        daemon.audit_is_whole("after both")
        restores = "SELECT count(*) FROM audit WHERE event = 'DatabaseRestored'"
        equal(server.one("target", restores), 2, "each happened once")
    proxy.close()


def tour(daemon, name):
    """From an account to its end."""
    daemon.add_user(f"{name}@example.com")
    tokens = daemon.sign_in(f"{name}@example.com")
    equal(daemon.me(tokens["access_token"]), 200, f"{name}: me")
    answer = daemon.post("/refresh", {"refresh_token": tokens["refresh_token"]})
    equal(answer.status, 200, f"{name}: refresh")
    tokens = answer.json()
    answer = daemon.post(
        "/register", {"email": f"new-{name}@example.com", "password": "correct horse battery staple"}
    )
    equal(answer.status, 202, f"{name}: register")
    to = f"new-{name}@example.com"
    until(lambda: to in daemon.ctl("mail", "list"), f"{name}: the mail")
    answer = daemon.post("/email/verify/confirm", {"token": daemon.newest_secret("ev", to)})
    equal(answer.status, 200, f"{name}: confirmed: {answer.body!r}")
    equal(daemon.post("/logout", {}, tokens["access_token"]).status, 204, f"{name}: logout")
    equal(daemon.me(tokens["access_token"]), 401, f"{name}: after the logout")
    equal(
        daemon.post("/refresh", {"refresh_token": tokens["refresh_token"]}).status,
        401,
        f"{name}: its refresh token",
    )
    daemon.audit_is_whole(f"after the tour {name}")


def per_second(ask, clients=16, seconds=0.8):
    """How often clients had an answer in a second."""
    end = time.monotonic() + seconds

    def work(number):
        done = 0
        while time.monotonic() < end:
            ask(number)
            done += 1
        return done

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        return sum(pool.map(work, range(clients))) / seconds


class Client:
    """Sixteen sessions of one daemon's."""

    def __init__(self, daemon):
        self.daemon = daemon
        daemon.add_user("rate@example.com")
        self.tokens = [daemon.sign_in("rate@example.com") for _ in range(16)]

    def refresh(self, number):
        answer = self.daemon.post("/refresh", {"refresh_token": self.tokens[number]["refresh_token"]})
        if answer.status != 200:
            check(False, f"a refresh under load: {answer.status} {answer.body!r}")
            return
        self.tokens[number] = answer.json()

    def check(self, number):
        self.daemon.get("/api/auth/me", self.tokens[number]["access_token"])


def a_millisecond(binary, server):
    """The same works, at what ratio of the speed: by turns, as other work on the machine comes and goes."""
    proxy = Proxy(server.port, 0.0005)
    server.create("near")
    server.create("far")
    with Daemon(binary, server.url("near"), None, GRACE) as near:
        with Daemon(binary, server.url("far", proxy.port), None, GRACE) as far:
            for daemon, name in ((near, "near"), (far, "far")):
                tour(daemon, name)
            clients = Client(near), Client(far)
            found = {}
            for what in ("refresh", "check"):
                rounds = [[per_second(getattr(client, what)) for client in clients] for _ in range(3)]
                found[what] = statistics.median(there / here for here, there in rounds), rounds[0][0]
    proxy.close()
    (refreshes, near_refreshes), (checks, near_checks) = found["refresh"], found["check"]
    print(
        f"   1 ms a round trip, a proxy on the same cores: refreshes {refreshes:.2f}, token checks "
        f"{checks:.2f} of without ({near_refreshes:.0f} and {near_checks:.0f} a second)"
    )


def main(binary, server):
    an_answer_is_lost(binary, server)
    a_whole_database_is_on_its_way(binary, server)
    a_millisecond(binary, server)
