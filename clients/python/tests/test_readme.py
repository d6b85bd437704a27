"""README.md, as it stands: its first block is a whole service, and every other block runs."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from conftest import by, is_problem
from fastapi.testclient import TestClient
from sqlmodel import Session, SQLModel, create_engine
from sqlmodel.pool import StaticPool

from authd_fastapi.testing import Account, AuthdServer

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)
PRELUDE = """
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from fastapi import Depends
from sqlmodel import Field, SQLModel
"""


@pytest.fixture
def module(authd_server: AuthdServer, tmp_path: Path) -> ModuleType:
    """The first block, in a file of its own."""
    path = tmp_path / "service.py"
    path.write_text(BLOCKS[0].replace("http://127.0.0.1:8080", authd_server.url))
    spec = importlib.util.spec_from_file_location("readme_service", path)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_first_block_is_a_whole_service(
    module: ModuleType, authd_server: AuthdServer, editor: Account, reader: Account
) -> None:
    with TestClient(module.app) as client:
        is_problem(client.get("/me"), 401, "unauthenticated")
        assert client.get("/").json() == "hello, stranger"
        own, others = by(authd_server.token_for(editor)), by(authd_server.token_for(reader))
        assert client.get("/me", headers=own).json()["id"] == editor.id
        assert client.get("/", headers=own).json() == f"hello, {editor.id}"
        is_problem(client.delete("/articles/1", headers=others), 403, "forbidden")
        assert client.delete("/articles/1", headers=own).json() == "article 1 is gone"


def test_the_first_block_satisfies_a_strict_type_check(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "service.py").write_text(BLOCKS[0])
    # Its cache is no use to anybody, and may be locked where much is going on.
    options = ["--strict", "--show-traceback", "--cache-dir", os.devnull]
    command = [sys.executable, "-m", "mypy", *options, str(tmp_path / "service.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_other_blocks_run(module: ModuleType, authd_server: AuthdServer, editor: Account) -> None:
    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)

    def get_session() -> Any:
        with Session(engine) as session:
            yield session

    names = vars(module)
    exec(PRELUDE, names)
    names["get_session"] = get_session
    module.auth._api_key = authd_server.api_key("readme")
    for block in BLOCKS[1:]:
        exec(compile(block, "README.md", "exec"), names)
    SQLModel.metadata.create_all(engine)
    names["test_who_is_no_editor_deletes_nothing"]()
    names["test_with_the_real_one"](authd_server, lambda _: authd_server.token_for(editor))
    with TestClient(module.app) as client:
        own = by(authd_server.token_for(editor))
        assert client.get("/account", headers=own).json() == {"sub": editor.id, "articles": 0}
        for method, path in (("DELETE", "/posts/1"), ("POST", "/pay"), ("PUT", "/posts/1")):
            assert client.request(method, path, headers=own).status_code == 200
            is_problem(client.request(method, path), 401, "unauthenticated")
    engine.dispose()


def test_every_name_that_is_exported_is_told_of() -> None:
    import authd_fastapi

    text = README.read_text(encoding="utf-8")
    assert [name for name in authd_fastapi.__all__ if f"`{name}" not in text and f" {name}" not in text] == []
