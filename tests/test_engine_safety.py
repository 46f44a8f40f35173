"""What can go wrong: the destination is as it was, the inputs too, and nothing is left behind."""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from engine_chunks import small_chunks
from engine_plans import Slow, Whole, equal, plan, read_back, store, with_data
from kanna.disk import reading, system
from kanna.disk.writing import OutputFile
from kanna.dtypes import FP16
from kanna.engine import (
    Progress,
    RunOptions,
    job,
    rehearse,
    run,
    staging,
    stream,
)
from kanna.engine.verify import verify
from kanna.errors import (
    FormatError,
    Incompatible,
    Incomplete,
    Interrupted,
    KannaError,
    OutputExists,
    UsageError,
)
from kanna.model import ModelFile
from kanna.plan import Output, Plan

TENSORS = {"a": torch.linspace(-1, 1, 700), "b": torch.arange(900), "c": torch.ones(3, 5)}


@pytest.fixture
def model(tmp_path: Path) -> Iterator[ModelFile]:
    with store(tmp_path / "in", TENSORS) as opened:
        yield opened


@pytest.fixture
def wanted(model: ModelFile) -> Plan:
    return plan(
        model, [Output.of(model["a"], dtype=FP16), *map(Output.of, list(model.values())[1:])]
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# The destination


def test_an_existing_file_is_kept(tmp_path: Path, wanted: Plan) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputExists):
        run(wanted, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"
    assert names(tmp_path) == ["in", "out"]


def test_an_existing_file_is_replaced_on_request_and_keeps_its_mode(
    tmp_path: Path, wanted: Plan
) -> None:
    (tmp_path / "out").write_text("mine")
    (tmp_path / "out").chmod(0o640)
    run(wanted, tmp_path / "out", options=RunOptions(force=True))
    assert equal(read_back(tmp_path / "out")["b"], TENSORS["b"])
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o640


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_mode_that_the_umask_gives(
    tmp_path: Path, wanted: Plan, umask: int, mode: int
) -> None:
    old = os.umask(umask)
    try:
        run(wanted, tmp_path / "out")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == mode


@pytest.mark.parametrize("force", [False, True])
def test_an_input_is_never_the_output_under_any_of_its_names(
    tmp_path: Path, wanted: Plan, *, force: bool
) -> None:
    before = (tmp_path / "in").read_bytes()
    (tmp_path / "hard").hardlink_to(tmp_path / "in")
    (tmp_path / "soft").symlink_to(tmp_path / "in")
    (tmp_path / "folder").mkdir()
    for spelling in ("in", "hard", "soft", "folder/../in"):
        with pytest.raises(UsageError):
            run(wanted, tmp_path / spelling, options=RunOptions(force=force))
    assert (tmp_path / "in").read_bytes() == before
    assert names(tmp_path) == ["folder", "hard", "in", "soft"]


def test_links_devices_and_folders_are_no_destination(tmp_path: Path, wanted: Plan) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "elsewhere")
    for path in (tmp_path / "dangling", tmp_path, Path("/dev/null"), tmp_path / "no" / "out"):
        with pytest.raises(UsageError):
            run(wanted, path, options=RunOptions(force=True))
    with pytest.raises(UsageError, match="no folder"):
        run(wanted, tmp_path / "in" / "out")
    assert names(tmp_path) == ["dangling", "in"]


@pytest.mark.parametrize("name", ["鉋 🪵.safetensors", "x" * 255, "木" * 85, "a\nb", "-o"])
def test_any_name_the_file_system_takes_will_do(tmp_path: Path, wanted: Plan, name: str) -> None:
    run(wanted, tmp_path / name)
    assert names(tmp_path) == sorted(["in", name])


def test_a_name_that_is_too_long_is_told(tmp_path: Path, wanted: Plan) -> None:
    with pytest.raises(KannaError, match="could not be written"):
        run(wanted, tmp_path / ("x" * 256))
    assert names(tmp_path) == ["in"]


def test_a_destination_made_in_the_meantime_is_kept(tmp_path: Path, wanted: Plan) -> None:
    def somebody_else(_model: ModelFile) -> None:
        (tmp_path / "out").write_text("theirs")

    with pytest.raises(OutputExists):
        run(wanted, tmp_path / "out", prove=somebody_else)
    assert (tmp_path / "out").read_text() == "theirs"
    assert names(tmp_path) == ["in", "out"]


