"""Every way to quantise a model: the scheme is named, and the model is still known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest

from kanna.dtypes import BF16, FP16, FP32, WORDS, DType
from kanna.formats.ggml_types import GGML_TYPES
from kanna.identify import identify
from kanna.identity import Identity, said
from kanna.messages import LANGUAGES, set_language
from kanna.model import ModelFile, TensorInfo
from model_headers import Bytes, headers, keys, model_of

FP8, INT8, UINT8, INT32 = (WORDS[word] for word in ("fp8_e4m3", "int8", "uint8", "int32"))
Extra = Mapping[str, tuple[DType, tuple[int, ...]]]
Quantise = Callable[[str, tuple[int, ...]], Extra]


def tensor(name: str, dtype: DType, shape: tuple[int, ...]) -> TensorInfo:
    return TensorInfo(name, dtype, shape, Bytes())


def quantised(
    header: str, quantise: Quantise, metadata: Mapping[str, str] | None = None
) -> ModelFile:
    """The model of a header, each large weight replaced by what `quantise` makes of its layer."""
    made: dict[str, TensorInfo] = {}
    for name, info in headers()[header].tensors.items():
        large = name.endswith(".weight") and len(info.shape) == 2 and min(info.shape) >= 256
        new = (
            quantise(name.removesuffix(".weight"), info.shape)
            if large
            else {name: (BF16, info.shape)}
        )
        made |= {key: tensor(key, dtype, shape) for key, (dtype, shape) in new.items()}
    return model_of(made, metadata=metadata)


def scaled(layer: str, shape: tuple[int, ...]) -> Extra:
    return {f"{layer}.weight": (FP8, shape), f"{layer}.weight_scale": (FP32, ())}


def marked(layer: str, shape: tuple[int, ...]) -> Extra:
    return {**scaled(layer, shape), f"{layer}.comfy_quant": (UINT8, (27,))}


def nvfp4(layer: str, shape: tuple[int, ...]) -> Extra:
    rows, columns = shape
    return {
        f"{layer}.weight": (UINT8, (rows, columns // 2)),
        f"{layer}.weight_scale": (FP8, (rows, columns // 16)),
        f"{layer}.weight_scale_2": (FP32, ()),
        f"{layer}.comfy_quant": (UINT8, (19,)),
    }


def mxfp8(layer: str, shape: tuple[int, ...]) -> Extra:
    rows, columns = shape
    return {
        f"{layer}.weight": (FP8, shape),
        f"{layer}.weight_scale": (UINT8, (rows, columns // 32)),
        f"{layer}.comfy_quant": (UINT8, (19,)),
    }


def int8(layer: str, shape: tuple[int, ...]) -> Extra:
    return {f"{layer}.weight": (INT8, shape), f"{layer}.weight_scale": (FP32, ()),
            f"{layer}.comfy_quant": (UINT8, (29,))}  # fmt: skip


def bnb_int8(layer: str, shape: tuple[int, ...]) -> Extra:
    return {f"{layer}.weight": (INT8, shape), f"{layer}.SCB": (FP32, shape[:1]),
            f"{layer}.weight_format": (UINT8, ())}  # fmt: skip


def bnb_fp4(layer: str, shape: tuple[int, ...]) -> Extra:
    numel = shape[0] * shape[1]
    return {
        f"{layer}.weight": (UINT8, (numel // 2, 1)),
        f"{layer}.weight.absmax": (UINT8, (numel // 64,)),
        f"{layer}.weight.quant_map": (FP32, (16,)),
        f"{layer}.weight.quant_state.bitsandbytes__fp4": (UINT8, (80,)),
    }


def gptq(layer: str, shape: tuple[int, ...]) -> Extra:
    rows, columns = shape
    return {
        f"{layer}.qweight": (INT32, (columns // 8, rows)),
        f"{layer}.qzeros": (INT32, (columns // 128, rows // 8)),
        f"{layer}.scales": (FP16, (columns // 128, rows)),
        f"{layer}.g_idx": (INT32, (columns,)),
    }


def awq(layer: str, shape: tuple[int, ...]) -> Extra:
    rows, columns = shape
    return {
        f"{layer}.qweight": (INT32, (columns, rows // 8)),
        f"{layer}.qzeros": (INT32, (columns // 128, rows // 8)),
        f"{layer}.scales": (FP16, (columns // 128, rows)),
    }


def svdquant(
    layer: str, shape: tuple[int, ...], down: str = "proj_down", up: str = "proj_up"
) -> Extra:
    rows, columns = shape
    return {
        f"{layer}.qweight": (INT8, (rows, columns // 2)),
        f"{layer}.wscales": (BF16, (columns // 64, rows)),
        f"{layer}.{down}": (BF16, (columns, 32)),
        f"{layer}.{up}": (BF16, (rows, 32)),
        f"{layer}.smooth_factor": (BF16, (columns,)),
    }


def old_svdquant(layer: str, shape: tuple[int, ...]) -> Extra:
    renamed = dict(svdquant(layer, shape, "lora_down", "lora_up"))
    renamed[f"{layer}.smooth"] = renamed.pop(f"{layer}.smooth_factor")
    return renamed


def sdnq(layer: str, shape: tuple[int, ...]) -> Extra:
    return {f"{layer}.weight": (INT8, shape), f"{layer}.scale": (FP32, (shape[0], 1))}


def quanto(layer: str, shape: tuple[int, ...]) -> Extra:
    return {f"{layer}.weight._data": (INT8, shape), f"{layer}.weight._scale": (BF16, (shape[0], 1)),
            f"{layer}.input_scale": (BF16, ())}  # fmt: skip


def torchao(layer: str, shape: tuple[int, ...]) -> Extra:
    return {
        f"{layer}._weight_qdata": (INT8, shape),
        f"{layer}._weight_scale": (FP32, (shape[0], 1)),
    }


def block_fp8(layer: str, shape: tuple[int, ...]) -> Extra:
    blocks = (-(-shape[0] // 128), -(-shape[1] // 128))
    return {f"{layer}.weight": (FP8, shape), f"{layer}.weight_scale_inv": (FP32, blocks)}


SCHEMES: dict[str, Quantise] = {
    "fp8-scaled": marked, "nvfp4": nvfp4, "mxfp8": mxfp8, "int8-tensorwise": int8,
    "bnb-int8": bnb_int8, "bnb-fp4": bnb_fp4, "gptq": gptq, "awq": awq, "svdquant": svdquant,
    "sdnq": sdnq, "quanto": quanto, "torchao": torchao, "fp8-block": block_fp8,
}  # fmt: skip
MODELS = ["flux1-dev-bf16", "te-t5xxl-fp16", "sana-1600m-orig-st-bf16", "qwen-image-bf16"]


def check(identity: Identity, header: str, scheme: str) -> None:
    truth = headers()[header]
    assert (identity.kind, identity.architecture) == (truth.kind, truth.architecture)
    assert truth.variant in identity.variant_candidates
    assert identity.quantization == scheme
    part = identity.parts[0]
    assert (part.complete, part.missing, part.misshapen, part.scaled) == (True, (), (), True)
    whole = sum(info.numel for info in truth.tensors.values() if info.shape)
    assert whole <= part.parameters <= 1.02 * whole
    assert not any(part.role == "lora" for part in identity.parts)


@pytest.mark.parametrize("header", MODELS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_quantised_model_is_still_what_it_is(scheme: str, header: str) -> None:
    check(identify(quantised(header, SCHEMES[scheme])), header, scheme)


def test_the_low_rank_half_of_older_svdquant_files_is_no_lora() -> None:
    identity = identify(quantised("sana-1600m-orig-st-bf16", old_svdquant))
    check(identity, "sana-1600m-orig-st-bf16", "svdquant")


def test_nunchakus_own_names_are_known() -> None:
    blocks = {
        f"transformer_blocks.{n}": ("qkv_proj", "qkv_proj_context", "mlp_context_fc1")
        for n in range(19)
    }
    blocks |= {
        f"single_transformer_blocks.{n}": ("qkv_proj", "mlp_fc1", "mlp_fc2") for n in range(38)
    }
    made = {name: tensor(name, dtype, shape)
            for block, layers in blocks.items() for layer in layers
            for name, (dtype, shape) in old_svdquant(f"{block}.{layer}", (9216, 3072)).items()}  # fmt: skip
    alone = identify(model_of(made))
    assert (alone.kind, alone.architecture, alone.quantization) == (
        "diffusion_model",
        "flux",
        "svdquant",
    )
    assert {"dev", "schnell"} <= {*alone.variant_candidates}
    guided = "time_text_embed.guidance_embedder.linear_1.weight"
    assert identify(model_of({**made, guided: (3072, 256)})).variant == "dev"


def formats(header: str, word: str) -> dict[str, str]:
    layers = {
        name.removesuffix(".weight"): {"format": word}
        for name, info in headers()[header].tensors.items()
        if name.endswith(".weight") and len(info.shape) == 2 and min(info.shape) >= 256
    }
    return {"_quantization_metadata": json.dumps({"format_version": "1.0", "layers": layers})}


def halves(layer: str, shape: tuple[int, ...]) -> Extra:
    return {
        f"{layer}.weight": (INT8, (shape[0], shape[1] // 2)),
        f"{layer}.weight_scale": (FP32, shape[:1]),
    }


@pytest.mark.parametrize(
    ("word", "quantise", "scheme"),
    [("float8_e4m3fn", scaled, "fp8-scaled"), ("convrot_w4a4", halves, "convrot-w4a4")],
)
@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_metadata_names_the_format_of_each_layer(
    word: str, quantise: Quantise, scheme: str, prefix: str
) -> None:
    plain = quantised("flux1-dev-bf16", quantise)
    model = model_of(
        {prefix + name: info for name, info in plain.items()},
        metadata=formats("flux1-dev-bf16", word),
    )
    identity = identify(model)
    check(identity, "flux1-dev-bf16", scheme)
    assert "unmarked_scales" not in keys(identity)


def test_scales_that_nothing_tells_of_are_named() -> None:
    identity = identify(quantised("flux1-dev-bf16", scaled))
    check(identity, "flux1-dev-bf16", "fp8-scaled")
    assert "unmarked_scales" in keys(identity)
    assert "unmarked_scales" not in keys(identify(quantised("flux1-dev-bf16", marked)))


@pytest.mark.parametrize(
    "metadata", ["", "[]", "{", '{"layers": 3}', '{"layers": {"a": 1, "b": {}}}', "9" * 5000]
)
def test_metadata_of_another_shape_says_nothing(metadata: str) -> None:
    model = model_of(
        dict(headers()["vae-sdxl"].model()), metadata={"_quantization_metadata": metadata}
    )
    assert identify(model).quantization is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_gguf_types_are_told_with_their_mix(language: str) -> None:
    set_language(language)
    q4, q6 = (next(t for t in GGML_TYPES.values() if t.word == word) for word in ("q4_k", "q6_k"))

    def blocks(layer: str, shape: tuple[int, ...]) -> Extra:
        return {f"{layer}.weight": (q6 if "img_mod" in layer else q4, shape)}

    identity = identify(quantised("flux1-dev-bf16", blocks))
    check(identity, "flux1-dev-bf16", "gguf-q4_k")
    mix = next(said(note) for note in identity.evidence if note.key == "identity.types")
    assert "q4_k" in mix
    assert "q6_k" in mix


def test_a_gguf_of_which_little_is_in_blocks_is_quantised() -> None:
    """As a UNet is, whose convolutions stay in 16 bits."""
    q4 = next(t for t in GGML_TYPES.values() if t.word == "q4_0")
    tensors = dict(headers()["sd15-fp16-pruned"].tensors)
    name = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"
    tensors[name] = tensor(name, q4, tensors[name].shape)
    identity = identify(model_of(tensors))
    assert (identity.quantization, identity.dtype) == ("gguf-q4_0", "fp16")


def test_the_scales_of_norms_are_no_quantisation() -> None:
    assert identify(headers()["flux1-dev-bf16"].model()).quantization is None


def with_markers(model: ModelFile, held: str) -> ModelFile:
    """The same file, each marker tensor holding these bytes."""
    data = held.encode()
    made = {
        name: TensorInfo(name, UINT8, (len(data),), Bytes(data))
        if name.endswith(".comfy_quant")
        else info
        for name, info in model.items()
    }
    return model_of(made)


def convrot(layer: str, shape: tuple[int, ...]) -> Extra:
    """Two numbers in a byte, and nothing but the marker says so."""
    rows, columns = shape
    return {
        f"{layer}.weight": (INT8, (rows, columns // 2)),
        f"{layer}.weight_scale": (FP32, (rows, 1)),
        f"{layer}.comfy_quant": (UINT8, (1,)),
    }


@pytest.mark.parametrize(
    ("quantise", "held", "scheme"),
    [
        (marked, '{"format": "float8_e4m3fn"}', "fp8-scaled"),
        (nvfp4, '{"format": "nvfp4"}', "nvfp4"),
        (mxfp8, '{"format": "mxfp8"}', "mxfp8"),
        (int8, '{"format": "int8_tensorwise"}', "int8-tensorwise"),
        (convrot, '{"format": "convrot_w4a4", "group": 64}', "convrot-w4a4"),
    ],
)
def test_what_the_markers_of_comfyui_hold_names_the_scheme(
    quantise: Quantise, held: str, scheme: str
) -> None:
    identity = identify(with_markers(quantised("z-image-turbo-bf16", quantise), held))
    assert identity.quantization == scheme
    assert (identity.architecture, identity.parts[0].complete) == ("z-image", True)


@pytest.mark.parametrize(
    "held", ["", "{", "[1]", '{"format": 7}', '{"format": "\\u0007"}', "[" * 250, "\x00" * 20]
)
def test_a_marker_that_says_nothing_leaves_the_scheme_to_what_stands_beside(held: str) -> None:
    identity = identify(with_markers(quantised("z-image-turbo-bf16", marked), held))
    assert (identity.quantization, identity.architecture) == ("fp8-scaled", "z-image")


NUNCHAKU: list[tuple[str, dict[str, tuple[DType, tuple[int, ...]]]]] = [
    ("z-image", {
        **{f"layers.{n}.attention.to_qkv.qweight": (INT8, (11520, 1920)) for n in range(30)},
        **{f"layers.{n}.attention.to_qkv.wscales": (BF16, (60, 11520)) for n in range(30)},
        **{f"layers.{n}.feed_forward.net.2.qweight": (INT8, (3840, 5120)) for n in range(30)},
    }),
    ("sdxl", {
        f"{side}_blocks.1.attentions.{at}.transformer_blocks.{n}.attn1.to_qkv.{end}": (kind, shape)
        for side in ("down", "up")
        for at in (0, 1)
        for n in (0, 1)
        for end, kind, shape in (("qweight", INT8, (1920, 320)), ("wscales", BF16, (10, 1920)))
    }),
]  # fmt: skip


@pytest.mark.parametrize(("architecture", "made"), NUNCHAKU)
def test_nunchaku_joins_queries_keys_and_values_and_the_family_is_still_known(
    architecture: str, made: dict[str, tuple[DType, tuple[int, ...]]]
) -> None:
    tensors = {name: tensor(name, dtype, shape) for name, (dtype, shape) in made.items()}
    identity = identify(model_of(tensors))
    assert (identity.kind, identity.architecture) == ("diffusion_model", architecture)
    assert (identity.quantization, identity.layout) == ("svdquant", "nunchaku")
