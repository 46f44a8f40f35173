"""The cache of hashes: right, forgetful of changed files, and never in the way."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from kanna.disk import Fingerprint
from kanna.hashing.cache import HashCache, PartDigest
from kanna.hashing.digests import Digests

DIGESTS = Digests(
    size=3,
    sha256="ab" * 32,
    autov1="12345678",
    data_sha256=None,
    blake3="cd" * 32,
    crc32="0000beef",
)
VAE = PartDigest(role="vae", variant=None, prefix="first_stage_model.", digest="ef" * 32)
UNET = PartDigest(role="diffusion_model", variant="base", prefix="", digest="01" * 32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return old(tmp_path / "モデル\n.safetensors", b"abc")


def old(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    os.utime(path, ns=(1, 1_600_000_000_000_000_000))
    return path


def state(path: Path) -> Fingerprint:
    return Fingerprint.of(path.stat())


def test_what_is_kept_is_found_again(tmp_path: Path, model: Path) -> None:
    with HashCache(tmp_path / "c" / "cache") as cache:
        cache.keep(model, state(model), DIGESTS)
        cache.keep_parts(state(model), [UNET, VAE])
    with HashCache(tmp_path / "c" / "cache") as cache:
        found = cache.find(state(model))
        assert found is not None
        assert (found.path, found.digests, found.origin) == (model, DIGESTS, "kanna")
        assert found.is_there
        assert cache.parts(state(model)) == [UNET, VAE]
        assert [file.path for file in cache.files_with("sha256", "abab")] == [model]
        assert [file.path for file in cache.files_with_part(VAE.digest)] == [model]
        assert not cache.files_with("sha256", "aa")


@pytest.mark.parametrize("change", ["time", "size", "inode"])
def test_a_changed_file_is_not_known(tmp_path: Path, model: Path, change: str) -> None:
    with HashCache(tmp_path / "cache") as cache:
        cache.keep(model, state(model), DIGESTS)
        if change == "time":
            os.utime(model, ns=(1, 1_600_000_000_000_000_001))
        elif change == "size":
            old(model, b"abcd")
        else:
            old(tmp_path / "other", b"abc").replace(model)
        assert cache.find(state(model)) is None
        assert not next(iter(cache.files_with("sha256", "ab"))).is_there


def test_a_moved_file_keeps_its_hashes(tmp_path: Path, model: Path) -> None:
    with HashCache(tmp_path / "cache") as cache:
        cache.keep(model, state(model), DIGESTS)
        model = model.rename(tmp_path / "elsewhere")
        assert cache.find(state(model)) is not None


def test_a_file_that_was_written_just_now_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "new"
    path.write_bytes(b"abc")
    with HashCache(tmp_path / "cache") as cache:
        os.utime(path)
        cache.keep(path, state(path), DIGESTS)
        assert cache.find(state(path)) is None


def test_imported_hashes_never_replace_computed_ones(tmp_path: Path, model: Path) -> None:
    foreign = Digests(size=3, sha256="99" * 32)
    with HashCache(tmp_path / "cache") as cache:
        cache.keep(model, state(model), foreign, origin="a1111")
        first = cache.find(state(model))
        assert first is not None
        assert (first.origin, first.digests.complete) == ("a1111", False)
        cache.keep(model, state(model), DIGESTS)
        cache.keep(model, state(model), foreign, origin="a1111")
        last = cache.find(state(model))
        assert last is not None
        assert (last.origin, last.digests) == ("kanna", DIGESTS)


@pytest.mark.parametrize("damage", ["text", "inside"])
def test_a_broken_cache_is_put_aside_and_made_new(tmp_path: Path, model: Path, damage: str) -> None:
    place = tmp_path / "cache.sqlite3"
    if damage == "text":
        place.write_bytes(b"this is no database, whatever its name says" * 100)
    else:
        with HashCache(place) as cache:
            cache.keep(model, state(model), DIGESTS)
        raw = bytearray(place.read_bytes())
        raw[100:] = b"\xff" * (len(raw) - 100)
        place.write_bytes(raw)
    with HashCache(place) as cache:
        assert cache.find(state(model)) is None
        cache.keep(model, state(model), DIGESTS)
        assert cache.find(state(model)) is not None
    assert len(list(tmp_path.glob("cache.broken-*"))) == 1


def test_a_place_where_nothing_can_be_kept_is_as_good_as_none(model: Path) -> None:
    with HashCache(model / "below a file" / "cache") as cache:
        cache.keep(model, state(model), DIGESTS)
        assert cache.find(state(model)) is None
        assert not cache.files_with("sha256", "ab")


def test_a_name_that_is_no_text_is_not_kept_and_stops_nothing(tmp_path: Path, model: Path) -> None:
    odd = PartDigest(role="vae", variant=None, prefix="\udc80.", digest="ef" * 32)
    with HashCache(tmp_path / "cache") as cache:
        cache.keep_parts(state(model), [odd])
        assert cache.parts(state(model)) == []
        cache.keep_parts(state(model), [VAE])
        assert cache.parts(state(model)) == [VAE]


def test_another_programs_database_is_left_alone(tmp_path: Path, model: Path) -> None:
    place = tmp_path / "cache"
    with sqlite3.connect(place) as connection:
        connection.execute("CREATE TABLE file (mine TEXT)")
        connection.execute("INSERT INTO file VALUES ('precious')")
    connection.close()
    with HashCache(place) as cache:
        cache.keep(model, state(model), DIGESTS)
        assert cache.find(state(model)) is None
    connection = sqlite3.connect(place)
    assert connection.execute("SELECT * FROM file").fetchall() == [("precious",)]
    connection.close()


def test_several_processes_share_it(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from kanna.disk import Fingerprint;"
        "from kanna.hashing.cache import HashCache; from kanna.hashing.digests import Digests;\n"
        "for n in range(20):\n"
        "    with HashCache(Path(sys.argv[1])) as cache:\n"
        "        cache.keep(Path('m'), Fingerprint(int(sys.argv[2]), n, 3, 1),"
        " Digests(size=3, sha256='ab' * 32, blake3='cd'))\n"
    )
    place = tmp_path / "cache"
    workers = [
        subprocess.Popen([sys.executable, "-c", script, str(place), str(n)]) for n in range(3)
    ]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    with HashCache(place) as cache:
        assert len(cache.files_with("sha256", "ab")) == 60
    assert not list(tmp_path.glob("*.broken-*"))


def test_a_cache_that_another_holds_is_waited_for_once(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kanna.hashing.cache._PATIENCE", 0)
    place = tmp_path / "cache"
    with HashCache(place) as cache:
        cache.keep(model, state(model), DIGESTS)
    other = sqlite3.connect(place, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with HashCache(place) as cache:
        assert cache.find(state(model)) is None
        other.execute("ROLLBACK")
        other.close()
        assert cache.find(state(model)) is None
    with HashCache(place) as cache:
        assert cache.find(state(model)) is not None
