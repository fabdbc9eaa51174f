"""Is a model going round in circles?

R1 and its successors can repeat a sentence or a paragraph until the token limit (deepseek-ai/DeepSeek-R1 issues 242 and
533; paragraphs of 800 characters on V4).  A loop is told by runs of words that keep coming back.  Knows no meaning.
"""

from __future__ import annotations

import re
from collections import Counter, deque

_RUN = 10  # words, or characters of Chinese and Japanese, that are one run
_WINDOW = 200  # runs looked at: what a model quotes twice is shorter, what it loops over is never done
_TIMES = 4  # a run must have come so often …
_SHARE = 0.85  # … and so large a share of the window be such runs
_LONGEST = 64  # characters of a word that is not finished: a stream without any space must not be kept
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")


class LoopGuard:
    """Fed one stream of text.  A word that is cut between two pieces counts once it is whole."""

    def __init__(self) -> None:
        self._rest = ""
        self._words: deque[str] = deque(maxlen=_RUN)
        self._seen: Counter[int] = Counter()
        self._recent: deque[bool] = deque(maxlen=_WINDOW)
        self._repeated = 0  # of the recent runs

    def feed(self, text: str) -> bool:
        """True once the text goes round in circles."""
        text = self._rest + text
        found = _WORD.findall(text)
        unfinished = bool(found) and text.endswith(found[-1])
        self._rest = found.pop()[-_LONGEST:] if unfinished else ""
        for word in found:
            self._take(word.casefold())
        return len(self._recent) == _WINDOW and self._repeated >= _SHARE * _WINDOW

    def _take(self, word: str) -> None:
        self._words.append(word)
        if len(self._words) < _RUN:
            return
        run = hash(tuple(self._words))
        self._seen[run] += 1
        if len(self._recent) == _WINDOW:
            self._repeated -= self._recent[0]
        self._recent.append(self._seen[run] >= _TIMES)
        self._repeated += self._recent[-1]
