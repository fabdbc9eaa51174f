"""The page pool: what is searched and read, how many pages by when, how long anybody waits, and what is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

import pytest

from agent.errors import ExtractFailed, LibraryError, SearchBroken, SearchThrottled
from agent.extract.page_extractor import PageExtractor
from agent.protocols import PagePool, PoolNews
from agent.text.source_filters import SourceFilter
from agent.types import Document, Limits, Page, PageRecord, Query, Search, SearchHit
from agent.web.http_client import Reach, open_client
from agent.web.page_fetcher import FetchPolicy, FolderFetcher, HttpFetcher
from agent.web.page_pool import RunPagePool
from agent.web.page_reader import PoolServices
from tests.parts import LIMITS as QUORATE
from tests.parts import NOON, FixedClock, MemoryFetcher, MemoryLibrary, PlainExtractor
from tests.web_server import WebServer, article, hang, page, redirect, reset, slow

AT_ONCE = FetchPolicy(between=0)
LIMITS = replace(QUORATE, quorum=1.0)  # `read` waits for all pages, where a test does not say otherwise


@dataclass
class Provider:
    """Answers queries as it is told: with hits after a while, or with an error."""

    answers: Mapping[str, Sequence[str] | Exception]
    name: str = "one"
    seconds: Mapping[str, float] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        self.asked.append(query.text)
        await asyncio.sleep(self.seconds.get(query.text, 0))
        answer = self.answers.get(query.text, ())
        if isinstance(answer, Exception):
            raise answer
        return [SearchHit(url, f"Title of {url}", "", n, self.name, "2025-02-02") for n, url in enumerate(answer, 1)]


def site(n: int) -> str:
    return f"http://site{n}.example/page"


def fetcher(*numbers: int, **seconds: float) -> MemoryFetcher:
    """Pages of these sites; `s3=0.5`: the one of site 3 takes half a second."""
    pages = {site(n): (f"Page {n}", f"# Page {n}\n\nThe words of page {n}.") for n in numbers}
    return MemoryFetcher(pages, {site(int(name[1:])): wait for name, wait in seconds.items()})


class GatedFetcher(MemoryFetcher):
    """One page comes only once the gate is opened."""

    def __init__(self, pages: Mapping[str, tuple[str, str]], gated: str) -> None:
        super().__init__(pages)
        self.gate = asyncio.Event()
        self._gated = gated

    async def fetch(self, url: str) -> Page:
        if url == self._gated:
            await self.gate.wait()
        return await super().fetch(url)


@dataclass
class Run:
    pool: RunPagePool
    news: list[PoolNews]
    library: MemoryLibrary

    @property
    def told(self) -> list[PageRecord]:
        return [news for news in self.news if isinstance(news, PageRecord)]


@asynccontextmanager
async def running(
    web: Sequence[object] = (), fetch: object = None, *, limits: Limits = LIMITS, **others: object
) -> AsyncIterator[Run]:
    news: list[PoolNews] = []
    library = others.pop("library", MemoryLibrary())
    parts = PoolServices(
        run_id="run",
        started_at=NOON,
        web=web,
        fetcher=fetch or fetcher(*range(100)),
        extractor=others.pop("extractor", PlainExtractor()),
        library=library,
        limits=limits,
        tell=news.append,
        **others,
    )
    before = tasks()
    async with RunPagePool(parts) as pool:
        yield Run(pool, news, library)
    assert tasks() == before, "tasks of the pool are left"


def tasks() -> set[asyncio.Task[object]]:
    """All but those of the test's own server."""
    stacks = {task: task.get_stack() for task in asyncio.all_tasks()}
    return {
        task for task, stack in stacks.items() if not any("web_server" in frame.f_code.co_filename for frame in stack)
    }


def good(records: Sequence[PageRecord]) -> list[str]:
    return [record.url for record in records if record.status != "skipped"]


