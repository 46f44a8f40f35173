"""Plan, Output, Op: what will be written, as pure data.

A verb turns files and options into a `Plan`; the engine streams any plan into one verified file.
A plan can be printed, sized and tested without touching a weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Literal

from kanna.dtypes import DType
from kanna.model import ModelFile, Note, TensorInfo


@dataclass(frozen=True, slots=True)
class Copy:
    """The output's bytes are the input's bytes (the shape may differ, the element count not)."""


@dataclass(frozen=True, slots=True)
class WeightedSum:
    """``out = round(sum(weight * input))``, element by element, rounded once to nearest even.

    A cast is one input with weight 1. Inputs are summed in fp32, or in fp64 with `double`.
    """

    weights: tuple[float, ...] = (1.0,)
    double: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """The output's bytes are these, whatever the inputs hold."""

    data: bytes


Op = Copy | WeightedSum | Constant


@dataclass(frozen=True, slots=True)
class Output:
    """One tensor to be written: its name, dtype and shape, one op, and the tensors it reads."""

    name: str
    dtype: DType
    shape: tuple[int, ...]
    op: Op
    inputs: tuple[TensorInfo, ...] = ()

    @property
    def nbytes(self) -> int:
        """The bytes it takes in the output."""
        return self.dtype.nbytes(prod(self.shape))

    @classmethod
    def of(cls, tensor: TensorInfo, *, name: str | None = None, dtype: DType | None = None,
           shape: tuple[int, ...] | None = None) -> Output:  # fmt: skip
        """Return `tensor` under `name`, in `dtype` and `shape`: a copy if the dtype stays."""
        target = dtype or tensor.dtype
        op: Op = Copy() if target is tensor.dtype else WeightedSum()
        return cls(name or tensor.name, target, shape or tensor.shape, op, (tensor,))


WriteContainer = Literal["safetensors", "ckpt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One file to be made.

    `outputs` are in the order in which they are written. `metadata` is text to text;
    `digest_fields` names the fields whose value the engine fills with the SHA-256 of the tensor
    data, each with a prefix to stand before the 64 digits. `extras` is plain data that a ckpt
    carries beside its tensors. `inputs` are all files that the outputs read from. `notes` say what
    the plan does that a person should know.
    """

    outputs: tuple[Output, ...]
    container: WriteContainer
    inputs: tuple[ModelFile, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    digest_fields: Mapping[str, str] = field(default_factory=dict)
    extras: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    @property
    def data_bytes(self) -> int:
        """The bytes of tensor data that will be written."""
        return sum(output.nbytes for output in self.outputs)

    @property
    def read_bytes(self) -> int:
        """The bytes of tensor data that will be read."""
        return sum(tensor.nbytes for output in self.outputs for tensor in output.inputs)
