"""The HTTP client of one run: connects only to addresses that were checked, and says honestly who it is.

TLS and the Host header keep the name whose address was checked.  Through a proxy the look-up is the proxy's, and so is
the responsibility for it.  Knows nothing of pages, redirects or sizes."""

from __future__ import annotations

import asyncio
import ssl
import sys
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import httpcore2
import httpx2

from agent.errors import AddressRefused, FetchFailed
from agent.text.urls import host, ip_literal
from agent.web.address_guard import PORTS, Address, Resolver, checked_addresses, exempting, system_resolver

if TYPE_CHECKING:
    import ssl


_ACCEPT = "text/html,application/xhtml+xml,application/pdf,text/markdown,text/plain;q=0.9,*/*;q=0.1"


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the page fetcher gets."""

    resolver: Resolver = system_resolver
    allow_private: bool = False  # private and loopback addresses and any port
    proxies: Mapping[str, str] = field(default_factory=dict)  # as `urllib.request.getproxies()` gives them
    own_hosts: frozenset[str] = frozenset()  # the built-in sample web's names, which this program serves …
    own_port: int = 0  # … on loopback at this port
    tls: ssl.SSLContext | None = None  # None: the system's roots

    def proxy_for(self, url: str) -> str | None:
        """The proxy that this URL goes through.  The sample web's never do: no proxy knows them."""
        if not self.proxies or host(url) in self.own_hosts:
            return None
        if _goes_direct(host(url), self.proxies.get("no", "")):
            return None
        proxy = self.proxies.get(urlsplit(url).scheme) or self.proxies.get("all")
        return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


def _goes_direct(name: str, exceptions: str) -> bool:
    """Is `name` in NO_PROXY?  Its entries are names, which stand for what is below them too, networks, or `*`."""
    for entry in (part.strip().lower() for part in exceptions.split(",")):
        domain = entry.removeprefix("*").removeprefix(".")
        if entry == "*" or (domain and (name == domain or name.endswith(f".{domain}"))):
            return True
        literal = ip_literal(name)
        if literal and "/" in entry and _in_network(literal, entry):
            return True
    return False


def _in_network(address: IPv4Address | IPv6Address, network: str) -> bool:
    try:
        return address in ip_network(network, strict=False)
    except ValueError:
        return False


def user_agent(name: str, version: str) -> str:
    return f"{name}/{version} (+https://pypi.org/project/{name}/)"


def open_client(agent: str, reach: Reach, *, connections: int) -> httpx2.AsyncClient:
    """A client for one run on one event loop; `connections` at once.  Close it with `aclose` or `async with`."""
    return httpx2.AsyncClient(
        transport=_Transport(reach, connections),
        headers={"User-Agent": agent, "Accept": _ACCEPT, "Accept-Encoding": ", ".join(UNPACKED)},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # none: pages are read by nobody in particular
        trust_env=False,  # proxies come with `reach`, so that none goes past the checks
        follow_redirects=False,  # each hop is checked by the fetcher
        timeout=httpx2.Timeout(None),  # all deadlines are the fetcher's
    )


class _Transport(httpx2.AsyncBaseTransport):
    """Each request to the pool of its proxy, or to the pinned one."""

    def __init__(self, reach: Reach, connections: int) -> None:
        self._reach = reach
        self._connections = connections
        self._pools: dict[str | None, httpcore2.AsyncConnectionPool] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        pool = self._pool(self._reach.proxy_for(str(url)))
        assert isinstance(request.stream, httpx2.AsyncByteStream)
        reply = await pool.handle_async_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx2.Response(reply.status, headers=reply.headers, stream=_Body(reply), extensions=reply.extensions)

    def _pool(self, proxy: str | None) -> httpcore2.AsyncConnectionPool:
        if proxy not in self._pools:
            self._pools[proxy] = httpcore2.AsyncConnectionPool(
                ssl_context=self._reach.tls or _system_tls(),
                proxy=_proxy(proxy) if proxy else None,
                max_connections=self._connections,
                max_keepalive_connections=self._connections,
                keepalive_expiry=15.0,
                network_backend=self._backend(direct=proxy is None),
            )
        return self._pools[proxy]

    def _backend(self, *, direct: bool) -> Backend:
        reach = self._reach
        resolver = exempting(reach.own_hosts, reach.own_port, reach.resolver) if direct else None
        return Backend(resolver, allow_private=reach.allow_private)

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()


def _proxy(url: str) -> httpcore2.Proxy:
    parsed = httpx2.Proxy(url)
    if parsed.url.scheme.startswith("socks"):
        raise FetchFailed(f"the proxy {parsed.url.scheme}://{parsed.url.host} is not of a kind that pages can use")
    return httpcore2.Proxy(url=str(parsed.url), auth=parsed.raw_auth)


