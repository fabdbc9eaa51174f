"""Shapes of text that made some function take more than its share, and how its work grows with them.

`python -m tests.text.growth` prints the CPU seconds at n, 2n and 4n characters: `make bench` runs it.  What a test can
count are calls (`calls`), which tell work that is done again for each line; what an expression does within one call
only the clock tells.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from agent.extract.format_base import FormatInput
from agent.extract.formats import docx
from agent.extract.hidden_text import remove_hidden
from agent.extract.text_cleanup import clean_text
from agent.reasoning.models.think_tags import ThinkSplitter
from agent.search.provider_http import plain
from agent.text.chunking import slices
from agent.text.citation_marks import MarkFilter, marks, prose
from agent.text.dates import dates
from agent.text.language import detect
from agent.text.markdown import blocks
from agent.text.output_filter import OutputFilter, close
from agent.text.ranking import sketch
from agent.text.reply_parsers import QueryReader
from agent.text.sentences import split
from agent.text.source_blocks import escape_markers
from agent.verify.claims import claims, remove_claims
from agent.verify.clauses import atoms
from agent.verify.figures import Stock, figures_of
from agent.verify.quotes import SourceIndex
from tests.web.docx_file import docx as packed
from tests.web.docx_file import paragraph

URLS = frozenset(("https://a.example/x",))
SHAPES: dict[str, Callable[[int], str]] = {
    "one table": lambda n: "| a | b |\n|---|---|\n" + "| R1 [1] | 5 million euros [2] |\n" * (n // 32),
    "one line": lambda n: "word and 12 more " * (n // 17),
    "Chinese without stops": lambda n: "模型的推理能力完全是通过强化学习得到的而且没有任何例子" * (n // 27),
    "one fence": lambda n: "```\n" + "x = 1\n" * (n // 6) + "```\n",
    "newlines": lambda n: "\n" * n,
    "one word": lambda n: "a" * n,
    "brackets": lambda n: "[" * n,
    "quotes in quotes": lambda n: ">" * n,
    "stars": lambda n: "*a " * (n // 3),
    "backticks": lambda n: "`a" * (n // 2),
    "one list": lambda n: "- word here [1]\n" * (n // 16),
    "one heading": lambda n: "# " + "word " * (n // 5),
    "sentences": lambda n: "R1 is open [1]. It cost 5 euros [2]. " * (n // 36),
    "quotation marks": lambda n: '"a" ' * (n // 4),
    "pipes": lambda n: "|" * n,
}


def streamed(text: str) -> str:
    """An answer through both filters, in small pieces."""
    mark_filter, output = MarkFilter({1, 2}), OutputFilter(URLS)
    parts = [output.feed(mark_filter.feed(text[at : at + 7])) for at in range(0, len(text), 7)]
    return "".join([*parts, output.feed(mark_filter.close()), output.close()])


def stocked(text: str) -> object:
    stock = Stock(text)
    return [stock.has(figure) for figure in figures_of("On 3 May 2019 Ada Holt paid 5 euros [1].")]


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "close": lambda text: close(text, URLS),
    "both filters, streamed": streamed,
    "marks": marks,
    "split": lambda text: list(split(text)),
    "blocks": blocks,
    "claims": claims,
    "without": lambda text: remove_claims(text, claims(text)[1:]),
    "slices": slices,
    "sketch": sketch,
    "detect": detect,
    "neutral": escape_markers,
    "prose": prose.__wrapped__,
    "atoms": atoms.__wrapped__,
    "Quotable": SourceIndex,
    "Stock": stocked,
    "figures_of": figures_of.__wrapped__,
}


def thought(text: str) -> object:
    splitter = ThinkSplitter("auto")
    pieces = [splitter.feed(text[at : at + 18]) for at in range(0, len(text), 18)]
    return [*pieces, splitter.close()]


def queries(text: str) -> object:
    reader = QueryReader()
    return [*reader.feed(text), *reader.finish()]


def styled(css: str, body: str = "") -> str:
    return f"<!doctype html><html><head><style>{css}</style></head><body>{'word ' * 200}{body}</body></html>"


def in_word(xml: str) -> object:
    return docx.extract(packed(xml), FormatInput("http://a.example/report.docx"))


# Shapes that are hostile to one function alone.
HOSTILE: dict[str, tuple[Callable[[str], object], dict[str, Callable[[int], str]]]] = {
    "neutral": (
        escape_markers,
        {
            repr(piece): lambda n, piece=piece: "<" + piece * (n // len(piece)) + "["
            for piece in (" ", "<", "< ", "[webpage ", "[[webpage 1 end]]", "<think", "<|", "# ", "\n# ", "> ")
        },
    ),
    "slices": (slices, {"headings": lambda n: "# h\n" * (n // 4)}),
    "dates": (
        dates,
        {
            "a gap of spaces": lambda n: "5 May" + " " * n,
            "a gap of lines": lambda n: "January" + "\n" * n + "x",
            "months": lambda n: "5 May ,\t" * (n // 8),
        },
    ),
    "claims": (
        claims,
        {
            f"a gap of {gap!r}": lambda n, gap=gap: f"R1 is open [1]. It{gap * (n // len(gap))}is free [2]."
            for gap in (" ", "\n", "\n \n", " *")
        },
    ),
    "plain": (
        plain,
        {
            piece: lambda n, piece=piece: piece * (n // len(piece))
            for piece in ("<script ", "<!--", "<b ", "&amp;", "<")
        },
    ),
    "tidy": (clean_text, {"a gap of spaces": lambda n: "x" + " " * n + "x", "lines": lambda n: "x \n" * (n // 3)}),
    "ThinkSplitter": (
        thought,
        {
            "closing tags": lambda n: "as `</think>` says" * (n // 18),
            "one thought": lambda n: "a thought goes on " * (n // 18) + "</think>\nForty-two.",
        },
    ),
    "QueryReader": (
        queries,
        {"brackets": lambda n: "[" * n},
    ),
    "without_hidden": (
        remove_hidden,
        {
            "braces": lambda n: styled("{" * n),
            "one name": lambda n: styled("a" * n),
            "open rules": lambda n: styled("a{" * (n // 2) + "display:none"),
            "nested rules": lambda n: styled("&,&,&{" * (n // 6) + "display:none"),
            "comments": lambda n: styled("/*" * (n // 2)),
            "quotes": lambda n: styled("'" * n),
            "parentheses": lambda n: styled("(" * n),
            ":is in :is": lambda n: styled("p" + ":is(" * (n // 4) + "){display:none}"),
            "one compound": lambda n: styled(".a" * (n // 2) + "{display:none}", "<p class=a>"),
            "one complex selector": lambda n: styled("a " * (n // 2) + "{display:none}", "<a>" * 100),
            "an open value": lambda n: styled(".a{" + "x:(((" * (n // 5) + "}.a{display:none}", "<p class=a>"),
            "backslashes": lambda n: styled("\\" * n + "{display:none}"),
            "many rules": lambda n: styled(".a,#b,[c],d{display:none}" * (n // 25), "<p class=x>" * 100),
            "a media query": lambda n: styled("@media " + "(" * n + "{.a{display:none}}"),
            "calc in calc": lambda n: styled(f".b{{left:{'calc(' * (n // 6)}1px{')' * (n // 6)}}}"),
            "hidden in hidden": lambda n: styled(
                ".a{display:none}", "<div class=a>" * (n // 40) + "<b style='visibility:hidden'>x" * (n // 40)
            ),
        },
    ),
    "docx": (
        in_word,
        {
            "a wide table": lambda n: "<w:tbl><w:tr>" + "<w:tc><w:p/></w:tc>" * (n // 40) + "</w:tr>"
            + f"<w:tr><w:tc>{paragraph('x')}</w:tc></w:tr>" * (n // 200) + "</w:tbl>"
        },
    ),
}  # fmt: skip


def rows() -> Iterator[tuple[str, str, Callable[[str], object], Callable[[int], str]]]:
    """Name of the function, name of the shape, both."""
    for name, function in FUNCTIONS.items():
        for shape, made in SHAPES.items():
            yield name, shape, function, made
    for name, (function, shapes) in HOSTILE.items():
        for shape, made in shapes.items():
            yield name, shape, function, made


def calls(function: Callable[[Any], object], argument: object) -> int:
    """How many calls of functions it takes, Python's and C's."""
    seen = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal seen
        seen += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function(argument)
    finally:
        sys.setprofile(before)
    return seen


def main(size: int = 8_000) -> None:
    for name, shape, function, made in rows():
        seconds = []
        for times in (1, 2, 4):
            text = made(times * size)
            began = time.process_time()
            function(text)
            seconds.append(time.process_time() - began)
        flag = "  <- more than linear" if seconds[2] > 0.05 and seconds[2] > 3 * seconds[1] else ""
        sys.stdout.write(f"{name:<24}{shape:<24}{'  '.join(f'{s:7.3f}' for s in seconds)}{flag}\n")


if __name__ == "__main__":
    main()
