"""Why a model did not answer, and what to do: told from the error, and from what the address does answer.

Blocks for some seconds: it asks the endpoint, and nobody else, for its models.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from agent.casting import Cast
from agent.doctor.finding import Finding, Machine
from agent.doctor.servers import SECONDS, server_of
from agent.errors import ModelError, ModelOverloaded, ModelRefused, ModelUnreachable
from agent.offers import OLLAMA, Server, offers, same_model
from agent.probe import all_at_once
from agent.reasoning.models.failures import model_error
from agent.text.urls import host, is_local_host

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SHOWN = 5  # names of models
_CONTAINER = (
    "in a container, localhost is the container itself: a server on the host is at "
    "http://host.docker.internal:{port}/v1, one beside it at its service's name, such as http://ollama:11434/v1"
)
_HOST_OF_CONTAINER = (
    "on Linux a plain `docker run` needs --add-host host.docker.internal:host-gateway, and the server on the host must "
    "listen on more than 127.0.0.1 (OLLAMA_HOST=0.0.0.0)"
)
_START = {
    "ollama": "start it: ollama serve",
    "vllm": "start it: vllm serve {model}",
    "llama.cpp": "start it: llama-server -m FILE",
    "lmstudio": "start it: lms server start",
    "sglang": "start it: python -m sglang.launch_server --model-path {model}",
}
NETWORK = "look whether this machine reaches the internet; behind a proxy, set HTTPS_PROXY"
_LOADING = "it may still be loading the model, or be busy: try again in a minute"
_KEY_STATUSES = (401, 403)


@dataclass(frozen=True, slots=True)
class _Look:
    """What the address offers, or the one that would be right."""

    names: tuple[str, ...]
    better: str  # empty: the address is right, or nothing better answers


def fault(role: Cast, error: Exception, machine: Machine) -> Finding:
    """`error`: what the model's client raised.  No text holds a key."""
    if isinstance(error, TimeoutError):
        return Finding(role.name, "problem", f"{role.endpoint.host} accepts the request, but nothing comes", _LOADING)
    ours = model_error(error, role.endpoint)
    told = str(ours)
    if getattr(error, "status_code", None) == _KEY_STATUSES[0] and role.api_key is None:
        told = f"{role.endpoint.host} wants a key (401), and none is set"
    return Finding(role.name, "problem", told, _mend(role, error, ours, machine))


def _mend(role: Cast, error: Exception, ours: ModelError, machine: Machine) -> str:
    if isinstance(ours, ModelUnreachable):
        return _unreachable(role, machine)
    if isinstance(ours, ModelOverloaded):
        return _LOADING
    if getattr(error, "status_code", None) in _KEY_STATUSES:
        return f"set {role.endpoint.key_variable} to a key of {role.endpoint.host}; in .env it needs no quotation marks"
    return _other_address_or_model(role) if isinstance(ours, ModelRefused) else ""


def _unreachable(role: Cast, machine: Machine) -> str:
    if mend := nobody_there(role.base_url, machine):
        return mend
    if role.profile.name in _START and is_local_host(role.base_url):
        return _START[role.profile.name].format(model=role.model)
    return "" if is_local_host(role.base_url) else NETWORK


def nobody_there(url: str, machine: Machine) -> str:
    """What containers have to do with it; "" where they have nothing."""
    if machine.in_container and host(url) in LOOPBACK:
        return _CONTAINER.format(port=urlsplit(url).port or 80)
    return _HOST_OF_CONTAINER if host(url) == "host.docker.internal" else ""


def _other_address_or_model(role: Cast) -> str:
    look, at = _look(role), role.endpoint
    mends = [f"set {at.url_variable} to {look.better}"] if look.better else []
    if look.names and not any(same_model(role.model, name) for name in look.names):
        more = ", …" if len(look.names) > _SHOWN else ""
        mends.append(f"set {at.model_variable} to one of {', '.join(look.names[:_SHOWN])}{more}")
    server = server_of(role)
    if server.kind == OLLAMA and not look.better:
        mends.insert(0, f"ollama pull {role.model}")
    return ", or ".join(mends) if not look.better else " and ".join(mends)


def _look(role: Cast) -> _Look:
    key = role.api_key.get_secret_value() if role.api_key else ""
    urls = [role.base_url, *_alike(role.base_url)]
    calls = [partial(offers, Server("", "", url, key), seconds=SECONDS) for url in urls]
    lists = all_at_once(calls, seconds=SECONDS)
    right = next((i for i, told in enumerate(lists) if told is not None), None)
    if right is None:
        return _Look((), "")
    return _Look(tuple(offer.model for offer in lists[right] or ()), urls[right] if right else "")


def _alike(url: str) -> list[str]:
    """Addresses at the same host that people mean when they give this one."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    meant = [url.removesuffix("/completions").removesuffix("/chat"), f"{url}/v1", f"{origin}/v1", f"{origin}/api/v1"]
    return [other for other in dict.fromkeys(meant) if other != url]
