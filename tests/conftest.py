"""What holds for every test."""

import asyncio
import gc
import os
from collections.abc import Iterator
from types import NoneType
from typing import Any

import pytest

# Without a model in the settings a run looks for local servers: whatever runs on this machine is no part of a test.
os.environ.setdefault("AGENT_MODEL", "extractive")


@pytest.fixture(autouse=True)
def background_errors(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Fails a test that leaves an exception in a task or callback that nobody awaits, on whatever event loop.

    A test that expects one takes it out of the list.
    """
    errors: list[dict[str, Any]] = []
    original = asyncio.BaseEventLoop.default_exception_handler

    def note(loop: asyncio.BaseEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), asyncio.CancelledError | NoneType):
            errors.append(context)
        original(loop, context)

    monkeypatch.setattr(asyncio.BaseEventLoop, "default_exception_handler", note)
    yield errors
    gc.collect(1)  # a task tells of its exception when it is collected; older generations would take too long
    assert not errors, f"in the background: {errors}"
