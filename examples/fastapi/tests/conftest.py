"""What the tests share: a database of their own, and a client that is a program."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from fastapi.testclient import TestClient
from sqlmodel import Session, create_engine

from articles import database
from articles.main import app

HERE = Path(__file__).parents[1]


@pytest.fixture
def migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a database as `alembic upgrade head` leaves it."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/articles.db")
    command.upgrade(Config(HERE / "alembic.ini"), "head")
    return database.url()


@pytest.fixture
def client(migrated: str) -> Iterator[TestClient]:
    engine = create_engine(migrated)

    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session

    app.dependency_overrides[database.get_session] = get_session
    yield TestClient(app, follow_redirects=False)
    app.dependency_overrides.clear()
    engine.dispose()
