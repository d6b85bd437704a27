"""A service for uvicorn's workers: `AUTHD_URL` says where authd is, `DATABASE` where its rows are."""

import os
from collections.abc import Iterator
from typing import Annotated

from fastapi import FastAPI
from sqlmodel import Field, Session, SQLModel, create_engine

from authd_fastapi import Authd, CurrentUser

auth = Authd(os.environ["AUTHD_URL"])
app = FastAPI(lifespan=auth.lifespan)
app.include_router(auth.routes())
engine = create_engine(os.environ["DATABASE"])


class Worker(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    sub: str = Field(unique=True)


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


@app.get("/pid")
async def pid(user: CurrentUser) -> int:
    return os.getpid()


@app.get("/row")
async def row(row: Annotated[Worker, auth.mirror(Worker, get_session)]) -> list[int | None]:
    return [os.getpid(), row.id]
