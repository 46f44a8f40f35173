"""A recipe's steps as sums, tensor by tensor: folded where they are linear, computed where not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import torch

from engine_plans import plan, read_back, store
from kanna.dtypes import FP16, FP32
from kanna.engine import RunOptions, run
from kanna.errors import Incompatible, UsageError
from kanna.merging import registry
from kanna.merging.computing import seed_of
from kanna.merging.graph import Delta, Graph
from kanna.merging.method import Method, Parameter
from kanna.merging.recipe import Recipe, Source, Step, Weight
from kanna.merging.terms import Sum, Term, as_output, as_tensor
from kanna.model import ModelFile, TensorInfo
from kanna.views.computed import summed
from merge_calls import Everywhere

NAMES = ("w", "v")
SIZE = (40, 30)


@pytest.fixture
def numbers() -> dict[str, dict[str, torch.Tensor]]:
    noise = torch.Generator().manual_seed(11)
    models = {
        model: {name: torch.randn(SIZE, generator=noise).half() for name in NAMES}
        for model in "abc"
    }
    models["a"]["conv_in"] = torch.randn(8, 9, 3, 3, generator=noise).half()
    models["b"]["conv_in"] = torch.randn(8, 4, 3, 3, generator=noise).half()
    models["c"]["conv_in"] = torch.randn(8, 4, 3, 3, generator=noise).half()
    return models


@pytest.fixture
def models(
    numbers: dict[str, dict[str, torch.Tensor]], tmp_path: Path
) -> Iterator[dict[str, ModelFile]]:
    opened = {name: store(tmp_path / name, tensors) for name, tensors in numbers.items()}
    yield opened
    for model in opened.values():
        model.close()


def mix(name: str, one: str, other: str, alpha: float) -> Step:
    return Step(name=name, method="weighted-sum", models=(one, other),
                parameters={"alpha": Weight(value=alpha)})  # fmt: skip


def recipe(*steps: Step) -> Recipe:
    return Recipe(sources={name: Source(path=name) for name in "abc"}, steps=steps)


def graph(
    models: Mapping[str, Mapping[str, TensorInfo]], *steps: Step,
    loras: Mapping[str, Mapping[str, Delta]] | None = None,
) -> Graph:  # fmt: skip
    return Graph(recipe(*steps), models, Everywhere(), loras=loras, measured_names=NAMES)


def terms(found: Sum | None) -> dict[str, float]:
    assert found is not None
    return {str(id(term.tensor.data)): term.weight for term in found}


def of(model: ModelFile, name: str = "w") -> str:
    return str(id(model[name].data))


def values(tensor: TensorInfo) -> torch.Tensor:
    full = summed([tensor], [1.0])
    return torch.frombuffer(bytearray(full.read()), dtype=torch.float32).reshape(tensor.shape)


def test_linear_steps_fold_into_one_sum(models: dict[str, ModelFile]) -> None:
    made = graph(models, mix("x", "a", "b", 0.25), mix("y", "x", "c", 0.5))
    found = terms(made.sum_of("y", "w"))
    assert found == {of(models["a"]): 0.375, of(models["b"]): 0.125, of(models["c"]): 0.5}


def test_a_model_that_cancels_out_is_not_read(models: dict[str, ModelFile]) -> None:
    twice = Step(name="x", method="add-difference", models=("a", "b"), base="b",
                 parameters={"alpha": Weight(value=0.7)})  # fmt: skip
    assert terms(graph(models, twice).sum_of("x", "w")) == {of(models["a"]): 1.0}
    nothing = mix("x", "a", "b", 0.0)
    found = graph(models, nothing).sum_of("x", "w")
    assert found is not None
    output = as_output("w", found, FP16, SIZE)
    assert output.inputs == (models["a"]["w"],)
    assert type(output.op).__name__ == "Copy"


def test_a_tensor_that_one_model_lacks_stays_that_of_the_first(
    models: dict[str, ModelFile],
) -> None:
    short = {**models, "b": {"v": models["b"]["v"]}}
    made = graph(short, mix("x", "a", "b", 0.25))
    assert terms(made.sum_of("x", "w")) == {of(models["a"]): 1.0}
    assert made.sum_of("x", "nowhere") is None


def test_the_wide_model_leads_and_keeps_its_other_channels(
    models: dict[str, ModelFile], numbers: dict[str, dict[str, torch.Tensor]]
) -> None:
    inpaint = Step(name="x", method="add-difference", models=("a", "b"), base="c",
                   parameters={"alpha": Weight(value=1.0)})  # fmt: skip
    found = graph(models, inpaint).sum_of("x", "conv_in")
    assert found is not None
    made = values(as_tensor(found))
    a, b, c = (numbers[name]["conv_in"].float() for name in "abc")
    assert torch.equal(made[:, 4:], a[:, 4:])
    assert torch.allclose(made[:, :4], a[:, :4] + b - c, atol=1e-6)


def test_a_narrow_model_cannot_lead(models: dict[str, ModelFile]) -> None:
    with pytest.raises(Incompatible, match=r"8x4x3x3.*8x9x3x3"):
        graph(models, mix("x", "b", "a", 0.5)).sum_of("x", "conv_in")


def test_shapes_are_never_broadcast(models: dict[str, ModelFile]) -> None:
    one = models["b"]["w"]
    wrong = {**models, "b": {"w": dataclasses.replace(one, shape=(1, one.numel))}}
    with pytest.raises(Incompatible):
        graph(wrong, mix("x", "a", "b", 0.5)).sum_of("x", "w")


def test_loras_are_added_one_after_the_other(models: dict[str, ModelFile]) -> None:
    weights = (Weight(value=0.5), Weight(value=-2.0))
    step = Step(name="x", method="lora", models=("a", "l", "m"), parameters={"weights": weights})
    given: list[TensorInfo] = []

    def add(model: str) -> Callable[[TensorInfo, float], Sum]:
        def adds(to: TensorInfo, strength: float) -> Sum:
            given.append(to)
            return (Term(models[model]["w"], strength),)

        return adds

    first, second = ({"w": Delta(adds=add(model))} for model in ("b", "c"))
    made = graph(models, step, loras={"l": first, "m": second})
    assert terms(made.sum_of("x", "w")) == {
        of(models["a"]): 1.0, of(models["b"]): 0.5, of(models["c"]): -2.0,
    }  # fmt: skip
    assert terms(made.sum_of("x", "v")) == {of(models["a"], "v"): 1.0}
    assert given[0] == models["a"]["w"]
    expected = values(models["a"]["w"]) + 0.5 * values(models["b"]["w"])
    assert torch.allclose(values(given[1]), expected)


def test_text_encoders_can_get_another_strength(models: dict[str, ModelFile]) -> None:
    parameters = {"weights": (Weight(value=0.5),), "te_weights": (Weight(value=0.0),)}
    step = Step(name="x", method="lora", models=("a", "l"), parameters=parameters)

    def adds(to: TensorInfo, strength: float) -> Sum:
        del to
        return (Term(models["b"]["w"], strength),)

    lora = {"w": Delta(adds=adds), "v": Delta(adds=adds, encoder=True)}
    made = graph(models, step, loras={"l": lora})
    assert terms(made.sum_of("x", "w")) == {of(models["a"]): 1.0, of(models["b"]): 0.5}
    assert terms(made.sum_of("x", "v")) == {of(models["a"], "v"): 1.0}


@pytest.fixture
def custom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three methods of this test: one that measures, one that draws lots, one that adds."""
    here = __name__
    rows = {
        "peak": Method(name="peak", kind="tensor", function=f"{here}:scaled_to_peak",
                       measure=f"{here}:peak", models=1),
        "lots": Method(name="lots", kind="tensor", function=f"{here}:lots", random=True),
        "plus": Method(name="plus", kind="elementwise", function=f"{here}:plus",
                       parameters=(Parameter(name="by", least=0, most=1),)),
    }  # fmt: skip
    known = {**registry.methods(), **rows}
    monkeypatch.setattr(registry, "methods", lambda: known)


