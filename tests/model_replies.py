"""What the scripted model server says, as JSON: one reply in the dialect of each server that there is.

Knows where servers put reasoning, tool calls, finish reasons and token counts, in a whole reply and in a stream's
deltas; knows nothing of HTTP.  The shapes are those of the servers' documentation and source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tests.model_wire import PLAIN, Wire

Json = dict[str, Any]
Fault = Literal["", "hang", "hang midway", "cut", "no finish", "error event", "not json"]

DIALECTS: dict[str, str] = {
    "reasoning_content": "DeepSeek: a field, with content null beside it",
    "always": "SGLang: reasoning_content in every delta, null where there is none",
    "llama.cpp": "llama.cpp: reasoning_content, and no content beside it",
    "litellm": "LiteLLM's proxy: reasoning_content, and again among provider_specific_fields",
    "reasoning": "vLLM from 0.17: a field of that name, content empty",
    "ollama": "Ollama /v1: likewise, with the role in every delta",
    "both": "vLLM 0.11 to 0.15: both fields, with the same text",
    "null": "reasoning_content present and null, the text in reasoning",
    "reasoning_details": "OpenRouter: only the list of details",
    "openrouter": "OpenRouter: reasoning and details, finish reason and model name sent twice",
    "legacy": "llama.cpp deepseek-legacy: in the field and again in tags",
    "residual": "a parser that leaves the closing tag behind: the field, and content that begins with </think>",
    "think": "Together, LM Studio: tags in the content",
    "bare": "a chat template that opened the tag: the content begins inside it",
    "misfiled": "a parser that takes the whole reply for reasoning: content null",
}
_IN_CONTENT = {"think": "<think>\n", "bare": "", "legacy": "<think>\n"}  # and how the reasoning is opened there
_NO_FIELD = ("think", "bare")
_WORD = re.compile(r"\s*\S+|\s+")


@dataclass(frozen=True)
class Said:
    """One reply, and what goes wrong with it."""

    text: str = ""
    reasoning: str = ""
    dialect: str | None = None  # None: the server's
    tool: tuple[str, Json] | None = None  # a tool that is called, and its arguments
    finish: str | None = "stop"
    usage: bool = True
    usage_in: Literal["after", "finish", "both", "each"] = "after"  # the finish reason; with it; both; every chunk
    cost: float | None = None  # in US dollars, as OpenRouter reports it
    cached: int = 0  # tokens of the prompt
    fault: Fault = ""  # "cut": the connection breaks in the middle; "no finish": a clean end without a finish reason
    status: int = 200  # other than 200: an error, with `body` and `headers`
    body: Json | str | None = None  # sent as it is, instead of a reply
    headers: Json = field(default_factory=dict)
    late_s: float = 0.0  # before the first byte of all
    wait_s: float = 0.0  # before the first byte of the reply, after the headers
    keep_alive_s: float = 0.0  # between comments in a stream, or blank lines before JSON, while it waits; 0: silence
    wire: Wire = PLAIN


def completion(said: Said, asked: Json) -> Json:
    """A whole reply to the request `asked`."""
    message: Json = {"role": "assistant", "content": _content(said)}
    for delta in _deltas(replace(said, text="", tool=None), cut=10**9):
        message |= {name: value for name, value in delta.items() if name not in ("content", "role")}
    if said.dialect == "misfiled":
        message |= {"content": None, "reasoning_content": f"{said.reasoning}\n\n{said.text}"}
    if said.tool:
        message |= {"content": said.text or None, "tool_calls": [_called(said.tool)]}
    finish = None if said.fault == "no finish" else said.finish
    choice = {"index": 0, "message": message, "finish_reason": finish}
    usage = {"usage": _usage(said, asked)} if said.usage else {}
    return _envelope(asked, "chat.completion") | {"choices": [choice]} | usage


def chunks(said: Said, asked: Json, cut: int) -> tuple[list[Json], list[Json]]:
    """A stream's chunks, and those of its end; `cut`: characters of text in each, 0: a word."""
    told = bool(said.usage and (asked.get("stream_options") or {}).get("include_usage"))
    usage = {"usage": _usage(said, asked)} if told else {}
    each = usage if said.usage_in == "each" else {}
    said_chunks = [_chunk(asked, delta) | each for delta in _deltas(said, cut)]
    with_finish = usage if said.usage_in in ("finish", "both", "each") else {}
    ends = [_chunk(asked, {}, said.finish) | with_finish] * (2 if said.dialect == "openrouter" else 1)
    if told and said.usage_in in ("after", "both"):
        ends.append(_chunk(asked, None) | usage)
    return said_chunks, ends


