from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanna.adapter import Adapter
from kanna.cli.adapter_report import adapter_rows
from kanna.dtypes import FP16
from kanna.families import tables
from kanna.families.layers import bases, template
from kanna.identify import identify
from kanna.identify.modules import modules_of
from kanna.identity import Identity, Part
from kanna.messages import LANGUAGES, set_language
from kanna.model import ModelFile, TensorInfo
from model_headers import Bytes, Header, headers, keys, known, model_of

Shapes = dict[str, tuple[int, ...]]
# What a part of the layers cannot tell apart: these models are built alike.
ALIKE = [{"flux", "chroma", "hunyuan-video"}, {"pixart", "sana"}, {"sd1", "sd2"}]
RANK = 8
UNET = "model.diffusion_model."


def adapter_of(identity: Identity) -> Adapter:
    adapter = identity.parts[0].adapter
    assert adapter is not None
    return adapter


def layers_of(header: Header) -> Shapes:
    """The linear layers of the diffusion model in a file, under no prefix."""
    part = known(header.name).part("diffusion_model")
    if part is None:
        return {}
    found = {name: header.tensors[name].shape for name in part.names if name.endswith(".weight")}
    return {
        name.removeprefix(part.prefix).removesuffix(".weight"): shape
        for name, shape in found.items()
        if len(shape) == 2 and min(shape) > RANK
    }


def kohya(layers: Mapping[str, tuple[int, ...]]) -> Shapes:
    made: Shapes = {}
    for path, (out, into) in layers.items():
        name = f"lora_unet_{path.replace('.', '_')}"
        made[f"{name}.lora_down.weight"] = (RANK, into)
        made[f"{name}.lora_up.weight"] = (out, RANK)
        made[f"{name}.alpha"] = ()
    return made


def peft(layers: Mapping[str, tuple[int, ...]]) -> Shapes:
    made: Shapes = {}
    for path, (out, into) in layers.items():
        made[f"base_model.model.transformer.{path}.lora_A.weight"] = (RANK, into)
        made[f"base_model.model.transformer.{path}.lora_B.weight"] = (out, RANK)
    return made


def old_diffusers(layers: Mapping[str, tuple[int, ...]]) -> Shapes:
    made: Shapes = {}
    for path, (out, into) in layers.items():
        where, _, last = path.removesuffix(".0").rpartition(".")
        name = f"unet.{where}.processor.{last}_lora"
        made |= {f"{name}.down.weight": (RANK, into), f"{name}.up.weight": (out, RANK)}
    return made


def loha(layers: Mapping[str, tuple[int, ...]]) -> Shapes:
    made: Shapes = {}
    for path, (out, into) in layers.items():
        name = f"lora_unet_{path.replace('.', '_')}"
        made |= {f"{name}.hada_w{n}_a": (out, RANK) for n in (1, 2)}
        made |= {f"{name}.hada_w{n}_b": (RANK, into) for n in (1, 2)}
    return made


