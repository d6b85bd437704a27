"""Which server is believed, what it is told, and that no password shows anywhere."""

import datetime
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import trustme

from cluster import own
from fleet import Daemon
from house import check, equal, until
from wire import tour

PASSWORD = "s3cret-of-the-server"
NAME = "db.example.com"
NOW = datetime.datetime.now(datetime.timezone.utc)

UNAVAILABLE, CONFIG, PERMISSION = 69, 78, 77


class Authority:
    """Makes certificates, and has a server use them."""

    def __init__(self, server):
        self.server, self.ca = server, trustme.CA()

    def serve(self, name, ca=None, expired=False):
        until_when = NOW - datetime.timedelta(days=1) if expired else None
        made = (ca or self.ca).issue_cert(name, not_after=until_when)
        certificate, key = (os.path.join(self.server.data, file) for file in ("server.crt", "server.key"))
        Path(certificate).write_bytes(b"".join(part.bytes() for part in made.cert_chain_pems))
        Path(key).write_bytes(made.private_key_pem.bytes())
        os.chmod(key, 0o600)
        own(certificate, key)
        if self.server.process:
            self.server.process.send_signal(signal.SIGHUP)


def demand_tls(server):
    """From here on the server takes nobody without TLS and a password."""
    server.stop()
    server.settings["ssl"] = "on"
    Path(server.data, "pg_hba.conf").write_text(
        "hostssl all all 127.0.0.1/32 scram-sha-256\nhostnossl all all 127.0.0.1/32 reject\n",
        encoding="ascii",
    )
    by_password = f"{server.address()} password={PASSWORD} sslmode=require"
    server.address = lambda database="postgres": by_password.replace("dbname=postgres", f"dbname={database}")
    server.start()


