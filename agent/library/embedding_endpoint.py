"""An embedder behind an OpenAI-compatible `/embeddings` endpoint; Ollama's, vLLM's and others' are such, too.

Knows requests, replies and what can be wrong with them.  Does not know vectors' later life.  Texts are sent as strings,
never as tokens: no table of any tokeniser is needed, and every such server takes strings.  No error shows the key."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agent.errors import LibraryError
from agent.library.embedder import unit_vectors
from agent.text.ranking import estimate_tokens

if TYPE_CHECKING:
    import ssl

    import httpx2
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

OLLAMA = "http://localhost:11434/v1"  # asked where only a model is named
BATCH = 32  # texts a request: what Hugging Face's server takes at most by default
AT_ONCE = 4  # requests
ATTEMPTS = 3
PAUSE = 0.5  # seconds before the second attempt; twice that before the third
LONGEST_PAUSE = 5.0  # however long a server asks for
URGENT_SECONDS = 15.0  # in all, where a question waits: a local server may have to load its model first …
SECONDS = 120.0  # … and where nobody does
LARGEST_REPLY = 64_000_000  # bytes: 32 vectors of 4,096 numbers are 3 MB
SHORTEST = 100  # characters: a text that is refused as too long is not halved below this
_TOO_MUCH = {400, 413, 422}  # refused for its length or the number of its texts, as servers variously say
_TOO_LARGE = re.compile(r"too (large|long)|context length|batch size", re.IGNORECASE)  # llama.cpp says so with 500
_TRY_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504}


class _Refused(Exception):
    def __init__(self, status: int, told: str, pause: float = 0.0) -> None:
        super().__init__(told)
        self.status, self.told, self.pause = status, told, pause
        self.is_too_much = status in _TOO_MUCH or (status == 500 and bool(_TOO_LARGE.search(told)))


@dataclass(frozen=True, slots=True)
class EmbeddingsEndpoint:
    model: str
    base_url: str = OLLAMA
    key: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """An address without a path is that of a server whose API is below /v1."""
        base = self.base_url.rstrip("/")
        return f"{base}{'' if urlsplit(base).path else '/v1'}/embeddings"

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).netloc.rpartition("@")[2]


class EndpointEmbedder:
    """Fulfils `Embedder`.  It reads every language: which ones well, only the model's card can tell.

    Its name is the model's alone: the same model elsewhere gives the same vectors, and what does not is told apart by
    its vector of a fixed text (`Vectors.embedder`).
    """

    def __init__(self, endpoint: EmbeddingsEndpoint) -> None:
        self.name = endpoint.model
        self._at = endpoint
        self._instructions = instructions_for(endpoint.model)
        self._tls: ssl.SSLContext | None = None

    def reads(self, text: str) -> bool:
        return True

    async def embed(self, texts: Sequence[str], *, query: bool = False, urgent: bool = False) -> Matrix:
        """Texts of more than one window get the mean of their windows' vectors."""
        import numpy as np

        if not texts:
            return np.zeros((0, 0), np.float32)
        before = self._instructions.query if query else self._instructions.passage
        pieces = [[f"{before}{piece}" for piece in windows(_sendable(text))] for text in texts]
        seconds = URGENT_SECONDS if query or urgent else SECONDS
        try:
            async with asyncio.timeout(seconds):
                matrix = await self._vectors(list(itertools.chain(*pieces)))
        except TimeoutError as e:
            raise LibraryError(f"{self._where()} took longer than {seconds:g} s") from e
        return together(matrix, [len(each) for each in pieces])

    async def _vectors(self, texts: Sequence[str]) -> Matrix:
        """In order; AT_ONCE requests side by side, on connections of this call's own: it may be on any event loop."""
        import httpx2
        import numpy as np

        turn = asyncio.Semaphore(AT_ONCE)
        verify = await self._trusted() if self._at.base_url.lower().startswith("https") else False
        async with httpx2.AsyncClient(timeout=SECONDS, verify=verify, headers=self._headers()) as client:

            async def one(batch: Sequence[str]) -> Matrix:
                async with turn:
                    return await self._batch(client, batch)

            batches = [texts[i : i + BATCH] for i in range(0, len(texts), BATCH)]
            parts = await _all_or_none([one(batch) for batch in batches])
        if len({part.shape[1] for part in parts}) > 1:
            raise LibraryError(f"{self._where()} gave vectors of different lengths")
        return np.concatenate(parts)

    def _headers(self) -> dict[str, str]:
        key = self._at.key
        if not (key.isascii() and key.isprintable()):  # what is raised for such a header would show it
            raise LibraryError("AGENT_EMBEDDINGS_API_KEY is no key: it has a character in it that no key has")
        return {"Accept": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}

    async def _trusted(self) -> ssl.SSLContext:
        """Read once a process: 20 ms, beside the event loop."""
        if self._tls is None:
            import ssl

            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls

    async def _batch(self, client: httpx2.AsyncClient, texts: Sequence[str]) -> Matrix:
        """Halved where the server finds it too much: first the number of texts, then the one text."""
        import numpy as np

        try:
            return await self._asked(client, texts)
        except _Refused as e:
            if not e.is_too_much or (len(texts) == 1 and len(texts[0]) < 2 * SHORTEST):
                raise self._error(e) from e
        if len(texts) > 1:
            middle = len(texts) // 2
            halves = [await self._batch(client, half) for half in (texts[:middle], texts[middle:])]
            return np.concatenate(halves)
        middle = len(texts[0]) // 2
        before = self._instructions.passage if texts[0].startswith(self._instructions.passage) else ""
        halves = [await self._batch(client, [half]) for half in (texts[0][:middle], before + texts[0][middle:])]
        return together(np.concatenate(halves), [2])

    async def _asked(self, client: httpx2.AsyncClient, texts: Sequence[str]) -> Matrix:
        """One request, and again where that may help.  Raises `_Refused` and `LibraryError`."""
        import httpx2

        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._checked(await self._reply(client, texts), len(texts))
            except httpx2.HTTPError as e:
                if attempt == ATTEMPTS:
                    raise LibraryError(
                        f"{self._where()} does not answer ({_in_a_line(str(e), type(e).__name__)})"
                    ) from e
                pause = PAUSE * attempt
            except (httpx2.InvalidURL, ValueError) as e:
                raise LibraryError(f"{self._where()} cannot be asked: {_in_a_line(str(e), type(e).__name__)}") from e
            except _Refused as e:
                if e.is_too_much or e.status not in _TRY_AGAIN or attempt == ATTEMPTS:
                    raise
                pause = min(LONGEST_PAUSE, max(e.pause, PAUSE * attempt))
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def _reply(self, client: httpx2.AsyncClient, texts: Sequence[str]) -> bytes:
        wanted = {"model": self._at.model, "input": list(texts), "encoding_format": "float"}
        async with client.stream("POST", self._at.url, json=wanted) as response:
            body = b""
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > LARGEST_REPLY:
                    raise LibraryError(f"{self._where()} sent more than {LARGEST_REPLY // 1_000_000} MB")
            if response.status_code != 200:
                raise _Refused(response.status_code, _words(body), _seconds(response.headers.get("retry-after", "")))
            return body

    # --------------------------------------------------------------------------------------------- what came

    def _checked(self, body: bytes, count: int) -> Matrix:
        """The vectors in the order of the texts: servers may give them in another, and tell by `index`."""
        import numpy as np

        try:
            rows = json.loads(body)["data"]
            places = [int(row.get("index", place)) for place, row in enumerate(rows)]
            vectors = dict(zip(places, (row["embedding"] for row in rows), strict=True))
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            told = _in_a_line(body[:100].decode(errors="replace"), "nothing")
            raise LibraryError(f"{self._where()} sent what is no list of embeddings: {told}") from e
        if sorted(places) != list(range(count)):
            raise LibraryError(f"{self._where()} gave {len(rows)} vectors for {count} texts")
        try:
            matrix = unit_vectors([vectors[place] for place in range(count)], count, self._where())
        except (TypeError, ValueError, OverflowError) as e:
            raise LibraryError(f"{self._where()} gave vectors that are no numbers") from e
        if not np.linalg.norm(matrix, axis=1).all():
            raise LibraryError(f"{self._where()} gave a vector of zeros: is {self._at.model!r} an embedding model?")
        return matrix

    # --------------------------------------------------------------------------------------------- what went wrong

    def _where(self) -> str:
        return f"the embedder {self._at.model!r} at {self._at.host}"

    def _error(self, refused: _Refused) -> LibraryError:
        key = self._at.key
        told = _in_a_line(refused.told.replace(key, "…") if len(key) > 4 else refused.told, "no reason given")
        match refused.status:
            case 401 | 403:
                told = "it does not accept the key: set AGENT_EMBEDDINGS_API_KEY to one of that endpoint"
            case 404 | 405:
                told += "; check AGENT_EMBEDDINGS_MODEL and AGENT_EMBEDDINGS_BASE_URL, which mostly ends in /v1"
        return LibraryError(f"{self._where()} refuses ({refused.status}): {told}")


