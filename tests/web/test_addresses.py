"""What is public and what is not, in every spelling."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import AddressRefused, PageError
from agent.web.address_guard import Address, check_url, checked_addresses, exempting, is_public, system_resolver
from agent.web.http_client import Backend, Reach, open_client
from agent.web.page_fetcher import HttpFetcher
from tests.parts import FixedClock


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:7f00:1::",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_that_is_not_public_is_known(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_an_address_that_is_public_is_known(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_nothing_is_public_that_python_calls_private(address: IPv4Address | IPv6Address) -> None:
    wrapping = isinstance(address, IPv6Address) and (address.ipv4_mapped or address in IPv6Network("64:ff9b::/96"))
    if not wrapping and (address.is_private or address.is_multicast or address.is_reserved):
        assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://0/",
        "http://127.0.0.1./",
        "http://[::1]/",
        "http://[::ffff:7f00:1]/",
        "http://[64:ff9b::10.0.0.1]/",
        "http://①②⑦.⓪.⓪.①/",
        "http://%31%32%37.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1%25eth0]/",
    ],
)
def test_a_literal_private_address_is_refused_in_every_spelling(url: str) -> None:
    with pytest.raises(AddressRefused, match="private address"):
        check_url(url)


INSIDE = [
    "http://0/",
    "http://0000.0.0.0/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0177.1/",
    "http://0127.0.0.1/",
    "http://017700000001/",
    "http://0X7F000001/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://4294967297/",
    "http://127.0.0.256/",
    "http://127.0.0.1.:80/",
    "http://127.0.0.1:/",
    "http://127.0.0.1:00080/",
    "HTTP://127.0.0.1/",
    " http://127.0.0.1/",
    "http://12\t7.0.0.1/",
    "http://12\n7.0.0.1/",
    "http://127.0.0.1%20/",
    "http://127.0.0.1\u200b/",
    "http://1\u00ad27.0.0.1/",
    "http://127。0。0。1/",
    "http://127｡0｡0｡1/",
    "http://127．0．0．1/",
    "http://１２７.０.０.１/",
    "http://۱۲۷.۰.۰.۱/",
    "http://%31%32%37.0.0.1/",
    "http://localhost/",
    "http://localhost./",
    "http://LOCALHOST/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "http://%6c%6f%63%61%6c%68%6f%73%74/",
    "http://localhost%00.example/",
    "http://[::]/",
    "http://[::1%lo]/",
    "http://[::127.0.0.1]/",
    "http://[0:0:0:0:0:ffff:7f00:1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:0001::]/",
    "http://[2001:0:7f00:1::]/",
    "http://[fe80::1]/",
    "http://xn--127.0.0.1-/",
    "http://%2531%32%37.0.0.1/",
    "http://127.0.0.1:80@site.example/",
    "http://site.example:80@127.0.0.1/",
    "http://site.example\\@127.0.0.1/",
    "http:\\\\127.0.0.1\\",
    "http:///127.0.0.1/",
    "http://site.example:8081/",
    "http://site.example:22/",
]


@pytest.mark.parametrize("url", INSIDE)
async def test_no_spelling_of_an_address_leads_inside(url: str) -> None:
    """Not even where every name that is looked up leads there."""

    async def inside(name: str, port: int) -> Sequence[Address]:
        return [Address("127.0.0.1", port)]

    reach = Reach(resolver=inside)
    async with open_client("test", reach, connections=1) as client:
        fetcher = HttpFetcher(client, reach, FixedClock(), seconds=2)
        with pytest.raises(PageError) as refusal:
            await fetcher.fetch(url)
        assert refusal.value.reason in {
            "private address",
            "not an address",
            "not an http(s) address",
            "a user name in the address",
            "port 8081 is not for pages",
            "port 22 is not for pages",
        }


async def test_a_port_is_looked_at_again_where_the_connection_is_made() -> None:
    async def public(name: str, port: int) -> Sequence[Address]:
        return [Address("127.0.0.1", port, exempt=True)]

    with pytest.raises(AddressRefused, match="port 22"):
        await Backend(public, allow_private=False).connect_tcp("site.example", 22, timeout=1)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", r"not an http\(s\) address"),
        ("gopher://a.example/", r"not an http\(s\) address"),
        ("javascript:alert(1)", r"not an http\(s\) address"),
        ("http:///path", r"not an http\(s\) address"),
        ("http://user:pass@a.example/", "user name"),
        ("http://a.example@127.0.0.1/", "user name"),
        ("http://a.example:22/", "port 22"),
        ("http://a.example:99999/", "not an address"),
        ("http://[broken/", "not an address"),
        (f"http://a.example/{'x' * 8_000}", "over 8,000 characters"),
    ],
)
def test_what_is_not_a_plain_web_address_is_refused(url: str, reason: str) -> None:
    with pytest.raises(AddressRefused, match=reason):
        check_url(url)


@pytest.mark.parametrize("url", ["http://a.example/", "https://a.example:8443/x", "http://8.8.8.8:8080/"])
def test_a_plain_web_address_passes(url: str) -> None:
    check_url(url)


def test_private_addresses_and_any_port_pass_where_they_are_allowed() -> None:
    check_url("http://127.0.0.1:12345/", allow_private=True)


def test_a_file_address_never_passes() -> None:
    with pytest.raises(AddressRefused):
        check_url("file:///etc/passwd", allow_private=True)


@pytest.mark.parametrize("url", ["http://localhost/", "http://printer/", "http://x.internal/"])
def test_names_of_the_own_network_are_refused_where_a_proxy_would_look_them_up(url: str) -> None:
    check_url(url)
    with pytest.raises(AddressRefused):
        check_url(url, by_name=True)


async def answers(*ips: str) -> Sequence[Address]:
    async def resolver(name: str, port: int) -> Sequence[Address]:
        return [Address(ip, port) for ip in ips]

    return await checked_addresses("a.example", 80, resolver, allow_private=False)


async def test_a_public_name_gives_its_addresses() -> None:
    assert await answers("1.1.1.1", "2606:4700::1") == [Address("1.1.1.1", 80), Address("2606:4700::1", 80)]


async def test_one_private_address_spoils_a_name() -> None:
    with pytest.raises(AddressRefused):
        await answers("1.1.1.1", "127.0.0.1")


async def test_a_scoped_private_address_is_refused() -> None:
    with pytest.raises(AddressRefused):
        await answers("fe80::1%eth0")


async def test_a_literal_is_never_asked_of_a_resolver() -> None:
    async def resolver(name: str, port: int) -> Sequence[Address]:
        raise AssertionError(name)

    assert await checked_addresses("0x08080808", 80, resolver, allow_private=False) == [Address("8.8.8.8", 80)]


async def test_only_the_sample_webs_own_hosts_are_exempt() -> None:
    async def inner(name: str, port: int) -> Sequence[Address]:
        return [Address("127.0.0.1", port)]

    resolver = exempting(frozenset({"pages.example"}), 4242, inner)
    assert await checked_addresses("PAGES.example.", 80, resolver, allow_private=False) == [
        Address("127.0.0.1", 4242, exempt=True)
    ]
    with pytest.raises(AddressRefused):
        await checked_addresses("other.example", 80, resolver, allow_private=False)


async def test_the_systems_resolver_knows_this_machine() -> None:
    assert "127.0.0.1" in {address.ip for address in await system_resolver("localhost", 80)}


@pytest.mark.parametrize("name", ["a..b", "x" * 300 + ".example"])
async def test_a_name_that_cannot_be_one_is_not_found(name: str) -> None:
    with pytest.raises(OSError, match=r"."):
        await system_resolver(name, 80)
