"""GGUF as kanna lays it out, read by gguf's own reader; and what gguf writes, read by ours."""

from __future__ import annotations

import warnings
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanna.dtypes import WORDS, DType
from kanna.engine import run
from kanna.errors import Incompatible
from kanna.formats import open_model
from kanna.formats.ggml_types import GGML_TYPES, BlockType
from kanna.formats.gguf_layout import ALIGNMENT, folded
from kanna.formats.gguf_typed import Typed, i32_array, string, typed_values, u32
from kanna.formats.layout import FileLayout, arrange
from kanna.plan import Constant, Output, Plan

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import gguf

TYPES = {dtype.word: dtype for dtype in GGML_TYPES.values()}
Q8_0, Q4_K = TYPES["q8_0"], TYPES["q4_k"]
FP16, FP32 = WORDS["fp16"], WORDS["fp32"]


def written(
    path: Path,
    outputs: list[tuple[str, DType, tuple[int, ...]]],
    *,
    values: dict[str, Typed] | None = None,
    metadata: dict[str, str] | None = None,
    digest_fields: dict[str, str] | None = None,
) -> dict[str, bytes]:
    """Write random bytes as such tensors; the engine itself verifies the file."""
    random = np.random.default_rng(0)
    data = {name: random.bytes(dtype.nbytes(prod(shape))) for name, dtype, shape in outputs}
    plan = Plan(
        outputs=tuple(Output(n, dtype, shape, Constant(data[n])) for n, dtype, shape in outputs),
        container="gguf", inputs=(), metadata=metadata or {},
        digest_fields=digest_fields or {}, extras={"gguf": values or {}},
    )  # fmt: skip
    run(plan, path)
    return data


def field(reader: Any, key: str) -> tuple[list[str], Any]:
    found = reader.get_field(key)
    return [kind.name for kind in found.types], found.contents()


