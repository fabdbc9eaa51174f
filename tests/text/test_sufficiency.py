"""How far the evidence goes is graded from what stands, on whose word, and of what it speaks."""

from agent.graph.answer_builder import sufficiency
from agent.types import Citation, Claim, Conflict

QUESTION = "When was R1 released, and under which licence?"
SITES = {1: "one.example", 2: "two.example", 3: "one.example"}


def claim(text, *sources, verdict="supported", quote="R1 was released under a licence in January."):
    return Claim(text, 0, 9, tuple(Citation(n, quote, 0, 5) for n in sources), verdict)


BOTH = [claim("R1 was released in January.", 1), claim("Its licence is MIT.", 2)]


def grade(claims, conflicts=()):
    return sufficiency(QUESTION, claims, conflicts, SITES)


def test_two_origins_that_speak_of_every_part_are_enough():
    assert grade(BOTH) == "enough"


def test_two_pages_of_one_site_are_thin():
    assert grade([claim("R1 was released in January.", 1), claim("Its licence is MIT.", 3)]) == "thin"


def test_a_part_that_nothing_speaks_of_makes_it_thin():
    quote = "It came in January."
    said = [claim("R1 was released in January.", 1, quote=quote), claim("R1 was released this winter.", 2, quote=quote)]
    assert grade(said) == "thin"


def test_more_failed_sentences_than_others_make_it_thin():
    failed = [claim("R1 is a fish.", 1, verdict="refuted")] * 3
    assert grade([*BOTH, *failed]) == "thin"


def test_nothing_that_stands_is_none():
    assert grade([]) == "none"
    assert grade([claim("R1 is a fish.", 1, verdict="unsupported")]) == "none"
    assert grade([claim("R1 is a fish.", 1, verdict="unchecked", quote=None)]) == "none"


def test_a_conflict_is_told_before_anything_else():
    assert grade(BOTH, [Conflict("R1", ())]) == "conflicting"


def test_claims_that_are_off_the_question_are_thin_however_many_stand():
    quote = "The harbour was rebuilt in spring."
    off = [claim(f"The harbour of Norwell has {n} cranes.", n, quote=quote) for n in (1, 2)]
    assert grade(off) == "thin"
