"""Whole databases that go from place to place: backups, and the move to a server and back."""

import json
import os
import sqlite3
import subprocess
import tempfile
import time

from fleet import Daemon
from house import PASSWORD, check, equal, until

USERS, FEWER_USERS = 20_000, 2_000
REFUSED = 69

# Argon2's own words for PASSWORD would take a second each; this is of another password, and of nobody's.
HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$6g8AT1dTvYyHbIlFzDwKxPqfjl1fj1lRfu5JwCRkVBI"

TABLES = [
    "users",
    "user_roles",
    "roles",
    "role_permissions",
    "sessions",
    "passkeys",
    "mails",
    "recovery_codes",
    "totp",
    "audit",
    "api_keys",
    "signing_keys",
    "links",
]


def timed(what, daemon, *arguments, rows=0, settings=None):
    began = time.monotonic()
    done = daemon.run(*arguments, settings=settings)
    span = time.monotonic() - began
    equal(done.returncode, 0, f"{what}: {done.stderr}")
    print(f"   {what}: {span:.1f} s" + (f", {rows / span:.0f} rows/s" if rows else ""))
    return done


def fill(daemon, folder, count):
    """A database with something of everything, and many users."""
    users = os.path.join(folder, "users.jsonl")
    with open(users, "w", encoding="utf-8") as file:
        for number in range(count):
            user = {
                "email": f"u{number}@example.com",
                "name": f"Ünï {number}",
                "email_verified": True,
                "password_hash": HASH,
            }
            file.write(json.dumps(user) + "\n")
    timed(f"import of {count} users", daemon, "import", "--format", "jsonl", users, rows=count)
    daemon.add_user("ann@example.com", "--name", "Ann Łęcka \U0001f40e")
    daemon.ctl("role", "add", "editor", "--permission", "posts:write")
    daemon.ctl("role", "assign", "ann@example.com", "editor")
    daemon.ctl("apikey", "add", "ci", "--permission", "users:read")
    daemon.post("/password/reset/request", {"email": "ann@example.com"})
    daemon.post("/register", {"email": "new@example.com", "password": PASSWORD})
    until(lambda: "new@example.com" in daemon.ctl("mail", "list"), "a mail is queued")


PASSKEY = (
    "INSERT INTO passkeys (id, user_id, rp_id, credential_id, public_key, user_handle, name, sign_count, "
    "backup_eligible, backed_up, transports, created_at, last_used_at) "
    "SELECT {id}, id, 'example.com', {blob}, {blob}, {blob}, 'key', 7, 1, 0, 'usb nfc', 1000, NULL "
    "FROM users WHERE email_key = 'u0@example.com'"
)


KEY_ID = "'\\x00ff1000ff1000ff1000ff1000ff10ab'::bytea"


def counts(rows_of):
    return {table: rows_of(f"SELECT count(*) FROM {table}") for table in TABLES}


def of_file(path):
    with sqlite3.connect(path) as connection:
        return counts(lambda sql: connection.execute(sql).fetchone()[0])


