"""The verbs that ask the library, as people call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog_rows import add_file, sha256
from kanna.catalog.store import Library
from kanna.cli import run

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "library.sqlite3"
    monkeypatch.setenv("KANNA_LIBRARY", str(place))
    monkeypatch.setattr("kanna.catalog.same.is_unchanged", lambda _row: True)
    with Library(place) as opened:
        for name in ("orange", "orange copy"):
            add_file(opened, f"/m/{name}.safetensors", sha256=sha256("a"), data_sha256=sha256("a"))
        add_file(opened, "/m/flux.safetensors", kind="diffusion_model", architecture="flux",
                 missing_parts=["vae"], tags=["big"], sha256=sha256("f"))  # fmt: skip
        add_file(opened, "/m/\x1b[31mred.safetensors", origins=[("merged_from", "o", sha256("a"))])
    return place


def documents(capsys: Capture, *words: str, code: int = 0) -> object:
    assert run(["library", *words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_find(capsys: Capture) -> None:
    assert run(["library", "find", "orange", "-copy", "-q"]) == 0
    assert capsys.readouterr().out == "/m/orange.safetensors\n"
    assert run(["library", "find", "ORANGE copy"]) == 0
    assert "orange copy.safetensors" in capsys.readouterr().out
    assert run(["library", "find", "nowhere"]) == 1
    found = documents(capsys, "find", "--kind", "diffusion_model")
    assert isinstance(found, list)
    assert (found[0]["path"], found[0]["tags"]) == ("/m/flux.safetensors", ["big"])
    assert documents(capsys, "find", "--count") == {"count": 4}


@pytest.mark.parametrize("verb", ["find", "list"])
def test_folders_may_be_named_with_dots(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    with Library(tmp_path / "library.sqlite3") as opened:
        add_file(opened, str(tmp_path / "a" / "b.safetensors"), sha256=sha256("b"))
    for folder in ("../a", str(tmp_path / "in" / ".." / "a")):
        assert run(["library", verb, "--root", folder, "-q"]) == 0
        assert capsys.readouterr().out == f"{tmp_path / 'a' / 'b.safetensors'}\n"


def test_a_word_that_begins_with_an_option(capsys: Capture) -> None:
    assert run(["library", "find", "-orange", "-q", "-quality"]) == 0
    assert capsys.readouterr().out.count("\n") == 2


def test_names_cannot_steer_the_terminal(capsys: Capture) -> None:
    for words in (["find", "red"], ["lineage", "#4"], ["export", "--to", "markdown"]):
        assert run(["library", *words]) == 0
        assert "\x1b" not in capsys.readouterr().out


def test_wrong_words(capsys: Capture) -> None:
    assert run(["library", "find", "--family", "fluxx"]) == 2
    assert "flux" in capsys.readouterr().err
    assert run(["library", "find", "--no-such"]) == 2
    assert run(["library", "find", "--library", "/no/such.sqlite3"]) == 3


def test_dupes(capsys: Capture) -> None:
    found = documents(capsys, "dupes", code=1)
    assert isinstance(found, dict)
    group, possible = found["groups"]
    assert possible["same"] == "possible"
    assert len(possible["files"]) == 2
    assert (group["same"], group["keep"], group["reason"]) == (
        "file",
        "/m/orange.safetensors",
        "named",
    )
    assert (found["bytes"], found["unhashed"]) == (1000, 1)
    assert run(["library", "dupes", "--gone"]) == 2
    assert run(["library", "dupes", "--family", "flux"]) == 0
    assert "No copies" in capsys.readouterr().err


def test_missing(capsys: Capture) -> None:
    assert run(["library", "missing"]) == 1
    told = capsys.readouterr().out
    assert "ae.safetensors" in told
    assert "afc8e28272cd15db" in told
    assert run(["library", "missing", "--kind", "checkpoint"]) == 0


def test_what_may_be_there_is_told_as_such(library: Path, capsys: Capture) -> None:
    part = {"role": "vae", "architecture_candidates": ["sd3", "flux"], "complete": True}
    with Library(library) as opened:
        add_file(opened, "/v/ae.safetensors", kind="vae", parts=[part])
    assert run(["library", "missing"]) == 0
    printed = capsys.readouterr()
    assert "perhaps there" in printed.out
    assert "are there: 0" in printed.err


def test_lineage(capsys: Capture) -> None:
    assert run(["library", "lineage", "orange"]) == 0
    assert "red.safetensors" in capsys.readouterr().out
    graph = documents(capsys, "lineage", "#4")
    assert isinstance(graph, dict)
    assert [edge["relation"] for edge in graph["edges"]] == ["merged_from"]
    assert run(["library", "lineage", "#4", "--to", "mermaid"]) == 0
    assert capsys.readouterr().out.startswith("graph TD\n")
    assert run(["library", "lineage", "#4", "--to", "dot", "--json"]) == 2


def test_export_replaces_nothing_unasked(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "list.csv"
    words = ["library", "export", "--to", "csv", "orange", "-o", str(out)]
    assert run([*words, "--dry-run"]) == 0
    assert not out.exists()
    assert run(words) == 0
    assert out.read_bytes().count(b"\r\n") == 3
    assert run(words) == 15
    assert run([*words, "--dry-run"]) == 15
    out.write_text("mine")
    assert run([*words, "--force"]) == 0
    assert out.read_text(encoding="utf-8") != "mine"
    capsys.readouterr()
    assert run(["library", "export", "--to", "sha256", "orange"]) == 0
    assert capsys.readouterr().out.count(sha256("a")) == 2


@pytest.mark.parametrize("verb", ["find", "dupes", "missing", "export", "lineage"])
def test_help_in_japanese(verb: str, capsys: Capture) -> None:
    assert run(["library", verb, "--lang", "ja", "--help"]) == 0
    assert "ライブラリ" in capsys.readouterr().out
