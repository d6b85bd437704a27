"""When authd's keys are fetched, and what holds while they can't be."""

import asyncio
import json
import re
import socket
import time
import urllib.request
from collections.abc import Callable, Mapping

import httpx
import jwt
import pytest
from conftest import Client, by, get, is_problem, service, with_client
from fastapi.testclient import TestClient
from stand_in import JWKS, Clock, OwnKey, StandIn

from authd_fastapi import Authd
from authd_fastapi.testing import Account, AuthdServer

Start = Callable[[Mapping[str, str]], AuthdServer]


def key_fetches(port: int) -> int:
    """How often the daemon was asked for its keys, by its own count."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        lines = response.read().decode()
    counts = re.findall(r'^authd_http_requests_total\{[^}]*jwks\.json"[^}]*\} (\d+)', lines, re.M)
    return sum(map(int, counts))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_thousand_cold_requests_make_one_fetch(another_authd: Start) -> None:
    port = free_port()
    server = another_authd({"metrics.listen": f"127.0.0.1:{port}"})
    token = server.token_for(server.add_user("ann@example.com"))
    app = service(Authd(server.url))
    before = key_fetches(port)

    async def work(client: Client) -> list[httpx.Response]:
        return await asyncio.gather(*(client.get("/me", headers=by(token)) for _ in range(1000)))

    answers = with_client(app, work)
    assert [answer.status_code for answer in answers] == [200] * 1000
    assert key_fetches(port) == before + 1


def test_the_keys_are_there_before_the_first_request(stand_in: StandIn, authd_server: AuthdServer) -> None:
    app = service(Authd(authd_server.url, url=stand_in.url))
    assert stand_in.fetches() == 0
    with TestClient(app):
        assert stand_in.fetches() == 1


def test_a_service_starts_though_authd_is_not_there_yet(another_authd: Start, clock: Clock) -> None:
    server = another_authd({})
    token = server.token_for(server.add_user("ann@example.com"))
    server.stop()
    app = service(Authd(server.url, clock=clock))
    with TestClient(app) as client:
        assert client.get("/bare").status_code == 200
        is_problem(client.get("/me", headers=by(token)), 503, "authd_unavailable")
        server.start()
        clock.turn(1)
        assert client.get("/me", headers=by(token)).status_code == 200


def test_a_rotation_shows_no_401(another_authd: Start, clock: Clock) -> None:
    server = another_authd({})
    ann = server.add_user("ann@example.com")
    app = service(Authd(server.url, clock=clock))
    clock.now = time.time()

    async def work(client: Client) -> list[int]:
        tokens, statuses = [await asyncio.to_thread(server.token_for, ann)], []
        for _ in range(3):
            for _ in range(4):
                answers = (client.get("/me", headers=by(token)) for token in tokens * 8)
                statuses += [answer.status_code for answer in await asyncio.gather(*answers)]
            await asyncio.to_thread(server.ctl, "key", "rotate")
            tokens.append(await asyncio.to_thread(server.token_for, ann))
            clock.turn(31)
        return statuses

    statuses = with_client(app, work)
    assert statuses == [200] * len(statuses)
    assert len(statuses) == 4 * 8 * (1 + 2 + 3)


def test_a_rotation_right_after_a_fetch_shows_none_either(another_authd: Start, clock: Clock) -> None:
    """Though others' tokens come all the time: only one that is right in all but its key spends the look."""
    server, other = another_authd({}), another_authd({})
    ann, foreign = server.add_user("ann@example.com"), other.token_for(other.add_user("ann@example.com"))
    app = service(Authd(server.url, clock=clock))
    assert get(app, "/me", by(server.token_for(ann))).status_code == 200
    assert get(app, "/me", by(foreign)).status_code == 401
    server.ctl("key", "rotate")
    assert get(app, "/me", by(server.token_for(ann))).status_code == 200


def test_an_unknown_key_is_looked_for_once_in_thirty_seconds(
    stand_in: StandIn, authd_server: AuthdServer, editor: Account, clock: Clock
) -> None:
    app = service(Authd(authd_server.url, url=stand_in.url, clock=clock))
    token = authd_server.token_for(editor)
    claims = jwt.decode(token, options={"verify_signature": False})
    clock.now = claims["iat"] + 1.0
    assert get(app, "/me", by(token)).status_code == 200
    strangers = [OwnKey(f"stranger-{number}").sign(claims) for number in range(64)]

    async def work(client: Client) -> list[int]:
        answers = await asyncio.gather(*(client.get("/me", headers=by(one)) for one in strangers))
        return [answer.status_code for answer in answers]

    for seconds, fetches in ((0, 2), (29, 2), (1, 3), (29.9, 3), (0.1, 4)):
        clock.turn(seconds)
        assert with_client(app, work) == [401] * 64
        assert stand_in.fetches() == fetches, f"after {seconds} s more"


