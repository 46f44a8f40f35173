"""bitsandbytes' 4-bit weights in files: the tensors beside the codes, and the JSON among them.

Source: bitsandbytes functional.py, ``QuantState.as_dict`` and ``from_dict``.
"""

from __future__ import annotations

import json
from math import prod
from typing import Any, Final

from kanna.codebooks import is_table
from kanna.dtypes import FP32, TORCH, UINT8
from kanna.errors import FormatError
from kanna.formats.strict_json import parse
from kanna.model import ModelFile, TensorInfo
from kanna.views.decoded import NESTED_BLOCK, Nested, four_bit

STATE: Final = "quant_state.bitsandbytes__"
STATES: Final = (f"{STATE}nf4", f"{STATE}fp4")
ABSMAX, MAP = "absmax", "quant_map"
NESTED_ABSMAX, NESTED_MAP = "nested_absmax", "nested_quant_map"
_BLOCKS: Final = (32, 64, 128, 256, 512, 1024, 2048, 4096)
_LONGEST: Final = 4096
_MOST: Final = 3.4028234663852886e38  # in fp32


def state_text(kind: str, block: int, dtype: str, shape: tuple[int, ...], *, nested: bool) -> bytes:
    """Return the JSON of a state as bitsandbytes writes it, without the mean of nested statistics.

    `dtype` is torch's name of the dtype that the weight had.
    """
    state: dict[str, object] = {
        "quant_type": kind, "blocksize": block, "dtype": dtype, "shape": list(shape),
    }  # fmt: skip
    if nested:
        state |= {"nested_blocksize": NESTED_BLOCK, "nested_dtype": "float32"}
    return json.dumps(state).encode()


def read_four_bit(model: ModelFile, name: str, state: str) -> tuple[TensorInfo, tuple[str, ...]]:
    """Return the weight `name` decoded, and the names of what stands beside it.

    Raises:
        FormatError: something is missing, or not what it must be.
    """
    fields = _fields(model, f"{name}.{state}", state.removeprefix(STATE))
    shape = tuple(fields["shape"])
    blocks = -(-prod(shape) // fields["blocksize"])
    table = _table(model, f"{name}.{MAP}", 16)
    packed = model[name]
    _check(packed.nbytes == -(-prod(shape) // 2), model, name)
    beside = [f"{name}.{tail}" for tail in (state, ABSMAX, MAP)]
    nested = None
    if f"{name}.{NESTED_ABSMAX}" in model:
        nested = _nested(model, name, fields, blocks)
        beside += [f"{name}.{NESTED_ABSMAX}", f"{name}.{NESTED_MAP}"]
    absmax = model.get(f"{name}.{ABSMAX}")
    stored = FP32 if nested is None else UINT8
    if absmax is None or absmax.dtype is not stored or absmax.numel != blocks:
        raise FormatError("quantize.bad_state", path=model.path, name=f"{name}.{ABSMAX}")
    return (
        four_bit(packed, absmax, shape, table=table, block=fields["blocksize"], nested=nested),
        tuple(beside),
    )


def _nested(model: ModelFile, name: str, fields: dict[str, Any], blocks: int) -> Nested:
    size, mean = fields.get("nested_blocksize"), fields.get("nested_offset")
    fine = _is_block(size) and isinstance(mean, int | float) and abs(mean) <= _MOST
    _check(fine, model, f"{name}.{NESTED_ABSMAX}")
    assert isinstance(size, int)
    return Nested(
        table=_table(model, f"{name}.{NESTED_MAP}", 256),
        largest=_tensor(model, f"{name}.{NESTED_ABSMAX}", -(-blocks // size)),
        mean=float(fields["nested_offset"]), block=size,
    )  # fmt: skip


def _fields(model: ModelFile, name: str, kind: str) -> dict[str, Any]:
    """Return what a state holds, checked: strangers wrote it."""
    tensor = model[name]
    _check(tensor.dtype.bits == 8 and tensor.nbytes <= _LONGEST, model, name)
    try:
        fields = parse(tensor.read(), model.path)
    except FormatError as error:  # that one speaks of headers
        raise FormatError("quantize.bad_state", path=model.path, name=name) from error
    _check(isinstance(fields, dict), model, name)
    shape = fields.get("shape")
    sizes = isinstance(shape, list) and all(type(s) is int and 0 < s < 1 << 32 for s in shape)
    fine = fields.get("quant_type") == kind and _is_block(fields.get("blocksize"))
    _check(sizes and fine and fields.get("dtype") in list(TORCH), model, name)
    return dict(fields)


def _is_block(size: object) -> bool:
    return type(size) is int and size in _BLOCKS


def _tensor(model: ModelFile, name: str, numel: int) -> TensorInfo:
    tensor = model.get(name)
    if tensor is None or tensor.dtype is not FP32 or tensor.numel != numel:
        raise FormatError("quantize.bad_state", path=model.path, name=name)
    return tensor


def _table(model: ModelFile, name: str, entries: int) -> bytes:
    table = _tensor(model, name, entries).read()
    _check(is_table(table), model, name)
    return table


def _check(fine: object, model: ModelFile, name: str) -> None:
    if not fine:
        raise FormatError("quantize.bad_state", path=model.path, name=name)
