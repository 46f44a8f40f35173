"""What a diffusers folder remembers of the file that it was made of, and the way back there.

Every component's weights carry the record of `kanna.ops.part_record`, as parts do, and the file of
leftovers, too: a join puts all of them where they stood.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kanna.families.key_maps import layout_map, table_of
from kanna.formats.folder import LEFTOVERS_FILE
from kanna.identity import Identity
from kanna.model import ModelFile, TensorInfo
from kanna.ops.diffusers_component import Made, is_identity
from kanna.ops.part_record import RECORD, Record, alike, read_record, restored, runs, source_id
from kanna.ops.parts import LEFTOVERS, Piece, pieces

# Tensors that the class wants and the file did not have, as a JSON list of names.
MADE: Final = "kanna.made"


class Home:
    """The file that a folder is made of: where each of its tensors stands."""

    def __init__(self, names: Sequence[str]) -> None:
        """Begin with all names of the file, in order."""
        self._places = {name: place for place, name in enumerate(names)}
        self._source = source_id(names)

    def of_component(self, made: Made) -> dict[str, str]:
        """Return the metadata that lead a component back; none where nothing leads there."""
        record = self._record(made)
        fields = {} if record is None else {RECORD: record.to_text()}
        return fields if made.identity is None else {**fields, MADE: json.dumps([made.identity[0]])}

    def of_leftovers(self, left: Mapping[str, TensorInfo]) -> dict[str, str]:
        """Return the metadata of the file with `left`, which have their full names."""
        places = runs(self._places[name] for name in left)
        record = Record(role=LEFTOVERS, word=LEFTOVERS, source=self._source, prefix="", layout=None,
                        places=places)  # fmt: skip
        return {RECORD: record.to_text()}

    def _record(self, made: Made) -> Record | None:
        piece, layout = made.piece, made.model.layout
        whole = {piece.names[name]: tensor for name, tensor in made.kept.items()}
        first = Record(
            role=piece.role, word=piece.word, source=self._source, prefix=piece.prefix,
            layout=piece.layout, model=piece.part.prefix, places=((0, len(whole)),),
        )  # fmt: skip
        for record in (first, replace(first, names=_renamed(made))):
            back = restored(made.tensors, replace(piece.part, layout=layout, prefix=""), record)
            if back is not None and alike(back, whole):
                return replace(record, places=runs(self._places[name] for name in back))
        return None


def _renamed(made: Made) -> dict[str, str]:
    """Return the full name in the file of every tensor that only got another name."""
    piece = made.piece
    table = table_of(piece.part)
    if table is None or piece.layout is None:
        return {name: piece.names[name] for name in made.tensors}
    found = layout_map(table, made.kept, source=piece.layout, target=made.model.layout)
    single = (link for link in found.links if len(link.sources) == len(link.targets) == 1)
    return {link.targets[0]: piece.names[link.sources[0]] for link in single}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Returned:
    """A component on its way back, or the leftovers (`piece` is None).

    `tensors` are what of the component the file had. `home` are the tensors as they stood there, by
    their full names; it is None where `record` is, because nothing leads back.
    """

    piece: Piece | None
    tensors: Mapping[str, TensorInfo]
    home: Mapping[str, TensorInfo] | None = None
    record: Record | None = None


def returned(model: ModelFile, identity: Identity, *, believe: bool = True) -> Iterator[Returned]:
    """Yield the components of the folder `model` with the way back of each, then its leftovers.

    Without `believe` no record leads back.
    """
    for piece in pieces(model, identity).pieces:
        yield _returned(piece, metadata_of(model, piece.prefix.rstrip(".")) if believe else {})
    if model.beside:
        record = read_record(metadata_of(model, LEFTOVERS_FILE) if believe else {})
        home = None if record is None else restored(model.beside, None, record)
        yield Returned(piece=None, tensors=model.beside, home=home, record=record if home else None)


def metadata_of(model: ModelFile, name: str) -> Mapping[str, str]:
    """Return what a component of a folder, or its file of leftovers, says of itself."""
    told = model.extras.get("component_metadata")
    found = told.get(name) if isinstance(told, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _returned(piece: Piece, metadata: Mapping[str, str]) -> Returned:
    made = _made(metadata)
    tensors = {
        name: one for name, one in piece.tensors.items() if name not in made or not is_identity(one)
    }
    record = read_record(metadata)
    home = None
    if record is not None and record.role == piece.role:
        home = restored(tensors, replace(piece.part, prefix=""), record)
    return Returned(piece=piece, tensors=tensors, home=home, record=record if home else None)


def _made(metadata: Mapping[str, str]) -> list[str]:
    """Return what is said to be an addition; whoever believes it has to look."""
    try:
        names = json.loads(metadata.get(MADE, "[]"))
    except (ValueError, RecursionError):
        return []
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