def secret_file(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8", opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
        file.write(content + "\n")
    return path


class Asking:
    """`authctl db status` in a folder of its own, and all that it ever said."""

    def __init__(self, daemon):
        self.daemon, self.said = daemon, []

    def ask(self, settings, *arguments):
        done = self.daemon.run(*(arguments or ("db", "status")), settings=settings)
        self.said.append(done.stdout + done.stderr)
        return done

    def refused(self, what, settings, codes, *words, arguments=()):
        done = self.ask(settings, *arguments)
        check(done.returncode in codes, f"{what}: exit {done.returncode}, not of {codes}: {done.stderr}")
        for word in words:
            check(word in done.stderr, f"{what} says {word!r}: {done.stderr}")
        print(f"   {what}: {done.returncode}, {done.stderr.strip()[:200]}")


def certificates(asking, authority, settings, server):
    status = asking.ask(settings)
    equal(status.returncode, 0, f"the right name and authority: {status.stderr}")
    authority.serve("other.example.com")
    asking.refused("wrong name", settings, [UNAVAILABLE], "certificate", "name")
    authority.serve(NAME, ca=trustme.CA())
    asking.refused("foreign authority", settings, [UNAVAILABLE], "certificate")
    authority.serve(NAME, expired=True)
    asking.refused("expired", settings, [UNAVAILABLE], "expired")
    authority.serve(NAME)
    no_ca = {key: value for key, value in settings.items() if key != "postgres.ca_file"}
    asking.refused(
        "an authority that this machine doesn't trust", no_ca, [UNAVAILABLE, CONFIG], "certificate"
    )
    for mode in ("require", "verify-ca", "verify-full", "prefer"):
        url = settings["database"] + f"&sslmode={mode}"
        equal(asking.ask({**settings, "database": url}).returncode, 0, f"sslmode={mode} verifies all, too")
        asking.refused(
            f"sslmode={mode} with a foreign authority",
            {**no_ca, "database": url},
            [UNAVAILABLE, CONFIG],
            "certificate",
        )
    bound = settings["database"] + "&sslmode=require&channel_binding=require"
    equal(asking.ask({**settings, "database": bound}).returncode, 0, "channel_binding=require")
    asking.refused(
        "sslmode=disable for a server elsewhere",
        {**settings, "database": settings["database"] + "&sslmode=disable"},
        [CONFIG],
        "sslmode=disable",
    )
    asking.refused(
        "postgres.tls = disable for a server elsewhere",
        {**settings, "postgres.tls": "disable"},
        [CONFIG],
        "postgres.tls",
    )
    # The address that is connected to is elsewhere, whatever the name says.
    asking.refused(
        "sslmode=disable with a hostaddr elsewhere",
        {**settings, "database": "postgres://owner@localhost/authd?hostaddr=192.0.2.1&sslmode=disable"},
        [CONFIG],
        "sslmode=disable",
    )
    asking.refused(
        "without TLS at a server that wants it",
        {**settings, "database": f"postgres://owner@127.0.0.1:{server.port}/tls?sslmode=disable"},
        [PERMISSION, CONFIG, UNAVAILABLE],
        "pg_hba",
    )


def passwords(asking, settings, folder):
    wrong = {**settings, "postgres.password_file": secret_file(folder, "wrong", "not-the-" + PASSWORD)}
    asking.refused("a wrong password", wrong, [PERMISSION, CONFIG], "password authentication failed")
    nothing = {key: value for key, value in settings.items() if key != "postgres.password_file"}
    asking.refused("no password", nothing, [PERMISSION, CONFIG, UNAVAILABLE], "password")
    url = settings["database"].replace("owner@", f"owner:{PASSWORD}@")
    for arguments in [("--database", url, "db", "status"), ("db", "migrate-to", url, "--yes")]:
        asking.refused(
            f"a password in {arguments[0]}", settings, [CONFIG, 2], "command line", arguments=arguments
        )
    equal(asking.ask({**nothing, "database": url}).returncode, 0, "a password in the environment")
    # In a file, it counts where that is its owner's alone.
    shared = secret_file(asking.daemon.folder, "authd.toml", f'database = "{url}"')
    in_file = {key: value for key, value in nothing.items() if key != "database"}
    asking.daemon.settings.pop("database")
    equal(asking.ask(in_file).returncode, 0, "a password in a configuration file of its owner's alone")
    os.chmod(shared, 0o644)
    asking.refused(
        "a password in a configuration file that all may read", in_file, [PERMISSION, CONFIG], "authd.toml"
    )
    os.remove(shared)
    for command in [
        ("config", "show"),
        ("config", "show", "-o", "json"),
        ("config", "check"),
        ("doctor",),
        ("db", "status"),
    ]:
        asking.ask({**nothing, "database": url}, *command)
    asking.ask(
        {
            **nothing,
            "database": url.replace(NAME, "nowhere.invalid").replace(
                "hostaddr=127.0.0.1", "connect_timeout=1"
            ),
        }
    )
    for odd in [
        url.replace(PASSWORD, PASSWORD + "@x"),
        url.replace("?", "?password=" + PASSWORD + "&"),
        url + "&oops=1",
        url.replace("postgres://", "postgress://"),
    ]:
        asking.ask({**nothing, "database": odd}, "config", "show")
        asking.ask({**nothing, "database": odd})


def main(binary, server):
    server.create("tls")
    with server.connect() as connection:
        for role in ("authd", "owner"):
            connection.execute(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'")
    authority = Authority(server)
    authority.serve(NAME)
    demand_tls(server)
    with tempfile.TemporaryDirectory() as folder:
        ca_file = os.path.join(folder, "ca.pem")
        authority.ca.cert_pem.write_to_path(ca_file)
        settings = {
            "postgres.ca_file": ca_file,
            "postgres.password_file": secret_file(folder, "password", PASSWORD),
        }
        url = f"postgres://owner@{NAME}:{server.port}/tls?hostaddr=127.0.0.1"
        with Daemon(binary, url, None, {**settings, "log.level": "debug"}) as daemon:
            tour(daemon, "tls")
            is_encrypted = server.one(
                "tls",
                "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
                "WHERE application_name = 'authd'",
            )
            check(is_encrypted, "every connection of authd's is encrypted")
            daemon.settings.pop("log.level")
            asking = Asking(daemon)
            all_of_them = {**settings, "database": url}
            for key in settings:
                daemon.settings.pop(key)
            certificates(asking, authority, all_of_them, server)
            passwords(asking, all_of_them, folder)
            shown = subprocess.run(["ps", "-eo", "args"], text=True, capture_output=True, check=True).stdout
            until(lambda: daemon.get("/readyz").status == 200, "still ready")
            for what, text in [
                ("what commands said", "\n".join(asking.said)),
                ("ps", shown),
                ("the daemon's log", daemon.log()),
                ("the server's log", Path(server.log).read_text(encoding="utf-8", errors="replace")),
            ]:
                lines = [line for line in text.splitlines() if PASSWORD in line]
                equal(lines, [], f"a password in {what}")
