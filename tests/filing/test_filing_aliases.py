"""One file under two paths: what stands at its new place already may be the very source."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import filed_run
from filing_sets import STEM, contents, leftovers, six_companions, write_set
from kanna.api import carry_out_filing, plan_filing, settle_filings
from kanna.disk.moving import is_one_folder
from kanna.engine.staging import Staging
from kanna.filing import carrying
from striking import striking

CAPITALS = STEM.upper()


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "lib" / "library.sqlite3"
    monkeypatch.setenv("KANNA_LIBRARY", str(path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_set(tmp_path / "old")


def test_a_folder_that_is_mounted_twice_is_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, again = (tmp_path / name for name in ("one", "other", "again"))
    one.mkdir()
    other.mkdir()
    again.symlink_to(one)
    assert is_one_folder(one, again)
    monkeypatch.setattr(Path, "samefile", lambda *_: False)  # as two mounts of a network drive say
    assert is_one_folder(one, again)
    assert not is_one_folder(one, other)
    assert list(one.iterdir()) == list(other.iterdir()) == []


def test_a_move_to_the_same_folder_by_another_way_is_refused(model: Path, tmp_path: Path) -> None:
    (tmp_path / "again").symlink_to(model.parent)
    with patch.object(Path, "resolve", lambda path, **_: path):  # a mount is no link
        ((_, error),) = plan_filing("move", [model], to=tmp_path / "again").refused
    assert error.key == "filing.same_place"


def test_a_source_that_only_seems_to_be_there_twice_is_not_removed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path / "new")
    plan = plan_filing("move", [model], to=tmp_path / "new")
    assert all(step.there for step in plan.sets[0].steps)
    monkeypatch.setattr(carrying, "is_one_folder", lambda *_: True)
    (outcome,) = carry_out_filing(plan).outcomes
    assert outcome.error is not None
    assert outcome.error.key == "filing.same_place"
    assert contents(model.parent) == six_companions()


def test_what_a_faster_kanna_put_there_stays(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two move the same model to the same place; the slower one finds its copy there already."""
    filed_run_far = {name: filed_run.far(getattr(os, name)) for name in ("link", "rename")}
    for name, call in filed_run_far.items():
        monkeypatch.setattr(os, name, call)
    new = tmp_path / "new"
    plan = plan_filing("move", [model], to=new)
    publish = Staging.publish

    def late(staging: Any) -> None:
        for path in model.parent.iterdir():
            if not (new / path.name).exists():
                shutil.copy2(path, new)
        publish(staging)

    monkeypatch.setattr(Staging, "publish", late)
    (outcome,) = carry_out_filing(plan).outcomes
    assert outcome.error is not None
    assert outcome.error.key == "filing.exists"
    assert contents(model.parent) == contents(new) == six_companions()


def spelled(path: Any) -> Any:
    """Return a path as a disk that ignores capitals finds it."""
    place = Path(os.fsdecode(path))
    try:
        names = LISTED(place.parent)
    except OSError:
        return path
    return next((place.parent / n for n in names if n.casefold() == place.name.casefold()), path)


LISTED = os.listdir


def ignoring(call: Callable[..., Any]) -> Callable[..., Any]:
    def folded(path: Any, *more: Any, **options: Any) -> Any:
        return call(path if isinstance(path, int) else spelled(path), *more, **options)

    return folded


def ignoring_both(call: Callable[..., Any]) -> Callable[..., Any]:
    def folded(source: Any, place: Any, **options: Any) -> Any:
        source, found = spelled(source), spelled(place)
        return call(source, place if found == source != place else found, **options)

    return folded


def ignore_capitals() -> None:
    """Let every disk ignore capitals in the names of files, and keep them."""
    for name in ("stat", "lstat", "open", "unlink", "utime"):
        patch.object(os, name, ignoring(getattr(os, name))).start()
    link = ignoring_both(os.link)

    def linked(source: Any, place: Any, **options: Any) -> None:
        if os.path.lexists(place):
            raise FileExistsError(17, "File exists")
        link(source, place, **options)

    patch.object(os, "link", linked).start()
    for name in ("rename", "replace"):
        patch.object(os, name, ignoring_both(getattr(os, name))).start()


def rename_in_child(model: Path, step: int) -> int:
    child = os.fork()
    if child == 0:
        code = 99
        try:
            ignore_capitals()
            filed_run.strike(striking(step, signal.SIGKILL))
            plan = plan_filing("rename", [model], stem=CAPITALS)
            (outcome,) = carry_out_filing(plan).outcomes
            code = outcome.error.exit_code if outcome.error else len(plan.refused)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def settle_in_child() -> int:
    child = os.fork()
    if child == 0:
        code = 99
        try:
            ignore_capitals()
            settle_filings()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the disk is another one in a fork")
def test_other_capitals_are_a_new_name_and_never_lose_the_file(tmp_path: Path) -> None:
    """On disks of Windows and macOS the old name still leads to what was renamed."""
    code, ends = -1, 0
    while code:
        step = 1 + 5 * ends
        model = write_set(tmp_path / str(step))
        code = rename_in_child(model, step)
        assert code in {0, -signal.SIGKILL}
        assert settle_in_child() == 0
        here = contents(model.parent)
        assert len(here) == len(six_companions()), (step, list(here))
        assert {name.casefold() for name in here} == {name.casefold() for name in six_companions()}
        assert len({name.startswith(CAPITALS) for name in here}) == 1
        assert leftovers(model.parent) == []
        assert code or f"{CAPITALS}.safetensors" in here
        ends += 1
    assert ends > 3