def reasons(records: Sequence[PageRecord]) -> dict[str, str]:
    return {record.url: record.reason for record in records if record.status == "skipped"}


# ------------------------------------------------------------------------------------------------- searching


async def test_a_query_is_searched_at_once_and_its_pages_are_read() -> None:
    async with running([Provider({"q": [site(1), site(2)]})]) as run:
        run.pool.want(Query("q"), round=1)
        (found,) = await run.pool.searched(round=1, seconds=5)
        records = await run.pool.read(seconds=5)
    assert (found.outcome, found.provider, [hit.url for hit in found.hits]) == ("found", "one", [site(1), site(2)])
    assert good(records) == [site(1), site(2)]
    assert run.library.stored == [site(1), site(2)]


async def test_the_pool_is_a_page_pool() -> None:
    async with running() as run:
        pool: PagePool = run.pool
        assert await pool.searched(round=1, seconds=0) == ()
        assert await pool.read(seconds=0) == ()


async def test_asking_twice_is_asking_once() -> None:
    provider = Provider({"What is R1": [site(1)]})
    async with running([provider]) as run:
        for text in ("What is R1", "what  is R1?", "What is R1"):
            run.pool.want(Query(text), round=1)
        run.pool.want("HTTP://site1.example:80/page#part", round=1)
        assert len(await run.pool.searched(round=1, seconds=5)) == 1
        assert len(await run.pool.read(seconds=5)) == 1
    assert provider.asked == ["What is R1"]


@pytest.mark.parametrize(
    ("first", "outcome", "why"),
    [
        (SearchThrottled("it refuses for now"), "throttled", "it refuses for now"),
        (SearchBroken("it sent no JSON"), "broken", "it sent no JSON"),
        (ValueError("odd"), "broken", "odd"),
        ((), "nothing", ""),
    ],
)
async def test_the_next_provider_takes_over_at_once(first: Exception | tuple[str, ...], outcome: str, why: str) -> None:
    one, two = Provider({"q": first}, "one"), Provider({"q": [site(1)]}, "two")
    async with running([one, two]) as run:
        run.pool.want(Query("q"), round=1)
        (found,) = await run.pool.searched(round=1, seconds=5)
        assert (found.outcome, found.provider) == ("found", "two")
        assert found.why == f"one: {why or 'nothing found'}"
    async with running([one]) as run:
        run.pool.want(Query("q"), round=1)
        (found,) = await run.pool.searched(round=1, seconds=5)
        assert (found.outcome, found.provider, found.why, found.hits) == (outcome, "one", why, ())


async def test_throttled_is_not_told_as_nothing_found() -> None:
    one, two = Provider({"q": SearchThrottled("wait an hour")}, "one"), Provider({}, "two")
    async with running([one, two]) as run:
        run.pool.want(Query("q"), round=1)
        (found,) = await run.pool.searched(round=1, seconds=5)
    assert (found.outcome, found.provider, found.why) == ("throttled", "one", "wait an hour; two: nothing found")
    assert [news for news in run.news if isinstance(news, Search)] == [found]


async def test_a_provider_that_hangs_leaves_time_for_the_next() -> None:
    one, two = Provider({"q": [site(1)]}, "one", {"q": 60}), Provider({"q": [site(2)]}, "two")
    async with running([one, two], limits=replace(LIMITS, search_seconds=0.2)) as run:
        run.pool.want(Query("q"), round=1)
        (found,) = await run.pool.searched(round=1, seconds=5)
    assert (found.provider, found.why) == ("two", "one: no answer in 0 s")


async def test_a_slow_search_is_not_waited_for_past_the_deadline_and_counts_later() -> None:
    provider = Provider({"fast": [site(1)], "slow": [site(2)]}, seconds={"slow": 0.4})
    async with running([provider]) as run:
        run.pool.want(Query("fast"), round=1)
        run.pool.want(Query("slow"), round=1)
        assert [found.query.text for found in await run.pool.searched(round=1, seconds=0.1)] == ["fast"]
        assert len(await run.pool.searched(round=1, seconds=5)) == 2
        assert good(await run.pool.read(seconds=5)) == [site(1), site(2)]


