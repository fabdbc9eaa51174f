"""Builds the model clients of each role, and the embedder, from the settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

from pydantic import SecretStr

from agent.errors import SettingsError
from agent.http_probe import ask
from agent.settings import EXTRACTIVE, Settings
from agent.types import Limits

if TYPE_CHECKING:
    from agent.library.chroma_store import ChromaServer
    from agent.library.embedder import Embedder
    from agent.reasoning.call_stream import Role, Roles
    from agent.reasoning.models.model_errors import Endpoint
    from agent.reasoning.models.model_profiles import Profile


# ------------------------------------------------------------------------------------------ casting

# Settings → roles: which model is the reasoner, the writer, the fast one, how each is driven, and what it may cost.
#
# Knows the settings and the model layer; opens clients for one run.  Beside `wiring`, which puts the roles to work.

RoleName = Literal["reasoner", "writer", "fast"]
_VARIABLES: dict[RoleName, str] = {"reasoner": "AGENT", "writer": "AGENT_WRITER", "fast": "AGENT_FAST"}
_OWN_WINDOW = ("ollama", "llama.cpp", "lmstudio", "vllm", "sglang")  # servers whose owner sets the window
_WINDOW_SECONDS = 0.5
_SMALLEST_WINDOW = 2_048  # tokens: a smaller one is a mistake of whoever told it, or no use
_REPLY_SHARE = 0.5  # of a context that the evidence may take at most; the rest is for the prompt's words and the reply


@dataclass(frozen=True)
class RoleConfig:
    """One role as it is configured."""

    name: RoleName
    model: str
    base_url: str
    api_key: SecretStr | None
    profile: Profile

    @property
    def endpoint(self) -> Endpoint:
        from agent.reasoning.models.model_errors import Endpoint

        prefix = _VARIABLES[self.name]
        return Endpoint(self.model, self.base_url, f"{prefix}_API_KEY", f"{prefix}_BASE_URL", f"{prefix}_MODEL")


def role_configs(settings: Settings) -> dict[RoleName, RoleConfig]:
    """The roles that have a model at an endpoint: none of them for the built-in reasoner.

    Raises `SettingsError`, and `ModelRefused` for a model that is no more.
    """
    found = {}
    for name in _VARIABLES:
        if one := _role(settings, name):
            found[name] = one
    return found


def _role(settings: Settings, name: RoleName) -> RoleConfig | None:
    from agent.reasoning.models.model_profiles import profile_for

    prefix = "" if name == "reasoner" else f"{name}_"
    model = getattr(settings, f"{prefix}model")
    if model in (None, EXTRACTIVE):
        return None
    base_url = getattr(settings, f"{prefix}base_url") or settings.base_url
    if base_url is None:
        raise SettingsError(f"the {name} {model!r} needs an endpoint: set {_VARIABLES[name]}_BASE_URL")
    key = getattr(settings, f"{prefix}api_key") or (settings.api_key if base_url == settings.base_url else None)
    profile = profile_for(base_url, model, settings.profile if name == "reasoner" else _beside(settings, base_url))
    return RoleConfig(name, model, base_url, key, profile)


def _beside(settings: Settings, base_url: str) -> str | None:
    """The reasoner's profile for another model at the same address: its endpoint's part, and not that of a family."""
    from agent.reasoning.models.model_profiles import endpoint_named

    parts = (settings.profile or "").split("/") if base_url == settings.base_url else []
    return next((part for part in parts if endpoint_named(part)), None)


def measured(roles: dict[RoleName, RoleConfig]) -> dict[RoleName, RoleConfig]:
    """The roles with the context that servers of one's own were started with, where they say so.

    Blocks for `_WINDOW_SECONDS` at most for each such role; a server that is well answers in some milliseconds.
    """
    return {name: _measured(one) for name, one in roles.items()}


def _measured(one: RoleConfig) -> RoleConfig:
    from agent.reasoning.models.model_profiles import fitted

    if one.profile.name not in _OWN_WINDOW:
        return one
    key = one.api_key.get_secret_value() if one.api_key else ""
    try:
        given = window(Server(one.profile.name, "", one.base_url, key), one.model, seconds=_WINDOW_SECONDS).given
    except OSError:  # it does not answer now: the run will say so where it matters
        return one
    return replace(one, profile=fitted(one.profile, given)) if given and given >= _SMALLEST_WINDOW else one


def check_prices(
    settings: Settings, roles: dict[RoleName, RoleConfig], brought: Mapping[RoleName, Any] | None = None
) -> None:
    """Raises `SettingsError` where a limit in dollars could not be kept.  `brought`: as `open_roles` takes it."""
    if settings.max_usd is None:
        return
    mine = {name: role for name, model in (brought or {}).items() if (role := _brought(model))}
    others: list[RoleConfig | Role] = [one for name, one in roles.items() if name not in mine]
    for profile, endpoint in [(one.profile, one.endpoint) for one in [*others, *mine.values()]]:
        if not _is_priced(profile, endpoint.model):
            raise SettingsError(
                f"AGENT_MAX_USD={settings.max_usd:g} cannot be kept: no price is known for {endpoint.model!r} at "
                f"{endpoint.host}; use AGENT_MAX_TOTAL_TOKENS (--max-total-tokens)"
            )


def _is_priced(profile: Profile | None, model: str) -> bool:
    from agent.reasoning.models.model_profiles import price_of

    if profile is None:
        return False
    return profile.reports_cost or price_of(profile.name, model, datetime.now(UTC)) is not None


def fitting(limits: Limits, roles: dict[RoleName, RoleConfig]) -> Limits:
    """The limits with no more evidence than the smallest context of those who read it has room for."""
    windows = [one.profile.context_tokens for name, one in roles.items() if name != "fast"]
    rooms = [int(window * _REPLY_SHARE) for window in windows if window]
    return replace(limits, evidence_tokens=min([limits.evidence_tokens, *rooms]))


async def open_roles(
    roles: dict[RoleName, RoleConfig], stack: AsyncExitStack, brought: Mapping[RoleName, Any], *, pass_thinking: bool
) -> Roles:
    """Chat models for one run, closed with `stack`.  `brought`: the caller's own chat models, by role."""
    from agent.reasoning.call_stream import Roles

    found = {name: await _open(name, roles.get(name), brought.get(name), stack) for name in _VARIABLES}
    reasoner = found["reasoner"]
    assert reasoner, "a run with roles has a reasoner"
    return Roles(reasoner, found["writer"], found["fast"], pass_thinking)


