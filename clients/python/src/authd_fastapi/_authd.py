"""`Authd`: what a service says once, and the dependencies that follow from it."""

import ssl
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, FastAPI, Request, Security
from fastapi.openapi import models as openapi
from fastapi.security.base import SecurityBase

from . import _carriers, _problem
from ._ask import BrowserSessions, introspect
from ._http import Http, Unavailable
from ._keys import KeySet
from ._problem import Problem
from ._routes import pass_through
from ._user import User
from ._verify import InvalidToken, Verifier


class _Scheme(SecurityBase):
    """How a token comes, as the OpenAPI document says it. It reads nothing: `_carriers` does."""

    def __init__(self, name: str, model: openapi.SecurityBase) -> None:
        self.scheme_name, self.model = name, model

    async def __call__(self) -> None:
        return None


def _cookie(name: str) -> openapi.APIKey:
    says = f"Set by authd at this host. What changes anything also wants `{_carriers.CSRF_HEADER}`."
    return openapi.APIKey.model_validate({"in": "cookie", "name": name, "description": says})


_BEARER = _Scheme("authd", openapi.HTTPBearer(bearerFormat="JWT", description="An access token of authd."))
_ACCESS = _Scheme("authd_access", _cookie(_carriers.ACCESS))
_SESSION = _Scheme("authd_session", _cookie(_carriers.SESSION))


@dataclass(frozen=True)
class Found:
    """Who a request shows to be signed in, and by which token."""

    user: User
    token: str = field(repr=False)


_living: "weakref.WeakSet[Authd]" = weakref.WeakSet()

# None: the request shows nobody. A problem: it shows a cookie that counts no more.
Finding = Found | Problem | None


def _dependencies(find: Callable[[Request], Awaitable[Finding]]) -> tuple[Any, Any, Any]:
    async def found(
        request: Request,
        _bearer: Annotated[object, Security(_BEARER)],
        _access: Annotated[object, Security(_ACCESS)],
        _session: Annotated[object, Security(_SESSION)],
    ) -> Finding:
        return await find(request)

    async def user(found: Annotated[Finding, Depends(found)]) -> User:
        return _demand(found).user

    async def optional_user(found: Annotated[Finding, Depends(found)]) -> User | None:
        return found.user if isinstance(found, Found) else None

    return found, user, optional_user


def _demand(found: Finding) -> Found:
    if isinstance(found, Problem):
        raise found
    if found is None:
        raise _problem.unauthenticated()
    return found


