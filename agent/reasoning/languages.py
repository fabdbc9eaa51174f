"""The name of an answer's language, as a prompt says it.  Knows BCP 47 codes and nothing else."""

from __future__ import annotations

_ENGLISH = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "bn": "Bengali",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "ms": "Malay",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sr": "Serbian",
    "sv": "Swedish",
    "sw": "Swahili",
    "ta": "Tamil",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
_TRADITIONAL = ("hant", "tw", "hk", "mo")


def language_name(code: str) -> str:
    """English words for a language; a code without a name here is given as it is, which models understand too."""
    main, *rest = code.casefold().split("-")
    if main == "zh":
        return "繁体中文" if set(rest) & set(_TRADITIONAL) else "简体中文" if rest else "中文"
    name = _ENGLISH.get(main, f"the language with the code {code!r}")
    return f"{name} ({code})" if rest and main in _ENGLISH else name
