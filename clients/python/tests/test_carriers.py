"""How tokens come: by bearer and by authd's cookies, with the proof that a page of the host sent them."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from conftest import Client, by, get, is_problem, service, with_client
from fastapi import FastAPI, Form
from stand_in import Clock, StandIn

from authd_fastapi import Authd, CurrentUser
from authd_fastapi.testing import Account, AuthdServer

ACCESS, SESSION, CSRF = "__Host-authd_access", "__Host-authd_session", "__Host-authd_csrf"
EXCHANGE = "/api/auth/session/token"


def jar(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def set_cookies(answer: httpx.Response) -> dict[str, str]:
    pairs = (line.partition(";")[0].partition("=") for line in answer.headers.get_list("set-cookie"))
    return {name: value for name, _, value in pairs if value}


def api_cookies(server: AuthdServer, account: Account) -> dict[str, str]:
    """What authd's API sets in cookie mode."""
    body = {"email": account.email, "password": account.password, "cookies": True}
    answer = httpx.post(f"{server.url}/api/auth/login", json=body, verify=False, trust_env=False)
    cookies = set_cookies(answer)
    return {name: cookies[name] for name in (ACCESS, CSRF)}


def page_cookies(server: AuthdServer, account: Account) -> dict[str, str]:
    """What authd's sign-in page sets."""
    page = httpx.get(f"{server.url}/auth/sign-in", verify=False, trust_env=False)
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found
    fields = {"csrf": found[1], "email": account.email, "password": account.password}
    own = {**jar(set_cookies(page)), "Origin": server.url}
    done = httpx.post(f"{server.url}/auth/sign-in", data=fields, headers=own, verify=False, trust_env=False)
    assert done.status_code == 303, done.text
    cookies = set_cookies(done)
    return {name: cookies[name] for name in (SESSION, CSRF)}


@pytest.fixture
def app(authd_server: AuthdServer) -> FastAPI:
    app = service(Authd(authd_server.url))

    @app.post("/form")
    async def form(user: CurrentUser, title: str = Form()) -> str:
        return title

    @app.post("/plain")
    async def plain(user: CurrentUser) -> str:
        return "plain"

    return app


COOKIES = [api_cookies, page_cookies]


