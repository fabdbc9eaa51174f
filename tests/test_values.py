"""The nouns, the events and the codec: what goes in comes out."""

import dataclasses
import subprocess
import sys
from typing import get_args

import pytest
from pydantic import ValidationError

import agent
from agent import events
from agent.events import Finished, decode, encode
from agent.result import Answer, AnswerSource, MadeWith, from_json, to_json
from agent.text.output_filter import is_closed
from agent.types import Citation, Claim, Conflict, Query, Search, SearchHit, Side, Source, Usage
from tests.text.growth import calls
from tests.ui.stand_in import attacks

CLAIM = Claim("R1 is open [1].", 0, 15, (Citation(1, "R1 is open", 3, 13, link="http://a.example/"),), "supported")
SOURCE = AnswerSource(1, "http://a.example/", "A", "a.example", "2025-01-20", "2026-11-24T12:00:00Z", "en", True, "ab")
ANSWER = Answer("run", "Is R1 open?", "complete", MadeWith(), "R1 is open [1].", (SOURCE,), (CLAIM,))

SAMPLES = {
    "str": "words",
    "float": 1.5,
    "int": 3,
    "bool": True,
    "Query": Query("R1"),
    "Search": Search(Query("R1"), 1, "found", "memory", (SearchHit("http://a.example/", "A", "s", 1, "memory"),)),
    "tuple[Source, ...]": (
        Source(1, "d", "s", "http://a.example/", "A", "a.example", "2026-11-24", page_starts=(0, 9)),
    ),
    "Claim": CLAIM,
    "Verdict": "supported",
    "Usage": Usage(model_calls=1, usd=0.1),
    "Answer": ANSWER,
}
KINDS = get_args(events.Event)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_every_event_comes_back_from_json_as_it_was(kind):
    own = {
        f.name: SAMPLES[f.type]
        for f in dataclasses.fields(kind)
        if f.name not in ("run_id", "step", "round", "at", "event")
    }
    event = kind(run_id="r", step="write", round=2, at=1.5, **own)
    assert decode(encode(event)) == event
    assert encode(event)["event"] == kind.__name__


def test_an_event_that_is_none_of_ours_is_refused():
    with pytest.raises(ValidationError):
        decode({"event": "Exploded", "run_id": "r", "step": "write", "round": 1, "at": 0.0})


def test_reading_an_event_reuses_the_validator_of_its_kind():
    """Each token of a model is an event: a validator built for each took 15 s per thousand, and all of them stayed."""
    thought = encode(events.Thinking(run_id="r", step="write", round=1, at=0.0, text="so"))
    decode(thought)
    assert calls(decode, thought) < 50


def test_tuples_come_back_as_tuples():
    assert from_json(Claim, to_json(CLAIM)) == CLAIM
    assert isinstance(from_json(Claim, to_json(CLAIM)).citations, tuple)


def test_the_answer_as_text_has_the_body_the_cited_sources_and_how_the_sentences_fared():
    body, sources, told = str(ANSWER).split("\n\n", 1)[0], str(ANSWER), str(ANSWER).splitlines()[-1]
    assert body == "R1 is open [1]."
    assert "[1] A — a.example, 2025-01-20" in sources
    assert told == "*Sentences checked against their sources: 1 (supported: 1).*"


def test_a_page_title_cannot_become_an_image_or_a_link():
    hostile = dataclasses.replace(SOURCE, title="![x](http://evil.example/?q)\n<img src=x>", url="http://a.example/a>b")
    text = str(dataclasses.replace(ANSWER, sources=(hostile,)))
    assert "![x](" not in text
    assert "<img" not in text.replace("\\<img", "")
    assert "<http://a.example/a%3Eb>" in text


ATTACKS = [line for line in attacks("http://evil.example").split("\n\n") if line]


@pytest.mark.parametrize(
    "attack", [*ATTACKS, "https://https://evil.example", "a@@b.example", "[1] as in &#91;x&#93;(/y)"]
)
def test_nothing_that_a_page_says_of_itself_links_or_loads_in_the_answer_as_text(attack):
    hostile = dataclasses.replace(SOURCE, title=attack, site=attack)
    conflict = Conflict(attack, (Side(attack, (1,)), Side(attack, (1,))))
    text = str(dataclasses.replace(ANSWER, sources=(hostile,), conflicts=(conflict,)))
    assert is_closed(text, [SOURCE.url])


def test_every_source_has_its_date_and_how_sure_it_is():
    inferred = dataclasses.replace(SOURCE, date_certainty="inferred")
    undated = dataclasses.replace(SOURCE, published=None)
    text = str(dataclasses.replace(ANSWER, sources=(inferred, undated)))
    assert "a.example, 2025-01-20 (inferred)" in text
    assert "a.example, undated" in text


def test_how_far_the_evidence_goes_and_as_of_when_is_said_below_the_answer():
    told = str(dataclasses.replace(ANSWER, sufficiency="conflicting", as_of="2025-01-20")).splitlines()[-1]
    assert (
        told == "*Sentences checked against their sources: 1 (supported: 1). The sources disagree. As of 2025-01-20.*"
    )


def test_sources_that_are_not_cited_are_not_listed():
    answer = dataclasses.replace(ANSWER, sources=(dataclasses.replace(SOURCE, cited=False),))
    assert "## Sources" not in str(answer)


def test_the_public_names_are_there_and_loading_the_package_loads_nothing_heavy():
    heavy = "{'pydantic', 'langgraph', 'langchain_core', 'chromadb', 'httpx2', 'trafilatura', 'streamlit'}"
    script = f"import sys, agent; assert not {heavy} & set(sys.modules); print(*agent.__all__)"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["AgentError", "Answer", "ChatR1", "ResearchAgent", "Settings", "build_graph"]


def test_a_name_that_does_not_exist_is_an_attribute_error():
    import agent

    with pytest.raises(AttributeError, match="NoSuchThing"):
        _ = agent.NoSuchThing


def test_finished_is_the_only_event_that_carries_an_answer():
    assert [k for k in KINDS if "answer" in {f.name for f in dataclasses.fields(k)}] == [Finished]


@pytest.mark.parametrize("name", agent.__all__)
def test_every_public_name_is_there(name):
    assert getattr(agent, name).__name__ == name


def test_the_names_of_version_0_1_still_work_for_hosts_with_a_reasoner_of_their_own():
    from agent import types

    assert types.Stance("answer") == types.WriteDecision("answer")
    assert types.Again is types.Restart
    old = ("Case", "Caution", "Exhibit", "Finding", "Judgement", "Spending")
    assert all(isinstance(getattr(types, name), type) for name in old)
