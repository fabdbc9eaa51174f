"""Documents, libraries and an embedder small enough to be understood, for this directory's tests."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from agent.library.record import Record
from agent.types import Document


def document(text: str, url: str = "https://a.example/page", **more: object) -> Document:
    told = {
        "title": "A page", "site": "a.example", "media_type": "text/html", "fetched_at": "2026-03-01T10:00:00+00:00",
        **more,
    }  # fmt: skip
    snapshot = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    identity = hashlib.sha256(f"{url}\n{snapshot}".encode()).hexdigest()
    return Document(id=identity, snapshot=snapshot, url=url, text=text, **told)  # type: ignore[arg-type]


class WordEmbedder:
    """A real, tiny embedder: words that begin alike point alike.  Counts what it is asked."""

    def __init__(self, name: str = "words", dimension: int = 64) -> None:
        self.name = name
        self.dimension = dimension
        self.asked: list[str] = []

    def reads(self, text: str) -> bool:
        return text.isascii()

    async def embed(self, texts: Sequence[str], *, query: bool = False, urgent: bool = False) -> np.ndarray:
        self.asked += texts
        matrix = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"[a-z]{4,}", text.lower()):
                seed = int.from_bytes(hashlib.sha256(word[:4].encode()).digest()[:4], "big")
                matrix[row] += np.random.default_rng(seed).standard_normal(self.dimension)
        return matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)


@pytest.fixture
def record(tmp_path: Path):
    record = Record(tmp_path / "library.sqlite3")
    yield record
    record.close()
