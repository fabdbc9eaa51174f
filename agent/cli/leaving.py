"""How a run is left: Ctrl-C and SIGTERM end it cleanly if that is quick, and end it in any case.

The first signal raises KeyboardInterrupt in the main thread, so that the run puts its things away; a second one, or
GRACE_S seconds, end the process.  Leaving never waits for threads that still hang on the network.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import NoReturn

from agent.cli.command import INTERRUPTED, NAME

GRACE_S = 2.0  # closing a run takes some ms; a person who pressed Ctrl-C takes more for a hang
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_STDERR = 2
_SHOW_CURSOR = "\x1b[?25h"  # the live view hides it


class Leaving:
    """While this is entered, the two signals leave, with `last_words()` as the last line on stderr."""

    def __init__(self, last_words: Callable[[], str]) -> None:
        self._last_words = last_words
        self._heard_once = False
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Leaving:
        if threading.current_thread() is threading.main_thread():  # elsewhere signals cannot be set, and do not arrive
            self._before = {number: signal.signal(number, self._heard) for number in _SIGNALS}
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            self.leave()
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal gave us

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if self._heard_once:
            self.leave()
        self._heard_once = True
        timer = threading.Timer(GRACE_S, self.leave)
        timer.daemon = True
        timer.start()
        raise KeyboardInterrupt

    def leave(self) -> NoReturn:
        """Past Python's buffers: the signal may have come in the middle of a print."""
        with contextlib.suppress(OSError):  # nobody reads any more
            cursor = _SHOW_CURSOR if os.isatty(_STDERR) else ""
            os.write(_STDERR, f"{cursor}{NAME}: {self._last_words()}\n".encode())
        os._exit(INTERRUPTED)
