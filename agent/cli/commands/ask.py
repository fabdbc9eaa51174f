"""`ask`: a question in, progress on stderr, the checked answer on stdout.

Knows what the flags mean and the order of things; what is printed and how is `deliver`'s and `progress`'s.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.answer_printer import Form, check_target, deliver, print_schema
from agent.cli.command_base import ANSWERED, FAILED, LANDED, NAME, Leaving, Parser, Researcher, Start, prepare, program
from agent.errors import AgentError, UsageError
from agent.text.safe_text import clean, one_line

if TYPE_CHECKING:
    from agent.cli.run_display import Detail
    from agent.events import Event
    from agent.result import Answer
    from agent.types import Status

_NEWEST = ""  # what --resume stands for without an id
_MOST_STDIN = 1_000_000  # bytes; a question is refused long before, but a pipe may have no end
_EPILOG = """\
commands:
  ask QUESTION            the same as without a command; `ask "ui"` asks about the word
  doctor                  try what a question needs, and say how to mend what is wrong
  library ACTION          what was read: list, show, text, search, export, forget, verify, repair
  models                  what is configured to think, and what servers on this machine offer
  setup-embeddings        fetch and convert the built-in embedder, once
  ui                      the app in a browser

exit status: 0 answered, 1 failed, 2 usage, 3 landed early or no evidence, 130 interrupted
Every flag that is a setting has a variable too (--base-url: AGENT_BASE_URL); .env is read from the working directory.
The endpoint's key is AGENT_API_KEY only, as a flag would show in the process list.
"""


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line asks for."""

    question: str  # empty with `resume`
    resume: str | None = None  # a run id; empty: the newest unfinished one; None: a new run
    given: dict[str, object] = field(default_factory=dict)  # the settings among the flags
    form: Form = "markdown"
    output: Path | None = None
    detail: Detail = "cut"


def run(words: Sequence[str], start: Start) -> int:
    parsed = _parser().parse_intermixed_args(words)
    if parsed.json_schema:
        return print_schema()
    order = _order(parsed)
    prepare()
    from agent.settings import Settings

    here = _Whereabouts(order)
    with Leaving(here.last_words):
        answer = _follow(start(Settings(**order.given)), order, here)
        deliver(answer, order.form, order.output)
    return _status(answer.status)


class _Whereabouts:
    """Where the run is, for the line to go on with."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self.run_id = order.resume or ""

    def last_words(self) -> str:
        """A run keeps its settings; where it is kept must be said again."""
        if not self.run_id:
            return "interrupted"
        place = [f"--data-dir={self._order.given['data_dir']}"] if "data_dir" in self._order.given else []
        return f"interrupted; resume with: {program()} {shlex.join([f'--resume={self.run_id}', *place])}"


def _follow(agent: Researcher, order: Order, here: _Whereabouts) -> Answer:
    """The answer, with everything that happens on the way shown.  Raises `AgentError`."""
    from agent.cli.run_display import event_line, watcher
    from agent.events import Finished

    answer: Answer | None = None
    if order.detail != "none":
        print(_first_line(agent, order), file=sys.stderr, flush=True)
    with _events(agent, order) as events, watcher(order.detail, events_on_stdout=order.form == "events") as watch:
        for event in events:
            here.run_id = event.run_id
            watch.see(event)
            if order.form == "events":
                sys.stdout.write(event_line(event))
                sys.stdout.flush()
            if isinstance(event, Finished):
                answer = event.answer
    if answer is None:
        raise AgentError("the run ended without an answer; run it again with --verbose to see where")
    return answer


@contextlib.contextmanager
def _events(agent: Researcher, order: Order) -> Iterator[Iterator[Event]]:
    """The run's events; leaving early ends the run."""
    events = agent.stream(order.question) if order.resume is None else agent.resume(order.resume or None)
    try:
        yield events
    finally:
        close = getattr(events, "close", None)  # a generator has one, an iterator in general has not
        if close:
            close()


def _first_line(agent: Researcher, order: Order) -> str:
    """Which reasoner and search are used, and why; of a resumed run, which are told by the run itself."""
    if order.resume is None:
        return f"{NAME}: {one_line(agent.describe())}"
    unused = [_flag(name, value) for name, value in order.given.items() if name != "data_dir"]
    return f"{NAME}: goes on with the settings of the run" + (f"; not used: {', '.join(unused)}" if unused else "")


def _flag(setting: str, value: object) -> str:
    if setting == "library":
        return "--library-only" if value == "only" else "--fresh"
    return f"--{setting.removesuffix('_model').replace('_', '-')}"


def _status(status: Status) -> int:
    return {"complete": ANSWERED, "partial": LANDED, "abstained": LANDED, "failed": FAILED}[status]


# ---------------------------------------------------------------------------------------------------- flags


def _order(parsed: argparse.Namespace) -> Order:
    words = vars(parsed)
    given = {name: words[name] for name in _SETTINGS if name in words}
    if parsed.json and parsed.events:
        raise UsageError("--json and --events both claim stdout; --events ends with the whole result already")
    output = Path(parsed.output) if parsed.output is not None else None
    check_target(output)
    return Order(
        question=_question(parsed),
        resume=parsed.resume,
        given=given,
        form="json" if parsed.json else "events" if parsed.events else "markdown",
        output=output,
        detail="none" if parsed.quiet else "whole" if parsed.verbose else "cut",
    )


