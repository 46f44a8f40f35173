"""Every row of every table of methods: what it says of itself, and what its function does."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from typing import Any

import pytest
import torch

from kanna.merging.computing import seed_of
from kanna.merging.method import Method, built_in
from kanna.merging.parameters import parameters_of
from kanna.merging.recipe import Step
from merge_calls import given, noise

ROWS = list(built_in().values())
COMPUTED = [method for method in ROWS if method.kind != "linear"]
SHAPES = [(), (1,), (4,), (6, 5), (320, 4), (3, 4, 1, 1), (6, 5, 3, 3), (2, 3, 2, 3, 2)]
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def named(rows: list[Method]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("method", rows, ids=lambda row: row.name)


def required(method: Method) -> dict[str, Any]:
    """Values for what has no default."""
    return {
        one.name: {"word": one.words[:1], "flag": [True], "count": [1]}.get(one.kind, [0.5])[0]
        for one in method.parameters
        if one.default is None and not one.optional
    }


def made(
    method: Method, tensors: list[torch.Tensor], base: torch.Tensor | None = None
) -> torch.Tensor:  # fmt: skip
    call = given(method, len(tensors), required(method))
    if base is not None:
        call["base"] = base
    measure, conclude = method.call_measure(), method.call_conclude()
    if measure:
        found = [measure(*tensors, **call)]
        call["measured"] = conclude(found) if conclude else found
    if method.random:
        call["generators"] = [
            torch.Generator().manual_seed(seed_of(0, index, "w")) for index in range(len(tensors))
        ]
    result = method.call()(*tensors, **call)
    assert isinstance(result, torch.Tensor)
    return result


def inputs(method: Method, *shape: int) -> tuple[list[torch.Tensor], torch.Tensor | None]:
    """Fine-tunes of one base, as models are."""
    base = noise(*shape, seed=99, scale=0.03)
    models = [base + noise(*shape, seed=seed, scale=0.003) for seed in range(method.models or 3)]
    return models, None if method.base == "none" else base


def test_names_are_told_apart() -> None:
    words = Counter(word for method in ROWS for word in (method.name, *method.aliases))
    assert [word for word, count in words.items() if count > 1] == []
    assert all(re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*", word) for word in words)


@named(ROWS)
def test_a_row_says_what_people_need_to_know(method: Method) -> None:
    texts = [method.summary, *(one.text for one in method.parameters)]
    for text in [method.title, *texts]:
        assert set(text) == {"en", "ja"}
        assert all(text.values())
    assert all(JAPANESE.search(text["ja"]) for text in texts)
    assert not any(JAPANESE.search(text["en"]) for text in texts)
    assert method.formula.isascii()
    assert method.formula
    assert method.sources
    assert method.summary["en"].endswith(".")
    assert method.summary["ja"].endswith("。")


@named(ROWS)
def test_defaults_are_values_that_may_be_given(method: Method) -> None:
    step = Step(name="x", method=method.name, models=("m",) * (method.models or 3),
                parameters=required(method))  # fmt: skip
    found = parameters_of(method, step, lambda weight: weight.value)
    assert set(found) == {parameter.name for parameter in method.parameters}
    for one in method.parameters:
        assert one.least is None or one.most is None or one.least < one.most
        assert bool(one.words) == (one.kind == "word")


@named(ROWS)
def test_a_function_takes_what_its_row_says(method: Method) -> None:
    known = {parameter.name for parameter in method.parameters}
    beside = {"base": method.base != "none", "generators": method.random,
              "measured": method.measure is not None}  # fmt: skip
    if method.kind != "linear":
        known |= {name for name, there in beside.items() if there}
    known |= {"place"} if method.placed else set()
    taken = list(inspect.signature(method.call()).parameters.values())
    named_ones = {one.name: one for one in taken if one.kind is one.KEYWORD_ONLY}
    assert known <= set(named_ones) or taken[-1].kind is inspect.Parameter.VAR_KEYWORD
    assert all(named_ones[name].default is not inspect.Parameter.empty
               for name in set(named_ones) - known)  # fmt: skip
    tensors = [one for one in taken if one.kind not in {one.KEYWORD_ONLY, one.VAR_KEYWORD}]
    if method.kind == "linear":
        assert [one.name for one in tensors] == ["count"]
    elif method.models is None:
        assert [one.kind for one in tensors] == [inspect.Parameter.VAR_POSITIONAL]
    elif tensors[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        assert len(tensors) == method.models


@named([method for method in ROWS if method.kind == "linear"])
def test_a_linear_method_gives_every_model_a_weight(method: Method) -> None:
    models = method.models or 3
    count = models + (method.base == "required")
    place = {"place": None} if method.placed else {}
    found = method.call()(count, **place, **given(method, models, required(method)))
    assert len(found[0] if method.placed else found) == count


@named(COMPUTED)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_result_has_the_shape_and_no_accidents(method: Method, shape: tuple[int, ...]) -> None:
    models, base = inputs(method, *shape)
    kept = [one.clone() for one in models]
    found = made(method, models, base)
    assert found.shape == shape
    assert found.dtype is torch.float32
    assert found.isfinite().all()
    assert found.is_contiguous()
    assert all(map(torch.equal, models, kept)), "a method wrote to its inputs"


@named(COMPUTED)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_zeros_are_no_reason_for_nan(method: Method, shape: tuple[int, ...]) -> None:
    models, base = inputs(method, *shape)
    zero = torch.zeros(shape)
    none = None if base is None else zero
    assert made(method, [zero] * len(models), none).isfinite().all()
    assert made(method, [zero, *models[1:]], base).isfinite().all()
    assert made(method, models, none).isfinite().all()
    if base is not None:
        assert made(method, [base] * len(models), base).isfinite().all()
        assert made(method, [base, *models[1:]], base).isfinite().all()


@named([method for method in COMPUTED if method.base == "none" and not method.random])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_one_model_several_times_is_that_model(method: Method, shape: tuple[int, ...]) -> None:
    models, _ = inputs(method, *shape)
    assert torch.allclose(made(method, models[:1] * len(models)), models[0], atol=1e-6)
