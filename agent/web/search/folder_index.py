"""Which files fit a question, best first: SQLite's FTS5 over names and texts, in memory.

Knows names, texts and questions.  Reads no file.  Its methods block for some milliseconds and may be called from any
thread.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass

from agent.text.lexical import index_terms, match, telling_terms

_NAME_WEIGHT = 3.0  # a file's name and title say more of it than its text does
_EXCERPT = 300  # characters


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
            row = (url, name, text, index_terms(name), index_terms(text))
            self._rows[url] = self._tables.execute("INSERT INTO file VALUES (?, ?, ?, ?, ?)", row).lastrowid or 0

    def drop(self, url: str) -> None:
        with self._lock, self._tables:
            self._delete(url)

    def _delete(self, url: str) -> None:
        self._tables.execute("DELETE FROM file WHERE rowid = ?", (self._rows.pop(url, -1),))

    def find(self, question: str, limit: int) -> list[Found]:
        """At most `limit` files that share a word with the question."""
        wanted = match(question)
        if not wanted:
            return []
        with self._lock:
            rows = self._tables.execute(
                "SELECT url, name, text FROM file WHERE file MATCH ? ORDER BY bm25(file, 0, 0, 0, ?, 1.0), url LIMIT ?",
                (wanted, _NAME_WEIGHT, limit),
            ).fetchall()
        telling = telling_terms(question)
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
