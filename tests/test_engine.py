"""What the engine writes, whatever the plan."""

from __future__ import annotations

import hashlib
import tracemalloc
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Semaphore
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine_chunks import small_chunks
from engine_plans import (
    Noticed,
    Slow,
    Whole,
    data_region,
    equal,
    header,
    plan,
    raw,
    read_back,
    store,
    with_data,
)
from kanna.dtypes import BF16, FP8_E4M3, FP16, FP32, INT64, WORDS, DType
from kanna.engine import Progress, RunOptions, rehearse, run
from kanna.engine.work import MIN_MOVE, Batch, Move, divide
from kanna.errors import Incompatible, NumericError, UsageError
from kanna.formats import open_model
from kanna.kernel import backend
from kanna.plan import Constant, Output, Plan, WeightedSum, WriteContainer

CONTAINERS: tuple[WriteContainer, ...] = ("safetensors", "ckpt")


def sample() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    return {
        "unet.weight": torch.randn(96, 129, generator=generator),
        "empty": torch.zeros(0, 4),
        "v_pred": torch.tensor([]),
        "scalar": torch.tensor(1.5),
        "flag": torch.tensor([1, 0, 1], dtype=torch.bool),
        "ids": torch.arange(77)[None],
        "half": torch.randn(33, generator=generator).half(),
        "byte": torch.arange(251, dtype=torch.uint8),
        "fp8": torch.randn(5, generator=generator).to(torch.float8_e4m3fn),
        "鉋.🪵": torch.randn(3, 1, 2, generator=generator).bfloat16(),
    }


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("lead", [0, 1, 3])
def test_copies_keep_every_bit_name_and_order(
    tmp_path: Path, container: WriteContainer, lead: int
) -> None:
    tensors = sample()
    model = store(tmp_path / "in", tensors, lead=lead)
    run(plan(model, [Output.of(t) for t in model.values()], container), tmp_path / "out")
    written = read_back(tmp_path / "out")
    assert list(written) == list(tensors)
    assert all(equal(written[name], tensors[name]) for name in tensors)


@pytest.mark.parametrize("target", [FP16, BF16, FP8_E4M3, FP32])
def test_casts_equal_those_of_torch(tmp_path: Path, target: DType) -> None:
    tensors = {name: t for name, t in sample().items() if t.is_floating_point()}
    model = store(tmp_path / "in", tensors, lead=1)
    with small_chunks(512):
        run(plan(model, [Output.of(t, dtype=target) for t in model.values()]), tmp_path / "out")
    written = read_back(tmp_path / "out")
    assert target.torch is not None
    for name, tensor in tensors.items():
        assert equal(written[name], tensor.to(getattr(torch, target.torch))), name


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_sum_of_many_files_is_rounded_once(tmp_path: Path, container: WriteContainer) -> None:
    values = [torch.randn(1000, 7).half(), torch.randn(1000, 7), torch.randn(1000, 7).bfloat16()]
    models = [store(tmp_path / f"{i}", {"w": t}, lead=i) for i, t in enumerate(values)]
    op = WeightedSum((1.0, 0.25, -0.75))
    output = Output("w", FP16, (1000, 7), op, tuple(model["w"] for model in models))
    with small_chunks(1024):
        run(Plan(outputs=(output,), container=container, inputs=tuple(models)), tmp_path / "out")
    expected = values[0].float() + values[1] * 0.25
    expected += values[2].float() * -0.75
    assert equal(read_back(tmp_path / "out")["w"], expected.half())


def test_tensors_larger_than_the_buffers_arrive_whole(tmp_path: Path) -> None:
    tensors = {"big": torch.randn(3_000_001), "kept": torch.randn(1_500_001), "last": torch.ones(1)}
    model = store(tmp_path / "in", tensors)
    outputs = [
        Output.of(model["big"], dtype=FP16),
        Output.of(model["kept"]),
        Output.of(model["last"]),
    ]
    result = run(
        plan(model, outputs), tmp_path / "out", options=RunOptions(verify="full", threads=3)
    )
    written = read_back(tmp_path / "out")
    assert equal(written["big"], tensors["big"].half())
    assert equal(written["kept"], tensors["kept"])
    assert result.bytes_read == sum(len(raw(t)) for t in tensors.values())
    assert result.size == (tmp_path / "out").stat().st_size


