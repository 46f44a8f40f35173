"""Rows of the library go with their files, with all that people wrote into them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from filing_sets import MODEL, STEM, write_set
from kanna.api import carry_out_filing, plan_filing, plan_unfiling, settle_filings
from kanna.api.library_filing import _follower
from kanna.api.library_places import place_of_role
from kanna.catalog.following import gone, moved
from kanna.catalog.store import Library, path_of, path_value
from kanna.disk import Fingerprint
from kanna.errors import KannaError
from kanna.hashing.cache import key_of


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    path = tmp_path / "library" / "library.sqlite3"
    monkeypatch.setenv("KANNA_LIBRARY", str(path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with Library(path) as opened:
        yield opened


def add_root(
    library: Library, path: Path, source: Path, role: str = "active", kind: str | None = None
) -> None:
    with library.writing() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO source VALUES (?, 'a1111', ?, 'models', 0)", (str(source), role)
        )
        connection.execute(
            "INSERT INTO root (path, source, role, kind, added) VALUES (?, ?, ?, ?, 0)",
            (str(path), str(source), role, kind),
        )


def add_file(library: Library, path: Path, *tags: str, note: str | None = None) -> int:
    with library.writing() as connection:
        cursor = connection.execute(
            "INSERT INTO file (path, name, fingerprint, size, modified, first_seen, note)"
            " VALUES (?, ?, 'x', 1, 0, 0, ?)",
            (path_value(path), path.name, note),
        )
        for tag in tags:
            connection.execute("INSERT INTO tag VALUES (?, ?)", (cursor.lastrowid, tag))
    return cursor.lastrowid or 0


def files(library: Library) -> dict[int, tuple[Path, int]]:
    rows = library.rows("SELECT id, path, present FROM file")
    return {row["id"]: (path_of(row["path"]), row["present"]) for row in rows}


def tags(library: Library, file: int) -> set[str]:
    return {row["word"] for row in library.rows("SELECT word FROM tag WHERE file = ?", (file,))}


def do(verb: str, path: Path, **options: object) -> None:
    made = carry_out_filing(plan_filing(verb, [path], **options))  # type: ignore[arg-type]
    assert made.followed


def test_a_row_follows_its_file_there_and_back(library: Library, tmp_path: Path) -> None:
    model = write_set(tmp_path / "old")
    add_root(library, tmp_path / "new", tmp_path / "new")
    number = add_file(library, model, "good", note="mine")
    do("move", model, to=tmp_path / "new")
    there = tmp_path / "new" / MODEL
    (row,) = library.rows("SELECT * FROM file")
    assert (row["id"], path_of(row["path"]), row["note"]) == (number, there, "mine")
    assert row["fingerprint"] == key_of(Fingerprint.of(there.stat()))
    assert row["root"] == library.rows("SELECT id FROM root")[0]["id"]
    do("rename", there, stem="another")
    found = library.rows("SELECT rowid FROM file_words WHERE file_words MATCH 'another'")
    assert [one[0] for one in found] == [number]
    carry_out_filing(plan_unfiling())
    carry_out_filing(plan_unfiling())
    assert files(library) == {number: (model, 1)}
    assert tags(library, number) == {"good"}


def test_dots_in_a_destination_are_in_no_row(library: Library, tmp_path: Path) -> None:
    model = write_set(tmp_path / "old")
    number = add_file(library, model)
    do("move", model, to=tmp_path / "old" / ".." / "new")
    assert files(library) == {number: (tmp_path / "new" / MODEL, 1)}


def test_what_is_in_the_trash_keeps_its_row_until_it_comes_back(
    library: Library, tmp_path: Path
) -> None:
    model = write_set(tmp_path / "old")
    number = add_file(library, model, "good")
    do("trash", model)
    assert files(library) == {number: (model, 0)}
    carry_out_filing(plan_unfiling())
    assert files(library) == {number: (model, 1)}
    do("delete", model)
    assert files(library) == {number: (model, 0)}


def test_a_row_that_stood_at_the_new_path_gives_what_people_wrote(
    library: Library, tmp_path: Path
) -> None:
    model = write_set(tmp_path / "old")
    number = add_file(library, model, "a", "b", note="one")
    add_file(library, tmp_path / "new" / MODEL, "b", "c", note="two")
    do("move", model, to=tmp_path / "new")
    assert files(library) == {number: (tmp_path / "new" / MODEL, 1)}
    assert tags(library, number) == {"a", "b", "c"}
    assert library.rows("SELECT note FROM file")[0]["note"] == "one\ntwo"


def test_rows_below_a_folder_go_with_it_and_those_beside_it_stay(
    library: Library, tmp_path: Path
) -> None:
    old, new = tmp_path / "old", tmp_path / "新"
    numbers = [add_file(library, path) for path in (old, old / "a" / "b", tmp_path / "old2")]
    with library.writing():
        pass
    moved(library, [(old, new)])
    places = [path for path, _ in (files(library)[number] for number in numbers)]
    assert places == [new, new / "a" / "b", tmp_path / "old2"]
    gone(library, [new])
    assert [present for _, present in files(library).values()] == [0, 0, 1]


def test_a_library_that_cannot_be_told_is_told_by_the_next_run(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_set(tmp_path / "old")
    number = add_file(library, model)
    with monkeypatch.context() as patch:
        patch.setattr(
            "kanna.api.library_filing.moved", lambda *_: (_ for _ in ()).throw(KannaError("x.y"))
        )
        made = carry_out_filing(plan_filing("move", [model], to=tmp_path / "new"))
    assert not made.followed
    assert files(library) == {number: (model, 1)}
    assert settle_filings() == []
    assert files(library) == {number: (tmp_path / "new" / MODEL, 1)}
    assert _follower(tmp_path / "none.sqlite3") is not None


def test_files_can_be_named_as_the_library_knows_them(library: Library, tmp_path: Path) -> None:
    model = write_set(tmp_path / "old")
    number = add_file(library, model)
    for name in (f"#{number}", STEM, MODEL):
        (one,) = plan_filing("move", [name], to=tmp_path / "new").sets
        assert one.path == model


@pytest.mark.parametrize(
    ("path", "role", "place"),
    [
        ("webui/models/Lora/x/a.pt", "backup", "backup/models/Lora/x"),
        ("backup/models/Lora/x/a.pt", "active", "webui/models/Lora/x"),
        ("webui/models/VAE/a.pt", "backup", "vaes"),
        ("vaes/in/a.pt", "active", "webui/models/VAE/in"),
        ("elsewhere/loras/a.pt", "backup", "backup/loras"),
        ("backup/loras/in/a.pt", "active", "elsewhere/loras/in"),
    ],
)
def test_backups_keep_the_tree_of_the_program(
    path: str, role: str, place: str, library: Library, tmp_path: Path
) -> None:
    webui, backup = tmp_path / "webui", tmp_path / "backup"
    add_root(library, webui / "models/Lora", webui, kind="lora")
    add_root(library, webui / "models/VAE", webui, kind="vae")
    add_root(library, tmp_path / "elsewhere/loras", tmp_path / "extra.yaml", kind="lora")
    add_root(library, backup, backup, "backup")
    add_root(library, tmp_path / "vaes", tmp_path / "vaes", "backup", "vae")
    assert place_of_role(library, role)(tmp_path / path) == tmp_path / place


def test_a_place_that_nothing_tells_is_refused(library: Library, tmp_path: Path) -> None:
    def key(path: str, role: str) -> str:
        with pytest.raises(KannaError) as caught:
            place_of_role(library, role)(tmp_path / path)
        return caught.value.key

    assert key("a/x.pt", "backup") == "filing.no_roles"
    add_root(library, tmp_path / "b1", tmp_path / "b1", "backup")
    add_root(library, tmp_path / "a", tmp_path / "a")
    assert key("c/x.pt", "backup") == "filing.no_root"
    add_root(library, tmp_path / "b2", tmp_path / "b2", "backup")
    assert key("a/x.pt", "backup") == "filing.several_places"
    add_root(library, tmp_path / "w" / "Lora", tmp_path / "w", kind="lora")
    with library.writing() as connection:
        connection.execute("DELETE FROM root WHERE path = ?", (str(tmp_path / "a"),))
    assert key("b1/Other/x.pt", "active") == "filing.no_place"
