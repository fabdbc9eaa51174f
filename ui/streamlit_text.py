"""Text made safe for Streamlit's Markdown, and the app's fixed phrases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

# ------------------------------------------------------------------------------------------ safe

# Text from pages and models, made harmless for Streamlit's Markdown.
#
# Streamlit shows images, links and directives in every label and message, so a page's title could send what it knows
# to a stranger's server, or look like a part of the app.  Here every text becomes letters; the one thing let through
# is the formatting of an answer, and links to gathered sources.

LinkOf = Callable[[int, int], str | None]
"""(source number, place in the text) -> the address its mark leads to; None: the mark stays text."""

_BREAK = "\u2060"  # word joiner: not seen, and no pattern of Streamlit's goes across it
_UNSEEN = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_ADDRESS = r"(?:https?|mailto|xmpp)(?=:)|www(?=\.)|@(?=\w)"  # what Streamlit makes a link of by itself
_SHORTCODE = r":(?=[A-Za-z][\w+/-]*:)"  # :material/home:, :smile:
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_TAME = re.compile(
    rf"(?P<unseen>{_UNSEEN})"
    r"|(?P<hidden>\\[./:@])"  # an escape that only an address would want
    r"|(?P<escape>\\[!-/:-@\[-`{-~])"
    r"|\[(?P<mark>\d{1,3})\]"
    rf"|(?P<address>{_ADDRESS}|{_SHORTCODE})"
    r"|(?P<active>[!\[\]<&$~]|:(?=[A-Za-z]))",  # begins a link, HTML, an entity, mathematics, a strike, a directive
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<![`\\])(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_UNFIT = re.compile(r"[^!#%&*+,./0-9:;=?@A-Za-z_~-]")  # in the address of a link


def label(text: str) -> str:
    """Plain text for any place where Streamlit reads Markdown: one line, its letters and nothing else."""
    line = " ".join(visible(text).split())
    broken = re.sub(f"{_ADDRESS}|{_SHORTCODE}", lambda found: found[0] + _BREAK, line, flags=re.IGNORECASE)
    return _PUNCTUATION.sub(lambda found: f"\\{found[0]}", broken)


def visible(text: str) -> str:
    """For `st.text` and `st.code`, which format nothing: the text without what nobody sees."""
    return re.sub(_UNSEEN, "", text)


def link(text: str, url: str) -> str:
    """A link to a gathered source; what is no web address is shown without one."""
    target = _target(url)
    return f"[{label(text)}]({target})" if target else label(text)


def pieces(text: str, link_of: LinkOf) -> Iterator[tuple[str | None, str]]:
    """An answer's parts in order: (None, Markdown to show) or (language, code to show as code).

    Code blocks come apart, so that no rule for prose changes them.
    """
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    begin = 0
    for token in _reader().parse(text.replace("\r", " ")):
        if token.type in ("fence", "code_block") and token.map:
            yield None, markdown("\n".join(lines[begin : token.map[0]]), link_of, starts[begin])
            yield "".join(re.findall(r"^[\w+#-]{1,20}", token.info)) or "text", visible(token.content)
            begin = token.map[1]
    yield None, markdown("\n".join(lines[begin:]), link_of, starts[begin])


def markdown(text: str, link_of: LinkOf, place: int = 0) -> str:
    """Markdown without code blocks: its formatting stays, and links are at its marks only.

    `place`: where `text` begins in what `link_of` counts in.
    """
    shown, end = [], 0
    for code in _code_spans(text):
        shown += [_prose(text[end : code.start()], link_of, place + end), visible(code[0])]
        end = code.end()
    return "".join([*shown, _prose(text[end:], link_of, place + end)])


def _prose(text: str, link_of: LinkOf, place: int) -> str:
    def tame(found: re.Match[str]) -> str:
        match found.lastgroup:
            case "unseen":
                return ""
            case "hidden":
                return f"{_BREAK}{found[0]}{_BREAK}"
            case "mark":
                target = _target(link_of(int(found["mark"]), place + found.start()) or "")
                return f"[\\[{found['mark']}\\]]({target})" if target else f"\\[{found['mark']}\\]"
            case "address":
                return f"{found[0]}{_BREAK}"
            case "active":
                return f"\\{found[0]}"
            case _:
                return found[0]

    return _TAME.sub(tame, text)


def _target(url: str) -> str | None:
    """`url` as it may stand in Markdown; None for what a browser should not be sent to."""
    if not re.match(r"https?://[^/\s]", url):
        return None
    return _UNFIT.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace")), url)


def _code_spans(text: str) -> list[re.Match[str]]:
    """Code within lines, if a Markdown reader sees the very same; else none, and all of it is prose."""
    found = list(_CODE.finditer(text))
    return found if [_content(code[2]) for code in found] == _contents(_reader().parse(text)) else []


def _content(code: str) -> str:
    line = code.replace("\n", " ")
    return line[1:-1] if line[0] == line[-1] == " " and line.strip() else line


def _contents(tokens: list[Token]) -> list[str]:
    children = [child for token in tokens for child in token.children or ()]
    return [child.content for child in children if child.type == "code_inline"]


@cache
def _reader() -> MarkdownIt:
    """Reads what is left once `_prose` has been over it: no HTML, links, images or entities."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    return reader.disable(["link", "image", "autolink", "html_inline", "html_block", "reference", "entity"])


# ------------------------------------------------------------------------------------------ words

# Small phrases that the page is made of; what comes from outside has been through `safe`.


def seconds(time: float) -> str:
    return f"{time:.1f} s" if time < 59.95 else f"{round(time) // 60} min {round(time) % 60:02} s"


def further(text: str) -> str:
    """What is said after a middle dot, if there is anything to say."""
    told = label(text)
    return f" · {told}" if told else ""


def numbered(number: int) -> str:
    """A source's number as it stands in the answer; 0 is none yet."""
    return f"**\\[{number}\\]** " if number else ""


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
