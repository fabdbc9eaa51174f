"""What earlier runs read, as a search provider: the library is asked before and beside the web.

Knows how much of a query a kept page has to speak of to be worth a place among the pages of a run.  Does not know how
the library finds it, or whether it is still fresh enough.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.errors import AddressRefused, LibraryError, SearchBroken
from agent.services import Library
from agent.text.words import terms
from agent.types import LibraryHit, Query, SearchHit, Within
from agent.web.addresses import check_url

NAME = "library"
_MORE = 3  # times as many are asked for as are wanted: the library finds something for every query
_SPOKEN_OF = 0.6  # of the query's telling words that the title and the best passage have; first value


class Kept:
    """Fulfils `services.SearchProvider`."""

    name = NAME

    def __init__(self, library: Library, *, within: Within | None = None, allow_private: bool = False) -> None:
        """`allow_private`: pages of an intranet too, which were read when that was allowed."""
        self._library = library
        self._within = within or Within()
        self._allow_private = allow_private

    async def search(self, query: Query, *, limit: int) -> Sequence[SearchHit]:
        """Pages that speak of most of what is asked, best first.  Raises `SearchBroken`."""
        try:
            found = await self._library.search([query.text], within=self._within, limit=_MORE * limit)
        except LibraryError as e:
            raise SearchBroken(str(e)) from e
        wanted = set(terms(query.text))
        fitting = [hit for hit in found if self._may_be_shown(hit.url) and _speaks_of(hit, wanted)][:limit]
        return [
            SearchHit(hit.url, hit.title, hit.passage, rank, self.name, hit.published)
            for rank, hit in enumerate(fitting, start=1)
        ]

    def _may_be_shown(self, url: str) -> bool:
        try:
            check_url(url, allow_private=self._allow_private)
        except AddressRefused:
            return False
        return True


def _speaks_of(hit: LibraryHit, wanted: set[str]) -> bool:
    has = set(terms(f"{hit.title} {hit.passage}"))
    return len(wanted & has) >= _SPOKEN_OF * len(wanted)
