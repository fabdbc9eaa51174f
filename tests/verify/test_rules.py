"""What a passage says is supported, what differs by one word is refuted, and of a paraphrase the rules say nothing."""

import pytest

from agent.verify.rules import rule, rule_on

# (what the source says, a false sentence that differs from it by one word)
PAIRS = [
    ("DeepSeek-R1 was released on January 20, 2025.", "DeepSeek-R1 was released on January 21, 2025."),
    ("The final training run used 2,048 H800 GPUs.", "The final training run used 2,084 H800 GPUs."),
    ("The pair scored 64.0 percent on the benchmark.", "The pair scored 56.9 percent on the benchmark."),
    ("The museum opened in 1897 near the old harbour.", "The museum opened in 1879 near the old harbour."),
    ("The treaty was signed by France and Spain in Madrid.", "The treaty was signed by France and Spain in Lisbon."),
    ("The company was founded by Ada Byron in Leeds.", "The company was founded by Grace Hopper in Leeds."),
    ("The model needs a system prompt at all times.", "The model does not need a system prompt at all times."),
    ("The vaccine does not prevent infection in adults.", "The vaccine prevents infection in adults."),
    ("Sales increased during the last quarter of the year.", "Sales decreased during the last quarter of the year."),
    ("The northern route is the longest of the three.", "The northern route is the shortest of the three."),
    ("模型于2025年1月20日发布，采用MIT许可证。", "模型于2024年1月20日发布，采用MIT许可证。"),
    ("训练共使用了2048块H800显卡。", "训练共使用了2084块H800显卡。"),
    ("该模型支持商业使用和再分发。", "该模型不支持商业使用和再分发。"),
    ("Das Modell wurde am 20. Januar 2025 veröffentlicht.", "Das Modell wurde am 20. Januar 2024 veröffentlicht."),
    ("Die Stadt hat rund 1,5 Millionen Einwohner.", "Die Stadt hat rund 3,5 Millionen Einwohner."),
    ("Das Verfahren ist in Deutschland zugelassen.", "Das Verfahren ist in Deutschland nicht zugelassen."),
    ("El modelo se publicó el 20 de enero de 2025.", "El modelo se publicó el 20 de marzo de 2025."),
    ("La empresa tiene 4.500 empleados en Madrid.", "La empresa tiene 5.400 empleados en Madrid."),
    ("El tratamiento es eficaz en la mayoría de los niños.", "El tratamiento no es eficaz en la mayoría de los niños."),
    ("The fund spent 212 million euros, up 6 percent.", "The fund spent 212 million euros, down 6 percent."),
    ("La bodega vendió un 12 % menos que en 2021.", "La bodega vendió un 12 % más que en 2021."),
    ("Two thirds of the members voted for the plan.", "One third of the members voted for the plan."),
    ("Half a million people visited the gallery in 2019.", "Half a billion people visited the gallery in 2019."),
    ("One in five boxes was sent to Brask by rail.", "One in nine boxes was sent to Brask by rail."),
]


@pytest.mark.parametrize(("told", "false"), PAIRS)
def test_the_sentence_itself_is_supported_and_its_falsification_refuted(told, false):
    assert rule(told, told).outcome == "supported"
    assert rule(false, told).outcome == "refuted"


LIGHT = [
    ("However, R1 has 671B parameters. [3]", "R1 has 671 billion parameters (of which 37 billion are active)."),
    ("The run cost $5.5 million.", "The run cost 5.5 million US dollars, which leaves out earlier research."),
    ("In 2019, the bridge opened.", "The bridge opened in 2019."),
    ("The lake covers 1.5 million hectares.", "The lake covers 1,500,000 hectares."),
    ("Nvidia's chips were used for training.", "Nvidia’s chips were used for training."),
    ("**R1** is trained with `GRPO`.", "R1 is trained with GRPO[12], as [described](https://a.example/x)."),
    ("该模型是开源的。", "该模型是开源的，并且免费。"),
]


@pytest.mark.parametrize(("claim", "told"), LIGHT)
def test_a_lightly_edited_truth_is_supported(claim, told):
    assert rule(claim, told).outcome == "supported"