# ------------------------------------------------------------------------------------------------- local documents


async def test_local_documents_are_searched_beside_the_web(tmp_path: Path) -> None:
    path = tmp_path / "note.md"
    path.write_text("# Note\n\nWords of the note.")
    local = Provider({"q": [path.as_uri()]}, "folder")
    folder = FolderFetcher(tmp_path, FixedClock())
    async with running([Provider({"q": [site(1)]})], local=[local], local_fetcher=folder) as run:
        run.pool.want(Query("q"), round=1)
        (found,) = await run.pool.searched(round=1, seconds=5)
        assert {hit.provider for hit in found.hits} == {"one", "folder"}
        assert set(good(await run.pool.read(seconds=5))) == {site(1), path.as_uri()}


async def test_what_saw_local_documents_asks_only_them() -> None:
    web, local = Provider({"q": [site(1)]}), Provider({}, "folder")
    async with running([web], local=[local]) as run:
        run.pool.want(Query("q"), round=2, local_only=True)
        await run.pool.searched(round=2, seconds=5)
        run.pool.want(Query("q"), round=2)
        await run.pool.searched(round=2, seconds=5)
    assert (web.asked, local.asked) == (["q"], ["q", "q"])


async def test_a_web_failure_is_told_even_where_the_folder_had_something() -> None:
    web, local = Provider({"q": SearchThrottled("wait")}), Provider({"q": ["file:///x/a.md"]}, "folder")
    async with running([web], local=[local]) as run:
        run.pool.want(Query("q"), round=1)
        (found,) = await run.pool.searched(round=1, seconds=5)
    assert (found.outcome, found.provider, len(found.hits)) == ("throttled", "one", 1)


async def test_a_file_link_from_the_web_is_never_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.md"
    path.write_text("# Secret")
    reach = Reach()
    async with open_client("test", reach, connections=2) as client:
        http, folder = HttpFetcher(client, reach, FixedClock(), seconds=5), FolderFetcher(tmp_path, FixedClock())
        async with running([Provider({"q": [path.as_uri()]})], http, local_fetcher=folder) as run:
            run.pool.want(Query("q"), round=1)
            run.pool.want(path.as_uri(), round=1)
            await run.pool.searched(round=1, seconds=5)
            assert reasons(await run.pool.read(seconds=5)) == {path.as_uri(): "not an http(s) address"}


# ------------------------------------------------------------------------------------------------- choosing pages


async def test_an_early_search_does_not_take_all_the_pages() -> None:
    provider = Provider({"early": [site(n) for n in range(8)], "late": [site(n) for n in range(20, 28)]})
    async with running([provider], limits=replace(LIMITS, rounds=1, pages=10)) as run:
        run.pool.want(Query("early"), round=1)
        async with asyncio.timeout(5):
            while len(run.told) < 2:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert len(run.told) == 2
        run.pool.want(Query("late"), round=1)
        await run.pool.searched(round=1, seconds=5)
        read = good(await run.pool.read(seconds=5))
    assert len(read) == 10
    assert len([url for url in read if url in {site(n) for n in range(8)}]) == 5


async def test_pages_that_several_searches_found_are_read_first() -> None:
    queries = {f"q{n}": [site(n), site(10 + n), site(99)] for n in range(4)}
    async with running([Provider(queries)], limits=replace(LIMITS, rounds=1, pages=5)) as run:
        for query in queries:
            run.pool.want(Query(query), round=1)
        await run.pool.searched(round=1, seconds=5)
        assert site(99) in good(await run.pool.read(seconds=5))


