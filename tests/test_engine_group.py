"""Several files as one piece of work: all of them appear, or everything is as it was."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from engine_plans import equal, plan, read_back, store
from kanna.disk.writing import OutputFile
from kanna.dtypes import FP16
from kanna.engine import RunOptions, group, rehearse_group, run_group
from kanna.errors import Interrupted, KannaError, NumericError, OutputExists, UsageError
from kanna.model import ModelFile
from kanna.plan import Output, Plan

TENSORS = {"a": torch.linspace(-1, 1, 700), "huge": torch.full((9,), 1e30)}


@pytest.fixture
def model(tmp_path: Path) -> Iterator[ModelFile]:
    with store(tmp_path / "in", TENSORS) as opened:
        yield opened


@pytest.fixture
def sound(model: ModelFile) -> Plan:
    return plan(model, [Output.of(model["a"], dtype=FP16)])


@pytest.fixture
def broken(model: ModelFile) -> Plan:
    """A plan that fails when all of it is computed: a number is too large for fp16."""
    return plan(model, [Output.of(model["huge"], dtype=FP16)])


def everything(folder: Path) -> dict[str, bytes | None]:
    """All files and folders below `folder`, with what is in them."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def files(folder: Path, **made: Plan | bytes) -> dict[Path, Plan | bytes]:
    return {folder / name.replace("__", "/"): file for name, file in made.items()}


def test_all_files_appear_with_their_folders(tmp_path: Path, sound: Plan) -> None:
    out = tmp_path / "new"
    wanted = files(out, unet__weights=sound, unet__config=b"{}", index=b"[1]")
    results = run_group(wanted)
    assert {str(path.relative_to(out)) for path in out.rglob("*")} == {
        "unet", "unet/weights", "unet/config", "index",
    }  # fmt: skip
    assert (out / "index").read_bytes() == b"[1]"
    assert equal(read_back(out / "unet" / "weights")["a"], TENSORS["a"].half())
    assert list(results) == [out / "unet" / "weights"]
    assert results[out / "unet" / "weights"].size == (out / "unet" / "weights").stat().st_size


@pytest.mark.parametrize("verify", ["header", "full"])
def test_nothing_appears_where_the_last_plan_fails(
    tmp_path: Path, sound: Plan, broken: Plan, verify: Any
) -> None:
    before = everything(tmp_path)
    wanted = files(tmp_path / "new", x__a=sound, b=b"text", c=broken)
    with pytest.raises(NumericError):
        run_group(wanted, options=RunOptions(verify=verify))
    assert everything(tmp_path) == before


def test_the_file_that_does_not_fit_is_named(
    tmp_path: Path, sound: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reserve(_: OutputFile, size: int) -> None:
        if size > 100:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))

    monkeypatch.setattr(OutputFile, "reserve", reserve)
    with pytest.raises(KannaError) as caught:
        run_group(files(tmp_path / "new", a__config=b"{}", unet=sound))
    assert "unet" in caught.value.message
    assert not (tmp_path / "new").exists()


def test_what_was_there_is_put_back_where_a_later_file_cannot_have_its_name(
    tmp_path: Path, sound: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"old")
    before = everything(tmp_path)
    publish = OutputFile.publish

    def refuse(self: OutputFile, destination: Path, *, replace: bool) -> None:
        if destination.name == "c":
            raise PermissionError(13, "in use")
        publish(self, destination, replace=replace)

    monkeypatch.setattr(OutputFile, "publish", refuse)
    with pytest.raises(KannaError) as caught:
        run_group(files(tmp_path, a=sound, b=b"new", c=sound), options=RunOptions(force=True))
    assert caught.value.key == "engine.not_allowed"
    assert everything(tmp_path) == before


def test_without_force_what_appears_meanwhile_is_not_touched(
    tmp_path: Path, sound: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "check_inputs", lambda _: (tmp_path / "b").write_bytes(b"theirs"))
    before = everything(tmp_path)
    with pytest.raises(OutputExists):
        run_group(files(tmp_path, a=sound, b=sound))
    assert everything(tmp_path) == {**before, "b": b"theirs"}


