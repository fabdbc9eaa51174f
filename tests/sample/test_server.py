"""The sample web over real sockets."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx2
import pytest

from agent.sample import QUESTION
from agent.sample.sample_server import SEARCH_HOST, SampleWeb, load
from agent.search.providers.sample import SampleSearch
from agent.types import Query

COST = "http://www.meridian-courier.example/technology/2025/02/what-the-5-5-million-figure-counts"


@pytest.fixture
async def web() -> AsyncIterator[SampleWeb]:
    async with SampleWeb() as web:
        yield web


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield client


async def get(client: httpx2.AsyncClient, web: SampleWeb, url: str, method: str = "GET") -> httpx2.Response:
    """As a fetcher does whose resolver brings the sample's hosts to its port."""
    parts = urlsplit(url)
    return await client.request(
        method, f"http://127.0.0.1:{web.port}{parts.path}", headers={"Host": parts.hostname or ""}
    )


async def raw(web: SampleWeb, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    writer.write(text)
    writer.write_eof()
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_every_address_is_served_as_the_manifest_says(web: SampleWeb, client: httpx2.AsyncClient) -> None:
    for page in load():
        reply = await get(client, web, page.entry.url)
        assert (reply.status_code, reply.content) == (page.entry.status, page.body), page.entry.url
        if page.body:
            assert reply.headers["content-type"] == page.entry.type
        assert reply.headers.get("location", "") == page.entry.location


async def test_redirects_lead_to_a_page_absolute_or_within_the_host(web: SampleWeb, client: httpx2.AsyncClient) -> None:
    bare = await get(client, web, COST.replace("www.", ""))
    assert (bare.status_code, bare.headers["location"]) == (301, COST)
    short = await get(client, web, "http://www.meridian-courier.example/r1")
    assert short.status_code == 302
    assert (await get(client, web, f"http://www.meridian-courier.example{short.headers['location']}")).is_success


@pytest.mark.parametrize(
    "url", ["http://stranger.example/", "http://www.meridian-courier.example/", "http://search.example/other"]
)
async def test_what_is_not_there_is_404(web: SampleWeb, client: httpx2.AsyncClient, url: str) -> None:
    assert (await get(client, web, url)).status_code == 404


async def test_no_path_leads_out_of_the_pages(web: SampleWeb) -> None:
    for path in (b"/../sample.json", b"/sample.json", b"/%2e%2e/%2e%2e/server.py", b"//etc/passwd"):
        reply = await raw(web, b"GET " + path + b" HTTP/1.1\r\nHost: www.meridian-courier.example\r\n\r\n")
        assert reply.startswith(b"HTTP/1.1 404")


async def test_a_head_request_gets_no_body_and_anything_else_is_refused(
    web: SampleWeb, client: httpx2.AsyncClient
) -> None:
    head = await get(client, web, COST, "HEAD")
    assert head.status_code == 200
    assert head.content == b""
    assert int(head.headers["content-length"]) > 1000
    assert (await get(client, web, COST, "POST")).status_code == 405


async def test_a_connection_serves_several_requests(web: SampleWeb) -> None:
    one = b"GET / HTTP/1.1\r\nHost: search.example\r\n\r\n"
    assert (await raw(web, one * 3)).count(b"HTTP/1.1 404") == 3
    closing = b"GET / HTTP/1.1\r\nHost: search.example\r\nConnection: close\r\n\r\n"
    assert (await raw(web, closing * 3)).count(b"HTTP/1.1 404") == 1


@pytest.mark.parametrize("text", [b"", b"\r\n\r\n", b"nonsense\r\n\r\n", b"GET /\r\n\r\n", b"GET " + b"x" * 100_000])
async def test_what_is_no_request_ends_the_connection_and_nothing_else(
    web: SampleWeb, client: httpx2.AsyncClient, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert await raw(web, text) == b""
    assert (await get(client, web, COST)).status_code == 200
    assert caplog.records == []


async def test_many_may_ask_at_once(web: SampleWeb, client: httpx2.AsyncClient) -> None:
    replies = await asyncio.gather(*(get(client, web, COST) for _ in range(50)))
    assert {reply.status_code for reply in replies} == {200}


async def test_the_search_answers_on_its_own_host_and_on_loopback_only(
    web: SampleWeb, client: httpx2.AsyncClient
) -> None:
    reply = await client.get(web.search_url, params={"q": "R1-Zero", "limit": "3"})
    assert len(reply.json()["results"]) == 3
    assert (await get(client, web, f"http://{SEARCH_HOST}/search")).json() == {"results": []}
    assert (await get(client, web, "http://www.meridian-courier.example/search")).status_code == 404


@pytest.mark.parametrize("limit", ["", "-1", "x", "1e9", "0", "9" * 30])
async def test_a_strange_limit_is_bounded(web: SampleWeb, client: httpx2.AsyncClient, limit: str) -> None:
    reply = await client.get(web.search_url, params={"q": "R1", "limit": limit})
    assert len(reply.json()["results"]) <= 50


async def test_the_hosts_are_those_of_the_pages_and_the_search(web: SampleWeb) -> None:
    assert web.hosts == {urlsplit(page.entry.url).hostname for page in load()} | {SEARCH_HOST}


async def test_two_webs_run_side_by_side(client: httpx2.AsyncClient) -> None:
    async with SampleWeb() as one, SampleWeb() as other:
        assert one.port != other.port
        assert one.hosts == other.hosts
        assert (await get(client, one, COST)).content == (await get(client, other, COST)).content


async def test_nothing_is_left_when_it_ends_even_with_clients_connected(caplog: pytest.LogCaptureFixture) -> None:
    before = asyncio.all_tasks()
    async with SampleWeb() as web:
        port = web.port
        idle = await asyncio.open_connection("127.0.0.1", port)
        half = await asyncio.open_connection("127.0.0.1", port)
        half[1].write(b"GET / HT")
        async with httpx2.AsyncClient(trust_env=False) as client:
            await get(client, web, COST)
        await asyncio.sleep(0.02)
        assert len(asyncio.all_tasks()) > len(before)
    assert asyncio.all_tasks() == before
    assert await idle[0].read() == b""
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)
    for _, writer in (idle, half):
        writer.close()
    assert caplog.records == []


async def test_the_product_finds_pages_through_its_own_provider(web: SampleWeb, client: httpx2.AsyncClient) -> None:
    hits = await SampleSearch(client, web.search_url).search(Query(QUESTION), limit=8)
    assert hits[0].url == COST
    assert hits[0].published == "2025-02-03"
    assert [hit.rank for hit in hits] == list(range(1, 9))


def test_the_question_is_printed_for_make() -> None:
    told = subprocess.run([sys.executable, "-m", "agent.sample"], capture_output=True, text=True, check=True)
    assert told.stdout == QUESTION + "\n"
