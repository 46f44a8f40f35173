"""What goes into the file of one part: its tensors as a program reads them, and its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kanna.families.joined import BARE, Program, Seat, arrangement, program
from kanna.model import TensorInfo
from kanna.ops.part_record import Record, alike, in_layout, restored, runs, source_id
from kanna.ops.parts import EMA, LEFTOVERS, MODEL, Piece, Pieces, is_tokenizer


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFile:
    """The tensors of one part by the names that they get, and where they come from.

    `layout` is that of their names, `prefix` what stands before them. `wanted` are the layouts that
    the program reads, where the part could not be brought into any of them.
    """

    tensors: Mapping[str, TensorInfo]
    layout: str | None
    prefix: str
    record: Record
    wanted: tuple[str, ...] = ()


class Packing:
    """Packs the parts of one file for a program, or ``bare``."""

    def __init__(self, apart: Pieces, word: str) -> None:
        """Begin with a file taken apart, and the word of the program."""
        names = (*apart.model, *apart.model.beside)
        self._places = {name: place for place, name in enumerate(names)}
        self._of: dict[str, Any] = {
            "source": source_id(apart.model),
            "parts": tuple(piece.word for piece in apart.pieces),
            "needs": apart.identity.needs or (),
        }
        self._whole = arrangement(apart.identity.architecture)
        self._bare = word == BARE
        self._program = Program(layouts={}) if self._bare else program(word)

    def pack(self, piece: Piece, kept: Mapping[str, object]) -> PartFile:
        """Return the file of `piece`, with those of its tensors whose full names are in `kept`.

        It is brought into another layout only if it can be brought back.
        """
        tensors = {n: t for n, t in piece.tensors.items() if piece.names[n] in kept}
        wanted = self._layouts(piece)
        fitting = piece.layout is None or not wanted or piece.layout in wanted
        for layout in () if fitting else wanted:
            turned = in_layout(tensors, piece.part, layout)
            if turned is not None and (made := self._file(piece, turned, tensors, layout)):
                return made
        made = self._file(piece, tensors, tensors, piece.layout) or self._listed(piece, tensors)
        return made if fitting else replace(made, wanted=wanted)

    def leftovers(self, left: Mapping[str, TensorInfo]) -> PartFile:
        """Return the file of what belongs to no part, under the names that it has."""
        places = runs(self._places[name] for name in left)
        record = Record(
            role=LEFTOVERS, word=LEFTOVERS, prefix="", layout=None, places=places, **self._of
        )
        return PartFile(tensors=left, layout=None, prefix="", record=record)

    def _file(
        self,
        piece: Piece,
        tensors: Mapping[str, TensorInfo],
        before: Mapping[str, TensorInfo],
        layout: str | None,
    ) -> PartFile | None:
        """Return the file of `tensors`, if they can be made `before` again by the record alone."""
        beside = {own_name(name): name for name in piece.beside}
        file, prefix = self._contents(piece, tensors)
        record = self._record(piece, names=beside, places=((0, len(before) + len(beside)),))
        back = restored(file, replace(piece.part, layout=layout, prefix=prefix), record)
        whole = {piece.names[name]: tensor for name, tensor in before.items()}
        if back is None or not alike(back, {**whole, **piece.beside}):
            return None
        record = replace(record, places=runs(self._places[name] for name in back))
        return PartFile(tensors=file, layout=layout, prefix=prefix, record=record)

    def _listed(self, piece: Piece, tensors: Mapping[str, TensorInfo]) -> PartFile:
        """Return the file of `tensors` with a record that lists every full name."""
        file, prefix = self._contents(piece, tensors)
        full = [*(piece.names[name] for name in tensors), *piece.beside]
        places = runs(self._places[name] for name in full)
        record = self._record(piece, names=dict(zip(file, full, strict=True)), places=places)
        return PartFile(tensors=file, layout=piece.layout, prefix=prefix, record=record)

    def _contents(
        self, piece: Piece, tensors: Mapping[str, TensorInfo]
    ) -> tuple[dict[str, TensorInfo], str]:
        """Return what the file holds, by name, and the prefix of its part."""
        seat = self._seat(piece) if piece.role in self._program.inside else None
        prefix = seat.prefix if seat else ""
        file = {prefix + name: tensor for name, tensor in tensors.items()}
        return file | {own_name(name): piece.beside[name] for name in piece.beside}, prefix

    def _record(self, piece: Piece, **more: Any) -> Record:
        return Record(role=piece.role, word=piece.word, prefix=piece.prefix, layout=piece.layout,
                      model=piece.part.prefix, **self._of, **more)  # fmt: skip

    def _layouts(self, piece: Piece) -> tuple[str, ...]:
        """Return the layouts that the program reads such a part in; empty where any will do."""
        if self._bare:
            return ()
        if piece.role in self._program.layouts:
            return self._program.layouts[piece.role]
        seat = self._seat(piece)
        return seat.layouts if seat else ()

    def _seat(self, piece: Piece) -> Seat | None:
        """Return the place of a piece in a checkpoint; a copy has that of the model."""
        if self._whole is None:
            return None
        if piece.role == EMA:
            return self._whole.seat(MODEL, MODEL)
        return self._whole.seat(piece.word, piece.role)


def own_name(name: str) -> str:
    """Return what a tensor beside a part is called in the part's file."""
    return name.rpartition(".")[2] if is_tokenizer(name) else name
