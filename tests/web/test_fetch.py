"""Fetching: what comes back, what is refused, and that every failure has a short plain reason within its time."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.errors import FetchFailed, PageError
from agent.types import Page
from agent.web.http_client import Reach, open_client
from agent.web.page_fetcher import REAL_TIME, FetchPolicy, FolderFetcher, HttpFetcher, Timer
from tests.parts import FixedClock
from tests.web_server import (
    Behaviour,
    Request,
    WebServer,
    article,
    bomb,
    drip,
    endless,
    hang,
    head,
    in_turn,
    page,
    raw,
    redirect,
    reset,
    slow,
)

HTML = "<!doctype html><html><body><p>hello</p></body></html>"
TOO_LARGE = "too large (over 20 MB)"
OPEN = Reach(allow_private=True)
AT_ONCE = FetchPolicy(between=0)


class PassingTime:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []
        self.timer = Timer(lambda: self.at, self._sleep)

    async def _sleep(self, seconds: float) -> None:
        ends = self.at + seconds
        self.slept.append(seconds)
        await asyncio.sleep(0)
        self.at = max(self.at, ends)


@asynccontextmanager
async def fetching(reach: Reach = OPEN, seconds: float = 2.0, timer: Timer = REAL_TIME) -> AsyncIterator[HttpFetcher]:
    async with open_client("test/1", reach, connections=8) as client:
        manners = FetchPolicy(between=0, timer=timer)
        yield HttpFetcher(client, reach, FixedClock(), seconds=seconds, manners=manners)


async def fetched(behaviour: Behaviour, *, seconds: float = 2.0, path: str = "/page") -> Page:
    async with WebServer({path: behaviour}) as web, fetching(seconds=seconds) as fetcher:
        return await fetcher.fetch(web.url(path))


async def reason(behaviour: Behaviour, *, seconds: float = 2.0) -> str:
    with pytest.raises(PageError) as failure:
        await fetched(behaviour, seconds=seconds)
    return failure.value.reason


async def test_a_page_comes_with_its_address_kind_and_time() -> None:
    behaviour = page(HTML, type="text/html; charset=ISO-8859-1", headers={"ETag": '"x"', "Last-Modified": "Mon"})
    async with WebServer({"/a": behaviour}) as web, fetching() as fetcher:
        got = await fetcher.fetch(web.url("/a#part"))
        assert got == Page(
            web.url("/a"), HTML.encode(), "text/html", "2026-11-24T12:00:00+00:00", "iso-8859-1", '"x"', "Mon"
        )


async def test_a_redirect_is_followed_and_the_last_address_told() -> None:
    pages = {"/a": redirect("/b?x=1#y", 301), "/b": redirect("c", 308), "/c": page(HTML)}
    async with WebServer(pages) as web, fetching() as fetcher:
        assert (await fetcher.fetch(web.url("/a"))).url == web.url("/c")


async def test_five_redirects_are_followed_and_no_more() -> None:
    pages = {f"/{n}": redirect(f"/{n + 1}") for n in range(6)} | {"/6": page(HTML)}
    async with WebServer(pages) as web, fetching() as fetcher:
        assert (await fetcher.fetch(web.url("/1"))).url == web.url("/6")
    async with WebServer(pages) as web, fetching() as fetcher:
        with pytest.raises(FetchFailed, match="too many redirects"):
            await fetcher.fetch(web.url("/0"))
    assert web.paths == [f"/{n}" for n in range(6)], "the last address is not asked for"


async def test_a_loop_of_redirects_ends() -> None:
    assert await reason(redirect("/page")) == "too many redirects"


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("http://127.0.0.1:{port}/secret", "port {port} is not for pages"),
        ("http://127.0.0.1/secret", "private address"),
        ("http://[::ffff:127.0.0.1]/secret", "private address"),
        ("http://2130706433/secret", "private address"),
        ("//inside.example/secret", "private address"),
        ("http://169.254.169.254/latest/meta-data/", "private address"),
        ("http://user:pass@site.example/secret", "a user name in the address"),
        ("file:///etc/passwd", "not an http(s) address"),
        ("gopher://site.example/", "not an http(s) address"),
        ("javascript:alert(1)", "not an http(s) address"),
        ("http://[zz]/", "not an address"),
        ("http://nowhere.example/", "no such host"),
    ],
)
async def test_a_redirect_to_where_pages_are_not_is_refused(location: str, told: str) -> None:
    async with WebServer() as web:
        web.pages = {"/a": redirect(location.format(port=web.port)), "/secret": page("secret")}
        reach = Reach(resolver=web.resolver("site.example", private=("inside.example",)))
        async with fetching(reach) as fetcher:
            with pytest.raises(PageError) as failure:
                await fetcher.fetch("http://site.example/a")
        assert failure.value.reason == told.format(port=web.port)
    assert web.paths == ["/a"]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://localhost/", "http://0x7f.1/", "http://①②⑦.⓪.⓪.①/", "http://[::1]/"]
)
async def test_a_private_address_is_refused(url: str) -> None:
    async with fetching(Reach()) as fetcher:
        with pytest.raises(PageError, match="private address"):
            await fetcher.fetch(url)


async def test_behind_a_proxy_private_addresses_are_refused_all_the_same() -> None:
    async with WebServer({}) as proxy, fetching(Reach(proxies={"http": proxy.url("")})) as fetcher:
        for url in ("http://127.0.0.1/", "http://localhost/"):
            with pytest.raises(PageError, match="private address"):
                await fetcher.fetch(url)
    assert proxy.requests == []


@pytest.mark.parametrize("status", [202, 204, 206, 400, 401, 403, 404, 410, 418, 429, 500, 503])
async def test_a_status_that_is_no_page_is_told(status: int) -> None:
    told = await reason(page(HTML if status != 204 else "", status=status))
    assert told == ("empty page" if status == 204 else str(status))


async def test_a_busy_server_is_asked_once_more_after_its_pause() -> None:
    busy = page("", status=429, headers={"Retry-After": "1"})
    passing = PassingTime()
    async with WebServer({"/a": in_turn(busy, page(HTML))}) as web, fetching(seconds=8, timer=passing.timer) as fetcher:
        assert (await fetcher.fetch(web.url("/a"))).body == HTML.encode()
    assert passing.slept == [pytest.approx(1)]


async def test_a_server_that_stays_busy_is_not_asked_a_third_time() -> None:
    busy = page("", status=503, headers={"Retry-After": "0"})
    async with WebServer({"/": busy}) as web, fetching() as fetcher:
        with pytest.raises(FetchFailed, match="503"):
            await fetcher.fetch(web.url("/"))
    assert len(web.requests) == 2


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ("60", "429 (asks to wait 60 s)"),
        ("999999999", "429 (asks to wait 999999999 s)"),
        ("Tue, 24 Nov 2026 12:01:00 GMT", "429 (asks to wait 60 s)"),
        ("nonsense", "429"),
        ("-1", "429"),
        ("9" * 400, "429"),
        ("0x10", "429"),
        ("NaN", "429"),
        ("٣", "429"),
    ],
)
async def test_a_pause_that_is_too_long_or_no_time_is_not_waited_for(wish: str, told: str) -> None:
    headers = {"Retry-After": wish.encode().decode("latin-1"), "Date": "Tue, 24 Nov 2026 12:00:00 GMT"}
    assert await reason(page("", status=429, headers=headers)) == told


async def test_while_a_host_asks_to_wait_its_other_pages_are_not_asked_for() -> None:
    busy = page("", status=429, headers={"Retry-After": "60"})
    async with WebServer({"/a": busy, "/b": page(HTML)}) as web, fetching() as fetcher:
        for path in ("/a", "/b"):
            with pytest.raises(FetchFailed, match="asks to wait 60 s"):
                await fetcher.fetch(web.url(path))
    assert web.paths == ["/a"]


async def test_two_pages_of_a_host_are_asked_for_one_after_the_other() -> None:
    async with (
        WebServer({path: page(HTML) for path in ("/a", "/b", "/c")}) as web,
        open_client("test/1", OPEN, connections=8) as client,
    ):
        passing = PassingTime()
        manners = FetchPolicy(between=0.2, timer=passing.timer)
        fetcher = HttpFetcher(client, OPEN, FixedClock(), seconds=5, manners=manners)
        await asyncio.gather(*(fetcher.fetch(web.url(path)) for path in ("/a", "/b", "/c")))
    assert passing.at == pytest.approx(0.4)


async def test_an_address_that_two_pages_lead_to_is_fetched_once() -> None:
    pages = {"/a": redirect("/c"), "/b": redirect("/c#part"), "/c": page(HTML)}
    async with WebServer(pages) as web, fetching() as fetcher:
        await fetcher.fetch(web.url("/a"))
        with pytest.raises(FetchFailed) as failure:
            await fetcher.fetch(web.url("/b"))
        assert failure.value.reason == f"same page as {web.url('/a')}"
    assert web.paths == ["/a", "/c", "/b"]


async def test_redirects_and_pages_of_a_host_share_a_connection() -> None:
    pages = {"/a": redirect("/b"), "/b": page("moved " * 100, status=301, headers={"Location": "/c"}), "/c": page(HTML)}
    async with WebServer(pages) as web, fetching() as fetcher:
        await fetcher.fetch(web.url("/a"))
        assert (len(web.requests), web.accepted) == (3, 1)


@pytest.mark.parametrize(
    "rest",
    [hang(head(302, {"Location": "/b"})), endless(b"x"), raw(head(302, {"Location": "/b", "Content-Length": "9"}))],
)
async def test_the_rest_of_a_redirect_is_not_waited_for(rest: Behaviour) -> None:
    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head(302, {"Location": "/b"}))
        await rest(request, writer)

    async with WebServer({"/a": behave, "/b": page(HTML)}) as web, fetching() as fetcher:
        assert (await fetcher.fetch(web.url("/a"))).url == web.url("/b")


async def test_a_server_that_hangs_up_between_two_requests_is_asked_on_a_new_connection() -> None:
    hangs_up = raw(head(302, {"Location": "/b", "Content-Length": "0"}))
    async with WebServer({"/a": hangs_up, "/b": page(HTML)}) as web, fetching() as fetcher:
        assert (await fetcher.fetch(web.url("/a"))).url == web.url("/b")
        assert web.accepted == 2


async def test_a_server_that_only_hangs_up_is_asked_once() -> None:
    async with WebServer({"/a": raw(b"")}) as web, fetching() as fetcher:
        with pytest.raises(FetchFailed, match="broke off"):
            await fetcher.fetch(web.url("/a"))
        assert web.accepted == 1


async def test_no_cookie_is_kept() -> None:
    pages = {"/a": page(HTML, headers={"Set-Cookie": "who=you; Path=/"}), "/b": page(HTML)}
    async with WebServer(pages) as web, fetching() as fetcher:
        for path in pages:
            await fetcher.fetch(web.url(path))
    assert all("cookie" not in request.headers for request in web.requests)


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        (hang(), "no answer in time"),
        (hang(b"HTTP/1.1 200"), "no answer in time"),
        (hang(head(200, {"Content-Type": "text/html"})), "stopped halfway"),
        (hang(head(200, {"Content-Type": "text/html"}) + b"<p>half"), "stopped halfway"),
        (drip(b"<p>x", every=0.05), "timed out"),
        (in_turn(slow(redirect("/page"), 0.3)), "timed out"),
    ],
)
async def test_a_page_that_takes_too_long_is_left_at_its_deadline(behaviour: Behaviour, told: str) -> None:
    """The first byte has two thirds of a page's time, a silence in the body two fifths."""
    assert await reason(behaviour, seconds=0.6) == told


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        (reset(), "the connection broke off"),
        (raw(b""), "the connection broke off"),
        (raw(b"nonsense\r\n\r\n"), "the connection broke off"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<p>half"), "the connection broke off"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n<p>"), "the connection broke off"),
        (raw(head(200, {"X": "y" * 200_000})), "the connection broke off"),
        (raw(head(200, {"Content-Encoding": "gzip", "Content-Length": "9"}) + b"not gzip!"), "garbled encoding"),
        (page("", type="text/html"), "empty page"),
        (page(b"\x89PNG\r\n\x1a\n" + b"\0" * 100, type="text/html"), "not text (image/png)"),
        (page(b"PK\x03\x04" + b"\0" * 100, type="text/html"), "not text (a ZIP or Office file)"),
        (page(bytes(range(256)) * 40, type="text/html"), "not text (binary data)"),
        (page("body {}", type="text/css"), "not a page (text/css)"),
        (page("<svg></svg>", type="image/svg+xml"), "not a page (image/svg+xml)"),
        (page("a: 1", type="application/json"), "not a page (application/json)"),
        (page("<?xml version='1.0'?><urlset></urlset>", type="application/xml"), "not a page (XML)"),
        (page(b"%PDF-1.7" + b"x" * 5_000, headers={"Content-Length": "99999999"}), TOO_LARGE),
        (page(gzip.compress(b"%PDF-1.7" + b"x" * 21_000_000), headers={"Content-Encoding": "gzip"}), TOO_LARGE),
    ],
)
async def test_what_is_no_page_is_told_in_plain_words(behaviour: Behaviour, told: str) -> None:
    assert await reason(behaviour) == told


