"""ChatR1 and the wire: what servers and proxies may do to a reply's bytes, and how a reply breaks off."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from agent.errors import ModelError, ModelOverloaded, ModelRefused
from agent.reasoning.models import Endpoint, Profile, model_error, open_chat_model
from tests.model_server import ModelServer, Said, Wire
from tests.reasoning.ways import ANSWER, STREAMS, THOUGHT, WAYS, ask, chunks, model_at, quick, told

BOTH = Said(ANSWER, THOUGHT)
WIRES = {
    "no space after the colon": Wire(space=False),
    "CRLF": Wire(line_end="\r\n"),
    "CR": Wire(line_end="\r"),
    "comments between events": Wire(comment="OPENROUTER PROCESSING"),
    "no [DONE]": Wire(done=False),
    "gzip": Wire(gzip=True),
    "byte by byte": Wire(piece=1),
    "gzip, byte by byte": Wire(piece=1, gzip=True),
    "all of it": Wire(space=False, line_end="\r\n", comment="ping", done=False, piece=3),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
async def test_however_the_bytes_come_the_reply_is_the_same(wire: Wire, way: str) -> None:
    with ModelServer(BOTH, wire=wire) as server:
        for server.dialect in ("reasoning_content", "think", "bare"):
            assert told(await ask(model_at(server), way)) == (THOUGHT, ANSWER)


@pytest.mark.parametrize("way", STREAMS)
async def test_an_event_that_is_cut_at_any_byte_is_put_together(way: str) -> None:
    """Chunks of every size up to a whole event's, so that each byte is once the last of its chunk."""
    with ModelServer(Said("四十二", "嗯"), dialect="always") as server:
        for size in range(1, 80):
            server.wire = Wire(piece=size)
            assert told(await ask(model_at(server), way)) == ("嗯", "四十二")


@pytest.mark.parametrize("way", STREAMS)
async def test_a_stream_that_is_declared_as_json_is_read_all_the_same(way: str) -> None:
    delta = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}
    events = Wire().event({"choices": [delta]}) + Wire().event("[DONE]")
    with ModelServer(Said(body=events.decode(), headers={"Content-Type": "application/json"})) as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            assert told(await ask(model, way)) == ("", "Hi")


# ------------------------------------------------------------------------------------------------- time


@pytest.mark.parametrize("way", WAYS)
async def test_keep_alives_hold_a_call_open_that_waits_in_a_queue(way: str) -> None:
    """Comments before a stream, blank lines before JSON; each re-arms the limit on silence."""
    with ModelServer(replace(BOTH, wait_s=1.0, keep_alive_s=0.1)) as server:
        async with open_chat_model(model="r1", base_url=server.url, profile=quick(idle_seconds=0.5)) as model:
            assert told(await ask(model, way)) == (THOUGHT, ANSWER)


@pytest.mark.parametrize("way", WAYS)
async def test_a_first_byte_that_comes_late_is_waited_for(way: str) -> None:
    with ModelServer(replace(BOTH, late_s=0.3)) as server:
        async with open_chat_model(model="r1", base_url=server.url, profile=quick(idle_seconds=3)) as model:
            assert told(await ask(model, way)) == (THOUGHT, ANSWER)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("silence", [{"late_s": 60.0}, {"fault": "hang"}, {"fault": "hang midway"}], ids=str)
async def test_a_server_that_falls_silent_is_left(silence: dict[str, object], way: str) -> None:
    with ModelServer(replace(BOTH, **silence)) as server:
        async with asyncio.timeout(5):
            error = await failure(server, way, quick(idle_seconds=0.3))
    assert type(error) is ModelOverloaded
    assert "silent" in str(error)


# ------------------------------------------------------------------------------------------------- how replies break


async def failure(server: ModelServer, way: str, profile: Profile | None = None) -> ModelError:
    """What this way of asking fails with, in our own words."""
    async with open_chat_model(model="r1", base_url=server.url, profile=profile or quick()) as model:
        try:
            await ask(model, way)
        except Exception as error:  # noqa: BLE001 - which it is, is the question
            return model_error(error, Endpoint("r1", server.url))
    raise AssertionError("the call did not fail")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dialect", ["reasoning_content", "think", "bare"])
@pytest.mark.parametrize("fault", ["cut", "no finish", "error event", "not json"])
async def test_a_reply_that_breaks_off_is_an_error(fault: str, dialect: str, way: str) -> None:
    with ModelServer(replace(BOTH, fault=fault), dialect=dialect) as server:
        for server.wire in (Wire(), Wire(gzip=True)):
            error = await failure(server, way)
            assert type(error) is ModelOverloaded
            assert "\n" not in str(error)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("finish", ["insufficient_system_resource", "error", "abort", None])
async def test_a_reply_that_the_server_gave_up_on_is_an_error(finish: str | None, way: str) -> None:
    with ModelServer(Said("half an ans", "hm", finish=finish)) as server:
        assert type(await failure(server, way)) is ModelOverloaded


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_that_the_provider_withholds_is_not_taken_for_a_short_one(way: str) -> None:
    with ModelServer(Said("As for the events of", "hm", finish="content_filter")) as server:
        error = await failure(server, way)
    assert isinstance(error, ModelRefused)
    assert "content_filter" in str(error)


@pytest.mark.parametrize("way", WAYS)
async def test_a_model_is_of_use_again_after_a_reply_that_broke_off(way: str) -> None:
    with ModelServer([replace(BOTH, fault="cut"), replace(BOTH, fault="no finish"), BOTH]) as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            for _ in range(2):
                with pytest.raises(Exception, match=r"(?i)connection|broke|closed|incomplete"):
                    await ask(model, way)
            assert told(await ask(model, way)) == (THOUGHT, ANSWER)


@pytest.mark.parametrize("way", STREAMS)
async def test_what_came_before_the_break_was_shown(way: str) -> None:
    said: list[str] = []

    async def listen() -> None:
        if way == "stream":
            await asyncio.to_thread(lambda: [said.append(told(c)[0]) for c in model.stream("Hi")])
        async for chunk in model.astream("Hi"):
            said.append(told(chunk)[0])

    with ModelServer(replace(BOTH, fault="cut")) as server:
        model = model_at(server)
        with pytest.raises(Exception, match=r"(?i)connection|closed|incomplete"):
            await listen()
    assert "".join(said)
    assert THOUGHT.startswith("".join(said))


# ------------------------------------------------------------------------------------------------- leaving


async def test_leaving_a_stream_closes_its_connection() -> None:
    with ModelServer(Said(ANSWER * 50, THOUGHT), pace=50) as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            stream: Any = model.astream("Hi")
            await anext(stream)
            await stream.aclose()
            del stream
            await until(lambda: server.hung_up == 1)


async def test_leaving_a_synchronous_stream_closes_its_connection() -> None:
    with ModelServer(Said(ANSWER * 50, THOUGHT), pace=50) as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            stream: Any = model.stream("Hi")
            await asyncio.to_thread(next, stream)
            await asyncio.to_thread(stream.close)
            await until(lambda: server.hung_up == 1)


async def test_cancelling_a_call_closes_its_connection() -> None:
    with ModelServer(replace(BOTH, fault="hang midway")) as server:
        async with open_chat_model(model="r1", base_url=server.url) as model:
            call = asyncio.create_task(chunks(model, "astream"))
            await until(lambda: bool(server.requests))
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await until(lambda: server.hung_up == 1)


async def until(true: object, seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)
