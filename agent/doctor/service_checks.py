"""Checks disk, stores, Chroma, and one search with each provider."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.doctor.diagnosis_item import DiagnosisItem, Machine
from agent.doctor.model_checks import LOOPBACK, NETWORK
from agent.errors import AgentError, LibraryError, SearchThrottled, SettingsError, WorkerError
from agent.protocols import SearchProvider
from agent.search.provider_registry import PROVIDERS
from agent.settings import Settings
from agent.text.urls import host
from agent.types import Query
from agent.wiring.web_setup import FOLDER, SAMPLE, SearchContext, names, open_providers

# ------------------------------------------------------------------------------------------ places

# Where things are kept, and what keeps them: directories, disk, SQLite, the embedder, Chroma.
#
# Every function looks at one thing.  All but `chroma` block.

CHROMA_SECONDS = 30.0  # a cold interpreter importing chromadb on two busy cores took 4.4 s
_LEAST_BYTES = 200 << 20  # a deep run stores some 10 MB, and SQLite wants room beside what it writes
_SCARCE_BYTES = 1 << 30
_NO_CHROMA = "nothing has to be done: an exact search answers in its place, more slowly in a large library"
_SERVER_AWAY = (
    "see AGENT_CHROMA_URL, and whether the server runs (`chroma run`); an exact search answers meanwhile, and what is "
    "missing on the server is added once it is there"
)


def directories(settings: Settings) -> Iterator[DiagnosisItem]:
    yield _directory("data", settings.data_home, "AGENT_DATA_DIR", vital=True)
    yield _directory("cache", settings.cache_home, "AGENT_CACHE_DIR", vital=False)


def _directory(part: str, place: Path, variable: str, *, vital: bool) -> DiagnosisItem:
    """One that is not there yet only has to be possible."""
    above = _nearest(place)
    try:
        with tempfile.TemporaryFile(dir=above) as file:
            file.write(b"\0" * 4096)
    except OSError as e:
        why = f"{above}: {e.strerror or e}"
    else:
        how = "can be written" if above == place else "will be made with the first question"
        return DiagnosisItem(part, "ok", f"{place} {how}")
    told = f"{place} cannot be used ({why})"
    mend = f"set {variable} to a directory that you may write, or make this one yours"
    return DiagnosisItem(part, "problem" if vital else "weak", told, mend)


def disk(settings: Settings) -> DiagnosisItem:
    try:
        free = shutil.disk_usage(_nearest(settings.data_home)).free
    except OSError as e:
        return DiagnosisItem("disk", "weak", f"the free space cannot be told: {e.strerror or e}")
    told = f"{free / 1e9:,.1f} GB are free where the library is kept"
    if free >= _SCARCE_BYTES:
        return DiagnosisItem("disk", "ok", told)
    mend = "make room, or set AGENT_DATA_DIR to a place on another disk"
    return DiagnosisItem("disk", "weak" if free >= _LEAST_BYTES else "problem", told, mend)


def full_text() -> DiagnosisItem:
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute("CREATE VIRTUAL TABLE words USING fts5 (text)")
    except sqlite3.Error as e:
        mend = "use a Python whose sqlite3 has it: python.org's and every Linux distribution's do"
        return DiagnosisItem(
            "library", "problem", f"SQLite {sqlite3.sqlite_version} has no full-text search ({e})", mend
        )
    return DiagnosisItem("library", "ok", f"SQLite {sqlite3.sqlite_version} has full-text search")


def record(settings: Settings) -> DiagnosisItem | None:
    """None where there is none yet."""
    from agent.library.record import Record
    from agent.library.schema import FILE

    path = settings.data_home / "library" / FILE
    try:
        if not path.exists():
            return None
        kept = Record(path)
        try:
            count = int(kept.rows("SELECT count(*) FROM documents")[0][0])
        finally:
            kept.close()
    except (LibraryError, OSError) as e:
        mend = "move the directory out of the way, or set AGENT_DATA_DIR to another one: a new library is made"
        return DiagnosisItem("library", "problem", str(e), mend)
    return DiagnosisItem("library", "ok", f"{count:,} pages are kept in {path.parent}")


def embedder(settings: Settings) -> DiagnosisItem:
    """Asked for one vector; blocks, for an endpoint up to 15 seconds."""
    from agent.wiring.model_setup import embedder_of

    mend = "python -m agent setup-embeddings" if settings.embeddings_model is None else "see AGENT_EMBEDDINGS_BASE_URL"
    try:
        found = embedder_of(settings)
        if found is None:
            told = "none is set up, so passages are found by their words alone"
            return DiagnosisItem("embedder", "weak", told, mend)
        asyncio.run(found.embed(["Does it work?"], query=True))
    except (LibraryError, OSError) as e:
        return DiagnosisItem("embedder", "weak", f"{e}; passages are found by their words alone", mend)
    return DiagnosisItem("embedder", "ok", f"{found.name} works")


async def chroma(settings: Settings) -> DiagnosisItem:
    """An index in a directory of its own, in a process of its own: the user's is left alone, also on a server."""
    from agent.library.chroma_index import place_of
    from agent.wiring.model_setup import chroma_server_of
    from agent.worker_pool import WorkerPool

    server = chroma_server_of(settings)
    crew = WorkerPool("agent.library.chroma_worker")
    try:
        with tempfile.TemporaryDirectory(prefix="r1-research-", ignore_cleanup_errors=True) as home:
            where = place_of(Path(home) / "index", server)
            opening = {"do": "open", **where, "record": f"{home}/record.sqlite", "embedder": 1, "anew": False}
            told, _ = await crew.ask(opening, seconds=CHROMA_SECONDS)
            if told["state"] == "open":
                await crew.ask({"do": "drop", **where}, seconds=CHROMA_SECONDS)
    except (WorkerError, OSError) as e:
        told = {"state": "", "why": f"{server.url if server else 'it'} does not start: {e}"}
    finally:
        crew.close()
    if told["state"] == "open":
        works = f"the server {server.url} works" if server else "it starts, in a process of its own"
        return DiagnosisItem("chroma", "ok", works)
    return DiagnosisItem("chroma", "weak", str(told.get("why", told)), _SERVER_AWAY if server else _NO_CHROMA)


