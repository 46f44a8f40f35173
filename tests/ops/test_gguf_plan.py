"""GGUF out of checkpoints and UNets, and numbers out of GGUF, against gguf's own quantisers."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers import gguf_bytes
from kanna.demo import Noise
from kanna.dtypes import BF16, FP16, FP32, UINT8, DType
from kanna.engine import run
from kanna.errors import Incompatible, UsageError
from kanna.families import family
from kanna.families.gguf_words import GGUF_WORDS
from kanna.formats import open_model
from kanna.formats.ggml_types import BlockType
from kanna.formats.layout import arrange
from kanna.identify import identify
from kanna.model import ModelFile, TensorInfo
from kanna.ops.convert import ConvertOptions, convert
from kanna.ops.draft import Draft
from kanna.ops.gguf import TYPES, lay_out, own_fields, writable_type
from kanna.plan import Copy, Plan
from model_headers import headers
from models import UNET, VAE, full_checkpoint, model_of, outputs, planned, said

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import gguf

IMAGE_ARCHITECTURES = {  # what ComfyUI-GGUF's loader.py takes
    "flux", "sd1", "sdxl", "sd3", "aura", "hidream", "cosmos", "ltxv", "hyvid", "wan", "lumina2",
    "qwen_image",
}  # fmt: skip
CONV = "input_blocks.1.0.in_layers.2.weight"  # [320, 320, 3, 3]
MATRIX = "input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"  # [320, 320]
EMBEDDING = "time_embed.0.weight"
FIRST = "input_blocks.0.0.weight"
BIAS = "time_embed.0.bias"


def unet() -> ModelFile:
    kept = [tensor for name, tensor in full_checkpoint().items() if name.startswith(UNET)]
    return model_of(kept, path="unet.safetensors", container="safetensors")


def cut(model: ModelFile, word: str, **more: Any) -> Plan:
    draft = Draft.of(model, identify(model))
    extras = lay_out(draft, writable_type(word), **more)
    return Plan(outputs=tuple(draft.outputs.values()), container="gguf", inputs=(model,),
                extras=extras, notes=tuple(draft.notes))  # fmt: skip


def some(plan: Plan, *names: str) -> Plan:
    """Only these outputs: the numbers of a whole model are too many for a test."""
    return replace(plan, outputs=tuple(o for o in plan.outputs if o.name in names), inputs=())


def values(plan: Plan) -> dict[str, Any]:
    typed: Any = plan.extras["gguf"]
    return {key: one.value for key, one in typed.items()}


def read_as_comfyui_does(path: Path) -> dict[str, np.ndarray]:
    """Tensors by name, decoded by gguf, in the shapes that ComfyUI-GGUF gives them."""
    reader = gguf.GGUFReader(path)
    found = {}
    for tensor in reader.tensors:
        field = reader.get_field(f"comfy.gguf.orig_shape.{tensor.name}")
        shape = tuple(reversed(tensor.shape)) if field is None else tuple(field.contents())
        numbers = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        found[tensor.name] = np.asarray(numbers, np.float32).reshape(shape)
    return found


def test_a_unet_is_laid_out_as_comfyui_gguf_lays_it_out() -> None:
    plan = planned(unet(), container="gguf", dtype="fp16")
    made = outputs(plan)
    assert not [name for name in made if name.startswith(UNET)]
    assert made[BIAS].dtype is FP32  # vectors keep what they have
    assert made[CONV].dtype is FP16
    assert made[CONV].shape == (320, 320, 3, 3)
    told = values(plan)
    assert told["general.architecture"] == "sd1"
    assert told["general.quantization_version"] == 2
    assert told["general.file_type"] == gguf.LlamaFileType.MOSTLY_F16
    assert told[f"comfy.gguf.orig_shape.{CONV}"] == [320, 320, 3, 3]
    assert f"comfy.gguf.orig_shape.{BIAS}" not in told
    assert {"gguf.for_comfyui", "gguf.folded"} <= said(plan)


def test_which_tensors_are_folded_is_what_comfyui_gguf_decides() -> None:
    plan = planned(unet(), container="gguf")
    folded = {key.removeprefix("comfy.gguf.orig_shape.") for key in values(plan)}
    for output in plan.outputs:
        count = prod(output.shape)
        expected = (
            len(output.shape) > 1
            and count >= 512
            and (count / 256).is_integer()
            and not (output.shape[-1] / 256).is_integer()
        )
        assert (output.name in folded) == expected


@pytest.mark.parametrize("word", TYPES)
def test_blocks_are_those_of_gguf_s_own_quantiser(tmp_path: Path, word: str) -> None:
    model, path = unet(), tmp_path / "m.gguf"
    result = run(some(cut(model, word), CONV, MATRIX, EMBEDDING, FIRST, BIAS), path)
    reader = gguf.GGUFReader(path)
    kind = gguf.GGMLQuantizationType[word.upper()]
    stored = {tensor.name: tensor for tensor in reader.tensors}
    types = {name: tensor.tensor_type.name for name, tensor in stored.items()}
    assert types == {
        FIRST: "F16", EMBEDDING: "F16", BIAS: "F32", CONV: word.upper(), MATRIX: word.upper(),
    }  # fmt: skip
    for name in (CONV, MATRIX):
        source = np.frombuffer(model[UNET + name].read(), np.float32).reshape(-1, 256)
        wanted = gguf.quants.quantize(source, kind)
        assert stored[name].data.tobytes() == wanted.tobytes()
    decoded = read_as_comfyui_does(path)
    with open_model(path) as made:
        assert {name: tensor.shape for name, tensor in made.items()} == {
            name: array.shape for name, array in decoded.items()
        }
    measured = result.losses[MATRIX]
    before = np.frombuffer(model[UNET + MATRIX].read(), np.float32).astype(np.float64)
    after = decoded[MATRIX].reshape(-1).astype(np.float64)
    assert measured.count == before.size
    assert measured.dd == pytest.approx(((after - before) ** 2).sum(), rel=1e-9)


def test_a_checkpoint_keeps_its_names_and_shapes_for_stable_diffusion_cpp() -> None:
    model = full_checkpoint()
    plan = planned(model, container="gguf", purpose="generation")
    assert UNET + CONV in outputs(plan)
    assert not [key for key in values(plan) if "orig_shape" in key]
    assert "gguf.for_checkpoints" in said(plan)
    made = outputs(cut(model, "q8_0"))
    assert made[UNET + MATRIX].dtype.word == "q8_0"
    assert made[UNET + CONV].dtype is FP16  # rows of three numbers
    assert made[UNET + EMBEDDING].dtype is FP16
    text = "cond_stage_model.transformer.text_model."
    assert made[text + "encoder.layers.0.mlp.fc1.weight"].dtype.word == "q8_0"
    assert made[text + "embeddings.token_embedding.weight"].dtype is FP16
    assert isinstance(made[text + "embeddings.position_ids"].op, Copy)
    blocks = [name for name, output in made.items() if isinstance(output.dtype, BlockType)]
    assert not [name for name in blocks if name.startswith((VAE, "model_ema."))]


def test_names_that_are_asked_for_stay() -> None:
    made = outputs(cut(full_checkpoint(), "q8_0", stay=[UNET + MATRIX]))
    assert made[UNET + MATRIX].dtype is FP32
    assert made[UNET + MATRIX.replace("blocks.1.1", "blocks.2.1")].dtype.word == "q8_0"


def test_bf16_vectors_and_parameters_become_fp32() -> None:
    plan = planned(headers()["z-image-turbo-bf16"].model(), container="gguf")
    made = outputs(plan)
    assert made["x_pad_token"].dtype is FP32
    assert made["layers.0.attention_norm1.weight"].dtype is FP32
    assert made["layers.0.attention.qkv.weight"].dtype is BF16
    assert isinstance(made["layers.0.attention.qkv.weight"].op, Copy)
    assert values(plan)["general.file_type"] == gguf.LlamaFileType.MOSTLY_BF16
    assert values(plan)["general.architecture"] == "lumina2"


def test_parameters_and_kernels_of_five_dimensions_are_in_no_bf16() -> None:
    made = outputs(cut(headers()["hunyuan-video-t2v-orig-bf16"].model(), "q8_0"))
    assert made["img_in.proj.weight"].dtype is FP32
    assert made["final_layer.linear.weight"].dtype is BF16
    assert made["double_blocks.0.img_attn_qkv.weight"].dtype.word == "q8_0"
    unknown = TensorInfo("pos_embed", BF16, (1, 64, 64), Noise(3))
    model = headers()["flux1-dev-bf16"].model()
    assert outputs(cut(model_of([*model.values(), unknown]), "q8_0"))["pos_embed"].dtype is FP32


def test_five_dimensions_become_four_and_are_told() -> None:
    plan = planned(headers()["wan21-t2v-1.3b-fp16"].model(), container="gguf")
    specs = [(output.name, output.dtype, output.shape) for output in plan.outputs]
    layout = arrange("gguf", specs, metadata={}, digest_fields={}, extras=plan.extras)
    key = "comfy.gguf.orig_shape.patch_embedding.weight"
    assert layout.stated[key] == "[1536, 16, 1, 2, 2]"
    assert key not in values(plan)
    assert made_in(plan, "blocks.0.modulation") is FP16


def made_in(plan: Plan, name: str) -> DType:
    return outputs(plan)[name].dtype


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ("flux1-dev-bf16", "flux"),
        ("flux2-klein-4b-bf16", "flux"),
        ("chroma-bf16", "flux"),
        ("sdxl-unet-only-fp16", "sdxl"),
        ("sd35-large-dit-bare", "sd3"),
        ("auraflow-v03-dit", "aura"),
        ("hidream-i1-full-fp16", "hidream"),
        ("ltxv-2b-bf16-dit", "ltxv"),
        ("hunyuan-video-t2v-orig-bf16", "hyvid"),
        ("wan21-t2v-14b-fp16", "wan"),
        ("lumina2-dit-bf16", "lumina2"),
        ("qwen-image-bf16", "qwen_image"),
        ("sd15-unet-diffusers-f16", "sd1"),
    ],
)
def test_a_model_gets_the_word_that_comfyui_gguf_knows_it_by(header: str, word: str) -> None:
    plan = cut(headers()[header].model(), "q4_0")
    assert values(plan)["general.architecture"] == word
    blocks = [output for output in plan.outputs if isinstance(output.dtype, BlockType)]
    share = sum(prod(o.shape) for o in blocks) / sum(prod(o.shape) for o in plan.outputs)
    assert share > 0.85  # what makes the size is in blocks


def test_every_word_is_one_that_comfyui_gguf_takes() -> None:
    assert {row.word for row in GGUF_WORDS.values()} == IMAGE_ARCHITECTURES
    assert not [name for name in GGUF_WORDS if family(name) is None]


REFUSED: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "a text encoder": (
        lambda: planned(headers()["te-t5xxl-fp16"].model(), container="gguf"), Incompatible,
        "gguf.no_model",
    ),
    "a file without a part": (
        lambda: planned(headers()["embedding-sd1-pt"].model(), container="gguf"), Incompatible,
        "gguf.no_model",
    ),
    "a model that nothing reads": (
        lambda: planned(headers()["sana-1600m-diffusers-bf16"].model(), container="gguf"), Incompatible,
        "gguf.no_reader",
    ),
    "names of diffusers": (
        lambda: planned(headers()["flux1-dev-diffusers-bf16"].model(), container="gguf"), Incompatible,
        "gguf.diffusers",
    ),
    "another quantisation": (
        lambda: planned(headers()["flux1-dev-fp8-scaled"].model(), container="gguf"), Incompatible,
        "gguf.quantised",
    ),
    "a K-quant": (lambda: writable_type("Q4_K_M"), UsageError, "gguf.only_read"),
    "a K-quant by its type": (lambda: writable_type("q6_k"), UsageError, "gguf.only_read"),
    "an I-quant": (lambda: writable_type("iq4_xs"), UsageError, "gguf.only_read"),
    "no type": (lambda: writable_type("q9_9"), UsageError, "gguf.no_type"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_written_is_refused_and_says_where_to_go(case: str) -> None:
    make, kind, key = REFUSED[case]
    with pytest.raises(kind) as caught:
        make()
    error: Any = caught.value
    assert error.key == key
    assert error.hint


def written_by_gguf(path: Path, *kinds: Any) -> dict[str, np.ndarray]:
    """A GGUF with a matrix in each type, and their numbers as gguf decodes them."""
    random = np.random.default_rng(3)
    writer = gguf.GGUFWriter(path, "flux")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    writer.add_string("general.name", "test")
    writer.add_array("tokenizer.ggml.tokens", [str(n) for n in range(99)])
    numbers = {}
    for kind in kinds:
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        raw = random.integers(0, 60, (4, 512 // elements * size), dtype=np.uint8)
        name = f"blocks.0.{kind.name.lower()}.weight"
        writer.add_tensor(name, raw, raw_shape=raw.shape, raw_dtype=kind)
        with np.errstate(all="ignore"):
            numbers[name] = gguf.quants.dequantize(raw, kind)
    writer.add_tensor("blocks.0.bias", np.arange(6, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return {**numbers, "blocks.0.bias": np.arange(6, dtype=np.float32)}


KINDS = [kind for kind in gguf.quants._type_traits if kind is not gguf.GGMLQuantizationType.BF16]


def test_numbers_of_every_type_come_out_as_gguf_decodes_them(tmp_path: Path) -> None:
    source, target = tmp_path / "a.gguf", tmp_path / "b.safetensors"
    numbers = written_by_gguf(source, *KINDS)
    with open_model(source) as model:
        asked = ConvertOptions(dtype="fp32", container="safetensors")
        run(convert(model, identify(model), asked).plan, target)
    with open_model(target) as made:
        assert {name: tensor.shape for name, tensor in made.items()} == {
            name: array.shape for name, array in numbers.items()
        }
        for name, tensor in made.items():
            found = np.frombuffer(tensor.read(), np.float32).reshape(tensor.shape)
            assert np.array_equal(found, numbers[name], equal_nan=True), name
        assert made.metadata["general.name"] == "test"
        assert "general.file_type" not in made.metadata


def test_blocks_stay_blocks_in_a_gguf_with_all_that_it_says(tmp_path: Path) -> None:
    source, target = tmp_path / "a.gguf", tmp_path / "b.gguf"
    written_by_gguf(source, gguf.GGMLQuantizationType.Q4_K, gguf.GGMLQuantizationType.IQ2_S)
    with open_model(source) as model:
        run(convert(model, identify(model), ConvertOptions(container="gguf")).plan, target)
    before, after = gguf.GGUFReader(source), gguf.GGUFReader(target)
    for old, new in zip(before.tensors, after.tensors, strict=True):
        assert (old.name, old.tensor_type) == (new.name, new.tensor_type)
        assert old.data.tobytes() == new.data.tobytes()
    for key in ("general.architecture", "general.name", "tokenizer.ggml.tokens"):
        was, now = before.fields[key], after.fields[key]
        assert (now.types, now.contents()) == (was.types, was.contents())
    kind = after.fields["general.file_type"].contents()
    assert kind == gguf.LlamaFileType.MOSTLY_Q4_K_M
    assert "kanna.history" in after.fields


def test_whoever_wants_no_gguf_is_asked_for_a_dtype(tmp_path: Path) -> None:
    source = tmp_path / "a.gguf"
    written_by_gguf(source, gguf.GGMLQuantizationType.Q4_K)
    with open_model(source) as model, pytest.raises(Incompatible) as caught:
        convert(model, identify(model), ConvertOptions(container="safetensors"))
    assert caught.value.key == "gguf.needs_dtype"
    assert "--dtype fp16" in caught.value.hint


def test_what_tells_of_a_layout_does_not_outlive_it() -> None:
    told = {
        "general.file_type": "15", "general.alignment": "32", "split.count": "2",
        "comfy.gguf.orig_shape.a": "[1]", "general.name": "x",
    }  # fmt: skip
    assert own_fields(told) == {"general.name": "x"}


def test_a_number_type_that_gguf_lacks_is_told() -> None:
    model = unet()
    odd = TensorInfo(UNET + "odd", UINT8, (4,), Noise(3))
    plan = planned(model_of([*model.values(), odd]), container="gguf")
    with pytest.raises(Incompatible) as caught:
        run(plan, "never.gguf")
    assert caught.value.key == "layout.dtype"
    assert not Path("never.gguf").exists()


def test_an_empty_gguf_opens_and_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf_bytes())
    with open_model(path) as model:
        assert not identify(model).parts
