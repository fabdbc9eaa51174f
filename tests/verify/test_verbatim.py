"""A claim is supported by rule only as a whole sentence, item or cell of its source; one difference refutes it."""

import pytest

from agent.verify.verbatim import rule_on_sentence, rule_on_value

# (what the source says, a false sentence that differs from it by one value, name or "not")
PAIRS = [
    ("DeepSeek-R1 was released on January 20, 2025.", "DeepSeek-R1 was released on January 21, 2025."),
    ("The final training run used 2,048 H800 GPUs.", "The final training run used 2,084 H800 GPUs."),
    ("The pair scored 64.0 percent on the benchmark.", "The pair scored 56.9 percent on the benchmark."),
    ("The museum opened in 1897 near the old harbour.", "The museum opened in 1879 near the old harbour."),
    ("The company was founded by Ada Byron in Leeds.", "The company was founded by Grace Hopper in Leeds."),
    ("The prize was won by Norwell in the end.", "The prize was won by Halden in the end."),
    ("The load is 5 km for each cart.", "The load is 5 kg for each cart."),
    ("The show starts at 8:15 p.m. in the hall.", "The show starts at 8:15 a.m. in the hall."),
    ("The fair takes place in Q1 2024 in Velm.", "The fair takes place in Q2 2024 in Velm."),
    ("The bridge is open to cars.", "The bridge is not open to cars."),
    ("The bridge opened to cars in May.", "The bridge did not open to cars in May."),
    ("Das Verfahren ist in Deutschland zugelassen.", "Das Verfahren ist in Deutschland nicht zugelassen."),
    ("El tratamiento es eficaz en la mayoría de los niños.", "El tratamiento no es eficaz en la mayoría de los niños."),
    ("Le pont est ouvert aux voitures.", "Le pont n'est pas ouvert aux voitures."),
    ("La empresa tiene 4.500 empleados en Madrid.", "La empresa tiene 5.400 empleados en Madrid."),
    ("模型于2025年1月20日发布，采用MIT许可证。", "模型于2024年1月20日发布，采用MIT许可证。"),
    ("该模型支持商业使用和再分发。", "该模型不支持商业使用和再分发。"),
    ("Half a million people visited the gallery in 2019.", "Half a billion people visited the gallery in 2019."),
]  # fmt: skip


@pytest.mark.parametrize(("source", "false"), PAIRS)
def test_the_sentence_itself_is_supported_and_its_falsification_refuted(source, false):
    assert rule_on_sentence(source, source).outcome == "supported"
    assert rule_on_sentence(false, source).outcome == "refuted"
    assert rule_on_sentence(source, false).outcome == "refuted"


SAME = [
    ("However, the lake covers 1.5 million hectares.", "The lake covers 1,500,000 hectares."),
    ("Nvidia's chips were used for training.", "Nvidia’s chips were used for training."),
    ("**R1** is trained with `GRPO`.", "R1 is trained with GRPO[12]."),
    ("The show starts at 20:15 in the hall.", "The show starts at 8:15 p.m. in the hall."),
    ("It isn't open on 12 May 1934.", "It is not open on May 12, 1934."),
    ("The fee is 62% of the price.", "The fee is 62 percent of the price."),
    ("He called it “a gift”.", 'He called it "a gift".'),
    ("صدر هذا الكتاب سنة ١٥١٩.", "صدر هذا الكتاب سنة 1519."),
    ("The ﬁrst bridge is open.", "The First bridge is OPEN."),
    ("The U.S. firm won the case.", "The US firm won the case."),
    ("此外，该模型是开源的。", "该模型是开源的。"),
]


@pytest.mark.parametrize(("claim", "source"), SAME)
def test_typography_and_notation_make_no_difference(claim, source):
    assert rule_on_sentence(claim, source).outcome == "supported"


