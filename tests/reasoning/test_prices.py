"""What a call costs: by endpoint, model, date and hour, and never by guess."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from agent.reasoning.models import ENDPOINTS, price_of
from agent.reasoning.models.model_profiles import PRICES, usd_in_words

TUESDAY = datetime(2026, 11, 24, 12, tzinfo=UTC)


def hour(at: str) -> float:
    """The prompt's price of deepseek-flash at a time of 2026 in UTC."""
    return price_of("deepseek", "deepseek-flash", datetime.fromisoformat(f"2026-{at}+00:00")).prompt


@pytest.mark.parametrize(
    ("at", "prompt"),
    [
        ("11-24T00:59:59", 0.15),
        ("11-24T01:00:00", 0.30),
        ("11-24T03:59:59", 0.30),
        ("11-24T04:00:00", 0.15),
        ("11-24T05:59:59", 0.15),
        ("11-24T06:00:00", 0.30),
        ("11-24T09:59:59", 0.30),
        ("11-24T10:00:00", 0.15),
        ("11-20T07:00:00", 0.30),  # a Friday
        ("11-21T07:00:00", 0.15),  # a Saturday
        ("11-22T07:00:00", 0.15),  # a Sunday
        ("11-23T07:00:00", 0.30),  # a Monday
    ],
)
def test_deepseek_costs_twice_as_much_in_its_peak_hours(at: str, prompt: float) -> None:
    assert hour(at) == prompt


def test_the_hour_is_that_of_utc_wherever_the_caller_is() -> None:
    beijing = timezone(timedelta(hours=8))
    afternoon_there = datetime(2026, 11, 24, 17, 30, tzinfo=beijing)
    assert price_of("deepseek", "deepseek-flash", afternoon_there).prompt == 0.30


def test_a_price_is_not_known_before_the_day_it_began() -> None:
    assert price_of("deepseek", "deepseek-flash", datetime(2026, 10, 26, 23, 59, tzinfo=UTC)) is None
    assert hour("10-27T00:00:00") == 0.15
    assert price_of("together", "deepseek-ai/DeepSeek-R1-0528", datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_the_same_model_has_the_price_of_the_endpoint_that_serves_it() -> None:
    costs = {e.name: price_of(e.name, "deepseek-ai/DeepSeek-R1-0528", TUESDAY) for e in ENDPOINTS}
    known = {name: (price.prompt, price.output) for name, price in costs.items() if price}
    assert known == {"together": (3.00, 7.00), "fireworks": (3.00, 8.00), "deepinfra": (0.50, 2.15)}


@pytest.mark.parametrize(
    ("endpoint", "model"),
    [
        ("unknown", "deepseek-r1"),
        ("ollama", "deepseek-r1:8b"),
        ("openrouter", "deepseek/deepseek-r1:nitro"),
        ("vllm", ""),
    ],
)
def test_what_is_not_known_is_not_guessed(endpoint: str, model: str) -> None:
    assert price_of(endpoint, model, TUESDAY) is None


def test_dollars_are_counted_per_million_with_cached_tokens_apart() -> None:
    price = price_of("deepseek", "deepseek-v4-pro", TUESDAY)
    assert price.usd(1_000_000, 0, 0) == pytest.approx(0.66)
    assert price.usd(1_000_000, 400_000, 100_000) == pytest.approx(0.6 * 0.66 + 0.4 * 0.022 + 0.1 * 1.98)
    assert price.usd(0, 0, 0) == 0


def test_cached_tokens_cost_as_much_as_others_where_nothing_else_is_published() -> None:
    assert price_of("sambanova", "DeepSeek-R1", TUESDAY).usd(1_000_000, 500_000, 0) == pytest.approx(5.00)


def test_every_price_says_where_it_was_read_and_belongs_to_an_endpoint() -> None:
    assert all(price.source for price in PRICES)
    assert {price.endpoint for price in PRICES} <= {endpoint.name for endpoint in ENDPOINTS}
    assert all(price.model == price.model.casefold() for price in PRICES)
    assert len({(p.endpoint, p.model, p.since, p.hours) for p in PRICES}) == len(PRICES)


@pytest.mark.parametrize(
    "usage", [None, {}, {"cost": None}, {"cost": "0.1"}, {"cost": True}, {"cost": -1}, {"cost": {}}]
)
def test_a_server_that_tells_no_amount_tells_nothing(usage: object) -> None:
    assert usd_in_words(usage) is None


def test_a_server_tells_what_a_call_cost_under_either_name() -> None:
    assert usd_in_words({"cost": 0.0021, "estimated_cost": 9}) == 0.0021
    assert usd_in_words({"estimated_cost": 0.5}) == 0.5
    assert usd_in_words({"cost": 0}) == 0.0
