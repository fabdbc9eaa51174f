"""The documents as data: their code blocks, the commands in these, links and headings.

Knows Markdown and how a shell cuts a line into words.  Does not know what a command does.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "docker" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
)
LANGUAGES = {"sh", "python", "console", "text"}  # commands; Python; a command with its output; output
_MARKDOWN = MarkdownIt("commonmark").enable("table")
_ASSIGNED = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)", re.DOTALL)
_NO_SLUG = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Block:
    """A code block; `line` is that of its fence."""

    document: Path
    line: int
    language: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One command of a shell line; `variables` are its own and those that its block has exported before."""

    where: str
    words: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()
    stdin: str = ""  # what the command before the pipe prints
    pipe: tuple[str, ...] = ()  # the words behind the pipe
    target: str = ""  # the file behind `>`

    def __str__(self) -> str:
        return f"{self.where} {shlex.join(self.words)}"


# ------------------------------------------------------------------------------------------------- Markdown


def tokens(document: Path) -> list[Token]:
    return _MARKDOWN.parse(document.read_text("utf-8"))


def inline(document: Path) -> Iterator[Token]:
    for token in tokens(document):
        yield from token.children or ()


def blocks(*languages: str) -> list[Block]:
    """The blocks of all documents, in order; with no language, all of them."""
    found = [
        Block(document, (token.map or [0])[0] + 1, token.info.strip(), token.content)
        for document in DOCUMENTS
        for token in tokens(document)
        if token.type in ("fence", "code_block")
    ]
    return [block for block in found if not languages or block.language in languages]


def anchors(document: Path) -> set[str]:
    """Of its headings, as GitHub and the site make them."""
    parsed = tokens(document)
    titles = [after.content for token, after in pairwise(parsed) if token.type == "heading_open"]
    return {_NO_SLUG.sub("", title.lower()).replace(" ", "-") for title in titles}


# ------------------------------------------------------------------------------------------------- commands


def commands() -> list[Command]:
    """All commands; of those that stand in several places alike, the first."""
    found: dict[Command, Command] = {}
    for block in blocks("sh", "console"):
        for command in commands_of(block):
            found.setdefault(replace(command, where=""), command)
    return list(found.values())


def commands_of(block: Block) -> Iterator[Command]:
    exported: dict[str, str] = {}
    for at, line in enumerate(_lines(block), start=1):
        words = _words(line)
        if not words:
            continue
        where = f"{block.document.relative_to(ROOT)}:{block.line + at}"
        if words[0] == "export":
            given = [_ASSIGNED.fullmatch(word) for word in words[1:]]
            assert all(given), f"{where}: {line!r} exports what is no NAME=value"
            exported |= {found[1]: found[2] for found in given if found}
            yield Command(where, ("export",), tuple(exported.items()))
        else:
            yield _command(where, words, exported)


def _lines(block: Block) -> list[str]:
    """Of a console, those that a person typed; the others are blank, so that the count is right."""
    lines = block.text.splitlines()
    if block.language == "console":
        return [line.removeprefix("$ ") if line.startswith("$ ") else "" for line in lines]
    return lines


def _words(line: str) -> list[str]:
    """As a shell cuts them, `|` and `>` as words of their own."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>")
    lexer.whitespace_split = True
    return list(lexer)


def _command(where: str, words: list[str], exported: dict[str, str]) -> Command:
    variables = dict(exported)
    while found := _ASSIGNED.fullmatch(words[0]):
        variables[found[1]] = found[2]
        words = words[1:]
    target = ""
    if ">" in words:
        at = words.index(">")
        assert len(words) == at + 2, f"{where}: one file is expected behind >"
        words, target = words[:at], words[-1]
    stdin, pipe = "", []
    if "|" in words:
        at = words.index("|")
        words, pipe = words[:at], words[at + 1 :]
        if words[0] == "echo":  # what it prints is read by the command that counts
            stdin, words, pipe = " ".join(words[1:]) + "\n", pipe, []
    return Command(where, tuple(words), tuple(variables.items()), stdin, tuple(pipe), target)