async def _all_or_none(asked: Sequence[Any]) -> list[Any]:
    """All replies, in order; with the first that fails the others end."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in asked]
    except* LibraryError as e:
        raise e.exceptions[0] from None
    return [task.result() for task in tasks]


def _sendable(text: str) -> str:
    """No server takes half a surrogate pair, and some take no empty text."""
    return text.encode("utf-8", "replace").decode() if text.strip() else "."


def _words(body: bytes) -> str:
    """The server's own, out of whichever form it gives them in."""
    text = body[:2_000].decode(errors="replace")
    try:
        found = json.loads(text)
    except ValueError:
        return text
    for name in ("error", "message", "detail"):
        found = found.get(name, found) if isinstance(found, dict) else found
    return str(found)


def _in_a_line(text: str, otherwise: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200] or otherwise


def _seconds(told: str) -> float:
    try:
        return max(0.0, float(told))
    except ValueError:
        return 0.0


# ------------------------------------------------------------------------------------------ instructions

# What families of embedding models want before a question and before a passage.
#
# Knows their cards' words, by model name.  Does not know endpoints.  A new family is one line; a model that is not
# named here gets its texts as they are.


@dataclass(frozen=True, slots=True)
class Instructions:
    query: str = ""
    passage: str = ""


_SENTENCE = "Represent this sentence for searching relevant passages: "
_TASK = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:"
_FAMILIES = (  # the first that fits; each as the model's card on Hugging Face has it
    ("nomic-embed", Instructions("search_query: ", "search_document: ")),  # nomic-ai/nomic-embed-text-v1.5
    ("e5.*-instruct|e5-mistral", Instructions(f"{_TASK} ")),  # intfloat/multilingual-e5-large-instruct
    (r"(^|[/\-_])e5-", Instructions("query: ", "passage: ")),  # intfloat/multilingual-e5-base
    ("qwen3-embedding", Instructions(_TASK)),  # Qwen/Qwen3-Embedding-0.6B: no space after "Query:"
    ("bge-.*-zh", Instructions("为这个句子生成表示以用于检索相关文章：")),  # BAAI/bge-base-zh-v1.5
    ("bge-.*-en", Instructions(_SENTENCE)),  # BAAI/bge-base-en-v1.5; bge-m3 wants none
    ("bge-(small|base|large)$", Instructions(_SENTENCE)),  # Ollama's names for the English ones
    ("mxbai-embed", Instructions(_SENTENCE)),  # mixedbread-ai/mxbai-embed-large-v1
    ("arctic-embed(2|-[ml]-v2)", Instructions("query: ")),  # Snowflake/snowflake-arctic-embed-l-v2.0
    ("arctic-embed", Instructions(_SENTENCE)),  # Snowflake/snowflake-arctic-embed-m
    ("embeddinggemma", Instructions("task: search result | query: ", "title: none | text: ")),  # google/…-300m
)