NOT_SUPPORTED = [
    ("The drug cures the disease.", "Critics say the drug cures the disease."),
    ("The drug cures the disease.", "The drug cures the disease if it is taken early."),
    ("The drug cures the disease.", "The drug may cure the disease."),
    ("All birds can fly.", "Most birds can fly."),
    ("Acme bought Bolt in May.", "Bolt bought Acme in May."),
    ("Acme was bought by Bolt.", "Acme bought Bolt."),
    ("The tower is the tallest building.", "The tower is the tallest wooden building."),
    ("X is not Z at all, they say.", "X, which is not Y, is Z."),
    ("The tower is not high.", "The tower, which is not old, is high."),
    ("He called it “the best of all”.", "He called it the best, of all places, in Rome."),
    ("The firm has 512 workers.", "The firm has over 500 workers."),
    ("The old king had one hat.", "The old king had one son."),
    ("The giant knocked him on the leg.", "The giant knocked him on the head."),
    ("Sara Holt made strong coffee.", "Sara Holt drank strong coffee."),
    ("The San Pablo Reservoir is man made.", "The San Pablo Reservoir is owned by a utility."),
    ("Hal Brand is a pitcher in the league.", "Hal Brand is a former pitcher in the league."),
    ("The tower is used for AM and FM.", "The tower is used for FM."),
    ("The station is called Oldies Radio.", "The station plays an Oldies Radio format."),
    ("Ada Holt Smith is a suspect.", "As reported by Ada Holt, Smith is a suspect."),
    ("Iola is a city in Northwestern Kansas.", "Iola is a city in the northwestern part of a county in Kansas."),
    ("The magazine is published monthly.", "The magazine is published bi-monthly."),
    ("The unit was formed on 18 December 1969.", "The unit was formed in 1970 under an act of 18 December 1969."),
    ("The region of Leon was founded in 1947.", "The club plays in the region of Leon. Founded in 1947, it is old."),
    ("Birch and Holm are teachers.", "Birch and Holm give credit to teachers."),
    ("The cup of 1991 was the final edition of the cup.", "The cup of 1991 was the final of the fourth edition."),
    ("The new model is free for everybody.", "Is the new model free for everybody?"),
    ("我是外国人。", "如果我是外国人，能给我指路。"),
    ("计算机很好学。", "计算机很好学吗？"),
    ("R1 is open.", "R1 is a model."),
    ("The toll is 45 crowns for a lorry.", "The toll is 45 crowns for a car and 120 crowns for a lorry."),
    ("Sales rose by 5 percent in Spain.", "Sales rose by 5 percent in France and by 9 percent in Spain."),
    ("Ada Lund won the race in Rome.", "Ada Lund won the race in Bern and Carla Dahl in Rome."),
    ("Las ventas subieron un 5 % en Roma.", "Las ventas subieron un 5 % en Berna y un 9 % en Roma."),
    ("Mr Holt resigned in 2019.", "Mr Holt, whose brother resigned in 2019, runs the mill."),
    ("Holt won gold in Rome.", "Holt won gold in Bern, then silver in Rome."),
    ("Holt won gold in Rome.", "Holt won gold in Bern as well as silver in Rome."),
    ("Die Firma baut Autos in Graz.", "Die Firma baut Autos in Turin sowie Laster in Graz."),
    ("The law applies to farms and mills.", "The law applies to farms or mills."),
    ("Ruud spoke and sold the mill in 1988.", "Ruud spoke. Moen sold the mill in 1988."),
    ("The car of Brandt stands in the hall.", "The lorry of Brandt stands in the hall."),
]


@pytest.mark.parametrize(("claim", "told"), NOT_SUPPORTED)
def test_shared_words_alone_are_no_support(claim, told):
    assert rule(claim, told).outcome != "supported"


