"""Settings → roles: which model is the reasoner, the writer, the fast one, how each is driven, and what it may cost.

Knows the settings and the model layer; opens clients for one run.  Beside `wiring`, which puts the roles to work.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import SecretStr

from agent.errors import SettingsError
from agent.settings import EXTRACTIVE, Settings
from agent.types import Limits

if TYPE_CHECKING:
    from agent.reasoning.models.failures import Endpoint
    from agent.reasoning.models.profiles import Profile
    from agent.reasoning.roles import Role, Roles

RoleName = Literal["reasoner", "writer", "fast"]
_VARIABLES: dict[RoleName, str] = {"reasoner": "AGENT", "writer": "AGENT_WRITER", "fast": "AGENT_FAST"}
_OWN_WINDOW = ("ollama", "llama.cpp", "lmstudio", "vllm", "sglang")  # servers whose owner sets the window
_WINDOW_SECONDS = 0.5
_SMALLEST_WINDOW = 2_048  # tokens: a smaller one is a mistake of whoever told it, or no use
_REPLY_SHARE = 0.5  # of a context that the evidence may take at most; the rest is for the prompt's words and the reply


@dataclass(frozen=True)
class Cast:
    """One role as it is configured."""

    name: RoleName
    model: str
    base_url: str
    api_key: SecretStr | None
    profile: Profile

    @property
    def endpoint(self) -> Endpoint:
        from agent.reasoning.models.failures import Endpoint

        prefix = _VARIABLES[self.name]
        return Endpoint(self.model, self.base_url, f"{prefix}_API_KEY", f"{prefix}_BASE_URL", f"{prefix}_MODEL")


def cast(settings: Settings) -> dict[RoleName, Cast]:
    """The roles that have a model at an endpoint: none of them for the built-in reasoner.

    Raises `SettingsError`, and `ModelRefused` for a model that is no more.
    """
    found = {}
    for name in _VARIABLES:
        if one := _role(settings, name):
            found[name] = one
    return found


def _role(settings: Settings, name: RoleName) -> Cast | None:
    from agent.reasoning.models.profiles import profile_for

    prefix = "" if name == "reasoner" else f"{name}_"
    model = getattr(settings, f"{prefix}model")
    if model in (None, EXTRACTIVE):
        return None
    base_url = getattr(settings, f"{prefix}base_url") or settings.base_url
    if base_url is None:
        raise SettingsError(f"the {name} {model!r} needs an endpoint: set {_VARIABLES[name]}_BASE_URL")
    key = getattr(settings, f"{prefix}api_key") or (settings.api_key if base_url == settings.base_url else None)
    profile = profile_for(base_url, model, settings.profile if name == "reasoner" else _beside(settings, base_url))
    return Cast(name, model, base_url, key, profile)


def _beside(settings: Settings, base_url: str) -> str | None:
    """The reasoner's profile for another model at the same address: its endpoint's part, and not that of a family."""
    from agent.reasoning.models.endpoints import endpoint_named

    parts = (settings.profile or "").split("/") if base_url == settings.base_url else []
    return next((part for part in parts if endpoint_named(part)), None)


def measured(roles: dict[RoleName, Cast]) -> dict[RoleName, Cast]:
    """The roles with the context that servers of one's own were started with, where they say so.

    Blocks for `_WINDOW_SECONDS` at most for each such role; a server that is well answers in some milliseconds.
    """
    return {name: _measured(one) for name, one in roles.items()}


def _measured(one: Cast) -> Cast:
    from agent.offers import Server, window
    from agent.reasoning.models.profiles import fitted

    if one.profile.name not in _OWN_WINDOW:
        return one
    key = one.api_key.get_secret_value() if one.api_key else ""
    try:
        given = window(Server(one.profile.name, "", one.base_url, key), one.model, seconds=_WINDOW_SECONDS).given
    except OSError:  # it does not answer now: the run will say so where it matters
        return one
    return replace(one, profile=fitted(one.profile, given)) if given and given >= _SMALLEST_WINDOW else one


def check_prices(
    settings: Settings, roles: dict[RoleName, Cast], brought: Mapping[RoleName, Any] | None = None
) -> None:
    """Raises `SettingsError` where a limit in dollars could not be kept.  `brought`: as `open_roles` takes it."""
    if settings.max_usd is None:
        return
    mine = {name: role for name, model in (brought or {}).items() if (role := _brought(model))}
    others: list[Cast | Role] = [one for name, one in roles.items() if name not in mine]
    for profile, endpoint in [(one.profile, one.endpoint) for one in [*others, *mine.values()]]:
        if not _is_priced(profile, endpoint.model):
            raise SettingsError(
                f"AGENT_MAX_USD={settings.max_usd:g} cannot be kept: no price is known for {endpoint.model!r} at "
                f"{endpoint.host}; use AGENT_MAX_TOTAL_TOKENS (--max-total-tokens)"
            )


def _is_priced(profile: Profile | None, model: str) -> bool:
    from agent.reasoning.models.prices import price_of

    if profile is None:
        return False
    return profile.reports_cost or price_of(profile.name, model, datetime.now(UTC)) is not None


def fitting(limits: Limits, roles: dict[RoleName, Cast]) -> Limits:
    """The limits with no more evidence than the smallest context of those who read it has room for."""
    windows = [one.profile.context_tokens for name, one in roles.items() if name != "fast"]
    rooms = [int(window * _REPLY_SHARE) for window in windows if window]
    return replace(limits, evidence_tokens=min([limits.evidence_tokens, *rooms]))


async def open_roles(
    roles: dict[RoleName, Cast], stack: AsyncExitStack, brought: Mapping[RoleName, Any], *, pass_thinking: bool
) -> Roles:
    """Chat models for one run, closed with `stack`.  `brought`: the caller's own chat models, by role."""
    from agent.reasoning.roles import Roles

    found = {name: await _open(name, roles.get(name), brought.get(name), stack) for name in _VARIABLES}
    reasoner = found["reasoner"]
    assert reasoner, "a run with roles has a reasoner"
    return Roles(reasoner, found["writer"], found["fast"], pass_thinking)


async def _open(name: str, one: Cast | None, mine: Any, stack: AsyncExitStack) -> Role | None:
    from agent.reasoning.models import open_chat_model
    from agent.reasoning.roles import Role

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
    from agent.reasoning.models.failures import Endpoint
    from agent.reasoning.models.profiles import Profile
    from agent.reasoning.roles import Role

    if not hasattr(mine, "astream"):
        return None
    told = getattr(mine, "model_name", None) or getattr(mine, "model", None)
    profile, url = getattr(mine, "endpoint_profile", None), getattr(mine, "openai_api_base", None)
    endpoint = Endpoint(told if isinstance(told, str) else type(mine).__name__, url if isinstance(url, str) else "")
    return Role(mine, endpoint, profile if isinstance(profile, Profile) else None)
