"""The service as it is run: uvicorn with two workers, over sockets."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from conftest import by, is_problem
from sqlalchemy import text
from sqlmodel import create_engine

from authd_fastapi.testing import Account, AuthdServer

TABLE = "CREATE TABLE worker (id INTEGER PRIMARY KEY, sub VARCHAR NOT NULL UNIQUE)"
POSTGRES = os.environ.get("TEST_POSTGRES", "")


@pytest.fixture(params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, authd_server: AuthdServer, tmp_path: Path) -> Iterator[str]:
    if request.param == "postgresql" and not POSTGRES:
        pytest.skip("TEST_POSTGRES names no database")
    database = f"sqlite:///{tmp_path}/service.db" if request.param == "sqlite" else POSTGRES
    engine = create_engine(database)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS worker"))
        serial = TABLE if request.param == "sqlite" else TABLE.replace("INTEGER", "SERIAL")
        connection.execute(text(serial))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "AUTHD_URL": authd_server.url, "DATABASE": database}
    command = [sys.executable, "-m", "uvicorn", "worker_service:app", "--port", str(port), "--workers", "2"]
    with (tmp_path / "log").open("wb") as log:
        uvicorn = subprocess.Popen(
            command,
            cwd=Path(__file__).parent,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + 60
        while (tmp_path / "log").read_text().count("startup complete") < 2:
            assert uvicorn.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < end, (tmp_path / "log").read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(uvicorn.pid, signal.SIGTERM)
        uvicorn.wait(20)
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE worker"))
        engine.dispose()
    assert "Traceback" not in (tmp_path / "log").read_text()


async def ask(url: str, path: str, token: str, many: int) -> list[httpx.Response]:
    """Each on a connection of its own, so that the workers share them."""

    async def one() -> httpx.Response:
        async with httpx.AsyncClient(base_url=url, verify=False, trust_env=False, timeout=60) as client:
            return await client.get(path, headers=by(token))

    return await asyncio.gather(*(one() for _ in range(many)))


def test_two_workers_know_everybody(service: str, authd_server: AuthdServer, editor: Account) -> None:
    token = authd_server.token_for(editor)
    pids: set[int] = set()
    for _ in range(20):
        answers = asyncio.run(ask(service, "/pid", token, 32))
        assert [answer.status_code for answer in answers] == [200] * 32
        pids |= {answer.json() for answer in answers}
        if len(pids) == 2:
            break
    assert len(pids) == 2
    # A key that is new to both; each looks for it by itself.
    authd_server.ctl("key", "rotate")
    answers = asyncio.run(ask(service, "/pid", authd_server.token_for(editor), 32))
    assert [answer.status_code for answer in answers] == [200] * 32
    # A row that two processes insert at once.
    answers = asyncio.run(ask(service, "/row", token, 64))
    assert [answer.status_code for answer in answers] == [200] * 64
    assert len({answer.json()[1] for answer in answers}) == 1
    for answer in asyncio.run(ask(service, "/api/auth/me", token, 4)):
        assert answer.json()["id"] == editor.id
    for answer in asyncio.run(ask(service, "/pid", "nonsense", 4)):
        is_problem(answer, 401, "invalid_token")
