"""Rules that read weights: counting against numpy, and what follows from the counts."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judged import (
    changed,
    clean_checkpoint,
    codes,
    mended,
    merged_checkpoint,
    only,
    subject,
)
from kanna.dtypes import BF16, FP16, FP32, INT64, DType
from kanna.findings import check, vae
from kanna.findings.facts import Measure
from kanna.findings.measuring import measure
from kanna.findings.metadata import data_sha256
from kanna.findings.vae_number import middle_of, name_of, number_of
from kanna.formats import open_model
from kanna.identify import identify
from kanna.identity import Part
from kanna.model import ModelFile, TensorInfo
from model_headers import Bytes, headers
from models import UNET, VAE, model_of, tensor, weight

FIRST = f"{UNET}input_blocks.1.0.in_layers.2.weight"


def measured(values: np.ndarray, dtype: DType, data: bytes | None = None) -> Measure:
    raw = values.tobytes() if data is None else data
    one = TensorInfo("x", dtype, values.shape, Bytes(raw))
    return measure(model_of([one]))["x"]


numbers = st.one_of(
    st.floats(width=32, allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, 65504.0, 65519.9, 65520.0, -1e6, float("nan"), float("inf")]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=50))
def test_counts_are_those_of_numpy(values: list[float]) -> None:
    array = np.array(values, np.float32)
    found = measured(array, FP32)
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    assert found.nan == np.isnan(array).sum()
    assert found.inf == np.isinf(array).sum()
    assert found.beyond == (np.isinf(half) & np.isfinite(array)).sum()
    bits = array.view(np.uint32)
    assert found.alike == bool((bits == bits[0]).all())
    assert found.zero == bool((bits == 0).all())


def test_half_precision_is_counted_as_well() -> None:
    half = np.array([1, np.nan, np.inf, -np.inf, 65504], np.float16)
    assert measured(half, FP16) == Measure(nan=1, inf=2, checksum=measured(half, FP16).checksum)
    bf16 = np.array([0x3F80, 0x7FC0, 0x7F80, 0x4780], np.uint16)  # 1, NaN, Inf, 65536
    found = measured(bf16, BF16)
    assert (found.nan, found.inf, found.beyond) == (1, 1, 1)


def test_tensors_of_many_pieces_are_one() -> None:
    array = np.zeros(3 << 20, np.float32)
    assert measured(array, FP32).zero
    array[-1] = 1
    assert not measured(array, FP32).alike


@pytest.fixture(autouse=True)
def _no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A VAE of noise has no number, and to make so much noise takes long."""
    monkeypatch.setattr(vae, "number_of", lambda *_: None)


@pytest.fixture(scope="module")
def clean() -> ModelFile:
    return clean_checkpoint()


def judged(model: ModelFile, measures: dict[str, Measure], **known: object) -> list[str]:
    return codes(check(subject(model, "generation", measures=measures, **known)))


def test_without_measures_no_deep_rule_is_asked(clean: ModelFile) -> None:
    assert codes(check(subject(clean))) == []


def test_nan_and_inf(clean: ModelFile) -> None:
    assert judged(clean, {FIRST: Measure(nan=2, inf=1)}) == ["KN501"]
    assert judged(clean, {f"{VAE}decoder.conv_in.bias": Measure(nan=2)}) == ["KN601"]
    assert judged(clean, {FIRST: Measure()}) == []


def test_numbers_beyond_fp16_ask_for_bf16(clean: ModelFile) -> None:
    model = changed(clean, {n: TensorInfo(n, FP32, t.shape, t.data) for n, t in clean.items()
                            if n.startswith(UNET)})  # fmt: skip
    measures = {FIRST: Measure(beyond=3)}
    findings = check(subject(model, "generation", measures=measures))
    assert codes(findings) == ["KN403", "KN502"]
    for finding in findings:
        assert finding.repair is not None
        assert finding.repair.options["dtypes"] == {"diffusion_model": "bf16"}
    after = mended(model, "generation", measures=measures)
    assert after[FIRST].dtype is BF16
    assert judged(after, measures) == []


@pytest.mark.parametrize(
    ("name", "shape", "measure", "code"),
    [
        (FIRST, (320, 320, 3, 3), Measure(alike=True, zero=True), ["KN503"]),
        (FIRST, (320, 320, 3, 3), Measure(alike=True), ["KN504"]),
        (f"{UNET}out.0.weight", (320,), Measure(alike=True), []),
        (f"{UNET}out.2.bias", (4,), Measure(alike=True, zero=True), []),
    ],
)
def test_weights_of_one_number(
    clean: ModelFile, name: str, shape: tuple[int, ...], measure: Measure, code: list[str]
) -> None:
    assert clean[name].shape == shape
    assert judged(clean, {name: measure}) == code


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("controlnet", "controlnet_down_blocks."),
        ("lora", "lora_up."),
        ("motion_module", "proj_out."),
    ],
)
def test_what_starts_at_zero_may_be_zero(kind: str, word: str) -> None:
    zero = Measure(alike=True, zero=True)
    model = next(
        header.model()
        for header in headers().values()
        if header.kind == kind and any(word in name for name in header.tensors)
    )
    rightly = [name for name in model if word in name]
    assert "KN503" not in judged(model, dict.fromkeys(rightly, zero))
    others = [name for name in model if word not in name and len(model[name].shape) > 1]
    assert "KN503" in judged(model, dict.fromkeys(others, zero))


