"""LoRAs in other dialects: every number as it was, there and back."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
import torch

from kanna.errors import Incompatible, UsageError
from kanna.identify import identify
from kanna.identify.adapter import PEFT_METADATA
from kanna.lora.modules import Module
from kanna.lora.writing import Spelled, named
from kanna.model import ModelFile, TensorInfo
from lora_files import file_of, modules, random, values
from model_headers import headers, known, model_of

LORAS = sorted(name for name, header in headers().items() if header.kind == "lora")
RANK, WIDTH = 2, 12


def respelled(made: Spelled) -> ModelFile:
    return model_of(made.tensors, metadata=made.metadata)


def by_layer(found: tuple[Module, ...]) -> dict[tuple[str, str], torch.Tensor]:
    return {
        (one.reach, one.key): one.scale
        * (values(one.pieces["up"]).flatten(1) @ values(one.pieces["down"]).flatten(1))
        for one in found
    }


def flux(path: str, height: int, seed: int, alpha: float | None = None) -> dict[str, torch.Tensor]:
    pieces = {
        f"lora_unet_{path}.lora_down.weight": random(RANK, WIDTH, seed=seed),
        f"lora_unet_{path}.lora_up.weight": random(height, RANK, seed=seed + 1),
    }
    return {**pieces, **({f"lora_unet_{path}.alpha": torch.tensor(alpha)} if alpha else {})}


def peft(path: str, height: int, seed: int, rank: int = RANK) -> dict[str, torch.Tensor]:
    return {
        f"transformer.{path}.lora_A.weight": random(rank, WIDTH, seed=seed),
        f"transformer.{path}.lora_B.weight": random(height, rank, seed=seed + 1),
    }


def same(one: Mapping[str, TensorInfo], other: Mapping[str, TensorInfo]) -> bool:
    return one.keys() == other.keys() and all(
        (t.dtype, t.shape, t.read()) == (other[n].dtype, other[n].shape, other[n].read())
        for n, t in one.items()
    )


@pytest.mark.parametrize("name", LORAS)
@pytest.mark.parametrize("dialect", ["kohya", "comfy"])
def test_real_files_have_a_place_in_both_worlds(name: str, dialect: str) -> None:
    file, identity = headers()[name].model(), known(name)
    if name == "lokr-flux-simpletuner":  # queries, keys and values are three layers to it
        with pytest.raises(Incompatible) as caught:
            named(modules(file), dialect, identity.architecture)
        assert caught.value.key == "lora.cannot_regroup"
        return
    made = respelled(named(modules(file), dialect, identity.architecture))
    found = identify(made)
    assert found.kind == "lora"
    assert identity.architecture in {found.architecture, *found.architecture_candidates}
    assert found.variant == identity.variant
    assert not found.unrecognised


def test_kohya_of_flux_comes_back_from_diffusers_bit_for_bit() -> None:
    tensors = {
        **flux("double_blocks_0_img_attn_qkv", 36, 1),
        **flux("single_blocks_1_linear1", 84, 3),
        **flux("single_blocks_1_linear2", 12, 5),
        **flux("final_layer_adaLN_modulation_1", 24, 7),
    }
    file = file_of(tensors)
    there = respelled(named(modules(file), "diffusers", "flux"))
    assert len(modules(there)) == 3 + 4 + 1 + 1
    assert there["transformer.norm_out.linear.lora_B.weight"].shape == (24, RANK)
    assert same(respelled(named(modules(there), "kohya", "flux")), file)


def test_shift_and_scale_change_places() -> None:
    file = file_of(flux("final_layer_adaLN_modulation_1", 24, 7))
    made = named(modules(file), "diffusers", "flux").tensors
    up = values(file["lora_unet_final_layer_adaLN_modulation_1.lora_up.weight"])
    turned = values(made["transformer.norm_out.linear.lora_B.weight"])
    assert torch.equal(turned, torch.cat([up[12:], up[:12]]))


def test_diffusers_of_flux_comes_back_from_kohya_bit_for_bit() -> None:
    """Each of the three has factors of its own: they stand along a diagonal in between."""
    words = ("to_q", "to_k", "to_v")
    tensors: dict[str, torch.Tensor] = {}
    for at, word in enumerate(words):
        tensors |= peft(f"transformer_blocks.0.attn.{word}", 12, 2 * at)
    file = file_of(tensors)
    there = respelled(named(modules(file), "kohya", "flux"))
    (fused,) = modules(there)
    parts = by_layer(modules(file))
    stacked = torch.cat([
        parts["diffusion_model", f"transformer_blocks_0_attn_{word}"] for word in words
    ])  # fmt: skip
    assert fused.rank == 3 * RANK
    assert torch.equal(by_layer((fused,))[fused.reach, fused.key], stacked)
    assert same(respelled(named(modules(there), "diffusers", "flux")), file)


def test_a_layer_that_was_not_trained_is_zeros() -> None:
    tensors = peft("single_transformer_blocks.0.attn.to_v", 12, 0)
    (fused,) = named(modules(file_of(tensors)), "kohya", "flux").modules
    made = by_layer((fused,))[fused.reach, fused.key]
    assert made.shape == (12 * 7, WIDTH)
    assert torch.equal(made[24:36], by_layer(modules(file_of(tensors)))[
        "diffusion_model", "single_transformer_blocks_0_attn_to_v"
    ])  # fmt: skip
    assert not made[:24].any()
    assert not made[36:].any()


def test_other_ranks_are_put_together_too_but_no_other_strengths() -> None:
    tensors = {**peft("transformer_blocks.0.attn.to_q", 12, 0),
               **peft("transformer_blocks.0.attn.to_k", 12, 2, rank=3)}  # fmt: skip
    (fused,) = named(modules(file_of(tensors)), "kohya", "flux").modules
    assert fused.rank == 5
    path = "transformer.transformer_blocks.0.attn.to_q.alpha"
    with pytest.raises(Incompatible) as caught:
        named(modules(file_of({**tensors, path: torch.tensor(1.0)})), "kohya", "flux")
    assert caught.value.key == "lora.cannot_regroup"


def test_sdxl_is_ldm_for_kohya_and_diffusers_for_diffusers() -> None:
    path = "down_blocks_1_attentions_0_transformer_blocks_1_attn2_to_k"
    file = file_of({
        f"lora_unet_{path}.lora_down.weight": random(RANK, WIDTH),
        f"lora_unet_{path}.lora_up.weight": random(8, RANK),
    })  # fmt: skip
    kohya = named(modules(file), "kohya", "sdxl").tensors
    assert next(iter(kohya)).startswith(
        "lora_unet_input_blocks_4_1_transformer_blocks_1_attn2_to_k."
    )
    diffusers = named(modules(file), "diffusers", "sdxl").tensors
    name = "unet.down_blocks.1.attentions.0.transformer_blocks.1.attn2.to_k.lora_A.weight"
    assert next(iter(diffusers)) == name


@pytest.mark.parametrize(
    ("architecture", "reach", "dialect", "start"),
    [
        ("sd1", "te", "kohya", "lora_te_"), ("sdxl", "te2", "kohya", "lora_te2_"),
        ("flux", "te1", "kohya", "lora_te1_"), ("sdxl", "te1", "diffusers", "text_encoder."),
        ("sdxl", "te2", "diffusers", "text_encoder_2."),
        ("sdxl", "te2", "comfy", "text_encoders.clip_g.transformer."),
        ("sd1", "te", "peft", "base_model.model."),
    ],
)  # fmt: skip
def test_text_encoders_have_names_in_every_dialect(
    architecture: str, reach: str, dialect: str, start: str
) -> None:
    path = f"lora_{reach}_text_model_encoder_layers_3_mlp_fc1"
    file = file_of({f"{path}.lora_down.weight": random(RANK, WIDTH),
                    f"{path}.lora_up.weight": random(8, RANK)})  # fmt: skip
    first = next(iter(named(modules(file), dialect, architecture).tensors))
    assert first.startswith(start + "text_model")


def test_t5_is_the_third_for_kohya_and_the_second_for_diffusers() -> None:
    path = "lora_te3_encoder_block_0_layer_0_SelfAttention_q"
    file = file_of({f"{path}.lora_down.weight": random(RANK, WIDTH),
                    f"{path}.lora_up.weight": random(8, RANK)})  # fmt: skip
    there = named(modules(file), "diffusers", "flux")
    assert next(iter(there.tensors)).startswith(
        "text_encoder_2.encoder.block.0.layer.0.SelfAttention.q"
    )
    assert same(named(modules(respelled(there)), "kohya", "flux").tensors, file)


def test_alpha_becomes_peft_settings_and_comes_back() -> None:
    tensors = {**flux("single_blocks_0_linear2", 12, 1, 1.0), **flux("img_in", 12, 3, 4.0),
               **flux("txt_in", 12, 5, 1.0)}  # fmt: skip
    file = file_of(tensors)
    there = respelled(named(modules(file), "diffusers", "flux"))
    settings = json.loads(there.metadata[PEFT_METADATA])
    assert settings["transformer.r"] == RANK
    assert settings["transformer.lora_alpha"] == 1
    assert settings["transformer.alpha_pattern"] == {"^x_embedder": 4}
    assert settings["transformer.target_modules"] == sorted(
        ["single_transformer_blocks.0.proj_out", "x_embedder", "context_embedder"]
    )
    assert same(respelled(named(modules(there), "kohya", "flux")), file)


@pytest.mark.parametrize("dialect", ["comfy", "kohya"])
def test_magnitudes_are_flat_for_peft_only(dialect: str) -> None:
    path = "single_blocks_0_linear2"
    scale = {f"lora_unet_{path}.dora_scale": random(12, 1, seed=9)}
    file = file_of({**flux(path, 12, 1), **scale})
    there = named(modules(file), "diffusers", "flux")
    (magnitude,) = (t for n, t in there.tensors.items() if n.endswith("lora_magnitude_vector"))
    assert magnitude.shape == (12,)
    back = named(modules(respelled(there)), dialect, "flux").tensors
    (again,) = (tensor for name, tensor in back.items() if name.endswith("dora_scale"))
    assert again.shape == (12, 1)
    assert again.read() == magnitude.read()


def test_magnitudes_by_input_have_no_form_in_peft() -> None:
    path = "single_blocks_0_linear2"
    scale = {f"lora_unet_{path}.dora_scale": random(1, WIDTH, seed=9)}
    with pytest.raises(Incompatible) as caught:
        named(modules(file_of({**flux(path, 12, 1), **scale})), "diffusers", "flux")
    assert caught.value.key == "lora.no_form"


@pytest.mark.parametrize(
    ("tensors", "dialect", "architecture", "key"),
    [
        (flux("no_such_layer", 12, 1), "kohya", "flux", "lora.no_such_layer"),
        (flux("img_in", 12, 1), "kohya", None, "lora.base_unknown"),
        ({"lora_unet_img_in.diff": random(12, WIDTH)}, "diffusers", "flux", "lora.no_form"),
        ({**flux("img_in", 12, 1),
          "lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": random(2, 4),
          "lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_up.weight": random(4, 2)},
         "peft", "flux", "lora.one_part"),
    ],
)  # fmt: skip
def test_what_cannot_be_spelled_is_refused(
    tensors: dict[str, torch.Tensor], dialect: str, architecture: str | None, key: str
) -> None:
    with pytest.raises(Incompatible) as caught:
        named(modules(file_of(tensors)), dialect, architecture)
    assert caught.value.key == key


def test_there_is_no_dialect_of_everything() -> None:
    with pytest.raises(UsageError) as caught:
        named(modules(file_of(flux("img_in", 12, 1))), "latin", "flux")
    assert caught.value.key == "lora.no_such_dialect"
