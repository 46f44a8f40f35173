"""What lies beside a model is told apart by name and content, read as text, and never believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from containers import small
from kanna.metadata.companions import find_companions, find_previews
from kanna.metadata.importing import imported
from kanna.metadata.plain import plain

CIVITAI = {
    "id": 2, "modelId": 1, "name": "v1.0", "baseModel": "SDXL 1.0", "trainedWords": ["ink style,", "ink"],
    "publishedAt": "2024-01-02T03:04:05.678Z", "description": None,
    "model": {"name": "New Ink", "type": "LORA", "tags": ["style", "ink"],
              "description": "<p>Draws <b>ink</b> &amp; wash.</p><ul><li>one</li><li>two</li></ul>"},
    "creator": {"username": "artist"},
}  # fmt: skip


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "ink.v1.safetensors"
    path.write_bytes(small("w"))
    return path


def beside(model: Path, suffix: str, content: object) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    model.with_name(model.stem + suffix).write_text(text, encoding="utf-8")


def test_an_answer_of_civitai_is_read(model: Path) -> None:
    beside(model, ".civitai.info", CIVITAI)
    (found,) = find_companions(model)
    assert found.source == "civitai"
    assert found.says == {
        "title": "New Ink", "version": "v1.0", "author": "artist", "tags": "style, ink",
        "description": "Draws ink & wash.\n\n- one\n- two", "trigger": "ink style, ink",
        "base": "SDXL 1.0", "date": "2024-01-02T03:04:05.678Z",
        "url": "https://civitai.com/models/1",
    }  # fmt: skip
    assert imported([found]) == {
        "modelspec.author": "artist", "modelspec.description": "Draws ink & wash.\n\n- one\n- two",
        "modelspec.tags": "style, ink", "modelspec.trigger_phrase": "ink style, ink",
        "modelspec.date": "2024-01-02T03:04:05.678Z", "modelspec.title": "New Ink - v1.0",
    }  # fmt: skip


def test_user_metadata_of_a1111_is_read(model: Path) -> None:
    beside(model, ".json", {
        "description": "mine", "sd version": "SDXL", "activation text": "ink", "notes": "secret",
        "preferred weight": 0.8, "negative text": "blurry",
    })  # fmt: skip
    (found,) = find_companions(model)
    assert (found.source, found.says["weight"], found.says["base"]) == ("a1111", "0.8", "SDXL")
    assert imported([found]) == {
        "modelspec.description": "mine", "modelspec.trigger_phrase": "ink",
    }  # fmt: skip


def test_a_configuration_of_the_same_name_is_no_user_metadata(model: Path) -> None:
    beside(model, ".json", {"_class_name": "AutoencoderKL"})
    assert find_companions(model) == ()


def test_stability_matrix_and_lora_manager_are_read(model: Path) -> None:
    beside(model, ".cm-info.json", {"ModelId": 3, "ModelName": "A", "VersionName": "2", "Tags": ["x"],
                                    "TrainedWords": ["t"], "UserTitle": None})  # fmt: skip
    beside(
        model,
        ".metadata.json",
        {"model_name": "B", "tags": ["y"], "notes": "n", "civitai": CIVITAI},
    )
    first, second = find_companions(model)
    assert (first.source, first.says["title"], first.says["trigger"]) == (
        "stability-matrix",
        "A",
        "t",
    )
    assert (second.source, second.says["title"], second.says["author"]) == (
        "lora-manager",
        "B",
        "artist",
    )
    assert imported([first, second])["modelspec.title"] == "A - 2"
    assert imported([first, second])["modelspec.author"] == "artist"


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a": 1, "a": 2}', '{"a": NaN}', "[" * 10_000, "\x00"]
)
def test_a_broken_file_is_told_and_stops_nothing(text: str, model: Path) -> None:
    beside(model, ".civitai.info", text)
    (found,) = find_companions(model)
    assert found.trouble is not None
    assert found.says == {}


@pytest.mark.parametrize("value", [None, 1, True, [], [1, {}], {}, "x", ["a", 2], {"name": []}])
def test_values_of_any_shape_are_text_or_nothing(value: object, model: Path) -> None:
    for suffix in (".civitai.info", ".cm-info.json", ".metadata.json"):
        keys = ("model", "creator", "trainedWords", "name", "Tags", "civitai", "tags", "modelId")
        beside(model, suffix, dict.fromkeys(keys, value))
    for found in find_companions(model):
        assert all(type(text) is str and text for text in found.says.values())
    imported(find_companions(model))


def test_a_date_or_a_title_that_is_none_is_left_out(model: Path) -> None:
    beside(model, ".civitai.info", {**CIVITAI, "publishedAt": "soon", "model": {"name": "a\nb"}})
    made = imported(find_companions(model))
    assert not {"modelspec.date", "modelspec.title"} & made.keys()


def test_previews_are_found_in_the_order_in_which_programs_look(model: Path) -> None:
    for name in ("ink.v1.png", "ink.v1.preview.png", "ink.v1.webp", "ink.png", "other.v1.png"):
        (model.parent / name).write_bytes(b"")
    assert [path.name for path in find_previews(model)] == [
        "ink.v1.preview.png", "ink.v1.png", "ink.v1.webp",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain < text > 2", "plain < text > 2"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<script>alert(1)</script>safe", "safe"),
        ("&lt;lora:x:1&gt;", "<lora:x:1>"),
        ('<a href="https://x">link</a>', "link"),
        ("<b>unclosed", "unclosed"),
        ("<p>use <lora:x:0.8> a < b", "use <lora:x:0.8> a < b"),
        ('<a title="a > b">link</a><!-- <b>no</b> -->.', "link."),
        ("<STYLE>p{}<b></style><p>seen<script>lost", "seen"),
        ("a &amp; b &#x3b1;", "a & b α"),
    ],
)
def test_html_becomes_the_text_that_people_saw(html: str, text: str) -> None:
    assert plain(html) == text


@pytest.mark.parametrize("piece", ["<a ", "<a b='", "<!--", "<script>", "</", "&a", '"', "<?"])
@pytest.mark.parametrize("start", ["<p>", "<p><a "])
def test_html_that_never_ends_is_looked_at_once(start: str, piece: str) -> None:
    text = start + piece * 50_000
    assert len(plain(text)) <= len(text)
