"""What the tests share: a real authd, a clock that a test turns, and a stand-in for authd's network side."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from stand_in import Clock, StandIn

from authd_fastapi import Authd, CurrentUser, OptionalUser, User
from authd_fastapi.testing import Account, AuthdServer, find_program


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stand_in(authd_server: AuthdServer) -> Iterator[StandIn]:
    with StandIn(authd_server.url) as server:
        yield server


@pytest.fixture(scope="session")
def editor(authd_server: AuthdServer) -> Account:
    return authd_server.add_user("editor@example.com", roles=["editor"], permissions=["posts:*"])


@pytest.fixture(scope="session")
def reader(authd_server: AuthdServer) -> Account:
    return authd_server.add_user("reader@example.com")


@pytest.fixture
def another_authd() -> Iterator[Callable[[Mapping[str, str]], AuthdServer]]:
    """Starts an authd of the test's own, which it may stop and start."""
    servers: list[AuthdServer] = []
    with tempfile.TemporaryDirectory(prefix="authd-") as folder:

        def start(settings: Mapping[str, str]) -> AuthdServer:
            place = Path(folder, str(len(servers)))
            place.mkdir()
            servers.append(AuthdServer(find_program(), place, settings))
            servers[-1].start()
            return servers[-1]

        yield start
        for server in servers:
            server.stop()


def service(auth: Authd) -> FastAPI:
    """The service that most tests ask."""
    app = FastAPI(lifespan=auth.lifespan)
    app.state.authd = auth  # No test's client runs the lifespan, but for those that are about it.

    @app.get("/bare")
    async def bare() -> str:
        return "bare"

    @app.get("/me")
    async def me(user: CurrentUser) -> User:
        return user

    @app.post("/me")
    async def change(user: CurrentUser) -> str:
        return user.id

    @app.get("/maybe")
    async def maybe(user: OptionalUser) -> str | None:
        return None if user is None else user.id

    @app.delete("/posts/{id}", dependencies=[auth.require(role="editor", permission="posts:write")])
    async def delete(id: int) -> str:
        return f"{id} is gone"

    @app.post("/fresh", dependencies=[auth.require(fresh=300)])
    async def fresh() -> str:
        return "fresh"

    return app


Client = httpx.AsyncClient


def with_client(
    app: FastAPI, work: Callable[[Client], Awaitable[Any]], base_url: str = "http://service.test"
) -> Any:
    """Runs `work` with a client of the application, on an event loop of its own."""

    async def run() -> Any:
        transport = httpx.ASGITransport(app, client=("203.0.113.9", 4711))
        async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
            return await work(client)

    return asyncio.run(run())


def get(app: FastAPI, path: str, headers: Any = None, method: str = "GET", **more: Any) -> httpx.Response:
    """One request."""

    async def work(client: Client) -> httpx.Response:
        return await client.request(method, path, headers=headers, **more)

    answer: httpx.Response = with_client(app, work)
    return answer


def by(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def is_problem(answer: httpx.Response, status: int, code: str) -> None:
    """Holds an answer to what authd itself promises of its problem documents."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), (
        answer.text
    )
    document = answer.json()
    assert document.keys() == {"type", "title", "status", "detail", "code", "request_id"}
    assert (document["code"], document["status"]) == (code, status)
    assert document["type"] == f"urn:authd:problem:{code}"
    assert answer.headers["x-request-id"] == document["request_id"]
    if status == 401:
        error = ', error="invalid_token"' if code == "invalid_token" else ""
        assert answer.headers["www-authenticate"] == f'Bearer realm="authd"{error}'
    else:
        assert "www-authenticate" not in answer.headers
    assert ("retry-after" in answer.headers) == (status == 503)
