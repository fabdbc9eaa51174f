"""Which addresses are one page: mobile hosts, AMP, `www.`, http and https, the order of parameters.  Pure.

`urls.canonical` keeps to what servers are bound to answer alike; this goes by custom, so its keys are compared and
never fetched.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from agent.text.urls import canonical

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
