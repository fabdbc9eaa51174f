"""How vectors are kept and compared."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from agent.library.catalogue import DocumentFilter, entries, forget, plan, rename
from agent.library.vector_cache import LAST, VectorCache, _Places, mapped, path_of, write
from agent.library.vectors import Vectors, packed, unpacked
from tests.library.conftest import document


def units(count: int, dimension: int = 384, seed: int = 0) -> np.ndarray:
    matrix = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def test_a_byte_a_dimension_keeps_the_direction():
    matrix = units(500)
    kept = unpacked(packed(matrix))
    assert len(packed(matrix)[0]) == 384
    assert (matrix * kept).sum(1).min() > 0.9999
    assert np.linalg.norm(kept, axis=1) == pytest.approx(np.ones(500), abs=1e-5)


def test_a_vector_of_zeros_does_no_harm():
    assert np.array_equal(unpacked(packed(np.zeros((1, 8), np.float32))), np.zeros((1, 8)))


@pytest.fixture
def page(record):
    page = document("\n\n".join(f"# Part {n}\n\n" + f"Sentence {n}. " * 60 for n in range(6)), title="The title")
    record.store(page, "run")
    return page


def test_an_embedder_is_known_again_by_name_and_probe(record):
    vectors, probe = Vectors(record), units(1)
    number = vectors.embedder("one", probe)
    nearly = probe + 0.001 * units(1, seed=5)
    assert vectors.embedder("one", nearly / np.linalg.norm(nearly)) == number
    assert vectors.embedder("another", probe) != number


def test_an_embedder_that_has_changed_under_its_name_is_another(record):
    vectors = Vectors(record)
    numbers = [vectors.embedder("one", probe) for probe in (units(1), units(1, seed=1), units(1, dimension=8))]
    assert len(set(numbers)) == 3


def test_embedders_may_be_registered_from_many_threads_at_once(record):
    vectors, probe = Vectors(record), units(1)
    with ThreadPoolExecutor(4) as threads:
        numbers = list(threads.map(lambda n: vectors.embedder(f"number {n}", probe), [*range(60), *range(60)]))
    assert numbers[:60] == numbers[60:]
    assert len(set(numbers)) == 60


def test_what_is_embedded_stands_below_its_title_and_headings(record, page):
    told = Vectors(record).to_embed(Vectors(record).passages_of(page.id, 100), 1)
    assert told[0][1].startswith("The title\n# Part 0")
    assert told[1][1].startswith("The title\n# Part 1\n")


def test_a_passage_gets_one_vector_an_embedder(record, page):
    vectors = Vectors(record)
    one, other = vectors.embedder("one", units(1)), vectors.embedder("other", units(1))
    passages = vectors.passages_of(page.id, 100)
    first, second = units(len(passages), seed=1), units(len(passages), seed=2)
    vectors.add(one, passages, first)
    vectors.add(one, passages, second)
    assert vectors.to_embed(passages, one) == []
    assert len(vectors.to_embed(passages, other)) == len(passages)
    assert (vectors.after(0, one, 100).matrix * first).sum(1).min() > 0.999


def test_vectors_are_told_in_the_order_of_their_coming(record, page):
    vectors = Vectors(record)
    number, passages = vectors.embedder("one", units(1)), vectors.passages_of(page.id, 100)
    for passage in reversed(passages):
        vectors.add(number, [passage], units(1, seed=passage))
    batch = vectors.after(0, number, 3)
    assert batch.passages == passages[:2:-1]
    assert vectors.after(batch.marks[-1], number, 100).passages == passages[2::-1]
    assert vectors.count(number, batch.marks[-1]) == (3, 6)
    assert vectors.reach([1], number)[0] == vectors.after(0, number, 100).marks[-1]


def test_the_nearest_of_the_wanted_documents_come_first(record, page):
    other = document("Another page.", url="https://b.example/")
    record.store(other, "run")
    vectors = Vectors(record)
    number = vectors.embedder("one", units(1))
    passages = vectors.passages_of(page.id, 100)
    matrix = units(len(passages), seed=3)
    vectors.add(number, passages, matrix)
    vectors.add(number, vectors.passages_of(other.id, 1), matrix[:1])
    (mine,) = record.rows_of([page.id])
    assert [found[0] for found in vectors.nearest(matrix, [mine], number, 3)] == passages
    assert vectors.nearest(matrix[:1], [], number, 3) == [[]]


@pytest.mark.parametrize("held", [False, True])
def test_each_question_is_compared_with_its_own_passages_most_alike_first(record, page, held):
    vectors, made, queries = Vectors(record), units(4), units(2, seed=1)
    rows = vectors.passages_of(page.id, 6)
    number = vectors.embedder("one", units(1))
    if held:  # from now on, and what comes is added
        vectors.add(number, rows[1:2], made[1:2])
        vectors.hold(number)
    vectors.add(number, rows[:4], made)
    first, second = vectors.cosines(queries, [rows, rows[1:2]], number)
    expected = dict(zip(rows[:4], made @ queries[0], strict=True))
    assert first == pytest.approx(expected, abs=1e-3)
    assert list(first) == sorted(first, key=lambda row: -first[row])
    assert second == pytest.approx({rows[1]: made[1] @ queries[1]}, abs=1e-3)
    assert vectors.cosines(queries, [[], rows[4:]], number) == [{}, {}]


# ------------------------------------------------------------------------------------------------- in memory


def many(record, pages: int, passages: int = 8) -> tuple[Vectors, int]:
    """Pages of a few passages each, with vectors."""
    vectors = Vectors(record)
    number = vectors.embedder("one", units(1))
    for n in range(pages):
        page = document(
            "\n\n".join(f"# {n}.{k}\n\n" + "word " * 180 for k in range(passages)), url=f"https://{n}.example/"
        )
        record.store(page, "run")
        vectors.add(number, vectors.passages_of(page.id, passages), units(passages, seed=n))
    return vectors, number


@pytest.mark.parametrize("documents", [[1], [3, 4, 9], [*range(1, 21)], [], [99]])
def test_what_is_held_in_memory_finds_what_the_file_finds(record, documents):
    vectors, number = many(record, 20)
    queries = units(4, seed=99)
    from_file = vectors.nearest(queries, documents, number, 7), vectors.reach(documents, number)[0]
    assert len(vectors.hold(number)) == 160
    assert (vectors.nearest(queries, documents, number, 7), vectors.reach(documents, number)[0]) == from_file


@pytest.mark.parametrize("documents", [[1, 2], [*range(1, 21)], [*range(1, 21, 2)]])
def test_several_questions_at_once_find_what_each_finds_alone(record, documents):
    vectors, number = many(record, 20)
    queries = units(5, seed=98)
    for _ in ("from the file", "from memory"):
        alone = [vectors.nearest(query[None, :], documents, number, 9)[0] for query in queries]
        assert vectors.nearest(queries, documents, number, 9) == alone
        vectors.hold(number)


@pytest.mark.parametrize("dimension", [32, 384, 1_536, 500_000])
def test_no_product_is_so_large_that_threads_would_share_it(dimension):
    for place in _Places().of(dimension):
        assert len(place) == 1 or 390_000 < place.size <= 400_000


def test_what_others_add_is_held_too(record):
    vectors, number = many(record, 3)
    vectors.hold(number)
    elsewhere, _ = many(record, 5)
    newest = elsewhere.after(0, number, 100)
    assert vectors.reach([1, 2, 3, 4, 5], number)[0] == newest.marks[-1]
    assert vectors.nearest(newest.matrix[-1:], [1, 5], number, 1) == [[newest.passages[-1]]]


def test_what_was_forgotten_is_not_held(record):
    vectors, number = many(record, 3)
    held = vectors.hold(number)
    with record.writing() as connection:
        connection.execute("DELETE FROM vectors WHERE row > 10")
        rename(connection)
    assert (len(held), len(vectors.hold(number))) == (24, 10)


def test_blocks_grow_full_before_there_is_another():
    rows = [(n, n, 1, packed(units(1, seed=n))[0]) for n in range(1, 20_001)]
    held = VectorCache("x")
    for start in range(0, 20_000, 500):
        held = held.grown(rows[start : start + 500])
    assert [len(each) for each in held.blocks] == [8_000, 8_000, 3_500, 500]
    assert (held.mark, len(held), held.newest([1])) == (20_000, 20_000, 20_000)
    assert held.nearest(units(1, seed=17_000), [1], 1) == [[17_000]]


def test_the_few_vectors_that_come_with_a_page_are_not_copied_with_thousands():
    rows = [(n, n, 1, packed(units(1, 8, seed=n))[0]) for n in range(1, 6_001)]
    before = VectorCache("x").grown(rows[:5_000])
    held = before
    for start in range(5_000, 6_000, 5):
        held = held.grown(rows[start : start + 5])
        assert len(held.blocks[-1]) <= LAST
    assert np.concatenate([each.marks for each in held.blocks]).tolist() == [*range(1, 6_001)]
    assert (len(held), held.mark, len(held.blocks), len(before)) == (6_000, 6_000, 2, 5_000)


# ------------------------------------------------------------------------------------------------- in a file


@pytest.fixture
def kept(record):
    """A record whose vectors are in the file, too: the file, and the embedder's number."""
    vectors, number = many(record, 20)
    vectors.keep(number, least=1)
    return path_of(record.path, number), number


