"""SDXL's second text encoder in OpenCLIP's layout, where three projections are one tensor."""

from __future__ import annotations

import pytest
import torch

from kanna.ops.lora_extract import extract, prepare
from kanna.ops.lora_extract_options import ExtractOptions
from kanna.ops.merge_inputs import Opened
from lora_files import file_of, random, values
from lora_pairs import Tensors, added_to, lora_of, opened, part

WIDTH, HIDDEN = 16, 24
WORDS = ("q_proj", "k_proj", "v_proj")
HF, OPEN = "text_encoder_2.", "te2."
LAYER, BLOCK = "text_model.encoder.layers.0.", "transformer.resblocks.0."
# What the layers of one block are called in each layout, beside the three that are joined.
NAMES = {
    "self_attn.out_proj": "attn.out_proj",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}
SHAPES = {
    **{f"self_attn.{word}": (WIDTH, WIDTH) for word in (*WORDS, "out_proj")},
    "mlp.fc1": (HIDDEN, WIDTH),
    "mlp.fc2": (WIDTH, HIDDEN),
}


def hf(seed: int) -> dict[str, torch.Tensor]:
    """A block as transformers names it."""
    made: dict[str, torch.Tensor] = {}
    for at, (layer, shape) in enumerate(SHAPES.items()):
        made[f"{HF}{LAYER}{layer}.weight"] = random(*shape, seed=seed + at)
        made[f"{HF}{LAYER}{layer}.bias"] = random(shape[0], seed=seed + at + 50)
    return made


def openclip(tensors: Tensors) -> dict[str, torch.Tensor]:
    """The same block as OpenCLIP names it, by hand."""
    made = {}
    for end, joined in (("weight", "in_proj_weight"), ("bias", "in_proj_bias")):
        three = [tensors[f"{HF}{LAYER}self_attn.{word}.{end}"] for word in WORDS]
        made[f"{OPEN}{BLOCK}attn.{joined}"] = torch.cat(three)
        for one, other in NAMES.items():
            made[f"{OPEN}{BLOCK}{other}.{end}"] = tensors[f"{HF}{LAYER}{one}.{end}"]
    return made


def model(tensors: Tensors, layout: str) -> Opened:
    prefix = HF if layout == "hf" else OPEN
    return opened(file_of(tensors), "sdxl",
                  part("text_encoder", prefix, tensors, variant="clip-g", layout=layout,
                       component=f"clip-g-{layout}"))  # fmt: skip


def kohya(*layers: str) -> dict[str, torch.Tensor]:
    """A LoRA of these layers, as kohya's trainers name them."""
    made: dict[str, torch.Tensor] = {}
    for at, layer in enumerate(layers):
        stem = "lora_te2_" + f"{LAYER}{layer}".replace(".", "_")
        rows, columns = SHAPES[layer]
        made[f"{stem}.lora_up.weight"] = random(rows, 3, seed=900 + at)
        made[f"{stem}.lora_down.weight"] = random(3, columns, seed=950 + at)
        made[f"{stem}.alpha"] = torch.tensor(1.5)
    return made


@pytest.mark.parametrize(
    "layers", [tuple(SHAPES), ("self_attn.k_proj",), ("self_attn.v_proj", "mlp.fc2")]
)
def test_a_bake_is_the_same_in_both_layouts(layers: tuple[str, ...]) -> None:
    base = hf(1)
    lora = opened(file_of(kohya(*layers)), "sdxl", kind="lora")
    here = added_to(model(base, "hf"), lora)
    there = added_to(model(openclip(base), "openclip"), lora)
    nothing = {name: torch.zeros_like(one) for name, one in base.items()}
    expected = openclip(nothing | here)
    assert here
    assert set(there) == {name for name, one in expected.items() if one.any()}
    for name, one in there.items():
        assert torch.allclose(one, expected[name], atol=1e-6), name


@pytest.mark.parametrize(("ours", "theirs"), [("hf", "openclip"), ("openclip", "hf")])
def test_a_lora_is_extracted_across_layouts(ours: str, theirs: str) -> None:
    base, tuned = hf(1), hf(300)
    sides = {"hf": (tuned, base), "openclip": (openclip(tuned), openclip(base))}
    one, other = model(sides[ours][0], ours), model(sides[theirs][1], theirs)
    done = extract(prepare(one, other, ExtractOptions(rank=WIDTH, dtype="fp32")))
    made = {output.name: values(output.inputs[0]) for output in done.plan.outputs}
    for layer in SHAPES:
        stem = "lora_te2_" + f"{LAYER}{layer}".replace(".", "_")
        product = made[f"{stem}.lora_up.weight"] @ made[f"{stem}.lora_down.weight"]
        name = f"{HF}{LAYER}{layer}.weight"
        assert torch.allclose(product, tuned[name] - base[name], atol=1e-4), layer
    baked = added_to(model(base, "hf"), lora_of(done.plan, "sdxl"))
    assert set(baked) == {name for name in base if name.endswith("weight")}
