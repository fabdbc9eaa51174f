"""One request and its reply: the address checked, each phase within its time, the body unpacked as it comes.

Knows HTTP as far as one exchange goes.  Redirects, sizes and kinds of pages are the fetcher's; robots.txt goes the same
way as pages do."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from agent.errors import FetchFailed
from agent.web.address_guard import check_url
from agent.web.http_client import ByteCounter, Unpacker, current_meter

if TYPE_CHECKING:
    import httpx2

    from agent.web.http_client import Reach


# Shares of a page's whole time; of 12 s: 3, 8 and 4.8.  First values.
_CONNECT = 0.25  # looking up and connecting; TLS may take as long again
_HEAD = 2 / 3  # from the first packet to the end of the reply's head
_SILENCE = 0.4  # between two pieces of the body
_STALE = 2  # connections that may turn out to be closed; a host has no more of ours, see `agent.web.page_reader`
_REST_SECONDS = 0.2  # for the rest of a reply that nobody reads, of a redirect or a refusal …
_REST_BYTES = 16_000  # … so that its connection serves the next request; a new one costs three journeys


class HttpExchange:
    """One run's way to the web.  `seconds`: for one page, all its phases together (the fetcher ends it then)."""

    def __init__(self, client: httpx2.AsyncClient, reach: Reach, *, seconds: float) -> None:
        self._client = client
        self.reach = reach
        self._seconds = seconds

    def check(self, url: str) -> None:
        """Raises `AddressRefused`."""
        proxied = self.reach.proxy_for(url) is not None
        check_url(url, allow_private=self.reach.allow_private, by_name=proxied)

    def spelled(self, url: str) -> str:
        """As it is sent, and as replies name it; without a fragment.  Raises `PageError`."""
        import httpx2

        self.check(url)
        with plain_reasons(url):
            return str(httpx2.URL(url)).partition("#")[0]

    @asynccontextmanager
    async def open(self, url: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[HttpReply]:
        """The reply with its head read; its body comes as it is asked for.  Raises `PageError`."""
        import httpx2

        self.check(url)
        with plain_reasons(url):
            deadlines = httpx2.Timeout(None, connect=_CONNECT * self._seconds)
            request = self._client.build_request("GET", url, headers=headers, timeout=deadlines)
            response = await self._head(request)
            reply = HttpReply(response, _SILENCE * self._seconds)
            try:
                yield reply
                await reply.finish()
            finally:
                await response.aclose()

    async def _head(self, request: httpx2.Request) -> httpx2.Response:
        meter = current_meter()
        try:
            async with asyncio.timeout(_HEAD * self._seconds):
                response = await self._send(request, meter)
        except TimeoutError as e:
            raise FetchFailed("no answer in time", str(request.url)) from e
        meter.expect_body()
        return response

    async def _send(self, request: httpx2.Request, meter: ByteCounter) -> httpx2.Response:
        """A server may have hung up on a connection that it served before: then the next one is tried."""
        import httpcore2

        for _ in range(_STALE):
            meter.expect_head()
            before = meter.received, meter.connections
            try:
                return await self._client.send(request, stream=True)
            except (httpcore2.RemoteProtocolError, httpcore2.NetworkError):
                if (meter.received, meter.connections) != before:
                    raise
        return await self._client.send(request, stream=True)


class HttpReply:
    def __init__(self, response: httpx2.Response, silence: float) -> None:
        self._response = response
        self._silence = silence
        self.status: int = response.status_code
        self.url = str(response.url)

    def header(self, name: str) -> str:
        """The empty string where there is none."""
        return str(self._response.headers.get(name, ""))

    @property
    def charset(self) -> str | None:
        return self._response.charset_encoding

    @property
    def is_success(self) -> bool:
        return self._response.is_success

    @property
    def elsewhere(self) -> str | None:
        """Where a redirect points to, without the fragment.  Raises `FetchFailed`."""
        import httpx2

        if not self._response.has_redirect_location:
            return None
        try:
            return str(self._response.url.join(self.header("location"))).partition("#")[0]
        except (httpx2.InvalidURL, ValueError) as e:
            raise FetchFailed("not an address", self.url) from e

    async def finish(self) -> None:
        """Read the rest where it is short and at hand."""
        if self._response.is_stream_consumed:
            return
        size = 0
        with suppress(TimeoutError, FetchFailed), plain_reasons(self.url):
            async with asyncio.timeout(_REST_SECONDS), aclosing(self._response.aiter_raw()) as rest:
                async for piece in rest:
                    size += len(piece)
                    if size > _REST_BYTES:
                        return

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body, unpacked.  Raises `FetchFailed`."""
        unpacker = Unpacker(self.header("content-encoding"))
        async with aclosing(self._packed()) as packed:
            async for arrived in packed:
                for piece in unpacker.unpack(arrived):
                    yield piece

    async def _packed(self) -> AsyncGenerator[bytes, None]:
        arriving = self._response.aiter_raw()
        while True:
            try:
                async with asyncio.timeout(self._silence):
                    piece = await anext(arriving)
            except StopAsyncIteration:
                return
            except TimeoutError as e:
                raise FetchFailed("stopped halfway", self.url) from e
            yield piece


# ------------------------------------------------------------------------------------------ reasons

# What the network and the HTTP libraries raise, as `FetchFailed` with a few plain words for a reader.

NOT_REACHED = frozenset({"no such host", "no connection", "no connection in time", "bad certificate"})
_BY_CLASS = {  # by the name of the error's class or a base of it: httpcore2 and httpx2 share their names
    "ConnectTimeout": "no connection in time",
    "TimeoutException": "timed out",
    "ConnectError": "no connection",
    "ProxyError": "the proxy refused",
    "UnsupportedProtocol": "not an http(s) address",
    "InvalidURL": "not an address",
    "IDNAError": "not an address",  # a name that only begins like one in IDNA: http://xn--a-/
}


@contextmanager
def plain_reasons(url: str) -> Iterator[None]:
    import httpcore2
    import httpx2
    import idna

    try:
        yield
    except (
        httpcore2.TimeoutException,
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.ProxyError,
        httpcore2.UnsupportedProtocol,
        httpx2.HTTPError,
        httpx2.InvalidURL,
        httpx2.StreamError,
        idna.IDNAError,
        ssl.SSLError,
    ) as e:
        raise FetchFailed(_reason(e), url) from e


def _reason(error: Exception) -> str:
    if _certificate(error):
        return "bad certificate"
    names = [kind.__name__ for kind in type(error).__mro__]
    return next((_BY_CLASS[name] for name in names if name in _BY_CLASS), "the connection broke off")


def _certificate(error: BaseException | None) -> bool:
    while error and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None
