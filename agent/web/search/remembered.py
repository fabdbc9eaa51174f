"""A provider that is not asked the same again within some hours, by this command or another.

Only replies with hits are kept: that nothing was found may be a block that was not recognised.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence

from pydantic import ValidationError

from agent.codec import from_json, to_json
from agent.services import SearchProvider
from agent.types import Query, SearchHit
from agent.web.search.shelf import Shelf


class Remembered:
    def __init__(self, provider: SearchProvider, shelf: Shelf, *, identity: str) -> None:
        """`identity`: everything beside the query that a reply depends on."""
        self.name = provider.name
        self._provider = provider
        self._shelf = shelf
        self._identity = identity

    async def search(self, query: Query, *, limit: int) -> Sequence[SearchHit]:
        key = self._key(query.text, limit)
        kept = await asyncio.to_thread(self._recall, key)
        if kept:
            return kept
        hits = tuple(await self._provider.search(query, limit=limit))
        if hits:
            written = json.dumps(to_json(hits, tuple[SearchHit, ...]), ensure_ascii=False)
            await asyncio.to_thread(self._shelf.keep, key, written)
        return hits

    def _key(self, text: str, limit: int) -> str:
        """What was asked cannot be read from it."""
        return hashlib.sha256(json.dumps([self._identity, " ".join(text.split()), limit]).encode()).hexdigest()

    def _recall(self, key: str) -> tuple[SearchHit, ...]:
        written = self._shelf.recall(key)
        try:
            return from_json(tuple[SearchHit, ...], json.loads(written)) if written else ()
        except (ValueError, ValidationError):  # another version's
            return ()
