"""`kanna recipe check|show|of` as people use them."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from containers import safetensors_bytes
from kanna.cli import run

RECIPE = """
kanna = 1
[models]
a = "A.safetensors"
b = { sha256 = "%s" }
[[step]]
name = "mix"
method = "weighted-sum"
models = ["a", "b"]
alpha = { value = 0.25, blocks = "IN00-05=0.5" }
[output]
dtype = "fp16"
[axes]
"mix.alpha" = [0.1, 0.2]
""" % ("b" * 64)


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    tensors = {"w": ("F32", (2,), bytes(8))}
    (tmp_path / "models" / "A.safetensors").write_bytes(safetensors_bytes(tensors))
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE, "utf-8")
    return path


def carrying(folder: Path, metadata: dict[str, str]) -> str:
    path = folder / "merged.safetensors"
    path.write_bytes(safetensors_bytes({"w": ("F32", (1,), bytes(4))}, metadata))
    return str(path)


def test_check_says_whether_a_recipe_makes_sense(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["recipe", "check", str(recipe)]) == 0
    assert "makes sense" in capsys.readouterr().out
    recipe.write_text(RECIPE.replace("alpha = {", "alhpa = {"), "utf-8")
    assert run(["recipe", "check", str(recipe)]) == 2
    assert "mix.alhpa" in capsys.readouterr().err


def test_check_looks_for_the_models(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["recipe", "check", str(recipe), "--models", "models"]) == 3
    printed = capsys.readouterr()
    assert "hash" in printed.err.lower()
    assert "not found" in printed.out
    assert str(Path("models", "A.safetensors")) in printed.out


def test_one_bad_recipe_stops_no_other(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["recipe", "check", "absent.toml", str(recipe), "--json"]) == 3
    failed, good = json.loads(capsys.readouterr().out)
    assert failed["error"]["exit"] == 3
    assert good["steps"][0]["parameters"]["alpha"]["blocks"] == "IN00-05=0.5"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_show_tells_the_whole_graph(
    recipe: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    assert run(["recipe", "show", str(recipe), "--models", "models", "--lang", language]) == 0
    printed = capsys.readouterr().out
    for piece in ("A.safetensors", "b" * 16, "IN00-05=0.5", "fp16", "0.1, 0.2"):
        assert piece in printed
    assert ("見つかりません" in printed) == (language == "ja")


def test_show_as_json(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["recipe", "show", str(recipe), "--models", "models", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [one["state"] for one in document["models"]] == ["found", "missing"]
    assert document["axes"] == {"mix.alpha": [0.1, 0.2]}
    assert document["output"]["dtype"] == "fp16"
    assert document["text"].startswith("kanna = 1\n")


def test_of_prints_what_kanna_run_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = RECIPE[: RECIPE.index("[axes]")]
    model = carrying(tmp_path, {"kanna.recipe": plain.replace("A.", "/home/me/A.")})
    assert run(["recipe", "of", model]) == 0
    printed = capsys.readouterr()
    assert 'a = "A.safetensors"' in printed.out
    assert "/home" not in printed.out
    assert not printed.err
    (tmp_path / "again.toml").write_text(printed.out, "utf-8")
    assert run(["recipe", "check", str(tmp_path / "again.toml")]) == 0


def test_of_writes_utf_8_whatever_the_system_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = RECIPE[: RECIPE.index("[axes]")].replace("A.safetensors", "アニメ é 🌸.safetensors")
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="cp932"))
    assert run(["recipe", "of", carrying(tmp_path, {"kanna.recipe": plain})]) == 0
    assert 'a = "アニメ é 🌸.safetensors"' in raw.getvalue().decode()


def test_of_says_whose_recipe_it_converted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    merged = {
        "type": "webui", "primary_model_hash": "a" * 64, "secondary_model_hash": "b" * 64,
        "interp_method": "Weighted sum", "multiplier": 0.3, "discard_weights": "model_ema",
    }  # fmt: skip
    model = carrying(tmp_path, {"sd_merge_recipe": json.dumps(merged)})
    assert run(["recipe", "of", model]) == 0
    printed = capsys.readouterr()
    assert "a1111" in printed.err
    assert "model_ema" in printed.err
    assert 'compat = "a1111"' in printed.out
    assert run(["recipe", "of", model, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["program"] == "a1111"


def test_a_model_without_a_recipe_has_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["recipe", "of", carrying(tmp_path, {"format": "pt"})]) == 3
    assert "merged.safetensors" in capsys.readouterr().err
    assert run(["recipe", "of", carrying(tmp_path, {"kanna.recipe": "\x1b[31m"})]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_ancestors_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = RECIPE[: RECIPE.index("[axes]")]
    models = {"b" * 64: {"name": "B.ckpt"}, "c" * 64: {"name": "grand\x1bpa.ckpt"}}
    fields = {"kanna.recipe": plain, "sd_merge_models": json.dumps(models)}
    assert run(["recipe", "show", carrying(tmp_path, fields)]) == 0
    printed = capsys.readouterr().out
    assert "grand\\x1bpa.ckpt" in printed
    assert "B.ckpt" not in printed


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("verb", ["run", "recipe check", "recipe show", "recipe of"])
def test_help_can_be_read(capsys: pytest.CaptureFixture[str], verb: str, language: str) -> None:
    assert run([*verb.split(), "--help", "--lang", language]) == 0
    printed = capsys.readouterr().out
    assert f"kanna {verb}" in printed
    assert "{{" not in printed


def test_the_group_shows_its_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["recipe"]) == 0
    printed = capsys.readouterr().out
    assert all(verb in printed for verb in ("check", "show", "of"))
    assert run(["recipe", "sho"]) == 2
    assert "recipe show" in capsys.readouterr().err
