"""The way back: a diffusers folder as the pieces that it was made of, in their first layouts.

Kanna's own folders say in each component's weights how its piece stood in the file it came from; a
component of another folder stays in the layout that it has, and who joins it turns it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from kanna.families.key_maps import layouts_of, table_of
from kanna.identity import Identity
from kanna.model import ModelFile, TensorInfo
from kanna.ops.diffusers_component import ORIGIN
from kanna.ops.parts import Piece, Pieces, pieces
from kanna.ops.relayout import relayout


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """How a piece stood in the file that it came from; `made` are tensors that it did not have."""

    prefix: str
    layout: str | None
    made: tuple[str, ...]


def pieces_of_folder(model: ModelFile, identity: Identity) -> Pieces:
    """Return the pieces of the folder `model`, each as it stood in the file it came from.

    `leftovers` are those that the folder keeps beside its components.

    Raises:
        Incompatible: the tensors of a component do not fit together.
    """
    apart = pieces(model, identity)
    told = model.extras.get("component_metadata")
    metadata = told if isinstance(told, Mapping) else {}
    kept = model.extras.get("leftovers")
    left = {**apart.leftovers, **(kept if isinstance(kept, Mapping) else {})}
    restored = tuple(_restored(piece, metadata) for piece in apart.pieces)
    return replace(apart, pieces=restored, leftovers=left)


def _restored(piece: Piece, metadata: Mapping[str, Mapping[str, str]]) -> Piece:
    origin = _origin(metadata.get(piece.prefix.rstrip("."), {}))
    if origin is None:
        return piece
    tensors = {name: one for name, one in piece.tensors.items() if name not in origin.made}
    turned = _turned(piece, tensors, origin.layout)
    if turned is None:
        return piece
    part = replace(piece.part, layout=origin.layout, prefix=origin.prefix)
    names = {name: origin.prefix + name for name in turned}
    return replace(piece, part=part, prefix=origin.prefix, tensors=turned, names=names)


def _turned(
    piece: Piece, tensors: Mapping[str, TensorInfo], layout: str | None
) -> dict[str, TensorInfo] | None:
    """Return `tensors` in `layout`, or None where no table goes there."""
    if layout == piece.layout:
        return dict(tensors)
    table = table_of(piece.part)
    if table is None or piece.layout is None or layout not in layouts_of(table):
        return None
    relaid = relayout(tensors, table, source=piece.layout, target=layout)
    return {**relaid.tensors, **{name: tensors[name] for name in relaid.unmapped}}


def _origin(metadata: Mapping[str, str]) -> _Origin | None:
    """Return what a component's metadata tell of its origin, or None where that makes no sense."""
    with suppress(ValueError, TypeError, KeyError, RecursionError):
        told = json.loads(metadata[ORIGIN])
        prefix, layout, made = told["prefix"], told["layout"], told["made"]
        words = [prefix, *made, *([] if layout is None else [layout])]
        if all(isinstance(word, str) for word in words):
            return _Origin(prefix=prefix, layout=layout, made=tuple(made))
    return None