async def test_where_nothing_listens_there_is_no_connection() -> None:
    async with WebServer() as web:
        url = web.url("/")
    async with fetching() as fetcher:
        with pytest.raises(FetchFailed, match="no connection"):
            await fetcher.fetch(url)


async def test_a_host_that_does_not_exist_is_told() -> None:
    async with WebServer() as web, fetching(Reach(resolver=web.resolver())) as fetcher:
        with pytest.raises(FetchFailed, match="no such host"):
            await fetcher.fetch("http://nowhere.example/")


async def test_a_certificate_that_is_not_trusted_is_told() -> None:
    import ssl

    import trustme

    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(server_side)
    async with WebServer({"/": page(HTML)}, tls=server_side) as web, fetching() as fetcher:
        with pytest.raises(FetchFailed, match="bad certificate"):
            await fetcher.fetch(web.url("/"))


async def test_an_endless_page_is_cut_and_its_connection_closed() -> None:
    async with WebServer({"/": endless(b"<p>more</p>" * 1_000)}) as web, fetching(seconds=10) as fetcher:
        assert len((await fetcher.fetch(web.url("/"))).body) == 2_000_000
        while web.connections:
            await asyncio.sleep(0.01)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")
async def test_a_bomb_costs_no_memory() -> None:
    payload, pages = bomb(200), os.sysconf("SC_PAGE_SIZE")

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * pages

    before = resident()
    got = await fetched(page(payload, headers={"Content-Encoding": "gzip"}))
    assert len(got.body) == 2_000_000
    assert resident() - before < 30_000_000


