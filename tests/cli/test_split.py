"""`kanna split` and `kanna join` as people use them, on files of full size without numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors import safe_open

from kanna.cli import run
from sparse import write_sparse


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_sparse(tmp_path / "my model.v1.safetensors", "sd15-fp16-sched")


def keys(path: Path) -> list[str]:
    with safe_open(path, "pt") as file:
        return list(file.keys())


def test_the_parts_that_are_asked_for_appear(
    checkpoint: Path, roomy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = roomy / "parts"
    command = ["split", str(checkpoint), "-o", str(out), "--no-hash"]
    assert run([*command, "--only", "vae", "--only", "leftovers"]) == 0
    printed = capsys.readouterr().out
    assert "models/vae" in printed
    assert sorted(path.name for path in out.iterdir()) == [
        "my model.v1.leftovers.safetensors", "my model.v1.vae.safetensors",
    ]  # fmt: skip
    assert "decoder.conv_in.weight" in keys(out / "my model.v1.vae.safetensors")
    assert run([*command, "--only", "vae"]) == 15
    assert "--force" in capsys.readouterr().err


def test_a_dry_run_tells_all_and_writes_nothing(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = list(checkpoint.parent.iterdir())
    assert run(["split", str(checkpoint), "-o", "parts", "--json", "--dry-run"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [file["part"] for file in document["files"]] == ["unet", "vae", "clip_l", "leftovers"]
    assert [file["folder"] for file in document["files"]] == [
        "models/diffusion_models", "models/vae", "models/text_encoders", None,
    ]  # fmt: skip
    assert document["dry_run"]
    assert list(checkpoint.parent.iterdir()) == before


def test_one_broken_file_stops_no_other(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = str(checkpoint.with_name("absent.safetensors"))
    assert run(["split", absent, str(checkpoint), "--dry-run", "--json"]) == 3
    failed, split = json.loads(capsys.readouterr().out)
    assert failed["error"]["key"] == "disk.missing"
    assert len(split["files"]) == 4


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--only", "t5xxl"], "t5xxl"),
        (["--shard-size", "5GB"], "--shard-size"),
        (["--to", "diffusers", "--for", "bare"], "--for"),
    ],
)
def test_wrong_words_are_usage_errors(
    checkpoint: Path, capsys: pytest.CaptureFixture[str], options: list[str], word: str
) -> None:
    assert run(["split", str(checkpoint), "--dry-run", *options]) == 2
    assert word in capsys.readouterr().err


def test_parts_are_not_written_into_a_file(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["split", str(checkpoint), "-o", str(checkpoint)]) == 2
    assert "folder" in capsys.readouterr().err


def test_a_diffusers_folder_is_planned(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(checkpoint.parent / "folder")
    command = ["split", str(checkpoint), "--to", "diffusers", "-o", out, "--dry-run", "--json"]
    assert run(command) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["pipeline"]["class"] == "StableDiffusionPipeline"
    assert str(Path(out) / "model_index.json") in [file["output"] for file in document["files"]]


def test_a_join_is_told_part_by_part(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vae = write_sparse(checkpoint.with_name("better.safetensors"), "vae-sd1-ft-mse")
    out = str(checkpoint.with_name("joined.safetensors"))
    assert run(["join", str(checkpoint), str(vae), "-o", out, "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "CLIP-L" in printed
    assert "better.safetensors takes the place" in printed
    assert run(["join", str(checkpoint), str(vae), "-o", out, "--dry-run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [part["prefix"] for part in document["parts"]][:2] == [
        "model.diffusion_model.", "first_stage_model.",
    ]  # fmt: skip
    assert not Path(out).exists()


def test_what_is_missing_ends_with_three(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unet = write_sparse(tmp_path / "unet.safetensors", "sdxl-unet-only-fp16")
    out = str(tmp_path / "out.safetensors")
    assert run(["join", str(unet), "-o", out, "--lang", "ja"]) == 3
    assert "CLIP-G (clip_g.safetensors)" in capsys.readouterr().err
    assert run(["join", str(unet), "-o", out, "--allow-missing", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["missing"] == ["vae", "clip-l", "clip-g"]


@pytest.mark.parametrize("output", ["", ".", "out.paint"])
def test_a_join_needs_a_name_for_its_output(
    checkpoint: Path, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["join", str(checkpoint), "-o", output, "--dry-run"]) == 2
    assert "--to" not in capsys.readouterr().err
