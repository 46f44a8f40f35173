"""Diffusion transformers between their layouts: names, shapes, and where every number goes.

Names and shapes of both layouts are those of published files and of the families' key lists. Where
the numbers go is what diffusers' own conversions say, on the names and heights of published files
with one number to a row; that nothing is missing or too much is what diffusers' models say.
"""

from __future__ import annotations

import gzip
import json
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

import pytest
import torch

from kanna.dtypes import FP32
from kanna.errors import Incompatible
from kanna.families import tables
from kanna.families.key_maps import layouts_of, table_of
from kanna.families.keys import expand_lines, fits
from kanna.identify import identify
from kanna.model import TensorInfo
from kanna.ops.relayout import Relaid, relayout
from model_headers import Bytes, headers, model_of, shapes_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import diffusers
    from diffusers.loaders import single_file_utils

# What it has is not typed.
theirs: Any = single_file_utils
LDM = "model.diffusion_model."
DATA = Path(__file__).parent / "data" / "parts.json.gz"
Shape: TypeAlias = tuple[int, ...]
Shapes: TypeAlias = Mapping[str, Shape]
State: TypeAlias = dict[str, torch.Tensor]
Converter: TypeAlias = Callable[[State], State]


def keys(family: str, *lists: str) -> dict[str, Any]:
    """Names and shape rules of key lists of `family`."""
    known = tables()["families"][family]["keys"]
    lines = [line for name in lists for line in known[name].splitlines() if line]
    return dict(expand_lines(lines))


def one_of(rules: Mapping[str, Any]) -> dict[str, Shape]:
    """The first shape that each rule allows; where any will do, that of a model that has it."""
    return {
        name: tuple(size if isinstance(size, int) else (size or (48,))[0] for size in rule or (1,))
        for name, rule in rules.items()
    }


@cache
def built(part: str) -> Shapes:
    """Names and shapes that diffusers builds from a published configuration."""
    with gzip.open(DATA) as stream:
        return one_of(dict(expand_lines(json.load(stream)[part]["tensors"])))


def blank(shapes: Shapes) -> dict[str, TensorInfo]:
    return {name: TensorInfo(name, FP32, shape, Bytes()) for name, shape in shapes.items()}


def shapes(relaid: Relaid) -> dict[str, Shape]:
    return {name: tensor.shape for name, tensor in relaid.tensors.items()}


