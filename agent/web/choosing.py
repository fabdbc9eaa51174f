"""Which of the found pages are read, and how many by when.  Pure.

Searches come in one after another, and the first one must not take all the pages: what it ranks first is what *its*
words rank first.  So each gets a small share at once, which hides the fetching behind the others, and the rest is
given out by all rankings together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from agent.text.pages import at_publisher, is_reduced, page_key
from agent.text.ranking import rrf
from agent.text.urls import canonical, host
from agent.types import Limits, SearchHit

_OF_ONE_HOST = 3  # pages of a round's 8 or more; first value


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page somebody wants.  `url` is the spelling that is fetched; pages are told apart by `key`."""

    url: str
    hit: SearchHit | None = None  # that led to it; None: the question named it
    local: bool = False  # the hit came from a provider of local documents

    @classmethod
    def of(cls, hit: SearchHit, *, local: bool = False) -> Wanted:
        return cls(canonical(at_publisher(hit.url)), hit, local)

    @property
    def key(self) -> str:
        return page_key(self.url)


Ranking = Sequence[Wanted]
"""One provider's hits for one query, best first."""


def fused(rankings: Sequence[Ranking]) -> list[Wanted]:
    """All pages of the rankings, each once, best first; the fourth page of a host and later ones come last."""
    pages: dict[str, Wanted] = {}
    for ranking in rankings:
        for page in ranking:
            known = pages.setdefault(page.key, page)
            if is_reduced(known.url) and not is_reduced(page.url):
                pages[page.key] = page
    return _spread([pages[key] for key, _ in rrf([[page.key for page in ranking] for ranking in rankings])])


def _spread(pages: Sequence[Wanted]) -> list[Wanted]:
    """One host must not be the whole evidence, nor hold up the run when it is slow.  Folders have no host."""
    first: list[Wanted] = []
    later: list[Wanted] = []
    counts: Counter[str] = Counter()
    for page in pages:
        name = host(page.url)
        counts[name] += 1
        (later if name and counts[name] > _OF_ONE_HOST else first).append(page)
    return first + later


def allowance(round: int, limits: Limits) -> int:
    """Pages that may be read up to the end of this round: most in the first, which is often the only one."""
    if round <= 0:
        return 0
    return limits.pages if round >= limits.rounds else max(1, limits.pages * (round + 1) // (limits.rounds + 1))


def early_share(round: int, limits: Limits) -> int:
    """Pages that one search may start before the others of its round are in."""
    searches = limits.queries + 1  # the question itself is one
    return max(1, (allowance(round, limits) - allowance(round - 1, limits)) // searches)