@pytest.mark.parametrize(
    ("body", "declared", "path", "kind"),
    [
        (HTML.encode(), "", "/page", "text/html"),
        (HTML.encode(), "application/octet-stream", "/page", "text/html"),
        (HTML.encode(), "text/plain", "/page", "text/plain"),
        (HTML.encode("utf-16"), "text/html", "/page", "text/html"),
        (HTML.encode("utf-16-le"), "text/html", "/page", "text/html"),
        (b"<p>" + b"a\0b" * 10 + b"x" * 4_000, "text/html", "/page", "text/html"),
        (b"\xef\xbb\xbf" + HTML.encode(), "text/html", "/page", "text/html"),
        (b"just words", "text/html", "/page", "text/plain"),
        (b"# Head", "text/plain", "/read.md", "text/markdown"),
        (b"# Head", "text/markdown; charset=utf-8", "/page", "text/markdown"),
        (b"words", "text/plain", "/notes.txt", "text/plain"),
        (b"words < more", "", "/notes.txt", "text/plain"),
        (HTML.encode(), "text/html", "/README.md", "text/html"),
        (b"%PDF-1.7 ...", "text/html", "/page", "application/pdf"),
        (b"\n\n%PDF-1.7 ...", "application/pdf", "/page", "application/pdf"),
        (b"<?xml version='1.0'?><!DOCTYPE html><html/>", "application/xhtml+xml", "/page", "text/html"),
    ],
)
async def test_the_kind_of_a_page_is_told_from_its_bytes(body: bytes, declared: str, path: str, kind: str) -> None:
    assert (await fetched(page(body, type=declared), path=path)).media_type == kind


