"""An agent for the app's tests: what it does is in the question, so that a browser can choose.

`slow …` takes its time, `think …` thinks long, `hang …` never ends by itself, `mute …` says nothing, `fail …` and
`bug …` fail, `partial …` and `abstained …` end so, `hostile URL` reads a page and writes an answer that try to reach
URL.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from agent.errors import ModelUnreachable
from agent.events import (
    Checked,
    Event,
    Finished,
    Landed,
    PageRead,
    PageSkipped,
    Planned,
    Ranked,
    Thinking,
    Warned,
    Writing,
)
from agent.types import Conflict, Side
from tests.cli.recorded import CLAIMS, PAPER, TEXT, Player, answer, events


class StandIn(Player):
    def describe(self) -> str:
        return "a stand-in, as this is a test; searches ![nothing](http://127.0.0.1:9/described)"

    async def astream(self, question: str) -> AsyncGenerator[Event, None]:
        self.asked.append(question)
        mode, _, rest = question.partition(" ")
        try:
            status = mode if mode in ("partial", "abstained") else "complete"
            for event in spoiled(rest) if mode == "hostile" else events(answer(question=question, status=status)):
                if mode == "bug":
                    raise self.error or RuntimeError(rest)
                if mode == "mute":
                    return
                if mode == "fail" and isinstance(event, Landed):
                    raise ModelUnreachable(f"nothing answers at {rest}: start the model")
                if mode == "hang" and isinstance(event, Finished):
                    await asyncio.sleep(600)
                await asyncio.sleep(0.15 if mode in ("slow", "hang") else 0)
                yield event
                if mode == "think" and isinstance(event, Thinking):
                    for number in range(150):
                        await asyncio.sleep(0.02)
                        yield replace(event, text=f"\nThought {number}: is it so, and what would follow if it were?")
        finally:
            self.ended.append(question)


def attacks(url: str) -> str:
    """Ways to make Streamlit's Markdown ask for or link to a stranger's URL; N says which one got through."""
    forms = (
        "![a]({})", "![a][r]\n\n[r]: {}", "[![a]({})]({})", "[click]({})", "<{}>", "{}", "<img src='{}'>",
        '<a href="{}">x</a>', "[x]: {} \n\n![x]", "![a](<{}> 'title')", ":red[![a]({})]", ":blue-background[[a]({})]",
        "`x` ![a]({}) `", "`![a]({})", "\\`![a]({})\\`", "``` ![a]({})", "| a |\n|---|\n| ![a]({}) |", "> ![a]({})",
        "# ![a]({})", "- ![a]({})", "**![a]({})**", "$\\includegraphics{{{}}}$", "$$\\href{{{}}}{{x}}$$",
        "&#33;&#91;a&#93;&#40;{}&#41;", "!\\[a]({})", "\\\\![a]({})", "![a\n]({})", "[^1]\n\n[^1]: ![a]({})",
        "~~![a]({})~~", "[a](javascript:fetch('{}'))", "[a](data:text/html,<img/src={}>)", "<svg/onload=fetch('{}')>",
        "```html\n<img src='{}'>\n```", "    ![a]({})", "![a\u200b]({})", "!\u200b[a]({})", "[1]({})", "![1]({})",
        "`a\n\n![a]({})\n\nb`", "| `a | ![a]({})` |\n|---|---|\n| `x | y` ![a]({}) |", "<http://a`b> ![a]({}) `",
        "https\\://{}", "www\\.evil.example", "evil@evil.example", ":material/home: ![a]({})", "::image[![a]({})]",
    )  # fmt: skip
    return "\n\n".join(form.replace("{}", f"{url}/{n}") for n, form in enumerate(forms))


def spoiled(url: str) -> list[Event]:
    """The recorded run with every text from a page or model turned into an attack."""
    bad = attacks(url)
    line = " ".join(bad.split())
    claims = tuple(
        replace(
            c, citations=tuple(replace(t, quote=t.quote and line, link=f"{url}/link") for t in c.citations), why=line
        )
        for c in CLAIMS
    )
    return [_spoil(event, bad, line, claims) for event in events()]


def _spoil(event: Event, bad: str, line: str, claims: tuple) -> Event:
    match event:
        case PageRead():
            return replace(event, title=line, site=line)
        case PageSkipped():
            return replace(event, reason=line, url=PAPER + line)
        case Planned():
            return replace(event, query=replace(event.query, text=line))
        case Ranked():
            return replace(event, sources=tuple(replace(s, title=line, site=line) for s in event.sources))
        case Thinking() | Warned():
            return replace(event, text=bad)
        case Writing():
            return replace(event, text=f"{event.text}\n\n{bad}")
        case Checked():
            return replace(event, claim=replace(event.claim, text=line, why=line))
        case Finished():
            return replace(event, answer=_spoiled_answer(bad, line, claims))
        case _:
            return replace(event, summary=line) if hasattr(event, "summary") else event


def _spoiled_answer(bad: str, line: str, claims: tuple):
    made = answer()
    return replace(
        made,
        answer=f"{TEXT}\n\n{bad}",
        claims=claims,
        sources=tuple(replace(s, title=line, site=line) for s in made.sources),
        conflicts=(Conflict(line, (Side(line, (1,)), Side(line, (2,)))),),
        warnings=(line,),
        made_with=replace(made.made_with, model=line),
    )