@pytest.mark.parametrize("container", CONTAINERS)
def test_thousands_of_tiny_tensors_arrive(tmp_path: Path, container: WriteContainer) -> None:
    tensors = {f"block.{i}.alpha": torch.tensor(float(i)) for i in range(3000)}
    model = store(tmp_path / "in", tensors, lead=2)
    run(
        plan(model, [Output.of(t, dtype=FP16) for t in model.values()], container), tmp_path / "out"
    )
    written = read_back(tmp_path / "out")
    assert all(equal(written[name], tensor.half()) for name, tensor in tensors.items())


def test_constants_are_written_and_shapes_may_change(tmp_path: Path) -> None:
    model = store(tmp_path / "in", {"w": torch.arange(6.0)})
    ids = raw(torch.arange(77))
    outputs = [
        Output("ids", INT64, (1, 77), Constant(ids)),
        Output.of(model["w"], name="conv", shape=(2, 3, 1, 1)),
    ]
    with small_chunks(64):
        run(plan(model, outputs), tmp_path / "out")
    written = read_back(tmp_path / "out")
    assert equal(written["ids"], torch.arange(77)[None])
    assert equal(written["conv"], torch.arange(6.0).reshape(2, 3, 1, 1))


def test_data_that_comes_only_in_one_go_is_read_in_one_go(tmp_path: Path) -> None:
    tensors = {f"{i}": torch.randn(50 * i + 1) for i in range(20)}
    model = store(tmp_path / "in", tensors)
    outputs = [
        Output.of(with_data(tensor, Whole), dtype=FP16 if i % 2 else None)
        for i, tensor in enumerate(model.values())
    ]
    with small_chunks(256):
        run(plan(model, outputs), tmp_path / "out", options=RunOptions(verify="full", threads=4))
    written = read_back(tmp_path / "out")
    for i, (name, tensor) in enumerate(tensors.items()):
        assert equal(written[name], tensor.half() if i % 2 else tensor)


@pytest.mark.parametrize(("verify", "ahead"), [("header", 59), ("full", 7)])
def test_others_are_made_while_the_first_tensor_keeps_waiting(
    tmp_path: Path, verify: Any, ahead: int
) -> None:
    """Without a digest all others; with one as many as there are buffers, twice the threads."""
    tensors = {f"{i}": torch.randn(64) for i in range(60)}
    model = store(tmp_path / "in", tensors)
    made = Semaphore(0)

    def wait_for_others() -> None:
        assert all(made.acquire(timeout=60) for _ in range(ahead))

    first, *rest = model.values()
    outputs = [
        Output.of(with_data(first, partial(Noticed, notice=wait_for_others))),
        *(Output.of(with_data(tensor, partial(Noticed, notice=made.release))) for tensor in rest),
    ]
    with small_chunks(256):
        run(plan(model, outputs), tmp_path / "out", options=RunOptions(verify=verify, threads=4))
    assert data_region(tmp_path / "out") == b"".join(map(raw, tensors.values()))


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_digest_is_that_of_the_data_and_stands_in_the_metadata(
    tmp_path: Path, container: WriteContainer
) -> None:
    model = store(tmp_path / "in", sample())
    wanted = replace(
        plan(model, [Output.of(t) for t in model.values()], container),
        metadata={"modelspec.title": "鉋", "modelspec.hash_sha256": "stale", "z": "1"},
        digest_fields={"modelspec.hash_sha256": "0x"},
    )
    result = run(wanted, tmp_path / "out")
    digest = hashlib.sha256(b"".join(map(raw, sample().values()))).hexdigest()
    assert result.digest == digest
    expected = {"modelspec.title": "鉋", "modelspec.hash_sha256": "0x" + digest, "z": "1"}
    if container == "safetensors":
        assert next(iter(header(tmp_path / "out"))) == "__metadata__"
        metadata = header(tmp_path / "out")["__metadata__"]
    else:
        metadata = torch.load(tmp_path / "out", weights_only=True)["metadata"]
    assert metadata == expected
    assert list(metadata) == list(expected)


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_plan_without_tensors_makes_a_file_with_its_metadata(
    tmp_path: Path, container: WriteContainer
) -> None:
    run(Plan(outputs=(), container=container, inputs=(), metadata={"a": "b"}), tmp_path / "out")
    with open_model(tmp_path / "out") as model:
        assert (list(model), model.metadata) == ([], {"a": "b"})


