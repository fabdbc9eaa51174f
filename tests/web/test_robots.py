"""robots.txt: what it forbids, what its failures mean, and that it never costs much."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import PageError
from agent.web.http_client import Reach, open_client
from agent.web.page_fetcher import FetchPolicy, HttpFetcher
from agent.web.robots import Robots
from tests.parts import NOON, FixedClock
from tests.web_server import Behaviour, WebServer, article, endless, hang, page, raw, redirect, reset, slow

PAGE = article("Page", "Words of the page.")
FORBIDS = "User-agent: *\nDisallow: /"


@asynccontextmanager
async def fetching(
    web: WebServer, home: Path | None = None, *, clock: FixedClock | None = None, seconds: float = 4.0
) -> AsyncIterator[HttpFetcher]:
    reach = Reach(resolver=web.resolver("site.example", "other.example", private=("inside.example",)))
    clock = clock or FixedClock()
    async with open_client("r1-research-agent/1 (+https://a.example)", reach, connections=8) as client:
        manners = FetchPolicy(between=0, robots=Robots("r1-research-agent", clock, home, seconds=0.5))
        yield HttpFetcher(client, reach, clock, seconds=seconds, manners=manners)


async def outcome(rules: Behaviour | None, path: str = "/page", others: Mapping[str, Behaviour] = {}) -> str:
    """The reason why the page is not read; the empty string where it is."""
    pages = {path.partition("?")[0]: PAGE, **others} | ({"/robots.txt": rules} if rules else {})
    async with WebServer(pages) as web, fetching(web) as fetcher:
        try:
            await fetcher.fetch(f"http://site.example{path}")
        except PageError as e:
            return e.reason
        return ""


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("User-agent: *\nDisallow: /", "/page", False),
        ("User-agent: *\nDisallow:", "/page", True),
        ("User-agent: *\nDisallow: /private/\nAllow: /private/ok$", "/private/ok", True),
        ("User-agent: *\nDisallow: /private/\nAllow: /private/ok$", "/private/ok2", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf", False),
        ("User-agent: *\nDisallow: /*?", "/page?x=1", False),
        ("User-agent: r1-research-agent\nDisallow: /", "/page", False),
        ("User-agent: somebody-else\nDisallow: /", "/page", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: r1-research-agent\nAllow: /", "/page", True),
        ("\ufeffUser-agent: *\r\nDisallow: /", "/page", False),
        ("<html><body>User-agent: *<br>Disallow: /</body></html>", "/page", True),
        ("", "/page", True),
        ("\x00\x01\x02\xff", "/page", True),
    ],
)
async def test_what_a_site_asks_of_us_is_heeded(rules: str, path: str, *, allowed: bool) -> None:
    assert await outcome(page(rules, type="text/plain"), path) == ("" if allowed else "kept out by robots.txt")


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429])
async def test_no_rules_are_no_bounds(status: int) -> None:
    assert await outcome(page(FORBIDS, status=status)) == ""


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (page("", status=500), "its robots.txt cannot be read (500)"),
        (page("", status=503), "its robots.txt cannot be read (503)"),
        (reset(), "its robots.txt cannot be read (the connection broke off)"),
        (raw(b"nonsense\r\n\r\n"), "its robots.txt cannot be read (the connection broke off)"),
        (hang(), "its robots.txt does not answer"),
        (redirect("http://inside.example/robots.txt"), "its robots.txt cannot be read (private address)"),
        (redirect("file:///etc/passwd"), "its robots.txt cannot be read (not an http(s) address)"),
    ],
)
async def test_rules_that_cannot_be_known_keep_us_out(rules: Behaviour, told: str) -> None:
    assert await outcome(rules) == told


async def test_where_no_connection_comes_about_that_is_told_and_not_the_rules() -> None:
    async with WebServer() as web, fetching(web) as fetcher:
        for url, told in {
            "http://nowhere.example/": "no such host",
            "http://inside.example/": "private address",
        }.items():
            with pytest.raises(PageError) as failure:
                await fetcher.fetch(url)
            assert failure.value.reason == told


async def test_a_robots_txt_that_hangs_is_asked_for_once_a_run() -> None:
    async with WebServer({"/robots.txt": hang(), "/a": PAGE, "/b": PAGE}) as web, fetching(web) as fetcher:
        for path in ("/a", "/b"):
            with pytest.raises(PageError, match="does not answer"):
                await fetcher.fetch(f"http://site.example{path}")
    assert web.paths == ["/robots.txt"]


async def test_a_robots_txt_without_end_is_cut_and_its_beginning_counts() -> None:
    rules = endless(b"User-agent: *\nDisallow: /private\n" * 500, type="text/plain")
    assert await outcome(rules) == ""
    assert await outcome(rules, "/private") == "kept out by robots.txt"


async def test_rules_are_followed_to_where_they_have_moved() -> None:
    moved = redirect("http://other.example/rules")
    assert await outcome(moved, others={"/rules": page(FORBIDS, type="text/plain")}) == "kept out by robots.txt"


async def test_rules_behind_more_than_five_redirects_are_none() -> None:
    assert await outcome(redirect("/robots.txt")) == ""


async def test_the_rules_of_where_a_redirect_leads_count_too() -> None:
    pages = {
        "site.example/page": redirect("http://other.example/page"),
        "other.example/page": PAGE,
        "other.example/robots.txt": page(FORBIDS, type="text/plain"),
    }
    async with WebServer(pages) as web, fetching(web) as fetcher:
        with pytest.raises(PageError, match=r"kept out by robots\.txt"):
            await fetcher.fetch("http://site.example/page")
    assert ("other.example", "/page") not in [(request.headers["host"], request.path) for request in web.requests]


async def test_they_are_asked_for_once_a_run_even_by_pages_at_the_same_time() -> None:
    pages = {"/robots.txt": slow(page(""), 0.1), "/a": PAGE, "/b": PAGE, "/c": PAGE}
    async with WebServer(pages) as web, fetching(web) as fetcher:
        await asyncio.gather(*(fetcher.fetch(f"http://site.example{path}") for path in ("/a", "/b", "/c")))
    assert web.paths.count("/robots.txt") == 1


async def test_a_page_that_is_given_up_while_the_rules_come_does_not_spoil_them_for_others() -> None:
    pages = {"/robots.txt": slow(page(""), 0.2), "/a": PAGE, "/b": PAGE}
    async with WebServer(pages) as web, fetching(web) as fetcher:
        first = asyncio.create_task(fetcher.fetch("http://site.example/a"))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(fetcher.fetch("http://site.example/b"))
        await asyncio.sleep(0.05)
        first.cancel()
        assert (await second).url == "http://site.example/b"


# ------------------------------------------------------------------------------------------------- copies


async def asked(home: Path, rules: Behaviour, *, after: timedelta = timedelta()) -> tuple[int, str]:
    """How often robots.txt was asked for in a run at that time, and why the page was not read."""
    async with (
        WebServer({"/robots.txt": rules, "/page": PAGE}) as web,
        fetching(web, home, clock=FixedClock(NOON + after)) as fetcher,
    ):
        reason = ""
        try:
            await fetcher.fetch("http://site.example/page")
        except PageError as e:
            reason = e.reason
        return web.paths.count("/robots.txt"), reason


FORBIDDING = page(FORBIDS, type="text/plain")


async def test_rules_are_kept_for_a_day(tmp_path: Path) -> None:
    home = tmp_path / "robots"
    assert await asked(home, FORBIDDING) == (1, "kept out by robots.txt")
    assert await asked(home, page(""), after=timedelta(hours=23)) == (0, "kept out by robots.txt")
    assert await asked(home, page(""), after=timedelta(hours=25)) == (1, "")


async def test_an_old_copy_stands_in_for_a_server_that_fails_for_thirty_days(tmp_path: Path) -> None:
    assert await asked(tmp_path, page("")) == (1, "")
    assert await asked(tmp_path, page("", status=500), after=timedelta(days=29)) == (1, "")
    assert await asked(tmp_path, hang(), after=timedelta(days=29)) == (1, "")
    told = "its robots.txt cannot be read (500)"
    assert await asked(tmp_path, page("", status=500), after=timedelta(days=31)) == (1, told)


async def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    assert await asked(tmp_path, page("", status=500)) == (1, "its robots.txt cannot be read (500)")
    assert await asked(tmp_path, page("")) == (1, "")


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"origin": 1}', '{"origin": "http://site.example", "at": "x"}', "\udcff"]
)
async def test_a_damaged_copy_is_none(tmp_path: Path, damage: str) -> None:
    await asked(tmp_path, FORBIDDING)
    (copy,) = tmp_path.iterdir()
    copy.write_bytes(damage.encode("utf-8", "surrogateescape"))
    assert await asked(tmp_path, page("")) == (1, "")


async def test_where_nothing_can_be_kept_the_rules_count_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert await asked(tmp_path / "file", FORBIDDING) == (1, "kept out by robots.txt")
