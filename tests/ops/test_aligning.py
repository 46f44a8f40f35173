"""A model's tensors under the names of another: prefixes, layouts, old spellings, quantised parts."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from kanna.errors import Incompatible
from kanna.identify import identify
from kanna.identity import Identity
from kanna.model import ModelFile
from kanna.ops.aligning import Aligned, aligned, kinds, pairs
from kanna.ops.dequantise import plain_parts
from merge_files import header, held, numbers
from model_headers import headers, in_blocks, known

UNET = "model.diffusion_model."
# What one layout has and another has not.
ONE_SIDED = ("position_ids", "y_embedder.y_embedding")
CLIP = "cond_stage_model.transformer."


def both(lead: str, other: str) -> tuple[tuple[ModelFile, Identity], tuple[ModelFile, Identity]]:
    one, two = headers()[lead].model(), headers()[other].model()
    return (one, known(lead)), (two, known(other))


def matched(found: Aligned) -> set[str]:
    return {
        "+".join(sorted(map(str, kinds(pair.lead)))) if pair.lead.role == "text_encoder" else pair.lead.role
        for pair in found.pairs
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lead", "other", "parts"),
    [
        ("sdxl-base-fp16", "sdxl-finetune-fp16", {"diffusion_model", "vae", "clip-l", "clip-g"}),
        ("sdxl-base-fp16", "sdxl-unet-only-fp16", {"diffusion_model"}),
        ("sdxl-base-fp16", "sdxl-unet-diffusers-f16", {"diffusion_model"}),
        ("sdxl-unet-diffusers-f16", "sdxl-base-fp16", {"diffusion_model"}),
        ("sd15-fp16-pruned", "sd15-unet-diffusers-f16", {"diffusion_model"}),
        ("sd15-unet-diffusers-f16", "sd15-fp16-pruned", {"diffusion_model"}),
        ("sd15-fp16-pruned", "sd1-nai-fp32-ckpt", {"diffusion_model", "vae", "clip-l"}),
        ("sd1-nai-fp32-ckpt", "sd15-fp16-pruned", {"diffusion_model", "vae", "clip-l"}),
        ("flux1-dev-bf16-aio", "flux1-dev-bf16", {"diffusion_model"}),
        ("flux1-dev-bf16", "flux1-dev-diffusers-bf16", {"diffusion_model"}),
        ("flux1-dev-diffusers-bf16", "flux1-dev-bf16-aio", {"diffusion_model"}),
        ("sd3-medium-incl-clips-t5xxlfp16", "sd3-medium-incl-clips",
         {"diffusion_model", "vae", "clip-l", "clip-g"}),
        ("sd35-large", "sd35-large-dit-bare", {"diffusion_model"}),
        ("sana-1600m-orig-st-bf16", "sana-1600m-diffusers-bf16", {"diffusion_model"}),
    ],
)  # fmt: skip
def test_parts_meet_whatever_their_prefix_and_layout(
    lead: str, other: str, parts: set[str]
) -> None:
    one, two = both(lead, other)
    found = aligned(one, two)
    assert matched(found) == parts
    assert found.strangers == ()
    wanted = {name for pair in found.pairs for name in pair.lead.names}
    lacking = {name for name in wanted - found.tensors.keys() if name in one[0]}
    assert not {name for name in lacking if not name.endswith(ONE_SIDED)}
    assert all(found.tensors[name].shape == one[0][name].shape for name in found.tensors)


def test_joined_weights_are_the_very_same_numbers() -> None:
    """FLUX's query, key and value are one tensor in one layout and three in the other."""
    lead, other = headers()["flux1-dev-bf16"].model(), header("flux1-dev-diffusers-bf16", 3)
    found = aligned((lead, known("flux1-dev-bf16")), (other, known("flux1-dev-diffusers-bf16")))
    words = ("norm_q", "norm_k")
    query, key = (other[f"transformer_blocks.0.attn.{word}.weight"] for word in words)
    name = "double_blocks.0.img_attn.norm.query_norm.scale"
    assert torch.equal(numbers(found.tensors[name]), numbers(query))
    assert torch.equal(numbers(found.tensors[name.replace("query", "key")]), numbers(key))
    biases = [numbers(other[f"transformer_blocks.0.attn.to_{word}.bias"]) for word in "qkv"]
    joined = found.tensors["double_blocks.0.img_attn.qkv.bias"]
    assert torch.equal(numbers(joined), torch.cat(biases))
    halves = numbers(other["norm_out.linear.bias"]).chunk(2)
    swapped = found.tensors["final_layer.adaLN_modulation.1.bias"]
    assert torch.equal(numbers(swapped), torch.cat(halves[::-1]))