async def test_a_page_is_read_once_however_searches_and_the_question_spell_it() -> None:
    mine = "http://lion.example.org/a"
    queries = {"q1": ["http://m.lion.example.org/a/"], "q2": ["https://www.lion.example.org/a#part", site(1)]}
    pages = {url: (url, f"# {url}\n\nWords.") for url in [mine, site(1)]}
    async with running([Provider(queries)], MemoryFetcher(pages)) as run:
        run.pool.want(mine, round=1)
        for query in queries:
            run.pool.want(Query(query), round=1)
        await run.pool.searched(round=1, seconds=5)
        records = await run.pool.read(seconds=5)
    assert [record.url for record in records] == [mine, site(1)]


async def test_one_host_is_not_the_whole_evidence() -> None:
    crowd = [f"http://crowd.example/{n}" for n in range(6)]
    pages = {url: (url, f"# {url}\n\nWords.") for url in [*crowd, site(1), site(2)]}
    async with running(
        [Provider({"q": [*crowd, site(1), site(2)]})], MemoryFetcher(pages), limits=replace(LIMITS, rounds=1, pages=6)
    ) as run:
        run.pool.want(Query("q"), round=1)
        await run.pool.searched(round=1, seconds=5)
        assert set(good(await run.pool.read(seconds=5))) == {*crowd[:4], site(1), site(2)}


async def test_the_first_round_leaves_pages_for_the_second() -> None:
    provider = Provider({"a": [site(n) for n in range(20)], "b": [site(n) for n in range(20, 40)]})
    async with running([provider], limits=replace(LIMITS, rounds=2, pages=9)) as run:
        run.pool.want(Query("a"), round=1)
        await run.pool.searched(round=1, seconds=5)
        assert len(await run.pool.read(seconds=5)) == 6
        run.pool.want(Query("b"), round=2)
        await run.pool.searched(round=2, seconds=5)
        read = good(await run.pool.read(seconds=5))
    assert read[6:] == [site(20), site(21), site(22)]


async def test_a_page_that_fails_makes_room_for_the_next() -> None:
    hits = [site(n) for n in range(20)]
    async with running([Provider({"q": hits})], fetcher(5, 6, 7, 8), limits=replace(LIMITS, rounds=1, pages=4)) as run:
        run.pool.want(Query("q"), round=1)
        await run.pool.searched(round=1, seconds=5)
        records = await run.pool.read(seconds=5)
    assert len(records) == 8, "twice the budget is tried, no more"
    assert good(records) == [site(5), site(6), site(7)]
    assert set(reasons(records).values()) == {"404"}


async def test_a_page_that_the_question_names_is_read_before_any_that_was_found() -> None:
    provider = Provider({"q": [site(n) for n in range(20)]})
    async with running([provider], fetcher(*range(99), s50=0.1), limits=replace(LIMITS, quorum=0.1)) as run:
        run.pool.want(site(50), round=1)
        run.pool.want(Query("q"), round=1)
        await run.pool.searched(round=1, seconds=5)
        assert good(await run.pool.read(seconds=5))[0] == site(50), "a quorum without it is none"


async def test_more_addresses_than_the_run_may_read_are_told() -> None:
    async with running(limits=replace(LIMITS, pages=2)) as run:
        for n in range(4):
            run.pool.want(site(n), round=1)
        records = await run.pool.read(seconds=5)
    assert good(records) == [site(0), site(1)]
    assert set(reasons(records).values()) == {"more addresses than the pages this run may read"}


# ------------------------------------------------------------------------------------------------- waiting


async def test_a_quorum_does_not_wait_for_the_slowest_page_which_counts_when_it_comes() -> None:
    provider = Provider({"q": [site(n) for n in range(5)]})
    gated = GatedFetcher(fetcher(*range(5)).pages, site(4))
    async with running([provider], gated, limits=replace(QUORATE, rounds=1, pages=5)) as run:
        run.pool.want(Query("q"), round=1)
        await run.pool.searched(round=1, seconds=5)
        assert len(await run.pool.read(seconds=3_600)) >= 3
        assert reasons(run.pool.left_out())[site(4)] == "not in time"
        gated.gate.set()
        while site(4) not in good(await run.pool.read(seconds=0)):
            await asyncio.sleep(0)
        assert run.pool.left_out() == ()


