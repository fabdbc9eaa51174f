"""The built-in embedder: all-MiniLM-L6-v2 in int8, on the onnxruntime and tokenizers that chromadb brings.

Knows how a text becomes tokens, windows and a vector.  Does not know how the model's files came to be there
(`agent.library.minilm_setup`), nor what is done with vectors.  Nothing is downloaded here, ever.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import LibraryError
from agent.library.bert_onnx import INPUT
from agent.text.language import detect
from agent.worker_pool import BlockingExecutor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

MODEL, TOKENIZER, ORIGIN = "model.onnx", "tokenizer.json", "origin.json"
WINDOW = 256  # tokens: what the model was trained on
OVERLAP = 32  # tokens that two windows of one text share
MAX_CHARACTERS = 16_000  # of one text: some 16 windows
BATCH = 64  # texts for which a lane is held: about half a second


def directory(cache_home: Path) -> Path:
    """Where the model's files are, below the user's cache directory."""
    return cache_home / "embedder" / "minilm-int8"


def installed(cache_home: Path) -> MiniLM | None:
    """The embedder, where its files are there; one for the whole process."""
    place = directory(cache_home)
    return _at(place) if (place / ORIGIN).is_file() else None


class MiniLM:
    """A text of several windows gets the mean of their vectors."""

    name = "all-MiniLM-L6-v2 int8"

    def __init__(self, place: Path) -> None:
        self._place = place
        self._loading = threading.Lock()
        self._loaded: tuple[int, Any, Any] | None = None  # process, tokenizer, session
        self._urgent = BlockingExecutor("embed-now", 1)
        self._patient = BlockingExecutor("embed", 1)

    def reads(self, text: str) -> bool:
        return detect(text) == "en"

    async def embed(self, texts: Sequence[str], *, query: bool = False, urgent: bool = False) -> Matrix:
        """Questions and passages are treated alike: the model knows no difference."""
        import numpy as np

        lane = self._urgent if query or urgent else self._patient
        parts = [await lane.run(self.encode, texts[i : i + BATCH]) for i in range(0, len(texts), BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)

    def encode(self, texts: Sequence[str]) -> Matrix:
        """`embed`, in the caller's own thread: about 5 ms a passage."""
        import numpy as np

        tokenizer, session = self._parts()
        return np.stack([_vector(tokenizer, session, text) for text in texts])

    def _parts(self) -> tuple[Any, Any]:
        with self._loading:
            if self._loaded is None or self._loaded[0] != os.getpid():
                _LEFT_BEHIND.append(self._loaded)
                self._loaded = (os.getpid(), *_load(self._place))
            return self._loaded[1:]


_at = cache(MiniLM)
_LEFT_BEHIND: list[
    object
] = []  # sessions from before a fork: to free one would wait for threads that did not come along


def _vector(tokenizer: Any, session: Any, text: str) -> Matrix:
    import numpy as np

    windows = [session.run(None, {INPUT: np.array([ids])})[0][0] for ids in _windows(tokenizer, text)]
    mean = np.mean(windows, axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def _windows(tokenizer: Any, text: str) -> Iterator[list[int]]:
    whole = tokenizer.encode(text[:MAX_CHARACTERS].encode("utf-8", "replace").decode())
    for window in (whole, *whole.overflowing):
        yield window.ids


def _load(place: Path) -> tuple[Any, Any]:
    """0.1 s, most of it for importing onnxruntime."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before the import, which else leaves a device id behind
    import onnxruntime
    from tokenizers import Tokenizer

    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(3)  # warnings about graphics cards would stand among the user's progress
    try:
        tokenizer = Tokenizer.from_file(str(place / TOKENIZER))
        session = onnxruntime.InferenceSession(str(place / MODEL), _options(), providers=["CPUExecutionProvider"])
    except Exception as e:
        raise LibraryError(f"the embedder in {place} is damaged ({e}): run `python -m agent setup-embeddings`") from e
    tokenizer.no_padding()
    tokenizer.enable_truncation(WINDOW, stride=OVERLAP)
    return tokenizer, session


def _options() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(4, os.cpu_count() or 1)
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads must not burn a processor
    return options
