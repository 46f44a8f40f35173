"""Filings that are killed: at any moment the old set is complete, or the new one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import filed_run
from filing_sets import contents, holds, leftovers, six_companions, write_set
from kanna.api import past_filings, settle_filings
from kanna.api.library_filing import carry_out_filing, plan_unfiling

MEMORY = Path("/dev/shm")
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are struck down in forks")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, for a disk would sync thousands of times."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else tmp_path) as folder:
        yield Path(folder)


def struck_down(
    folder: Path, verb: str, stroke: int, other: Path | str = "", *, stride: int = 1
) -> dict[int, int]:
    """Strike filings down at each of their steps, or at some; return how each ended."""
    words = [str(int(stroke)), verb, str(stride), str(other)]
    done = subprocess.run(
        [sys.executable, filed_run.__file__, folder, *words],
        capture_output=True, text=True, check=True, timeout=120, env=ENVIRONMENT,
    )  # fmt: skip
    rows = [line.split() for line in done.stdout.splitlines()]
    ends = {int(step): int(code) for step, code in rows}
    assert len(ends) > 15
    assert list(ends.values())[-1] == 0
    return ends


def library_of(place: Path) -> Path:
    return place / "lib" / "library.sqlite3"


def check_whole(old: Path, new: Path) -> None:
    """What must hold the moment after a kill."""
    files = six_companions()
    assert holds(old, files) or holds(new, files), (contents(old).keys(), contents(new).keys())


def check_settled(place: Path, old: Path, new: Path) -> bool:
    """Let the next run set things right; return whether the set is at its new place."""
    files = six_companions()
    settle_filings(library=library_of(place))
    there, here = contents(new), contents(old)
    assert (here, there) in ((files, {}), ({}, files)), (list(here), list(there))
    assert leftovers(place) == leftovers(new.parent) == []
    assert settle_filings(library=library_of(place)) == []
    assert all(one.state != "open" for one in past_filings(library=library_of(place)))
    return there == files


@pytest.mark.parametrize(
    ("verb", "stroke", "stride"),
    [
        ("move", signal.SIGKILL, 1),
        ("move-far", signal.SIGKILL, 1),
        ("move-far", signal.SIGINT, 5),
        ("move", signal.SIGINT, 3),
        ("undo-far", signal.SIGKILL, 7),
    ],
)
def test_a_set_is_whole_after_a_stroke_at_any_step(
    verb: str, stroke: int, stride: int, memory: Path
) -> None:
    ends = struck_down(memory, verb, stroke, stride=stride)
    results = set()
    for step in ends:
        place = memory / str(step)
        old, new = place / "old", place / "new" / "inner"
        check_whole(old, new)
        if stroke == signal.SIGINT:  # who is asked to stop leaves nothing to be set right
            assert leftovers(place) == []
        results.add(check_settled(place, old, new))
    assert results == {True, False}


def test_a_set_is_whole_after_a_kill_between_two_file_systems(memory: Path, tmp_path: Path) -> None:
    if memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is one file system")
    ends = struck_down(memory, "move", signal.SIGKILL, tmp_path, stride=8)
    for step in ends:
        place, new = memory / str(step), tmp_path / str(step) / "new" / "inner"
        check_whole(place / "old", new)
        check_settled(place, place / "old", new)


def test_where_files_have_one_name_only_the_next_run_makes_a_set_whole(memory: Path) -> None:
    for step in struck_down(memory, "move-bare", signal.SIGKILL, stride=3):
        place = memory / str(step)
        old, new = place / "old", place / "new" / "inner"
        merged = {name: data for name, data in contents(new).items() if data} | contents(old)
        assert merged.items() >= six_companions().items()  # nothing is ever nowhere
        check_settled(place, old, new)


@pytest.mark.parametrize("verb", ["rename", "trash"])
def test_a_new_name_and_the_trash_are_as_safe(verb: str, memory: Path) -> None:
    files = six_companions()
    for step in struck_down(memory, verb, signal.SIGKILL, stride=5):
        place = memory / str(step)
        settle_filings(library=library_of(place))
        here = contents(place / "old")
        assert here == files or not files.keys() & here.keys()
        assert leftovers(place) == []
        if [one for one in past_filings(library=library_of(place)) if one.undoable]:
            carry_out_filing(plan_unfiling(library=library_of(place)), library=library_of(place))
        assert contents(place / "old") == files


def test_kills_at_random_moments_leave_one_whole_set(memory: Path, tmp_path: Path) -> None:
    chance = random.Random(5)
    longest = min(_seconds(memory / f"whole{n}", tmp_path / f"whole{n}") for n in range(3))
    results = []
    for number in range(36):
        place, other = memory / str(number), tmp_path / str(number)
        _killed_after(chance.random() * longest, place, other)
        new = other / "new"
        check_whole(place / "old", new)
        results.append(check_settled(place, place / "old", new))
    assert len(results) == 36


def _seconds(place: Path, other: Path) -> float:
    """Return how long a move takes that is left alone."""
    begun = time.perf_counter()
    assert _killed_after(None, place, other) == 0
    return time.perf_counter() - begun


def _killed_after(seconds: float | None, place: Path, other: Path) -> int:
    """Move a set in a child, and kill it after so many seconds; return how it ended."""
    write_set(place / "old")
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = filed_run.file_set("move", place, other / "new")
        finally:
            os._exit(code)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
