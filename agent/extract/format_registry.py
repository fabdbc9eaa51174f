"""The formats by media type.  A new one is a file with such a function and a line here, and its sign in `web.sniff`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from agent.extract.format_base import Format
from agent.extract.formats import docx, feed, html, json_text, pdf, plain_text

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "application/atom+xml": feed.extract,
        "application/json": json_text.extract,
        "application/pdf": pdf.extract,
        "application/rss+xml": feed.extract,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": docx.extract,
        "text/html": html.extract,
        "text/markdown": plain_text.markdown,
        "text/plain": plain_text.text,
    }
)
