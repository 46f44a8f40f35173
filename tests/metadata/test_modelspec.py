"""ModelSpec 1.0.1: which values have the form of their field, what is missing, what is not of it."""

from __future__ import annotations

import base64
from io import BytesIO

import pytest
from PIL import Image

from kanna.messages import LANGUAGES, say, set_language
from kanna.metadata.forms import FORMS, Malformed
from kanna.metadata.modelspec import fields, key_of, read_spec, words, written

DIGITS = "0123456789abcdef" * 4


def picture_url(kind: str = "PNG", size: tuple[int, int] = (4, 4)) -> str:
    out = BytesIO()
    Image.new("RGB", size, "red").save(out, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(out.getvalue()).decode()}"


# field, value, as it is written best
GOOD = [
    ("sai_model_spec", "1.0.0", "1.0.0"),
    ("sai_model_spec", "1.0.1", "1.0.1"),
    ("architecture", "stable-diffusion-v1", "stable-diffusion-v1"),
    ("architecture", "stable-diffusion-xl-v1-base/lora", "stable-diffusion-xl-v1-base/lora"),
    ("architecture", "Flux.1-dev", "Flux.1-dev"),
    ("architecture", "hunyuan-image-2_1", "hunyuan-image-2_1"),
    ("implementation", "https://github.com/Stability-AI/generative-models", None),
    ("title", "  絵 – version 1.0 ", "絵 – version 1.0"),
    ("description", "# Head\n\nTwo\nparagraphs", None),
    ("resolution", "1024x1024", "1024x1024"),
    ("resolution", "1024 X 576", "1024x576"),
    ("resolution", "768", "768x768"),
    ("date", "2023-07-16", "2023-07-16"),
    ("date", "20230716", "20230716"),
    ("date", "2023-07-16T18:13:38Z", "2023-07-16T18:13:38Z"),
    ("date", "2023-07-16T18:13:38.123+09:00", None),
    ("hash_sha256", "0x" + DIGITS, "0x" + DIGITS),
    ("hash_sha256", DIGITS.upper(), "0x" + DIGITS),
    ("hash_md5", "0x" + DIGITS[:32], "0x" + DIGITS[:32]),
    ("thumbnail", picture_url(), None),
    ("thumbnail", picture_url("JPEG"), None),
    ("tags", "anime,  girl , portrait", "anime, girl, portrait"),
    ("merged_from", "Model A, Model B", "Model A, Model B"),
    ("prediction_type", "v", "v"),
    ("prediction_type", "epsilon", "epsilon"),
    ("timestep_range", "500, 999", "500,999"),
    ("timestep_range", "0,499", "0,499"),
    ("encoder_layer", "2", "2"),
    ("preprocessor", "depth", "depth"),
    ("is_negative_embedding", "True", "true"),
    ("unet_dtype", "bf16,fp32", "bf16, fp32"),
]
BAD = [
    ("sai_model_spec", "1"), ("sai_model_spec", "2.0.0"), ("sai_model_spec", ""),
    ("architecture", ""), ("architecture", "stable diffusion"), ("architecture", "a//b"),
    ("architecture", "/lora"), ("architecture", "sdxl\n"),
    ("implementation", " "), ("title", ""), ("title", "two\nlines"), ("title", "\t"),
    ("description", "  \n "),
    ("resolution", "1024*1024"), ("resolution", "0x0"), ("resolution", "-1x5"),
    ("resolution", "1024x"), ("resolution", "1e3"), ("resolution", "9999999"), ("resolution", ""),
    ("date", "yesterday"), ("date", "2023"), ("date", "2023-13-01"), ("date", "2023-02-30"),
    ("date", "16.07.2023"), ("date", "1690000000"), ("date", ""),
    ("hash_sha256", "0x123"), ("hash_sha256", "0x" + "g" * 64), ("hash_sha256", DIGITS + "0"),
    ("hash_md5", DIGITS), ("hash_sha256", ""),
    ("thumbnail", "https://example.org/a.png"), ("thumbnail", "data:image/svg+xml;base64,AAAA"),
    ("thumbnail", "data:text/html;base64,AAAA"), ("thumbnail", "data:image/png;base64,"),
    ("thumbnail", "data:image/png;base64,!!!!"), ("thumbnail", "data:image/png,raw"),
    ("thumbnail", "data:image/png;base64," + "A" * (3 << 20)),
    ("tags", ""), ("tags", "a,,b"), ("tags", "a, "), ("merged_from", ","),
    ("prediction_type", "v prediction"), ("prediction_type", ""), ("prediction_type", "1"),
    ("timestep_range", "500"), ("timestep_range", "999,500"), ("timestep_range", "a,b"),
    ("encoder_layer", "0"), ("encoder_layer", "-2"), ("encoder_layer", "two"),
    ("is_negative_embedding", "yes"), ("unet_dtype", ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "best"), GOOD)
