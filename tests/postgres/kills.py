"""A daemon that is killed amid its work: nothing that it answered for is lost, and the other finishes the rest."""

import threading
import time

from fleet import Daemon, Fleet, race
from house import check, equal, until
from proxy import MailSink

CLIENTS = 64
SMTP = {
    "mail.transport": "smtp",
    "mail.smtp_host": "127.0.0.1",
    "mail.smtp_tls": "none",
    "mail.max_per_address_per_hour": "100",
}


class Client:
    """Refreshes one session after the other answer, until there is none."""

    def __init__(self, daemon, tokens):
        self.daemon, self.newest, self.answered, self.odd = daemon, tokens["refresh_token"], 0, []

    def work(self, until_dead):
        while not until_dead.is_set():
            try:
                answer = self.daemon.post("/refresh", {"refresh_token": self.newest})
                if answer.status != 200:
                    self.odd.append(answer.status)
                    return
                self.newest = answer.json()["refresh_token"]
                self.answered += 1
            except (OSError, ValueError):
                return
            except Exception as error:  # pylint: disable=broad-except
                # http.client's own: the answer was cut off.
                if "http.client" not in type(error).__module__:
                    raise
                return


def no_rotation_is_lost(binary, server):
    database = server.create("kills")
    # Whoever had no answer asks again with the same token: docs/postgres.md.
    with Fleet(binary, database, database, settings={"tokens.refresh_grace": "1m"}) as (first, other):
        for number in range(4):
            first.add_user(f"u{number}@example.com")
        tokens = race(lambda number: first.sign_in(f"u{number % 4}@example.com"), CLIENTS)
        clients = [Client(first, each) for each in tokens]
        dead = threading.Event()
        threads = [threading.Thread(target=client.work, args=(dead,), daemon=True) for client in clients]
        for thread in threads:
            thread.start()
        until(lambda: sum(client.answered for client in clients) >= 300, "300 refreshes")
        first.kill()
        dead.set()
        for thread in threads:
            thread.join(30)
        answered = sum(client.answered for client in clients)
        equal([client.odd for client in clients if client.odd], [], "what clients got before it was killed")
        again = race(
            lambda number: other.post("/refresh", {"refresh_token": clients[number].newest}), CLIENTS
        )
        equal({answer.status for answer in again}, {200}, "each client's newest token at the other daemon")
        live = {answer.json()["refresh_token"] for answer in again}
        equal(len(live), CLIENTS, "distinct tokens")
        equal({other.me(answer.json()["access_token"]) for answer in again}, {200}, "their access tokens")
        # Without a command, which would do it itself.
        waiting = lambda: server.one("kills", "SELECT count(*) FROM audit_inbox")
        until(lambda: waiting() == 0, f"the dead daemon's lines are sealed: {waiting()} wait", 15)
        lines = server.one("kills", "SELECT count(*) FROM audit WHERE event = 'TokenRefreshed'")
        rotations = server.one("kills", "SELECT coalesce(sum(generation), 0)::bigint FROM sessions")
        check(
            lines >= answered + CLIENTS // 2,
            f"{lines} lines of {answered} answered rotations and {CLIENTS} more",
        )
        check(rotations >= answered, f"{rotations} rotations in the table, {answered} answered")
        equal(other.get("/readyz").status, 200, "the other is ready")
        other.audit_is_whole("after a daemon was killed")
        print(f"   {answered} refreshes were answered before the kill, {lines} have a line")


def queued_mail_is_sent(binary, server):
    database = server.create("mails")
    slow, quick = MailSink(delay=60), MailSink()
    first = Daemon(binary, database, None, {**SMTP, "mail.smtp_port": str(slow.port)})
    other = Daemon(
        binary, database, first.key_file, {"public_url": first.url, **SMTP, "mail.smtp_port": str(quick.port)}
    )
    other.stop()
    for name in ["one", "two"]:
        answer = first.post(
            "/register", {"email": f"{name}@example.com", "password": "correct horse battery staple"}
        )
        equal(answer.status, 202, f"registration of {name}")
    claimed = lambda: server.one("mails", "SELECT count(*) FROM mails WHERE claimed_until IS NOT NULL")
    until(lambda: claimed() == 1, "a mail is being sent")
    first.kill()
    other.start()
    until(lambda: len(quick.taken) == 1, "the mail that nobody was sending", 15)
    until(lambda: claimed() == 1, "the mail that the dead daemon was sending waits, and no other", 5)
    left = server.one("mails", "SELECT max(claimed_until) FROM mails") / 1000 - time.time()
    check(600 < left <= 900, f"for a quarter of an hour at most: {left:.0f} s")
    with server.connect("mails") as connection:
        connection.execute("UPDATE mails SET claimed_until = 1 WHERE claimed_until IS NOT NULL")
    until(lambda: len(quick.taken) == 2, f"the dead daemon's mail, once its lease is over: {quick.taken}", 70)
    equal(sorted(quick.taken), ["one@example.com", "two@example.com"], "each once")
    other.audit_is_whole("after the mails")
    for daemon in (first, other):
        daemon.__exit__()
    slow.close()
    quick.close()


def main(binary, server):
    no_rotation_is_lost(binary, server)
    queued_mail_is_sent(binary, server)