class Authd:
    """authd as the login of this service.

    - `issuer`: authd's `public_url`, or its `tokens.issuer` where that is set, to the letter.
    - `audience`: what tokens must be for, as `tokens.audience` of authd says.
    - `url`: where this service reaches authd. None: at the issuer.
    - `api_key`: of `authctl apikey add`; it takes one to ask authd about a token (`live=True`).
    - `origins`: the web origins whose pages may change something by cookie. None: that of the issuer.
    - `leeway`: by how many seconds clocks may differ, 5 at most.
    - `tls`: which certificates are trusted. None: those of certifi, or of `SSL_CERT_FILE`.
    - `clock`: the seconds since 1970; tests turn it.

    Raises `ValueError` for what can't be meant.
    """

    user: Callable[..., Awaitable[User]]
    """A dependency: who is signed in, or else 401. `Annotated[User, Depends(auth.user)]`."""
    optional_user: Callable[..., Awaitable[User | None]]
    """A dependency: who is signed in, or None. A bearer token that isn't good is 401 all the same."""
    live_user: Callable[..., Awaitable[User]]
    """A dependency: as `user`, but authd is asked whether the token counts, and what the user may do now."""

    def __init__(
        self,
        issuer: str,
        *,
        audience: str = "authd",
        url: str | None = None,
        api_key: str | None = None,
        origins: Sequence[str] | None = None,
        leeway: int = 5,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        at = urlsplit(issuer if url is None else url)
        if at.scheme not in ("http", "https") or not at.hostname or at.query or at.fragment:
            raise ValueError(f"authd is reached by http or https: {url or issuer!r}")
        if not audience or not 0 <= leeway <= 5:
            raise ValueError("an audience has a name, and the leeway is 0 to 5 seconds")
        if isinstance(origins, str):
            raise ValueError("origins is a list")
        api_key = api_key if api_key is None else api_key.strip()
        if api_key is not None and not (api_key.startswith("authd_key_") and api_key.isascii()):
            raise ValueError("an API key of authd begins with authd_key_")
        seen = urlsplit(issuer)
        _living.add(self)
        self._origins = frozenset([f"{seen.scheme}://{seen.netloc}"] if origins is None else origins)
        self._api_key, self._clock = api_key, clock
        self._http = Http(at.geturl().rstrip("/"), tls)
        self._keys = KeySet(self._http, clock)
        self._verifier = Verifier(self._keys, issuer, audience, leeway, clock)
        self._sessions = BrowserSessions(self._http, clock)
        self._found, self.user, self.optional_user = _dependencies(self._find)

        async def live(request: Request, found: Annotated[Finding, Depends(self._found)]) -> User:
            return await self._ask(request, _demand(found))

        self.live_user = live

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        """Fetches authd's keys before the first request: `FastAPI(lifespan=auth.lifespan)`, or in your own.

        Where authd can't be reached yet, that is logged, and the first request tries again.
        """
        app.state.authd = self
        self._http.open()
        await self._keys.warm()
        try:
            yield
        finally:
            await self._http.close()

    async def verify(self, token: str) -> User:
        """Gives whose access token it is, for what is no request: a WebSocket's first message, a queue.

        Raises `InvalidToken` if it isn't good, and `Unavailable` where authd's keys could never be fetched.
        """
        return await self._verifier.verify(token)

    def require(
        self,
        *,
        role: str | None = None,
        permission: str | None = None,
        fresh: int | None = None,
        live: bool = False,
    ) -> Any:
        """Makes a dependency that demands all that is named, else 403.

        It stands in the `dependencies` of a route or a router, or as `Annotated[User, auth.require(…)]`.

        - `role`, `permission`: that the user has it (`forbidden`).
        - `fresh`: that the person proved who they are within so many seconds (`fresh_login_required`).
        - `live`: that authd says so now, and not only the token; it takes an API key. 503 where it can't
          be asked.

        Raises `ValueError` for `live` without an API key.
        """
        if live and self._api_key is None:
            raise ValueError("live=True asks authd, which takes an API key: Authd(…, api_key=…)")
        if fresh is not None and fresh <= 0:
            raise ValueError("fresh is a number of seconds")

        async def required(
            request: Request,
            user: Annotated[User, Depends(self.live_user if live else self.user)],
            found: Annotated[Finding, Depends(self._found)],
        ) -> User:
            _problem.answer_as_problem(request)
            wanted = {name for name, demand in (("roles", role), ("permissions", permission)) if demand}
            if user.omitted & wanted:
                user = await self._ask(request, _demand(found))
            if role is not None and not user.has_role(role):
                raise _problem.forbidden(f"this takes the role {role}")
            if permission is not None and not user.has_permission(permission):
                raise _problem.forbidden(f"this takes the permission {permission}")
            if fresh is not None and (
                user.auth_time is None or self._clock() - user.auth_time.timestamp() > fresh
            ):
                raise _problem.fresh_login_required(fresh)
            return user

        return Depends(required)

    def mirror(
        self,
        model: type[Any],
        get_session: Callable[..., Any],
        values: Callable[[User], dict[str, Any]] | None = None,
    ) -> Any:
        """Makes a dependency that gives the user's row of a SQLModel table, and inserts it the first time.

        The table has a field `sub`, unique or the primary key. `get_session` is the service's own dependency,
        of a `Session` or an `AsyncSession`, on SQLite or PostgreSQL. `values` gives what else a new row has.

        However many requests come at once, there is one row. If the session is in no transaction yet, it is
        in none afterwards: the insertion is committed. Else it belongs to that one. Raises `ValueError` for a
        table without such a field.
        """
        from ._mirror import mirror  # SQLModel is an extra.

        return mirror(self.user, model, get_session, values)

    def routes(self, prefix: str = "/api/auth") -> APIRouter:
        """Makes a router that passes `prefix` through to authd's API, cookies and all.

        For services without a proxy before them. authd's `public_url` must be the origin that browsers see.
        """
        return pass_through(self._http, prefix)

    async def _find(self, request: Request) -> Finding:
        _problem.answer_as_problem(request)
        token = _carriers.bearer(request)
        access, session = (_carriers.cookie(request, name) for name in (_carriers.ACCESS, _carriers.SESSION))
        try:
            if token is not None:
                if access is not None or session is not None:
                    raise _problem.bad_request("send a bearer token or authd's cookies, not both")
                return Found(await self._verifier.verify(token), token)
            if access is None and session is None:
                return None
            await _carriers.check_own_page(request, self._origins)
            return await self._by_cookie(request, access, session)
        except InvalidToken as error:
            _problem.logger.info("a token is refused: %s", error)
            raise _problem.invalid_token() from error
        except Unavailable as error:
            _problem.logger.warning("authd can't be asked: %s", error)
            raise _problem.unavailable(error.retry_after) from error

    async def _by_cookie(self, request: Request, access: str | None, session: str | None) -> Finding:
        if access is not None:
            try:
                return Found(await self._verifier.verify(access), access)
            except InvalidToken as error:
                # What is left of an older login takes nothing from the session that is there.
                _problem.logger.info("the access token of a cookie is refused: %s", error)
        if session is not None:
            csrf = _carriers.cookie(request, _carriers.CSRF)
            token = await self._sessions.token(session, csrf, _client(request))
            if token is not None:
                return Found(await self._verifier.verify(token), token)
        return _problem.invalid_token()

    async def _ask(self, request: Request, found: Found) -> User:
        if self._api_key is None:
            _problem.logger.error(
                "a token leaves out what is asked for; give Authd an api_key, so that it can ask"
            )
            raise _problem.forbidden("the token leaves out what this takes, for want of room")
        try:
            now = await introspect(self._http, self._api_key, found.token, _client(request))
        except Unavailable as error:
            _problem.logger.warning("authd can't be asked: %s", error)
            raise _problem.unavailable(error.retry_after) from error
        if now is None or now.get("sub") != found.user.id:
            raise _problem.invalid_token()
        may = {name: tuple(now.get(name, ())) for name in ("roles", "permissions")}
        return found.user.model_copy(update={**may, "omitted": frozenset()})


def _client(request: Request) -> str | None:
    return request.client.host if request.client is not None else None


async def _find_by_app(request: Request) -> Finding:
    auth = getattr(request.app.state, "authd", None)
    if auth is None and len(_living) == 1:
        # A test's client seldom runs the lifespan. Where there is one alone, there is nothing to confuse.
        (auth,) = _living
    if auth is None:
        raise RuntimeError(
            "which Authd? Run the application's lifespan, auth.lifespan, or take Depends(auth.user)"
        )
    found: Finding = await auth._find(request)
    return found


found_by_app, _user_by_app, _optional_user_by_app = _dependencies(_find_by_app)

CurrentUser = Annotated[User, Depends(_user_by_app)]
"""Who is signed in, or else 401: as `auth.user`, of the `Authd` whose lifespan the application has."""
OptionalUser = Annotated[User | None, Depends(_optional_user_by_app)]
"""Who is signed in, or None: as `auth.optional_user`, likewise."""
