from __future__ import annotations

import json
import re

import pytest

from kanna.dtypes import BF16, FP16, FP32, INT64
from kanna.families import vocabulary
from kanna.identify import identify
from kanna.identity import said
from kanna.messages import LANGUAGES, say, set_language
from model_headers import headers, keys, known, model_of

UNET = "model.diffusion_model."


def test_an_sdxl_checkpoint_is_taken_apart_by_role() -> None:
    identity = known("sdxl-base-fp16")
    parts = {(p.role, p.variant_candidates[:1], p.prefix, p.tensors) for p in identity.parts}
    assert parts == {
        ("diffusion_model", ("base",), UNET, 1680),
        ("vae", (), "first_stage_model.", 248),
        ("text_encoder", ("clip-l",), "conditioner.embedders.0.transformer.", 197),
        ("text_encoder", ("clip-g",), "conditioner.embedders.1.model.", 390),
    }
    unet = identity.part("diffusion_model")
    assert unet is not None
    assert unet.parameters == 2_567_463_684
    assert unet.bytes == 2 * unet.parameters
    assert (unet.dtype, unet.quantization) == ("fp16", None)
    assert (identity.missing_parts, identity.resolution) == ((), 1024)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("sd15-fp16-novae", ("vae",)),
        ("flux1-dev-bf16", ("vae", "clip-l", "t5xxl")),
        ("flux1-dev-bf16-aio", ()),
        ("sd3-medium", ("clip-l", "clip-g", "t5xxl")),
        ("sd20-depth-fp32", ()),
        ("sd21-unclip-h-fp32", ()),
        ("stable-zero123-fp16", ()),
        ("auraflow-v03-dit", ("vae", "pile-t5-xl")),
        ("lora-kohya-sd1-r128", ()),
    ],
)
def test_parts_that_the_architecture_needs_and_the_file_lacks_are_named(
    name: str, missing: tuple[str, ...]
) -> None:
    assert known(name).missing_parts == missing


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("sd15-fp16-pruned", "ldm"), ("sd1-nai-fp32-ckpt", "nai"), ("flux1-dev-fp8-aio", "comfyui"),
        ("sdxl-unet-diffusers-f16", "diffusers"), ("flux1-schnell-bf16", "bfl"),
    ],
)  # fmt: skip
def test_the_layout_is_named(name: str, layout: str) -> None:
    assert known(name).layout == layout


@pytest.mark.parametrize(
    ("name", "architecture"),
    [("sd15-fp16-pruned", "sd1"), ("sd21-fp16-pruned", "sd2"), ("sdxl-base-fp16", "sdxl"),
     ("sdxl-refiner-fp16", "sdxl"), ("sd3-medium", "sd3"), ("flux1-dev-bf16-aio", "flux")],
)  # fmt: skip
def test_a_vae_is_that_of_the_model_beside_it(name: str, architecture: str) -> None:
    vae = known(name).part("vae")
    assert vae is not None
    assert vae.architecture == architecture


@pytest.mark.parametrize(
    ("name", "candidates"),
    [("vae-sdxl", ("sd1", "sd2", "sdxl")), ("vae-flux-ae", ("sd3", "flux")),
     ("vae-taesdxl-decoder", ("sd1", "sd2", "sdxl"))],
)  # fmt: skip
def test_a_vae_that_several_families_share_names_them_all(
    name: str, candidates: tuple[str, ...]
) -> None:
    identity = known(name)
    assert identity.architecture is None
    assert identity.architecture_candidates == candidates
    assert identity.certainty == "ambiguous"


def test_a_file_name_is_a_hint_and_no_more() -> None:
    model = headers()["vae-sdxl"].model()
    identity = identify(model_of(model, path="my-SDXL.vae.safetensors"))
    assert identity.architecture is None
    assert "name_hint" in keys(identity)