def test_values_of_the_right_form_are_written_best(name: str, value: str, best: str | None) -> None:
    made = written(f"modelspec.{name}", value)
    assert made == (value if best is None else best)
    assert written(f"modelspec.{name}", made) == made


@pytest.mark.parametrize(("name", "value"), BAD)
def test_values_of_the_wrong_form_are_refused_and_reported(name: str, value: str) -> None:
    with pytest.raises(Malformed):
        written(f"modelspec.{name}", value)
    problem = read_spec({f"modelspec.{name}": value}).problems[f"modelspec.{name}"]
    assert problem.warning
    assert problem.key.startswith("meta.form_")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_says_what_it_wants(language: str) -> None:
    set_language(language)
    for name, value in BAD:
        with pytest.raises(Malformed) as caught:
            written(f"modelspec.{name}", value)
        assert say(caught.value.key)


def test_every_field_has_a_form_and_every_form_a_field() -> None:
    assert {field.form for field in fields().values()} == set(FORMS)


def test_all_fields_of_1_0_1_are_known_with_their_duties() -> None:
    by_duty = {
        duty: {n for n, f in fields().items() if f.duty == duty and f.part != "text"}
        for duty in ("must", "should", "can")
    }
    assert by_duty == {
        "must": {"sai_model_spec", "architecture", "implementation", "title", "resolution"},
        "should": {"description", "author", "date", "hash_sha256"},
        "can": {
            "implementation_version", "license", "usage_hint", "thumbnail", "tags", "merged_from",
            "trigger_phrase", "prediction_type", "timestep_range", "encoder_layer", "preprocessor",
            "is_negative_embedding", "unet_dtype", "vae_dtype",
        },
    }  # fmt: skip


def test_short_words_stand_for_one_field_each() -> None:
    assert key_of("title") == key_of("Name") == "modelspec.title"
    assert key_of("trigger") == "modelspec.trigger_phrase"
    assert key_of("licence") == key_of("license") == "modelspec.license"
    assert key_of("modelspec.title") is None
    assert key_of("nonsense") is None
    assert len(words()) == len(set(words()))


MODEL = {
    "modelspec.sai_model_spec": "1.0.1",
    "modelspec.architecture": "stable-diffusion-v1",
    "modelspec.implementation": "sgm",
    "modelspec.title": "x",
}


def test_a_model_must_say_its_resolution_and_an_adapter_may_leave_it_out() -> None:
    assert read_spec(MODEL, "checkpoint").missing["must"] == ("resolution",)
    assert not read_spec(MODEL, "checkpoint").complete
    assert read_spec(MODEL, "lora").complete
    assert read_spec({**MODEL, "modelspec.resolution": "512x512"}, "checkpoint").complete


def test_a_file_without_the_version_is_not_complete_and_a_blank_field_is_missing() -> None:
    without = {k: v for k, v in MODEL.items() if not k.endswith("sai_model_spec")}
    assert read_spec(without, "lora").version is None
    assert not read_spec(without, "lora").complete
    assert read_spec({**MODEL, "modelspec.title": " "}, "lora").missing["must"] == ("title",)


@pytest.mark.parametrize(
    ("name", "value", "key", "warning"),
    [
        ("category", "Style", "meta.spec_instead", True),
        ("predict_key", "v", "meta.spec_instead", True),
        ("flavour", "sweet", "meta.spec_unknown", False),
        ("resolution", "1024 x 1024", "meta.spec_spelling", False),
        ("hash_sha256", "0X" + DIGITS.upper(), "meta.spec_spelling", False),
    ],
)
def test_what_is_not_of_the_standard_is_told(
    name: str, value: str, key: str, *, warning: bool
) -> None:
    problem = read_spec({f"modelspec.{name}": value}).problems[f"modelspec.{name}"]
    assert (problem.key, problem.warning) == (key, warning)


def test_fields_of_others_are_left_alone() -> None:
    assert written("ss_tag_frequency", "any thing") == "any thing"
    assert written("modelspec.lora_default_weight", "0.8") == "0.8"
    spec = read_spec({"ss_steps": "x", "modelspec.lora_default_weight": "0.8"})
    assert not spec.problems
    assert list(spec.fields) == ["modelspec.lora_default_weight"]
