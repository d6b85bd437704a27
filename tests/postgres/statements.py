"""Prepares and runs on a real PostgreSQL every statement that the tests ran on SQLite: one text is right on both.

Each is prepared with the kinds of its parameters, and run once with values that mean nothing, so that what PostgreSQL
refuses only then is met, too; the transaction is rolled back. That it means the same there is not shown by this."""

import glob
import os
import re
import signal
import sys

import psycopg
from psycopg.pq import ExecStatus

from cluster import cluster

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

# By the kinds of the recorder: PostgreSQL's number of the type, and a value.
KINDS = {"integer": (20, b"1"), "text": (25, b"x"), "blob": (17, b"\\x01")}

# What a column of an answer may be: boolean, bigint, integer, text, bytea.
READABLE = {16, 20, 23, 25, 17}

VERBS = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ")

# What must be refused, or this test would find nothing.
NOT_PORTABLE = [
    ([], "SELECT group_concat(role) AS roles FROM user_roles"),
    (["integer"], "SELECT kid FROM signing_keys WHERE (retired_at IS NULL) > ?1"),
    (["text"], "SELECT id FROM mails WHERE +state = ?1"),
    (["unknown"], "SELECT id FROM mails WHERE state = ?1"),
    (["integer"], "SELECT id FROM mails WHERE state = 'sent'"),
    ([], "SELECT sum(failures) AS failures FROM totp"),
    ([], "SELECT id FROM users LIMIT -1 OFFSET 2"),
]


def recorded(folder):
    """The kinds of the parameters, and the text, of each."""
    for path in sorted(glob.glob(os.path.join(folder, "*.sql"))):
        with open(path, encoding="utf-8") as file:
            kinds, text = file.read().rstrip("\n").split("\n", 1)
        if text.startswith(VERBS):
            yield kinds.split(), text


class Server:
    def __init__(self, connection):
        self.server = connection.pgconn

    def run(self, text):
        result = self.server.exec_(text.encode())
        if result.status == ExecStatus.FATAL_ERROR:
            raise RuntimeError(result.error_message.decode())

    def flaw(self, kinds, text):
        """What PostgreSQL has against a statement. None: nothing."""
        self.run("BEGIN")
        try:
            return self.met(kinds, text)
        finally:
            self.run("ROLLBACK")

    def met(self, kinds, text):
        if not all(kind in KINDS for kind in kinds):
            return "a parameter has no kind: " + " ".join(kinds)
        numbers = {int(number) for number in re.findall(r"\?(\d+)", text)}
        if numbers != set(range(1, len(kinds) + 1)):
            return f"{len(kinds)} values for the parameters {sorted(numbers)}"
        types, values = [KINDS[kind][0] for kind in kinds], [KINDS[kind][1] for kind in kinds]
        prepared = self.server.prepare(b"", re.sub(r"\?(\d+)", r"$\1", text).encode(), types)
        if prepared.status != ExecStatus.COMMAND_OK:
            return prepared.error_message.decode()
        answer = self.server.describe_prepared(b"")
        strange = [answer.fname(at).decode() for at in range(answer.nfields) if answer.ftype(at) not in READABLE]
        if strange:
            return "of a type that nobody reads: " + ", ".join(strange)
        ran = self.server.exec_prepared(b"", values)
        state = ran.error_field(psycopg.pq.DiagnosticField.SQLSTATE) or b""
        # The values refer to no row, or break another rule of the schema's.
        if ran.status == ExecStatus.FATAL_ERROR and not state.startswith(b"23"):
            return ran.error_message.decode()
        return None


# Of tables that a server alone has: the tests run these on one (tests/postgres/run suite), and SQLite never does.
SERVER_ALONE = {"inbox.rs", "daemons.rs", "duties.rs", "rate_budgets.rs"}


def in_source():
    """Patterns of the statements that stand in the store, with their places, and that run on both."""
    for path in sorted(glob.glob(os.path.join(ROOT, "src/store/tables/*.rs")) +
                       glob.glob(os.path.join(ROOT, "src/store/audit/*.rs"))):
        if os.path.basename(path) in SERVER_ALONE:
            continue
        with open(path, encoding="utf-8") as file:
            source = file.read().split("#[cfg(test)]")[0]
        for literal in re.findall(r'"((?:SELECT|INSERT|UPDATE|DELETE) (?:[^"\\]|\\.)*)"', source, re.DOTALL):
            text = re.sub(r"\\\n\s*", "", literal).replace("\\\\", "\\")
            parts = [re.escape(part) for part in re.split(r"\{\w*\}", text)]
            yield os.path.basename(path), text, re.compile(".*".join(parts), re.DOTALL)


def main(programs, folder):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    statements = list(recorded(folder))
    texts = sorted({text for _, text in statements})
    sources = list(in_source())
    flaws = [f"no test runs this statement of {place}: {text}"
             for place, text, pattern in sources if not any(map(pattern.search, texts))]
    with open(os.path.join(ROOT, "src/store/postgres/schema.sql"), encoding="utf-8") as file:
        schema = file.read()
    with cluster(programs) as address, psycopg.connect(address, autocommit=True) as connection:
        server = Server(connection)
        server.run(schema)
        for kinds, text in NOT_PORTABLE:
            if server.flaw(kinds, text) is None:
                flaws.append(f"passes, and must not: {text}")
        for kinds, text in statements:
            flaw = server.flaw(kinds, text)
            if flaw is not None:
                flaws.append(f"{flaw.strip()}\n  in: {text}")
        version = connection.info.server_version // 10000
    for flaw in flaws:
        print(f"FAILED: {flaw}")
    print(f"PostgreSQL {version}: {len(texts)} texts of {len(sources)} places in the source, from {folder}")
    print(f"{len(sources) + len(NOT_PORTABLE) + len(statements) - len(flaws)} passed, {len(flaws)} failed")
    return not flaws


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
