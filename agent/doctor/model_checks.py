"""Checks the model endpoints: reachable, the model there, its window, its role."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from agent.doctor.diagnosis_item import DiagnosisItem, Machine
from agent.errors import AgentError, ModelError, ModelOverloaded, ModelRefused, ModelUnreachable, ReplyUnusable
from agent.http_probe import all_at_once, ask
from agent.reasoning.models.model_errors import model_error
from agent.reasoning.models.model_profiles import EndpointProfile, Price, Profile, price_of
from agent.settings import EXTRACTIVE, Settings
from agent.text.urls import host, is_local_host
from agent.wiring.model_discovery import TITLES, Nearby, discovered, is_r1, keys_found, nearby, usual_servers
from agent.wiring.model_setup import (
    OLLAMA,
    NoList,
    Offer,
    RoleConfig,
    RoleName,
    Server,
    Window,
    offers,
    role_configs,
    same_model,
    window,
)

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk


# ------------------------------------------------------------------------------------------ faults

# Why a model did not answer, and what to do: told from the error, and from what the address does answer.
#
# Blocks for some seconds: it asks the endpoint, and nobody else, for its models.

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


def fault(role: RoleConfig, error: Exception, machine: Machine) -> DiagnosisItem:
    """`error`: what the model's client raised.  No text holds a key."""
    if isinstance(error, TimeoutError):
        return DiagnosisItem(
            role.name, "problem", f"{role.endpoint.host} accepts the request, but nothing comes", _LOADING
        )
    ours = model_error(error, role.endpoint)
    told = str(ours)
    if getattr(error, "status_code", None) == _KEY_STATUSES[0] and role.api_key is None:
        told = f"{role.endpoint.host} wants a key (401), and none is set"
    return DiagnosisItem(role.name, "problem", told, _mend(role, error, ours, machine))


def _mend(role: RoleConfig, error: Exception, ours: ModelError, machine: Machine) -> str:
    if isinstance(ours, ModelUnreachable):
        return _unreachable(role, machine)
    if isinstance(ours, ModelOverloaded):
        return _LOADING
    if getattr(error, "status_code", None) in _KEY_STATUSES:
        return f"set {role.endpoint.key_variable} to a key of {role.endpoint.host}; in .env it needs no quotation marks"
    return _other_address_or_model(role) if isinstance(ours, ModelRefused) else ""


def _unreachable(role: RoleConfig, machine: Machine) -> str:
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


def _other_address_or_model(role: RoleConfig) -> str:
    look, at = _look(role), role.endpoint
    mends = [f"set {at.url_variable} to {look.better}"] if look.better else []
    if look.names and not any(same_model(role.model, name) for name in look.names):
        more = ", …" if len(look.names) > _SHOWN else ""
        mends.append(f"set {at.model_variable} to one of {', '.join(look.names[:_SHOWN])}{more}")
    server = server_of(role)
    if server.kind == OLLAMA and not look.better:
        mends.insert(0, f"ollama pull {role.model}")
    return ", or ".join(mends) if not look.better else " and ".join(mends)


def _look(role: RoleConfig) -> _Look:
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


# ------------------------------------------------------------------------------------------ roles

# One tiny request to the model of a role, asked as a run would ask it.
#
# Knows what counts as an answer; why there was none is found out by `agent.doctor.model_checks`, and how much text the
# model takes by `agent.doctor.model_checks`.

QUESTION = "Reply with the one word: yes"
REASONING = "reasoning_content"  # where `ChatR1` puts thinking
REPLY_TOKENS = 300  # some hundredths of a cent where R1 is dearest
ANSWER_SECONDS = 30.0  # until something comes: a server may load 20 GB first
THINK_SECONDS = 8.0  # more for the answer itself; who thinks for longer is well, too


@dataclass(slots=True)
class _Heard:
    """What came of the one request."""

    first_s: float | None = None  # until the first word of thinking or answer
    reasoning: bool = False
    text: bool = False


async def asked(
    role: RoleConfig, evidence_tokens: int, machine: Machine, *, seconds: float = ANSWER_SECONDS
) -> list[DiagnosisItem]:
    """Whether it answers within `seconds`, and whether it takes a prompt with that much evidence."""
    heard = _Heard()
    try:
        await _ask(role, heard, seconds)
    except Exception as e:  # noqa: BLE001 - each provider has errors of its own; `fault` tells them apart by name
        return [await asyncio.to_thread(fault, role, e, machine)]
    answered = DiagnosisItem(role.name, "ok", _told(role, heard))
    about_window = await asyncio.to_thread(window_found, role, evidence_tokens)
    note = DiagnosisItem(role.name, "weak", role.profile.note) if role.profile.note else None
    return [found for found in (answered, about_window, note) if found]