# What the original has and diffusers does not keep: empty prompts and what can be computed.
SANA_REST = {"pos_embed", "y_embedder.y_embedding"}
WITH_GUIDANCE = ("diffusers", "diffusers-guidance")
PUBLISHED: list[tuple[str, str, str, str, str, tuple[str, ...], set[str]]] = [
    ("sd3-medium", LDM, "dit-sd3", "ldm", "sd3", ("diffusers-medium",), set()),
    ("sd3-medium-dit-only", "", "dit-sd3", "ldm", "sd3", ("diffusers-medium",), set()),
    ("sd35-medium", LDM, "dit-sd3", "ldm", "sd3", ("diffusers-35-medium",), set()),
    ("sd35-large", LDM, "dit-sd3", "ldm", "sd3", ("diffusers-35-large",), set()),
    ("flux1-dev-bf16", "", "dit-flux", "bfl", "flux", WITH_GUIDANCE, set()),
    ("flux1-fill-dev-bf16", "", "dit-flux", "bfl", "flux", WITH_GUIDANCE, set()),
    ("flux1-canny-dev-bf16", "", "dit-flux", "bfl", "flux", WITH_GUIDANCE, set()),
    ("flux1-schnell-bf16", "", "dit-flux", "bfl", "flux", ("diffusers",), set()),
    ("flux2-dev-bf16", "", "dit-flux2", "bfl", "flux2", ("diffusers-dev",), set()),
    ("flux2-klein-4b-bf16", "", "dit-flux2", "bfl", "flux2", ("diffusers-klein-4b",), set()),
    ("chroma-bf16", "", "dit-chroma", "bfl", "chroma", ("diffusers",), set()),
    ("auraflow-v02-dit", "model.", "dit-auraflow", "ldm", "auraflow", ("diffusers",), set()),
    ("auraflow-v03-dit", "model.", "dit-auraflow", "ldm", "auraflow", ("diffusers",), set()),
    ("sana-1600m-orig-fp32", "", "dit-sana", "ldm", "sana", ("diffusers-1600m",), SANA_REST),
    ("sana-600m-orig-fp32", "", "dit-sana", "ldm", "sana", ("diffusers-600m",), SANA_REST),
    ("pixart-alpha-1024-ms", "", "dit-pixart", "original", "pixart", ("diffusers", "diffusers-alpha"), {"y_embedder.y_embedding"}),
    ("z-image-turbo-bf16", "", "dit-z-image", "original", "z-image", ("diffusers", "pads"), set()),
    ("lumina2-dit-bf16", "", "dit-lumina2", "original", "lumina2", ("diffusers",), set()),
    ("wan21-t2v-1.3b-fp16", "", "dit-wan", "original", "wan", ("diffusers-1.3b",), set()),
    ("wan21-t2v-14b-fp16", "", "dit-wan", "original", "wan", ("diffusers-14b",), set()),
    ("wan22-t2v-high-noise-14b-fp16", "", "dit-wan", "original", "wan", ("diffusers-14b",), set()),
    ("hunyuan-video-t2v-bf16", "", "dit-hunyuan-video", "comfyui", "hunyuan-video", WITH_GUIDANCE, set()),
    ("hunyuan-video-t2v-orig-bf16", "", "dit-hunyuan-video", "original", "hunyuan-video", WITH_GUIDANCE, set()),
    ("hunyuandit-v10-dit", "", "dit-hunyuandit", "original", "hunyuandit", ("diffusers", "diffusers-style"), set()),
    ("ltxv-2b-bf16-dit", LDM, "dit-ltxv", "original", "ltxv", ("diffusers-2b",), set()),
    ("cosmos1-7b-t2w-bf16", "net.", "dit-cosmos", "original", "cosmos", ("diffusers-7b",), set()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "prefix", "table", "layout", "family", "lists", "dropped"),
    PUBLISHED,
    ids=[case[0] for case in PUBLISHED],
)
def test_published_files_get_the_names_and_shapes_of_diffusers_and_back(
    file: str,
    prefix: str,
    table: str,
    layout: str,
    family: str,
    lists: tuple[str, ...],
    dropped: set[str],
) -> None:
    here = shapes_of(file, prefix)
    there = relayout(blank(here), table, source=layout, target="diffusers")
    assert set(there.unmapped) == dropped
    rules = keys(family, *lists)
    made = shapes(there)
    assert set(made) == set(rules)
    assert [n for n, shape in made.items() if not fits(shape, rules[n])] == []
    back = relayout(there.tensors, table, source="diffusers", target=layout)
    assert back.unmapped == ()
    assert shapes(back) == {n: s for n, s in here.items() if n not in dropped}


@pytest.mark.parametrize(
    ("original", "published", "table", "layout"),
    [
        ("flux1-dev-bf16", "flux1-dev-diffusers-bf16", "dit-flux", "bfl"),
        ("sana-1600m-orig-fp32", "sana-1600m-diffusers-bf16", "dit-sana", "ldm"),
    ],
)
def test_files_that_are_published_in_both_forms(
    original: str, published: str, table: str, layout: str
) -> None:
    there = relayout(blank(shapes_of(original)), table, source=layout, target="diffusers")
    assert shapes(there) == shapes_of(published)


