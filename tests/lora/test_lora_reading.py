"""Every dialect read: its modules, their alphas, and the weights that they change."""

from __future__ import annotations

import json
from math import sqrt

import pytest
import torch

from kanna.errors import Incompatible
from kanna.identify.adapter import PEFT_METADATA
from kanna.lora.deltas import adds_to_weight
from kanna.lora.modules import Module
from kanna.lora.places import places_of
from kanna.lora.reading import read
from kanna.lora.sizes import size_of
from kanna.lora.targets import needs_of, targets
from lora_files import file_of, modules, random
from model_headers import headers, known

LORAS = sorted(name for name, header in headers().items() if header.kind == "lora")
MODELS = {
    "sd1": ("sd1-nai-fp32-ckpt", "sd15-unet-diffusers-f16"),
    "sd2": ("sd21-768v-fp32", "sd2-unet-diffusers-f32"),
    "sdxl": ("sdxl-base-fp16", "sdxl-unet-diffusers-f16"),
    "flux": ("flux1-dev-bf16", "flux1-dev-diffusers-bf16"),
}
PAIRS = [(lora, model) for lora in LORAS for model in MODELS[headers()[lora].architecture]]


@pytest.mark.parametrize("name", LORAS)
def test_nothing_in_a_real_file_is_a_mystery(name: str) -> None:
    file = headers()[name].model()
    found = modules(file, known(name))
    assert read(file).strangers == ()
    held = sum(len(one.pieces) + (one.stored_alpha is not None) for one in found)
    assert held == len(file)
    wanted = headers()[name].variant.replace("lcm-lora", "lora")
    assert {one.kind for one in found} == {wanted}


@pytest.mark.parametrize(("lora", "model"), PAIRS)
def test_every_layer_is_found_in_every_layout(lora: str, model: str) -> None:
    """And each has the size of the weights, or of the rows of weights, that it is said to change."""
    file, identity = headers()[model].model(), known(model)
    found = targets(modules(headers()[lora].model()), places_of(identity), needs_of(identity))
    roles = {part.role for part in identity.parts}
    assert not found.lost
    assert bool(found.homeless) == ("te" in {m.reach[:2] for m in found.homeless})
    assert not found.homeless or "text_encoder" not in roles
    for target in found.found:
        assert adds_to_weight(target.module)
        rows = width = 0
        for slot in target.weights:
            shape = file[slot.tensor].shape
            begin, end, shares = slot.rows
            rows += shape[0] * (end - begin) // shares
            width = file[slot.tensor].numel // shape[0]
        assert size_of(target.module) == (rows, width), target.module.name


def test_the_text_encoder_of_sd2_is_one_tensor_for_three_layers() -> None:
    name = "sd21-768v-fp32"
    found = targets(modules(headers()["lora-kohya-sd2-r32"].model()), places_of(known(name)),
                    needs_of(known(name)))  # fmt: skip
    slots = {
        target.module.path.rpartition("attn_")[2]: target.weights[0]
        for target in found.found
        if target.module.path.startswith("text_model_encoder_layers_7_self_attn_")
    }
    fused = "cond_stage_model.model.transformer.resblocks.7.attn.in_proj_weight"
    assert [slots[word].tensor for word in ("q_proj", "k_proj", "v_proj")] == [fused] * 3
    assert [slots[word].rows for word in ("q_proj", "k_proj", "v_proj")] == [
        (0, 1, 3), (1, 2, 3), (2, 3, 3),
    ]  # fmt: skip


def _only(tensors: dict[str, torch.Tensor], **metadata: str) -> Module:
    (module,) = modules(file_of(tensors, metadata=metadata))
    return module


UP, DOWN = random(8, 4), random(4, 6)


