"""Models of a recipe that are nowhere but in the library."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from containers import small
from kanna.catalog.store import Library
from kanna.cli import run
from kanna.hashing.place import cache_path

CONTENT = small("w")
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model in a folder that no recipe names, and a library that has it."""
    monkeypatch.setenv("KANNA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KANNA_LIBRARY", str(tmp_path / "library.sqlite3"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    path = tmp_path / "far" / "away.safetensors"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return path


def catalogue(path: Path, sha256: str | None = SHA256) -> None:
    with Library(path.parent.parent / "library.sqlite3") as library, library.writing() as writing:
        writing.execute(
            "INSERT INTO file (path, name, fingerprint, size, modified, first_seen, sha256)"
            " VALUES (?, ?, '', 0, 0, 0, ?)",
            (str(path), path.name, sha256),
        )


def recipe(**source: str) -> Path:
    inline = ", ".join(f'{key} = "{value}"' for key, value in source.items())
    path = Path("recipe.toml")
    path.write_text(
        f'kanna = 1\n[models]\na = {{ {inline} }}\n[[step]]\nname = "out"\nmethod = "copy"\nmodels = ["a"]\n'
    )
    return path


def found(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    run(["recipe", "show", str(path), "--json"])
    (model,) = json.loads(capsys.readouterr().out)["models"]
    assert isinstance(model, dict)
    return model


@pytest.mark.parametrize(
    "source", [{"sha256": SHA256}, {"path": "other.safetensors", "sha256": SHA256}]
)
def test_a_model_is_found_by_its_digest(
    elsewhere: Path, source: dict[str, str], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    catalogue(elsewhere)
    model = found(recipe(**source), capsys)
    assert (model["state"], model["found"], model["in_library"]) == ("found", str(elsewhere), True)
    monkeypatch.setenv("KANNA_CACHE", "shown")  # now the other one has it
    assert run(["recipe", "show", "recipe.toml"]) == 0
    assert f"found in the library: {elsewhere}" in capsys.readouterr().out
    monkeypatch.setenv("KANNA_CACHE", "run")
    assert run(["run", "recipe.toml", "-o", "out.safetensors", "--dry-run"]) == 0
    assert f"a was found in the library: {elsewhere}" in capsys.readouterr().err


def test_a_file_of_the_name_that_was_not_hashed_is_read_first(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue(elsewhere, sha256=None)
    path = recipe(path="away.safetensors", sha256=SHA256)
    assert found(path, capsys)["found"] == str(elsewhere)
    elsewhere.write_bytes(small("other"))
    assert found(path, capsys)["state"] == "missing"


def test_a_name_alone_is_enough_only_where_one_file_has_it(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue(elsewhere)
    path = recipe(path="C:\\\\models\\\\away.safetensors")
    assert found(path, capsys)["found"] == str(elsewhere)
    twin = elsewhere.with_name("two") / elsewhere.name
    twin.parent.mkdir()
    twin.write_bytes(small("other"))
    catalogue_at = twin.parent.parent.parent / "library.sqlite3"
    with Library(catalogue_at) as library, library.writing() as writing:
        writing.execute(
            "INSERT INTO file (path, name, fingerprint, size, modified, first_seen, sha256)"
            " VALUES (?, ?, 'b', 0, 0, 0, ?)",
            (str(twin), twin.name, "0" * 64),
        )
    assert found(path, capsys)["state"] == "missing"


def test_a_digest_that_the_library_has_is_checked_against_the_file(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue(elsewhere)
    elsewhere.write_bytes(small("changed since"))
    assert found(recipe(sha256=SHA256), capsys)["state"] == "missing"


def test_without_a_library_none_is_made(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert found(recipe(sha256=SHA256), capsys)["state"] == "missing"
    assert not (elsewhere.parent.parent / "library.sqlite3").exists()
    assert cache_path().parent != Path.home()