def instructions_for(model: str) -> Instructions:
    """`model`: as an endpoint names it, with or without an owner before it and Ollama's tag behind."""
    name = model.lower().partition(":")[0]
    return next((found for pattern, found in _FAMILIES if re.search(pattern, name)), Instructions())


# ------------------------------------------------------------------------------------------ windows

# Texts that may be longer than an embedder reads: cut into windows, and the windows' vectors put together again.
#
# Knows that an embedder of which nothing is told reads 512 tokens and may drop the rest without a word.  Does not
# know which embedder it is.


TOKENS = 400  # estimated: tables and addresses have up to a quarter more, and 512 is what small models read
OVERLAP = 100  # characters that two windows of one text share
LONGEST = 20_000  # characters of one text that are read: some 15 windows
_SPACE = re.compile(r"\s")


def windows(text: str) -> list[str]:
    """The text, or overlapping pieces of it that together are all of it, each of at most TOKENS; at least one."""
    return list(_cut(text[:LONGEST]))


def _cut(text: str) -> Iterator[str]:
    while estimate_tokens(text) > TOKENS:
        end = _fitting(text)
        yield text[:end]
        text = text[max(1, end - OVERLAP) :]
    yield text


def _fitting(text: str) -> int:
    """Where the first window ends: at a space in its last fifth, where there is one."""
    end = min(len(text), 4 * TOKENS)
    while estimate_tokens(text[:end]) > TOKENS:
        end = max(1, end * 4 // 5)
    spaces = [found.start() for found in _SPACE.finditer(text, end * 4 // 5, end)]
    return spaces[-1] if spaces else end


def together(matrix: Matrix, counts: Sequence[int]) -> Matrix:
    """A unit vector a text: the mean of its windows' unit vectors, which stand one text's after the other's."""
    import numpy as np

    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(int)
    mean = np.add.reduceat(matrix, starts, axis=0)
    return np.asarray(mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12), np.float32)
