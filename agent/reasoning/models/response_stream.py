"""Turns a provider's chunks into reasoning and answer, and finds replies that are none."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk

from agent.errors import ModelOverloaded, ModelRefused
from agent.reasoning.models.think_tags import Mode, Split, ThinkSplitter

if TYPE_CHECKING:
    import httpx2


# ------------------------------------------------------------------------------------------ replies

# One reply as it comes in: reasoning and answer told apart, wherever the server puts them.
#
# Knows the fields and tags in which servers send reasoning and the things that go wrong at the end of a reply; knows
# nothing of requests or HTTP.  Reasoning leaves as `additional_kwargs["reasoning_content"]`, from which LangChain
# makes the standard `reasoning` content block as long as the message's provider is not one that it has its own rules
# for.

PROVIDER = "r1"  # "openai" would have LangChain drop the reasoning
REASONING = "reasoning_content"
_FIELDS = ("reasoning_content", "reasoning", "reasoning_details")  # the first that says something is the one
_ONCE = ("finish_reason", "model_name", "system_fingerprint", "service_tier")  # some servers send them twice
_BROKEN = ("insufficient_system_resource", "error", "abort", "network_error")  # DeepSeek, OpenRouter, SGLang, Z.ai
_WITHHELD = ("content_filter", "sensitive")  # everybody's, Z.ai's
_PARTS = "content"  # reasoning among the parts of a content that is a list, beside the fields' names
_TEXTS = ("text", "summary", "thinking", "reasoning")  # where an object of such a list has its words


def reasoning_fields(message: Mapping[str, Any]) -> dict[str, str]:
    """The reasoning fields that a message or a delta has; an empty one still tells that the server parses."""
    told = {name: _as_text(message[name]) for name in _FIELDS if message.get(name) is not None}
    return {name: text for name, text in told.items() if text is not None}


def _as_text(value: object) -> str | None:
    """A field's text.  `reasoning_details` is a list of objects, of which some carry `text`, some a `summary`."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_as_text(part) or "" for part in value)
    if isinstance(value, Mapping):
        return next((text for name in _TEXTS if (text := _as_text(value.get(name)))), None)
    return None


def _parts(content: object) -> Split:
    """A content as it was sent: a text, or a list of parts of which some are thinking (Mistral, Databricks)."""
    if not isinstance(content, list):
        return Split(text=_as_text(content) or "")
    said = [part for part in content if isinstance(part, str) or part.get("type") == "text"]
    thought = [part for part in content if part not in said]
    return Split(_as_text(thought) or "", _as_text(said) or "")


def whole(fields: Mapping[str, str], content: object, mode: Mode) -> tuple[Split, Mode]:
    """A reply that came in one piece, and how the next is best split."""
    parts = _parts(content)
    said = next((text for text in (*fields.values(), parts.reasoning) if text), "")
    if fields and mode == "auto":
        mode = "tags"  # a server that fills the field, if only with "", leaves no bare thinking in the text
    splitter = ThinkSplitter("tags" if said else mode)
    first, last = splitter.feed(parts.text), splitter.close()
    apart = Split(said or first.reasoning + last.reasoning, first.text + last.text)
    return apart, "tags" if said else splitter.learned


def check_finish(reason: str | None) -> None:
    """Raises `ModelOverloaded` for an end that is none, `ModelRefused` where the provider withholds the answer."""
    if reason is None:
        raise ModelOverloaded("the model's reply broke off: it ended without a finish reason")
    if reason in _BROKEN:
        raise ModelOverloaded(f"the model's server gave up in the middle of its reply ({reason})")
    if reason in _WITHHELD:
        raise ModelRefused(
            f"the model's provider withholds the answer ({reason}): ask in other words, or use another endpoint"
        )