def lokr(layers: Mapping[str, tuple[int, ...]]) -> Shapes:
    """w1 whole, w2 a product of two: what is called factorised."""
    made: Shapes = {}
    for path, (out, into) in layers.items():
        name = f"lora_unet_{path.replace('.', '_')}"
        made[f"{name}.lokr_w1"] = (4, 4)
        made |= {f"{name}.lokr_w2_a": (out // 4, RANK), f"{name}.lokr_w2_b": (RANK, into // 4)}
    return made


def lokr_in_four(layers: Mapping[str, tuple[int, ...]]) -> Shapes:
    made: Shapes = {}
    for path, (out, into) in layers.items():
        name = f"lycoris_{path.replace('.', '_')}"
        made |= {f"{name}.lokr_w1_a": (4, RANK), f"{name}.lokr_w1_b": (RANK, 4)}
        made |= {f"{name}.lokr_w2_a": (out // 4, RANK), f"{name}.lokr_w2_b": (RANK, into // 4)}
    return made


def lokr_whole(layers: Mapping[str, tuple[int, ...]]) -> Shapes:
    made: Shapes = {}
    for path, (out, into) in layers.items():
        name = f"lora_unet_{path.replace('.', '_')}"
        made |= {f"{name}.lokr_w1": (4, 4), f"{name}.lokr_w2": (out // 4, into // 4)}
    return made


def glora(layers: Mapping[str, tuple[int, ...]]) -> Shapes:
    made: Shapes = {}
    for path, (out, into) in layers.items():
        name = f"lora_unet_{path.replace('.', '_')}"
        made |= {f"{name}.a1.weight": (RANK, into), f"{name}.a2.weight": (into, RANK)}
        made |= {f"{name}.b1.weight": (RANK, into), f"{name}.b2.weight": (out, RANK)}
    return made


def oft(layers: Mapping[str, tuple[int, ...]]) -> Shapes:
    return {
        f"lora_unet_{path.replace('.', '_')}.oft_blocks": (out // 8, 8, 8)
        for path, (out, _) in layers.items()
    }


def boft(layers: Mapping[str, tuple[int, ...]]) -> Shapes:
    return {
        f"lora_unet_{path.replace('.', '_')}.oft_blocks": (3, out // 8, 8, 8)
        for path, (out, _) in layers.items()
    }


def peft_oft(layers: Mapping[str, tuple[int, ...]]) -> Shapes:
    return {f"unet.{path}.oft_R.weight": (into // 8, 28) for path, (_, into) in layers.items()}


def full_diff(layers: Mapping[str, tuple[int, ...]]) -> Shapes:
    return {f"lora_unet_{path.replace('.', '_')}.diff": shape for path, shape in layers.items()}


def dora(layers: Mapping[str, tuple[int, ...]]) -> Shapes:
    scales = {
        f"lora_unet_{path.replace('.', '_')}.dora_scale": (1, into)
        for path, (_, into) in layers.items()
    }
    return kohya(layers) | scales


def ia3(layers: Mapping[str, tuple[int, ...]]) -> Shapes:
    made: Shapes = {}
    for path, (out, _) in layers.items():
        name = f"lora_unet_{path.replace('.', '_')}"
        made |= {f"{name}.weight": (out,), f"{name}.on_input": ()}
    return made


def matrices(header: Header) -> frozenset[tuple[str, tuple[int, ...]]]:
    """The matrices of a base, by name and shape: files that share them have the same adapters."""
    every = {n: t.shape for n, t in header.tensors.items() if n.endswith(".weight")}
    found = {(name, shape) for name, shape in every.items() if len(shape) == 2}
    return frozenset((n, s) for n, s in found if n.startswith(UNET)) or frozenset(found)


BASES = list({
    (header.architecture, matrices(header)): name
    for name, header in headers().items()
    if header.kind in {"checkpoint", "diffusion_model"} and "nf4" not in name
}.values())  # fmt: skip


@pytest.mark.parametrize("name", BASES)
def test_the_base_of_a_lora_is_known_by_all_layers_of_any_base(name: str) -> None:
    header = headers()[name]
    layers = layers_of(header)
    for dialect in (kohya, peft):
        identity = identify(model_of(dialect(layers)))
        assert (identity.kind, identity.variant) == ("lora", "lora")
        assert identity.architecture == header.architecture
        assert adapter_of(identity).ranks == ((RANK, len(layers)),)


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("share", [0.4, 0.1])
def test_the_base_is_among_the_honest_candidates_by_some_layers(name: str, share: float) -> None:
    header, chance = headers()[name], random.Random(f"{name} {share}")
    layers = layers_of(header)
    some = dict(chance.sample(sorted(layers.items()), max(12, int(share * len(layers)))))
    for dialect in (kohya, peft):
        found = identify(model_of(dialect(some)))
        candidates = set(found.architecture_candidates)
        assert header.architecture in candidates
        assert len(candidates) == 1 or any(candidates <= alike for alike in ALIKE)
        assert (found.certainty == "certain") is (len(candidates) == 1)


@pytest.mark.parametrize(
    ("name", "dialect", "touches", "modules", "convolutions"),
    [
        ("lora-kohya-sd1-r128", "kohya", ("diffusion_model", "clip-l"), 264, False),
        ("lora-kohya-sd2-r32", "kohya", ("diffusion_model", "clip-h"), 330, False),
        ("lora-kohya-flux-r16", "kohya", ("diffusion_model", "clip-l"), 376, False),
        ("lora-comfyui-extracted-sdxl-r8", "kohya", ("diffusion_model",), 794, True),
        ("lora-peft-sdxl-r4", "peft", ("diffusion_model",), 560, False),
        ("dora-peft-sdxl-r8", "peft", ("diffusion_model",), 560, False),
        ("loha-sd1-tucker-r8", "lycoris", ("diffusion_model",), 278, True),
        ("lokr-flux-simpletuner", "simpletuner", ("diffusion_model",), 494, False),
        ("lora-xlabs-flux-r16", "xlabs", ("diffusion_model",), 76, False),
    ],
)
def test_what_a_real_adapter_is_made_of(
    name: str, dialect: str, touches: tuple[str, ...], modules: int, *, convolutions: bool
) -> None:
    adapter = adapter_of(known(name))
    assert (adapter.dialect, adapter.touches, adapter.modules) == (dialect, touches, modules)
    assert adapter.convolutions is convolutions
    assert sum(count for _, count in adapter.ranks) in {0, modules}


def test_kolors_is_named_where_an_sdxl_lora_fits_it_as_well() -> None:
    assert adapter_of(known("lora-peft-sdxl-r4")).bases == ("sdxl", "sdxl:kolors")
    assert adapter_of(known("dora-sdxl-r16")).bases == ("sdxl",)


def attention(name: str, words: str = "attn") -> Shapes:
    return {n: s for n, s in layers_of(headers()[name]).items() if words in n}


@pytest.mark.parametrize(
    ("dialect", "variant", "layout", "rank"),
    [
        (old_diffusers, "lora", "diffusers-old", RANK), (loha, "loha", "lycoris", RANK),
        (lokr, "lokr", "lycoris", RANK), (lokr_in_four, "lokr", "simpletuner", RANK),
        (lokr_whole, "lokr", "lycoris", None), (glora, "glora", "lycoris", RANK),
        (oft, "oft", "lycoris", None), (boft, "boft", "lycoris", None),
        (peft_oft, "oft", "peft", None), (full_diff, "full-diff", "lycoris", None),
        (dora, "dora", "kohya", RANK), (ia3, "ia3", "lycoris", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("name", "architecture"),
    [("sd15-unet-diffusers-f16", "sd1"), ("sdxl-unet-diffusers-f16", "sdxl"),
     ("sd2-unet-diffusers-f32", "sd2")],
)  # fmt: skip
def test_every_dialect_tells_the_base(
    dialect: Callable[[Shapes], Shapes], variant: str, layout: str, rank: int | None, name: str,
    architecture: str,
) -> None:  # fmt: skip
    layers = attention(name)
    identity = identify(model_of(dialect(layers)))
    adapter = adapter_of(identity)
    assert (identity.kind, identity.variant) == ("lora", variant)
    assert architecture in identity.architecture_candidates
    # OFT and (IA)³ store nothing of the inputs, and these two differ in nothing else.
    if variant not in {"oft", "boft", "ia3"}:
        assert identity.architecture == architecture
    assert (adapter.dialect, adapter.modules) == (layout, len(layers))
    assert adapter.ranks == (((rank, len(layers)),) if rank else ())
    assert not identity.unrecognised


def test_a_slider_of_self_attention_alone_is_told_by_widths_and_blocks() -> None:
    for name, candidates in (
        ("sdxl-unet-diffusers-f16", ("sdxl",)), ("sd15-unet-diffusers-f16", ("sd1", "sd2")),
    ):  # fmt: skip
        found = identify(model_of(kohya(attention(name, "attn1"))))
        assert found.architecture_candidates == candidates


@pytest.mark.parametrize(
    ("encoders", "candidates", "touches"),
    [
        ({"lora_te_": 768}, ("sd1", "sdxl"), ("clip-l",)),
        ({"lora_te1_": 768, "lora_te2_": 1280}, ("sdxl",), ("clip-l", "clip-g")),
        ({"lora_te_": 1024}, ("sd2",), ("clip-h",)),
        ({"lora_te_": 999}, (), ("text_encoder",)),
    ],
)
def test_text_encoders_alone_name_what_has_them(
    encoders: dict[str, int], candidates: tuple[str, ...], touches: tuple[str, ...]
) -> None:
    layers = {
        f"{start}text_model_encoder_layers_{n}_mlp_fc1": (4 * width, width)
        for start, width in encoders.items()
        for n in range(12)
    }
    made = {f"{n}.lora_down.weight": (RANK, into) for n, (_, into) in layers.items()}
    made |= {f"{n}.lora_up.weight": (out, RANK) for n, (out, _) in layers.items()}
    identity = identify(model_of(made))
    assert identity.architecture_candidates == candidates
    assert adapter_of(identity).touches == touches


def test_text_encoders_beside_the_modules_rule_out_what_lacks_them() -> None:
    layers = attention("flux1-dev-bf16")
    assert identify(model_of(kohya(layers))).architecture_candidates == ("chroma", "flux")
    clip = {"lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": (RANK, 768)}
    assert identify(model_of({**kohya(layers), **clip})).architecture == "flux"


def test_klein_is_told_from_flux_by_its_widths() -> None:
    for name, word in (("flux2-klein-4b-bf16", "klein-4b"), ("flux2-dev-bf16", "dev")):
        found = identify(model_of(peft(layers_of(headers()[name]))))
        assert found.architecture == "flux2"
        assert f"flux2:{word}" in adapter_of(found).bases


def test_sizes_of_wan_are_told() -> None:
    found = identify(model_of(peft(attention("wan21-t2v-1.3b-fp16"))))
    assert adapter_of(found).bases == ("wan:2.1-t2v-1.3b",)
    images = {f"blocks.{n}.cross_attn.k_img": (5120, 5120) for n in range(40)}
    assert adapter_of(identify(model_of(peft(images)))).bases == ("wan:2.1-i2v-14b",)


def test_a_block_number_alone_says_nothing() -> None:
    odd = {f"transformer_blocks.{n}.mixer.to_z": (777, 555) for n in range(20)}
    identity = identify(model_of(peft(odd)))
    assert (identity.kind, identity.architecture_candidates) == ("lora", ())
    assert identity.certainty == "likely"
    assert "adapter_no_base" in keys(identity)


def test_pieces_of_two_models_are_a_mixture() -> None:
    one, other = attention("sd15-unet-diffusers-f16", "attn2"), attention("flux1-dev-bf16")
    identity = identify(model_of(kohya({**one, **other})))
    assert {"sd1"} < set(identity.architecture_candidates)
    assert identity.certainty == "ambiguous"
    assert adapter_of(identity).mixed
    assert "adapter_mixed" in keys(identity)


def lora(alphas: list[float], ranks: list[int], metadata: dict[str, str]) -> ModelFile:
    """An SD1 LoRA of one module for each alpha, which is really stored."""
    tensors: dict[str, TensorInfo | tuple[int, ...]] = {}
    paths = [p for p in attention("sd15-unet-diffusers-f16", "attn2") if p.endswith("to_k")]
    for path, alpha, rank in zip(paths, alphas, ranks, strict=False):
        name = f"lora_unet_{path.replace('.', '_')}"
        tensors[f"{name}.lora_down.weight"] = (rank, 768)
        tensors[f"{name}.alpha"] = TensorInfo(
            f"{name}.alpha", FP16, (), Bytes(struct.pack("<e", alpha))
        )
    return model_of(tensors, metadata=metadata)


def test_ranks_and_alphas_are_counted() -> None:
    adapter = adapter_of(identify(lora([8, 8, 4, 4, 4], [16, 16, 4, 16, 4], {})))
    assert adapter.ranks == ((4, 2), (16, 3))
    assert adapter.alphas == ((4.0, 3), (8.0, 2))
    document = json.loads(json.dumps(identify(lora([8], [16], {})).to_json()))
    assert document["parts"][0]["adapter"]["ranks"] == [{"rank": 16, "modules": 1}]
    assert document["parts"][0]["adapter"]["alphas"] == [{"alpha": 8.0, "modules": 1}]


@pytest.mark.parametrize("alpha", [0.0, float("nan"), float("inf")])
def test_an_alpha_that_means_nothing_is_not_told(alpha: float) -> None:
    assert adapter_of(identify(lora([8, alpha], [16, 16], {}))).alphas is None


def test_more_alphas_than_may_be_read_are_not_told() -> None:
    names = [f"lora_unet_x_{n}.alpha" for n in range(2100)]
    model = model_of({**dict.fromkeys(names, ()), "lora_unet_x_0.lora_up.weight": (4, 4)})
    assert adapter_of(identify(model)).alphas is None


def test_metadata_that_contradicts_the_tensors_is_told() -> None:
    wrong = {"ss_network_dim": "64", "ss_network_alpha": "32", "ss_base_model_version": "flux1"}
    identity = identify(lora([8, 8], [16, 16], wrong))
    assert identity.architecture == "sd1"
    assert keys(identity).count("metadata_differs") == 3
    right = {"ss_network_dim": "16", "ss_network_alpha": "8.0", "ss_base_model_version": "sd_v1"}
    assert "metadata_differs" not in keys(identify(lora([8, 8], [16, 16], right)))


def test_metadata_decides_between_bases_that_fit_alike_and_keeps_the_method() -> None:
    layers = kohya(attention("flux1-dev-bf16"))
    identity = identify(model_of(layers, metadata={"modelspec.architecture": "flux-1-dev/lora"}))
    assert (identity.architecture, identity.variant) == ("flux", "lora")
    wrong = identify(model_of(layers, metadata={"ss_base_model_version": "sd_1.5"}))
    assert set(wrong.architecture_candidates) == {"flux", "chroma"}
    assert "metadata_differs" in keys(wrong)


def test_what_metadata_says_is_kept_apart_from_what_is_so() -> None:
    said = {"ss_sd_model_name": "anime.safetensors", "modelspec.trigger_phrase": "1girl"}
    adapter = adapter_of(identify(lora([8], [16], said)))
    assert adapter.said == {"model": "anime.safetensors", "trigger": "1girl"}


def test_a_name_only_hints_at_few_steps() -> None:
    identity = identify(lora([8], [16], {"modelspec.title": "Hyper-SD15 8 steps"}))
    assert (identity.variant, keys(identity)[-1]) == ("lora", "adapter_distilled")
    assert "adapter_distilled" not in keys(identify(lora([8], [16], {"ss_output_name": "lcmx"})))


@pytest.mark.parametrize(
    ("shapes", "architecture", "vectors"),
    [
        ({"emb_params": (8, 768)}, "sd1", [("clip-l", 8, 768)]),
        ({"emb_params": (8, 1024)}, "sd2", [("clip-h", 8, 1024)]),
        ({"clip_l": (4, 768), "clip_g": (4, 1280)}, "sdxl", [("clip-l", 4, 768), ("clip-g", 4, 1280)]),
        ({"clip_l": (4, 768), "clip_g": (4, 1280), "t5xxl": (4, 4096)}, "sd3", None),
        ({"clip_l": (4, 768), "t5xxl": (4, 4096)}, "flux", None),
        ({"text_encoders_0": (2, 768), "text_encoders_1": (2, 1280)}, "sdxl", None),
        ({"<cat>": (768,), "<dog>": (768,)}, "sd1", [("clip-l", 1, 768)] * 2),
    ],
)  # fmt: skip
def test_an_embedding_is_vectors_for_text_encoders(
    shapes: Shapes, architecture: str, vectors: list[tuple[str, int, int]] | None
) -> None:
    identity = identify(model_of(shapes))
    found = [(one.encoder, one.count, one.width) for one in adapter_of(identity).vectors]
    assert (identity.kind, identity.architecture) == ("embedding", architecture)
    assert vectors is None or found == vectors
    assert len(found) == len(shapes)


@pytest.mark.parametrize(
    ("widths", "candidates"),
    [([768], ("sd1",)), ([320, 1280], ("sd1", "sd2")), ([640, 1024], ("sd2",))],
)
@pytest.mark.parametrize("depth", [2, 5])
def test_a_hypernetwork_has_any_of_its_widths_and_any_depth(
    widths: list[int], candidates: tuple[str, ...], depth: int
) -> None:
    shapes: Shapes = {
        f"{width}.{side}.linear.{n}.{piece}": (width, width)[: 2 if piece == "weight" else 1]
        for width in widths for side in (0, 1) for n in range(depth) for piece in ("weight", "bias")
    }  # fmt: skip
    model = model_of(shapes)
    extras = {"layer_structure": [1, 2, 1], "activation_func": "relu", "sd_checkpoint_name": "x"}
    model = ModelFile(path=model.path, container="ckpt-zip", size=0, tensors=dict(model), files=(),
                      metadata={}, extras=extras)  # fmt: skip
    identity = identify(model)
    adapter = adapter_of(identity)
    assert (identity.kind, identity.architecture_candidates) == ("hypernetwork", candidates)
    assert adapter.widths == tuple(sorted(widths))
    assert adapter.structure == {"layer_structure": [1, 2, 1], "activation_func": "relu"}
    assert adapter.said == {"model": "x"}


def test_svdquants_old_low_rank_pieces_are_no_lora() -> None:
    shapes: Shapes = {}
    for n in range(19):
        for name in ("qkv_proj", "out_proj", "mlp_fc1", "mlp_fc2"):
            path = f"transformer_blocks.{n}.{name}"
            shapes |= {f"{path}.lora_down": (3072, 32), f"{path}.lora_up": (3072, 32)}
            shapes |= {f"{path}.qweight": (3072, 1536), f"{path}.wscales": (48, 3072)}
    assert identify(model_of(shapes)).kind != "lora"


@pytest.mark.parametrize(
    ("kind", "architecture", "variant", "shapes"),
    [
        ("lora", "flux", "control-lora", {"img_in.lora_A.weight": (16, 128), "img_in.lora_B.weight": (3072, 16), "img_in.lora_B.bias": (3072,)}),
        ("lora", "sd1", "motion-lora", {f"down_blocks.{n}.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0.processor.to_q_lora.{d}.weight": s for n, w in ((0, 320), (1, 640), (3, 1280)) for d, s in (("down", (32, w)), ("up", (w, 32)))}),
        ("controlnet", "sdxl", "control-lora", {"lora_controlnet": (0,), "label_emb.0.0.weight": (1280, 2816), "input_blocks.4.1.proj_in.up": (640, 128)}),
        ("controlnet", "sd1", "control-lora", {"lora_controlnet": (0,), "input_blocks.1.1.transformer_blocks.0.attn2.to_k.down": (128, 768)}),
        ("controlnet", "sdxl", "controlnet-lllite", {"lllite_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q.conditioning1.0.weight": (16, 3, 4, 4)}),
        ("controlnet", "anima", "controlnet-lllite", {"lllite_conditioning1.0.weight": (16, 3, 4, 4), "lllite_dit_blocks_0_self_attn_q_proj.down.0.weight": (64, 2048)}),
        ("controlnet", "sdxl", "controlnet-union", {"controlnet_cond_embedding.conv_in.weight": (16, 3, 3, 3), "add_embedding.linear_1.weight": (1280, 2816), "control_add_embedding.linear_1.weight": (1280, 1536), "task_embedding": (6, 320)}),
        ("controlnet", "sdxl", "controlnet-union-promax", {"controlnet_cond_embedding.conv_in.weight": (16, 3, 3, 3), "add_embedding.linear_1.weight": (1280, 2816), "control_add_embedding.linear_1.weight": (1280, 2048), "task_embedding": (8, 320)}),
        ("controlnet", "flux", "controlnet-union", {"controlnet_x_embedder.weight": (3072, 64), "controlnet_blocks.0.weight": (3072, 3072), "controlnet_mode_embedder.weight": (10, 3072), "transformer_blocks.0.attn.norm_added_k.weight": (128,)}),
        ("controlnet", "flux", "mistoline", {"controlnet_blocks.0.linear.weight": (3072, 3072), "double_blocks.0.img_attn.qkv.weight": (9216, 3072)}),
        ("controlnet", "flux", "controlnet", {"controlnet_blocks.0.weight": (3072, 3072), "double_blocks.0.img_attn.qkv.weight": (9216, 3072)}),
        ("controlnet", "sd3", "controlnet", {"pos_embed_input.proj.weight": (1536, 16, 2, 2), "controlnet_blocks.0.weight": (1536, 1536), "transformer_blocks.0.attn.add_q_proj.weight": (1536, 1536)}),
        ("controlnet", "sd3", "controlnet-inpaint", {"pos_embed_input.proj.weight": (1536, 17, 2, 2), "controlnet_blocks.0.weight": (1536, 1536), "transformer_blocks.0.attn.add_q_proj.weight": (1536, 1536)}),
        ("controlnet", "sd3", "controlnet", {"pos_embed_input.proj.weight": (2432, 16, 2, 2), "controlnet_blocks.0.weight": (2432, 2432), "transformer_blocks.0.adaLN_modulation.1.bias": (14592,)}),
        ("controlnet", "qwen-image", "controlnet-inpaint", {"controlnet_x_embedder.weight": (3072, 68), "transformer_blocks.0.img_mlp.net.0.proj.weight": (12288, 3072)}),
        ("controlnet", "qwen-image", "controlnet", {"control_img_in.weight": (3072, 132), "control_blocks.0.after_proj.weight": (3072, 3072)}),
        ("controlnet", "z-image", "controlnet", {"control_all_x_embedder.2-1.weight": (3840, 132), "control_layers.0.after_proj.weight": (3840, 3840)}),
        ("controlnet", "hunyuandit", "controlnet", {"after_proj_list.18.bias": (1408,), "after_proj_list.0.weight": (1408, 1408)}),
        ("ip_adapter", "sdxl", "ip-adapter-faceid", {"image_proj.proj.0.weight": (1024, 512), "ip_adapter.0.to_q_lora.down.weight": (128, 640), "ip_adapter.0.to_q_lora.up.weight": (640, 128), "ip_adapter.1.to_k_ip.weight": (640, 2048)}),
        ("ip_adapter", "sdxl", "instantid", {"image_proj.latents": (1, 16, 1280), "image_proj.proj_in.weight": (1280, 512), "ip_adapter.1.to_k_ip.weight": (640, 2048)}),
        ("ip_adapter", "sdxl", "photomaker", {"id_encoder.visual_projection_2.weight": (1280, 1024), "id_encoder.fuse_module.mlp1.fc1.weight": (2048, 4096)}),
        ("ip_adapter", "flux", "pulid", {"pulid_encoder.proj_out": (1024, 2048), "pulid_ca.0.to_q.weight": (2048, 3072)}),
        ("ip_adapter", "flux", "ip-adapter", {"image_proj.proj.0.weight": (2304, 1152), "ip_adapter.0.to_k_ip.weight": (3072, 4096)}),
        ("style_model", "flux", "redux", {"redux_down.weight": (4096, 12288), "redux_up.weight": (12288, 1152)}),
        ("style_model", "sd1", "t2i-style", {"style_embedding": (1, 8, 1024), "ln_pre.weight": (1024,)}),
        ("gligen", "sd1", "gligen", {"position_net.null_positive_feature": (768,), "input_blocks.1.1.transformer_blocks.0.fuser.alpha_attn": ()}),
        ("upscaler", "esrgan", "old-names", {"model.1.sub.0.RDB1.conv1.0.weight": (32, 64, 3, 3), "model.0.weight": (64, 3, 3, 3)}),
        ("upscaler", "esrgan", "new-names", {"body.0.rdb1.conv1.weight": (32, 64, 3, 3), "conv_first.weight": (64, 3, 3, 3)}),
        ("upscaler", "realesrgan-compact", None, {"body.0.weight": (64, 3, 3, 3), "body.1.weight": (64,), "body.2.weight": (64, 64, 3, 3), "body.3.weight": (64,)}),
        ("upscaler", "hat", None, {"conv_first.weight": (180, 3, 3, 3), "layers.0.residual_group.overlap_attn.qkv.weight": (540, 180), "layers.0.residual_group.blocks.0.attn.relative_position_bias_table": (961, 6)}),
        ("upscaler", "swinir", None, {"conv_first.weight": (180, 3, 3, 3), "layers.0.residual_group.blocks.0.attn.relative_position_bias_table": (225, 6)}),
        ("upscaler", "realplksr", None, {"feats.0.weight": (64, 3, 3, 3), "feats.1.lk.conv.weight": (16, 16, 17, 17), "feats.1.refine.weight": (64, 64, 1, 1), "feats.1.channel_mixer.0.weight": (128, 64, 3, 3)}),
        ("upscaler", "ltxv", "latent-upscaler", {"initial_conv.weight": (512, 128, 3, 3, 3), "final_conv.weight": (128, 512, 3, 3, 3), "post_upsample_res_blocks.0.conv2.bias": (512,)}),
        ("detector", "yolo", "detect", {"0.conv.weight": (16, 3, 3, 3), "22.dfl.conv.weight": (1, 16, 1, 1), "22.cv2.0.0.conv.weight": (64, 64, 3, 3)}),
    ],
)  # fmt: skip
def test_every_kind_of_adapter_is_known_by_its_signature(
    kind: str, architecture: str, variant: str | None, shapes: Shapes
) -> None:
    identity = identify(model_of(shapes))
    assert (identity.kind, identity.architecture, identity.variant) == (kind, architecture, variant)


NAMES = st.text(st.sampled_from("ab_.019#{}Ａ\x00"), max_size=20)
ENDS = st.sampled_from(
    [tail for tails in tables()["families"]["lora"]["endings"].values() for tail in tails]
)
STARTS = st.sampled_from(
    ["", "lora_unet_", "lora_te1_", "unet.", "down_blocks.1.", "base_model.model."]
)


@given(
    st.dictionaries(
        st.builds("{}{}.{}".format, STARTS, NAMES, ENDS),
        st.lists(st.integers(0, 2000), max_size=5).map(tuple),
        max_size=20,
    )
)
@settings(deadline=None, max_examples=200)
def test_no_adapter_is_too_odd(shapes: Shapes) -> None:
    modules = modules_of(shapes, shapes)
    assert sum(len(module.names) for module in modules) <= len(shapes)
    json.dumps(identify(model_of(shapes)).to_json())


@pytest.mark.parametrize("path", ["9" * 5000, "a.²", "a." * 2000, "blocks.٣.b"])
def test_no_path_is_too_odd(path: str) -> None:
    words, numbers = template(path)
    assert numbers == ()
    assert "#" not in words


def test_bases_are_layers_and_what_a_key_list_tells_is_not_written_again() -> None:
    listed = {word for base in bases() if not base.written for word in base.architectures}
    for base in bases():
        assert base.lines or not base.written
        paths = [line.partition(" ")[0] for line in base.lines]
        assert not [path for path in paths if "*" in path or ".weight" in path]
        if base.written and not base.variants:
            assert not listed & set(base.architectures)


def printed(part: Part) -> list[tuple[str, str]]:
    assert part.adapter is not None
    return list(adapter_rows(part, part.adapter))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_printed_of_an_adapter(language: str) -> None:
    set_language(language)
    part = identify(lora([8, 8], [16, 16], {"ss_sd_model_name": "a\x1bb"})).parts[0]
    rows = [text for _, text in printed(part)]
    assert rows[0].startswith("LoRA rank 16")
    assert "alpha 8" in rows[0]
    assert "\x1b" not in rows[1]
    for name in (
        n for n, h in headers().items() if h.kind in {"lora", "embedding", "hypernetwork"}
    ):
        for part in known(name).parts:
            assert all(label and text for label, text in printed(part))


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"transformer.r": 16, "transformer.lora_alpha": 32}, {"rank": "16", "alpha": "32"}),
        ({"r": 8, "lora_alpha": 8.0, "target_modules": ["to_q"]}, {"rank": "8", "alpha": "8"}),
        ({"unet.r": 4, "text_encoder.r": 8, "unet.lora_alpha": 4}, {"alpha": "4"}),
        ({"r": "4", "lora_alpha": None}, {}),
        ([1, 2], {}),
    ],
)
def test_what_peft_says_of_rank_and_alpha_is_kept(held: object, said: dict[str, str]) -> None:
    metadata = {"lora_adapter_metadata": json.dumps(held)}
    header = headers()["lora-peft-flux-r16"]
    adapter = adapter_of(identify(model_of(header.tensors, metadata=metadata)))
    assert {word: adapter.said[word] for word in ("rank", "alpha") if word in adapter.said} == said


@pytest.mark.parametrize("text", ["", "{", "[" * 9000, '{"r": NaN}'])
def test_settings_that_are_no_settings_say_nothing(text: str) -> None:
    tensors = headers()["lora-peft-flux-r16"].tensors
    identity = identify(model_of(tensors, metadata={"lora_adapter_metadata": text}))
    assert "alpha" not in adapter_of(identity).said


@pytest.mark.parametrize(
    ("name", "bundled", "architectures"),
    [
        ("lora-kohya-flux-r16", {"clip_l": 768, "t5": 4096, "t5_out": 4096}, ("flux",)),
        ("lora-hyper-sdxl-r128", {"clip_l": 768, "clip_g": 1280, "clip_g_out": 1280}, ("sdxl",)),
        ("lora-kohya-sd1-r128", {"string_to_param.*": 768}, ("sd1",)),
        ("lora-hyper-sdxl-r128", {"clip_l": 768}, ("sdxl", "sd3", "flux")),
    ],
)
def test_embeddings_in_a_lora_are_a_part_of_it(
    name: str, bundled: dict[str, int], architectures: tuple[str, ...]
) -> None:
    lora = headers()[name].tensors
    more: Shapes = {f"bundle_emb.<me>.{end}": (4, width) for end, width in bundled.items()}
    identity = identify(model_of({**lora, **more}))
    assert (identity.kind, identity.unrecognised) == ("lora", ())
    assert identity.architecture == known(name).architecture
    part = identity.part("embedding")
    assert part is not None
    assert part.architecture_candidates == architectures
    assert part.adapter is not None
    assert {one.width for one in part.adapter.vectors} == {*bundled.values()}


@pytest.mark.parametrize("layout", ["temporal_transformer.", ""])
@pytest.mark.parametrize(
    ("frames", "middle", "variant"),
    [
        (24, False, "animatediff-v1"),
        (32, True, "animatediff-v2"),
        (32, False, "animatediff-v3"),
        (16, False, "motion-module"),
    ],
)
def test_the_positions_and_the_middle_tell_the_versions_of_animatediff(
    layout: str, frames: int, *, middle: bool, variant: str
) -> None:
    last = "attention_blocks.0.pos_encoder.pe" if layout else "pos_embed.pe"
    made: Shapes = {}
    for block in range(4):
        stem = f"up_blocks.{block}.motion_modules.0.{layout}"
        made |= {f"{stem}norm.weight": (320,), f"{stem}proj_in.weight": (320, 320)}
        made[f"{stem}transformer_blocks.0.{last}"] = (1, frames, 320)
    if middle:
        made[f"mid_block.motion_modules.0.{layout}norm.weight"] = (1280,)
    identity = identify(model_of(made))
    assert (identity.kind, identity.variant) == ("motion_module", variant)