def test_old_spellings_meet_the_standard_ones() -> None:
    one, two = both("sd15-fp16-pruned", "sd1-nai-fp32-ckpt")
    new = f"{CLIP}text_model.embeddings.token_embedding.weight"
    old = f"{CLIP}embeddings.token_embedding.weight"
    assert aligned(one, two).tensors[new].data is two[0][old].data
    assert aligned(two, one).tensors[old].data is one[0][new].data


def test_encoders_of_other_kinds_do_not_meet() -> None:
    one, two = both("te-clip-l-fp16", "sdxl-refiner-fp16")
    assert [pair.lead.role for pair in pairs(one[1], two[1])] == []
    one, two = both("sdxl-base-fp16", "te-clip-l-fp16")
    assert [pair.lead.variant for pair in pairs(one[1], two[1])] == ["clip-l"]


def test_scaled_numbers_meet_as_plain_ones() -> None:
    lead = headers()["flux1-dev-bf16"].model()
    packed, identity = headers()["flux1-dev-fp8-scaled"].model(), known("flux1-dev-fp8-scaled")
    plain = plain_parts(packed, identity, identity.parts)
    found = aligned((lead, known("flux1-dev-bf16")), plain)
    assert found.tensors.keys() == lead.tensors.keys()
    assert found.strangers == ()
    assert {one.dtype.word for one in found.tensors.values()} <= {"fp32", "bf16"}


def test_blocks_of_a_gguf_meet_as_plain_numbers() -> None:
    lead = headers()["flux1-dev-bf16"].model()
    packed = replace(lead, tensors={n: in_blocks(t) for n, t in lead.items()}, container="gguf")
    identity = identify(packed)
    found = aligned((lead, known("flux1-dev-bf16")), plain_parts(packed, identity, identity.parts))
    assert found.tensors.keys() == lead.tensors.keys()
    assert "q8_0" not in {one.dtype.word for one in found.tensors.values()}


def test_a_matrix_stands_for_a_convolution_of_one() -> None:
    lead = headers()["sd15-fp16-pruned"].model()
    name = "first_stage_model.encoder.mid.attn_1.q.weight"
    flat = replace(lead[name], shape=lead[name].shape[:2])
    other = replace(lead, tensors={**lead.tensors, name: flat})
    found = aligned((lead, known("sd15-fp16-pruned")), (other, identify(other)))
    assert found.tensors[name].shape == lead[name].shape


def test_tensors_that_the_lead_has_no_place_for_are_named() -> None:
    lead, other = both("flux1-schnell-bf16", "flux1-dev-bf16")
    found = aligned(lead, other)
    assert sorted(found.strangers) == [
        "guidance_in.in_layer.bias", "guidance_in.in_layer.weight",
        "guidance_in.out_layer.bias", "guidance_in.out_layer.weight",
    ]  # fmt: skip
    lead, other = both("sd15-fp16-no-posids", "sd15-fp16-pruned")
    assert aligned(lead, other).strangers == ()  # position ids are no loss


def test_unknown_models_meet_by_name() -> None:
    one = held({"a.weight": torch.zeros(3, 2), "b.weight": torch.zeros(4)})
    two = held({"a.weight": torch.ones(3, 2), "c.weight": torch.zeros(4)})
    found = aligned((one, identify(one)), (two, identify(two)))
    assert list(found.tensors) == ["a.weight"]
    assert found.strangers == ("c.weight",)


def test_a_layout_without_a_table_is_refused() -> None:
    one, two = both("kandinsky5-lite-image-bf16", "kandinsky5-lite-image-bf16")
    part = replace(two[1].parts[0], layout="some-other")
    strange = replace(two[1], parts=(part,))
    with pytest.raises(Incompatible) as refused:
        aligned(one, (two[0], strange))
    assert refused.value.key == "merge.layouts"
