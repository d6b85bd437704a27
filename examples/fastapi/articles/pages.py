"""The pages, for people: without a script, and by authd's cookies."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from authd_fastapi import CurrentUser, OptionalUser, Problem

from . import desk
from .database import DatabaseSession
from .login import PUBLIC_URL
from .models import CurrentAccount, NewArticle

HERE = Path(__file__).parent
router = APIRouter(include_in_schema=False)
templates = Jinja2Templates(HERE / "templates")

# Where authd may send people back to, as its `redirects.allowed` lists them: nowhere else, whoever asks.
RETURNS = {"/": f"{PUBLIC_URL}/", "/write": f"{PUBLIC_URL}/write"}


def sign_in(path: str) -> str:
    """The address of authd's sign-in page, which leads back to `path`, or to the list of articles."""
    return "/auth/sign-in?" + urlencode({"return_to": RETURNS.get(path, RETURNS["/"])})


def page(request: Request, name: str, status: int = 200, **more: Any) -> Response:
    """Shows a page. Its forms carry the value that proves them to be of this host."""
    proof = request.cookies.get("__Host-authd_csrf", "")
    context = {"csrf_token": proof, "sign_in": sign_in(request.url.path), **more}
    headers = {"Cache-Control": "no-store"}
    return templates.TemplateResponse(request, name, context, status, headers)


@router.get("/")
def index(request: Request, user: OptionalUser, session: DatabaseSession) -> Response:
    return page(request, "index.html", user=user, articles=desk.newest(session))


@router.get("/articles/{number}")
def show(request: Request, number: int, user: OptionalUser, session: DatabaseSession) -> Response:
    return page(request, "article.html", user=user, article=desk.find(session, number))


@router.get("/write")
def write(request: Request, user: CurrentUser) -> Response:
    return page(request, "write.html", user=user)


@router.post("/write")
def publish(
    new: Annotated[NewArticle, Form()], account: CurrentAccount, session: DatabaseSession
) -> Response:
    article = desk.publish(session, account, new)
    return RedirectResponse(f"/articles/{article.id}", 303)


@router.post("/articles/{number}/delete", dependencies=[desk.editors_only])
def delete(number: int, session: DatabaseSession) -> Response:
    desk.delete(session, number)
    return RedirectResponse("/", 303)


async def refused(request: Request, error: Exception) -> Response:
    """Answers a refusal: a person gets a page, and is led to sign in first; a program gets a document."""
    is_person = "text/html" in request.headers.get("accept", "")
    if isinstance(error, Problem):
        if is_person and error.status_code == 401 and request.method == "GET":
            return RedirectResponse(sign_in(request.url.path), 303)
        if not is_person:
            return error.response(request)
    assert isinstance(error, HTTPException)
    title = error.title if isinstance(error, Problem) else "Not found"
    return page(request, "refused.html", error.status_code, title=title, detail=error.detail)
