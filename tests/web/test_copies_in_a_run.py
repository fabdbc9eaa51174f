"""A run that reads one report in several papers knows it, and shows the writer one of them."""

from __future__ import annotations

from agent.text.ranking import origins
from agent.types import Query
from tests.parts import MemoryFetcher
from tests.web.test_pool import Provider, running, site

REPORT = " ".join(f"The agency reported fact {n} on {n * 7} of the {n * 13} cases." for n in range(60))
OTHER = " ".join(f"Elsewhere a paper wrote that case {n} was settled in {n * 3} days." for n in range(60))


async def test_syndicated_copies_are_read_stored_and_grouped() -> None:
    pages = {
        site(1): ("Report", REPORT),
        site(2): ("The same report", f"By our own correspondent.\n\n{REPORT}"),
        site(3): ("Another", OTHER),
        site(4): ("And again", f"{REPORT}\n\nMore on this in our newsletter."),
    }
    async with running([Provider({"q": list(pages)})], MemoryFetcher(pages, {})) as run:
        run.pool.want(Query("q"), round=1)
        await run.pool.searched(round=1, seconds=1)
        records = await run.pool.read(seconds=2)
    sources = {r.source.document_id: r.source for r in records if r.source}
    assert len(sources) == 4
    shown = origins(sources)
    assert [len(source.copies) for source in shown.values()] == [2, 0]
    assert {s.url for s in shown.values()} >= {site(3)}
