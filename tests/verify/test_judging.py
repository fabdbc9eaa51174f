"""The labelled claims before a model at an endpoint: what it says becomes the table, and what fails judges nothing."""

import re

from tests.model_server import ModelServer, Request, Said
from tests.verify.judging import BATCH, Endpointed, fared

_CLAIMS = BATCH + 8  # some have no passage that a judge could be shown


async def test_replies_become_the_table():
    with ModelServer(_says_no) as server:
        table = await fared(Endpointed(server.url, "r1"), _CLAIMS)
    assert len(server.requests) == 2
    assert BATCH < _column(table, "unsupported") == sum(len(_numbers(request)) for request in server.requests)


async def test_a_judge_that_says_nothing_of_use_leaves_all_unchecked():
    with ModelServer(lambda _: Said("I would rather not.")) as server:
        table = await fared(Endpointed(server.url, "r1"), _CLAIMS)
    assert _column(table, "unchecked") == _CLAIMS


def _says_no(request: Request) -> Said:
    return Said("\n".join(f"{number}: unsupported" for number in _numbers(request)))


def _numbers(request: Request) -> list[str]:
    return re.findall(r"^## (\d+)$", request.prompt, re.MULTILINE)


def _column(table: str, verdict: str) -> int:
    head, *rows = table.partition("\n\n")[0].splitlines()
    end = head.index(verdict) + len(verdict)
    return sum(int(row[:end].split()[-1]) for row in rows)
