"""Directories, the library's parts, and where this is."""

import sqlite3
import tempfile

import pytest

from agent.doctor import service_checks
from agent.doctor.diagnosis_item import DiagnosisItem, can_run, is_container
from agent.settings import Settings
from tests.chroma_server import RunningChroma, free_port
from tests.embeddings_server import EmbeddingsServer


def directories(**given: object) -> dict[str, DiagnosisItem]:
    return {found.part: found for found in service_checks.directories(Settings(**given))}


def test_directories_that_are_not_there_yet_are_well_where_they_can_be_made(tmp_path):
    found = directories(data_dir=tmp_path / "a" / "b", cache_dir=tmp_path / "c")
    assert [f.state for f in found.values()] == ["ok", "ok"]
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_of_the_data_is_a_problem_and_of_the_cache_a_weakness(tmp_path):
    (tmp_path / "file").write_text("")
    found = directories(data_dir=tmp_path / "file", cache_dir=tmp_path / "file")
    assert (found["data"].state, found["cache"].state) == ("problem", "weak")
    below = directories(data_dir=tmp_path / "file" / "below", cache_dir=tmp_path)
    assert "AGENT_DATA_DIR" in below["data"].mend


def test_a_directory_that_cannot_be_written_is_a_problem():
    found = directories(data_dir="/proc/self", cache_dir="/proc/self")  # nobody writes there, not even root
    assert found["data"].state == "problem"
    assert "/proc/self cannot be used" in found["data"].told


def test_the_library_that_is_there_is_counted_and_one_that_is_not_is_not_made(tmp_path):
    from agent.library.record import Record
    from agent.library.schema import FILE

    assert service_checks.record(Settings(data_dir=tmp_path)) is None
    (tmp_path / "library").mkdir()
    Record(tmp_path / "library" / FILE).rows("SELECT 1")
    found = service_checks.record(Settings(data_dir=tmp_path))
    assert (found.state, "0 pages" in found.told) == ("ok", True)


def test_a_library_that_is_damaged_is_a_problem(tmp_path):
    from agent.library.schema import FILE

    (tmp_path / "library").mkdir()
    (tmp_path / "library" / FILE).write_bytes(b"not a database" * 100)
    assert service_checks.record(Settings(data_dir=tmp_path)).state == "problem"


def test_without_an_embedder_it_is_said_how_to_get_one(tmp_path):
    found = service_checks.embedder(Settings(cache_dir=tmp_path))
    assert (found.state, found.mend) == ("weak", "python -m agent setup-embeddings")


def test_an_embeddings_endpoint_is_asked_for_a_vector():
    with EmbeddingsServer() as server:
        settings = Settings(embeddings_model="some-model", embeddings_base_url=server.url)
        assert service_checks.embedder(settings) == DiagnosisItem("embedder", "ok", "some-model works")
        server.reply = {}
        broken = service_checks.embedder(settings)
    assert broken.state == "weak"
    assert "some-model" in broken.told
    assert "AGENT_EMBEDDINGS_BASE_URL" in broken.mend


def test_an_embedder_that_is_damaged_is_made_anew(tmp_path):
    from agent.library.minilm import ORIGIN, directory

    directory(tmp_path).mkdir(parents=True)
    (directory(tmp_path) / ORIGIN).write_text("{}")
    found = service_checks.embedder(Settings(cache_dir=tmp_path))
    assert (found.state, found.mend) == ("weak", "python -m agent setup-embeddings")


def test_full_text_search_is_looked_for():
    found = service_checks.full_text()
    assert (found.state, sqlite3.sqlite_version in found.told) == ("ok", True)


def test_the_free_space_is_told(tmp_path):
    assert "GB are free" in service_checks.disk(Settings(data_dir=tmp_path / "not" / "yet")).told


async def test_chroma_starts_and_leaves_nothing_behind(tmp_path, monkeypatch):
    """In a place of its own: in the usual one, other programs come and go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert (await service_checks.chroma(Settings())).state == "ok"
    assert list(tmp_path.glob("r1-research-*")) == []


async def test_a_chroma_server_that_does_not_answer_is_said_plainly_and_stops_nothing():
    found = await service_checks.chroma(Settings(chroma_url=f"http://127.0.0.1:{free_port()}"))
    assert found.state == "weak"
    assert "cannot be reached" in found.told
    assert "AGENT_CHROMA_URL" in found.mend


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_chroma_server_that_works_is_left_as_it_was(tmp_path):
    chroma = RunningChroma(tmp_path)
    chroma.start()
    try:
        assert await service_checks.chroma(Settings(chroma_url=chroma.url)) == DiagnosisItem(
            "chroma", "ok", f"the server {chroma.url} works"
        )
        assert chroma.client().list_collections() == []
    finally:
        chroma.kill()


# ---------------------------------------------------------------------------------------------------- containers


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv"])
def test_a_container_is_known_by_the_file_at_its_root(mark, tmp_path):
    assert not is_container({}, tmp_path)
    (tmp_path / mark).parent.mkdir(exist_ok=True)
    (tmp_path / mark).touch()
    assert is_container({}, tmp_path)


@pytest.mark.parametrize("variable", ["container", "KUBERNETES_SERVICE_HOST"])
def test_a_container_is_known_by_its_environment(variable, tmp_path):
    assert is_container({variable: "x"}, tmp_path)


def test_a_weakness_does_not_stop_a_question_and_a_problem_does():
    weak, problem = DiagnosisItem("a", "weak", ""), DiagnosisItem("b", "problem", "")
    assert can_run([weak]) is True
    assert can_run([weak, problem]) is False
