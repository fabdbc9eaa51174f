"""Which language a question or a page is written in.

By script first, then by small words and letters that only some languages have.  Knows nothing of meaning.  A short text
in Latin letters without any sign of another language is taken for English: names and keywords are what people type.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from agent.text.function_words import LANGUAGES, speakers_of

_SCRIPTS: tuple[tuple[str, str], ...] = (  # first match wins; ranges of the Unicode blocks
    ("kana", "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9d"),
    ("hangul", "\uac00-\ud7af\u1100-\u11ff\u3130-\u318f"),
    ("han", "\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\U00020000-\U0003ffff"),
    ("arabic", "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff"),
    ("hebrew", "\u0590-\u05ff"),
    ("cyrillic", "\u0400-\u052f"),
    ("greek", "\u0370-\u03ff\u1f00-\u1fff"),
    ("thai", "\u0e00-\u0e7f"),
    ("devanagari", "\u0900-\u097f"),
    ("bengali", "\u0980-\u09ff"),
    ("tamil", "\u0b80-\u0bff"),
    ("telugu", "\u0c00-\u0c7f"),
    ("georgian", "\u10a0-\u10ff"),
    ("armenian", "\u0530-\u058f"),
    ("khmer", "\u1780-\u17ff"),
    ("latin", "A-Za-z\u00c0-\u024f\u1e00-\u1eff"),
)
_LETTERS = {name: re.compile(f"[{chars}]") for name, chars in _SCRIPTS}
_LANGUAGE_OF = {
    "kana": "ja",
    "hangul": "ko",
    "han": "zh",
    "hebrew": "he",
    "greek": "el",
    "thai": "th",
    "devanagari": "hi",
    "bengali": "bn",
    "tamil": "ta",
    "telugu": "te",
    "georgian": "ka",
    "armenian": "hy",
    "khmer": "km",
}
_WIDE = ("kana", "hangul", "han")
# A letter of these scripts says about as much as a syllable of Latin letters: names are often left in Latin.
_LATIN_DISCOUNT = 0.3
_WIDE_LETTER = 3

_CYRILLIC = (("uk", "іїєґ"), ("be", "ў"), ("sr", "ђћљњџј"))
_CYRILLIC_WORDS = {
    "uk": frozenset(("що", "хто", "як", "чому", "який", "яка", "яке", "це")),
    "bg": frozenset(("какво", "кой", "къде", "защо", "колко", "са", "е")),
}
_ARABIC = (("ur", "ٹڈڑںے"), ("fa", "پچژگ"))
# Letters that few languages have; a word with one of them counts like a small word of theirs.
_PECULIAR = {
    "de": "äöüß",
    "es": "ñ¿¡áéíóú",
    "fr": "àâçèêëîïôûùœé",
    "it": "àèéìòù",
    "pt": "ãõçáâêôéíóú",
    "sv": "åäö",
    "da": "æøå",
    "no": "æøå",
    "pl": "ąćęłńóśźż",
    "cs": "čďěňřšťůžýáéí",
    "ro": "ăâîșțşţ",
    "tr": "ğışçöü",
    "vi": "àáãèéìíòóõùúýăâđêôơưĩũạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
    "fi": "äö",
    "hu": "őűáéíóöü",
}
_WORD = re.compile(r"(?<![^\W_])[^\W\d_]++(?:['’-][^\W\d_]++)*+(?!\d)")  # of "o1" the o is no word
_QUOTED = re.compile(r"\"[^\"]+\"|'[^']+'(?!\w)|“[^”]+”|„[^“”]+[“”]|«[^»]+»|‘[^’]+’|「[^」]+」|『[^』]+』|《[^》]+》")
_SAMPLE = 4000  # characters: more changes nothing


def detect(text: str) -> str:
    """The BCP 47 code of the text's language, `en` where nothing tells."""
    sample = text[:_SAMPLE]
    script = _script(sample)
    if script == "latin":
        return _latin(sample)
    if script == "han" and _LETTERS["kana"].search(sample):
        return "ja"
    if script == "cyrillic":
        return _cyrillic(sample)
    if script == "arabic":
        return _by_letters(sample, _ARABIC, "ar")
    return _LANGUAGE_OF[script]


