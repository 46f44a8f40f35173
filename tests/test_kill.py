"""Runs that are killed: at any moment the destination is absent, old, or complete."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import killed_run
from kanna.engine import RunOptions, run


def spawn(folder: Path, step: int, stroke: int | str) -> subprocess.CompletedProcess[str]:
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


@pytest.mark.parametrize("step", range(1, 15))
def test_a_killed_run_leaves_the_old_file_or_the_new_one_and_the_next_one_cleans_up(
    tmp_path: Path, good: bytes, step: int
) -> None:
    (tmp_path / "out").write_text("old")
    ended = spawn(tmp_path, step, int(signal.SIGKILL))
    if ended.returncode == 0:  # it had fewer steps than that
        assert step > 13
    else:
        assert ended.returncode == -signal.SIGKILL
        assert (tmp_path / "out").read_bytes() in (b"old", good)
        assert len(names(tmp_path)) <= 3
    plan = killed_run.make_plan(tmp_path)
    run(plan, tmp_path / "out", options=RunOptions(force=True))
    assert (tmp_path / "out").read_bytes() == good
    assert names(tmp_path) == ["in", "out"]


@pytest.mark.parametrize("step", [1, 2, 5, 10, 11, 12])
def test_control_c_at_any_moment_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, step: int
) -> None:
    (tmp_path / "out").write_text("old")
    ended = spawn(tmp_path, step, int(signal.SIGINT))
    assert (ended.returncode, ended.stderr) == (130, "engine.interrupted")
    assert (tmp_path / "out").read_text() == "old"
    assert names(tmp_path) == ["in", "out"]


def test_control_c_after_the_last_moment_leaves_the_new_file(tmp_path: Path, good: bytes) -> None:
    ended = spawn(tmp_path, 13, int(signal.SIGINT))
    assert ended.returncode != 0
    assert "KeyboardInterrupt" in ended.stderr
    assert (tmp_path / "out").read_bytes() == good
    assert names(tmp_path) == ["in", "out"]


def test_a_limit_on_the_size_of_files_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    ended = spawn(tmp_path, 3000, "limit")
    assert (ended.returncode, ended.stderr) == (1, "engine.too_big")
    assert names(tmp_path) == ["in"]
