"""`kanna check`, as a person and as a script meet it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from kanna.api import check as api_check
from kanna.cli import run
from kanna.demo import write_checkpoint


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("check") / "a model.ckpt"
    write_checkpoint(path, full=False)
    return path


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_the_report_groups_by_severity_and_ends_with_the_command(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", str(checkpoint)]) == 1
    out, notice = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith(str(checkpoint))
    assert [line.strip() for line in lines if not line.startswith("    ")][1:3] == [
        "warnings",
        "notes",
    ]
    assert any(line.split()[:2] == ["KN301", "3.44"] for line in lines)
    words = shlex.split(lines[-1].strip().removeprefix("$ "))
    assert words[:3] == ["kanna", "fix", str(checkpoint)]
    assert "--for generation" in notice


def test_a_purpose_counts_in_full(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(checkpoint), "--for", "generation", "-v"]) == 1
    out, notice = capsys.readouterr()
    assert "notes" not in out
    assert "Making images does not touch it" in out
    assert not notice


def test_only_notes_are_no_failure(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(checkpoint), "--select", "KN4,KN301", "-q"]) == 0
    assert run(["check", str(checkpoint), "--select", "KN4", "--for", "generation", "-q"]) == 1
    assert run(["check", str(checkpoint), "--select", "KN207"]) == 0
    assert "nothing to complain about" in capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    run(["check", *argv])
    return json.loads(capsys.readouterr().out)


def test_the_json_document(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, str(checkpoint), "--json", "--for", "generation")
    assert list(found) == [
        "path", "purpose", "deep", "kind", "architecture", "findings", "fixable", "bytes", "command",
    ]  # fmt: skip
    ema = next(one for one in found["findings"] if one["code"] == "KN301")
    assert ema["severity"] == "warning"
    assert ema["fixable"] is True
    assert ema["bytes"] == 3_438_083_864
    assert found["fixable"] == len(found["findings"])
    # the EMA counts once, although two rules find it
    assert found["bytes"] < sum(one["bytes"] for one in found["findings"])


def test_several_files_and_a_broken_one(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"<!DOCTYPE html>")
    assert run(["check", str(broken), str(checkpoint), "--json"]) == 1
    first, second = json.loads(capsys.readouterr().out)
    assert first["error"]["exit"] == 10
    assert second["findings"]
    assert run(["check", str(broken)]) == 10


def test_sarif(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = document(capsys, str(checkpoint), "--sarif")["runs"]
    rules = [rule["id"] for rule in one["tool"]["driver"]["rules"]]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in one["results"])
    assert {"KN101", "KN203", "KN303"} <= {result["ruleId"] for result in one["results"]}
    assert run(["check", str(checkpoint), "--sarif", "--json"]) == 2


@pytest.mark.parametrize("place", ["kanna.toml", "config/kanna/kanna.toml"])
def test_settings_are_defaults(
    place: str, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('[check]\nfor = "training"\nignore = ["KN8", "KN1"]\n', encoding="utf-8")
    found = document(capsys, str(checkpoint), "--json")
    assert found["purpose"] == "training"
    assert {one["code"] for one in found["findings"]} == {"KN203", "KN303"}
    found = document(capsys, str(checkpoint), "--json", "--for", "generation", "--ignore", "KN4")
    assert found["purpose"] == "generation"
    assert "KN101" in {one["code"] for one in found["findings"]}


@pytest.mark.parametrize(
    "text",
    [
        "[check",
        "check = 3",
        '[check]\nfour = "x"',
        '[check]\nfor = "fun"',
        "[check]\nselect = [3]",
        '[check]\nselect = "KN9"',
    ],
)
def test_settings_that_make_no_sense_are_told(
    text: str, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kanna.toml").write_text(text, encoding="utf-8")
    assert run(["check", str(checkpoint)]) == 2
    assert capsys.readouterr().err


def test_rules_that_there_are_not(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(checkpoint), "--select", "KN999"]) == 2
    assert "KN999" in capsys.readouterr().err


def test_names_of_strangers_are_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a\x1b[31m\n.ckpt"
    write_checkpoint(path, full=False)
    run(["check", str(path), "-v"])
    assert "\x1b" not in capsys.readouterr().out


def test_japanese(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["check", str(checkpoint), "-v", "--lang", "ja"])
    out = capsys.readouterr().out
    assert "警告" in out
    assert "warnings" not in out


def test_a_config_beside_the_model_counts(tmp_path: Path) -> None:
    path = tmp_path / "m.ckpt"
    write_checkpoint(path, full=False)
    config = path.with_suffix(".yaml")
    for text, found in (
        ("model:\n  params:\n    unet_config:\n      params:\n        context_dim: 1024\n", True),
        ("model:\n  params:\n    unet_config:\n      params:\n        context_dim: 768\n", False),
        ("a: !!python/object/apply:os.system [id]\n", True),
    ):
        config.write_text(text, encoding="utf-8")
        codes = [finding.rule.code for finding in api_check(path).findings]
        assert ("KN703" in codes) == found
