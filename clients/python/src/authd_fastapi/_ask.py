"""What a service asks authd about one person: whether a token still counts, whose a browser's session is."""

import asyncio
import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from ._carriers import CSRF, CSRF_HEADER, SESSION
from ._http import Http, Pairs, Unavailable

# How long the answer about a browser's session is kept, and of how many.
KEPT_S = 30
KEPT = 10_000
_MAX_COOKIE = 1024

logger = logging.getLogger("authd_fastapi")


def on_behalf_of(client: str | None) -> list[tuple[bytes, bytes]]:
    """Says to authd whose network pays for the request. It believes whom `proxy.trusted` lists."""
    return [] if client is None else [(b"x-forwarded-for", client.encode("latin-1", "replace"))]


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        found = json.loads(response.content)
    except ValueError:
        found = None
    if response.status_code != 200 or not isinstance(found, dict):
        raise Unavailable(f"it answers {response.status_code}", _retry_after(response))
    return found


def _retry_after(response: httpx.Response) -> int:
    text = response.headers.get("retry-after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 5


async def introspect(http: Http, api_key: str, token: str, client: str | None) -> dict[str, Any] | None:
    """Asks authd whether an access token counts now (RFC 7662). None: it doesn't."""
    headers: Pairs = [
        (b"authorization", b"Bearer " + api_key.encode("ascii")),
        (b"content-type", b"application/x-www-form-urlencoded"),
        *on_behalf_of(client),
    ]
    response = await http.ask("POST", "/api/auth/introspect", headers, urlencode({"token": token}).encode())
    if response.status_code in (401, 403):
        logger.error(
            "authd refuses the API key of this service: introspection answers %s", response.status_code
        )
    found = _object(response)
    return found if found.get("active") is True and found.get("token_type") == "Bearer" else None


@dataclass(frozen=True)
class _Token:
    """What authd gives for a session's cookie, and how long it is kept. None: the session counts no more."""

    text: str | None = field(repr=False)
    kept_s: float = KEPT_S


@dataclass
class _Asked:
    """What came last, and when that was asked for; and the question that is under way."""

    at: float = 0.0
    token: _Token | None = None
    flight: "asyncio.Task[_Token] | None" = None


class BrowserSessions:
    """Access tokens of browsers' sessions: the cookie of authd's pages is no token, authd gives one for it.

    Each is kept for half a minute, so that a page with twenty requests asks once; where authd is down, for
    as long as the token is good.
    """

    def __init__(self, http: Http, clock: Callable[[], float]) -> None:
        self._http, self._clock = http, clock
        self._asked: OrderedDict[bytes, _Asked] = OrderedDict()

    async def token(self, session: str, csrf: str | None, client: str | None) -> str | None:
        """Gives an access token of the session. None: it counts no more, or `csrf` is not its value.

        Raises `Unavailable` where authd can't be asked, and no earlier answer is there.
        """
        if csrf is None or not all(text.isascii() and len(text) <= _MAX_COOKIE for text in (session, csrf)):
            return None
        key = hashlib.sha256(f"{session}\n{csrf}".encode()).digest()
        loop, now = asyncio.get_running_loop(), self._clock()
        asked = self._asked.setdefault(key, _Asked())
        if asked.token is not None and 0 <= now - asked.at < asked.token.kept_s:
            return asked.token.text
        if asked.flight is None or asked.flight.done() or asked.flight.get_loop() is not loop:
            asked.flight = loop.create_task(self._exchange(session, csrf, client))
            self._asked.move_to_end(key)
            while len(self._asked) > KEPT:
                self._asked.popitem(last=False)
        try:
            # Whoever waits may go away; the others are answered all the same.
            found = await asyncio.shield(asked.flight)
        except Unavailable:
            # What came before serves on, if it was a token; nobody waits again for half a minute.
            if asked.token is None or asked.token.text is None:
                raise
            found = asked.token
        asked.at, asked.token = now, found
        return found.text

    async def _exchange(self, session: str, csrf: str, client: str | None) -> _Token:
        headers: Pairs = [
            (b"cookie", f"{SESSION}={session}; {CSRF}={csrf}".encode("ascii")),
            (CSRF_HEADER.encode(), csrf.encode("ascii")),
            *on_behalf_of(client),
        ]
        response = await self._http.ask("POST", "/api/auth/session/token", headers)
        if response.status_code in (400, 401, 403):
            return _Token(None)
        answer = _object(response)
        token, life = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not isinstance(life, int):
            raise Unavailable("what it answers is no token")
        return _Token(token, min(KEPT_S, life / 2))