def test_no_digest_is_computed_that_nobody_asked_for(tmp_path: Path) -> None:
    model = store(tmp_path / "in", sample())
    wanted = plan(model, [Output.of(t) for t in model.values()])
    assert run(wanted, tmp_path / "out").digest is None


@given(
    sizes=st.lists(st.integers(0, 3000), min_size=1, max_size=12),
    targets=st.lists(st.sampled_from(["fp32", "fp16", "bf16", "fp64"]), min_size=12, max_size=12),
    threads=st.integers(1, 6),
    chunk=st.sampled_from([64, 256, 1000, 4096]),
    container=st.sampled_from(CONTAINERS),
    full=st.booleans(),
)
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_bytes_do_not_depend_on_threads_chunks_or_digests(
    tmp_path: Path,
    sizes: list[int],
    targets: list[str],
    threads: int,
    chunk: int,
    container: WriteContainer,
    *,
    full: bool,
) -> None:
    tensors = {f"t{i}": torch.linspace(-3, 3, size) for i, size in enumerate(sizes)}
    with store(tmp_path / "in", tensors, lead=len(sizes) % 5) as model:
        outputs = [
            Output.of(t, dtype=WORDS[word])
            for t, word in zip(model.values(), targets, strict=False)
        ]
        wanted = plan(model, outputs, container)
        run(wanted, tmp_path / "one", options=RunOptions(force=True, threads=1))
        options = RunOptions(force=True, threads=threads, verify="full" if full else "header")
        with small_chunks(chunk):
            run(wanted, tmp_path / "many", options=options)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "many").read_bytes()


