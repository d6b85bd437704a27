"""A server that ends sessions, takes no changes, has too few connections, or would forget."""

import glob
import os
import time

from fleet import Daemon, Fleet, race
from house import check, equal, free_port, until

OWNER = "owner"
LOGIN = {"email": "ann@example.com", "password": "correct horse battery staple"}
OF_AUTHD = "FROM pg_stat_activity WHERE application_name = 'authd'"


def asks(daemon, token):
    """One of each kind; what they got."""
    return [
        daemon.get("/api/auth/me", token).status,
        daemon.get("/api/auth/verify", token).status,
        daemon.post("/login", LOGIN).status,
        daemon.get("/readyz").status,
    ]


def sessions_are_ended(daemons, server, token):
    """By an administrator, or by a time-out: whoever asks next doesn't notice."""
    refreshed = daemons[0].sign_in("ann@example.com")
    for number in range(10):
        server.one("odd", f"SELECT count(pg_terminate_backend(pid)) {OF_AUTHD}")
        time.sleep(0.1)
        for daemon in daemons:
            equal(asks(daemon, token), [200] * 4, f"{number}: after all sessions were ended")
        answer = daemons[number % 2].post("/refresh", {"refresh_token": refreshed["refresh_token"]})
        equal(answer.status, 200, f"{number}: a refresh after all sessions were ended")
        refreshed = answer.json()
    setting(server, "idle_session_timeout", "'300ms'")
    server.one("odd", f"SELECT count(pg_terminate_backend(pid)) {OF_AUTHD}")
    for number in range(5):
        time.sleep(0.6)
        equal(asks(daemons[0], token), [200] * 4, f"{number}: after the server ended what was idle")
    setting(server, "idle_session_timeout", "0")
    daemons[0].audit_is_whole("after sessions were ended")


def setting(server, name, value):
    with server.connect() as connection:
        connection.execute(f"ALTER ROLE {OWNER} SET {name} = {value}")


def a_server_becomes_a_standby(daemons, server, token):
    """What it answers then is a 503, and once it takes changes again, all is well."""
    setting(server, "default_transaction_read_only", "on")
    # What is open stays as it is; only who comes anew meets it.
    server.one("odd", f"SELECT count(pg_terminate_backend(pid)) {OF_AUTHD}")
    time.sleep(0.1)
    for daemon in daemons:
        found = asks(daemon, token)
        check(set(found) <= {200, 503} and found[2] == 503, f"at a server that takes no changes: {found}")
    until(lambda: daemons[0].get("/readyz").status == 503, "not ready", 5)
    done = daemons[0].run("user", "list")
    check(done.returncode == 69, f"authctl at a standby: {done.returncode} {done.stderr}")
    print(f"   a standby: {done.returncode}, {done.stderr.strip()[:200]}")
    setting(server, "default_transaction_read_only", "off")
    for daemon in daemons:
        until(lambda at=daemon: asks(at, token) == [200] * 4, "all is well", 5)


def there_are_too_few_connections(daemons, server, token):
    """Fewer than both may have: some wait, some get a 503, nobody anything else."""
    with server.connect() as connection:
        connection.execute(f"ALTER ROLE {OWNER} CONNECTION LIMIT 5")
    server.one("odd", f"SELECT count(pg_terminate_backend(pid)) {OF_AUTHD}")
    time.sleep(0.1)
    began = time.monotonic()
    found = race(lambda number: asks(daemons[number % 2], token), 24)
    span = time.monotonic() - began
    statuses = [status for each in found for status in each]
    check(set(statuses) <= {200, 503}, f"with 5 connections: {sorted(set(statuses))}")
    print(
        f"   5 connections for two daemons that want 8 each: {statuses.count(200)} of {len(statuses)} got "
        f"their answer, {span:.1f} s"
    )
    check(statuses.count(200) > len(statuses) / 4, "most are answered all the same")
    with server.connect() as connection:
        connection.execute(f"ALTER ROLE {OWNER} CONNECTION LIMIT -1")
    for daemon in daemons:
        until(lambda at=daemon: asks(at, token) == [200] * 4, "all is well", 5)
    daemons[0].audit_is_whole("after there were too few connections")