@pytest.mark.parametrize("cookies_of", COOKIES)
class TestCookies:
    """Those of authd's API, and that of its pages."""

    def test_they_say_who_it_is(
        self, app: FastAPI, authd_server: AuthdServer, editor: Account, cookies_of: Any
    ) -> None:
        answer = get(app, "/me", jar(cookies_of(authd_server, editor)))
        assert answer.status_code == 200, answer.text
        assert (answer.json()["id"], answer.json()["roles"]) == (editor.id, ["editor"])
        assert get(app, "/maybe", jar(cookies_of(authd_server, editor))).json() == editor.id

    def test_a_change_wants_the_value(
        self, app: FastAPI, authd_server: AuthdServer, editor: Account, reader: Account, cookies_of: Any
    ) -> None:
        cookies = cookies_of(authd_server, editor)
        others = cookies_of(authd_server, reader)[CSRF]
        proof = {"X-CSRF-Token": cookies[CSRF]}
        for method, path in (("POST", "/me"), ("DELETE", "/posts/1")):
            assert get(app, path, {**jar(cookies), **proof}, method).status_code == 200
            for wrong in (
                {},
                {"X-CSRF-Token": ""},
                {"X-CSRF-Token": others},
                {"X-CSRF-Token": cookies[CSRF] + "x"},
            ):
                is_problem(get(app, path, {**jar(cookies), **wrong}, method), 403, "csrf_failed")
        without = {name: value for name, value in cookies.items() if name != CSRF}
        is_problem(get(app, "/me", {**jar(without), **proof}, "POST"), 403, "csrf_failed")
        is_problem(get(app, "/me", {**jar(without), "X-CSRF-Token": ""}, "POST"), 403, "csrf_failed")

    def test_a_change_must_come_from_an_own_page(
        self, app: FastAPI, authd_server: AuthdServer, editor: Account, cookies_of: Any
    ) -> None:
        cookies = cookies_of(authd_server, editor)
        own = {**jar(cookies), "X-CSRF-Token": cookies[CSRF]}
        for good in (
            {"Origin": authd_server.url},
            {"Sec-Fetch-Site": "same-origin"},
            {"Sec-Fetch-Site": "none"},
            {"Origin": authd_server.url, "Sec-Fetch-Site": "same-site"},
        ):
            assert get(app, "/me", {**own, **good}, "POST").status_code == 200
        for bad in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": authd_server.url + ".evil.example"},
            {"Origin": authd_server.url, "Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "something"},
        ):
            is_problem(get(app, "/me", {**own, **bad}, "POST"), 403, "csrf_failed")
        # What changes nothing is shown to whoever follows a link.
        assert get(app, "/me", {**jar(cookies), "Sec-Fetch-Site": "cross-site"}).status_code == 200

    def test_a_form_brings_the_value_in_a_field(
        self, app: FastAPI, authd_server: AuthdServer, editor: Account, cookies_of: Any
    ) -> None:
        cookies = cookies_of(authd_server, editor)
        for more in ({}, {"files": {"file": b"x"}}):
            fields = {"title": "News", "csrf_token": cookies[CSRF]}
            assert get(app, "/form", jar(cookies), "POST", data=fields, **more).json() == "News"
            is_problem(
                get(app, "/form", jar(cookies), "POST", data={"title": "News"}, **more), 403, "csrf_failed"
            )
        assert get(app, "/plain", jar(cookies), "POST", data={"csrf_token": cookies[CSRF]}).status_code == 200
        is_problem(
            get(app, "/plain", jar(cookies), "POST", json={"csrf_token": cookies[CSRF]}), 403, "csrf_failed"
        )
        is_problem(get(app, f"/plain?csrf_token={cookies[CSRF]}", jar(cookies), "POST"), 403, "csrf_failed")

    def test_a_bearer_token_and_a_cookie_at_once(
        self, app: FastAPI, authd_server: AuthdServer, editor: Account, cookies_of: Any
    ) -> None:
        cookies, token = cookies_of(authd_server, editor), authd_server.token_for(editor)
        is_problem(get(app, "/me", {**jar(cookies), **by(token)}), 400, "bad_request")
        is_problem(get(app, "/maybe", {**jar(cookies), **by("nonsense")}), 400, "bad_request")
        proof = {"X-CSRF-Token": cookies[CSRF]}
        is_problem(get(app, "/me", {**jar(cookies), **by(token), **proof}, "POST"), 400, "bad_request")
        # Another scheme is somebody else's: a proxy's password, say.
        assert get(app, "/me", {**jar(cookies), "Authorization": "Basic eDp4"}).status_code == 200
        assert get(app, "/me", {"Cookie": "session=x", **by(token)}).status_code == 200

    def test_what_stands_twice_is_not_guessed_at(
        self, app: FastAPI, authd_server: AuthdServer, editor: Account, cookies_of: Any
    ) -> None:
        cookies = jar(cookies_of(authd_server, editor))["Cookie"]
        name = SESSION if SESSION in cookies else ACCESS
        is_problem(get(app, "/me", {"Cookie": f"{cookies}; {name}=x"}), 400, "bad_request")
        is_problem(get(app, "/me", {"Cookie": f"{name}=; {cookies}"}), 400, "bad_request")
        is_problem(get(app, "/me", [("Cookie", cookies), ("Cookie", "a=b")]), 400, "bad_request")

    def test_names_that_only_look_like_it_are_others(
        self, app: FastAPI, authd_server: AuthdServer, editor: Account, cookies_of: Any
    ) -> None:
        cookies = cookies_of(authd_server, editor)
        name = next(iter(cookies))
        for other in (name.lower(), name.upper(), f"\x0b{name}", f"x{name}", name[7:], f'"{name}"'):
            sent = {**jar({other: cookies[name], CSRF: cookies[CSRF]})}
            is_problem(get(app, "/me", sent), 401, "unauthenticated")


def test_a_bearer_token_needs_no_proof(app: FastAPI, authd_server: AuthdServer, editor: Account) -> None:
    sent = {
        **by(authd_server.token_for(editor)),
        "Origin": "https://evil.example",
        "Sec-Fetch-Site": "cross-site",
    }
    assert get(app, "/me", sent, "POST").status_code == 200
    twice = [("Authorization", sent["Authorization"])] * 2
    is_problem(get(app, "/me", twice), 400, "bad_request")
    for scheme in ("bearer", "BEARER"):
        again = {"Authorization": f"{scheme} {authd_server.token_for(editor)}"}
        assert get(app, "/me", again).status_code == 200


def test_origins_are_listed_to_the_letter(authd_server: AuthdServer, editor: Account) -> None:
    app = service(Authd(authd_server.url, origins=["https://app.example.com"]))
    cookies = api_cookies(authd_server, editor)
    own = {**jar(cookies), "X-CSRF-Token": cookies[CSRF]}
    assert get(app, "/me", {**own, "Origin": "https://app.example.com"}, "POST").status_code == 200
    for bad in (authd_server.url, "https://APP.example.com", "https://app.example.com:444"):
        is_problem(get(app, "/me", {**own, "Origin": bad}, "POST"), 403, "csrf_failed")


