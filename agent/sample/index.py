"""The sample web's search: which pages fit a question, best first.

SQLite's FTS5 in memory, with its BM25 and English stemming.  Knows titles and texts; nothing of HTTP.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterable

from agent.sample.catalogue import Entry, Stored
from agent.text.chunking import CJK
from agent.text.function_words import function_words

_TITLE_WEIGHT = 3.0  # a title's words say more than a text's; the question tests hold with 2 to 5
_TERMS = 64  # of a question, at most
_RUN = re.compile(f"[{CJK}]+")
_WORD = re.compile(r"[^\W_]+")
_COMPOUND = re.compile(r"(?<!\w)\w++(?:[-.,]\w++)+")  # R1-Zero, 5.5: looked for as a phrase too


class Index:
    def __init__(self, pages: Iterable[Stored]) -> None:
        self._entries: list[Entry] = []
        self._asking = threading.Lock()
        self._tables = sqlite3.connect(":memory:", check_same_thread=False)  # made in one thread, asked in another
        self._tables.execute("CREATE VIRTUAL TABLE page USING fts5(title, body, content='', tokenize='porter')")
        for row, page in enumerate(pages):
            self._entries.append(page.entry)
            terms = (row, _terms(page.entry.title), _terms(page.text))
            self._tables.execute("INSERT INTO page(rowid, title, body) VALUES (?, ?, ?)", terms)

    def find(self, question: str, limit: int) -> list[Entry]:
        """At most `limit` entries that share a word with the question, best first."""
        words = dict.fromkeys(_terms(question).casefold().split())
        telling = [word for word in words if word not in function_words("en")] or list(words)
        phrases = [_terms(compound) for compound in _COMPOUND.findall(question)]
        wanted = dict.fromkeys([*telling[:_TERMS], *phrases[:_TERMS]])
        if not wanted:
            return []
        statement = "SELECT rowid FROM page WHERE page MATCH ? ORDER BY bm25(page, ?, 1.0) LIMIT ?"
        expression = " OR ".join(f'"{words}"' for words in wanted)
        with self._asking:
            rows = self._tables.execute(statement, (expression, _TITLE_WEIGHT, limit)).fetchall()
        return [self._entries[row] for (row,) in rows]

    def close(self) -> None:
        self._tables.close()


def _terms(text: str) -> str:
    """Words with spaces between them; runs of Chinese, Japanese and Korean as overlapping pairs of characters."""
    return " ".join(_WORD.findall(_RUN.sub(_pairs, text)))


def _pairs(run: re.Match[str]) -> str:
    letters = "".join(_WORD.findall(run[0]))
    pairs = [letters[i : i + 2] for i in range(len(letters) - 1)] or [letters]
    return f" {' '.join(pairs)} "
