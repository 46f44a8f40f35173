"""One table: every dtype, its name in each container, its width and its place in the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Kind = Literal["float", "int", "bool", "complex"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DType:
    """One number format.

    `word` is what people type and read; `safetensors` and `torch` are its names there; `storage` is
    the legacy torch storage class, `code` its number in `_kernel.c` (None: the kernel has no
    arithmetic for it). Widths are in bits, because fp4 and fp6 exist.
    """

    word: str
    bits: int
    kind: Kind
    safetensors: str | None = None
    torch: str | None = None
    storage: str | None = None
    code: int | None = None

    @property
    def is_float(self) -> bool:
        """Whether conversions of precision apply: real floating point with kernel arithmetic."""
        return self.kind == "float" and self.code is not None

    def nbytes(self, numel: int) -> int:
        """Return the bytes that `numel` elements take; sub-byte types pack, rounded up."""
        return (numel * self.bits + 7) // 8

    def __repr__(self) -> str:
        """Return the word: a dtype is one of the table, never made elsewhere."""
        return f"<{self.word}>"


# Sources: safetensors `Dtype` enum (tensor.rs), torch.storage `_dtype_to_storage_type_map`.
# `code` must agree with the enum at the head of _kernel.c.
_TABLE: Final = (
    DType(word="fp64", bits=64, kind="float", safetensors="F64", torch="float64",
          storage="DoubleStorage", code=0),
    DType(word="fp32", bits=32, kind="float", safetensors="F32", torch="float32",
          storage="FloatStorage", code=1),
    DType(word="fp16", bits=16, kind="float", safetensors="F16", torch="float16",
          storage="HalfStorage", code=2),
    DType(word="bf16", bits=16, kind="float", safetensors="BF16", torch="bfloat16",
          storage="BFloat16Storage", code=3),
    DType(word="fp8_e4m3", bits=8, kind="float", safetensors="F8_E4M3", torch="float8_e4m3fn",
          code=4),
    DType(word="fp8_e5m2", bits=8, kind="float", safetensors="F8_E5M2", torch="float8_e5m2",
          code=5),
    DType(word="int64", bits=64, kind="int", safetensors="I64", torch="int64",
          storage="LongStorage", code=6),
    DType(word="int32", bits=32, kind="int", safetensors="I32", torch="int32",
          storage="IntStorage", code=7),
    DType(word="int16", bits=16, kind="int", safetensors="I16", torch="int16",
          storage="ShortStorage", code=8),
    DType(word="int8", bits=8, kind="int", safetensors="I8", torch="int8",
          storage="CharStorage", code=9),
    DType(word="uint8", bits=8, kind="int", safetensors="U8", torch="uint8",
          storage="ByteStorage", code=10),
    DType(word="bool", bits=8, kind="bool", safetensors="BOOL", torch="bool",
          storage="BoolStorage", code=11),
    DType(word="uint64", bits=64, kind="int", safetensors="U64", torch="uint64"),
    DType(word="uint32", bits=32, kind="int", safetensors="U32", torch="uint32"),
    DType(word="uint16", bits=16, kind="int", safetensors="U16", torch="uint16"),
    DType(word="complex64", bits=64, kind="complex", safetensors="C64", torch="complex64",
          storage="ComplexFloatStorage"),
    DType(word="complex128", bits=128, kind="complex", torch="complex128",
          storage="ComplexDoubleStorage"),
    DType(word="complex32", bits=32, kind="complex", torch="complex32"),
    DType(word="fp8_e8m0", bits=8, kind="float", safetensors="F8_E8M0", torch="float8_e8m0fnu"),
    DType(word="fp8_e4m3fnuz", bits=8, kind="float", safetensors="F8_E4M3FNUZ",
          torch="float8_e4m3fnuz"),
    DType(word="fp8_e5m2fnuz", bits=8, kind="float", safetensors="F8_E5M2FNUZ",
          torch="float8_e5m2fnuz"),
    DType(word="fp6_e2m3", bits=6, kind="float", safetensors="F6_E2M3"),
    DType(word="fp6_e3m2", bits=6, kind="float", safetensors="F6_E3M2"),
    DType(word="fp4", bits=4, kind="float", safetensors="F4"),
)  # fmt: skip

WORDS: Final = MappingProxyType({d.word: d for d in _TABLE})
SAFETENSORS: Final = MappingProxyType({d.safetensors: d for d in _TABLE if d.safetensors})
TORCH: Final = MappingProxyType({d.torch: d for d in _TABLE if d.torch})
STORAGES: Final = MappingProxyType({d.storage: d for d in _TABLE if d.storage})

FP64, FP32, FP16, BF16 = WORDS["fp64"], WORDS["fp32"], WORDS["fp16"], WORDS["bf16"]
FP8_E4M3, FP8_E5M2 = WORDS["fp8_e4m3"], WORDS["fp8_e5m2"]
INT64, UINT8 = WORDS["int64"], WORDS["uint8"]

# What programs and people also call them.
_OTHER_WORDS: Final = {"full": "fp32", "half": "fp16"}


def word_of(name: str) -> str:
    """Return the word of the dtype that torch or people call `name`; else `name` in lower case."""
    name = name.lower()
    known = TORCH.get(name)
    return known.word if known is not None else _OTHER_WORDS.get(name, name)


# What a person may ask for with --dtype.
TARGETS: Final = ("fp32", "fp16", "bf16", "fp8_e4m3", "fp8_e5m2")
