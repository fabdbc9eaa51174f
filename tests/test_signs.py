"""A reader sees at the sentence how it fared, in every form in which an answer is shown, and in its language."""

import re
from dataclasses import replace

import pytest

from agent.phrases import _table, in_all_languages, phrase, reason
from agent.result import Answer, AnswerSource, MadeWith, check_line, from_json, sign, signed, to_json
from agent.types import Citation, Claim
from agent.verify.claims import claims

BODY = """R1 is open [1]. It cost 431 euros [1], they say [2]. It is old [1].

- It runs `a[1]` [2]
- 它是开源的[1]。

| Model | Price |
|---|---|
| R1 [2] | 5 |

Nobody disputes this price."""
VERDICTS = ("supported", "partial", "refuted", "unchecked", "supported", "unchecked", "unsupported")


def answer(text: str = BODY, **more) -> Answer:
    found = [replace(c, verdict=v) for c, v in zip(claims(text), VERDICTS, strict=False)]
    found[1:2] = [replace(c, missing=("431",)) for c in found[1:2]]
    source = AnswerSource(1, "https://a.example/x", "A", "a.example", None, "2026-01-01", "en", True, "s")
    made_with = more.pop("made_with", MadeWith())
    return Answer("r", "q", "complete", made_with, text, sources=(source,), claims=tuple(found), **more)


def test_each_sentence_that_is_not_supported_has_its_sign_behind_its_marks():
    assert (
        signed(answer()).answer
        == """R1 is open [1]. It cost 431 euros [1], they say [2] (◐#). It is old [1] (✗).

- It runs `a[1]` [2] (?)
- 它是开源的[1]。

| Model | Price |
|---|---|
| R1 [2] | 5 (?) |

Nobody disputes this price. (⊘)"""
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("It is said in [1](<http://a.example/>).", "It is said in [1](<http://a.example/>) (?)."),
        ("See [the paper [1]](<http://a.example/>) now.", "See [the paper [1]](<http://a.example/>) (?) now."),
        ("R1 [1] has the loss $x[1]$ here.", "R1 [1] (?) has the loss $x[1]$ here."),
        ("R1 [1] runs `a[1]` here.", "R1 [1] (?) runs `a[1]` here."),
        ("It cost $5 [1] and then $6 [1].", "It cost $5 [1] and then $6 [1] (?)."),
        ("Its loss was $x[1]$ all along.", "Its loss was $x[1]$ all along. (?)"),
    ],
)
def test_a_sign_never_stands_in_code_in_math_or_in_a_link(text, shown):
    undecided = tuple(replace(claim, verdict="unchecked") for claim in claims(text))
    assert signed(replace(answer(text), claims=undecided)).answer == shown


def test_offsets_of_the_signed_claims_count_in_the_signed_text():
    shown = signed(answer(checked_by="rules"))
    assert all(shown.answer[claim.start : claim.end] == claim.text for claim in shown.claims)


def test_the_answer_itself_and_its_offsets_stay_as_they_are():
    one = answer()
    assert to_json(one)["answer"] == BODY
    assert all(one.answer[claim.start : claim.end] == claim.text for claim in one.claims)


def test_one_line_at_the_foot_explains_the_signs_that_occur_with_their_counts():
    assert check_line(answer()) == (
        "Sentences checked against their sources: 7 (supported: 2 · ◐ partly supported: 1 · ⊘ without support: 1 · "
        "✗ contradicted: 1 · ? not decided: 2 · # figure or name not found in the source: 1)."
    )
    good = replace(answer(), claims=answer().claims[:1])
    assert check_line(good) == "Sentences checked against their sources: 1 (supported: 1)."


def test_a_supported_sentence_has_no_sign_unless_something_of_it_is_missing():
    claim = Claim("R1 is open [1].", 0, 15, (Citation(1),), verdict="supported")
    assert sign(claim) == ""
    assert sign(replace(claim, missing=("R1",))) == "#"


@pytest.mark.parametrize(
    ("by", "first"),
    [
        ("rules", "*No model checked this answer: only what stands word for word in a source counts as supported.*"),
        ("nobody", "*This answer was not checked against its sources.*"),
        ("model", "R1 is open [1]."),
    ],
)
def test_an_answer_that_no_model_checked_says_so_in_its_first_line(by, first):
    assert str(answer(checked_by=by)).startswith(first)


def test_an_answer_that_says_itself_that_no_model_wrote_it_says_nothing_twice():
    text = f"*{phrase('no_model', 'de')}*\n\nR1 is open [1]."
    by_none = answer(text, checked_by="rules", language="de", made_with=MadeWith(model="extractive"))
    assert str(by_none).startswith(text)
    by_a_model = replace(by_none, made_with=MadeWith(model="r1"))
    assert str(by_a_model).startswith(f"*{phrase('checked_by_rules', 'de')}*")


@pytest.mark.parametrize("language", ["en", "es", "de", "ja", "fr", "pt", "ru", "it", "nl", "pl", "zh", "ar", "ko"])
def test_every_fixed_word_is_in_the_language_of_the_answer(language):
    for key, forms in _table().items():
        for each in forms.values() if key == "reason" else [forms]:
            assert each.get(language)
    shown = str(answer(language=language, checked_by="rules"))
    for key in ("sources", "unchecked", "undated", "missing", "checked_by_rules"):
        assert phrase(key, language) in shown


def test_another_language_gets_english():
    assert phrase("sources", "sw") == "Sources"
    assert phrase("sources", "pt-BR") == "Fontes"


@pytest.mark.parametrize("key", ["searched", "read", "throttled", "inferred", "checked", "as_of", "model_failed"])
def test_the_places_in_a_phrase_are_the_same_in_all_languages(key):
    assert len({frozenset(re.findall(r"{\w+}", form)) for form in in_all_languages(key)}) == 1


def test_a_reason_is_told_part_by_part():
    why = "no source is cited; “431” stands in none of the cited pages; they have “412”"
    assert (
        reason(why, "de")
        == "keine Quelle ist angegeben; “431”: steht in keiner der angeführten Seiten; dort steht “412”"
    )


def test_a_stored_answer_of_before_is_read():
    old = to_json(answer())
    for claim in old["claims"]:
        del claim["missing"], claim["found"]
    del old["language"], old["checked_by"]
    read = from_json(Answer, old)
    assert (read.language, read.checked_by, read.claims[1].missing) == ("en", "model", ())