def test_force_replaces_all_and_leaves_no_copies(tmp_path: Path, sound: Plan) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(b"old")
    wanted = files(tmp_path, a=sound, b=b"new")
    with pytest.raises(OutputExists):
        run_group(wanted)
    run_group(wanted, options=RunOptions(force=True))
    assert sorted(everything(tmp_path)) == ["a", "b", "in"]
    assert (tmp_path / "b").read_bytes() == b"new"


@pytest.mark.parametrize("links", [True, False])
def test_copies_of_killed_runs_are_cleaned(
    tmp_path: Path, sound: Plan, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / ".a.kanna-old-0123456789ab").write_bytes(b"older")
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    run_group(files(tmp_path, a=sound), options=RunOptions(force=True))
    assert sorted(everything(tmp_path)) == ["a", "in"]


def _no_links(*_: object, **__: object) -> None:
    raise PermissionError(1, "no hard links")


def test_one_file_cannot_be_made_twice(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        rehearse_group({tmp_path / "Model.vae": b"", tmp_path / "model.VAE": b""})
    assert caught.value.key == "engine.twice"


def test_an_input_is_never_an_output(tmp_path: Path, sound: Plan) -> None:
    with pytest.raises(UsageError) as caught:
        run_group(files(tmp_path, a=b"", **{"in": sound}), options=RunOptions(force=True))
    assert caught.value.key == "engine.is_input"


def test_room_is_asked_for_all_together(
    tmp_path: Path, sound: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = rehearse_size(sound)
    monkeypatch.setattr("kanna.engine.staging.free_bytes", lambda _: 2 * size - 1)
    monkeypatch.setattr(group, "free_bytes", lambda _: 2 * size - 1)
    rehearse_group(files(tmp_path / "new", a=sound))
    with pytest.raises(KannaError) as caught:
        run_group(files(tmp_path / "new", a=sound, b=sound))
    assert caught.value.key == "engine.no_room"
    assert not (tmp_path / "new").exists()


def rehearse_size(wanted: Plan) -> int:
    return group.checked({Path("x"): wanted}, RunOptions()).size(Path("x"))


def test_a_rehearsal_writes_nothing(tmp_path: Path, sound: Plan) -> None:
    before = everything(tmp_path)
    assert rehearse_group(files(tmp_path / "new", x__a=sound, b=b"text")) > 0
    assert everything(tmp_path) == before


def test_ctrl_c_while_names_are_given_takes_them_back(
    tmp_path: Path, sound: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(tmp_path)
    publish = OutputFile.publish

    def interrupt(self: OutputFile, destination: Path, *, replace: bool) -> None:
        publish(self, destination, replace=replace)
        if destination.name == "b":
            raise KeyboardInterrupt

    monkeypatch.setattr(OutputFile, "publish", interrupt)
    with pytest.raises(Interrupted):
        run_group(files(tmp_path, a=sound, b=sound, c=sound))
    assert everything(tmp_path) == before


KILLED = """
import os, signal, sys
from pathlib import Path
from kanna.disk.writing import OutputFile
from kanna.engine import run_group
sync, count = OutputFile.sync, 0
def strike(self):
    global count
    count += 1
    if count == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    sync(self)
OutputFile.sync = strike
run_group({Path(sys.argv[1]) / name: b"text" for name in "abc"})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signal")
def test_a_killed_run_publishes_nothing_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert killed.returncode == -9
    left = everything(tmp_path)
    assert not {"a", "b", "c"} & left.keys()
    assert left
    run_group({tmp_path / name: b"text" for name in "abc"})
    assert everything(tmp_path) == dict.fromkeys("abc", b"text")


def test_the_proof_sees_every_plan_before_anything_is_published(
    tmp_path: Path, sound: Plan
) -> None:
    seen = []

    def prove(path: Path, written: ModelFile) -> None:
        assert not any((tmp_path / name).exists() for name in "ab")
        seen.append((path.name, list(written)))

    run_group(files(tmp_path, a=sound, b=sound), prove=prove)
    assert seen == [("a", ["a"]), ("b", ["a"])]
