"""Shows a run while it goes on: nothing, lines, or a live view."""

from __future__ import annotations

import json
import os
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, TextIO, assert_never

from agent.events import (
    Began,
    Checked,
    Ended,
    Event,
    Finished,
    Landed,
    PageRead,
    PageSkipped,
    Planned,
    Ranked,
    Searched,
    Spent,
    Stored,
    Thinking,
    Warned,
    Writing,
)
from agent.result import Answer
from agent.text.safe_text import clean, one_line
from agent.types import Search, Source

if TYPE_CHECKING:
    from rich.live import Live

    from agent.cli.live_picture import Picture


# ------------------------------------------------------------------------------------------ facts

# One event, told as one plain line: what progress is in a pipe, and where a live view is not possible.

_LONGEST_TITLE = 90  # characters


def facts(event: Event) -> list[str]:  # noqa: C901, PLR0912 - one flat case for each kind of event
    """The lines that tell this event; none for what comes in pieces."""
    match event:
        case Began():
            return [f"{_step(event)} begins"]
        case Ended():
            return [f"{_step(event)} ends after {seconds(event.seconds)}{_after(': ', event.summary)}"]
        case Planned():
            return [f"asks: {one_line(event.query.text)}{_after(' – ', event.query.purpose)}"]
        case Searched():
            return [searched(event.search)]
        case PageRead():
            kept = f"from the library{_after(': ', event.note)}"
            how = kept if event.cached else f"{size(event.bytes)}, {seconds(event.seconds)}"
            return [f"reads: {one_line(event.site)} – {short(event.title or event.url)} ({how})"]
        case PageSkipped():
            return [f"skips: {one_line(event.url)} ({one_line(event.reason)})"]
        case Ranked():
            return [f"evidence: {source(s)}" for s in event.sources]
        case Checked():
            return [f"{event.verdict}: {one_line(event.claim.text)}"]
        case Warned():
            return [f"warning: {one_line(event.text)}"]
        case Landed():
            return [f"lands early: {one_line(event.why)}"]
        case Finished():
            return [finished(event.answer)]
        case Thinking() | Writing() | Stored() | Spent():
            return []
        case _:
            assert_never(event)


def searched(search: Search) -> str:
    """How a search fared; "throttled", "broken" and "nothing" are three different things."""
    asked, who = one_line(search.query.text), one_line(search.provider)
    match search.outcome:
        case "found":
            told = f"found {len(search.hits)} with {who}"
        case "nothing":
            told = f"{who} found nothing"
        case "throttled":
            told = f"{who} refuses for now"
        case "broken":
            told = f"{who} does not work"
        case _:
            assert_never(search.outcome)
    return f"{told}: {asked}{_after(' – ', search.why)}"


def source(chosen: Source) -> str:
    number = f"[{chosen.number}] " if chosen.number else ""
    return (
        f"{number}{one_line(chosen.site)} – {short(chosen.title or chosen.url)}{_after(', ', chosen.published or '')}"
    )


def finished(answer: Answer) -> str:
    """The run in one line."""
    read = sum(page.status != "skipped" for page in answer.pages)
    parts = [
        f"{answer.status} after {seconds(answer.usage.seconds)}",
        f"{count(read, 'page')} read"
        + (f" and {len(answer.pages) - read} skipped" if read < len(answer.pages) else ""),
        f"{count(sum(s.cited for s in answer.sources), 'source')} cited",
    ]
    if answer.claims:
        parts.append(f"{sum(c.verdict == 'supported' for c in answer.claims)} of {len(answer.claims)} claims supported")
    if answer.usage.model_calls:
        parts.append(count(answer.usage.model_calls, "model call"))
    if answer.usage.usd is not None:
        parts.append(f"{'about ' if answer.usage.usd_is_estimate else ''}{answer.usage.usd:.4f} US dollars")
    return ", ".join(parts)


def seconds(time: float) -> str:
    """12.1 s, 3 min 05 s."""
    return f"{time:.1f} s" if time < 59.95 else f"{round(time) // 60} min {round(time) % 60:02} s"


def size(length: int) -> str:
    """Bytes as a person reads them; thousands, as in file managers."""
    if length < 1_000:
        return f"{length} B"
    return f"{length / 1_000:.0f} kB" if length < 1_000_000 else f"{length / 1_000_000:.1f} MB"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def short(title: str) -> str:
    line = one_line(title)
    return line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1]}…"


def _step(event: Began | Ended) -> str:
    return event.step if event.round == 1 else f"{event.step} (round {event.round})"


def _after(separator: str, text: str) -> str:
    line = one_line(text)
    return f"{separator}{line}" if line else ""


# ------------------------------------------------------------------------------------------ progress

# Who watches a run: nobody, a pipe, or a person at a terminal.  Progress goes to stderr only.

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

        from agent.cli.terminal_view import TerminalView

        self._console = Console(stderr=True)
        self._scene = TerminalView()
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

        from agent.cli.terminal_view import fold

        self._scene = fold(self._scene, event)
        for line in self._thoughts.lines(event) if self._thoughts else ():
            self._console.print(Text(line, "dim italic"))
        if isinstance(event, Warned | Finished):
            for line in facts(event):
                self._console.print(Text(line, "yellow" if isinstance(event, Warned) else "dim"))

    def _picture(self) -> Picture:
        from agent.cli.live_picture import Picture

        return Picture(self._scene, time.monotonic())


def event_line(event: Event) -> str:
    """What `--events` prints: one JSON object, with its line's end."""
    from agent.events import encode

    return json.dumps(encode(event)) + "\n"
