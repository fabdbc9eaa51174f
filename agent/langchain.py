"""Door: the agent inside somebody else's LangChain application.

`as_tool` for an agent that calls tools, `as_runnable` for a chain, `as_retriever` for what earlier runs read,
`graph_for_server` for LangGraph's own server (`langgraph.json`).  `agent.build_graph` gives the graph itself, to stand
as a node in another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.tools import BaseTool, StructuredTool

from agent.graph.sync_bridge import run_sync
from agent.result import Answer, from_json
from agent.settings import Settings
from agent.types import LibraryFilter, LibraryHit
from agent.wiring.factory import build_graph, library_of

if TYPE_CHECKING:
    from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
    from langchain_core.embeddings import Embeddings

    from agent.graph.graph_builder import Graph


def as_runnable(settings: Settings | None = None, **parts: Any) -> Runnable[str | dict[str, Any], dict[str, Any]]:
    """A question (a str, or `{"question": …}`) in, the answer out as a dict (the JSON of `--json`).

    Works in `invoke`, `ainvoke`, `batch` and as a link of a chain.  `parts` as in `build_graph`.
    """
    graph = build_graph(settings, **parts)

    def given(asked: str | dict[str, Any]) -> Any:  # the graph's input type is an overload of its own
        return {"question": asked} if isinstance(asked, str) else asked

    def sync(asked: str | dict[str, Any], config: RunnableConfig) -> dict[str, Any]:
        return graph.invoke(given(asked), config)["answer"]  # type: ignore[no-any-return]

    async def run(asked: str | dict[str, Any], config: RunnableConfig) -> dict[str, Any]:
        return (await graph.ainvoke(given(asked), config))["answer"]  # type: ignore[no-any-return]

    return RunnableLambda(sync, afunc=run, name="r1-research")


def as_tool(settings: Settings | None = None, *, name: str = "web_research", **parts: Any) -> BaseTool:
    """A tool that takes a `question` and gives the checked answer as Markdown; its artifact is the answer as a dict."""
    runnable = as_runnable(settings, **parts)

    def sync(question: str, config: RunnableConfig) -> tuple[str, dict[str, Any]]:
        answer = runnable.invoke(question, config)
        return str(from_json(Answer, answer)), answer

    async def run(question: str, config: RunnableConfig) -> tuple[str, dict[str, Any]]:
        answer = await runnable.ainvoke(question, config)
        return str(from_json(Answer, answer)), answer

    return StructuredTool.from_function(
        sync,
        coroutine=run,
        name=name,
        description=(
            "Research a question on the web.  Takes minutes.  Returns an answer in which each sentence cites its "
            "source and was checked against it, or says that the sources do not answer the question."
        ),
        response_format="content_and_artifact",
    )


class LibraryRetriever(BaseRetriever):
    """Finds pages that earlier runs read; asks nobody else."""

    library: Any  # services.Library, with `in_use`
    within: Any = LibraryFilter()
    limit: int = 8

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return run_sync(self._found(query))

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        return await self._found(query)

    async def _found(self, query: str) -> list[Document]:
        async with self.library.in_use():
            hits = await self.library.search([query], within=self.within, limit=self.limit)
        return [_as_document(hit) for hit in hits]


def as_retriever(
    settings: Settings | None = None,
    *,
    limit: int = 8,
    within: LibraryFilter | None = None,
    embeddings: Embeddings | None = None,
) -> BaseRetriever:
    """A retriever over the library: for a query at most `limit` pages, best first, each with its best passage.

    `page_content` is the passage, verbatim; `metadata` has `source` (the URL), `title`, `site`, `published`,
    `fetched_at`, `language`, `snapshot`, `start`, `end` (`stored text[start:end] == page_content`) and `score`.
    `within`: bounds by run, host, time of reading, language, folder.  Raises `LibraryError`.
    """
    library = library_of(settings, embeddings=embeddings)
    return LibraryRetriever(library=library, within=within or LibraryFilter(), limit=limit)


def _as_document(hit: LibraryHit) -> Document:
    told = ("title", "site", "published", "fetched_at", "language", "snapshot", "start", "end", "score")
    metadata = {"source": hit.url} | {name: getattr(hit, name) for name in told}
    return Document(page_content=hit.passage, metadata=metadata, id=f"{hit.document_id}:{hit.start}")


def graph_for_server() -> Graph:
    """The graph for LangGraph's server, which brings its own checkpointer; settings from the environment."""
    return build_graph()
