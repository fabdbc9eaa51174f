"""Hidden text out of a page's tree: instructions to models are planted where a reader does not see them.

Dropped where enough is left to read.  Where little is left, the page may be an honest one that scripts unveil, or one
that hides more than it shows on purpose: then what styles hide is kept, and the page is suspect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from agent.extract.css_cascade import Hiding, Styles, hiding, is_tiny, restores_size
from agent.extract.html_tree import Tree, drop_machine_texts, parse, shown_text
from agent.extract.stylesheets import shown_on_a_desktop
from agent.text.chunking import CJK

ENOUGH = 100  # visible words; where they remain, nothing hidden is kept
LABELS = 20  # hidden words; fewer are labels for screen readers and buttons, never a page's text: they always go
_WORD = re.compile(rf"[{CJK}]{{1,2}}|[^\W{CJK}]+")
_UNSHOWN = {"style", "template", "noscript", "noframes", "iframe", "object", "embed", "canvas", "audio", "video", "svg",
            "dialog", "datalist"}  # fmt: skip
_NEVER_SHOWN = {"head", "meta", "link", "base", "title", "script", "br", "hr", "img", "source", "wbr"}
_LD_JSON = 200_000  # characters of metadata for machines; 3 MB of it cost 401 MB to read


@dataclass(frozen=True, slots=True)
class Seen:
    tree: Tree
    text: str  # all words, with navigation and footers; for judging a page as a whole
    depth: int  # elements inside each other
    suspect: bool = False  # what is hidden is still in it, for want of anything else


def remove_hidden(text: str) -> Seen | None:
    """The tree of what a reader sees; None where nothing can be made of the page.

    Raises `ExtractFailed` where the styles are made to be too costly to follow.
    """
    tree = parse(text)
    if tree is None:
        return None
    sheets = _sheets(tree)
    _drop_unshown(tree)
    styles = Styles(sheets, tree)
    dropped, veiled, depth = _drop_hidden(tree, styles)
    shown = shown_text(tree)
    if _count(shown) >= ENOUGH or sum(map(_count, dropped)) < LABELS:
        return Seen(tree, shown, depth, suspect=veiled)
    whole = parse(text)
    _drop_unshown(whole)
    return Seen(whole, shown_text(whole), _depth(whole), suspect=True)


def only_visible(text: str) -> Tree | None:
    """The tree of what is visible, however little that is: no script unveils a feed's entries."""
    tree = parse(text)
    if tree is not None:
        sheets = _sheets(tree)
        _drop_unshown(tree)
        drop_machine_texts(tree)
        _drop_hidden(tree, Styles(sheets, tree))
    return tree


def _count(text: str) -> int:
    """Words, up to as many as matter."""
    return sum(1 for _ in islice(_WORD.finditer(text), ENOUGH))


def _sheets(tree: Tree) -> list[str]:
    """Of the styles that a browser with scripts obeys."""
    return [
        style.text
        for style in tree.iter("style")
        if style.text
        and style.get("type", "text/css").strip().lower() in {"", "text/css"}
        and shown_on_a_desktop(style.get("media", ""))
        and not any(True for _ in style.iterancestors("noscript", "template"))
    ]


def _drop_unshown(tree: Tree) -> None:
    """Elements that show nothing, or nothing of the page's own, whatever their style.

    What a page says of itself in JSON goes into its head, where no text is looked for.
    """
    told = []
    for element in list(tree.iter("script", *_UNSHOWN)):
        if element.tag == "script" and _speaks_of_itself(element):
            told.append(element)
        _drop(element)
    head = tree.find("head")
    if head is None:
        tree.insert(0, head := tree.makeelement("head"))
    for element in told:
        element.tail = None
        head.append(element)


def _speaks_of_itself(script: Tree) -> bool:
    told = "ld+json" in script.get("type", "") and len(script.text or "") <= _LD_JSON
    return told and not any(True for _ in script.iterancestors(*_UNSHOWN))


def _drop(element: Tree) -> None:
    if element.getparent() is not None:
        element.drop_tree()


@dataclass(frozen=True, slots=True)
class _Muted:
    """What an element's own words inherit."""

    unseen: bool = False  # by `visibility`
    tiny: bool = False  # by font size


_OPEN = _Muted()


def _depth(tree: Tree) -> int:
    depth = deepest = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest


def _drop_hidden(tree: Tree, styles: Styles) -> tuple[list[str], bool, int]:
    """The texts that went, whether the page as a whole is hidden (that stays, the caller decides), and its depth."""
    gone: list[Tree] = []
    silent: list[tuple[Tree, str]] = []  # element, and which of its two texts
    states, veiled, deepest = [_OPEN], False, 0
    walk = etree.iterwalk(tree, events=("start", "end"))
    for event, element in walk:
        if event == "end":
            states.pop()
            continue
        around, deepest = states[-1], max(deepest, len(states))
        if around is not _OPEN and element.tail:
            silent.append((element, "tail"))
        how = _hidden(element, styles)
        if how and element.tag in {"html", "body"}:
            how, veiled = "", True
        elif how == "gone":
            gone.append(element)
            walk.skip_subtree()
        states.append(around if how == "gone" else _state(element, how, around, styles))
        if states[-1] is not _OPEN and element.text and how != "gone":
            silent.append((element, "text"))
    texts = [*(_silenced(*place) for place in silent), *(_dropped(element) for element in gone)]
    return texts, veiled, deepest


def _state(element: Tree, how: Hiding, around: _Muted, styles: Styles) -> _Muted:
    """Text inside what is unseen or tiny is shown again where an element says so itself."""
    if not how and around is _OPEN:
        return _OPEN
    values = styles.of(element, "visibility", "font-size", "font")
    visibility, size = values.get("visibility", "inherit"), values.get("font-size", "inherit")
    unseen = {"visible": False, "hidden": True, "collapse": True}.get(visibility, around.unseen)
    tiny = is_tiny(size) or (around.tiny and not restores_size(size))
    return _Muted(unseen, tiny) if unseen or tiny else _OPEN


def _silenced(element: Tree, which: str) -> str:
    text = str(getattr(element, which) or "")
    setattr(element, which, None)
    return text


def _dropped(element: Tree) -> str:
    text = " ".join(element.itertext("*"))
    _drop(element)
    return text


def _hidden(element: Tree, styles: Styles) -> Hiding:
    if element.tag in _NEVER_SHOWN:
        return ""
    attributes = element.keys()
    if "aria-hidden" in attributes and element.get("aria-hidden").strip().lower() == "true":
        return "gone"
    if element.tag == "input" and element.get("type", "").lower() == "hidden":
        return "gone"
    folded = "hidden" in attributes and element.get("hidden").lower() != "until-found"  # a reader's search opens it
    folded = folded or "popover" in attributes  # until a button is pressed
    if not folded and "style" not in attributes and not styles.may_hide(element, attributes):
        return ""
    values = styles.of(element)
    return "gone" if folded and "display" not in values else hiding(values)