async def _ask(role: RoleConfig, heard: _Heard, seconds: float) -> None:
    """Raises what the model's client raises, `TimeoutError`, and `ReplyUnusable` for a reply in which nothing is."""
    await asyncio.to_thread(import_module, "agent.reasoning.models.chat_r1")  # LangChain's package takes a second
    from agent.reasoning.models import open_chat_model

    try:
        async with (
            asyncio.timeout(seconds) as limit,
            open_chat_model(
                model=role.model, base_url=role.base_url, api_key=role.api_key, profile=role.profile
            ) as model,
            aclosing(cast("Any", model.astream(QUESTION, max_tokens=REPLY_TOKENS, effort="low"))) as chunks,
        ):
            await _listen(chunks, heard, limit)
    except TimeoutError:
        if heard.first_s is None:
            raise
    if heard.first_s is None:
        raise ReplyUnusable(f"{role.endpoint.host} replied to {role.model!r} with nothing: no thinking and no answer")


async def _listen(chunks: AsyncIterator[AIMessageChunk], heard: _Heard, limit: asyncio.Timeout) -> None:
    """Until a word of the answer came; once it thinks, for some seconds more."""
    began = time.monotonic()
    async for chunk in chunks:
        heard.reasoning |= bool(chunk.additional_kwargs.get(REASONING))
        heard.text |= bool(str(chunk.text).strip())
        if heard.first_s is None and (heard.reasoning or heard.text):
            heard.first_s = time.monotonic() - began
            limit.reschedule(asyncio.get_running_loop().time() + THINK_SECONDS)
        if heard.text:
            return


def _told(role: RoleConfig, heard: _Heard) -> str:
    how = "thinks and answers" if heard.reasoning and heard.text else "thinks" if heard.reasoning else "answers"
    unseen = ", without showing that it thinks" if role.profile.reasons and not heard.reasoning else ""
    return f"{role.model} at {role.endpoint.host} {how}{unseen}; its first word came after {heard.first_s:.1f} s"


# ------------------------------------------------------------------------------------------ windows

# Whether a model on one's own server takes a prompt as long as the depth makes it.
#
# A server is started with a context window that is often far below the model's.  Most tell it before they are asked
# anything, and a run keeps to it; Ollama tells it only while the model is loaded, gives 4,096 tokens where there is
# little graphics memory, and cuts what is longer without a word.

_REPLY_SHARE = (
    2  # half of the window is for the question, the thinking and the answer, as in `agent.wiring.model_setup`
)
_FRAME_TOKENS = 1_500  # the prompt's own words around the evidence: 900 in English, somewhat more in Chinese
_LEAST_REPLY = 2_000  # tokens: R1 seldom thinks and answers in fewer
_MENDS = {
    "ollama": "start it with OLLAMA_CONTEXT_LENGTH={tokens} ollama serve",
    "llama.cpp": "start it with llama-server --ctx-size {tokens}",
    "vllm": "start it with vllm serve --max-model-len {tokens}",
    "sglang": "start it with --context-length {tokens}",
    "lmstudio": "load it with lms load --context-length {tokens}",
}


def window_found(role: RoleConfig, evidence_tokens: int) -> DiagnosisItem | None:
    """None where the server does not say, or is no local one.  Blocks."""
    server = server_of(role)
    if server.kind not in TITLES:
        return None
    try:
        given = window(server, role.model, seconds=SECONDS).given
    except OSError:
        return None
    if given is None:
        return None
    wanted = _REPLY_SHARE * evidence_tokens
    told = f"{server.title} gives {role.model} a context of {given:,} tokens"
    if given >= wanted:
        return DiagnosisItem(role.name, "ok", f"{told}: enough for {evidence_tokens:,} of evidence")
    mend = f"{_MENDS[server.kind].format(tokens=_rounded(wanted))}, or ask with a smaller --depth"
    if server.kind == OLLAMA:
        return _cut_off(role, given, evidence_tokens, told, mend)
    room = given // _REPLY_SHARE
    if room >= _FRAME_TOKENS + _LEAST_REPLY:
        fewer = f"{told}: questions are answered from {room:,} of evidence instead of {evidence_tokens:,}"
        return DiagnosisItem(role.name, "weak", fewer, mend)
    return DiagnosisItem(role.name, "problem", f"{told}: too few for evidence, thinking and an answer", mend)


def _cut_off(role: RoleConfig, given: int, evidence_tokens: int, told: str, mend: str) -> DiagnosisItem:
    if given >= evidence_tokens + _FRAME_TOKENS:
        short = f"{told}: with {evidence_tokens:,} of evidence, little is left for thinking and the answer"
        return DiagnosisItem(role.name, "weak", short, mend)
    how = f"the evidence alone is up to {evidence_tokens:,}: it would be cut off without a word"
    return DiagnosisItem(role.name, "problem", f"{told}, and {how}", mend)


