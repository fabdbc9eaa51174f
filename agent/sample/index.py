"""The sample web's search: which pages fit a question, best first.

SQLite's FTS5 in memory, with its BM25 and English stemming.  Knows titles and texts; nothing of HTTP.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable

from agent.sample.catalogue import Entry, Stored
from agent.text.lexical import index_terms, match

_TITLE_WEIGHT = 3.0  # a title's words say more than a text's; the question tests hold with 2 to 5


class Index:
    def __init__(self, pages: Iterable[Stored]) -> None:
        self._entries: list[Entry] = []
        self._asking = threading.Lock()
        self._tables = sqlite3.connect(":memory:", check_same_thread=False)  # made in one thread, asked in another
        self._tables.execute("CREATE VIRTUAL TABLE page USING fts5(title, body, content='', tokenize='porter')")
        for row, page in enumerate(pages):
            self._entries.append(page.entry)
            terms = (row, index_terms(page.entry.title), index_terms(page.text))
            self._tables.execute("INSERT INTO page(rowid, title, body) VALUES (?, ?, ?)", terms)

    def find(self, question: str, limit: int) -> list[Entry]:
        """At most `limit` entries that share a word with the question, best first."""
        wanted = match(question)
        if not wanted:
            return []
        statement = "SELECT rowid FROM page WHERE page MATCH ? ORDER BY bm25(page, ?, 1.0) LIMIT ?"
        with self._asking:
            rows = self._tables.execute(statement, (wanted, _TITLE_WEIGHT, limit)).fetchall()
        return [self._entries[row] for (row,) in rows]

    def close(self) -> None:
        self._tables.close()
