"""What others put before server and daemons: pgbouncer in transaction mode, nginx as the balancer."""

import http.client
import json
import os
import re
import subprocess
import time
from pathlib import Path

from cluster import as_user, free_port, own
from fleet import Fleet, race
from house import JSON, check, equal, takes_connections, until
from sharing import five_guesses_in_all, secrets_count_once, the_other_knows_at_once

ROOT = Path(__file__).resolve().parents[2]

# The pools are smaller than what the daemons may have: their connections take turns.
PGBOUNCER = """[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 10
max_client_conn = 200
server_tls_sslmode = disable
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""


class Pooler:
    """Debian's pgbouncer in front of a server."""

    def __init__(self, server):
        self.port = free_port()
        settings = os.path.join(server.folder, "pgbouncer.ini")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(
                PGBOUNCER.format(server=server.port, port=self.port, folder=server.folder).replace(
                    "* = host=127.0.0.1", "* = user=owner host=127.0.0.1"
                )
            )
        own(settings)
        self.process = subprocess.Popen(
            ["setpriv", *as_user(), "--pdeathsig=TERM", "pgbouncer", "-q", settings],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: takes_connections(self.port), "pgbouncer did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def blocks(page, *titles):
    """What a page shows to type, of some of its sections."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for title in titles:
        section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]
        yield from re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def tour(daemon, url, name):
    """The README's tour and a part of the long one, as they stand, with another address."""
    script = "".join(
        [*blocks("README.md", "A short tour"), *blocks("docs/tour.md", "Sessions and roles", "Accounts")]
    )
    documented = "http://127.0.0.1:8080"
    check(documented in script, f"the tour names {documented}")
    script = script.replace(documented, url).replace('export PATH="$PWD/target/quick:$PATH"\n', "")
    programs = Path(daemon.folder) / "bin"
    programs.mkdir(exist_ok=True)
    if not (programs / "authctl").exists():
        (programs / "authctl").symlink_to(daemon.binary)
    environment = {**daemon.environment({}), "PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=daemon.folder,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )
    for wanted in [
        '{"status":"verification_sent"}',
        '"email_verified":true',
        "Invalid token",
        "LoggedOutEverywhere",
        "authd_rt_",
        "\n200\n403\n",
        "recovery_codes",
        "too_many_attempts",
        "UserUnlocked",
    ]:
        check(
            wanted in done.stdout,
            f"the tour through {name} has {wanted!r}: {done.stdout[:2000]}{done.stderr[-500:]}",
        )
    equal(done.stdout.count("invalid_credentials"), 5, f"guesses in the tour through {name}")
    daemon.audit_is_whole(f"after the tour through {name}")


def through_pgbouncer(binary, server):
    server.create("pooled")
    pooler = Pooler(server)
    url = server.url("pooled", pooler.port)
    settings = {"postgres.prepared": "false", "mail.max_per_address_per_hour": "100"}
    with Fleet(binary, url, url, settings=settings) as daemons:
        tour(daemons[0], daemons[0].url, "pgbouncer")
        daemons[0].ctl("user", "delete", "ann@example.com", "--yes")
        daemons[0].ctl("user", "delete", "bob@example.com", "--yes")
        secrets_count_once(daemons)
        the_other_knows_at_once(daemons)
        five_guesses_in_all(daemons)
        equal([daemon.get("/readyz").status for daemon in daemons], [200, 200], "both are ready")
        equal(daemons[0].run("db", "check").returncode, 0, "db check")
        most = server.one("postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = 'pooled'")
        check(most <= 10, f"{most} connections of a pool of 10")
    pooler.stop()


class Balancer:
    """nginx as docs/examples/postgres/nginx.conf has it, with other ports."""

    def __init__(self, folder, daemons):
        self.port = free_port()
        ports = {"8080": daemons[0].port, "8081": daemons[1].port, "8000": self.port}
        text = (ROOT / "docs/examples/postgres/nginx.conf").read_text(encoding="utf-8")
        text = re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{ports[found[1]]}", text)
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        with open(os.path.join(folder, "nginx.log"), "w", encoding="utf-8") as log:
            command = [
                "setpriv",
                "--pdeathsig=TERM",
                "nginx",
                "-e",
                "stderr",
                "-p",
                folder,
                "-c",
                config,
                "-g",
                f"daemon off; pid {folder}/nginx.pid; worker_processes 1;",
            ]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: takes_connections(self.port), "nginx did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def behind_nginx(binary, server):
    database = server.create("balanced")
    # The address of the balancer is not known before the daemons', and is what tokens are issued by.
    settings = {"proxy.trusted": "127.0.0.1/32", "tokens.issuer": "https://auth.example.com"}
    with Fleet(binary, database, database, settings=settings) as daemons:
        balancer = Balancer(daemons[0].folder, daemons)
        url = f"http://127.0.0.1:{balancer.port}"
        for daemon in daemons:
            daemon.start({"public_url": url})
        tour(daemons[0], url, "nginx")
        first, other = daemons
        first.ctl("user", "unlock", "ann@example.com")
        tokens = first.sign_in("ann@example.com")
        the_client_is_known(first, balancer)
        asked = lambda _: first.get("/api/auth/me", tokens["access_token"], balancer.port).status
        equal(set(race(asked)), {200}, "64 through nginx")
        other.kill()
        equal(set(race(asked)), {200}, "64 through nginx, with one daemon killed")
        answer = first.post("/refresh", {"refresh_token": tokens["refresh_token"]}, port=balancer.port)
        equal(answer.status, 200, "a refresh through nginx, with one daemon killed")
        other.start()
        # nginx asks one that it missed again a second later, and counts whole ones.
        time.sleep(2.2)
        equal(set(race(asked)), {200}, "64 through nginx, with both there again")
        first.kill()
        equal(set(race(asked)), {200}, "64 through nginx, with the other one killed")
        equal(other.get("/readyz", port=balancer.port).status, 200, "ready behind nginx")
        balancer.stop()


def the_client_is_known(daemon, balancer):
    """By what nginx says of it, and not by what it says of itself."""
    connection = http.client.HTTPConnection("127.0.0.1", balancer.port, 20, source_address=("127.0.0.9", 0))
    body = json.dumps({"email": "ann@example.com", "password": "correct horse battery staple"})
    connection.request("POST", "/api/auth/login", body, {**JSON, "X-Forwarded-For": "203.0.113.9"})
    equal(connection.getresponse().status, 200, "a login through nginx")
    connection.close()
    line = daemon.ctl("audit", "tail", "-n", "1", "--event", "LoginSucceeded", "-o", "json")
    check('"ip":"127.0.0.9"' in line, f"the network of a login: {line}")


def main(binary, server):
    through_pgbouncer(binary, server)
    behind_nginx(binary, server)
