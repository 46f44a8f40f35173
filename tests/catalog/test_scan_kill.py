"""A scan that is killed at any moment breaks nothing, and loses no row that it had finished."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from containers import small
from kanna import api
from kanna.catalog.recording import Recorder
from striking import striking

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it has no fork and no SIGKILL")
STRIKES = 50
COLUMNS = "name, present, kind, tensors, size, fingerprint, sha256, data_sha256, note, error"
STEPS = ("keep_model", "keep_digests", "keep_gone", "keep_place", "close", "_writing")


def change(folder: Path, number: int) -> None:
    """Give a scan something to do: new files, a broken one, one moved, one changed, one gone."""
    for at in range(4):
        (folder / f"{number}-{at}.safetensors").write_bytes(small(f"w{number}", f"v{at}"))
    (folder / f"{number}-broken.safetensors").write_bytes(b"\xff" * (99 + number))
    old = folder / f"{number - 1}-0.safetensors"
    if old.exists():
        old.rename(folder / f"moved-{number}.safetensors")
        (folder / f"{number - 1}-1.safetensors").write_bytes(small(f"changed{number}", "x", "y"))
        (folder / f"{number - 1}-2.safetensors").unlink()


def rows(library: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(library)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def in_another_process(work: Callable[[], None]) -> int:
    """Run `work` in a fork, and return how it ended."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1]


def struck(library: Path, step: int, told: int, *, few: int) -> None:
    """Scan, tell the pipe `told` of every transaction that ended, and strike at a step."""
    counted = striking(step, signal.SIGKILL)
    for name in STEPS:
        patch.object(Recorder, name, counted(getattr(Recorder, name))).start()
    patch("kanna.catalog.recording._PERIOD", 0.0).start()
    patch("kanna.api.library_readers._FEW", few).start()
    close = Recorder.close

    def tell(self: Recorder) -> None:
        close(self)
        count = rows(library, "SELECT count(*), count(hashed) FROM file")[0]
        os.write(told, f"{count[0]} {count[1]}\n".encode())

    patch.object(Recorder, "close", tell).start()
    api.library_scan(library=library)


def test_fifty_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANNA_CACHE", str(tmp_path / "cache"))
    folder, library, whole = tmp_path / "models", tmp_path / "one.sqlite3", tmp_path / "two.sqlite3"
    folder.mkdir()
    api.library_add([folder], library=library)
    api.library_add([folder], library=whole)
    change(folder, 0)
    api.library_scan(library=whole)  # imports once what every fork needs
    kills = number = 0
    while kills < STRIKES:
        reader, writer = os.pipe()
        work = partial(struck, library, 1 + kills % 13, writer, few=100 if kills % 10 else 0)
        status = in_another_process(work)
        os.close(writer)
        with os.fdopen(reader) as told:
            reports = [tuple(map(int, line.split())) for line in told]
        assert rows(library, "PRAGMA integrity_check") == [("ok",)]
        if reports:
            assert rows(library, "SELECT count(*), count(hashed) FROM file")[0] >= reports[-1]
        if os.WIFSIGNALED(status):
            kills += 1
        else:
            assert reports
            number += 1
            change(folder, number)
    api.library_scan(library=library)
    api.library_scan(library=whole)
    query = f"SELECT {COLUMNS} FROM file WHERE present ORDER BY name"
    assert rows(library, query) == rows(whole, query)
