"""LoRAs over models: which numbers of which tensors change, in every layout."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

from kanna.errors import Incompatible
from kanna.identity import Identity
from kanna.lora.baking import baked, deltas
from kanna.merging.terms import Sum, Term, combined
from kanna.model import ModelFile
from lora_files import file_of, identity_of, random, total
from model_headers import headers, known

WIDTH = 12


def bfl() -> dict[str, torch.Tensor]:
    """A FLUX of one block of each kind, with the names of its makers."""
    return {
        "img_in.weight": random(WIDTH, 4, seed=1),
        "double_blocks.0.img_attn.qkv.weight": random(36, WIDTH, seed=2),
        "double_blocks.0.img_attn.qkv.bias": random(36, seed=3),
        "single_blocks.0.linear1.weight": random(84, WIDTH, seed=4),
        "single_blocks.0.linear2.weight": random(WIDTH, 60, seed=5),
        "final_layer.adaLN_modulation.1.weight": random(24, WIDTH, seed=6),
    }


def diffusers() -> dict[str, torch.Tensor]:
    """The same model as diffusers has it."""
    own = bfl()
    q, k, v = own["double_blocks.0.img_attn.qkv.weight"].chunk(3)
    bias = own["double_blocks.0.img_attn.qkv.bias"].chunk(3)
    sq, sk, sv, mlp = torch.split(own["single_blocks.0.linear1.weight"], [12, 12, 12, 48])
    shift, scale = own["final_layer.adaLN_modulation.1.weight"].chunk(2)
    double, single = "transformer_blocks.0.attn.", "single_transformer_blocks.0."
    return {
        "x_embedder.weight": own["img_in.weight"],
        f"{double}to_q.weight": q, f"{double}to_k.weight": k, f"{double}to_v.weight": v,
        f"{double}to_q.bias": bias[0], f"{double}to_k.bias": bias[1], f"{double}to_v.bias": bias[2],
        f"{single}attn.to_q.weight": sq, f"{single}attn.to_k.weight": sk,
        f"{single}attn.to_v.weight": sv, f"{single}proj_mlp.weight": mlp,
        f"{single}proj_out.weight": own["single_blocks.0.linear2.weight"],
        "norm_out.linear.weight": torch.cat([scale, shift]),
    }  # fmt: skip


def opened(tensors: Mapping[str, torch.Tensor], layout: str) -> tuple[ModelFile, Identity]:
    file = file_of(
        {f"model.{name}": one for name, one in tensors.items()}, path="model.safetensors"
    )
    return file, identity_of(file, [("diffusion_model", "model.", layout)], "flux")


def bake(
    lora: Mapping[str, torch.Tensor], tensors: Mapping[str, torch.Tensor], layout: str,
    strength: float = 1.0, *, skip_unknown: bool = False,
) -> dict[str, torch.Tensor]:  # fmt: skip
    """What becomes of a model's tensors."""
    file, identity = opened(tensors, layout)
    found = deltas(file_of(lora), _lora(), file, identity, skip_unknown=skip_unknown)
    made = {}
    for name, tensor in file.items():
        terms: list[tuple[Sum, float]] = [((Term(tensor),), 1.0)]
        if name in found:
            terms.append((found[name].adds(tensor, strength), 1.0))
        made[name.removeprefix("model.")] = total(combined(terms))
    return made


def _lora(architecture: str = "flux") -> Identity:
    made = identity_of(file_of({}), [], architecture)
    return Identity(path="lora.safetensors", size=0, container="safetensors", kind="lora",
                    architecture=made.architecture, certainty="certain")  # fmt: skip


def lora(path: str, height: int, width: int = WIDTH, *, seed: int = 50) -> dict[str, torch.Tensor]:
    return {f"{path}.lora_A.weight": random(2, width, seed=seed),
            f"{path}.lora_B.weight": random(height, 2, seed=seed + 1)}  # fmt: skip


def product(pieces: Mapping[str, torch.Tensor]) -> torch.Tensor:
    down, up = pieces.values()
    return up @ down


