"""The application as it is run, with a real authd: on SQLite, and on the PostgreSQL of TEST_POSTGRES."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from alembic import command
from alembic.config import Config

from authd_fastapi.testing import Account, AuthdServer

HERE = Path(__file__).parents[1]
ARTICLE = {"title": "News", "text": "Nothing happened."}
POSTGRES = os.environ.get("TEST_POSTGRES", "")


@pytest.fixture(params=["sqlite", "postgresql"])
def articles(
    request: pytest.FixtureRequest,
    authd_server: AuthdServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[httpx.Client]:
    if request.param == "postgresql" and not POSTGRES:
        pytest.skip("TEST_POSTGRES names no database")
    database = f"sqlite:///{tmp_path}/articles.db" if request.param == "sqlite" else POSTGRES
    monkeypatch.setenv("DATABASE_URL", database)
    command.upgrade(Config(HERE / "alembic.ini"), "head")
    command.check(Config(HERE / "alembic.ini"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "PUBLIC_URL": authd_server.url,
        "LOGIN_URL": authd_server.url,
        "LOGIN_API_KEY": authd_server.api_key(f"articles-{port}"),
    }
    program = [sys.executable, "-m", "uvicorn", "articles.main:app", "--port", str(port)]
    server = subprocess.Popen(program, cwd=HERE, env=environment)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as client:
            end = time.monotonic() + 30
            while True:
                try:
                    client.get("/static/style.css")
                    break
                except httpx.ConnectError:
                    assert time.monotonic() < end, "the application doesn't start"
                    assert server.poll() is None, "the application ended"
                    time.sleep(0.05)
            yield client
    finally:
        server.terminate()
        server.wait(10)
        command.downgrade(Config(HERE / "alembic.ini"), "base")


def by(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_an_editor_who_is_none_any_more_deletes_nothing(
    articles: httpx.Client, authd_server: AuthdServer, token_for: Callable[[Account], str]
) -> None:
    writer, editor = authd_server.add_user(), authd_server.add_user(roles=["editor"])
    own, editors = by(token_for(writer)), by(token_for(editor))
    numbers = [articles.post("/api/articles", json=ARTICLE, headers=own).json()["id"] for _ in range(2)]
    refused = articles.delete(f"/api/articles/{numbers[0]}", headers=own)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert articles.delete(f"/api/articles/{numbers[0]}", headers=editors).status_code == 204
    authd_server.ctl("role", "unassign", editor.email, "editor")
    assert articles.delete(f"/api/articles/{numbers[1]}", headers=editors).status_code == 403
    assert [shown["id"] for shown in articles.get("/api/articles").json()] == [numbers[1]]


def test_an_ended_session_deletes_nothing(articles: httpx.Client, authd_server: AuthdServer) -> None:
    editor = authd_server.add_user(roles=["editor"])
    login = authd_server.login(editor)
    own = by(login["access_token"])
    number = articles.post("/api/articles", json=ARTICLE, headers=own).json()["id"]
    authd_server.ctl("token", "revoke", "--id", login["session_id"], "--yes")
    refused = articles.delete(f"/api/articles/{number}", headers=own)
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
