"""One event, told as one plain line: what progress is in a pipe, and where a live view is not possible."""

from __future__ import annotations

from typing import assert_never

from agent.cli.clean import one_line
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
from agent.types import Search, Source

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
