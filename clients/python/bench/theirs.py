"""The same with fastapi-users as its documentation sets it up: SQLAlchemy, and a JWT of its own."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users_db_sqlalchemy import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

engine = create_async_engine(os.environ["DATABASE"])
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Account(SQLAlchemyBaseUserTableUUID, Base):
    pass


class UserRead(schemas.BaseUser[uuid.UUID]):
    pass


class UserCreate(schemas.BaseUserCreate):
    pass


class Manager(UUIDIDMixin, BaseUserManager[Account, uuid.UUID]):
    reset_password_token_secret = verification_token_secret = "x" * 32


async def get_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


async def get_database(session: Annotated[AsyncSession, Depends(get_session)]) -> AsyncIterator[object]:
    yield SQLAlchemyUserDatabase(session, Account)


async def get_manager(database: Annotated[object, Depends(get_database)]) -> AsyncIterator[Manager]:
    yield Manager(database)


def strategy() -> JWTStrategy[Account, uuid.UUID]:
    return JWTStrategy(secret="y" * 32, lifetime_seconds=3600)


backend = AuthenticationBackend("jwt", BearerTransport(tokenUrl="auth/jwt/login"), strategy)
users = FastAPIUsers[Account, uuid.UUID](get_manager, [backend])
current = users.current_user(active=True)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield


app = FastAPI(lifespan=lifespan)
app.include_router(users.get_auth_router(backend), prefix="/auth/jwt")
app.include_router(users.get_register_router(UserRead, UserCreate), prefix="/auth")
SOMEBODY = UserRead(id=uuid.uuid4(), email="ann@example.com")


@app.get("/bare")
async def bare() -> UserRead:
    return SOMEBODY


@app.get("/protected", response_model=UserRead)
async def protected(user: Annotated[Account, Depends(current)]) -> Account:
    return user
