"""`kanna demo`: the whole job, on a checkpoint of full layout."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors import safe_open

from kanna.cli import run


def test_the_whole_job_on_a_checkpoint_of_full_layout(roomy: Path) -> None:
    folder = roomy / "kept"
    command = [sys.executable, "-m", "kanna", "demo", "--json", "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    before, after, made = found["before"], found["after"], found["convert"]
    assert (before["dtype"], before["ema"]["complete"]) == ("fp32", True)
    assert before["position_ids"]["state"] == "damaged"
    assert (after["dtype"], after["ema"]["present"], after["junk"]) == ("fp16", False, [])
    assert after["position_ids"]["state"] == "ok"
    assert all(part["complete"] for part in after["parts"])
    assert made["tensors"] == 1131
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "my model.v1.5.ckpt", "my_model.v1.5-fp16-pruned-vae.safetensors", "vae.safetensors",
    ]  # fmt: skip
    with safe_open(folder / names[1], "pt") as file:
        assert len(list(file.keys())) == 1131


def test_a_folder_that_cannot_be_made_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--folder", "/dev/null/nowhere"]) == 2
    assert "cannot be made" in capsys.readouterr().err


def test_a_second_demo_in_the_same_folder_does_not_overwrite_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "my model.v1.5.ckpt"
    model.write_bytes(b"mine")
    assert run(["demo", "--folder", str(tmp_path)]) == 1
    assert model.read_bytes() == b"mine"
    assert "cannot be written" in capsys.readouterr().err
