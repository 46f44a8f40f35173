"""One component of a diffusers folder: a piece of a model in diffusers' names, and its config.

What the class of the component has no place for is left over, under the names that it came with.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kanna.dtypes import FP32, TARGETS, WORDS, DType
from kanna.errors import Incompatible, Incomplete
from kanna.families.key_maps import layout_map, layouts_of, table_of
from kanna.families.pipelines import Component, Model
from kanna.families.shape_rules import Shapes, Underivable
from kanna.kernel import weighted_sum
from kanna.model import TensorInfo
from kanna.ops.dequantise import scheme_of
from kanna.ops.parts import Piece
from kanna.ops.relayout import relayout
from kanna.plan import Constant, Output

_PLAIN: Final = frozenset(WORDS[word] for word in TARGETS)
_MOST_SIDE: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Made:
    """A component made from `piece`: its tensors, its config, and what was left over of the piece.

    `tensors` have the names of the class, `kept` are the ones of the piece that they were made of,
    and `left` the others, by their names in the piece. `identity` is a matrix that the class wants
    and the file left out: its name and its side.
    """

    component: Component
    model: Model
    piece: Piece
    tensors: Mapping[str, TensorInfo]
    kept: Mapping[str, TensorInfo]
    left: Mapping[str, TensorInfo]
    identity: tuple[str, int] | None

    def config(self, dtype: DType) -> dict[str, object]:
        """Return its ``config.json`` for weights in `dtype`.

        Raises:
            Incomplete: a tensor that the config follows from is not there.
        """
        # what diffusers does not have may still tell a size
        before = {name: tensor.shape for name, tensor in self.piece.tensors.items()}
        try:
            return self.model.configuration(
                {**before, **_shapes(self.tensors)}, dtype.torch or dtype.word
            )
        except Underivable as error:
            raise _underivable(self.component, error) from error

    def identity_output(self, dtype: DType) -> Output | None:
        """Return the identity matrix that the class wants and the file left out, in `dtype`."""
        if self.identity is None:
            return None
        name, side = self.identity
        return Output(name, dtype, (side, side), Constant(_identity_matrix(side, dtype)))


def make_component(piece: Piece, component: Component) -> Made | None:
    """Return `component` as made from `piece`, or None where kanna cannot turn it into that class.

    Raises:
        Incompatible: it is quantised in a way that the class cannot load, or its tensors do not
            fit together.
        Incomplete: a tensor that its config follows from is not there.
    """
    wanted = component.model
    table = table_of(piece.part)
    layouts = {piece.layout, *(layouts_of(table) if table else ())}
    if wanted is None or wanted.layout not in layouts:
        return None
    _refuse_quantised(piece)
    kept, left = _sorted_out(piece, wanted, table)
    turned = kept
    if table is not None and piece.layout is not None:
        relaid = relayout(kept, table, source=piece.layout, target=wanted.layout)
        turned = relaid.tensors
        left |= {name: kept.pop(name) for name in relaid.unmapped}
    try:
        identity = wanted.identity_matrix(_shapes(turned))
    except Underivable as error:
        raise _underivable(component, error) from error
    return Made(component=component, model=wanted, piece=piece, tensors=turned, kept=kept,
                left=left, identity=identity)  # fmt: skip


def is_identity(tensor: TensorInfo) -> bool:
    """Return whether a tensor is an identity matrix, of a size that a class may want.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    sides = set(tensor.shape)
    if len(tensor.shape) != 2 or len(sides) > 1 or max(sides) > _MOST_SIDE:
        return False
    return tensor.dtype in _PLAIN and tensor.read() == _identity_matrix(max(sides), tensor.dtype)


def _identity_matrix(side: int, dtype: DType) -> bytes:
    row = struct.pack("<f", 1.0) + bytes(4 * side)
    numbers = (row * side)[: 4 * side * side]
    data = bytearray(dtype.nbytes(side * side))
    weighted_sum(data, dtype, [numbers], [FP32], (1.0,), side * side)
    return bytes(data)


def usual_dtype(tensors: Iterable[TensorInfo]) -> DType:
    """Return the floating dtype that most bytes are in, or fp32 where none are."""
    sizes: dict[DType, int] = {FP32: 0}
    for tensor in tensors:
        if tensor.dtype.is_float:
            sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.nbytes
    return max(sizes, key=lambda dtype: sizes[dtype])


def _shapes(tensors: Mapping[str, TensorInfo]) -> Shapes:
    return {name: tensor.shape for name, tensor in tensors.items()}


def _underivable(component: Component, error: Underivable) -> Incomplete:
    return Incomplete("diffusers.underivable", folder=component.folder, tensor=error.args[0])


def _refuse_quantised(piece: Piece) -> None:
    scheme = scheme_of(piece.part, piece.tensors.values())
    if scheme or any(tensor.dtype.torch is None for tensor in piece.tensors.values()):
        raise Incompatible("diffusers.quantised", part=piece.word, scheme=scheme or "?")


def _sorted_out(
    piece: Piece, wanted: Model, table: str | None
) -> tuple[dict[str, TensorInfo], dict[str, TensorInfo]]:
    """Return the piece's tensors that the class takes, and those that it has no place for."""
    unexpected = set(piece.part.unexpected)
    left = {name for name, full in piece.names.items() if full in unexpected}
    left |= _without_place(piece, wanted, table)
    kept = {name: tensor for name, tensor in piece.tensors.items() if name not in left}
    return kept, {name: piece.tensors[name] for name in piece.tensors if name in left}


def _without_place(piece: Piece, wanted: Model, table: str | None) -> set[str]:
    """Return the names in the piece's layout of what the class does not take."""
    if table is None or piece.layout is None:
        return wanted.has_no_place_for(piece.tensors, piece.layout)
    found = layout_map(table, piece.tensors, source=piece.layout, target=wanted.layout)
    every = [name for link in found.links for name in link.targets]
    unused = wanted.has_no_place_for(every, piece.layout)
    links = [link for link in found.links if unused.issuperset(link.targets)]
    return {name for link in links for name in link.sources}