async def _open(name: str, one: RoleConfig | None, mine: Any, stack: AsyncExitStack) -> Role | None:
    from agent.reasoning.call_stream import Role
    from agent.reasoning.models import open_chat_model

    if mine is not None:
        return _brought(mine)
    if one is None:
        return None
    chat = await stack.enter_async_context(
        open_chat_model(model=one.model, base_url=one.base_url, api_key=one.api_key, profile=one.profile)
    )
    return Role(chat, one.endpoint, one.profile)


def _brought(mine: Any) -> Role | None:
    """The caller's own chat model; a `ChatR1` knows where it is and how it is driven.  None for what is no model."""
    from agent.reasoning.call_stream import Role
    from agent.reasoning.models.model_errors import Endpoint
    from agent.reasoning.models.model_profiles import Profile

    if not hasattr(mine, "astream"):
        return None
    told = getattr(mine, "model_name", None) or getattr(mine, "model", None)
    profile, url = getattr(mine, "endpoint_profile", None), getattr(mine, "openai_api_base", None)
    endpoint = Endpoint(told if isinstance(told, str) else type(mine).__name__, url if isinstance(url, str) else "")
    return Role(mine, endpoint, profile if isinstance(profile, Profile) else None)


# ------------------------------------------------------------------------------------------ embedding

# Settings → the embedder, and the server that its vectors are indexed on.
#
# Knows which ones the settings mean; does not know what they are used for.


def embedder_of(settings: Settings) -> Embedder | None:
    """The endpoint's where a model is named, else the built-in one, which is None until it is set up."""
    if settings.embeddings_model is None:
        from agent.library.minilm import installed

        return installed(settings.cache_home)
    from agent.library.embedding_endpoint import OLLAMA, EmbeddingsEndpoint, EndpointEmbedder

    url = settings.embeddings_base_url or OLLAMA
    return EndpointEmbedder(EmbeddingsEndpoint(settings.embeddings_model, url, _key(settings, url)))


def _key(settings: Settings, url: str) -> str:
    """Its own; the reasoner's goes nowhere but to the reasoner's endpoint."""
    if settings.embeddings_api_key:
        return settings.embeddings_api_key.get_secret_value()
    return settings.api_key.get_secret_value() if url == settings.base_url and settings.api_key else ""


def chroma_server_of(settings: Settings) -> ChromaServer | None:
    """None: the embedded Chroma."""
    if settings.chroma_url is None:
        return None
    from agent.library.chroma_store import ChromaServer

    return ChromaServer(
        settings.chroma_url, settings.chroma_api_key.get_secret_value() if settings.chroma_api_key else ""
    )


# ------------------------------------------------------------------------------------------ offers

# What model servers offer: which models, how large, and how much text each takes.
#
# Knows the questions that Ollama, llama.cpp, LM Studio and every OpenAI-compatible server answer (the sources of each
# field stand beside it).  Does not know which model is wanted, where keys come from, or what a user is told.

OLLAMA: Final = "ollama"
LLAMA_CPP: Final = "llama.cpp"
LM_STUDIO: Final = "lmstudio"
_NUM_CTX = re.compile(r"^\s*num_ctx\s+(\d+)", re.MULTILINE)
_LONGEST_NAME = 300  # characters; a longer one is no model's name
_MOST_MODELS = 2_000  # of one server; OpenRouter has some 350


