"""How fast the library finds, in every state of the dense index, and how fast passages are embedded: figures, no test.

    python -m tests.library.bench [PASSAGES …]      default: 1000 10000 100000; `make bench` runs it

The bar is 50 ms a question at 100,000 passages, whatever the state; what is above it is marked.  The last column is the
processor time of this process, which tells a slow library from a busy machine.

Texts are words drawn by Zipf's law, vectors are random ones: finding costs the same whatever they mean.  Nothing but
temporary files is written; the embedder is measured where it is set up.
"""

from __future__ import annotations

import asyncio
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import platformdirs

from agent.library.library import StoredLibrary
from agent.library.minilm import installed
from agent.library.place import Place
from agent.settings import APP
from tests.library.conftest import document

DIMENSION = 384  # MiniLM's
PER_DOCUMENT = 50  # passages
ASKED = 20  # questions a state
BAR = 50.0  # milliseconds, of the median
WORDS = 20_000
STOP_WORDS = 100  # the most common words, which no question is searched for by
STATE_SECONDS = 90.0  # for the index to come into the state that is measured


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
        text = "\n\n".join(f"# Part {number}.{n}\n\n{sentence(rng, 130)}" for n in range(PER_DOCUMENT))
        page = document(text, url=f"https://site{number % 50}.example/{number}", title=f"Page {number}")
        library._record.store(page, f"run {number % 40}")
        rows = library._dense._vectors.passages_of(page.id, 2 * PER_DOCUMENT)
        matrix = units(rng.standard_normal((len(rows), DIMENSION)).astype(np.float32))
        library._dense._vectors.add(known[0], rows, matrix)
    return time.perf_counter() - began


def told(name: str, seconds: Sequence[float], processor: float) -> str:
    found = sorted(seconds)
    median, late = 1000 * statistics.median(found), 1000 * found[int(0.95 * (len(found) - 1))]
    return f"  {name:<46}{median:8.1f}{late:8.1f}{1000 * processor:11.1f}{'  above the bar' if median > BAR else ''}"


async def asked(library: StoredLibrary, documents: Sequence[str] | None) -> tuple[list[float], float]:
    """Seconds of ASKED questions, and processor time of each: within some documents by `find`, in all by `search`."""
    rng, found, processor = np.random.default_rng(7), [], time.process_time()
    for n in range(ASKED):
        text = sentence(rng, 6, STOP_WORDS) + chr(97 + n % 26)
        began = time.perf_counter()
        if documents is None:
            await library.search([text], limit=10)
        else:
            await library.find([text], documents=documents, limit=20)
        found.append(time.perf_counter() - began)
    return found, (time.process_time() - processor) / ASKED


async def state(library: StoredLibrary, wanted: str) -> bool:
    index = (await library._dense._index())[1]
    deadline = time.perf_counter() + STATE_SECONDS
    while not (index.state == wanted and (wanted != "open" or index._told.get("missing") == 0)):
        if time.perf_counter() > deadline:
            return False
        await asyncio.sleep(0.01)
    return True


async def measured(directory: Path, passages: int) -> None:
    library = StoredLibrary(directory, RandomEmbedder())
    print(f"{passages:,} passages", flush=True)
    seconds = await fill(library, passages)
    size = sum(path.stat().st_size for path in directory.iterdir() if path.is_file())
    print(f"  stored in {seconds:.0f} s; {size / passages:,.0f} bytes a passage in the record", flush=True)
    every = [row for (row,) in library._record.rows("SELECT id FROM documents")]
    print(f"  {'milliseconds':<46}{'median':>8}{'95 %':>8}{'processor':>11}")
    await first_question(directory, every)
    await in_state(library, "no index", every)
    for name in ("opening", "open"):
        async with library.in_use():
            if await state(library, name):
                await in_state(library, name, every)
    async with library.in_use():
        await state(library, "open")
        index = (await library._dense._index())[1]
        index._told = {**index._told, "mark": 0}  # as though all had come since
        await in_state(library, "behind", every)
        index._crew._workers[0].interrupt()
        await in_state(library, "its process was killed", every)
    await locked(library, every)
    await state(library, "closed")  # its process may still be writing
    whole = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    print(f"  {whole / passages:,.0f} bytes a passage with Chroma; this process: {memory()} MB at most", flush=True)


async def locked(library: StoredLibrary, every: Sequence[str]) -> None:
    """As though another program had the index."""
    assert library._dense
    home = Path((await library._dense._index())[1]._where["home"])
    deadline, place = time.perf_counter() + STATE_SECONDS, Place(home)
    while not place.take() and time.perf_counter() < deadline:  # it is being given back
        await asyncio.sleep(0.05)
    async with library.in_use():
        if await state(library, "locked"):
            await in_state(library, "locked by another program", every)
    place.give_back()


async def first_question(directory: Path, every: Sequence[str]) -> None:
    """From opening to the first result; imports are there already."""
    library = StoredLibrary(directory, RandomEmbedder())
    began, processor = time.perf_counter(), time.process_time()
    await library.find(["anything a"], documents=every[:12], limit=10)
    print(
        told("opened, first result in one run's pages", [time.perf_counter() - began], time.process_time() - processor)
    )
    began, processor = time.perf_counter(), time.process_time()
    await library.search(["anything b"], limit=10)
    print(told("first result in the whole library", [time.perf_counter() - began], time.process_time() - processor))
    library._record.close()


async def in_state(library: StoredLibrary, name: str, every: Sequence[str]) -> None:
    await asked(library, None)  # what is read once is told of apart, as the first result
    for where, documents in (("one run's 12 pages", every[:12]), ("half of it", every[::2]), ("all of it", None)):
        print(told(f"{name}: {where}", *await asked(library, documents)), flush=True)


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


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
