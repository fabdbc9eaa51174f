"""The answer for a person at a terminal: its Markdown laid out, the sources below, links as plain text."""

from __future__ import annotations

from rich.console import Console
from rich.markdown import Markdown
from rich.text import Text

from agent.cli.clean import clean, one_line
from agent.result import Answer, AnswerSource
from agent.types import Verdict

_WORDS: dict[Verdict, str] = {
    "supported": "supported",
    "partial": "partly supported",
    "unsupported": "without support",
    "refuted": "contradicted",
    "unchecked": "not decided",
}


def typeset(answer: Answer) -> None:
    console = Console()
    console.print(Markdown(clean(answer.answer), hyperlinks=False))
    cited = [source for source in answer.sources if source.cited]
    if cited:
        console.print(Text("\nSources", "bold"))
    for source in cited:
        console.print(_source(source), soft_wrap=True)
    if answer.claims:
        console.print(Text(f"\n{_checked(answer)}", "dim"))


def _source(source: AnswerSource) -> Text:
    told = f"– {source.site}{f', {source.published}' if source.published else ''}"
    return Text.assemble(
        (f"[{source.number}] ", "bold"),
        one_line(source.title or source.url),
        (f" {one_line(told)}", "dim"),
        (f"\n    {one_line(source.url)}", "cyan"),
    )


def _checked(answer: Answer) -> str:
    counts = {verdict: sum(c.verdict == verdict for c in answer.claims) for verdict in _WORDS}
    told = ", ".join(f"{count} {_WORDS[verdict]}" for verdict, count in counts.items() if count)
    return f"{len(answer.claims)} sentences checked against their sources: {told}."
