"""authd's public keys: fetched when they are needed, one fetch at a time, and kept."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt

from ._http import Http, Unavailable

KEPT_S = 300
# How often they are asked for again because a token names one that isn't there, or because authd was down.
PAUSE_S = 30
# How often, where there is none at all.
COLD_PAUSE_S = 1
# What `tokens.algorithm` of authd may be. A token has no say in it.
ALGORITHMS = ("EdDSA", "ES256", "RS256")

logger = logging.getLogger("authd_fastapi")


@dataclass(frozen=True)
class Key:
    """A public key, and the one algorithm that it is good for."""

    algorithm: str
    public: Any


class KeySet:
    """The keys of `/.well-known/jwks.json`."""

    def __init__(self, http: Http, clock: Callable[[], float]) -> None:
        self._http, self._clock = http, clock
        self._keys: dict[str, Key] = {}
        self._flight: asyncio.Task[None] | None = None
        self._failed = False
        # When they came; when they were last asked for; when that was for want of a key. None: never.
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._missed_at: float | None = None

    async def find(self, kid: str, is_plausible: Callable[[], bool]) -> Key | None:
        """Finds the key of an id. None: authd has no such key.

        `is_plausible` says whether a token with an unknown key is worth asking authd for it. Raises
        `Unavailable` where there are no keys yet.
        """
        if not self._is_since(self._fetched_at, KEPT_S):
            await self._renew()
        if kid not in self._keys:
            if self._flight is not None:
                await self._fetch()
            elif not self._is_since(self._missed_at, PAUSE_S) and is_plausible():
                self._missed_at = self._clock()
                await self._fetch()
        return self._keys.get(kid)

    async def warm(self) -> None:
        """Fetches the keys, if there are none. Where that fails, the next request tries again."""
        if not self._keys:
            await self._fetch()

    def _is_since(self, moment: float | None, seconds: int) -> bool:
        # A clock that was set back makes things old, never young for ever.
        return moment is not None and 0 <= self._clock() - moment < seconds

    async def _renew(self) -> None:
        if not self._failed:
            await self._fetch()
        elif self._keys:
            # authd is down: nobody waits for it, and what was kept serves on.
            if not self._is_since(self._tried_at, PAUSE_S):
                self._start()
        elif self._flight is not None or not self._is_since(self._tried_at, COLD_PAUSE_S):
            await self._fetch()
        if not self._keys:
            raise Unavailable("its keys were never fetched", COLD_PAUSE_S)

    async def _fetch(self) -> None:
        # Whoever waits may go away; the fetch goes on, for the others.
        await asyncio.shield(self._start())

    def _start(self) -> "asyncio.Task[None]":
        loop = asyncio.get_running_loop()
        if self._flight is None or self._flight.get_loop() is not loop:
            self._tried_at = self._clock()
            self._flight = loop.create_task(self._fly(self._tried_at))
        return self._flight

    async def _fly(self, began: float) -> None:
        try:
            response = await self._http.ask("GET", "/.well-known/jwks.json")
            if response.status_code != 200:
                raise Unavailable(f"it answers {response.status_code}")
            self._keys = _read(response.content)
            self._fetched_at, self._failed = began, False
        except Unavailable as error:
            self._failed = True
            kept = "the kept ones serve on" if self._keys else "there are none"
            logger.warning("authd's keys could not be fetched, %s: %s", kept, error)
        finally:
            self._flight = None


def _read(text: bytes) -> dict[str, Key]:
    """Reads a key set (RFC 7517 §5); what is no key for access tokens is passed over."""
    try:
        entries = [entry for entry in json.loads(text)["keys"] if isinstance(entry, dict)]
    except (ValueError, TypeError, KeyError) as error:
        raise Unavailable("what it answers is no key set") from error
    keys: dict[str, Key] = {}
    for entry in entries:
        kid, algorithm = entry.get("kid"), entry.get("alg")
        if not isinstance(kid, str) or algorithm not in ALGORITHMS or entry.get("use", "sig") != "sig":
            continue
        try:
            keys[kid] = Key(algorithm, jwt.PyJWK(entry, algorithm).key)
        except (jwt.PyJWTError, ValueError, TypeError):
            logger.warning("authd's key %.64r is passed over: it can't be read", kid)
    if not keys:
        raise Unavailable("its key set has no key for access tokens")
    return keys
