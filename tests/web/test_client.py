"""The pinned client: which addresses it connects to, what it says of itself, and that nothing of it stays open."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import suppress

import pytest
import trustme

from agent.errors import AddressRefused, FetchFailed
from agent.web.address_guard import Address
from agent.web.http_client import Reach, open_client, user_agent
from tests.web_server import Request, WebServer, page

AGENT = user_agent("r1-research-agent", "1.2.3")


async def get(url: str, reach: Reach) -> str:
    async with open_client(AGENT, reach, connections=4) as client:
        return (await client.get(url)).text


async def test_it_says_honestly_who_it_is() -> None:
    async with WebServer({"/": page("hello")}) as web:
        await get(web.url("/"), Reach(allow_private=True))
    assert web.requests[0].headers["user-agent"] == (
        "r1-research-agent/1.2.3 (+https://pypi.org/project/r1-research-agent/)"
    )


async def test_a_private_address_is_refused_and_nothing_is_sent() -> None:
    async with WebServer({"/": page("secret")}) as web:
        with pytest.raises(AddressRefused):
            await get(web.url("/"), Reach())
        with pytest.raises(AddressRefused):
            await get("http://inside.example/", Reach(resolver=web.resolver(private=("inside.example",))))
    assert web.requests == []


async def test_a_name_keeps_its_host_header_on_the_checked_address() -> None:
    async with WebServer({"site.example/": page("hello")}) as web:
        assert await get("http://site.example/", Reach(resolver=web.resolver("site.example"))) == "hello"


async def test_the_sample_webs_hosts_reach_their_own_server_and_others_do_not() -> None:
    async with WebServer({"/": page("sample")}) as web:
        reach = Reach(resolver=web.resolver(), own_hosts=frozenset({"a.example"}), own_port=web.port)
        assert await get("http://a.example/", reach) == "sample"
        with pytest.raises(FetchFailed, match="no such host"):
            await get("http://b.example/", reach)


async def test_a_dns_that_changes_its_answer_gains_nothing() -> None:
    asked = 0
    async with WebServer({"/": page("hello")}) as web:

        async def rebinding(name: str, port: int) -> Sequence[Address]:
            nonlocal asked
            asked += 1
            return [Address("127.0.0.1", web.port, exempt=asked == 1)]

        async with open_client(AGENT, Reach(resolver=rebinding), connections=4) as client:
            assert (await client.get("http://site.example/", headers={"Connection": "close"})).text == "hello"
            await asyncio.sleep(0.05)
            with pytest.raises(AddressRefused):
                await asyncio.gather(*(client.get("http://site.example/") for _ in range(2)))


async def test_the_next_address_of_a_name_is_tried_where_one_does_not_answer() -> None:
    async with WebServer({"/": page("hello")}) as web:

        async def two(name: str, port: int) -> Sequence[Address]:
            return [Address("127.0.0.1", 1, exempt=True), Address("127.0.0.1", web.port, exempt=True)]

        assert await get("http://site.example/", Reach(resolver=two)) == "hello"


async def test_tls_is_checked_against_the_name_and_not_the_address() -> None:
    authority = trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("site.example").configure_cert(server_side)
    client_side = ssl.create_default_context()
    authority.configure_trust(client_side)
    async with WebServer({"/": page("hello")}, tls=server_side) as web:
        reach = Reach(resolver=web.resolver("site.example", "other.example"), tls=client_side)
        assert await get("https://site.example/", reach) == "hello"
        with pytest.raises(Exception, match=r"other\.example"):
            await get("https://other.example/", reach)


async def test_no_socket_is_left_when_it_is_closed() -> None:
    async with WebServer({"/": page("hello")}) as web:
        async with open_client(AGENT, Reach(allow_private=True), connections=4) as client:
            await asyncio.gather(*(client.get(web.url("/")) for _ in range(4)))
            assert web.connections > 0
        await asyncio.sleep(0.1)
        assert web.connections == 0


# ------------------------------------------------------------------------------------------------- proxies


async def test_a_proxy_is_used_and_resolves_by_itself() -> None:
    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await page(f"proxied {request.target}")(request, writer)

    async with WebServer({}) as web:
        web.pages["http://site.example/a"] = behave
        reach = Reach(resolver=web.resolver(), proxies={"http": web.url("")})
        assert await get("http://site.example/a", reach) == "proxied http://site.example/a"


async def test_https_goes_through_a_proxys_tunnel_and_is_checked_against_the_name() -> None:
    authority = trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("site.example").configure_cert(server_side)
    client_side = ssl.create_default_context()
    authority.configure_trust(client_side)
    asked: list[str] = []
    async with WebServer({"/": page("hello")}, tls=server_side) as web:

        async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode())
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", web.port)
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            await asyncio.wait(
                [asyncio.create_task(_pass_on(reader, far_writer)), asyncio.create_task(_pass_on(far_reader, writer))]
            )

        async with await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy:
            address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
            reach = Reach(resolver=web.resolver(), proxies={"https": address}, tls=client_side)
            assert await get("https://site.example/", reach) == "hello"
            with pytest.raises(Exception, match=r"other\.example"):
                await get("https://other.example/", reach)
    assert asked == ["CONNECT site.example:443 HTTP/1.1", "CONNECT other.example:443 HTTP/1.1"]


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(65_536):
            writer.write(piece)
    writer.close()


async def test_a_proxy_that_the_environment_names_does_not_get_round_the_checks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with WebServer({}) as proxy:
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy.url(""))
        with pytest.raises(AddressRefused):
            await get("http://inside.example/", Reach(resolver=proxy.resolver(private=("inside.example",))))
    assert proxy.requests == []


async def test_the_sample_webs_hosts_never_go_to_a_proxy() -> None:
    async with WebServer({"/": page("sample")}) as web:
        reach = Reach(
            resolver=web.resolver(),
            proxies={"http": "http://127.0.0.1:1"},
            own_hosts=frozenset({"a.example"}),
            own_port=web.port,
        )
        assert await get("http://a.example/", reach) == "sample"


@pytest.mark.parametrize(
    ("exceptions", "url", "proxied"),
    [
        ("", "http://a.example/", True),
        ("*", "http://a.example/", False),
        ("a.example", "http://a.example:8080/", False),
        ("example", "http://a.example/", False),
        (".a.example, b.example", "http://x.a.example/", False),
        ("*.a.example", "http://x.a.example/", False),
        ("a.example", "http://ba.example/", True),
        ("10.0.0.0/8", "http://10.1.2.3/", False),
        ("10.0.0.0/8", "http://11.1.2.3/", True),
        ("nonsense/8", "http://10.1.2.3/", True),
    ],
)
def test_no_proxy_is_honoured(exceptions: str, url: str, *, proxied: bool) -> None:
    reach = Reach(proxies={"http": "proxy.example:3128", "no": exceptions})
    assert reach.proxy_for(url) == ("http://proxy.example:3128" if proxied else None)


def test_each_scheme_has_its_proxy() -> None:
    reach = Reach(proxies={"https": "http://s.example", "all": "http://all.example"})
    assert reach.proxy_for("https://a.example/") == "http://s.example"
    assert reach.proxy_for("http://a.example/") == "http://all.example"


async def test_a_proxy_of_a_kind_that_is_not_spoken_is_named() -> None:
    with pytest.raises(FetchFailed, match=r"socks5://proxy\.example"):
        await get("http://a.example/", Reach(proxies={"http": "socks5://proxy.example:1080"}))