def test_tied_weights_are_stored_twice() -> None:
    model = next(
        h
        for h in headers().values()
        if {"shared.weight", "encoder.embed_tokens.weight"} <= set(h.tensors)
    ).model()
    same = {n: Measure(checksum=7) for n in ("shared.weight", "encoder.embed_tokens.weight")}
    found = only("KN409", check(subject(model, measures=same)))
    assert found.bytes == model["shared.weight"].nbytes
    other = same | {"shared.weight": Measure(checksum=8)}
    assert "KN409" not in judged(model, other)


def test_an_ema_of_another_model_and_one_that_is_the_model() -> None:
    pairs = {"model.diffusion_model.out.2.bias": "model_ema.diffusion_modelout2bias"}
    base = changed(
        clean_checkpoint(),
        {"model.diffusion_model.out.2.bias": tensor(next(iter(pairs)), [1, 2, 3, 4])},
    )
    close = [tensor(copy, [1, 2, 3, 4.01]) for copy in pairs.values()]
    far = [tensor(copy, [-1, -2, 3, 9]) for copy in pairs.values()]
    for copies, code in ((close, False), (far, True)):
        model = changed(base, {copy.name: copy for copy in copies})
        found = judged(model, {})
        assert ("KN303" in found) == code


def test_an_ema_that_is_the_model() -> None:
    model = merged_checkpoint()
    pairs = subject(model).identity.ema.pairs
    same = {n: Measure(checksum=k) for k, pair in enumerate(pairs.items()) for n in pair}
    assert "KN305" in judged(model, same)
    assert "KN305" not in judged(model, same | {next(iter(pairs)): Measure(checksum=-1)})


def test_the_number_of_a_vae_is_that_of_its_formula() -> None:
    rng = np.random.default_rng(3)
    arrays: dict[str, Any] = {
        "v.encoder.a": rng.normal(0.3, 0.4, 60_000).astype(np.float32),
        "v.decoder.b": rng.normal(0.2, 0.4, 20_000).astype(np.float16),
        "v.decoder.large": rng.normal(0.01, 0.05, 3_000_001).astype(np.float32),
        "v.quant_conv.weight": np.full(1000, 9, np.float32),  # does not count
    }
    model = model_of(
        TensorInfo(n, FP16 if a.dtype == np.float16 else FP32, a.shape, Bytes(a.tobytes()))
        for n, a in arrays.items()
    )
    part = Part(role="vae", architecture=None, prefix="v.", names=tuple(arrays), parameters=0,
                bytes=0, dtypes={}, complete=None)  # fmt: skip
    halves = np.concatenate(
        [a.astype(np.float16).astype(np.float64) for n, a in arrays.items() if "coder" in n]
    )
    total = (1 / (1 + np.exp(-halves)) - 0.5).sum()
    wanted = int(abs(total / 17870.7051 - 1) * 10000)
    assert abs((number_of(model, part) or -9) - wanted) <= 1


def test_a_vae_of_zeros_or_nan_has_no_number() -> None:
    part = Part(role="vae", architecture=None, prefix="", names=("encoder.a",), parameters=0, bytes=0,
                dtypes={}, complete=None)  # fmt: skip
    endless = float("inf")
    for values in ([0.0] * 4, [float("nan")] * 4, [endless, -endless, 1, 1], [endless, 1, 1, 1]):
        assert number_of(model_of([tensor("encoder.a", values)]), part) is None


def test_published_numbers_are_known_give_or_take_one() -> None:
    assert name_of(0) == name_of(1) == "Stable Diffusion 1"
    assert name_of(2982) == name_of(2981)
    assert name_of(3000) is None
    assert middle_of(1491) == ("Stable Diffusion 1", name_of(2982))
    assert middle_of(435) == ("Stable Diffusion 1", name_of(869))
    assert middle_of(1000) is None


def test_a_vae_of_sd1_in_sdxl_and_an_average(
    clean: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdxl = headers()["sdxl-base-fp16"].model()
    for model, number, code in ((sdxl, 2982, "KN603"), (clean, 1491, "KN602"), (clean, 2982, "")):
        monkeypatch.setattr(vae, "number_of", lambda *_, number=number: number)
        found = judged(model, {FIRST: Measure()})
        assert {"KN602", "KN603"} & set(found) == ({code} - {""})


def test_a_hash_in_the_metadata_is_held_against_the_data(tmp_path: Path) -> None:
    from hashlib import sha256

    from safetensors.numpy import save_file

    data: dict[str, Any] = {"b": np.arange(6, dtype=np.float32), "a": np.ones(3, np.float16)}
    path = tmp_path / "x.safetensors"
    save_file(data, path)
    with open_model(path) as model:
        raw = path.read_bytes()
        (length,) = struct.unpack("<Q", raw[:8])
        digest = sha256(raw[8 + length :]).hexdigest()
        assert data_sha256(model) == digest
    for told, wrong in ((digest, False), ("0x" + "ab" * 32, True)):
        save_file(data, path, metadata={"modelspec.hash_sha256": told})
        with open_model(path) as model:
            one = subject(model, measures=measure(model))
            assert ("KN801" in codes(check(one))) == wrong
            assert identify(model).metadata


def test_what_cannot_be_measured_is_left_out() -> None:
    assert measure(model_of([weight("empty", 0), tensor("ints", [1, 2], INT64)])) == {}
