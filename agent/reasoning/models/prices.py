"""What calls cost, as data: US dollars per million tokens, by endpoint, model, date and hour.

Knows published prices and where each was read; guesses none.  A price that a server tells with its reply is better
than any of these, for an estimate made from them grows old with the table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

_SEEN = date(2026, 11, 23)  # when the tables below were read; when those prices began is not told
_DEEPSEEK = "api-docs.deepseek.com/quick_start/pricing"
_LITELLM = "litellm 1.109.1, model_prices_and_context_window_backup.json"
_OPENROUTER = "openrouter.ai, page of the model"
_PEAK_HOURS = (range(1, 4), range(6, 10))  # UTC, Monday to Friday, since 2026-08-16 (same page)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens.  `cached` None: what the server had in its cache costs as much as the rest."""

    endpoint: str
    model: str  # the last part of its name, in lower case
    cached: float | None
    prompt: float
    output: float  # thinking and answer alike
    source: str
    since: date = _SEEN
    hours: Literal["all", "peak", "off-peak"] = "all"

    def usd(self, prompt_tokens: int, cached_tokens: int, output_tokens: int) -> float:
        """`cached_tokens` are some of the `prompt_tokens`."""
        cached = self.prompt if self.cached is None else self.cached
        fresh = prompt_tokens - cached_tokens
        return (fresh * self.prompt + cached_tokens * cached + output_tokens * self.output) / 1e6


_OCTOBER = date(2026, 10, 27)

PRICES = (
    Price("deepseek", "deepseek-flash", 0.003, 0.15, 0.60, _DEEPSEEK, _OCTOBER, "off-peak"),
    Price("deepseek", "deepseek-flash", 0.006, 0.30, 1.20, _DEEPSEEK, _OCTOBER, "peak"),
    Price("deepseek", "deepseek-v4-flash", 0.003, 0.15, 0.60, _DEEPSEEK, _OCTOBER, "off-peak"),
    Price("deepseek", "deepseek-v4-flash", 0.006, 0.30, 1.20, _DEEPSEEK, _OCTOBER, "peak"),
    Price("deepseek", "deepseek-v4-pro", 0.022, 0.66, 1.98, _DEEPSEEK, _OCTOBER, "off-peak"),
    Price("deepseek", "deepseek-v4-pro", 0.044, 1.32, 3.96, _DEEPSEEK, _OCTOBER, "peak"),
    Price("openrouter", "deepseek-r1", None, 0.70, 2.50, _OPENROUTER),
    Price("together", "deepseek-r1-0528", None, 3.00, 7.00, _LITELLM),
    Price("together", "deepseek-v4.1-flash", 0.006, 0.30, 1.20, _LITELLM),
    Price("together", "deepseek-v4.1-flash-1017", 0.006, 0.30, 1.20, _LITELLM),
    Price("together", "deepseek-v4-pro-0813", 0.13, 1.32, 3.96, _LITELLM),
    Price("together", "deepseek-v3", None, 1.25, 1.25, _LITELLM),
    Price("fireworks", "deepseek-r1", None, 3.00, 8.00, _LITELLM),
    Price("fireworks", "deepseek-r1-0528", None, 3.00, 8.00, _LITELLM),
    Price("fireworks", "deepseek-r1-basic", None, 0.55, 2.19, _LITELLM),
    Price("fireworks", "deepseek-r1-0528-distill-qwen3-8b", None, 0.20, 0.20, _LITELLM),
    Price("fireworks", "deepseek-r1-distill-llama-70b", None, 0.90, 0.90, _LITELLM),
    Price("fireworks", "deepseek-r1-distill-llama-8b", None, 0.20, 0.20, _LITELLM),
    Price("fireworks", "deepseek-r1-distill-qwen-32b", None, 0.90, 0.90, _LITELLM),
    Price("fireworks", "deepseek-r1-distill-qwen-14b", None, 0.20, 0.20, _LITELLM),
    Price("fireworks", "deepseek-r1-distill-qwen-7b", None, 0.20, 0.20, _LITELLM),
    Price("fireworks", "deepseek-v4p1-flash", 0.006, 0.30, 1.20, _LITELLM),
    Price("fireworks", "deepseek-v4p1-flash-1017", 0.006, 0.30, 1.20, _LITELLM),
    Price("deepinfra", "deepseek-r1", None, 0.70, 2.40, _LITELLM),
    Price("deepinfra", "deepseek-r1-0528", 0.40, 0.50, 2.15, _LITELLM),
    Price("deepinfra", "deepseek-r1-turbo", None, 1.00, 3.00, _LITELLM),
    Price("deepinfra", "deepseek-r1-0528-turbo", None, 1.00, 3.00, _LITELLM),
    Price("deepinfra", "deepseek-r1-distill-llama-70b", None, 0.20, 0.60, _LITELLM),
    Price("deepinfra", "deepseek-r1-distill-qwen-32b", None, 0.27, 0.27, _LITELLM),
    Price("deepinfra", "deepseek-v3", None, 0.32, 0.89, _LITELLM),
    Price("deepinfra", "deepseek-v3-0324", 0.135, 0.24, 0.90, _LITELLM),
    Price("deepinfra", "deepseek-v3.1", 0.216, 0.25, 0.95, _LITELLM),
    Price("deepinfra", "deepseek-v4-flash", 0.018, 0.09, 0.18, _LITELLM),
    Price("deepinfra", "deepseek-v4.1-flash", 0.0042, 0.14, 0.42, _LITELLM),
    Price("deepinfra", "deepseek-v4-pro", 0.10, 1.30, 2.60, _LITELLM),
    Price("sambanova", "deepseek-r1", None, 5.00, 7.00, _LITELLM),
    Price("sambanova", "deepseek-v3.1", None, 3.00, 4.50, _LITELLM),
    Price("sambanova", "deepseek-v3.2", None, 3.00, 4.50, _LITELLM),
    Price("azure", "deepseek-v3.2", None, 0.58, 1.68, _LITELLM),
    Price("azure", "deepseek-v4-flash", 0.028, 0.19, 0.51, _LITELLM),
    Price("azure", "deepseek-v4-pro", 0.145, 1.74, 3.48, _LITELLM),
)


def price_of(profile_name: str, model: str, at: datetime) -> Price | None:
    """What a call begun `at` (aware) costs; the newest row that had begun by then; None: not known."""
    then = at.astimezone(UTC)
    model = model.casefold().rpartition("/")[2]
    hours = ("all", "peak" if _is_peak(then) else "off-peak")
    known = [p for p in PRICES if (p.endpoint, p.model) == (profile_name, model)]
    begun = [p for p in known if p.since <= then.date() and p.hours in hours]
    return max(begun, key=lambda price: price.since, default=None)


def told_usd(usage: object) -> float | None:
    """What a server says in a reply's `usage` that the call cost, in US dollars.  OpenRouter and LiteLLM say `cost`,
    DeepInfra `estimated_cost`."""
    if not isinstance(usage, Mapping):
        return None
    for told in (usage.get("cost"), usage.get("estimated_cost")):
        if isinstance(told, int | float) and not isinstance(told, bool) and 0 <= told < math.inf:
            return float(told)
    return None


def _is_peak(then: datetime) -> bool:
    """China's holidays, on which there is no peak, are not known here: a call on one is estimated too high."""
    return then.weekday() < 5 and any(then.hour in hours for hours in _PEAK_HOURS)