def test_nobody_is_no_mistake_where_somebody_is_optional(app: FastAPI) -> None:
    answer = get(app, "/maybe")
    assert (answer.status_code, answer.json()) == (200, None)
    is_problem(get(app, "/maybe", by("nonsense")), 401, "invalid_token")
    is_problem(get(app, "/me"), 401, "unauthenticated")
    for dead in ({ACCESS: "nonsense"}, {SESSION: "nonsense"}, {SESSION: "nonsense", CSRF: "nonsense"}):
        assert get(app, "/maybe", jar(dead)).json() is None
        is_problem(get(app, "/me", jar(dead)), 401, "invalid_token")


def test_what_is_left_of_an_older_login_takes_nothing_from_the_session(
    app: FastAPI, authd_server: AuthdServer, editor: Account
) -> None:
    cookies = page_cookies(authd_server, editor)
    assert get(app, "/me", jar({ACCESS: "nonsense", **cookies})).json()["id"] == editor.id


def test_a_page_with_twenty_requests_asks_once(
    stand_in: StandIn, authd_server: AuthdServer, editor: Account, clock: Clock
) -> None:
    app = service(Authd(authd_server.url, url=stand_in.url, clock=clock))
    cookies = page_cookies(authd_server, editor)
    for seconds, exchanges in ((0, 1), (29, 1), (1, 2), (29.9, 2), (0.1, 3)):
        clock.turn(seconds)
        for _ in range(5):
            assert get(app, "/me", jar(cookies)).status_code == 200
        assert stand_in.fetches(EXCHANGE) == exchanges
    # Another's session is asked for by itself, and another value isn't taken on trust.
    assert get(app, "/me", jar({**cookies, CSRF: "x"})).status_code == 401
    assert stand_in.fetches(EXCHANGE) == 4


def test_an_ended_session_is_out_within_half_a_minute(
    app: FastAPI, authd_server: AuthdServer, reader: Account, clock: Clock
) -> None:
    app = service(Authd(authd_server.url, clock=clock))
    cookies = page_cookies(authd_server, reader)
    session = get(app, "/me", jar(cookies)).json()["session_id"]
    authd_server.ctl("token", "revoke", "--id", session, "--yes")
    clock.turn(30)
    is_problem(get(app, "/me", jar(cookies)), 401, "invalid_token")
    assert get(app, "/maybe", jar(cookies)).json() is None


def test_authd_is_down_and_the_session_goes_on(
    stand_in: StandIn, authd_server: AuthdServer, editor: Account, clock: Clock
) -> None:
    app = service(Authd(authd_server.url, url=stand_in.url, clock=clock))
    cookies = page_cookies(authd_server, editor)
    assert get(app, "/me", jar(cookies)).status_code == 200
    stand_in.answers[EXCHANGE] = (503, {"Retry-After": "7"}, b"{}")
    for _ in range(10):
        clock.turn(60)
        assert get(app, "/me", jar(cookies)).status_code == 200
    # Not longer than the token; and nobody new comes in.
    clock.turn(310)
    is_problem(get(app, "/me", jar(cookies)), 401, "invalid_token")
    fresh = page_cookies(authd_server, editor)
    answer = get(app, "/me", jar(fresh))
    is_problem(answer, 503, "authd_unavailable")
    assert answer.headers["retry-after"] == "7"


def test_authd_is_down_and_all_who_wait_go_on(
    stand_in: StandIn, authd_server: AuthdServer, editor: Account, clock: Clock
) -> None:
    """Whoever asks first, and whoever waits for the same answer."""
    app = service(Authd(authd_server.url, url=stand_in.url, clock=clock))
    cookies = page_cookies(authd_server, editor)

    async def work(client: Client) -> list[int]:
        answers = await asyncio.gather(*(client.get("/me", headers=jar(cookies)) for _ in range(16)))
        return [answer.status_code for answer in answers]

    assert with_client(app, work) == [200] * 16
    assert stand_in.fetches(EXCHANGE) == 1
    stand_in.answers[EXCHANGE] = (503, {}, b"{}")
    clock.turn(31)
    assert with_client(app, work) == [200] * 16
    assert stand_in.fetches(EXCHANGE) == 2


def test_sessions_are_kept_of_so_many_and_no_more(
    authd_server: AuthdServer, editor: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authd_fastapi._ask.KEPT", 8)
    auth = Authd(authd_server.url)
    app = service(auth)
    for number in range(40):
        assert get(app, "/maybe", jar({SESSION: f"nonsense-{number}", CSRF: "x"})).json() is None
    assert len(auth._sessions._asked) == 8
    oversized = {SESSION: "x" * 5000, CSRF: "x"}
    assert get(app, "/maybe", jar(oversized)).json() is None
    assert get(app, "/me", jar(page_cookies(authd_server, editor))).status_code == 200
