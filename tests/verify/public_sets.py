"""How the rules fare on labelled claims that nobody here wrote.  `python -m tests.verify.public_sets FILE.jsonl …`

One object a line: `{"kind": "…", "claim": "a sentence without marks", "sources": ["text", …], "label": true,
"pair": "id or null"}`.  No such set is part of the project: they have licences of their own.  Sets that were measured:
WiCE (claims of Wikipedia on real pages; Kamoi et al., EMNLP 2023), SummEdits (summaries by models, and edits of them;
Laban et al., EMNLP 2023).
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.types import Citation, Claim, Source
from agent.verify.verdicts import RuleChecker

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Fared:
    row: Row
    claim: Claim
    seconds: float  # of CPU

    @property
    def is_noticed(self) -> bool:
        return self.claim.verdict == "refuted" or bool(self.claim.missing)


def fared(row: Row) -> Fared:
    sources = {number: (_source(number), text) for number, text in enumerate(row["sources"], start=1)}
    said = f"{row['claim']} {''.join(f'[{number}]' for number in sources)}"
    claim = Claim(said, 0, len(said), tuple(Citation(number) for number in sources))
    began = time.process_time()
    (checked,) = asyncio.run(RuleChecker().check([claim], sources))
    return Fared(row, checked, time.process_time() - began)


def _source(number: int) -> Source:
    return Source(number, f"d{number}", f"s{number}", f"https://{number}.example/", "", "x", "2026-01-01")


def table(seen: Sequence[Fared]) -> str:
    kinds: dict[str, list[Fared]] = defaultdict(list)
    for one in seen:
        kinds[f"{'true ' if one.row['label'] else 'false'} {one.row['kind']}"].append(one)
    lines = [f"{'label and kind':<30}{'claims':>7}{'supported':>11}{'refuted':>9}{'missing':>9}"]
    for kind, of in sorted(kinds.items()):
        shares = [sum(one.claim.verdict == verdict for one in of) / len(of) for verdict in ("supported", "refuted")]
        shares.append(sum(bool(one.claim.missing) for one in of) / len(of))
        lines.append(f"{kind:<30}{len(of):>7}{shares[0]:>11.3f}{shares[1]:>9.3f}{shares[2]:>9.3f}")
    if pairs := _pairs(seen):
        right = sum(false.is_noticed and not true.is_noticed for true, false in pairs)
        lines.append(f"{'pairs, both halves right':<30}{len(pairs):>7}{right / len(pairs):>11.3f}")
    lines.append(f"CPU, median of a claim: {1000 * statistics.median(one.seconds for one in seen):.1f} ms")
    return "\n".join(lines)


def _pairs(seen: Sequence[Fared]) -> list[tuple[Fared, Fared]]:
    halves: dict[str, dict[bool, Fared]] = defaultdict(dict)
    for one in seen:
        if one.row["pair"]:
            halves[one.row["pair"]][one.row["label"]] = one
    return [(both[True], both[False]) for both in halves.values() if len(both) == 2]


def wrong(seen: Sequence[Fared]) -> list[Fared]:
    """False ones that are called supported, and true ones in which something is called wrong or missing."""
    return [one for one in seen if (one.is_noticed if one.row["label"] else one.claim.verdict == "supported")]


def main(*names: str, show: int = 0) -> None:
    for name in names:
        rows = [json.loads(line) for line in Path(name).read_text("utf-8").splitlines() if line.strip()]
        seen = [fared(row) for row in rows]
        sys.stdout.write(f"{Path(name).stem}\n{table(seen)}\n\n")
        for one in wrong(seen)[:show]:
            about = f"{one.row['kind']}: {one.claim.verdict}, missing {list(one.claim.missing)}"
            sys.stdout.write(f"  {about}\n    {one.row['claim']}\n    {one.claim.why}\n")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(*(name for name in given if not name.isdigit()), show=next((int(n) for n in given if n.isdigit()), 0))