def is_cjk(text: str) -> bool:
    """Is the text mostly Chinese, Japanese or Korean?"""
    return _script(text[:_SAMPLE]) in _WIDE


def outside_quotes(text: str) -> str:
    return _QUOTED.sub(" ", text)


def script_share(text: str, language: str) -> float:
    """0..1: the share of the text's letters that are of the script of `language`; 1.0 for a text without letters.

    A letter of Chinese, Japanese or Korean counts for three: it says about as much.
    """
    counts = {name: n * (_WIDE_LETTER if name in _WIDE else 1) for name, n in _counts(text).items()}
    total = sum(counts.values())
    return sum(counts[name] for name in _scripts_of(language)) / total if total else 1.0


def _scripts_of(language: str) -> tuple[str, ...]:
    code = language.split("-", 1)[0]
    if code == "ja":
        return ("kana", "han")
    if code in ("ru", "uk", "be", "bg", "sr", "mk"):
        return ("cyrillic",)
    if code in ("ar", "fa", "ur"):
        return ("arabic",)
    return tuple(name for name, its in _LANGUAGE_OF.items() if its == code) or ("latin",)


def _counts(text: str) -> dict[str, int]:
    """Script -> how many letters of it; a text has few different characters."""
    counts = dict.fromkeys(_LETTERS, 0)
    for char, count in Counter(text).items():
        if script := _script_of(char):
            counts[script] += count
    return counts


@lru_cache(maxsize=20_000)
def _script_of(char: str) -> str:
    return next((name for name, letters in _LETTERS.items() if letters.match(char)), "")


@lru_cache(maxsize=32)  # of a page it is asked again and again
def _script(text: str) -> str:
    weights = {name: float(count) for name, count in _counts(text).items()}
    weights["latin"] *= _LATIN_DISCOUNT
    if weights["kana"]:  # Japanese is written in both; pure Han is Chinese
        weights["kana"] += weights["han"]
    best = max(weights, key=lambda name: weights[name])
    return best if weights[best] else "latin"


def _cyrillic(text: str) -> str:
    lowered = text.lower()
    if any(letter in lowered for letter in "ыэё"):
        return "be" if "ў" in lowered else "ru"
    words = set(_WORD.findall(lowered))
    for language, small_words in _CYRILLIC_WORDS.items():
        if words & small_words:
            return language
    return _by_letters(lowered, _CYRILLIC, "ru")


def _by_letters(text: str, peculiar: tuple[tuple[str, str], ...], usual: str) -> str:
    found = {language: sum(text.count(letter) for letter in letters) for language, letters in peculiar}
    best = max(found, key=lambda language: found[language])
    return best if found[best] else usual


def _latin(text: str) -> str:
    scores = dict.fromkeys(LANGUAGES, 0.0)
    for word in _WORD.findall(_QUOTED.sub(" ", text)):
        for language, weight in _votes(word.lower().replace("’", "'")):
            scores[language] += weight
    if "¿" in text or "¡" in text:
        scores["es"] += 2
    # English first: max() keeps the first of equals.
    best = max(scores, key=lambda language: scores[language])
    return best if scores[best] > scores["en"] else "en"


@lru_cache(maxsize=20_000)
def _votes(word: str) -> tuple[tuple[str, float], ...]:
    """A small word counts the more, the fewer languages have it; peculiar letters likewise."""
    found: list[tuple[str, float]] = []
    for part in dict.fromkeys((word, *re.split(r"['-]", word))):
        languages = speakers_of(part)
        found += [(language, len(languages) ** -0.5) for language in languages]
    strange = {letter for letter in word if letter > "\x7f"}
    if strange:
        fitting = [language for language, letters in _PECULIAR.items() if strange <= set(letters)]
        found += [(language, 1.5 * len(fitting) ** -0.5) for language in fitting]
        found.append(("en", -0.25))
    return tuple(found)
