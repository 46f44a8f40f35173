"""The trash as file managers know it, on the disk where the files are, and back."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

import pytest

from filing_sets import MODEL, STEM, contents, six_companions, write_set
from kanna.api import carry_out_filing, plan_filing, plan_unfiling
from kanna.errors import KannaError
from kanna.filing import trashing
from kanna.filing.trashing import trash_of

MEMORY = Path("/dev/shm")


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANNA_LIBRARY", str(tmp_path / "library" / "library.sqlite3"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    if not MEMORY.is_dir() or MEMORY.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is one file system")
    with TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)


def trash(path: Path) -> None:
    plan = plan_filing("trash", [path])
    assert plan.refused == ()
    (outcome,) = carry_out_filing(plan).outcomes
    assert outcome.error is None


def origin(info: Path) -> str:
    header, path, when = info.read_text().splitlines()
    assert header == "[Trash Info]"
    assert when.startswith("DeletionDate=20")
    return unquote(path.removeprefix("Path="))


@pytest.mark.skipif(os.name == "nt", reason="there kanna has its own")
def test_a_file_manager_finds_what_was_trashed_and_where_it_was(tmp_path: Path) -> None:
    model = write_set(tmp_path / "old")
    trash(model)
    place = tmp_path / "data" / "Trash"
    assert contents(model.parent) == {}
    assert contents(place / "files") == six_companions()
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    infos = {path.stem: origin(path) for path in (place / "info").iterdir()}
    assert infos == {name: str(model.parent / name) for name in six_companions()}


@pytest.mark.skipif(os.name == "nt", reason="there kanna has its own")
def test_names_in_the_trash_do_not_meet_and_everything_comes_back(tmp_path: Path) -> None:
    place = tmp_path / "data" / "Trash"
    for folder in ("one", "two"):
        trash(write_set(tmp_path / folder))
    assert len(contents(place / "files")) == 2 * len(six_companions())
    for folder in ("two", "one"):
        carry_out_filing(plan_unfiling())
        assert contents(tmp_path / folder) == six_companions()
    assert not place.exists() or contents(place / "files") == contents(place / "info") == {}


@pytest.mark.skipif(os.name == "nt", reason="there kanna has its own")
def test_another_disk_has_a_trash_of_its_own(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = write_set(memory / "old")
    monkeypatch.setattr(trashing, "_top", lambda *_: memory)
    trash(model)
    place = memory / f".Trash-{os.getuid()}"
    assert contents(place / "files") == six_companions()
    assert origin(place / "info" / f"{MODEL}.trashinfo") == f"old/{MODEL}"


@pytest.mark.skipif(os.name == "nt", reason="there kanna has its own")
def test_the_shared_trash_of_a_disk_counts_only_if_it_is_safe(
    memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trashing, "_top", lambda *_: memory)
    model = write_set(memory / "old")
    shared = memory / ".Trash"
    shared.mkdir()
    assert trash_of(model, tmp_path).files.parent.name == f".Trash-{os.getuid()}"
    shared.chmod(0o1777)
    assert trash_of(model, tmp_path).files == shared / str(os.getuid()) / "files"
    shared.rmdir()
    (memory / f".Trash-{os.getuid()}").symlink_to(tmp_path)
    assert trash_of(model, tmp_path / "own").files == tmp_path / "own"


def test_where_the_system_has_none_kanna_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trashing, "_HAS_FOLDERS", False)
    for folder in ("one", "two"):
        trash(write_set(tmp_path / folder))
    place = tmp_path / "library" / "trash"
    assert set(contents(place)) >= {MODEL, f"{STEM}.2.safetensors"}
    carry_out_filing(plan_unfiling())
    assert contents(tmp_path / "two") == six_companions()


def test_what_is_in_the_trash_does_not_go_there_again(tmp_path: Path) -> None:
    trash(write_set(tmp_path / "old"))
    (there,) = (tmp_path / "data").rglob(MODEL)
    ((_, error),) = plan_filing("trash", [there]).refused
    assert error.key == "filing.in_trash"
    (tmp_path / "data" / "Trash" / "files" / MODEL).unlink()
    ((_, error),) = plan_unfiling().refused
    assert isinstance(error, KannaError)
    assert error.key == "disk.missing"
