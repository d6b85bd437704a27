"""The pass-through to authd's API, and what must not get through it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from conftest import Client, get, is_problem, service, with_client
from fastapi import FastAPI
from stand_in import StandIn

from authd_fastapi import Authd
from authd_fastapi.testing import AuthdServer

ORIGIN = "http://localhost:9999"


def passing(auth: Authd, **more: Any) -> FastAPI:
    app = service(auth)
    app.include_router(auth.routes(**more))
    return app


@pytest.fixture
def echo(stand_in: StandIn) -> FastAPI:
    """A service before a stand-in that keeps what it was asked."""
    stand_in.answers["/api/auth/me"] = (200, {"Content-Type": "application/json"}, b'{"id":"x"}')
    return passing(Authd(stand_in.url))


def asked(stand_in: StandIn) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in stand_in.asked[-1][2]]


def cookies_of(answer: httpx.Response) -> dict[str, str]:
    pairs = (line.partition(";")[0].partition("=") for line in answer.headers.get_list("set-cookie"))
    return {name: value for name, _, value in pairs}


def test_a_page_of_the_service_signs_people_in_and_out(
    another_authd: Callable[[Mapping[str, str]], AuthdServer],
) -> None:
    server = another_authd({"public_url": ORIGIN})
    people = [server.add_user(f"{name}@example.com") for name in ("ann", "bob")]
    app = passing(Authd(ORIGIN, url=server.url))

    async def work(client: Client) -> None:
        own = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
        sent: list[dict[str, str]] = []
        for account in people:
            body = {"email": account.email, "password": account.password, "cookies": True}
            answer = await client.post("/api/auth/login", json=body, headers=own)
            assert answer.status_code == 200, answer.text
            lines = answer.headers.get_list("set-cookie")
            assert len(lines) == 3
            assert all("Secure" in line and "Path=/" in line and "Domain" not in line for line in lines)
            got = cookies_of(answer)
            jar = "; ".join(f"{name}={value}" for name, value in got.items())
            sent.append({**own, "Cookie": jar, "X-CSRF-Token": got["__Host-authd_csrf"]})
            client.cookies.clear()
        # Whose cookies they are is told by the request alone, never by who was there before.
        for _ in range(3):
            for account, headers in zip(people, sent, strict=True):
                assert (await client.get("/api/auth/me", headers=headers)).json()["id"] == account.id
                assert (await client.get("/me", headers=headers)).json()["id"] == account.id
            assert (await client.get("/api/auth/me")).status_code == 401
        ended = await client.post("/api/auth/logout", headers=sent[0])
        assert (ended.status_code, ended.content) == (204, b"")
        assert ended.headers["clear-site-data"] == '"cache", "storage"'
        client.cookies.clear()
        assert (await client.get("/api/auth/me", headers=sent[0])).status_code == 401
        assert (await client.get("/api/auth/me", headers=sent[1])).status_code == 200

    with_client(app, work, ORIGIN)


def test_authds_own_answers_come_through(authd_server: AuthdServer) -> None:
    app = passing(Authd(authd_server.url))
    document = get(app, "/api/auth/openapi.json")
    assert document.json()["info"]["title"]
    assert document.headers["cache-control"].startswith("public")
    refused = get(app, "/api/auth/me")
    is_problem(refused, 401, "unauthenticated")
    assert len(refused.headers.get_list("date")) <= 1
    assert get(app, "/api/auth/nothing").json()["code"] == "not_found"
    wrong = get(app, "/api/auth/login")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    head = get(app, "/api/auth/openapi.json", method="HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert get(app, "/api/auth/login", method="POST", content=b"{").json()["code"] == "unsupported_media_type"


def test_another_prefix_leads_to_the_same(stand_in: StandIn, echo: FastAPI) -> None:
    app = passing(Authd(stand_in.url), prefix="/login")
    assert get(app, "/login/me?a=b%2Fc&d").json() == {"id": "x"}
    assert stand_in.asked[-1][1] == "/api/auth/me?a=b%2Fc&d"


def test_nothing_is_smuggled_in_by_a_header(stand_in: StandIn, echo: FastAPI) -> None:
    sent = [
        ("X-Forwarded-For", "198.51.100.1"),
        ("X-Forwarded-Host", "wiki.example.com"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Uri", "/admin"),
        ("X-Forwarded-Method", "GET"),
        ("X_Forwarded_For", "198.51.100.1"),
        ("Forwarded", "for=198.51.100.1"),
        ("X-Real-IP", "198.51.100.1"),
        ("Remote-User", "admin"),
        ("Connection", "x-csrf-token, authorization, keep-alive"),
        ("Keep-Alive", "timeout=99"),
        ("Proxy-Authorization", "Basic eDp4"),
        ("TE", "trailers"),
        ("Trailer", "Authorization"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
        ("Expect", "100-continue"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("Content-Encoding", "gzip"),
        ("Host", "evil.example"),
        ("Authorization", "Bearer x"),
        ("X-CSRF-Token", "y"),
        ("X-Request-Id", "abc"),
    ]
    assert get(echo, "/api/auth/me", sent).status_code == 200
    got = dict(asked(stand_in))
    assert {"authorization": "Bearer x", "x-csrf-token": "y", "x-request-id": "abc"}.items() <= got.items()
    assert got["x-forwarded-for"] == "203.0.113.9"
    assert got["host"] == stand_in.url.removeprefix("http://")
    known = {
        "host",
        "accept",
        "accept-encoding",
        "user-agent",
        "connection",
        "content-length",
        "x-forwarded-for",
    }
    assert got.keys() - known == {"authorization", "x-csrf-token", "x-request-id"}
    assert got.get("connection", "keep-alive") == "keep-alive"


def test_what_comes_twice_is_for_authd_to_refuse(stand_in: StandIn, echo: FastAPI) -> None:
    get(echo, "/api/auth/me", [("Authorization", "Bearer x"), ("Authorization", "Bearer y")])
    assert [value for name, value in asked(stand_in) if name == "authorization"] == ["Bearer x", "Bearer y"]


def test_the_services_own_cookies_stay_here(stand_in: StandIn, echo: FastAPI) -> None:
    jar = "session=secret; __Host-authd_access=a; theirs=__Host-authd_access; __Host-authd_csrf=c; x=y"
    get(echo, "/api/auth/me", {"Cookie": jar})
    assert [value for name, value in asked(stand_in) if name == "cookie"] == [
        "__Host-authd_access=a; __Host-authd_csrf=c"
    ]


def test_what_one_answer_sets_no_other_request_sends(stand_in: StandIn, echo: FastAPI) -> None:
    """authd's cookies are Secure, which hides it over plain HTTP: these are not."""
    stand_in.answers["/api/auth/me"] = (200, {"Set-Cookie": "__Host-authd_access=ann; Path=/"}, b"{}")

    async def work(client: Client) -> None:
        for _ in range(3):
            answer = await client.get("/api/auth/me")
            assert answer.headers["set-cookie"].startswith("__Host-authd_access=ann")
            client.cookies.clear()

    with_client(echo, work)
    assert [name for one in stand_in.asked for name, _ in one[2] if name.lower() == "cookie"] == []


