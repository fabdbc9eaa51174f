"""A journal in memory, where a test needs none on disk."""

from __future__ import annotations

from collections.abc import Mapping

from agent.protocols import ReplyKey, StoredReply


class MemoryJournal:
    """The journal of one process, for as long as it lives."""

    def __init__(self) -> None:
        self._replies: dict[ReplyKey, StoredReply] = {}
        self._notes: dict[str, dict[tuple[str, int], str]] = {}

    async def find(self, key: ReplyKey) -> StoredReply | None:
        return self._replies.get(key)

    async def keep(self, key: ReplyKey, reply: StoredReply) -> None:
        self._replies[key] = reply

    async def note(self, run_id: str, step: str, round: int, reasoning: str) -> None:
        self._notes.setdefault(run_id, {})[step, round] = reasoning

    async def notes(self, run_id: str) -> Mapping[tuple[str, int], str]:
        return dict(self._notes.get(run_id, {}))