async def test_many_pages_at_once_leave_no_task_and_no_socket_when_cancelled() -> None:
    before = asyncio.all_tasks()
    async with WebServer({"/": hang()}) as web:
        serving = asyncio.all_tasks()
        async with fetching(seconds=60) as fetcher:
            tasks = [asyncio.create_task(fetcher.fetch(web.url("/"))) for _ in range(6)]
            await asyncio.sleep(0.2)
            assert web.connections == 6
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.05)
        assert (web.connections, asyncio.all_tasks() - serving) == (0, set())
    assert asyncio.all_tasks() == before


# ------------------------------------------------------------------------------------------------- files


async def test_a_file_below_the_folder_is_read(tmp_path: Path) -> None:
    path = tmp_path / "über uns" / "a b.md"
    path.parent.mkdir()
    path.write_text("# Head")
    got = await FolderFetcher(tmp_path, FixedClock()).fetch(path.as_uri())
    assert (got.body, got.media_type, got.url) == (b"# Head", "text/markdown", path.as_uri())


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("a.txt", b"see <div> in HTML", "text/plain"),
        ("a.html", b"<div>x</div>", "text/html"),
        ("a.markdown", b"# x", "text/markdown"),
        ("a.pdf", b"%PDF-1.7", "application/pdf"),
    ],
)
async def test_the_kind_of_a_file_is_told(tmp_path: Path, name: str, body: bytes, kind: str) -> None:
    (tmp_path / name).write_bytes(body)
    assert (await FolderFetcher(tmp_path, FixedClock()).fetch((tmp_path / name).as_uri())).media_type == kind


