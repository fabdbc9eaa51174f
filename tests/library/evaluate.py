"""How well the library finds: labelled questions through the library itself, as tables.  `make eval` prints them.

`labelled/*.txt` hold questions, the page that answers each, and texts that share its words and do not; all were written
for this.  All languages stand in one library.  Nothing is fetched, and the resampling is seeded, so two runs print the
same.  Knows the files and the bars; nothing of how anything is found.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.library.embedder import Embedder
from agent.library.minilm import installed
from agent.library.stored_library import StoredLibrary
from agent.settings import Settings
from agent.types import Document
from tests.library.conftest import document

LABELLED = Path(__file__).parent / "labelled"
TOP = 10
WORSE = 0.02  # nDCG@10 that meaning may cost against words alone, in any language
FLOORS = {"de": 0.45, "en": 0.66, "es": 0.58, "zh": 0.48}  # nDCG@10 of the fused order: some .05 below what it is
RESAMPLED = 2_000
SYSTEMS = ("words", "meaning", "both")


@dataclass(frozen=True)
class Question:
    language: str
    text: str
    answered_by: frozenset[str]  # ids of documents


def load() -> tuple[list[Question], list[Document]]:
    questions, pages = [], []
    for path in sorted(LABELLED.glob("*.txt")):
        for block in path.read_text("utf-8").strip().split("\n\n"):
            lines = [line.split(" ", 1) for line in block.splitlines() if not line.startswith("#")]
            mine = [_page(path.stem, mark, told) for mark, told in lines if mark in "+-"]
            pages += [page for _, page in mine]
            right = frozenset(page.id for mark, page in mine if mark == "+")
            questions += [Question(path.stem, told, right) for mark, told in lines if mark == "?"]
    return questions, pages


def _page(language: str, mark: str, told: str) -> tuple[str, Document]:
    """Of what does not answer, no title is told: it is not to be known by having none."""
    title, _, text = told.rpartition(" | ")
    name = hashlib.sha256(told.encode()).hexdigest()[:12]
    page = document(text, url=f"https://{name}.example/", title=title, language=language)
    return mark, page


# ------------------------------------------------------------------------------------------------- finding


@dataclass(frozen=True)
class Found:
    """For each question and system the ids of the documents found, best first."""

    questions: Sequence[Question]
    orders: Mapping[str, Sequence[Sequence[str]]]


async def found(directory: Path, embedder: Embedder | None, questions: Sequence[Question],
                pages: Sequence[Document]) -> Found:  # fmt: skip
    """Everything is stored and embedded first; without an embedder there are words alone."""
    both, words = StoredLibrary(directory, embedder), StoredLibrary(directory)
    for page in pages:
        await both.store(page, run_id="run")
        await both.embed(page.id, run_id=page.id)  # a run of its own: none is cut short
    every = [page.id for page in pages]
    orders = {"words": [await _by(words, q, every) for q in questions]}
    if embedder:
        orders["meaning"] = await _by_meaning(both, questions, every)
        orders["both"] = [await _by(both, q, every) for q in questions]
    for library in (both, words):
        library._record.close()
    return Found(questions, orders)


async def _by(library: StoredLibrary, question: Question, every: Sequence[str]) -> list[str]:
    ranked = await library.find([question.text], documents=every, limit=3 * TOP)
    return list(dict.fromkeys(one.passage.document_id for one in ranked))[:TOP]


async def _by_meaning(library: StoredLibrary, questions: Sequence[Question], every: Sequence[str]) -> list[list[str]]:
    """The dense half of what the library fuses."""
    assert library._dense
    rows = library._record.rows_of(every)
    orders = []
    no_words = asyncio.get_running_loop().create_future()
    no_words.set_result([()])
    for question in questions:
        [ranking] = await library._dense.rankings([question.text], rows, no_words, 3 * TOP)
        passages = library._record.passages(ranking)
        orders.append(list(dict.fromkeys(passages[row].document_id for row in ranking))[:TOP])
    return orders


class Reads:
    """An embedder that is given every language, to see whether those that it was not made for gain by it."""

    def __init__(self, embedder: Embedder) -> None:
        self.name = f"{embedder.name}, whatever the language"
        self._embedder = embedder

    def reads(self, text: str) -> bool:
        return True

    async def embed(self, texts: Sequence[str], *, query: bool = False, urgent: bool = False) -> np.ndarray:
        return await self._embedder.embed(texts, query=query, urgent=urgent)


# ------------------------------------------------------------------------------------------------- figures


def ndcg(order: Sequence[str], right: frozenset[str]) -> float:
    """Each right document counts the same: 1 at the first place, by the logarithm less further down."""
    gained = sum(1 / math.log2(place + 2) for place, each in enumerate(order[:TOP]) if each in right)
    return gained / sum(1 / math.log2(place + 2) for place in range(min(TOP, len(right))))


def recall(order: Sequence[str], right: frozenset[str]) -> float:
    return len(right & set(order[:TOP])) / len(right)


def per_question(of: Found, system: str, measure: str = "ndcg") -> np.ndarray:
    score = {"ndcg": ndcg, "recall": recall}[measure]
    pairs = zip(of.orders[system], of.questions, strict=True)
    return np.array([score(order, question.answered_by) for order, question in pairs])


def interval(values: np.ndarray) -> tuple[float, float]:
    """Of the mean, 95 %, by resampling the questions; for a paired comparison give it the differences."""
    drawn = np.random.default_rng(0).integers(0, len(values), (RESAMPLED, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), (2.5, 97.5))
    return float(low), float(high)


def languages(of: Found) -> dict[str, np.ndarray]:
    """Which questions are in which; `all` is last."""
    told = np.array([question.language for question in of.questions])
    return {**{str(each): told == each for each in sorted(set(told))}, "all": told != ""}


def below(of: Found) -> list[str]:
    """The bars that are missed, in words."""
    missed = []
    last = "both" if "both" in of.orders else "words"
    scores = {system: per_question(of, system) for system in of.orders}
    for language, mine in languages(of).items():
        cost = float((scores["words"] - scores[last])[mine].mean())
        if cost > WORSE:
            missed.append(f"{language}: words and meaning {cost:.3f} below words alone, at most {WORSE}")
        reached = float(scores[last][mine].mean())
        if last == "both" and reached < FLOORS.get(language, 0):
            missed.append(f"{language}: {reached:.3f}, at least {FLOORS[language]}")
    return missed


def table(of: Found) -> str:
    head = f"{'language':<10}{'questions':>9}" + "".join(f"{s:>25}" for s in of.orders)
    lines = []
    for measure in ("ndcg", "recall"):
        lines += [f"{'nDCG@10' if measure == 'ndcg' else 'recall@10'}, with 95 % by resampling", head]
        scores = {system: per_question(of, system, measure) for system in of.orders}
        for language, mine in languages(of).items():
            cells = "".join(f"{_with(scores[system][mine]):>25}" for system in of.orders)
            lines.append(f"{language:<10}{int(mine.sum()):>9}{cells}")
        lines.append("")
    return "\n".join([*lines, *_compared(of)])


def _with(values: np.ndarray, form: str = "") -> str:
    low, high = interval(values)
    return f"{values.mean():{form}.3f} [{low:{form}.3f}, {high:{form}.3f}]"


def _compared(of: Found) -> list[str]:
    if "both" not in of.orders:
        return []
    scores = {system: per_question(of, system) for system in of.orders}
    lines = ["nDCG@10 of both less that of one, paired", f"{'language':<19}{'words':>25}{'meaning':>25}"]
    for language, mine in languages(of).items():
        cells = "".join(f"{_with((scores['both'] - scores[s])[mine], '+'):>25}" for s in ("words", "meaning"))
        lines.append(f"{language:<19}{cells}")
    return lines


# ------------------------------------------------------------------------------------------------- offsets


async def wrong_offsets(directory: Path, pages: Sequence[Document]) -> tuple[int, int]:
    """Passages that are not what stands at their place, or places that no passage has; of so many passages."""
    library, wrong, count = StoredLibrary(directory), 0, 0
    for page in [*pages, *_long_ones(pages)]:
        await library.store(page, run_id="run")
        passages = library._record.passages(row for (row,) in library._record.rows(
            "SELECT p.row FROM passages p JOIN documents d ON d.row = p.document WHERE d.id = ?", page.id))  # fmt: skip
        own = sorted(passages.values(), key=lambda passage: passage.start)
        wrong += sum(page.text[passage.start : passage.end] != passage.text for passage in own)
        wrong += "".join("".join(p.text for p in own).split()) != "".join(page.text.split())
        count += len(own)
    library._record.close()
    return wrong, count


def _long_ones(pages: Sequence[Document]) -> list[Document]:
    """All of a language on one page, once as sections and once as a table: passages that are cut for their length."""
    made = []
    for language in sorted({page.language for page in pages if page.language}):
        mine = [page for page in pages if page.language == language]
        sections = "\n\n".join(f"## {page.title}\n\n{page.text}" for page in mine)
        rows = "\n".join(f"| {page.title} | {page.text} |" for page in mine)
        run_on = " ".join(page.text for page in mine)
        made += [document(text, url=f"https://long.example/{language}") for text in (sections, rows, run_on)]
    return made


# ------------------------------------------------------------------------------------------------- the report


async def report(embedder: Embedder | None) -> tuple[str, bool]:
    questions, pages = load()
    with tempfile.TemporaryDirectory(prefix="r1-research-eval-") as place:
        of = await found(Path(place) / "own", embedder, questions, pages)
        told = [f"{len(questions)} questions over {len(pages)} passages", table(of)]
        if embedder:
            everything = await found(Path(place) / "every", Reads(embedder), questions, pages)
            told.append(f"The same with every language given to the embedder\n\n{table(everything)}")
        wrong, count = await wrong_offsets(Path(place) / "offsets", pages)
    missed = below(of) + ([f"offsets: {wrong} are wrong"] if wrong else [])
    told.append(f"offsets: {count - wrong} of {count} passages are exactly what stands at their place")
    told.append("\n".join(["below a bar:", *missed]) if missed else "below a bar: nothing")
    return "\n\n".join(told), not missed


def main() -> int:
    embedder = installed(Settings().cache_home)
    if embedder is None:
        sys.stdout.write("No embedder is set up (`make embedder`): words alone.\n\n")
    text, holds = asyncio.run(report(embedder))
    sys.stdout.write(text + "\n")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
