"""What there is to think with: the models that are configured, those on this machine, and keys in the environment.

Asks local servers, and the configured ones where they are local; sends no question to a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from agent.casting import Cast, RoleName, cast
from agent.discovery import Nearby, discovered, is_r1, keys_found, nearby, usual_servers
from agent.doctor.finding import Machine
from agent.doctor.servers import SECONDS, server_of
from agent.errors import AgentError
from agent.offers import NoList, Offer, Server, Window, window
from agent.probe import all_at_once
from agent.reasoning.models.endpoints import EndpointProfile
from agent.reasoning.models.prices import Price, price_of
from agent.reasoning.models.profiles import Profile
from agent.settings import EXTRACTIVE, Settings
from agent.text.urls import is_local_host

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
        return tuple(_role(each, now) for each in cast(found.settings).values()), found.why
    except AgentError as e:
        return (), str(e)


def _role(role: Cast, now: datetime) -> RoleFound:
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


def _window(role: Cast) -> Window:
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