def on_the_wire(app: FastAPI, path: str, query: bytes = b"") -> list[int]:
    """The status of a request as it is written there: an HTTP client would tidy it up first."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"service.test")],
        "client": ("203.0.113.9", 4711),
        "server": ("service.test", 80),
    }
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    asyncio.run(app(scope, receive, send))
    return statuses


@pytest.mark.parametrize(
    "path",
    [
        "/api/auth/../../metrics",
        "/api/auth/..%2F..%2Fmetrics",
        "/api/auth/%2e%2e/%2e%2e/metrics",
        "/api/auth/./me",
        "/api/auth/me/..",
        "/api/auth//evil.example/",
        "/api/auth/%2F%2Fevil.example",
        "/api/auth/me/",
        "/api/auth/",
        "/api/auth/me%0d%0aHost:%20evil.example",
        "/api/auth/me%20HTTP/1.1",
        "/api/auth/me%3Fa=b",
        "/api/auth/me%23x",
        "/api/auth/me;x=y",
        "/api/auth/me%00",
        "/api/auth/m%65",
        "/api/auth/\\evil.example",
        "/api/auth/%C3%A9",
    ],
)
def test_a_path_leads_to_authds_api_or_nowhere(stand_in: StandIn, echo: FastAPI, path: str) -> None:
    assert on_the_wire(echo, path) == [404]
    assert stand_in.asked == []


def test_a_query_is_passed_on_as_it_is_or_not_at_all(stand_in: StandIn, echo: FastAPI) -> None:
    for query in (b"a=b%20c&d", b"a=%2F..%2F&a=b", b"@evil.example", b"?//evil.example", b"x" * 8192):
        assert on_the_wire(echo, "/api/auth/me", query) == [200]
        assert stand_in.asked[-1][1] == f"/api/auth/me?{query.decode()}"
    for query in (b"a b", b"\xff", b"a\x00", b"a\r\nHost: evil.example", b"x" * 8193):
        assert on_the_wire(echo, "/api/auth/me", query) == [400]
    assert len(stand_in.asked) == 5


def test_a_body_has_its_bound(stand_in: StandIn, echo: FastAPI) -> None:
    stand_in.answers["/api/auth/login"] = (200, {}, b"{}")
    most = b"x" * (64 << 10)
    assert get(echo, "/api/auth/login", method="POST", content=most).status_code == 200
    assert stand_in.asked[-1][3] == most
    read = 0

    async def endless() -> Any:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 1024

    for content in (most + b"x", endless()):
        is_problem(get(echo, "/api/auth/login", method="POST", content=content), 413, "body_too_large")
    assert read < 100
    assert len(stand_in.asked) == 1


def test_an_answer_has_its_bound_and_leads_nowhere(stand_in: StandIn, echo: FastAPI) -> None:
    stand_in.answers["/api/auth/me"] = (200, {}, b"x" * ((8 << 20) + 1))
    is_problem(get(echo, "/api/auth/me"), 503, "authd_unavailable")
    stand_in.answers["/api/auth/me"] = (
        302,
        {"Location": "http://127.0.0.1:1/", "Connection": "x-y", "X-Y": "z"},
        b"",
    )
    answer = get(echo, "/api/auth/me")
    assert (answer.status_code, answer.headers["location"]) == (302, "http://127.0.0.1:1/")
    assert "connection" not in answer.headers


def test_authd_is_down(another_authd: Callable[[Mapping[str, str]], AuthdServer]) -> None:
    server = another_authd({})
    server.stop()
    is_problem(get(passing(Authd(server.url)), "/api/auth/me"), 503, "authd_unavailable")


def test_it_is_not_in_the_services_own_document(echo: FastAPI) -> None:
    assert not [path for path in get(echo, "/openapi.json").json()["paths"] if path.startswith("/api/auth")]


def test_a_client_pays_for_itself_where_the_service_is_trusted(
    another_authd: Callable[[Mapping[str, str]], AuthdServer],
) -> None:
    """The limit of one network is another's business, and what a client claims counts for nothing."""
    limits = {"rate_limit.enabled": "true", "rate_limit.login": "2/1h", "proxy.trusted": "127.0.0.1"}
    server = another_authd(limits)
    app = passing(Authd(server.url))
    wrong = {"email": "nobody@example.com", "password": "wrong"}

    async def statuses(peer: str) -> list[int]:
        transport = httpx.ASGITransport(app, client=(peer, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
            asks = [
                await client.post(
                    "/api/auth/login", json=wrong, headers={"X-Forwarded-For": f"198.51.100.{n}"}
                )
                for n in range(3)
            ]
            return [answer.status_code for answer in asks]

    async def work() -> list[list[int]]:
        return [await statuses(peer) for peer in ("203.0.113.1", "203.0.113.2")]

    assert asyncio.run(work()) == [[401, 401, 429]] * 2
