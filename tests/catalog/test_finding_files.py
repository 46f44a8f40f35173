"""A file of the library is named by path, number, digest or name; what is unclear is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kanna.catalog.naming import find_file, find_files
from kanna.catalog.store import Library
from kanna.errors import Incomplete, UsageError

SHA = "12345678" + "ab" * 28


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "l.sqlite3") as opened:
        for id_, path, sha256, present in (
            (1, "/m/anime.v2.safetensors", SHA, 1), (2, "/m/b/other.ckpt", "ff" * 32, 1),
            (3, "/n/other.ckpt", None, 0), (4, "/n/twin.pt", None, 1), (5, "/m/twin.pt", None, 1),
            (6, "/m/anime.safetensors", None, 1),
        ):  # fmt: skip
            with opened.writing() as connection:
                connection.execute(
                    "INSERT INTO file (id, path, name, fingerprint, size, modified, present,"
                    " first_seen, sha256) VALUES (?, ?, ?, '', 0, 0, ?, 0, ?)",
                    (id_, path, Path(path).name, present, sha256),
                )
        yield opened


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("/m/anime.v2.safetensors", 1), ("#2", 2), ("4", 4), (SHA, 1), (SHA[:10].upper(), 1),
        ("0xffffffff", 2), ("other.ckpt", 2), ("OTHER.CKPT", 2), ("other", 2), ("anime", 6),
        ("anime.v2", 1), ("12345678", 1),
    ],
)  # fmt: skip
def test_meanings(library: Library, text: str, id_: int) -> None:
    assert find_file(library, text)["id"] == id_


def test_several_are_refused_and_named(library: Library) -> None:
    with pytest.raises(UsageError) as caught:
        find_file(library, "twin.pt")
    assert {"#4", "#5"} <= set(str(caught.value).replace(",", " ").split())
    assert len(find_files(library, "twin.pt")) == 2


@pytest.mark.parametrize(
    "text", ["", "nothing", "#99", "abcdef0123", "%", "an", "\x00", "あ" * 999]
)
def test_what_is_not_there_is_told(library: Library, text: str) -> None:
    with pytest.raises(Incomplete):
        find_file(library, text)
