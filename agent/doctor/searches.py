"""One search with each provider: blocked, broken, without hits and well are told apart.

Knows what a user can do about each; what went wrong is said by the providers themselves.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.doctor.faults import LOOPBACK, NETWORK
from agent.doctor.finding import Finding, Machine
from agent.errors import AgentError, SearchThrottled, SettingsError
from agent.searching import FOLDER, SAMPLE, Occasion, names, open_providers
from agent.services import SearchProvider
from agent.settings import Settings
from agent.text.urls import host
from agent.types import Query

QUESTION = Query("DeepSeek-R1 reinforcement learning")  # something that every encyclopaedia and the sample web know
QUERY_SECONDS = 10.0  # as in a run: of it a provider has most
SEARCH_SECONDS = 20.0  # one provider: DuckDuckGo waits for its turn before it asks
_SEARXNG_BESIDE = (
    "in a container, localhost is the container itself: set AGENT_SEARXNG_URL to the service's name, such as "
    "http://searxng:8080, or to http://host.docker.internal:8888 for one on the host"
)
_WAIT = "wait for about an hour, or ask another one: AGENT_SEARCH=…, or your own SearXNG (AGENT_SEARXNG_URL)"
_MENDS = {
    "searxng": "look whether the instance runs and AGENT_SEARXNG_URL is its address",
    "brave": "look at AGENT_BRAVE_API_KEY and AGENT_BRAVE_URL",
    "serper": "look at AGENT_SERPER_API_KEY and AGENT_SERPER_URL",
    "tavily": "look at AGENT_TAVILY_API_KEY and AGENT_TAVILY_URL",
    "folder": "look at AGENT_FOLDER (--folder)",
}


@dataclass(frozen=True, slots=True)
class _Tried:
    name: str
    hits: int = 0
    seconds: float = 0.0
    error: AgentError | None = None


async def searches(settings: Settings, machine: Machine) -> list[Finding]:
    """A finding for each provider, in order of preference; a failure is a problem where none of them works."""
    try:
        tried = await _try_all(settings)
    except SettingsError as e:
        return [Finding("search", "problem", str(e))]
    works = any(each.error is None for each in tried if each.name != FOLDER or len(tried) == 1)
    return [_found(each, settings, machine, works=works) for each in tried]


async def _try_all(settings: Settings) -> list[_Tried]:
    named = names(settings)
    async with AsyncExitStack() as stack:
        url = await _sample_url(stack) if SAMPLE in named else None
        today = datetime.now(UTC).date()
        occasion = Occasion(today, QUERY_SECONDS, remembers=False, sample_search_url=url)
        providers = await open_providers(settings, named, stack, occasion)
        return list(await asyncio.gather(*(_try(provider) for provider in providers.values())))


async def _sample_url(stack: AsyncExitStack) -> str:
    from agent.sample.server import SampleWeb

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


def _found(tried: _Tried, settings: Settings, machine: Machine, *, works: bool) -> Finding:
    part = f"search {tried.name}"
    if tried.error:
        mend = _WAIT if isinstance(tried.error, SearchThrottled) else _mend(tried.name, settings, machine)
        return Finding(part, "weak" if works else "problem", str(tried.error), mend)
    if tried.hits:
        return Finding(part, "ok", f"{tried.hits} hit{'s' * (tried.hits != 1)} in {tried.seconds:.1f} s")
    if tried.name == FOLDER:
        return Finding(part, "ok", f"{settings.folder} can be searched")
    return Finding(part, "weak", f"it answers, but found nothing for {QUESTION.text!r}")


def _mend(name: str, settings: Settings, machine: Machine) -> str:
    if name == "searxng" and machine.in_container and host(settings.searxng_url or "") in LOOPBACK:
        return _SEARXNG_BESIDE
    return _MENDS.get(name, NETWORK)
