"""Models moved, copied, renamed and removed: what comes of it, and what is refused."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import filed_run
from containers import small, write_tree
from filing_sets import MODEL, STEM, contents, holds, leftovers, six_companions, write_set
from kanna.api import (
    Executed,
    FilingPlan,
    carry_out_filing,
    past_filings,
    plan_filing,
    plan_unfiling,
    settle_filings,
)
from kanna.disk import Fingerprint
from kanna.disk.writing import OutputFile
from kanna.errors import KannaError
from kanna.filing import carrying, checking, ending
from kanna.hashing.cache import HashCache
from kanna.hashing.place import cache_path


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "library" / "library.sqlite3"
    monkeypatch.setenv("KANNA_LIBRARY", str(path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_set(tmp_path / "old")


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every two folders are on different disks."""
    for name in ("link", "rename", "replace"):
        monkeypatch.setattr(os, name, filed_run.far(getattr(os, name)))


def do(verb: str, *paths: Path, **options: Any) -> Executed:
    made = carry_out_filing(plan_filing(verb, paths, **options))  # type: ignore[arg-type]
    for one in made.outcomes:
        if one.error is not None:
            raise one.error
    return made


def refusal(plan: Callable[[], FilingPlan]) -> tuple[str, int]:
    """Return the key and the exit code of what a plan refuses, or of what it raises."""
    try:
        (_, error), *_ = plan().refused
    except KannaError as raised:
        error = raised
    assert error.message
    assert error.hint
    return error.key, error.exit_code


def test_a_move_takes_everything_along_and_can_be_taken_back(model: Path, tmp_path: Path) -> None:
    (model.parent / "stranger.txt").write_text("stays")
    inode = model.stat().st_ino
    do("move", model, to=tmp_path / "new" / "inner")
    assert contents(tmp_path / "new" / "inner") == six_companions()
    assert (tmp_path / "new" / "inner" / MODEL).stat().st_ino == inode
    assert contents(model.parent) == {"stranger.txt": b"stays"}
    carry_out_filing(plan_unfiling())
    assert holds(model.parent, six_companions())
    assert not (tmp_path / "new").exists()
    assert [one.state for one in past_filings()] == ["done", "undone"]


@pytest.mark.usefixtures("apart")
def test_a_move_to_another_disk_keeps_times_permissions_and_hashes(
    model: Path, tmp_path: Path
) -> None:
    os.utime(model, ns=(10**18, 10**18 + 7))
    model.chmod(0o640)
    do("move", model, to=tmp_path / "new")
    there = tmp_path / "new" / MODEL
    assert contents(there.parent) == six_companions()
    assert contents(model.parent) == {}
    status = there.stat()
    assert (status.st_mtime_ns, stat.S_IMODE(status.st_mode)) == (10**18 + 7, 0o640)
    with HashCache(cache_path()) as cache:
        known = cache.find(Fingerprint.of(status))
    assert known is not None
    assert known.digests.complete
    assert known.digests.sha256 == hashlib.sha256(six_companions()[MODEL]).hexdigest()


def test_a_copy_leaves_everything_where_it_is(model: Path, tmp_path: Path) -> None:
    do("copy", model, to=tmp_path / "new")
    assert contents(tmp_path / "new") == contents(model.parent) == six_companions()
    assert not (tmp_path / "new" / MODEL).samefile(model)
    assert refusal(lambda: plan_unfiling(1)) == ("filing.cannot_undo", 2)


def test_a_new_name_is_known_inside_of_companions(model: Path) -> None:
    do("rename", model, stem="anime v2")
    folder = model.parent
    names = {name.replace(STEM, "anime v2") for name in six_companions()}
    assert set(contents(folder)) == names
    assert (
        (folder / "anime v2.safetensors.sha256").read_bytes().endswith(b"  anime v2.safetensors\n")
    )
    assert (folder / "anime v2.civitai.info").read_bytes() == six_companions()[
        f"{STEM}.civitai.info"
    ]
    carry_out_filing(plan_unfiling())
    assert contents(folder) == six_companions()


@pytest.mark.parametrize("suffix", [".safetensors", ".SAFETENSORS"])
def test_a_new_name_may_be_written_with_its_suffix(suffix: str, model: Path) -> None:
    do("rename", model, stem="anime v1.5" + suffix)
    assert set(contents(model.parent)) == {
        name.replace(STEM, "anime v1.5") for name in six_companions()
    }


def test_other_suffixes_are_part_of_a_new_name(model: Path) -> None:
    do("rename", model, stem="anime.ckpt")
    assert (model.parent / "anime.ckpt.safetensors").exists()
    same = refusal(lambda: plan_filing("rename", [model.parent / "anime.ckpt.safetensors"],
                                       stem="anime.ckpt.safetensors"))  # fmt: skip
    assert same == ("filing.same_name", 2)


