"""How a token comes: by bearer, or by authd's cookies; and the proof that a cookie's own page sent it."""

import hmac
from collections.abc import Collection
from importlib.util import find_spec

from fastapi import Request

from . import _problem

ACCESS = "__Host-authd_access"
SESSION = "__Host-authd_session"
CSRF = "__Host-authd_csrf"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# FastAPI itself takes forms only with it.
_TAKES_FORMS = find_spec("python_multipart") is not None
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def bearer(request: Request) -> str | None:
    """Reads the token of `Authorization: Bearer …` (RFC 6750 §2.1). None: none, or another scheme."""
    scheme, _, token = (single(request, "authorization") or "").partition(" ")
    return (token.strip(" \t") or None) if scheme.lower() == "bearer" else None


def cookie(request: Request, name: str) -> str | None:
    """Reads one of authd's cookies, byte by byte as authd does. None: it was not sent, or is empty."""
    pairs = (pair.partition("=") for pair in (single(request, "cookie") or "").split(";"))
    values = [value.strip(" \t") for key, _, value in pairs if key.strip(" \t") == name]
    if len(values) > 1:
        raise _problem.bad_request(f"send the cookie {name} once")
    return (values[0] or None) if values else None


def single(request: Request, name: str) -> str | None:
    """Reads a header that may stand once. None: it was not sent."""
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise _problem.bad_request(f"send the header {name.title()} once")
    return values[0] if values else None


async def check_own_page(request: Request, origins: Collection[str]) -> None:
    """Refuses what changes something and was not sent by a page of this host, unless it is of `origins`."""
    if request.method in _SAFE:
        return
    origin, site = single(request, "origin"), single(request, "sec-fetch-site")
    if origin is not None and origin not in origins:
        raise _problem.csrf_failed("cookies count only for pages of this site; send the request from one")
    # Fetch Metadata §2.3: `same-site` is a neighbour, who counts if listed by its origin.
    if site not in (None, "same-origin", "none") and not (site == "same-site" and origin is not None):
        raise _problem.csrf_failed("cookies count only for pages of this site; send the request from one")
    known, sent = cookie(request, CSRF), single(request, CSRF_HEADER)
    if sent is None:
        sent = await _form_field(request)
    # No other host can set a `__Host-` cookie, so who knows its value is a page of this one.
    if known is None or sent is None or not hmac.compare_digest(known.encode(), sent.encode()):
        raise _problem.csrf_failed(f"send the value of the cookie {CSRF} in the header {CSRF_HEADER}")


async def _form_field(request: Request) -> str | None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not _TAKES_FORMS or media_type not in _FORMS:
        return None
    # Starlette keeps what it reads: the route gets the same form.
    value = (await request.form()).get(CSRF_FIELD)
    return value if isinstance(value, str) else None