def test_keys_are_kept_for_five_minutes(
    stand_in: StandIn, authd_server: AuthdServer, editor: Account, clock: Clock
) -> None:
    app = service(Authd(authd_server.url, url=stand_in.url, clock=clock))
    token = authd_server.token_for(editor)
    for seconds, fetches in ((0, 1), (299, 1), (1, 2), (299, 2), (1, 3)):
        clock.turn(seconds)
        assert get(app, "/me", by(token)).status_code == 200
        assert stand_in.fetches() == fetches


def test_a_key_that_authd_took_away_is_gone_after_five_minutes(
    stand_in: StandIn, authd_server: AuthdServer, editor: Account, clock: Clock
) -> None:
    own = OwnKey("own")
    stand_in.extra_keys.append(own.jwk)
    app = service(Authd(authd_server.url, url=stand_in.url, clock=clock))
    claims = jwt.decode(authd_server.token_for(editor), options={"verify_signature": False})
    token = own.sign(claims)
    assert get(app, "/me", by(token)).status_code == 200
    stand_in.extra_keys.clear()
    clock.turn(299)
    assert get(app, "/me", by(token)).status_code == 200
    clock.turn(1)
    is_problem(get(app, "/me", by(token)), 401, "invalid_token")


def test_after_an_idle_hour_nobody_slips_in_by_an_old_key(
    stand_in: StandIn, authd_server: AuthdServer, editor: Account, clock: Clock
) -> None:
    """Those that come while the keys are fetched wait for them, as the first does."""
    own = OwnKey("own")
    stand_in.extra_keys.append(own.jwk)
    app = service(Authd(authd_server.url, url=stand_in.url, clock=clock))
    claims = jwt.decode(authd_server.token_for(editor), options={"verify_signature": False})
    token = own.sign({**claims, "exp": claims["exp"] + 7200})
    assert get(app, "/me", by(token)).status_code == 200
    stand_in.extra_keys.clear()
    clock.turn(3600)

    async def work(client: Client) -> list[int]:
        answers = await asyncio.gather(*(client.get("/me", headers=by(token)) for _ in range(8)))
        return [answer.status_code for answer in answers]

    assert with_client(app, work) == [401] * 8


def test_a_clock_that_was_set_back_makes_no_key_live_for_ever(
    stand_in: StandIn, authd_server: AuthdServer, editor: Account, clock: Clock
) -> None:
    app = service(Authd(authd_server.url, url=stand_in.url, clock=clock))
    token = authd_server.token_for(editor)
    clock.turn(600)
    assert get(app, "/me", by(token)).status_code == 200
    clock.turn(-599)
    assert get(app, "/me", by(token)).status_code == 200
    assert stand_in.fetches() == 2


def test_authd_is_down_for_ten_minutes(another_authd: Start, clock: Clock) -> None:
    server = another_authd({})
    ann = server.add_user("ann@example.com")
    token = server.token_for(ann)
    app = service(Authd(server.url, clock=clock))
    assert get(app, "/me", by(token)).status_code == 200
    server.stop()

    async def work(client: Client) -> list[int]:
        statuses = []
        for _ in range(60):
            clock.turn(10)
            answers = (client.get("/me", headers=by(token)) for _ in range(5))
            statuses += [answer.status_code for answer in await asyncio.gather(*answers)]
        return statuses

    assert with_client(app, work) == [200] * 300
    # It is back, with a new key: that counts within the pause.
    server.start()
    server.ctl("key", "rotate")
    clock.turn(30)
    assert get(app, "/me", by(server.token_for(ann))).status_code == 200


def test_while_authd_hangs_nobody_waits_for_it(
    stand_in: StandIn, authd_server: AuthdServer, editor: Account, clock: Clock
) -> None:
    """Every answer below comes before the stand-in has given one: it gives none until it is released."""
    app = service(Authd(authd_server.url, url=stand_in.url, clock=clock))
    token = authd_server.token_for(editor)

    async def work(client: Client) -> None:
        assert (await client.get("/me", headers=by(token))).status_code == 200
        stand_in.answers[JWKS] = (500, {}, b"")
        clock.turn(300)
        assert (await client.get("/me", headers=by(token))).status_code == 200
        del stand_in.answers[JWKS]
        stand_in.hangs.set()
        clock.turn(31)
        for _ in range(20):
            assert (await client.get("/me", headers=by(token))).status_code == 200
        assert not stand_in.released.is_set()
        stand_in.released.set()

    with_client(app, work)


