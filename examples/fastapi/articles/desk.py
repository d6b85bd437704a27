"""What can be done with articles, whoever asks: the API or the pages."""

from collections.abc import Sequence

from fastapi import HTTPException
from sqlalchemy.orm import selectinload
from sqlmodel import Session, col, select

from .login import auth
from .models import Account, Article, NewArticle

# Asked of authd on every request: an editor who is none any more deletes nothing, whatever their token says.
editors_only = auth.require(role="editor", live=True)


def newest(session: Session) -> Sequence[Article]:
    """The newest hundred, with their authors."""
    # `author` is read along, in one query for all.
    authors = selectinload(Article.author)  # type: ignore[arg-type]
    return session.exec(select(Article).options(authors).order_by(col(Article.id).desc()).limit(100)).all()


def find(session: Session, number: int) -> Article:
    """One article. Raises 404 where there is none."""
    # No database keeps such a number.
    article = session.get(Article, number) if 0 < number < 2**31 else None
    if article is None:
        raise HTTPException(404, "there is no such article")
    return article


def publish(session: Session, author: Account, new: NewArticle) -> Article:
    """Keeps what somebody has written."""
    article = Article(**new.model_dump(), author_sub=author.sub)
    session.add(article)
    session.commit()
    session.refresh(article)
    return article


def delete(session: Session, number: int) -> None:
    """Deletes an article. Raises 404 where there is none."""
    session.delete(find(session, number))
    session.commit()
