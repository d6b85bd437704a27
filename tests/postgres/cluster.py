"""A PostgreSQL of its own: a cluster in a temporary folder, on a free port of 127.0.0.1, for as long as it is needed."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time

import psycopg

# Nothing is asked to survive here, and authd refuses a server with `fsync` off: so the disk is memory, where it can be.
SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "full_page_writes": "off",
            "logging_collector": "off", "max_connections": "500", "shared_buffers": "256MB", "max_wal_size": "512MB"}
MEMORY, ENOUGH = "/dev/shm", 2 << 30


def disk():
    """Where the data stand. None: where all temporary files do."""
    if not os.access(MEMORY, os.W_OK):
        return None
    free = os.statvfs(MEMORY)
    return MEMORY if free.f_bavail * free.f_frsize > ENOUGH else None


@contextlib.contextmanager
def cluster(programs):
    """Gives what to connect to. However this process ends, the server ends with it."""
    folder = tempfile.mkdtemp(prefix="authd-postgres-", dir=disk())
    # PostgreSQL won't run as root.
    as_user = []
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
        as_user = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    try:
        data, log = os.path.join(folder, "data"), os.path.join(folder, "log")
        subprocess.run(["setpriv", *as_user, f"{programs}/initdb", "--pgdata", data, "--username=authd", "--auth=trust",
                        "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
                       cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        # At once, and also where this process is killed.
        command = ["setpriv", *as_user, "--pdeathsig=QUIT", f"{programs}/postgres", "-D", data, f"--port={port}", *settings]
        with open(log, "wb") as written:
            server = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=written, stderr=written)
        try:
            address = f"host=127.0.0.1 port={port} user=authd dbname=postgres connect_timeout=5"
            wait(server, address, log)
            yield address
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
