"""The answer for a person at a terminal: its Markdown laid out, the sources below, links as plain text."""

from __future__ import annotations

from rich.console import Console
from rich.markdown import Markdown
from rich.text import Text

from agent.phrases import phrase
from agent.result import Answer, AnswerSource, check_line, dated, sides, signed
from agent.text.safe_text import clean, one_line
from agent.types import Conflict


def typeset(answer: Answer) -> None:
    console = Console()
    console.print(Markdown(clean(signed(answer).answer), hyperlinks=False))
    if answer.conflicts:
        console.print(Text(f"\n{phrase('disagree', answer.language)}", "bold"))
    for conflict in answer.conflicts:
        console.print(_conflict(conflict, answer), soft_wrap=True)
    cited = [source for source in answer.sources if source.cited]
    if cited:
        console.print(Text(f"\n{phrase('sources', answer.language)}", "bold"))
    for source in cited:
        console.print(_source(source, answer.language), soft_wrap=True)
    if told := check_line(answer):
        console.print(Text(f"\n{told}", "dim"))


def _conflict(conflict: Conflict, answer: Answer) -> Text:
    """What it is about; below it each side, with its sources and their dates."""
    lines = [f"{one_line(numbers)}: {one_line(says)}" for numbers, says in sides(conflict, answer)]
    return Text("\n    ").join([Text(one_line(conflict.about)), *map(Text, lines)])


def _source(source: AnswerSource, language: str) -> Text:
    told = f"– {source.site}, {dated(source, language)}"
    return Text.assemble(
        (f"[{source.number}] ", "bold"),
        one_line(source.title or source.url),
        (f" {one_line(told)}", "dim"),
        (f"\n    {one_line(source.url)}", "cyan"),
    )
