from __future__ import annotations

import struct
from collections.abc import Iterable

import pytest

from kanna.dtypes import TORCH, WORDS
from kanna.identify import identify
from kanna.identity import Identity
from kanna.model import TensorInfo
from model_headers import Bytes, headers, known, model_of

TORCH_NAMES = {dtype.word: name for name, dtype in TORCH.items()}
UNET = "model.diffusion_model."


def with_ids(
    values: Iterable[float] | bytes, dtype: str = "int64", name: str = "sd15-fp16-pruned"
) -> Identity:
    model = headers()[name].model()
    key = next(n for n in model if n.endswith("position_ids"))
    if not isinstance(values, bytes):
        code = {"int64": "q", "fp32": "f", "fp16": "e"}[dtype]
        values = struct.pack(f"<77{code}", *values)
    tensor = TensorInfo(key, WORDS[dtype], (1, 77), Bytes(values))
    return identify(model_of({**model, key: tensor}))


@pytest.mark.parametrize("name", ["sd15-fp16-pruned", "sd1-nai-fp32-ckpt", "sdxl-base-fp16"])
def test_position_ids_in_order_are_fine_in_every_layout(name: str) -> None:
    ids = with_ids(range(77), name=name).position_ids
    assert (ids.state, ids.wrong, len(ids.keys)) == ("ok", (), 1)


def test_position_ids_as_floats_are_told_even_where_their_values_are_right() -> None:
    assert with_ids(range(77), "fp32").position_ids.state == "float"


def test_position_ids_that_a_merge_damaged_are_named_by_index() -> None:
    ids = with_ids([n - 0.004 if n in {41, 76} else n for n in range(77)], "fp32").position_ids
    assert (ids.state, ids.wrong) == ("damaged", (41, 76))
    assert ids.keys[0].values[76] == pytest.approx(75.996)


def test_position_ids_that_are_no_numbers_are_damaged() -> None:
    ids = with_ids([float("nan"), float("inf"), *range(2, 77)], "fp32").position_ids
    assert (ids.state, ids.wrong) == ("damaged", (0, 1))
    assert ids.keys[0].loaded == (None, None, *range(2, 77))


def test_position_ids_beyond_int64_are_loaded_as_no_integer() -> None:
    ids = with_ids([*range(75), 2.0**63, -(2.0**63)], "fp32").position_ids
    assert ids.wrong == (75, 76)
    assert ids.keys[0].loaded[75:] == (None, -(2**63))


@pytest.mark.parametrize("dtype", ["bf16", "fp8_e4m3", "fp8_e5m2"])
def test_position_ids_in_small_floats_are_read_as_torch_reads_them(dtype: str) -> None:
    import torch

    kind = getattr(torch, TORCH_NAMES[dtype])
    ids = torch.arange(77).to(kind)
    there = with_ids(bytes(ids.view(torch.uint8).tolist()), dtype).position_ids
    assert there.keys[0].values == tuple(ids.to(torch.float64).tolist())
    assert there.keys[0].loaded == tuple(ids.to(torch.int64).tolist())
    assert there.state == ("float" if there.keys[0].loaded == tuple(range(77)) else "damaged")


def test_position_ids_without_numbers_are_unread_and_null_in_the_document() -> None:
    identity = with_ids(bytes(77 * 16), "complex128")
    assert identity.position_ids.state == "unread"
    assert identity.position_ids.keys[0].loaded == ()
    assert identity.to_json()["position_ids"] == {"state": None, "wrong": []}


def test_a_file_without_position_ids_says_absent() -> None:
    assert known("sd15-fp16-no-posids").position_ids.state == "absent"


# --- EMA


def test_the_averaged_copy_is_paired_forwards_by_name() -> None:
    ema = known("sd15-full-ema-fp32").ema
    assert (ema.present, ema.complete, len(ema.pairs), ema.missing) == (True, True, 686, ())
    assert (
        ema.pairs[f"{UNET}input_blocks.0.0.weight"]
        == "model_ema.diffusion_modelinput_blocks00weight"
    )
    assert set(ema.extra) == {"model_ema.decay", "model_ema.num_updates"}
    assert ema.equal_to_model is None


def test_a_missing_copy_is_named_by_its_model_tensor() -> None:
    header = headers()["sd15-full-ema-fp32"]
    lost = "model_ema.diffusion_modelout2bias"
    ema = identify(header.model([n for n in header.tensors if n != lost])).ema
    assert (ema.complete, ema.missing) == (False, (f"{UNET}out.2.bias",))


def test_a_copy_of_what_the_model_lacks_is_found_by_the_table() -> None:
    header = headers()["sd15-full-ema-fp32"]
    lost = f"{UNET}out.2.bias"
    identity = identify(header.model([n for n in header.tensors if n != lost]))
    assert identity.ema.pairs[lost] == "model_ema.diffusion_modelout2bias"
    assert identity.parts[0].missing == (lost,)


