from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from math import prod

import pytest

from kanna.dtypes import WORDS, DType
from kanna.families import component, family, row_called, tables
from kanna.families.keys import expand_lines
from kanna.families.pages import about
from kanna.formats.ggml_types import GGML_TYPES
from kanna.identify import identify
from kanna.identity import Identity
from kanna.model import TensorInfo
from model_headers import Bytes, headers, keys, known, model_of, shapes_of

QWEN = ("base", "2512", "edit", "edit-2509", "edit-2511")
Z = ("turbo", "base", "edit")
# Header: its row, its variants, what it needs.
REAL: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "flux2-dev-bf16": ("flux2-dev", ("dev",), ("vae", "mistral-small-3")),
    "flux2-klein-4b-bf16": ("flux2-klein4b", ("klein-4b", "klein-4b-base"), ("vae", "qwen3-4b")),
    "chroma-bf16": ("chroma", ("chroma", "hd", "flash"), ("vae", "t5xxl")),
    "hidream-i1-full-fp16": (
        "hidream-i1", ("i1-full", "i1-dev", "i1-fast", "e1"),
        ("vae", "long-clip-l", "clip-g", "t5xxl", "llama-3.1-8b"),
    ),
    "qwen-image-bf16": ("qwen-image", QWEN, ("vae", "qwen2.5-vl-7b")),
    "qwen-image-fp8-e4m3": ("qwen-image", QWEN, ("vae", "qwen2.5-vl-7b")),
    "z-image-turbo-bf16": ("z-image", Z, ("vae", "qwen3-4b")),
    "lumina2-dit-bf16": ("lumina2", ("2.0",), ("vae", "gemma-2-2b")),
    "kandinsky5-lite-image-bf16": (
        "kandinsky5", ("image-lite",), ("vae", "clip-l", "qwen2.5-vl-7b"),
    ),
}  # fmt: skip
FAMILIES = [
    "flux2", "chroma", "ovis-image", "longcat-image", "bria-fibo", "hidream", "hidream-o1",
    "qwen-image", "z-image", "lumina2", "lumina-next", "newbie", "omnigen2", "boogu", "kandinsky5",
    "kandinsky5-video", "hunyuan3d",
]  # fmt: skip

Tensors = Mapping[str, TensorInfo]
Made = dict[str, "TensorInfo | tuple[int, ...]"]


@pytest.mark.parametrize("name", REAL)
def test_a_real_file_is_its_family_with_all_honest_variants_and_complete(name: str) -> None:
    row, variants, needs = REAL[name]
    identity = known(name)
    assert (identity.kind, identity.certainty) == ("diffusion_model", "certain")
    assert identity.architecture == headers()[name].architecture
    assert identity.variant_candidates == variants
    assert identity.needs == needs
    assert identity.missing_parts == needs
    assert identity.prediction is not None
    assert (identity.prediction.type, identity.prediction.certainty) == ("flow", "certain")
    assert len(identity.parts) == 1
    part = identity.parts[0]
    assert (part.component, part.complete, part.unexpected) == (row, True, ())
    assert identity.unrecognised == ()


@pytest.mark.parametrize("name", REAL)
def test_a_key_list_has_the_names_of_the_real_file_and_no_others(name: str) -> None:
    assert row_called(REAL[name][0]).required.keys() == shapes_of(name).keys()


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("share", [0.9, 0.5, 0.2])
def test_a_damaged_file_is_still_its_family_and_never_certain(name: str, share: float) -> None:
    chance = random.Random(f"{name} {share}")
    kept = [key for key in headers()[name].tensors if chance.random() < share]
    identity = identify(headers()[name].model(kept))
    assert identity.architecture == headers()[name].architecture
    assert identity.certainty == "likely"


def parameters(row: str) -> int:
    return sum(
        prod(size if isinstance(size, int) else (size or [0])[0] for size in rule or ())
        for rule in row_called(row).required.values()
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("flux2-dev", "flux2-dev-diffusers"), ("flux2-klein9b", "flux2-klein9b-diffusers"),
        ("flux2-klein4b", "flux2-klein4b-diffusers"), ("chroma", "chroma-diffusers"),
        ("z-image", "z-image-diffusers"), ("lumina2", "lumina2-diffusers"),
    ],
)  # fmt: skip
def test_a_model_has_as_many_parameters_in_either_layout(one: str, other: str) -> None:
    assert parameters(one) == parameters(other)