def moves(binary, server, folder):
    """From a file to a server, to another database, and back to a file; whoever is signed in stays so."""
    daemon = Daemon(binary, os.path.join(folder, "authd.db"), None, {"mail.max_per_address_per_hour": "50"})
    fill(daemon, folder, USERS)
    tokens = daemon.sign_in("ann@example.com")
    target = server.create("moved")
    refused(daemon, "a move beside a daemon", "db", "migrate-to", target, "--yes")
    daemon.stop()
    blob = "x'" + "00ff10" * 5 + "ab'"
    with sqlite3.connect(daemon.settings["database"]) as connection:
        connection.execute(PASSKEY.format(id=blob, blob=blob))
    before = of_file(daemon.settings["database"])
    a_move_is_killed(daemon, server)
    rows = sum(before.values())
    timed("move from a file to a server", daemon, "db", "migrate-to", target, "--yes", rows=rows)
    check(not os.path.exists(daemon.settings["database"]), "the file is not under its name any more")
    kept = [name for name in os.listdir(folder) if ".moved-" in name]
    check(kept, f"but under another: {os.listdir(folder)}")
    on_server = counts(lambda sql: server.one("moved", sql))
    is_moved(before, on_server, "on the server")
    equal(
        server.one("moved", "SELECT encode(id, 'hex') FROM passkeys"), "00ff10" * 5 + "ab", "a passkey's id"
    )
    daemon.settings["database"] = target
    lives_on(daemon, tokens)
    tokens = daemon.sign_in("ann@example.com")
    # Who is there, and that the source stays good where it is refused.
    taken = server.create("taken")
    other = Daemon(binary, taken, daemon.key_file)
    other.stop()
    with server.connect("taken") as connection:
        connection.execute("SELECT 1")
    refused(
        daemon,
        "a move beside a daemon on a server",
        "db",
        "migrate-to",
        os.path.join(folder, "x.db"),
        "--yes",
    )
    check(not os.path.exists(os.path.join(folder, "x.db")), "nothing was made")
    daemon.stop()
    refused(
        daemon,
        "a move to where a database is",
        "db",
        "migrate-to",
        taken,
        "--yes",
        codes=[1, 2, 3, 4, 5, 69, 78, 73],
    )
    strange = server.create("strange")
    with server.connect("strange") as connection:
        connection.execute("CREATE TABLE of_somebody_else (id int)")
    refused(
        daemon,
        "a move to where others have tables",
        "db",
        "migrate-to",
        strange,
        "--yes",
        codes=[5, 69, 70, 74, 78, 65],
    )
    there = os.path.join(folder, "there.db")
    with open(there, "w", encoding="utf-8") as file:
        file.write("a file")
    refused(
        daemon,
        "a move to a file that is there",
        "db",
        "migrate-to",
        there,
        "--yes",
        codes=[1, 2, 3, 4, 6, 73, 69],
    )
    daemon.start()
    equal(daemon.me(tokens["access_token"]), 200, "the source is good after refusals")
    daemon.stop()
    second = server.create("second")
    timed("move from a server to a server", daemon, "db", "migrate-to", second, "--yes", rows=rows)
    left = daemon.run("db", "status")
    check(left.returncode != 0 and "moved" in left.stderr, f"the database that was moved from: {left.stderr}")
    daemon.settings["database"] = second
    lives_on(daemon, tokens)
    tokens = daemon.sign_in("ann@example.com")
    daemon.stop()
    back = os.path.join(folder, "back.db")
    timed("move from a server to a file", daemon, "db", "migrate-to", back, "--yes", rows=rows)
    daemon.settings["database"] = back
    lives_on(daemon, tokens)
    equal(daemon.run("db", "check").returncode, 0, "db check of the file")
    equal(of_file(back)["passkeys"], 1, "the passkey came back")
    daemon.__exit__()


