"""The seam to the operating system: what it promises whichever calls the system has."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kanna.disk import InputFile, free_bytes, system, writing
from kanna.disk.writing import OutputFile, remove_leftover
from kanna.errors import FormatError, Incomplete


@pytest.fixture(params=["as the system is", "plain", "no hard links", "no copying inside"])
def output(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OutputFile]:
    """Yield an output file on a system that lacks one thing or another."""

    def unsupported(*_arguments: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    if request.param == "plain":
        monkeypatch.setattr(system, "PLAIN", True)
        monkeypatch.setattr(system, "CAN_MOVE", False)
    if request.param == "no hard links":
        monkeypatch.setattr(os, "link", unsupported)
    if request.param == "no copying inside":
        monkeypatch.setattr(os, "copy_file_range", unsupported, raising=False)
    file = OutputFile(tmp_path / "part")
    yield file
    file.close()


def test_writes_land_where_they_should_and_holes_are_empty(output: OutputFile) -> None:
    data = os.urandom(700_001)
    output.reserve(1_000_000)
    output.write(memoryview(data), 299_999)
    output.write(memoryview(b"head"), 0)
    written = output.path.read_bytes()
    assert written == b"head" + bytes(299_995) + data


def test_runs_of_another_file_are_copied_and_its_end_is_noticed(
    tmp_path: Path, output: OutputFile
) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "in").write_bytes(data)
    source = InputFile(tmp_path / "in")
    output.reserve(3_000_000)
    output.move(source, 7, 2_500_000, 100)
    assert output.path.read_bytes()[100:2_500_100] == data[7:2_500_007]
    with pytest.raises(FormatError, match="ends at byte 3000000"):
        output.move(source, 2_999_990, 11, 0)
    source.close()


def test_publishing_gives_the_name_and_takes_the_old_one(
    tmp_path: Path, output: OutputFile
) -> None:
    output.write(memoryview(b"new"), 0)
    output.sync()
    output.publish(tmp_path / "out", replace=False)
    assert (tmp_path / "out").read_bytes() == b"new"
    assert output.is_at(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_publishing_replaces_only_on_request(tmp_path: Path, output: OutputFile) -> None:
    output.write(memoryview(b"new"), 0)
    (tmp_path / "out").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        output.publish(tmp_path / "out", replace=False)
    assert (tmp_path / "out").read_bytes() == b"old"
    assert output.path.exists()
    output.publish(tmp_path / "out", replace=True)
    assert (tmp_path / "out").read_bytes() == b"new"


def test_publishing_into_nowhere_leaves_nothing(tmp_path: Path, output: OutputFile) -> None:
    with pytest.raises(FileNotFoundError):
        output.publish(tmp_path / "gone" / "out", replace=False)
    assert [path.name for path in tmp_path.iterdir()] == ["part"]


def test_an_output_never_opens_what_exists(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("file", "link"):
        with pytest.raises(FileExistsError):
            OutputFile(tmp_path / name)
    assert not (tmp_path / "elsewhere").exists()


def test_leftovers_are_removed_only_when_nobody_holds_them(tmp_path: Path) -> None:
    held = OutputFile(tmp_path / "held")
    remove_leftover(held.path)
    assert held.path.exists()
    held.close()
    held.close()
    remove_leftover(held.path)
    assert not held.path.exists()
    remove_leftover(held.path)


def test_a_file_taken_for_a_leftover_at_birth_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(_fd: int) -> None:
        raise BlockingIOError

    monkeypatch.setattr(writing, "lock", taken)
    with pytest.raises(FileExistsError):
        OutputFile(tmp_path / "part")


def test_a_file_system_without_locks_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(_fd: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(writing, "lock", unsupported)
    OutputFile(tmp_path / "part").close()
    remove_leftover(tmp_path / "part")
    assert (tmp_path / "part").exists()


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(Incomplete, match="no file"):
        InputFile(tmp_path / "none")
    with pytest.raises(FormatError, match="not a regular file"):
        InputFile(tmp_path)
    with pytest.raises(FormatError, match="not a regular file"):
        InputFile("/dev/null")


def test_free_space_is_a_number_of_bytes(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0


def test_looking_at_a_file_loads_nothing_that_writes() -> None:
    program = "import sys, kanna.formats; sys.exit('kanna.disk.writing' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
