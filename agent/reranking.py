"""A reranker that the caller brings: our own protocol as it is, or one of LangChain's document compressors.

Beside `wiring`, which gives it to the runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from agent.errors import SettingsError

if TYPE_CHECKING:
    from agent.services import Reranker

_PLACE = "r1_research_place"  # under which a passage knows its place among those that were given


def reranker_of(brought: Any) -> Reranker | None:
    """Raises `SettingsError` for what cannot rerank."""
    if brought is None or hasattr(brought, "rerank"):
        return cast("Reranker | None", brought)
    if hasattr(brought, "acompress_documents"):
        return Compressor(brought)
    raise SettingsError(
        f"reranker={type(brought).__name__} can rerank nothing: give an object with `async rerank(question, passages)` "
        "that returns a score a passage, or a LangChain document compressor"
    )


class Compressor:
    """Fulfils `services.Reranker`: the order in which the compressor gives passages back is what counts."""

    def __init__(self, compressor: Any) -> None:
        self._compressor = compressor

    async def rerank(self, question: str, passages: Sequence[str]) -> list[float]:
        """What the compressor leaves out comes last.  Raises whatever the compressor raises."""
        from langchain_core.documents import Document

        given = [Document(page_content=text, metadata={_PLACE: place}) for place, text in enumerate(passages)]
        kept = await self._compressor.acompress_documents(given, question)
        scores = [0.0] * len(passages)
        for rank, document in enumerate(kept):
            scores[document.metadata[_PLACE]] = 1 - rank / (len(passages) + 1)
        return scores
