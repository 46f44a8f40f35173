"""A library is made whole, and what is none is left as it is."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kanna.catalog.store import Library
from kanna.errors import FormatError, KannaError, UsageError


def test_a_library_is_made_once_and_opened_again(tmp_path: Path) -> None:
    place = tmp_path / "new" / "l.sqlite3"
    with Library(place) as library, library.writing() as connection:
        connection.execute("INSERT INTO source VALUES ('/m', NULL, 'active', 'both', 0)")
    with Library(place) as again:
        assert len(again.rows("SELECT * FROM source")) == 1


def test_one_of_a_newer_kanna_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "l.sqlite3"
    with Library(place) as library:
        library.connection.execute("PRAGMA user_version = 99")
    with pytest.raises(UsageError, match="newer kanna"):
        Library(place)


@pytest.mark.parametrize("script", ["CREATE TABLE t (a)", "CREATE TABLE t (a); PRAGMA user_version = 1",
                                    "PRAGMA application_id = 7"])  # fmt: skip
def test_a_database_of_another_program_stays_as_it_is(tmp_path: Path, script: str) -> None:
    place = tmp_path / "other.db"
    with closing(sqlite3.connect(place)) as connection:
        connection.executescript(script)
    before = place.read_bytes()
    with pytest.raises(FormatError, match="not a library"):
        Library(place)
    assert place.read_bytes() == before


def test_what_is_no_database_stays_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / "text"
    place.write_bytes(b"hello, this is a note of mine" * 40)
    with pytest.raises(FormatError, match="no database"):
        Library(place)
    assert place.read_bytes() == b"hello, this is a note of mine" * 40


def test_a_library_where_nothing_can_be_written_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "読む #1.sqlite3"
    with Library(place) as library, library.writing() as connection:
        connection.execute("INSERT INTO prompt (digest, prompt) VALUES (x'00', 'castle')")
    before = sorted(path.name for path in tmp_path.iterdir())
    monkeypatch.setattr(os, "access", lambda *_: False)
    with Library(place, make=False) as library:
        assert library.rows("SELECT prompt FROM prompt")[0][0] == "castle"
        with pytest.raises(KannaError) as caught, library.writing() as connection:
            connection.execute("DELETE FROM prompt")
        assert caught.value.key == "library.unusable"
    assert sorted(path.name for path in tmp_path.iterdir()) == before
