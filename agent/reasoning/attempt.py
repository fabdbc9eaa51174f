"""One try at one model call: what came, what it cost, and whether it can be used.

Knows LangChain's message chunks and the ways in which a reply fails; knows nothing of retries or journals.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from math import ceil
from typing import TYPE_CHECKING

from agent.errors import ReplyUnusable
from agent.reasoning.models.failures import Endpoint, model_error
from agent.reasoning.models.think import CLOSE, Mode, Split, ThinkSplitter, split, unopened_close
from agent.types import Again, Delta, Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk

_NOSTREAM = "nostream"  # LangGraph's messages stream shows nothing of a call with this tag: a draft is not an answer
_CUT = frozenset({"length", "max_tokens", "MAX_TOKENS"})  # finish reasons of a token limit, provider by provider
_FINISH_NAMES = ("finish_reason", "stop_reason", "done_reason")
_TOKENS_PER_ASCII, _TOKENS_PER_OTHER = 0.3, 0.6  # DeepSeek's API documentation, "Token & Token Usage"


class CutOff(ReplyUnusable):
    """The token limit was reached in mid-thought: the same again would end the same."""


class Attempt:
    def __init__(self, model: BaseChatModel, endpoint: Endpoint, prompt: str, tags: Mode) -> None:
        self._model = model
        self._endpoint = endpoint
        self._prompt = prompt
        self._splitter = ThinkSplitter(tags)
        self._reasoning: list[str] = []
        self._text: list[str] = []
        self._finish = ""
        self._told: dict[str, int] = {}  # tokens as the server counts them
        self._began = time.monotonic()
        self._seconds = 0.0
        self.begun = False  # has anything come?

    @property
    def reasoning(self) -> str:
        return "".join(self._reasoning)

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def learned(self) -> Mode:
        return self._splitter.learned

    async def run(self, salvage: Callable[[str], str]) -> AsyncGenerator[Delta | Again, None]:
        """What the model says, as it comes.  Raises `ModelError`."""
        try:
            async with aclosing(self._chunks()) as chunks:
                async for chunk in chunks:
                    for delta in self._take(chunk):
                        yield delta
            for delta in self._said(self._splitter.close()):
                yield delta
            for thought in self._mended(salvage):
                yield thought
        finally:
            self._seconds = time.monotonic() - self._began

    async def _chunks(self) -> AsyncGenerator[AIMessageChunk, None]:
        from langchain_core.messages import HumanMessage

        stream = self._model.astream([HumanMessage(self._prompt)], config={"tags": [_NOSTREAM]})
        try:
            async for chunk in stream:
                yield chunk
        except Exception as error:  # any provider's package, with errors of its own
            raise model_error(error, self._endpoint) from error
        finally:
            await stream.aclose()  # type: ignore[attr-defined]  # an async generator in all of LangChain

    def _take(self, chunk: AIMessageChunk) -> Iterator[Delta]:
        self.begun = True
        for name in _FINISH_NAMES:
            self._finish = str(chunk.response_metadata.get(name) or self._finish)
        self._count(chunk)
        for block in chunk.content_blocks:
            if block["type"] == "reasoning":
                yield from self._said(Split(reasoning=block.get("reasoning") or ""))
            elif block["type"] == "text":
                yield from self._said(self._splitter.feed(block["text"]))

    def _said(self, apart: Split) -> Iterator[Delta]:
        if apart.reasoning:
            self._reasoning.append(apart.reasoning)
            yield Delta(reasoning=apart.reasoning)
        if apart.text:
            self._text.append(apart.text)
            yield Delta(text=apart.text)

    def _mended(self, salvage: Callable[[str], str]) -> Iterator[Delta | Again]:
        """What the server put in the wrong place: thinking in the text, or the answer in the reasoning."""
        if unopened_close(self.text) is not None:
            apart = split(self.text)
            self._text = []
            yield Again("its thinking had come as text")
            yield from self._said(apart)
        elif not self.text.strip() and self._finish not in _CUT:
            left = self.reasoning.rpartition(CLOSE)[2] if CLOSE in self.reasoning else salvage(self.reasoning)
            yield from self._said(Split(text=left.strip()))

    def check(self, fault: Callable[[str, bool], str]) -> None:
        """Raises `ReplyUnusable`."""
        cut, model = self._finish in _CUT, self._endpoint.model
        if not self.text.strip():
            if cut:
                raise CutOff(f"{model!r} was cut off in mid-thought after about {self.usage().reasoning_tokens} tokens")
            raise ReplyUnusable(
                f"{model!r} {'thought, but said nothing' if self.reasoning else 'replied with nothing'}"
            )
        if why := fault(self.text, cut):
            raise ReplyUnusable(f"{model!r} {why}")

    def _count(self, chunk: AIMessageChunk) -> None:
        if not (told := chunk.usage_metadata):
            return
        counts = {
            "prompt": told["input_tokens"],
            "cached": told.get("input_token_details", {}).get("cache_read") or 0,
            "output": told["output_tokens"],
            "reasoning": told.get("output_token_details", {}).get("reasoning") or 0,
        }
        for name, tokens in counts.items():
            self._told[name] = self._told.get(name, 0) + tokens

    def usage(self) -> Usage:
        """Tokens as the server counted them; what it did not tell is estimated from the texts."""
        thought, said = _tokens(self.reasoning), _tokens(self.text)
        output = self._told.get("output") or thought + said
        reasoning = self._told.get("reasoning") or round(output * thought / max(1, thought + said))
        reasoning = min(reasoning, output)
        return Usage(
            model_calls=1,
            serial_model_calls=1,
            prompt_tokens=self._told.get("prompt") or _tokens(self._prompt),
            cached_tokens=self._told.get("cached", 0),
            reasoning_tokens=reasoning,
            answer_tokens=output - reasoning,
            model_seconds=self._seconds,
        )


def _tokens(text: str) -> int:
    ascii_only = sum(c.isascii() for c in text)
    return ceil(ascii_only * _TOKENS_PER_ASCII + (len(text) - ascii_only) * _TOKENS_PER_OTHER)
