"""A page that hides most of its text, through a whole run: it is read, it comes last, and it supports nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from agent import ResearchAgent, Settings
from agent.result import Answer
from agent.types import Query, SearchHit
from tests.web_server import Behaviour, WebServer, page

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere loopback has one address only")

FACT = "The harbour tunnel of Orla opened on 14 March 2025."
MORE = "It is 4.2 kilometres long, and carries thirty-eight thousand cars a day under the bay of Orla."
QUESTION = "When did the harbour tunnel of Orla open?"


def story(*, hidden: bool) -> Behaviour:
    style = "<style>.fold{display:none}</style>" if hidden else ""
    body = f"<h1>The harbour tunnel of Orla</h1><div class=fold><p>{FACT}</p><p>{MORE}</p></div>"
    return page(
        f"<html lang=en><head><title>The harbour tunnel of Orla</title>{style}</head><body>{body}</body></html>"
    )


class Finds:
    name = "mine"

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls

    async def search(self, query: Query, *, limit: int) -> list[SearchHit]:
        return [SearchHit(url, "The harbour tunnel", "", rank, self.name) for rank, url in enumerate(self._urls, 1)]


async def answered(tmp_path: Path, *pages: Behaviour) -> Answer:
    """`pages`: in the order in which the search ranks them, each on a host of its own."""
    webs = [WebServer({"/page": each}, address=f"127.0.3.{n}") for n, each in enumerate(pages, 1)]
    settings = Settings(
        model="extractive", depth="quick", allow_private_addresses=True, data_dir=tmp_path, cache_dir=tmp_path
    )
    async with AsyncExitStack() as stack:
        urls = [(await stack.enter_async_context(web)).url("/page") for web in webs]
        return await ResearchAgent(settings, search=Finds(urls)).ainvoke(QUESTION)


async def test_what_only_a_page_bears_that_hides_its_text_is_never_supported(tmp_path: Path) -> None:
    answer = await answered(tmp_path, story(hidden=True))
    assert [record.status for record in answer.pages] == ["read"]
    assert [source.suspect for source in answer.sources] == [True]
    assert "14 March 2025" in answer.answer, "for want of anything better it is shown …"
    assert answer.claims
    assert {claim.verdict for claim in answer.claims}.isdisjoint({"supported", "partial"}), "… and not called confirmed"


async def test_the_same_text_in_plain_sight_is_supported(tmp_path: Path) -> None:
    answer = await answered(tmp_path, story(hidden=False))
    assert [source.suspect for source in answer.sources] == [False]
    assert "supported" in {claim.verdict for claim in answer.claims}


async def test_a_page_that_hides_its_text_comes_after_those_that_do_not(tmp_path: Path) -> None:
    other = page(
        f"<html lang=en><body><h1>Tunnels</h1><p>{FACT} {'Of its cost the paper says nothing. ' * 9}</p></body></html>"
    )
    answer = await answered(tmp_path, story(hidden=True), other)
    assert [source.suspect for source in answer.sources] in ([False, True], [False])
    assert {c.source for claim in answer.claims if claim.verdict == "supported" for c in claim.citations} == {1}
