"""`kanna scan` as people and pipelines call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attacks import cases
from containers import small
from kanna.cli import run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clean, a suspicious and a dangerous file."""
    (tmp_path / "a.safetensors").write_bytes(small("a"))
    (tmp_path / "b.safetensors").write_bytes(b"<html>log in</html>")
    (tmp_path / "c.ckpt").write_bytes(cases.READABLE["os.system"])
    return tmp_path


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ("a.safetensors", 0),
        ("b.safetensors", 3),
        ("c.ckpt", 1),
        ("a.safetensors b.safetensors", 3),
        ("b.safetensors c.ckpt missing", 1),
        ("a.safetensors missing", 3),
    ],
)
def test_the_exit_code_is_that_of_the_gravest(names: str, code: int, folder: Path) -> None:
    assert run(["scan", "-q", *(str(folder / name) for name in names.split())]) == code


def test_one_line_per_file_and_the_reasons_below(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["scan", str(folder)]) == 1
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == [
        "clean", "suspicious", "dangerous",
    ]  # fmt: skip
    assert any("KS101 calls os.system" in line for line in lines)
    assert err == "1 clean, 1 suspicious, 1 dangerous\n"


def test_verbose_lists_every_global_and_says_why(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["scan", "-v", "--lang", "en", str(folder / "c.ckpt")])
    out = capsys.readouterr().out
    assert "torch._utils._rebuild_tensor_v2 (called)" in out
    assert "rights of its user" in out
    run(["scan", "-v", "--lang", "ja", str(folder / "c.ckpt")])
    assert "危険" in capsys.readouterr().out


def test_json_is_one_document_or_a_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["scan", "--json", str(folder / "c.ckpt")])
    one = json.loads(capsys.readouterr().out)
    assert one["verdict"] == "dangerous"
    threat = one["threats"][0]
    assert (threat["code"], threat["name"], threat["member"]) == (
        "KS101", "os.system", "archive/data.pkl",
    )  # fmt: skip
    assert {found["name"] for found in one["globals"]} >= {"os.system", "torch.FloatStorage"}
    run(["scan", "--json", str(folder)])
    assert [found["verdict"] for found in json.loads(capsys.readouterr().out)] == [
        "clean", "suspicious", "dangerous",
    ]  # fmt: skip


def test_sarif_is_one_document_with_all_rules(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["scan", "--sarif", str(folder)]) == 1
    document = json.loads(capsys.readouterr().out)
    (only,) = document["runs"]
    rules = only["tool"]["driver"]["rules"]
    assert {result["ruleId"] for result in only["results"]} == {"KS101", "KS301"}
    for result in only["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    code = next(result for result in only["results"] if result["ruleId"] == "KS101")
    place = code["locations"][0]["physicalLocation"]
    at = place["region"]["byteOffset"]
    assert (folder / "c.ckpt").read_bytes()[at:].startswith(b"cos\nsystem\n")


def test_names_of_strangers_cannot_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a\x1b[2J.ckpt"
    path.write_bytes(cases.READABLE["terminal escapes in a name"])
    for options in ([], ["-v"], ["--json"], ["--sarif"]):
        run(["scan", *options, str(path)])
        out = capsys.readouterr().out
        assert out.replace("\n", "").isprintable()


def test_json_and_sarif_exclude_each_other(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["scan", "--json", "--sarif", str(folder)]) == 2
    assert "--sarif" in capsys.readouterr().out


def test_a_folder_without_models_is_not_called_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.ckpt").write_bytes(cases.READABLE["os.system"])
    assert run(["scan", str(tmp_path)]) == 3
    assert "-r" in capsys.readouterr().err
    assert run(["scan", "-r", str(tmp_path)]) == 1