def test_queries_keys_and_values_are_rows_of_a_fused_weight() -> None:
    own = lora("transformer.transformer_blocks.0.attn.to_k", 12)
    made = bake(own, bfl(), "bfl", 0.5)
    expected = bfl()["double_blocks.0.img_attn.qkv.weight"]
    expected[12:24] += 0.5 * product(own)
    assert torch.allclose(made["double_blocks.0.img_attn.qkv.weight"], expected, atol=1e-6)
    assert torch.equal(made["img_in.weight"], bfl()["img_in.weight"])


def test_all_four_parts_of_a_single_block_meet_in_one_weight() -> None:
    start = "transformer.single_transformer_blocks.0."
    parts = [lora(f"{start}attn.to_q", 12, seed=60), lora(f"{start}attn.to_k", 12, seed=62),
             lora(f"{start}attn.to_v", 12, seed=64), lora(f"{start}proj_mlp", 48, seed=66)]  # fmt: skip
    own = {name: tensor for part in parts for name, tensor in part.items()}
    made = bake(own, bfl(), "bfl")["single_blocks.0.linear1.weight"]
    expected = bfl()["single_blocks.0.linear1.weight"] + torch.cat([product(p) for p in parts])
    assert torch.allclose(made, expected, atol=1e-6)


@pytest.mark.parametrize(
    "path",
    ["double_blocks.0.img_attn.qkv", "single_blocks.0.linear1", "final_layer.adaLN_modulation.1"],
)
def test_a_model_in_another_layout_gets_the_same(path: str) -> None:
    """What is added to a fused weight is added to its parts, halves that change places included."""
    own = lora(f"diffusion_model.{path}", bfl()[f"{path}.weight"].shape[0])
    one, other = bake(own, bfl(), "bfl"), bake(own, diffusers(), "diffusers")
    whole = one[f"{path}.weight"]
    double, single = "transformer_blocks.0.attn.to_", "single_transformer_blocks.0."
    parts = {
        "double_blocks.0.img_attn.qkv": [f"{double}{word}" for word in "qkv"],
        "single_blocks.0.linear1": [*(f"{single}attn.to_{word}" for word in "qkv"), f"{single}proj_mlp"],
        "final_layer.adaLN_modulation.1": ["norm_out.linear"],
    }[path]  # fmt: skip
    met = torch.cat([other[f"{name}.weight"] for name in parts])
    if path.startswith("final"):
        met = torch.cat(met.chunk(2)[::-1])
    assert torch.allclose(met, whole, atol=1e-6)
    assert not torch.allclose(whole, bfl()[f"{path}.weight"])


@pytest.mark.parametrize("kind", ["dora", "loha", "lokr", "full", "bias"])
def test_other_kinds_go_to_rows_and_to_parts_as_well(kind: str) -> None:
    path = "double_blocks.0.img_attn.qkv"
    ends = {
        "dora": {"lora_up.weight": random(36, 2, seed=70), "lora_down.weight": random(2, 12, seed=71),
                 "dora_scale": random(36, 1, seed=72)},
        "loha": {"hada_w1_a": random(36, 2, seed=70), "hada_w1_b": random(2, 12, seed=71),
                 "hada_w2_a": random(36, 2, seed=72), "hada_w2_b": random(2, 12, seed=73)},
        "lokr": {"lokr_w1": random(4, 3, seed=70), "lokr_w2": random(9, 4, seed=71)},
        "full": {"diff": random(36, 12, seed=70)},
        "bias": {"diff_b": random(36, seed=70)},
    }[kind]  # fmt: skip
    own = {f"lora_unet_{path.replace('.', '_')}.{end}": one for end, one in ends.items()}
    word = "bias" if kind == "bias" else "weight"
    whole = bake(own, bfl(), "bfl", 0.7)[f"{path}.{word}"]
    parts = bake(own, diffusers(), "diffusers", 0.7)
    met = torch.cat([parts[f"transformer_blocks.0.attn.to_{one}.{word}"] for one in "qkv"])
    assert torch.allclose(met, whole, atol=1e-5)
    assert not torch.allclose(whole, bfl()[f"{path}.{word}"], atol=0.01)


