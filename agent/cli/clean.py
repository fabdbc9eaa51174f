"""Text from pages and models, made harmless for a terminal.

Takes out what a terminal would obey or a reader could not see: escape sequences, control characters, bidirectional
overrides, invisible and tag characters.  Keeps every visible character, new lines and tabs.
"""

from __future__ import annotations

import re

_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor movements
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f]).*?(?:\x07|\x1b\\|\x9c|$)"  # OSC, DCS and other strings, to their end
    r"|\x1b[ -/]*[0-~]?",  # two-character escapes
    re.DOTALL,
)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and new line, DEL, C1
    "\u00ad\u061c\u180e\u200b\u200e\u200f"  # soft hyphen, marks of direction, zero-width space
    "\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # bidirectional overrides, invisible operators
    "\U000e0000-\U000e0fff]"  # tags and variation selectors beyond the common ones
)
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: cannot be encoded


def clean(text: str) -> str:
    """`text` with its lines, safe to print."""
    text = re.sub("\r\n?|[\u2028\u2029\x85]", "\n", text)
    return _SURROGATE.sub("\ufffd", _UNSEEN.sub("", _SEQUENCES.sub("", text)))


def one_line(text: str) -> str:
    """`text` on one line, white space folded, safe to print."""
    return " ".join(clean(text).split())
