"""A PostgreSQL of its own: a cluster in a temporary folder, on a free port of 127.0.0.1, for as long as it is needed."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import psycopg

# Nothing is asked to survive here, and authd refuses a server with `fsync` off: so the disk is memory, where it can be.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "full_page_writes": "off",
    "logging_collector": "off",
    "max_connections": "500",
    "shared_buffers": "256MB",
    "max_wal_size": "512MB",
}
OWNER = "owner"
MEMORY, ENOUGH = "/dev/shm", 2 << 30


def disk():
    """Where the data stand. None: where all temporary files do."""
    if not os.access(MEMORY, os.W_OK):
        return None
    free = os.statvfs(MEMORY)
    return MEMORY if free.f_bavail * free.f_frsize > ENOUGH else None


def as_user():
    """Who a server runs as, in the words of `setpriv`: PostgreSQL won't run as root."""
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam("postgres")
    return [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]


def own(*paths):
    """Gives files to whoever a server runs as."""
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        for path in paths:
            os.chown(path, account.pw_uid, account.pw_gid)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One server with its data. `settings` go over those above; `safe`: they stand on a disk, and survive.
    `primary`: the server that this one is a standby of."""

    def __init__(self, programs, settings=None, safe=False, primary=None):
        self.programs, self.port, self.process = programs, free_port(), None
        of_disk = {"full_page_writes": "on"} if safe else {}
        self.settings = {**SETTINGS, **of_disk, **(settings or {})}
        self.folder = tempfile.mkdtemp(prefix="authd-postgres-", dir=None if safe else disk())
        own(self.folder)
        self.data, self.log = os.path.join(self.folder, "data"), os.path.join(self.folder, "log")
        make = ["initdb", "--pgdata", self.data, "--username=authd", "--auth=trust", "--encoding=UTF8"]
        make += ["--locale=C.UTF-8", "--no-sync"]
        if primary:
            make = ["pg_basebackup", "-d", primary.address(), "-D", self.data, "-R", "-X", "stream", "-c", "fast"]
        command = ["setpriv", *as_user(), f"{programs}/{make[0]}", *make[1:]]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, database="postgres"):
        return f"host=127.0.0.1 port={self.port} user=authd dbname={database} connect_timeout=5"

    def url(self, database, port=None):
        return f"postgres://{OWNER}@127.0.0.1:{port or self.port}/{database}?sslmode=disable"

    def begin(self):
        """Starts it, and doesn't wait."""
        settings = [f"--{name}={value}" for name, value in self.settings.items()]
        # At once, and also where this process is killed.
        command = [
            "setpriv",
            *as_user(),
            "--pdeathsig=QUIT",
            f"{self.programs}/postgres",
            "-D",
            self.data,
            f"--port={self.port}",
            *settings,
        ]
        with open(self.log, "ab") as written:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=written, stderr=written
            )

    def start(self):
        self.begin()
        wait(self.process, self.address(), self.log)
        return self

    def stop(self, how=signal.SIGINT):
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def signal_all(self, number):
        """Sends a signal to the server and all its children."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            for child in [pid, *map(int, children.read().split())]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, number)

    def connect(self, database="postgres"):
        return psycopg.connect(self.address(database), autocommit=True)

    def create(self, database):
        """Makes an empty database of a role that may do nothing else; gives its URL."""
        with self.connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone():
                connection.execute(f"CREATE ROLE {OWNER} LOGIN")
            connection.execute(f'CREATE DATABASE "{database}" OWNER {OWNER}')
        return self.url(database)

    def one(self, database, sql, *values):
        """The first column of the first row of an answer."""
        with self.connect(database) as connection:
            return connection.execute(sql, values).fetchone()[0]


@contextlib.contextmanager
def cluster(programs):
    """Gives what to connect to. However this process ends, the server ends with it."""
    with Server(programs) as server:
        server.start()
        yield server.address()


def wait(server, address, log, seconds=30):
    end = time.monotonic() + seconds
    while True:
        try:
            return psycopg.connect(address).close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > end:
                with open(log, encoding="utf-8", errors="replace") as written:
                    raise RuntimeError(f"PostgreSQL doesn't start: {error}\n{written.read()}") from None
        time.sleep(0.05)
