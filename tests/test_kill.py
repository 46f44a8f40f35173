"""Runs that are killed: at any moment the destination is absent, old, or complete."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import killed_run
from kanna.engine import RunOptions, run

Ended = subprocess.CompletedProcess[str]


def spawn(folder: Path, step: int, stroke: int | str) -> Ended:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, killed_run.__file__, folder, str(step), str(stroke)],
        capture_output=True, text=True, check=False, timeout=60, env=environment,
    )  # fmt: skip


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("good")
    run(killed_run.make_plan(folder), folder / "out")
    return (folder / "out").read_bytes()


def struck_down(folder: Path, stroke: int) -> Iterator[tuple[Path, Ended]]:
    """Strike runs over an old file at their first step, at their second, until one comes through.

    Yields the folder of each and how it ended.
    """
    for step in range(1, 1000):
        place = folder / str(step)
        place.mkdir()
        (place / "out").write_text("old")
        ended = spawn(place, step, stroke)
        if ended.returncode == 0:
            return
        yield place, ended
    pytest.fail("no run came through")


def test_a_killed_run_leaves_the_old_file_or_the_new_one_and_the_next_one_cleans_up(
    tmp_path: Path, good: bytes
) -> None:
    left = set()
    for place, ended in struck_down(tmp_path, int(signal.SIGKILL)):
        assert ended.returncode == -signal.SIGKILL
        left.add((place / "out").read_bytes())
        assert len(names(place)) <= 3
        run(killed_run.make_plan(place), place / "out", options=RunOptions(force=True))
        assert (place / "out").read_bytes() == good
        assert names(place) == ["in", "out"]
    assert left == {b"old", good}


def test_control_c_leaves_the_old_file_or_after_the_last_moment_the_new_one(
    tmp_path: Path, good: bytes
) -> None:
    left = set()
    for place, ended in struck_down(tmp_path, int(signal.SIGINT)):
        left.add((place / "out").read_bytes())
        assert names(place) == ["in", "out"]
        if (place / "out").read_bytes() == good:
            assert "KeyboardInterrupt" in ended.stderr
        else:
            assert (ended.returncode, ended.stderr) == (130, "engine.interrupted")
    assert left == {b"old", good}


def test_a_limit_on_the_size_of_files_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    ended = spawn(tmp_path, 3000, "limit")
    assert (ended.returncode, ended.stderr) == (1, "engine.too_big")
    assert names(tmp_path) == ["in"]