async def test_links_and_dots_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "root-secret").mkdir()
    (tmp_path / "root-secret" / "b.txt").write_text("secret")
    (tmp_path / "a.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "a.txt")
    fetcher = FolderFetcher(root, FixedClock())
    for url in ("/link.txt", "/../a.txt", "/%2e%2e/a.txt", "/../root-secret/b.txt"):
        with pytest.raises(FetchFailed, match="outside the folder"):
            await fetcher.fetch(f"file://{root}{url}")


async def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    (tmp_path / "link.txt").symlink_to(tmp_path / "a.txt")
    assert (await FolderFetcher(tmp_path, FixedClock()).fetch((tmp_path / "link.txt").as_uri())).body == b"words"


async def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    fetcher = FolderFetcher(tmp_path, FixedClock())
    for url, told in {
        f"file://{tmp_path}": "not a file",
        f"file://{tmp_path}/pipe": "not a file",
        f"file://{tmp_path}/none": "no such file",
        f"file://{tmp_path}/loop": "not a file",
        f"file://{tmp_path}/a%00b": "not a file",
        f"file://{tmp_path}/{'x' * 5_000}": "not a file",
        "file://elsewhere/etc/passwd": "not a file address",
        "http://a.example/": "not a file address",
    }.items():
        with pytest.raises(FetchFailed) as failure:
            await fetcher.fetch(url)
        assert failure.value.reason == told


async def test_a_text_file_is_cut_at_two_megabytes(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"word " * 1_000_000)
    assert len((await FolderFetcher(tmp_path, FixedClock()).fetch((tmp_path / "a.txt").as_uri())).body) == 2_000_000


async def test_an_article_of_the_test_server_is_html() -> None:
    assert (await fetched(article("Title", "Text."))).media_type == "text/html"