def test_a_program_that_has_just_begun_finds_in_the_file_what_the_record_has(record, kept):
    path, number = kept
    fresh, queries = Vectors(record), units(3, seed=99)
    held = mapped(path, record.id)
    assert held
    assert (len(held), held.mark) == (160, 160)
    from_record = Vectors(record)
    path.rename(path.with_suffix(".away"))
    known = from_record.hold(number).nearest(queries, [*range(1, 21, 2)], 9)
    path.with_suffix(".away").rename(path)
    assert fresh.hold(number).nearest(queries, [*range(1, 21, 2)], 9) == known
    assert not fresh.hold(number).blocks[0].numbers.flags.owndata


def test_what_came_after_the_file_was_written_is_found(record, kept):
    vectors, number = many(record, 23)
    assert len(Vectors(record).hold(number)) == 184
    last = vectors.after(183, number, 1)
    assert Vectors(record).nearest(last.matrix, [*range(1, 24)], number, 1) == [last.passages]


def test_the_file_is_written_anew_when_much_has_come(record, kept):
    path, number = kept
    many(record, 23)
    Vectors(record).keep(number, least=1)
    assert len(mapped(path, record.id)) == 160
    Vectors(record).keep(number, least=1, grown=24)
    assert len(mapped(path, record.id)) == 184


