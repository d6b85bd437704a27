"""What the application keeps."""

from datetime import UTC, datetime
from typing import Annotated

from sqlalchemy import Column, DateTime
from sqlmodel import Field, Relationship, SQLModel

from authd_fastapi import User

from .database import get_session
from .login import auth


class Account(SQLModel, table=True):
    """Whoever has come once, by the id that authd knows them by. Addresses and passwords stay with authd."""

    sub: str = Field(primary_key=True)
    pen_name: str
    articles: list["Article"] = Relationship(back_populates="author")


class NewArticle(SQLModel):
    """What somebody writes."""

    title: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=20_000)


class Article(NewArticle, table=True):
    """What was written."""

    id: int | None = Field(default=None, primary_key=True)
    author_sub: str = Field(foreign_key="account.sub", index=True)
    written_at: datetime = Field(
        default_factory=lambda: datetime.now(UTC), sa_column=Column(DateTime(timezone=True), nullable=False)
    )
    author: Account = Relationship(back_populates="articles")


class ShownArticle(NewArticle):
    """What everybody may read."""

    id: int
    author: str
    written_at: datetime

    @classmethod
    def of(cls, article: Article) -> "ShownArticle":
        """How a row is shown."""
        fields = article.model_dump(include={"id", "title", "text", "written_at"})
        return cls(**fields, author=article.author.pen_name)


def pen_name(user: User) -> dict[str, str]:
    """What a new account is called: the token has no name, since that is authd's to keep."""
    return {"pen_name": f"Reader {user.id[-4:]}"}


CurrentAccount = Annotated[Account, auth.mirror(Account, get_session, pen_name)]
