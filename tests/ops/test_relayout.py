"""Every model of the headers goes to each of its layouts and back, number by number."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache
from math import prod
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engine_plans import store
from kanna.dtypes import BF16, FP8_E4M3, FP16, FP32, UINT8, DType
from kanna.engine import run
from kanna.errors import Incompatible
from kanna.families.key_maps import layouts_of, table_of
from kanna.families.name_tables import name_tables
from kanna.formats import open_model
from kanna.model import ModelFile, TensorInfo
from kanna.ops.relayout import relayout
from kanna.plan import Output, Plan
from kanna.views import renamed
from model_headers import Bytes, headers, known

Tensors = dict[str, TensorInfo]
CHOSEN = random.Random(7)
SHRINK = 64


def numbers(name: str, *shape: int, dtype: DType = FP16) -> TensorInfo:
    return TensorInfo(name, dtype, shape, Bytes(CHOSEN.randbytes(dtype.nbytes(prod(shape)))))


def small(size: int) -> int:
    """A size that is as divisible as the real one, and far smaller."""
    return size // SHRINK if size % SHRINK == 0 else size if size < SHRINK else size % 7 + 1


def materialised(tensors: Mapping[str, TensorInfo]) -> Tensors:
    """The same tensors, read: nothing is left of how they were made."""
    return {name: TensorInfo(name, tensor.dtype, tensor.shape, Bytes(tensor.read()))
            for name, tensor in tensors.items()}  # fmt: skip


def content(tensors: Mapping[str, TensorInfo]) -> dict[str, tuple[DType, tuple[int, ...], bytes]]:
    return {name: (one.dtype, one.shape, one.read()) for name, one in tensors.items()}


@cache
def models() -> Mapping[str, list[tuple[str, str, str]]]:
    """Each model in each layout once: header, prefix, layout, by table."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    seen = set()
    for name in headers():
        for part in known(name).parts:
            table = table_of(part)
            key = table, part.component, len(part.names)
            if table and part.layout and "bnb" not in name and key not in seen:
                seen.add(key)
                found.setdefault(table, []).append((name, part.prefix, part.layout))
    return found


def tensors_of(header: str, prefix: str) -> Tensors:
    part = next(part for part in known(header).parts if part.prefix == prefix)
    found = {}
    for full in part.names:
        real, name = headers()[header].tensors[full], full.removeprefix(prefix)
        found[name] = numbers(name, *map(small, real.shape), dtype=real.dtype)
    return found


@pytest.mark.parametrize("table", sorted(name_tables()))
def test_there_and_back_gives_the_same_bytes(table: str) -> None:
    for header, prefix, layout in models().get(table, ()):
        given = tensors_of(header, prefix)
        if header == "vae-sd1-diffusers-f32":  # its old spelling is not written again
            given = relayout(given, table, source=layout, target=layout).tensors
        for target in layouts_of(table):
            there = relayout(given, table, source=layout, target=target)
            back = relayout(materialised(there.tensors), table, source=target, target=layout)
            assert back.unmapped == (), header
            kept = {name: one for name, one in given.items() if name not in there.unmapped}
            assert content(back.tensors) == content(kept), header
            sizes = [sum(one.nbytes for one in all_.values()) for all_ in (kept, there.tensors)]
            assert sizes[0] == sizes[1] or "scaled" in header, header


def test_the_test_above_has_every_kind_of_model() -> None:
    assert models().keys() >= {"unet", "unet-xl", "vae-kl", "vae-dc-ae", "clip", "clip-vision",
                               "t5", "controlnet", "dit-flux", "dit-sd3"}  # fmt: skip


def clip(count: int = 2, width: int = 4, dtype: DType = FP16) -> Tensors:
    """The attention of a small text encoder, as transformers names it."""
    found = {}
    for layer in range(count):
        for piece in "qkv":
            stem = f"text_model.encoder.layers.{layer}.self_attn.{piece}_proj"
            found[f"{stem}.weight"] = numbers(f"{stem}.weight", width, width, dtype=dtype)
            found[f"{stem}.bias"] = numbers(f"{stem}.bias", width)
    return found


def test_the_order_is_that_of_the_tensors_given() -> None:
    given = dict(reversed(clip().items()))
    assert list(relayout(given, "clip", source="hf", target="openclip").tensors) == [
        f"transformer.resblocks.{layer}.attn.in_proj_{last}"
        for layer in (1, 0) for last in ("bias", "weight")
    ]  # fmt: skip


