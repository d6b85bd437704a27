"""A primary that dies for good, and its standby that takes over, as with any of the managers of such pairs."""

import signal
import time

from cluster import Server
from fleet import Fleet, race
from house import check, equal, until


def caught_up(server, standby):
    """Whether the standby has all that the server has."""
    written = server.one("postgres", "SELECT pg_current_wal_lsn()::text")
    return standby.one("postgres", "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", written)


def main(binary, server):
    server.create("pair")
    with Server(server.programs, primary=server) as standby:
        standby.start()
        hosts = f"127.0.0.1:{server.port},127.0.0.1:{standby.port}"
        url = server.url("pair").replace(f"127.0.0.1:{server.port}", hosts)
        with Fleet(binary, url, url, settings={"postgres.connections": "8"}) as daemons:
            daemons[0].add_user("ann@example.com")
            tokens = race(lambda number: daemons[number % 2].sign_in("ann@example.com"), 8)
            ended = daemons[0].sign_in("ann@example.com")["access_token"]
            equal(daemons[1].post("/logout", {}, ended).status, 204, "logout")
            until(lambda: server.one("pair", "SELECT count(*) FROM audit_inbox") == 0, "all is sealed")
            until(lambda: caught_up(server, standby), "the standby has it all")
            server.stop(signal.SIGQUIT)
            found = [daemon.me(tokens[0]["access_token"]) for daemon in daemons]
            equal(found, [503, 503], "while nobody takes changes: a standby is not read")
            standby.one("postgres", "SELECT pg_promote()")
            promoted = time.monotonic()
            for daemon in daemons:
                until(lambda at=daemon: at.get("/readyz").status == 200, "ready at the other server", 10)
                until(lambda at=daemon: at.me(tokens[0]["access_token"]) == 200, "and a token is good", 10)
            print(f"   all well {time.monotonic() - promoted:.1f} s after the standby was promoted")
            check(time.monotonic() - promoted < 6, "well within 6 s")
            refresh = lambda number: daemons[number % 2].post(
                "/refresh", {"refresh_token": tokens[number]["refresh_token"]}
            )
            equal({answer.status for answer in race(refresh, 8)}, {200}, "every session goes on")
            equal([daemon.me(ended) for daemon in daemons], [401, 401], "what was ended stays so")
            daemons[1].sign_in("ann@example.com")
            daemons[0].audit_is_whole("after a failover")
            equal(daemons[0].run("db", "check").returncode, 0, "db check after a failover")
