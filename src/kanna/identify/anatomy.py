"""Taking a file apart: which models are in it, and what every tensor is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kanna.identify.beside import Beside, sort_out
from kanna.identify.choose import Names
from kanna.identify.ema import find_ema
from kanna.identify.gaps import gaps
from kanna.identify.marked import marked_formats
from kanna.identify.parts import Division, absent_part, divide, lone_embedding, part_of
from kanna.identify.quantization import shapes_of
from kanna.identify.recognise import Found, recognise

if TYPE_CHECKING:
    from kanna.families import Component
    from kanna.identify.peek import Peek
    from kanna.identity import Ema, Part
    from kanna.model import ModelFile


@dataclass(slots=True, kw_only=True, eq=False)
class Anatomy:
    """A file taken apart.

    `found` are the models, `parts` the same as values; `near` are rows that almost fit; `copied` is
    the row of a model of which only the averaged copy is there.
    """

    beside: Beside
    names: Names
    found: list[Found]
    near: list[Found]
    parts: list[Part]
    division: Division
    ema: Ema
    copied: Component | None
    _gaps: dict[int, int] = field(default_factory=dict)

    @property
    def mostly_known(self) -> bool:
        """Whether what was found is at least half of the file."""
        return 2 * len(self.division.unrecognised) <= len(self.names.shapes)

    def anchors(self, part: Part) -> int:
        """How many tensors speak for `part`."""
        pairs = zip(self.parts, self.found, strict=False)
        return next((len(one.known) for this, one in pairs if this is part), len(part.names))

    def gaps(self, part: Part) -> int:
        """How many names seem to be missing from the numbered lists of `part`, one of `parts`."""
        number = next(at for at, this in enumerate(self.parts) if this is part)
        if number not in self._gaps:
            self._gaps[number] = gaps(part.names)
        return self._gaps[number]


def take_apart(model: ModelFile, peek: Peek) -> Anatomy:
    """Return the models in the file and whose each tensor is, by names and shapes.

    `peek` reads what marker tensors of quantised layers say.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    beside = sort_out(model, model.metadata)
    if not beside.formats:
        beside.formats = marked_formats(model, beside, peek)
    shapes, stands = shapes_of(model, beside)
    if any(".lora_A." in name or ".oft_R." in name for name in model):
        from kanna.identify.modules import unnamed_pieces  # few files are adapters

        stands |= (unnamed := unnamed_pieces(model))
        shapes.update({plain: shapes[name] for plain, name in unnamed.items()})
    found, near = recognise(shapes, {*beside.names, *stands.values()}, stands)
    ema, copied = find_ema(model, found)
    if copied is not None:
        shapes.update({name: shapes[copy] for name, copy in ema.pairs.items()})
    names = Names(shapes)
    division = divide(model, found, beside)
    parts = [
        part_of(one, owned, model, names, beside)
        for one, owned in zip(found, division.owned, strict=True)
    ]
    if copied is not None:
        parts.append(absent_part(copied, ema))
    if not parts and (lone := lone_embedding(model, names)):
        parts, division.unrecognised = [lone], []
    return Anatomy(
        beside=beside,
        names=names,
        found=found,
        near=near,
        parts=parts,
        division=division,
        ema=ema,
        copied=copied,
    )
