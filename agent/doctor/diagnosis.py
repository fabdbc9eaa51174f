"""All that is looked at, beside one another, told in a fixed order as it comes in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.doctor import service_checks
from agent.doctor.diagnosis_item import DiagnosisItem, Machine
from agent.doctor.model_checks import asked, nobody_there
from agent.doctor.service_checks import searches
from agent.errors import AgentError, ModelUnreachable
from agent.settings import EXTRACTIVE, Settings
from agent.wiring.model_discovery import discovered
from agent.wiring.model_setup import RoleConfig, RoleName, check_prices, fitting, role_configs

Findings = list[DiagnosisItem]


@dataclass(frozen=True)
class _Models:
    """What is known of the models before any is asked."""

    settings: Settings  # completed, where that could be done
    findings: Findings
    roles: Mapping[RoleName, RoleConfig] = field(default_factory=dict)


async def examine(settings: Settings, machine: Machine) -> AsyncGenerator[DiagnosisItem, None]:
    """Findings, in order.  Takes as long as the slowest: at most some 50 seconds.

    Leaving early ends all that is under way, but for threads that end by themselves within seconds.
    """
    models = await asyncio.to_thread(_models, settings, machine)
    waiting = [asyncio.ensure_future(work) for work in _works(models, machine)]
    try:
        for finding in models.findings:
            yield finding
        for each in waiting:
            for finding in await each:
                yield finding
    finally:
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def _models(settings: Settings, machine: Machine) -> _Models:
    """Which models a run would ask.  Blocks: it may ask local servers."""
    try:
        found = discovered(settings, machine.environ, servers=machine.servers)
        roles = role_configs(found.settings)
        check_prices(found.settings, roles)
    except AgentError as e:
        mend = nobody_there(settings.base_url, machine) if isinstance(e, ModelUnreachable) and settings.base_url else ""
        return _Models(settings, [DiagnosisItem("reasoner", "problem", str(e), mend)])
    if found.settings.model == EXTRACTIVE:
        return _Models(found.settings, [_extractive(found.why, chosen=settings.model == EXTRACTIVE)])
    surprising = found.settings.model != settings.model
    return _Models(found.settings, [DiagnosisItem("reasoner", "ok", found.why)] if surprising else [], roles)


def _extractive(why: str, *, chosen: bool) -> DiagnosisItem:
    told = "the built-in extractive reasoner answers with sentences of the pages, and asks no model"
    return (
        DiagnosisItem("reasoner", "ok", f"{told} ({why})") if chosen else DiagnosisItem("reasoner", "weak", told, why)
    )


def _works(models: _Models, machine: Machine) -> list[Coroutine[Any, Any, Findings]]:
    settings = models.settings
    evidence = fitting(settings.limits, dict(models.roles)).evidence_tokens
    return [
        *(asked(role, evidence, machine) for role in models.roles.values()),
        searches(settings, machine),
        asyncio.to_thread(_kept, settings),
        _chroma(settings),
        asyncio.to_thread(_room, settings),
    ]


def _kept(settings: Settings) -> Findings:
    found = [service_checks.embedder(settings), service_checks.full_text(), service_checks.record(settings)]
    return [finding for finding in found if finding]


async def _chroma(settings: Settings) -> Findings:
    return [await service_checks.chroma(settings)]


def _room(settings: Settings) -> Findings:
    return [*service_checks.directories(settings), service_checks.disk(settings)]
