"""Which sentences of a page are fit to be quoted by themselves.

Knows what pages say that is not their matter (menus, cookies, subscriptions), what addresses a machine instead of a
reader, what is a question or a fragment, and what leans on the sentence before it.  Does not know the question.
"""

from __future__ import annotations

import re

from agent.text.words import is_wide, tokens

_SHORTEST, _LONGEST = 30, 420  # characters
_WIDE_SHORTEST, _WIDE_LONGEST = 12, 200  # likewise in scripts without spaces
_FEWEST_WORDS = 5
_STOP = re.compile(r"[.!。！…][\"'”’»)\]」』）]*$")
_OPENS = r"[\"'“„«‘(\[「『《]*"
_BEGINNING = re.compile(
    rf"{_OPENS}[A-ZÀ-ÞА-ЯΑ-Ω\d$€£¥]|{_OPENS}[^\W\d_a-zß-ÿа-яα-ω]|[a-z]+[A-Z\d]"  # `iPhone`, `o1`
)
_PAGE_TALK = re.compile(
    r"\b(?:cookies?|privacy policy|terms of (?:use|service)|all rights reserved|subscrib\w+|newsletter|sign (?:up|in)\b"
    r"|log ?in\b|your (?:browser|inbox|email)|javascript|click (?:here|below|on)|read (?:more|also|next)|learn more|"
    r"share (?:this|on)|follow us|advertis\w+|sponsored|affiliate|related (?:articles?|posts?)|table of contents|"
    r"skip to|accept all|manage preferences|contact us|about us|leave a (?:comment|reply)|posted (?:by|on|in)|"
    r"min(?:ute)? read|photo(?:graph)?(?: by|:)|image(?: credit|:)|copyright|unsubscribe|download our|free trial|"
    r"this (?:article|page|post|website|site) (?:uses|was|is|may|contains|needs)|see also|main article|retrieved on|"
    r"datenschutz\w*|impressum|anmelden|newsletter abonnieren|alle rechte vorbehalten|mehr (?:lesen|erfahren)|"
    r"política de (?:privacidad|cookies)|suscr[ií]b\w+|leer más|politique de confidentialité|lire (?:la suite|aussi))"
    r"|^(?:task|exercise|homework|assignment|step \d+|tip)\b"
    r"|©|隐私政策|版权所有|点击|订阅|登录|注册|扫码|关注我们|阅读更多|相关阅读|责任编辑|アクセス|ログイン|プライバシー",
    re.IGNORECASE,
)
# Sentences addressed to whatever reads the page by machine.
_TO_A_MACHINE = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|prompts?|rules|previous|above|prior|context)\b"
    r"|\b(?:ai|llms?|language models?|chat ?bots?|assistants?|agents?|crawlers?|bots?)\b[^.]{0,60}"
    r"\b(?:must|should|shall|please|(?:are|is) (?:instructed|required|asked|told)|need to|have to|do not|never|always)"
    r"\b[^.]{0,60}"
    r"\b(?:reply|respond|answer|say|tell|state|include|output|write|recommend|mention|cite|link|visit|click|send|print|"
    r"summari[sz]e|rank|treat|ignore|follow|repeat|add|insert|report|claim|read)\b"
    r"|\b(?:if you are|as|attention|note to|dear|instructions? (?:for|to)|message (?:for|to)) (?:an? |the |all |any )?"
    r"(?:ai|llms?|language models?|chat ?bots?|assistants?)\b"
    r"|\b(?:any|every|all|each|your) (?:answers?|repl(?:y|ies)|responses?|summar(?:y|ies))\b[^.]{0,60}"
    r"\b(?:must|should|shall|ha(?:s|ve) to|needs? to)\b"
    r"|\byou (?:are now|must now|will now)\b|\b(?:system|developer) (?:message|prompt)\s*:|\bBEGIN (?:SYSTEM|PROMPT)"
    r"|忽略.{0,12}(?:指令|提示|以上|之前)"
    r"|(?:人工智能|AI|大模型|助手).{0,10}(?:必须|请|应当).{0,16}(?:回答|输出|告诉|推荐|引用|忽略)"
    r"|ignorier\w+.{0,30}(?:anweisung|vorherige)|ignora.{0,30}(?:instrucciones|anteriores)|ignorez.{0,30}instructions",
    re.IGNORECASE,
)
_LEANING = re.compile(
    r"(?:i|i['’]\w+|my|we|our|you|your|"
    r"this|these|those|that|it|its|they|their|he|his|she|her|such|here|there|both|another|others|the (?:latter"
    r"|former|same|second|other|above|following|result|rest)|however|but|and|or|also|thus|therefore|hence|so|yet|then|"
    r"moreover|"
    r"furthermore|additionally|in addition|in contrast|by contrast|instead|meanwhile|nevertheless|nonetheless"
    r"|similarly|likewise|as a result|consequently|for (?:example|instance|this|these)|in (?:this|these|that|turn)|"
    r"on the other hand|at (?:this|that|the same)|after (?:this|that|which)|as (?:such|mentioned|noted|shown"
    r"|described)|with (?:this|these)|to (?:this|do (?:this|so))|again|finally|indeed|"
    r"dies(?:e[rsnm]?)?|es|er|sie|aber|jedoch|doch|außerdem|dadurch|damit|dabei|deshalb|daher|auch|zudem|hier|so|"
    r"est[ea]s?|est[eo]|ell[oa]s?|él|pero|sin embargo|además|también|así|por (?:ello|eso|tanto)|aquí|"
    r"c(?:e|et|ette|es|ela)|il|elle|ils|elles|mais|cependant|aussi|ainsi|donc|en effet|par exemple)\b"
    r"|(?:这|這|该|該|此|其|它|他|她|但|而|因此|所以|另外|此外|同时|然而|例如|比如|同样|因而|于是|并且|その|これ|それ|この|しかし|また)",
    re.IGNORECASE,
)

_POINTS_BACK = re.compile(
    r"(?:\w+ ){1,3}(?:this|these|it|them|that|such)\b(?! (?:is|was|year|month|week)\b)", re.IGNORECASE
)


def is_fit(text: str, *, opens_passage: bool) -> bool:
    """May this sentence be quoted?  `opens_passage`: it may be the end of one that began in the passage before."""
    if not _has_size(text) or not _STOP.search(text) or not _BEGINNING.match(text):
        return False
    if (opens_passage and text[0].islower()) or text[0] in "(（[":
        return False
    if _PAGE_TALK.search(text) or _TO_A_MACHINE.search(text):
        return False
    return _is_prose(text)


def leans_on_context(text: str) -> bool:
    """Does it begin as one that only the sentence before makes clear?"""
    said = text.lstrip("\"'“„«‘([「『")
    return bool(_LEANING.match(said) or _POINTS_BACK.match(said))


def _has_size(text: str) -> bool:
    if is_wide(text):
        return _WIDE_SHORTEST <= len(text) <= _WIDE_LONGEST * 2
    return _SHORTEST <= len(text) <= _LONGEST and len(tokens(text)) >= _FEWEST_WORDS


def _is_prose(text: str) -> bool:
    """Mostly letters, and not a line of names, prices or code."""
    letters = sum(char.isalpha() or char.isspace() for char in text)
    return letters >= 0.7 * len(text) and text.count("://") == 0 and not re.search(r"[{}<>]|::|->|=>|\w\(\)", text)
