"""`kanna library`, as a person and as a script meet it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from containers import small
from kanna.cli import run


@pytest.fixture(autouse=True)
def _own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANNA_LIBRARY", str(tmp_path / "library.sqlite3"))
    monkeypatch.setenv("KANNA_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    models = tmp_path / "モデル"
    models.mkdir()
    (models / "猫.safetensors").write_bytes(small("w"))
    return models


def document(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    run(["library", *argv, "--json"])
    return json.loads(capsys.readouterr().out)


def test_from_a_folder_to_a_tagged_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, "add", str(folder), "--dry-run")["new"] == [str(folder)]
    assert document(capsys, "add", str(folder))["new"] == [str(folder)]
    assert document(capsys, "add", str(folder))["new"] == []
    assert document(capsys, "scan", "--dry-run")["models"]["new"] == 1
    assert document(capsys, "scan")["models"]["hashed"] == 1
    (one,) = document(capsys, "list")
    assert one["path"] == str(folder / "猫.safetensors")
    assert document(capsys, "tag", "猫", "+良い", "+b  c")[0]["tags"] == ["b c", "良い"]
    assert document(capsys, "tag", "猫", "--remove", "b c")[0]["tags"] == ["良い"]
    assert document(capsys, "note", "猫", "a\nb", "--dry-run")["note"] is None
    assert document(capsys, "note", "猫", "a\nb")["note"] == "a\nb"
    shown = document(capsys, "show", f"#{one['id']}")
    assert (shown["tags"], shown["note"], len(shown["hashes"]["sha256"])) == (["良い"], "a\nb", 64)
    assert document(capsys, "note", "猫", "--remove")["note"] is None
    assert document(capsys, "forget", str(folder), "--dry-run")["tagged"] == 1
    assert document(capsys, "forget", str(folder))["error"]["exit"] == 13
    assert document(capsys, "forget", str(folder), "--force")["models"] == 1
    assert document(capsys, "roots") == []


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_report_is_printed_in_both_languages(
    folder: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    for argv in (
        ["add", str(folder)], ["roots"], ["scan"], ["list"], ["show", "猫", "-v"],
        ["tag", "猫", "+x"], ["note", "猫", "y"], ["forget", str(folder), "--force"],
    ):  # fmt: skip
        assert run(["library", *argv, "--lang", language]) == 0
        assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["scan"], 3), (["list"], 3), (["add", "/no/such/folder"], 3), (["tag", "x"], 2),
        (["add", ".", "--images", "--models"], 2), (["note", "x", "y", "--remove"], 2),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(
    capsys: pytest.CaptureFixture[str], argv: list[str], code: int
) -> None:
    assert run(["library", *argv]) == code
    assert capsys.readouterr().err.count("\n") == 2


def test_nothing_is_remembered_without_folders(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["library", "add", str(folder)])
    run(["library", "forget", str(folder)])
    capsys.readouterr()
    assert run(["library", "scan"]) == 3
    assert "no folders" in capsys.readouterr().err
