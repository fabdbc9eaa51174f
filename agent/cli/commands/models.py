"""`models`: what is configured to think, what servers on this machine offer, and which keys are in the environment.

Knows how that looks on a screen and as JSON; what there is, `agent.doctor.model_checks` finds out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agent.cli.command_base import ANSWERED, FAILED, Parser, Start, prepare
from agent.text.safe_text import one_line

if TYPE_CHECKING:
    from agent.doctor.diagnosis_item import Machine
    from agent.doctor.model_checks import Inventory, Local, RoleFound
    from agent.reasoning.models.model_profiles import Price
    from agent.settings import Settings
    from agent.wiring.model_setup import Window

_SETTINGS = ("model", "base_url", "profile")
_INSTEAD = {"writer": "the reasoner writes", "fast": "whoever wrote mends what it wrote"}
_SHOWN = 12  # models of one server that are no R1


def run(words: Sequence[str], start: Start) -> int:
    parsed = _parser().parse_args(words)
    given = {name: getattr(parsed, name) for name in _SETTINGS if name in parsed}
    prepare()
    from agent.doctor.diagnosis_item import this_machine
    from agent.settings import Settings

    return show(Settings(**given), this_machine(), as_json=parsed.json)


def show(settings: Settings, machine: Machine, *, as_json: bool = False) -> int:
    """The exit status: 1 where what is configured names no model."""
    from datetime import UTC, datetime

    from agent.doctor.model_checks import inventory

    there = inventory(settings, machine, datetime.now(UTC))
    if as_json:
        print(json.dumps(_as_json(there), ensure_ascii=False, indent=2))
    else:
        print("\n".join(one_line_each(there)))
    return ANSWERED if there.roles else FAILED


def one_line_each(there: Inventory) -> list[str]:
    lines = [*_roles(there), "", "On this machine"]
    for server, models in there.answering:
        lines += [f"  {server.title}, {_place(server.url)}", *_models(models)]
    if there.silent:
        lines.append(f"  no answer: {', '.join(f'{server.title} ({_place(server.url)})' for server in there.silent)}")
    lines += ["", "Keys in the environment"]
    keys = [f"  {key.key_variable:<20} {key.model} at {_place(key.base_url)}" for key in there.keys]
    return [*lines, *(keys or ["  none of a provider with R1"])]


# ------------------------------------------------------------------------------------------------- roles


def _roles(there: Inventory) -> list[str]:
    if not there.roles:
        return [f"reasoner  none: {one_line(there.why)}"]
    named = {role.name: role for role in there.roles}
    lines = []
    for name in ("reasoner", "writer", "fast"):
        if role := named.get(name):
            lines += _role(role, there.why if name == "reasoner" else "as configured")
        else:
            lines.append(f"{name:<9} none: {_INSTEAD[name]}" if there.roles[0].host else f"{name:<9} none")
    return lines


def _role(role: RoleFound, why: str) -> list[str]:
    where = f" at {role.host}" if role.host else ""
    lines = [f"{role.name:<9} {one_line(role.model)}{where} ({one_line(why)})"]
    if role.profile is None:
        return lines
    facts = [f"profile {role.profile.name}/{role.profile.family}", _window(role.window), _price(role)]
    facts += ["it does not answer: `doctor` says more"] if role.silent else []
    lines.append(f"{'':<9} {'; '.join(facts)}")
    return [*lines, f"{'':<9} {role.profile.note}"] if role.profile.note else lines


def _window(window: Window) -> str:
    if window.given:
        more = f" of {window.most:,}" if window.most and window.most != window.given else ""
        return f"context {window.given:,}{more} tokens"
    return f"context up to {window.most:,} tokens, as the server is set" if window.most else "context unknown"


def _price(role: RoleFound) -> str:
    if role.price is None:
        return "no price: it is local" if role.local else "no price is known"
    price = role.price
    cached = f", ${price.cached:g} where cached" if price.cached is not None else ""
    when = "" if price.hours == "all" else f", {price.hours} hours"
    told = f"${price.prompt:g} in{cached}, ${price.output:g} out per million tokens"
    return f"{told} (as of {price.since}{when}; {price.source})"


# ------------------------------------------------------------------------------------------------- this machine


def _models(models: Sequence[Local]) -> list[str]:
    """R1s first, then as many others as fit."""
    r1s, others = ([m for m in models if m.is_r1 is wanted] for wanted in (True, False))
    lines = [_model(model) for model in (*r1s, *others[:_SHOWN])] or ["    no models yet"]
    return [*lines, f"    and {len(others) - _SHOWN} others"] if len(others) > _SHOWN else lines


def _model(model: Local) -> str:
    offer = model.offer
    size = f"{offer.bytes / 1e9:.1f} GB" if offer.bytes else ""
    told = _window(model.window) if model.is_r1 or model.window.given else ""
    facts = ", ".join(filter(None, [one_line(offer.parameters), size, told]))
    return f"    {'*' if model.is_r1 else ' '} {offer.model:<40} {facts}".rstrip()


def _place(url: str) -> str:
    from agent.wiring.model_discovery import shown

    return shown(url)


# ------------------------------------------------------------------------------------------------- as JSON


def _as_json(there: Inventory) -> dict[str, Any]:
    return {
        "why": there.why,
        "roles": [_role_as_json(role) for role in there.roles],
        "local": [
            {"server": server.kind, "url": server.url, "models": [_model_as_json(model) for model in models]}
            for server, models in there.answering
        ],
        "silent": [{"server": server.kind, "url": server.url} for server in there.silent],
        "keys": [{"variable": k.key_variable, "endpoint": k.name, "model": k.model} for k in there.keys],
    }


def _role_as_json(role: RoleFound) -> dict[str, Any]:
    profile = role.profile
    return {
        "role": role.name,
        "model": role.model,
        "endpoint": role.host,
        "local": role.local,
        "silent": role.silent,
        "profile": f"{profile.name}/{profile.family}" if profile else "",
        "context_tokens": role.window.given,
        "most_context_tokens": role.window.most,
        "price": _price_as_json(role.price) if role.price else None,
        "note": profile.note if profile else "",
    }


def _price_as_json(price: Price) -> dict[str, Any]:
    """US dollars per million tokens."""
    return {
        "prompt": price.prompt,
        "cached": price.cached,
        "output": price.output,
        "hours": price.hours,
        "since": price.since.isoformat(),
        "source": price.source,
    }


def _model_as_json(model: Local) -> dict[str, Any]:
    return {
        "name": model.offer.model,
        "is_r1": model.is_r1,
        "bytes": model.offer.bytes,
        "parameters": model.offer.parameters,
        "context_tokens": model.window.given,
        "most_context_tokens": model.window.most,
    }


def _parser() -> Parser:
    parser = Parser(
        "models",
        description="List what is configured to think, what servers on this machine offer (* for an R1), and which\n"
        "providers' keys are in the environment, by name.  Nothing is asked of a model.",
        argument_default=argparse.SUPPRESS,  # a flag that is not given is no setting
    )
    parser.add_argument("--model", metavar="NAME", help="model at the endpoint")
    parser.add_argument("--base-url", metavar="URL", help="OpenAI-compatible endpoint of the reasoner")
    parser.add_argument("--profile", metavar="NAME", help="endpoint profile")
    parser.add_argument("--json", action="store_true", default=False, help="the same as one JSON object")
    return parser
