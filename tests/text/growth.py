"""Shapes of text that made some function take more than its share, and how its work grows with them.

`python -m tests.text.growth` prints the CPU seconds at n, 2n and 4n characters: `make bench` runs it.  What a test can
count are calls (`calls`), which tell work that is done again for each line; what an expression does within one call
only the clock tells.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from agent.text.chunking import slices
from agent.text.citation_marks import MarkFilter, marks, prose
from agent.text.language import detect
from agent.text.markdown import blocks
from agent.text.output_filter import OutputFilter, close
from agent.text.sentences import split
from agent.text.source_blocks import escape_markers
from agent.verify.claims import claims, remove_claims
from agent.verify.clauses import atoms
from agent.verify.figures import Stock, figures_of
from agent.verify.quotes import SourceIndex

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
    "detect": detect,
    "neutral": escape_markers,
    "prose": prose.__wrapped__,
    "atoms": atoms.__wrapped__,
    "Quotable": SourceIndex,
    "Stock": stocked,
    "figures_of": figures_of.__wrapped__,
}


def calls(function: Callable[[str], object], text: str) -> int:
    """How many calls of functions it takes, Python's and C's."""
    seen = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal seen
        seen += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function(text)
    finally:
        sys.setprofile(before)
    return seen


def main(size: int = 8_000) -> None:
    for name, function in FUNCTIONS.items():
        for shape, made in SHAPES.items():
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