def _question(parsed: argparse.Namespace) -> str:
    question = " ".join(parsed.question)
    if parsed.resume is not None:
        if question:
            raise UsageError("--resume goes on with the question of its run and takes no other")
        return ""
    if question == "-":
        question = sys.stdin.buffer.read(_MOST_STDIN).decode("utf-8", "replace")
    question = clean(question)
    if not question.strip():
        raise UsageError(f'no question; for example: {program()} "What is DeepSeek-R1-Zero?"')
    return question


_SETTINGS = (
    "model", "base_url", "profile", "writer_model", "writer_base_url", "fast_model", "fast_base_url", "pass_thinking",
    "search", "searxng_url", "folder", "share_folder", "depth", "check", "max_seconds", "max_usd", "max_total_tokens",
    "unconfirmed", "max_pages", "lang", "data_dir", "allow_private_addresses", "ignore_robots",
    "since", "site", "not_site", "library",
)  # fmt: skip


def _parser() -> Parser:
    parser = Parser(
        "",
        usage='%(prog)s [flags] "question"\n       %(prog)s COMMAND …',
        description="A web-search research agent for DeepSeek-R1: cited answers, every sentence checked.",
        epilog=_EPILOG,
    )
    parser.add_argument("question", nargs="*", help="the question; - reads it from stdin")
    _model_flags(parser)
    _search_flags(parser)
    _budget_flags(parser)
    _output_flags(parser)
    return parser


def _model_flags(parser: Parser) -> None:
    group = parser.add_argument_group("the model", argument_default=argparse.SUPPRESS)
    group.add_argument("--model", metavar="NAME", help="model at the endpoint; `extractive` needs no endpoint")
    group.add_argument("--base-url", metavar="URL", help="OpenAI-compatible endpoint of the reasoner")
    group.add_argument("--profile", metavar="NAME", help="how the endpoint is driven; default: by URL and model")
    group.add_argument("--writer", dest="writer_model", metavar="NAME", help="a second model that writes")
    group.add_argument("--writer-base-url", metavar="URL", help="its endpoint; default: the reasoner's")
    group.add_argument("--fast", dest="fast_model", metavar="NAME", help="a small model for repairs")
    group.add_argument("--fast-base-url", metavar="URL", help="its endpoint; default: the reasoner's")
    group.add_argument(
        "--pass-thinking", action="store_true", help="show the writer what the reasoner thought, not its notes only"
    )
    group.add_argument("--lang", metavar="CODE", help="language of the answer; default: the question's")


def _search_flags(parser: Parser) -> None:
    group = parser.add_argument_group("where it looks", argument_default=argparse.SUPPRESS)
    group.add_argument("--search", metavar="NAME[,NAME…]", help="search providers in order of preference")
    group.add_argument("--searxng-url", metavar="URL", help="the SearXNG instance")
    group.add_argument("--since", metavar="WHEN", help="no older sources: day, week, month, year, or a date")
    group.add_argument("--site", action="append", metavar="HOST", help="sources from this host only; repeatable")
    group.add_argument("--not-site", action="append", metavar="HOST", help="none from this host; repeatable")
    kept = group.add_mutually_exclusive_group()
    kept.add_argument(
        "--fresh",
        dest="library",
        action="store_const",
        const="fresh",
        help="use nothing that earlier runs read",
    )
    kept.add_argument(
        "--library-only",
        dest="library",
        action="store_const",
        const="only",
        help="ask only what earlier runs read",
    )
    group.add_argument("--folder", metavar="DIR", help="local documents as a source")
    group.add_argument(
        "--share-folder", action="store_true", help="let a model that has seen local documents write web searches"
    )
    group.add_argument(
        "--allow-private-addresses", action="store_true", help="let pages be fetched from private addresses"
    )
    group.add_argument(
        "--ignore-robots", action="store_true", help="read pages whatever robots.txt says; for own sites"
    )
    group.add_argument("--data-dir", metavar="DIR", help="where the library and the runs are kept")


def _budget_flags(parser: Parser) -> None:
    group = parser.add_argument_group("how far it goes", argument_default=argparse.SUPPRESS)
    group.add_argument("--depth", choices=("quick", "standard", "deep"), help="standard is the default")
    group.add_argument("--check", choices=("none", "rules", "full"), help="how claims are checked")
    group.add_argument("--unconfirmed", choices=("show", "drop"), help="what becomes of sentences that failed")
    group.add_argument("--max-seconds", type=float, metavar="N", help="soft limit on the run's time")
    group.add_argument("--max-usd", type=float, metavar="X", help="soft limit on the cost of all model calls")
    group.add_argument("--max-total-tokens", type=int, metavar="N", help="soft limit over all model calls")
    group.add_argument("--max-pages", type=int, metavar="N", help="pages read, at most")


def _output_flags(parser: Parser) -> None:
    import agent

    group = parser.add_argument_group("what comes out")
    group.add_argument("--json", action="store_true", help="the whole result as one JSON object")
    group.add_argument("--events", action="store_true", help="every event as a line of JSON; the last has the result")
    group.add_argument("--output", metavar="FILE", help="also write the answer: .md or .json, by its ending")
    group.add_argument(
        "--resume",
        nargs="?",
        const=_NEWEST,
        metavar="RUN_ID",
        help="go on with an interrupted run; default: the newest",
    )
    loud = group.add_mutually_exclusive_group()
    loud.add_argument("--quiet", action="store_true", help="no progress on stderr")
    loud.add_argument("--verbose", action="store_true", help="progress with the whole reasoning")
    group.add_argument("--json-schema", action="store_true", help="print the JSON Schema of the result and leave")
    group.add_argument("--version", action="version", version=f"{NAME} {agent.__version__}")
