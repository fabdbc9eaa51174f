"""Builds the parts of the agent from its settings, and the graph from the parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from agent.errors import SettingsError
from agent.result import MadeWith
from agent.settings import EXTRACTIVE, Settings
from agent.text.urls import host, site
from agent.types import Limits
from agent.version import VERSION
from agent.wiring import model_setup, web_setup
from agent.wiring.web_setup import SAMPLE, PoolConfig, RunStart, open_pool

if TYPE_CHECKING:
    from langchain_core.documents import BaseDocumentCompressor
    from langchain_core.embeddings import Embeddings
    from langchain_core.language_models import BaseChatModel
    from langgraph.types import Checkpointer

    from agent.graph.graph_builder import Graph
    from agent.library.embedder import Embedder
    from agent.library.stored_library import StoredLibrary
    from agent.protocols import Clock, Journal, PoolNews, Reasoner, Reranker, RunParts, SearchProvider, Services
    from agent.reasoning.extractive_reasoner import Compare
    from agent.wiring.model_discovery import DiscoveredModel


# ------------------------------------------------------------------------------------------ wiring

# Settings → services → graph: the only module that knows both the settings and the parts.
#
# Each part can be the caller's own: any LangChain chat model as the reasoner, any LangChain embeddings, any object
# with `async search(query, *, limit)` as a search provider.

_MODULES_OF_A_RUN = (
    "httpx2",
    "agent.reasoning.extractive_reasoner",
    "agent.sample.sample_server",
    "agent.web.http_client",
    "agent.extract.page_extractor",
    "agent.web.page_fetcher",
    "agent.web.robots",
    "agent.web.page_pool",
    "agent.search.provider_registry",
)


def build_graph(  # noqa: PLR0913 - whatever a caller may bring, by its name
    settings: Settings | None = None,
    *,
    checkpointer: Checkpointer = None,
    reasoner: BaseChatModel | Reasoner | None = None,
    writer: BaseChatModel | None = None,
    fast: BaseChatModel | None = None,
    embeddings: Embeddings | None = None,
    reranker: BaseDocumentCompressor | Reranker | None = None,
    search: Any = None,
    clock: Clock | None = None,
) -> Graph:
    """The compiled LangGraph graph: `{"question": …}` or `{"messages": […]}` in, `{"answer": {…}}` out.

    `settings`: None reads the environment; where they name no model, local servers are asked, for half a second at
    most.  `checkpointer`: None leaves it to the host.  `reasoner`: a LangChain chat model, or anything with `plan`,
    `write` and `revise`; `writer` and `fast`: chat models that write from its notes, and repair.  `reranker`: an object
    with `async rerank(question, passages)`, or a LangChain document compressor.  `search`: an object
    with `async search(query, *, limit)`, or several in order of preference; hits are `SearchHit`s or dicts with `url`,
    `title` and `snippet`.
    Raises `SettingsError`.
    """
    from agent.graph.graph_builder import build

    parts = Parts(reasoner, writer, fast, embeddings, _providers(search), clock, reranker_of(reranker))
    found = completed(settings or Settings(), reasoner)
    return build(Wiring(found.settings, parts).services(), checkpointer=checkpointer)


def completed(settings: Settings, reasoner: object = None) -> DiscoveredModel:
    """The settings with a model in them, and why this one.  Blocking: it may ask local servers.

    Raises `SettingsError`, `ModelRefused` and `ModelUnreachable`.
    """
    from agent.wiring.model_discovery import DiscoveredModel, discovered

    return discovered(settings) if reasoner is None else DiscoveredModel(settings, "the caller's own")


def describe(found: DiscoveredModel, **given: Any) -> str:
    """One line for people: which reasoner and which search, and why these."""
    names = ("reasoner", "writer", "fast", "embeddings")
    parts = Parts(**{name: given.get(name) for name in names}, search=_providers(given.get("search")))
    wiring = Wiring(found.settings, parts, found.why)
    return "; ".join(filter(None, [wiring.told_reasoner(), wiring.told_search(), wiring.told_library()]))


def library_of(settings: Settings | None = None, *, embeddings: Embeddings | None = None) -> StoredLibrary:
    """What runs with these settings have read; on the sample web where the settings search that.

    Nothing is opened or made before it is asked for something.
    """
    return Wiring(settings or Settings(), Parts(embeddings=embeddings)).library


async def stored_text(settings: Settings, snapshot: str) -> str:
    """A text that quotes point into, from whichever library has it.  Raises `LibraryError`."""
    from agent.errors import LibraryError
    from agent.library.stored_library import StoredLibrary

    home = settings.data_home
    places = [place for place in (home / "library", home / SAMPLE / "library") if place.exists()]
    if not places:
        raise LibraryError(f"there is no library in {home} yet: ask a question first, or give its --data-dir")
    *others, last = [StoredLibrary(place) for place in places]
    for library in others:
        with suppress(LibraryError):  # it may be in the next one
            return await _text_in(library, snapshot)
    return await _text_in(last, snapshot)


async def _text_in(library: StoredLibrary, snapshot: str) -> str:
    async with library.in_use():
        return await library.text(await library.whole(snapshot))


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class Parts:
    """What a caller brings instead of our own."""

    reasoner: Any = None  # a chat model or a Reasoner
    writer: Any = None  # a chat model, like `fast`
    fast: Any = None
    embeddings: Embeddings | None = None
    search: tuple[SearchProvider, ...] = ()
    clock: Clock | None = None
    reranker: Reranker | None = None


class Wiring:
    """One set of settings, turned into services.  What is shared by all runs is made once, when it is first needed."""

    def __init__(self, settings: Settings, parts: Parts, why: str = "as configured") -> None:
        """`settings` name a model, as `completed` gives them; `why` says how it was found."""
        self._settings = settings
        self._parts = parts
        self._why = why
        self._clock: Clock = parts.clock or SystemClock()
        asked = parts.reasoner is None or settings.model is not None
        self._roles = model_setup.measured(model_setup.role_configs(settings)) if asked else {}
        model_setup.check_prices(settings, self._roles, self._brought)
        self.search_names  # noqa: B018 - a name that does not work is told before anything begins

    def services(self) -> Services:
        from agent.protocols import Services
        from agent.reasoning.extractive_reasoner import ExtractiveReasoner
        from agent.verify.verdicts import NoChecker, RuleChecker

        settings = self._settings
        return Services(
            limits=self._limits,
            clock=self._clock,
            library=self.library,
            checker=NoChecker() if settings.checking == "none" else RuleChecker(),
            journal=self._journal,
            fallback=lambda why: ExtractiveReasoner(why, self._compare),
            open_run=self._open_run,
            made_with=self._made_with(),
            reranker=self._parts.reranker,
            language=settings.lang,
            check=settings.checking,
            unconfirmed=settings.unconfirmed,
            share_folder=settings.share_folder,
            cautions=(*web_setup.fetching_cautions(settings), *web_setup.reuse_cautions(settings)),
        )

    # --------------------------------------------------------------------------------------------- choices

    @cached_property
    def search_names(self) -> tuple[str, ...]:
        return web_setup.names(self._settings, self._parts.search)

    @property
    def _brought(self) -> dict[model_setup.RoleName, Any]:
        """The caller's own, by role; None where there is none."""
        return {"reasoner": self._parts.reasoner, "writer": self._parts.writer, "fast": self._parts.fast}

    @property
    def _is_extractive(self) -> bool:
        return self._parts.reasoner is None and self._settings.model in (None, EXTRACTIVE)

    def told_reasoner(self) -> str:
        if self._parts.reasoner is not None:
            return "reasoner: the caller's own"
        if self._is_extractive:
            return f"reasoner: extractive ({self._why})"
        told = [f"{name}: {one.model} at {one.endpoint.host}" for name, one in self._roles.items()]
        notes = [one.profile.note for one in self._roles.values() if one.profile.note]
        return "; ".join([f"{told[0]} ({self._why})", *told[1:], *notes])

    def told_search(self) -> str:
        return f"search: {', '.join(self.search_names)} ({web_setup.why(self._settings, self._parts.search)})"

    def told_library(self) -> str:
        """Only what a user may want to mend."""
        from agent.library.catalogue import size_note

        large = size_note(self._home / "library", self._settings.library_warn_mb)
        return "; ".join(filter(None, [self.library.note, large]))

    def _made_with(self) -> MadeWith:
        settings, mine = self._settings, self._parts.reasoner
        asked = self._roles.get("reasoner") if mine is None else None
        return MadeWith(
            version=VERSION,
            model=type(mine).__name__ if mine is not None else settings.model or EXTRACTIVE,
            endpoint_host=host(asked.base_url) if asked else "",
            profile=asked.profile.name if asked else "",
            writer=self._told("writer"),
            fast=self._told("fast"),
            search=self.search_names,
            since=settings.since or "",
            site=settings.site,
            not_site=settings.not_site,
            library=settings.library,
            depth=settings.depth,
            check=settings.checking,
        )

    def _told(self, role: model_setup.RoleName) -> str:
        mine = getattr(self._parts, role)
        return type(mine).__name__ if mine is not None else self._roles[role].model if role in self._roles else ""

    # --------------------------------------------------------------------------------------------- shared by all runs

    @cached_property
    def _limits(self) -> Limits:
        """Two runs on the sample web shall read the same pages, however busy the machine: wait for all of them."""
        limits = model_setup.fitting(self._settings.limits, self._roles)
        if not self._is_sample:
            return limits
        return replace(limits, quorum=1.0, page_seconds=60, search_seconds=60, read_seconds=60)

    @cached_property
    def _home(self) -> Path:
        """The sample web's pages never stand beside those of the world."""
        home = self._settings.data_home
        return home / SAMPLE if self._is_sample else home

    @property
    def _is_sample(self) -> bool:
        return SAMPLE in (*self.search_names, *self._settings.search)

    @cached_property
    def _embedder(self) -> Embedder | None:
        from agent.library.embedder import HostEmbedder
        from agent.wiring.model_setup import embedder_of

        mine = self._parts.embeddings
        return HostEmbedder(mine) if mine else embedder_of(self._settings)

    @cached_property
    def library(self) -> StoredLibrary:
        from agent.library.stored_library import StoredLibrary
        from agent.wiring.model_setup import chroma_server_of

        return StoredLibrary(self._home / "library", self._embedder, chroma_server_of(self._settings))

    @cached_property
    def _compare(self) -> Compare | None:
        from agent.library.embedder import cosines

        return partial(cosines, self._embedder) if self._embedder else None

    @cached_property
    def _journal(self) -> Journal:
        from agent.reasoning.reply_journal import SqliteJournal

        return SqliteJournal(self._settings.data_home / "journal.sqlite")

    @property
    def _ground(self) -> PoolConfig:
        return PoolConfig(
            settings=self._settings,
            limits=self._limits,
            clock=self._clock,
            library=self.library,
            search_names=self.search_names,
            brought=self._parts.search,
            is_sample=self._is_sample,
        )

    # --------------------------------------------------------------------------------------------- one run's own

    @asynccontextmanager
    async def _open_run(
        self, run_id: str, began: datetime, tell: Callable[[PoolNews], None]
    ) -> AsyncGenerator[RunParts, None]:
        from agent.protocols import RunParts

        await asyncio.to_thread(self._load)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.library.in_use())
            pool = await open_pool(self._ground, stack, RunStart(run_id, began, tell))
            reasoner = await self._open_reasoner(stack)
            judge = getattr(reasoner, "judge", None) if self._settings.checking == "full" else None
            yield RunParts(reasoner, pool, judge)

    def _load(self) -> None:
        """What a run needs, imported and read beside the event loop: LangChain's OpenAI package takes a second."""
        names = list(_MODULES_OF_A_RUN)
        if not self._is_extractive:
            names += ["agent.reasoning.r1_reasoner", "agent.reasoning.models.chat_r1"]
        for name in names:
            import_module(name)
        site("http://www.example.org/")  # reads the list of public suffixes
        if not self._is_extractive:
            import_module("agent.reasoning.prompt_builder").load_all()

    async def _open_reasoner(self, stack: AsyncExitStack) -> Reasoner:
        from agent.reasoning.extractive_reasoner import ExtractiveReasoner

        mine = self._parts.reasoner
        if mine is not None and hasattr(mine, "plan") and hasattr(mine, "write"):
            return cast("Reasoner", mine)
        if self._is_extractive:
            return ExtractiveReasoner(compare=self._compare)
        from agent.reasoning.model_calls import RunBudget
        from agent.reasoning.r1_reasoner import R1Reasoner

        thinking = self._settings.pass_thinking
        roles = await model_setup.open_roles(self._roles, stack, self._brought, pass_thinking=thinking)
        return R1Reasoner(roles, self._journal, RunBudget(usd=self._settings.max_usd))