def peak(tensor: torch.Tensor) -> float:
    return float(tensor.abs().max())


def scaled_to_peak(tensor: torch.Tensor, *, measured: list[float]) -> torch.Tensor:
    return tensor / max(measured)


def lots(one: torch.Tensor, other: torch.Tensor, *, generators: list[torch.Generator]) -> object:
    first, second = (torch.rand(one.shape, generator=g) for g in generators)
    return one * first + other * second


def plus(one: torch.Tensor, other: torch.Tensor, *, by: float) -> torch.Tensor:
    return one + other * by


@pytest.mark.usefixtures("custom")
def test_what_a_method_measures_is_measured_over_all_tensors_first(
    models: dict[str, ModelFile], numbers: dict[str, dict[str, torch.Tensor]], tmp_path: Path
) -> None:
    made = graph(models, mix("x", "a", "b", 0.5), Step(name="y", method="peak", models=("x",)))
    found = made.sum_of("y", "w")
    assert found is not None
    wanted = plan(models["a"], [as_output("w", found, FP32, SIZE)])
    run(dataclasses.replace(wanted, measurements=made.measurements), tmp_path / "out")
    mixed = {n: (numbers["a"][n].float() + numbers["b"][n].float()) / 2 for n in NAMES}
    most = max(float(one.abs().max()) for one in mixed.values())
    assert torch.allclose(read_back(tmp_path / "out")["w"], mixed["w"] / most, atol=1e-6)