# Files that only one side is published of, as the key lists or diffusers' models have them.
@pytest.mark.parametrize(
    ("table", "source", "here", "target", "there"),
    [
        ("dit-wan", "original", keys("wan", "14b", "14b-image", "positions"), "diffusers", keys("wan", "diffusers-14b", "diffusers-14b-image", "diffusers-positions")),
        ("dit-wan", "original", keys("wan", "5b"), "diffusers", keys("wan", "diffusers-5b")),
        ("dit-mochi", "original", keys("mochi", "original"), "diffusers", keys("mochi", "diffusers")),
        ("dit-ltxv", "original", keys("ltxv", "13b"), "diffusers", keys("ltxv", "diffusers-13b")),
        ("dit-flux2", "bfl", keys("flux2", "bfl-klein-9b"), "diffusers", keys("flux2", "diffusers-klein-9b")),
        ("dit-cosmos", "original", keys("cosmos", "14b"), "diffusers", keys("cosmos", "diffusers-14b")),
        ("dit-cosmos-predict2", "original", keys("cosmos-predict2", "2b"), "diffusers", keys("cosmos-predict2", "diffusers-2b")),
        ("dit-cosmos-predict2", "original", keys("cosmos-predict2", "14b"), "diffusers", keys("cosmos-predict2", "diffusers-14b")),
        ("dit-hunyuan-video", "original", keys("hunyuan-video", "original"), "comfyui", keys("hunyuan-video", "comfyui")),
        ("dit-stable-cascade-c", "original", keys("stable-cascade", "c", "c-fused"), "comfyui", keys("stable-cascade", "c", "c-split")),
        ("dit-stable-cascade-c", "original", keys("stable-cascade", "c-lite", "c-lite-fused"), "comfyui", keys("stable-cascade", "c-lite", "c-lite-split")),
        ("dit-stable-cascade-b", "original", keys("stable-cascade", "b", "b-fused"), "comfyui", keys("stable-cascade", "b", "b-split")),
    ],
)  # fmt: skip
def test_known_lists_become_each_other(
    table: str, source: str, here: Mapping[str, Any], target: str, there: Mapping[str, Any]
) -> None:
    made = relayout(blank(one_of(here)), table, source=source, target=target)
    assert made.unmapped == ()
    assert set(made.tensors) == set(there)
    assert [n for n, shape in shapes(made).items() if not fits(shape, there[n])] == []
    back = relayout(made.tensors, table, source=target, target=source)
    assert shapes(back) == one_of(here)


def thin(shapes: Shapes) -> State:
    """Tensors with one number to a row, all numbers different, under the names of `shapes`."""
    made: State = {}
    start = 0
    for name, shape in shapes.items():
        rows = shape[0]
        made[name] = (
            torch.arange(start, start + rows).float().reshape(rows, *[1] * (len(shape) - 1))
        )
        start += rows
    assert start < 2**24
    return made


def infos(state: State) -> dict[str, TensorInfo]:
    return {
        name: TensorInfo(name, FP32, tuple(tensor.shape), Bytes(tensor.numpy().tobytes()))
        for name, tensor in state.items()
    }


def read(tensor: TensorInfo) -> torch.Tensor:
    out = bytearray(tensor.nbytes)
    tensor.data.read_into(0, memoryview(out))
    return torch.frombuffer(out, dtype=torch.float32).reshape(tensor.shape)


def relaid(state: State, table: str, source: str, target: str) -> State:
    made = relayout(infos(state), table, source=source, target=target)
    return {name: read(tensor) for name, tensor in made.tensors.items()}


def assert_same(first: State, second: State) -> None:
    assert set(first) == set(second)
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


class Kept(dict[str, Any]):
    """A state dict that stays whole: diffusers 0.42 looks for Cosmos 1 where it has emptied it."""

    def pop(self, name: str) -> Any:  # type: ignore[override]
        return self[name]


def cosmos(state: State) -> State:
    prefixed = Kept({f"net.{name}": tensor for name, tensor in state.items()})
    converted: State = theirs.convert_cosmos_transformer_checkpoint_to_diffusers(prefixed)
    return converted


