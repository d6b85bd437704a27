"""Who can write to the database, at the audit log's inbox: nothing of theirs is sealed, and it shows."""

import contextlib
import json

from fleet import Daemon
from house import check, equal, until

COLUMNS = "id, at, event, actor, user_id, session_id, ip, request_id, details, mac"
NOT_WHOLE = 5


class Attacker:
    """A connection that may write whatever it likes."""

    def __init__(self, server, daemon):
        self.server, self.daemon = server, daemon
        self.connection = server.connect("attacked")

    def run(self, sql, *values):
        return self.connection.execute(sql, values)

    def one(self, sql, *values):
        return self.run(sql, *values).fetchone()[0]

    @contextlib.contextmanager
    def unsealed(self):
        """Nobody seals meanwhile: the row of the log's head is locked."""
        with self.server.connect("attacked") as holder:
            holder.execute("BEGIN")
            holder.execute("SELECT value FROM meta WHERE key = 'audit_head' FOR UPDATE")
            yield
            holder.execute("ROLLBACK")

    def leave_line(self, role):
        """A line of authd's that waits; gives it."""
        with self.unsealed():
            self.daemon.run("role", "add", role)
            return self.run(f"SELECT {COLUMNS} FROM audit_inbox ORDER BY id DESC LIMIT 1").fetchone()

    def put(self, line):
        self.run(f"INSERT INTO audit_inbox ({COLUMNS}) VALUES ({', '.join(['%s'] * 10)})", *line)

    def lines(self, role):
        """How many lines of the log tell that a role was made."""
        return self.one(
            "SELECT count(*) FROM audit WHERE event = 'RoleCreated' AND details LIKE %s", f'%"{role}"%'
        )

    def meta(self, key):
        found = self.run("SELECT value FROM meta WHERE key = %s", key).fetchone()
        return found and found[0]

    def set_meta(self, key, value):
        self.run("UPDATE meta SET value = %s WHERE key = %s", value, key)

    def is_seen(self, what, count):
        """It stays in the inbox, and everything that looks tells of it."""
        told(self.daemon, what)
        equal(
            self.one("SELECT count(*) FROM audit_inbox WHERE strange <> 0"), count, f"{what}: lines that stay"
        )

    def clean(self, what):
        self.run("DELETE FROM audit_inbox")
        self.daemon.audit_is_whole(f"once {what} is gone")


def told(daemon, what):
    verify = daemon.run("audit", "verify")
    equal(verify.returncode, NOT_WHOLE, f"{what}: audit verify: {verify.stdout}{verify.stderr}")
    database = daemon.run("db", "check")
    equal(database.returncode, NOT_WHOLE, f"{what}: db check: {database.stdout}{database.stderr}")
    doctor = daemon.run("doctor")
    check(doctor.returncode != 0, f"{what}: doctor: {doctor.stdout}{doctor.stderr}")


def lines_of_others(attacker):
    line = attacker.leave_line("genuine")
    attacker.daemon.audit_is_whole("with a line that waited")
    equal(
        (attacker.lines("genuine"), attacker.one("SELECT count(*) FROM audit_inbox")),
        (1, 0),
        "sealed by the next command",
    )

    forged = (attacker.one("SELECT nextval('audit_inbox_id')"), *line[1:8], '{"role":"forged"}', b"\0" * 32)
    attacker.put(forged)
    attacker.is_seen("a forged line", 1)
    equal(attacker.lines("forged"), 0, "no forged line is sealed")
    attacker.clean("a forged line")

    # Far ahead of all others: what comes after it is sealed all the same.
    attacker.put((2**62, *forged[1:]))
    attacker.daemon.ctl("role", "add", "after")
    attacker.is_seen("a forged line of the future", 1)
    equal(attacker.lines("after"), 1, "genuine lines beside it are sealed")
    attacker.clean("a forged line of the future")

    with attacker.unsealed():
        attacker.daemon.run("role", "add", "bent")
        attacker.run("UPDATE audit_inbox SET actor = 'operator:nobody'")
    attacker.is_seen("a bent line", 1)
    equal(attacker.lines("bent"), 0, "no bent line is sealed")
    attacker.clean("a bent line")

    attacker.put(line)
    attacker.is_seen("a line that was sealed before", 1)
    equal(attacker.lines("genuine"), 1, "it is not sealed twice")
    attacker.clean("a line that was sealed before")
    attacker.put((attacker.one("SELECT nextval('audit_inbox_id')"), *line[1:]))
    attacker.is_seen("a line that was sealed before, by another number", 1)
    attacker.clean("that")
    attacker.put((line[0], *line[1:8], '{"role":"other"}', line[9]))
    attacker.put((line[0] + 1, *line[1:]))
    attacker.is_seen("two at once", 2)
    attacker.clean("two at once")
    return line