def test_the_engine_writes_another_layout_and_the_way_back_is_the_file_it_was(
    tmp_path: Path,
) -> None:
    """With tensors large enough to be moved, some to be turned, and a run of bytes for most."""
    torch.manual_seed(2)
    stem = "transformer.resblocks.0."
    given = {
        "text_projection": torch.randn(300, 200).half(),
        f"{stem}attn.in_proj_weight": torch.randn(3 * 640, 640),
        f"{stem}attn.in_proj_bias": torch.randn(3 * 640).bfloat16(),
        f"{stem}ln_1.weight": torch.randn(640),
    }
    first, middle, last = (tmp_path / f"{name}.safetensors" for name in ("a", "b", "c"))
    with store(tmp_path / "raw", given) as model:
        write(first, model, dict(model))
    for source, target, here, there in (
        ("openclip", "hf", first, middle), ("hf", "openclip", middle, last),
    ):  # fmt: skip
        with open_model(here) as model:
            made = relayout(model, "clip", source=source, target=target)
            whole = sum(one.data.extent() is None for one in made.tensors.values())
            assert whole == (1 if target == "hf" else 3)
            write(there, model, made.tensors)
    found = load_file(middle)
    layer = "text_model.encoder.layers.0."
    assert torch.equal(found["text_projection.weight"], given["text_projection"].T)
    for piece, weight in zip("qkv", given[f"{stem}attn.in_proj_weight"].chunk(3), strict=True):
        assert torch.equal(found[f"{layer}self_attn.{piece}_proj.weight"], weight)
    assert last.read_bytes() == first.read_bytes()


def write(path: Path, model: ModelFile, tensors: Mapping[str, TensorInfo]) -> None:
    outputs = tuple(Output.of(tensor, name=name) for name, tensor in sorted(tensors.items()))
    run(Plan(outputs=outputs, container="safetensors", inputs=(model,)), path)


@pytest.mark.parametrize(
    "wrong",
    [
        numbers("k", 4, 5), numbers("k", 3, 4), numbers("k", 4, 4, dtype=BF16), numbers("k", 16),
        numbers("k"),
    ],
)  # fmt: skip
def test_pieces_that_do_not_fit_together_are_refused(wrong: TensorInfo) -> None:
    given = clip()
    given["text_model.encoder.layers.1.self_attn.k_proj.weight"] = wrong
    with pytest.raises(Incompatible) as caught:
        relayout(given, "clip", source="hf", target="openclip")
    assert caught.value.key == "relayout.unfit"


@pytest.mark.parametrize("shape", [(7, 4), (), (2,)])
def test_what_cannot_be_cut_in_equal_pieces_is_refused(shape: tuple[int, ...]) -> None:
    name = "transformer.resblocks.0.attn.in_proj_weight"
    with pytest.raises(Incompatible) as caught:
        relayout({name: numbers(name, *shape)}, "clip", source="openclip", target="hf")
    assert name in str(caught.value.values["what"])


def test_a_projection_that_is_no_matrix_is_not_turned() -> None:
    given = {"text_projection": numbers("text_projection", 4, 4, 1)}
    with pytest.raises(Incompatible):
        relayout(given, "clip", source="openclip", target="hf")


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1, 1)])
def test_a_vae_gets_the_attention_of_its_layout_whichever_it_had(shape: tuple[int, ...]) -> None:
    """A VAE of diffusers that was put into a checkpoint as it was has matrices there."""
    name = "decoder.mid.attn_1.q."
    given = {f"{name}weight": numbers("w", *shape), f"{name}bias": numbers("b", 8)}
    there = relayout(given, "vae-kl", source="ldm", target="diffusers").tensors
    assert [tensor.shape for tensor in there.values()] == [(8, 8), (8,)]
    back = relayout(there, "vae-kl", source="diffusers", target="ldm").tensors
    assert [tensor.shape for tensor in back.values()] == [(8, 8, 1, 1), (8,)]
    assert back[f"{name}weight"].read() == given[f"{name}weight"].read()


