"""Quantised outputs: two passes over a tensor, shared by all workers; the same bytes whatever runs."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine_chunks import small_chunks
from engine_plans import Noticed, Whole, data_region, plan, raw, read_back, store, with_data
from kanna.codebooks import NF4
from kanna.dtypes import FP8_E4M3, FP8_E5M2, FP16, FP32, UINT8, DType
from kanna.engine import RunOptions, rehearse, run
from kanna.errors import FormatError, Incompatible, Interrupted, NumericError
from kanna.kernel import pack4
from kanna.model import TensorInfo
from kanna.plan import STATE_ROOM, Encoded, FourBit, OneScale, Output, WeightedSum

TEXT = b'{"quant_type": "nf4"}'


def scaled(tensor: TensorInfo, dtype: DType = FP8_E4M3, limit: float = 448.0) -> list[Output]:
    one = OneScale(limit)
    return [
        Output(tensor.name, dtype, tensor.shape, Encoded(one), (tensor,), compared=True),
        Output(f"{tensor.name}_scale", FP32, (), Encoded(one, "scale"), (tensor,)),
    ]


def four_bit(tensor: TensorInfo, *, nested: bool = False) -> list[Output]:
    four = FourBit(NF4, 64, nested)
    blocks = -(-tensor.numel // 64)
    absmax = UINT8 if nested else FP32
    pieces = [
        Output(
            tensor.name, UINT8, (-(-tensor.numel // 2), 1), Encoded(four), (tensor,), compared=True
        ),
        Output(f"{tensor.name}.absmax", absmax, (blocks,), Encoded(four, "absmax"), (tensor,)),
    ]
    if nested:
        largest, state = Encoded(four, "nested_absmax"), Encoded(four, "state", TEXT)
        pieces += [
            Output(f"{tensor.name}.nested_absmax", FP32, (-(-blocks // 256),), largest, (tensor,)),
            Output(f"{tensor.name}.state", UINT8, (len(TEXT) + STATE_ROOM,), state, (tensor,)),
        ]
    return pieces


def sample() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return {
        "a": torch.randn(70, 129, generator=generator).bfloat16(),
        "odd": torch.randn(33, 7, generator=generator).half() * 50,
        "tiny": torch.tensor([[0.5]]),
        "zero": torch.zeros(8, 64),
        "z": torch.randn(64, 320, generator=generator),
    }


def everything(tensors: dict[str, TensorInfo]) -> list[Output]:
    outputs: list[Output] = []
    for tensor in tensors.values():
        for kind, pieces in {
            "fp8": scaled(tensor), "nf4": four_bit(tensor), "nested": four_bit(tensor, nested=True),
        }.items():  # fmt: skip
            outputs += [
                Output(f"{kind}.{o.name}", o.dtype, o.shape, o.op, o.inputs, o.compared)
                for o in pieces
            ]
    return outputs


@pytest.mark.parametrize("chunk", [512, 4096])
def test_bytes_and_losses_are_the_same_for_any_number_of_threads(
    tmp_path: Path, chunk: int
) -> None:
    model = store(tmp_path / "in", sample())
    whole = {n: with_data(t, Whole) if n == "a" else t for n, t in model.items()}
    runs = []
    with small_chunks(chunk):
        for number, threads in enumerate((1, 2, 5, 5)):
            options = RunOptions(threads=threads, verify="full")
            outputs = everything(whole if number == 3 else dict(model))
            result = run(plan(model, outputs), tmp_path / f"{number}", options=options)
            runs.append((data_region(tmp_path / f"{number}"), result.losses))
    assert len({data for data, _ in runs}) == 1
    assert runs[0][1] == runs[1][1] == runs[2][1]
    run(plan(model, everything(dict(model))), tmp_path / "large")
    assert data_region(tmp_path / "large") == runs[0][0]


@pytest.mark.parametrize(("dtype", "limit"), [(FP8_E4M3, 448.0), (FP8_E5M2, 57344.0)])
def test_one_scale_uses_the_whole_range_and_never_leaves_it(
    tmp_path: Path, dtype: DType, limit: float
) -> None:
    tensors = sample()
    model = store(tmp_path / "in", tensors)
    with small_chunks(512):
        result = run(
            plan(model, [o for t in model.values() for o in scaled(t, dtype, limit)]),
            tmp_path / "out",
        )
    written = read_back(tmp_path / "out")
    for name, tensor in tensors.items():
        scale = written[f"{name}_scale"]
        wanted = (tensor.abs().max().double() / limit).float()
        assert scale == (wanted or 1.0)
        assert torch.equal(
            written[name].float(),
            (tensor.float() * (1 / scale.double()).float()).to(written[name].dtype).float(),
        )
        back = (written[name].double() * scale.double()).float().double()
        assert result.losses[name].count == tensor.numel()
        assert result.losses[name].dd == pytest.approx(
            float((back - tensor.double()).square().sum())
        )
        assert result.losses[name].xx == pytest.approx(float(tensor.double().square().sum()))
    assert not result.counts


def test_pieces_may_stand_in_any_order_and_alone(tmp_path: Path) -> None:
    model = store(tmp_path / "in", {"z": sample()["z"]})
    outputs = four_bit(model["z"], nested=True)
    with small_chunks(512):
        run(plan(model, outputs), tmp_path / "forth", options=RunOptions(threads=3))
        run(plan(model, outputs[::-1]), tmp_path / "back", options=RunOptions(threads=3))
        run(plan(model, outputs[1:2]), tmp_path / "alone", options=RunOptions(threads=3))
    forth, back = read_back(tmp_path / "forth"), read_back(tmp_path / "back")
    assert forth.keys() == back.keys()
    assert all(torch.equal(forth[name], back[name]) for name in forth)
    assert torch.equal(read_back(tmp_path / "alone")["z.absmax"], forth["z.absmax"])
    mean = json.loads(bytes(forth["z.state"].numpy()))["nested_offset"]
    absmax = sample()["z"].reshape(-1, 64).abs().amax(1)
    assert mean == pytest.approx(float(absmax.mean()), rel=1e-6)


@given(
    numel=st.integers(1, 1500), threads=st.integers(1, 4), chunk=st.sampled_from([256, 640, 4096]),
    dtype=st.sampled_from([torch.float32, torch.float16, torch.bfloat16]), seed=st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pieces_equal_those_of_the_whole_tensor_at_once(
    tmp_path: Path, numel: int, threads: int, chunk: int, dtype: torch.dtype, seed: int
) -> None:
    tensor = torch.randn(numel, 1, generator=torch.Generator().manual_seed(seed)).to(dtype)
    model = store(tmp_path / "in", {"z": tensor})
    options = RunOptions(threads=threads, force=True)
    with small_chunks(chunk):
        run(plan(model, four_bit(model["z"])), tmp_path / "out", options=options)
    codes, absmax = bytearray(-(-numel // 2)), bytearray(4 * -(-numel // 64))
    pack4(codes, absmax, raw(tensor), model["z"].dtype, numel, table=NF4, block=64)
    assert data_region(tmp_path / "out") == bytes(codes + absmax)


def test_memory_does_not_grow_with_the_tensor(tmp_path: Path) -> None:
    model = store(tmp_path / "in", {"z": torch.zeros(1)})
    needs = []
    for numel in (1 << 24, 1 << 30):
        large = TensorInfo("z", FP32, (numel,), model["z"].data)
        needs.append(
            rehearse(plan(model, scaled(large)), tmp_path / "out", options=RunOptions(threads=2))
        )
        nested = plan(model, four_bit(large))
        assert rehearse(nested, tmp_path / "out") < (32 << 20) + numel // 16
    assert needs[0] == needs[1] < 32 << 20


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_told_and_not_lost_silently(tmp_path: Path, value: float) -> None:
    tensor = torch.randn(64, 64)
    tensor[3, 5] = value
    model = store(tmp_path / "in", {"z": tensor})
    with pytest.raises(NumericError):
        run(plan(model, four_bit(model["z"])), tmp_path / "four")
    result = run(plan(model, scaled(model["z"])), tmp_path / "one")
    counts = result.counts["z"]
    assert counts.nan_out + counts.inf_in == 1
    assert counts.lost == 0
    back = read_back(tmp_path / "one")
    assert back["z_scale"] == (tensor[tensor.isfinite()].abs().max().double() / 448).float()


def test_an_error_in_a_chunk_ends_every_worker(tmp_path: Path) -> None:
    model = store(tmp_path / "in", {"z": torch.randn(400, 320)})
    seen: list[int] = []

    def fail() -> None:
        seen.append(1)
        if len(seen) == 20:
            raise FormatError("disk.ends_early", path=tmp_path, offset=0)

    broken = with_data(model["z"], lambda data: Noticed(data, fail))
    with small_chunks(512), pytest.raises(FormatError):
        run(plan(model, scaled(broken)), tmp_path / "out", options=RunOptions(threads=4))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("dtype", "limit"), [(FP8_E4M3, 448.0), (FP8_E5M2, 57344.0)])
def test_what_fp8_cannot_hold_becomes_its_largest_number_where_that_is_asked_for(
    tmp_path: Path, dtype: DType, limit: float
) -> None:
    inf = float("inf")
    tensor = torch.tensor([1.0, 3 * limit, -3 * limit, inf, -inf, 0.5, -2.0]).repeat(50)
    model = store(tmp_path / "in", {"z": tensor})
    clipped = Output("z", dtype, (350,), WeightedSum(clipped=True), (model["z"],), compared=True)
    with small_chunks(256):
        result = run(plan(model, [clipped]), tmp_path / "plain")
        run(plan(model, scaled(model["z"], dtype, limit)), tmp_path / "scaled")
    wanted = tensor.clamp(-limit, limit)
    assert torch.equal(read_back(tmp_path / "plain")["z"].float(), wanted)
    assert (result.counts["z"].overflowed, result.counts["z"].inf_in) == (100, 100)
    assert result.losses["z"].largest == 2 * limit
    assert read_back(tmp_path / "scaled")["z"].float().abs().max() == limit
    unclipped = Output("z", dtype, (350,), WeightedSum(), (model["z"],))
    with pytest.raises(NumericError):
        run(plan(model, [unclipped]), tmp_path / "cast")
    wide = Output("z", FP16, (350,), WeightedSum(clipped=True), (model["z"],))
    with pytest.raises(Incompatible):
        rehearse(plan(model, [wide]), tmp_path / "out")


def test_ctrl_c_does_not_wait_for_a_tensor_to_be_measured(tmp_path: Path) -> None:
    model = store(tmp_path / "in", {"z": torch.randn(400, 320)})
    cancel, seen = threading.Event(), []

    def slow() -> None:
        seen.append(1)
        if len(seen) == 20:
            cancel.set()
        time.sleep(0.01 if cancel.is_set() else 0)

    watched = with_data(model["z"], lambda data: Noticed(data, slow))
    with small_chunks(512), pytest.raises(Interrupted):
        run(plan(model, scaled(watched)), tmp_path / "out", cancel=cancel)
    assert len(seen) < 500  # of a thousand chunks


def test_pieces_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    model = store(tmp_path / "in", {"z": torch.randn(4, 64), "i": torch.arange(256)})
    four, one = FourBit(NF4), OneScale(448.0)
    wrong = [
        Output("x", UINT8, (127, 1), Encoded(four), (model["z"],)),
        Output("x", UINT8, (128, 1), Encoded(four), (model["i"],)),
        Output("x", UINT8, (128, 1), Encoded(four), (model["z"], model["z"])),
        Output("x", FP32, (4,), Encoded(four, "nested_absmax"), (model["z"],)),
        Output("x", FP32, (2,), Encoded(one, "scale"), (model["z"],)),
        Output("x", FP8_E4M3, (255,), Encoded(one), (model["z"],)),
        Output("x", FP8_E4M3, (256,), Encoded(one, "absmax"), (model["z"],)),
    ]
    for output in wrong:
        with pytest.raises(Incompatible):
            rehearse(plan(model, [output]), tmp_path / "out")
