"""`kanna run` as people use it: recipes from files, from models and from stdin, on small files."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import sys
from pathlib import Path

import pytest

from containers import safetensors_bytes
from kanna.cli import run

RECIPE = """
kanna = 1
[models]
a = "A.safetensors"
b = "sub/B.safetensors"
c = "C.safetensors"
[[step]]
name = "mix"
method = "weighted-sum"
models = ["a", "b"]
alpha = 0.25
[[step]]
name = "out"
method = "add-difference"
models = ["mix", "b"]
base = "c"
alpha = 0.5
"""
VALUES = {"A": 1.0, "B": 2.0, "C": 4.0}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three models and a recipe; the hashes of other tests are not known there."""
    monkeypatch.setenv("KANNA_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    for name, value in VALUES.items():
        path = tmp_path / ("sub" if name == "B" else ".") / f"{name}.safetensors"
        write_model(path, value)
    (tmp_path / "recipe.toml").write_text(RECIPE, "utf-8")
    return tmp_path


def write_model(path: Path, value: float) -> None:
    data = struct.pack("<6f", *(value * number for number in range(1, 7)))
    path.write_bytes(safetensors_bytes({"w": ("F32", (2, 3), data)}, {"format": "pt"}))


def numbers(path: Path) -> list[float]:
    raw = path.read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    return list(struct.unpack("<6f", raw[start:]))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def feed(monkeypatch: pytest.MonkeyPatch, text: str, encoding: str = "utf-8") -> None:
    stdin = io.TextIOWrapper(io.BytesIO(text.encode(encoding)))
    monkeypatch.setattr(sys, "stdin", stdin)


def test_a_graph_becomes_one_file(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "recipe.toml", "-o", "out.safetensors"]) == 0
    assert numbers(place / "out.safetensors") == [(1.25 - 1) * number for number in range(1, 7)]
    assert "out.safetensors" in capsys.readouterr().out
    assert run(["run", "recipe.toml", "-o", "out.safetensors"]) == 15


