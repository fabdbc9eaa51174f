"""The request as it is sent: what an R1 endpoint must and must not be given.

Works on the JSON that langchain-openai has made; knows the profile and the tags, and nothing of replies.
"""

from __future__ import annotations

from typing import Any

from agent.reasoning.models.profiles import Profile
from agent.reasoning.models.think import split

Json = dict[str, Any]  # one JSON object of the wire format

_NEVER = ("logprobs", "top_logprobs")  # DeepSeek's reasoner answers them with an error
_SYSTEM_ROLES = ("system", "developer")


def driven(payload: Json, profile: Profile) -> Json:
    """The payload as the profile wants it: no forced tool, no log-probabilities, no reasoning of earlier turns."""
    kept = {name: value for name, value in payload.items() if name not in _NEVER}
    if kept.get("tool_choice") not in ("auto", "none"):
        kept.pop("tool_choice", None)  # DeepSeek's thinking mode refuses a forced tool; R1 has none
    messages = [_without_reasoning(m) for m in payload["messages"]]
    kept["messages"] = _folded(messages) if profile.system == "fold" else messages
    return kept


def _without_reasoning(message: Json) -> Json:
    """A past turn of the model carries its answer only: R1's endpoints refuse its reasoning, and its own chat
    template drops it."""
    if message["role"] != "assistant" or not message.get("content"):
        return message
    return {**message, "content": split(_as_text(message["content"]), "auto").text}


def _folded(messages: list[Json]) -> list[Json]:
    """The instructions of system messages, at the head of the first user message."""
    instructions = [_as_text(m["content"]) for m in messages if m["role"] in _SYSTEM_ROLES]
    others = [m for m in messages if m["role"] not in _SYSTEM_ROLES]
    if not instructions:
        return others
    head = "\n\n".join(instructions)
    for i, message in enumerate(others):
        if message["role"] == "user":
            return [*others[:i], {**message, "content": _prefixed(head, message["content"])}, *others[i + 1 :]]
    return [{"role": "user", "content": head}, *others]


def _prefixed(head: str, content: str | list[Json]) -> str | list[Json]:
    return f"{head}\n\n{content}" if isinstance(content, str) else [{"type": "text", "text": head}, *content]


def _as_text(content: str | list[Any] | None) -> str:
    """Message content is a string, or a list of strings and typed parts, of which the text is kept."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = [part if isinstance(part, str) else part.get("text") or "" for part in content]
    return "".join(parts)
