"""The prompts: files with a checked head, filled in strictly.

A prompt is `prompts/NAME.md`, and `NAME.zh.md` for an answer in Chinese: DeepSeek publishes its search prompt in these
two languages and picks by them.  Its head names it, counts its versions and lists its variables; a variable that is
missing, unknown or never used is an error, at load or at the call.  Knows the files' form, and none of their words.

    {{name}}                            the value, put in once: what looks like a variable inside it is left alone
    {{#if name}} … {{else}} … {{/if}}   one of the two, by whether the value is empty; not nested
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from agent.errors import AgentError

_HEAD = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_VARIABLE = re.compile(r"\{\{(\w+)\}\}")
_CHOICE = re.compile(r"\{\{#if (\w+)\}\}(.*?)(?:\{\{else\}\}(.*?))?\{\{/if\}\}", re.DOTALL)


class PromptError(AgentError):
    """A prompt file and its use do not fit together: a fault in the program, not in what a user did."""


@dataclass(frozen=True, slots=True)
class Prompt:
    name: str
    version: int
    variables: frozenset[str]
    text: str

    def fill(self, values: Mapping[str, str]) -> str:
        """The prompt with its values.  Raises `PromptError` unless exactly its variables are given."""
        if values.keys() != self.variables:
            wrong = sorted(values.keys() ^ self.variables)
            raise PromptError(f"prompt {self.name!r} takes {sorted(self.variables)}; missing or unknown: {wrong}")
        chosen = _CHOICE.sub(lambda c: c[2] if values[c[1]] else c[3] or "", self.text)
        spaced = re.sub(r"\n{3,}", "\n\n", chosen)
        return _VARIABLE.sub(lambda v: values[v[1]], spaced).strip()


NAMES = ("plan", "write", "notes", "prose", "revise", "rewrite", "repair", "hurry", "judge")


@cache
def load(name: str, language: str = "en") -> Prompt:
    """The prompt for an answer in this language (BCP 47)."""
    chinese = language.casefold().split("-")[0] == "zh"
    return parse(files("agent.prompts").joinpath(f"{name}{'.zh' if chinese else ''}.md").read_text("utf-8"), name)


def load_all() -> None:
    """Read and check every prompt, so that none is read from disk on an event loop.  Blocking."""
    for name in NAMES:
        for language in ("en", "zh"):
            load(name, language)


def parse(source: str, name: str) -> Prompt:
    """A prompt from its file's text.  Raises `PromptError` where the head does not fit the body or the name."""
    head = _HEAD.match(source)
    if not head:
        raise PromptError(f"prompt {name!r} has no head between two lines of ---")
    told = dict(_fields(head[1], name))
    if told.keys() != {"name", "version", "variables"} or told["name"] != name or not told["version"].isdigit():
        raise PromptError(f"prompt {name!r}: its head must give that name, a whole version, and variables; got {told}")
    body = source[head.end() :]
    declared = frozenset(v.strip() for v in told["variables"].split(",") if v.strip())
    both = _CHOICE.sub(r"\2\3", body)
    used = set(_VARIABLE.findall(both)) | {c[1] for c in _CHOICE.finditer(body)}
    if "{{" in _VARIABLE.sub("", both) or "{{else}}" in both:
        raise PromptError(f"prompt {name!r}: a {{{{ that is neither a variable nor part of a whole choice")
    if declared != used:
        unlike = sorted(declared ^ used)
        raise PromptError(f"prompt {name!r}: declared but not used, or used but not declared: {unlike}")
    return Prompt(name, int(told["version"]), declared, body)


def _fields(head: str, name: str) -> list[tuple[str, str]]:
    fields = []
    for line in head.splitlines():
        key, colon, value = line.partition(":")
        if not colon:
            raise PromptError(f"prompt {name!r}: {line!r} in its head is not `key: value`")
        fields.append((key.strip(), value.strip()))
    return fields
