"""Refusals and faults: who is asked again when, in this process and in the next one."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.errors import SearchBroken, SearchThrottled
from agent.search.provider_state import NotYet, ProviderStateStore, RateLimiter, Refusal, wait_for_turn
from agent.search.provider_wrappers import CircuitBreakerProvider, duration
from agent.types import Query, SearchHit

HIT = SearchHit("http://one.example/", "A lion", "", 1, "one")


@dataclass
class Time:
    at: float = 1_000_000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Provider:
    """Raises or gives what it is told, and counts how often it was asked."""

    answer: Exception | list[SearchHit] = field(default_factory=lambda: [HIT])
    name: str = "one"
    asked: int = 0
    seconds: float = 0.0

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        self.asked += 1
        await asyncio.sleep(self.seconds)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def guard(time: Time, tmp_path: Path) -> Callable[..., CircuitBreakerProvider]:
    """A guard as a new process makes it: all it knows of earlier ones is in the file."""

    def make(provider: Provider, **others: object) -> CircuitBreakerProvider:
        shelf = ProviderStateStore(tmp_path / "cache" / "search.sqlite", now=time)
        return CircuitBreakerProvider(provider, shelf, clock=time, now=time, **others)  # type: ignore[arg-type]

    return make


async def ask(guarded: CircuitBreakerProvider) -> list[SearchHit] | SearchThrottled | SearchBroken:
    try:
        return list(await guarded.search(Query("lion"), limit=3))
    except (SearchThrottled, SearchBroken) as e:
        return e


Guards = Callable[..., CircuitBreakerProvider]


# ------------------------------------------------------------------------------------------------- refusals


async def test_what_refused_the_last_command_is_not_asked_by_the_next_one(guard: Guards) -> None:
    blocked = Provider(SearchThrottled("HTTP 202"))
    await ask(guard(blocked))
    again = await ask(guard(blocked))
    assert blocked.asked == 1
    assert isinstance(again, SearchThrottled)
    assert "HTTP 202" in str(again)
    assert "not asked for another" in str(again)


async def test_another_process_keeps_to_it_too(guard: Guards, tmp_path: Path) -> None:
    await ask(guard(Provider(SearchThrottled("HTTP 202"))))
    code = """