def test_a_folder_that_must_not_be_written_to_is_named(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new").mkdir()
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != tmp_path / "new")
    for verb in ("move", "copy"):
        ((_, error),) = plan_filing(verb, [model], to=tmp_path / "new").refused
        assert error.key == "engine.not_allowed"
        assert str(tmp_path / "new" / MODEL) in error.message


def test_renamed_shards_are_found_by_their_index(tmp_path: Path) -> None:
    shards = [f"x-0000{n}-of-00002.safetensors" for n in (1, 2)]
    index = json.dumps({"weight_map": {"a": shards[0], "b": shards[1]}, "x": "x-00001"})
    folder = write_tree(tmp_path / "m", {
        shards[0]: small("a"), shards[1]: small("b"), "x.safetensors.index.json": index.encode(),
    })  # fmt: skip
    do("rename", folder / "x.safetensors.index.json", stem="日本")
    said = json.loads((folder / "日本.safetensors.index.json").read_text())
    assert set(said["weight_map"].values()) <= set(contents(folder))
    assert said["x"] == "x-00001"
    carry_out_filing(plan_unfiling())
    assert (folder / "x.safetensors.index.json").read_text() == index


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    folder = write_tree(tmp_path / "old" / "pipe", {
        "model_index.json": b"{}", "unet/diffusion_pytorch_model.safetensors": small("w"),
        "unet/config.json": b"{}",
    })  # fmt: skip
    (folder / "empty").mkdir()
    (folder / "again").symlink_to("unet/config.json")
    (tmp_path / "old" / "pipe.png").write_bytes(b"p")
    return folder


@pytest.mark.parametrize("disks", ["one", "two"])
def test_a_folder_goes_as_a_whole(
    disks: str, pipeline: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if disks == "two":
        request.getfixturevalue("apart")
    before = tree(pipeline)
    do("move", pipeline, to=tmp_path / "new")
    assert tree(tmp_path / "new" / "pipe") == before
    assert (tmp_path / "new" / "pipe.png").exists()
    assert list(pipeline.parent.iterdir()) == []
    carry_out_filing(plan_unfiling())
    assert tree(pipeline) == before
    assert leftovers(tmp_path) == []


def tree(folder: Path) -> dict[str, object]:
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink()
        else path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }  # fmt: skip


def test_a_copied_folder_stands_for_itself_where_links_led_out_of_it(
    pipeline: Path, tmp_path: Path
) -> None:
    (tmp_path / "blob").write_bytes(b"blob")
    (pipeline / "far").symlink_to("../../blob")
    refused = refusal(lambda: plan_filing("move", [pipeline], to=tmp_path / "new"))
    assert refused == ("filing.leads_out", 13)
    do("copy", pipeline, to=tmp_path / "new")
    assert (tmp_path / "new" / "pipe" / "far").read_bytes() == b"blob"


def test_a_link_moves_and_leads_where_it_led_and_its_copy_is_a_file(tmp_path: Path) -> None:
    real = write_tree(tmp_path, {"store/real.safetensors": small("w")}) / "store/real.safetensors"
    (tmp_path / "old").mkdir()
    link = tmp_path / "old" / "m.safetensors"
    link.symlink_to("../store/real.safetensors")
    do("copy", link, to=tmp_path / "copy")
    assert not (tmp_path / "copy" / "m.safetensors").is_symlink()
    do("move", link, to=tmp_path / "deep" / "er")
    moved = tmp_path / "deep" / "er" / "m.safetensors"
    assert moved.is_symlink()
    assert moved.resolve() == real
    assert not link.is_symlink()
    carry_out_filing(plan_unfiling())
    assert link.resolve() == real


def test_what_is_there_already_is_not_copied_and_the_source_goes(
    model: Path, tmp_path: Path
) -> None:
    write_set(tmp_path / "new")
    plan = plan_filing("move", [model], to=tmp_path / "new")
    assert all(step.there is not None for step in plan.sets[0].steps)
    assert contents(model.parent) == six_companions()
    carry_out_filing(plan)
    assert contents(model.parent) == {}
    carry_out_filing(plan_unfiling())
    assert contents(model.parent) == contents(tmp_path / "new") == six_companions()


def test_what_is_there_and_differs_is_never_replaced(model: Path, tmp_path: Path) -> None:
    there = tmp_path / "new" / f"{STEM}.txt"
    there.parent.mkdir()
    there.write_bytes(b"x" * len(six_companions()[there.name]))
    paths, to = [model], tmp_path / "new"
    assert refusal(lambda: plan_filing("move", paths, to=to)) == ("filing.exists", 15)
    skipped = plan_filing("move", paths, to=to, on_conflict="skip")
    assert skipped.todo == ()
    assert skipped.sets[0].skipped is not None
    do("move", model, to=to, on_conflict="rename")
    assert there.read_bytes().startswith(b"x")
    assert (to / f"{STEM}-2.safetensors").read_bytes() == six_companions()[MODEL]
    assert (to / f"{STEM}-2.txt").exists()
    assert f"{STEM}-2.safetensors".encode() in (to / f"{STEM}-2.safetensors.sha256").read_bytes()


