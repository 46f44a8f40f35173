"""Tensors that are made when they are read: sums and columns, and the memory that they are given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine_plans import plan, raw, read_back, store
from kanna.dtypes import BF16, FP16, FP32
from kanna.engine import RunOptions, rehearse, run
from kanna.model import ModelFile, TensorInfo
from kanna.plan import Output
from kanna.views import rows
from kanna.views.columns import beside, columns
from kanna.views.computed import computed, copies_of, fp32_of, summed

COUNT = 3000
LARGE = 6 << 20  # numbers: more than a chunk


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    noise = torch.Generator().manual_seed(5)
    return {
        "half": torch.randn(COUNT, generator=noise).half(),
        "brain": torch.randn(COUNT, generator=noise).bfloat16(),
        "full": torch.randn(COUNT, generator=noise),
        "conv": torch.randn(5, 9, 3, 3, generator=noise).half(),
        "narrow": torch.randn(5, 4, 3, 3, generator=noise),
    }


@pytest.fixture(scope="module")
def model(
    tensors: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModelFile]:
    with store(tmp_path_factory.mktemp("in") / "in", tensors) as opened:
        yield opened


def test_a_sum_is_rounded_once(model: ModelFile, tensors: dict[str, torch.Tensor]) -> None:
    view = summed([model["half"], model["brain"]], [0.25, -2.0], FP16)
    wanted = (tensors["half"].float() * 0.25 - tensors["brain"].float() * 2).half()
    assert view.read() == raw(wanted)
    assert (view.dtype, view.shape, view.name) == (FP16, (COUNT,), "half")


@given(first=st.integers(0, COUNT), count=st.integers(0, COUNT))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_run_of_a_sum_is_that_run_of_the_whole(
    model: ModelFile, first: int, count: int
) -> None:
    view = summed([model["half"], model["full"]], [1.0, 3.0])
    count = min(count, COUNT - first)
    whole = view.read()
    assert fp32_of(view, first, count) == whole[4 * first : 4 * (first + count)]
    assert rows(view, first, first + count).read() == whole[4 * first : 4 * (first + count)]


def test_what_comes_whole_is_made_whole_whatever_is_asked_of_it(model: ModelFile) -> None:
    asked = []

    def make(first: int, count: int, out: memoryview) -> None:
        asked.append((first, count))
        model["full"].data.read_into(0, out)

    view = computed("x", (COUNT,), make, numel=COUNT, whole=True)
    assert fp32_of(view, 7, 11) == model["full"].read()[28:72]
    assert asked == [(0, COUNT)]


def test_columns_and_back(model: ModelFile, tensors: dict[str, torch.Tensor]) -> None:
    conv = model["conv"]
    left, right = columns(conv, 0, 4), columns(conv, 4, 9)
    assert left.read() == raw(tensors["conv"][:, :4])
    assert right.read() == raw(tensors["conv"][:, 4:])
    together = beside(left, right)
    assert (together.dtype, together.shape, together.read()) == (FP16, (5, 9, 3, 3), conv.read())


def test_two_dtypes_side_by_side_become_fp32(
    model: ModelFile, tensors: dict[str, torch.Tensor]
) -> None:
    together = beside(model["narrow"], columns(model["conv"], 4, 9))
    assert together.dtype is FP32
    wanted = torch.cat([tensors["narrow"], tensors["conv"][:, 4:].float()], dim=1)
    assert together.read() == raw(wanted)


def test_slices_that_are_not_there_are_refused(model: ModelFile) -> None:
    for start, stop in ((0, 10), (3, 3), (-1, 2)):
        with pytest.raises(ValueError, match="5, 9"):
            columns(model["conv"], start, stop)
    with pytest.raises(ValueError, match="3000"):
        columns(model["half"], 0, 1)
    with pytest.raises(ValueError, match=r"9, 3.*4, 3, 2"):
        beside(model["conv"], _shaped(model["narrow"], (5, 4, 3, 2)))


def _shaped(tensor: TensorInfo, shape: tuple[int, ...]) -> TensorInfo:
    return TensorInfo(tensor.name, tensor.dtype, shape, tensor.data)


def large(*, whole: bool, copies: int) -> TensorInfo:
    def make(first: int, count: int, out: memoryview) -> None:
        numbers = torch.arange(first, first + count, dtype=torch.float32) % 1000
        torch.frombuffer(out, dtype=torch.float32).copy_(numbers)

    return computed("x", (LARGE,), make, numel=LARGE, whole=whole, copies=copies)


@pytest.mark.parametrize("dtype", [FP32, BF16])
@pytest.mark.parametrize("whole", [False, True])
def test_the_engine_writes_what_is_computed(
    model: ModelFile, tmp_path: Path, dtype: object, *, whole: bool
) -> None:
    tensor = large(whole=whole, copies=6)
    wanted = plan(model, [Output.of(tensor, dtype=dtype)])  # type: ignore[arg-type]
    run(wanted, tmp_path / "out", options=RunOptions(threads=2))
    numbers = (torch.arange(LARGE) % 1000).float()
    assert torch.equal(read_back(tmp_path / "out")["x"].float(), numbers.to(
        torch.float32 if dtype is FP32 else torch.bfloat16).float())  # fmt: skip


def test_runs_of_what_is_computed_stay_small_and_whole_ones_are_counted(
    model: ModelFile, tmp_path: Path
) -> None:
    def memory(tensor: TensorInfo) -> int:
        wanted = plan(model, [Output.of(tensor, dtype=FP16)])
        return rehearse(wanted, tmp_path / "out", options=RunOptions(threads=2))

    assert memory(large(whole=False, copies=6)) < 40 << 20
    assert memory(large(whole=True, copies=6)) >= 4 * LARGE * (6 + 1)


def test_a_sum_of_sums_counts_the_inner_ones(model: ModelFile) -> None:
    inner = summed([model["half"], model["brain"]], [1.0, 1.0])
    assert copies_of(model["half"]) == 0
    assert copies_of(summed([inner, model["full"]], [1.0, 1.0])) > copies_of(inner)