class _Body(httpx2.AsyncByteStream):
    def __init__(self, reply: httpcore2.Response) -> None:
        self._reply = reply

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._reply.aiter_stream():
            yield piece

    async def aclose(self) -> None:
        await self._reply.aclose()


@lru_cache(maxsize=1)
def _system_tls() -> ssl.SSLContext:
    """Made once a process (17 ms); `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured."""
    return httpx2.create_ssl_context()


# ------------------------------------------------------------------------------------------ network

# Sockets of the page fetcher: only to addresses that were checked, and with every byte that comes back counted.
#
# A name is looked up once and the connection goes to the very address that was checked, so that a DNS server which
# answers differently the second time gains nothing.  Knows nothing of HTTP.

_FIRST_TRY = 3.0  # seconds for one of several addresses of a name; the last one gets what is left


class Backend(httpcore2.AsyncNetworkBackend):
    """Connects for httpcore2.  Without a resolver (to the user's own proxy) it connects as it is told."""

    def __init__(self, resolver: Resolver | None, *, allow_private: bool) -> None:
        self._resolver = resolver
        self._allow_private = allow_private
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """`timeout`: for looking up and connecting together."""
        current_meter().connections += 1
        if self._resolver is None:
            return _Counted(await self._network.connect_tcp(host, port, timeout=timeout))
        try:
            async with asyncio.timeout(timeout):
                return _Counted(await self._connect(await self._addresses(host, port, self._resolver)))
        except TimeoutError as e:
            raise httpcore2.ConnectTimeout(host) from e

    async def _addresses(self, host: str, port: int, resolver: Resolver) -> list[Address]:
        if port not in PORTS and not self._allow_private:  # a second look: URLs are read in more ways than one
            raise AddressRefused(f"port {port} is not for pages", host)
        try:
            addresses = await checked_addresses(host, port, resolver, allow_private=self._allow_private)
        except OSError as e:
            raise FetchFailed("no such host") from e
        if not addresses:
            raise FetchFailed("no such host")
        return list(addresses)

    async def _connect(self, addresses: list[Address]) -> httpcore2.AsyncNetworkStream:
        *others, last = addresses
        for address in others:
            try:
                return await self._network.connect_tcp(address.ip, address.port, timeout=_FIRST_TRY)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._network.connect_tcp(last.ip, last.port)