def test_a_vae_with_linear_attention_or_one_tensor_short_is_still_a_vae() -> None:
    model = headers()["vae-sd1-ft-mse"].model()
    flat = {n: t.shape[:2] if "attn_1" in n else t for n, t in model.items()}
    assert identify(model_of(flat)).parts[0].complete
    del flat["quant_conv.bias"]
    part = identify(model_of(flat)).parts[0]
    assert (part.role, part.complete, part.missing) == ("vae", False, ("quant_conv.bias",))


def test_what_an_architecture_needs_is_null_where_it_is_not_known() -> None:
    assert known("sd15-fp16-pruned").to_json()["missing_parts"] == []
    assert known("lora-kohya-sd1-r128").to_json()["missing_parts"] == []
    assert identify(model_of({"a.b": (3, 3)})).to_json()["missing_parts"] is None
    assert known("vae-sdxl").to_json()["missing_parts"] is None


def test_a_safety_checker_is_one_part_with_the_vision_model_inside_it() -> None:
    shapes: dict[str, tuple[int, ...]] = {
        "special_care_embeds": (3, 768), "concept_embeds": (17, 768),
        "visual_projection.weight": (768, 1024),
    }  # fmt: skip
    vision = {f"vision_model.encoder.layers.{n}.layer_norm1.weight": (1024,) for n in range(24)}
    checker = {**shapes, **{f"vision_model.{name}": shape for name, shape in vision.items()}}
    alone = identify(model_of(checker))
    assert [(part.role, part.tensors) for part in alone.parts] == [("safety_checker", 27)]
    unet = headers()["sdxl-unet-diffusers-f16"].model()
    folder = {f"unet.{name}": tensor.shape for name, tensor in unet.items()}
    folder |= {f"safety_checker.{name}": shape for name, shape in checker.items()}
    folder |= {f"image_encoder.{name}": shape for name, shape in vision.items()}
    parts = {(part.role, part.prefix): part.tensors for part in identify(model_of(folder)).parts}
    assert parts == {
        ("diffusion_model", "unet."): 1680, ("safety_checker", "safety_checker."): 27,
        ("clip_vision", "image_encoder."): 24,
    }  # fmt: skip


def test_the_document_has_the_agreed_keys_in_order_and_is_json() -> None:
    document = known("sd15-full-ema-fp32").to_json()
    assert list(document)[:23] == [
        "path", "size", "container", "kind", "architecture", "variant", "variant_candidates",
        "certainty", "layout", "prediction", "dtype", "quantization", "parts", "ema", "vae",
        "position_ids", "junk", "unrecognised", "missing_parts", "markers", "metadata", "evidence",
        "findings",
    ]  # fmt: skip
    assert json.loads(json.dumps(document)) == document
    assert document["findings"] is None


def test_sentences_are_translated_and_keys_are_not() -> None:
    identity = known("vae-sdxl")
    english = identity.to_json()
    set_language("ja")
    japanese = identity.to_json()
    assert english.keys() == japanese.keys()
    assert english["evidence"] != japanese["evidence"]
    assert english["architecture_candidates"] == japanese["architecture_candidates"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_evidence_has_the_words_of_people_and_not_of_tables(language: str) -> None:
    set_language(language)
    for name in headers():
        for note in known(name).evidence:
            sentence = said(note)
            words = re.sub(r"[“「\[].*?[”」\]]", "", sentence).replace("modelspec", "").split()
            assert not [w for w in words if "_" in w and "." not in w], (name, sentence)
            assert "Note(" not in sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_role_and_task_has_a_name_in_every_language(language: str) -> None:
    set_language(language)
    words = vocabulary()
    for word in words["kind"] | words["role"]:
        assert say(f"inspect.part_{word}")
    for word in words["task"]:
        assert say(f"inspect.task_{word.replace('-', '_')}")


def test_dtypes_are_counted_by_bytes() -> None:
    identity = known("sdxl-fp16-vae-f32")
    vae = identity.part("vae")
    assert vae is not None
    assert vae.dtypes == {FP32.word: vae.bytes}
    assert identity.dtype == FP16.word
    assert {BF16.word, INT64.word}.isdisjoint(vae.dtypes)