def test_two_runs_at_once_make_one_whole_file_each_or_one_of_them_gives_way(
    tmp_path: Path, model: ModelFile, wanted: Plan
) -> None:
    slow = plan(model, [Output.of(with_data(model["a"], Slow), dtype=FP16), *wanted.outputs[1:]])
    ends: list[object] = []

    def once() -> None:
        try:
            ends.append(run(slow, tmp_path / "out"))
        except OutputExists as error:
            ends.append(error)

    threads = [threading.Thread(target=once) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(end, OutputExists) for end in ends) == 2
    assert len(ends) == 3
    assert equal(read_back(tmp_path / "out")["b"], TENSORS["b"])
    assert names(tmp_path) == ["in", "out"]


def test_a_disk_without_room_is_told_before_anything_is_written(
    tmp_path: Path, wanted: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "free_bytes", lambda _folder: 1000)
    with pytest.raises(KannaError, match="1,000 are free"):
        run(wanted, tmp_path / "out")
    assert names(tmp_path) == ["in"]


# Rehearsal


def test_a_rehearsal_tells_of_memory_and_writes_nothing(tmp_path: Path, wanted: Plan) -> None:
    assert rehearse(wanted, tmp_path / "out") > 0
    assert names(tmp_path) == ["in"]


@pytest.mark.parametrize("spelling", ["old", "in", "link", "in/out", "no/out", ".", "x" * 256])
def test_a_rehearsal_refuses_what_the_run_would_refuse(
    tmp_path: Path, wanted: Plan, spelling: str
) -> None:
    (tmp_path / "old").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "old")
    with pytest.raises(KannaError) as of_rehearsal:
        rehearse(wanted, tmp_path / spelling)
    with pytest.raises(type(of_rehearsal.value)) as of_run:
        run(wanted, tmp_path / spelling)
    assert str(of_rehearsal.value) == str(of_run.value)
    assert names(tmp_path) == ["in", "link", "old"]


def test_a_rehearsal_refuses_a_plan_that_cannot_be_laid_out(
    tmp_path: Path, model: ModelFile
) -> None:
    twice = plan(model, [Output.of(model["a"]), Output.of(model["a"])])
    with pytest.raises(Incompatible, match="Two tensors"):
        rehearse(twice, tmp_path / "out")


def test_a_rehearsal_sees_that_there_is_no_room_and_no_permission(
    tmp_path: Path, wanted: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "free_bytes", lambda _folder: 1000)
    with pytest.raises(KannaError, match="1,000 are free"):
        rehearse(wanted, tmp_path / "new" / "out", folder_will_be_made=True)
    monkeypatch.setattr(os, "access", lambda _folder, _mode: False)
    with pytest.raises(KannaError, match="Permission denied"):
        rehearse(wanted, tmp_path / "out")


def test_a_rehearsal_forgives_a_folder_that_will_be_made(tmp_path: Path, wanted: Plan) -> None:
    with pytest.raises(UsageError, match="no folder"):
        rehearse(wanted, tmp_path / "new" / "er" / "out")
    rehearse(wanted, tmp_path / "new" / "er" / "out", folder_will_be_made=True)
    with pytest.raises(UsageError, match="in is no folder"):
        rehearse(wanted, tmp_path / "in" / "er" / "out", folder_will_be_made=True)
    assert names(tmp_path) == ["in"]


# The inputs


def test_an_input_cut_short_in_the_middle_ends_the_run(tmp_path: Path, wanted: Plan) -> None:
    os.truncate(tmp_path / "in", 5000)
    with pytest.raises(FormatError, match="in ends at byte 5000"):
        run(wanted, tmp_path / "out")
    assert names(tmp_path) == ["in"]


def test_an_input_that_changes_while_it_is_read_ends_the_run(tmp_path: Path, wanted: Plan) -> None:
    def meddle(_model: ModelFile) -> None:
        with (tmp_path / "in").open("ab") as file:
            file.write(b"more")

    with pytest.raises(FormatError, match="changed"):
        run(wanted, tmp_path / "out", prove=meddle)
    assert names(tmp_path) == ["in"]


