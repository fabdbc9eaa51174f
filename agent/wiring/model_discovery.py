"""Which model answers where little or nothing is configured, and why this one.

Knows the order: what is configured; a server on this machine that offers an R1 or a distill, so that nothing is sent to
a paid service while a free one is there; keys in the environment; else the built-in reasoner.  Reads the variables that
providers name for their keys, and OLLAMA_HOST; every other variable is `agent.settings`'s.  Opens no client and keeps
nothing: settings in, settings out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from pydantic import SecretStr

from agent.errors import ModelRefused, ModelUnreachable, SettingsError
from agent.http_probe import all_at_once
from agent.reasoning.models.model_profiles import ENDPOINTS, EndpointProfile, endpoint_at, endpoint_named, family_of
from agent.settings import EXTRACTIVE, Settings
from agent.text.urls import host, is_local_host
from agent.wiring.model_setup import OLLAMA, NoList, Offer, Server, offers

LOCAL_SECONDS = 0.5  # for all servers of this machine together: every run without a model begins with it
LIST_SECONDS = 10.0  # for the models of an endpoint that the user named
TITLES = {"ollama": "Ollama", "vllm": "vLLM", "llama.cpp": "llama.cpp", "lmstudio": "LM Studio", "sglang": "SGLang"}
NONE = (
    "no model is configured; set AGENT_BASE_URL and AGENT_MODEL for R1, "
    "or run a local Ollama with `ollama pull deepseek-r1:8b`"
)
_CONFIGURED = "as configured"
_NO_R1_SHOWN = 5  # names of models, where none of them is an R1
_MICROSOFTS = "openai.azure.com"  # driven as OpenAI's own endpoint is, and no place for a key of OpenAI's


@dataclass(frozen=True, slots=True)
class DiscoveredModel:
    """`settings` name a model and its endpoint, or `extractive`; `why` is one clause for the first line on stderr."""

    settings: Settings
    why: str


@dataclass(frozen=True, slots=True)
class Nearby:
    """A server that answered, and what it offers."""

    server: Server
    offers: tuple[Offer, ...]


def discovered(
    settings: Settings, environ: Mapping[str, str] | None = None, *, servers: Sequence[Server] | None = None
) -> DiscoveredModel:
    """The settings with model, endpoint, key and profile in their places.

    `environ`: None is the process's own.  `servers`: those of this machine that are asked; None is `usual_servers`.
    Blocks: for `LOCAL_SECONDS` at most where nothing is configured, for `LIST_SECONDS` where an endpoint is and no
    model, else for no time.  Raises `SettingsError` where what is configured leads nowhere; `ModelUnreachable` and
    `ModelRefused` where an endpoint that has to be asked for its models does not answer, or wants another key.
    """
    variables = os.environ if environ is None else environ
    settings = _with_keys(settings, variables)
    if settings.model == EXTRACTIVE:
        return DiscoveredModel(settings, "as configured; no model is asked")
    if settings.base_url:
        named = _profile_endpoint(settings) or endpoint_at(settings.base_url)
        return _with_a_model(settings, named, settings.base_url)
    if endpoint := _profile_endpoint(settings):
        return _at_profile(settings, endpoint, variables)
    if settings.model:  # the profile names its family
        raise SettingsError(f"the model {settings.model!r} needs an endpoint: set AGENT_BASE_URL (--base-url)")
    near = nearby(usual_servers(variables) if servers is None else servers)
    found = _local(settings, near) or _keyed(settings, variables)
    return found or DiscoveredModel(settings.model_copy(update={"model": EXTRACTIVE}), _why_none(near))


def usual_servers(environ: Mapping[str, str] | None = None) -> tuple[Server, ...]:
    """Where model servers of this machine are found, in order of preference."""
    variables = os.environ if environ is None else environ
    there = {name: endpoint.base_url for name in TITLES if (endpoint := endpoint_named(name))}
    if moved := _ollama_host(variables.get("OLLAMA_HOST", "")):
        there["ollama"] = moved
    return tuple(Server(name, TITLES[name], url) for name, url in there.items())


def nearby(servers: Sequence[Server], *, seconds: float = LOCAL_SECONDS) -> tuple[Nearby, ...]:
    """Those of the servers that answer with a list of models, all asked at once and none with a key."""
    lists = all_at_once([partial(offers, server, seconds=seconds) for server in servers], seconds=seconds)
    return tuple(Nearby(server, told) for server, told in zip(servers, lists, strict=True) if told is not None)


def keys_found(environ: Mapping[str, str] | None = None) -> tuple[EndpointProfile, ...]:
    """The providers whose key is in the environment and that have a model for us, in order of preference."""
    variables = os.environ if environ is None else environ
    return tuple(e for e in ENDPOINTS if e.base_url and e.model and _key(e, variables))


def shown(url: str) -> str:
    """Host and port, for people: without a user's name, password or path."""
    return urlsplit(url).netloc.rpartition("@")[2]


