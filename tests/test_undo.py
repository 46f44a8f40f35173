"""A header edited in place is the old one or the new one, whatever happens on the way."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import edited_run
from containers import safetensors_bytes
from kanna.api import set_metadata
from kanna.disk import Fingerprint, InputFile, undo
from kanna.disk.reading import undo_path
from kanna.errors import FormatError, Incomplete, KannaError
from kanna.formats import open_model

DATA = bytes(range(256)) * 8
ROOM = 700
MEMORY = Path("/dev/shm")
TOO_LATE = 99  # an interruption that is none of ours


def model_bytes(title: str = "old " * 30) -> bytes:
    """A file with a few hundred bytes of room in its header."""
    raw = safetensors_bytes({"w": ("U8", (len(DATA),), DATA)}, {"modelspec.title": title})
    length = int.from_bytes(raw[:8], "little")
    header = raw[8 : 8 + length].ljust(length + ROOM)
    return len(header).to_bytes(8, "little") + header + DATA


@pytest.fixture
def model() -> Iterator[Path]:
    """A model in a folder of its own: in memory, for a disk would sync hundreds of times."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        path = Path(folder, edited_run.NAME)
        path.write_bytes(model_bytes())
        yield path


def beside(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir() if entry != path)


def title_of(path: Path) -> str:
    with open_model(path) as opened:
        assert opened["w"].read() == DATA
        return opened.metadata["modelspec.title"].split()[0]


def struck_down(model: Path, number: int) -> list[tuple[Path, int]]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, edited_run.__file__, model.parent, str(number)],
        capture_output=True, text=True, check=True, timeout=60, env=environment,
    )  # fmt: skip
    ended = [line.split() for line in done.stdout.splitlines()]
    return [(model.parent / step / model.name, int(code)) for step, code in ended]


def test_a_kill_at_any_step_leaves_the_old_header_or_the_new_one(model: Path) -> None:
    old = model.read_bytes()
    torn, left = 0, set()
    runs = struck_down(model, signal.SIGKILL)
    new = runs[-1][0].read_bytes()
    assert len(runs) > 30
    for path, code in runs:
        assert code in {0, -signal.SIGKILL}
        there = path.read_bytes()
        assert len(there) == len(old)
        assert there[-len(DATA) :] == DATA
        torn += there not in {old, new}
        left.add(title_of(path))
        assert path.read_bytes() in {old, new}
        assert beside(path) == []
    assert torn > 4
    assert left == {"old", "new"}


def test_control_c_at_any_step_leaves_nothing_to_be_set_right(model: Path) -> None:
    old = model.read_bytes()
    runs = struck_down(model, signal.SIGINT)
    new = runs[-1][0].read_bytes()
    for path, code in runs:
        assert path.read_bytes() == {0: new, 130: old, TOO_LATE: new}[code]
        assert beside(path) == []


