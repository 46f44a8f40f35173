"""A1111's caches, written as A1111 and diskcache write them, with everything that lies in them."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from kanna import api
from kanna.errors import FormatError, Incomplete
from kanna.hashing.cache import HashCache
from kanna.hashing.place import cache_path
from kanna.hashing.webui import judge, read_entries

TIME = 1_600_000_000
A, B, C = "a1" * 32, "b2" * 32, "c3" * 32


@pytest.fixture
def ui(tmp_path: Path) -> Path:
    folder = tmp_path / "webui"
    for name, size in (
        ("models/Stable-diffusion/good.safetensors", 10),
        ("models/Stable-diffusion/sub/deep.ckpt", 20),
        ("models/Stable-diffusion/changed.ckpt", 30),
        ("models/Stable-diffusion/forge.safetensors", 40),
        ("models/Stable-diffusion/one.ckpt", 50),
        ("models/Stable-diffusion/two.ckpt", 60),
        ("models/Lora/x/style.safetensors", 70),
        ("models/Lora/twice.safetensors", 80),
        ("models/Lora/y/twice.pt", 90),
        ("models/hypernetworks/hyper.pt", 100),
        ("embeddings/bad-hands.pt", 110),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
        os.utime(path, (TIME, TIME))
    return folder


HASHES: dict[str, Any] = {
    "checkpoint/good.safetensors": {"mtime": TIME + 5.5, "sha256": A},
    "checkpoint/sub\\deep.ckpt": {"mtime": TIME, "sha256": B.upper()},
    "checkpoint/changed.ckpt": {"mtime": TIME - 1, "sha256": C},
    "checkpoint/forge.safetensors": {
        "mtime": TIME + 1, "sha256": hashlib.sha256(b"forge.safetensors").hexdigest(),
    },
    "checkpoint/one.ckpt": {"mtime": TIME + 1, "sha256": "dd" * 32},
    "checkpoint/two.ckpt": {"mtime": TIME + 1, "sha256": "dd" * 32},
    "checkpoint/never saved merge": {"mtime": TIME + 1, "sha256": "ee" * 32},
    "checkpoint/../../secret": {"mtime": TIME + 1, "sha256": "ee" * 32},
    "checkpoint/unhashed.ckpt": {"mtime": TIME + 1, "sha256": None},
    "checkpoint/odd": ["not", "a", "table"],
    "vae": {"mtime": TIME + 1, "sha256": "12" * 32},
    "hypernet/hyper": {"mtime": TIME + 1, "sha256": "34" * 32},
    "textual_inversion/bad-hands": {"mtime": TIME + 1, "sha256": "56" * 32},
    "lora/twice": {"mtime": TIME + 1, "sha256": "78" * 32},
}  # fmt: skip
ADDNET = {"lora/style": {"mtime": TIME + 1, "sha256": "9a" * 32}}
FATES = {
    "checkpoint/good.safetensors": "taken",
    "checkpoint/sub\\deep.ckpt": "taken",
    "checkpoint/changed.ckpt": "stale",
    "checkpoint/forge.safetensors": "name_hash",
    "checkpoint/one.ckpt": "contradicts",
    "checkpoint/two.ckpt": "contradicts",
    "checkpoint/never saved merge": "no_file",
    "checkpoint/../../secret": "no_file",
    "checkpoint/unhashed.ckpt": "no_hash",
    "checkpoint/odd": "no_hash",
    "vae": "shared_vae",
    "hypernet/hyper": "taken",
    "textual_inversion/bad-hands": "taken",
    "lora/twice": "several_files",
    "lora/style": "taken",
}


def write_json(ui: Path) -> None:
    document = {"hashes": HASHES, "hashes-addnet": ADDNET, "safetensors-metadata": {"x": {}}}
    (ui / "cache.json").write_text(json.dumps(document))


def write_diskcache(folder: Path, rows: dict[str, Any], *, large: str = "") -> None:
    """The table of diskcache 5; the value called `large` goes to a file of its own."""
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / "cache.db") as connection:
        connection.execute(
            "CREATE TABLE Cache (rowid INTEGER PRIMARY KEY, key BLOB, raw INTEGER, store_time REAL,"
            " expire_time REAL, access_time REAL, access_count INTEGER DEFAULT 0, tag BLOB,"
            " size INTEGER DEFAULT 0, mode INTEGER DEFAULT 0, filename TEXT, value BLOB)"
        )
        for key, value in rows.items():
            data: bytes | None = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
            filename = None
            if key == large:
                filename = "ab/cd.val"
                (folder / "ab").mkdir()
                (folder / filename).write_bytes(data or b"")
                data = None
            connection.execute(
                "INSERT INTO Cache (key, raw, mode, filename, value) VALUES (?, 1, 4, ?, ?)",
                (key, filename, data),
            )
    connection.close()


def fates(path: Path, ui: Path) -> dict[str, str]:
    return {one.entry.title: one.fate for one in judge(read_entries(path), ui / "models")}


def test_every_entry_of_the_json_gets_its_fate(ui: Path) -> None:
    write_json(ui)
    assert fates(ui / "cache.json", ui) == fates(ui, ui) == FATES


def test_every_entry_of_the_folders_gets_the_same(ui: Path) -> None:
    write_diskcache(ui / "cache" / "hashes", HASHES, large="checkpoint/good.safetensors")
    write_diskcache(ui / "cache" / "hashes-addnet", ADDNET)
    assert fates(ui, ui) == fates(ui / "cache", ui) == FATES
    assert fates(ui / "cache" / "hashes-addnet", ui) == {"lora/style": "taken"}
    assert fates(ui / "cache" / "hashes-addnet" / "cache.db", ui) == {"lora/style": "taken"}


class Dangerous:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("pickle was run",))


def test_a_hostile_value_is_data_and_spoils_nothing(
    ui: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ui)
    write_diskcache(ui / "cache" / "hashes", {"checkpoint/good.safetensors": Dangerous()})
    assert fates(ui, ui) == {"checkpoint/good.safetensors": "no_hash"}
    assert not (ui / "pickle was run").exists()


def test_a_value_outside_its_folder_is_not_read(ui: Path) -> None:
    write_diskcache(ui / "cache" / "hashes", {})
    (ui / "secret").write_bytes(pickle.dumps({"mtime": TIME, "sha256": A}))
    with sqlite3.connect(ui / "cache" / "hashes" / "cache.db") as connection:
        for name in ("../../secret", str(ui / "secret")):
            query = "INSERT INTO Cache (key, raw, mode, filename) VALUES (?, 1, 4, ?)"
            connection.execute(query, (name, name))
    connection.close()
    assert fates(ui, ui) == {}


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"hashes": 3'])
def test_a_broken_json_is_named(ui: Path, raw: bytes) -> None:
    (ui / "cache.json").write_bytes(raw)
    with pytest.raises(FormatError):
        read_entries(ui)


def test_a_broken_database_is_named(ui: Path) -> None:
    folder = ui / "cache" / "hashes"
    folder.mkdir(parents=True)
    (folder / "cache.db").write_bytes(b"no database" * 99)
    with pytest.raises(FormatError, match="cannot be read as a cache"):
        read_entries(ui)


def test_where_there_is_no_cache_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(Incomplete, match="no cache of A1111"):
        read_entries(tmp_path)


def test_the_import_keeps_what_can_be_believed_and_nothing_in_a_dry_run(
    ui: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KANNA_CACHE", str(tmp_path / "own"))
    write_json(ui)
    api.import_hashes(ui, dry_run=True)
    assert not cache_path().exists()
    api.import_hashes(ui)
    with HashCache(cache_path()) as cache:
        (found,) = cache.files_with("sha256", A)
        assert found.path.name == "good.safetensors"
        assert found.origin == "a1111"
        (lora,) = cache.files_with("data_sha256", "9a")
        assert lora.path.name == "style.safetensors"
        assert lora.digests.sha256 is None
        assert not cache.files_with("sha256", "dd")
    assert [hit.name for hit in api.which(A[:10]).hits] == [str(found.path)]
