"""Other metadata, the same weights: in place where it fits, else in a file of its own."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from containers import safetensors_bytes, small, with_length
from kanna.api import EditOptions, RunOptions, read_metadata, set_metadata, strip_metadata
from kanna.api.meta_values import Edited
from kanna.disk import undo
from kanna.engine import new_header, rewriting
from kanna.errors import FormatError, Incompatible, KannaError, OutputExists, UsageError

DATA = bytes(range(256))
MEMORY = Path("/dev/shm")  # a disk would be asked to sync hundreds of times
DRY = EditOptions(dry_run=True)
FULL = EditOptions(run_options=RunOptions(verify="full"))
FORCE = EditOptions(run_options=RunOptions(force=True))


def model_bytes(metadata: dict[str, str] | None = None) -> bytes:
    tensors = {"b": ("U8", (100,), DATA[:100]), "a.1": ("F32", (39,), DATA[100:])}
    return safetensors_bytes(tensors, metadata)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.safetensors"
    path.write_bytes(model_bytes({"format": "pt", "modelspec.title": "old"}))
    return path


def head_and_data(path: Path) -> tuple[bytes, bytes]:
    raw = path.read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    return raw[:start], raw[start:]


def read_by_safetensors(path: Path) -> tuple[dict[str, str], dict[str, bytes]]:
    with safe_open(path, framework="np") as file:
        return file.metadata() or {}, {key: file.get_tensor(key).tobytes() for key in file.keys()}  # noqa: SIM118


def set_to(path: Path, options: EditOptions | None = None, **fields: str) -> Edited:
    return set_metadata(path, fields, options=options)


def test_what_does_not_fit_makes_a_new_file_with_room_and_the_next_edit_is_in_place(
    model: Path,
) -> None:
    first = set_to(model, title="a title that is longer than what stood there before")
    assert first.way == "new_file"
    head, data = head_and_data(model)
    assert data == DATA
    assert len(head) % 4096 == 0
    assert 4096 <= first.room == len(head) - len(head.rstrip(b" "))
    inode, before = model.stat().st_ino, model.stat().st_mtime_ns
    second = set_to(model, author="somebody")
    assert second.way == "in_place"
    assert model.stat().st_ino == inode
    assert model.stat().st_mtime_ns >= before
    assert head_and_data(model)[1] == DATA
    assert len(head_and_data(model)[0]) == len(head)
    metadata, tensors = read_by_safetensors(model)
    assert metadata["modelspec.author"] == "somebody"
    assert tensors == {"b": DATA[:100], "a.1": DATA[100:]}
    assert sorted(entry.name for entry in model.parent.iterdir()) == [model.name]


def test_what_is_shorter_or_as_long_stays_where_it_is(model: Path) -> None:
    start = len(head_and_data(model)[0])
    assert set_to(model, title="new").way == "in_place"
    assert strip_metadata(model, ["title"]).way == "in_place"
    assert len(head_and_data(model)[0]) == start
    assert read_by_safetensors(model)[0] == {"format": "pt"}


def test_the_order_of_names_and_the_place_of_data_stay_where_they_differ(tmp_path: Path) -> None:
    header = {
        "z": {"data_offsets": [4, 8], "shape": [4], "dtype": "U8"},
        "a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
        "empty": {"dtype": "F16", "shape": [0, 3], "data_offsets": [8, 8]},
    }
    path = tmp_path / "m.safetensors"
    path.write_bytes(with_length(json.dumps(header).encode(), b"AAAAZZZZ"))
    assert set_to(path, title="x" * 100).way == "new_file"
    head, data = head_and_data(path)
    assert data == b"AAAAZZZZ"
    made = json.loads(head[8:])
    assert [*made] == ["__metadata__", "z", "a", "empty"]
    assert {key: made[key] for key in header} == header
    assert set_to(path, title="y").way == "in_place"
    assert [*json.loads(head_and_data(path)[0][8:])] == ["__metadata__", "z", "a", "empty"]


def test_a_dry_run_writes_nothing_and_says_the_same(model: Path) -> None:
    raw = model.read_bytes()
    state = model.stat()
    planned = set_to(model, DRY, title="t" * 500)
    assert model.read_bytes() == raw
    assert model.stat().st_mtime_ns == state.st_mtime_ns
    done = set_to(model, title="t" * 500)
    assert (planned.way, planned.changes, planned.room, planned.size) == (
        done.way, done.changes, done.room, done.size,
    )  # fmt: skip
    assert planned.digests.autov1 == done.digests.autov1
    assert planned.dry_run
    assert planned.verified is None


def test_an_edit_that_changes_nothing_touches_nothing(model: Path) -> None:
    before = model.stat()
    assert set_to(model, title="old").way == "nothing"
    after = model.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_output_leaves_the_file_as_it_is(model: Path, tmp_path: Path) -> None:
    raw, out = model.read_bytes(), tmp_path / "out.safetensors"
    made = set_to(model, EditOptions(destination=out), title="new")
    assert model.read_bytes() == raw
    assert made.way == "new_file"
    assert head_and_data(out)[1] == DATA
    with pytest.raises(OutputExists):
        set_to(model, EditOptions(destination=out), title="newer")
    with pytest.raises(UsageError):
        set_to(model, EditOptions(destination=model, run_options=RunOptions(force=True)), title="x")
    (tmp_path / "folder").mkdir()
    made = set_to(model, EditOptions(destination=tmp_path / "folder"), title="new")
    assert made.destination == tmp_path / "folder" / model.name
    assert made.destination.is_file()


def test_all_data_is_hashed_before_and_after_where_that_is_asked_for(model: Path) -> None:
    for title in ("new", "n" * 300):
        made = set_to(model, FULL, title=title)
        assert made.verified == "full"
        assert made.digests.data_sha256 == hashlib.sha256(DATA).hexdigest()


def test_data_that_changed_under_an_edit_is_told(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = undo.replace_bytes

    def damaging(path: Path, *arguments: object) -> None:
        original(path, *arguments)  # type: ignore[arg-type]
        with path.open("rb+") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"!")

    monkeypatch.setattr(rewriting, "replace_bytes", damaging)
    with pytest.raises(KannaError) as caught:
        set_to(model, FULL, title="new")
    assert caught.value.key == "engine.edit_damaged"


def test_a_copy_that_fails_leaves_the_file_and_nothing_else(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = model.read_bytes()

    def failing(*_: object) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(rewriting, "_copy_data", failing)
    with pytest.raises(KannaError) as caught:
        set_to(model, title="t" * 500)
    assert caught.value.key == "engine.disk_full"
    assert model.read_bytes() == raw
    assert [entry.name for entry in model.parent.iterdir()] == [model.name]


def test_a_file_that_reads_back_differently_takes_no_place(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = model.read_bytes()
    monkeypatch.setattr(rewriting, "_copy_data", lambda *_: None)  # leaves zeros
    with pytest.raises(KannaError) as caught:
        set_to(model, FULL, title="t" * 500)
    assert caught.value.key == "engine.not_as_written"
    assert model.read_bytes() == raw


def test_permissions_stay(model: Path) -> None:
    model.chmod(0o640)
    assert set_to(model, title="t" * 500).way == "new_file"
    assert stat.S_IMODE(model.stat().st_mode) == 0o640


def test_links_and_protected_files_are_refused_before_anything(model: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.safetensors"
    link.symlink_to(model)
    raw = model.read_bytes()
    for options in (None, DRY):
        with pytest.raises(UsageError) as caught:
            set_to(link, options, title="x")
        assert caught.value.key == "engine.edit_link"
    model.chmod(0o444)
    with pytest.raises(UsageError) as caught:
        set_to(model, title="x")
    assert caught.value.key == "engine.edit_protected"
    assert model.read_bytes() == raw


def test_other_names_of_a_file_are_asked_about_or_keep_what_they_had(
    model: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.safetensors"
    os.link(model, other)
    raw = model.read_bytes()
    with pytest.raises(UsageError) as caught:
        set_to(model, title="new")
    assert caught.value.key == "engine.edit_names"
    forced = set_to(model, FORCE, title="new")
    assert [note.key for note in forced.notes] == ["meta.all_names"]
    assert other.read_bytes() == model.read_bytes() != raw
    raw = other.read_bytes()
    anew = set_to(model, title="t" * 500)
    assert [note.key for note in anew.notes] == ["meta.other_names"]
    assert other.read_bytes() == raw


def test_a_file_that_somebody_has_open_is_told(model: Path) -> None:
    with model.open("rb"):
        assert "meta.in_use" in [note.key for note in set_to(model, title="new").notes]
    assert set_to(model, title="old").notes == ()


def autov1(raw: bytes) -> str:
    return hashlib.sha256(raw[0x100000:0x110000]).hexdigest()[:8]


@pytest.mark.parametrize("size", [100, 0x100000 - 300, 0x100000 + 50, 0x110000, 0x200000])
def test_autov1_is_foretold(size: int, tmp_path: Path) -> None:
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    path = tmp_path / "m.safetensors"
    path.write_bytes(safetensors_bytes({"w": ("U8", (size,), data)}, {"modelspec.title": "x" * 9}))
    for title in ("y", "y" * 200, "y" * 70_000):
        before = autov1(path.read_bytes())
        made = set_to(path, title=title)
        after = autov1(path.read_bytes())
        assert made.digests.autov1 == (before, after)
        assert ("autov1" in made.digests.kept) == (before == after)
        assert {"sha256", "autov2", "crc32", "blake3"} <= set(made.digests.changed)
        assert "autov3" in made.digests.kept


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", FormatError),
        (with_length(b"{}")[:9], FormatError),
        (with_length(b'{"__metadata__":{"a":"1","a":"2"}}'), FormatError),
        (with_length(b'{"__metadata__":{"a":1}}'), FormatError),
        (with_length(b'{"__metadata__":{"a":null}}'), FormatError),
        (with_length(b'{"__metadata__":[]}'), FormatError),
        (with_length(b'{"__metadata__":{"a":{"b":"c"}}}'), FormatError),
        (with_length(b'{"__metadata__":{"a":"\xff"}}'), FormatError),
        (with_length(b'{"__metadata__":{"a":"\\ud800"}}'), FormatError),
        (with_length(b'{"__metadata__":{"a":"x"'), FormatError),
        (small("w") + b"trailing", FormatError),
        (small("w")[:-1], FormatError),
        (struct.pack("<Q", 2**40) + b"{", KannaError),
    ],
)
def test_broken_headers_are_refused_and_left_alone(
    content: bytes, error: type[KannaError], tmp_path: Path
) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(error):
        set_to(path, title="x")
    with pytest.raises(error):
        strip_metadata(path, everything=True)
    assert path.read_bytes() == content
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_header_beyond_what_readers_accept_is_refused(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = model.read_bytes()
    monkeypatch.setattr(new_header, "HEADER_LIMIT", 10_000)
    assert set_to(model, DRY, title="t" * 9_500).room < 4096
    with pytest.raises(Incompatible):
        set_to(model, title="t" * 10_000)
    assert model.read_bytes() == raw


def test_a_file_without_tensors_or_metadata_will_do(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(with_length(b"{}"))
    set_to(path, title="x")
    assert read_metadata(path).fields == {"modelspec.title": "x"}
    strip_metadata(path, everything=True)
    assert read_metadata(path).fields == {}
    assert json.loads(head_and_data(path)[0][8:]) == {}


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
KEYS = st.from_regex(r"[a-z]{1,8}[._][A-Za-z0-9_]{1,8}", fullmatch=True).filter(
    lambda key: not key.startswith(("modelspec.", "ss_"))
)


@settings(max_examples=25)
@given(
    st.dictionaries(KEYS, TEXT, max_size=6),
    st.lists(st.dictionaries(KEYS, TEXT, max_size=4), max_size=4),
)
def test_whatever_is_set_and_stripped_the_weights_stay_and_all_readers_agree(
    first: dict[str, str], edits: list[dict[str, str]]
) -> None:
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        path = Path(folder, "m.safetensors")
        path.write_bytes(model_bytes(first))
        wanted = dict(first)
        for fields in edits:
            set_metadata(path, fields)
            wanted |= fields
            assert read_by_safetensors(path) == (wanted, {"b": DATA[:100], "a.1": DATA[100:]})
            going = [*wanted][:1]
            strip_metadata(path, going)
            wanted = {key: value for key, value in wanted.items() if key not in going}
            assert read_metadata(path).fields == wanted
        metadata, tensors = read_by_safetensors(path)
        assert (metadata, tensors) == (wanted, {"b": DATA[:100], "a.1": DATA[100:]})
