"""HTML to Markdown: the main text with its headings, lists, tables and code.

trafilatura finds the main text; what it is given was parsed, freed of hidden text and straightened before.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from trafilatura import bare_extraction

from agent.errors import ExtractFailed
from agent.extract import html_tree
from agent.extract.block_pages import Signs, block_page_reason, is_challenge
from agent.extract.format_base import ExtractedText, FormatInput
from agent.extract.hidden_text import remove_hidden
from agent.extract.page_metadata import about
from agent.extract.text_cleanup import clean_text, decoded, one_line
from agent.text.language import detect

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
logging.getLogger("htmldate").setLevel(logging.CRITICAL)

_DEEPEST = 900  # elements inside each other; trafilatura recurses, and Python allows 1,000
_JUDGED = 4_000  # characters of all that is on a page; a longer one is no wall
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{}~])")  # all of ASCII's punctuation but the bar, which would tear a table


def extract(body: bytes, hints: FormatInput) -> ExtractedText:
    """Raises `ExtractFailed` for walls, empty shells and pages without readable text."""
    source = decoded(body, hints.charset)
    page = remove_hidden(source)
    if page is None:
        raise ExtractFailed("no readable text")
    tree, seen = page.tree, clean_text(page.text[:_JUDGED])
    told, named = about(tree, hints.url), one_line(tree.findtext(".//title") or "")
    html_tree.straighten(tree)
    html_tree.drop_machine_texts(tree)
    text = _main_text(tree, hints.url, page.depth)
    checked = is_challenge(source, seen)
    if reason := block_page_reason(Signs(f"{told.title}\n{named}", text, seen, told.sold, told.shell, checked)):
        raise ExtractFailed(reason)
    text = text or clean_text(page.text)
    return ExtractedText(
        text,
        told.title,
        told.language or detect(text),
        told.published,
        author=told.author,
        modified=told.modified,
        date_certainty=told.certainty,
        declares=told.declares,
        suspect=page.suspect,
    )


def _main_text(tree: html_tree.Tree, url: str, depth: int) -> str:
    """The empty string where the page's shape defeats trafilatura; then all its words are better than none."""
    if depth > _DEEPEST:
        return ""
    try:
        found: Any = bare_extraction(
            tree, url=url, include_comments=False, include_tables=True, include_formatting=True
        ) or bare_extraction(tree, url=url, include_comments=False, include_formatting=True, favor_recall=True)
    except RecursionError:
        return ""
    return clean_text(_unescaped(found.text or "")) if found else ""


def _unescaped(text: str) -> str:
    r"""Signs as the page shows them: `R1_Zero`, not `R1\_Zero`.  Quotes are compared with these texts."""
    pieces = _FENCE.split(text)  # odd ones are code, where nothing was escaped
    return "".join(piece if n % 2 else _ESCAPE.sub(r"\1", piece) for n, piece in enumerate(pieces))
