"""A pass-through to authd's API, for a service that has no proxy before it."""

import re
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from . import _problem
from ._ask import on_behalf_of
from ._http import Http, Unavailable

MAX_BODY = 64 << 10
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# What authd's paths are spelled with; it takes each path in one spelling alone.
_PATH = re.compile(r"[A-Za-z0-9_~@:-][A-Za-z0-9._~@:-]*(/[A-Za-z0-9_~@:-][A-Za-z0-9._~@:-]*)*")
_QUERY = re.compile(rb"[!-~]{0,8192}")
# What authd reads of a request. All else, whatever hop it is for, stays here: a name that isn't listed can't
# be smuggled in, nor one be taken away by `Connection`.
_REQUEST = frozenset(
    b"accept accept-language access-control-request-headers access-control-request-method authorization"
    b" content-type origin referer sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user user-agent"
    b" x-csrf-token x-request-id".split()
)
_HOP_BY_HOP = frozenset(
    b"connection content-length keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer"
    b" transfer-encoding upgrade date server".split()
)


def pass_through(http: Http, prefix: str) -> APIRouter:
    """Makes the router; `prefix` is the path that stands for `/api/auth`."""
    router = APIRouter(prefix=prefix)

    async def passed(request: Request, path: str) -> Response:
        _problem.answer_as_problem(request)
        # What is percent-encoded isn't authd's spelling, and could be another path to a proxy's rule.
        sent = request.scope.get("raw_path")
        if _PATH.fullmatch(path) is None or (
            sent and not sent.partition(b"?")[0].endswith(f"/{path}".encode())
        ):
            raise _problem.not_found()
        query = request.scope["query_string"]
        if _QUERY.fullmatch(query) is None:
            raise _problem.bad_request("send a query that is percent-encoded, and not longer than 8 KiB")
        body = await _body(request)
        headers = _headers(request)
        try:
            answer = await http.ask(request.method, f"/api/auth/{path}", headers, body, query)
        except Unavailable as error:
            _problem.logger.warning("authd can't be asked: %s", error)
            raise _problem.unavailable(error.retry_after) from error
        response = Response(answer.content, answer.status_code)
        if request.method == "HEAD" or answer.status_code in (204, 304):
            response = Response(None, answer.status_code)
        kept: list[Any] = [pair for pair in response.raw_headers if pair[0] == b"content-length"]
        own = [(name.lower(), value) for name, value in answer.headers.raw]
        response.raw_headers = kept + [pair for pair in own if pair[0] not in _HOP_BY_HOP]
        return response

    router.add_api_route("/{path:path}", passed, methods=_METHODS, include_in_schema=False)
    return router


def _headers(request: Request) -> list[tuple[bytes, bytes]]:
    """What authd is to see. Twice what came twice: that it is ambiguous is authd's to say."""
    sent = [pair for pair in request.headers.raw if pair[0] in _REQUEST]
    jars = [_own_cookies(value) for name, value in request.headers.raw if name == b"cookie"]
    sent += [(b"cookie", jar) for jar in jars if jar]
    # The peer, as the server that runs this sees it. What a client claims to forward for is not passed on.
    return sent + on_behalf_of(request.client.host if request.client is not None else None)


def _own_cookies(value: bytes) -> bytes:
    """authd's cookies of a header, as they came; the service's own are not authd's business."""
    own = [pair for pair in value.split(b";") if b"__Host-authd_" in pair.partition(b"=")[0]]
    return b";".join(own).strip(b" \t")


async def _body(request: Request) -> bytes:
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > MAX_BODY:
            raise _problem.body_too_large()
    return bytes(read)
