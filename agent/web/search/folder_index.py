"""Which files fit a question, best first: SQLite's FTS5 over names and texts, in memory.

Knows names, texts and questions.  Reads no file.  Its methods block for some milliseconds and may be called from any
thread.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from dataclasses import dataclass

from agent.text.chunking import CJK
from agent.text.function_words import function_words
from agent.text.language import detect

_NAME_WEIGHT = 3.0  # a file's name and title say more of it than its text does
_TERMS = 64  # of a question, at most
_EXCERPT = 300  # characters
_RUN = re.compile(f"[{CJK}]+")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Found:
    url: str
    name: str
    excerpt: str


class FolderIndex:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, int] = {}  # by URL
        self._tables = sqlite3.connect(":memory:", check_same_thread=False)
        self._tables.execute(
            "CREATE VIRTUAL TABLE file USING fts5("
            "url UNINDEXED, name UNINDEXED, text UNINDEXED, naming, body, tokenize='porter')"
        )

    def put(self, url: str, name: str, text: str) -> None:
        """Index a file anew; `name` is every word that names it."""
        with self._lock, self._tables:
            self._delete(url)
            row = (url, name, text, _terms(name), _terms(text))
            self._rows[url] = self._tables.execute("INSERT INTO file VALUES (?, ?, ?, ?, ?)", row).lastrowid or 0

    def drop(self, url: str) -> None:
        with self._lock, self._tables:
            self._delete(url)

    def _delete(self, url: str) -> None:
        self._tables.execute("DELETE FROM file WHERE rowid = ?", (self._rows.pop(url, -1),))

    def find(self, question: str, limit: int) -> list[Found]:
        """At most `limit` files that share a word with the question."""
        words = list(dict.fromkeys(_terms(question).casefold().split()))
        small = function_words(detect(question))
        telling = ([word for word in words if word not in small] or words)[:_TERMS]
        if not telling:
            return []
        wanted = " OR ".join(f'"{word}"' for word in telling)
        with self._lock:
            rows = self._tables.execute(
                "SELECT url, name, text FROM file WHERE file MATCH ? ORDER BY bm25(file, 0, 0, 0, ?, 1.0), url LIMIT ?",
                (wanted, _NAME_WEIGHT, limit),
            ).fetchall()
        return [Found(url, name, _excerpt(text, telling)) for url, name, text in rows]


def _excerpt(text: str, words: list[str]) -> str:
    """The line that shares most words with the question, cut to size around the first of them."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    best = max(lines, key=lambda line: sum(word in line.casefold() for word in words))
    places = [at for word in words if (at := best.casefold().find(word)) >= 0]
    start = max(min(places, default=0) - _EXCERPT // 3, 0)
    return best[start : start + _EXCERPT]


def _terms(text: str) -> str:
    """Words with spaces between them; runs of Chinese, Japanese and Korean as overlapping pairs of characters."""
    return " ".join(_WORD.findall(_RUN.sub(_pairs, text)))


def _pairs(run: re.Match[str]) -> str:
    letters = "".join(_WORD.findall(run[0]))
    pairs = [letters[i : i + 2] for i in range(len(letters) - 1)] or [letters]
    return f" {' '.join(pairs)} "