# A deciding word was dropped or changed.
UNSAID = [
    ("Acme closed the Leeds factory.", "Acme refused to close the Leeds factory."),
    ("Acme closed the Leeds factory.", "Acme closed the Leeds factory gates."),
    ("The fee rose 40 euros.", "The fee rose to 40 euros."),
    ("40 euros.", "40 euros."),
    ("The shop is currently open.", "The shop was open in 1950."),
    ("The shop is open.", "The shop was open."),
    ("The mayor died.", "The mayor's son died."),
    ("The drug cures the disease.", "Critics say the drug cures the disease."),
    ("The drug cures the disease.", "The drug cures the disease if it is taken early."),
    ("All birds can fly.", "Most birds can fly."),
    ("Acme bought Bolt in May.", "Bolt bought Acme in May."),
    ("He called it the best of all.", "He called it “the best” of all."),
    ("The new model is free for everybody.", "Is the new model free for everybody?"),
    ("The plant costs 18 EUR 21 EUR.", "The plant costs ~~18 EUR~~ 21 EUR."),
    ("The plant costs 21 EUR.", "The plant costs ~~18 EUR~~ 21 EUR."),
    ("The law applies to farms and mills.", "The law applies to farms or mills."),
    ("The ticket is valid.", "The ticket is valid until noon."),
    ("The laser runs at 5 mW all day.", "The laser runs at 5 MW all day."),
    ("The link has 5 Mb per second now.", "The link has 5 MB per second now."),
    ("The disk holds 5 KB of text.", "The disk holds 5 KiB of text."),
    ("Version 1.2 of Halden fixes the fault.", "Version 1.20 of Halden fixes the fault."),
    ("The star lies 10 km away.", "The star lies 10⁶ km away."),
    ("The shop opens at 8:15 on Mondays.", "The shop opens at 8:15 p.m. on Mondays."),
    ("El banco pago la multa entera.", "El banco pagó la multa entera."),
    ("计算机很好学。", "计算机很好学吗？"),
    ("工厂关闭了。", "工厂没有关闭。"),
]


@pytest.mark.parametrize(("claim", "source"), UNSAID)
def test_whatever_was_dropped_or_changed_is_no_support(claim, source):
    assert rule_on_sentence(claim, source).outcome != "supported"


IN_DOUBT = [
    ("The church of St. Paul is old.", "The church of Saint Paul is old."),
    ("The factory was built in Canada.", "The factory was built in Jonesville."),
    ("The fair opens on 3 April 2024 in Velm.", "The fair opens in Q2 2024 in Velm."),
    ("The fair opens in Q2 2024 in Velm.", "The fair opens on 3 April 2024 in Velm."),
    ("Version 1.2 of Halden fixes the fault.", "Version 1.20 of Halden fixes the fault."),
    ("The prize went to Bob Smith in the end.", "The prize went to Robert Smith in the end."),
    ("The US president signed it in 1990.", "The American president signed it in 1990."),
    ("It opened on 12 May 1934 in the rain.", "It opened on 13 May 1934 in the rain."),
    ("Die Firma kaufte den Wagen im Mai.", "Die Firma kaufte den Karren im Mai."),
    ("The firm has 512 workers.", "The firm has over 500 workers."),
    ("The show starts at 8:15 in the hall.", "The show starts at 20:15 in the hall."),
    ("The album came out after 2015.", "The album came out on 2 December 2016."),
    ("About five million dollars were spent.", "The run cost $5.576 million."),
]


@pytest.mark.parametrize(("claim", "source"), IN_DOUBT)
def test_where_both_may_be_true_nothing_is_refuted(claim, source):
    assert rule_on_sentence(claim, source).outcome != "refuted"


def test_the_reason_names_what_the_source_says():
    ruling = rule_on_sentence("They used 2,084 H800 GPUs in all.", "They used 2,048 H800 GPUs in all.")
    assert ruling.outcome == "cannot tell"  # who "they" are is not known
    ruling = rule_on_sentence("The run used 2,084 H800 GPUs.", "The run used 2,048 H800 GPUs.")
    assert ruling.why == "the source says “2,048”, not “2,084”"


def test_nothing_says_nothing():
    assert rule_on_sentence("", "").outcome == "cannot tell"


@pytest.mark.parametrize(
    ("mine", "theirs", "outcome"),
    [
        ("$0.55", "$0.55", "supported"),
        ("0.55 US dollars", "$0.55", "supported"),
        ("8 billion", "7 billion", "refuted"),
        ("12", "12*", "cannot tell"),
        ("12", "12 †", "cannot tell"),
        ("18 EUR", "~~18 EUR~~ 21 EUR", "cannot tell"),
        ("Qwen2.5", "Qwen2.5-Math", "cannot tell"),
        ("v1.2", "v1.20", "cannot tell"),
        ("5 mW", "5 MW", "cannot tell"),
        ("n/a", "3", "cannot tell"),
    ],
)
def test_a_cell_is_compared_whole(mine, theirs, outcome):
    assert rule_on_value(mine, theirs).outcome == outcome
