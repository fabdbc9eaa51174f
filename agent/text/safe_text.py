"""Text without control characters, on one line where one is wanted."""

from __future__ import annotations

import re

# ------------------------------------------------------------------------------------------ characters

# Characters that a reader cannot see but a terminal, a browser or a model obeys.
#
# Knows control codes, terminal escapes, bidirectional overrides and invisible letters.  Does not know Markdown.

# CSI, OSC (ended by BEL or ST) and the two-character escapes of ECMA-48; then whatever control codes are left.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_LINES = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e"
    "\uffa0\ufeff\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff]"
)
# Joiners belong to the spelling of these scripts, joiners and the emoji selector to emoji; elsewhere they only hide.
_JOINED = "\u0600-\u07bf\u08a0-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u2190-\u2bff\ufe0f\U0001f000-\U0001faff"
_STRAY_JOINER = re.compile(f"(?<![{_JOINED}])[\u200c\u200d]")
_STRAY_SELECTOR = re.compile("(?<![#*0-9\u00a9\u00ae\u2000-\u3299\U0001f000-\U0001faff])\ufe0f")


def visible(text: str) -> str:
    """The text without what cannot be seen; every line break is a plain one.  Tabs stay."""
    text = _LINES.sub("\n", _ESCAPES.sub("", text))
    text = _UNSEEN.sub("", _CONTROLS.sub("", text))
    return _STRAY_JOINER.sub("", _STRAY_SELECTOR.sub("", text))


# ------------------------------------------------------------------------------------------ clean

# Text from pages and models, made harmless for a terminal.
#
# Takes out what a terminal would obey or a reader could not see: escape sequences, control characters, bidirectional
# overrides, invisible and tag characters.  Keeps every visible character, new lines and tabs.

_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor movements
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f]).*?(?:\x07|\x1b\\|\x9c|$)"  # OSC, DCS and other strings, to their end
    r"|\x1b[ -/]*[0-~]?",  # two-character escapes
    re.DOTALL,
)
_UNSEEN_IN_A_TERMINAL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and new line, DEL, C1
    "\u00ad\u061c\u180e\u200b\u200e\u200f"  # soft hyphen, marks of direction, zero-width space
    "\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # bidirectional overrides, invisible operators
    "\U000e0000-\U000e0fff]"  # tags and variation selectors beyond the common ones
)
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: cannot be encoded


def clean(text: str) -> str:
    """`text` with its lines, safe to print."""
    text = re.sub("\r\n?|[\u2028\u2029\x85]", "\n", text)
    return _SURROGATE.sub("\ufffd", _UNSEEN_IN_A_TERMINAL.sub("", _SEQUENCES.sub("", text)))


def one_line(text: str) -> str:
    """`text` on one line, white space folded, safe to print."""
    return " ".join(clean(text).split())