def _envelope(asked: Json, kind: str) -> Json:
    return {"id": "scripted", "object": kind, "created": 0, "model": asked.get("model", "scripted-r1")}


def _chunk(asked: Json, delta: Json | None, finish: str | None = None) -> Json:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return _envelope(asked, "chat.completion.chunk") | {"choices": choices}


def _usage(said: Said, asked: Json) -> Json:
    prompt = len(_WORD.findall(json.dumps(asked.get("messages"))))
    thought, told = len(_WORD.findall(said.reasoning)), len(_WORD.findall(said.text))
    counts: Json = {
        "prompt_tokens": prompt,
        "completion_tokens": thought + told,
        "total_tokens": prompt + thought + told,
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
    if said.cached:
        counts |= {"prompt_tokens_details": {"cached_tokens": said.cached}}
    return counts if said.cost is None else counts | {"cost": said.cost}


def _content(said: Said) -> str:
    """The content field of a whole reply."""
    if not said.reasoning:
        return said.text
    if said.dialect == "residual":
        return f"\n</think>\n\n{said.text}"
    if said.dialect not in _IN_CONTENT:
        return said.text
    return f"{_IN_CONTENT[said.dialect]}{said.reasoning}\n</think>\n\n{said.text}"


def _deltas(said: Said, cut: int) -> Iterator[Json]:
    first: Json = {"role": "assistant", "content": ""}
    yield first | ({"content": None, "reasoning_content": ""} if said.dialect == "reasoning_content" else {})
    reasoning, content = said.reasoning, _content(said)
    if said.dialect == "misfiled":
        reasoning, content = f"{said.reasoning}\n\n{said.text}", ""
    if said.dialect not in _NO_FIELD:
        for piece in _pieces(reasoning, cut):
            yield _thought(said.dialect or "", piece)
    beside = {"reasoning_content": None} if said.dialect in ("reasoning_content", "always", "null") else {}
    for piece in _pieces(content, cut):
        yield {"content": piece} | beside
    if said.tool:
        yield from _calling(said.tool, cut)


def _thought(dialect: str, piece: str) -> Json:
    details = [{"type": "reasoning.text", "text": piece, "format": "unknown", "index": 0}]
    return {
        "reasoning": {"content": "", "reasoning": piece},
        "ollama": {"role": "assistant", "content": "", "reasoning": piece},
        "reasoning_details": {"content": "", "reasoning_details": details},
        "openrouter": {"content": "", "reasoning": piece, "reasoning_details": details},
        "both": {"reasoning": piece, "reasoning_content": piece},
        "null": {"reasoning_content": None, "reasoning": piece},
        "always": {"content": "", "reasoning_content": piece},
        "llama.cpp": {"reasoning_content": piece},
        "litellm": {
            "content": "",
            "reasoning_content": piece,
            "provider_specific_fields": {"reasoning_content": piece},
        },
    }.get(dialect, {"content": None, "reasoning_content": piece})


def _called(tool: tuple[str, Json]) -> Json:
    name, arguments = tool
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def _calling(tool: tuple[str, Json], cut: int) -> Iterator[Json]:
    whole = _called(tool)
    arguments = whole["function"]["arguments"]
    yield {"tool_calls": [{"index": 0, **whole, "function": {**whole["function"], "arguments": ""}}]}
    for piece in _pieces(arguments, cut):
        yield {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}


def _pieces(text: str, cut: int) -> list[str]:
    return [text[i : i + cut] for i in range(0, len(text), cut)] if cut else _WORD.findall(text)
