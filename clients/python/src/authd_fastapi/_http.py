"""Requests to authd: bounded in time and size, without a memory of cookies, on whatever event loop runs."""

import asyncio
import ssl
from collections.abc import Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

TIMEOUT_S = 5.0
MAX_BYTES = 8 << 20

Pairs = Sequence[tuple[bytes, bytes]]


class Unavailable(Exception):
    """authd can't be asked just now: it is down, slow, overloaded, or doesn't know the API key."""

    def __init__(self, why: str, retry_after: int = 5) -> None:
        super().__init__(why)
        self.retry_after = retry_after
        """After how many seconds it may be worth asking again."""


class Http:
    """What asks authd. A pool of connections belongs to one event loop, and another loop gets another."""

    def __init__(self, url: str, tls: ssl.SSLContext | None) -> None:
        self._base = httpx.URL(url)
        # Reading the system's certificates takes tens of milliseconds: not on the event loop.
        self._tls = tls or (httpx.create_ssl_context() if self._base.scheme == "https" else False)
        self._client: httpx.AsyncClient | None = None
        self._keeps = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    async def ask(
        self, method: str, path: str, headers: Pairs = (), body: bytes = b"", query: bytes = b""
    ) -> httpx.Response:
        """Sends one request to a path of authd, and reads the answer whole; redirects are not followed.

        Raises `Unavailable` where no answer comes, or more than 8 MiB of one.
        """
        raw_path = self._base.raw_path.rstrip(b"/") + path.encode("ascii") + (b"?" + query if query else b"")
        client = self._of_this_loop()
        # Compressed, it could be larger than it looks.
        sent = [*headers, (b"accept-encoding", b"identity")]
        request = client.build_request(
            method, self._base.copy_with(raw_path=raw_path), headers=sent, content=body
        )
        try:
            async with asyncio.timeout(2 * TIMEOUT_S):
                response = await client.send(request, stream=True)
                try:
                    read = bytearray()
                    async for chunk in response.aiter_raw():
                        read += chunk
                        if len(read) > MAX_BYTES:
                            raise Unavailable("its answer is too large")
                finally:
                    await response.aclose()
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            raise Unavailable(f"{type(error).__name__} {error}".strip()) from error
        return httpx.Response(response.status_code, headers=response.headers.raw, content=bytes(read))

    def _of_this_loop(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            # httpx would send the cookies of one person's answer with the next person's request.
            nobodys = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
            limits = httpx.Limits(max_connections=100, max_keepalive_connections=self._keeps)
            self._client = httpx.AsyncClient(
                limits=limits,
                verify=self._tls,
                timeout=TIMEOUT_S,
                trust_env=False,
                follow_redirects=False,
                cookies=nobodys,
            )
            self._loop = loop
        return self._client

    def open(self) -> None:
        """Keeps connections, until `close`. Before, none outlives its answer, nor its event loop."""
        self._keeps, self._client = 20, None

    async def close(self) -> None:
        """Closes the connections of this event loop."""
        self._keeps = 0
        if self._client is not None and self._loop is asyncio.get_running_loop():
            await self._client.aclose()
            self._client = None