@pytest.mark.parametrize(
    "name", ["sd15-full-ema-fp32", "sd15-inpaint-fp32", "sd20-768v-fp32", "sdxl-base-fp16"]
)
def test_a_file_with_the_copy_alone_is_known_by_it(name: str) -> None:
    model = headers()[name].model()
    alone = {
        f"model_ema.{n.removeprefix('model.').replace('.', '')}" if n.startswith(UNET) else n: t
        for n, t in model.items()
        if not n.startswith("model_ema.")
    }
    identity, whole = identify(model_of(alone)), identify(model)
    assert (identity.kind, identity.architecture) == ("checkpoint", whole.architecture)
    assert identity.variant_candidates == whole.variant_candidates
    assert identity.ema.complete
    assert identity.ema.pairs.keys() == {n for n in model if n.startswith(UNET)}
    assert identity.certainty == "likely"
    part = identity.part("diffusion_model")
    assert part is not None
    assert (part.tensors, part.complete, len(part.missing)) == (0, False, len(identity.ema.pairs))


def test_counters_without_a_copy_are_junk_and_no_ema() -> None:
    identity = known("sd15-emaonly-fp32")
    assert not identity.ema.present
    assert "ema-counters" in {group.group for group in identity.junk}


def test_a_copy_under_a_prefix_of_its_own_is_paired_too() -> None:
    plain = headers()["sd3-medium-dit-only"].model()
    both = {f"{first}{n}": t for first in ("net.", "net_ema.") for n, t in plain.items()}
    ema = identify(model_of(both)).ema
    assert (ema.present, ema.complete, len(ema.pairs)) == (True, True, len(plain))


# --- markers, junk, quantisation


@pytest.mark.parametrize(
    ("name", "markers"),
    [
        ("sdxl-vpred-ztsnr-fp16", {"v_pred", "ztsnr"}),
        ("flux1-dev-fp8-scaled", {"scaled_fp8"}),
        ("te-umt5-xxl-fp8-scaled", {"scaled_fp8", "spiece_model"}),
    ],
)
def test_markers_are_named_and_never_junk(name: str, markers: set[str]) -> None:
    identity = known(name)
    assert set(identity.markers) == markers
    assert not markers & {n for group in identity.junk for n in group.names}


def test_schedule_buffers_are_junk_one_of_them_only_where_it_holds_the_standard() -> None:
    groups = {group.group: group for group in known("sd15-full-ema-fp32").junk}
    assert groups["ldm-schedule"].prune
    assert "betas" in groups["ldm-schedule"].names
    assert set(groups["ldm-schedule"].safe_without) == {"a1111", "comfyui", "diffusers"}
    assert groups["ldm-alphas-cumprod"].names == ("alphas_cumprod",)
    assert groups["ldm-alphas-cumprod"].standard == {
        "first_beta": 0.00085, "last_beta": 0.012, "steps": 1000,
    }  # fmt: skip
    assert groups["ldm-schedule"].standard is None


def test_a_part_keeps_its_own_even_where_the_name_is_junk_elsewhere() -> None:
    identity = known("sdxl-base-fp16")
    clip_g = next(part for part in identity.parts if part.variant == "clip-g")
    assert "conditioner.embedders.1.model.logit_scale" in clip_g.names
    assert identity.junk == ()


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("flux1-dev-bf16", None), ("flux1-dev-fp8-e4m3", "fp8"), ("flux1-dev-fp8-e5m2", "fp8"),
        ("flux1-dev-fp8-scaled", "fp8-scaled"), ("flux1-dev-bnb-nf4", "bnb-nf4"),
        ("te-umt5-xxl-fp8-scaled", "fp8-scaled"),
    ],
)  # fmt: skip
def test_quantisation_is_named(name: str, scheme: str | None) -> None:
    identity = known(name)
    assert identity.quantization == scheme
    assert identity.parts[0].complete
    assert identity.parts[0].scaled is (scheme not in {None, "fp8"})


def test_whole_numbers_without_scales_are_no_weights_as_they_stand() -> None:
    model = headers()["vae-sdxl"].model()
    whole = {n: TensorInfo(n, WORDS["int8"], t.shape, t.data) for n, t in model.items()}
    part = identify(model_of(whole)).parts[0]
    assert (part.quantization, part.scaled) == ("int8", True)


def test_a_tensor_without_a_name_is_no_packed_weight() -> None:
    scale = "decoder.conv_in.scale_weight"
    nameless = TensorInfo("", WORDS["int8"], (3, 5), Bytes())
    identity = identify(model_of({**headers()["vae-sdxl"].model(), "": nameless, scale: (1,)}))
    assert identity.parts[0].parameters == known("vae-sdxl").parts[0].parameters + 15


def test_packed_weights_count_as_the_weights_they_hold() -> None:
    packed, plain = known("flux1-dev-bnb-nf4-unet").parts[0], known("flux1-dev-bf16").parts[0]
    assert packed.parameters == plain.parameters
