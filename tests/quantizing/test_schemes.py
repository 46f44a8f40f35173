"""What schemes write is what bitsandbytes and ComfyUI read; what they write is read here."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from kanna.engine import run
from kanna.errors import FormatError, Incompatible
from kanna.formats import open_model
from kanna.model import ModelFile
from kanna.plan import Output, Plan
from kanna.quantizing.schemes import SCHEMES, Weight, scheme_called
from kanna.quantizing.stored import dequantised

Tensors = dict[str, torch.Tensor]
STATE = "quant_state.bitsandbytes__"


@pytest.fixture(scope="module")
def bnb() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from bitsandbytes import functional
    return functional


def weights(dtype: torch.dtype = torch.bfloat16) -> Tensors:
    generator = torch.Generator().manual_seed(11)

    def made(*shape: int) -> torch.Tensor:
        return (torch.randn(*shape, generator=generator) * 0.03).to(dtype)

    return {"a.weight": made(96, 130), "b.0.weight": made(640, 320), "odd.weight": made(33, 65)}


def quantised(folder: Path, tensors: Tensors, word: str, **how: Any) -> Tensors:
    """Quantise `tensors`, and return the file as safetensors reads it."""
    save_file(tensors, folder / "in.safetensors")
    scheme = scheme_called(word, **how)
    assert scheme is not None
    with open_model(folder / "in.safetensors") as model:
        outputs = [
            o
            for n, t in model.items()
            for o in scheme.pieces(Weight(name=n, tensor=t, before=t.dtype))
        ]
        plan = Plan(outputs=tuple(outputs), container="safetensors", inputs=(model,))
        run(plan, folder / "out.safetensors")
    return load_file(folder / "out.safetensors")


def plain(file: Path) -> Tensors:
    """Return the file as kanna decodes it, in fp32, with what it still holds beside weights."""
    with open_model(file) as model:
        found = dequantised(model)
        outputs = tuple(map(Output.of, found.values()))
        target = file.with_name("plain.safetensors")
        run(Plan(outputs=outputs, container="safetensors", inputs=(model,)), target)
    return load_file(target)


def state_of(written: Tensors, name: str, kind: str) -> dict[str, Any]:
    return dict(json.loads(bytes(written[f"{name}.{STATE}{kind}"].numpy())))


@pytest.mark.parametrize("kind", ["nf4", "fp4"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_four_bits_are_those_of_bitsandbytes(
    tmp_path: Path, bnb: Any, kind: str, dtype: torch.dtype
) -> None:
    tensors = weights(dtype)
    written = quantised(tmp_path, tensors, kind)
    wanted: Tensors = {}
    for name, tensor in tensors.items():
        packed, state = bnb.quantize_4bit(tensor, blocksize=64, quant_type=kind)
        wanted[name] = packed
        wanted |= {f"{name}.{key}": value for key, value in state.as_dict(packed=True).items()}
    assert written.keys() == wanted.keys()
    for name, tensor in wanted.items():
        assert written[name].dtype == tensor.dtype
        assert torch.equal(written[name], tensor), name


@pytest.mark.parametrize("nested", [False, True])
def test_bitsandbytes_reads_what_was_written_as_we_do(
    tmp_path: Path, bnb: Any, *, nested: bool
) -> None:
    tensors = weights()
    written = quantised(tmp_path, tensors, "nf4", nested=nested)
    back = plain(tmp_path / "out.safetensors")
    assert back.keys() == tensors.keys()
    for name, tensor in tensors.items():
        side = {
            key.removeprefix(f"{name}."): t
            for key, t in written.items()
            if key.startswith(f"{name}.")
        }
        state = bnb.QuantState.from_dict(side, device="cpu")
        assert (state.dtype, state.shape) == (tensor.dtype, tensor.shape)
        state.dtype = torch.float32
        with torch.compiler.set_stance("force_eager"):  # it would compile for a minute
            read = bnb.dequantize_4bit(written[name], state)
        assert torch.equal(back[name], read), name
        assert (read - tensor.float()).norm() / tensor.float().norm() < 0.11


def test_nested_statistics_are_those_of_bitsandbytes_for_the_same_mean(
    tmp_path: Path, bnb: Any
) -> None:
    tensors = weights()
    written = quantised(tmp_path, tensors, "nf4", nested=True)
    for name, tensor in tensors.items():
        _, state = bnb.quantize_4bit(tensor, blocksize=64, quant_type="nf4")
        fields = state_of(written, name, "nf4")
        mean = torch.tensor(fields["nested_offset"], dtype=torch.float32)
        assert mean == state.absmax.double().mean().float()
        codes, nested = bnb.quantize_blockwise(state.absmax - mean, blocksize=256)
        assert torch.equal(written[f"{name}.absmax"], codes)
        assert torch.equal(written[f"{name}.nested_absmax"], nested.absmax)
        assert torch.equal(written[f"{name}.nested_quant_map"], nested.code)
        assert (fields["nested_blocksize"], fields["nested_dtype"]) == (256, "float32")


@pytest.mark.parametrize("word", ["fp8_scaled", "fp8_scaled_e5m2"])
def test_scaled_fp8_has_comfyuis_names_and_shapes(tmp_path: Path, word: str) -> None:
    tensors = weights()
    written = quantised(tmp_path, tensors, word)
    stored = torch.float8_e5m2 if "e5m2" in word else torch.float8_e4m3fn
    for name, tensor in tensors.items():
        layer = name.removesuffix(".weight")
        scale = written[f"{layer}.weight_scale"]
        assert (scale.dtype, scale.shape) == (torch.float32, torch.Size([]))
        assert written[name].dtype == stored
        told = json.loads(written[f"{layer}.comfy_quant"].numpy().tobytes())
        assert told == {"format": str(stored).removeprefix("torch.")}
        back = written[name].float() * scale
        assert (back - tensor.float()).norm() / tensor.float().norm() < 0.06
        assert back.abs().max() == pytest.approx(float(tensor.abs().max()), rel=1e-6)
    assert torch.equal(
        plain(tmp_path / "out.safetensors")["a.weight"],
        written["a.weight"].float() * written["a.weight_scale"],
    )


def test_the_old_form_of_scaled_fp8_reads_back_too(tmp_path: Path) -> None:
    tensors = weights()
    written = quantised(tmp_path, tensors, "fp8_scaled", form="old")
    assert {n for n in written if n.startswith("a.")} == {"a.weight", "a.scale_weight"}
    written |= {
        "scaled_fp8": torch.empty(0, dtype=torch.float8_e4m3fn),
        "a.scale_input": torch.ones(()),
    }
    save_file(written, tmp_path / "old.safetensors")
    back = plain(tmp_path / "old.safetensors")
    assert back.keys() == tensors.keys()
    assert torch.equal(back["a.weight"], written["a.weight"].float() * written["a.scale_weight"])


def test_scales_by_row_and_bitsandbytes_int8_are_decoded(tmp_path: Path) -> None:
    codes = torch.randint(
        -127, 128, (40, 96), dtype=torch.int8, generator=torch.Generator().manual_seed(1)
    )
    rows = torch.rand(40, generator=torch.Generator().manual_seed(2)) + 0.1
    save_file(
        {
            "a.weight": codes, "a.SCB": rows, "a.weight_format": torch.zeros((), dtype=torch.uint8),
            "b.weight": codes.clone(), "b.weight_scale": rows[:, None].clone(), "b.bias": rows.clone(),
        },
        tmp_path / "in.safetensors",
    )  # fmt: skip
    back = plain(tmp_path / "in.safetensors")
    assert back.keys() == {"a.weight", "b.weight", "b.bias"}
    assert torch.allclose(back["a.weight"], codes.float() * rows[:, None] / 127, rtol=1e-6)
    assert torch.equal(back["b.weight"], codes.float() * rows[:, None])


@contextmanager
def opened(path: Path, tensors: Tensors) -> Iterator[ModelFile]:
    save_file(tensors, path)
    with open_model(path) as model:
        yield model


@pytest.mark.parametrize(
    "damage",
    [
        {"quant_type": "fp4"}, {"blocksize": 63}, {"blocksize": "64"}, {"shape": [1 << 40, 2]},
        {"shape": [0]}, {"shape": None}, {"shape": [96, 131]}, {"dtype": 3}, {"dtype": "os.system"},
        {"blocksize": 64.0}, {"dtype": []}, {"nested_blocksize": 256.0}, {"nested_offset": 1e300},
        {"nested_offset": 10**400}, {"nested_offset": None}, {"nested_blocksize": 7}, "[]", "{", "\udcff",
    ],
)  # fmt: skip
def test_a_hostile_state_is_refused(tmp_path: Path, damage: Any) -> None:
    written = quantised(tmp_path, weights(), "nf4", nested=True)
    name = f"a.weight.{STATE}nf4"
    if isinstance(damage, dict):
        text = json.dumps({**state_of(written, "a.weight", "nf4"), **damage}).encode()
    else:
        text = damage.encode(errors="surrogateescape")
    written[name] = torch.frombuffer(bytearray(text), dtype=torch.uint8)
    with opened(tmp_path / "bad.safetensors", written) as model, pytest.raises(FormatError):
        dequantised(model)


@pytest.mark.parametrize("entry", [1.5, float("nan"), float("-inf")])
@pytest.mark.parametrize("table", ["quant_map", "nested_quant_map"])
def test_a_table_of_strange_numbers_is_refused(tmp_path: Path, table: str, entry: float) -> None:
    written = quantised(tmp_path, weights(), "nf4", nested=True)
    written[f"a.weight.{table}"][7] = entry
    with opened(tmp_path / "bad.safetensors", written) as model, pytest.raises(FormatError):
        dequantised(model)


def test_a_nested_table_that_falls_is_refused(tmp_path: Path) -> None:
    written = quantised(tmp_path, weights(), "nf4", nested=True)
    written["a.weight.nested_quant_map"] = written["a.weight.nested_quant_map"].flip(0).clone()
    with opened(tmp_path / "bad.safetensors", written) as model, pytest.raises(FormatError):
        dequantised(model)


@pytest.mark.parametrize("lost", ["absmax", "quant_map", "nested_quant_map"])
def test_a_missing_or_short_piece_is_refused(tmp_path: Path, lost: str) -> None:
    written = quantised(tmp_path, weights(), "nf4", nested=True)
    short = {**written, f"a.weight.{lost}": written[f"a.weight.{lost}"][:-1].clone()}
    without = {name: tensor for name, tensor in written.items() if name != f"a.weight.{lost}"}
    for tensors in (short, without):
        with opened(tmp_path / "bad.safetensors", tensors) as model, pytest.raises(FormatError):
            dequantised(model)


@pytest.mark.parametrize(
    "beside",
    [
        {"a.weight_scale": torch.ones(96, 2, dtype=torch.uint8)},  # mxfp8
        {"a.weight_scale": torch.ones(()), "a.weight_scale_2": torch.ones(())},  # nvfp4
        {"a.weight_scale_inv": torch.ones(1, 2)},
        {"a.qweight": torch.zeros(4, 4, dtype=torch.int32), "a.qzeros": torch.zeros(4)},
        {"a.weight_scale": torch.ones(96), "a.comfy_quant": torch.tensor(list(b'{"convrot": true}'), dtype=torch.uint8)},
    ],
)  # fmt: skip
def test_what_cannot_be_decoded_is_refused(tmp_path: Path, beside: Tensors) -> None:
    weight = torch.zeros(96, 64, dtype=torch.float8_e4m3fn)
    tensors = {"a.weight": weight, **beside}
    with opened(tmp_path / "in.safetensors", tensors) as model, pytest.raises(Incompatible):
        dequantised(model)


def test_a_scale_of_another_shape_is_refused(tmp_path: Path) -> None:
    tensors = {"a.weight": torch.zeros(4, 8, dtype=torch.int8), "a.weight_scale": torch.ones(8)}
    with opened(tmp_path / "in.safetensors", tensors) as model, pytest.raises(FormatError):
        dequantised(model)


def test_only_the_layers_that_were_decoded_leave_comfyuis_list(tmp_path: Path) -> None:
    written = quantised(tmp_path, weights(), "fp8_scaled")
    layers = {
        name.removesuffix(".comfy_quant"): {"format": "float8_e4m3fn"}
        for name in written
        if name.endswith("quant")
    }
    listed = json.dumps({"format_version": "1.0", "layers": layers})
    save_file(
        written, tmp_path / "in.safetensors", {"_quantization_metadata": listed, "title": "x"}
    )
    with open_model(tmp_path / "in.safetensors") as model:
        some = dequantised(model, [name for name in model if name.startswith("a.")])
        assert json.loads(some.metadata["_quantization_metadata"])["layers"].keys() == {
            "b.0",
            "odd",
        }
        assert "odd.comfy_quant" in some
        assert dequantised(model).metadata == {"title": "x"}


@given(start=st.integers(0, 4 * 33 * 65 - 1), length=st.integers(0, 700))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_view_gives_any_run_of_its_bytes(
    decoding: list[tuple[ModelFile, bytes]], start: int, length: int
) -> None:
    for model, whole in decoding:
        out = bytearray(min(length, len(whole) - start))
        model["odd.weight"].data.read_into(start, memoryview(out))
        assert out == whole[start : start + len(out)]


@pytest.fixture(scope="module")
def decoding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[ModelFile, bytes]]]:
    """Decoded files of several schemes, with all bytes of one of their tensors."""
    found = []
    for word, nested in (("fp8_scaled", False), ("nf4", False), ("fp4", True)):
        folder = tmp_path_factory.mktemp(word)
        quantised(folder, weights(), word, nested=nested)
        model = open_model(folder / "out.safetensors")
        plain_model = dequantised(model)
        found.append((plain_model, plain_model["odd.weight"].read()))
    yield found
    for model, _ in found:
        model.close()


def test_every_word_has_a_scheme_and_others_have_none() -> None:
    for word in SCHEMES:
        scheme = scheme_called(word)
        assert scheme is not None
        assert scheme.word == word
    assert scheme_called("q8_0") is None
