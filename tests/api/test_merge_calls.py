"""Merging from Python: recipes that nobody has read and checked before."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from containers import safetensors_bytes
from kanna.api import merge, sweep
from kanna.errors import UsageError
from kanna.merging.recipe import Recipe, Source, Step, Weight, Wish
from kanna.ops.merge_inputs import parts_of


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Source]:
    monkeypatch.setenv("KANNA_CACHE", str(tmp_path / "cache"))
    for number, name in enumerate("ab", 1):
        data = struct.pack("<2f", number, 2 * number)
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(safetensors_bytes({"w": ("F32", (2,), data)}, {}))
    return {name: Source(path=str(tmp_path / f"{name}.safetensors")) for name in "ab"}


def step(name: str, models: tuple[str, ...], alpha: float = 0.5) -> Step:
    return Step(name=name, method="weighted-sum", models=models,
                parameters={"alpha": Weight(value=alpha)})  # fmt: skip


def doubled(sources: Mapping[str, Source], count: int) -> Recipe:
    """Every step takes the one before it twice: by paths from the end there are 2**count."""
    steps = [step("s0", ("a", "b"))]
    steps += [step(f"s{n}", (f"s{n - 1}", f"s{n - 1}")) for n in range(1, count)]
    return Recipe(sources=sources, steps=tuple(steps))


def test_who_plays_which_part_is_found_in_no_time(sources: Mapping[str, Source]) -> None:
    parts = parts_of(doubled(sources, 60))
    assert (parts.lead, parts.models, parts.output) == ("a", ("a", "b"), "s59")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda one: doubled(one.sources, 60), "recipe.too_deep"),
        (lambda one: replace(one, steps=(step("x", ("y", "a")), step("y", ("x", "a")))),
         "recipe.later_step"),
        (lambda one: replace(one, steps=(step("x", ("x", "a")),)), "recipe.later_step"),
        (lambda one: replace(one, steps=()), "recipe.no_steps"),
        (lambda one: replace(one, output=Wish(missing="perhaps")), "recipe.no_such_word"),
    ],
)  # fmt: skip
def test_a_recipe_is_checked_before_anything_is_read(
    sources: Mapping[str, Source], tmp_path: Path, change: object, key: str
) -> None:
    assert callable(change)
    recipe = change(Recipe(sources=sources, steps=(step("mix", ("a", "b")),)))
    for call in (merge, sweep):
        with pytest.raises(UsageError) as caught:
            call(recipe, tmp_path / "out.safetensors")
        assert caught.value.key == key


def test_a_sweep_finds_its_sources_and_what_is_done(
    sources: Mapping[str, Source], tmp_path: Path
) -> None:
    axes = {"mix.alpha": (0.0, 0.5, 1.0)}
    recipe = Recipe(sources=sources, steps=(step("mix", ("a", "b")),), axes=axes)
    target = tmp_path / "out.safetensors"
    made = sweep(recipe, target)
    assert [one.state for one in made] == ["made"] * 3
    made[1].path.unlink()
    again = sweep(recipe, target)
    assert [one.state for one in again] == ["there", "made", "there"]
    assert [one.digest for one in again] == [one.digest for one in made]


def test_axes_of_nothing_are_refused(sources: Mapping[str, Source], tmp_path: Path) -> None:
    recipe = Recipe(sources=sources, steps=(step("mix", ("a", "b")),), axes={"no.alpha": (0.5,)})
    with pytest.raises(UsageError) as caught:
        sweep(recipe, tmp_path / "out.safetensors")
    assert caught.value.key == "recipe.no_such_number"
