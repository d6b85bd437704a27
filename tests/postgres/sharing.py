"""Two daemons on one server: what counts once counts once, what one has changed the other knows at once."""

import json
import time

from fleet import Daemon, Fleet, race, race_of_daemons, second_factor, ticket, totp
from house import check, equal, until
from proxy import MailSink

LIMITS_ON = {"rate_limit.enabled": "true", "rate_limit.login": "30/1h"}


def secrets_count_once(daemons):
    first = daemons[0]
    first.add_user("ann@example.com")
    refresh = first.sign_in("ann@example.com")["refresh_token"]
    race_of_daemons(
        daemons, "a refresh token", lambda at: at.post("/refresh", {"refresh_token": refresh}), [401]
    )
    secret, codes = second_factor(first, "ann@example.com")
    # The ticket dies of five failures, and what races with these sees it dead.
    held = ticket(first, "ann@example.com")
    body = {"ticket": held, "recovery_code": codes[0]}
    race_of_daemons(daemons, "a login ticket", lambda at: at.post("/2fa/verify", body), [401])
    tickets = [ticket(daemons[at % 2], "ann@example.com") for at in range(16)]
    waiting = iter(list(tickets))
    body = lambda: {"ticket": next(waiting), "recovery_code": codes[1]}
    split(daemons, "a recovery code", body, 16)
    waiting = iter([ticket(daemons[at % 2], "ann@example.com") for at in range(16)])
    code = totp(secret, time.time())
    split(daemons, "a step of TOTP", lambda: {"ticket": next(waiting), "code": code}, 16)
    first.post("/password/reset/request", {"email": "ann@example.com"})
    until(lambda: "reset_password" in first.ctl("mail", "list"), "the mail with the link")
    token = first.newest_secret("pr", "ann@example.com")
    body = {"token": token, "new_password": "another battery staple horse"}
    race_of_daemons(daemons, "a mailed link", lambda at: at.post("/password/reset/confirm", body), [400])


def split(daemons, what, body, racers):
    """As `race_of_daemons`, each with a ticket of its own; the account is locked after five who fail."""
    bodies = [body() for _ in range(racers)]
    answers = race(lambda number: daemons[number % 2].post("/2fa/verify", bodies[number]), racers)
    statuses = sorted(answer.status for answer in answers)
    equal(statuses.count(200), 1, f"{what}: how many had success, of {statuses}")
    check(set(statuses) <= {200, 401, 429}, f"{what}: the others got {statuses}")
    daemons[0].audit_is_whole(f"after {what}")
    daemons[0].ctl("user", "unlock", "ann@example.com")


def the_other_knows_at_once(daemons):
    first, other = daemons
    first.add_user("bob@example.com")
    tokens = first.sign_in("bob@example.com")
    access = tokens["access_token"]
    # Asked before, so that whatever it might remember of it is remembered.
    equal((other.me(access), first.me(access)), (200, 200), "a token of one daemon's at the other")
    equal(first.post("/logout", {}, access).status, 204, "logout")
    equal(other.me(access), 401, "a session that was ended at the other daemon")
    access = other.sign_in("bob@example.com")["access_token"]
    equal(first.me(access), 200, "the next")
    other.ctl("user", "disable", "bob@example.com")
    equal((first.me(access), other.me(access)), (401, 401), "a disabled user's token")
    first.ctl("user", "enable", "bob@example.com")
    access = first.sign_in("bob@example.com")["access_token"]
    equal(other.me(access), 200, "enabled again")
    before = keys(other)
    first.ctl("key", "rotate")
    after = keys(other)
    check(len(after) == len(before) + 1, f"the new key is in the other's JWKS: {after}")
    fresh = other.sign_in("bob@example.com")["access_token"]
    equal((first.me(fresh), first.me(access)), (200, 200), "tokens of the new key, and of the one before")
    first.ctl("key", "retire", before[0], "--now", "--yes")
    check(before[0] not in keys(other), "a retired key is in the other's JWKS no more")
    equal((other.me(access), first.me(access)), (401, 401), "tokens of a retired key")
    equal(other.me(fresh), 200, "tokens of the other key")
    first.audit_is_whole("after revocations")


def keys(daemon):
    return [key["kid"] for key in daemon.get("/.well-known/jwks.json").json()["keys"]]