# ------------------------------------------------------------------------------------------------- what is configured


def _profile_endpoint(settings: Settings) -> EndpointProfile | None:
    """The endpoint that the profile names; it may name a family of models only.  Raises `SettingsError`."""
    if not settings.profile:
        return None
    from agent.reasoning.models.model_profiles import profile_for

    profile_for("", "", settings.profile)  # raises for names that are none
    return next((found for part in settings.profile.split("/") if (found := endpoint_named(part))), None)


def _at_profile(settings: Settings, endpoint: EndpointProfile, variables: Mapping[str, str]) -> DiscoveredModel:
    """At the profile's own address, with its own key unless another one is set."""
    url = endpoint.base_url
    if endpoint.name == "ollama":
        url = _ollama_host(variables.get("OLLAMA_HOST", "")) or url
    if not url:
        raise SettingsError(f"the profile {settings.profile!r} has no address of its own: set AGENT_BASE_URL")
    key = settings.api_key or _key(endpoint, variables)
    if endpoint.key_variable and not key:
        raise SettingsError(
            f"the profile {settings.profile!r} needs a key: set {endpoint.key_variable} or AGENT_API_KEY"
        )
    model = settings.model or (endpoint.model if endpoint.key_variable else None)
    return _with_a_model(settings.model_copy(update={"base_url": url, "api_key": key, "model": model}), endpoint, url)


def _with_a_model(settings: Settings, endpoint: EndpointProfile, url: str) -> DiscoveredModel:
    """As configured, or with the best model that the endpoint offers."""
    if settings.model:
        return DiscoveredModel(settings, _CONFIGURED)
    model = _model_at(settings, endpoint, url)
    return DiscoveredModel(settings.model_copy(update={"model": model}), f"{shown(url)} offers {model}")


def _model_at(settings: Settings, endpoint: EndpointProfile, url: str) -> str:
    """An R1, the endpoint's usual model, or the only one there is."""
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    server = Server(endpoint.name, TITLES.get(endpoint.name, endpoint.name), url, key)
    try:
        there = offers(server, seconds=LIST_SECONDS)
    except NoList as e:
        if endpoint.key_variable and endpoint.model and e.status not in (401, 403):
            return endpoint.model
        raise _no_list(url, e.status) from e
    except OSError as e:
        raise ModelUnreachable(
            f"nothing answers at {shown(url)}: is the server running, and is AGENT_BASE_URL right?"
        ) from e
    names = [offer.model for offer in there]
    if endpoint.key_variable and endpoint.model in names:
        return endpoint.model
    if best := best_r1(there):
        return best.model
    if len(names) == 1:
        return names[0]
    told = ", ".join(names[:_NO_R1_SHOWN]) + (", …" if len(names) > _NO_R1_SHOWN else "") if names else "nothing"
    raise SettingsError(f"{shown(url)} offers no R1 ({told}): set AGENT_MODEL (--model) to what it shall use")


def _no_list(url: str, status: int) -> ModelRefused | SettingsError:
    if status in (401, 403):
        return ModelRefused(
            f"{shown(url)} does not accept the key ({status}): set AGENT_API_KEY to one of that endpoint"
        )
    return SettingsError(
        f"{shown(url)} does not list its models ({status}): set AGENT_MODEL (--model), "
        "and look whether AGENT_BASE_URL is right, which mostly ends in /v1"
    )


def _with_keys(settings: Settings, variables: Mapping[str, str]) -> Settings:
    """Each role without a key gets the one that its provider's own variable holds, for that provider's host only."""
    added: dict[str, SecretStr] = {}
    for role in ("", "writer_", "fast_"):
        url, key = getattr(settings, f"{role}base_url"), getattr(settings, f"{role}api_key")
        if url and key is None and (found := _key(_owner(url), variables)):
            added[f"{role}api_key"] = found
    return settings.model_copy(update=added) if added else settings


