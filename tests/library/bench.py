"""How fast the library finds, in every state of the dense index, what it weighs, and how fast passages are embedded.

    python -m tests.library.bench [PASSAGES …]      default: 1000 10000 100000; `make bench` runs it

The bar is 50 ms a question at 100,000 passages, whatever the state; what is above it is marked.  The last column is the
processor time of this process, which tells a slow library from a busy machine.  An index that is broken, or
whose server is away, is not asked either, as one that is locked.

Texts are words drawn by Zipf's law, vectors lie around one centre a page.  Nothing but temporary files is written; the
embedder is measured where it is set up.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import platformdirs

from agent.library.chroma_store import IndexDirectory
from agent.library.minilm import installed
from agent.library.stored_library import StoredLibrary
from agent.settings import APP
from tests.library.conftest import document

DIMENSION = 384  # MiniLM's
PER_DOCUMENT = 50  # passages
ASKED = 20  # questions a state
BAR = 50.0  # milliseconds, of the median
WORDS = 20_000
STOP_WORDS = 100  # the most common words, which no question is searched for by
SPREAD = 0.7  # of a page's vectors around its centre, which is 1 long: neighbours have cosines of about 0.7
COMING = 5  # passages of a page that comes before each question where the index is to be behind
BUILT_SECONDS = 120.0, 0.02  # for the index to come into the state that is measured, and a passage


class RandomEmbedder:
    """Costs nothing, so that what is measured is finding."""

    name = "random"

    def reads(self, text: str) -> bool:
        return True

    async def embed(self, texts: Sequence[str], *, query: bool = False, urgent: bool = False) -> np.ndarray:
        rows = [np.random.default_rng(len(text) + ord(text[-1])).standard_normal(DIMENSION) for text in texts]
        return units(np.array(rows, np.float32).reshape(len(texts), DIMENSION))


def units(matrix: np.ndarray) -> np.ndarray:
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def vectors(rng: np.random.Generator, count: int) -> np.ndarray:
    """Of one page."""
    centre, around = rng.standard_normal((1, DIMENSION)), rng.standard_normal((count, DIMENSION))
    return units((units(centre) + SPREAD * units(around)).astype(np.float32))


def sentence(rng: np.random.Generator, words: int, beyond: int = 0) -> str:
    """`beyond`: of words less common than so many."""
    numbers = beyond + np.minimum(rng.zipf(1.2, words), WORDS)
    return " ".join("".join(chr(97 + (n * k) % 26) for k in (1, 3, 7, 11)) + str(n % 97) for n in numbers.tolist())


async def fill(library: StoredLibrary, passages: int) -> float:
    """Store so many passages with their vectors; seconds."""
    rng = np.random.default_rng(0)
    began = time.perf_counter()
    known = await library._dense._index()
    for number in range(passages // PER_DOCUMENT):
        add(library, known[0], rng, number, PER_DOCUMENT)
    return time.perf_counter() - began


def add(library: StoredLibrary, embedder: int, rng: np.random.Generator, number: int, passages: int) -> None:
    """A page with vectors."""
    text = "\n\n".join(f"# Part {number}.{n}\n\n{sentence(rng, 130)}" for n in range(passages))
    page = document(text, url=f"https://site{number % 50}.example/{number}", title=f"Page {number}")
    library._record.store(page, f"run {number % 40}")
    rows = library._dense._vectors.passages_of(page.id, 2 * passages)
    library._dense._vectors.add(embedder, rows, vectors(rng, len(rows)))


def told(name: str, seconds: Sequence[float], processor: float, bar: float = BAR) -> str:
    found = sorted(seconds)
    median, late = 1000 * statistics.median(found), 1000 * found[int(0.95 * (len(found) - 1))]
    return f"  {name:<56}{median:8.1f}{late:8.1f}{1000 * processor:11.1f}{'  above the bar' if median > bar else ''}"


async def asked(
    library: StoredLibrary, documents: Sequence[str] | None, *, texts: int = 1, before: Callable[[], None] | None = None
) -> tuple[list[float], float]:
    """Seconds of ASKED questions, and processor time of each: within some documents by `find`, in all by `search`.

    `before`: done before each, and not counted.
    """
    rng, found, processor = np.random.default_rng(7), [], 0.0
    for n in range(ASKED):
        questions = [sentence(rng, 6, STOP_WORDS) + chr(97 + n % 26) for _ in range(texts)]
        if before:
            before()
        began, processor = time.perf_counter(), processor - time.process_time()
        if documents is None:
            await library.search(questions, limit=10)
        else:
            await library.find(questions, documents=documents, limit=20)
        processor += time.process_time()
        found.append(time.perf_counter() - began)
    return found, processor / ASKED


async def state(library: StoredLibrary, wanted: str, passages: int) -> None:
    index = (await library._dense._index())[1]
    deadline = time.perf_counter() + BUILT_SECONDS[0] + BUILT_SECONDS[1] * passages
    while not (index.state == wanted and (wanted != "open" or index._told.get("missing") == 0)):
        if time.perf_counter() > deadline:
            raise SystemExit(f"the index was not {wanted} in time, but {index.state}: {index._told}")
        await asyncio.sleep(0.01)


async def measured(directory: Path, passages: int) -> None:
    library = StoredLibrary(directory, RandomEmbedder())
    print(f"{passages:,} passages", flush=True)
    seconds = await fill(library, passages)
    print(f"  stored in {seconds:.0f} s; {size(directory) / passages:,.0f} bytes a passage in the record", flush=True)
    every = [row for (row,) in library._record.rows("SELECT id FROM documents")]
    print(f"  {'milliseconds':<56}{'median':>8}{'95 %':>8}{'processor':>11}")
    await first_questions(directory, every, "opened first of all")
    await in_state(library, "no index", every)
    began, mine = time.perf_counter(), memory("self")
    async with library.in_use():
        await in_state(library, "being built", every)
        await state(library, "open", passages)
        built = time.perf_counter() - began
    await state(library, "closed", passages)
    await first_questions(directory, every, "opened")
    began = time.perf_counter()
    async with library.in_use():
        await in_state(library, "opening", every)
        await state(library, "open", passages)
        opened = time.perf_counter() - began
        await in_state(library, "open", every)
        number, index = await library._dense._index()
        rng, pages = np.random.default_rng(1), iter(range(passages, 2 * passages))

        def one_comes() -> None:
            add(library, number, rng, next(pages), COMING)
            index.announce()

        await in_state(library, "behind, as pages come", every, one_comes)
        await state(library, "open", passages)
        chromas = memory(index._crew.pids()[0])
        index._crew._workers[0].interrupt()
        await in_state(library, "its process was killed", every)
        await state(library, "open", passages)
    await state(library, "closed", passages)
    await locked(library, every, passages)
    await state(library, "closed", passages)
    print(f"  {size(directory) / passages:,.0f} bytes a passage with Chroma")
    print(f"  the index was built in {built:.0f} s and opened in {opened:.1f} s, with questions asked meanwhile")
    print(
        f"  memory at most: {mine} MB without Chroma, {memory('self')} MB with it; its process {chromas} MB", flush=True
    )


async def locked(library: StoredLibrary, every: Sequence[str], passages: int) -> None:
    """As though another program had the index."""
    place = IndexDirectory(Path((await library._dense._index())[1]._where["home"]))
    assert place.take()
    async with library.in_use():
        await state(library, "locked", passages)
        await in_state(library, "locked by another program", every)
    place.give_back()


async def first_questions(directory: Path, every: Sequence[str], name: str) -> None:
    """From opening to the first result, as in a program that has just begun; imports are there already."""
    for where, documents in (("one run's pages", every[:12]), ("the whole library", None)):
        library = StoredLibrary(directory, RandomEmbedder())
        began, processor = time.perf_counter(), time.process_time()
        if documents:
            await library.find(["anything a"], documents=documents, limit=10)
        else:
            await library.search(["anything b"], limit=10)
        seconds, processor = time.perf_counter() - began, time.process_time() - processor
        print(told(f"{name}: first result in {where}", [seconds], processor), flush=True)
        library._record.close()


async def in_state(
    library: StoredLibrary, name: str, every: Sequence[str], before: Callable[[], None] | None = None
) -> None:
    await asked(library, None)  # what is read once is told of apart, as the first result
    for where, documents, texts in (
        ("one run's 12 pages", every[:12], 1), ("half of it", every[::2], 1),
        ("all of it", None, 1), ("all of it, three at once", None, 3),
    ):  # fmt: skip
        seconds, processor = await asked(library, documents, texts=texts, before=before)
        print(told(f"{name}: {where}", seconds, processor, texts * BAR), flush=True)


def size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def memory(process: int | str) -> int:
    """Megabytes that were resident at most; 0 where the system does not tell."""
    try:
        told = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{process}/status").read_text())
    except OSError:
        told = None
    return int(told[1]) // 1024 if told else 0


def embedder() -> None:
    found = installed(platformdirs.user_cache_path(APP, appauthor=False))
    if found is None:
        print("the built-in embedder is not set up: `python -m agent setup-embeddings`")
        return
    texts = [
        ("Reward models rate replies, and a policy learns from their ratings. " * 15)[n : n + 1_000] for n in range(60)
    ]
    found.encode(texts[:2])
    began = time.perf_counter()
    found.encode(texts)
    print(f"{found.name}: {len(texts) / (time.perf_counter() - began):.0f} passages of 1,000 characters a second")
    began = time.perf_counter()
    for _ in range(20):
        found.encode(["how are replies rated in training?"])
    print(f"{found.name}: {50 * (time.perf_counter() - began):.1f} ms a question")


def main() -> None:
    embedder()
    for passages in [int(each) for each in sys.argv[1:]] or [1_000, 10_000, 100_000]:
        with tempfile.TemporaryDirectory(prefix="r1-research-bench-", ignore_cleanup_errors=True) as place:
            asyncio.run(measured(Path(place), passages))


if __name__ == "__main__":
    main()
