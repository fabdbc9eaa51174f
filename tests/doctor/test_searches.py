"""One search with each provider, against servers on loopback."""

from pathlib import Path

import pytest

from agent.doctor.diagnosis_item import DiagnosisItem, Machine
from agent.doctor.service_checks import searches
from agent.settings import Settings
from tests.nearby import Nearby, Sends, closed_port

HERE = Machine()
HITS = {"results": [{"url": "https://a.example/", "title": "R1", "content": "A model."}]}


async def found(machine: Machine = HERE, **given: object) -> list[DiagnosisItem]:
    return await searches(Settings(model="extractive", cache_dir=Path("cache"), **given), machine)


async def searxng(routes: object, machine: Machine = HERE) -> DiagnosisItem:
    with Nearby(routes) as server:
        (only,) = await found(machine, search=("searxng",), searxng_url=server.root)
    return only


async def test_the_sample_web_is_searched_without_any_network():
    (only,) = await found(search=("sample",))
    assert (only.part, only.state) == ("search sample", "ok")


async def test_a_provider_with_hits_is_well():
    only = await searxng({"*": HITS})
    assert (only.state, "1 hit in" in only.told) == ("ok", True)


async def test_a_provider_that_blocks_us_is_told_from_one_that_is_broken():
    blocked = await searxng({"*": Sends(b"{}", 429)})
    broken = await searxng({"*": Sends(b"{}", 500)})
    refused = await searxng({"*": Sends(b"", 403)})
    assert (blocked.state, "refuses for now (HTTP 429)" in blocked.told) == ("problem", True)
    assert "about an hour" in blocked.mend
    assert (broken.state, "HTTP 500" in broken.told, "about an hour" in broken.mend) == ("problem", True, False)
    assert "search.formats" in refused.told


async def test_a_provider_that_has_refused_is_not_asked_again_and_the_wait_is_told():
    with Nearby({"*": Sends(b"{}", 429)}) as server:
        given = {"search": ("searxng",), "searxng_url": server.root}
        await found(**given)
        (again,) = await found(**given)
    assert len(server.asked) == 1
    assert (again.state, "not asked for another" in again.told, "HTTP 429" in again.told) == ("problem", True, True)


async def test_a_provider_without_hits_for_what_everybody_knows_is_weak():
    only = await searxng({"*": {"results": []}})
    assert (only.state, "found nothing" in only.told) == ("weak", True)


async def test_an_instance_that_is_not_there_names_its_variable():
    (only,) = await found(search=("searxng",), searxng_url=f"http://127.0.0.1:{closed_port()}")
    assert (only.state, "AGENT_SEARXNG_URL" in only.mend) == ("problem", True)


async def test_in_a_container_an_instance_at_localhost_is_looked_for_in_the_wrong_place():
    machine = Machine(in_container=True)
    (only,) = await found(machine, search=("searxng",), searxng_url=f"http://localhost:{closed_port()}")
    assert "localhost is the container itself" in only.mend


async def test_one_provider_that_works_is_enough():
    with Nearby({"*": HITS}) as server:
        gone = f"http://127.0.0.1:{closed_port()}/api.php"
        first, second = await found(search=("wikipedia", "searxng"), searxng_url=server.root, wikipedia_url=gone)
    assert (first.state, second.state) == ("weak", "ok")


async def test_no_provider_that_works_is_a_problem_whatever_lies_in_a_folder(tmp_path):
    (tmp_path / "a.md").write_text("DeepSeek-R1 learned by reinforcement learning.")
    gone = f"http://127.0.0.1:{closed_port()}"
    web, local = await found(search=("searxng",), searxng_url=gone, folder=tmp_path)
    assert (web.state, local.state) == ("problem", "ok")


async def test_a_folder_alone_is_enough_and_need_not_know_of_r1(tmp_path):
    (tmp_path / "a.md").write_text("Recipes for bread.")
    (only,) = await found(search=("folder",), folder=tmp_path)
    assert (only.state, str(tmp_path) in only.told) == ("ok", True)


@pytest.mark.parametrize("names", [("nosuch",), ("sample", "wikipedia")])
async def test_providers_that_cannot_be_asked_so_are_told(names):
    (only,) = await found(search=names)
    assert (only.part, only.state) == ("search", "problem")


async def test_a_key_is_not_shown():
    with Nearby({"*": Sends(b'{"detail": "tvly-planted is wrong"}', 401)}) as server:
        (only,) = await found(search=("tavily",), tavily_url=server.root, tavily_api_key="tvly-planted")
    assert only.state == "problem"
    assert "planted" not in repr(only)
    assert "AGENT_TAVILY_API_KEY" in only.mend
