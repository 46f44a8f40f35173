"""Values of configs from the names and shapes of tensors."""

from __future__ import annotations

import pytest

from kanna.families.shape_rules import Underivable, derive

SHAPES = {
    "conv_in.weight": (32, 9, 3, 3),
    "down.0.res.0.weight": (32,),
    "down.0.res.1.weight": (32,),
    "down.1.res.0.weight": (64,),
    "down.1.res.1.weight": (64,),
    "down.1.attn.0.blocks.0.weight": (64, 7),
    "down.1.attn.0.blocks.1.weight": (64, 7),
    "down.1.attn.1.blocks.0.weight": (64, 7),
    "down.10.res.0.weight": (64,),
    "down.10.res.1.weight": (64,),
    "pos": (1, 1024, 8),
}
DEPTH = {
    "present": "down.*.attn.",
    "yes": {"each": "down.*.attn.*", "of": {"count": "down.*.attn.*.blocks.*"}, "uniform": True},
    "no": "none",
}


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("as it is", "as it is"),
        ("none", None),
        ({"size": "conv_in.weight", "axis": 1}, 9),
        ({"size": "conv_in.weight", "over": 64, "least": 1}, 1),
        ({"size": ["nowhere", "conv_in.weight"], "times": 3}, 96),
        ({"size": "down.*.attn.*.blocks.0.weight", "axis": 1}, 7),
        ({"size": "pos", "axis": 1, "root": True, "step": 2}, 64),
        ({"size": "nowhere", "other": 5}, 5),
        ({"size": "conv_in.weight", "over": {"count": "down.0.res.*"}}, 16),
        ({"count": "down.*"}, 3),
        ({"count": "up.*"}, 0),
        ({"count": "up.*", "other": {"count": "down.*"}}, 3),
        ({"present": "conv_in."}, True),
        ({"present": "conv_out."}, False),
        ({"rank": "conv_in.weight", "is": 4}, True),
        ({"where": "down.*.attn.0.blocks.0.weight"}, [1]),
        ({"each": "down.*", "of": {"size": "down.*.res.0.weight"}}, [32, 64, 64]),
        ({"each": "down.*", "of": {"count": "down.*.res.*"}, "uniform": True}, 2),
        ({"each": "down.*", "of": "Block"}, ["Block"] * 3),
        ({"each": "down.*", "of": DEPTH, "carry": True, "unset": 1}, [1, [2, 1], [2, 1]]),
        ({"each": "down.*", "of": DEPTH, "unset": 1}, [1, [2, 1], 1]),
    ],
)
def test_a_rule_gives(rule: object, value: object) -> None:
    assert derive({"field": rule}, SHAPES) == {"field": value}


def test_a_mirror_image_is_not_told() -> None:
    down = {"each": "down.*", "of": {"size": "down.*.res.0.weight"}}
    up = {**down, "mirror": "down"}
    assert "up" in derive({"down": down, "up": up}, SHAPES)
    same = {"down.0.res.0.weight": (8,), "down.1.res.0.weight": (8,)}
    assert derive({"down": down, "up": up}, same) == {"down": [8, 8]}
    unset = {"each": "down.*", "of": "none", "mirror": "down", "unset": 1}
    assert "up" not in derive({"down": down, "up": unset}, SHAPES)


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(Underivable, match="nowhere"):
        derive({"field": {"size": "nowhere"}}, SHAPES)
    with pytest.raises(Underivable, match="a, b"):
        derive({"field": {"rank": ["a", "b"], "is": 2}}, SHAPES)


@pytest.mark.parametrize("number", ["9" * 5000, "1000", "١", "-1", ""])
def test_what_numbers_no_block_is_not_counted(number: str) -> None:
    shapes = {"a.0.weight": (1,), f"a.{number}.weight": (2,)}
    rules = {"count": {"count": "a.*"}, "each": {"each": "a.*", "of": {"size": "a.*.weight"}}}
    assert derive(rules, shapes) == {"count": 1, "each": [1]}
