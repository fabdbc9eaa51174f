"""Where pages may be fetched from: our own table of what is not public, and who turns names into addresses.

Addresses that come from search results, pages, redirects or a question must not reach into the user's machine or
network.  Python's `ipaddress.is_global` is no guard (it is True for 192.0.0.192, a cloud's metadata service), so the
table is ours.  Knows nothing of HTTP; endpoints that the user configures are not checked here.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from agent.errors import AddressRefused
from agent.text.urls import host, ip_literal, is_local_host

PORTS = frozenset({80, 443, 8080, 8443})
LONGEST = 8_000  # characters of a URL; RFC 9110, 4.1, asks servers to take at least so many

# IANA's special-purpose registry for IPv4 (2025), multicast, the reserved end, and one cloud's public-looking insides.
_NOT_PUBLIC_4 = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's wire server: answers inside every machine there
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",  # with 192.0.0.192, Oracle Cloud's metadata
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]
_PUBLIC_6 = IPv6Network("2000::/3")  # all that is given out as global unicast; the rest is not public
_NOT_PUBLIC_6 = [
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocols' own: Teredo, benchmarking, ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4: out of use (RFC 7526), and hides an IPv4 address
        "3fff::/20",
    )
]
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: how machines without IPv4 see every IPv4 site


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """May a page live there?  Addresses that wrap an IPv4 address are judged by that one."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address.ipv4_mapped:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _PUBLIC_6 and not any(address in network for network in _NOT_PUBLIC_6)


# ------------------------------------------------------------------------------------------------- a URL


def check_url(url: str, *, allow_private: bool = False, by_name: bool = False) -> None:
    """Refuse what can be refused before anything is sent.  Raises `AddressRefused`.

    `by_name`: a proxy will look the name up, so names of this machine and its network are refused as well.
    """
    if len(url) > LONGEST:
        raise AddressRefused(f"an address of over {LONGEST:,} characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as e:
        raise AddressRefused("not an address", url) from e
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise AddressRefused("not an http(s) address", url)
    if "@" in parts.netloc:
        raise AddressRefused("a user name in the address", url)
    if allow_private:
        return
    if port is not None and port not in PORTS:
        raise AddressRefused(f"port {port} is not for pages", url)
    literal = ip_literal(host(url))
    if (literal and not is_public(literal)) or (by_name and is_local_host(url)):
        raise AddressRefused("private address", url)


# ------------------------------------------------------------------------------------------------- a name


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect to.  `exempt`: the built-in sample web's own, the one exception from the table."""

    ip: str
    port: int
    exempt: bool = False


Resolver = Callable[[str, int], Awaitable[Sequence[Address]]]
"""A host name and a port to addresses, in order of preference.  Raises `OSError` where there are none."""


async def system_resolver(name: str, port: int) -> Sequence[Address]:
    """The system's own.  In a daemon thread: a look-up that hangs must hold up neither the loop nor the exit."""
    answer: Future[list[Address]] = Future()
    answer.set_running_or_notify_cancel()  # from here on a cancel is the waiter's own affair

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except OSError as e:
            answer.set_exception(e)
        except UnicodeError as e:  # a label that is empty or too long
            answer.set_exception(OSError(str(e)))
        else:
            answer.set_result([Address(str(where[0]), port) for *_, where in found])

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    return await asyncio.wrap_future(answer)


def exempting(hosts: frozenset[str], port: int, inner: Resolver) -> Resolver:
    """`hosts` are served by this very program on loopback at `port`; all other names go to `inner`."""

    async def resolve(name: str, wanted: int) -> Sequence[Address]:
        if name.lower().rstrip(".") in hosts:
            return [Address("127.0.0.1", port, exempt=True)]
        return await inner(name, wanted)

    return resolve


async def checked_addresses(name: str, port: int, resolver: Resolver, *, allow_private: bool) -> Sequence[Address]:
    """What a name stands for, asked once.  One address that is not public spoils them all: raises `AddressRefused`."""
    literal = ip_literal(name)
    addresses = [Address(str(literal), port)] if literal else await resolver(name, port)
    for address in addresses:
        if not (allow_private or address.exempt or is_public(ip_address(address.ip.split("%", 1)[0]))):
            raise AddressRefused("private address", name)
    return addresses