def test_two_models_of_one_name_do_not_meet_in_one_folder(model: Path, tmp_path: Path) -> None:
    other = write_set(tmp_path / "other")
    plan = plan_filing("move", [model, other], to=tmp_path / "new")
    assert [error.key for _, error in plan.refused] == ["filing.twice"]
    with pytest.raises(KannaError):
        carry_out_filing(plan)
    assert contents(model.parent) == contents(other.parent) == six_companions()


def test_what_makes_no_sense_is_refused(model: Path, pipeline: Path, tmp_path: Path) -> None:
    def moved(path: Path, to: Path) -> tuple[str, int]:
        return refusal(lambda: plan_filing("move", [path], to=to))

    os.mkfifo(tmp_path / "pipe.ckpt")
    link = tmp_path / "round"
    link.symlink_to(model.parent)
    assert moved(model, model.parent) == ("filing.same_place", 2)
    assert moved(model, link) == ("filing.same_place", 2)
    assert moved(pipeline, pipeline / "unet") == ("filing.into_itself", 2)
    assert moved(tmp_path / "no.ckpt", tmp_path / "new") == ("disk.missing", 3)
    assert moved(tmp_path / "pipe.ckpt", tmp_path / "new") == ("disk.not_a_file", 10)
    assert moved(tmp_path / "old", tmp_path / "new") == ("filing.no_model_folder", 2)
    assert moved(model, model) == ("engine.no_folder", 2)
    assert refusal(lambda: plan_filing("move", [model], to="backup")) == ("filing.no_roles", 2)
    assert refusal(lambda: plan_filing("move", ["hf://a/b"], to="x"))[0] == "filing.remote"


@pytest.mark.parametrize(
    "stem", ["a/b", "a\\b", "", ".", "con", "x?", "x.", "x ", "x\ud800", "x\n"]
)
def test_names_that_some_system_does_not_allow_are_refused(stem: str, model: Path) -> None:
    assert refusal(lambda: plan_filing("rename", [model], stem=stem)) == ("filing.bad_stem", 2)


def test_a_name_that_is_too_long_or_the_same_is_refused(model: Path) -> None:
    rename = "rename"
    long = refusal(lambda: plan_filing(rename, [model], stem="x" * 250))  # type: ignore[arg-type]
    assert long == ("filing.long_name", 13)
    assert refusal(lambda: plan_filing("rename", [model], stem=STEM)) == ("filing.same_name", 2)


def test_a_file_that_changed_since_it_was_planned_is_left_alone(
    model: Path, tmp_path: Path
) -> None:
    plan = plan_filing("move", [model], to=tmp_path / "new")
    model.write_bytes(b"other")
    (outcome,) = carry_out_filing(plan).outcomes
    assert outcome.error is not None
    assert outcome.error.key == "filing.changed"
    assert not (tmp_path / "new").exists()
    assert holds(model.parent, six_companions() | {MODEL: b"other"})


def test_a_deletion_is_for_good_and_spares_what_is_protected(model: Path) -> None:
    model.chmod(0o444)
    assert refusal(lambda: plan_filing("delete", [model])) == ("filing.protected", 2)
    model.chmod(0o644)
    do("delete", model)
    assert contents(model.parent) == {}
    assert refusal(plan_unfiling) == ("filing.nothing_to_undo", 2)


def test_no_room_is_told_before_anything_is_begun(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "free_bytes", lambda _: 100)
    assert refusal(lambda: plan_filing("copy", [model], to=tmp_path / "new"))[0] == "engine.no_room"