CANNOT_TELL = [
    ("林海公司以3.6亿元接手了青川造纸厂，该厂有820名工人。", "林海公司以3.6亿元收购了青川造纸厂，该厂有820名工人。"),
    ("当地公司承建了这座桥，由工程师赵文设计。", "本地公司承建了这座桥，由工程师赵文设计。"),
    ("林海公司收购了一家造纸厂，该厂有820名工人。", "林海公司收购了青川造纸厂，该厂有820名工人。"),
    ("桥由工程师赵先生设计，于1998年通车。", "桥由工程师赵文设计，于1998年通车。"),
    (
        "Das Werk in Bayern beschäftigt 300 Menschen seit 2010.",
        "Das Werk in München beschäftigt 300 Menschen seit 2010.",
    ),
    ("The factory was built in Canada.", "The factory was built in Jonesville."),
    ("The team won the student cup in 2019.", "The team won the student cup this year building on success in 2018."),
    ("The album came out after 2015.", "The album came out on 2 December 2016."),
    ("Ezra Stein was born in the 1900s.", "Ezra Stein was born on May 9, 1984."),
    ("Darpan Kaur won the bronze medal the year he turned 19.", "Darpan Kaur won the bronze medal the year 2013."),
    ("Serious side effects were not seen in the trial.", "No serious side effects were seen in the trial."),
    ("The network learned to reason through rewards alone.", "Pure reinforcement learning taught it to think."),
    ("About five million dollars were spent.", "The run cost $5.576 million."),
    ("The US has 50 states.", "The United States has 50 states and one district."),
    ("It has 617B parameters.", "The larger V3 model has 671B parameters, as its makers wrote in the report."),
    ("It used 2,084 GPUs.", "The second cluster, built much later by another team in Oslo, used 2,048 GPUs."),
    (
        "R1 used 2,084 rented graphics processors of the newest kind in the large hall.",
        "R1 used 2,048 chips in the hall.",
    ),
    ("King led the march in Washington.", "Martin Luther King led the march in Washington."),
]


@pytest.mark.parametrize(("claim", "told"), CANNOT_TELL)
def test_what_is_said_in_other_words_is_not_called_refuted(claim, told):
    assert rule(claim, told).outcome != "refuted"


OPEN = "R1 is a model. It was released on 20 January 2025 with open weights under the MIT licence."


@pytest.mark.parametrize(
    ("claim", "passages", "outcome"),
    [
        ("The weights of R1 were released on 20 January 2025 under the GPL licence.", [OPEN], "refuted"),
        ("The weights of R1 were released on 20 January 2025 under the MIT licence.", [OPEN], "cannot tell"),
        ("The weights of V3 were released on 20 January 2025 under the GPL licence.", [OPEN], "cannot tell"),
        ("The code of R1 was released on 20 January 2025 under the GPL licence.", [OPEN], "cannot tell"),
        ("The weights of R1 were released on 20 January 2025 under the GPL licence.",
         [OPEN, "The weights of R1 were at first released under the GPL licence on 20 January 2025."], "supported"),
        ("The weights of R1 were not released on 20 January 2025 under the GPL licence.", [OPEN], "cannot tell"),
        ("The US president Ada Holt signed it in Rome in 1990.",
         ["The American president Ada Holt signed it in 1990 in Rome."], "cannot tell"),
    ],
)  # fmt: skip
def test_another_acronym_before_the_same_word_refutes_whatever_the_order(claim, passages, outcome):
    assert rule_on(claim, passages).outcome == outcome


def test_the_reason_names_the_words_that_decided():
    ruling = rule("It used 2,084 H800 GPUs in all.", "It used 2,048 H800 GPUs in all.")
    assert ruling.why == "the source says “2,048”, not “2,084”"
    assert "671 billion" in rule("R1 has 671 billion parameters.", "R1 has 671 billion parameters.").why


def test_support_in_one_passage_outweighs_a_contradiction_in_another():
    passages = ["The run used 2,000 H800 GPUs in 2023.", "The run used 2,048 H800 GPUs in 2024."]
    assert rule_on("The run used 2,048 H800 GPUs in 2024.", passages).outcome == "supported"


def test_without_a_passage_the_rules_cannot_tell():
    assert rule_on("R1 is open.", []).outcome == "cannot tell"
    assert rule("", "").outcome == "cannot tell"
