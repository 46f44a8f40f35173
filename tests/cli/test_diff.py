"""`kanna diff` as people call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from diff_models import Arrays, mixed, weights
from kanna.cli import run

A = weights(1, dtype="float16")
C = {name: one.astype("f2") for name, one in weights(2, near=weights(1)).items()}


def saved(folder: Path, name: str, arrays: Arrays) -> str:
    path = folder / name
    save_file(dict(arrays), path)
    return str(path)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    made = {"a": A, "c": C, "b": mixed(A, C, 0.35)}
    return {name: saved(folder, f"{name}.safetensors", of) for name, of in made.items()}


def document(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code = run(["diff", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_same_file_is_no_difference(
    models: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diff", models["a"], models["a"]]) == 0
    assert "byte for byte" in capsys.readouterr().out


def test_a_merge_is_told_with_its_weight(
    models: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diff", models["a"], models["b"], models["c"]]) == 1
    said = capsys.readouterr().out
    assert "α = 0.35" in said
    assert "α of C" in said


@pytest.mark.parametrize("language", ["en", "ja"])
def test_tables_have_a_row_for_each_tensor_with_v(
    models: dict[str, str], capsys: pytest.CaptureFixture[str], language: str
) -> None:
    assert run(["diff", models["a"], models["b"], "-v", "--lang", language]) == 1
    said = capsys.readouterr().out
    assert all(name in said for name in A)


def test_quiet_says_nothing_but_by_its_exit_code(
    models: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diff", "-q", models["a"], models["c"]]) == 1
    assert run(["diff", "-q", models["a"], models["a"]]) == 0
    assert capsys.readouterr() == ("", "")


def test_the_document_tells_the_merge(
    models: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = document(capsys, models["a"], models["b"], models["c"])
    assert code == 1
    merge = found["verdicts"][0]
    assert (merge["kind"], merge["certainty"]) == ("weighted_sum", "certain")
    assert merge["values"]["alpha"] == pytest.approx(0.35, abs=1e-3)
    assert [one["letter"] for one in found["files"]] == ["A", "B", "C"]
    assert "tensors" not in found
    _, verbose = document(capsys, models["a"], models["b"], "-v")
    assert len(verbose["tensors"]) == len(A)


def test_a_picture_is_written_and_not_written_over(
    models: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "diff.svg"
    words = ["diff", models["a"], models["b"], "--svg", str(picture)]
    assert run([*words, "--dry-run"]) == 0
    assert not picture.exists()
    assert run(words) == 1
    ET.parse(picture)
    before = picture.read_bytes()
    capsys.readouterr()
    assert run(words) == 15
    assert picture.read_bytes() == before
    assert run([*words, "--force"]) == 1
    assert picture.read_bytes() == before


def test_a_picture_never_replaces_a_model(models: dict[str, str]) -> None:
    before = Path(models["a"]).read_bytes()
    assert run(["diff", models["a"], models["b"], "--svg", models["a"], "--force"]) == 2
    assert Path(models["a"]).read_bytes() == before


def test_a_dry_run_says_what_would_be_compared(
    models: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = document(capsys, models["a"], models["b"], "--dry-run")
    assert code == 0
    assert found["tensors"] == len(A)
    assert found["bytes"] == 2 * sum(one.nbytes for one in A.values())


@pytest.mark.parametrize(
    ("words", "code"), [(["a"], 2), (["a", "missing"], 3), (["a", "b", "--threads", "0"], 2)]
)
def test_wrong_calls_say_what_is_wrong(
    models: dict[str, str], words: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diff", *(models.get(word, word) for word in words)]) == code
    assert capsys.readouterr().err


def test_files_that_cannot_be_compared_are_refused(
    models: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = saved(tmp_path, "other.safetensors", {"x": np.zeros(4, "f4")})
    assert run(["diff", models["a"], other]) == 13
    assert "no tensor in common" in capsys.readouterr().err


def test_the_container_does_not_matter(
    models: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.ckpt"
    torch.save({"state_dict": {name: torch.from_numpy(one) for name, one in A.items()}}, path)
    code, found = document(capsys, models["a"], str(path))
    assert (code, [one["kind"] for one in found["verdicts"]]) == (0, ["same"])


def test_candidates_may_be_cut_short(
    models: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(Path(models["c"]).read_bytes()[:-100])
    assert run(["diff", models["a"], models["b"], str(broken)]) == 10
    assert capsys.readouterr().err
