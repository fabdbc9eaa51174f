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

from agent.verify import clauses, figures, verbatim, verdicts
from agent.verify.verdicts import RuleChecker
from tests.verify.evaluate import Figure, claims_of, judged, load
from tests.verify.evaluate import figures as figures_seen


def _nothing(*_: Any) -> None:
    return None


def _yes(*_: Any) -> bool:
    return True


def _no(*_: Any) -> bool:
    return False


def _only_ends(mine: Any, theirs: Any) -> Any:
    """As if a claim might leave out what it likes, if its words come in order."""
    rest = iter(theirs)
    kept = all(any(verbatim.same(atom, other) for other in rest) for atom in mine)
    return ((), ()) if kept else (tuple(mine), tuple(theirs))


MUTATIONS: dict[str, tuple[ModuleType, str, Any]] = {
    "words may be left out": (verbatim, "_slot", _only_ends),
    "numbers and dates are not compared": (verbatim, "_other_value", _nothing),
    "all values are the same": (clauses, "_equal", _yes),
    "a “not” is not looked for": (verbatim, "_negated", _nothing),
    "names are not compared": (verbatim, "_other_name", _nothing),
    "an item needs no introduction": (verbatim, "_is_introduced", _yes),
    "a footnote at a cell does not matter": (verbatim, "_is_noted", _no),
    "no cell is looked at": (verdicts, "RULES", verdicts.RULES | {"cell": lambda *_: verbatim.CANNOT_TELL}),
    "all figures are found": (figures.Stock, "has", _yes),
    "no figure is found": (figures.Stock, "has", _no),
}  # fmt: skip


@contextmanager
def mutated(module: Any, name: str, instead: Any) -> Iterator[None]:
    own = getattr(module, name)
    setattr(module, name, instead)
    _forget()
    try:
        yield
    finally:
        setattr(module, name, own)
        _forget()


def _forget() -> None:
    for cache in (clauses.atoms, figures.figures_of):
        cache.cache_clear()


def measured() -> list[Figure]:
    labelled, documents = load()
    checked = asyncio.run(RuleChecker().check(*claims_of(labelled, documents)))
    return figures_seen(judged(labelled, checked))


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
