"""Axes: exact decimals, both ends, one recipe and one name for each point; `--set` on the way."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanna.errors import UsageError
from kanna.merging.assigning import assigned
from kanna.merging.axes import names, number_text, points, swept
from kanna.merging.axis_values import values_of
from kanna.merging.recipe import Recipe, Source, Step, Weight

ALPHA = Weight(value=0.5, blocks="GRAD_V")
RECIPE = Recipe(
    sources={name: Source(path=name) for name in "abc"},
    steps=(
        Step(name="mix", method="weighted-sum", models=("a", "b"), parameters={"alpha": ALPHA}),
        Step(name="out", method="ties", models=("mix", "b", "c"), base="a",
             parameters={"weights": (Weight(value=1.0), Weight(value=0.5), Weight(value=0.2)),
                         "steps": 4, "normalize": True, "mode": "sum"}),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1:0.9:0.1", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)),
        ("0:1:0.3", (0.0, 0.3, 0.6, 0.9)),
        ("1:0:-0.5", (1.0, 0.5, 0.0)),
        ("0.5:0.5:1", (0.5,)),
        ("0.3", (0.3,)),
        ("0.1, 0.7,0.2", (0.1, 0.7, 0.2)),
        ("1e-3:3e-3:1e-3", (0.001, 0.002, 0.003)),
    ],
)
def test_values_are_exact_decimals(text: str, values: tuple[float, ...]) -> None:
    assert values_of(text) == values


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "no_axis"), ("a:b:c", "no_axis"), ("1:2", "no_axis"), ("nan", "no_axis"),
        ("1e99:2:1", "no_axis"), ("0:1:0", "axis_step"), ("0:1:-0.1", "axis_step"),
        ("0:1:0.0001", "axis_long"),
    ],
)  # fmt: skip
def test_what_stands_for_no_numbers_is_refused(text: str, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        values_of(text)
    assert caught.value.key == f"recipe.{key}"


@given(st.integers(-500, 500), st.integers(0, 300), st.integers(1, 9), st.integers(0, 4))
def test_a_range_has_both_ends_and_equal_steps(
    first: int, more: int, step: int, digits: int
) -> None:
    unit = Decimal(1).scaleb(-digits)
    start, width = first * unit, step * unit
    values = values_of(f"{start}:{start + more * width}:{width}")
    assert values == tuple(float(start + n * width) for n in range(more + 1))


def test_each_point_is_a_recipe_of_its_own() -> None:
    recipe = swept(RECIPE, ["alpha=0.1:0.2:0.1", "out.weights.2=0.5,1"])
    found = points(recipe)
    assert [dict(point.numbers) for point in found] == [
        {"mix.alpha": a, "out.weights.2": w} for a in (0.1, 0.2) for w in (0.5, 1.0)
    ]
    last = found[-1].recipe
    assert last.steps[0].parameters["alpha"] == Weight(value=0.2, blocks="GRAD_V")
    assert last.steps[1].parameters["weights"][1] == Weight(value=1.0)  # type: ignore[index]
    assert not last.axes
    assert points(RECIPE)[0].recipe == RECIPE


def test_names_tell_the_points_apart() -> None:
    one = points(swept(RECIPE, ["alpha=0.1,1,0.00001"]))
    assert [path.name for path in names(one, Path("x/grid.v1.ckpt"))] == [
        "grid.v1-alpha0.1.ckpt", "grid.v1-alpha1.ckpt", "grid.v1-alpha0.00001.ckpt",
    ]  # fmt: skip
    two = points(swept(RECIPE, ["alpha=0.1", "out.weights.2=0.5,1"]))
    assert [path.name for path in names(two, Path("m.ckpt"))] == [
        "m-alpha0.1-weights.2_0.5.ckpt", "m-alpha0.1-weights.2_1.ckpt",
    ]  # fmt: skip
    assert names(one[:1], Path("m.ckpt")) == (Path("m.ckpt"),)
    templated = names(one[:2], Path("m {mix.alpha} {alpha}.ckpt"))
    assert [path.name for path in templated] == ["m 0.1 0.1.ckpt", "m 1 1.ckpt"]


def test_a_template_cannot_reach_beyond_the_numbers() -> None:
    found = points(swept(RECIPE, ["alpha=0.1,0.2", "out.weights.1=1,2"]))
    with pytest.raises(UsageError) as caught:
        names(found, Path("{alpha.__class__}.ckpt"))
    assert caught.value.key == "recipe.no_such_placeholder"
    with pytest.raises(UsageError) as caught:
        names(found, Path("m-{alpha}.ckpt"))
    assert caught.value.key == "recipe.same_output"


@given(st.floats(-1e6, 1e6))
def test_a_number_in_a_name_is_the_number(number: float) -> None:
    assert float(number_text(number)) == number
    assert "e" not in number_text(number)


@pytest.mark.parametrize(
    ("path", "key"),
    [("beta=1,2", "no_such_number"), ("alpha", "bad_sweep"), ("out.mode=1,2", "no_such_number"),
     ("out.weights.4=1", "no_such_number"), ("out.weights=1", "no_such_number")],
)  # fmt: skip
def test_axes_without_a_number_are_refused(path: str, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        points(swept(RECIPE, [path]))
    assert caught.value.key == f"recipe.{key}"


def test_a_parameter_of_two_steps_needs_the_step() -> None:
    both = Recipe(sources=RECIPE.sources, steps=(
        *RECIPE.steps,
        Step(name="end", method="weighted-sum", models=("out", "b"), parameters={"alpha": ALPHA}),
    ))  # fmt: skip
    with pytest.raises(UsageError) as caught:
        swept(both, ["alpha=1,2"])
    assert caught.value.key == "recipe.which_step"
    made = names(points(swept(both, ["mix.alpha=0.1", "end.alpha=0.2,0.3"])), Path("m.ckpt"))
    assert made[0].name == "m-mix.alpha0.1-end.alpha0.2.ckpt"


@pytest.mark.parametrize(
    ("asked", "step", "parameter", "value"),
    [
        ("mix.alpha=0.25", 0, "alpha", Weight(value=0.25, blocks="GRAD_V")),
        ("mix.alpha.blocks=0,1", 0, "alpha", Weight(value=0.5, blocks="0,1")),
        ("out.steps=9", 1, "steps", 9),
        ("out.normalize=false", 1, "normalize", False),
        ("out.mode=count", 1, "mode", "count"),
        ("out.density=0.2", 1, "density", Weight(value=0.2)),
        ("out.rule=l1", 1, "rule", "l1"),
    ],
)  # fmt: skip
def test_set_changes_one_value(asked: str, step: int, parameter: str, value: object) -> None:
    assert assigned(RECIPE, [asked]).steps[step].parameters[parameter] == value


def test_set_takes_the_place_of_an_axis() -> None:
    recipe = assigned(swept(RECIPE, ["alpha=0.1,0.2"]), ["mix.alpha=0.7", "out.seed=3"])
    assert not recipe.axes
    assert recipe.steps[1].seed == 3
    assert assigned(recipe, ["mix.method=slerp"]).steps[0].method == "slerp"


def test_set_changes_what_is_done_with_the_output() -> None:
    recipe = assigned(RECIPE, ["output.dtype=fp16", "output.prune=true"])
    assert (recipe.output.dtype, recipe.output.prune) == ("fp16", True)
    for asked in ("output.dtyp=fp16", "output.prune=2", "output=fp16"):
        with pytest.raises(UsageError):
            assigned(RECIPE, [asked])


@pytest.mark.parametrize("asked", ["mix", "mix=1", "nix.alpha=1", "mix.alpha=x", "mix.alpha.3=1"])
def test_set_refuses_what_makes_no_sense(asked: str) -> None:
    with pytest.raises(UsageError):
        assigned(RECIPE, [asked])
