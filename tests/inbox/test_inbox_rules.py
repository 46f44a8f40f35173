"""Rules for what lands, and what is remembered of work that was begun."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kanna.disk import Fingerprint
from kanna.errors import Incomplete, UnknownModel, UsageError
from kanna.inbox import working
from kanna.inbox.folders import layout_of, place_for
from kanna.inbox.rules import Rule, preset_rules, read_rules
from kanna.inbox.working import Working

KINDS = ("checkpoint", "diffusion_model", "lora")
WORDS = {"for": ("generation", "training"), "to": ("safetensors",)}


def rules_in(folder: Path, text: str) -> Path:
    path = folder / "rules.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_preset_is_for_what_holds_a_diffusion_model() -> None:
    rules = preset_rules("generation")
    assert rules.rule("checkpoint").purpose == "generation"
    assert rules.rule("diffusion_model").converts
    assert not rules.rule("lora").converts
    assert not preset_rules(None).rule("checkpoint").converts


def test_a_file_of_rules_has_a_rule_for_each_kind_and_one_for_the_others(tmp_path: Path) -> None:
    path = rules_in(
        tmp_path, '[checkpoint]\nfor = "generation"\ndtype = "bf16"\n[any]\nfolder = "整理"\n'
    )
    rules = read_rules(path, KINDS, WORDS)
    assert rules.rule("checkpoint") == Rule(purpose="generation", dtype="bf16")
    assert rules.rule("lora") == Rule(folder=tmp_path / "整理")


def test_folders_of_rules_have_no_dots_in_them_and_may_name_nobody(tmp_path: Path) -> None:
    text = '[lora]\nfolder = "a/../b"\n[any]\nfolder = "~no such person/x"\n'
    rules = read_rules(rules_in(tmp_path, text), KINDS, WORDS)
    assert rules.rule("lora").folder == tmp_path / "b"
    assert rules.rule("checkpoint").folder == tmp_path / "~no such person" / "x"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[checkpoint", "watch.rules_no_toml"),
        ("[chekpoint]\n", "watch.rules_kind"),
        ('checkpoint = "generation"\n', "watch.rules_kind"),
        ("[lora]\nfro = 1\n", "watch.rules_key"),
        ('[lora]\nfor = "fun"\n', "watch.rules_value"),
        ("[lora]\nfolder = 3\n", "watch.rules_value"),
    ],
)
def test_rules_that_make_no_sense_are_refused(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_rules(rules_in(tmp_path, text), KINDS, WORDS)
    assert caught.value.key == key
    assert "rules.toml" in caught.value.message


def test_rules_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(Incomplete):
        read_rules(tmp_path / "none.toml", KINDS, WORDS)


@pytest.mark.parametrize("name", [b"a.ckpt", "モデル %41.ckpt".encode(), b"\xff.ckpt"])
def test_work_that_was_begun_is_remembered_until_it_is_finished(
    tmp_path: Path, name: bytes
) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(b"model")
    begun = Working(path=path, fingerprint=Fingerprint.of(path.stat()), output=tmp_path / "out.st")
    working.begin(tmp_path, begun)
    assert working.begun(tmp_path) == begun
    assert not begun.is_done()
    begun.output.write_bytes(b"made")
    assert begun.is_done()
    path.write_bytes(b"another")
    assert not begun.is_done()
    working.finish(tmp_path)
    assert working.begun(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"path": 1}', b'{"fingerprint": [1]}'])
def test_a_memory_that_makes_no_sense_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".kanna-inbox.json").write_bytes(content)
    assert working.begun(tmp_path) is None


@pytest.mark.parametrize(
    ("there", "layout", "checkpoint"),
    [
        ("models/Stable-diffusion", "forge", "models/Stable-diffusion"),
        ("models/checkpoints", "comfyui", "models/checkpoints"),
        ("", "comfyui", "models/checkpoints"),
    ],
)
def test_the_folders_that_are_there_say_whose_they_are(
    tmp_path: Path, there: str, layout: str, checkpoint: str
) -> None:
    (tmp_path / there).mkdir(parents=True, exist_ok=True)
    assert layout_of(tmp_path) == layout
    assert place_for(tmp_path, "checkpoint", layout) == tmp_path / checkpoint


def test_the_folder_of_models_can_be_named_itself(tmp_path: Path) -> None:
    models = tmp_path / "models"
    (models / "Stable-diffusion").mkdir(parents=True)
    (models / "Lora").mkdir()
    assert place_for(models, "lora", layout_of(models)) == models / "Lora"


def test_a_kind_without_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel) as caught:
        place_for(tmp_path, "unknown", "comfyui")
    assert caught.value.key == "watch.no_folder"