import sys
from pathlib import Path
from agent.search.provider_state import ProviderStateStore
print(ProviderStateStore(Path(sys.argv[1])).refusal("one").why)
"""
    path = str(tmp_path / "cache" / "search.sqlite")
    # Its clock is today's: what was refused by the test's clock of 1970 is over, but still known.
    told = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "HTTP 202"


@pytest.mark.parametrize(("said", "least", "most"), [(17.0, 17.0, 22.0), (0.0, 1.0, 1.3), (None, 60.0, 75.1)])
async def test_it_waits_as_long_as_it_is_told_and_else_a_minute(
    said: float | None, least: float, most: float, guard: Guards, time: Time
) -> None:
    one = Provider(SearchThrottled("HTTP 429", said))
    await ask(guard(one))
    time.at += least - 0.01
    assert isinstance(await ask(guard(one)), SearchThrottled)
    assert one.asked == 1
    time.at += most - least + 0.01
    await ask(guard(one))
    assert one.asked == 2


async def test_duckduckgo_is_left_alone_for_an_hour(guard: Guards, time: Time) -> None:
    ddg = Provider(SearchThrottled("HTTP 202"), "duckduckgo")
    await ask(guard(ddg))
    time.at += 3_599
    await ask(guard(ddg))
    assert ddg.asked == 1


async def test_each_further_refusal_doubles_the_wait_and_an_answer_ends_it(guard: Guards, time: Time) -> None:
    one = Provider(SearchThrottled("HTTP 429"))
    waits = []
    for _ in range(4):
        await ask(guard(one))
        refused = await ask(guard(one))
        assert isinstance(refused, SearchThrottled)
        waits.append(refused.retry_after or 0)
        time.at += waits[-1] + 1
    assert one.asked == 4
    assert all(60 * 2**n <= wait <= 75 * 2**n for n, wait in enumerate(waits))
    one.answer = [HIT]
    assert await ask(guard(one)) == [HIT]
    one.answer = SearchThrottled("HTTP 429")
    await ask(guard(one))
    refused = await ask(guard(one))
    assert isinstance(refused, SearchThrottled)
    assert (refused.retry_after or 0) <= 75


async def test_waits_are_not_all_the_same(guard: Guards) -> None:
    waits = set()
    for n in range(8):
        one = Provider(SearchThrottled("HTTP 429", 100.0), f"one{n}")
        await ask(guard(one))
        refused = await ask(guard(one))
        assert isinstance(refused, SearchThrottled)
        waits.add(refused.retry_after)
    assert len(waits) == 8


async def test_refusals_of_searches_that_ran_at_once_are_one(guard: Guards, time: Time) -> None:
    one = Provider(SearchThrottled("HTTP 429"), seconds=0.01)
    guarded = guard(one)
    await asyncio.gather(*(ask(guarded) for _ in range(4)))
    assert one.asked == 4
    refused = await ask(guarded)
    assert isinstance(refused, SearchThrottled)
    assert (refused.retry_after or 0) <= 75


async def test_after_a_refusal_one_search_tries_and_the_others_do_not(guard: Guards, time: Time) -> None:
    one = Provider(SearchThrottled("HTTP 429"))
    await ask(guard(one))
    time.at += 3_600
    one.answer, one.seconds = [HIT], 0.05
    replies = await asyncio.gather(*(ask(guard(one)) for _ in range(4)))
    assert one.asked == 2
    assert sum(reply == [HIT] for reply in replies) == 1
    assert await ask(guard(one)) == [HIT]


async def test_a_provider_with_another_key_or_address_has_a_record_of_its_own(guard: Guards) -> None:
    one = Provider(SearchThrottled("HTTP 429"))
    await ask(guard(one, identity="one with a key"))
    await ask(guard(one, identity="one with another"))
    assert one.asked == 2


async def test_our_own_pace_is_no_refusal(guard: Guards) -> None:
    one = Provider(NotYet("once every 2 seconds", 2.0))
    guarded = guard(one)
    for _ in range(3):
        assert isinstance(await ask(guarded), SearchThrottled)
    assert one.asked == 3


async def test_nothing_found_is_no_refusal(guard: Guards) -> None:
    one = Provider([])
    assert [await ask(guard(one)) for _ in range(3)] == [[], [], []]


# ------------------------------------------------------------------------------------------------- faults


async def test_what_is_plainly_broken_is_left_alone_for_a_while_by_this_run_only(guard: Guards, time: Time) -> None:
    one = Provider(SearchBroken("it cannot be reached"))
    guarded = guard(one)
    for _ in range(2):
        await ask(guarded)
        time.at += 0.1
    left_alone = await ask(guarded)
    assert one.asked == 2
    assert isinstance(left_alone, SearchBroken)
    assert "it cannot be reached" in str(left_alone)
    await ask(guard(one))
    assert one.asked == 3, "whoever has mended it tries again at once"
    time.at += 30
    one.answer = [HIT]
    assert await ask(guarded) == [HIT]


async def test_where_another_provider_waits_one_fault_is_enough(guard: Guards) -> None:
    one = Provider(SearchBroken("it cannot be reached"))
    guarded = guard(one, faults=1)
    for _ in range(3):
        await ask(guarded)
    assert one.asked == 1


async def test_faults_of_searches_that_ran_at_once_are_one(guard: Guards, time: Time) -> None:
    one = Provider(SearchBroken("it cannot be reached"))
    guarded = guard(one)

    async def late() -> None:
        await ask(guarded)

    await asyncio.gather(late(), late(), late())
    time.at += 0.1
    await ask(guarded)
    assert one.asked == 4


async def test_a_search_that_its_caller_gave_up_is_a_fault(guard: Guards, time: Time) -> None:
    one = Provider(seconds=60)
    guarded = guard(one, faults=1)
    search = asyncio.create_task(ask(guarded))
    while not one.asked:
        await asyncio.sleep(0.005)
    time.at += 7
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    reply = await ask(guarded)
    assert isinstance(reply, SearchBroken)
    assert "too slow" in str(reply)


# ------------------------------------------------------------------------------------------------- the file


def test_many_processes_write_at_once_and_none_fails(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from agent.search.provider_state import Refusal, ProviderStateStore
shelf = ProviderStateStore(Path(sys.argv[1]))
for n in range(50):
    shelf.refuse(f"one{n}", Refusal(1.0, 2.0, 1, "x"), began=0.0)
    shelf.keep(f"{sys.argv[2]}:{n}", "hits")
assert shelf.recall(f"{sys.argv[2]}:49") == "hits"
"""
    path = tmp_path / "search.sqlite"
    workers = [subprocess.Popen([sys.executable, "-c", code, str(path), str(n)]) for n in range(3)]
    assert [worker.wait(30) for worker in workers] == [0, 0, 0]
    with sqlite3.connect(path) as db:
        assert db.execute("select count(*) from reply").fetchone() == (150,)


