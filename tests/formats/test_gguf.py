"""GGUF headers: what is read, and every rule broken once."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers import gguf_bytes, gguf_entry, gguf_string, gguf_value, opened
from kanna.dtypes import WORDS
from kanna.errors import FormatError, KannaError
from kanna.formats import open_model
from kanna.formats.ggml_types import BlockType
from kanna.formats.gguf_typed import typed_values

NAME = "m.gguf"
U32, F32, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9


def u32(number: int) -> bytes:
    return struct.pack("<I", number)


def array(kind: int, count: int, raw: bytes = b"") -> bytes:
    return struct.pack("<IQ", kind, count) + raw


GOOD = gguf_bytes(
    [
        gguf_value("general.architecture", STRING, gguf_string("flux")),
        gguf_value("general.file_type", U32, u32(15)),
        gguf_value("scale", F32, struct.pack("<f", 0.5)),
        gguf_value("flag", BOOL, b"\1"),
        gguf_value("orig_shape", ARRAY, array(U32, 2, u32(320) + u32(4))),
        gguf_value("tokens", ARRAY, array(STRING, 100, gguf_string("鉋") * 100)),
        gguf_value("scores", ARRAY, array(F32, 100, bytes(400))),
    ],
    [
        gguf_entry("img_in.weight", [32, 2], 8, 0),
        gguf_entry("img_in.bias", [4, 2], 1, 96),
        gguf_entry("scalar", [], 0, 128),
    ],
    bytes(range(68)).ljust(96, b"\0") + bytes(range(16)).ljust(32, b"\0") + b"\0\0\x80?",
)


def test_a_header_becomes_tensors_and_text() -> None:
    with opened(GOOD, NAME) as model:
        assert model.container == "gguf"
        assert dict(model.metadata) == {
            "general.architecture": "flux",
            "general.file_type": "15",
            "scale": "0.5",
            "flag": "true",
            "orig_shape": "[320, 4]",
        }
        assert model["img_in.bias"].dtype is WORDS["fp16"]
        assert model["img_in.bias"].shape == (2, 4)
        assert model["img_in.bias"].read() == bytes(range(16))
        assert model["scalar"].shape == ()
        assert model["scalar"].read() == b"\0\0\x80?"


def test_a_quantised_tensor_is_seen() -> None:
    with opened(GOOD, NAME) as model:
        tensor = model["img_in.weight"]
        assert isinstance(tensor.dtype, BlockType)
        assert (tensor.dtype.word, tensor.shape, tensor.nbytes) == ("q8_0", (2, 32), 68)
        assert tensor.read() == bytes(range(68))
        assert not model.refused


def test_a_tensor_of_a_type_that_nothing_decodes_is_seen_and_refused() -> None:
    raw = gguf_bytes([], [gguf_entry("sums", [32, 2], 9, 0)], bytes(72))
    with opened(raw, NAME) as model:
        assert model["sums"].nbytes == 72
        assert model.refused["sums"].values == {"type": "q8_1"}


def orig_shape(*sizes: int) -> bytes:
    raw = array(U32, len(sizes), b"".join(map(u32, sizes)))
    return gguf_value("comfy.gguf.orig_shape.w", ARRAY, raw)


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (orig_shape(2, 1, 4), (2, 1, 4)),
        (orig_shape(3, 3), (4, 2)),
        (orig_shape(), (4, 2)),
        (gguf_value("comfy.gguf.orig_shape.w", STRING, gguf_string("8")), (4, 2)),
        (gguf_value("comfy.gguf.orig_shape.w", ARRAY, array(BOOL, 1, b"\1")), (4, 2)),
        (gguf_value("comfy.gguf.orig_shape.w", ARRAY, array(F32, 1, struct.pack("<f", 8))), (4, 2)),
        (gguf_value("comfy.gguf.orig_shape.w", ARRAY, array(U32, 65, u32(1) * 65)), (4, 2)),
    ],
)
def test_a_shape_that_the_metadata_keeps_is_restored_where_it_fits(
    value: bytes, shape: tuple[int, ...]
) -> None:
    with opened(gguf_bytes([value], [gguf_entry("w", [2, 4], 0, 0)], bytes(32)), NAME) as model:
        assert model["w"].shape == shape


def test_version_two_and_a_wider_alignment_read_the_same() -> None:
    alignment = gguf_value("general.alignment", U32, u32(4096))
    entries = [gguf_entry("a", [2], 24, 0), gguf_entry("b", [2], 24, 4096)]
    data = b"xy".ljust(4096, b"\0") + b"zw"
    with opened(gguf_bytes([alignment], entries, data, version=2, alignment=4096), NAME) as model:
        assert [tensor.read() for tensor in model.values()] == [b"xy", b"zw"]


def test_a_file_of_values_only_opens() -> None:
    with opened(gguf_bytes([gguf_value("a", BOOL, b"\0")]), NAME) as model:
        assert not model


def value(kind: int, raw: bytes) -> bytes:
    return gguf_bytes([gguf_value("k", kind, raw)])


def tensor(*entries: bytes) -> bytes:
    return gguf_bytes([], entries, bytes(4096))


ENTRY = gguf_entry("w", [4], 0, 0)
HUGE = struct.pack("<Q", 2**62)
BROKEN = {
    "version 1": (gguf_bytes(version=1), "gguf_version"),
    "the other byte order": (b"FUGG" + gguf_bytes()[4:], "gguf_version"),
    "the other byte order inside": (gguf_bytes(version=3 << 24), "gguf_version"),
    "an end after the magic": (b"GGUF", "gguf_cut"),
    "an absurd number of tensors": (b"GGUF" + u32(3) + HUGE + bytes(8), "gguf_count"),
    "an absurd number of values": (b"GGUF" + u32(3) + bytes(8) + HUGE, "gguf_count"),
    "a key that is longer than the file": (
        b"GGUF" + u32(3) + struct.pack("<QQ", 0, 1) + HUGE,
        "gguf_cut",
    ),
    "a text that is longer than the file": (value(STRING, HUGE), "gguf_cut"),
    "an array that is longer than the file": (value(ARRAY, array(STRING, 2**62)), "gguf_cut"),
    "an array of long texts": (value(ARRAY, array(STRING, 100, HUGE * 100)), "gguf_cut"),
    "an array of arrays": (value(ARRAY, array(ARRAY, 1, array(U32, 0))), "gguf_value_type"),
    "a value of an unknown type": (value(99, bytes(8)), "gguf_value_type"),
    "a truth value of two": (value(BOOL, b"\2"), "gguf_bool"),
    "a text that is no UTF-8": (value(STRING, struct.pack("<Q", 1) + b"\xff"), "gguf_text"),
    "a value twice": (gguf_bytes([gguf_value("k", BOOL, b"\0")] * 2), "duplicate"),
    "an alignment of zero": (
        gguf_bytes([gguf_value("general.alignment", U32, u32(0))]),
        "gguf_alignment",
    ),
    "an alignment of twelve": (
        gguf_bytes([gguf_value("general.alignment", U32, u32(12))]),
        "gguf_alignment",
    ),
    "an alignment in words": (
        gguf_bytes([gguf_value("general.alignment", STRING, gguf_string("32"))]),
        "gguf_alignment",
    ),
    "six dimensions": (tensor(gguf_entry("w", [1] * 6, 0, 0)), "gguf_rank"),
    "a shape beyond 64 bits": (tensor(gguf_entry("w", [2**32, 2**32], 0, 0)), "gguf_shape"),
    "an overflow behind a zero": (tensor(gguf_entry("w", [0, 2**40, 2**40], 0, 0)), "gguf_shape"),
    "a row that is no whole block": (tensor(gguf_entry("w", [33], 2, 0)), "gguf_shape"),
    "an unknown tensor type": (tensor(gguf_entry("w", [4], 9999, 0)), "gguf_type"),
    "a withdrawn tensor type": (tensor(gguf_entry("w", [4], 4, 0)), "gguf_type"),
    "a tensor twice": (tensor(ENTRY, gguf_entry("w", [4], 0, 32)), "duplicate"),
    "a tensor out of line": (tensor(gguf_entry("w", [4], 0, 8)), "gguf_offset"),
    "tensors that overlap": (
        tensor(gguf_entry("a", [64], 0, 0), gguf_entry("b", [4], 0, 32)),
        "gguf_offset",
    ),
    "a tensor beyond the end": (tensor(gguf_entry("w", [4], 0, 2**40)), "cut_short"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_for_what_it_is(case: str) -> None:
    content, key = BROKEN[case]
    with pytest.raises(FormatError) as caught, opened(content, NAME):
        pass
    assert caught.value.key == f"formats.{key}"
    assert caught.value.message


@given(st.integers(0, len(GOOD)), st.integers(0, 9), st.binary(max_size=9))
@settings(deadline=None, max_examples=300)
def test_a_damaged_file_is_refused_or_stays_within_its_bounds(
    start: int, removed: int, added: bytes
) -> None:
    raw = GOOD[:start] + added + GOOD[start + removed :]
    whole, refusal = False, ""
    try:
        with opened(raw, NAME) as model:
            whole = all(len(info.read()) == info.nbytes for info in model.values())
            told = {key: one.text for key, one in typed_values(model.files[0]).items()}
            assert {key: text for key, text in told.items() if text is not None} == model.metadata
    except KannaError as error:
        refusal = error.message
    assert refusal or whole


def test_only_the_header_of_a_large_file_is_read(tmp_path: Path) -> None:
    rows = 2_000_000
    entries = [gguf_entry("w", [256, rows], 12, 0)]
    path = tmp_path / NAME
    path.write_bytes(gguf_bytes([], entries))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + rows * 144)
    with open_model(path) as model:
        assert model["w"].nbytes == rows * 144
