"""The HTTP client of one run: connects only to addresses that were checked, and says honestly who it is.

TLS and the Host header keep the name whose address was checked.  Through a proxy the look-up is the proxy's, and so is
the responsibility for it.  Knows nothing of pages, redirects or sizes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpcore2
import httpx2

from agent.errors import FetchFailed
from agent.text.urls import host, ip_literal
from agent.web.addresses import Resolver, exempting, system_resolver
from agent.web.network import Backend
from agent.web.unpacking import UNPACKED

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
