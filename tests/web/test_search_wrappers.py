"""Hits within bounds, and replies that are remembered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest

from agent.errors import SearchThrottled
from agent.search.provider_state import REPLY_SECONDS, ProviderStateStore
from agent.search.provider_wrappers import CachedProvider, FilteredProvider
from agent.text.source_filters import SourceFilter
from agent.types import Query, SearchHit


def hit(name: str, published: str | None = None) -> SearchHit:
    return SearchHit(f"http://{name}.example/a", f"Title of {name}", "löwe 狮", 1, "one", published)


@dataclass
class Provider:
    hits: list[SearchHit] = field(default_factory=lambda: [hit("one"), hit("two")])
    name: str = "one"
    applies: frozenset[str] = frozenset()
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        self.asked.append((query.text, limit))
        return [replace(each, rank=rank) for rank, each in enumerate(self.hits[:limit], start=1)]


# ------------------------------------------------------------------------------------------------- bounds


async def test_hits_outside_the_bounds_go_and_ranks_close_up() -> None:
    one = Provider([hit("a"), hit("b"), hit("c"), hit("d")])
    hits = await FilteredProvider(one, SourceFilter(not_sites=("b.example", "c.example"))).search(Query("q"), limit=4)
    assert [(h.url, h.rank) for h in hits] == [("http://a.example/a", 1), ("http://d.example/a", 2)]


async def test_older_pages_go_and_undated_ones_stay_undated() -> None:
    one = Provider([hit("old", "2019-01-01"), hit("new", "2026-01-01"), hit("undated")])
    hits = await FilteredProvider(one, SourceFilter(date(2025, 1, 1), date(2026, 11, 24))).search(Query("q"), limit=4)
    assert [(h.title, h.published) for h in hits] == [("Title of new", "2026-01-01"), ("Title of undated", None)]


@pytest.mark.parametrize(
    ("applies", "bounds", "asked"),
    [
        (frozenset(), SourceFilter(sites=("a.example",)), 12),
        (frozenset({"since"}), SourceFilter(sites=("a.example",)), 12),
        (frozenset({"site", "not_site", "since"}), SourceFilter(sites=("a.example",)), 4),
        (frozenset(), SourceFilter(), 4),
    ],
)
async def test_more_is_asked_for_only_where_the_sifting_is_done_here(
    applies: frozenset[str], bounds: SourceFilter, asked: int
) -> None:
    one = Provider([hit("a")] * 20, applies=applies)
    assert len(await FilteredProvider(one, bounds).search(Query("q"), limit=4)) == 4
    assert one.asked == [("q", asked)]


# ------------------------------------------------------------------------------------------------- memory


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "search.sqlite"


async def test_the_next_command_is_given_the_same_hits_and_nobody_is_asked(path: Path) -> None:
    one = Provider([hit("a", "2025-01-20"), hit("b")])
    first = await CachedProvider(one, ProviderStateStore(path), identity="x").search(
        Query("how do  lions sleep"), limit=8
    )
    again = await CachedProvider(one, ProviderStateStore(path), identity="x").search(
        Query("how do lions sleep"), limit=8
    )
    assert list(again) == list(first)
    assert len(one.asked) == 1


@pytest.mark.parametrize(
    ("text", "limit", "identity"), [("lion?", 8, "x"), ("lion", 9, "x"), ("lion", 8, "with other bounds")]
)
async def test_another_question_limit_or_provider_is_another_reply(
    text: str, limit: int, identity: str, path: Path
) -> None:
    one = Provider()
    await CachedProvider(one, ProviderStateStore(path), identity="x").search(Query("lion"), limit=8)
    await CachedProvider(one, ProviderStateStore(path), identity=identity).search(Query(text), limit=limit)
    assert len(one.asked) == 2


async def test_nothing_found_is_asked_again(path: Path) -> None:
    one = Provider([])
    for _ in range(2):
        remembered = CachedProvider(one, shelf := ProviderStateStore(path), identity="x")
        assert list(await remembered.search(Query("lion"), limit=8)) == []
    assert len(one.asked) == 2
    assert shelf.recall(remembered._key("lion", 8)) is None


async def test_a_reply_is_forgotten_after_some_hours(path: Path) -> None:
    one, now = Provider(), 1_000_000.0
    shelf = ProviderStateStore(path, now=lambda: now)
    await CachedProvider(one, shelf, identity="x").search(Query("lion"), limit=8)
    now += REPLY_SECONDS - 1
    await CachedProvider(one, shelf, identity="x").search(Query("lion"), limit=8)
    assert len(one.asked) == 1
    now += 2
    await CachedProvider(one, shelf, identity="x").search(Query("lion"), limit=8)
    assert len(one.asked) == 2


def test_no_more_than_some_hundred_replies_are_kept(path: Path) -> None:
    now = 1_000_000.0
    shelf = ProviderStateStore(path, now=lambda: now)
    for n in range(520):
        now += 1
        shelf.keep(f"key {n}", "hits")
    assert shelf.recall("key 19") is None
    assert shelf.recall("key 20") == "hits"


async def test_what_another_version_kept_is_asked_anew(path: Path) -> None:
    one = Provider()
    shelf = ProviderStateStore(path)
    remembered = CachedProvider(one, shelf, identity="x")
    for written in ('[{"link": "http://a.example/"}]', "no json", "[]"):
        shelf.keep(remembered._key("lion", 8), written)
        assert len(await remembered.search(Query("lion"), limit=8)) == 2


async def test_what_was_asked_cannot_be_read_from_the_file(path: Path) -> None:
    shelf = ProviderStateStore(path)
    await CachedProvider(Provider(), shelf, identity="x").search(Query("my secret illness"), limit=8)
    shelf.close()
    assert b"illness" not in path.read_bytes()


async def test_a_failure_is_not_remembered(path: Path) -> None:
    class Failing(Provider):
        async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
            raise SearchThrottled("no")

    remembered = CachedProvider(Failing(), ProviderStateStore(path), identity="x")
    for _ in range(2):
        with pytest.raises(SearchThrottled):
            await remembered.search(Query("lion"), limit=8)
