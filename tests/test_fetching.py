"""The page fetcher as a run gets it: its settings, its library, its cache directory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent import ResearchAgent, Settings
from agent.errors import PageError
from agent.extract.page_extractor import PageExtractor
from agent.library.stored_library import StoredLibrary
from agent.protocols import Fetcher
from agent.types import Query, SearchHit
from agent.wiring.web_setup import IGNORES_ROBOTS, fetching_cautions, open_fetcher
from tests.parts import LIMITS, NOON, FixedClock
from tests.web_server import WebServer, article, page

PAGE = article("R1 released", "DeepSeek released R1 on 20 January 2025 under the MIT licence. " * 3)
FORBIDS = page("User-agent: *\nDisallow: /", type="text/plain")


@asynccontextmanager
async def opened(home: Path, *, days: int = 0, **settings: object) -> AsyncIterator[tuple[Fetcher, StoredLibrary]]:
    library = StoredLibrary(home / "library")
    clock = FixedClock(NOON + timedelta(days=days))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(library.in_use())
        mine = Settings(allow_private_addresses=True, cache_dir=home / "cache", **settings)
        yield await open_fetcher(mine, LIMITS, clock, library, sample=None, stack=stack), library


async def test_a_page_that_the_library_has_is_asked_about_and_not_fetched_again(tmp_path: Path) -> None:
    tagged = article("R1", "DeepSeek released R1 on 20 January 2025. " * 5, etag='"v1"')
    async with WebServer({"/page": tagged}) as web:
        async with opened(tmp_path) as (fetcher, library):
            first = await PageExtractor().extract(await fetcher.fetch(web.url("/page")))
            await library.store(first, run_id="one")
            await library.store(replace(first, id="0" * 64, extraction="0", fetched_at="2020-01-01"), run_id="one")
        web.pages["/page"] = page("", status=304)
        async with opened(tmp_path, days=2) as (fetcher, _):
            again = await fetcher.fetch(web.url("/page"))
    assert again.kept == first
    assert web.requests[-1].headers["if-none-match"] == '"v1"'


async def test_what_an_older_extractor_made_is_fetched_again(tmp_path: Path) -> None:
    async with WebServer({"/page": article("R1", "DeepSeek released R1 in January. " * 5, etag='"v1"')}) as web:
        async with opened(tmp_path) as (fetcher, library):
            first = await PageExtractor().extract(await fetcher.fetch(web.url("/page")))
            await library.store(replace(first, extraction="of old"), run_id="one")
        async with opened(tmp_path) as (fetcher, _):
            await fetcher.fetch(web.url("/page"))
    assert "if-none-match" not in web.requests[-1].headers


async def test_robots_txt_counts_and_is_kept_in_the_cache_directory(tmp_path: Path) -> None:
    async with WebServer({"/page": PAGE, "/robots.txt": FORBIDS}) as web:
        for _ in range(2):
            async with opened(tmp_path) as (fetcher, _):
                with pytest.raises(PageError, match=r"kept out by robots\.txt"):
                    await fetcher.fetch(web.url("/page"))
    assert web.paths == ["/robots.txt"]
    assert len(list((tmp_path / "cache" / "robots").iterdir())) == 1


async def test_robots_txt_can_be_ignored(tmp_path: Path) -> None:
    async with (
        WebServer({"/page": PAGE, "/robots.txt": FORBIDS}) as web,
        opened(tmp_path, ignore_robots=True) as (
            fetcher,
            _,
        ),
    ):
        await fetcher.fetch(web.url("/page"))
    assert web.paths == ["/page"]
    assert fetching_cautions(Settings()) == ()


async def test_that_it_was_ignored_is_said_in_the_result(tmp_path: Path) -> None:
    class Finds:
        async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
            return [SearchHit(web.url("/page"), "R1 released", "", 1, "mine")]

    settings = Settings(
        model="extractive", allow_private_addresses=True, ignore_robots=True, data_dir=tmp_path, cache_dir=tmp_path
    )
    async with WebServer({"/page": PAGE, "/robots.txt": FORBIDS}) as web:
        answer = await ResearchAgent(settings, search=Finds()).ainvoke("When was R1 released?")
    assert answer.warnings == (IGNORES_ROBOTS,)
    assert [told.status for told in answer.pages] == ["read"]
