"""URLs as text: one spelling, whose they are, where they stand in a question, links that open at a quote.

Pure: no DNS, no network.  What may be *fetched* is decided in `agent.web.address_guard`, not here."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, quote, unquote, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH_SAFE = "%/:@!$&'()*+,;=~-._"  # RFC 3986, pchar and "/"
_QUERY_SAFE = _PATH_SAFE + "?"

# Parameters that say where a reader came from, not what is shown.
_TRACKING = re.compile(
    r"utm_\w+|(?:gcl|fbcl|dcl|msclk|ycl|twcl|ttcl|li_fat_|igsh|s_c)id|gbraid|wbraid|gad_source|gclsrc|srsltid"
    r"|mc_[ce]id|_hs(?:enc|mi)|__hs\w+|hsctatracking|mkt_tok|vero_id|oly_(?:anon|enc)_id|ref_(?:src|url)|_ga|_gl|spm|scm",
    re.IGNORECASE,
)


def canonical(url: str) -> str:
    """One spelling for a URL, so that two spellings are one page.

    Host in lower case and ASCII, no default port, no fragment, no tracking parameters, dot segments resolved, percent
    signs only where they are needed.  The scheme, `www.`, a trailing slash and the order of parameters stay: servers
    tell them apart.  What cannot be parsed comes back as it was.
    """
    parts = _split(url)
    if parts is None or not parts.scheme:
        return url.strip()
    return f"{parts.scheme}://{_authority(parts)}{_path(parts.path)}{_query(parts.query)}"


def host(url: str) -> str:
    """The host in lower case and ASCII, without port or brackets; the empty string where there is none."""
    parts = _split(url)
    return _plain_host(parts.hostname or "") if parts else ""


def site(url: str) -> str:
    """Who runs it: the registrable domain (`bbc.co.uk`), by the public suffix list inside the `tld` package.

    An IP address is its own site; of a name with an unknown suffix (`.example`) it is the last two labels.
    """
    name = host(url)
    if not name or ip_literal(name):
        return name
    from tld import get_fld

    shown = _unicode(name)  # the list holds second-level suffixes such as 公司.cn in Unicode only
    domain = get_fld(f"https://{shown}", fail_silently=True) or ""
    labels = len(domain.split(".")) if domain else 2
    return ".".join(name.split(".")[-labels:])


def ip_literal(name: str) -> IPv4Address | IPv6Address | None:
    """The address that a host name spells, in any spelling a resolver would take: `127.1`, `0x7f000001`, `::1`."""
    try:
        return ip_address(name.split("%", 1)[0])
    except ValueError:
        return _loose_ipv4(name)


_LOCAL_NAMES = ("localhost", "local", "internal", "lan", "home.arpa")  # RFC 6761, 6762, 8375; ICANN's .internal
_SHARED = ip_network("100.64.0.0/10")  # RFC 6598: carriers, and private overlays such as Tailscale


def is_local_host(url: str) -> bool:
    """Is this endpoint on this machine or its own network?  Told from the name alone, without DNS.

    Names of one label count: they are a container's or a neighbour's (`http://ollama:11434`).
    """
    name = host(url)
    address = ip_literal(name)
    if address is None:
        return bool(name) and ("." not in name or any(name == n or name.endswith(f".{n}") for n in _LOCAL_NAMES))
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_private or address.is_loopback or address.is_link_local or address in _SHARED


# ------------------------------------------------------------------------------------------------- in a question

_URL = re.compile(
    r"https?://[^\s<>\"`{}|\\^\x00-\x20\x7f。，、；：？！…「」『』（）【】《》〈〉“”‘’«»]+", re.IGNORECASE
)
# Scripts written without spaces: right after an ASCII letter or digit such a character is the sentence going on.
_GLUED = re.compile("(?<=[A-Za-z0-9])[\u0e00-\u0eff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_CLOSING = {")": "(", "]": "["}
_LONGEST = 2_000  # characters; longer ones are not links that a person pasted


def find_urls(text: str) -> list[str]:
    """The http(s) URLs in a question, in order, each once, without the punctuation of the sentence around them."""
    found = (_trimmed(_GLUED.split(match, maxsplit=1)[0]) for match in _URL.findall(text) if len(match) <= _LONGEST)
    return list(dict.fromkeys(url for url in found if host(url)))


def _trimmed(url: str) -> str:
    while url:
        last = url[-1]
        unbalanced = last in _CLOSING and url.count(last) > url.count(_CLOSING[last])
        if unbalanced or last in ".,;:!?'*_~":
            url = url[:-1]
        elif url.endswith("'s"):
            url = url[:-2]
        else:
            break
    return url


# ------------------------------------------------------------------------------------------------- at a quote

_EXACT_WORDS = 12  # longer quotes are given by their ends: a stray footnote mark inside must not break the link
_EXACT_CHARACTERS = 60  # the same for text without spaces
_END_WORDS = 5
_END_CHARACTERS = 12
_SPACELESS = re.compile("[\u0e00-\u0eff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_LINE_MARK = re.compile(r"^\s*(?:[-*+>]|#{1,6}|\d{1,3}[.)])\s+")
_BLOCK = re.compile(r"\s*(?:\n|\|)\s*")


def text_fragment(url: str, passage: str) -> str:
    """The URL with a text fragment (WICG) that opens the page at `passage`, verbatim Markdown from its text.

    A `file:` URL stays as it is (browsers ignore text fragments there), and so does one for an empty passage.
    """
    blocks = [words for block in _BLOCK.split(passage) if (words := _shown(block))]
    if not blocks or url.lower().startswith("file:"):
        return url
    address, _, fragment = url.partition("#")
    return f"{address}#{fragment.partition(':~:')[0]}:~:text={_directive(blocks)}"


def _shown(block: str) -> list[str]:
    """The words of a line of Markdown as a browser shows them."""
    line = _LINK.sub(r"\1", _LINE_MARK.sub("", block))
    return re.sub(r"\*\*|__|`", "", line).split()


def _directive(blocks: list[list[str]]) -> str:
    """The exact text where it is short and in one block (exact matches end at a block's end), else its two ends."""
    first, last = blocks[0], blocks[-1]
    whole = " ".join(first)
    short = len(whole) <= _EXACT_CHARACTERS if _SPACELESS.search(whole) else len(first) <= _EXACT_WORDS
    if len(blocks) == 1 and short:
        return _encoded(whole)
    start = _edge(" ".join(first[:_END_WORDS]))
    end = _edge(" ".join(last[-_END_WORDS:])[::-1])[::-1]
    return f"{_encoded(start)},{_encoded(end)}"


def _edge(text: str) -> str:
    """Of text without spaces its first characters, never ending inside a Latin word (fragments match whole words)."""
    if not _SPACELESS.search(text):
        return text
    cut = _END_CHARACTERS
    while cut < len(text) and text[cut - 1 : cut + 1].isascii() and text[cut - 1 : cut + 1].isalnum():
        cut += 1
    return text[:cut]


def _encoded(words: str) -> str:
    return quote(words, safe="", errors="replace").replace("-", "%2D")  # "-" and "," are the directive's own syntax


# ------------------------------------------------------------------------------------------------- parts of a URL


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # raises ValueError where it is no number
    except ValueError:
        return None
    return parts


def _plain_host(name: str) -> str:
    name = unicodedata.normalize("NFKC", unquote(name)).lower().rstrip(".")
    if not name.isascii():
        name = _ascii(name)
    loose = _loose_ipv4(name)
    return str(loose) if loose else name


def _ascii(name: str) -> str:
    import idna

    try:
        return idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        return name


def _unicode(name: str) -> str:
    if "xn--" not in name:
        return name
    import idna

    try:
        return idna.decode(name)
    except idna.IDNAError:
        return name


def _loose_ipv4(name: str) -> IPv4Address | None:
    """What `inet_aton` makes of it: one to four numbers, each decimal, octal (`0…`) or hexadecimal (`0x…`)."""
    labels = name.split(".")
    if len(labels) > 4 or not all(re.fullmatch("0[xX][0-9a-fA-F]*|[0-9]+", label) for label in labels):
        return None
    try:
        *head, tail = [_number(label) for label in labels]
    except ValueError:
        return None
    room = 256 ** (4 - len(head))
    if any(n > 255 for n in head) or tail >= room:
        return None
    return IPv4Address(sum(n << (24 - 8 * i) for i, n in enumerate(head)) + tail)


def _number(label: str) -> int:
    if label[:2] in {"0x", "0X"}:
        return int(label[2:] or "0", 16)
    return int(label, 8) if label.startswith("0") else int(label)


def _authority(parts: SplitResult) -> str:
    name = _plain_host(parts.hostname or "")
    name = f"[{name}]" if ":" in name else name
    userinfo, at, _ = parts.netloc.rpartition("@")
    port = "" if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    return f"{userinfo}{at}{name}{port}"


def _path(path: str) -> str:
    """RFC 3986, 5.2.4: without `.` and `..`; empty segments stay, they mean something to some servers."""
    *segments, last = _percent(path, _PATH_SAFE).removeprefix("/").split("/")
    kept: list[str] = []
    for segment in [*segments, last]:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    if last in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _query(query: str) -> str:
    kept = [pair for pair in query.split("&") if pair and not _TRACKING.fullmatch(pair.split("=", 1)[0])]
    return f"?{_percent('&'.join(kept), _QUERY_SAFE)}" if kept else ""


def _percent(text: str, safe: str) -> str:
    """Percent signs only where needed, in capitals (RFC 3986, 6.2.2)."""

    def plain(match: re.Match[str]) -> str:
        character = chr(int(match[0][1:], 16))
        return character if character in _UNRESERVED else match[0].upper()

    return quote(re.sub("%[0-9A-Fa-f]{2}", plain, text), safe=safe, errors="replace")


# ------------------------------------------------------------------------------------------ pages

# Which addresses are one page: mobile hosts, AMP, `www.`, http and https, the order of parameters.  Pure.
#
# `urls.canonical` keeps to what servers are bound to answer alike; this goes by custom, so its keys are compared and
# never fetched.

_SPARE_LABELS = frozenset({"m", "mobile", "amp"})  # before a name: the page for small screens
_AMP_PATH = re.compile(r"(?:/amp(?:\.html?)?|\.amp)$|^/amp(?=/)|\.amp(?=\.html?$)", re.IGNORECASE)
_AMP_PARAMETER = re.compile(r"amp(?:=(?:1|true)?)?|outputtype=amp|m=1|view=mobile", re.IGNORECASE)
_INDEX = re.compile(r"/(?:index|default)\.(?:html?|php|aspx?)$", re.IGNORECASE)
# Google's two copies of a publisher's AMP page; `s` says that the publisher's is https.
_VIEWER = re.compile(r"https?://(?:www\.)?google\.[a-z.]{2,6}/amp/(s/)?(.+)", re.IGNORECASE)
_CACHE = re.compile(r"https?://[a-z0-9-]+\.cdn\.ampproject\.org/[a-z]/(s/)?(.+)", re.IGNORECASE)


def at_publisher(url: str) -> str:
    """The publisher's own address behind one of Google's AMP copies; any other URL as it is."""
    for form in (_VIEWER, _CACHE):
        found = form.fullmatch(url.strip())
        if found and "." in found[2].partition("/")[0]:
            return f"{'https' if found[1] else 'http'}://{found[2]}"
    return url


@lru_cache(maxsize=4_096)
def page_key(url: str) -> str:
    """The same for all addresses of a page.  A `file:` URL, and what is no URL, is its own key."""
    whole = canonical(at_publisher(url))
    parts = urlsplit(whole)
    if parts.scheme not in {"http", "https"}:
        return whole
    _, _, authority = parts.netloc.rpartition("@")
    name, colon, port = authority.partition(":") if not authority.startswith("[") else (authority, "", "")
    path = _INDEX.sub("/", _AMP_PATH.sub("", parts.path.rstrip("/"))).rstrip("/")
    return f"{_full_name(name)}{colon}{port}{path}{_parameters(parts.query)}"


@lru_cache(maxsize=4_096)
def is_reduced(url: str) -> bool:
    """Is it the address of a page's copy for small screens?"""
    parts = urlsplit(canonical(url))
    labels = (parts.hostname or "").split(".")
    return (
        any(label in _SPARE_LABELS for label in labels[:-2])
        or bool(_AMP_PATH.search(parts.path.rstrip("/")))
        or any(_AMP_PARAMETER.fullmatch(pair) for pair in parts.query.split("&"))
    )


def _full_name(name: str) -> str:
    """Without `www.` and what marks a mobile host: `en.m.wikipedia.org`, `amp.example.org`; two labels stay."""
    *before, domain, ending = [*([""] if "." not in name else []), *name.split(".")]
    kept = [label for label in before if label not in _SPARE_LABELS and label != "www"]
    return ".".join(filter(None, [*kept, domain, ending]))


def _parameters(query: str) -> str:
    kept = sorted(pair for pair in query.split("&") if pair and not _AMP_PARAMETER.fullmatch(pair))
    return f"?{'&'.join(kept)}" if kept else ""
