"""What is known of endpoints, model families and prices, as data."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from agent.errors import ModelRefused, SettingsError
from agent.reasoning.models.think_tags import Mode

# ------------------------------------------------------------------------------------------ families

# The model families we know, as data: what a model needs wherever it runs.
#
# Knows names of models, sampling and what each was trained with; knows nothing of endpoints or prices.  Sources: the
# model cards of DeepSeek-R1, -R1-0528 and the distills ("Usage Recommendations", and the length of the evaluations);
# DeepSeek's API guide "Thinking Mode"; context windows from LangChain's and litellm's tables of models.


@dataclass(frozen=True, slots=True)
class Family:
    """None leaves a parameter out of the request."""

    name: str
    pattern: str  # of the model's name in lower case
    temperature: float | None
    top_p: float | None
    max_tokens: int | None  # of thinking and answer together
    system: Literal["fold", "send"]
    context_tokens: int | None
    reasons: bool = True
    by_mode: bool = False  # thinking is switched on and graded in the request
    returns: bool = False  # its reasoning of turns with tool calls is to be sent back
    json_mode: bool = False
    tags: Mode = "auto"
    note: str = ""


_MIXES = "R1-Zero mixes languages within its answers and is hard to read: R1 and R1-0528 are made for people."
_SMALL = "A distill is a small model that learned from R1: it forgets details and invents more than R1 does."
_QWEN3 = r"0528-(distill-)?qwen3|deepseek-r1:(latest|8b)$"  # the second as Ollama names it
_QWEN = r"r1-distill-qwen|r1:(1\.5b|7b|14b|32b)|r1.*qwen-distill"
_LLAMA = r"r1-distill-llama|r1:70b|r1.*llama-distill"
_V4 = r"deepseek[-/_.]?(flash|pro(?![a-z])|v4)"
_R1_NAMES = r"(?<![a-z0-9])r1(?![a-z0-9])|deepseek-reasoner"
_PLAIN = r"claude|gpt-|gemini|mistral|llama-?[34]|deepseek-chat|deepseek[-/_.]?v3(-0324)?$"

FAMILIES = (  # the first whose pattern is found
    Family("r1-zero", r"r1-?zero", 0.6, 0.95, 32_768, "fold", 131_072, note=_MIXES),
    Family("r1-0528-qwen3", _QWEN3, 0.6, 0.95, 64_000, "send", 131_072, note=_SMALL),
    Family("r1-distill-qwen", _QWEN, 0.6, 0.95, 32_768, "fold", 131_072, note=_SMALL),
    Family("r1-distill-llama", _LLAMA, 0.6, 0.95, 32_768, "fold", 131_072, note=_SMALL),
    Family("r1-0528", r"r1-(25)?0528|r1:671b", 0.6, 0.95, 64_000, "send", 131_072),
    Family("r1", _R1_NAMES, 0.6, 0.95, 32_768, "fold", 131_072),
    Family("deepseek-v4", _V4, None, None, 64_000, "send", 1_000_000, by_mode=True, returns=True, json_mode=True),
    Family("deepseek-v3.2", r"v3[.p]2", None, None, 32_768, "send", 131_072, by_mode=True, returns=True),
    Family("deepseek-v3.1", r"v3[.p]1", None, None, 32_768, "send", 131_072, by_mode=True),
    Family("plain", _PLAIN, None, None, 8_192, "send", None, reasons=False, json_mode=True, tags="tags"),
    Family("other", "", None, None, None, "send", None),  # it may think, and its server's limit is the safest one
)


def family_of(model: str) -> Family:
    """By the model's name, with whatever stands before it (a provider, an account) and after it (a quantisation)."""
    name = model.casefold().replace("_", "-")
    return next(family for family in FAMILIES if re.search(family.pattern, name))


def family_named(name: str) -> Family | None:
    return next((family for family in FAMILIES if family.name == name), None)


# ------------------------------------------------------------------------------------------ endpoints

# The endpoints we know, as data: where each is, and how a request to it differs from the plain one.
#
# Knows hosts, ports and the names of parameters; knows nothing of what a model needs (`families`) or costs
# (`prices`). A row that is wrong makes a request worse, never unsafe: where the reasoning is, for one, is learned
# from the first reply.  Sources: each provider's API documentation; litellm 1.109.1 (`llms/*/chat/transformation.py`
# and its table of models) and LangChain's packages for OpenRouter 0.2.9, Together 0.4.0, Fireworks 1.7.1 and NVIDIA
# 1.5.0, read on 2026-11-24.

