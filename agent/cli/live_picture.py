"""The live view: a Scene drawn for a terminal, at most as high as the terminal.  Knows rich, and no events.

Every text of a page or model goes through `one_line` or `clean` and into a `Text`, never into rich's markup.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from agent.cli.run_display import count, searched, seconds, short, size, source
from agent.cli.terminal_view import QueryLine, StepLines, TerminalView
from agent.events import PageRead, PageSkipped
from agent.phrases import SIGNS
from agent.text.safe_text import clean, one_line
from agent.types import Claim, Verdict

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_TURNS = 8  # spinner steps a second
_COLOURS: dict[Verdict, str] = {
    "supported": "green",
    "partial": "yellow",
    "unsupported": "red",
    "refuted": "red",
    "unchecked": "dim",
}
_MOST = {
    "steps": 9,
    "claims": 1,
    "asked": 6,
    "pages": 8,
    "sources": 6,
    "thinking": 5,
    "draft": 8,
}  # lines of each part on a tall terminal


class Picture:
    """A scene at a moment of the events' clock; rich asks it for its lines."""

    def __init__(self, scene: TerminalView, now: float) -> None:
        self._scene = scene
        self._now = now

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = self.lines(options.max_width, console.size.height - 2)
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
            yield line

    def lines(self, width: int, height: int) -> list[Text]:
        """At most `height` lines.  Where it gets tight the longest parts shrink first, and the newest lines stay."""
        scene = self._scene
        parts = {
            "steps": [self._step(step) for step in scene.steps if step.name != "scout"],  # over before it can be read
            "asked": [_asked(one) for one in scene.asked],
            "pages": [_page(page) for page in scene.pages],
            "sources": [Text(f"  {source(s)}", "cyan") for s in scene.sources] if not scene.draft else [],
            "thinking": _tail(scene.thinking, width, "dim italic"),
            "draft": _tail(scene.draft, width, ""),
            "claims": [_claims(scene.claims)] if scene.claims else [],
        }
        return [self._head(), *_fit(parts, height - 1)]

    def _head(self) -> Text:
        began = self._now if self._scene.began_at is None else self._scene.began_at
        spinner = _SPINNER[int(self._now * _TURNS) % len(_SPINNER)]
        text = Text.assemble((f"{spinner} ", "cyan"), (seconds(max(0.0, self._now - began)), "bold"))
        for told in _numbers(self._scene):
            text.append(f" · {told}", "dim")
        return text

    def _step(self, step: StepLines) -> Text:
        name = step.name if step.round == 1 else f"{step.name} {step.round}"
        if step.seconds is None:
            return Text(f"• {name:<10} {seconds(self._now - step.began_at)}", "bold")
        return Text.assemble(
            ("✓ ", "green"), f"{name:<10}", (f" {seconds(step.seconds)}  {one_line(step.summary)}", "dim")
        )


def _numbers(scene: TerminalView) -> list[str]:
    told = []
    if scene.pages:
        read = sum(isinstance(page, PageRead) for page in scene.pages)
        told.append(f"{count(read, 'page')} read, {len(scene.pages) - read} skipped")
    if scene.usage and scene.usage.model_calls:
        tokens = scene.usage.prompt_tokens + scene.usage.reasoning_tokens + scene.usage.answer_tokens
        told.append(f"{count(scene.usage.model_calls, 'model call')}, {tokens:,} tokens")
    if scene.landed:
        told.append(f"lands early: {one_line(scene.landed)}")
    return told


def _fit(parts: dict[str, list[Text]], room: int) -> list[Text]:
    counts = {name: min(len(lines), _MOST[name]) for name, lines in parts.items()}
    while sum(counts.values()) > max(room, 0):
        longest = max(counts, key=lambda name: counts[name])
        counts[longest] -= 1
    return [line for name, lines in parts.items() for line in lines[len(lines) - counts[name] :]]


def _asked(asked: QueryLine) -> Text:
    if asked.search is None:
        return Text.assemble(("  → ", "cyan"), one_line(asked.query.text))
    mark = ("  ← ", "cyan") if asked.search.outcome == "found" else ("  ! ", "yellow")
    return Text.assemble(mark, (searched(asked.search), "dim"))


def _page(page: PageRead | PageSkipped) -> Text:
    if isinstance(page, PageSkipped):
        return Text(f"  × {one_line(page.url)}  {one_line(page.reason)}", "dim")
    how = "library" if page.cached else size(page.bytes)
    title = f"  {short(page.title or page.url)}  "
    return Text.assemble(("  ↓ ", "green"), (one_line(page.site), "bold"), title, (how, "dim"))


def _tail(text: str, width: int, style: str) -> list[Text]:
    """The last lines as they wrap on this terminal."""
    lines: list[Text] = []
    for line in clean(text).splitlines()[-_MOST["draft"] :]:
        lines += [Text(f"  {piece}", style) for piece in _wrapped(line, width - 4)]
    return lines


def _wrapped(line: str, width: int) -> list[str]:
    width = max(width, 10)
    return [str(piece) for piece in Text(line).wrap(Console(width=width, color_system=None), width)] or [""]


def _claims(claims: Sequence[Claim]) -> Text:
    return Text.assemble(("  checked  ", "dim"), *((SIGNS[claim.verdict], _COLOURS[claim.verdict]) for claim in claims))