def test_gguf_reads_every_value_with_its_type_and_every_tensor(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    outputs = [
        ("a.weight", Q8_0, (4, 64)),
        ("a.bias", FP32, (3,)),
        ("b.weight", WORDS["bf16"], (2, 1, 5)),
        ("ids", WORDS["int64"], (1, 77)),
        ("scalar", FP16, ()),
    ]
    values = {
        "general.architecture": string("flux"),
        "general.quantization_version": u32(2),
        "list": i32_array((1, -2, 3)),
    }
    data = written(path, outputs, values=values, metadata={"kanna.history": "[鉋]"},
                   digest_fields={"modelspec.hash_sha256": "0x"})  # fmt: skip
    reader = gguf.GGUFReader(path)
    assert field(reader, "general.architecture") == (["STRING"], "flux")
    assert field(reader, "general.quantization_version") == (["UINT32"], 2)
    assert field(reader, "list") == (["ARRAY", "INT32"], [1, -2, 3])
    assert field(reader, "kanna.history") == (["STRING"], "[鉋]")
    assert field(reader, "modelspec.hash_sha256")[1].startswith("0x")
    assert next(iter(reader.fields.values())).name == "GGUF.version"
    assert list(reader.fields)[3] == "general.architecture"
    assert [tensor.name for tensor in reader.tensors] == [name for name, _, _ in outputs]
    for tensor, (name, dtype, shape) in zip(reader.tensors, outputs, strict=True):
        assert tensor.tensor_type.name.lower() == {
            "fp32": "f32", "fp16": "f16", "int64": "i64",
        }.get(dtype.word, dtype.word)  # fmt: skip
        assert tuple(map(int, reversed(tensor.shape))) == shape
        assert tensor.data.tobytes() == data[name]
        assert int(tensor.data_offset) % ALIGNMENT == 0
    assert path.stat().st_size % ALIGNMENT == 0


def test_shapes_that_the_container_cannot_hold_are_folded_and_restored(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    outputs = [
        ("conv3d.weight", FP32, (16, 8, 1, 2, 2)),
        ("conv.weight", Q8_0, (8, 32, 3, 3)),
        ("small.weight", Q8_0, (2, 16)),
        ("asked.weight", FP16, (320, 4, 3, 3)),
        ("plain.weight", FP16, (4, 3, 3, 3)),
        ("empty", FP32, (0,)),
    ]
    asked = {"comfy.gguf.orig_shape.asked.weight": i32_array((320, 4, 3, 3))}
    data = written(path, outputs, values=asked)
    reader = gguf.GGUFReader(path)
    stored = {tensor.name: tuple(map(int, reversed(tensor.shape))) for tensor in reader.tensors}
    assert stored == {
        "conv3d.weight": (128, 1, 2, 2),
        "conv.weight": (9, 256),
        "small.weight": (1, 32),
        "asked.weight": (45, 256),
        "plain.weight": (4, 3, 3, 3),
        "empty": (0,),
    }
    for name, _, shape in outputs[:4]:
        kinds, sizes = field(reader, f"comfy.gguf.orig_shape.{name}")
        assert (kinds, tuple(sizes)) == (["ARRAY", "INT32"], shape)
    assert reader.get_field("comfy.gguf.orig_shape.plain.weight") is None
    with open_model(path) as model:
        assert [(t.name, t.dtype, t.shape) for t in model.values()] == outputs
        assert {name: tensor.read() for name, tensor in model.items()} == data


def test_what_gguf_writes_of_every_type_is_read(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "flux")
    writer.add_uint8("u8", 200)
    writer.add_int8("i8", -3)
    writer.add_uint16("u16", 60000)
    writer.add_int16("i16", -3)
    writer.add_uint32("u32", 2**32 - 1)
    writer.add_int32("i32", -(2**31))
    writer.add_uint64("u64", 2**64 - 1)
    writer.add_int64("i64", -(2**63))
    writer.add_float32("f32", 0.5)
    writer.add_float64("f64", 0.1)
    writer.add_bool("yes", val=True)
    writer.add_array("words", ["鉋", "かんな"])
    data: dict[str, bytes] = {}
    for kind in gguf.GGMLQuantizationType:
        word = {"F32": "fp32", "F16": "fp16", "F64": "fp64"}.get(kind.name)
        dtype = TYPES[word or kind.name.lower().replace("i8", "int8")] if word else GGML_TYPES[kind]
        if dtype.word == "q8_1":
            continue  # gguf counts 40 bytes for a block, as ggml once did
        elements = dtype.elements if isinstance(dtype, BlockType) else 1
        row = dtype.nbytes(2 * elements)
        raw = random.integers(0, 256, (3, row), dtype=np.uint8)
        data[kind.name] = raw.tobytes()
        writer.add_tensor(kind.name, raw, raw_shape=(3, row), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with open_model(path) as model:
        assert {name: tensor.read() for name, tensor in model.items()} == data
        assert {name: tensor.shape[0] for name, tensor in model.items()} == dict.fromkeys(data, 3)
        assert set(model.refused) == {"Q8_K", "Q1_0"}
        typed = typed_values(model.files[0])
        assert {key: one.text for key, one in typed.items()} == dict(model.metadata)
    reader = gguf.GGUFReader(path)
    for key, one in typed.items():
        found = reader.get_field(key)
        assert found is not None
        assert one.kind == found.types[0]
        assert one.encoded == b"".join(part.tobytes() for part in found.parts[2:])


def test_values_are_copied_with_their_types_vocabularies_too(tmp_path: Path) -> None:
    source, target = tmp_path / "a.gguf", tmp_path / "b.gguf"
    writer = gguf.GGUFWriter(source, "t5encoder")
    writer.add_token_list([f"token{n}" for n in range(500)])
    writer.add_token_scores([n / 7 for n in range(500)])
    writer.add_float32("scale", 0.1)
    writer.add_tensor("w", np.zeros((2, 2), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with open_model(source) as model:
        values = typed_values(model.files[0])
    written(target, [("w", FP32, (2, 2))], values=values)
    before, after = gguf.GGUFReader(source), gguf.GGUFReader(target)
    for key, found in before.fields.items():
        if not key.startswith("GGUF."):
            copied = after.get_field(key)
            assert copied is not None
            assert (copied.types, copied.contents()) == (found.types, found.contents())


@pytest.mark.parametrize(
    ("name", "dtype", "shape", "key"),
    [
        ("x" * 128, FP16, (2,), "layout.gguf_name"),
        ("鉋" * 43, FP16, (2,), "layout.gguf_name"),
        ("a", WORDS["fp8_e4m3"], (2,), "layout.dtype"),
        ("a", WORDS["uint8"], (2,), "layout.dtype"),
        ("a", Q8_0, (3, 5), "layout.gguf_blocks"),
        ("a\ud800", FP16, (2,), "layout.not_utf8"),
        ("a", FP16, (1 << 31, 0), "layout.gguf_size"),
        ("a", FP16, (1, 1, 1, 1, 1 << 31), "layout.gguf_size"),
    ],
)
def test_what_gguf_cannot_hold_is_refused(
    name: str, dtype: DType, shape: tuple[int, ...], key: str
) -> None:
    with pytest.raises(Incompatible) as caught:
        laid_out([(name, dtype, shape)])
    assert caught.value.key == key
    assert caught.value.hint


def test_a_name_of_127_bytes_is_taken() -> None:
    assert laid_out([("x" * 127, FP16, (2,))]).size


def test_a_header_beyond_what_is_read_is_refused() -> None:
    with pytest.raises(Incompatible) as caught:
        arrange("gguf", [], metadata={"a": "x" * 100_000_001}, digest_fields={}, extras={})
    assert caught.value.key == "layout.gguf_header_too_large"


def laid_out(
    specs: list[tuple[str, DType, tuple[int, ...]]], values: dict[str, Typed] | None = None
) -> FileLayout:
    return arrange("gguf", specs, metadata={"k": "v"}, digest_fields={"d": ""},
                   extras={"gguf": values or {}})  # fmt: skip


SHAPES = st.lists(st.integers(0, 40), max_size=6).map(tuple)
DTYPES = st.sampled_from([FP32, FP16, Q8_0, Q4_K, WORDS["int8"], TYPES["nvfp4"]])


@given(
    st.lists(st.tuples(st.text(max_size=9), DTYPES, SHAPES), max_size=6, unique_by=lambda s: s[0])
)
@settings(max_examples=200)
def test_tensors_and_blocks_tile_the_file(
    specs: list[tuple[str, DType, tuple[int, ...]]],
) -> None:
    try:
        layout = laid_out(specs)
    except Incompatible:
        assert any(folded(shape, dtype) is None for _, dtype, shape in specs)
        return
    runs = [(start, start + len(block)) for start, block in layout.blocks("0" * 64, ())]
    runs += [
        (offset, offset + dtype.nbytes(prod(shape)))
        for offset, (_, dtype, shape) in zip(layout.offsets, specs, strict=True)
    ]
    position = 0
    for start, end in sorted(runs):
        assert start == position
        position = end
    assert position == layout.size
    assert not any(offset % ALIGNMENT for offset in layout.offsets)


@given(SHAPES, DTYPES, st.booleans())
def test_a_folded_shape_has_as_many_numbers_in_whole_rows(
    shape: tuple[int, ...],
    dtype: DType,
    rows: bool,  # noqa: FBT001
) -> None:
    stored = folded(shape, dtype, rows=rows)
    elements = dtype.elements if isinstance(dtype, BlockType) else 1
    if stored is None:
        assert prod(shape) % elements
        return
    assert prod(stored) == prod(shape)
    assert len(stored) <= 4
    assert not stored or stored[-1] % elements == 0
