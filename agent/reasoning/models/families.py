"""The model families we know, as data: what a model needs wherever it runs.

Knows names of models, sampling and what each was trained with; knows nothing of endpoints or prices.  Sources: the
model cards of DeepSeek-R1, -R1-0528 and the distills ("Usage Recommendations", and the length of the evaluations);
DeepSeek's API guide "Thinking Mode"; context windows from LangChain's and litellm's tables of models.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from agent.reasoning.models.think import Mode


@dataclass(frozen=True, slots=True)
class Family:
    """None leaves a parameter out of the request."""

    name: str
    pattern: str  # of the model's name in lower case
    temperature: float | None
    top_p: float | None
    max_tokens: int | None  # of thinking and answer together
    system: Literal["fold", "send"]
    context_tokens: int | None
    reasons: bool = True
    by_mode: bool = False  # thinking is switched on and graded in the request
    returns: bool = False  # its reasoning of turns with tool calls is to be sent back
    json_mode: bool = False
    tags: Mode = "auto"
    note: str = ""


_MIXES = "R1-Zero mixes languages within its answers and is hard to read: R1 and R1-0528 are made for people."
_SMALL = "A distill is a small model that learned from R1: it forgets details and invents more than R1 does."
_QWEN3 = r"0528-(distill-)?qwen3|deepseek-r1:(latest|8b)$"  # the second as Ollama names it
_QWEN = r"r1-distill-qwen|r1:(1\.5b|7b|14b|32b)|r1.*qwen-distill"
_LLAMA = r"r1-distill-llama|r1:70b|r1.*llama-distill"
_V4 = r"deepseek[-/_.]?(flash|pro(?![a-z])|v4)"
_R1 = r"(?<![a-z0-9])r1(?![a-z0-9])|deepseek-reasoner"
_PLAIN = r"claude|gpt-|gemini|mistral|llama-?[34]|deepseek-chat|deepseek[-/_.]?v3(-0324)?$"

FAMILIES = (  # the first whose pattern is found
    Family("r1-zero", r"r1-?zero", 0.6, 0.95, 32_768, "fold", 131_072, note=_MIXES),
    Family("r1-0528-qwen3", _QWEN3, 0.6, 0.95, 64_000, "send", 131_072, note=_SMALL),
    Family("r1-distill-qwen", _QWEN, 0.6, 0.95, 32_768, "fold", 131_072, note=_SMALL),
    Family("r1-distill-llama", _LLAMA, 0.6, 0.95, 32_768, "fold", 131_072, note=_SMALL),
    Family("r1-0528", r"r1-(25)?0528|r1:671b", 0.6, 0.95, 64_000, "send", 131_072),
    Family("r1", _R1, 0.6, 0.95, 32_768, "fold", 131_072),
    Family("deepseek-v4", _V4, None, None, 64_000, "send", 1_000_000, by_mode=True, returns=True, json_mode=True),
    Family("deepseek-v3.2", r"v3[.p]2", None, None, 32_768, "send", 131_072, by_mode=True, returns=True),
    Family("deepseek-v3.1", r"v3[.p]1", None, None, 32_768, "send", 131_072, by_mode=True),
    Family("plain", _PLAIN, None, None, 8_192, "send", None, reasons=False, json_mode=True, tags="tags"),
    Family("other", "", None, None, None, "send", None),  # it may think, and its server's limit is the safest one
)


def family_of(model: str) -> Family:
    """By the model's name, with whatever stands before it (a provider, an account) and after it (a quantisation)."""
    name = model.casefold().replace("_", "-")
    return next(family for family in FAMILIES if re.search(family.pattern, name))


def family_named(name: str) -> Family | None:
    return next((family for family in FAMILIES if family.name == name), None)
