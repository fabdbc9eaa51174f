"""A checkpointer for every door: SQLite, from sync code and from any event loop.

LangGraph's SqliteSaver has no async half and its AsyncSqliteSaver is bound to one loop; this one does its blocking work
in a thread for whoever awaits it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.sqlite import SqliteSaver

from agent.errors import SettingsError

BUSY_SECONDS = 30.0  # another process may be writing; each write is short


class RunSaver(SqliteSaver):
    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return await asyncio.to_thread(self.get_tuple, config)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        return await asyncio.to_thread(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        await asyncio.to_thread(self.put_writes, config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        await asyncio.to_thread(self.delete_thread, thread_id)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        found = await asyncio.to_thread(lambda: list(self.list(config, filter=filter, before=before, limit=limit)))
        for item in found:
            yield item

    def close(self) -> None:
        """A write that is under way in another thread, where its caller was cancelled, is let through."""
        with self.lock:
            self.conn.close()


@asynccontextmanager
async def open_saver(path: Path) -> AsyncIterator[RunSaver]:
    """Checkpoints in the SQLite file at `path`, made if it is missing, for as long as a run goes on.

    Raises `SettingsError`.
    """
    saver = await asyncio.to_thread(_opened, path)
    try:
        yield saver
    finally:
        await asyncio.to_thread(saver.close)


def _opened(path: Path) -> RunSaver:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        saver = RunSaver(sqlite3.connect(path, check_same_thread=False, timeout=BUSY_SECONDS))
        saver.setup()
    except (OSError, sqlite3.Error) as e:
        raise SettingsError(f"AGENT_DATA_DIR={str(path.parent)!r}: its {path.name} cannot be used: {e}") from e
    return saver