VALUES: list[tuple[str, str, Shapes | str, Converter]] = [
    ("dit-sd3", "ldm", f"{LDM} sd3-medium", theirs.convert_sd3_transformer_checkpoint_to_diffusers),
    ("dit-sd3", "ldm", f"{LDM} sd35-medium", theirs.convert_sd3_transformer_checkpoint_to_diffusers),
    ("dit-sd3", "ldm", f"{LDM} sd35-large", theirs.convert_sd3_transformer_checkpoint_to_diffusers),
    ("dit-flux", "bfl", " flux1-dev-bf16", theirs.convert_flux_transformer_checkpoint_to_diffusers),
    ("dit-flux2", "bfl", " flux2-dev-bf16", theirs.convert_flux2_transformer_checkpoint_to_diffusers),
    ("dit-chroma", "bfl", " chroma-bf16", theirs.convert_chroma_transformer_checkpoint_to_diffusers),
    ("dit-auraflow", "ldm", "model. auraflow-v02-dit", theirs.convert_auraflow_transformer_checkpoint_to_diffusers),
    ("dit-sana", "ldm", " sana-1600m-orig-fp32", theirs.convert_sana_transformer_to_diffusers),
    ("dit-z-image", "original", " z-image-turbo-bf16", theirs.convert_z_image_transformer_checkpoint_to_diffusers),
    ("dit-lumina2", "original", " lumina2-dit-bf16", theirs.convert_lumina2_to_diffusers),
    ("dit-wan", "original", " wan21-t2v-1.3b-fp16", theirs.convert_wan_transformer_to_diffusers),
    ("dit-wan", "original", one_of(keys("wan", "14b", "14b-image")), theirs.convert_wan_transformer_to_diffusers),
    ("dit-hunyuan-video", "original", " hunyuan-video-t2v-orig-bf16", theirs.convert_hunyuan_video_transformer_to_diffusers),
    ("dit-ltxv", "original", f"{LDM} ltxv-2b-bf16-dit", theirs.convert_ltx_transformer_checkpoint_to_diffusers),
    ("dit-cosmos", "original", "net. cosmos1-7b-t2w-bf16", cosmos),
    ("dit-cosmos-predict2", "original", one_of(keys("cosmos-predict2", "2b")), cosmos),
    ("dit-stable-cascade-c", "original", one_of(keys("stable-cascade", "c", "c-fused")), theirs.convert_stable_cascade_unet_single_file_to_diffusers),
    ("dit-stable-cascade-b", "original", one_of(keys("stable-cascade", "b", "b-fused")), theirs.convert_stable_cascade_unet_single_file_to_diffusers),
]  # fmt: skip


@pytest.mark.parametrize(("table", "layout", "what", "convert"), VALUES)
def test_every_number_goes_where_diffusers_puts_it_and_back(
    table: str, layout: str, what: Shapes | str, convert: Converter
) -> None:
    if isinstance(what, str):
        prefix, _, file = what.partition(" ")
        what = shapes_of(file, prefix)
    state = thin(what)
    there = relaid(state, table, layout, "diffusers")
    assert_same(there, convert({**state}))
    dropped = state.keys() & SANA_REST if table == "dit-sana" else set()
    back = relaid(there, table, "diffusers", layout)
    assert_same(back, {name: tensor for name, tensor in state.items() if name not in dropped})


@pytest.mark.parametrize(
    ("table", "layout", "there", "convert"),
    [
        ("dit-mochi", "original", one_of(keys("mochi", "diffusers")), theirs.convert_mochi_transformer_checkpoint_to_diffusers),
        ("dit-wan", "original", built("wan-vace"), theirs.convert_wan_transformer_to_diffusers),
    ],
)  # fmt: skip
def test_diffusers_understands_what_was_made_of_its_own_models(
    table: str, layout: str, there: Shapes, convert: Converter
) -> None:
    state = thin(there)
    assert_same(state, convert(relaid(state, table, "diffusers", layout)))


