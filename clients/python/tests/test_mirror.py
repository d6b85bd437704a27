"""A row for each account, however many requests come at once: on SQLite, and PostgreSQL where there is one.

The variable `TEST_POSTGRES` names the latter, as SQLAlchemy does: postgresql+psycopg://user@host:port/name.
"""

import asyncio
import os
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from conftest import Client, service, with_client
from fastapi import Depends, FastAPI
from sqlalchemy import Engine, event, func
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import Field, Session, SQLModel, create_engine, select
from sqlmodel.ext.asyncio.session import AsyncSession

from authd_fastapi import Authd, User
from authd_fastapi.testing import fake_user

POSTGRES = os.environ.get("TEST_POSTGRES", "")
ANN = "01980000-0000-7000-8000-00000000a001"


class Row(SQLModel, table=True):
    sub: str = Field(primary_key=True)
    articles: int = 0


class Member(SQLModel, table=True):
    """With a key of its own, and a default that Python makes."""

    id: int | None = Field(default=None, primary_key=True)
    sub: uuid.UUID = Field(unique=True)
    badge: str = Field(default_factory=lambda: uuid.uuid4().hex, unique=True)
    roles: str = ""
    nickname: str | None = None


class Stranger(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    sub: str = Field(index=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "postgresql" and not POSTGRES:
        pytest.skip("TEST_POSTGRES names no database")
    found = f"sqlite:///{tmp_path}/service.db" if request.param == "sqlite" else POSTGRES
    engine = create_engine(found, poolclass=NullPool)
    SQLModel.metadata.drop_all(engine)
    SQLModel.metadata.create_all(engine)
    yield found
    SQLModel.metadata.drop_all(engine)
    engine.dispose()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = create_engine(url)
    yield made
    made.dispose()


def rows(engine: Engine, model: type[Any]) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def mirrored(get_session: Any, model: type[Any] = Row, **more: Any) -> tuple[FastAPI, Authd]:
    auth = Authd("http://127.0.0.1:1")
    app = service(auth)

    @app.get("/row")
    async def row(row: Annotated[Any, auth.mirror(model, get_session, **more)]) -> dict[str, Any]:
        found: dict[str, Any] = row.model_dump(mode="json")
        return found

    return app, auth


def race(app: FastAPI, auth: Authd, many: int = 64) -> list[Any]:
    async def work(client: Client) -> list[Any]:
        answers = await asyncio.gather(*(client.get("/row") for _ in range(many)))
        assert [answer.status_code for answer in answers] == [200] * many
        return [answer.json() for answer in answers]

    with fake_user(app, auth, id=ANN, roles=["editor", "author"]):
        found: list[Any] = with_client(app, work)
        return found


def sync_sessions(engine: Engine) -> Any:
    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session

    return get_session


@pytest.mark.parametrize("model", [Row, Member])
def test_sixty_four_at_once_make_one_row(engine: Engine, model: type[Any]) -> None:
    app, auth = mirrored(sync_sessions(engine), model)
    found = race(app, auth)
    assert found == [found[0]] * 64
    assert found[0]["sub"] == ANN
    assert rows(engine, model) == 1
    assert race(app, auth, 4) == [found[0]] * 4


def test_sixty_four_at_once_make_one_row_without_a_thread(url: str, engine: Engine) -> None:
    asynchronous = url.replace("sqlite:", "sqlite+aiosqlite:")
    own = create_async_engine(asynchronous)

    async def get_session() -> AsyncIterator[AsyncSession]:
        async with AsyncSession(own) as session:
            yield session

    app, auth = mirrored(get_session)

    async def work(client: Client) -> list[Any]:
        answers = await asyncio.gather(*(client.get("/row") for _ in range(64)))
        await own.dispose()
        return [(answer.status_code, answer.json()) for answer in answers]

    with fake_user(app, auth, id=ANN):
        found = with_client(app, work)
    assert found == [(200, {"sub": ANN, "articles": 0})] * 64
    assert rows(engine, Row) == 1


def test_a_stricter_isolation_changes_nothing(url: str) -> None:
    engine = create_engine(url, isolation_level="SERIALIZABLE")
    app, auth = mirrored(sync_sessions(engine))
    assert race(app, auth) == [{"sub": ANN, "articles": 0}] * 64
    assert rows(engine, Row) == 1
    engine.dispose()


def test_transactions_that_begin_when_they_are_said_to(tmp_path: Path) -> None:
    """SQLite with a `BEGIN` before the first read, as SQLAlchemy's documentation advises it."""
    engine = create_engine(f"sqlite:///{tmp_path}/service.db")
    event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("BEGIN")
    SQLModel.metadata.create_all(engine)
    app, auth = mirrored(sync_sessions(engine))
    assert race(app, auth) == [{"sub": ANN, "articles": 0}] * 64
    engine.dispose()


def test_whoever_waits_holds_no_connection(url: str) -> None:
    """Two connections, forty threads, and an endpoint that needs both: none waits for another in a circle."""
    engine = create_engine(url, pool_size=2, max_overflow=0, pool_timeout=20)
    get_session = sync_sessions(engine)
    auth = Authd("http://127.0.0.1:1")
    app = service(auth)

    @app.get("/row")
    def row(
        row: Annotated[Row, auth.mirror(Row, get_session)], session: Annotated[Session, Depends(get_session)]
    ) -> int:
        row.articles += 1
        found = row.articles
        session.commit()
        return found

    assert len(race(app, auth)) == 64
    engine.dispose()


def test_what_else_a_new_row_has(engine: Engine) -> None:
    def values(user: User) -> dict[str, Any]:
        return {"roles": ",".join(user.roles), "nickname": "Ann"}

    app, auth = mirrored(sync_sessions(engine), Member, values=values)
    found = race(app, auth, 2)[0]
    assert (found["roles"], found["nickname"], len(found["badge"])) == ("editor,author", "Ann", 32)


def test_nobody_has_no_row(engine: Engine) -> None:
    app, _ = mirrored(sync_sessions(engine))

    async def work(client: Client) -> int:
        return (await client.get("/row")).status_code

    assert with_client(app, work) == 401
    assert rows(engine, Row) == 0


def test_a_transaction_that_has_begun_is_its_owners(engine: Engine) -> None:
    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            session.add(Row(sub="01980000-0000-7000-8000-00000000b0b0"))
            session.flush()
            yield session
            session.rollback()

    app, auth = mirrored(get_session)
    assert race(app, auth, 1) == [{"sub": ANN, "articles": 0}]
    assert rows(engine, Row) == 0


def test_another_keys_conflict_is_not_hidden(engine: Engine) -> None:
    with Session(engine) as session:
        session.add(Member(sub=uuid.uuid4(), badge="taken"))
        session.commit()
    app, auth = mirrored(sync_sessions(engine), Member, values=lambda _: {"badge": "taken"})
    with pytest.raises(IntegrityError):
        race(app, auth, 1)
    assert rows(engine, Member) == 1


def test_a_table_without_the_key_is_told_at_once() -> None:
    class Plain(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)

    for model in (Stranger, Plain):
        with pytest.raises(ValueError, match="no field `sub` that is unique"):
            Authd("http://127.0.0.1:1").mirror(model, lambda: None)


def test_another_database_is_told(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/x.db")
    SQLModel.metadata.create_all(engine)
    app, auth = mirrored(sync_sessions(engine))
    engine.dialect.name = "oracle"
    with pytest.raises(ValueError, match="not oracle"):
        race(app, auth, 1)
    engine.dispose()


def test_a_database_that_keeps_one_waiting_holds_nobody_else_up(engine: Engine) -> None:
    """The first query waits until another request has been answered: on the event loop, it would for ever."""
    answered, waits = threading.Event(), threading.Event()

    def slow(*_: Any) -> None:
        waits.set()
        assert answered.wait(20)

    app, auth = mirrored(sync_sessions(engine))

    async def work(client: Client) -> int:
        row = asyncio.create_task(client.get("/row"))
        while not waits.is_set():  # noqa: ASYNC110 - a thread sets it
            await asyncio.sleep(0)
        assert (await client.get("/bare")).status_code == 200
        answered.set()
        return (await row).status_code

    event.listen(engine, "before_cursor_execute", slow)
    with fake_user(app, auth, id=ANN):
        assert with_client(app, work) == 200
