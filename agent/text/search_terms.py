"""Words as SQLite's FTS5 sees them: what is indexed of a text, and what is looked for with a question.

Knows scripts and FTS5's query syntax.  Does not know tables.

FTS5's `unicode61` takes a run of letters as one word, so a Chinese sentence would be one word.  Runs of scripts that
write without spaces are therefore indexed as overlapping pairs of characters, and looked for in the same way.

FTS5's `porter` knows the endings of English only.  Of other languages the beginnings of long words are indexed beside
the words, so that their forms meet, whatever the language.  A question in English does not look for them: its names
would count for more in the few pages of another language than in its own.
"""

from __future__ import annotations

import re
import unicodedata

from agent.text.chunking import CJK
from agent.text.language import detect, speakers_of

MAX_TERMS = 64  # of a question; a pasted page need not be looked for word by word
MAX_CHARACTERS = 8_000  # likewise

_BEGINNING = 5  # letters; see `tests/library/evaluate.py` for what it gives

_UNSPACED = CJK + "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # with Thai, Lao, Burmese and Khmer
_RUN = re.compile(f"[{_UNSPACED}]+")
_NOT_A_LETTER = re.compile(r"[\W_]+")
_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{4,}(?![^\W_])")
_ARABIC_ARTICLE = re.compile("^(?:[وبكف]?ال|لل|و)(?=..)")
_ARABIC_ENDING = re.compile("(?<=..)(?:ها|ان|ات|ون|ين|يه|ية|ه|ة|ي)$")
_COMPOUND = re.compile(r"(?<!\w)\w++(?:[-.,:/+]\w++)+")


def index_terms(text: str, language: str | None = None) -> str:
    """`text` as it goes into the index.  `language`: None is told from the text."""
    spelt = _RUN.sub(_pairs, _plain(text)).casefold()
    return f"{spelt} {' '.join(_beginnings(spelt))}" if _has_endings(language or detect(text)) else spelt


def telling_terms(question: str) -> list[str]:
    """The words that are looked for: in lower case, each once, without the small words of the question's language."""
    plain = _plain(question[:MAX_CHARACTERS])
    words = dict.fromkeys(index_terms(plain, "en").split())
    terms = dict.fromkeys(term for word in words for term in _NOT_A_LETTER.sub(" ", word).split())
    language = detect(plain)
    return ([term for term in terms if language not in speakers_of(term)] or list(terms))[:MAX_TERMS]


def match(question: str) -> str:
    """An FTS5 expression that finds texts with any of the question's words; "" where it has none."""
    plain = _plain(question[:MAX_CHARACTERS]).casefold()
    compounds = [_NOT_A_LETTER.sub(" ", found) for found in _COMPOUND.findall(plain) if not _RUN.search(found)]
    wanted = [*telling_terms(question), *dict.fromkeys(compounds[:MAX_TERMS])]
    beginnings = _beginnings(" ".join(wanted)) if _has_endings(detect(plain)) else []
    return " OR ".join(map(_quoted, dict.fromkeys([*wanted, *beginnings])))


def _has_endings(language: str) -> bool:
    """Others than `porter` knows; Latin words in scripts without spaces are mostly English, too."""
    return language not in {"en", "zh", "ja", "ko", "th", "km"}


def _beginnings(text: str) -> list[str]:
    """Each long word's first letters, marked so that no whole word is the same."""
    return [f"{beginning}0" for word in _WORD.findall(text) if (beginning := _beginning(word)) != word]


def _beginning(word: str) -> str:
    if "\u0621" <= word[0] <= "\u064a":
        return _ARABIC_ENDING.sub("", _ARABIC_ARTICLE.sub("", word))
    return word[:_BEGINNING]


def _quoted(term: str) -> str:
    """A single character of a script without spaces is looked for at the beginning of the pairs."""
    return f'"{term}"*' if len(term) == 1 and _RUN.match(term) else f'"{term}"'


def _plain(text: str) -> str:
    """Full-width letters and ligatures as the usual ones, and nothing that SQLite cannot store."""
    return unicodedata.normalize("NFKC", text).encode("utf-8", "replace").decode().replace("\0", " ")


def _pairs(run: re.Match[str]) -> str:
    bare = "".join(letter for letter in run.group() if not unicodedata.category(letter).startswith("M"))
    return f" {' '.join(pair for part in _NOT_A_LETTER.split(bare) for pair in _overlapping(part))} "


def _overlapping(part: str) -> list[str]:
    return [part[i : i + 2] for i in range(len(part) - 1)] if len(part) > 1 else [part]
