"""A set of labelled claims becomes a table; what was called wrongly is listed."""

import json

from tests.verify.public_sets import fared, main, wrong

LAMPS = ["The bridge has 412 lamps."]
ROWS = [
    {"kind": "a", "claim": "The bridge has 412 lamps.", "sources": LAMPS, "label": True, "pair": "p"},
    {"kind": "b", "claim": "The bridge has 431 lamps.", "sources": LAMPS, "label": False, "pair": "p"},
    {"kind": "c", "claim": "The tower is old.", "sources": ["?", "The tower is old."], "label": False, "pair": None},
]


def test_a_table_has_the_kinds_and_the_pairs(tmp_path, capsys):
    (tmp_path / "set.jsonl").write_text("\n".join(map(json.dumps, ROWS)), "utf-8")
    main(str(tmp_path / "set.jsonl"), show=5)
    lines = capsys.readouterr().out.splitlines()
    assert "true  a                             1      1.000    0.000    0.000" in lines
    assert "false b                             1      0.000    1.000    1.000" in lines
    assert "pairs, both halves right            1      1.000" in lines
    assert "    The tower is old." in lines


def test_what_is_called_wrongly_is_what_the_label_says_is_wrong():
    assert [one.row["kind"] for one in wrong([fared(row) for row in ROWS])] == ["c"]
