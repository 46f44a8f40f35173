"""Recipes that cannot be meant so are refused before any file is opened, by the step's name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kanna.errors import UsageError
from kanna.identity import said
from kanna.merging.recipe import Recipe, Source, Step, Value, Weight, Wish
from kanna.merging.recipe_check import check
from kanna.ops.convert import CHOICES

HALF = Weight(value=0.5)


def step(name: str = "mix", method: str = "weighted-sum", models: str = "ab",
         base: str | None = None, **parameters: Value) -> Step:  # fmt: skip
    return Step(name=name, method=method, models=tuple(models), base=base,
                parameters=parameters)  # fmt: skip


def recipe(*steps: Step, **more: object) -> Recipe:
    sources = {name: Source(path=f"{name}.safetensors") for name in "abc"}
    return Recipe(sources=sources, steps=steps, **more)  # type: ignore[arg-type]


GOOD = recipe(
    step(models="ab", alpha=HALF),
    Step(name="out", method="add-difference", models=("mix", "b"), base="c",
         parameters={"alpha": Weight(value=1.0)}),
)  # fmt: skip


def test_a_good_recipe_passes_without_a_word() -> None:
    assert check(GOOD) == ()
    loras = Step(name="l", method="lora", models=("out", "b"), parameters={"weights": (HALF,)})
    assert check(replace(GOOD, steps=(*GOOD.steps, loras))) == ()


def test_what_looks_forgotten_is_told() -> None:
    notes = check(replace(GOOD, output=Wish(step="mix")))
    assert [said(note) for note in notes] == [
        "no step uses the model c" if note.key.endswith("model") else said(note) for note in notes
    ]
    assert [note.key for note in notes] == ["recipe.unused_step"]
    alone = recipe(step(alpha=HALF))
    assert [note.key for note in check(alone)] == ["recipe.unused_model"]
    assert check(replace(alone, output=Wish(vae="c"))) == ()


@pytest.mark.parametrize(
    ("bad", "key", "told"),
    [
        (recipe(), "recipe.no_steps", "step"),
        (recipe(step(), step()), "recipe.name_twice", "mix"),
        (recipe(step("a")), "recipe.name_twice", "a"),
        (recipe(step(models="az")), "recipe.no_such_model", "z"),
        (recipe(step("x", models="ay"), step("y")), "recipe.later_step", "y"),
        (recipe(step("x", models="ax")), "recipe.later_step", "x"),
        (recipe(step(method="nearswap", models="abc")), "recipe.model_count", "3"),
        (recipe(step(method="weighted-summ")), "merge.no_such_method", "weighted-sum"),
        (recipe(step(base="c")), "recipe.base_unused", "mix"),
        (recipe(step(method="add-difference")), "recipe.base_missing", "mix"),
        (recipe(step(alhpa=HALF)), "recipe.unknown_key_near", "alpha"),
        (recipe(step(quark=HALF)), "recipe.unknown_key", "mix.quark"),
        (recipe(step(alpha="much")), "merge.parameter_kind", "much"),
        (recipe(Step(name="m", method="weighted-sum", models=("a", "b"),
                     block_methods={"IN*": "add-difference"})), "recipe.base_missing", "m"),
        (recipe(Step(name="l", method="lora", models=("a", "b"))), "recipe.lora_weights", "l"),
        (recipe(Step(name="l", method="lora", models=("a",), parameters={"weights": ()})),
         "recipe.lora_weights", "l"),
        (recipe(step(), Step(name="l", method="lora", models=("a", "mix"),
                             parameters={"weights": (HALF,)})), "recipe.lora_no_file", "mix"),
        (recipe(step(), output=Wish(step="mox")), "recipe.no_such_step", "mox"),
        (recipe(step(), output=Wish(dtype="fp17")), "recipe.no_such_word", "fp16"),
        (recipe(step(), output=Wish(ema="dropped")), "recipe.no_such_word", "drop"),
        (recipe(step(), output=Wish(dtypes={"unet": "fp16"})), "recipe.unknown_key", "unet"),
        (recipe(step(), output=Wish(vae="d")), "recipe.no_such_vae", "d"),
        (recipe(step(), axes={"mix.beta": (0.1,)}), "recipe.no_such_number", "mix.beta"),
        (recipe(step(alpha=HALF), axes={"mix.alpha": ()}), "recipe.too_many_outputs", "0"),
        (recipe(step(alpha=HALF), axes={"mix.alpha": (0.5,) * 1001}), "recipe.too_many_outputs",
         "1001"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_name(bad: Recipe, key: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(bad)
    assert caught.value.key == key
    assert told in str(caught.value)


def chain(length: int) -> Recipe:
    steps = [step("s0", alpha=HALF)]
    for number in range(1, length):
        steps.append(replace(steps[0], name=f"s{number}", models=(f"s{number - 1}", "b")))
    return recipe(*steps)


def test_no_recipe_is_endless() -> None:
    check(chain(64))
    with pytest.raises(UsageError) as caught:
        check(chain(65))
    assert caught.value.key == "recipe.too_deep"
    twice = [step("s0", models="ab", alpha=HALF)]
    for number in range(1, 30):  # each is used twice by the next: 2 ** 30 ways lead to a
        before = f"s{number - 1}"
        twice.append(replace(twice[0], name=f"s{number}", models=(before, before)))
    with pytest.raises(UsageError) as caught:
        check(recipe(*twice))
    assert caught.value.key == "recipe.too_deep"
    flat = recipe(*(step(f"s{number}", alpha=HALF) for number in range(257)))
    with pytest.raises(UsageError) as caught:
        check(flat)
    assert caught.value.key == "recipe.too_many"


def test_a_recipe_may_ask_for_what_convert_can_do() -> None:
    for key in ("container", "position_ids"):
        for word in CHOICES[key]:
            check(recipe(step(), output=Wish(**{key: word})))