def test_magnitudes_by_input_need_the_whole_layer() -> None:
    path = "lora_unet_double_blocks_0_img_attn_qkv"
    own = {f"{path}.lora_up.weight": random(36, 2), f"{path}.lora_down.weight": random(2, 12),
           f"{path}.dora_scale": random(1, 12)}  # fmt: skip
    bake(own, bfl(), "bfl")
    with pytest.raises(Incompatible) as caught:
        bake(own, diffusers(), "diffusers")
    assert caught.value.key == "lora.needs_all_rows"


def test_one_layer_named_twice_is_changed_twice() -> None:
    one = lora("transformer.transformer_blocks.0.attn.to_k", 12)
    other = lora("diffusion_model.double_blocks.0.img_attn.qkv", 36, seed=80)
    made = bake({**one, **other}, bfl(), "bfl")["double_blocks.0.img_attn.qkv.weight"]
    expected = bfl()["double_blocks.0.img_attn.qkv.weight"] + product(other)
    expected[12:24] += product(one)
    assert torch.allclose(made, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("own", "key"),
    [
        (lora("transformer.transformer_blocks.0.attn.to_k", 13), "lora.unfit"),
        (lora("transformer.no_such_layer", 12), "lora.all_lost"),
        ({**lora("transformer.x_embedder", 12, 4), **lora("transformer.other", 12)},
         "lora.some_lost"),
        ({"transformer.x_embedder.diff_b": random(12)}, "lora.no_bias"),
        ({**lora("transformer.x_embedder", 12, 4), "transformer.x_embedder.diff_b": random(12)},
         "lora.no_bias"),
    ],
)  # fmt: skip
def test_what_has_no_place_is_refused(own: dict[str, torch.Tensor], key: str) -> None:
    with pytest.raises(Incompatible) as caught:
        bake(own, bfl(), "bfl")
    assert caught.value.key == key


def test_what_has_no_place_is_left_out_where_that_is_asked_for() -> None:
    own = {**lora("transformer.x_embedder", 12, 4), **lora("transformer.other", 12),
           "something": random(3)}  # fmt: skip
    made = bake(own, bfl(), "bfl", skip_unknown=True)
    assert not torch.allclose(made["img_in.weight"], bfl()["img_in.weight"])
    file, identity = opened(bfl(), "bfl")
    notes = baked(file_of(own), _lora(), file, identity, skip_unknown=True).notes
    assert [note.key for note in notes] == [
        "lora.alpha_assumed", "lora.layers_skipped", "lora.tensors_skipped",
    ]  # fmt: skip


def test_a_text_encoder_that_is_elsewhere_is_told() -> None:
    own = {**lora("transformer.x_embedder", 12, 4),
           **lora("text_encoder.text_model.encoder.layers.0.mlp.fc1", 8)}  # fmt: skip
    file, identity = opened(bfl(), "bfl")
    made = baked(file_of(own), _lora(), file, identity)
    assert [note.key for note in made.notes] == ["lora.alpha_assumed", "lora.part_absent"]
    assert list(made.deltas) == ["model.img_in.weight"]


@pytest.mark.parametrize(
    ("name", "model"),
    [("lora-kohya-sd1-r128", "sdxl-base-fp16"), ("lora-peft-flux-r16", "sd15-fp16-pruned"),
     ("lora-lcm-sdxl-r64", "flux1-dev-bf16")],
)  # fmt: skip
def test_loras_of_other_architectures_are_refused_by_their_headers(name: str, model: str) -> None:
    with pytest.raises(Incompatible) as caught:
        deltas(headers()[name].model(), known(name), headers()[model].model(), known(model))
    assert caught.value.key == "lora.other_architecture"
    assert caught.value.exit_code == 13


def test_which_deltas_are_a_text_encoders() -> None:
    lora_name, model = "lora-kohya-sd1-r4-noalpha", "sd15-fp16-pruned"
    found = deltas(headers()[lora_name].model(), known(lora_name), headers()[model].model(),
                   known(model))  # fmt: skip
    assert len(found) == 264
    assert {name.partition(".")[0] for name, one in found.items() if one.encoder} == {
        "cond_stage_model"
    }