async def test_the_best_ranked_page_is_waited_for_however_many_others_are_in() -> None:
    provider = Provider({"q": [site(n) for n in range(5)]})
    quick = replace(QUORATE, rounds=1, pages=5, grace_seconds=0)
    async with running([provider], fetcher(*range(5), s0=0.1), limits=quick) as run:
        run.pool.want(Query("q"), round=1)
        await run.pool.searched(round=1, seconds=5)
        assert site(0) in good(await run.pool.read(seconds=5))


async def test_with_nothing_in_hand_the_first_page_is_waited_for() -> None:
    provider = Provider({"q": [site(1)]})
    async with running([provider], fetcher(1, s1=0.1)) as run:
        run.pool.want(Query("q"), round=1)
        await run.pool.searched(round=1, seconds=5)
        assert good(await run.pool.read(seconds=0.01, first=5)) == [site(1)]


async def test_the_deadline_ends_the_waiting_where_no_quorum_comes() -> None:
    provider = Provider({"q": [site(n) for n in range(4)]})
    async with running([provider], fetcher(*range(4), s0=3_600, s1=3_600, s2=3_600)) as run:
        run.pool.want(Query("q"), round=1)
        await run.pool.searched(round=1, seconds=5)
        assert good(await run.pool.read(seconds=0.2)) == [site(3)]


async def test_a_second_round_waits_for_its_own_pages() -> None:
    provider = Provider({"a": [site(n) for n in range(10, 15)], "b": [site(3)]})
    async with running([provider], fetcher(3, *range(10, 15), s3=0.1), limits=QUORATE) as run:
        run.pool.want(Query("a"), round=1)
        await run.pool.searched(round=1, seconds=5)
        await run.pool.read(seconds=5)
        run.pool.want(Query("b"), round=2)
        await run.pool.searched(round=2, seconds=5)
        assert site(3) in good(await run.pool.read(seconds=5)), "the good pages of round 1 are no quorum of round 2"


async def test_a_slow_page_is_given_up_at_its_own_deadline() -> None:
    async with running(fetch=fetcher(1, s1=9), limits=replace(LIMITS, page_seconds=0.2)) as run:
        run.pool.want(site(1), round=1)
        assert reasons(await run.pool.read(seconds=5)) == {site(1): "timed out"}


async def test_no_more_pages_are_fetched_at_once_than_allowed_and_two_of_a_host() -> None:
    pages = {f"/{n}": slow(article(f"Title {n}", f"Some words of page {n}. " * 10), 0.15) for n in range(6)}
    async with (
        WebServer(pages) as web,
        open_client("test", reach := Reach(allow_private=True), connections=9) as client,
    ):
        http = HttpFetcher(client, reach, FixedClock(), seconds=30, manners=AT_ONCE)
        async with running(
            fetch=http, extractor=PageExtractor(seconds=30), limits=replace(LIMITS, page_seconds=30)
        ) as run:
            for path in pages:
                run.pool.want(web.url(path), round=1)
            assert len(good(await run.pool.read(seconds=30))) == 6
        assert web.at_once == 2

    most, now = 0, 0

    class Counting(MemoryFetcher):
        async def fetch(self, url: str) -> Page:
            nonlocal most, now
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.02)
            now -= 1
            return await super().fetch(url)

    async with running(fetch=Counting(fetcher(*range(8)).pages), limits=replace(LIMITS, fetches=3)) as run:
        for n in range(8):
            run.pool.want(site(n), round=1)
        await run.pool.read(seconds=5)
    assert most == 3