@pytest.mark.usefixtures("custom")
def test_lots_depend_on_the_tensor_alone(models: dict[str, ModelFile], tmp_path: Path) -> None:
    def bytes_of(names: tuple[str, ...], threads: int, seed: int) -> dict[str, bytes]:
        made = graph(models, Step(name="x", method="lots", models=("a", "b"), seed=seed))
        outputs = [as_output(n, made.sum_of("x", n) or (), FP16, SIZE) for n in names]
        out = tmp_path / f"{'-'.join(names)}-{threads}-{seed}"
        run(plan(models["a"], outputs), out, options=RunOptions(threads=threads))
        return {name: tensor.numpy().tobytes() for name, tensor in read_back(out).items()}

    once = bytes_of(("w", "v"), 1, 0)
    assert bytes_of(("v", "w"), 3, 0) == once
    assert bytes_of(("v",), 2, 0) == {"v": once["v"]}
    assert bytes_of(("w", "v"), 1, 1) != once


def test_seeds_of_tensors_and_models_differ() -> None:
    seeds = {seed_of(s, m, n) for s in (0, 1) for m in (0, 1) for n in ("w", "v")}
    assert len(seeds) == 8


@pytest.mark.usefixtures("custom")
@pytest.mark.parametrize("by", [None, 1.5, True, "half"])
def test_parameters_that_make_no_sense_are_refused(
    models: dict[str, ModelFile], by: float | str | None
) -> None:
    given = {} if by is None else {"by": Weight(value=by) if isinstance(by, float) else by}
    step = Step(name="x", method="plus", models=("a", "b"), parameters=given)
    with pytest.raises(UsageError, match="by"):
        graph(models, step).sum_of("x", "w")


@pytest.mark.usefixtures("custom")
def test_a_parameter_that_no_method_has_is_refused(models: dict[str, ModelFile]) -> None:
    step = Step(name="x", method="plus", models=("a", "b"), parameters={"bye": Weight(value=1)})
    with pytest.raises(UsageError, match="bye"):
        graph(models, step).sum_of("x", "w")