PassBack = Literal["never", "tool turns", "always"]
TokenLimit = Literal["max_tokens", "max_completion_tokens"]
NEVER: PassBack = "never"
TOOL_TURNS: PassBack = "tool turns"
ALWAYS: PassBack = "always"
USUAL_LIMIT: TokenLimit = "max_tokens"
OPENAI_LIMIT: TokenLimit = "max_completion_tokens"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class EndpointProfile:
    """Where it is.  `model` is the one to take where none is named: R1-0528 where it is offered, else R1, else the
    successor that DeepSeek names.  A local server's is what it is most often pulled as."""

    name: str
    base_url: str  # empty: each customer has an address of their own
    key_variable: str  # empty: none is needed
    model: str
    hosts: tuple[str, ...] = ()  # beside that of `base_url`: the host itself, or a domain above it
    port: int | None = None  # of a server on one's own machine, where the host says nothing

    def is_at(self, host: str) -> bool:
        own = "" if self.port else _where(self.base_url).hostname or ""
        return any(known and (host == known or host.endswith(f".{known}")) for known in (own, *self.hosts))


_R1_0528, _R1_TAG = "deepseek-ai/DeepSeek-R1-0528", "deepseek-r1"
_FIREWORKS_R1 = "accounts/fireworks/models/deepseek-r1-0528"
_NVIDIA_V4 = "deepseek-ai/deepseek-v4-flash"  # NVIDIA's own list marks the R1s that it hosted as deprecated
_AZURE_V4 = "deepseek-v4-flash"  # its R1 ended on 2026-08-13
_AZURE = ("services.ai.azure.com", "models.ai.azure.com")
_OPENAI = ("openai.com", "openai.azure.com")  # no R1: for a writer

