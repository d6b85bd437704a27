"""Problem documents (RFC 9457), with authd's codes: how what is refused looks over HTTP."""

import logging
import re
import uuid
from collections.abc import Mapping

from fastapi import HTTPException, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException as StarletteHTTPException

logger = logging.getLogger("authd_fastapi")

# RFC 6750 §3, as authd itself says it.
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="authd"'}
CHALLENGE_INVALID_TOKEN = {"WWW-Authenticate": 'Bearer realm="authd", error="invalid_token"'}

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Problem(HTTPException):
    """A refusal, which answers as a problem document; `code` is stable, and authd's own where authd has one.

    It is an `HTTPException`: a handler of your own for `Problem`, or for its status, is asked first.
    """

    def __init__(
        self, status: int, code: str, title: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.code = code
        """Stable, snake_case: `invalid_token`, `forbidden` and so on."""
        self.title = title
        """The same for all of one code."""

    def response(self, request: Request) -> Response:
        """Makes the problem document, with the headers that go with it: for a handler of your own."""
        sent = request.headers.get("x-request-id", "")
        request_id = sent if _SANE_ID.fullmatch(sent) else str(uuid.uuid4())
        logger.info("%s %s, request %s", self.status_code, self.code, request_id)
        document = {
            "type": f"urn:authd:problem:{self.code}",
            "title": self.title,
            "status": self.status_code,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        }
        headers = {**(self.headers or {}), "Cache-Control": "no-store", "X-Request-Id": request_id}
        return JSONResponse(document, self.status_code, headers, media_type="application/problem+json")


def bad_request(detail: str) -> Problem:
    return Problem(400, "bad_request", "Bad request", detail)


def unauthenticated() -> Problem:
    detail = "nobody is signed in; send `Authorization: Bearer <access token>`, or authd's cookies"
    return Problem(401, "unauthenticated", "Unauthenticated", detail, CHALLENGE)


def invalid_token() -> Problem:
    detail = "the token is not good, or no more; sign in again, or refresh it"
    return Problem(401, "invalid_token", "Invalid token", detail, CHALLENGE_INVALID_TOKEN)


def forbidden(detail: str) -> Problem:
    return Problem(403, "forbidden", "Forbidden", detail)


def fresh_login_required(seconds: int) -> Problem:
    detail = (
        f"this wants a login of the last {seconds} s; prove again who you are, and come with the new token"
    )
    return Problem(403, "fresh_login_required", "Fresh login required", detail)


def csrf_failed(detail: str) -> Problem:
    return Problem(403, "csrf_failed", "Cross-site request", detail)


def not_found() -> Problem:
    return Problem(404, "not_found", "Not found", "nothing is served at this path")


def body_too_large() -> Problem:
    return Problem(413, "body_too_large", "Body too large", "a body has at most 64 KiB; send less")


def unavailable(retry_after: int) -> Problem:
    detail = "authd can't be asked just now; try again after the time in Retry-After"
    return Problem(503, "authd_unavailable", "authd unavailable", detail, {"Retry-After": str(retry_after)})


async def _answer(request: Request, error: Problem) -> Response:
    return error.response(request)


def answer_as_problem(request: Request) -> None:
    """Has problems of this application answered as problem documents, unless it has a way of its own.

    A dependency can't register a handler, and an application need not do it for us: the handlers that
    Starlette asks stand in the request's scope. Where they don't, FastAPI answers with the right status,
    headers and `{"detail": …}`.
    """
    by_class = request.scope.get("starlette.exception_handlers", ({},))[0]
    if by_class.get(StarletteHTTPException) is http_exception_handler and HTTPException not in by_class:
        by_class.setdefault(Problem, _answer)