class _Counted(httpcore2.AsyncNetworkStream):
    """A stream that tells the meter of whoever reads from it."""

    def __init__(self, inner: httpcore2.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore2's own
        received = await self._inner.read(max_bytes, timeout)
        current_meter().count(len(received))
        return received

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore2's own
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's own signature
    ) -> httpcore2.AsyncNetworkStream:
        return _Counted(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


# ------------------------------------------------------------------------------------------ meter

# How much one page has brought over the network, however it came: counted where it arrives, bounded by what it is.
#
# Knows bytes only; whoever reads from a socket counts, whoever asks for a page sets the bounds.

_HEAD_BYTES = 256_000  # of one reply before its body, interim replies included; the largest honest ones have 16 kB
_BODY_BYTES = 21_000_000  # a little over the largest page that is taken, see `agent.web.page_fetcher`


class ByteCounter:
    """What one page has brought over the network, over all its hops; ends a reply that goes on and on."""

    def __init__(self) -> None:
        self.received = 0  # bytes, TLS taken off
        self.connections = 0  # opened for it
        self._room = _HEAD_BYTES

    def expect_head(self) -> None:
        self._room = _HEAD_BYTES

    def expect_body(self) -> None:
        self._room = _BODY_BYTES

    def count(self, size: int) -> None:
        """Raises `FetchFailed` past what a reply's head or body may have."""
        self.received += size
        self._room -= size
        if self._room < 0:
            raise FetchFailed("too large a reply")


_METER: ContextVar[ByteCounter] = ContextVar("meter of the page that this task fetches")


@contextmanager
def metered() -> Iterator[ByteCounter]:
    """All that this task receives in here is counted; inside another one, by that one."""
    outer = _METER.get(None)
    if outer:
        yield outer
        return
    token = _METER.set(ByteCounter())
    try:
        yield _METER.get()
    finally:
        _METER.reset(token)


def current_meter() -> ByteCounter:
    """The one of the page that this task fetches; outside of any, one that nobody reads."""
    return _METER.get(None) or ByteCounter()


# ------------------------------------------------------------------------------------------ unpacking

# A body's content codings undone piece by piece, so that a small body cannot become a large one in memory or in time.
#
# Two layers at most, and each may give out only so much: between two layers a bomb can be hidden that comes out of
# the last one as nothing at all.  Knows gzip, deflate, br and zstd; a coding that it does not know is left as it is,
# which the look at the bytes will tell.

_PIECE = 1 << 18  # bytes that a layer gives out at a time
_LAYERS = 2  # one is usual, two happen by mistake
_MOST = 22_000_000  # bytes out of one layer: more than the largest page that is taken
_FRAMES = 1_000  # of zstd in one body: some servers send one for each flush, a hostile one millions of empty ones


class _Layer(Protocol):
    def unpack(self, packed: bytes) -> Iterator[bytes]:
        """What comes out, in pieces.  Raises `ValueError`."""
        ...


class _Zlib:
    """gzip, and deflate with or without zlib's own head: servers never agreed which is meant."""

    def __init__(self, window: int) -> None:
        self._inflate: Any = zlib.decompressobj(window)
        self._start: bytes | None = b"" if window == zlib.MAX_WBITS else None  # until it is known which is meant

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        if self._start is not None:
            self._start += packed
            if len(self._start) < 2:  # zlib's head
                return
            packed, self._start = self._start, None
            if not _has_zlib_head(packed):
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            piece = self._inflate.decompress(packed, _PIECE)
            while piece:
                yield piece
                piece = self._inflate.decompress(self._inflate.unconsumed_tail, _PIECE)
        except zlib.error as e:
            raise ValueError(str(e)) from e


def _has_zlib_head(start: bytes) -> bool:
    """RFC 1950, 2.2.  No raw deflate made in earnest begins so: it would be a stored block with bits in its padding."""
    return start[0] & 0x0F == 8 and (start[0] << 8 | start[1]) % 31 == 0


class _Brotli:
    def __init__(self) -> None:
        import brotli

        self._error: type[Exception] = brotli.error
        self._process: Callable[..., bytes] = brotli.Decompressor().process

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        try:
            piece = self._process(packed, output_buffer_limit=_PIECE)
            while piece:
                yield piece
                piece = self._process(b"", output_buffer_limit=_PIECE)
        except self._error as e:
            raise ValueError(str(e)) from e


class _Zstd:
    """One frame after another."""

    def __init__(self) -> None:
        if sys.version_info >= (3, 14):
            from compression import zstd  # type: ignore[import-not-found, unused-ignore]
        else:
            from backports import zstd
        self._new: Callable[[], Any] = zstd.ZstdDecompressor
        self._error: type[Exception] = zstd.ZstdError
        self._frame = self._new()
        self._frames = 1

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        try:
            while packed:
                if self._frame.eof:
                    self._next_frame()
                yield from self._pieces(packed)
                packed = self._frame.unused_data if self._frame.eof else b""
        except self._error as e:
            raise ValueError(str(e)) from e

    def _next_frame(self) -> None:
        self._frames += 1
        if self._frames > _FRAMES:
            raise ValueError("too many frames")
        self._frame = self._new()

    def _pieces(self, packed: bytes) -> Iterator[bytes]:
        piece = self._frame.decompress(packed, _PIECE)
        while piece:
            yield piece
            if self._frame.eof or self._frame.needs_input:
                return
            piece = self._frame.decompress(b"", _PIECE)


_LAYERS_BY_NAME: dict[str, Callable[[], _Layer]] = {
    "gzip": partial(_Zlib, zlib.MAX_WBITS | 16),
    "x-gzip": partial(_Zlib, zlib.MAX_WBITS | 16),
    "deflate": partial(_Zlib, zlib.MAX_WBITS),
    "br": _Brotli,
    "zstd": _Zstd,
}
UNPACKED = ("gzip", "deflate", "br", "zstd")  # what a server is told that we take


class Unpacker:
    """Undoes the codings of one body.  `encoding`: its Content-Encoding header."""

    def __init__(self, encoding: str) -> None:
        names = [name.strip().lower() for name in encoding.split(",")]
        known = [name for name in names if name in _LAYERS_BY_NAME]
        if len(known) > _LAYERS:
            raise FetchFailed("packed too many times over")
        self._layers = [_LAYERS_BY_NAME[name]() for name in reversed(known)]
        self._given = [0] * len(known)  # bytes out of each layer

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        """The pieces that this piece gives, each of 1/4 MB at most.  Raises `FetchFailed`."""
        pieces: Iterable[bytes] = (packed,)
        for place in range(len(self._layers)):
            pieces = self._through(place, pieces)
        yield from pieces

    def _through(self, place: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
        try:
            for packed in pieces:
                for piece in self._layers[place].unpack(packed):
                    self._given[place] += len(piece)
                    if self._given[place] > _MOST:
                        raise FetchFailed("unpacks to too much")
                    yield piece
        except ValueError as e:
            raise FetchFailed("garbled encoding") from e
