"""What leaks, what loaders need, and what an edit does with both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kanna.errors import UsageError
from kanna.metadata.editing import changes, resolved, with_fields, without
from kanna.metadata.grouping import grouped
from kanna.metadata.keeping import holds_path, is_needed, leaks

PATH = Path("m.safetensors")


@pytest.mark.parametrize(
    "text",
    [
        r"C:\Users\me\model.safetensors", "D:/loras/x", "/home/me/a", "see /Users/me/b", "/mnt/d/x",
        json.dumps({"image_dir": r"C:\data\img"}), json.dumps({"a": "/workspace/img"}),
        r"\\server\share\x", json.dumps(r"\\server\share\x"), "file:///x/y", "~/models/a",
        '{"path":"/root/x"}', "E:\\x",
    ],
)  # fmt: skip
def test_paths_are_seen(text: str) -> None:
    assert holds_path(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/home/x", "stable-diffusion-v1/lora", "a/b", "1:2", "ratio 3:4",
        "(masterpiece:1.2)", "C: is a drive", "networks.lora", "1024x1024", "and/or", "w:/ ",
        "\\n\\n", "https://huggingface.co/x/resolve/main/data/y", "日本語", "a\\nb", "~", "/", "//",
        json.dumps({"a": "line\nline"}),
    ],
)  # fmt: skip
def test_what_is_no_path_is_not_seen(text: str) -> None:
    assert not holds_path(text)


FILE = {
    "format": "pt",
    "prompt": "{}",
    "workflow": "{}",
    "ss_dataset_dirs": "{}",
    "ss_tag_frequency": "{}",
    "ss_session_id": "1",
    "ss_network_dim": "8",
    "ss_sd_model_name": "/home/me/base.safetensors",
    "modelspec.title": "x",
    "modelspec.description": "made in /home/me/x",
    "_quantization_metadata": '{"layers": {"/home/x": 1}}',
    "my.note": "nothing",
}


def test_leaks_are_named_with_what_they_tell() -> None:
    assert leaks(FILE) == {
        "prompt": "prompts", "workflow": "prompts", "ss_dataset_dirs": "dataset",
        "ss_tag_frequency": "dataset", "ss_session_id": "session", "ss_sd_model_name": "path",
        "modelspec.description": "path",
    }  # fmt: skip


def test_private_stripping_keeps_what_is_public_and_what_loaders_need() -> None:
    edit = without(PATH, FILE, (), private=True)
    assert list(edit.fields) == [
        "format", "ss_network_dim", "modelspec.title", "modelspec.description",
        "_quantization_metadata", "my.note",
    ]  # fmt: skip
    assert edit.reasons["prompt"] == "prompts"
    assert [note.key for note in edit.notes] == ["meta.public_path"]


def test_everything_is_all_but_what_loaders_need() -> None:
    edit = without(PATH, FILE, (), everything=True)
    assert list(edit.fields) == ["format", "_quantization_metadata"]
    assert [note.key for note in edit.notes] == ["meta.spared"]


def test_patterns_and_short_words_take_out_what_they_name() -> None:
    left = without(PATH, FILE, ["ss_*", "title"]).fields
    assert [key for key in left if key.startswith("ss_") or key == "modelspec.title"] == []
    assert list(without(PATH, FILE, ["nothing_*"]).fields) == list(FILE)


def test_a_pattern_never_reaches_what_loaders_need_and_a_full_name_only_by_force() -> None:
    assert set(without(PATH, FILE, ["*"]).fields) == {"format", "_quantization_metadata"}
    for key in ("format", "_quantization_metadata"):
        assert is_needed(key)
        with pytest.raises(UsageError) as caught:
            without(PATH, FILE, [key])
        assert caught.value.key == "meta.needed"
        assert key not in without(PATH, FILE, [key], force=True).fields


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        without(PATH, FILE, ["ss_stps"])
    assert caught.value.key == "meta.no_such_field"


def test_the_old_hash_goes_with_the_fields_that_it_was_taken_over() -> None:
    file = {"ss_steps": "1", "sshs_legacy_hash": "12345678", "sshs_model_hash": "ab"}
    edit = without(PATH, file, ["ss_steps"])
    assert list(edit.fields) == ["sshs_model_hash"]
    assert [note.key for note in edit.notes] == ["meta.legacy_dropped"]
    assert "sshs_legacy_hash" in with_fields(file, {"modelspec.title": "x"}, {}).fields


def test_set_fields_win_and_gaps_only_fill() -> None:
    old = {"modelspec.title": "mine", "modelspec.author": " "}
    gaps = {"modelspec.title": "theirs", "modelspec.author": "them", "modelspec.date": "2024-01-01"}
    edit = with_fields(old, {"modelspec.date": "2025-01-01"}, gaps)
    assert edit.fields == {
        "modelspec.title": "mine", "modelspec.author": "them", "modelspec.date": "2025-01-01",
    }  # fmt: skip
    assert [(note.key, note.values["key"]) for note in edit.notes] == [
        ("meta.kept", "modelspec.title")
    ]


def test_words_keys_and_values_are_resolved() -> None:
    given = {"title": " X ", "tags": ["a", "b"], "my.key": 1.5, "clip_skip": 2, "old": True}
    assert resolved(PATH, given, {"old": "x"}) == {
        "modelspec.title": "X", "modelspec.tags": "a, b", "my.key": "1.5",
        "modelspec.encoder_layer": "2", "old": "true",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"titel": "x"}, "meta.unknown_word"),
        ({"": "x"}, "meta.bad_key"),
        ({"a.b\n": "x"}, "meta.bad_key"),
        ({" a.b": "x"}, "meta.bad_key"),
        ({"a." + "x" * 600: "x"}, "meta.bad_key"),
        ({"a.b": None}, "meta.no_text"),
        ({"a.b": [1]}, "meta.no_text"),
        ({"a.b": {"c": "d"}}, "meta.no_text"),
        ({"a.b": "\ud800"}, "meta.no_text"),
        ({"a.b": "x\0y"}, "meta.no_text"),
        ({"date": "soon"}, "meta.malformed"),
        ({"modelspec.hash_sha256": "0x1"}, "meta.malformed"),
        ({"thumbnail": "a.png"}, "meta.malformed"),
    ],
)
def test_wrong_keys_and_values_are_refused(given: dict[str, object], key: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolved(PATH, given, {})
    assert caught.value.key == key
    assert caught.value.message
    assert caught.value.hint


def test_changes_say_what_came_went_and_differs() -> None:
    found = changes({"a": "1", "b": "2", "c": "3"}, {"b": "2", "c": "4", "d": "5"})
    assert [(c.key, c.old, c.new) for c in found] == [
        ("c", "3", "4"), ("d", None, "5"), ("a", "1", None),
    ]  # fmt: skip


def test_fields_are_grouped_by_whose_they_are() -> None:
    groups = grouped({**FILE, "sd_merge_recipe": "{}", "kanna.history": "[]"})
    assert list(groups) == ["modelspec", "training", "merge", "workflow", "other"]
    assert list(groups["merge"]) == ["sd_merge_recipe", "kanna.history"]
    assert list(groups["other"]) == ["format", "_quantization_metadata", "my.note"]