def a_move_is_killed(daemon, server):
    """Wherever it had come to, nothing is at its target, and the source is good."""
    for after in (0.3, 0.8):
        target = server.create(f"killed-{after}")
        moving = subprocess.Popen(
            [daemon.binary, "db", "migrate-to", target, "--yes"],
            cwd=daemon.folder,
            env=daemon.environment({}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(after)
        moving.kill()
        check(moving.wait() != 0, f"the move was killed before its end, after {after} s")
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        left = lambda name=f"killed-{after}", sql=tables: server.one(name, sql)
        until(lambda count=left: count() == 0, "its target is empty", 10)
    equal(daemon.run("db", "check").returncode, 0, "db check of the source after a move was killed")


def is_moved(before, after, where):
    grown = {table: (before[table], after[table]) for table in TABLES if before[table] != after[table]}
    # The log has a line of the move, once it is sealed.
    check(set(grown) <= {"audit"}, f"tables that differ {where}: {grown}")


def lives_on(daemon, tokens):
    daemon.start()
    equal(daemon.me(tokens["access_token"]), 200, "a token of before the move")
    equal(
        daemon.post("/refresh", {"refresh_token": tokens["refresh_token"]}).status,
        200,
        "and its refresh token",
    )
    daemon.audit_is_whole("after a move")
    check("DatabaseMoved" in daemon.ctl("audit", "tail", "-n", "50"), "a line tells of the move")


def refused(daemon, what, *arguments, codes=(REFUSED,)):
    done = daemon.run(*arguments)
    check(done.returncode in codes, f"{what}: exit {done.returncode}: {done.stdout}{done.stderr}")
    print(f"   {what}: {done.returncode}, {done.stderr.strip()[:150]}")


def backups(binary, server, folder, programs):
    """A backup of a server's database, put back; and PostgreSQL's own dump, put back."""
    daemon = Daemon(binary, server.create("backups"), None, {"mail.max_per_address_per_hour": "50"})
    fill(daemon, folder, FEWER_USERS)
    with server.connect("backups") as connection:
        connection.execute(PASSKEY.format(id=KEY_ID, blob=KEY_ID))
    tokens = daemon.sign_in("ann@example.com")
    before = counts(lambda sql: server.one("backups", sql))
    file = os.path.join(folder, "backup.db")
    timed("backup, beside a daemon", daemon, "db", "backup", file, rows=sum(before.values()))
    equal(of_file(file)["users"], before["users"], "users in the backup")
    equal(daemon.run("db", "check", file).returncode, 0, "the backup is whole")
    refused(daemon, "a restore beside a daemon", "db", "restore", file, "--yes")
    equal(daemon.me(tokens["access_token"]), 200, "nothing was ended")
    daemon.ctl("user", "delete", "u1@example.com", "--yes")
    daemon.stop()
    timed("restore", daemon, "db", "restore", file, "--yes", rows=sum(before.values()))
    equal(
        server.one("backups", "SELECT count(*) FROM users WHERE email = 'u1@example.com'"),
        1,
        "who was deleted is back",
    )
    daemon.start()
    equal(daemon.me(tokens["access_token"]), 401, "its sessions have ended")
    tokens = daemon.sign_in("ann@example.com")
    daemon.audit_is_whole("after a restore")
    equal(daemon.run("db", "check").returncode, 0, "db check after a restore")

    dump = os.path.join(folder, "dump")
    address = ["-h", "127.0.0.1", "-p", str(server.port), "-U", "authd"]
    subprocess.run([f"{programs}/pg_dump", *address, "-Fc", "-f", dump, "backups"], check=True)
    daemon.ctl("user", "disable", "u2@example.com")
    equal(daemon.post("/logout", {}, tokens["access_token"]).status, 204, "logout after the dump")
    daemon.stop()
    with server.connect() as connection:
        connection.execute("DROP DATABASE backups WITH (FORCE)")
    server.create("backups")
    subprocess.run([f"{programs}/pg_restore", *address, "-d", "backups", dump], check=True)
    # Whoever was alive when the dump was made is taken for alive, for half a minute.
    with server.connect("backups") as connection:
        connection.execute("DELETE FROM daemons")
    timed("db restored", daemon, "db", "restored", "--yes")
    daemon.start()
    equal(daemon.me(tokens["access_token"]), 401, "a session of the dump has ended")
    equal(
        daemon.post("/refresh", {"refresh_token": tokens["refresh_token"]}).status,
        401,
        "its refresh token, too",
    )
    daemon.sign_in("ann@example.com")
    daemon.audit_is_whole("after pg_restore")
    equal(daemon.run("db", "check").returncode, 0, "db check after pg_restore")
    daemon.__exit__()


def what_no_server_holds(binary, server, folder):
    """A NUL in a text of the file's, as only another program can have put there."""
    daemon = Daemon(binary, os.path.join(folder, "nul.db"), None)
    daemon.add_user("ann@example.com")
    daemon.stop()
    with sqlite3.connect(daemon.settings["database"]) as connection:
        connection.execute("UPDATE roles SET description = 'A' || char(0) || 'nn'")
    done = daemon.run("db", "migrate-to", server.create("nul"), "--yes")
    check(done.returncode not in (0, 1, 2), f"a NUL: exit {done.returncode}")
    check("U+0000" in done.stderr or "NUL" in done.stderr, f"a NUL is told of: {done.stderr}")
    print(f"   a NUL: {done.returncode}, {done.stderr.strip()[:250]}")
    check(os.path.exists(daemon.settings["database"]), "the file stays where it is")
    equal(
        server.one("nul", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"),
        0,
        "the server stays empty",
    )
    daemon.start()
    daemon.sign_in("ann@example.com")
    daemon.__exit__()


def main(binary, server):
    for part in (moves, what_no_server_holds):
        with tempfile.TemporaryDirectory() as folder:
            part(binary, server, folder)
    with tempfile.TemporaryDirectory() as folder:
        backups(binary, server, folder, server.programs)