def test_a_file_that_is_busy_when_it_is_opened_is_used_once_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "search.sqlite"
    shelf = ProviderStateStore(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("begin exclusive")
        shelf.keep("a", "hits")
    shelf.keep("b", "hits")
    assert ProviderStateStore(path).recall("b") == "hits"


def test_a_reply_that_was_kept_while_another_command_waited_to_write_stays(tmp_path: Path) -> None:
    path = tmp_path / "search.sqlite"
    later, earlier = (
        ProviderStateStore(path, now=lambda: 1_000_001.0),
        ProviderStateStore(path, now=lambda: 1_000_000.0),
    )
    later.keep("a", "hits")
    earlier.keep("b", "hits")
    assert later.recall("a") == earlier.recall("a") == "hits"


@pytest.mark.parametrize(
    "content", [b"this is no database, but it is long enough to be one " * 40, b"SQLite format 3\x00" + b"\xff" * 4_000]
)
def test_a_damaged_file_is_thrown_away(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "search.sqlite"
    path.write_bytes(content)
    shelf = ProviderStateStore(path)
    assert shelf.recall("a") is None
    shelf.keep("a", "hits")
    assert shelf.recall("a") == "hits"


def test_where_no_file_can_be_the_process_remembers_for_itself(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way of a directory")
    shelf = ProviderStateStore(tmp_path / "file" / "search.sqlite")
    shelf.refuse("one", Refusal(1.0, 2.0, 1, "x"), began=0.0)
    assert shelf.refusal("one") is not None


def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    ProviderStateStore(path := tmp_path / "search.sqlite").keep("a", "hits")
    assert path.stat().st_mode & 0o077 == 0


def test_a_clock_that_was_set_back_locks_nobody_out(tmp_path: Path, time: Time) -> None:
    shelf = ProviderStateStore(tmp_path / "search.sqlite", now=time)
    shelf.refuse("one", Refusal(time.at, time.at + 3_600, 1, "x"), began=time.at)
    time.at -= 30 * 86_400
    assert shelf.refusal("one") is None


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "1 second"), (1.4, "1 second"), (42.4, "42 seconds"), (600, "10 minutes"), (9_000, "2 hours")],
)
def test_a_wait_is_told_as_people_say_it(seconds: float, told: str) -> None:
    assert duration(seconds) == told


# ------------------------------------------------------------------------------------------------- turns


def test_commands_take_turns(tmp_path: Path, time: Time) -> None:
    one, other = (ProviderStateStore(tmp_path / "search.sqlite", now=time) for _ in range(2))
    assert [shelf.turn("ddg", 2.0, 9.0) for shelf in (one, other, one)] == [0.0, 2.0, 4.0]
    assert other.turn("ddg", 2.0, 5.0) == 6.0, "and takes no turn"
    assert other.turn("brave", 1.0, 0.0) == 0.0
    time.at += 6
    assert one.turn("ddg", 2.0, 0.0) == 0.0


def test_a_queue_that_a_clock_set_back_has_left_is_none(tmp_path: Path, time: Time) -> None:
    shelf = ProviderStateStore(tmp_path / "search.sqlite", now=time)
    shelf.turn("ddg", 2.0, 0.0)
    time.at -= 86_400
    assert shelf.turn("ddg", 2.0, 0.0) == 0.0


async def test_a_turn_that_another_command_has_taken_is_waited_for_or_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "search.sqlite"
    assert await wait_for_turn(RateLimiter(0.2, "DuckDuckGo"), ProviderStateStore(path), 0.0) == 0.0
    assert 0.0 < await wait_for_turn(RateLimiter(0.2, "DuckDuckGo"), ProviderStateStore(path), 1.0) <= 0.25
    with pytest.raises(NotYet, match="DuckDuckGo is asked once every"):
        await wait_for_turn(RateLimiter(30.0, "DuckDuckGo"), ProviderStateStore(path), 0.0)
