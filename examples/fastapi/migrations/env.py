"""Brings the database up: `alembic upgrade head`."""

from alembic import context
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from articles import models  # noqa: F401 - it defines the tables
from articles.database import url

engine = create_engine(url())
with engine.connect() as connection:
    # SQLite can change a table only by making another.
    is_sqlite = engine.dialect.name == "sqlite"
    context.configure(connection, target_metadata=SQLModel.metadata, render_as_batch=is_sqlite)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