ENDPOINTS = (
    EndpointProfile("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", "deepseek/deepseek-r1-0528"),
    EndpointProfile("together", "https://api.together.ai/v1", "TOGETHER_API_KEY", _R1_0528, ("together.xyz",)),
    EndpointProfile("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY", _FIREWORKS_R1),
    EndpointProfile("deepinfra", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY", _R1_0528),
    EndpointProfile("sambanova", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY", "DeepSeek-R1"),
    EndpointProfile("deepseek", "https://api.deepseek.com", "DEEPSEEK_API_KEY", "deepseek-flash"),
    EndpointProfile("nvidia", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY", _NVIDIA_V4),
    EndpointProfile("azure", "", "AZURE_AI_API_KEY", _AZURE_V4, _AZURE),
    EndpointProfile("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", "", _OPENAI),
    EndpointProfile("ollama", "http://localhost:11434/v1", "", _R1_TAG, ("ollama", "ollama.com"), 11434),
    EndpointProfile("vllm", "http://localhost:8000/v1", "", _R1_0528, ("vllm",), 8000),
    EndpointProfile("sglang", "http://localhost:30000/v1", "", _R1_0528, ("sglang",), 30000),
    EndpointProfile("llama.cpp", "http://localhost:8080/v1", "", _R1_TAG, ("llama.cpp", "llama-cpp"), 8080),
    EndpointProfile("lmstudio", "http://localhost:1234/v1", "", _R1_TAG, ("lmstudio",), 1234),
    EndpointProfile("litellm", "http://localhost:4000/v1", "", _R1_TAG, ("litellm",), 4000),
    EndpointProfile(UNKNOWN, "", "", ""),
)


@dataclass(frozen=True, slots=True)
class Ways:
    """How a request differs.  `effort` and `thinking_on` are for models that think by mode; R1 has no modes, and takes
    an effort only where the endpoint makes one for it (`graded`)."""

    effort: str = ""  # where the effort goes, dotted
    thinking_on: Mapping[str, object] = field(default_factory=dict)
    thinking_off: Mapping[str, object] = field(default_factory=dict)
    json_mode: bool = False
    parallel: int = 4  # calls at once; not published by most, and what a run needs at most
    tags: Mode = "auto"
    pass_back: PassBack = TOOL_TURNS  # for models that want their reasoning back
    token_limit: TokenLimit = USUAL_LIMIT
    extra: Mapping[str, object] = field(default_factory=dict)
    graded: tuple[str, ...] = ()  # families that take an effort here although they have no modes
    reports_cost: bool = False  # is told in each reply
    own_window: bool = False  # the operator sets the context window, often far below the model's


def _template(on: bool) -> Mapping[str, object]:
    return {"chat_template_kwargs": {"thinking": on}}


def _type(on: bool) -> Mapping[str, object]:
    return {"thinking": {"type": "enabled" if on else "disabled"}}


def _enabled(on: bool) -> Mapping[str, object]:
    return {"reasoning": {"enabled": on}}


_NO_EFFORT: Mapping[str, object] = {"reasoning_effort": "none"}
_COST: Mapping[str, object] = {"usage": {"include": True}}  # OpenRouter tells what a call cost where it is asked to

WAYS: Mapping[str, Ways] = {
    "openrouter": Ways(
        "reasoning.effort", _enabled(True), _enabled(False), json_mode=True, extra=_COST, reports_cost=True
    ),
    "together": Ways("reasoning_effort", _enabled(True), _enabled(False), json_mode=True),
    # deepseek-r1 and -basic are stopped at a share of their thinking (docs.fireworks.ai, DeepSeek FAQ)
    "fireworks": Ways("reasoning_effort", {}, _NO_EFFORT, json_mode=True, graded=("r1",)),
    "deepinfra": Ways("reasoning_effort", json_mode=True),
    "sambanova": Ways(),
    # 500 and 2,500 calls at once are allowed; litellm and DeepSeek's own client send reasoning back with every turn
    "deepseek": Ways("reasoning_effort", _type(True), _type(False), True, parallel=8, tags="tags", pass_back=ALWAYS),
    "nvidia": Ways("", _template(True), _template(False)),
    "azure": Ways(),
    "openai": Ways(json_mode=True, token_limit=OPENAI_LIMIT, tags="tags"),
    # a level, other than "none", is refused for R1: "think value "medium" is not supported for this model"
    "ollama": Ways("", {}, _NO_EFFORT, parallel=1, own_window=True),  # one at a time unless OLLAMA_NUM_PARALLEL is set
    "vllm": Ways("", _template(True), _template(False), parallel=8),
    "sglang": Ways("", _template(True), _template(False), parallel=8),
    "llama.cpp": Ways(parallel=1, own_window=True),
    "lmstudio": Ways(parallel=1, own_window=True),
    "litellm": Ways(),  # it refuses parameters that the provider behind it does not have
    UNKNOWN: Ways(own_window=True),
}

# (endpoint, last part of the model's name) -> context window and longest reply in tokens; None: the window's
LIMITS: Mapping[tuple[str, str], tuple[int, int | None]] = {
    ("openrouter", "deepseek-r1-0528"): (163_840, 32_768),
    ("openrouter", "deepseek-r1"): (64_000, 16_000),
    ("openrouter", "deepseek-r1-distill-llama-70b"): (8_192, 7_372),
    ("together", "deepseek-r1-0528"): (163_840, None),
    ("fireworks", "deepseek-r1-0528"): (163_840, 160_000),
    ("fireworks", "deepseek-r1"): (163_840, 20_480),
    ("fireworks", "deepseek-r1-basic"): (163_840, 20_480),
    ("deepinfra", "deepseek-r1-0528"): (163_840, 163_840),
    ("deepinfra", "deepseek-r1"): (163_840, 163_840),
    ("deepinfra", "deepseek-r1-0528-turbo"): (32_768, 32_768),
    ("deepinfra", "deepseek-r1-turbo"): (40_960, 40_960),
    ("sambanova", "deepseek-r1"): (32_768, 32_768),
    ("sambanova", "deepseek-v3.2"): (32_768, 32_768),
}


def endpoint_at(base_url: str) -> EndpointProfile:
    """The endpoint by its host; else, on a host that is nobody's, by the port of a local server; else the unknown."""
    where = _where(base_url)
    host = (where.hostname or "").casefold()
    found = next((endpoint for endpoint in ENDPOINTS if endpoint.is_at(host)), None)
    return found or next((e for e in ENDPOINTS if e.port and e.port == _port(where)), ENDPOINTS[-1])


def endpoint_named(name: str) -> EndpointProfile | None:
    return next((endpoint for endpoint in ENDPOINTS if endpoint.name == name), None)


def _where(base_url: str) -> SplitResult:
    """An address without a scheme is one too; one that is none has no host."""
    try:
        return urlsplit(base_url if "//" in base_url else f"//{base_url}")
    except ValueError:
        return urlsplit("")


def _port(where: SplitResult) -> int | None:
    """None where there is none, or one that is no number up to 65,535."""
    try:
        return where.port
    except ValueError:
        return None


# ------------------------------------------------------------------------------------------ prices

# What calls cost, as data: US dollars per million tokens, by endpoint, model, date and hour.
#
# Knows published prices and where each was read; guesses none.  A price that a server tells with its reply is better
# than any of these, for an estimate made from them grows old with the table.

_SEEN = date(2026, 11, 23)  # when the tables below were read; when those prices began is not told
_DEEPSEEK = "api-docs.deepseek.com/quick_start/pricing"
_LITELLM = "litellm 1.109.1, model_prices_and_context_window_backup.json"
_OPENROUTER = "openrouter.ai, page of the model"
_PEAK_HOURS = (range(1, 4), range(6, 10))  # UTC, Monday to Friday, since 2026-08-16 (same page)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens.  `cached` None: what the server had in its cache costs as much as the rest."""

    endpoint: str
    model: str  # the last part of its name, in lower case
    cached: float | None
    prompt: float
    output: float  # thinking and answer alike
    source: str
    since: date = _SEEN
    hours: Literal["all", "peak", "off-peak"] = "all"

    def usd(self, prompt_tokens: int, cached_tokens: int, output_tokens: int) -> float:
        """`cached_tokens` are some of the `prompt_tokens`."""
        cached = self.prompt if self.cached is None else self.cached
        fresh = prompt_tokens - cached_tokens
        return (fresh * self.prompt + cached_tokens * cached + output_tokens * self.output) / 1e6


_OCTOBER = date(2026, 10, 27)

PRICES = (
    Price("deepseek", "deepseek-flash", 0.003, 0.15, 0.60, _DEEPSEEK, _OCTOBER, "off-peak"),
    Price("deepseek", "deepseek-flash", 0.006, 0.30, 1.20, _DEEPSEEK, _OCTOBER, "peak"),
    Price("deepseek", "deepseek-v4-flash", 0.003, 0.15, 0.60, _DEEPSEEK, _OCTOBER, "off-peak"),
    Price("deepseek", "deepseek-v4-flash", 0.006, 0.30, 1.20, _DEEPSEEK, _OCTOBER, "peak"),
    Price("deepseek", "deepseek-v4-pro", 0.022, 0.66, 1.98, _DEEPSEEK, _OCTOBER, "off-peak"),
    Price("deepseek", "deepseek-v4-pro", 0.044, 1.32, 3.96, _DEEPSEEK, _OCTOBER, "peak"),
    Price("openrouter", "deepseek-r1", None, 0.70, 2.50, _OPENROUTER),
    Price("together", "deepseek-r1-0528", None, 3.00, 7.00, _LITELLM),
    Price("together", "deepseek-v4.1-flash", 0.006, 0.30, 1.20, _LITELLM),
    Price("together", "deepseek-v4.1-flash-1017", 0.006, 0.30, 1.20, _LITELLM),
    Price("together", "deepseek-v4-pro-0813", 0.13, 1.32, 3.96, _LITELLM),
    Price("together", "deepseek-v3", None, 1.25, 1.25, _LITELLM),
    Price("fireworks", "deepseek-r1", None, 3.00, 8.00, _LITELLM),
    Price("fireworks", "deepseek-r1-0528", None, 3.00, 8.00, _LITELLM),
    Price("fireworks", "deepseek-r1-basic", None, 0.55, 2.19, _LITELLM),
    Price("fireworks", "deepseek-r1-0528-distill-qwen3-8b", None, 0.20, 0.20, _LITELLM),
    Price("fireworks", "deepseek-r1-distill-llama-70b", None, 0.90, 0.90, _LITELLM),
    Price("fireworks", "deepseek-r1-distill-llama-8b", None, 0.20, 0.20, _LITELLM),
    Price("fireworks", "deepseek-r1-distill-qwen-32b", None, 0.90, 0.90, _LITELLM),
    Price("fireworks", "deepseek-r1-distill-qwen-14b", None, 0.20, 0.20, _LITELLM),
    Price("fireworks", "deepseek-r1-distill-qwen-7b", None, 0.20, 0.20, _LITELLM),
    Price("fireworks", "deepseek-v4p1-flash", 0.006, 0.30, 1.20, _LITELLM),
    Price("fireworks", "deepseek-v4p1-flash-1017", 0.006, 0.30, 1.20, _LITELLM),
    Price("deepinfra", "deepseek-r1", None, 0.70, 2.40, _LITELLM),
    Price("deepinfra", "deepseek-r1-0528", 0.40, 0.50, 2.15, _LITELLM),
    Price("deepinfra", "deepseek-r1-turbo", None, 1.00, 3.00, _LITELLM),
    Price("deepinfra", "deepseek-r1-0528-turbo", None, 1.00, 3.00, _LITELLM),
    Price("deepinfra", "deepseek-r1-distill-llama-70b", None, 0.20, 0.60, _LITELLM),
    Price("deepinfra", "deepseek-r1-distill-qwen-32b", None, 0.27, 0.27, _LITELLM),
    Price("deepinfra", "deepseek-v3", None, 0.32, 0.89, _LITELLM),
    Price("deepinfra", "deepseek-v3-0324", 0.135, 0.24, 0.90, _LITELLM),
    Price("deepinfra", "deepseek-v3.1", 0.216, 0.25, 0.95, _LITELLM),
    Price("deepinfra", "deepseek-v4-flash", 0.018, 0.09, 0.18, _LITELLM),
    Price("deepinfra", "deepseek-v4.1-flash", 0.0042, 0.14, 0.42, _LITELLM),
    Price("deepinfra", "deepseek-v4-pro", 0.10, 1.30, 2.60, _LITELLM),
    Price("sambanova", "deepseek-r1", None, 5.00, 7.00, _LITELLM),
    Price("sambanova", "deepseek-v3.1", None, 3.00, 4.50, _LITELLM),
    Price("sambanova", "deepseek-v3.2", None, 3.00, 4.50, _LITELLM),
    Price("azure", "deepseek-v3.2", None, 0.58, 1.68, _LITELLM),
    Price("azure", "deepseek-v4-flash", 0.028, 0.19, 0.51, _LITELLM),
    Price("azure", "deepseek-v4-pro", 0.145, 1.74, 3.48, _LITELLM),
)


def price_of(profile_name: str, model: str, at: datetime) -> Price | None:
    """What a call begun `at` (aware) costs; the newest row that had begun by then; None: not known."""
    then = at.astimezone(UTC)
    model = model.casefold().rpartition("/")[2]
    hours = ("all", "peak" if _is_peak(then) else "off-peak")
    known = [p for p in PRICES if (p.endpoint, p.model) == (profile_name, model)]
    begun = [p for p in known if p.since <= then.date() and p.hours in hours]
    return max(begun, key=lambda price: price.since, default=None)


def usd_in_words(usage: object) -> float | None:
    """What a server says in a reply's `usage` that the call cost, in US dollars.  OpenRouter and LiteLLM say `cost`,
    DeepInfra `estimated_cost`."""
    if not isinstance(usage, Mapping):
        return None
    for told in (usage.get("cost"), usage.get("estimated_cost")):
        if isinstance(told, int | float) and not isinstance(told, bool) and 0 <= told < math.inf:
            return float(told)
    return None


def _is_peak(then: datetime) -> bool:
    """China's holidays, on which there is no peak, are not known here: a call on one is estimated too high."""
    return then.weekday() < 5 and any(then.hour in hours for hours in _PEAK_HOURS)


# ------------------------------------------------------------------------------------------ profiles

# How a model at an endpoint must be driven: the endpoint's row and the model's, put together.
#
# One frozen value; the chat model reads it and decides nothing by name.  Knows which names are gone; knows nothing of
# requests.  A row of the user's own is a `Profile` like any other.

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
