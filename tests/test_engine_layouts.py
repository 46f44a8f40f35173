"""The writing half of the containers: every byte of a file has its place and its owner."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load
from torch.utils.serialization import config

from engine_plans import dtype_of, raw
from kanna.dtypes import FP32, SAFETENSORS, TORCH, WORDS
from kanna.errors import Incompatible
from kanna.formats.checkpoint import layout as ckpt_layout
from kanna.formats.checkpoint.pickle_writer import write
from kanna.formats.layout import FileLayout, Spec, arrange

DIGEST = "ab" * 32


def lay_out(container: str, specs: Sequence[Spec], **given: object) -> FileLayout:
    options: dict[str, object] = {"metadata": {}, "digest_fields": {}, "extras": {}}
    return arrange(container, specs, **(options | given))  # type: ignore[arg-type]


def assemble(layout: FileLayout, data: list[bytes]) -> bytes:
    """Put a file together; fail if a byte belongs to nobody or to two."""
    pieces = [*zip(layout.offsets, data, strict=True)]
    pieces += layout.blocks(DIGEST, [zlib.crc32(d) for d in data])
    file = b""
    for offset, piece in sorted(piece for piece in pieces if piece[1]):
        assert offset == len(file)
        file += piece
    assert len(file) == layout.size
    return file


def torch_tensors() -> dict[str, torch.Tensor]:
    names = [name for name in TORCH if name != "complex32"]
    shapes = [(2, 3), (), (0, 4), (1, 5, 1)]
    made = {
        f"{name}.{shape}": torch.arange(60).view(torch.uint8)[: _bytes(name, shape)]
        for name in names
        for shape in shapes
    }
    return {
        f"{name}.{shape}": made[f"{name}.{shape}"].view(getattr(torch, name)).reshape(shape)
        for name in names
        for shape in shapes
    }


def _bytes(name: str, shape: tuple[int, ...]) -> int:
    return int(torch.empty(shape, dtype=getattr(torch, name)).nbytes)


def test_a_checkpoint_holds_every_dtype_that_torch_has() -> None:
    tensors = torch_tensors()
    specs = [(name, dtype_of(t), tuple(t.shape)) for name, t in tensors.items()]
    file = assemble(lay_out("ckpt", specs), [raw(t) for t in tensors.values()])
    assert zipfile.ZipFile(io.BytesIO(file)).testzip() is None
    loaded = torch.load(io.BytesIO(file), weights_only=True)
    assert list(loaded) == ["state_dict"]
    for name, tensor in tensors.items():
        found = loaded["state_dict"][name]
        assert (found.dtype, found.shape, raw(found)) == (tensor.dtype, tensor.shape, raw(tensor))
        assert found.stride() == tensor.stride(), name


@pytest.mark.parametrize("computed", [False, True])
def test_a_checkpoint_can_be_mapped(tmp_path: Path, *, computed: bool) -> None:
    tensors = torch_tensors()
    specs = [(name, dtype_of(t), tuple(t.shape)) for name, t in tensors.items()]
    path = tmp_path / "m.ckpt"
    path.write_bytes(assemble(lay_out("ckpt", specs), [raw(t) for t in tensors.values()]))
    with patch.object(config.load, "calculate_storage_offsets", computed):
        loaded = torch.load(path, weights_only=True, mmap=True)["state_dict"]
    assert all(raw(loaded[name]) == raw(tensor) for name, tensor in tensors.items())


def test_payloads_of_a_checkpoint_are_aligned_and_stored_as_they_are() -> None:
    specs = [(f"t{i}", FP32, (i,)) for i in range(20)]
    layout = lay_out("ckpt", specs)
    file = assemble(layout, [bytes(4 * i) for i in range(20)])
    assert all(offset % 64 == 0 for offset in layout.offsets)
    entries = zipfile.ZipFile(io.BytesIO(file)).infolist()
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    names = ["data.pkl", ".format_version", ".storage_alignment", "byteorder"]
    names += [f"data/{i}" for i in range(20)] + ["version"]
    assert [entry.filename for entry in entries] == [f"archive/{name}" for name in names]


def test_extras_come_back_as_they_were() -> None:
    extras = {
        "epoch": 3, "global_step": 2**40, "big": -(3**200), "lr": 1e-5,
        "nothing": None, "on": True, "off": False, "名": "前", "pair": (1, ()), "list": [1, [2.5]],
        "nested": {"a": {1: "x", None: []}},
    }  # fmt: skip
    layout = lay_out("ckpt", [], extras=extras, metadata={"title": "鉋"}, digest_fields={"h": "0x"})
    loaded = torch.load(io.BytesIO(assemble(layout, [])), weights_only=True)
    assert loaded == extras | {"state_dict": {}, "metadata": {"title": "鉋", "h": "0x" + DIGEST}}


class Word(str):
    """Text that is more than text."""

    __slots__ = ()


@pytest.mark.parametrize(
    "value", [object(), {1}, b"bytes", Word("x"), torch.ones(1), "\ud800", 2**3000]
)
def test_what_is_no_plain_data_is_refused(value: object) -> None:
    with pytest.raises(Incompatible):
        lay_out("ckpt", [], extras={"deep": [value]})


def test_data_nested_without_end_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(Incompatible):
        write(endless)


@pytest.mark.parametrize("limit", [100, 5000])
def test_large_sizes_and_offsets_use_zip64(limit: int) -> None:
    """With the limit of 4 GiB lowered, everything above it must go through the 64-bit fields."""
    data = [bytes([i]) * size for i, size in enumerate((7000, 50, 0, 5000, 4999, 20))]
    with patch.object(ckpt_layout, "_LIMIT", limit):
        layout = lay_out("ckpt", [(f"t{i}", WORDS["uint8"], (len(d),)) for i, d in enumerate(data)])
        file = assemble(layout, data)
    archive = zipfile.ZipFile(io.BytesIO(file))
    assert archive.testzip() is None
    assert [archive.read(f"archive/data/{i}") for i in range(len(data))] == data


def test_files_beyond_four_gigabytes_are_laid_out_without_being_written() -> None:
    sizes = [3 << 30, 5 << 30, 1 << 20, 0, (1 << 32) - 1]
    layout = lay_out("ckpt", [(f"t{i}", WORDS["uint8"], (size,)) for i, size in enumerate(sizes)])
    ends = [offset + size for offset, size in zip(layout.offsets, sizes, strict=True)]
    assert all(offset % 64 == 0 for offset in layout.offsets)
    assert all(end < start for end, start in zip(ends, layout.offsets[1:], strict=False))
    blocks = list(layout.blocks(DIGEST, [0] * len(sizes)))
    covered = sum(len(block) for _, block in blocks) + sum(sizes)
    assert covered == layout.size


def test_a_safetensors_file_holds_every_dtype_it_has_a_name_for() -> None:
    specs = [(word, dtype, (2, 4)) for word, dtype in WORDS.items() if dtype.safetensors]
    file = assemble(
        lay_out("safetensors", specs), [bytes(dtype.nbytes(8)) for _, dtype, _ in specs]
    )
    header = json.loads(file[8 : 8 + int.from_bytes(file[:8], "little")])
    assert {entry["dtype"] for entry in header.values()} == set(SAFETENSORS)
    assert list(header) == [name for name, _, _ in specs]


@given(
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True, max_size=8),
    shape=st.lists(st.integers(0, 3), max_size=3),
    metadata=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])),
        st.text(st.characters(exclude_categories=["Cs"])), max_size=3,
    ),
)  # fmt: skip
@settings(deadline=None, max_examples=50)
def test_any_names_and_metadata_are_read_back_by_safetensors(
    tmp_path_factory: pytest.TempPathFactory,
    names: list[str],
    shape: list[int],
    metadata: dict[str, str],
) -> None:
    names = [name for name in names if name != "__metadata__"]
    specs: list[Spec] = [(name, FP32, tuple(shape)) for name in names]
    layout = lay_out("safetensors", specs, metadata=metadata)
    data = [torch.full(shape, float(i)) for i in range(len(names))]
    file = assemble(layout, [raw(t) for t in data])
    loaded = load(file)
    assert all(torch.equal(loaded[name], t) for name, t in zip(names, data, strict=True))
    path = tmp_path_factory.mktemp("any") / "m"
    path.write_bytes(file)
    with safe_open(path, "pt") as opened:
        assert (opened.metadata() or {}) == metadata
    assert all(offset % 8 == layout.offsets[0] % 8 == 0 for offset in layout.offsets[:1])


def test_names_that_a_container_cannot_hold_are_refused() -> None:
    for container in ("safetensors", "ckpt"):
        with pytest.raises(Incompatible, match="Unicode"):
            lay_out(container, [("\ud800", FP32, (1,))])
        with pytest.raises(Incompatible, match="called w"):
            lay_out(container, [("w", FP32, (1,)), ("w", FP32, (2,))])
    with pytest.raises(Incompatible, match="__metadata__"):
        lay_out("safetensors", [("__metadata__", FP32, (1,))])
    with pytest.raises(Incompatible, match="Unicode"):
        lay_out("safetensors", [], metadata={"title": "\udcff"})


@pytest.mark.parametrize(
    ("container", "word", "count"),
    [("safetensors", "complex128", 1), ("safetensors", "fp4", 3), ("ckpt", "fp6_e2m3", 4)],
)
def test_dtypes_that_a_container_cannot_hold_are_refused_by_name(
    container: str, word: str, count: int
) -> None:
    with pytest.raises(Incompatible, match=rf"odd\.one.*{word}"):
        lay_out(container, [("odd.one", WORDS[word], (count,))])


def test_a_header_that_readers_would_refuse_is_refused() -> None:
    with pytest.raises(Incompatible, match="100,000,000"):
        lay_out("safetensors", [], metadata={"notes": "x" * 100_000_001})