@pytest.mark.parametrize(
    ("down", "up", "reach", "key"),
    [
        ("lora_unet_a_b_0.lora_down.weight", "lora_unet_a_b_0.lora_up.weight", "diffusion_model",
         "a_b_0"),
        ("lora_te2_a_b.lora_down.weight", "lora_te2_a_b.lora_up.weight", "te2", "a_b"),
        ("unet.a.b.0.lora_A.weight", "unet.a.b.0.lora_B.weight", "diffusion_model", "a_b_0"),
        ("unet.a.b.lora_A.default.weight", "unet.a.b.lora_B.default.weight", "diffusion_model",
         "a_b"),
        ("base_model.model.a.b.lora_A.weight", "base_model.model.a.b.lora_B.weight",
         "diffusion_model", "a_b"),
        ("transformer.a.b.lora_A.weight", "transformer.a.b.lora_B.weight", "diffusion_model",
         "a_b"),
        ("text_encoder_2.a.b.lora_A.weight", "text_encoder_2.a.b.lora_B.weight", "te2", "a_b"),
        ("text_encoder.a.b.lora_linear_layer.down.weight",
         "text_encoder.a.b.lora_linear_layer.up.weight", "te", "a_b"),
        ("unet.a.attn1.processor.to_q_lora.down.weight",
         "unet.a.attn1.processor.to_q_lora.up.weight", "diffusion_model", "a_attn1_to_q"),
        ("a.attn1.processor.to_out_lora.down.weight", "a.attn1.processor.to_out_lora.up.weight",
         "diffusion_model", "a_attn1_to_out_0"),
        ("double_blocks.3.processor.qkv_lora2.down.weight",
         "double_blocks.3.processor.qkv_lora2.up.weight", "diffusion_model",
         "double_blocks_3_txt_attn_qkv"),
        ("diffusion_model.a.b.lora_down.weight", "diffusion_model.a.b.lora_up.weight",
         "diffusion_model", "a_b"),
        ("text_encoders.clip_g.transformer.a.b.lora_down.weight",
         "text_encoders.clip_g.transformer.a.b.lora_up.weight", "te2", "a_b"),
        ("lycoris_a_b.lora_down.weight", "lycoris_a_b.lora_up.weight", "diffusion_model", "a_b"),
        ("lora_transformer_a_b.lora_down.weight", "lora_transformer_a_b.lora_up.weight",
         "diffusion_model", "a_b"),
    ],
)  # fmt: skip
def test_dialects_say_the_same(down: str, up: str, reach: str, key: str) -> None:
    module = _only({down: DOWN, up: UP})
    assert (module.kind, module.reach, module.key) == ("lora", reach, key)
    assert (module.rank, module.alpha, module.scale) == (4, None, 1.0)
    assert module.pieces["down"].shape == (4, 6)


def test_alpha_is_a_tensor_of_the_module() -> None:
    pieces = {"lora_unet_a.lora_down.weight": DOWN, "lora_unet_a.lora_up.weight": UP}
    module = _only({**pieces, "lora_unet_a.alpha": torch.tensor(2.0)})
    assert (module.alpha, module.scale) == (2.0, 0.5)


@pytest.mark.parametrize(
    ("settings", "scale"),
    [
        ({"unet.r": 4, "unet.lora_alpha": 2}, 0.5),
        ({"r": 4, "lora_alpha": 8}, 2.0),
        ({"unet.lora_alpha": 2, "unet.alpha_pattern": {"a.b": 12}}, 3.0),
        ({"unet.lora_alpha": 2, "unet.alpha_pattern": {"^a.b": 12, "xa.b": 1}}, 3.0),
        ({"unet.lora_alpha": 4, "unet.use_rslora": True}, 2.0),
        ({"transformer.lora_alpha": 2}, 1.0),
        ({"lora_alpha": "much"}, 1.0),
        (["lora_alpha"], 1.0),
    ],
)
def test_peft_says_alpha_in_its_settings(settings: object, scale: float) -> None:
    tensors = {"unet.a.b.lora_A.weight": DOWN, "unet.a.b.lora_B.weight": UP}
    module = _only(tensors, **{PEFT_METADATA: json.dumps(settings)})
    assert module.scale == pytest.approx(scale)
    assert sqrt(module.rank or 0) == 2


@pytest.mark.parametrize(
    "stranger",
    [
        "unet.a.b.lora_C.weight",
        "something",
        "bundle_emb.cat.string_to_param",
        "unet.c.lora_A.weight",
    ],
)
def test_what_is_not_understood_is_refused_by_name(stranger: str) -> None:
    tensors = {"unet.a.b.lora_A.weight": DOWN, "unet.a.b.lora_B.weight": UP, stranger: DOWN}
    file = file_of(tensors)
    with pytest.raises(Incompatible) as caught:
        modules(file)
    assert caught.value.key == "lora.unknown_tensors"
    assert caught.value.values["name"] == stranger
    found = read(file, skip_unknown=True)
    assert len(found.modules) == 1
    assert found.strangers == (stranger,)


def test_the_same_piece_twice_is_not_dropped_silently() -> None:
    tensors = {
        "unet.a.lora_A.weight": DOWN,
        "unet.a.lora_B.weight": UP,
        "unet.a.lora_down.weight": DOWN,
    }
    assert len(read(file_of(tensors), skip_unknown=True).strangers) == 1


def test_a_file_of_something_else_is_no_lora() -> None:
    with pytest.raises(Incompatible) as caught:
        modules(headers()["sd15-fp16-pruned"].model(), known("sd15-fp16-pruned"))
    assert caught.value.key == "lora.no_lora"
    with pytest.raises(Incompatible) as caught:
        modules(file_of({}))
    assert caught.value.key == "lora.no_modules"