def _nearest(place: Path) -> Path:
    """The place, or what is there of the way to it."""
    return next((p for p in (place, *place.parents) if p.exists()), Path("/"))


# ------------------------------------------------------------------------------------------ searches

# One search with each provider: blocked, broken, without hits and well are told apart.
#
# Knows what a user can do about each; what went wrong is said by the providers themselves.

QUESTION = Query("DeepSeek-R1 reinforcement learning")  # something that every encyclopaedia and the sample web know
QUERY_SECONDS = 10.0  # as in a run: of it a provider has most
SEARCH_SECONDS = 20.0  # one provider: DuckDuckGo waits for its turn before it asks
_SEARXNG_BESIDE = (
    "in a container, localhost is the container itself: set AGENT_SEARXNG_URL to the service's name, such as "
    "http://searxng:8080, or to http://host.docker.internal:8888 for one on the host"
)
_WAIT = "wait for about an hour, or ask another one: AGENT_SEARCH=…, or your own SearXNG (AGENT_SEARXNG_URL)"


@dataclass(frozen=True, slots=True)
class _Tried:
    name: str
    hits: int = 0
    seconds: float = 0.0
    error: AgentError | None = None


async def searches(settings: Settings, machine: Machine) -> list[DiagnosisItem]:
    """A finding for each provider, in order of preference; a failure is a problem where none of them works."""
    try:
        tried = await _try_all(settings)
    except SettingsError as e:
        return [DiagnosisItem("search", "problem", str(e))]
    works = any(each.error is None for each in tried if each.name != FOLDER or len(tried) == 1)
    return [_found(each, settings, machine, works=works) for each in tried]


async def _try_all(settings: Settings) -> list[_Tried]:
    named = names(settings)
    async with AsyncExitStack() as stack:
        url = await _sample_url(stack) if SAMPLE in named else None
        today = datetime.now(UTC).date()
        occasion = SearchContext(today, QUERY_SECONDS, remembers=False, sample_search_url=url)
        providers = await open_providers(settings, named, stack, occasion)
        return list(await asyncio.gather(*(_try(provider) for provider in providers.values())))


async def _sample_url(stack: AsyncExitStack) -> str:
    from agent.sample.sample_server import SampleWeb

    return (await stack.enter_async_context(SampleWeb())).search_url


async def _try(provider: SearchProvider) -> _Tried:
    began = time.monotonic()
    try:
        async with asyncio.timeout(SEARCH_SECONDS):
            hits = await provider.search(QUESTION, limit=5)
    except TimeoutError:
        return _Tried(provider.name, error=AgentError(f"it did not answer within {SEARCH_SECONDS:g} seconds"))
    except AgentError as e:
        return _Tried(provider.name, error=e)
    return _Tried(provider.name, len(hits), time.monotonic() - began)


def _found(tried: _Tried, settings: Settings, machine: Machine, *, works: bool) -> DiagnosisItem:
    part = f"search {tried.name}"
    if tried.error:
        mend = _WAIT if isinstance(tried.error, SearchThrottled) else _mend(tried.name, settings, machine)
        return DiagnosisItem(part, "weak" if works else "problem", str(tried.error), mend)
    if tried.hits:
        return DiagnosisItem(part, "ok", f"{tried.hits} hit{'s' * (tried.hits != 1)} in {tried.seconds:.1f} s")
    if tried.name == FOLDER:
        return DiagnosisItem(part, "ok", f"{settings.folder} can be searched")
    return DiagnosisItem(part, "weak", f"it answers, but found nothing for {QUESTION.text!r}")


def _mend(name: str, settings: Settings, machine: Machine) -> str:
    if name == "searxng" and machine.in_container and host(settings.option("searxng_url") or "") in LOOPBACK:
        return _SEARXNG_BESIDE
    hint = PROVIDERS[name].hint if name in PROVIDERS else ""
    return hint or NETWORK
