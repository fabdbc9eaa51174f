"""Proof that a piece of Markdown is closed: no image, no HTML, no link but to a URL that was gathered.

Parses as a renderer would (CommonMark with HTML and tables; bare addresses as GitHub links them) and looks at what came
out, so it does not depend on how the text was made safe.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# What renderers make a link of without being asked: GitHub's extended autolinks, with every scheme for good measure.
BARE_LINK = re.compile(
    r"[a-z]://|(?<![a-z0-9])www\.(?=[^\s.])|(?:mailto|xmpp):(?=\S)|[\w.+-]@[\w-]+\.[\w-]",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"(?![\s\S]*(?:(?<!\\)(?:\\\\)*<[A-Za-z/!?]|\]\(|\]:|:\\?/|www\\?\.|[\w.+-]\\?@\w|mailto\\?:|xmpp\\?:|&[#\w]|\|))",
    re.IGNORECASE,
)


_HEAD_ROWS = 2  # of a table: its head and the line of dashes


def is_harmless(line: str) -> bool:
    """Has the line nothing of which, with whatever lines before it, a link, an image or HTML could be made?

    A pipe counts: a row of dashes makes a table of the line above, and cuts its code spans at the pipes.
    """
    return bool(_HARMLESS.match(line))


def is_closed(markdown: str, urls: Iterable[str]) -> bool:
    """Is there nothing in it that a renderer would load, run, or link to anywhere but to one of `urls`?"""
    parser = _parser()
    env: dict[str, object] = {}
    tokens = parser.parse(markdown, env)
    allowed = {spelt for url in urls for spelt in (parser.normalizeLink(url), parser.normalizeLinkText(url))}
    return not env.get("references") and all(_is_closed(token, allowed) for token in _leaves(tokens))


def ends_in_fence(markdown: str) -> bool:
    """Does a renderer take the last line for code between fences?"""
    tokens = _parser().parse(markdown, {})
    last = next((token for token in reversed(tokens) if token.map), None)
    return last is not None and last.type == "fence" and last.map is not None and last.map[1] >= _line_count(markdown)


def _line_count(markdown: str) -> int:
    return markdown.rstrip("\n").count("\n") + 1


def still_open(markdown: str) -> str:
    """What of a text a further line may still change: its last block, of a list the last item, of a table head and
    last row.  Whatever line follows is read the same after this as after the whole."""
    tokens = [token for token in _parser().parse(markdown, {}) if token.map]
    last = next((token for token in reversed(tokens) if token.level == 0), None)
    if last is None or last.map is None:
        return ""
    lines = markdown.split("\n")
    begin = last.map[0]
    if last.type == "table_open":
        rows = [row for row in range(begin + _HEAD_ROWS, len(lines)) if lines[row].strip()]
        return "\n".join([*lines[begin : begin + _HEAD_ROWS], *lines[rows[-1] if rows else begin + _HEAD_ROWS :]])
    if last.type in ("bullet_list_open", "ordered_list_open"):
        begin = max(
            token.map[0] for token in tokens if token.map and token.type == "list_item_open" and token.level == 1
        )
    return "\n".join(lines[begin:])


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def _leaves(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        if token.children:
            yield from _leaves(token.children)


def _is_closed(token: Token, allowed: set[str]) -> bool:
    if token.type in ("html_block", "html_inline", "image"):
        return False
    if token.type == "link_open":
        return str(token.attrs.get("href", "")) in allowed
    # An allowed address as `<address>` has its own text inside the link: that is the one place for it.
    return not (token.type == "text" and BARE_LINK.search(token.content) and token.content not in allowed)
