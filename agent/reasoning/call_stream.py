"""Runs one streamed model call, and stops it where it repeats itself."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent.errors import ModelOverloaded, ReplyUnusable
from agent.reasoning.models.model_errors import Endpoint, model_error
from agent.reasoning.models.model_profiles import Profile, price_of
from agent.reasoning.models.think_tags import CLOSE, Mode, Split, ThinkSplitter, split, unopened_close
from agent.text.ranking import estimate_tokens
from agent.types import Delta, Restart, Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk


# ------------------------------------------------------------------------------------------ attempt

# One try at one model call: what came, what it cost, and whether it can be used.
#
# Knows LangChain's message chunks and the ways in which a reply fails; knows nothing of retries or journals.

_NOSTREAM = "nostream"  # LangGraph's messages stream shows nothing of a call with this tag: a draft is not an answer
_CUT = frozenset({"length", "max_tokens", "MAX_TOKENS"})  # finish reasons of a token limit, provider by provider
_FINISH_NAMES = ("finish_reason", "stop_reason", "done_reason")
_CALL_SECONDS = 1_800.0  # where no profile says it: DeepSeek queues for ten minutes, and R1 may think as long


class CutOff(ReplyUnusable):
    """The token limit was reached in mid-thought."""


class Looping(ReplyUnusable):
    """It went round in circles, and was stopped."""


class CallStream:
    def __init__(self, role: Role, prompt: str, tags: Mode, options: Mapping[str, Any]) -> None:
        """`options`: parameters of this call, as `Role.options` gives them."""
        self._role = role
        self._prompt = prompt
        self._options = options
        self._splitter = ThinkSplitter(tags)
        self._guards = {"reasoning": LoopGuard(), "text": LoopGuard()}
        self._cost: float | None = None  # in US dollars, as the server reports it
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

    @property
    def cut(self) -> bool:
        """Did it end because of a token limit?"""
        return self._finish in _CUT

    async def run(self, salvage: Callable[[str], str]) -> AsyncGenerator[Delta | Restart, None]:
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

        endpoint, profile = self._role.endpoint, self._role.profile
        seconds = profile.call_seconds if profile else _CALL_SECONDS
        messages = [HumanMessage(self._prompt)]
        stream = self._role.model.astream(messages, config={"tags": [_NOSTREAM]}, **self._options)
        try:
            async for chunk in _until(asyncio.get_running_loop().time() + seconds, stream):
                yield chunk
        except _TookTooLong:
            raise ModelOverloaded(f"{endpoint.host} was not done after {seconds:.0f} s") from None
        except Exception as error:  # noqa: BLE001 - any provider's package, with errors of its own
            # Not `from error`: a server may repeat the key, and a transport shows the header that it cannot send.
            raise model_error(error, endpoint) from None
        finally:
            await stream.aclose()  # type: ignore[attr-defined]  # an async generator in all of LangChain

    def _take(self, chunk: AIMessageChunk) -> Iterator[Delta]:
        self.begun = True
        for name in _FINISH_NAMES:
            self._finish = str(chunk.response_metadata.get(name) or self._finish)
        self._count(chunk)
        cost = chunk.response_metadata.get("cost_usd")
        self._cost = cost if cost is not None else self._cost
        for block in chunk.content_blocks:
            if block["type"] == "reasoning":
                yield from self._said(Split(reasoning=block.get("reasoning") or ""))
            elif block["type"] == "text":
                yield from self._said(self._splitter.feed(block["text"]))

    def _said(self, apart: Split) -> Iterator[Delta]:
        if apart.reasoning:
            self._reasoning.append(apart.reasoning)
            yield Delta(reasoning=apart.reasoning)
            self._guard("reasoning", apart.reasoning)
        if apart.text:
            self._text.append(apart.text)
            yield Delta(text=apart.text)
            self._guard("text", apart.text)

    def _guard(self, where: str, said: str) -> None:
        if self._guards[where].feed(said):
            raise Looping(f"{self._role.endpoint.model!r} went round in circles, and was stopped")

    def _mended(self, salvage: Callable[[str], str]) -> Iterator[Delta | Restart]:
        """What the server put in the wrong place: thinking in the text, or the answer in the reasoning."""
        if unopened_close(self.text) is not None:
            apart = split(self.text)
            self._text = []
            yield Restart("its thinking had come as text")
            yield from self._said(apart)
        elif not self.text.strip() and not self.cut:
            left = self.reasoning.rpartition(CLOSE)[2] if CLOSE in self.reasoning else salvage(self.reasoning)
            yield from self._said(Split(text=left.strip()))

    def check(self, fault: Callable[[str, bool], str]) -> None:
        """Raises `ReplyUnusable`."""
        model = self._role.endpoint.model
        if not self.text.strip():
            if self.cut:
                raise CutOff(f"{model!r} was cut off in mid-thought after about {self.usage().reasoning_tokens} tokens")
            raise ReplyUnusable(
                f"{model!r} {'thought, but said nothing' if self.reasoning else 'replied with nothing'}"
            )
        if why := fault(self.text, self.cut):
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
        thought, said = estimate_tokens(self.reasoning), estimate_tokens(self.text)
        output = self._told.get("output") or thought + said
        reasoning = self._told.get("reasoning") or round(output * thought / max(1, thought + said))
        reasoning = min(reasoning, output)
        prompt, cached = self._told.get("prompt") or estimate_tokens(self._prompt), self._told.get("cached", 0)
        usd, why = self._price(prompt, cached, output)
        return Usage(
            model_calls=1,
            serial_model_calls=1,
            prompt_tokens=prompt,
            cached_tokens=cached,
            reasoning_tokens=reasoning,
            answer_tokens=output - reasoning,
            usd=usd,
            usd_is_estimate=self._cost is None,
            usd_why=why,
            model_seconds=self._seconds,
        )

    def _price(self, prompt: int, cached: int, output: int) -> tuple[float | None, str]:
        """US dollars, or why they are not known: what the server reports wins over the table of prices."""
        if self._cost is not None:
            return self._cost, ""
        endpoint, profile = self._role.endpoint, self._role.profile
        price = price_of(profile.name, endpoint.model, datetime.now(UTC)) if profile else None
        if price is None:
            return None, f"no price is known for {endpoint.model!r} at {endpoint.host}"
        return price.usd(prompt, cached, output), ""


class _TookTooLong(Exception):
    pass


async def _until(deadline: float, stream: AsyncIterator[AIMessageChunk]) -> AsyncGenerator[AIMessageChunk, None]:
    """The stream's chunks; raises `_TookTooLong` at `deadline`, in seconds of the loop's clock.

    The limit is set for each chunk anew: one that spanned a `yield` would cancel whoever listens.
    """
    while True:
        limit = asyncio.timeout_at(deadline)
        try:
            async with limit:
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError as e:
            if limit.expired():
                raise _TookTooLong from e
            raise
        yield chunk


# ------------------------------------------------------------------------------------------ loops

# Is a model going round in circles?
#
# R1 and its successors can repeat a sentence or a paragraph until the token limit (deepseek-ai/DeepSeek-R1 issues 242
# and 533; paragraphs of 800 characters on V4).  A loop is told by runs of words that keep coming back.  Knows no
# meaning.

_RUN = 10  # words, or characters of Chinese and Japanese, that are one run
_WINDOW = 200  # runs looked at: what a model quotes twice is shorter, what it loops over is never done
_TIMES = 4  # a run must have come so often …
_SHARE = 0.85  # … and so large a share of the window be such runs
_LONGEST = 64  # characters of a word that is not finished: a stream without any space must not be kept
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")


class LoopGuard:
    """Fed one stream of text.  A word that is cut between two pieces counts once it is whole."""

    def __init__(self) -> None:
        self._rest = ""
        self._words: deque[str] = deque(maxlen=_RUN)
        self._seen: Counter[int] = Counter()
        self._recent: deque[bool] = deque(maxlen=_WINDOW)
        self._repeated = 0  # of the recent runs

    def feed(self, text: str) -> bool:
        """True once the text goes round in circles."""
        text = self._rest + text
        found = _WORD.findall(text)
        unfinished = bool(found) and text.endswith(found[-1])
        self._rest = found.pop()[-_LONGEST:] if unfinished else ""
        for word in found:
            self._take(word.casefold())
        return len(self._recent) == _WINDOW and self._repeated >= _SHARE * _WINDOW

    def _take(self, word: str) -> None:
        self._words.append(word)
        if len(self._words) < _RUN:
            return
        run = hash(tuple(self._words))
        self._seen[run] += 1
        if len(self._recent) == _WINDOW:
            self._repeated -= self._recent[0]
        self._recent.append(self._seen[run] >= _TIMES)
        self._repeated += self._recent[-1]


# ------------------------------------------------------------------------------------------ roles

# Who does what: the reasoner, and beside it a writer and a fast model where the user has them.
#
# A role is a chat model with what is known of it: where it is, and how it must be driven.  Knows nothing of prompts.


@dataclass(frozen=True)
class Role:
    """`profile`: None for a model that the caller brought, of which nothing is known."""

    model: BaseChatModel
    endpoint: Endpoint
    profile: Profile | None = None

    @property
    def separates_thinking(self) -> bool:
        """`ChatR1` tells thinking and answer apart itself; of other classes it has to be found out."""
        return bool(getattr(self.model, "separates_thinking", False))

    def options(self, *, effort: str = "", max_tokens: int | None = None) -> dict[str, Any]:
        """Parameters of one call.  Only `ChatR1` knows what an endpoint calls them, or that it has none."""
        given = {"effort": effort or None, "max_tokens": max_tokens}
        return {n: v for n, v in given.items() if v is not None} if self.separates_thinking else {}


@dataclass(frozen=True)
class Roles:
    """Without a writer the reasoner writes; without a fast model whoever wrote mends what it wrote."""

    reasoner: Role
    writer: Role | None = None
    fast: Role | None = None
    pass_thinking: bool = False  # may the writer read what the reasoner thought?


def takes_two(role: Role) -> bool:
    """Does a second call beside one under way cost that one nothing?  Of a model that a caller brought: not known."""
    return role.profile is not None and role.profile.parallel >= 2