# Billions that the makers publish, and tensors that diffusers' own files have.
def test_lists_without_a_header_have_the_published_sizes() -> None:
    assert parameters("flux2-klein9b") / 1e9 == pytest.approx(9.08, abs=0.005)
    assert len(row_called("z-image-diffusers").required) == 521


def packed(name: str, shape: tuple[int, ...], word: str) -> TensorInfo:
    return TensorInfo(name, WORDS[word], shape, Bytes())


def matrices(tensors: Tensors) -> Iterable[str]:
    return [name for name, t in tensors.items() if len(t.shape) == 2 and name.endswith(".weight")]


def cast(tensors: Tensors) -> Made:
    return {name: packed(name, t.shape, "fp8_e4m3") for name, t in tensors.items()}


def old_scaled(tensors: Tensors) -> Made:
    made: Made = {**tensors, "scaled_fp8": (0,)}
    for name in matrices(tensors):
        made[name] = packed(name, tensors[name].shape, "fp8_e4m3")
        made[f"{name.removesuffix('weight')}scale_weight"] = ()
    return made


def new_scaled(tensors: Tensors) -> Made:
    made: Made = dict(tensors)
    for name in matrices(tensors):
        made[name] = packed(name, tensors[name].shape, "fp8_e4m3")
        made[f"{name}_scale"] = ()
        made[f"{name.removesuffix('weight')}comfy_quant"] = (30,)
    return {f"model.diffusion_model.{name}": shape for name, shape in made.items()}


