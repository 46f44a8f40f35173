"""safetensors files against the reference implementation, and sizes that only sparse files have."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path

import pytest
import safetensors
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from containers import Tensor, opened, safetensors_bytes, with_length
from kanna.disk import reading
from kanna.dtypes import SAFETENSORS, TORCH
from kanna.errors import FormatError, KannaError
from kanna.formats import open_model
from kanna.model import ModelFile

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(
    lambda name: name != "__metadata__"
)


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    dtype = draw(st.sampled_from(sorted(SAFETENSORS)))
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    if prod(shape) * SAFETENSORS[dtype].bits % 8:
        shape.append(8)
    nbytes = prod(shape) * SAFETENSORS[dtype].bits // 8
    return dtype, shape, draw(st.binary(min_size=nbytes, max_size=nbytes))


def content(model: ModelFile) -> dict[str, tuple[str | None, list[int], bytes]]:
    return {
        name: (tensor.dtype.safetensors, list(tensor.shape), tensor.read())
        for name, tensor in model.items()
    }


def reference(raw: bytes) -> dict[str, tuple[str, list[int], bytes]]:
    return {
        name: (info["dtype"], info["shape"], bytes(info["data"]))
        for name, info in safetensors.deserialize(raw)  # type: ignore[no-untyped-call]
    }


@given(
    st.dictionaries(NAMES, tensors(), max_size=6),
    st.none() | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), NAMES),
)
@settings(deadline=None, max_examples=60)
def test_any_valid_file_reads_as_the_reference_reads_it(
    entries: dict[str, Tensor], metadata: dict[str, str] | None
) -> None:
    raw = safetensors_bytes(entries, metadata)
    with opened(raw) as model:
        assert content(model) == reference(raw)
        assert list(model) == list(entries)
        assert dict(model.metadata) == (metadata or {})


EDITS = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 4), st.binary(max_size=4)),
    min_size=1,
    max_size=3,
)


@given(EDITS)
@settings(deadline=None, max_examples=300)
def test_a_damaged_file_is_refused_or_reads_as_the_reference_reads_it(
    edits: list[tuple[int, int, bytes]],
) -> None:
    raw = bytearray(
        safetensors_bytes(
            {"a": ("F16", (2, 3), b"abcdefghijkl"), "b.é": ("I64", (1,), b"\x07" + bytes(7))},
            {"format": "pt"},
        )
    )
    for place, removed, added in edits:
        start = place % (len(raw) + 1)
        raw[start : start + removed] = added
    found, refusal = None, ""
    try:
        with opened(bytes(raw)) as model:
            found = content(model)
    except KannaError as error:
        refusal = error.message
    assert refusal or found == reference(bytes(raw))


@pytest.mark.parametrize("word", [word for word, dtype in TORCH.items() if dtype.safetensors])
def test_every_torch_dtype_that_the_reference_writes_comes_back(tmp_path: Path, word: str) -> None:
    whole = torch.arange(8, dtype=torch.uint8).repeat(4)
    tensor = whole.view(getattr(torch, word)) if word != "bool" else whole > 3
    save_file({"w": tensor}, tmp_path / "m.safetensors", {"note": "鉋"})
    with open_model(tmp_path / "m.safetensors") as model:
        assert model["w"].dtype is TORCH[word]
        assert model["w"].shape == tuple(tensor.shape)
        assert model["w"].read() == bytes(tensor.view(torch.uint8).tolist())
        assert model.metadata == {"note": "鉋"}


def test_order_of_the_header_is_kept_where_offsets_run_otherwise() -> None:
    header = {
        "last": {"dtype": "U8", "shape": [2], "data_offsets": [1, 3]},
        "first": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
    }
    with opened(with_length(json.dumps(header).encode(), b"abc")) as model:
        assert list(model) == ["last", "first"]
        assert model["last"].read() == b"bc"


def sparse(path: Path, megabytes: int, size: int | None = None) -> Path:
    """A file of `megabytes` tensors of 1 MB each that takes no room on the disk."""
    header = {
        f"blocks.{i}.weight": {
            "dtype": "F16",
            "shape": [500, 1000],
            "data_offsets": [i * 10**6, (i + 1) * 10**6],
        }
        for i in range(megabytes)
    }
    raw = with_length(json.dumps(header).encode())
    with path.open("wb") as file:
        file.write(raw)
        file.truncate(len(raw) + megabytes * 10**6 if size is None else size)
    return path


def test_opening_reads_the_header_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    plain_read = reading._read_at

    def counting(fd: int, out: memoryview, offset: int) -> int:
        read.append(plain_read(fd, out, offset))
        return read[-1]

    monkeypatch.setattr(reading, "_read_at", counting)
    with open_model(sparse(tmp_path / "big.safetensors", 24_000)) as model:
        assert len(model) == 24_000
        assert model.size > 24 * 10**9
        assert sum(read) < 3 * 10**6


def test_a_stopped_download_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        open_model(sparse(tmp_path / "cut.safetensors", 4000, size=2_440_500_000))
    assert caught.value.key == "formats.cut_short"
    assert "61 %" in caught.value.message
    assert "2.44 GB of 4 GB" in caught.value.message


def test_a_hundred_thousand_tensors_open(tmp_path: Path) -> None:
    header = ",".join(
        f'"{i}":{{"dtype":"U8","shape":[],"data_offsets":[{i},{i + 1}]}}' for i in range(100_000)
    )
    path = tmp_path / "many.safetensors"
    path.write_bytes(with_length(f"{{{header}}}".encode(), bytes(100_000)))
    with open_model(path) as model:
        assert len(model) == 100_000
        assert model["99999"].read() == b"\0"