async def test_pages_that_hang_do_not_keep_out_the_others() -> None:
    """They give up their places long before their deadline."""
    hung = {f"s{n}": 3_600.0 for n in range(4)}
    limits = replace(LIMITS, fetches=4, page_seconds=3_600)
    async with running(fetch=fetcher(*range(5), **hung), limits=limits, slow_seconds=0.1) as run:
        for n in range(5):
            run.pool.want(site(n), round=1)
        while not run.told:
            await asyncio.sleep(0.01)
        assert [told.url for told in run.told] == [site(4)]


async def test_what_a_skipped_page_cost_is_told() -> None:
    async with (
        WebServer({"/page": page(b"\x89PNG\r\n\x1a\n" * 1_000)}) as web,
        open_client("test", reach := Reach(allow_private=True), connections=2) as client,
        running(fetch=HttpFetcher(client, reach, FixedClock(), seconds=5)) as run,
    ):
        run.pool.want(web.url("/page"), round=1)
        (record,) = await run.pool.read(seconds=5)
    assert (record.status, record.reason) == ("skipped", "not text (image/png)")
    assert 8_000 < record.bytes < 9_000


# ------------------------------------------------------------------------------------------------- records


async def test_a_record_brings_its_source_and_the_news_come_in_order() -> None:
    async with running([Provider({"q": [site(1)]})]) as run:
        run.pool.want(Query("q"), round=1)
        await run.pool.searched(round=1, seconds=5)
        (record,) = await run.pool.read(seconds=5)
        await asyncio.sleep(0)
    source = record.source
    assert source is not None
    assert (source.number, source.title, source.site, source.published) == (0, "Page 1", "site1.example", "2025-01-20")
    assert (record.status, record.bytes) == ("read", 30)
    assert [type(news) for news in run.news] == [Search, PageRecord, tuple]
    assert run.news[2] == (site(1), 1)


async def test_what_the_search_knew_fills_the_gaps_of_a_page() -> None:
    class Bare(PlainExtractor):
        async def extract(self, page: Page) -> Document:
            return replace(await super().extract(page), title="", published=None)

    async with running([Provider({"q": [site(1)]})], extractor=Bare()) as run:
        run.pool.want(Query("q"), round=1)
        await run.pool.searched(round=1, seconds=5)
        (record,) = await run.pool.read(seconds=5)
    assert record.source is not None
    assert (record.source.title, record.source.published) == (f"Title of {site(1)}", "2025-02-02")


async def test_a_page_that_this_run_has_read_before_an_interruption_is_not_fetched_again() -> None:
    class Remembering(MemoryLibrary):
        async def recall(self, url: str, *, since: datetime) -> Document | None:
            assert since == NOON
            return await PlainExtractor().extract(Page(url, b"# Kept\n\nKept words.", "text/plain", NOON.isoformat()))

    async with running(fetch=(fetch := fetcher(1)), library=Remembering()) as run:
        run.pool.want(site(1), round=1)
        (record,) = await run.pool.read(seconds=5)
    assert (record.status, fetch.fetched) == ("cached", [])


async def test_one_text_under_two_addresses_is_one_source() -> None:
    class Copies(MemoryFetcher):
        async def fetch(self, url: str) -> Page:
            return Page(url, b"# Same\n\nThe same words.", "text/markdown", "2026")

    async with running(fetch=Copies()) as run:
        run.pool.want(site(1), round=1)
        run.pool.want(site(2), round=1)
        records = await run.pool.read(seconds=5)
    assert good(records) == [site(1)]
    assert reasons(records) == {site(2): f"same text as {site(1)}"}