def what_was_is_put_back(attacker, line):
    daemon = attacker.daemon
    keys = ["audit_head", "audit_sealed_ids"]
    old = {key: attacker.meta(key) for key in keys}
    daemon.ctl("role", "add", "newer")
    daemon.audit_is_whole("before what was is put back")
    new = {key: attacker.meta(key) for key in keys}
    check(all(old[key] != new[key] for key in keys), "both have changed")
    for what, back in [("old sealed ids", keys[1:]), ("an old head", keys[:1]), ("both", keys)]:
        for key in back:
            attacker.set_meta(key, old[key])
        attacker.put(line)
        done = daemon.run("role", "add", f"while-{len(what)}")
        told(daemon, what)
        equal(attacker.lines("genuine"), 1, f"{what}: a line that was sealed before is not sealed again")
        equal(attacker.lines("newer"), 1, f"{what}: the newer line stands")
        print(
            f"   {what}: role add exits {done.returncode}, "
            f"{daemon.run('audit', 'verify').stderr.strip()[:160]}"
        )
        attacker.run("DELETE FROM audit_inbox WHERE id = %s", line[0])
        for key in keys:
            attacker.set_meta(key, new[key])
        daemon.audit_is_whole(f"with {what} made good")
        new = {key: attacker.meta(key) for key in keys}
        old = old if what == "old sealed ids" else {key: old[key] for key in keys}
    attacker.run("DELETE FROM meta WHERE key = 'audit_sealed_ids'")
    daemon.run("role", "add", "without")
    told(daemon, "no sealed ids")
    attacker.run("INSERT INTO meta (key, value) VALUES ('audit_sealed_ids', %s)", new["audit_sealed_ids"])
    daemon.audit_is_whole("with the sealed ids made good")
    equal(attacker.lines("without"), 1, "what waited meanwhile is sealed")


def numbers_are_set_back(attacker):
    """Then authd's own lines bear numbers that were sealed before. They are not sealed, and that shows."""
    newest = attacker.one("SELECT last_value FROM audit_inbox_id")
    attacker.run("SELECT setval('audit_inbox_id', 1000)")
    done = attacker.daemon.run("role", "add", "set-back")
    print(f"   numbers set back: role add exits {done.returncode} {done.stderr.strip()[:120]}")
    attacker.is_seen("numbers that were set back", 1)
    attacker.run("SELECT setval('audit_inbox_id', %s)", newest + 1000)
    attacker.clean("numbers that were set back")


def sealing_is_kept_up(attacker):
    """Nobody takes a log whose end is not sealed for whole."""
    with attacker.unsealed():
        done = attacker.daemon.run("role", "add", "kept-up")
        equal(done.returncode, 0, f"changes go on: {done.stderr}")
        verify = attacker.daemon.run("audit", "verify")
        check(verify.returncode != 0, f"audit verify while nobody can seal: {verify.stdout}{verify.stderr}")
        print(f"   sealing kept up: audit verify exits {verify.returncode}, {verify.stderr.strip()[:160]}")
        status = json.loads(attacker.daemon.ctl("db", "status", "-o", "json"))
        check(status["audit_unsealed"] >= 1, f"db status: {status}")
    attacker.daemon.audit_is_whole("once it can be sealed")
    equal(attacker.lines("kept-up"), 1, "and what waited is there")


def a_daemon_dies(attacker):
    daemon = attacker.daemon
    daemon.add_user("ann@example.com")
    daemon.start()
    with attacker.unsealed():
        daemon.sign_in("ann@example.com")
        daemon.kill()
        waiting = attacker.one("SELECT count(*) FROM audit_inbox WHERE event = 'LoginSucceeded'")
        equal(waiting, 1, "a line waits when its daemon dies")
    until(
        lambda: attacker.one("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'authd'") == 0,
        "its sessions end",
    )
    daemon.audit_is_whole("after a daemon died")
    equal(
        attacker.one("SELECT count(*) FROM audit WHERE event = 'LoginSucceeded'"),
        1,
        "the next command has sealed it",
    )


def a_daemon_says_so(attacker):
    daemon = attacker.daemon
    daemon.start()
    attacker.put(
        (
            attacker.one("SELECT nextval('audit_inbox_id')"),
            1,
            "RoleCreated",
            "operator:root",
            None,
            None,
            None,
            None,
            "{}",
            b"\1" * 32,
        )
    )
    until(lambda: "audit log's inbox" in daemon.log(), "the daemon's log tells of it", 15)
    told(daemon, "a forged line beside a daemon")
    attacker.clean("the forged line")
    daemon.stop()


def main(binary, server):
    with Daemon(binary, server.create("attacked"), None) as daemon:
        daemon.stop()
        attacker = Attacker(server, daemon)
        line = lines_of_others(attacker)
        what_was_is_put_back(attacker, line)
        numbers_are_set_back(attacker)
        sealing_is_kept_up(attacker)
        a_daemon_dies(attacker)
        a_daemon_says_so(attacker)
        attacker.connection.close()
