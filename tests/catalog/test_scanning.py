"""A scan brings the library to what is there, and keeps what people wrote."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import struct
import sys
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from containers import safetensors_bytes, small
from kanna import api
from kanna.api import library_pool, library_readers
from kanna.catalog.recording import Recorder
from kanna.errors import Incompatible, Incomplete
from model_headers import headers
from sparse import write_sparse

METADATA = {"ss_sd_model_name": "C:\\models\\base.safetensors", "ss_sd_model_hash": "deadbeef",
            "ss_output_name": "My LoRA", "modelspec.title": "Best One"}  # fmt: skip


@pytest.fixture(autouse=True)
def _own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANNA_LIBRARY", str(tmp_path / "library.sqlite3"))
    monkeypatch.setenv("KANNA_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "a.safetensors").write_bytes(safetensors_bytes(
        {"w": ("F32", (1,), bytes(4))}, METADATA
    ))  # fmt: skip
    (folder / "b.safetensors").write_bytes(small("w"))
    api.library_add([folder])
    return folder


def rows(query: str, *values: object) -> list[Any]:
    connection = sqlite3.connect(os.environ["KANNA_LIBRARY"])
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def scan(**options: Any) -> dict[str, int]:
    done = api.library_scan([], api.LibraryScanOptions(**options))
    return {name: count for name, count in done.models.to_json().items() if count}


def test_what_is_new_is_read_and_hashed(models: Path) -> None:
    assert scan() == {"new": 2, "hashed": 2}
    assert rows("SELECT sha256 FROM file WHERE name = 'b.safetensors'") == [
        (hashlib.sha256((models / "b.safetensors").read_bytes()).hexdigest(),)
    ]
    assert rows("SELECT title FROM file WHERE name = 'a.safetensors'") == [("Best One",)]
    assert rows("SELECT relation, name, digest FROM origin") == [
        ("trained_on", "base.safetensors", "deadbeef")
    ]
    assert ("My LoRA", "metadata") in rows("SELECT name, source FROM alias")
    assert rows("SELECT count(*) FROM file_words WHERE file_words MATCH 'lora'") == [(1,)]
    assert scan() == {"unchanged": 2}


def test_a_scan_of_a_folder_hashes_what_is_in_it_alone(models: Path) -> None:
    (models / "sub").mkdir()
    (models / "sub" / "c.safetensors").write_bytes(small("c"))
    scan(hash=False)
    done = api.library_scan([models / "sub"])
    assert done.models.hashed == 1
    assert rows("SELECT name FROM file WHERE sha256 IS NOT NULL") == [("c.safetensors",)]


def test_a_moved_file_keeps_its_row_tags_and_note(models: Path) -> None:
    scan()
    api.library_tag([models / "a.safetensors"], add=["good"])
    api.library_note(models / "a.safetensors", "mine")
    before = api.library_show(models / "a.safetensors")
    (models / "sub").mkdir()
    (models / "a.safetensors").rename(models / "sub/c.safetensors")
    assert scan() == {"moved": 1, "unchanged": 1}
    after = api.library_show(models / "sub/c.safetensors")
    assert (after.facts["id"], after.tags, after.facts["note"]) == (
        before.facts["id"], ("good",), "mine",
    )  # fmt: skip
    assert after.digests == before.digests
    assert ("a.safetensors", "former") in after.aliases


def test_tags_follow_the_data_where_names_are_swapped(models: Path) -> None:
    scan()
    a, b, aside = models / "a.safetensors", models / "b.safetensors", models / "z"
    api.library_tag([a], add=["one"])
    api.library_tag([b], add=["two"])
    before = {path: api.library_show(path) for path in (a, b)}
    a.rename(aside)
    b.rename(a)
    aside.rename(b)
    assert scan(dry_run=True) == {"moved": 2}
    assert scan() == {"moved": 2}
    for old, new in ((a, b), (b, a)):
        after = api.library_show(new)
        assert (after.facts["id"], after.tags, after.digests) == (
            before[old].facts["id"], before[old].tags, before[old].digests,
        )  # fmt: skip
    assert scan() == {"unchanged": 2}
    assert rows("SELECT count(*) FROM file") == [(2,)]


@pytest.mark.parametrize("name", ["0.safetensors", "c.safetensors", "sub/a.safetensors"])
def test_tags_follow_a_file_whose_name_another_one_took(models: Path, name: str) -> None:
    scan()
    api.library_tag([models / "a.safetensors"], add=["good"])
    (models / name).parent.mkdir(exist_ok=True)
    (models / "a.safetensors").rename(models / name)
    (models / "a.safetensors").write_bytes(small("other", "two"))
    assert scan(dry_run=True) == {"new": 1, "moved": 1, "unchanged": 1}
    assert scan() == {"new": 1, "moved": 1, "unchanged": 1, "hashed": 1}
    assert api.library_show(models / name).tags == ("good",)
    other = api.library_show(models / "a.safetensors")
    assert (other.tags, other.facts["tensors"]) == ((), 2)


def test_what_was_written_of_a_file_outlives_one_that_is_moved_over_it(
    models: Path, tmp_path: Path
) -> None:
    scan()
    api.library_tag([models / "a.safetensors"], add=["good"])
    shutil.copy(models / "a.safetensors", tmp_path / "backup")
    (models / "b.safetensors").replace(models / "a.safetensors")
    assert scan() == {"moved": 1, "gone": 1}
    assert api.library_show(models / "a.safetensors").tags == ()
    (gone,) = api.library_find(api.FindOptions(gone=True))
    assert (gone.name, gone.tags) == ("a.safetensors", ("good",))
    shutil.copy(tmp_path / "backup", models / "again.safetensors")
    scan()
    assert api.library_show(models / "again.safetensors").tags == ("good",)


def test_two_links_to_one_file_are_two_files(models: Path) -> None:
    scan()
    (models / "link.safetensors").hardlink_to(models / "a.safetensors")
    assert scan(hash=False) == {"new": 1, "unchanged": 2}
    assert scan(hash=False) == {"unchanged": 3}


def test_a_copy_takes_over_what_was_written_of_the_file_that_went(models: Path) -> None:
    scan()
    api.library_tag([models / "a.safetensors"], add=["good"])
    shutil.copy(models / "a.safetensors", models / "copy.safetensors")
    (models / "a.safetensors").unlink()
    assert scan()["gone"] == 1
    assert api.library_show(models / "copy.safetensors").tags == ("good",)
    assert rows("SELECT count(*) FROM file") == [(2,)]


def test_a_gone_file_keeps_its_row_and_comes_back(models: Path, tmp_path: Path) -> None:
    scan()
    api.library_tag([models / "b.safetensors"], add=["good"])
    (models / "b.safetensors").rename(tmp_path / "aside")
    assert scan() == {"gone": 1, "unchanged": 1}
    assert [one.name for one in api.library_find(api.FindOptions(gone=True))] == ["b.safetensors"]
    (tmp_path / "aside").rename(models / "b.safetensors")
    assert scan() == {"back": 1, "unchanged": 1}
    assert api.library_show(models / "b.safetensors").tags == ("good",)


def test_a_changed_file_is_read_again_and_loses_its_digests(models: Path) -> None:
    scan()
    api.library_tag([models / "b.safetensors"], add=["good"])
    (models / "b.safetensors").write_bytes(small("w", "v"))
    assert scan(hash=False) == {"changed": 1, "unchanged": 1}
    found = api.library_show(models / "b.safetensors")
    assert (found.facts["tensors"], found.tags, found.digests) == (2, ("good",), {})


def test_a_folder_that_is_missing_or_stands_empty_takes_nothing_away(
    models: Path, tmp_path: Path
) -> None:
    scan()
    models.rename(tmp_path / "unmounted")
    done = api.library_scan()
    assert ([root.path for root in done.missing], done.models.gone) == ([models], 0)
    models.mkdir()
    done = api.library_scan()
    assert ([root.path for root in done.missing], done.models.gone) == ([models], 0)
    assert rows("SELECT count(*) FROM file WHERE present") == [(2,)]


def test_a_broken_file_is_told_once_and_read_again_when_it_changes(models: Path) -> None:
    (models / "bad.safetensors").write_bytes(b"\xff" * 100)
    assert scan() == {"new": 3, "broken": 1, "hashed": 3}
    assert scan() == {"unchanged": 3}
    (models / "bad.safetensors").write_bytes(small("w"))
    assert scan() == {"changed": 1, "unchanged": 2, "hashed": 1}
    assert api.library_show(models / "bad.safetensors").error is None


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="names are Unicode there")
def test_a_name_that_is_no_unicode_is_kept(models: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(models) + b"/\xff.safetensors"))
    path.write_bytes(small("w"))
    assert scan() == {"new": 3, "hashed": 3}
    assert scan() == {"unchanged": 3}
    assert api.library_show(path).path == path
    path.unlink()
    assert scan() == {"gone": 1, "unchanged": 2}


def test_pictures_are_read_with_their_prompts_and_models(models: Path) -> None:
    text = (
        "a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1,"
        " Size: 512x512, Model hash: 6ce0161689, Model: v1-5"
    )
    chunk = b"tEXtparameters\0" + text.encode()
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one))
        for one in (
            b"IHDR" + struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0), chunk,
            b"IDAT" + zlib.compress(bytes(4)), b"IEND",
        )
    )  # fmt: skip
    (models / "one.png").write_bytes(png)
    (models / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n????")
    done = api.library_scan()
    assert (done.images.new, done.images.broken) == (2, 1)
    assert rows("SELECT prompt, negative FROM prompt") == [("a cat", "dog")]
    assert rows("SELECT role, name, digest FROM named_model") == [
        ("checkpoint", "v1-5", "6ce0161689")
    ]
    assert rows("SELECT seed, steps, sampler, width FROM image WHERE dialect IS NOT NULL") == [
        ("1", 20, "Euler a", 1)
    ]
    (models / "one.png").rename(models / "two.png")
    assert api.library_scan().images.moved == 1


def test_a_scan_of_one_folder_leaves_the_others_alone(models: Path, tmp_path: Path) -> None:
    (models / "sub").mkdir()
    (models / "sub/c.safetensors").write_bytes(small("w"))
    scan()
    (models / "b.safetensors").unlink()
    (models / "sub/c.safetensors").unlink()
    done = api.library_scan([models / "sub"])
    assert done.models.gone == 1
    with pytest.raises(Incomplete, match="not look through"):
        api.library_scan([tmp_path / "other"])


@pytest.mark.usefixtures("models")
def test_a_dry_run_changes_nothing() -> None:
    assert scan(dry_run=True) == {"new": 2}
    assert rows("SELECT count(*) FROM file") == [(0,)]


def test_many_files_are_read_in_other_processes_as_they_are_here(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picked = [name for at, name in enumerate(headers()) if at % 30 == 0]
    for at, name in enumerate(picked):
        write_sparse(models / f"{at}.safetensors", name)
    monkeypatch.setattr(library_readers, "_FEW", 0)
    scan(hash=False)
    columns = "name, kind, architecture, variant, certainty, dtype, tensors, parameters"
    there = rows(f"SELECT {columns}, document FROM file JOIN identity ON id = file ORDER BY name")
    monkeypatch.setattr(library_readers, "_FEW", 1000)
    scan(hash=False, full=True)
    here = rows(f"SELECT {columns}, document FROM file JOIN identity ON id = file ORDER BY name")
    assert there == here
    assert len(here) == len(picked) + 2


def test_a_file_that_ends_its_reader_takes_no_other_with_it(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(20):
        (models / f"{at:02}.safetensors").write_bytes(small(f"w{at}"))
    monkeypatch.setattr(library_readers, "_FEW", 0)
    start = library_pool._START.replace("main(sys", "import deadly; main(sys")
    monkeypatch.setattr(library_pool, "_START", start)
    (models.parent / "deadly.py").write_text(
        "import os, kanna.api.library_worker as worker\nread = worker.read\n"
        "def mine(table, path, layouts):\n"
        "    return os._exit(9) if '07' in path else read(table, path, layouts)\n"
        "worker.read = mine\n"
    )
    monkeypatch.syspath_prepend(models.parent)
    assert scan(hash=False) == {"new": 22, "broken": 1}
    assert rows("SELECT name, error FROM file WHERE error IS NOT NULL") == [
        ("07.safetensors", "library.reader_died")
    ]


def test_forgetting_a_folder_with_tags_needs_force(models: Path) -> None:
    scan()
    api.library_tag([models / "a.safetensors"], add=["good"])
    with pytest.raises(Incompatible):
        api.library_forget(models)
    assert api.library_forget(models, force=True).files == 2
    assert rows("SELECT count(*) FROM file, file_words, root") == [(0,)]
    assert (models / "a.safetensors").exists()


def test_what_another_scan_or_forget_did_meanwhile_is_taken_up(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = Recorder.keep_model

    def meanwhile(self: Recorder, *values: Any) -> None:
        monkeypatch.setattr(Recorder, "keep_model", keep)
        self.close()
        work()
        keep(self, *values)

    work: Any = partial(api.library_scan, [], api.LibraryScanOptions(hash=False))
    monkeypatch.setattr(Recorder, "keep_model", meanwhile)
    assert scan(hash=False) == {"new": 2}
    assert rows("SELECT name FROM file ORDER BY 1") == [("a.safetensors",), ("b.safetensors",)]

    work = partial(api.library_forget, models)
    monkeypatch.setattr(Recorder, "keep_model", meanwhile)
    assert scan(full=True) == {"changed": 2}
    assert rows("SELECT count(*) FROM file") == [(0,)]


def test_a_folder_of_a_program_that_was_forgotten_stays_out(tmp_path: Path) -> None:
    program = tmp_path / "ui"
    for name in ("Lora", "VAE"):
        (program / "models" / name).mkdir(parents=True)
        (program / "models" / name / "m.safetensors").write_bytes(small("w", name))
    (program / "webui-user.sh").touch()
    api.library_add([program])
    assert scan(hash=False) == {"new": 2}
    assert api.library_forget(program / "models/Lora").files == 1
    assert scan(hash=False) == {"unchanged": 1}
    assert program / "models/Lora" not in [root.path for root in api.library_roots()]
    api.library_add([program])
    assert scan(hash=False) == {"new": 1, "unchanged": 1}