def _rounded(tokens: int) -> int:
    """The next power of two, which is how people give it."""
    return max(8_192, 1 << (tokens - 1).bit_length())


# ------------------------------------------------------------------------------------------ inventory

# What there is to think with: the models that are configured, those on this machine, and keys in the environment.
#
# Asks local servers, and the configured ones where they are local; sends no question to a model.

_UNKNOWN = Window()
_WINDOWS = 20  # models whose context is asked for; nobody has pulled more R1s


@dataclass(frozen=True, slots=True)
class RoleFound:
    """`host` is empty for the built-in model, `window` without numbers where nobody says."""

    name: RoleName
    model: str
    host: str = ""
    local: bool = False
    profile: Profile | None = None
    window: Window = _UNKNOWN
    price: Price | None = None
    silent: bool = False  # a local endpoint that does not answer


@dataclass(frozen=True, slots=True)
class Local:
    """One model on this machine."""

    offer: Offer
    is_r1: bool
    window: Window


@dataclass(frozen=True, slots=True)
class Inventory:
    roles: tuple[RoleFound, ...]
    why: str  # the reasoner is this one; or why there is none
    answering: tuple[tuple[Server, tuple[Local, ...]], ...]
    silent: tuple[Server, ...]
    keys: tuple[EndpointProfile, ...]


def inventory(settings: Settings, machine: Machine, now: datetime) -> Inventory:
    """Blocks for a few seconds at most, but where an endpoint without a model is configured.  `now` dates the prices.

    What is configured wrongly is told in `why`, and the rest is still found.
    """
    servers = usual_servers(machine.environ) if machine.servers is None else tuple(machine.servers)
    near = nearby(servers)
    roles, why = _roles(settings, machine, now)
    there = {each.server for each in near}
    return Inventory(
        roles=roles,
        why=why,
        answering=_with_windows(near),
        silent=tuple(server for server in servers if server not in there),
        keys=keys_found(machine.environ),
    )


def _roles(settings: Settings, machine: Machine, now: datetime) -> tuple[tuple[RoleFound, ...], str]:
    try:
        found = discovered(settings, machine.environ, servers=machine.servers)
        if found.settings.model == EXTRACTIVE:
            return (RoleFound("reasoner", EXTRACTIVE),), found.why
        return tuple(_role(each, now) for each in role_configs(found.settings).values()), found.why
    except AgentError as e:
        return (), str(e)


def _role(role: RoleConfig, now: datetime) -> RoleFound:
    local = is_local_host(role.base_url)
    asked = all_at_once([partial(_window, role)], seconds=2 * SECONDS)[0] if local else None
    return RoleFound(
        name=role.name,
        model=role.model,
        host=role.endpoint.host,
        local=local,
        profile=role.profile,
        window=asked if asked and asked != _UNKNOWN else Window(role.profile.context_tokens),
        price=price_of(role.profile.name, role.model, now),
        silent=local and asked is None,
    )


def _window(role: RoleConfig) -> Window:
    """Raises `OSError` where nothing answers."""
    try:
        return window(server_of(role), role.model, seconds=SECONDS)
    except NoList:
        return _UNKNOWN


def _with_windows(near: Sequence[Nearby]) -> tuple[tuple[Server, tuple[Local, ...]], ...]:
    r1s = [offer for each in near for offer in each.offers if is_r1(offer)][:_WINDOWS]
    calls = [partial(window, offer.server, offer.model, seconds=SECONDS) for offer in r1s]
    told = dict(zip(r1s, all_at_once(calls, seconds=SECONDS), strict=True))
    return tuple(
        (each.server, tuple(Local(o, is_r1(o), told.get(o) or Window(o.tokens)) for o in each.offers)) for each in near
    )


# ------------------------------------------------------------------------------------------ servers

# Which kind of server a role's endpoint is, as far as its own interface tells.  Blocks for some seconds at most.

SECONDS = 3.0  # for one question about models; servers answer in some milliseconds


def server_of(role: RoleConfig) -> Server:
    """By its profile; an Ollama at another port than its own is known by what it answers."""
    kind, key = role.profile.name, role.api_key.get_secret_value() if role.api_key else ""
    server = Server(kind, TITLES.get(kind, ""), role.base_url, key)
    if kind in TITLES or not is_local_host(role.base_url):
        return server
    with suppress(OSError):
        told = ask(f"{server.root}/api/version", seconds=SECONDS).json
        if isinstance(told, dict) and "version" in told:
            return Server(OLLAMA, TITLES[OLLAMA], role.base_url, key)
    return server
