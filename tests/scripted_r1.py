"""An R1 without a mind: what the scripted model server says to this product's prompts when it is given no script.

It tells the prompts apart by their formats, plans by splitting the question, answers with sentences of the prompt's own
webpages and their citations, drops what it is asked to revise, and cannot tell where it is asked to judge.  Good enough
to try every door by hand.
"""

from __future__ import annotations

import json
import re

from tests.model_server import Request, Said

_PAGE = re.compile(r"\[webpage (\d+) begin\]\n(.*?)\n\[webpage \1 end\]", re.DOTALL)
_ASKED = re.compile(r"# (?:The user's message is:|用户消息为：)\s*(.*)\Z", re.DOTALL)
_FAILED = re.compile(r"# (?:The sentences to revise are:|需要修改的句子是：)\s*(.*)\Z", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
_TO_REVISE = re.compile(r"^(\d+): ", re.MULTILINE)
_CASE = re.compile(r"^## (\d+)\n(?=(?:Before it: .*\n)?Claim: )", re.MULTILINE)
_TERM = re.compile(r"[A-Za-z0-9][\w.-]*\w|\d|[一-鿿]")
_COMMON = frozenset(
    re.findall(
        r"\S+",
        "a an and are as at be by did do does for from had has have how in is it of on or than that the their them "
        "they this to was were what when where which who why will with you your 的 是 了 在 和 有 什 么 多 少 吗",
    )
)


def rule_based(request: Request) -> Said:
    """What an R1 without a mind says to this product's prompts."""
    prompt = request.prompt
    asked = _ASKED.search(prompt)
    question = asked[1].strip() if asked else prompt
    if failed := _FAILED.search(prompt):
        lines = [f"{number}: drop" for number in _TO_REVISE.findall(failed[1])]
        return Said("\n".join(lines), "None of these sentences can be saved by rules.")
    if cases := _CASE.findall(prompt):
        return Said("\n".join(f"{number}: cannot tell" for number in cases), "Rules cannot judge these.")
    if _PAGE.search(prompt):
        return _written(question, prompt)
    if '"queries"' in prompt:
        return _planned(question)
    return Said("I am a scripted model.", "There is nothing to do.")


def _planned(question: str) -> Said:
    parts = [question, *re.split(r"\b(?:and|or|vs)\b|[,;，；、和]", question)]
    texts = list(dict.fromkeys(" ".join(_terms(part)[:10]) for part in parts if len(_terms(part)) > 1))[:3]
    queries = [{"query": text, "purpose": "a part of the question"} for text in texts]
    thought = f"Okay, the user asks: {question} I split this into {len(queries)} searches, one fact each."
    return Said(json.dumps({"queries": queries}, ensure_ascii=False), thought)


def _written(question: str, prompt: str) -> Said:
    wanted = set(_terms(question))
    scored = sorted(
        ((len(wanted & set(_terms(s))), -i, n, s) for i, (n, s) in enumerate(_sentences(prompt))), reverse=True
    )
    best = [(n, s) for hits, _, n, s in scored if hits >= min(2, len(wanted))][:4]
    thought = f"Okay, the user asks: {question} I look at {len(_PAGE.findall(prompt))} webpages for {sorted(wanted)}."
    if best:
        lines = [f"{s.rstrip('.。')} [citation:{n}]{s[-1]}" for n, s in best]
        return Said("ANSWER\n\n" + "\n\n".join(lines), thought)
    if '"queries"' in prompt:
        return Said("SEARCH\n" + _planned(f"{question} overview").text, thought)
    return Said("NO ANSWER\nThe webpages do not say anything about this.", thought)


def _sentences(prompt: str) -> list[tuple[str, str]]:
    """(number of the webpage, sentence), each once."""
    found = {}
    for number, body in _PAGE.findall(prompt):
        text = body.partition("\n\n")[2]
        for sentence in map(str.strip, _SENTENCE.split(text)):
            if 12 <= len(sentence) <= 320 and sentence[-1] in ".!?。！？" and sentence[0] not in "#|>`":
                found.setdefault(sentence, number)
    return [(number, sentence) for sentence, number in found.items()]


def _terms(text: str) -> list[str]:
    return [term for term in _TERM.findall(text) if term.lower() not in _COMMON]