def test_the_event_loop_is_never_blocked(
    stand_in: StandIn, authd_server: AuthdServer, editor: Account
) -> None:
    """While fifty requests wait for keys that don't come, others are answered, before the release."""
    app = service(Authd(authd_server.url, url=stand_in.url))
    token = authd_server.token_for(editor)
    stand_in.hangs.set()

    async def work(client: Client) -> tuple[list[httpx.Response], float]:
        waiting = [asyncio.create_task(client.get("/me", headers=by(token))) for _ in range(50)]
        longest = 0.0
        for _ in range(200):
            began = time.monotonic()
            assert (await client.get("/bare")).status_code == 200
            longest = max(longest, time.monotonic() - began)
        assert not any(one.done() for one in waiting)
        stand_in.released.set()
        return await asyncio.gather(*waiting), longest

    answers, longest = with_client(app, work)
    for answer in answers:
        is_problem(answer, 503, "authd_unavailable")
    assert stand_in.fetches() == 1
    assert longest < 2, "a fetch that blocks would hold others up until its time-out"


def test_whoever_goes_away_takes_the_fetch_from_nobody(
    stand_in: StandIn, authd_server: AuthdServer, editor: Account
) -> None:
    app = service(Authd(authd_server.url, url=stand_in.url))
    token = authd_server.token_for(editor)

    async def work(client: Client) -> int:
        first = asyncio.create_task(client.get("/me", headers=by(token)))
        second = asyncio.create_task(client.get("/me", headers=by(token)))
        while app.state.authd._keys._flight is None:  # noqa: ASYNC110 - it comes within a few turns
            await asyncio.sleep(0)
        first.cancel()
        return (await second).status_code

    assert with_client(app, work) == 200
    assert stand_in.fetches() == 1


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"<html>"),
        (200, {}, b"[]"),
        (200, {}, b'{"keys":[]}'),
        (200, {}, b'{"keys":{}}'),
        (200, {}, b'{"keys":[7,{"kid":7},{"kid":"x","alg":"EdDSA","kty":"OKP","crv":"Ed25519","x":"AA"}]}'),
        (200, {}, b'{"keys":[' + b" " * (9 << 20) + b"]}"),
        (302, {"Location": "http://127.0.0.1:1/"}, b""),
        (404, {}, b"{}"),
        (503, {"Retry-After": "7"}, b"{}"),
    ],
    ids=["html", "list", "no keys", "keys no list", "broken keys", "9 MiB", "redirect", "404", "503"],
)
def test_what_is_no_key_set_takes_none_away(
    stand_in: StandIn,
    authd_server: AuthdServer,
    editor: Account,
    clock: Clock,
    answer: tuple[int, dict[str, str], bytes],
) -> None:
    token = authd_server.token_for(editor)
    app = service(Authd(authd_server.url, url=stand_in.url, clock=clock))
    assert get(app, "/me", by(token)).status_code == 200
    stand_in.answers[JWKS] = answer
    clock.turn(300)
    assert get(app, "/me", by(token)).status_code == 200
    assert stand_in.fetches() == 2
    cold = service(Authd(authd_server.url, url=stand_in.url, clock=clock))
    is_problem(get(cold, "/me", by(token)), 503, "authd_unavailable")


def test_a_broken_key_spoils_no_other(stand_in: StandIn, authd_server: AuthdServer, editor: Account) -> None:
    stand_in.extra_keys.append({"kid": "x", "alg": "EdDSA", "kty": "OKP", "crv": "Ed25519", "x": "AA"})
    app = service(Authd(authd_server.url, url=stand_in.url))
    assert get(app, "/me", by(authd_server.token_for(editor))).status_code == 200


def test_each_request_may_come_on_an_event_loop_of_its_own(
    authd_server: AuthdServer, editor: Account
) -> None:
    app = service(Authd(authd_server.url, api_key=authd_server.api_key("loops")))
    token = authd_server.token_for(editor)
    for _ in range(3):
        assert get(app, "/me", by(token)).status_code == 200
    client = TestClient(app)
    for _ in range(3):
        assert client.get("/me", headers=by(token)).status_code == 200
    json.dumps(client.get("/openapi.json").json())