def test_what_a_model_says_makes_the_same_file_again_from_renamed_models(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", "recipe.toml", "-o", "out.safetensors", "-q"]) == 0
    assert run(["recipe", "of", "out.safetensors"]) == 0
    text = capsys.readouterr().out
    elsewhere = place / "elsewhere" / "deep"
    elsewhere.mkdir(parents=True)
    for path, name in (("A", "x"), ("sub/B", "A"), ("C", "z")):
        (place / f"{path}.safetensors").rename(elsewhere / f"{name}.safetensors")
    monkeypatch.setenv("KANNA_CACHE", str(place / "another cache"))
    for command in (["-"], ["out.safetensors"]):
        feed(monkeypatch, text)
        again = ["run", *command, "--models", "elsewhere", "-o", "again.safetensors", "--force"]
        assert run(again) == 0
        assert "a was found as" in capsys.readouterr().err
        assert sha256(place / "again.safetensors") == sha256(place / "out.safetensors")


def test_text_in_another_encoding_is_refused_as_it_is_in_a_file(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    feed(monkeypatch, 'kanna = 1\n[models]\na = "アニメ.safetensors"\n', "cp932")
    assert run(["run", "-", "-o", str(place / "out.safetensors")]) == 2
    assert "UTF-8" in capsys.readouterr().err


def test_a_file_of_the_right_name_must_have_the_right_hash(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", "recipe.toml", "-o", "out.safetensors", "-q"]) == 0
    write_model(place / "C.safetensors", 5.0)
    assert run(["run", "out.safetensors", "-o", "again.safetensors"]) == 13
    assert "C.safetensors" in capsys.readouterr().err
    assert not (place / "again.safetensors").exists()
    (place / "C.safetensors").unlink()
    assert run(["run", "out.safetensors", "-o", "again.safetensors"]) == 3
    assert "--models" in capsys.readouterr().err


def test_set_changes_the_recipe_for_once(place: Path) -> None:
    command = ["run", "recipe.toml", "-o", "out.safetensors", "-q", "--no-hash"]
    assert run([*command, "--set", "mix.alpha=1", "--set", "out.alpha=0"]) == 0
    assert numbers(place / "out.safetensors") == [2.0 * number for number in range(1, 7)]


def test_the_recipe_may_name_its_output_but_nowhere_else(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = place / "sub" / "own.toml"
    text = RECIPE.replace('"sub/B', '"B').replace('"A.', '"../A.').replace('"C.', '"../C.')
    recipe.write_text(text + '[output]\npath = "named.safetensors"\ndtype = "fp16"\n', "utf-8")
    assert run(["run", "sub/own.toml", "-q"]) == 0
    assert (place / "sub" / "named.safetensors").exists()
    for path in ("../escaped.safetensors", "/tmp/escaped.safetensors", "C:\\\\escaped.ckpt"):
        recipe.write_text(text + f'[output]\npath = "{path}"\n', "utf-8")
        assert run(["run", "sub/own.toml"]) == 2
        assert "-o" in capsys.readouterr().err
    assert run(["run", "recipe.toml"]) == 2


def test_a_dry_run_tells_and_writes_nothing(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(place.rglob("*"))
    assert run(["run", "recipe.toml", "-o", "out.safetensors", "--dry-run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["dry_run"]
    assert [step["method"] for step in document["steps"]] == ["weighted-sum", "add-difference"]
    assert [path for path in sorted(place.rglob("*")) if "cache" not in str(path)] == before


SWEEP = ["run", "recipe.toml", "--sweep", "mix.alpha=0:1:0.25", "-o", "grid/m.safetensors"]


def test_a_sweep_makes_one_file_for_each_number(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*SWEEP, "--together", "2", "--json"]) == 0
    outputs = json.loads(capsys.readouterr().out)["outputs"]
    assert [one["numbers"] for one in outputs] == [
        {"mix.alpha": alpha} for alpha in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    for one in outputs:
        alpha = one["numbers"]["mix.alpha"]
        made = numbers(place / one["output"])
        assert made == [alpha * number for number in range(1, 7)]
        assert one["output"].endswith(f"m-alpha{alpha:g}.safetensors")


def test_a_sweep_goes_on_where_it_stopped(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*SWEEP, "-q"]) == 0
    kept = place / "grid" / "m-alpha0.safetensors"
    (place / "grid" / "m-alpha0.5.safetensors").unlink()
    other = place / "grid" / "m-alpha1.safetensors"
    write_model(other, 7.0)
    times = kept.stat().st_mtime_ns
    assert run([*SWEEP, "--json"]) == 15
    outputs = json.loads(capsys.readouterr().out)["outputs"]
    assert [one["state"] for one in outputs] == ["there", "there", "made", "there", "failed"]
    assert all(one["data_sha256"] for one in outputs[:4])
    assert outputs[4]["error"]["key"] == "engine.exists"
    assert kept.stat().st_mtime_ns == times
    assert numbers(other)[0] == 7.0
    assert run([*SWEEP, "--force", "-q"]) == 0
    assert numbers(other)[0] == 1.0


@pytest.mark.usefixtures("place")
def test_another_recipe_does_not_count_as_done() -> None:
    assert run([*SWEEP, "-q"]) == 0
    assert run([*SWEEP, "-q", "--set", "out.alpha=0.25"]) == 15


def test_axes_of_the_recipe_count_as_well(place: Path) -> None:
    axes = '[axes]\n"mix.alpha" = [0.5, 1]\n"out.alpha" = "0:1:1"\n'
    (place / "recipe.toml").write_text(RECIPE + axes, "utf-8")
    assert run(["run", "recipe.toml", "-o", "{mix.alpha}_{out.alpha}.safetensors", "-q"]) == 0
    made = sorted(path.name for path in place.glob("*_*.safetensors"))
    assert made == [f"{a}_{b}.safetensors" for a in ("0.5", "1") for b in "01"]
    assert run(["run", "recipe.toml", "-o", "{gamma}.safetensors", "-q"]) == 2


def test_a_recipe_of_a1111_runs_when_its_models_are_there(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    merged = {
        "type": "webui", "primary_model_hash": sha256(place / "A.safetensors"),
        "secondary_model_hash": sha256(place / "C.safetensors"), "tertiary_model_hash": None,
        "interp_method": "Weighted sum", "multiplier": 0.5, "save_as_half": False,
    }  # fmt: skip
    model = place / "old.safetensors"
    model.write_bytes(safetensors_bytes(
        {"w": ("F32", (1,), bytes(4))}, {"sd_merge_recipe": json.dumps(merged)}
    ))  # fmt: skip
    assert run(["run", "old.safetensors", "-o", "new.safetensors"]) == 0
    assert "a1111" in capsys.readouterr().err
    assert numbers(place / "new.safetensors") == [2.5 * number for number in range(1, 7)]


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("language", ["en", "ja"])
def test_reports_in_both_languages(capsys: pytest.CaptureFixture[str], language: str) -> None:
    assert run([*SWEEP, "--lang", language]) == 0
    printed = capsys.readouterr().out
    assert printed.count("m-alpha") == 5
    assert ("作成 5" in printed) == (language == "ja")
