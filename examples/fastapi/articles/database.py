"""The database: SQLite unless `DATABASE_URL` names a PostgreSQL, as Neon and others write its address."""

import os
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends
from sqlmodel import Session, create_engine


def url() -> str:
    """The address, as SQLAlchemy writes it."""
    given = os.environ.get("DATABASE_URL", "sqlite:///articles.db")
    for prefix in ("postgres://", "postgresql://"):
        if given.startswith(prefix):
            return "postgresql+psycopg://" + given.removeprefix(prefix)
    return given


# Neon lets a database sleep that nobody uses: a connection may be gone when it is needed.
# FastAPI runs 40 threads: with fewer connections, who waits for one could keep who has one from going on.
engine = create_engine(url(), pool_pre_ping=True, pool_size=10, max_overflow=30)


def get_session() -> Iterator[Session]:
    """A dependency: a session for as long as the request lasts."""
    with Session(engine) as session:
        yield session


DatabaseSession = Annotated[Session, Depends(get_session)]
