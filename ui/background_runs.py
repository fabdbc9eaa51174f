"""Runs in the background: they live in the process, not in a browser tab.

One event loop in one thread carries all runs.  The script of a tab only reads a run's newest View and waits for the
next, so a reload, a second tab or another reader of the link see the same run.  Knows no Streamlit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import threading
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from agent import AgentError
from agent.events import Event
from agent.ui.page_view import View, fold

_AT_ONCE = 4  # runs under way; further ones wait for a place
_KEPT = 100  # runs in memory; the oldest finished ones go first
_LOG = logging.getLogger("agent.ui")


class StreamingAgent(Protocol):
    """What the app needs of `agent.ResearchAgent`."""

    def astream(self, question: str) -> AsyncGenerator[Event, None]: ...

    def describe(self) -> str: ...


class BackgroundRun:
    """One question.  Written by the loop's thread, read by any."""

    def __init__(self, question: str) -> None:
        self.key = secrets.token_urlsafe(9)  # who has the link may look
        self.began = time.monotonic()
        self.task: asyncio.Task[None] | None = None
        self._view = View(question)
        self._version = 0
        self._changed = threading.Condition()

    @property
    def view(self) -> View:
        return self._view

    def wait(self, after: int, seconds: float) -> tuple[int, View]:
        """The newest view with its version, as soon as that is above `after`, or when `seconds` are over."""
        with self._changed:
            self._changed.wait_for(lambda: self._version > after, seconds)
            return self._version, self._view

    def change(self, view: View) -> None:
        with self._changed:
            self._view = view
            self._version += 1
            self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class RunChoice:
    """What the reader of the page may choose for a run; the rest is configured."""

    depth: str = "standard"
    library: str = "use"


class BackgroundRuns:
    """All runs of this process.  `make` gives an agent for a choice; it may raise `AgentError`."""

    def __init__(self, make: Callable[[RunChoice], StreamingAgent]) -> None:
        self._make = make
        self._runs: dict[str, BackgroundRun] = {}
        self._described: dict[RunChoice, str] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="agent-ui-runs", daemon=True).start()

    def describe(self, choice: RunChoice) -> str:
        """Which reasoner and search will answer, found out once.  Raises `AgentError`."""
        if choice not in self._described:
            self._described[choice] = self._make(choice).describe()
        return self._described[choice]

    def begin(self, question: str, choice: RunChoice) -> BackgroundRun:
        run = BackgroundRun(question)
        self._make_room()
        self._runs[run.key] = run
        self._loop.call_soon_threadsafe(self._start, run, choice)
        return run

    def find(self, key: str | None) -> BackgroundRun | None:
        return self._runs.get(key or "")

    def stop(self, run: BackgroundRun) -> None:
        """End a run; returns at once."""
        self._loop.call_soon_threadsafe(lambda: run.task.cancel() if run.task else None)

    def _start(self, run: BackgroundRun, choice: RunChoice) -> None:
        run.task = self._loop.create_task(self._follow(run, choice))

    def _make_room(self) -> None:
        finished = [key for key, run in list(self._runs.items()) if run.view.over]
        for key in finished[: max(0, len(self._runs) + 1 - _KEPT)]:
            self._runs.pop(key, None)

    async def _follow(self, run: BackgroundRun, choice: RunChoice) -> None:
        """Every event into the view; every way to end, too."""
        try:
            async with self._places, contextlib.aclosing(self._make(choice).astream(run.view.question)) as events:
                async for event in events:
                    run.change(fold(run.view, event))
            if not run.view.over:
                run.change(replace(run.view, failure="The run ended without an answer."))
        except asyncio.CancelledError:
            run.change(replace(run.view, stopped=True))
            raise
        except AgentError as e:
            run.change(replace(run.view, failure=str(e)))
        except Exception as e:  # noqa: BLE001 - nobody awaits this task: a bug must reach the page and the log
            _LOG.exception("run %s failed", run.key)
            run.change(replace(run.view, failure=f"{type(e).__name__}: see the log of the app"))
