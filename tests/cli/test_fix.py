"""`kanna fix` on small real files: everything a machine may mend, in one pass."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from kanna import api
from kanna.cli import run
from kanna.demo import component_tensors, write_checkpoint
from kanna.engine import run as run_plan
from kanna.plan import Output, Plan
from sparse import write_sparse


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A VAE of a few megabytes: a pickle, in fp32, under a name with a space."""
    outputs = tuple(map(Output.of, component_tensors("", "vae-taesd-decoder-c4", seed=1)))
    path = tmp_path / "tiny vae.ckpt"
    run_plan(Plan(outputs=outputs, container="ckpt", inputs=()), path)
    return path


def codes(rows: list[dict[str, Any]]) -> set[str]:
    return {row["code"] for row in rows}


def test_what_is_mended_is_gone_and_the_input_is_untouched(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = hashlib.sha256(model.read_bytes()).digest()
    assert run(["check", str(model), "--for", "generation", "--json"]) == 1
    found = codes(json.loads(capsys.readouterr().out)["findings"])
    assert {"KN101", "KN403", "KN812"} <= found
    assert run(["fix", str(model), "--for", "generation", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert codes(document["mended"]) == found
    assert document["left"] == document["remaining"] == []
    out = model.with_name("tiny_vae-fixed.safetensors")
    assert document["conversion"]["output"] == str(out)
    assert hashlib.sha256(model.read_bytes()).digest() == before
    wanted = {
        name: t.half() for name, t in torch.load(model, weights_only=True)["state_dict"].items()
    }
    made = load_file(out)
    assert made.keys() == wanted.keys()
    assert all(torch.equal(made[name], wanted[name]) for name in wanted)
    assert run(["check", str(out), "--for", "generation"]) == 0


def test_without_a_purpose_precision_stays(model: Path) -> None:
    done = api.fix(model, "out.safetensors")
    assert {finding.rule.code for finding in done.mended} == {"KN101", "KN812"}
    assert {str(t.dtype) for t in load_file("out.safetensors").values()} == {"torch.float32"}


def test_only_what_is_selected_is_mended_and_a_folder_gets_a_fitting_name(model: Path) -> None:
    done = api.fix(model, "fixed/", select=["KN101"])
    assert [finding.rule.code for finding in done.mended] == ["KN101"]
    assert [path.name for path in Path("fixed").iterdir()] == ["tiny_vae.safetensors"]


def test_a_dry_run_writes_nothing(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fix", str(model), "--dry-run"]) == 0
    assert "would be mended" in capsys.readouterr().out
    assert [path.name for path in model.parent.glob("*.*")] == [model.name]


def test_a_clean_file_is_left_alone(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fix", str(model), "-o", "clean.safetensors", "-q"]) == 0
    assert run(["fix", "clean.safetensors"]) == 0
    assert "nothing to mend" in capsys.readouterr().out
    assert not Path("clean-fixed.safetensors").exists()


def test_a_failure_stops_no_other_and_an_output_is_not_replaced(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("broken.safetensors").write_bytes(b"<!DOCTYPE html>")
    assert run(["fix", "broken.safetensors", str(model), "-o", "out/"]) == 10
    assert (Path("out") / "tiny_vae.safetensors").exists()
    assert "web page" in capsys.readouterr().err
    assert run(["fix", str(model), "-o", "out/"]) == 15


def test_settings_are_defaults_as_for_check(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("kanna.toml").write_text('[check]\nfor = "generation"\nignore = "KN8"\n', encoding="utf-8")
    assert run(["fix", str(model), "--json"]) == 0
    assert codes(json.loads(capsys.readouterr().out)["mended"]) == {"KN101", "KN403"}


def test_the_command_of_check_mends_as_much_as_it_says(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", str(model), "--json"]) == 1
    checked = json.loads(capsys.readouterr().out)
    wide = next(one for one in checked["findings"] if one["code"] == "KN403")
    assert run([*checked["command"][1:], "--json", "--dry-run"]) == 0
    mended = json.loads(capsys.readouterr().out)["mended"]
    assert len(mended) == checked["fixable"] < len(checked["findings"])
    # what counts for generation only is mended when that is asked for, as its own command does
    assert run([*wide["command"][1:], "--json", "--dry-run"]) == 0
    assert codes(json.loads(capsys.readouterr().out)["mended"]) == {"KN403"}


def test_what_was_looked_at_in_depth_is_looked_at_again(model: Path) -> None:
    tensors = dict(torch.load(model, weights_only=True)["state_dict"])
    next(iter(tensors.values())).view(-1)[0] = float("nan")
    save_file(tensors, "not numbers.safetensors")
    done = api.fix("not numbers.safetensors", "out/", deep=True)
    assert [finding.rule.code for finding in done.left] == ["KN601"]
    assert [finding.rule.code for finding in done.remaining] == ["KN601"]
    assert run(["fix", "not numbers.safetensors", "-o", "again/", "--deep", "-q"]) == 1
    assert run(["fix", "not numbers.safetensors", "-o", "shallow/", "-q"]) == 0


def test_a_copy_has_a_config_where_the_model_had_one(roomy: Path) -> None:
    path = roomy / "a model.ckpt"
    write_checkpoint(path, full=False)
    path.with_suffix(".yaml").write_text("model: {params: {parameterization: v}}\n")
    done = api.fix(path, purpose="generation")
    assert done.config == path.with_name("a_model-fixed.yaml")
    assert {"KN701", "KN812"} <= {finding.rule.code for finding in done.mended}
    assert done.remaining == ()


def test_an_output_that_would_be_a_pickle_again_is_refused(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["fix", str(model), "-o", "out.ckpt"]) == 2
    assert "pickle again" in capsys.readouterr().err


def test_a_model_that_lacks_only_its_config_gets_that_and_no_copy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_sparse(tmp_path / "noob.safetensors", "sdxl-vpred-ztsnr-fp16")
    words = ["fix", str(path), "--for", "generation", "--select", "KN702"]
    assert run([*words, "--dry-run"]) == 0
    assert "would be mended" in capsys.readouterr().out
    assert list(tmp_path.glob("noob*")) == [path]
    assert run(words) == 0
    assert "noob.yaml" in capsys.readouterr().out
    assert sorted(file.name for file in tmp_path.glob("noob*")) == ["noob.safetensors", "noob.yaml"]
