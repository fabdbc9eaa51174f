"""The same in another order is supported; an order that changes who did what, or when, is not."""

import pytest

from agent.verify.rules import rule

SAME = [
    ("In 1934 the bridge opened in Aldport.", "The bridge opened in Aldport in 1934."),
    ("The bridge was designed by Marta Kvist.", "In 1934 Marta Kvist designed the bridge."),
    ("Marta Kvist designed the bridge.", "The bridge was designed by Marta Kvist in 1934."),
    ("Am 4. Juli übernahm die Firma Lindner das Werk.", "Die Firma Lindner übernahm am 4. Juli das Werk."),
    ("According to Ines Robles, the quake lasted a day.", "The quake lasted a day, according to Ines Robles."),
    ("新江大桥由赵文设计，全长1240米，于1998年通车。", "新江大桥由赵文设计，于1998年通车，全长1,240米。"),
    ("Der See ist tief und wurde 1997 verkauft.", "Der See ist tief, liegt hoch und wurde 1997 verkauft."),
    ("At a temperature of 0.6 the model works best.", "The model works best at a temperature of 0.6."),
]


@pytest.mark.parametrize(("claim", "told"), SAME)
def test_what_only_stands_elsewhere_is_supported(claim, told):
    assert rule(claim, told).outcome == "supported"


OTHER = [
    ("Norwell bought the chain, its bakers kept their jobs.", "Norwell bought the chain in May, and sold two shops."),
    ("The line opened in 1950 and closed in 1934.", "The line opened in 1934 and closed in 1950."),
    ("The line closed in 1934.", "The line opened in 1934 and closed in 1950."),
    ("In 1934 the line closed.", "The line opened in 1934 and closed in 1950."),
    ("Acme was bought by Bolt.", "Acme bought Bolt in May."),
    ("Bolt was bought by Acme in May.", "Acme was bought by Bolt in May."),
    ("Bolt bought Acme.", "Bolt was bought by Acme."),
    ("Anna built the tower, and Berta designed the hall.", "Anna designed the tower, and Berta built the hall."),
    ("Berta designed the tower.", "Anna designed the tower, and Berta built the hall."),
    ("Männer beißen Hunde oft.", "Hunde beißen Männer oft."),
    ("Die Bauern schickten den Forschern Proben.", "Die Forscher schickten den Bauern Proben."),
    ("The line runs from Rome to Paris.", "The line runs from Paris to Rome."),
    ("Those who improved were treated with veralin.", "Those treated with veralin improved."),
    ("The drug cures the disease.", "The drug, critics say, cures the disease."),
    ("The drug cures the disease.", "The drug cures the disease, critics say."),
    ("The drug cures the disease.", "The drug cures the disease in some patients."),
    ("The bridge was designed by Marta Kvist.", "The bridge was not designed by Marta Kvist."),
    ("The bridge was designed by Marta Kvist.", "The bridge was probably designed by Marta Kvist."),
    ("The paper on the trial appeared in 2018.", "The trial on the paper appeared in 2018."),
    ("The gift for Acme came with a letter to Bolt.", "The gift for Bolt came with a letter to Acme."),
    ("The town in the north sells to the one in the south.", "The one in the south sells to the town in the north."),
    ("白河公司收购了青川厂，青川厂当时盈利。", "青川厂收购了白河公司，白河公司当时盈利。"),
    ("John McCain voted for it.", "John McCain voted against it."),
    ("R1 does not think.", "Unlike R1, V3 does not think."),
    ("Anna lives in Rome.", "When Anna was born, Berta lived in Rome."),
    ("In May 2021 Bolt lost the case against Acme.", "Acme lost the case against Bolt in May 2021."),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "told"), OTHER)
def test_another_order_that_says_something_else_is_not_supported(claim, told):
    assert rule(claim, told).outcome != "supported"
