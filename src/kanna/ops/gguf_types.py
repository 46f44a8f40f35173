"""What each tensor of a GGUF is stored in, and which are folded into rows of 256."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from kanna.dtypes import BF16, FP16, FP32, WORDS, DType
from kanna.families import family
from kanna.families.gguf_words import KEPT_IN_CHECKPOINTS, GgufWord, named
from kanna.formats.ggml_types import BlockType
from kanna.formats.gguf_foreign import decoded
from kanna.formats.gguf_layout import MOST_DIMS, ROW
from kanna.identity import Part
from kanna.ops.draft import Draft
from kanna.plan import Copy, Op, Output, WeightedSum

MODEL: Final = "diffusion_model"
_SMALL: Final = 1024  # numbers: so few are not worth a block
_LEAST_FOLDED: Final = 512
_PLAIN: Final = (FP32, FP16, BF16)
_CUT: Final = frozenset({MODEL, "text_encoder"})  # a VAE in blocks spoils every image
_MATRIX: Final = 2  # dimensions of what llama-quantize takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is wanted: the weights in blocks of `kind`, or all as they are.

    `part` is the diffusion model and `row` what its readers are called; `alone` if nothing else is
    in the file, which then is for ComfyUI-GGUF. The outputs among `stay` are not cut.
    """

    part: Part
    row: GgufWord
    alone: bool
    kind: BlockType | None
    stay: frozenset[str]

    @property
    def half(self) -> DType:
        """The 16-bit dtype that the model takes."""
        found = family(self.part.architecture or "")
        return WORDS[found.half] if found else FP16


def folds(draft: Draft, target: Target) -> Iterator[Output]:
    """Yield the outputs that are to be folded: as ComfyUI-GGUF's tools/convert.py does it."""
    for output in draft.outputs.values() if target.alone and target.row.fold else ():
        shape = output.shape
        count = output.inputs[0].numel if output.inputs else 0
        if len(shape) > 1 and count >= _LEAST_FOLDED and count % ROW == 0 and shape[-1] % ROW:
            yield output


def store(draft: Draft, target: Target, folded: frozenset[str]) -> None:
    """Give every output the dtype that its readers expect; outputs in blocks are compared."""
    for name, output in draft.outputs.items():
        source = output.inputs[0].dtype if output.inputs else None
        if source is None or name in draft.fixed or not output.nbytes:
            continue
        if source.is_float or isinstance(source, BlockType):
            dtype = _dtype(draft, output, source, target, folded)
            if dtype is not output.dtype:
                draft.outputs[name] = cast(output, dtype)


def cast(output: Output, dtype: DType) -> Output:
    """Return `output` in `dtype`: a copy where that is what its one input is in."""
    inputs = tuple(map(decoded, output.inputs))
    op: Op = WeightedSum() if isinstance(output.op, Copy) else output.op
    if op == WeightedSum() and inputs[0].dtype is dtype:
        op = Copy()
    in_blocks = isinstance(dtype, BlockType) and not isinstance(op, Copy) and len(inputs) == 1
    return replace(output, dtype=dtype, op=op, inputs=inputs, compared=in_blocks)


def _dtype(
    draft: Draft, output: Output, source: DType, target: Target, folded: frozenset[str]
) -> DType:
    kind, wanted = target.kind, output.dtype
    if kind is None and isinstance(wanted, BlockType):
        return wanted
    plain = FP32 if source is BF16 or source.bits > FP16.bits else FP16
    if _stays_high(draft, output, target):
        return plain
    if not _decoded(output):
        return wanted if wanted in {FP32, FP16} else plain
    cut = kind is not None and draft.roles.get(output.name) in _CUT
    if kind and cut and _cuttable(output, kind, folded) and not _kept(output.name, target):
        return kind
    if wanted in _PLAIN and (kind is None or wanted is not FP32 or output.name in target.stay):
        return wanted
    return target.half


def _decoded(output: Output) -> bool:
    """Whether a layer of ComfyUI-GGUF reads it and so decodes it: no parameter, no 3-D kernel."""
    return output.name.endswith("weight") and len(output.shape) <= MOST_DIMS


def _stays_high(draft: Draft, output: Output, target: Target) -> bool:
    """Whether the numbers stay as they are: vectors, small ones, and what the table names."""
    if len(output.shape) <= 1 or output.inputs[0].numel <= _SMALL:
        return True
    rest = output.name.removeprefix(target.part.prefix)
    return draft.roles.get(output.name) == MODEL and named(rest, target.row.high)


def _cuttable(output: Output, kind: BlockType, folded: frozenset[str]) -> bool:
    if output.name in folded:
        return ROW % kind.elements == 0
    return len(output.shape) == _MATRIX and output.shape[-1] % kind.elements == 0


def _kept(name: str, target: Target) -> bool:
    rest = name.removeprefix(target.part.prefix)
    if name in target.stay:
        return True
    if name.startswith(target.part.prefix) and named(rest, target.row.keep):
        return True
    return not target.alone and named(name, KEPT_IN_CHECKPOINTS)
