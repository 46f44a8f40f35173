"""Texts as the programs write them, with what a reader has to find in each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kanna.errors import Incompatible
from kanna.infotext import open_texts
from kanna.infotext.a1111 import open_a1111, open_a1111_text
from kanna.infotext.a1111_writing import write_a1111
from kanna.infotext.expanding import expand, to_document
from kanna.infotext.info import GenerationInfo, ModelReference
from kanna.messages import LANGUAGES, say, set_language
from kanna.pictures.picture import PictureText

CORPUS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "infotext" / "a1111.json").read_text("utf-8")
)
named = pytest.mark.parametrize("case", CORPUS, ids=lambda case: case["name"])
SURE = "1girl\nNegative prompt: bad\nSteps: 20, Sampler: Euler a, Seed: 1, Size: 512x768"


def read(text: str) -> GenerationInfo:
    return open_a1111_text(text).info


@named
def test_the_text_comes_back(case: dict[str, Any]) -> None:
    assert open_a1111_text(case["text"]).texts()[0].text == case["text"]


@named
def test_prompts_and_fields_are_read(case: dict[str, Any]) -> None:
    info = read(case["text"])
    assert info.dialect == case["dialect"]
    for name in ("prompt", "negative", "prompts"):
        if name in case:
            assert getattr(info, name) == case[name]
    for name, value in case.get("fields", {}).items():
        assert getattr(info, name) == value


@named
def test_pairs_are_read(case: dict[str, Any]) -> None:
    info = read(case["text"])
    if "count" in case:
        assert len(info.parameters) == case["count"]
    pairs = {one.key: one.value for one in info.parameters}
    assert {key: pairs.get(key) for key in case.get("parameters", {})} == case.get("parameters", {})


@named
def test_each_model_is_named_once(case: dict[str, Any]) -> None:
    models = [
        [one.role, one.name, one.digest, one.weight, one.stage] for one in read(case["text"]).models
    ]
    if "models" in case:
        assert models == case["models"]


@named
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_odd_is_said(case: dict[str, Any], language: str) -> None:
    set_language(language)
    notes = read(case["text"]).notes
    assert all(say(note.key, **note.values) for note in notes)
    if "notes" in case:
        assert {note.key.removeprefix("infotext_text.") for note in notes} == set(case["notes"])


@named
def test_a_written_text_says_the_same(case: dict[str, Any]) -> None:
    info = read(case["text"])
    text = write_a1111(info)
    again = read(text)
    assert (again.prompt, again.negative or "") == (info.prompt, info.negative or "")
    assert {(one.key, one.value) for one in again.parameters} == {
        (one.key, one.value) for one in info.parameters
    }
    if case.get("canonical"):
        assert text == case["text"]


@named
def test_a_document_makes_its_text_again(case: dict[str, Any]) -> None:
    info = read(case["text"])
    document = json.loads(json.dumps(to_document(info)))
    (text,) = expand(document)
    again = read(text)
    assert (again.prompt, again.negative or "") == (info.prompt, info.negative or "")
    assert {one.key: one.value for one in again.parameters} == {
        one.key: one.value for one in info.parameters
    }
    if case.get("canonical"):
        assert text == case["text"]


@named
def test_setting_every_pair_to_itself_changes_nothing(case: dict[str, Any]) -> None:
    opened = open_a1111_text(case["text"])
    text = opened
    for one in opened.info.parameters if case.get("canonical") else ():
        text = text.with_parameter(one.key, one.value)
    assert text.text == case["text"]


@pytest.mark.parametrize(
    ("digest", "key", "meanings"),
    [
        ("45dee52b", "Model hash", ("autov1", "crc32")),
        ("6ce0161689", "Model hash", ("autov2",)),
        ("0x" + "AB" * 32, "Model hash", ("sha256", "data_sha256", "blake3")),
        ("6bb3a5a3b1eadd32", "Model sha256", ("sha256_16",)),
        ("735e4c3a44", "VAE hash", ("autov2",)),
    ],
)
def test_digests_are_told_apart_by_their_length(
    digest: str, key: str, meanings: tuple[str, ...]
) -> None:
    (model,) = read(f"{SURE}, {key}: {digest}").models
    assert model.digest == digest.lower().removeprefix("0x")
    assert model.meanings == meanings


@pytest.mark.parametrize("digest", ["", "None", "NOFILE", "123", "xyz", "0123456789a"])
def test_what_is_no_digest_names_no_model(digest: str) -> None:
    assert not read(f"{SURE}, Model hash: {digest}").models


def test_a_lora_has_the_digest_of_its_data_first() -> None:
    (lora,) = read(f'<lora:x:1> {SURE}, Lora hashes: "x: 0123456789ab"').models
    assert lora.meanings == ("autov3", "sha256_12")


def test_the_digest_of_a_loras_data_outlives_that_of_its_file() -> None:
    whole = f'Lora sha256: "x: {"ab" * 32}, y: {"cd" * 32}"'
    found = read(f'{SURE}, Lora hashes: "x: 0123456789ab", {whole}').models
    assert [(one.name, one.digest) for one in found] == [("x", "0123456789ab"), ("y", "cd" * 32)]


def test_two_digests_of_one_length_are_two_models() -> None:
    text = f'{SURE}, Model: a, Model hash: 0123456789, Hashes: {{"model": "9876543210"}}'
    assert [one.digest for one in read(text).models] == ["0123456789", "9876543210"]


@pytest.mark.parametrize("word", ["None", "Automatic", "Built-in", "TAESD", "Use same checkpoint"])
def test_choices_are_no_models(word: str) -> None:
    assert not read(f"{SURE}, VAE: {word}, Hires checkpoint: {word}").models


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("ae", "vae"), ("flux_vae", "vae"), ("kl-f8-anime2", "vae"), ("clip_g", "text_encoder"),
        ("t5xxl_fp8_e4m3fn", "text_encoder"), ("umt5-xxl", "text_encoder"),
        ("qwen_2.5_vl_7b", "text_encoder"), ("gemma_2_2b_fp16", "text_encoder"),
        ("clip_vision_h", "clip_vision"), ("maestro", "unknown"),
    ],
)  # fmt: skip
def test_modules_are_told_by_their_names(name: str, role: str) -> None:
    (model,) = read(f"{SURE}, Module 1: {name}").models
    assert model.role == role


def test_a_change_leaves_every_other_byte() -> None:
    text = " 1girl \r\nNegative prompt:  bad \r\nSteps: 20,Seed: 1 ,  Size: 1x1, ENSD: 2, \n"
    opened = open_a1111_text(text)
    assert opened.with_prompt("犬\n猫").text == text.replace("1girl", "犬\r\n猫")
    assert opened.with_negative("x").text == text.replace("bad", "x")
    assert opened.with_parameter("Seed", "2").text == text.replace("Seed: 1", "Seed: 2")
    assert opened.with_parameter("VAE", "a, b").text == text.replace("2, ", '2, VAE: "a, b", ')
    assert opened.without_parameter("Seed").text == text.replace(",Seed: 1", "")
    assert opened.without_parameter("Steps").text.endswith(
        "bad \r\nSeed: 1 ,  Size: 1x1, ENSD: 2, \n"
    )


@pytest.mark.parametrize(
    ("text", "negative", "expected"),
    [
        (SURE, "", "1girl\nSteps: 20, Sampler: Euler a, Seed: 1, Size: 512x768"),
        ("1girl", "bad", "1girl\nNegative prompt: bad"),
        ("", "bad", "Negative prompt: bad"),
        ("a\nSteps: 1, Seed: 2, Size: 3x4", "b", "a\nNegative prompt: b\nSteps: 1, Seed: 2, Size: 3x4"),
        ("Steps: 1, Seed: 2, Size: 3x4", "b", "Negative prompt: b\nSteps: 1, Seed: 2, Size: 3x4"),
        ("a\nNegative prompt: \nSteps: 1, Seed: 2, Size: 3x4", "b\nc",
         "a\nNegative prompt: b\nc\nSteps: 1, Seed: 2, Size: 3x4"),
        ("a\nNegative prompt: Steps: 1, Seed: 2, Size: 3x4", "b",
         "a\nNegative prompt: b\nSteps: 1, Seed: 2, Size: 3x4"),
    ],
)  # fmt: skip
def test_a_negative_prompt_comes_and_goes_with_its_label(
    text: str, negative: str, expected: str
) -> None:
    assert open_a1111_text(text).with_negative(negative).text == expected


@pytest.mark.parametrize(
    ("text", "prompt", "expected"),
    [
        (SURE, "", SURE.partition("\n")[2]),
        (SURE.partition("\n")[2], "1girl", SURE),
        ("", "a", "a"),
        ("a Negative prompt: b Steps: 1, Seed: 2, Size: 3x4", "c\nd",
         "c\nd\nNegative prompt: b\nSteps: 1, Seed: 2, Size: 3x4"),
    ],
)  # fmt: skip
def test_a_prompt_comes_and_goes(text: str, prompt: str, expected: str) -> None:
    assert open_a1111_text(text).with_prompt(prompt).text == expected


def test_riders_stay_riders() -> None:
    opened = open_a1111_text(f'{SURE}, Hashes: {{"model": "0123456789"}}, Version: v1')
    text = opened.with_parameter("Hashes", '{"model": "1", "vae": "2"}').text
    assert text.endswith('Hashes: {"model": "1", "vae": "2"}, Version: v1')
    new = open_a1111_text(SURE).with_parameter("Civitai resources", '[{"a": 1}]').text
    assert new.endswith('512x768, Civitai resources: [{"a": 1}]')


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("with_prompt", ("a\nNegative prompt: b",)),
        ("with_parameter", ("a: b", "x")),
        ("with_parameter", ("a, b", "x")),
        ("with_parameter", ("", "x")),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_grammar_cannot_hold_is_refused(
    method: str, words: tuple[str, ...], language: str
) -> None:
    set_language(language)
    with pytest.raises(Incompatible) as caught:
        getattr(open_a1111_text(SURE), method)(*words)
    assert caught.value.message
    assert caught.value.hint


def test_parameters_begin_with_steps() -> None:
    alone = open_a1111_text("1girl")
    with pytest.raises(Incompatible):
        alone.with_parameter("VAE", "x")
    text = alone.with_parameter("Steps", "20").with_parameter("VAE", "x").text
    assert text == "1girl\nSteps: 20, VAE: x"
    with pytest.raises(Incompatible):
        open_a1111_text("1girl\nSteps: 1, Seed: 2, VAE: 3").without_parameter("Steps")


def test_the_other_texts_of_a_picture_are_left_alone() -> None:
    chosen = PictureText(place="tEXt", keyword="parameters", text=SURE, encoding="latin-1")
    other = PictureText(place="zTXt", keyword="Comment", text="mine", after_data=True)
    opened = open_texts([other, chosen])
    assert opened is not None
    changed = opened.with_prompt("2girls").texts()
    assert changed[0] is other
    assert changed[1].text == SURE.replace("1girl", "2girls")
    assert opened.texts() == (other, chosen)


@pytest.mark.parametrize("text", ["", " \n", '{"sui_image_params": {}}', "[1, 2]"])
def test_blank_texts_and_json_are_no_infotexts(text: str) -> None:
    chosen = PictureText(place="tEXt", keyword="parameters", text=text)
    assert open_a1111([chosen], chosen) is None


def test_prompts_in_braces_are_infotexts() -> None:
    chosen = PictureText(place="tEXt", keyword="parameters", text="{masterpiece}, 1girl")
    opened = open_a1111([chosen], chosen)
    assert opened is not None
    assert opened.info.prompt == "{masterpiece}, 1girl"


def test_what_other_programs_say_becomes_a_text() -> None:
    info = GenerationInfo(
        dialect="comfyui", prompt="a cat", negative="bad, ugly", steps=20,
        sampler="dpmpp_2m", scheduler="karras", cfg_scale=7.0, seed=5, width=512, height=768,
        models=(
            ModelReference(role="checkpoint", name="sub\\foo, v1.safetensors"),
            ModelReference(role="vae", name="vae.pt", digest="ab" * 32, meanings=("sha256",)),
            ModelReference(role="lora", name="style.safetensors", weight=0.75, digest="cd" * 32,
                           meanings=("data_sha256",)),
            ModelReference(role="upscaler", name="4x.pth"),
        ),
    )  # fmt: skip
    text = write_a1111(info)
    assert text == (
        "a cat, <lora:style:0.75>\nNegative prompt: bad, ugly\nSteps: 20, Sampler: DPM++ 2M, "
        "Schedule type: Karras, CFG scale: 7, Seed: 5, Size: 512x768, Model: foo v1, "
        'VAE hash: ababababab, VAE: vae, Lora hashes: "style: cdcdcdcdcdcd"'
    )
    assert read(text).models[2] == ModelReference(
        role="lora", name="style", digest="cd" * 6, meanings=("autov3", "sha256_12"), weight=0.75,
        where="prompt",
    )  # fmt: skip


def test_forge_is_told_of_all_parts() -> None:
    info = GenerationInfo(
        dialect="comfyui", prompt="a", steps=4, distilled_cfg_scale=3.5,
        models=(
            ModelReference(role="diffusion_model", name="flux1-dev.safetensors"),
            ModelReference(role="text_encoder", name="clip_l.safetensors"),
            ModelReference(role="text_encoder", name="t5xxl.safetensors"),
            ModelReference(role="vae", name="ae.safetensors"),
        ),
    )  # fmt: skip
    assert write_a1111(info).endswith(
        "Model: flux1-dev, VAE: ae, Module 1: ae, Module 2: clip_l, Module 3: t5xxl"
    )


def test_parameters_may_begin_with_another_key_than_steps() -> None:
    found = read("cat\nVersion: v1, Steps: 20, Sampler: Euler, Seed: 1")
    assert (found.prompt, found.parameters[0].key) == ("cat", "Version")


def test_a_rider_of_several_lines_is_quoted() -> None:
    value = '{"model":\n"0123456789"}'
    text = f"cat\n{SURE}, Hashes: {{}}"
    after = open_a1111_text(text).with_parameter("Hashes", value).info.parameters
    assert after[-1].value == value


def test_a_digest_of_two_kinds_of_models_names_two() -> None:
    found = read(f"{SURE}, Model hash: 0123456789, VAE hash: 0123456789").models
    assert [one.role for one in found] == ["checkpoint", "vae"]


def test_civitais_checkpoint_is_the_one_that_the_text_names() -> None:
    listed = '[{"type":"checkpoint","modelName":"A"},{"type":"lora","modelName":"B"}]'
    found = read(f"{SURE}, Model: a_v1, Civitai resources: {listed}").models
    assert [(one.role, one.name) for one in found] == [("checkpoint", "a_v1"), ("lora", "B")]
    alone = read(f"{SURE}, Civitai resources: {listed}").models
    assert [(one.role, one.name) for one in alone] == [("checkpoint", "A"), ("lora", "B")]
