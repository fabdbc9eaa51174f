"""The request as it is sent: what a model at an endpoint must and must not be given.

Works on the JSON that langchain-openai has made; knows the profile and the tags, and nothing of replies.  What OpenAI's
client has no parameter for goes into `extra_body`, which the client puts into the request as it stands; `reasoning`
and `response_format` go there too, for by their own names langchain-openai would choose another API for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.reasoning.models.endpoints import ALWAYS, TOOL_TURNS, USUAL_LIMIT
from agent.reasoning.models.profiles import Profile
from agent.reasoning.models.think import split

Json = dict[str, Any]  # one JSON object of the wire format

_NEVER = ("logprobs", "top_logprobs")  # DeepSeek's reasoner answers them with an error
_OURS = ("effort", "reasoning_effort", "response_format", "extra_body", "tool_choice", USUAL_LIMIT)
_SYSTEM_ROLES = ("system", "developer")
_NO_THINKING = "none"


def driven(payload: Json, profile: Profile, thoughts: Sequence[str]) -> Json:
    """The payload as the profile wants it.  `thoughts`: the reasoning of each message, "" where it has none."""
    kept = {name: value for name, value in payload.items() if name not in (*_NEVER, *_OURS)}
    turns = [_turn(m, thought, profile) for m, thought in zip(payload["messages"], thoughts, strict=True)]
    kept["messages"] = _folded(turns) if profile.system == "fold" else turns
    if (limit := payload.get(USUAL_LIMIT)) is not None:
        kept[profile.token_limit] = limit
    return {**kept, **_tool_choice(payload, profile), **_reply_format(payload, profile), **_extra(payload, profile)}


def _tool_choice(payload: Json, profile: Profile) -> Json:
    """DeepSeek's thinking mode refuses a forced tool, and R1 has none."""
    choice = payload.get("tool_choice")
    allowed = choice in ("auto", "none") or (choice is not None and not profile.reasons)
    return {"tool_choice": choice} if allowed else {}


def _reply_format(payload: Json, profile: Profile) -> Json:
    """A schema is for models that do not think: guided decoding leaves no room for thinking, or blanks the answer."""
    wanted = payload.get("response_format")
    return {} if wanted is None or _is_json_mode(wanted) or profile.reasons else {"response_format": wanted}


def _is_json_mode(wanted: object) -> bool:
    return isinstance(wanted, Mapping) and wanted.get("type") == "json_object"


def _extra(payload: Json, profile: Profile) -> Json:
    """What the profile always sends, the effort, JSON mode, and over all of it what the caller gives."""
    extra: Mapping[str, object] = _merged(
        profile.extra, _effort(payload.get("effort") or payload.get("reasoning_effort") or "", profile)
    )
    if profile.json_mode and _is_json_mode(wanted := payload.get("response_format")):
        extra = {**extra, "response_format": wanted}
    extra = _merged(extra, payload.get("extra_body") or {})
    return {"extra_body": extra} if extra else {}


def _effort(wanted: str, profile: Profile) -> Mapping[str, object]:
    if wanted == _NO_THINKING:
        return profile.thinking_off
    if not (wanted and profile.effort):
        return {}
    *objects, name = profile.effort.split(".")
    sent: Mapping[str, object] = {name: wanted}
    for outer in reversed(objects):
        sent = {outer: sent}
    return sent


def _merged(base: Mapping[str, object], over: Mapping[str, object]) -> Mapping[str, object]:
    """Objects within objects are merged; anything else of `over` takes its place."""
    both = dict(base)
    for name, value in over.items():
        below = both.get(name)
        nested = isinstance(below, Mapping) and isinstance(value, Mapping)
        both[name] = _merged(below, value) if nested else value  # type: ignore[arg-type]  # both are, where nested
    return both


def _turn(message: Json, thought: str, profile: Profile) -> Json:
    """A past turn of the model carries its answer only, for R1's endpoints refuse its reasoning and its own chat
    template drops it; a model that wants it back gets it in a field, empty rather than missing."""
    if message["role"] != "assistant":
        return _flat(message)
    turn = dict(message)
    if turn.get("content"):
        apart = split(_as_text(turn["content"]), "auto")
        turn["content"], thought = apart.text, thought or apart.reasoning
    if profile.pass_back == ALWAYS or (profile.pass_back == TOOL_TURNS and turn.get("tool_calls")):
        turn["reasoning_content"] = thought
    return turn


def _flat(message: Json) -> Json:
    """Text in parts as one string: DeepSeek's own API and several others take nothing else.  Pictures stay parts."""
    content = message.get("content")
    if not isinstance(content, list) or any(isinstance(p, dict) and p.get("type") != "text" for p in content):
        return message
    return {**message, "content": "\n\n".join(_as_text([part]) for part in content)}


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
