"""The endpoints we know, as data: where each is, and how a request to it differs from the plain one.

Knows hosts, ports and the names of parameters; knows nothing of what a model needs (`families`) or costs (`prices`).
A row that is wrong makes a request worse, never unsafe: where the reasoning is, for one, is learned from the first
reply.  Sources: each provider's API documentation; litellm 1.109.1 (`llms/*/chat/transformation.py` and its table of
models) and LangChain's packages for OpenRouter 0.2.9, Together 0.4.0, Fireworks 1.7.1 and NVIDIA 1.5.0, read on
2026-11-24.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from agent.reasoning.models.think import Mode

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


_R1_0528, _R1 = "deepseek-ai/DeepSeek-R1-0528", "deepseek-r1"
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
    EndpointProfile("ollama", "http://localhost:11434/v1", "", _R1, ("ollama", "ollama.com"), 11434),
    EndpointProfile("vllm", "http://localhost:8000/v1", "", _R1_0528, ("vllm",), 8000),
    EndpointProfile("sglang", "http://localhost:30000/v1", "", _R1_0528, ("sglang",), 30000),
    EndpointProfile("llama.cpp", "http://localhost:8080/v1", "", _R1, ("llama.cpp", "llama-cpp"), 8080),
    EndpointProfile("lmstudio", "http://localhost:1234/v1", "", _R1, ("lmstudio",), 1234),
    EndpointProfile("litellm", "http://localhost:4000/v1", "", _R1, ("litellm",), 4000),
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
