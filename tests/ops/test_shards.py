"""Weights in files of a size."""

from __future__ import annotations

import json

import pytest

from kanna.dtypes import WORDS
from kanna.errors import UsageError
from kanna.ops.shards import parse_size, shards
from kanna.plan import Constant, Output


def outputs(*sizes: int) -> list[Output]:
    byte = WORDS["uint8"]
    return [Output(f"t{n}", byte, (size,), Constant(bytes(size))) for n, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("word", "size"),
    [("10GB", 10**10), ("5 gb", 5 * 10**9), ("500MiB", 500 * 2**20), ("1.5G", 1_500_000_000),
     ("123", 123), ("2KB", 2000)],
)  # fmt: skip
def test_sizes_are_read_as_people_write_them(word: str, size: int) -> None:
    assert parse_size(word) == size


@pytest.mark.parametrize("word", ["", "big", "-1GB", "0", "1.2.3GB", "GB", "1e9", "٣GB", "9" * 400])
def test_what_is_no_size_is_refused(word: str) -> None:
    with pytest.raises(UsageError):
        parse_size(word)


def test_one_file_needs_no_index() -> None:
    cut = shards(outputs(5, 5), "model", 10)
    assert list(cut.files) == ["model.safetensors"]
    assert cut.index is None


def test_files_are_filled_in_order_and_a_large_tensor_is_alone() -> None:
    cut = shards(outputs(4, 4, 4, 30, 1), "model", 8)
    assert [[one.name for one in held] for held in cut.files.values()] == [
        ["t0", "t1"], ["t3"], ["t2", "t4"],
    ]  # fmt: skip
    assert next(iter(cut.files)) == "model-00001-of-00003.safetensors"
    assert cut.index is not None
    index = json.loads(cut.index)
    assert index["metadata"]["total_size"] == 43
    assert index["weight_map"]["t3"] == "model-00002-of-00003.safetensors"
    assert cut.index_name == "model.safetensors.index.json"
