"""Whether an access token is good (RFC 9068 §4), without asking authd."""

import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import jwt
from jwt.utils import base64url_decode
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ._keys import Key, KeySet
from ._user import User

MAX_BYTES = 8192
# How many tokens' signatures are remembered.
REMEMBERED = 4096

_Text = Annotated[str, Field(min_length=1)]
_Moment = Annotated[int, Field(ge=0, le=253_402_300_799)]
_jws = jwt.PyJWS()
logger = logging.getLogger("authd_fastapi")


class InvalidToken(Exception):
    """The token is not good. The text says why, for a log: who sent it isn't told."""


class _Claims(BaseModel):
    """What a token must say, and in which types. What else it says is passed over."""

    model_config = ConfigDict(strict=True, frozen=True)

    iss: str
    sub: _Text
    aud: str
    client_id: _Text
    iat: _Moment
    nbf: _Moment
    exp: _Moment
    jti: _Text
    sid: _Text
    auth_time: _Moment | None = None
    amr: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    omitted: frozenset[str] = frozenset()


class _Known:
    """A token whose signature was found good, under a key: as long as authd has that very one, it is."""

    __slots__ = ("claims", "key", "kid", "user")

    def __init__(self, kid: str, key: Key, claims: _Claims) -> None:
        self.kid, self.key, self.claims, self.user = kid, key, claims, _user(claims)


class Verifier:
    """Verifies tokens of one issuer, for one audience."""

    def __init__(
        self, keys: KeySet, issuer: str, audience: str, leeway: int, clock: Callable[[], float]
    ) -> None:
        self._keys, self._issuer, self._audience = keys, issuer, audience
        self._leeway, self._clock = leeway, clock
        # By the token's SHA-256: the same one comes with every request of a quarter of an hour.
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def verify(self, token: str) -> User:
        """Gives whose token it is. Raises `InvalidToken`, or `Unavailable` where there are no keys yet."""
        if len(token) > MAX_BYTES or not token.isascii():
            raise InvalidToken("it is longer than any of authd's, or not in ASCII")
        digest = hashlib.sha256(token.encode("ascii")).digest()
        known = self._known.get(digest)
        kid = _kid(token) if known is None else known.kid
        key = await self._keys.find(kid, lambda: self._is_plausible(token))
        if key is None:
            raise InvalidToken("authd has no such key")
        if known is None or known.key is not key:
            payload = _payload(token, key)
            try:
                known = _Known(kid, key, self._judge(payload))
            except InvalidToken as error:
                # authd signed it, and not for this service: most likely one of the two is set up wrongly.
                logger.warning("a token that authd signed is refused: %s", error)
                raise
            self._remember(digest, known)
        self._judge_time(known.claims)
        return known.user

    def _remember(self, digest: bytes, known: "_Known") -> None:
        self._known[digest] = known
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _judge(self, payload: bytes) -> _Claims:
        try:
            claims = _Claims.model_validate_json(payload)
        except ValidationError as error:
            wrong = ", ".join(str(one["loc"][0]) if one["loc"] else one["type"] for one in error.errors())
            raise InvalidToken(f"its claims are not those of an access token: {wrong}") from error
        if claims.iss != self._issuer:
            raise InvalidToken(f"its issuer is {claims.iss!r}, not {self._issuer!r}")
        if claims.aud != self._audience:
            raise InvalidToken(f"it is for {claims.aud!r}, not {self._audience!r}")
        return claims

    def _judge_time(self, claims: _Claims) -> None:
        now = self._clock()
        if now >= claims.exp + self._leeway:
            raise InvalidToken("it has expired")
        if max(claims.nbf, claims.iat) > now + self._leeway:
            raise InvalidToken("it is not good yet")

    def _is_plausible(self, token: str) -> bool:
        """Whether only the key is missing, as far as can be told without it: others' tokens cost no fetch."""
        try:
            self._judge_time(self._judge(_jws.decode(token, options={"verify_signature": False})))
        except (InvalidToken, jwt.PyJWTError):
            return False
        return True


def _kid(token: str) -> str:
    """Reads the id of the key, and refuses what is no access token's header."""
    try:
        # Whether it is written as it must be is looked at with the signature.
        header = json.loads(base64url_decode(token.partition(".")[0]))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidToken("it is no JWS") from error
    if not isinstance(header, dict) or header.get("typ") != "at+jwt" or "crit" in header:
        raise InvalidToken("its header is not that of an access token: typ, crit")
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise InvalidToken("it names no key")
    return kid


def _payload(token: str, key: Key) -> bytes:
    try:
        payload: bytes = _jws.decode(token, key.public, algorithms=[key.algorithm])
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise InvalidToken(f"its signature is not good: {error}") from error
    return payload


def _user(claims: _Claims) -> User:
    auth_time = None if claims.auth_time is None else datetime.fromtimestamp(claims.auth_time, UTC)
    return User(
        id=claims.sub,
        session_id=claims.sid,
        roles=claims.roles,
        permissions=claims.permissions,
        auth_time=auth_time,
        amr=claims.amr,
        omitted=claims.omitted,
    )
