"""Numbers that a merge loses on its way to the output are refused there, or counted where allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine_plans import plan, read_back, store
from kanna.dtypes import FP16, FP32
from kanna.engine import RunOptions, run
from kanna.errors import NumericError
from kanna.merging import registry
from kanna.merging.graph import Graph
from kanna.merging.method import Method
from kanna.merging.recipe import Compat, Recipe, Source, Step, Weight
from kanna.merging.terms import as_output
from kanna.model import ModelFile
from kanna.plan import Plan
from merge_calls import Everywhere

SIZE = (3000,)


def ratio(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return first / second


@pytest.fixture
def models(tmp_path: Path) -> dict[str, ModelFile]:
    ramp = torch.linspace(1, 2, SIZE[0])
    broken, zero = ramp.clone(), ramp.clone()
    broken[7], zero[7] = torch.nan, 0
    held = {"a": ramp * 30000, "b": ramp * -30000, "zero": zero, "broken": broken}
    return {name: store(tmp_path / name, {"w": one.half()}) for name, one in held.items()}


def planned(models: dict[str, ModelFile], step: Step, compat: Compat | None = None) -> Plan:
    recipe = Recipe(sources={n: Source(path=n) for n in models}, steps=(step,), compat=compat)
    found = Graph(recipe, models, Everywhere()).sum_of("x", "w")
    assert found is not None
    dtype = FP16 if compat else FP32
    return plan(models["a"], [as_output("w", found, dtype, SIZE)])


def test_a1111s_products_do_not_overflow_unnoticed(
    models: dict[str, ModelFile], tmp_path: Path
) -> None:
    step = Step(name="x", method="weighted-sum", models=("a", "b"),
                parameters={"alpha": Weight(value=-0.5)})  # fmt: skip
    wanted = planned(models, step, "a1111")
    with pytest.raises(NumericError):
        run(wanted, tmp_path / "out")
    made = run(wanted, tmp_path / "out", options=RunOptions(allow_overflow=True))
    infinite = read_back(tmp_path / "out")["w"].isinf()
    assert made.counts["w"].overflowed >= int(infinite.sum()) > 0


@pytest.mark.parametrize("kind", ["elementwise", "tensor"])
@pytest.mark.parametrize(("models_of", "lost"), [("a zero", True), ("a broken", False)])
def test_a_method_that_makes_inf_of_good_numbers_is_refused(
    models: dict[str, ModelFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str,
    models_of: str, *, lost: bool,
) -> None:  # fmt: skip
    row = Method(name="ratio", kind=kind, function=f"{__name__}:ratio")  # type: ignore[arg-type]
    monkeypatch.setattr(Method, "call", lambda _: ratio)
    monkeypatch.setattr(registry, "_own", lambda: {"ratio": row})
    wanted = planned(models, Step(name="x", method="ratio", models=tuple(models_of.split())))
    if lost:
        with pytest.raises(NumericError, match=r"w \(1\)"):
            run(wanted, tmp_path / "out")
    else:  # what was broken before is no news
        run(wanted, tmp_path / "out")
        assert int(read_back(tmp_path / "out")["w"].isfinite().sum()) == SIZE[0] - 1