def _providers(search: Any) -> tuple[SearchProvider, ...]:
    from agent.search.provider_wrappers import HostProvider

    if search is None:
        return ()
    return tuple(HostProvider(each) for each in (search if isinstance(search, Sequence) else (search,)))


# ------------------------------------------------------------------------------------------ reranking

# A reranker that the caller brings: our own protocol as it is, or one of LangChain's document compressors.
#
# Beside `wiring`, which gives it to the runs.

_PLACE = "r1_research_place"  # under which a passage knows its place among those that were given


def reranker_of(brought: Any) -> Reranker | None:
    """Raises `SettingsError` for what cannot rerank."""
    if brought is None or hasattr(brought, "rerank"):
        return cast("Reranker | None", brought)
    if hasattr(brought, "acompress_documents"):
        return Compressor(brought)
    raise SettingsError(
        f"reranker={type(brought).__name__} can rerank nothing: give an object with `async rerank(question, passages)` "
        "that returns a score a passage, or a LangChain document compressor"
    )


class Compressor:
    """Fulfils `services.Reranker`: the order in which the compressor gives passages back is what counts."""

    def __init__(self, compressor: Any) -> None:
        self._compressor = compressor

    async def rerank(self, question: str, passages: Sequence[str]) -> list[float]:
        """What the compressor leaves out comes last.  Raises whatever the compressor raises."""
        from langchain_core.documents import Document

        given = [Document(page_content=text, metadata={_PLACE: place}) for place, text in enumerate(passages)]
        kept = await self._compressor.acompress_documents(given, question)
        scores = [0.0] * len(passages)
        for rank, document in enumerate(kept):
            scores[document.metadata[_PLACE]] = 1 - rank / (len(passages) + 1)
        return scores
