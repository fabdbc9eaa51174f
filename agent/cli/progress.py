"""Who watches a run: nobody, a pipe, or a person at a terminal.  Progress goes to stderr only."""

from __future__ import annotations

import json
import os
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, TextIO

from agent.cli.clean import clean, one_line
from agent.cli.facts import facts
from agent.events import Ended, Event, Finished, Thinking, Warned

if TYPE_CHECKING:
    from rich.live import Live

    from agent.cli.live import Picture

Detail = Literal["none", "cut", "whole"]
"""How much progress: none, with the reasoning cut to its end, with all of it."""
_LAST_WORDS = 150  # characters of a step's reasoning that a pipe is told


class Watcher(Protocol):
    """Is entered before the first event and left after the last, or when the run breaks off."""

    def __enter__(self) -> Watcher: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def see(self, event: Event) -> None: ...


def watcher(detail: Detail, *, events_on_stdout: bool) -> Watcher:
    """The one that fits where stderr goes; a live view would garble events that share its terminal."""
    if detail == "none":
        return Silence()
    shared = events_on_stdout and sys.stdout.isatty()
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not shared:
        return LiveView(whole=detail == "whole")
    return Lines(sys.stderr, whole=detail == "whole")


class Silence:
    def __enter__(self) -> Silence:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        pass

    def see(self, event: Event) -> None:
        pass


class Lines(Silence):
    """One plain line a fact.  The reasoning: with `whole`, as it comes, indented; else a step's last words."""

    def __init__(self, out: TextIO, *, whole: bool) -> None:
        self._out = out
        self._thoughts = Thoughts() if whole else LastWords()

    def see(self, event: Event) -> None:
        for line in [*self._thoughts.lines(event), *facts(event)]:
            self._out.write(f"{line}\n")  # one write: an interrupt must not come between a line and its end
        self._out.flush()


class Thoughts:
    """Reasoning comes in pieces; this gives whole lines, the last one when its step ends."""

    def __init__(self) -> None:
        self._open = ""

    def lines(self, event: Event) -> list[str]:
        if isinstance(event, Thinking):
            *whole, self._open = (self._open + event.text).split("\n")
            return [f"  {clean(line)}" for line in whole]
        if isinstance(event, Ended) and self._open:
            line, self._open = self._open, ""
            return [f"  {clean(line)}"]
        return []


class LastWords(Thoughts):
    """One line a step: how much was thought, and the end of it."""

    def lines(self, event: Event) -> list[str]:
        if isinstance(event, Thinking):
            self._open += event.text
        elif isinstance(event, Ended) and self._open:
            thought, self._open = one_line(self._open), ""
            return [f"thinks: … {thought[-_LAST_WORDS:]} ({len(thought):,} characters)"]
        return []


class LiveView(Silence):
    """What happens, drawn over itself and gone at the end; warnings and the last line stay."""

    def __init__(self, *, whole: bool) -> None:
        from rich.console import Console

        from agent.cli.scene import Scene

        self._console = Console(stderr=True)
        self._scene = Scene()
        self._thoughts = Thoughts() if whole else None
        self._live: Live | None = None

    def __enter__(self) -> LiveView:
        from rich.live import Live

        self._live = Live(
            get_renderable=self._picture,
            console=self._console,
            refresh_per_second=8,  # the clock must tick and the spinner turn, or R1's minute looks like a hang
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def see(self, event: Event) -> None:
        from rich.text import Text

        from agent.cli.scene import fold

        self._scene = fold(self._scene, event)
        for line in self._thoughts.lines(event) if self._thoughts else ():
            self._console.print(Text(line, "dim italic"))
        if isinstance(event, Warned | Finished):
            for line in facts(event):
                self._console.print(Text(line, "yellow" if isinstance(event, Warned) else "dim"))

    def _picture(self) -> Picture:
        from agent.cli.live import Picture

        return Picture(self._scene, time.monotonic())


def event_line(event: Event) -> str:
    """What `--events` prints: one JSON object, with its line's end."""
    from agent.events import encode

    return json.dumps(encode(event)) + "\n"
