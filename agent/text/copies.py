"""Pages that carry one text: which of several are copies, told from sketches of their words.

Knows texts, sketches and sources.  Dates and names that pages give themselves do not make one the origin: the order in
which the search ranked them does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from zlib import crc32

from agent.text.chunking import CJK
from agent.types import Source

_CHARACTERS = 60_000  # of a text that are compared; a sketch of so many takes 10 ms
_RUN = 4  # words in a row; Broder, "On the resemblance and containment of documents", 1997, uses runs of such length
_KEPT = 400  # smallest hashes: resemblance is off by 0.02 at most times
_LEAST = 30  # runs; shorter texts are alike by chance
ALIKE = 0.7  # of their runs are common: an agency's report in two papers, each with its own head and foot
ALIKE_IF_DECLARED = 0.4  # where both declare the same address on their own site
_WORD = re.compile(rf"[{CJK}]|[^\W{CJK}]+")


@dataclass(frozen=True, slots=True)
class Sketch:
    """The smallest hashes of a text's runs of words, in order; empty for a text that is too short to compare."""

    hashes: tuple[int, ...] = ()


def sketch(text: str) -> Sketch:
    words = _WORD.findall(text[:_CHARACTERS].casefold())
    runs = {crc32(" ".join(words[i : i + _RUN]).encode("utf-8", "replace")) for i in range(len(words) - _RUN + 1)}
    return Sketch(tuple(sorted(runs)[:_KEPT])) if len(runs) >= _LEAST else Sketch()


def resemblance(one: Sketch, other: Sketch) -> float:
    """About which share of all their runs two texts have in common, 0..1; 0 where one is too short to tell."""
    if not one.hashes or not other.hashes:
        return 0.0
    both = sorted({*one.hashes, *other.hashes})[:_KEPT]
    return len({*one.hashes} & {*other.hashes} & {*both}) / len(both)


@dataclass(frozen=True, slots=True)
class Known:
    """A page of this run, as later ones are compared with it."""

    url: str
    declares: str  # its own address by its own word; empty: it says nothing that counts
    sketch: Sketch


def copy_of(page: Known, known: Mapping[str, Known]) -> str:
    """The URL of the first known page that has nearly the same text; empty: there is none."""
    for url, other in known.items():
        declared = bool(page.declares) and page.declares in {other.declares, other.url}
        if resemblance(page.sketch, other.sketch) >= (ALIKE_IF_DECLARED if declared else ALIKE):
            return url
    return ""


def origins(sources: Mapping[str, Source]) -> dict[str, Source]:
    """Of each group of copies the first, with the others' URLs; one that hides its text only where all of them do.

    Keys stay what they are, and their order.
    """
    groups: dict[str, list[str]] = {}
    for key, source in sources.items():
        groups.setdefault(source.copy_of or source.url, []).append(key)
    chosen = {}
    for keys in groups.values():
        first = next((key for key in keys if not sources[key].suspect), keys[0])
        chosen[first] = tuple(sources[key].url for key in keys if key != first)
    return {key: replace(source, copies=chosen[key]) for key, source in sources.items() if key in chosen}