def scaled(*values: bytes, last: str = "scale_weight", dtype: DType = FP32) -> Tensors:
    """A text encoder's attention in fp8, with something beside each weight."""
    given = clip(1, dtype=FP8_E4M3)
    for piece, value in zip("qkv", values, strict=True):
        name = f"text_model.encoder.layers.0.self_attn.{piece}_proj.{last}"
        count = len(value) * 8 // dtype.bits
        given[name] = TensorInfo(name, dtype, (count,) if count > 1 else (), Bytes(value))
    return given


def test_scales_go_with_a_weight_that_is_only_renamed() -> None:
    given = scaled(b"abcd", b"efgh", b"ijkl")
    there = relayout(given, "clip", source="hf", target="nai")
    assert there.unmapped == ()
    name = "encoder.layers.0.self_attn.v_proj.scale_weight"
    assert there.tensors[name].read() == b"ijkl"
    back = relayout(there.tensors, "clip", source="nai", target="hf")
    assert content(back.tensors) == content(given)


FLUX = "double_blocks.0.img_attn.qkv."
PIECES = [f"transformer_blocks.0.attn.to_{piece}." for piece in "qkv"]


def flux(last: str, beside: TensorInfo) -> Tensors:
    return {
        f"{FLUX}weight": numbers(f"{FLUX}weight", 12, 4, dtype=FP8_E4M3),
        FLUX + last: TensorInfo(FLUX + last, beside.dtype, beside.shape, beside.data),
    }


@pytest.mark.parametrize(
    ("last", "beside"),
    [
        ("scale_weight", numbers("s", dtype=FP32)),
        ("weight_scale", numbers("s", 1, dtype=FP32)),
        ("comfy_quant", numbers("s", 12, dtype=UINT8)),
        ("weight_scale", numbers("s", 12, 1, dtype=FP32)),
        ("weight_scale", numbers("s", 12, dtype=FP32)),
    ],
)
def test_scales_of_a_weight_that_is_cut_apart_come_back(last: str, beside: TensorInfo) -> None:
    given = flux(last, beside)
    there = relayout(given, "dit-flux", source="bfl", target="diffusers")
    assert list(there.tensors) == [f"{piece}{end}" for end in ("weight", last) for piece in PIECES]
    back = relayout(materialised(there.tensors), "dit-flux", source="diffusers", target="bfl")
    assert content(back.tensors) == content(given)


@pytest.mark.parametrize(
    "other", [numbers("s", 4, dtype=FP32), numbers("s", 1, 4, dtype=UINT8), None]
)
def test_markers_that_differ_or_are_endless_are_not_made_one(other: TensorInfo | None) -> None:
    given = flux("comfy_quant", numbers("s", 4, dtype=UINT8))
    there = relayout(given, "dit-flux", source="bfl", target="diffusers").tensors
    for piece in PIECES if other is None else PIECES[:1]:
        name = f"{piece}comfy_quant"
        there[name] = of_size(name, 1 << 40) if other is None else renamed(other, name)
    with pytest.raises(Incompatible) as caught:
        relayout(there, "dit-flux", source="diffusers", target="bfl")
    assert caught.value.key == "relayout.beside"


def of_size(name: str, nbytes: int) -> TensorInfo:
    return TensorInfo(name, UINT8, (nbytes,), Bytes())


@pytest.mark.parametrize("last", ["weight.absmax", "weight.quant_state.bitsandbytes__nf4"])
def test_what_only_fits_the_whole_weight_is_refused(last: str) -> None:
    with pytest.raises(Incompatible) as caught:
        relayout(flux(last, numbers("s", 6, dtype=UINT8)), "dit-flux", source="bfl", target="diffusers")  # fmt: skip
    assert caught.value.key == "relayout.beside"
    assert caught.value.values["name"] == FLUX + last


def test_weights_with_different_scales_cannot_become_one() -> None:
    given = flux("scale_weight", numbers("s", dtype=FP32))
    there = relayout(given, "dit-flux", source="bfl", target="diffusers").tensors
    there[f"{PIECES[1]}scale_weight"] = numbers("s", dtype=FP32)
    with pytest.raises(Incompatible) as caught:
        relayout(there, "dit-flux", source="diffusers", target="bfl")
    assert caught.value.key == "relayout.beside"


def test_a_scale_that_would_lose_its_weight_is_told() -> None:
    with pytest.raises(Incompatible) as caught:
        relayout(scaled(b"abcd", b"abcd", b"abcd"), "clip", source="hf", target="openclip")
    assert caught.value.key == "relayout.beside"