def five_guesses_in_all(daemons):
    first = daemons[0]
    first.add_user("eve@example.com")
    guess = lambda number: daemons[number % 2].post(
        "/login", {"email": "eve@example.com", "password": "a guess of words"}
    )
    answers = race(guess)
    lines = first.ctl(
        "audit", "tail", "-n", "200", "--event", "LoginFailed", "--user", "eve@example.com", "-o", "json"
    )
    failures = [json.loads(line) for line in lines.splitlines()]
    of_password = [line for line in failures if line["details"]["why"] != "too_many_attempts"]
    equal(len(of_password), 5, "how many guesses of 64 at two daemons were looked at")
    equal(sorted({answer.status for answer in answers}), [401, 429], "what they got")
    late = [
        at.post("/login", {"email": "eve@example.com", "password": "correct horse battery staple"})
        for at in daemons
    ]
    equal([answer.status for answer in late], [429, 429], "the right password, while it is locked")
    first.audit_is_whole("after the guesses")


def the_budget_is_shared(binary, database, key_file):
    """30 logins an hour are 30 at all daemons together."""
    with (
        Daemon(binary, database, key_file, LIMITS_ON) as one,
        Daemon(binary, database, key_file, LIMITS_ON) as other,
    ):
        one.add_user("max@example.com")
        body = {"email": "max@example.com", "password": "correct horse battery staple"}
        answers = race(lambda number: (one, other)[number % 2].post("/login", body), 40)
        statuses = [answer.status for answer in answers]
        equal((statuses.count(200), statuses.count(429)), (30, 10), "logins within a budget of 30")
        refused = [answer for answer in answers if answer.status == 429]
        check(all(int(answer.headers["Retry-After"]) > 0 for answer in refused), "Retry-After of the refused")
        one.audit_is_whole("after the budget was spent")


def each_mail_once(binary, database, key_file):
    sink = MailSink()
    settings = {
        "mail.transport": "smtp",
        "mail.smtp_host": "127.0.0.1",
        "mail.smtp_port": str(sink.port),
        "mail.smtp_tls": "none",
        "mail.max_per_address_per_hour": "100",
    }
    with (
        Daemon(binary, database, key_file, settings) as one,
        Daemon(binary, database, key_file, settings) as other,
    ):
        addresses = [f"m{number}@example.com" for number in range(40)]
        ask = lambda number: (one, other)[number % 2].post(
            "/register", {"email": addresses[number], "password": "correct horse battery staple"}
        )
        equal({answer.status for answer in race(ask, 40)}, {202}, "registrations")
        until(lambda: len(sink.taken) >= 40, f"the mails: {len(sink.taken)} of 40", 30)
        # Whoever would send one again does so in his next round, within 5 s.
        until(lambda: "queued" not in one.ctl("mail", "list", "--state", "queued"), "nothing is queued", 20)
        got = sorted(to for to in sink.taken if to.startswith("m") and to in addresses)
        equal(got, sorted(addresses), "each mail once")
        one.audit_is_whole("after the mails")
    sink.close()


class Starting(Daemon):
    """One that nobody waits for."""

    def start(self, settings=None):
        self.begin()


def two_starts_at_once(binary, server):
    for number in range(3):
        database = server.create(f"starts-{number}")
        with Daemon(binary, server.create(f"key-{number}")) as other:
            key_file = other.key_file
            with Starting(binary, database, key_file) as one, Starting(binary, database, key_file) as two:
                pair = one, two
                until(lambda at=pair: all(map(has_begun, at)), "two starts at once on an empty database", 30)
                equal([at.daemon.poll() for at in pair], [None, None], f"both live: {one.log()}{two.log()}")
                equal([at.get("/readyz").status for at in pair], [200, 200], "both are ready")
                equal((len(keys(one)), keys(one)), (1, keys(two)), "one signing key, the same at both")
                made = "SELECT count(*) FROM signing_keys"
                equal(server.one(f"starts-{number}", made), 1, "one was made")
                one.audit_is_whole("after two starts")


def has_begun(daemon):
    return daemon.daemon.poll() is not None or answers(daemon)


def answers(daemon):
    try:
        return daemon.get("/healthz").status == 200
    except OSError:
        return False


def main(binary, server):
    two_starts_at_once(binary, server)
    database = server.create("sharing")
    with Fleet(binary, database, database, settings={"mail.max_per_address_per_hour": "100"}) as daemons:
        secrets_count_once(daemons)
        the_other_knows_at_once(daemons)
        five_guesses_in_all(daemons)
        key_file = daemons[0].key_file
        for daemon in daemons:
            daemon.stop()
        the_budget_is_shared(binary, database, key_file)
        each_mail_once(binary, database, key_file)
