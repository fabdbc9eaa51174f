"""How well the rules decide: the labelled claims through the checker, as tables.  `make eval` prints them.

`labelled/*.txt` hold one fact a block: what a source says (S), the sentence in it (T), and sentences made from that,
true and false ones, one of a kind; `//` is a line's end.  All were written for this; names and figures are invented.
Nothing is random or fetched, so two runs print the same.  Knows the files and the bars; nothing of how rules work.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.services import Checker
from agent.types import Claim, Source, Verdict
from agent.verify.claims import claims
from agent.verify.verdicts import RuleChecker

LABELLED = Path(__file__).parent / "labelled"
KINDS = {
    "T": "verbatim",
    "E": "lightly edited",
    "I": "list item",
    "A": "label or day before it",
    "B": "wider place",
    "P": "paraphrase",
    "N": "number changed",
    "D": "date changed",
    "X": "entity swapped",
    "G": "negated",
    "R": "relation reversed",
    "O": "overgeneralised",
    "J": "two halves joined",
    "C": "phrase torn",
    "Q": "only asked",
    "L": "item of another list",
    "F": "fabricated",
    "W": "right fact, wrong source",
}
TRUE = ("verbatim", "lightly edited", "list item", "label or day before it", "wider place", "paraphrase")
SAME_WORDS = TRUE[:4]
_YES: tuple[Verdict, ...] = ("supported",)
VERDICTS: tuple[Verdict, ...] = ("supported", "partial", "unsupported", "refuted", "unchecked")
_PER_DOCUMENT = 3  # facts: a page says more than what is cited


@dataclass(frozen=True)
class Labelled:
    """One claim; `cites` is the number of the document that it cites."""

    kind: str
    language: str
    fact: int
    text: str
    cites: int


@dataclass(frozen=True)
class Judged:
    labelled: Labelled
    claim: Claim

    @property
    def verdict(self) -> Verdict:
        return self.claim.verdict


def load() -> tuple[list[Labelled], dict[int, str]]:
    """The labelled claims, and the documents that they cite by number."""
    facts: list[tuple[str, dict[str, str]]] = []
    for path in sorted(LABELLED.glob("*.txt")):
        for block in path.read_text("utf-8").strip().split("\n\n"):
            told = dict(line.split(": ", 1) for line in block.splitlines())
            facts.append((path.stem[:2], {kind: _lines(text) for kind, text in told.items()}))
    documents: dict[int, list[str]] = {}
    labelled: list[Labelled] = []
    count = (len(facts) + _PER_DOCUMENT - 1) // _PER_DOCUMENT
    for at, (language, fact) in enumerate(facts):
        number = at // _PER_DOCUMENT + 1
        documents.setdefault(number, []).append(fact["S"])
        labelled += [Labelled(KINDS[k], language, at, fact[k], number) for k in KINDS if k in fact]
        labelled.append(Labelled(KINDS["W"], language, at, fact["T"], number % count + 1))
    return labelled, {number: "\n\n".join(texts) for number, texts in documents.items()}


def _lines(text: str) -> str:
    return re.sub(r" ?// ?", "\n", text)


def mark(text: str, number: int) -> str:
    """The sentence with its citation; an item of a list has no stop."""
    stop = text[-1] if text[-1] in ".。" else ""
    return f"{text.removesuffix(stop)} [{number}]{stop}"


def claims_of(
    labelled: Sequence[Labelled], documents: dict[int, str]
) -> tuple[list[Claim], dict[int, tuple[Source, str]]]:
    """What a checker is given."""
    sources = {
        n: (
            Source(
                n, f"d{n}", f"s{n}", f"https://{n}.example/", f"Page {n}", "x", "2026-01-01", published="2026-01-01"
            ),
            text,
        )
        for n, text in documents.items()
    }
    return [claim for one in labelled for claim in claims(mark(one.text, one.cites))], sources


def judged(labelled: Sequence[Labelled], checked: Sequence[Claim]) -> list[Judged]:
    return [Judged(one, claim) for one, claim in zip(labelled, checked, strict=True)]


# ------------------------------------------------------------------------------------------------- figures


@dataclass(frozen=True)
class Figure:
    """`value` against its bar: at least it, or at most where `most`."""

    name: str
    value: float
    bar: float
    most: bool = False

    @property
    def holds(self) -> bool:
        return self.value <= self.bar if self.most else self.value >= self.bar


def figures(seen: Sequence[Judged]) -> list[Figure]:
    return [
        Figure("number: both of the pair right", _pairs(seen, "number changed"), 0.95),
        Figure("date: both of the pair right", _pairs(seen, "date changed"), 0.95),
        Figure("rotated citation: both of the pair right", _rotated(seen), 0.95),
        Figure("verbatim and lightly edited truth: supported", _share(seen, TRUE[:2], _YES), 0.95),
        Figure("items, and with a label or day: supported", _share(seen, SAME_WORDS[2:], _YES), 0.95),
        Figure("any true sentence: wrongly refuted", _share(seen, TRUE, ("refuted",)), 0.02, most=True),
        Figure("any false sentence: wrongly supported", _share(seen, _false(), _YES), 0.05, most=True),
        Figure("worst false kind: wrongly supported", max(_share(seen, (k,), _YES) for k in _false()), 0.05, most=True),
        Figure("entity swapped: refuted", _share(seen, ("entity swapped",), ("refuted",)), 0.6),
        Figure("negated: refuted", _share(seen, ("negated",), ("refuted",)), 0.6),
    ]  # fmt: skip


def _false() -> tuple[str, ...]:
    return tuple(kind for kind in KINDS.values() if kind not in TRUE)


def _share(seen: Sequence[Judged], kinds: Sequence[str], verdicts: Sequence[str]) -> float:
    of = [one for one in seen if one.labelled.kind in kinds]
    return sum(one.verdict in verdicts for one in of) / max(1, len(of))


def _by_fact(seen: Sequence[Judged], kind: str) -> dict[int, Verdict]:
    return {one.labelled.fact: one.verdict for one in seen if one.labelled.kind == kind}


def _pairs(seen: Sequence[Judged], kind: str) -> float:
    true, false = _by_fact(seen, "verbatim"), _by_fact(seen, kind)
    return sum(true[f] == "supported" and false[f] == "refuted" for f in false) / max(1, len(false))


def _rotated(seen: Sequence[Judged]) -> float:
    true, rotated = _by_fact(seen, "verbatim"), _by_fact(seen, KINDS["W"])
    return sum(true[f] == "supported" != rotated[f] for f in rotated) / max(1, len(rotated))


# ------------------------------------------------------------------------------------------------- tables


def confusion(seen: Sequence[Judged]) -> str:
    lines = [f"{'kind':<26}{'claims':>7}" + "".join(f"{v:>13}" for v in VERDICTS) + f"{'decided':>9}"]
    for kind in KINDS.values():
        counts = Counter(one.verdict for one in seen if one.labelled.kind == kind)
        total = sum(counts.values())
        told = "".join(f"{counts[v]:>13}" for v in VERDICTS)
        lines.append(f"{kind:<26}{total:>7}{told}{1 - counts['unchecked'] / max(1, total):>9.2f}")
    return "\n".join(lines)


def by_language(seen: Sequence[Judged]) -> str:
    lines = []
    for language in sorted({one.labelled.language for one in seen}):
        mine = [one for one in seen if one.labelled.language == language]
        missed = [f.name for f in figures(mine) if not f.holds]
        lines.append(f"{language}: {len(mine)} claims, below a bar: {'; '.join(missed) or 'nothing'}")
    return "\n".join(lines)


def wrong(seen: Sequence[Judged]) -> str:
    """The claims that were called what they are not."""
    bad = [one for one in seen if (one.labelled.kind in TRUE and one.verdict == "refuted")
           or (one.labelled.kind not in TRUE and one.verdict == "supported")]  # fmt: skip
    return "\n".join(f"{o.verdict} ({o.labelled.kind}): {o.labelled.text}\n    {o.claim.why}" for o in bad) or "none"


def _line(f: Figure) -> str:
    bar = f"{'at most' if f.most else 'at least'} {f.bar:.2f}"
    return f"{f.name:<46}{f.value:>7.3f}  {bar}  {'ok' if f.holds else 'FAILS'}"


def report(checker: Checker) -> tuple[str, bool]:
    labelled, documents = load()
    seen = judged(labelled, asyncio.run(checker.check(*claims_of(labelled, documents))))
    bars = figures(seen)
    told = [confusion(seen), "\n".join(map(_line, bars)), by_language(seen), f"wrongly called:\n{wrong(seen)}"]
    return "\n\n".join(told), all(f.holds for f in bars)


if __name__ == "__main__":
    text, holds = report(RuleChecker())
    sys.stdout.write(text + "\n")
    sys.exit(0 if holds else 1)
