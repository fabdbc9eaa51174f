"""The index of words: what goes into it for a passage, how that comes out again, and how all of it is made anew.

Knows the `words` table, which keeps no text of its own: what was put in must be named exactly to be taken out.  Does
not know how words are looked for (`agent.text.lexical` makes both sides' terms).
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from functools import cache

from agent.text.lexical import index_terms

Terms = tuple[str, str]  # of the passage, and of the title and headings above it

KEY = "words"  # in `about`: by which form of the terms the index was made
_PROBE = (
    "R1-Zero, 5.576 million (Übungen) 推論モデル 추론 모델은 ภาษาขนาด don't AT&T ＤｅｅｐＳｅｅｋ snake_case ﬁne Модель"
)
_STORED = """
    SELECT p.row, p.start, p."end", p.heading, d.title, d.snapshot FROM passages p
    JOIN documents d ON d.row = p.document WHERE d.row = ? ORDER BY p.row"""


@cache
def form() -> str:
    """Changes when texts are turned into terms in another way: an index that was made so must be made anew."""
    return hashlib.sha256(index_terms(_PROBE).encode()).hexdigest()[:16]


def terms(passage: str, title: str, heading: str) -> Terms:
    return index_terms(passage), index_terms(f"{title} {heading}")


def add(connection: sqlite3.Connection, row: int, found: Terms, table: str = "words") -> None:
    connection.execute(f"INSERT INTO {table} (rowid, text, head) VALUES (?, ?, ?)", (row, *found))  # noqa: S608 - ours


def take_out(connection: sqlite3.Connection, row: int, found: Terms) -> None:
    """`found`: exactly what was added, or the index counts wrongly from then on."""
    connection.execute("INSERT INTO words (words, rowid, text, head) VALUES ('delete', ?, ?, ?)", (row, *found))


def of_document(
    connection: sqlite3.Connection, document: int, text: Callable[[str], str]
) -> Iterator[tuple[int, Terms]]:
    """Each passage's row, and its terms from the stored text.  `text`: a snapshot's."""
    for row, start, end, heading, title, snapshot in connection.execute(_STORED, (document,)).fetchall():
        yield row, terms(text(snapshot)[start:end], title, heading)


def create(connection: sqlite3.Connection, table: str) -> None:
    """An empty index of the same form as the one that is there."""
    (form,) = connection.execute("SELECT sql FROM main.sqlite_master WHERE name = 'words'").fetchone()
    connection.execute(f"CREATE VIRTUAL TABLE {table} {form[form.index('USING') :]}")


def is_current(connection: sqlite3.Connection) -> bool:
    """Was the index made by this program's form of the terms?"""
    found = connection.execute("SELECT value FROM about WHERE key = ?", (KEY,)).fetchone()
    return bool(found) and found[0] == form()


def told(connection: sqlite3.Connection) -> None:
    """The index is of this program's form."""
    connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (KEY, form()))


def doubted(connection: sqlite3.Connection) -> None:
    """The index holds what cannot be named any more: it is to be made anew."""
    connection.execute("DELETE FROM about WHERE key = ?", (KEY,))