def test_the_three_layouts_of_hunyuan_video_hold_the_same_numbers() -> None:
    table, here = "dit-hunyuan-video", thin(shapes_of("hunyuan-video-t2v-orig-bf16"))
    comfyui = relaid(here, table, "original", "comfyui")
    assert shapes_of("hunyuan-video-t2v-bf16") == shapes(
        relayout(
            blank(shapes_of("hunyuan-video-t2v-orig-bf16")),
            table,
            source="original",
            target="comfyui",
        )
    )
    assert_same(
        relaid(comfyui, table, "comfyui", "diffusers"), relaid(here, table, "original", "diffusers")
    )
    # Only diffusers has the last scale before the shift.
    name = "final_layer.adaLN_modulation.1.weight"
    assert torch.equal(comfyui[name], here[name])


@pytest.mark.parametrize(
    ("file", "table"),
    [
        ("flux1-dev-bf16", "dit-flux"),
        ("flux2-dev-bf16", "dit-flux2"),
        ("chroma-bf16", "dit-chroma"),
    ],
)
def test_norms_are_read_under_either_name(file: str, table: str) -> None:
    here = thin(shapes_of(file))
    comfyui = {
        name.removesuffix(".scale") + ".weight" if name.endswith(".scale") else name: tensor
        for name, tensor in here.items()
    }
    assert comfyui.keys() != here.keys()
    there = relaid(comfyui, table, "bfl", "diffusers")
    assert_same(there, relaid(here, table, "bfl", "diffusers"))
    assert_same(relaid(there, table, "diffusers", "bfl"), here)


# diffusers has no conversion of these two: where the numbers go is what the papers of both say.
def test_pixart_splits_queries_keys_and_values_in_their_order() -> None:
    here = thin(shapes_of("pixart-alpha-1024-ms"))
    there = relaid(here, "dit-pixart", "original", "diffusers")
    block, attention = "transformer_blocks.27", here["blocks.27.attn.qkv.weight"]
    for place, word in enumerate("qkv"):
        part = attention[1152 * place : 1152 * (place + 1)]
        assert torch.equal(there[f"{block}.attn1.to_{word}.weight"], part)
    cross = here["blocks.27.cross_attn.kv_linear.bias"]
    assert torch.equal(there[f"{block}.attn2.to_k.bias"], cross[:1152])
    assert torch.equal(there[f"{block}.attn2.to_v.bias"], cross[1152:])
    sizes, ratios = "resolution_embedder.linear_2.bias", "aspect_ratio_embedder.linear_2.bias"
    assert torch.equal(there[f"adaln_single.emb.{sizes}"], here["csize_embedder.mlp.2.bias"])
    assert torch.equal(there[f"adaln_single.emb.{ratios}"], here["ar_embedder.mlp.2.bias"])


def test_hunyuandit_swaps_two_norms_and_the_last_modulation() -> None:
    here = thin(shapes_of("hunyuandit-v10-dit"))
    there = relaid(here, "dit-hunyuandit", "original", "diffusers")
    assert torch.equal(there["blocks.39.norm2.weight"], here["blocks.39.norm3.weight"])
    assert torch.equal(there["blocks.39.norm3.bias"], here["blocks.39.norm2.bias"])
    shift, scale = here["final_layer.adaLN_modulation.1.bias"].chunk(2)
    assert torch.equal(there["norm_out.linear.bias"], torch.cat([scale, shift]))
    queries, keys_, values = here["blocks.0.attn1.Wqkv.bias"].chunk(3)
    assert torch.equal(there["blocks.0.attn1.to_q.bias"], queries)
    assert torch.equal(there["blocks.0.attn1.to_k.bias"], keys_)
    assert torch.equal(there["blocks.0.attn1.to_v.bias"], values)
    assert torch.equal(
        there["blocks.0.attn2.to_k.bias"], here["blocks.0.attn2.kv_proj.bias"][:1408]
    )


def test_comfyui_and_diffusers_split_the_attention_of_cascade_alike() -> None:
    here = thin(one_of(keys("stable-cascade", "c-lite", "c-lite-fused")))
    table = "dit-stable-cascade-c"
    comfyui = relaid(here, table, "original", "comfyui")
    there = relaid(here, table, "original", "diffusers")
    assert_same(relaid(comfyui, table, "comfyui", "diffusers"), there)
    for word in ("to_q", "to_k", "to_v"):
        name = f"up_blocks.0.2.attention.attn.{word}.weight"
        assert torch.equal(comfyui[name], there[name.replace("attn.", "")])