async def test_two_addresses_that_lead_to_one_page_are_one_source() -> None:
    class Moved(MemoryFetcher):
        async def fetch(self, url: str) -> Page:
            return Page(site(9), url.encode(), "text/markdown", "2026")

    async with running(fetch=Moved()) as run:
        run.pool.want(site(1), round=1)
        run.pool.want(site(2), round=1)
        records = await run.pool.read(seconds=5)
    assert reasons(records) == {site(2): f"same page as {site(1)}"}


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("extract", "blocked page"),
        ("store", "not kept: the disk is full"),
        ("recall", ""),
        ("embed", ""),
        ("fault", "fault: KeyError: 'bug'"),
    ],
)
async def test_a_part_that_fails_costs_its_page_and_nothing_else(part: str, reason: str) -> None:
    class Failing(PlainExtractor, MemoryLibrary):
        async def extract(self, page: Page) -> Document:
            if part == "extract" and page.url == site(1):
                raise ExtractFailed("blocked page")
            if part == "fault" and page.url == site(1):
                raise KeyError("bug")
            return await super().extract(page)

        async def store(self, document: Document, *, run_id: str) -> int:
            if part == "store" and document.url == site(1):
                raise LibraryError("the disk is full")
            return await super().store(document, run_id=run_id)

        async def recall(self, url: str, *, since: datetime) -> Document | None:
            if part == "recall":
                raise LibraryError("locked")
            return None

        async def embed(self, document_id: str, *, run_id: str) -> None:
            if part == "embed":
                raise LibraryError("no embedder")

    failing = Failing()
    async with running(extractor=failing, library=failing) as run:
        run.pool.want(site(1), round=1)
        run.pool.want(site(2), round=1)
        records = await run.pool.read(seconds=5)
        await asyncio.sleep(0)
    assert reasons(records) == ({site(1): reason} if reason else {})
    assert site(2) in good(records)


# ------------------------------------------------------------------------------------------------- the real thing


async def test_pages_of_all_kinds_over_real_http_and_real_extraction() -> None:
    words = [f"Sentence number {n} of this page says something. " * 3 for n in range(8)]
    pages = {
        "/good": article("Good", words[0]),
        "/moved": redirect("/new"),
        "/new": article("New", words[1]),
        "/text": page(f"# Notes\n\n{words[2]}", type="text/markdown"),
        "/copy": article("Good", words[0]),
        "/wall": page("<title>Just a moment...</title><p>Verify you are human, please do.</p>"),
        "/image": page(b"\x89PNG\r\n\x1a\n", type="image/png"),
        "/reset": reset(),
        "/inside": redirect("http://10.0.0.1/"),
        "/slow": slow(article("Slow", words[3]), 0.3),
    }
    hosts = [f"h{n}.example" for n in range(12)]
    async with WebServer(pages) as web:
        reach = Reach(resolver=web.resolver(*hosts))
        async with open_client("test", reach, connections=9) as client:
            http = HttpFetcher(client, reach, FixedClock(), seconds=5)
            limits = replace(LIMITS, rounds=1, pages=20, quorum=1.0)
            async with running(fetch=http, extractor=PageExtractor(), limits=limits) as run:
                urls = {path: f"http://{host}{path}" for host, path in zip(hosts, [*pages, "/gone"], strict=False)}
                for url in urls.values():
                    run.pool.want(url, round=1)
                records = await run.pool.read(seconds=8)
        while web.connections:
            await asyncio.sleep(0.01)
    told = {path: next(record for record in records if record.url == url) for path, url in urls.items()}
    assert {path: told[path].reason for path in ("/wall", "/image", "/reset", "/inside", "/gone")} == {
        "/wall": "blocked page",
        "/image": "not text (image/png)",
        "/reset": "the connection broke off",
        "/inside": "private address",
        "/gone": "404",
    }
    assert [told[path].status for path in ("/text", "/slow")] == ["read", "read"]
    for one, other in (("/good", "/copy"), ("/moved", "/new")):  # whichever came first
        assert {told[one].reason, told[other].reason} <= {
            "",
            f"same text as {urls[one]}",
            f"same text as {urls[other]}",
        }
        assert sorted([told[one].status, told[other].status]) == ["read", "skipped"]


