"""Several outputs made abreast: the same files as one by one, in one pass over the inputs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from engine_plans import plan, read_back, store
from kanna.disk import InputFile
from kanna.dtypes import FP16, FP32
from kanna.engine import Result, RunOptions, run, run_together
from kanna.errors import Interrupted, NumericError
from kanna.model import ModelFile
from kanna.plan import Output, Plan, WeightedSum

MANY = 3 << 20
OUTPUTS = 4


@pytest.fixture
def model(tmp_path: Path) -> Iterator[ModelFile]:
    tensors = {"a": torch.linspace(-1, 1, MANY), "b": torch.linspace(3, 1, MANY),
               "huge": torch.full((9,), 1e30)}  # fmt: skip
    with store(tmp_path / "in", tensors) as opened:
        yield opened


def mixed(model: ModelFile, alpha: float) -> Plan:
    op = WeightedSum((1 - alpha, alpha))
    return plan(model, [Output("w", FP16, (MANY,), op, (model["a"], model["b"]))])


def several(model: ModelFile, folder: Path) -> dict[Path, Plan]:
    return {folder / f"{n}.safetensors": mixed(model, n / OUTPUTS) for n in range(OUTPUTS)}


@pytest.mark.parametrize("digest", [False, True])
def test_each_is_the_file_that_it_would_be_alone(
    model: ModelFile, tmp_path: Path, *, digest: bool
) -> None:
    fields = {"hash": "0x"} if digest else {}
    plans = {p: replace(one, digest_fields=fields) for p, one in several(model, tmp_path).items()}
    results = run_together(plans, options=RunOptions(threads=3))
    for path, one in plans.items():
        alone = tmp_path / f"alone-{path.name}"
        wanted = run(one, alone)
        result = results[path]
        assert isinstance(result, Result)
        assert path.read_bytes() == alone.read_bytes()
        assert (result.digest, result.counts) == (wanted.digest, wanted.counts)


def test_the_inputs_are_read_once_for_all(
    model: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    read_into = InputFile.read_into

    def noted(self: InputFile, offset: int, out: memoryview) -> Any:
        if self is model.files[0]:
            reads.append(offset)
        return read_into(self, offset, out)

    monkeypatch.setattr(InputFile, "read_into", noted)
    run_together(several(model, tmp_path), options=RunOptions(threads=1))
    firsts = [at for at in reads if at < model["b"].data.offset]  # type: ignore[attr-defined]
    assert firsts == sorted(firsts)
    assert len(firsts) % OUTPUTS == 0
    assert len(set(firsts)) == len(firsts) // OUTPUTS


def test_one_that_fails_does_not_take_the_others_along(model: ModelFile, tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    broken = plan(model, [Output.of(model["huge"], dtype=FP16)])
    results = run_together({bad: broken, good: plan(model, [Output.of(model["huge"])])})
    assert isinstance(results[bad], NumericError)
    assert isinstance(results[good], Result)
    assert [bad.exists(), good.exists()] == [False, True]
    assert read_back(good)["huge"].tolist() == torch.full((9,), 1e30).tolist()


def test_cancelled_it_leaves_nothing(model: ModelFile, tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    folder = tmp_path / "new"
    with pytest.raises(Interrupted):
        run_together(several(model, folder), cancel=cancel)
    assert not folder.exists()


class _Pass:
    traffic = 7

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def run(self, tick: Callable[[int], None]) -> None:
        tick(3)
        self.log.append("measured")


def test_what_outputs_depend_on_is_measured_before(model: ModelFile, tmp_path: Path) -> None:
    log: list[str] = []
    wanted = plan(model, [Output.of(model["huge"], dtype=FP32)])
    run(replace(wanted, measurements=(_Pass(log),)), tmp_path / "out")
    assert log == ["measured"]
