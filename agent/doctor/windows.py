"""Whether a model on one's own server takes a prompt as long as the depth makes it.

A server is started with a context window that is often far below the model's.  Most tell it before they are asked
anything, and a run keeps to it; Ollama tells it only while the model is loaded, gives 4,096 tokens where there is
little graphics memory, and cuts what is longer without a word.
"""

from __future__ import annotations

from agent.casting import Cast
from agent.discovery import TITLES
from agent.doctor.finding import Finding
from agent.doctor.servers import SECONDS, server_of
from agent.offers import OLLAMA, window

_REPLY_SHARE = 2  # half of the window is for the question, the thinking and the answer, as in `agent.casting`
_FRAME_TOKENS = 1_500  # the prompt's own words around the evidence: 900 in English, somewhat more in Chinese
_LEAST_REPLY = 2_000  # tokens: R1 seldom thinks and answers in fewer
_MENDS = {
    "ollama": "start it with OLLAMA_CONTEXT_LENGTH={tokens} ollama serve",
    "llama.cpp": "start it with llama-server --ctx-size {tokens}",
    "vllm": "start it with vllm serve --max-model-len {tokens}",
    "sglang": "start it with --context-length {tokens}",
    "lmstudio": "load it with lms load --context-length {tokens}",
}


def window_found(role: Cast, evidence_tokens: int) -> Finding | None:
    """None where the server does not say, or is no local one.  Blocks."""
    server = server_of(role)
    if server.kind not in TITLES:
        return None
    try:
        given = window(server, role.model, seconds=SECONDS).given
    except OSError:
        return None
    if given is None:
        return None
    wanted = _REPLY_SHARE * evidence_tokens
    told = f"{server.title} gives {role.model} a context of {given:,} tokens"
    if given >= wanted:
        return Finding(role.name, "ok", f"{told}: enough for {evidence_tokens:,} of evidence")
    mend = f"{_MENDS[server.kind].format(tokens=_rounded(wanted))}, or ask with a smaller --depth"
    if server.kind == OLLAMA:
        return _cut_off(role, given, evidence_tokens, told, mend)
    room = given // _REPLY_SHARE
    if room >= _FRAME_TOKENS + _LEAST_REPLY:
        fewer = f"{told}: questions are answered from {room:,} of evidence instead of {evidence_tokens:,}"
        return Finding(role.name, "weak", fewer, mend)
    return Finding(role.name, "problem", f"{told}: too few for evidence, thinking and an answer", mend)


def _cut_off(role: Cast, given: int, evidence_tokens: int, told: str, mend: str) -> Finding:
    if given >= evidence_tokens + _FRAME_TOKENS:
        short = f"{told}: with {evidence_tokens:,} of evidence, little is left for thinking and the answer"
        return Finding(role.name, "weak", short, mend)
    how = f"the evidence alone is up to {evidence_tokens:,}: it would be cut off without a word"
    return Finding(role.name, "problem", f"{told}, and {how}", mend)


def _rounded(tokens: int) -> int:
    """The next power of two, which is how people give it."""
    return max(8_192, 1 << (tokens - 1).bit_length())