async def test_leaving_the_pool_leaves_no_task_and_no_socket() -> None:
    provider = Provider({"hanging": [site(1)]}, seconds={"hanging": 60})
    async with WebServer({f"/{n}": hang() for n in range(4)}) as web:
        async with open_client("test", reach := Reach(allow_private=True), connections=9) as client:
            http = HttpFetcher(client, reach, FixedClock(), seconds=60, manners=AT_ONCE)
            async with running([provider], http, limits=replace(LIMITS, page_seconds=60)) as run:
                run.pool.want(Query("hanging"), round=1)
                for n in range(4):
                    run.pool.want(web.url(f"/{n}"), round=1)
                while len(web.requests) < 2:
                    await asyncio.sleep(0.01)
                assert web.connections == 2
        while web.connections:
            await asyncio.sleep(0.01)


async def test_two_runs_at_once_do_not_mix() -> None:
    async with running([Provider({"a": [site(1)]})]) as one, running([Provider({"b": [site(2)]})]) as two:
        one.pool.want(Query("a"), round=1)
        two.pool.want(Query("b"), round=1)
        await asyncio.gather(one.pool.searched(round=1, seconds=5), two.pool.searched(round=1, seconds=5))
        assert good(await one.pool.read(seconds=5)) == [site(1)]
        assert good(await two.pool.read(seconds=5)) == [site(2)]


async def test_the_extractor_is_warmed_while_nobody_waits() -> None:
    began = asyncio.Event()

    async def warm() -> None:
        began.set()
        await asyncio.sleep(60)

    parts = PoolServices(
        run_id="run",
        started_at=NOON,
        web=(),
        fetcher=fetcher(),
        extractor=PlainExtractor(),
        library=MemoryLibrary(),
        limits=LIMITS,
        tell=lambda news: None,
    )
    async with asyncio.timeout(2), RunPagePool(parts, warm=warm):
        await began.wait()


# ------------------------------------------------------------------------------------------------- bounds


async def test_a_page_that_shows_its_age_when_it_is_read_is_skipped_with_the_date() -> None:
    bounds = SourceFilter(since=date(2025, 6, 1), today=date(2026, 11, 24))
    async with running([Provider({"q": [site(1)]})], bounds=bounds) as run:
        run.pool.want(Query("q"), round=1)
        await run.pool.searched(round=1, seconds=5)
        records = await run.pool.read(seconds=5)
    assert reasons(records) == {site(1): "published 2025-01-20, before 2025-06-01"}
    assert run.library.stored == []


async def test_an_old_page_that_says_it_was_changed_since_is_read() -> None:
    class Changed(PlainExtractor):
        async def extract(self, page: Page) -> Document:
            return replace(await super().extract(page), modified="2025-07-01")

    bounds = SourceFilter(since=date(2025, 6, 1), today=date(2026, 11, 24))
    async with running([Provider({"q": [site(1)]})], bounds=bounds, extractor=Changed()) as run:
        run.pool.want(Query("q"), round=1)
        await run.pool.searched(round=1, seconds=5)
        assert good(await run.pool.read(seconds=5)) == [site(1)]


async def test_a_page_that_leads_out_of_the_sites_is_skipped() -> None:
    class Elsewhere(MemoryFetcher):
        async def fetch(self, url: str) -> Page:
            return replace(await super().fetch(url), url="http://elsewhere.example/x")

    async with running(
        [Provider({"q": [site(1)]})], Elsewhere(fetcher(1).pages), bounds=SourceFilter(sites=("site1.example",))
    ) as run:
        run.pool.want(Query("q"), round=1)
        await run.pool.searched(round=1, seconds=5)
        assert reasons(await run.pool.read(seconds=5)) == {
            site(1): "leads to elsewhere.example, which is out of bounds"
        }


async def test_a_page_that_the_question_names_is_read_whatever_the_bounds() -> None:
    bounds = SourceFilter(since=date(2025, 6, 1), today=date(2026, 11, 24), sites=("other.example",))
    async with running(bounds=bounds) as run:
        run.pool.want(site(1), round=1)
        assert good(await run.pool.read(seconds=5)) == [site(1)]
