"""What becomes of models that land in a folder, also when the watching is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import watching_run
from containers import small
from kanna import api
from kanna.api import Handled, WatchOptions, taking_in
from kanna.cli import run
from kanna.errors import UsageError
from sparse import write_sparse
from watching_run import options

VAE = "vae-taesd-decoder"
BESIDE = {"preview.png": b"picture", "json": b'{"notes": "memo"}', "yaml": b"a: 1\n"}


@pytest.fixture(autouse=True)
def own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANNA_LIBRARY", str(tmp_path / "own" / "library.sqlite3"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "own" / "data"))


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def land(inbox: Path, name: str = "桜.safetensors") -> Path:
    path = write_sparse(inbox / name, VAE)
    for suffix, content in BESIDE.items():
        path.with_suffix(f".{suffix}").write_bytes(content)
    return path


def watched(tmp_path: Path, wanted: WatchOptions | None = None) -> list[Handled]:
    return list(api.watch_inbox(tmp_path / "inbox", wanted or options(tmp_path)))


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".kanna" not in path.name
    }


def test_a_model_is_converted_and_put_with_all_beside_it_where_its_kind_belongs(
    tmp_path: Path, inbox: Path
) -> None:
    land(inbox)
    before = files(inbox)
    (handled,) = watched(tmp_path)
    place = tmp_path / "ui" / "models" / "vae"
    assert (handled.state, handled.kind, handled.exit_code) == ("converted", "vae", 0)
    assert handled.output == place / "桜.safetensors"
    assert api.inspect(handled.output).identity.dtype == "fp16"
    assert {name: (place / f"桜.{name}").read_bytes() for name in BESIDE} == BESIDE
    assert files(inbox / "originals") == before
    assert [path.name for path in inbox.iterdir() if not path.name.startswith(".")] == ["originals"]


def test_an_original_goes_to_the_trash_and_can_be_brought_back(tmp_path: Path, inbox: Path) -> None:
    path = land(inbox)
    before = files(inbox)
    (handled,) = watched(tmp_path, replace(options(tmp_path), originals="trash"))
    assert handled.original is not None
    assert handled.original.exists()
    assert not path.exists()
    assert run(["library", "undo", "-q"]) == 0
    assert files(inbox) == before


def test_without_a_rule_the_very_bytes_are_put_away(tmp_path: Path, inbox: Path) -> None:
    path = land(inbox)
    before = files(inbox)
    wanted = WatchOptions(models=tmp_path / "ui", rest=0, patience=0, once=True)
    (handled,) = watched(tmp_path, wanted)
    assert handled.state == "put_away"
    assert files(tmp_path / "ui" / "models" / "vae") == before
    assert not path.exists()


def test_what_is_dangerous_broken_or_in_the_way_is_set_aside_with_a_report(
    tmp_path: Path, inbox: Path
) -> None:
    (inbox / "page.safetensors").write_bytes(b"<html>log in</html>")
    (inbox / "evil.ckpt").write_bytes(b"\x80\x02cposix\nsystem\n(S'true'\ntR.")
    land(inbox)
    there = tmp_path / "ui" / "models" / "vae" / "桜.safetensors"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"somebody's")
    found = {one.path.name: one for one in watched(tmp_path)}
    assert {name: (one.state, one.exit_code) for name, one in found.items()} == {
        "evil.ckpt": ("aside", 11), "page.safetensors": ("aside", 10),
        "桜.safetensors": ("aside", 15),
    }  # fmt: skip
    assert there.read_bytes() == b"somebody's"
    aside = found["evil.ckpt"].aside
    assert aside == inbox / "failed" / "evil.ckpt"
    report = json.loads(aside.with_name("evil.ckpt.report.json").read_text("utf-8"))
    assert report["reasons"][0]["key"] == "watch.dangerous"
    assert "system" in aside.with_name("evil.ckpt.report.txt").read_text("utf-8")


def test_a_dry_run_changes_nothing(tmp_path: Path, inbox: Path) -> None:
    land(inbox)
    (inbox / "page.safetensors").write_bytes(b"<html>log in</html>")
    wanted = options(tmp_path, dry_run=True)
    before = files(tmp_path)
    states = {one.path.name: one.state for one in watched(tmp_path, wanted)}
    assert states == {"桜.safetensors": "planned", "page.safetensors": "refused"}
    assert files(tmp_path) == before


def test_a_download_is_waited_for(tmp_path: Path, inbox: Path) -> None:
    path = land(inbox)
    mark = inbox / "桜.safetensors.crdownload"
    mark.write_bytes(b"")
    (handled,) = watched(tmp_path)
    assert handled.state == "arriving"
    assert path.exists()
    mark.unlink()
    assert [one.state for one in watched(tmp_path)] == ["converted"]


def test_a_file_that_breaks_off_is_left_alone_until_its_rest_has_come(
    tmp_path: Path, inbox: Path
) -> None:
    path = land(inbox)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    stop = threading.Event()
    wanted = WatchOptions(models=tmp_path / "ui", rest=0, patience=3600)
    watching = api.watch_inbox(inbox, wanted, stop=stop)
    threading.Timer(0.3, path.write_bytes, [whole]).start()
    assert next(watching).state == "put_away"
    stop.set()
    assert list(watching) == []


def test_folders_that_make_no_sense_are_refused(tmp_path: Path, inbox: Path) -> None:
    for wanted, key in (
        (WatchOptions(models=inbox / "models", once=True), "watch.inside"),
        (WatchOptions(once=True), "watch.no_target"),
        (WatchOptions(models=Path(__file__), once=True), "disk.no_folder"),
    ):
        with pytest.raises(UsageError) as caught:
            watched(tmp_path, wanted)
        assert caught.value.key == key
    with pytest.raises(UsageError) as caught:
        list(api.watch_inbox(tmp_path / "nowhere", options(tmp_path)))
    assert caught.value.key == "watch.no_inbox"


def test_an_inbox_has_one_watcher(tmp_path: Path, inbox: Path) -> None:
    mark = inbox / "a.safetensors.part"
    mark.write_bytes(b"")
    land(inbox, "a.safetensors")
    first = api.watch_inbox(inbox, options(tmp_path))
    assert next(first).state == "arriving"
    with pytest.raises(UsageError) as caught:
        watched(tmp_path)
    assert caught.value.key == "watch.held"
    first.close()  # type: ignore[attr-defined]


def test_without_a_folder_the_library_says_where_models_go(tmp_path: Path, inbox: Path) -> None:
    ui = tmp_path / "ComfyUI"
    (ui / "models" / "vae").mkdir(parents=True)
    (ui / "models" / "checkpoints").mkdir()
    assert run(["library", "add", str(ui), "-q"]) == 0
    land(inbox)
    (handled,) = watched(tmp_path, WatchOptions(rest=0, patience=0, once=True))
    assert handled.output == ui / "models" / "vae" / "桜.safetensors"


def spawn(folder: Path, step: int) -> int:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, watching_run.__file__, str(folder), str(step)]
    return subprocess.run(command, check=False, timeout=60, env=environment).returncode


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
@pytest.mark.parametrize("step", [*range(1, 42, 4)])
def test_a_watcher_that_is_killed_goes_on_where_it_was(
    tmp_path: Path, inbox: Path, step: int
) -> None:
    land(inbox)
    before = files(inbox)
    assert spawn(tmp_path, step) in {-signal.SIGKILL, 0}
    for handled in watched(tmp_path):
        assert handled.state == "converted"
    place = tmp_path / "ui" / "models" / "vae"
    assert sorted(files(place)) == sorted(before)
    assert api.inspect(place / "桜.safetensors").identity.dtype == "fp16"
    assert files(inbox / "originals") == before
    assert [path for path in tmp_path.rglob("*") if ".part" in path.name] == []


def test_a_sharded_model_that_comes_in_pieces_is_taken_in_as_one(
    tmp_path: Path, inbox: Path
) -> None:
    names = [f"m-0000{number}-of-00002.safetensors" for number in (1, 2)]
    wanted = WatchOptions(models=tmp_path / "ui", rest=0, patience=0, once=True)
    index = {"weight_map": dict.fromkeys(("a", "b"), names[0]) | {"c": names[1]}}
    for landing in (names[0], "m.safetensors.index.json"):
        content = json.dumps(index).encode() if landing.endswith("json") else small("a", "b")
        (inbox / landing).write_bytes(content)
        assert {one.state for one in watched(tmp_path, wanted)} == {"arriving"}
    (inbox / names[1]).write_bytes(small("c"))
    (handled,) = watched(tmp_path, wanted)
    assert handled.state == "aside"  # tensors that nobody knows
    assert set(files(inbox / "failed")) >= {*names, "m.safetensors.index.json"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_an_item_that_cannot_even_be_set_aside_does_not_end_the_watching(
    tmp_path: Path, inbox: Path
) -> None:
    folder = inbox / "a pipe"
    folder.mkdir()
    (folder / "model_index.json").write_bytes(b"{}")
    os.mkfifo(folder / "pipe")
    land(inbox)
    found = {one.path.name: one for one in watched(tmp_path)}
    assert {name: one.state for name, one in found.items()} == {
        "a pipe": "left", "桜.safetensors": "converted"
    }  # fmt: skip
    assert found["a pipe"].exit_code
    assert (folder / "pipe").exists()


def test_an_index_that_is_broken_is_set_aside(tmp_path: Path, inbox: Path) -> None:
    (inbox / "m.safetensors.index.json").write_bytes(b"{" * 99)
    (inbox / "m-00001-of-00001.safetensors").write_bytes(b"")
    index, shard = watched(tmp_path)
    assert (index.state, shard.state) == ("aside", "arriving")
    assert "m.safetensors.index.json" in files(inbox / "failed")


def test_an_inbox_may_be_named_in_a_roundabout_way(tmp_path: Path, inbox: Path) -> None:
    land(inbox)
    roundabout = tmp_path / "inbox" / ".." / "inbox"
    (handled,) = api.watch_inbox(roundabout, options(tmp_path))
    assert handled.state == "converted"


def test_the_library_knows_at_once_what_came_into_its_folders(tmp_path: Path, inbox: Path) -> None:
    ui = tmp_path / "ComfyUI"
    (ui / "models" / "vae").mkdir(parents=True)
    (ui / "models" / "checkpoints").mkdir()
    assert run(["library", "add", str(ui), "-q"]) == 0
    land(inbox)
    (handled,) = watched(tmp_path, WatchOptions(rest=0, patience=0, once=True))
    (row,) = api.library_find(api.FindOptions(words="桜"))
    assert row.path == handled.output


def test_a_folder_of_the_library_in_the_inbox_takes_nothing(tmp_path: Path, inbox: Path) -> None:
    ui = inbox / "ComfyUI"
    (ui / "models" / "vae").mkdir(parents=True)
    (ui / "models" / "checkpoints").mkdir()
    assert run(["library", "add", str(ui), "-q"]) == 0
    path = land(inbox)
    with pytest.raises(UsageError) as caught:
        watched(tmp_path, WatchOptions(rest=0, patience=0, once=True))
    assert caught.value.key == "watch.inside"
    assert path.exists()


def test_what_takes_the_place_of_an_original_meanwhile_is_not_taken_for_it(
    tmp_path: Path, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = land(inbox)

    def late(*words: Any, **more: Any) -> Any:
        made = api.convert(*words, **more)
        if not more.get("dry_run"):
            path.write_bytes(b"a new file")
        return made

    monkeypatch.setattr(taking_in, "convert", late)
    wanted = replace(options(tmp_path), originals="trash")
    first = next(iter(api.watch_inbox(inbox, wanted)))
    assert (first.state, first.original) == ("converted", None)
    assert path.read_bytes() == b"a new file"
