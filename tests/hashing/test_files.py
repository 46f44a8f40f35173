"""Digests against Python's hashlib, zlib and blake3 over the whole bytes at once."""

from __future__ import annotations

import hashlib
import os
import random
import zlib
from contextlib import closing
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from containers import safetensors_bytes, with_length
from kanna.disk import InputFile
from kanna.errors import KannaError
from kanna.hashing import files
from kanna.hashing.digests import Digests
from kanna.hashing.files import data_start, read_digests
from kanna.hashing.many import hash_files

NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def digests(path: Path, threads: int = 1) -> Digests:
    with closing(InputFile(path)) as file:
        return read_digests(file, threads=threads)


def wanted(raw: bytes, start: int | None) -> Digests:
    return Digests(
        size=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        autov1=hashlib.sha256(raw[0x100000:0x110000]).hexdigest()[:8],
        data_sha256=None if start is None else hashlib.sha256(raw[start:]).hexdigest(),
        blake3=blake3(raw).hexdigest(),
        crc32=f"{zlib.crc32(raw):08x}",
    )


def written(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, (9 << 20) + 7])
def test_all_digests_are_those_of_the_libraries(tmp_path: Path, size: int, threads: int) -> None:
    raw = random.Random(size).randbytes(size)
    assert digests(written(tmp_path / "m.ckpt", raw), threads) == wanted(raw, None)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("pad", [0, 3, 5 << 20])
def test_the_data_digest_leaves_out_the_header(tmp_path: Path, threads: int, pad: int) -> None:
    data = random.Random(pad).randbytes(6 << 20)
    raw = safetensors_bytes({"a": ("U8", [len(data)], data)}, {"pad": "x" * pad})
    found = digests(written(tmp_path / "m.safetensors", raw), threads)
    assert found == wanted(raw, len(raw) - len(data))
    assert found.data_sha256 == hashlib.sha256(data).hexdigest()
    assert found.autov3 == hashlib.sha256(data).hexdigest()[:12]


def test_the_short_forms_are_beginnings(tmp_path: Path) -> None:
    found = digests(written(tmp_path / "m.ckpt", b"abc"))
    # FIPS 180-4, the example for one block
    assert found.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (found.autov2, found.sha256_16, found.autov3) == ("ba7816bf8f", "ba7816bf8f01cfea", None)


@pytest.mark.parametrize(("size", "means"), [(0, False), (1 << 20, False), ((1 << 20) + 1, True)])
def test_autov1_of_a_short_file_is_the_hash_of_nothing(
    tmp_path: Path, size: int, *, means: bool
) -> None:
    found = digests(written(tmp_path / "m", b"\1" * size))
    assert (found.autov1 == NOTHING[:8]) is not means
    assert found.autov1_means_something is means


@given(st.binary(max_size=40), st.integers(0, 60))
def test_the_data_begins_only_where_a_header_can_end(tail: bytes, length: int) -> None:
    raw = length.to_bytes(8, "little") + b"{" + tail
    path = Path(os.environ["KANNA_CACHE"]) / "header"
    with closing(InputFile(written(path, raw))) as file:
        start = data_start(file)
    assert start == (8 + length if 8 + length <= len(raw) else None)


def test_a_broken_header_still_has_a_data_digest(tmp_path: Path) -> None:
    raw = with_length(b"{nonsense", b"data")
    assert digests(written(tmp_path / "m", raw)).data_sha256 == hashlib.sha256(b"data").hexdigest()


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_many_files_come_in_order_and_broken_ones_do_not_stop_them(
    tmp_path: Path, threads: int
) -> None:
    raws = [random.Random(n).randbytes(n * 100_000) for n in range(8)]
    paths = [written(tmp_path / f"{n}", raw) for n, raw in enumerate(raws)]
    paths[3:3] = [tmp_path / "missing", tmp_path]
    found = list(hash_files(paths, threads=threads))
    assert [one.path for one in found] == paths
    assert [one.error.key for one in found if one.error] == ["disk.missing", "disk.not_a_file"]
    assert [one.digests for one in found if one.digests] == [wanted(raw, None) for raw in raws]


def test_a_file_that_changes_meanwhile_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "m", b"old")

    def slow_data_start(file: InputFile) -> int | None:
        path.write_bytes(b"new!")
        return data_start(file)

    monkeypatch.setattr(files, "data_start", slow_data_start)
    (found,) = hash_files([path], threads=1)
    assert found.error is not None
    assert found.error.key in {"hash.changed", "disk.ends_early"}


def test_those_who_stop_listening_stop_the_work(tmp_path: Path) -> None:
    paths = [written(tmp_path / str(n), b"x" * 100) for n in range(50)]
    results = hash_files(paths, threads=2)
    assert next(results).digests is not None
    results.close()  # type: ignore[attr-defined]


def test_a_failing_device_is_an_error_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KannaError("disk.unreadable", path="m", reason="EIO")

    monkeypatch.setattr(InputFile, "read_into", fail)
    (found,) = hash_files([written(tmp_path / "m", b"x" * (10 << 20))], threads=2)
    assert found.error is not None
    assert found.error.key == "disk.unreadable"