def _owner(url: str) -> EndpointProfile | None:
    """Whose host it is, beyond doubt: told by its name and not by a port, and asked over TLS."""
    name, endpoint = host(url), endpoint_at(url)
    its_own = endpoint.is_at(name) and not name.endswith(_MICROSOFTS)
    return endpoint if its_own and url.lower().startswith("https://") else None


def _key(endpoint: EndpointProfile | None, variables: Mapping[str, str]) -> SecretStr | None:
    found = variables.get(endpoint.key_variable, "").strip() if endpoint and endpoint.key_variable else ""
    return SecretStr(found) if found else None


# ------------------------------------------------------------------------------------------------- what is there

_FAMILIES = ("r1-zero", "r1-distill-llama", "r1-distill-qwen", "r1-0528-qwen3", "r1", "r1-0528")  # the last is the best
_WHOLE = 100.0  # billions of parameters: R1 has 671, the largest distill 70
_BILLIONS = re.compile(r"(\d+(?:\.\d+)?)\s?b(?![a-z])", re.IGNORECASE)


def best_r1(there: Sequence[Offer]) -> Offer | None:
    """R1-0528, R1, then distills by size; R1-Zero only where there is nothing else.  The first of equals."""
    return max(filter(is_r1, there), key=_rank, default=None)


def is_r1(offer: Offer) -> bool:
    return family_of(offer.model).name in _FAMILIES


def _rank(offer: Offer) -> tuple[int, float, int]:
    family = family_of(offer.model).name
    told = _BILLIONS.search(offer.parameters) or _BILLIONS.search(offer.model)
    billions = float(told[1]) if told else _WHOLE if family in ("r1", "r1-0528") else 0.0
    kind = 0 if family == "r1-zero" else 2 if billions >= _WHOLE and "distill" not in family else 1
    return kind, 0.0 if kind == 2 else billions, _FAMILIES.index(family)


def _local(settings: Settings, near: Sequence[Nearby]) -> DiscoveredModel | None:
    best = best_r1([offer for each in near for offer in each.offers])
    if best is None:
        return None
    server = best.server
    made = _taken(settings, server.kind, {"model": best.model, "base_url": server.url, "api_key": None})
    return DiscoveredModel(made, f"local {server.title} at {shown(server.url)} offers {best.model}")


def _keyed(settings: Settings, variables: Mapping[str, str]) -> DiscoveredModel | None:
    endpoint = next(iter(keys_found(variables)), None)
    if endpoint is None:
        return None
    place = {"model": endpoint.model, "base_url": endpoint.base_url, "api_key": _key(endpoint, variables)}
    return DiscoveredModel(_taken(settings, endpoint.name, place), f"{endpoint.key_variable} is set")


def _taken(settings: Settings, endpoint: str, place: Mapping[str, object]) -> Settings:
    """A family of models that the user has named beside it stays."""
    profile = f"{endpoint}/{settings.profile}" if settings.profile else endpoint
    return settings.model_copy(update={**place, "profile": profile})


def _why_none(near: Sequence[Nearby]) -> str:
    ollama = next((each.server for each in near if each.server.kind == OLLAMA), None)
    if ollama is None:
        return NONE
    where = shown(ollama.url)
    return f"no model is configured, and Ollama at {where} has no R1; `ollama pull deepseek-r1:8b` gets one"


def _ollama_host(value: str) -> str:
    """OLLAMA_HOST as Ollama's own client reads it: a host, a port, both, or a URL; "" where it does not help.

    An address to listen on stands for this machine.  One outside this machine and its network is left to
    AGENT_BASE_URL: what the user asks goes there only if they say so to us.
    """
    scheme, found, rest = value.strip().partition("://")
    if not found:
        scheme, rest = "http", value.strip()
    authority = rest.partition("/")[0]
    default = {"http": 80, "https": 443}.get(scheme, 11434) if found else 11434
    try:
        parts = urlsplit(f"//{authority}")
        name, port = parts.hostname or "localhost", parts.port or default
    except ValueError:
        return ""
    name = "localhost" if name in ("0.0.0.0", "::", "127.0.0.1", "::1") else name  # noqa: S104 - read, not bound
    url = f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}/v1"
    return url if authority and scheme in ("http", "https") and is_local_host(url) else ""
