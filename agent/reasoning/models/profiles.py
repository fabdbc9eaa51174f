"""How a model at an endpoint must be driven: the endpoint's row and the model's, put together.

One frozen value; the chat model reads it and decides nothing by name.  Knows which names are gone; knows nothing of
requests.  A row of the user's own is a `Profile` like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from agent.errors import ModelRefused, SettingsError
from agent.reasoning.models.endpoints import (
    ENDPOINTS,
    LIMITS,
    NEVER,
    UNKNOWN,
    USUAL_LIMIT,
    WAYS,
    EndpointProfile,
    PassBack,
    TokenLimit,
    endpoint_at,
    endpoint_named,
)
from agent.reasoning.models.families import FAMILIES, Family, family_named, family_of
from agent.reasoning.models.think import Mode

_RETIRED = ("deepseek-reasoner", "deepseek-chat")  # since 2026-07-24 15:59 UTC (api-docs.deepseek.com/updates)


@dataclass(frozen=True, slots=True)
class Profile:
    """None and "" leave a parameter out of the request.  `name` is the endpoint's, `family` the model's."""

    name: str
    temperature: float | None
    top_p: float | None
    max_tokens: int | None  # of thinking and answer together
    system: Literal["fold", "send"]  # fold: a system message goes into the first user message
    tags: Mode = "auto"  # a hint; what the server really does is learned from its first reply
    connect_seconds: float = 10.0
    idle_seconds: float = 300.0  # without one byte; DeepSeek's keep-alive comments count (its own client waits as long)
    call_seconds: float = 1800.0  # of one call, however busily it is kept alive
    token_limit: TokenLimit = USUAL_LIMIT
    pass_back: PassBack = NEVER  # which of the model's earlier turns are sent with their reasoning
    json_mode: bool = False  # is a caller's `response_format={"type": "json_object"}` sent?
    effort: str = ""  # the parameter that takes "low", "medium", "high", …; dotted where it lies within an object
    extra: Mapping[str, object] = field(default_factory=dict, hash=False)  # always sent
    thinking_off: Mapping[str, object] = field(default_factory=dict, hash=False)  # sent for the effort "none"
    context_tokens: int | None = None  # the window, prompt and reply together; None: unknown
    parallel: int = 4  # calls that it takes at once
    reports_cost: bool = False  # then a limit on money can be kept without a table of prices
    reasons: bool = True
    family: str = ""
    note: str = ""  # one sentence for the user


def profile_for(base_url: str, model: str, name: str | None = None) -> Profile:
    """The profile of a model at an address.  `name` overrules what the two say: an endpoint (`vllm`), a model family
    (`r1-0528`), or both with a slash between (`vllm/r1-0528`), as for a server that gives R1 a name of its own.

    Raises `SettingsError` for another name, and `ModelRefused` for a model that DeepSeek has retired.
    """
    endpoint, family = endpoint_at(base_url), None
    for part in (name or "").split("/") if name else ():
        if found := endpoint_named(part):
            endpoint = found
        elif chosen := family_named(part):
            family = chosen
        else:
            raise SettingsError(f"profile {name!r}: {part!r} is none of {', '.join(profile_names())}")
    if endpoint.name == "deepseek" and model.casefold() in _RETIRED:
        raise ModelRefused(
            f"{model!r} ended at api.deepseek.com on 2026-07-24: use deepseek-flash or deepseek-v4-pro there, "
            "or R1 itself elsewhere, such as deepseek/deepseek-r1-0528 at openrouter.ai"
        )
    return _put_together(endpoint, family or family_of(_tagged(endpoint, model)), model)


def profile_names() -> tuple[str, ...]:
    return (*(endpoint.name for endpoint in ENDPOINTS), *(family.name for family in FAMILIES))


def fitted(profile: Profile, context_tokens: int, longest_reply: int | None = None) -> Profile:
    """The profile for a window of this size: a reply is given half of it at most, so that a prompt has room."""
    room = min(longest_reply or context_tokens, context_tokens // 2)
    limit = room if profile.max_tokens is None else min(profile.max_tokens, room)
    return replace(profile, context_tokens=context_tokens, max_tokens=limit)


def _tagged(endpoint: EndpointProfile, model: str) -> str:
    """Ollama takes a name without a tag for its `latest`, which of deepseek-r1 is a distill."""
    return f"{model}:latest" if endpoint.name == "ollama" and ":" not in model else model


def _put_together(endpoint: EndpointProfile, family: Family, model: str) -> Profile:
    ways = WAYS[endpoint.name]
    modes = family.by_mode
    profile = Profile(
        name=endpoint.name,
        temperature=family.temperature,
        top_p=family.top_p,
        max_tokens=family.max_tokens,
        system=family.system,
        tags=family.tags if ways.tags == "auto" else ways.tags,
        token_limit=ways.token_limit,
        pass_back=ways.pass_back if family.returns else NEVER,
        json_mode=ways.json_mode and family.json_mode,
        effort=ways.effort if modes or family.name in ways.graded else "",
        extra={**ways.extra, **(ways.thinking_on if modes else {})},
        thinking_off=ways.thinking_off if modes or (endpoint.name == "ollama" and family.reasons) else {},
        context_tokens=None if ways.own_window else family.context_tokens,
        parallel=ways.parallel,
        reports_cost=ways.reports_cost,
        reasons=family.reasons,
        family=family.name,
        note=family.note,
    )
    bare = model.casefold().rpartition("/")[2].partition(":")[0]  # OpenRouter puts ":free" and its like behind a name
    limits = LIMITS.get((endpoint.name, bare))
    return fitted(profile, *limits) if limits else profile


R1 = profile_for("", "deepseek-r1", UNKNOWN)
