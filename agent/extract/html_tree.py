"""A page's tree, parsed without libxml2's limits and freed of what an extractor gets wrong.

Knows HTML; does not decide what is hidden or what the main text is.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree, html

Tree = Any  # lxml's elements have no types of their own

_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*>")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_EMPHASIS = (
    "b",
    "strong",
    "i",
    "em",
    "u",
    "font",
    "mark",
    "big",
    "small",
    "ins",
    "abbr",
    "wbr",
    "bdi",
    "bdo",
    "span",
    "time",
)
_PERMALINKS = {"¶", "#", "§", "🔗"}  # beside the headings of documentation
_THREAD = '{"@type": "DiscussionForumPosting"}'
_PRELOADED = etree.XPath("//*[@data-preloaded]")  # Discourse
_TERM = 80  # characters: a longer <dt> is no name for what follows


def parse(text: str) -> Tree:
    """The tree of a page; None where nothing can be made of it."""
    text = _FORBIDDEN.sub("", _XML_DECLARATION.sub("", text))
    parser = html.HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    try:
        return html.document_fromstring(text.encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def straighten(tree: Tree) -> None:
    """Put into a form that survives extraction: captions, definitions, raised and lowered signs, emphasis, dates.

    Comes after the metadata were read, which live in some of these.
    """
    for link in list(tree.iter("a")):
        if (link.text or "").strip() in _PERMALINKS and not len(link):
            link.drop_tree()
    for button in list(tree.iterfind(".//span[@class='mw-editsection']")):  # of MediaWiki, beside each heading
        button.drop_tree()
    for line_break in list(tree.iter("br")):
        if _is_spare(line_break):
            line_break.tail = (line_break.tail or "").strip() and line_break.tail  # else white space piles up
            line_break.drop_tree()
    for caption in list(tree.iter("caption")):
        _before_table(caption)
    for term in list(tree.iter("dt")):
        _join_definition(term)
    for sign in list(tree.iter("sup")):
        _raise_sign(sign)
    etree.strip_tags(tree, "sub", *_EMPHASIS)


def _is_spare(line_break: Tree) -> bool:
    """The third of a row and later ones: two make a paragraph, and trafilatura takes 5 s for 200,000."""
    for _ in range(2):
        line_break = line_break.getprevious()
        if line_break is None or line_break.tag != "br" or (line_break.tail or "").strip():
            return False
    return True


def drop_machine_texts(tree: Tree) -> None:
    """Whole articles in JSON, which no reader sees and trafilatura falls back on.

    That a page is a forum's thread stays told: there comments are the text.  Comes after the metadata were read.
    """
    for script in tree.iter("script"):
        if text := script.text:
            script.text = _THREAD if "DiscussionForumPosting" in text else None
    places: Any = _PRELOADED(tree)
    for place in places:
        del place.attrib["data-preloaded"]


def _before_table(caption: Tree) -> None:
    table = caption.getparent()
    if table is not None and table.tag == "table":
        caption.tag, caption.tail = "p", None
        table.addprevious(caption)


def _join_definition(term: Tree) -> None:
    """`<dt>Issued<dd>2025` is one item, "Issued: 2025"."""
    definition, name = term.getnext(), " ".join(term.text_content().split())
    if definition is not None and definition.tag == "dd" and 0 < len(name) <= _TERM:
        definition.text = f"{name.removesuffix(':')}: {(definition.text or '').lstrip()}"
        term.drop_tree()


def _raise_sign(sign: Tree) -> None:
    """An exponent stays one (10^9, not 109); the mark of a footnote goes, it would tear quotes."""
    raised = sign.text_content().strip()
    if not raised or sign.find(".//a") is not None or raised.startswith("["):
        sign.drop_tree()
    elif re.fullmatch(r"[-−+]?\d+", raised) and re.search(r"[\w)]$", _text_before(sign)):
        sign.text = f"^{sign.text or ''}"
        sign.drop_tag()
    else:
        sign.drop_tag()


def _text_before(element: Tree) -> str:
    previous, parent = element.getprevious(), element.getparent()
    if previous is not None:
        return str(previous.tail or previous.text_content())
    return str(parent.text or "") if parent is not None else ""


def shown_text(tree: Tree) -> str:
    """All words that a reader would see, with navigation and footers; for judging a page as a whole."""
    body = tree.find("body")
    pieces = body.itertext("*") if body is not None else tree.itertext("*")
    return " ".join(" ".join(pieces).split())