@pytest.mark.parametrize("failing", range(1, 8))
def test_a_disk_that_fails_once_leaves_the_old_header(
    failing: int, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, calls = model.read_bytes(), [0]

    def write_some(fd: int, data: memoryview, offset: int) -> int:
        calls[0] += 1
        if calls[0] == failing:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.pwrite(fd, data[: 1 + len(data) // 2], offset)

    monkeypatch.setattr(undo, "write_at", write_some)
    with pytest.raises(KannaError) as caught:
        set_metadata(model, edited_run.FIELDS)
    assert caught.value.key == "engine.disk_full"
    assert model.read_bytes() == old
    assert beside(model) == []


def test_a_disk_that_keeps_failing_is_set_right_by_the_next_command(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = model.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(undo, "write_at", _failing_on(len(old)))
        with pytest.raises(KannaError):
            set_metadata(model, edited_run.FIELDS)
    assert model.read_bytes() != old
    assert beside(model) == [f".{model.name}.kanna-undo"]
    assert title_of(model) == "old"
    assert model.read_bytes() == old
    assert beside(model) == []


def _failing_on(size: int) -> Callable[[int, memoryview, int], int]:
    """A disk that takes the beginning of a file of this size, and then nothing more of it."""
    taken: list[int] = []

    def write_some(fd: int, data: memoryview, offset: int) -> int:
        if os.fstat(fd).st_size != size:
            return os.pwrite(fd, data, offset)
        if taken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        taken.append(offset)
        return os.pwrite(fd, data[:60], offset)

    return write_some


def torn(model: Path) -> bytes:
    """Leave `model` as a kill in the middle of a write does; return what it was."""
    old = model.read_bytes()
    head = len(old) - len(DATA)
    new = model_bytes("new " * 30)[:head]
    note = undo._Undo(model.stat().st_ino, len(old), 0, old[:head], new)
    Path(undo_path(model)).write_bytes(note.to_bytes())
    model.write_bytes(new[:60] + old[60:])
    return old


def test_every_way_to_a_file_sets_it_right(model: Path, tmp_path: Path) -> None:
    old = torn(model)
    link = tmp_path / "link.safetensors"
    link.symlink_to(model)
    InputFile(link).close()
    link.unlink()
    assert model.read_bytes() == old
    assert beside(model) == []


def test_the_undo_of_a_file_that_is_not_there_any_more_does_not_touch_another(model: Path) -> None:
    torn(model)
    note = Path(undo_path(model))
    raw = note.read_bytes()
    other = model_bytes("other " * 20)
    for content in (other, other + b"x", b"", other[: len(other) // 2]):
        model.write_bytes(content)
        note.write_bytes(raw)
        InputFile(model).close()
        assert model.read_bytes() == content
        assert beside(model) == []


def test_an_undo_that_came_from_elsewhere_writes_to_no_file(model: Path) -> None:
    torn(model)
    planted = model.with_name("planted.safetensors")
    there = model.read_bytes()
    planted.write_bytes(there)
    Path(undo_path(planted)).write_bytes(Path(undo_path(model)).read_bytes())
    with pytest.raises(Incomplete) as caught:
        InputFile(planted)
    assert caught.value.key == "disk.foreign_undo"
    assert planted.read_bytes() == there
    Path(undo_path(planted)).unlink()
    InputFile(planted).close()


@pytest.mark.parametrize("body", [b"", b"x", b"\0" * 31, b"\0" * 32 + b"x", b"\xff" * 40])
def test_an_undo_that_is_made_up_means_nothing(body: bytes, model: Path) -> None:
    raw = undo._MAGIC + body
    Path(undo_path(model)).write_bytes(raw + hashlib.sha256(raw).digest())
    assert title_of(model) == "old"
    assert beside(model) == []


def test_an_undo_without_its_file_goes(model: Path) -> None:
    torn(model)
    model.unlink()
    with pytest.raises(Incomplete):
        InputFile(model)
    assert beside(model) == []


@pytest.mark.parametrize("keep", [0, 5, 30, 60, -1])
def test_an_undo_that_was_not_finished_means_that_nothing_was_written(
    keep: int, model: Path
) -> None:
    torn(model)
    model.write_bytes(model_bytes())
    note = Path(undo_path(model))
    note.write_bytes(note.read_bytes()[:keep])
    assert title_of(model) == "old"
    assert beside(model) == []


def test_a_writer_that_still_runs_is_waited_for(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torn(model)
    monkeypatch.setattr(undo, "_PATIENCE", 0.05)
    with Path(undo_path(model)).open("rb") as note:
        fcntl.flock(note, fcntl.LOCK_EX)
        with pytest.raises(Incomplete) as caught:
            InputFile(model)
        assert caught.value.key == "disk.being_edited"
    assert title_of(model) == "old"


def test_a_file_that_cannot_be_set_right_is_told(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torn(model)

    def refused(*_: object) -> int:
        raise PermissionError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(undo, "write_at", refused)
    with pytest.raises(Incomplete) as caught:
        InputFile(model)
    assert caught.value.key == "disk.half_written"
    assert Path(undo_path(model)).exists()


def test_a_file_that_changed_since_it_was_read_is_left_alone(model: Path) -> None:
    state = Fingerprint.of(model.stat())
    old = model.read_bytes()
    with pytest.raises(FormatError):
        undo.replace_bytes(model, state, 0, b"x" * 8, b"y" * 8)
    os.utime(model, ns=(1, 1))
    with pytest.raises(FormatError):
        undo.replace_bytes(model, state, 0, old[:8], b"y" * 8)
    assert model.read_bytes() == old
    assert beside(model) == []


def test_two_edits_at_once_are_one_after_the_other_or_refused(model: Path) -> None:
    with model.open("rb+") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Incomplete) as caught:
            set_metadata(model, {"title": "x"})
    assert caught.value.key == "disk.being_edited"
    assert title_of(model) == "old"
    set_metadata(model, {"title": "x"})
    assert title_of(model) == "x"


def test_names_too_long_for_a_mark_of_ours_are_cut_and_stay_apart(tmp_path: Path) -> None:
    stem = "絵" * 81
    first, second = tmp_path / f"{stem}a.sft", tmp_path / f"{stem}b.sft"
    assert undo_path(first) != undo_path(second)
    for path in (first, second):
        path.write_bytes(model_bytes())
        assert len(os.fsencode(Path(undo_path(path)).name)) <= 255
        set_metadata(path, {"title": "x"})
        assert title_of(path) == "x"


def test_whether_another_program_has_a_file_open(model: Path) -> None:
    assert not undo.is_open_elsewhere(model)
    with model.open("rb"):
        assert undo.is_open_elsewhere(model) == (sys.platform == "linux")
    assert not undo.is_open_elsewhere(model)
    assert not undo.is_open_elsewhere(model.parent / "none")