def a_server_would_forget(daemons, server):
    """Whoever starts then is refused; `db check` tells."""
    daemon = daemons[1]
    daemon.stop()
    for name, value, word in [("synchronous_commit", "off", "synchronous_commit")]:
        setting(server, name, value)
        done = daemon.run("serve")
        check(done.returncode == 78 and word in done.stderr, f"a start with {name} {value}: {done}")
        done = daemon.run("db", "check")
        check(done.returncode != 0, f"db check with {name} {value}: {done}")
        with server.connect() as connection:
            connection.execute(f"ALTER ROLE {OWNER} RESET {name}")
    with server.connect() as connection:
        other = "ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'"
        connection.execute(f"CREATE DATABASE latin OWNER {OWNER} {other}")
    done = daemon.run("db", "init", settings={"database": server.url("latin")})
    check(done.returncode == 78 and "UTF8" in done.stderr, f"an encoding that is not UTF8: {done}")
    done = daemon.run("db", "init", settings={"database": server.url("nowhere")})
    check(done.returncode == 78 and "createdb" in done.stderr, f"no database: {done}")
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    equal(server.one("latin", tables), 0, "nothing was made")


def a_clock_is_off(daemon, url):
    """By seconds it is warned of, by more than half a minute the daemon isn't ready; so `doctor` says."""
    for span, is_ready in [("+5s", True), ("-5s", True), ("+45s", False), ("-45s", False)]:
        off = OffClock(daemon.binary, url, daemon.key_file, span)
        until(lambda at=off: "clock" in at.log(), f"a clock that is off by {span}: a warning", 15)
        found = off.get("/readyz").status
        equal(found, 200 if is_ready else 503, f"readyz of a daemon whose clock is off by {span}")
        equal(off.get("/healthz").status, 200, "it lives all the same")
        doctor = daemon.run("doctor")
        check("clock" in doctor.stdout and "warn" in doctor.stdout, f"doctor: {doctor.stdout}")
        line = next((line for line in doctor.stdout.splitlines() if line.startswith("daemon")), "")
        print(f"   {span}: {line[:150]}")
        off.__exit__()


class OffClock(Daemon):
    """A daemon whose clock is off by a span, as `faketime` takes it."""

    def __init__(self, binary, database, key_file, span):
        self.span = span
        super().__init__(binary, database, key_file)

    def environment(self, settings):
        library = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")[0]
        off = {"LD_PRELOAD": library, "FAKETIME": self.span, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        return {**super().environment(settings), **off}


def a_key_is_another(binary, url, daemon):
    """A daemon with the key file of another database opens nothing."""
    with Daemon(binary, daemon.settings["database"], daemon.key_file) as stranger:
        stranger.stop()
        os.remove(stranger.key_file)
        stranger.given = None
        made = stranger.run("db", "init", settings={"database": os.path.join(stranger.folder, "other.db")})
        equal(made.returncode, 0, f"a key of another database: {made.stderr}")
        for command in (["serve"], ["user", "list"], ["audit", "verify"]):
            done = stranger.run(*command, settings={"database": url})
            check(done.returncode == 78, f"{command} with another key: {done.returncode} {done.stderr}")


def there_are_two_hosts(daemons, server):
    """The one that takes changes is found, as after a failover."""
    one = server.url("odd").replace("/odd?", f",127.0.0.1:{server.port}/odd?")
    gone = server.url("odd", free_port()).replace("/odd?", f",127.0.0.1:{server.port}/odd?")
    for what, url in [("the first of two hosts", one), ("the second, where the first is gone", gone)]:
        done = daemons[0].run("db", "status", settings={"database": url})
        equal(done.returncode, 0, f"{what}: {done.stderr}")


def main(binary, server):
    database = server.create("odd")
    with Fleet(binary, database, database, settings={"postgres.connections": "8"}) as daemons:
        daemons[0].add_user("ann@example.com")
        token = daemons[0].sign_in("ann@example.com")["access_token"]
        sessions_are_ended(daemons, server, token)
        a_server_becomes_a_standby(daemons, server, token)
        there_are_too_few_connections(daemons, server, token)
        a_key_is_another(binary, database, daemons[0])
        a_clock_is_off(daemons[0], database)
        there_are_two_hosts(daemons, server)
        a_server_would_forget(daemons, server)