def test_an_input_that_cannot_be_read_ends_the_run(
    tmp_path: Path, wanted: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(reading, "_read_at", broken)
    monkeypatch.setattr(system, "CAN_MOVE", False)
    with pytest.raises(Incomplete, match="Input/output error"):
        run(wanted, tmp_path / "out")
    assert names(tmp_path) == ["in"]


def test_memory_that_is_not_there_is_told(
    tmp_path: Path, wanted: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(stream, "fill", none_left)
    with pytest.raises(KannaError, match="memory"):
        run(wanted, tmp_path / "out")
    assert names(tmp_path) == ["in"]


# Stopping


def test_cancelling_leaves_nothing(tmp_path: Path, model: ModelFile) -> None:
    slow = plan(model, [Output.of(with_data(model["a"], Slow), dtype=FP16)])
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Interrupted):
        run(slow, tmp_path / "out", cancel=cancel)
    assert names(tmp_path) == ["in"]


@pytest.mark.parametrize("verify", ["header", "full"])
def test_control_c_leaves_nothing(tmp_path: Path, model: ModelFile, verify: Any) -> None:
    def press(_progress: Progress) -> None:
        raise KeyboardInterrupt

    outputs = [Output.of(with_data(model[name], Slow)) for name in ("a", "b", "c")]
    with small_chunks(2048), pytest.raises(Interrupted):
        run(plan(model, outputs), tmp_path / "out", progress=press,
            options=RunOptions(verify=verify))  # fmt: skip
    assert names(tmp_path) == ["in"]


def test_control_c_again_and_again_leaves_no_thread_at_work(
    tmp_path: Path, model: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(_progress: Progress) -> None:
        raise KeyboardInterrupt

    again = iter(range(6))
    stop, settle = stream.Stream._stop, stream.Stream._settle
    at_work: list[bool] = []

    def impatient(then: Callable[..., None]) -> Callable[..., None]:
        def called(*arguments: Any) -> None:
            main = threading.current_thread() is threading.main_thread()
            if main and next(again, None) is not None:
                raise KeyboardInterrupt
            then(*arguments)

        return called

    def settled(self: stream.Stream) -> None:
        settle(self)
        at_work.extend(state == stream._RUNNING for state in self._states)

    monkeypatch.setattr(stream.Stream, "_stop", impatient(stop))
    monkeypatch.setattr(stream.Stream, "_settle", settled)
    monkeypatch.setattr("kanna.engine.stream.sleep", impatient(time.sleep))
    outputs = [Output.of(with_data(model[name], Slow)) for name in ("a", "b", "c")]
    with small_chunks(2048), pytest.raises(Interrupted):
        run(plan(model, outputs), tmp_path / "out", progress=press)
    assert next(again, None) is None
    assert at_work
    assert not any(at_work)
    assert names(tmp_path) == ["in"]


def test_a_worker_waiting_for_memory_can_be_stopped(tmp_path: Path, model: ModelFile) -> None:
    def press(_progress: Progress) -> None:
        raise KeyboardInterrupt

    first = Output.of(with_data(model["a"], Slow))
    large = [Output.of(with_data(model[name], Whole)) for name in ("b", "c")]
    with small_chunks(128), pytest.raises(Interrupted):
        run(plan(model, [first, *large]), tmp_path / "out", progress=press,
            options=RunOptions(verify="full", threads=4))  # fmt: skip
    assert names(tmp_path) == ["in"]


# Verification


def damage(offset: int) -> Callable[[OutputFile], None]:
    def sync(file: OutputFile) -> None:
        file.write(memoryview(b"\xff"), offset)

    return sync


def test_a_header_that_does_not_read_back_is_never_published(
    tmp_path: Path, wanted: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OutputFile, "sync", damage(12))
    with pytest.raises(KannaError):
        run(wanted, tmp_path / "out")
    assert names(tmp_path) == ["in"]


@pytest.mark.parametrize("field", [b"drawn", b"by hand", b"hash", b"0x"])
def test_metadata_that_does_not_read_back_is_never_published(
    tmp_path: Path, wanted: Plan, monkeypatch: pytest.MonkeyPatch, field: bytes
) -> None:
    def sync(file: OutputFile) -> None:
        file.write(memoryview(b"?"), file.path.read_bytes().index(field))

    marked = replace(wanted, metadata={"drawn": "by hand"}, digest_fields={"hash": "0x"})
    monkeypatch.setattr(OutputFile, "sync", sync)
    with pytest.raises(KannaError, match="differently from the plan"):
        run(marked, tmp_path / "out")
    assert names(tmp_path) == ["in"]


@pytest.mark.parametrize("container", ["safetensors", "ckpt"])
def test_a_digest_in_the_metadata_that_is_not_that_of_the_data_is_never_published(
    tmp_path: Path, wanted: Plan, monkeypatch: pytest.MonkeyPatch, container: Any
) -> None:
    monkeypatch.setattr(job, "verify", lambda *a, **k: verify(*a, **{**k, "digest": "0" * 64}))
    marked = replace(wanted, container=container, digest_fields={"hash": "0x"})
    with pytest.raises(KannaError, match="differently from the plan"):
        run(marked, tmp_path / "out")
    assert names(tmp_path) == ["in"]


def test_data_that_does_not_read_back_is_never_published(
    tmp_path: Path, wanted: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OutputFile, "sync", damage(1000))
    with pytest.raises(KannaError, match="does not read back"):
        run(wanted, tmp_path / "out", options=RunOptions(verify="full"))
    assert names(tmp_path) == ["in"]


def test_a_proof_that_fails_keeps_the_output_back(tmp_path: Path, wanted: Plan) -> None:
    seen: list[list[str]] = []

    def prove(written: ModelFile) -> None:
        seen.append(list(written))
        raise FormatError("engine.input_changed", path="proof")

    with pytest.raises(FormatError, match="proof"):
        run(wanted, tmp_path / "out", prove=prove)
    assert seen == [["a", "b", "c"]]
    assert names(tmp_path) == ["in"]


# Faults of the system, one call after the other

FAULTS = ("open", "posix_fallocate", "truncate", "pwrite", "write", "copy_file_range", "fsync",
          "link", "replace", "unlink")  # fmt: skip


@contextmanager
def failing(call: str, turn: int, error: int) -> Iterator[list[int]]:
    """Let the `turn`-th use of ``os.call`` by the writing side fail."""
    calls: list[int] = []
    original = getattr(os, call)

    def shim(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == turn:
            raise OSError(error, os.strerror(error))
        return original(*arguments, **options)

    setattr(os, call, shim)
    try:
        yield calls
    finally:
        setattr(os, call, original)


@pytest.mark.parametrize("call", FAULTS)
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("force", [False, True])
def test_whichever_call_fails_the_destination_is_old_or_new(
    tmp_path: Path, wanted: Plan, *, call: str, error: int, force: bool
) -> None:
    before = (tmp_path / "in").read_bytes()
    run(wanted, tmp_path / "good")
    good = (tmp_path / "good").read_bytes()
    options = RunOptions(force=force, verify="full", threads=2)
    for turn in range(1, 100):
        (tmp_path / "out").unlink(missing_ok=True)
        if force:
            (tmp_path / "out").write_text("old")
        with small_chunks(1024), failing(call, turn, error) as calls:
            try:
                run(wanted, tmp_path / "out", options=options)
            except KannaError:
                assert names(tmp_path) == (["good", "in", "out"] if force else ["good", "in"])
                assert not force or (tmp_path / "out").read_text() == "old"
            else:
                assert (tmp_path / "out").read_bytes() == good
                assert names(tmp_path) == ["good", "in", "out"]
        assert (tmp_path / "in").read_bytes() == before
        if len(calls) < turn:
            return
    pytest.fail("the run never came to an end without the fault")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errno.ENOSPC, "is full"), (errno.EDQUOT, "quota"), (errno.EFBIG, "larger"),
        (errno.EROFS, "Read-only"), (errno.EIO, "Input/output error"),
    ],
)  # fmt: skip
def test_the_message_says_what_the_system_said(
    tmp_path: Path, wanted: Plan, monkeypatch: pytest.MonkeyPatch, error: int, words: str
) -> None:
    def broken(*_arguments: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(OutputFile, "write", broken)
    with pytest.raises(KannaError, match=words):
        run(wanted, tmp_path / "out")
    assert names(tmp_path) == ["in"]


def test_a_full_device_is_told(
    tmp_path: Path, wanted: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reserve(file: OutputFile, _size: int) -> None:
        full = os.open("/dev/full", os.O_RDWR)
        os.dup2(full, file.fd)
        os.close(full)

    monkeypatch.setattr(OutputFile, "reserve", reserve)
    with pytest.raises(KannaError, match="is full"):
        run(wanted, tmp_path / "out")
    assert names(tmp_path) == ["in"]


# Leftovers


def test_leftovers_of_killed_runs_for_this_destination_go(tmp_path: Path, wanted: Plan) -> None:
    (tmp_path / ".out.kanna-0123456789ab.part").write_text("dead")
    others = (
        ".other.kanna-0123456789ab.part", ".out.kanna-note", ".out.kanna-notes.part",
        ".out.kanna-0123456789AB.part", ".out.kanna-0123456789ab.part~",
    )  # fmt: skip
    for name in others:
        (tmp_path / name).write_text("somebody's")
    run(wanted, tmp_path / "out")
    assert names(tmp_path) == sorted([*others, "in", "out"])


def test_the_file_of_a_run_that_still_works_stays(tmp_path: Path, wanted: Plan) -> None:
    alive = OutputFile(tmp_path / ".out.kanna-0123456789ab.part")
    run(wanted, tmp_path / "out")
    assert alive.path.exists()
    alive.close()
    run(wanted, tmp_path / "out", options=RunOptions(force=True))
    assert not alive.path.exists()
