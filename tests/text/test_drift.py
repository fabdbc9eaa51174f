"""An answer that drifts into another language is found out; one that quotes it is not."""

from __future__ import annotations

import pytest

from agent.text.language import drifted

ENGLISH = (
    "DeepSeek-R1 was released on 20 January 2025 under the MIT licence [1]. It has 671 billion parameters, of which "
    "37 billion are active for each token [2]."
)
CHINESE = (
    "DeepSeek-R1于2025年1月20日以MIT许可证发布[1]。它共有6710亿个参数，每个词元激活370亿个[2]。建议将温度设为0.6。"
)
GERMAN = (
    "DeepSeek-R1 wurde am 20. Januar 2025 unter der MIT-Lizenz veröffentlicht [1]. Es hat 671 Milliarden Parameter, "
    "von denen 37 Milliarden je Token aktiv sind [2]."
)
RUSSIAN = "Модель DeepSeek-R1 вышла 20 января 2025 года под лицензией MIT [1]. У неё 671 миллиард параметров [2]."
ANSWERS = {"en": ENGLISH, "zh": CHINESE, "de": GERMAN, "ru": RUSSIAN}


@pytest.mark.parametrize("language", ANSWERS)
def test_an_answer_in_the_language_asked_for_has_not_drifted(language: str) -> None:
    assert drifted(ANSWERS[language], language) == ""


@pytest.mark.parametrize("told", ANSWERS)
@pytest.mark.parametrize("language", ANSWERS)
def test_an_answer_in_another_language_is_found_out_with_its_language(told: str, language: str) -> None:
    if told != language:
        assert drifted(f"{ANSWERS[told]} {ANSWERS[told]}", language) == told


def test_one_sentence_of_chinese_in_an_english_answer_is_drift() -> None:
    assert drifted(f"{ENGLISH} {ENGLISH} 建议将温度设为0.6，并且不要使用系统提示词。", "en")


@pytest.mark.parametrize(
    "quoted",
    [
        "The paper's own words are “我们建议将温度设置在零点五到零点七之间，并且避免使用系统提示词，这样效果最好”.",
        "`建议将温度设置在零点五到零点七之间，并且避免使用系统提示词，这样效果最好`",
        "The company (杭州深度求索人工智能基础技术研究有限公司) published it.",
        "See [《深度求索技术报告：通过强化学习激励大语言模型的推理能力》].",
    ],
)
def test_what_is_quoted_may_be_in_any_language(quoted: str) -> None:
    assert drifted(f"{ENGLISH} {quoted}", "en") == ""


def test_names_in_latin_letters_are_no_drift_in_a_chinese_answer() -> None:
    assert drifted(f"{CHINESE} 相关模型有DeepSeek-R1-Distill-Qwen-32B和DeepSeek-R1-Distill-Llama-70B。", "zh") == ""


@pytest.mark.parametrize("few", ["", "R1: 671B [1].", "DeepSeek, OpenAI, Anthropic"])
def test_a_few_names_tell_no_language(few: str) -> None:
    assert drifted(few, "zh") == ""


def test_a_table_of_names_in_latin_letters_is_no_drift_in_a_chinese_answer() -> None:
    names = ("DeepSeek-R1-Distill-Qwen-32B", "DeepSeek-R1-Distill-Llama-70B", "DeepSeek-R1-0528")
    table = "\n".join(["| Model | Context |", "|---|---|", *(f"| {name} | 131,072 [1] |" for name in names)])
    assert drifted(f"主要区别在于许可证[1]。\n\n{table}", "zh") == ""


JAPANESE = (
    "DeepSeek-R1は2025年1月20日にMITライセンスで公開されました[1]。"
    "パラメータ数は6710億で、そのうち370億が使われます[2]。"
)


def test_chinese_is_drift_in_a_japanese_answer_though_both_write_han() -> None:
    assert drifted(JAPANESE, "ja") == ""
    assert drifted(CHINESE, "ja") == "zh"
    assert drifted(f"{JAPANESE}\n\n{CHINESE}", "ja") == "zh"


def test_a_japanese_heading_without_kana_is_no_drift() -> None:
    assert drifted(f"## 公開日及使用許諾条件\n\n{JAPANESE}", "ja") == ""
