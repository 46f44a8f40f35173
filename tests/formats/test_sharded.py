"""Models in shards behind an index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from containers import safetensors_bytes, small, with_length, write_tree
from kanna.errors import FormatError, Incomplete, KannaError, UnsafeFile
from kanna.formats import open_model

INDEX = "model.safetensors.index.json"
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def index(**weight_map: object) -> dict[str, object]:
    return {"metadata": {"total_size": 32}, "weight_map": weight_map}


def refusal(folder: Path) -> KannaError:
    with pytest.raises(KannaError) as caught:
        open_model(folder / INDEX)
    assert caught.value.message
    assert caught.value.hint
    return caught.value


def test_all_shards_open_as_one_model_in_the_order_of_the_index(tmp_path: Path) -> None:
    save_file({"b": torch.ones(2), "c": torch.zeros(3)}, tmp_path / FIRST, {"format": "pt"})
    save_file({"a": torch.full((2, 2), 7.0)}, tmp_path / SECOND)
    write_tree(tmp_path, {INDEX: index(c=FIRST, a=SECOND, b=FIRST)})
    with open_model(tmp_path / INDEX) as model:
        assert model.container == "sharded-safetensors"
        assert list(model) == ["c", "a", "b"]
        assert torch.frombuffer(bytearray(model["a"].read()), dtype=torch.float32).eq(7).all()
        assert model.metadata == {"format": "pt"}
        assert not model.notes
        assert {file.path.name for file in model.files} == {INDEX, FIRST, SECOND}
        assert model.size == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    write_tree(tmp_path, {FIRST: small("a"), INDEX: index(a=FIRST, b=SECOND)})
    error = refusal(tmp_path)
    assert isinstance(error, Incomplete)
    assert SECOND in error.message
    assert "1 of 2" in error.message


def test_a_tensor_that_its_shard_lacks_is_named(tmp_path: Path) -> None:
    write_tree(tmp_path, {FIRST: small("a"), INDEX: index(a=FIRST, lost=FIRST)})
    error = refusal(tmp_path)
    assert isinstance(error, Incomplete)
    assert error.values["tensor"] == "lost"


def test_a_tensor_that_the_index_does_not_name_is_not_dropped_silently(tmp_path: Path) -> None:
    write_tree(tmp_path, {FIRST: small("a", "more"), INDEX: index(a=FIRST)})
    error = refusal(tmp_path)
    assert isinstance(error, FormatError)
    assert error.values["tensor"] == "more"


@pytest.mark.parametrize(
    "name", ["../a.safetensors", "x/../a.safetensors", "/a.safetensors", "..", "", "a\0b", "x\\a"]
)
def test_a_shard_elsewhere_is_not_followed(tmp_path: Path, name: str) -> None:
    write_tree(tmp_path, {"a.safetensors": small("a"), f"in/{INDEX}": index(a=name)})
    assert isinstance(refusal(tmp_path / "in"), UnsafeFile)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.safetensors": small("a"), f"in/{INDEX}": index(a=FIRST)})
    (tmp_path / "in" / FIRST).symlink_to(tmp_path / "a.safetensors")
    assert isinstance(refusal(tmp_path / "in"), UnsafeFile)


def test_the_links_of_a_hugging_face_cache_are_followed(tmp_path: Path) -> None:
    snapshot = tmp_path / "models--a--b" / "snapshots" / "0123"
    write_tree(tmp_path / "models--a--b", {"blobs/feed": small("a")})
    write_tree(snapshot, {INDEX: index(a=FIRST)})
    (snapshot / FIRST).symlink_to(Path("../../blobs/feed"))
    with open_model(snapshot / INDEX) as model:
        assert list(model) == ["a"]


BROKEN = {
    "a number for a file": (index(a=1), "index_map"),
    "a list for a map": ({"weight_map": ["a"]}, "index_map"),
    "an empty map": ({"weight_map": {}}, "index_map"),
    "no JSON": (b'{"weight_map": {', "json_invalid"),
    "a tensor twice": (b'{"weight_map": {"a": "x", "a": "y"}}', "duplicate"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_index_is_refused_for_what_it_is(tmp_path: Path, case: str) -> None:
    content, key = BROKEN[case]
    write_tree(tmp_path, {INDEX: content})
    assert refusal(tmp_path).key == f"formats.{key}"


def test_a_broken_shard_is_the_error_of_the_whole(tmp_path: Path) -> None:
    write_tree(tmp_path, {FIRST: with_length(b"{]"), INDEX: index(a=FIRST)})
    error = refusal(tmp_path)
    assert error.key == "formats.json_invalid"
    assert error.path == str(tmp_path / FIRST)


def test_a_pickle_called_safetensors_is_no_shard(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / FIRST)
    write_tree(tmp_path, {INDEX: index(a=FIRST)})
    assert refusal(tmp_path).key == "formats.pickle_in_disguise"


def test_pickled_shards_open_too(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "pytorch_model-00001-of-00001.bin")
    write_tree(tmp_path, {INDEX: index(a="pytorch_model-00001-of-00001.bin")})
    with open_model(tmp_path / INDEX) as model:
        assert model.container == "ckpt-zip"
        assert list(model) == ["a"]


def test_a_shard_alone_says_that_it_is_one(tmp_path: Path) -> None:
    write_tree(tmp_path, {SECOND: small("b")})
    with open_model(tmp_path / SECOND) as model:
        assert [note.key for note in model.notes] == ["formats.lone_shard"]
        assert model.notes[0].values == {"part": 2, "total": 2}


def test_shards_of_every_dtype_width_keep_their_places(tmp_path: Path) -> None:
    shard = safetensors_bytes({"x": ("U8", (3,), b"abc"), "y": ("I64", (1,), bytes(range(8)))})
    write_tree(tmp_path, {FIRST: shard, INDEX: index(y=FIRST, x=FIRST)})
    with open_model(tmp_path / INDEX) as model:
        assert model["y"].read() == bytes(range(8))
        assert model["x"].read() == b"abc"


def test_an_index_is_no_shard(tmp_path: Path) -> None:
    name = "self.safetensors.index.json"
    (tmp_path / name).write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(FormatError):
        open_model(tmp_path / name)


def test_a_pickled_shard_is_told(tmp_path: Path) -> None:
    torch.save({"b": torch.ones(2)}, tmp_path / "b.bin")
    (tmp_path / "a.safetensors").write_bytes(small("a"))
    index = {"weight_map": {"a": "a.safetensors", "b": "b.bin"}}
    (tmp_path / "x.index.json").write_text(json.dumps(index))
    with open_model(tmp_path / "x.index.json") as model:
        assert model.container == "ckpt-zip"
        assert "formats.pickled_shard" in {note.key for note in model.notes}