@dataclass(frozen=True, slots=True)
class Server:
    """A place that speaks OpenAI's protocol."""

    kind: str  # the name of its endpoint profile
    title: str  # as people call it
    url: str  # with /v1
    key: str = field(default="", repr=False)

    @property
    def root(self) -> str:
        """Where its own interface begins."""
        return self.url.removesuffix("/v1")


@dataclass(frozen=True, slots=True)
class Offer:
    """One model on one server."""

    server: Server
    model: str
    bytes: int | None = None  # on its disk
    parameters: str = ""  # "32.8B", as the server says it
    tokens: int | None = None  # that it takes, where the list of models says so


@dataclass(frozen=True, slots=True)
class Window:
    """How many tokens of prompt, thinking and answer a model takes; None where the server does not say."""

    given: int | None = None  # as it is served now
    most: int | None = None  # as it could be


class NoList(OSError):
    """Something answers, but not with a list of models; `status` is its own."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(f"{url} answers {status} without a list of models")
        self.status = status


def offers(server: Server, *, seconds: float) -> tuple[Offer, ...]:
    """The models in the server's own order.  Raises `OSError` where nothing answers, `NoList` where no list comes."""
    if server.kind == OLLAMA:
        return tuple(_pulled(server, seconds))
    return tuple(_listed(server, seconds))


def window(server: Server, model: str, *, seconds: float) -> Window:
    """How much text the model takes.  Raises `OSError`."""
    if server.kind == OLLAMA:
        return _ollama_window(server, model, seconds)
    if server.kind == LLAMA_CPP:
        told = ask(f"{server.root}/props", seconds=seconds, key=server.key).json
        return Window(_count(told, "default_generation_settings", "n_ctx"))
    if server.kind == LM_STUDIO:
        told = ask(f"{server.root}/api/v0/models/{quote(model)}", seconds=seconds, key=server.key).json
        return Window(_count(told, "loaded_context_length"), _count(told, "max_context_length"))
    given = (offer.tokens for offer in offers(server, seconds=seconds) if offer.model == model)
    return Window(next(given, None))


def same_model(one: str, other: str) -> bool:
    """Ollama's names mean the tag `latest` where they have none, and do not tell capitals from small letters."""
    return _tagged(one) == _tagged(other)


def _tagged(name: str) -> str:
    return name.lower() if ":" in name else f"{name.lower()}:latest"


# ------------------------------------------------------------------------------------------------- the servers


def _listed(server: Server, seconds: float) -> Iterator[Offer]:
    """`GET /v1/models`, with the length that vLLM, SGLang (`max_model_len`) and OpenRouter (`context_length`) add."""
    for row in _rows(server, f"{server.url}/models", "data", seconds):
        if name := _name(row, "id"):
            yield Offer(server, name, tokens=_count(row, "max_model_len") or _count(row, "context_length"))


def _pulled(server: Server, seconds: float) -> Iterator[Offer]:
    """Ollama's `GET /api/tags`, without the models that it only passes on to its makers' paid service."""
    for row in _rows(server, f"{server.root}/api/tags", "models", seconds):
        name = _name(row, "name")
        if name and not row.get("remote_host") and not row.get("remote_model"):
            size = _at(row, "details", "parameter_size")
            yield Offer(server, name, _count(row, "size"), size[:20] if isinstance(size, str) else "")


def _ollama_window(server: Server, model: str, seconds: float) -> Window:
    """What a loaded model was given stands in `/api/ps`; else its Modelfile may say, in `/api/show`.

    Where neither does, Ollama decides when it loads the model: 4,096 tokens below 24 GiB of graphics memory.
    """
    shown = ask(f"{server.root}/api/show", seconds=seconds, key=server.key, question={"model": model}).json
    set_to = _NUM_CTX.search(str(_at(shown, "parameters") or ""))
    about = _at(shown, "model_info")
    names = [name for name in about if str(name).endswith(".context_length")] if isinstance(about, dict) else []
    most = _count(about, names[0]) if names else None
    running = ask(f"{server.root}/api/ps", seconds=seconds, key=server.key).json
    for row in _dicts(_at(running, "models")):
        if same_model(_name(row, "name"), model) and (given := _count(row, "context_length")):
            return Window(given, most)
    return Window(int(set_to[1]) if set_to else None, most)


# ------------------------------------------------------------------------------------------------- inside a reply


def _rows(server: Server, url: str, field: str, seconds: float) -> list[Mapping[str, object]]:
    reply = ask(url, seconds=seconds, key=server.key)
    found = _at(reply.json, field)
    if reply.status != 200 or not isinstance(found, list):
        raise NoList(url, reply.status)
    return _dicts(found)[:_MOST_MODELS]


def _dicts(found: object) -> list[Mapping[str, object]]:
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _at(value: object, *path: str) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _name(row: object, field: str) -> str:
    """A name that could stand in a request and on a terminal; else ""."""
    found = _at(row, field)
    usable = isinstance(found, str) and 0 < len(found) <= _LONGEST_NAME and found.isprintable()
    return found if isinstance(found, str) and usable else ""


def _count(value: object, *path: str) -> int | None:
    found = _at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None
