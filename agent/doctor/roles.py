"""One tiny request to the model of a role, asked as a run would ask it.

Knows what counts as an answer; why there was none is found out by `agent.doctor.faults`, and how much text the model
takes by `agent.doctor.windows`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from agent.casting import Cast
from agent.doctor.faults import fault
from agent.doctor.finding import Finding, Machine
from agent.doctor.windows import window_found
from agent.errors import ReplyUnusable

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk

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
    role: Cast, evidence_tokens: int, machine: Machine, *, seconds: float = ANSWER_SECONDS
) -> list[Finding]:
    """Whether it answers within `seconds`, and whether it takes a prompt with that much evidence."""
    heard = _Heard()
    try:
        await _ask(role, heard, seconds)
    except Exception as e:  # noqa: BLE001 - each provider has errors of its own; `fault` tells them apart by name
        return [await asyncio.to_thread(fault, role, e, machine)]
    answered = Finding(role.name, "ok", _told(role, heard))
    about_window = await asyncio.to_thread(window_found, role, evidence_tokens)
    note = Finding(role.name, "weak", role.profile.note) if role.profile.note else None
    return [found for found in (answered, about_window, note) if found]


async def _ask(role: Cast, heard: _Heard, seconds: float) -> None:
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


def _told(role: Cast, heard: _Heard) -> str:
    how = "thinks and answers" if heard.reasoning and heard.text else "thinks" if heard.reasoning else "answers"
    unseen = ", without showing that it thinks" if role.profile.reasons and not heard.reasoning else ""
    return f"{role.model} at {role.endpoint.host} {how}{unseen}; its first word came after {heard.first_s:.1f} s"