def nf4(tensors: Tensors) -> Made:
    made: Made = dict(tensors)
    for name in matrices(tensors):
        numel = prod(tensors[name].shape)
        made[name] = packed(name, (numel // 2, 1), "uint8")
        made[f"{name}.absmax"] = (numel // 64,)
        made[f"{name}.quant_map"] = (16,)
        made[f"{name}.quant_state.bitsandbytes__nf4"] = (80,)
    return made


def nvfp4(tensors: Tensors) -> Made:
    made: Made = dict(tensors)
    for name in matrices(tensors):
        rows, columns = tensors[name].shape
        made[name] = packed(name, (rows, columns // 2), "uint8")
        made[f"{name}_scale"] = packed(name, (rows, columns // 16), "fp8_e4m3")
        made[f"{name}_scale_2"] = ()
    return made


def gguf(tensors: Tensors) -> Made:
    block: DType = GGML_TYPES[12]  # Q4_K
    made: Made = dict(tensors)
    for name in matrices(tensors):
        made[name] = TensorInfo(name, block, tensors[name].shape, Bytes())
    return made


def renamed(tensors: Tensors) -> Made:
    return {name.replace("norm.scale", "norm.weight"): t for name, t in tensors.items()}


TWINS: Mapping[str, tuple[Callable[[Tensors], Made], str | None]] = {
    "fp8": (cast, "fp8"), "scaled_fp8": (old_scaled, "fp8-scaled"),
    "comfy_quant": (new_scaled, "fp8-scaled"), "nf4": (nf4, "bnb-nf4"), "nvfp4": (nvfp4, "nvfp4"),
    "gguf": (gguf, None), "norm weights": (renamed, None),
}  # fmt: skip


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("name", [name for name in REAL if "fp8" not in name])
def test_a_quantised_or_renamed_twin_is_the_same_model(name: str, twin: str) -> None:
    make, quantization = TWINS[twin]
    identity = identify(model_of(make(headers()[name].tensors)))
    assert (identity.architecture, identity.variant_candidates) == (
        headers()[name].architecture,
        REAL[name][1],
    )
    assert identity.certainty == "certain"
    assert identity.parts[0].complete
    if quantization:
        assert identity.quantization == quantization


def test_pad_tokens_may_have_lost_their_first_size() -> None:
    tensors = dict(headers()["z-image-turbo-bf16"].tensors)
    flat: Made = {**tensors, "cap_pad_token": (3840,), "x_pad_token": (3840,)}
    assert identify(model_of(flat)).certainty == "certain"


# --- Variants ---


def with_also(name: str, also: Mapping[str, tuple[int, ...]], **metadata: str) -> Identity:
    said = {f"modelspec.{key}": value for key, value in metadata.items()}
    return identify(model_of({**headers()[name].tensors, **also}, metadata=said))


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_the_marker_of_comfyui_tells_edit_2511(prefix: str) -> None:
    tensors = {prefix + name: t for name, t in headers()["qwen-image-bf16"].tensors.items()}
    marker = f"{prefix}__index_timestep_zero__"
    identity = identify(model_of({**tensors, marker: (0,)}))
    assert (identity.variant, identity.tasks) == ("edit-2511", ("image-editing",))
    assert identity.markers == (marker,)
    assert identity.certainty == "certain"


@pytest.mark.parametrize(
    ("name", "also", "variant"),
    [
        ("qwen-image-bf16", {"time_text_embed.addition_t_embedding.weight": (2, 3072)}, "layered"),
        ("z-image-turbo-bf16", {"siglip_embedder.0.weight": (1152,)}, "omni"),
        ("kandinsky5-lite-image-bf16", {"visual_embeddings.in_layer.weight": (2560, 132)},
         "image-lite-edit"),
    ],
)  # fmt: skip
def test_what_a_variant_adds_tells_it(
    name: str, also: Mapping[str, tuple[int, ...]], variant: str
) -> None:
    identity = with_also(name, also)
    assert (identity.variant, identity.certainty) == (variant, "certain")


@pytest.mark.parametrize(
    ("name", "said", "variants"),
    [
        ("qwen-image-bf16", "Qwen-Image-Edit-2511", ("edit-2511",)),
        ("qwen-image-bf16", "Qwen-Image-Edit-Plus", ("edit-2509",)),
        ("qwen-image-bf16", "Qwen-Image-Edit", ("edit", "edit-2509", "edit-2511")),
        ("qwen-image-bf16", "Qwen-Image", QWEN),
        ("z-image-turbo-bf16", "Z-Image-Turbo", ("turbo",)),
        ("flux2-klein-4b-bf16", "FLUX.2-klein-base-4B", ("klein-4b-base",)),
        ("flux2-klein-4b-bf16", "Flux.2-klein-4b", ("klein-4b", "klein-4b-base")),
    ],
)
def test_metadata_narrows_what_a_header_leaves_open(
    name: str, said: str, variants: tuple[str, ...]
) -> None:
    identity = with_also(name, {}, architecture=said)
    assert identity.variant_candidates == variants
    assert "metadata_differs" not in keys(identity)


def test_metadata_of_flux_1_in_a_flux_2_file_is_told_and_not_believed() -> None:
    identity = with_also("flux2-dev-bf16", {}, architecture="flux-1-dev")
    assert identity.architecture == "flux2"
    assert "metadata_differs" in keys(identity)


def test_radiance_draws_pixels_and_needs_no_vae() -> None:
    shapes = {
        name: tuple(size if isinstance(size, int) else (size or [7])[0] for size in rule or ())
        for name, rule in row_called("chroma-radiance").required.items()
    }
    head = {"nerf_final_layer_conv.norm.scale": (64,), "nerf_final_layer_conv.conv.bias": (3,)}
    identity = identify(model_of({**shapes, **head, "__x0__": (0,)}))
    assert (identity.architecture, identity.variant) == ("chroma", "radiance")
    assert (identity.needs, identity.markers) == (("t5xxl",), ("__x0__",))
    assert identity.unrecognised == ()


# --- Families of which no header is at hand: lines from their published code ---

FLUX_LIKE = """\
double_blocks.{0..9}.{img,txt}_attn.norm.{key_norm,query_norm}.scale [128]
double_blocks.{0..9}.{img,txt}_attn.{qkv,proj}.weight [3072,3072]
single_blocks.{0..19}.norm.{key_norm,query_norm}.scale [128]
single_blocks.{0..19}.linear1.weight [21504,3072]
img_in.weight [3072,64]
"""
FLUX_DIFFUSERS_LIKE = """\
transformer_blocks.{0..9}.attn.{norm_added_k,norm_added_q,norm_k,norm_q}.weight [128]
transformer_blocks.{0..9}.attn.{to_q,to_k,add_q_proj,add_k_proj}.weight [3072,3072]
single_transformer_blocks.{0..19}.attn.{norm_k,norm_q}.weight [128]
x_embedder.weight [3072,64]
"""
LUMINA_LIKE = """\
{noise_refiner,context_refiner}.{0,1}.attention.{q_norm,k_norm}.weight [96]
layers.{0..35}.attention.qkv.weight [3840,2304]
layers.{0..35}.{attention_norm1,attention_norm2,ffn_norm1,ffn_norm2}.weight [2304]
cap_embedder.1.weight [2304,2560]
x_embedder.weight [2304,64]
"""
OMNIGEN_LIKE = """\
{noise_refiner,ref_image_refiner,context_refiner}.{0,1}.attn.to_q.weight [W,W]
{noise_refiner,ref_image_refiner,context_refiner}.{0,1}.{norm2,ffn_norm1,ffn_norm2}.weight [W]
time_caption_embed.timestep_embedder.linear_1.* [1024,256]
ref_image_patch_embedder.* [W,64]
x_embedder.* [W,64]
"""
ZETA_LIKE = """\
layers.{0..29}.attention.{to_q,to_k,to_v}.weight [3840,3840]
layers.{0..29}.{attention_norm1,attention_norm2,ffn_norm1,ffn_norm2}.weight [3840]
cap_embedder.1.* [3840,2560]
x_embedder.* [3840,3072]
dec_net.cond_embed.* [3840,3840]
dec_net.res_blocks.{0..3}.in_ln.* [3840]
"""
KANDINSKY_LIKE = """\
visual_transformer_blocks.{0..31}.visual_modulation.out_layer.* [9W,512]
visual_transformer_blocks.{0..31}.cross_attention.to_query.* [W,W]
visual_transformer_blocks.{0..31}.cross_attention.key_norm.weight [64]
visual_embeddings.in_layer.* [W,132]
"""
# Row, then what architecture, variants and needs a file of these lines has.
SIGNED: Mapping[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {
    "longcat-image": (
        f"{FLUX_LIKE}txt_in.* [3072,3584]", "longcat-image", ("base", "edit"),
        ("vae", "qwen2.5-vl-7b"),
    ),
    "longcat-diffusers": (
        f"{FLUX_DIFFUSERS_LIKE}context_embedder.* [3072,3584]", "longcat-image",
        ("base", "edit"), ("vae", "qwen2.5-vl-7b"),
    ),
    "ovis-image": (
        f"{FLUX_LIKE}txt_in.* [3072,2048]\ndouble_blocks.{{0..5}}.{{img,txt}}_mlp.gate_proj.* "
        "[12288,3072]", "ovis-image", (), ("vae", "ovis2.5-2b"),
    ),
    "ovis-diffusers": (
        f"{FLUX_DIFFUSERS_LIKE}context_embedder.* [3072,2048]\ncontext_embedder_norm.weight "
        "[2048]", "ovis-image", (), ("vae", "ovis2.5-2b"),
    ),
    "bria-fibo": (
        f"{FLUX_DIFFUSERS_LIKE}context_embedder.* [3072,4096]\ncaption_projection.{{0..45}}."
        "linear.weight [1536,2048]", "bria-fibo", (), ("vae", "smollm3-3b"),
    ),
    "newbie": (
        f"{LUMINA_LIKE}clip_text_pooled_proj.0.* [1024]\nclip_text_pooled_proj.1.* [1024,1024]",
        "newbie", ("exp0.1",), ("vae", "gemma-3-4b", "jina-clip-v2"),
    ),
    "lumina-next-diffusers": (
        "patch_embedder.proj.* [2304,16]\npad_token [2304]\nlayers.{0..23}.attn{1,2}."
        "{to_q,to_k}.weight [2304,2304]", "lumina-next", (), ("vae", "gemma-2b"),
    ),
    "omnigen2": (OMNIGEN_LIKE.replace("W", "2520"), "omnigen2", (), ("vae", "qwen2.5-vl-3b")),
    "boogu": (
        f"{OMNIGEN_LIKE.replace('W', '3360')}double_stream_layers.{{0..7}}.img_instruct_attn."
        "processor.{img_to_q,instruct_to_q,img_out}.weight [3360,3360]", "boogu",
        ("base", "turbo", "edit"), ("vae", "qwen3-vl-8b"),
    ),
    "hidream-o1": (
        "model.t_embedder1.mlp.{0,2}.* [4096,256]\nmodel.x_embedder.proj1.weight [1024,3072]\n"
        "model.final_layer2.linear.* [3072,4096]\nmodel.visual.deepstack_merger_list.{0..2}."
        "norm.* [4608]\nmodel.language_model.layers.{0..35}.self_attn.{q_norm,k_norm}.weight "
        "[128]", "hidream-o1", ("full", "dev"), (),
    ),
    "zimage-pixel": (ZETA_LIKE, "z-image", ("zeta-chroma",), ("qwen3-4b",)),
    "kandinsky5-video": (
        KANDINSKY_LIKE.replace("9W", "16128").replace("W", "1792"), "kandinsky5-video",
        ("video-lite",), ("vae", "clip-l", "qwen2.5-vl-7b"),
    ),
    "kandinsky5-video ": (
        KANDINSKY_LIKE.replace("9W", "36864").replace("W", "4096"), "kandinsky5-video",
        ("video-pro",), ("vae", "clip-l", "qwen2.5-vl-7b"),
    ),
    "qwen-image-nunchaku": (
        "transformer_blocks.{0..59}.attn.{to_qkv,add_qkv_proj}.qweight [9216,1536]\n"
        "transformer_blocks.{0..59}.attn.{to_qkv,add_qkv_proj}.wscales [48,9216]\n"
        "transformer_blocks.{0..59}.{img,txt}_mlp.net.0.proj.qweight [12288,1536]\n"
        "txt_norm.weight [3584]\nimg_in.* [3072,64]", "qwen-image", QWEN,
        ("vae", "qwen2.5-vl-7b"),
    ),
    "hunyuan3d": (
        "latent_in.* [1024,64]\ndouble_blocks.{0..15}.img_attn.qkv.* [3072,1024]\n"
        "double_blocks.{0..15}.img_attn.norm.key_norm.scale [64]", "hunyuan3d", ("2",), (),
    ),
}  # fmt: skip


def signed(row: str) -> Made:
    return {
        name: tuple(size for size in rule or () if isinstance(size, int))
        for name, rule in expand_lines(SIGNED[row][0].strip().split("\n"))
    }


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
@pytest.mark.parametrize("row", SIGNED)
def test_a_family_without_key_list_is_known_by_its_signature(row: str, prefix: str) -> None:
    _, architecture, variants, needs = SIGNED[row]
    identity = identify(model_of({prefix + name: shape for name, shape in signed(row).items()}))
    assert [part.component for part in identity.parts] == [row.strip()]
    assert (identity.kind, identity.architecture) == ("diffusion_model", architecture)
    assert (identity.variant_candidates, identity.needs) == (variants, needs)
    assert identity.certainty == "certain"


@pytest.mark.parametrize("row", SIGNED)
def test_with_a_tenth_missing_a_signature_never_becomes_another_family(row: str) -> None:
    chance = random.Random(row)
    kept = {name: shape for name, shape in signed(row).items() if chance.random() < 0.9}
    identity = identify(model_of(kept))
    assert set(identity.architecture_candidates) <= {SIGNED[row][1]}


def test_nunchaku_weights_are_told_as_such() -> None:
    assert identify(model_of(signed("qwen-image-nunchaku"))).quantization == "svdquant"


# --- What the tables hold ---


@pytest.mark.parametrize("name", FAMILIES)
def test_every_row_has_several_telling_names(name: str) -> None:
    for raw in tables()["components"]:
        if raw["family"] == name:
            lines = [*raw.get("all", ()), *raw["any"]]
            assert len(list(expand_lines(lines))) >= 6, raw["id"]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_a_page_whose_variants_a_file_can_be(name: str) -> None:
    page, own = about(name), family(name)
    assert page is not None
    assert own is not None
    rows = [component(n) for n, raw in enumerate(tables()["components"]) if raw["family"] == name]
    words = {word for row in own.variants for word in row.names}
    words |= {word for row in rows for word in row.variants}
    assert {facts.name for facts in page.variants} <= words
    texts = [page.summary, *(facts.note for facts in page.variants if facts.note)]
    assert all(
        re.search("[ぁ-ん]", text["ja"]) and not re.search("[ぁ-ん]", text["en"]) for text in texts
    )
