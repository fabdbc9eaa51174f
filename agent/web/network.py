"""Sockets of the page fetcher: only to addresses that were checked, and with every byte that comes back counted.

A name is looked up once and the connection goes to the very address that was checked, so that a DNS server which
answers differently the second time gains nothing.  Knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore2

from agent.errors import AddressRefused, FetchFailed
from agent.web.addresses import PORTS, Address, Resolver, checked_addresses
from agent.web.meter import current_meter

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
