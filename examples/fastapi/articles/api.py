"""The API, for programs: with a bearer token, or by cookie with `X-CSRF-Token`."""

from fastapi import APIRouter

from . import desk
from .database import DatabaseSession
from .models import CurrentAccount, NewArticle, ShownArticle

router = APIRouter(prefix="/api/articles", tags=["articles"])


@router.get("")
def index(session: DatabaseSession) -> list[ShownArticle]:
    return [ShownArticle.of(article) for article in desk.newest(session)]


@router.get("/{number}")
def show(number: int, session: DatabaseSession) -> ShownArticle:
    return ShownArticle.of(desk.find(session, number))


@router.post("", status_code=201)
def publish(new: NewArticle, account: CurrentAccount, session: DatabaseSession) -> ShownArticle:
    return ShownArticle.of(desk.publish(session, account, new))


@router.delete("/{number}", status_code=204, dependencies=[desk.editors_only])
def delete(number: int, session: DatabaseSession) -> None:
    desk.delete(session, number)