def test_sana_sprint_has_other_names_for_the_time() -> None:
    state = thin(built("sana-sprint"))
    original = relaid(state, "dit-sana-sprint", "diffusers", "ldm")
    assert torch.equal(
        original["cfg_embedder.mlp.2.bias"], state["time_embed.guidance_embedder.linear_2.bias"]
    )
    assert torch.equal(
        original["t_embedder.mlp.2.bias"], state["time_embed.timestep_embedder.linear_2.bias"]
    )
    assert_same(relaid(original, "dit-sana-sprint", "ldm", "diffusers"), state)


SMALL = {"num_attention_heads": 2, "attention_head_dim": 8}
# The smallest models that have every part of their architecture.
TINY: list[tuple[str, str, str, dict[str, Any]]] = [
    ("dit-sd3", "ldm", "SD3Transformer2DModel", {**SMALL, "num_layers": 3, "joint_attention_dim": 8, "caption_projection_dim": 16, "pooled_projection_dim": 8, "pos_embed_max_size": 4, "sample_size": 8, "dual_attention_layers": (0, 1), "qk_norm": "rms_norm"}),
    ("dit-flux", "bfl", "FluxTransformer2DModel", {**SMALL, "num_layers": 2, "num_single_layers": 3, "in_channels": 4, "joint_attention_dim": 8, "pooled_projection_dim": 8, "guidance_embeds": True, "axes_dims_rope": (4, 2, 2)}),
    ("dit-flux2", "bfl", "Flux2Transformer2DModel", {**SMALL, "num_layers": 2, "num_single_layers": 3, "in_channels": 4, "joint_attention_dim": 8, "axes_dims_rope": (2, 2, 2, 2)}),
    ("dit-chroma", "bfl", "ChromaTransformer2DModel", {**SMALL, "num_layers": 2, "num_single_layers": 3, "in_channels": 4, "joint_attention_dim": 8, "approximator_num_channels": 8, "approximator_hidden_dim": 8, "approximator_layers": 2, "axes_dims_rope": (4, 2, 2)}),
    ("dit-auraflow", "ldm", "AuraFlowTransformer2DModel", {**SMALL, "num_mmdit_layers": 2, "num_single_dit_layers": 3, "joint_attention_dim": 8, "caption_projection_dim": 16, "pos_embed_max_size": 4, "sample_size": 8}),
    ("dit-sana", "ldm", "SanaTransformer2DModel", {**SMALL, "num_layers": 2, "num_cross_attention_heads": 2, "cross_attention_head_dim": 8, "cross_attention_dim": 16, "caption_channels": 8, "in_channels": 4, "out_channels": 4, "qk_norm": "rms_norm_across_heads"}),
    ("dit-sana-sprint", "ldm", "SanaTransformer2DModel", {**SMALL, "num_layers": 2, "num_cross_attention_heads": 2, "cross_attention_head_dim": 8, "cross_attention_dim": 16, "caption_channels": 8, "in_channels": 4, "out_channels": 4, "qk_norm": "rms_norm_across_heads", "guidance_embeds": True}),
    ("dit-pixart", "original", "PixArtTransformer2DModel", {**SMALL, "num_layers": 2, "cross_attention_dim": 16, "caption_channels": 8, "sample_size": 8, "norm_num_groups": 1, "use_additional_conditions": True}),
    ("dit-z-image", "original", "ZImageTransformer2DModel", {"in_channels": 4, "dim": 32, "n_layers": 3, "n_refiner_layers": 2, "n_heads": 2, "n_kv_heads": 2, "cap_feat_dim": 8, "siglip_feat_dim": 8, "axes_dims": [8, 4, 4]}),
    ("dit-lumina2", "original", "Lumina2Transformer2DModel", {"in_channels": 4, "hidden_size": 24, "num_layers": 3, "num_refiner_layers": 2, "num_attention_heads": 3, "num_kv_heads": 1, "multiple_of": 8, "cap_feat_dim": 8, "axes_dim_rope": (4, 2, 2)}),
    ("dit-wan", "original", "WanTransformer3DModel", {**SMALL, "num_layers": 2, "in_channels": 4, "text_dim": 8, "freq_dim": 8, "ffn_dim": 16, "image_dim": 8, "added_kv_proj_dim": 16, "pos_embed_seq_len": 3}),
    ("dit-wan", "original", "WanVACETransformer3DModel", {**SMALL, "num_layers": 3, "in_channels": 4, "text_dim": 8, "freq_dim": 8, "ffn_dim": 16, "vace_layers": [0, 2], "vace_in_channels": 4}),
    ("dit-hunyuan-video", "original", "HunyuanVideoTransformer3DModel", {**SMALL, "num_layers": 2, "num_single_layers": 3, "in_channels": 4, "text_embed_dim": 8, "pooled_projection_dim": 8, "rope_axes_dim": (4, 2, 2)}),
    ("dit-hunyuan-video", "comfyui", "HunyuanVideoTransformer3DModel", {**SMALL, "num_layers": 2, "num_single_layers": 3, "in_channels": 4, "text_embed_dim": 8, "pooled_projection_dim": 8, "guidance_embeds": False, "rope_axes_dim": (4, 2, 2)}),
    ("dit-hunyuandit", "original", "HunyuanDiT2DModel", {**SMALL, "num_layers": 4, "in_channels": 4, "patch_size": 2, "hidden_size": 16, "sample_size": 8, "cross_attention_dim": 8, "cross_attention_dim_t5": 8, "pooled_projection_dim": 8}),
    ("dit-ltxv", "original", "LTXVideoTransformer3DModel", {**SMALL, "num_layers": 2, "in_channels": 4, "out_channels": 4, "cross_attention_dim": 16, "caption_channels": 8}),
    ("dit-mochi", "original", "MochiTransformer3DModel", {**SMALL, "num_layers": 3, "pooled_projection_dim": 8, "text_embed_dim": 8, "time_embed_dim": 8}),
    ("dit-cosmos", "original", "CosmosTransformer3DModel", {"num_attention_heads": 2, "attention_head_dim": 16, "num_layers": 2, "text_embed_dim": 8, "adaln_lora_dim": 4, "max_size": (2, 4, 4)}),
    ("dit-cosmos-predict2", "original", "CosmosTransformer3DModel", {"num_attention_heads": 2, "attention_head_dim": 16, "num_layers": 2, "text_embed_dim": 8, "adaln_lora_dim": 4, "max_size": (2, 4, 4), "extra_pos_embed_type": None}),
    ("controlnet-flux", "xlabs", "FluxControlNetModel", {**SMALL, "num_layers": 2, "num_single_layers": 0, "in_channels": 4, "joint_attention_dim": 8, "pooled_projection_dim": 8, "guidance_embeds": True, "axes_dims_rope": [4, 2, 2], "conditioning_embedding_channels": 16}),
    ("controlnet-sd35", "original", "SD3ControlNetModel", {**SMALL, "num_layers": 2, "in_channels": 4, "joint_attention_dim": None, "caption_projection_dim": 16, "pooled_projection_dim": 8, "pos_embed_max_size": None, "pos_embed_type": None, "use_pos_embed": False, "force_zeros_for_pooled_projection": False}),
    ("dit-stable-cascade-c", "original", "StableCascadeUNet", {"conditioning_dim": 8, "block_out_channels": (8, 8), "num_attention_heads": (1, 1), "down_num_layers_per_block": (1, 2), "up_num_layers_per_block": (2, 1), "clip_text_in_channels": 8, "clip_text_pooled_in_channels": 8, "clip_image_in_channels": 8, "switch_level": (False,)}),
    ("dit-stable-cascade-b", "comfyui", "StableCascadeUNet", {"conditioning_dim": 8, "block_out_channels": (8, 8), "num_attention_heads": (0, 1), "down_num_layers_per_block": (1, 2), "up_num_layers_per_block": (2, 1), "down_blocks_repeat_mappers": (1, 1), "up_blocks_repeat_mappers": (3, 2), "block_types_per_layer": (("SDCascadeResBlock", "SDCascadeTimestepBlock"), ("SDCascadeResBlock", "SDCascadeTimestepBlock", "SDCascadeAttnBlock")), "clip_text_pooled_in_channels": 8, "effnet_in_channels": 4, "pixel_mapper_in_channels": 3, "timestep_conditioning_type": ("sca",)}),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:.FluxPosEmbed. is deprecated:FutureWarning")
@pytest.mark.parametrize(
    ("table", "layout", "model", "config"), TINY, ids=[f"{case[0]} {case[2]}" for case in TINY]
)
def test_diffusers_models_load_what_went_to_the_original_and_back(
    table: str, layout: str, model: str, config: dict[str, Any]
) -> None:
    torch.manual_seed(0)
    made = getattr(diffusers, model)(**config).float()
    state = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    original = relayout(infos(state), table, source="diffusers", target=layout)
    assert original.unmapped == ()
    back = relayout(original.tensors, table, source=layout, target="diffusers")
    assert back.unmapped == ()
    read_back = {name: read(tensor) for name, tensor in back.tensors.items()}
    assert_same(read_back, state)
    made.load_state_dict(read_back, strict=True)


@pytest.mark.parametrize("case", PUBLISHED, ids=[case[0] for case in PUBLISHED])
def test_the_table_is_found_by_what_a_file_is(case: tuple[Any, ...]) -> None:
    file, _, table, layout, *_ = case
    identity = identify(headers()[file].model())
    part = next(part for part in identity.parts if part.role == "diffusion_model")
    assert (table_of(part), part.layout) == (table, layout)
    assert {layout, "diffusers"} <= {*layouts_of(table)}


@pytest.mark.parametrize(
    ("shapes", "table"),
    [
        (one_of(keys("hunyuan-video", "diffusers", "diffusers-guidance")), "dit-hunyuan-video"),
        # Another model with the same name, which would be mapped in part.
        (one_of(keys("hunyuan-video", "diffusers-1.5")), None),
        (built("sana-sprint"), "dit-sana-sprint"),
        (one_of(keys("sana", "diffusers-15-1600m-blocks", "diffusers-15-1600m")), "dit-sana"),
        (one_of(keys("stable-cascade", "b", "b-split")), "dit-stable-cascade-b"),
        (one_of(keys("stable-cascade", "c-lite", "c-lite-fused")), "dit-stable-cascade-c"),
        (one_of(keys("flux", "diffusers")), "dit-flux"),
    ],
)
def test_the_table_of_a_variant(shapes: Shapes, table: str | None) -> None:
    (part,) = identify(model_of(shapes)).parts
    assert table_of(part) == table


def test_a_model_that_is_its_own_diffusers_form_needs_no_table() -> None:
    part = SimpleNamespace(
        role="diffusion_model", architecture="qwen-image", architecture_candidates=(),
        variant=None, layout="diffusers", component="qwen-image",
    )  # fmt: skip
    assert table_of(part) is None


def test_half_of_an_attention_is_refused() -> None:
    here = shapes_of("flux1-dev-diffusers-bf16")
    here.pop("transformer_blocks.7.attn.to_k.weight")
    with pytest.raises(Incompatible):
        relayout(blank(here), "dit-flux", source="diffusers", target="bfl")


def test_rows_that_do_not_share_as_the_model_does_are_refused() -> None:
    here = {**shapes_of("flux1-dev-bf16"), "single_blocks.3.linear1.weight": (21503, 3072)}
    with pytest.raises(Incompatible):
        relayout(blank(here), "dit-flux", source="bfl", target="diffusers")
