"""How far the evidence goes: none, thin, conflicting, or enough for what was asked.

Graded after the checking, from which sentences stand, on how many independent origins, and which parts of the question
they speak of.  Pure; what a reader does about it is the reader's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.text.citations import without_marks
from agent.text.questions import parts
from agent.text.relevance import NEAR, trust
from agent.types import Claim, Conflict, Sufficiency

_ORIGINS = 2  # fewer is thin
_STANDING = 0.5  # of the sentences: fewer is thin


def sufficiency(
    question: str, claims: Sequence[Claim], conflicts: Sequence[Conflict], origins: Mapping[int, str]
) -> Sufficiency:
    """`origins`: source number -> whose it is; two sources of one site, or copies of one text, are one origin."""
    standing = [claim for claim in claims if stands(claim)]
    if not standing:
        return "none"
    if conflicts:
        return "conflicting"
    borne = {origins.get(c.source, "") for claim in standing for c in claim.citations if c.quote is not None}
    if len(borne) < _ORIGINS or len(standing) < _STANDING * len(claims) or not _covers(question, standing):
        return "thin"
    return "enough"


def stands(claim: Claim) -> bool:
    """Did it not fail, and is there a passage that bears it?"""
    failed = claim.verdict in ("unsupported", "refuted")
    return not failed and any(citation.quote is not None for citation in claim.citations)


def _covers(question: str, standing: Sequence[Claim]) -> bool:
    """Does a claim, or what it quotes, come near to every part of the question?"""
    said = [_said(claim) for claim in standing]
    return all(trust(part.about, said) >= NEAR for part in parts(question))


def _said(claim: Claim) -> str:
    quotes = " ".join(c.quote or "" for c in claim.citations)
    return f"{without_marks(claim.text)} {claim.about or ''} {quotes}"
