"""A short question is enough to know its language, and names alone are taken for English."""

import pytest

from agent.text.language import LANGUAGES, detect, function_words, is_cjk, script_share

QUESTIONS = {
    "What is R1?": "en",
    "DeepSeek-R1": "en",
    "Tesla stock": "en",
    "GPT-4 price": "en",
    "R1 o1 trained": "en",
    "4o and 1el compared": "en",
    "OpenAI o1 release date": "en",
    "": "en",
    "12345 ???": "en",
    "What does 'Schadenfreude' mean?": "en",
    "Was ist R1?": "de",
    "In welchem Jahr starb Tesla?": "de",
    "¿Qué es R1?": "es",
    "capital de Francia": "es",
    "Qu'est-ce que R1 ?": "fr",
    "Che cos'è R1?": "it",
    "O que é R1?": "pt",
    "Wat is R1?": "nl",
    "Co to jest R1?": "pl",
    "Vad är R1?": "sv",
    "R1 nedir?": "tr",
    "Lady Gaga đã hát bài gì?": "vi",
    "R1是什么？": "zh",
    "DeepSeek-R1 和 OpenAI o1 有什么区别": "zh",
    "R1とは何ですか？": "ja",
    "R1이란 무엇인가요?": "ko",
    "Что такое R1?": "ru",
    "Що таке R1?": "uk",
    "ما هو R1؟": "ar",
    "پایتخت فرانسه کجاست؟": "fa",
    "מה זה R1?": "he",
    "Τι είναι το R1;": "el",
    "R1 คืออะไร": "th",
    "R1 क्या है?": "hi",
}


@pytest.mark.parametrize(("question", "language"), QUESTIONS.items())
def test_a_short_question_tells_its_language(question, language):
    assert detect(question) == language


def test_a_long_text_is_told_by_its_beginning():
    assert detect("Das ist ein Satz, und noch einer. " * 10_000) == "de"


def test_a_chinese_text_full_of_latin_names_is_chinese():
    assert detect("DeepSeek 发布了 DeepSeek-R1 和 R1-Zero 两个模型，性能与 OpenAI o1 相当") == "zh"
    assert is_cjk("DeepSeek-R1 的训练成本是多少")
    assert not is_cjk("DeepSeek (深度求索) is a company")


def test_the_share_of_a_languages_own_script_is_counted_over_letters_only():
    assert script_share("Hello, 123!", "en") == 1.0
    assert script_share("你好 ab", "zh") == 0.75  # one of them says as much as three Latin letters
    assert script_share("123 ...", "zh") == 1.0
    assert script_share("日本語のテスト", "ja") == 1.0


def test_small_words_are_known_by_the_first_part_of_a_language_code():
    assert "the" in function_words("en-GB")
    assert function_words("xx") == frozenset()
    assert all(function_words(language) for language in LANGUAGES)