def test_few_vectors_are_in_no_file(record):
    vectors, number = many(record, 3)
    vectors.keep(number)
    assert not path_of(record.path, number).exists()


@pytest.mark.parametrize("content", [b"", b"R1HELD01", b"other"])
def test_a_file_that_is_not_what_was_written_is_not_used(record, kept, content):
    path, number = kept
    path.write_bytes(content or path.read_bytes()[:-1])
    assert mapped(path, record.id) is None
    assert len(Vectors(record).hold(number)) == 160


def test_of_an_older_copy_of_the_record_the_file_is_not_used(record, kept):
    path, number = kept
    with record.writing() as connection:
        connection.execute("UPDATE vectors SET vector = ? WHERE row = 160", (packed(units(1, seed=77))[0],))
    held = Vectors(record).hold(number)
    assert held.nearest(units(1, seed=77), [20], 1) == [[160]]
    assert mapped(path, record.id).nearest(units(1, seed=77), [20], 1) != [[160]]


def test_what_is_forgotten_is_not_in_the_file_either(record, kept, tmp_path):
    path, number = kept
    path.with_suffix(".new").write_bytes(b"what a kill left")
    held = Vectors(record).hold(number)
    choice = DocumentFilter(hosts=("3.example",))
    forget(record, plan(entries(record, choice), choice, {}), tmp_path / "chroma")
    assert not list(tmp_path.glob("vectors-*.*e*"))
    write(held, record, number)  # by a program that has not heard of it
    assert not path.exists()
    Vectors(record).keep(number, least=1)
    assert len(mapped(path, record.id)) == 152


def test_where_the_disk_takes_no_file_there_is_none(record, kept):
    path, number = kept
    held = Vectors(record).hold(number)
    path.unlink()
    path.with_suffix(".new").mkdir()
    write(held, record, number)
    assert not path.exists()
    assert len(Vectors(record).hold(number)) == 160