@pytest.mark.usefixtures("apart")
def test_a_byte_that_the_disk_changed_is_noticed_and_the_source_stays(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = OutputFile.write

    def flipped(self: OutputFile, data: memoryview, offset: int) -> None:
        write(self, memoryview(bytes([data[0] ^ 1]) + bytes(data[1:])), offset)

    monkeypatch.setattr(OutputFile, "write", flipped)
    (outcome,) = carry_out_filing(plan_filing("move", [model], to=tmp_path / "new")).outcomes
    assert outcome.error is not None
    assert outcome.error.key == "engine.not_as_written"
    assert contents(model.parent) == six_companions()
    assert not (tmp_path / "new").exists()


def test_a_destination_that_vanishes_before_the_source_goes_keeps_the_source(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = ending.finish

    def late(*arguments: Any) -> Any:
        (tmp_path / "new" / MODEL).unlink()
        return finish(*arguments)

    monkeypatch.setattr(carrying, "finish", late)
    made = do("move", model, to=tmp_path / "new")
    assert [note.key for note in made.outcomes[0].notes] == ["filing.not_there"]
    assert contents(model.parent) == six_companions()


class Failing:
    """Lets one call of the system fail; `reached` says whether it came to it."""

    def __init__(self, step: int, number: int) -> None:
        self.left, self.number = step, number

    @property
    def reached(self) -> bool:
        return self.left <= 0

    def __call__(self, call: Any) -> Any:
        def once(*arguments: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise OSError(self.number, os.strerror(self.number))
            return call(*arguments, **options)

        return once


@pytest.mark.parametrize(
    ("number", "first"), [(errno.ENOSPC, 1), (errno.EACCES, 2), (errno.EIO, 3)]
)
def test_whatever_call_fails_one_set_is_whole(number: int, first: int, tmp_path: Path) -> None:
    results = set()
    for step in itertools.count(first, 3):
        place = tmp_path / str(step)
        model, new, library = write_set(place / "old"), place / "new", place / "l" / "l.sqlite3"
        plan = plan_filing("move", [model], to=new, library=library)
        wrap = Failing(step, number)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", lambda _: None)  # which takes the time
            for name in ("link", "rename", "replace"):
                patch.setattr(os, name, filed_run.far(getattr(os, name)))
            for name in filed_run.CALLS:
                patch.setattr(os, name, wrap(getattr(os, name)))
            results.add(outcome_of(plan, library))
        files = six_companions()
        assert holds(model.parent, files) or holds(new, files)
        settle_filings(library=library)
        assert leftovers(place) == []
        assert [contents(model.parent) == files, contents(new) == files].count(True) >= 1
        if not wrap.reached:
            break
    assert results == {"done", "failed"}


def outcome_of(plan: FilingPlan, library: Path) -> str:
    try:
        (outcome,) = carry_out_filing(plan, library=library).outcomes
    except KannaError:
        return "failed"
    return "done" if outcome.error is None else "failed"


def test_what_was_changed_since_is_not_taken_back(model: Path, tmp_path: Path) -> None:
    do("move", model, to=tmp_path / "new")
    (tmp_path / "new" / MODEL).write_bytes(b"edited")
    assert refusal(plan_unfiling) == ("filing.changed_since", 10)
    (tmp_path / "new" / MODEL).unlink()
    assert refusal(plan_unfiling) == ("disk.missing", 3)


def test_nothing_is_taken_back_over_something_else(model: Path, tmp_path: Path) -> None:
    do("move", model, to=tmp_path / "new")
    model.write_bytes(b"a newer one")
    assert refusal(plan_unfiling) == ("filing.exists", 15)
    assert refusal(lambda: plan_unfiling(7)) == ("filing.no_such_filing", 2)
    model.unlink()
    carry_out_filing(plan_unfiling())
    assert refusal(lambda: plan_unfiling(1)) == ("filing.undone", 2)


def test_a_copied_companion_is_taken_back_unless_it_was_changed(tmp_path: Path) -> None:
    old = write_tree(tmp_path / "old", {"x.ckpt": b"c", "x.pt": b"p", "x.yaml": b"y"})
    new = tmp_path / "new"
    do("move", old / "x.ckpt", to=new)
    assert contents(new) == {"x.ckpt": b"c", "x.yaml": b"y"}
    assert contents(old) == {"x.pt": b"p", "x.yaml": b"y"}
    carry_out_filing(plan_unfiling())
    assert not new.exists()
    do("move", old / "x.ckpt", to=new)
    (new / "x.yaml").write_bytes(b"edited")
    carry_out_filing(plan_unfiling())
    assert contents(new) == {"x.yaml": b"edited"}
    assert contents(old) == {"x.ckpt": b"c", "x.pt": b"p", "x.yaml": b"y"}


def test_names_that_are_no_text_go_like_all_others(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe.ckpt")
    (tmp_path / "old").mkdir()
    try:
        (tmp_path / "old" / name).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes no such names")
    do("move", tmp_path / "old" / name, to=tmp_path / "new")
    assert contents(tmp_path / "new") == {name: b"x"}
    carry_out_filing(plan_unfiling())
    assert contents(tmp_path / "old") == {name: b"x"}


def test_a_chain_of_filings_is_taken_back_one_by_one(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    do("move", model, to=tmp_path / "one")
    with monkeypatch.context() as patch:
        for name in ("link", "rename", "replace"):
            patch.setattr(os, name, filed_run.far(getattr(os, name)))
        do("move", tmp_path / "one" / MODEL, to=tmp_path / "two")
    do("rename", tmp_path / "two" / MODEL, stem="z")
    for _ in range(3):
        assert all(one.error is None for one in carry_out_filing(plan_unfiling()).outcomes)
    assert contents(model.parent) == six_companions()
