"""Links in the documents lead somewhere, and the site needs nobody else's server."""

import os
import re
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from tests.docs.reading import DOCUMENTS, ROOT, anchors, inline

LINKED = (*DOCUMENTS, ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md")
MOST_LINES = 150  # of the README: the rest has a place in docs/


@pytest.mark.parametrize("document", LINKED, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(document):
    for token in inline(document):
        target = urlsplit(str(token.attrGet("href") or token.attrGet("src") or ""))
        if target.scheme or not (target.path or target.fragment):
            continue
        file = (document.parent / target.path).resolve() if target.path else document
        assert file.exists(), f"{target.path!r} is no file"
        assert not target.fragment or target.fragment in anchors(file), f"{target.geturl()!r} is no heading"


def test_the_readme_is_short_and_leads_to_every_document():
    readme = ROOT / "README.md"
    linked = {str(token.attrGet("href")) for token in inline(readme) if token.type == "link_open"}
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} - {"docs/index.md"}
    assert pages <= linked
    assert len(readme.read_text("utf-8").splitlines()) <= MOST_LINES


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    place = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", place],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return place


def test_every_document_is_a_page_of_the_site(site):
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} <= {path.stem for path in site.glob("*.html")}


def test_a_page_of_the_site_loads_nothing_from_other_servers(site):
    """The theme's script names two addresses, for diagrams and for a plugin; neither is used here."""
    for page in site.rglob("*.html"):
        told = page.read_text("utf-8")
        loaded = re.findall(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?([^\"' >]+)", told)
        loaded += re.findall(r"<link\b[^>]*\bhref=[\"']?([^\"' >]+)", told)
        assert loaded
        assert not [address for address in loaded if urlsplit(address).netloc]
        assert 'class="mermaid"' not in told
    for sheet in site.rglob("*.css"):
        assert not re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", sheet.read_text("utf-8"))
