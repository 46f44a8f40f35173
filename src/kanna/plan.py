"""Plan, Output, Op: what will be written, as pure data.

A verb turns files and options into a `Plan`; the engine streams any plan into one verified file.
A plan can be printed, sized and tested without touching a weight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Final, Literal, Protocol

from kanna.dtypes import DType
from kanna.model import ModelFile, Note, TensorInfo
from kanna.views.sources import stored_bytes


@dataclass(frozen=True, slots=True)
class Copy:
    """The output's bytes are the input's bytes (the shape may differ, the element count not)."""


@dataclass(frozen=True, slots=True)
class WeightedSum:
    """``out = round(sum(weight * input))``, element by element, rounded once to nearest even.

    A cast is one input with weight 1. Inputs are summed in fp32, or in fp64 with `double`. What is
    too large for the dtype becomes what torch makes of it; with `clipped`, which is for fp8, its
    largest number, Inf too.
    """

    weights: tuple[float, ...] = (1.0,)
    double: bool = False
    clipped: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """The output's bytes are these, whatever the inputs hold."""

    data: bytes


@dataclass(frozen=True, slots=True)
class OneScale:
    """A quantisation: the numbers over one scale, which makes the largest of them `limit`.

    Its pieces: ``numbers``, in a dtype of fp8 whose largest number is `limit`, and ``scale``, fp32.
    The scale follows from the finite numbers, and Inf becomes the limit; a tensor of zeros has the
    scale 1.
    """

    limit: float


@dataclass(frozen=True, slots=True)
class FourBit:
    """bitsandbytes' quantisation: two numbers to a byte, each one of 16 times its block's largest.

    `table` is the sixteen numbers, as fp32; so many numbers in a row are a `block`. The pieces:
    ``numbers``, ``absmax`` (of each block, fp32) and ``state``, JSON. With `nested` ``absmax`` is
    8-bit numbers over blocks of their own, less their mean; ``nested_absmax`` has those blocks'
    largest, and the mean is in the ``state``.
    """

    table: bytes
    block: int = 64
    nested: bool = False


Encoding = OneScale | FourBit


# The bytes that a ``state`` needs beside its text: what is measured is written in there.
STATE_ROOM: Final = 48


@dataclass(frozen=True, slots=True)
class Encoded:
    """The output is one `piece` of what `encoding` makes of its one input.

    Pieces of one tensor share what is measured of it where they name the very same input. `text`
    is the JSON object of a ``state`` without what is measured; blanks fill the rest of the output.
    """

    encoding: Encoding
    piece: str = "numbers"
    text: bytes = b""

    @property
    def reads(self) -> bool:
        """Whether the piece is made of the input's numbers, not of what was measured of them."""
        return self.piece == "numbers"


Op = Copy | WeightedSum | Constant | Encoded


@dataclass(frozen=True, slots=True)
class Output:
    """One tensor to be written: its name, dtype and shape, one op, and the tensors it reads.

    With `compared` the engine measures how far the numbers that a reader gets back are from those
    of its one input.
    """

    name: str
    dtype: DType
    shape: tuple[int, ...]
    op: Op
    inputs: tuple[TensorInfo, ...] = ()
    compared: bool = False

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


class Measurement(Protocol):
    """A pass over inputs that must be made before any output is: computed tensors depend on it."""

    @property
    def traffic(self) -> int:
        """The bytes that the pass still has to read; 0 once it was made."""

    def run(self, tick: Callable[[int], None]) -> None:
        """Make the pass, once; call `tick` with the bytes read so far.

        Raises:
            FormatError: an input does not hold what its header says.
        """


WriteContainer = Literal["safetensors", "ckpt", "gguf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One file to be made.

    `outputs` are in the order in which they are written. `metadata` is text to text;
    `digest_fields` names the fields whose value the engine fills with the SHA-256 of the tensor
    data, each with a prefix to stand before the 64 digits. `extras` is plain data that a ckpt
    carries beside its tensors; ``gguf`` in it is the `Typed` values of a GGUF, by key. `inputs` are
    all files that the outputs read from. `notes` say what the plan does that a person should know.
    `measurements` are made before anything else.
    """

    outputs: tuple[Output, ...]
    container: WriteContainer
    inputs: tuple[ModelFile, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    digest_fields: Mapping[str, str] = field(default_factory=dict)
    extras: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    measurements: tuple[Measurement, ...] = ()

    @property
    def data_bytes(self) -> int:
        """The bytes of tensor data that will be written."""
        return sum(output.nbytes for output in self.outputs)

    @property
    def read_bytes(self) -> int:
        """The bytes of stored tensor data that will be read, whatever is computed of them."""
        return sum(
            stored_bytes(output.inputs)
            for output in self.outputs
            if not isinstance(output.op, Encoded) or output.op.reads
        )
