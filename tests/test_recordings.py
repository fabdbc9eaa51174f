"""Whole runs with recorded replies: reasoned answers, written by hand in the model's place, on the sample web.

Numbers in a recorded reply are those of the prompt that its writer saw; they are translated by title and site, so that
a change in the order of the evidence does not make the recording worthless.
"""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from agent.research import ResearchAgent
from agent.result import to_json
from agent.settings import Settings
from agent.text.citation_marks import marks
from tests.model_server import ModelServer, Said
from tests.parts import FixedClock

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.json"))
_PAGE = re.compile(r"\[webpage (\d+) begin\]\ntitle: (.*?)\nsite: (.*?)\n")
_THINK = re.compile(r"<think>(.*?)</think>\s*", re.DOTALL)


def _kind(prompt):
    if "[notes begin]" in prompt:
        return "prose"
    if "# The sentences to revise are:" in prompt or "# 需要修改的句子是：" in prompt:
        return "revise"
    return "write" if _PAGE.search(prompt) else "plan"


def replayed(recording):
    """The recorded replies of each kind in their order, their citations translated to the prompt's numbers."""
    said_so_far = Counter()

    def said(request):
        kind = _kind(request.prompt)
        replies = [r for r in recording["replies"] if r["step"] == kind]
        reply = replies[said_so_far[kind]]
        said_so_far[kind] += 1
        pages = {(title, site): number for number, title, site in _PAGE.findall(request.prompt)}

        def translated(match):
            page = reply["pages"][match[1]]
            return f"[citation:{pages.get((page['title'], page['site']), 99)}]"

        text = re.sub(r"\[citation:(\d+)\]", translated, reply["reply"])
        thinking = _THINK.match(text)
        return Said(text[thinking.end() :] if thinking else text, thinking[1].strip() if thinking else "")

    return said


def answered(recording, home):
    with ModelServer(replayed(recording)) as server:
        writer = {"writer_model": "writer"} if recording.get("writer") else {}
        places = {"data_dir": home, "cache_dir": home, "search": "sample", "base_url": server.url}
        settings = Settings(**places, **writer, model="r1", check="rules", max_pages=recording.get("pages", 12))
        return ResearchAgent(settings, clock=FixedClock()).invoke(recording["question"])


@pytest.fixture(scope="module", params=RECORDINGS, ids=lambda p: p.stem)
def run(request, tmp_path_factory):
    recording = json.loads(request.param.read_text(encoding="utf-8"))
    return recording, answered(recording, tmp_path_factory.mktemp("run"))


def test_the_run_ends_as_it_did_when_it_was_recorded(run):
    recording, answer = run
    assert answer.status == recording["status"]
    assert answer.warnings == ()


def test_the_same_pages_are_cited(run):
    recording, answer = run
    assert sorted(s.url for s in answer.sources if s.cited) == recording["cited"]


def test_every_mark_is_a_source_and_every_claim_stands_where_it_says(run):
    _, answer = run
    assert {mark.number for mark in marks(answer.answer)} <= {s.number for s in answer.sources}
    assert all(answer.answer[c.start : c.end] == c.text for c in answer.claims)


def test_no_sentence_that_its_writer_took_from_a_page_is_called_false(run):
    _, answer = run
    assert [c.text for c in answer.claims if c.verdict == "refuted"] == []


def test_each_sentence_has_the_verdict_that_it_had(run):
    """By the rules alone, so that a paraphrase is undecided; where they learn to decide it, amend the recording."""
    recording, answer = run
    assert [c.verdict for c in answer.claims] == recording["verdicts"]


# (recording, what its writer says, what it says instead, a sentence with it, what then stands in none of its sources)
FALSIFIED = [
    ("licence", "under the MIT licence", "under the GPL licence", "GPL", ("GPL",)),
    ("licence", "20 January 2025", "21 January 2025", "21 January", ("21 January 2025",)),
    ("hallucination-rates", "11.3 per cent", "13.1 per cent", "13.1", ("13.1 per cent",)),
    ("how-good", "in September 2025", "in September 2024", "September 2024", ("September 2024",)),
]


@pytest.mark.parametrize(("name", "true", "false", "where", "missing"), FALSIFIED)
def test_a_falsified_answer_is_noticed(name, true, false, where, missing, tmp_path):
    recording = json.loads((RECORDINGS[0].parent / f"{name}.json").read_text(encoding="utf-8"))
    for reply in recording["replies"]:
        thinking = _THINK.match(reply["reply"])
        at = thinking.end() if thinking else 0
        reply["reply"] = reply["reply"][:at] + reply["reply"][at:].replace(true, false)
    recording["replies"].append({"step": "revise", "reply": "1: keep"})
    found = [claim for claim in answered(recording, tmp_path).claims if where in claim.text]
    assert found
    assert all(claim.missing == missing for claim in found)


def test_the_reasoning_is_in_the_steps_and_nowhere_else(run):
    recording, answer = run
    thoughts = {_THINK.match(r["reply"])[1].strip()[:60] for r in recording["replies"] if _THINK.match(r["reply"])}
    shown = json.dumps({**to_json(answer), "steps": []}, ensure_ascii=False)
    told = "\n".join(step.reasoning for step in answer.steps)
    assert all(thought in told for thought in thoughts)
    assert not any(thought in shown for thought in thoughts)