@pytest.mark.parametrize("small", [7, 3000])
def test_no_write_reaches_over_what_another_thread_moves(tmp_path: Path, small: int) -> None:
    """Small tensors before and behind large ones that are moved: each is a write of its own."""
    tensors = {
        f"{n}.{kind}": torch.randn(small if kind == "cast" else MIN_MOVE // 4 + n)
        for n in range(3) for kind in ("cast", "copy")
    }  # fmt: skip
    with store(tmp_path / "in", tensors) as model:
        outputs = [
            Output.of(one, dtype=FP16 if name.endswith("cast") else None)
            for name, one in model.items()
        ]
        offsets = [sum(one.nbytes for one in outputs[:n]) for n in range(len(outputs))]
        items = divide(outputs, offsets, moving=True)
    ends = [item.offset + item.nbytes for item in items]
    assert [item.offset for item in items] == [0, *ends[:-1]]
    assert [type(item) for item in items] == [Batch, Move] * 3


@pytest.mark.parametrize("container", CONTAINERS)
def test_memory_stays_below_what_is_stated(tmp_path: Path, container: WriteContainer) -> None:
    tensors = {f"{i}": torch.zeros(1_000_000) for i in range(12)} | {"big": torch.zeros(3_000_000)}
    model = store(tmp_path / "in", tensors)
    outputs = [Output.of(t, dtype=BF16) for t in model.values()]
    outputs[-1] = Output.of(with_data(model["big"], Whole), dtype=BF16)
    wanted = plan(model, outputs, container)
    options = RunOptions(threads=3)
    run(wanted, tmp_path / "warm", options=options)
    tracemalloc.start()
    run(wanted, tmp_path / "out", options=options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # torch makes tensors of its own on top of our buffers
    spare = (1 if backend() == "native" else 16) << 20
    stated = rehearse(wanted, tmp_path / "next", options=options)
    assert peak < stated + spare
    assert stated < 50 << 20


def test_overflow_is_refused_with_names_and_nothing_is_left(tmp_path: Path) -> None:
    tensors = {
        "fine": torch.ones(10),
        "hot": torch.full((10,), 1e6),
        "inf": torch.tensor([torch.inf]),
    }
    model = store(tmp_path / "in", tensors)
    wanted = plan(model, [Output.of(t, dtype=FP16) for t in model.values()])
    with pytest.raises(NumericError, match=r"10 values of 1 tensors.*hot \(10\)"):
        run(wanted, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_clipping_to_a_dtype_without_inf_is_refused_like_overflow(tmp_path: Path) -> None:
    model = store(tmp_path / "in", {"w": torch.tensor([1.0, 448.0, 500.0])})
    with pytest.raises(NumericError, match=r"1 values of 1 tensors are too large"):
        run(plan(model, [Output.of(model["w"], dtype=FP8_E4M3)]), tmp_path / "out")


def test_overflow_is_counted_where_it_is_allowed(tmp_path: Path) -> None:
    tensors = {"fine": torch.ones(10), "hot": torch.full((10,), 1e6)}
    model = store(tmp_path / "in", tensors)
    wanted = plan(model, [Output.of(t, dtype=FP16) for t in model.values()])
    with small_chunks(16):
        result = run(wanted, tmp_path / "out", options=RunOptions(allow_overflow=True))
    assert {name: counts.overflowed for name, counts in result.counts.items()} == {"hot": 10}
    assert torch.isinf(read_back(tmp_path / "out")["hot"]).all()


def test_nan_that_was_there_before_is_counted_and_passes(tmp_path: Path) -> None:
    model = store(tmp_path / "in", {"w": torch.tensor([1.0, torch.nan])})
    result = run(plan(model, [Output.of(model["w"], dtype=FP16)]), tmp_path / "out")
    assert result.counts["w"].nan_out == 1


def test_progress_grows_to_the_total(tmp_path: Path) -> None:
    model = store(tmp_path / "in", {"w": torch.zeros(100), "v": torch.zeros(100)})
    outputs = [Output.of(with_data(model[name], Slow), dtype=FP16) for name in ("w", "v")]
    seen: list[Progress] = []
    with small_chunks(200):
        run(
            plan(model, outputs),
            tmp_path / "out",
            progress=seen.append,
            options=RunOptions(threads=1),
        )
    done = [progress.bytes_done for progress in seen]
    assert done == sorted(done)
    assert done[-1] == seen[-1].bytes_total == 2 * (400 + 200)
    assert seen[-1].speed > 0
    assert seen[-1].eta == 0


@pytest.mark.parametrize("threads", ["0", "-1", "many", "1.5"])
def test_a_bad_number_of_threads_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: str
) -> None:
    monkeypatch.setenv("KANNA_THREADS", threads)
    model = store(tmp_path / "in", {"w": torch.zeros(3)})
    with pytest.raises(UsageError, match="threads"):
        run(plan(model, [Output.of(model["w"])]), tmp_path / "out")


def test_no_threads_at_all_is_told(tmp_path: Path) -> None:
    model = store(tmp_path / "in", {"w": torch.zeros(3)})
    with pytest.raises(UsageError, match="0 is no number of threads"):
        run(plan(model, [Output.of(model["w"])]), tmp_path / "out", options=RunOptions(threads=0))


def test_ops_that_do_not_fit_are_refused_by_name(tmp_path: Path) -> None:
    model = store(
        tmp_path / "in", {"w": torch.zeros(3), "c": torch.zeros(3, dtype=torch.complex64)}
    )
    w, c = model["w"], model["c"]
    wrong = [
        Output.of(w, shape=(4,)),
        Output.of(w, shape=(4,), dtype=FP16),
        Output.of(c, dtype=FP16),
        Output("w", FP32, (3,), WeightedSum((1.0, 1.0)), (w,)),
        Output("w", FP32, (3,), WeightedSum(()), ()),
        Output("w", FP32, (3,), Constant(b"")),
    ]
    for output in wrong:
        with pytest.raises(Incompatible, match=output.name):
            run(plan(model, [output]), tmp_path / "out")
