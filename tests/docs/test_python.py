"""Every Python block in the documents runs, one document's blocks in one namespace, as a reader would paste them."""

from itertools import groupby

import pytest

from tests.docs.reading import ROOT, blocks
from tests.model_server import ModelServer

ENDPOINT = "http://localhost:11434/v1"  # in the documents; here a scripted server
BY_DOCUMENT = {document: list(found) for document, found in groupby(blocks("python"), lambda block: block.document)}


@pytest.mark.parametrize("document", BY_DOCUMENT, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_python_of_a_document_runs(document, world, capsys):
    names: dict[str, object] = {"__name__": "pasted"}
    with ModelServer(["<think>Let me count.</think>Three."]) as server:
        for block in BY_DOCUMENT[document]:
            code = compile("\n" * block.line + block.text.replace(ENDPOINT, server.url), str(document), "exec")
            exec(code, names)


def test_the_documents_show_what_is_promised():
    shown = "".join(block.text for found in BY_DOCUMENT.values() for block in found)
    for name in ("ResearchAgent", "build_graph", "ChatR1", "as_tool", "as_runnable", "as_retriever"):
        assert name in shown
