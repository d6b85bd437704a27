"""A service's own row for each account: a SQLModel table keyed by `sub`, filled as people come."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Table, UniqueConstraint, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ._user import User

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

Values = Callable[[User], dict[str, Any]] | None


def mirror(current: Any, model: type[Any], get_session: Callable[..., Any], values: Values) -> Any:
    """Makes the dependency; `current` is the one that gives the user."""
    table = inspect(model).local_table
    if not isinstance(table, Table) or not _is_key(table):
        raise ValueError(f"{model.__name__} has no field `sub` that is unique: sub: str = Field(unique=True)")

    async def mirrored(
        user: Annotated[User, Depends(current)], session: Annotated[Any, Depends(get_session)]
    ) -> Any:
        # An `AsyncSession`, whose module takes greenlet: not every service has that.
        if hasattr(session, "run_sync"):
            return await session.run_sync(insert_or_get, model, user, values)
        return await run_in_threadpool(insert_or_get, session, model, user, values)

    return Depends(mirrored)


def _is_key(table: Table) -> bool:
    uniques = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    keys = [set(table.primary_key.columns.keys()), *(set(one.columns.keys()) for one in uniques)]
    keys += [set(index.columns.keys()) for index in table.indexes if index.unique]
    return {"sub"} in keys


def insert_or_get(session: Session, model: type[Any], user: User, values: Values) -> Any:
    """Gives the user's row. Of many who insert it at once, one does, and all get that one."""
    is_ours = not session.in_transaction()
    # Only so is `sub` of the table's own type.
    row = model.model_validate({"sub": user.id, **(values(user) if values is not None else {})})
    find = select(model).where(model.sub == row.sub)
    found = session.scalars(find).first()
    if found is None and not is_ours:
        _insert(session, model, row)
        found = session.scalars(find).one()
    elif found is None:
        # Ends the read: on SQLite, what has read can't always become what writes.
        session.rollback()
        try:
            _insert(session, model, row)
            session.commit()
        except OperationalError:
            # Under a stricter isolation, whoever comes second is refused, and the row is there.
            session.rollback()
            found = session.scalars(find).first()
            if found is None:
                raise
        else:
            found = session.scalars(find).one()
    if is_ours:
        _let_go(session)
    return found


def _let_go(session: Session) -> None:
    """Ends the transaction and keeps what was read: whoever waits for a thread holds no connection."""
    expires = session.expire_on_commit
    session.expire_on_commit = False
    try:
        session.commit()
    finally:
        session.expire_on_commit = expires


def _insert(session: Session, model: type[Any], row: Any) -> None:
    dialect = session.get_bind(model).dialect.name
    if dialect not in _INSERT:
        raise ValueError(f"the mirror speaks SQLite and PostgreSQL, not {dialect}")
    columns = {attribute.key: getattr(row, attribute.key) for attribute in inspect(model).column_attrs}
    given = {key: value for key, value in columns.items() if value is not None}
    session.execute(_INSERT[dialect](model).values(given).on_conflict_do_nothing(index_elements=["sub"]))
