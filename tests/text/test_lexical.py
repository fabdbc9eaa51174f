"""What is found by its words, in SQLite's own index."""

from __future__ import annotations

import sqlite3

import pytest

from agent.text.search_terms import index_terms, match


def found(question: str, *texts: str) -> list[str]:
    """The texts that share a word with the question, best first."""
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = 'porter unicode61 remove_diacritics 2')")
    for row, text in enumerate(texts):
        db.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (row, index_terms(text)))
    wanted = match(question)
    rows = db.execute("SELECT rowid FROM words WHERE words MATCH ? ORDER BY bm25(words)", (wanted,)) if wanted else ()
    return [texts[row] for (row,) in rows]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How are reactors cooled?", "Water cools the reactor."),
        ("Wie werden Häuser gedämmt?", "Die Dämmung eines Hauses ist eine der ersten Arbeiten."),
        ("¿Cómo se construyen los puentes?", "La construcción del puente duró cuatro años."),
        ("Comment vaccine-t-on les enfants ?", "La vaccination de l'enfant se fait à deux mois, et elle est gratuite."),
        ("Как строили железную дорогу?", "Строительство железных дорог шло девять лет."),
        ("Öğrenciler nasıl çalışıyor?", "Bu öğrencinin okulda nasıl olduğunu öğretmen anlattı."),
        ("ما هي عاصمة الجمهورية؟", "تقع العاصمة في وسط جمهورية كبيرة."),
        ("强化学习是什么", "模型完全依靠强化学习训练，没有示例。"),
        ("東京の人口は", "東京都の人口は約千四百万人である。"),
        ("ราคาข้าวเท่าไร", "รายงานนี้บอกราคาข้าวของปีนี้"),
    ],
)
def test_other_forms_of_a_word_are_found_in_many_languages(question, text):
    assert found(question, text, "zzz") == [text]


@pytest.mark.parametrize("question", ["Straße", "STRASSE", "strasse"])
def test_a_sharp_s_is_two(question):
    assert found(question, "Die Straße ist für Fahrräder gesperrt.")


def test_accents_and_full_width_letters_do_not_matter():
    assert set(found("munchen ＤｅｅｐＳｅｅｋ", "In München", "deepseek")) == {"In München", "deepseek"}


def test_a_question_in_english_does_not_prefer_pages_of_another_language_that_have_its_names():
    german = "Das Modell von DeepSeek wird in diesem Artikel kurz erwähnt und nicht weiter beschrieben."
    english = [f"DeepSeek published a model, the report number {n} says in detail, and what it cost." for n in range(5)]
    assert found("What did DeepSeek publish?", german, *english)[-1] == german


def test_the_exact_word_stands_before_others_that_begin_alike():
    exact = "Die Wirtschaft der Stadt ist für ihren Hafen bekannt und wächst."
    alike = "Die Wirtsleute der Stadt sind für ihren Wein bekannt und alt."
    assert found("Wie groß ist die Wirtschaft der Stadt?", alike, exact) == [exact, alike]


def test_a_name_of_several_words_is_looked_for_as_one_too_in_every_language():
    whole = "Das Modell heißt Qwen-Chat und ist nicht groß."
    apart = "Ein Chat mit Qwen ist nicht das Modell und nicht groß."
    assert found("Was ist Qwen-Chat?", apart, whole) == [whole, apart]


def test_small_words_alone_are_looked_for_where_there_are_no_others():
    assert match("what is the")
    assert match("") == ""
    assert match("?!") == ""


def test_what_no_encoding_has_is_looked_for_without_an_error():
    assert found("lion \ud800 \0", "a lion") == ["a lion"]