class StreamReader:
    """One streamed reply.  `read` each chunk, then `close`."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._field = ""  # the one that this reply's reasoning comes in
        self._splitter: ThinkSplitter | None = None  # made when the first text comes: by then the fields are known
        self._usage: UsageMetadata | None = None
        self._came = False
        self.finish: str | None = None

    @property
    def learned(self) -> Mode:
        """How the next reply is best split.  A reply that was cut off teaches nothing."""
        if self._field:
            return "tags"
        return self._splitter.learned if self._splitter and self.finish == "stop" else self._mode

    def read(self, chunk: ChatGenerationChunk, fields: Mapping[str, str]) -> ChatGenerationChunk:
        """The same chunk with its text and reasoning in their places."""
        self._came = True
        self._take_usage(chunk.message)
        content = _parts(chunk.message.content)
        reasoning = self._from_field({**fields, _PARTS: content.reasoning} if content.reasoning else fields)
        apart = self._split(content.text)
        if self._take_finish(chunk.generation_info or {}):
            apart = _joined(apart, self._rest())
        return _with(chunk, Split(reasoning or apart.reasoning, apart.text))

    def close(self) -> ChatGenerationChunk | None:
        """What was held back until the end, the count of tokens with it.

        Raises `ModelOverloaded` where the reply broke off or never came, `ModelRefused` where it is withheld.
        """
        if not self._came:
            raise ModelOverloaded("no chat reply came: is this the address of an OpenAI-compatible endpoint, with /v1?")
        check_finish(self.finish)
        apart = self._rest()
        last = AIMessageChunk(content="", usage_metadata=self._usage)
        return _with(ChatGenerationChunk(message=last), apart) if self._usage or apart != Split() else None

    def _from_field(self, fields: Mapping[str, str]) -> str:
        for name, text in fields.items():
            if text and self._field in ("", name):
                self._field = name
                return text
        if fields and self._splitter is None and self._mode == "auto":
            self._mode = "tags"  # as in `whole`
        return ""

    def _split(self, content: str) -> Split:
        if not content:
            return Split()
        if self._splitter is None:
            self._splitter = ThinkSplitter("tags" if self._field else self._mode)
        return self._one_source(self._splitter.feed(content))

    def _rest(self) -> Split:
        return self._one_source(self._splitter.close()) if self._splitter else Split()

    def _one_source(self, apart: Split) -> Split:
        """Where a field carries the reasoning, the same again between tags is dropped."""
        return Split(text=apart.text) if self._field else apart

    def _take_usage(self, message: BaseMessage) -> None:
        """Keep the highest count.  It is told once, at the end: LangChain adds up what comes with each chunk, and some
        servers send it with every chunk (xAI, vLLM's continuous usage), or with the finish reason and once more."""
        if isinstance(message, AIMessageChunk) and message.usage_metadata:
            if not self._usage or message.usage_metadata["total_tokens"] >= self._usage["total_tokens"]:
                self._usage = message.usage_metadata
            message.usage_metadata = None

    def _take_finish(self, about: dict[str, Any]) -> bool:
        """Note the finish reason.  One that came before is not told again: LangChain would make "stopstop" of it."""
        if self.finish is not None:
            for name in _ONCE:
                about.pop(name, None)
            return False
        self.finish = about.get("finish_reason")
        return self.finish is not None


def _joined(a: Split, b: Split) -> Split:
    return Split(a.reasoning + b.reasoning, a.text + b.text)


def _with(chunk: ChatGenerationChunk, apart: Split) -> ChatGenerationChunk:
    message = chunk.message
    message.content = apart.text
    if apart.reasoning:
        message.additional_kwargs[REASONING] = apart.reasoning
    message.response_metadata["model_provider"] = PROVIDER
    return ChatGenerationChunk(message=message, generation_info=chunk.generation_info)


# ------------------------------------------------------------------------------------------ answers

# HTTP answers with status 200 that are no chat reply: an error, a login page, some other service's JSON.
#
# Knows the bodies that servers send instead of a completion or of a stream; knows nothing of replies, or of what an
# error means.  Errors that a server tells are raised as openai's, as the client itself does with an error event in a
# stream.

Json = Mapping[str, Any]  # one JSON object of the wire format

_NO_CHAT = "is this the address of an OpenAI-compatible endpoint? It mostly ends in /v1"
_SHOWN = 60  # characters of what came instead


def completion(response: Any, asked: Callable[[], httpx2.Request]) -> Json:
    """The body of a whole reply to the request that `asked` gives.

    Raises `openai.APIError` for an error that came with status 200, `ModelRefused` for something that is no chat reply,
    `ModelOverloaded` for a reply in which nothing was said.
    """
    body = response.model_dump(warnings=False) if hasattr(response, "model_dump") else response
    if not isinstance(body, Mapping):
        raise ModelRefused(f"no chat reply came, but {_shown(body)}: {_NO_CHAT}")
    raise_reported_error(body, asked)
    if body.get("choices") is None:
        names = sorted(name for name, value in body.items() if value is not None)
        raise ModelRefused(f"no chat reply came, but an object with {_shown(names)}: {_NO_CHAT}")
    if not body["choices"]:
        raise ModelOverloaded("the model's server replied without a choice")
    return body


def raise_reported_error(body: Json, asked: Callable[[], httpx2.Request]) -> None:
    """Raises `openai.APIError` where the body, or the event of a stream, is an error.

    Its usual place is `error`; vLLM before 0.10 and SGLang send the error itself, with `"object": "error"`.  The error
    carries its request, so that a server's repetition of the key can be told from its words.
    """
    error = body if body.get("object") == "error" else body.get("error")
    if not error:
        return
    from openai import APIError

    said = error.get("message") if isinstance(error, Mapping) else error
    raise APIError(str(said or error), request=asked(), body=error)


def check(response: httpx2.Response) -> None:
    """A hook of the HTTP client: what comes instead of a stream is not read as one.  Raises as `completion` does."""
    if _is_stream(response):
        return
    if "html" in _media_type(response):
        raise ModelRefused(f"a web page came instead of a chat reply: {_NO_CHAT}")
    if _asked_for_stream(response):
        _raise_instead(response)


async def check_async(response: httpx2.Response) -> None:
    """The same for an asynchronous client."""
    if not _is_stream(response) and "html" not in _media_type(response) and _asked_for_stream(response):
        await response.aread()
    check(response)


def _is_stream(response: httpx2.Response) -> bool:
    """Also true of refusals: their status says what they are."""
    return response.status_code != 200 or "event-stream" in _media_type(response)


def _media_type(response: httpx2.Response) -> str:
    return response.headers.get("content-type", "").lower()


def _asked_for_stream(response: httpx2.Response) -> bool:
    return "json" in _media_type(response) and json.loads(response.request.content or b"{}").get("stream") is True


def _raise_instead(response: httpx2.Response) -> None:
    try:
        told = json.loads(response.read())
    except ValueError:
        return  # a stream under the wrong name, or nothing: the stream's reader finds out
    completion(told, lambda: response.request)
    raise ModelRefused("the server sends whole replies only, and a stream was asked for")


def _shown(value: object) -> str:
    from agent.reasoning.models.model_errors import plain

    words = plain(json.dumps(value, default=str, ensure_ascii=False))
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"
