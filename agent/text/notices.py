"""Tells a sentence about the work or the sources from a claim.

A remark is never checked, so whatever might carry a fact is not taken for one.
"""

from __future__ import annotations

import re
from functools import cache

from agent.phrases import in_all_languages

_OURS_ALONE = (
    "nearest",  # phrases that stand in an answer as sentences
    *("no_model", "model_failed", "no_answer", "part_unanswered", "nothing_confirmed"),
    *("checked_by_rules", "not_checked"),
)

# "The sources do not say …": the ways of telling that something was not found.  Only of *our* sources: that evidence
# in general does not show something is a claim.
_OURS = (
    r"(?:(?<![-\w])(?:search results?|web ?pages?|sources?(?![ -]code)(?: \d+)?)"
    r"|\b(?:provided|available|given|retrieved|cited|found|gathered) "
    r"(?:\w+ )?(?:documents?|evidence|articles?|texts?|passages?|materials?|information|results?|pages))"
)
_TELL = (
    r"(?:say|state|mention|give|specify|provide|address|answer|contain|include|cover|discuss|report|indicate|confirm|"
    r"explain|name|quote|list|describe|disclose|reveal|support|offer|clarify|detail|tell)"
)
_SILENT = re.compile(
    rf"{_OURS}\b[^.;:]{{0,40}}?\b(?:(?:do(?:es)?|did) not|(?:do|does|did)n[’']t|never|cannot|fail to)"
    rf" (?:\w+ )?{_TELL}"
    rf"|{_OURS}\b[^.;:]{{0,40}}?\b(?:says? nothing|(?:is|are) silent|lacks?\b"
    r"|(?:contain|give|provide|make|offer)s? no\b)"
    r"|\b(?:none of the|no|neither) (?:\w+ ){0,2}?(?:sources?|search results?|web ?pages?|pages)\b"
    rf"[^.;:]{{0,20}}\b{_TELL}"
    r"|\b(?:i|we) (?:could|can|was|were|did)(?:n[’']t| ?not|) ?(?:not |unable to )"
    r"(?:find|determine|verify|confirm|locate)"
    r"|\b(?:i|we) (?:found no|found nothing|could find no|(?:couldn|didn)[’']t find)"
    r"|\bno (?:\w+ ){0,2}(?:information|evidence|details?|data|figures?|mention)\b[^.;:]{0,40}"
    rf"\b(?:(?:was|were|is|are|could be) (?:found|available|given|provided)|in (?:the )?{_OURS})"
    rf"|\b(?:is|are|was|were) not \w+ (?:in|by) (?:the |any |these )?{_OURS}"
    r"|(?:来源|來源|搜索结果|搜尋結果|网页|網頁|提供的资料|提供的信息)[^。；]{0,20}(?:没有|沒有|未|无法|無法|不)[^。；]{0,8}"
    r"(?:提及|提到|提供|说明|說明|回答|给出|給出|涉及|包含|显示|證實|证实|确认)"
    r"|(?:没有|未能|无法|未)(?:能)?(?:在\w{1,8}中)?(?:找到|查到)"
    r"|\bquellen\b[^.;:]{0,40}\b(?:nicht|keine[nrs]?|nichts)\b|\bfuentes\b[^.;:]{0,40}\bno\b"
    r"|\bno se (?:ha |han )?(?:encontr|hall)\w+|\bsources\b[^.;:]{0,40}\bne\b[^.;:]{0,30}\bpas\b|\baucune source\b",
    re.IGNORECASE,
)
# After one of these a sentence may go on to state a fact.
_BUT = re.compile(
    r"\b(?:but|however|although|though|while|whereas|yet|nevertheless|still|instead|aber|jedoch|obwohl|doch|sondern|pero|"
    r"aunque|sino|sin embargo|mais|cependant|bien que|toutefois)\b|但|不过|不過|然而|虽然|雖然|而是",
    re.IGNORECASE,
)
_MANNERS = re.compile(
    r"(?:i hope|let me know|feel free|if you (?:need|want|have|would like)|for more (?:details|information)"
    r"|this answer|the following|here (?:is|are|’s|'s)|below (?:is|are)|in summary[,:]?$"
    r"|to summari[sz]e[,:]?$|in conclusion[,:]?$"
    r"|希望|如需|如果您|以下是|下面是|ich hoffe|im folgenden|espero que|a continuación|j[’']espère|voici)",
    re.IGNORECASE,
)
_EMPHASIS = re.compile(r"^[\s*_>(]+|(?<![\s*_)])[\s*_)]+$")


def is_remark(sentence: str, *, cited: bool = False) -> bool:
    """Is this said about the work, the sources or the reader, and nothing else?  `sentence`: without its marks.

    One that cites is no figure of speech: "The following was found at the site: gold [1]".
    """
    said = _EMPHASIS.sub("", sentence)
    if any(own.fullmatch(said) for own in _own()):
        return True
    if _SILENT.search(said):
        return not _BUT.search(said)
    return not cited and bool(_MANNERS.match(said)) and not re.search(r"\d", said)


@cache
def _own() -> tuple[re.Pattern[str], ...]:
    """Our own phrases, whatever stands in their places."""
    phrases = [form for key in _OURS_ALONE for form in in_all_languages(key)]
    asked = [r"The sources found do not answer this part[:：].*"]  # what models are asked to write
    asked += [rf"{re.escape(form)}[:：].*" for key in ("unsupported", "refuted") for form in in_all_languages(key)]
    return tuple(
        re.compile(re.sub(r"\\\{\w+\\\}", ".*", _EMPHASIS.sub("", re.escape(phrase))), re.DOTALL) for phrase in phrases
    ) + tuple(re.compile(pattern, re.DOTALL) for pattern in asked)
