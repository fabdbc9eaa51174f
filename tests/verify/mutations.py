"""Whether the figures would notice: each rule taken out in turn, and what falls when it is gone.

A rule whose loss no figure shows is either not needed or not measured.  Swaps functions of `agent.verify` for one run
at a time, which is what a mutation is.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from agent.verify import arrange, comparison, framing, pieces, rules, verdicts
from agent.verify.verdicts import RuleChecker
from tests.verify.evaluate import Figure, claims_of, figures, judged, load


def _never(*_: Any) -> str:
    return ""


def _yes(*_: Any) -> bool:
    return True


def _no(*_: Any) -> bool:
    return False


def _as_they_are(claimed: Any, told: Any) -> Iterator[tuple[Any, Any]]:
    yield claimed, told


class _AllWords(frozenset[str]):
    def __contains__(self, word: object) -> bool:
        return True


def _all_words() -> frozenset[str]:
    return _AllWords()


MUTATIONS: dict[str, tuple[ModuleType, str, Any]] = {
    "numbers and dates are not compared": (rules, "_other_value", _never),
    "a “not” is not looked for": (rules, "_negated", _never),
    "names are not compared": (rules, "_other_name", _never),
    "an acronym in other words' place is not seen": (rules, "_other_acronym", lambda *_: None),
    "order does not matter": (rules, "_keeps_order", _yes),
    "what was left out does not matter": (rules, "_loses_sense", _no),
    "all numbers agree": (comparison, "_agree", lambda mine, theirs: theirs.value is not None),
    "no name is seen": (pieces, "_is_name", lambda *_, **__: False),
    "nothing stands in another order": (rules, "arrangements", _as_they_are),
    "clauses cannot be moved, nor phrases": (arrange, "_without_phrases", lambda *_: None),
    "two halves are one": (rules, "_halves", _no),
    "a phrase may be moved into the other half": (pieces, "CONJOINED", frozenset()),
    "words that go together may be torn apart": (rules, "_tears", _no),
    "two sentences are one": (rules, "_fuses", _no),
    "two names are one": (rules, "_joins_names", _no),
    "what is asked is said": (rules, "_without_questions", lambda told: told),
    "a region is never the wider place": (rules, "_may_hold", _no),
    "an item says all by itself": (verdicts, "leans", _no),
    "any list above introduces it": (framing, "_introduction", lambda _, start: (start, start)),
    "a label belongs to the claim": (framing, "_without_label", lambda said: said),
    "the day of the page belongs to the claim": (framing, "_without_day", lambda said, _: said),
    "no name is seen where there are no capitals": (rules, "_other_wide_name", _never),
    "a small word of one language is small in all": (pieces, "_small_in_english", _all_words),
}


@contextmanager
def mutated(module: ModuleType, name: str, instead: Any) -> Iterator[None]:
    own = getattr(module, name)
    setattr(module, name, instead)
    pieces.pieces.cache_clear()
    try:
        yield
    finally:
        setattr(module, name, own)
        pieces.pieces.cache_clear()


def measured() -> list[Figure]:
    labelled, documents = load()
    checked = asyncio.run(RuleChecker().check(*claims_of(labelled, documents)))
    return figures(judged(labelled, checked))


def fallen(before: list[Figure], after: list[Figure]) -> list[str]:
    """The figures that are worse, with both values."""
    pairs = [(b, a) for b, a in zip(before, after, strict=True) if a.value != b.value]
    return [f"{a.name} {b.value:.3f} → {a.value:.3f}" for b, a in pairs if (a.value > b.value) == a.most]


def report() -> tuple[str, bool]:
    whole, lines, all_seen = measured(), [], True
    for name, mutation in MUTATIONS.items():
        with mutated(*mutation):
            lost = fallen(whole, measured())
        all_seen = all_seen and bool(lost)
        lines.append(f"{name}:\n    " + ("\n    ".join(lost) or "NOTHING FALLS"))
    return "\n".join(lines), all_seen


if __name__ == "__main__":
    text, noticed = report()
    sys.stdout.write(text + "\n")
    sys.exit(0 if noticed else 1)
