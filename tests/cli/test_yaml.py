"""`kanna yaml` on files that are real in all but their numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from kanna import api
from kanna.cli import run
from kanna.errors import Incomplete, OutputExists, UnknownModel, UsageError
from kanna.families.configs import predicted_by
from kanna.formats.strict_yaml import read_yaml
from sparse import write_sparse


def test_a_marked_model_gets_the_config_that_says_v(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_sparse(tmp_path / "noob v1.5.safetensors", "sdxl-vpred-ztsnr-fp16")
    assert run(["yaml", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    config = tmp_path / "noob v1.5.yaml"
    assert document["state"] == "written"
    assert (document["prediction"], document["certainty"]) == ("v", "certain")
    assert document["needed"] is True
    text = config.read_text(encoding="utf-8")
    assert yaml.safe_load(text) == read_yaml(config)
    scaling = yaml.safe_load(text)["model"]["params"]["denoiser_config"]["params"]["scaling_config"]
    assert scaling["target"].endswith(".VScaling")
    assert run(["yaml", str(path)]) == 0
    assert "says the same" in capsys.readouterr().out


def test_a_config_that_says_otherwise_is_not_replaced_unless_told(tmp_path: Path) -> None:
    path = write_sparse(tmp_path / "model.safetensors", "sd20-768v-fp32")
    api.configure(path, prediction="epsilon")
    before = (tmp_path / "model.yaml").read_bytes()
    with pytest.raises(OutputExists) as caught:
        api.configure(path, prediction="v")
    assert "parameterization" in caught.value.message
    assert (tmp_path / "model.yaml").read_bytes() == before
    assert api.configure(path, prediction="v", force=True).state == "written"
    assert predicted_by(read_yaml(tmp_path / "model.yaml")) == "v"


def test_a_dry_run_and_show_write_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_sparse(tmp_path / "model.safetensors", "sd15-inpaint-fp16")
    assert run(["yaml", str(path), "--dry-run"]) == 0
    assert "Nothing was written" in capsys.readouterr().out
    assert run(["yaml", str(path), "--show"]) == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert shown["model"]["params"]["unet_config"]["params"]["in_channels"] == 9
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


def test_what_nothing_tells_is_asked_for(tmp_path: Path) -> None:
    path = write_sparse(tmp_path / "model.safetensors", "sd20-768v-fp32")
    with pytest.raises(Incomplete, match="epsilon, v"):
        api.configure(path)
    inpaint = write_sparse(tmp_path / "inpaint.safetensors", "sdxl-inpaint-fp16")
    with pytest.raises(UsageError, match="epsilon"):
        api.configure(inpaint, prediction="v")


def test_models_without_a_config_are_told_so_and_stop_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flux = write_sparse(tmp_path / "flux.safetensors", "flux1-schnell-bf16")
    refiner = write_sparse(tmp_path / "refiner.safetensors", "sdxl-refiner-fp16")
    assert run(["yaml", str(flux), str(refiner)]) == UnknownModel.exit_code
    printed = capsys.readouterr()
    assert "read no config" in printed.err
    assert (tmp_path / "refiner.yaml").exists()


def test_the_copy_would_carry_the_markers_that_its_kind_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_sparse(tmp_path / "model.safetensors", "sdxl-base-fp16")
    words = ["yaml", str(path), "--marker", "--ztsnr", "--prediction", "v", "--dry-run"]
    assert run([*words, "-o", str(tmp_path / "marked.safetensors")]) == 0
    printed = capsys.readouterr().out
    assert "v_pred put in" in printed
    assert "ztsnr put in" in printed
    assert list(tmp_path.iterdir()) == [path]
    assert run(["yaml", str(path), "--marker"]) == UsageError.exit_code
    assert "no marker" in capsys.readouterr().err
    old = write_sparse(tmp_path / "old.safetensors", "sd15-fp16-pruned")
    assert run(["yaml", str(old), *words[2:]]) == UsageError.exit_code
    assert "--ztsnr" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--ztsnr"], ["-o", "x.safetensors"]])
def test_options_of_the_marker_are_refused_without_it(words: list[str], tmp_path: Path) -> None:
    path = write_sparse(tmp_path / "model.safetensors", "sdxl-vpred-ztsnr-fp16")
    assert run(["yaml", str(path), *words]) == UsageError.exit_code
    assert list(tmp_path.iterdir()) == [path]
